//! The files that commands write on request, wherever a path leads: to a file, a pipe, a device, or standard
//! output.

use std::fs::{Metadata, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::output::{Failure, Output};

/// How many links a path may go through.
const MOST_LINKS: usize = 40;

/// What a path leads to.
enum Target {
    /// `-`, or another name of what standard output is.
    StandardOutput,
    /// A pipe or a device: it stays what it is, and takes the bytes.
    Stream,
    /// A file, there or not, behind all links.
    File(PathBuf),
}

/// How to tell the result of a command that writes these files: where one of them is standard output, the
/// text for people goes to standard error. To be asked before anything is written.
///
/// # Errors
/// [`Failure`], status 2, where the file would be mixed with JSON or with another file, or where a path
/// leads to what nothing can be written to.
pub fn beside<'a>(
    output: &Output,
    paths: impl IntoIterator<Item = &'a PathBuf>,
) -> Result<Output, Failure> {
    let mut printed = 0;
    for path in paths {
        printed += usize::from(matches!(target(path)?, Target::StandardOutput));
    }
    match printed {
        0 => Ok(output.clone()),
        1 if output.is_json() => Err(Failure::wrong(
            "a file and --json cannot share standard output: write the file elsewhere, or leave --json out",
        )),
        1 => Ok(output.on_standard_error()),
        _ => Err(Failure::wrong(
            "two files cannot share standard output: write one of them elsewhere",
        )),
    }
}

/// Whether the path takes one file as it comes: standard output, a pipe or a device, never a folder.
pub fn is_stream(path: &Path) -> bool {
    matches!(target(path), Ok(Target::StandardOutput | Target::Stream))
}

/// Writes a file. A regular one is replaced atomically, behind any link: whoever reads it sees the old one
/// or the new one, whole.
///
/// # Errors
/// [`Failure`], status 2, which names the path.
pub fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let written = match target(path)? {
        Target::StandardOutput => print(content),
        // Neither made nor cut: what is there only takes the bytes.
        Target::Stream => OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut stream| stream.write_all(content).and_then(|()| stream.flush())),
        Target::File(file) => {
            atomic_write_file::AtomicWriteFile::open(file).and_then(|mut file| {
                file.write_all(content)?;
                file.commit()
            })
        }
    };
    written.map_err(|error| unwritable(path, &error))
}

/// As [`write()`], where what stood in a regular file and differs is kept beside it, as `FILE.bak`.
///
/// # Errors
/// As [`write()`].
pub fn replace(path: &Path, content: &[u8]) -> Result<(), Failure> {
    if is_stream(path) {
        return write(path, content);
    }
    match std::fs::read(path) {
        Ok(before) if before == content => return Ok(()),
        Ok(before) => {
            let mut backup = path.as_os_str().to_owned();
            backup.push(".bak");
            write(Path::new(&backup), &before)?;
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => {
            return Err(Failure::wrong(format!("{} cannot be read: {error}", path.display())));
        }
    }
    write(path, content)
}

fn target(path: &Path) -> Result<Target, Failure> {
    if path == Path::new("-") {
        return Ok(Target::StandardOutput);
    }
    let found = match std::fs::metadata(path) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::NotFound => return file_behind(path),
        Err(error) => return Err(unwritable(path, &error)),
    };
    let kind = found.file_type();
    if kind.is_block_device() {
        let reason = "it is a block device, a disk for example, and would be overwritten";
        return Err(Failure::wrong(format!("{} is not written to: {reason}", path.display())));
    }
    if is_standard_output(&found) {
        return Ok(Target::StandardOutput);
    }
    if kind.is_fifo() || kind.is_char_device() || kind.is_socket() {
        return Ok(Target::Stream);
    }
    file_behind(path)
}

/// `/dev/stdout` and its like. A device that is no terminal takes whatever it is sent, `/dev/null` for
/// example: nothing can be mixed there.
fn is_standard_output(found: &Metadata) -> bool {
    let standard = io::stdout().as_fd().try_clone_to_owned().map(std::fs::File::from);
    let Ok(standard) = standard.and_then(|standard| standard.metadata()) else { return false };
    (found.dev(), found.ino()) == (standard.dev(), standard.ino())
        && (!found.file_type().is_char_device() || io::stdout().is_terminal())
}

/// The path behind all links: the file is replaced, not a link to it.
fn file_behind(path: &Path) -> Result<Target, Failure> {
    let mut file = path.to_owned();
    for _ in 0..MOST_LINKS {
        let Ok(link) = std::fs::read_link(&file) else { return Ok(Target::File(file)) };
        file = file.parent().unwrap_or(Path::new("")).join(link);
    }
    let error = io::Error::other(format!("it leads through more than {MOST_LINKS} links"));
    Err(unwritable(path, &error))
}

/// A reader that has seen enough (`| head`) is no error.
fn print(content: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(content).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::wrong(format!("{} cannot be written: {error}", path.display()))
}
