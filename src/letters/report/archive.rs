//! The archive of invoices, split so that each email with a part of it stays small enough.

use std::io::{Cursor, Write};
use std::ops::Range;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// No email is larger than this as sent, in bytes; many servers refuse larger ones.
pub const MESSAGE_LIMIT: usize = 10_000_000;

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// ASCII, without folders.
    pub name: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// The archive cannot be written: it would be larger than 4 GB, or two files have one name.
#[derive(Debug, thiserror::Error)]
#[error("the archive of invoices cannot be made: {0}")]
pub struct ArchiveError(#[from] zip::result::ZipError);

/// A ZIP archive of the files, in their order. The same files give the same bytes.
///
/// Files are stored as they are: a PDF is compressed already, and so [`partition`] knows the size of an
/// archive without making it.
///
/// # Errors
/// [`ArchiveError`].
pub fn archive(files: &[File]) -> Result<Vec<u8>, ArchiveError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for file in files {
        zip.start_file(file.name.as_str(), options())?;
        zip.write_all(&file.bytes).map_err(zip::result::ZipError::from)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// The same archive, written while the files come, to what cannot be gone back in.
///
/// # Errors
/// [`ArchiveError`], that of the writer too.
pub fn stream(to: impl Write, files: impl IntoIterator<Item = File>) -> Result<(), ArchiveError> {
    let mut zip = ZipWriter::new_stream(to);
    for file in files {
        zip.start_file(file.name.as_str(), options())?;
        zip.write_all(&file.bytes).map_err(zip::result::ZipError::from)?;
    }
    let mut to = zip.finish()?.into_inner();
    to.flush().map_err(zip::result::ZipError::from)?;
    Ok(())
}

/// The same for the same files: as they are, without a day.
fn options() -> SimpleFileOptions {
    SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::default())
        .unix_permissions(0o644)
}

/// What a file of this many bytes takes in an email: base64 in lines of 76 characters and CR LF, and the
/// headers of its part.
#[must_use]
pub fn attached(bytes: usize) -> usize {
    const HEADERS: usize = 400;
    let base64 = bytes.div_ceil(3) * 4;
    base64 + base64.div_ceil(76) * 2 + HEADERS
}

/// An upper bound for the archive of files of these sizes, in bytes.
fn archived(sizes: &[usize]) -> usize {
    /// Two headers and twice the name, which has up to 40 characters.
    const ENTRY: usize = 30 + 46 + 2 * 40 + 24;
    const END: usize = 22;
    sizes.iter().map(|size| size + ENTRY).sum::<usize>() + END
}

/// Splits files of these sizes over as few emails as keep each within `limit` bytes as sent; `first`
/// and `rest` are what the first and every other email carry besides.
///
/// There is always a first email, even without a file: the range is empty then, as it is where `first`
/// leaves no room. A file that is larger than the limit goes alone.
#[must_use]
pub fn partition(sizes: &[usize], first: usize, rest: usize, limit: usize) -> Vec<Range<usize>> {
    let (mut parts, mut part, mut besides) = (Vec::new(), 0..0, first);
    for index in 0..sizes.len() {
        let longer = part.start..index + 1;
        if besides + attached(archived(&sizes[longer.clone()])) <= limit {
            part = longer;
        } else {
            parts.push(std::mem::replace(&mut part, index..index + 1));
            besides = rest;
        }
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn files(sizes: &[usize]) -> Vec<File> {
        let file = |(index, size): (usize, &usize)| File {
            name: format!("fatura-2026-{index:06}-R12.pdf"),
            bytes: vec![u8::try_from(index % 251).unwrap(); *size],
        };
        sizes.iter().enumerate().map(file).collect()
    }

    #[test]
    fn gives_back_what_was_put_in() {
        let files = files(&[0, 1, 5000]);
        let bytes = archive(&files).unwrap();
        assert_eq!(bytes, archive(&files).unwrap());
        let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
        for (index, file) in files.iter().enumerate() {
            let mut found = zip.by_index(index).unwrap();
            let mut content = Vec::new();
            found.read_to_end(&mut content).unwrap();
            assert_eq!((found.name().unwrap().as_ref(), &content), (&*file.name, &file.bytes));
        }
    }

    #[test]
    fn two_files_of_one_name_are_refused() {
        let file = File { name: "fatura.pdf".to_owned(), bytes: Vec::new() };
        let error = archive(&[file.clone(), file]).unwrap_err().to_string();
        assert!(error.starts_with("the archive of invoices cannot be made: "), "{error}");
    }

    // A file of 600 bytes takes 1,548 in an email of its own; two take 2,594.
    #[rstest]
    #[case(&[], 0, vec![0..0])]
    #[case(&[600], 0, vec![0..1])]
    #[case(&[600, 600, 600], 0, vec![0..2, 2..3])]
    #[case(&[600, 600, 600], 1500, vec![0..1, 1..3])]
    #[case(&[600, 600, 600], 2900, vec![0..0, 0..2, 2..3])] // the workbook leaves no room
    #[case(&[600, 9000, 600], 0, vec![0..1, 1..2, 2..3])] // larger than the limit: alone
    #[case(&[9000, 600], 0, vec![0..0, 0..1, 1..2])]
    #[case(&[9000], 0, vec![0..0, 0..1])]
    fn splits(#[case] sizes: &[usize], #[case] first: usize, #[case] expected: Vec<Range<usize>>) {
        assert_eq!(partition(sizes, first, 100, 3200), expected);
    }

    proptest! {
        #[test]
        fn every_file_goes_once_and_every_email_is_small_enough(
            sizes in proptest::collection::vec(0_usize..4000, 0..60),
            first in 0_usize..6000,
        ) {
            let limit = 9000;
            let parts = partition(&sizes, first, 200, limit);
            let together: Vec<usize> = parts.iter().cloned().flatten().collect();
            prop_assert_eq!(together, (0..sizes.len()).collect::<Vec<_>>());
            prop_assert!(parts.iter().skip(1).all(|part| !part.is_empty()));
            for (index, part) in parts.into_iter().enumerate().filter(|(_, part)| !part.is_empty()) {
                let besides = if index == 0 { first } else { 200 };
                let bytes = archive(&files(&sizes)[part]).unwrap();
                prop_assert!(besides + attached(bytes.len()) <= limit);
            }
        }
    }
}
