//! The files that commands write on request, wherever a path leads: to a file, a pipe, a device, or standard
//! output.
//!
//! A file that is there is only replaced by one of its kind, and none of fecha's own ever unasked: a name that
//! was mistyped must not cost a ledger.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

pub use super::kind::Kind;
use super::output::{Failure, Output};
use super::own::{Own, Owned, Place};
use crate::setup::config::Config;

/// How many links a path may go through.
const MOST_LINKS: usize = 40;

/// What may be replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// Files of the kind that is written.
    SameKind,
    /// Any but those that no copy can be made of.
    Anything,
}

/// `--force`, of every command that writes files by name.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ForceArgs {
    /// Replace a file of another kind too, or the configuration; never the ledger, the evidence key or the
    /// message database
    #[arg(long)]
    force: bool,
}

impl From<ForceArgs> for Replace {
    fn from(args: ForceArgs) -> Self {
        if args.force { Self::Anything } else { Self::SameKind }
    }
}

/// Writes the files of one command.
#[derive(Debug)]
pub struct Files {
    own: Own,
    replace: Replace,
}

/// What a path leads to.
enum Target {
    /// `-`, or another name of what standard output is.
    StandardOutput,
    /// A pipe or a device: it stays what it is, and takes the bytes.
    Stream,
    /// A file, there or not, behind all links.
    File(PathBuf),
}

impl Files {
    /// Of a command that works with this configuration.
    pub fn new(config: &Config, replace: impl Into<Replace>) -> Self {
        Self { own: Own::of(config), replace: replace.into() }
    }

    /// How to tell the result of a command that writes these files: where one of them is standard output, the
    /// text for people goes to standard error. To be asked before anything is done.
    ///
    /// # Errors
    /// [`Failure`], status 2, where a file would be mixed with JSON or with another file, where it would
    /// replace what it must not, or where a path leads to what nothing can be written to.
    pub fn beside<'a>(
        &self,
        output: &Output,
        wanted: impl IntoIterator<Item = (&'a PathBuf, Kind)>,
    ) -> Result<Output, Failure> {
        let mut printed = 0;
        let mut places: Vec<Place> = Vec::new();
        for (path, kind) in wanted {
            match target(path)? {
                Target::StandardOutput => printed += 1,
                Target::Stream => {}
                Target::File(file) => {
                    self.must_be_replaceable(path, &file, kind)?;
                    let place = Place::of(&file);
                    if places.iter().any(|other| other.is(&place)) {
                        let message = format!("two files cannot both be {}", path.display());
                        return Err(Failure::wrong(message));
                    }
                    places.push(place);
                }
            }
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

    /// Writes a file. A regular one is replaced atomically, behind any link: whoever reads it sees the old one
    /// or the new one, whole.
    ///
    /// # Errors
    /// [`Failure`], status 2, which names the path.
    pub fn write(&self, path: &Path, kind: Kind, content: &[u8]) -> Result<(), Failure> {
        if let Target::File(file) = target(path)? {
            self.must_be_replaceable(path, &file, kind)?;
        }
        put(path, content)
    }

    /// As [`Files::write`], where what stood in a regular file and differs is kept beside it, as `FILE.bak`.
    ///
    /// # Errors
    /// As [`Files::write`].
    pub fn replace(&self, path: &Path, kind: Kind, content: &[u8]) -> Result<(), Failure> {
        if is_stream(path) {
            return put(path, content);
        }
        match std::fs::read(path) {
            Ok(before) if before == content => return Ok(()),
            Ok(before) => {
                let mut backup = path.as_os_str().to_owned();
                backup.push(".bak");
                self.write(Path::new(&backup), kind, &before)?;
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                let message = format!("{} cannot be read: {error}", path.display());
                return Err(Failure::wrong(message));
            }
        }
        self.write(path, kind, content)
    }

    /// `file` is what `path` leads to.
    fn must_be_replaceable(&self, path: &Path, file: &Path, kind: Kind) -> Result<(), Failure> {
        let refused =
            |why: String| Err(Failure::wrong(format!("{} is not replaced: {why}", path.display())));
        match self.own.what(file) {
            Some(Owned::Books(what)) => {
                return refused(format!("it is {what}, which --force does not replace either"));
            }
            _ if self.replace == Replace::Anything => return Ok(()),
            Some(Owned::Written(what)) => {
                return refused(format!("it is {what}. --force replaces it all the same"));
            }
            None => {}
        }
        match kind.is_at(file) {
            Ok(true) => Ok(()),
            Ok(false) => {
                refused(format!("it is not {}. --force replaces it all the same", kind.name()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                refused(format!("what it holds cannot be read: {error}"))
            }
            Err(error) => Err(unwritable(path, &error)),
        }
    }
}

/// A file that is written beside its place, by whoever takes a path, and put there once it is whole.
#[derive(Debug)]
pub struct Draft {
    file: NamedTempFile,
    /// Where it goes; `None` for what takes the bytes one after the other.
    place: Option<PathBuf>,
}

impl Draft {
    /// Where to write, into a file that is there and empty, of mode 0600.
    pub fn path(&self) -> &Path {
        self.file.path()
    }
}

impl Files {
    /// Begins a file that is too large to be held in memory.
    ///
    /// # Errors
    /// As [`Files::write`].
    pub fn draft(&self, path: &Path, kind: Kind) -> Result<Draft, Failure> {
        let place = match target(path)? {
            Target::File(file) => Some(file),
            Target::StandardOutput | Target::Stream => None,
        };
        let folder = match &place {
            Some(file) => {
                self.must_be_replaceable(path, file, kind)?;
                nothing_beside(file)?;
                file.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."))
            }
            None => &std::env::temp_dir(),
        };
        // The library's own text would name the temporary file.
        let file = NamedTempFile::with_prefix_in(".fecha.", folder)
            .map_err(|error| unwritable(path, &io::Error::from(error.kind())))?;
        Ok(Draft { file, place })
    }

    /// Puts it in its place; whoever reads that sees the old file or the new one, whole.
    ///
    /// # Errors
    /// As [`Files::write`].
    pub fn keep(&self, draft: Draft, path: &Path, kind: Kind) -> Result<(), Failure> {
        let failed = |error: io::Error| unwritable(path, &error);
        let Some(place) = draft.place else {
            let mut content = File::open(draft.file.path()).map_err(failed)?;
            return match target(path)? {
                Target::Stream => {
                    let mut stream = OpenOptions::new().write(true).open(path).map_err(failed)?;
                    io::copy(&mut content, &mut stream).map(|_| ()).map_err(failed)
                }
                Target::StandardOutput | Target::File(_) => {
                    let mut out = io::stdout().lock();
                    io::copy(&mut content, &mut out).and_then(|_| out.flush()).map_err(failed)
                }
            };
        };
        self.must_be_replaceable(path, &place, kind)?;
        // Another program wrote it, by its name.
        File::open(draft.file.path()).and_then(|file| file.sync_all()).map_err(failed)?;
        let kept = draft.file.persist(&place).map_err(|error| failed(error.error))?;
        let folder = place.parent().filter(|folder| *folder != Path::new(""));
        drop(kept);
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(failed)
    }
}

/// What SQLite left beside an earlier file of that name would be taken for a part of the new one.
fn nothing_beside(file: &Path) -> Result<(), Failure> {
    for suffix in ["-wal", "-journal"] {
        let mut name = file.as_os_str().to_owned();
        name.push(suffix);
        let left = PathBuf::from(name);
        if left.exists() {
            let message = format!(
                "{} is not replaced: {} lies beside it, so that a program has it open, or was stopped. Name another file",
                file.display(),
                left.display()
            );
            return Err(Failure::wrong(message));
        }
    }
    Ok(())
}

/// Whether the path takes one file as it comes: standard output, a pipe or a device, never a folder.
pub fn is_stream(path: &Path) -> bool {
    matches!(target(path), Ok(Target::StandardOutput | Target::Stream))
}

/// Writes a file whose name is fecha's, whatever is there.
///
/// # Errors
/// As [`Files::write`].
pub fn put(path: &Path, content: &[u8]) -> Result<(), Failure> {
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

fn print(content: &[u8]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(content).and_then(|()| out.flush())
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::wrong(format!("{} cannot be written: {error}", path.display()))
}
