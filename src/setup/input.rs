//! Files that a person names: read whole, and never without an end.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// The largest configuration, in bytes.
pub const CONFIGURATION: u64 = 1_000_000;
/// The largest file with a relation, in bytes.
pub const RELATION: u64 = 1_000_000;
/// The largest file of the register, in bytes: half a million dealerships.
pub const REGISTER: u64 = 100_000_000;

/// Reads a file, or a pipe to its end, of at most `most` bytes. A device that never ends is only read so far.
///
/// # Errors
/// As reading does; [`ErrorKind::FileTooLarge`] where there is more.
pub fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if read as u64 > most {
        let message = format!("it is larger than {}", in_words(most));
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}

/// As [`read`], a text.
///
/// # Errors
/// As [`read`]; [`ErrorKind::InvalidData`] where it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> io::Result<String> {
    String::from_utf8(read(path, most)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "stream did not contain valid UTF-8"))
}

fn in_words(bytes: u64) -> String {
    match bytes / 1_000_000 {
        0 => format!("{bytes} bytes"),
        megabytes => format!("{megabytes} MB"),
    }
}
