//! How the evidence goes with an email.

use libdeflater::{CompressionLvl, Compressor};

use super::email::Attachment;
use crate::letters::report::archive::attached;

const CSV: &str = "text/csv";
const GZIP: &str = "application/gzip";

/// What an email has of the evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enclosure {
    /// Nothing: it was not wished for.
    None,
    /// The file.
    Plain(Attachment),
    /// The file compressed, since an email could not carry it otherwise.
    Packed(Attachment),
    /// Nothing: no email could carry it.
    TooLarge,
}

impl Enclosure {
    /// Encloses an evidence file in at most `room` bytes, as sent.
    #[must_use]
    pub fn of(label: &str, csv: Vec<u8>, room: usize) -> Self {
        let file_name = evidence_file(label);
        if attached(csv.len()) <= room {
            return Self::Plain(Attachment { file_name, content_type: CSV, bytes: csv });
        }
        match gzip(&csv).filter(|packed| attached(packed.len()) <= room) {
            Some(bytes) => {
                let file_name = file_name + ".gz";
                Self::Packed(Attachment { file_name, content_type: GZIP, bytes })
            }
            None => Self::TooLarge,
        }
    }

    /// The file to attach.
    #[must_use]
    pub fn attachment(&self) -> Option<&Attachment> {
        match self {
            Self::Plain(attachment) | Self::Packed(attachment) => Some(attachment),
            Self::None | Self::TooLarge => None,
        }
    }
}

/// `comprovacao-2026-000001.csv`, for an invoice's label.
#[must_use]
pub fn evidence_file(label: &str) -> String {
    format!("comprovacao-{label}.csv")
}

/// The format of gzip, without name and time: equal data give equal bytes, in every attempt. The room
/// that is asked for is always enough.
fn gzip(data: &[u8]) -> Option<Vec<u8>> {
    let mut compressor = Compressor::new(CompressionLvl::default());
    let mut packed = vec![0; compressor.gzip_compress_bound(data.len())];
    let length = compressor.gzip_compress(data, &mut packed).ok()?;
    packed.truncate(length);
    Some(packed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compressed_only_where_there_is_no_room_otherwise() {
        let csv = || "a line of evidence\n".repeat(1000).into_bytes();
        let plain = Enclosure::of("2026-000001-R1", csv(), 100_000);
        let attachment = plain.attachment().unwrap();
        assert_eq!(attachment.file_name, "comprovacao-2026-000001-R1.csv");
        assert_eq!(attachment.bytes, csv());

        let packed = Enclosure::of("2026-000001-R1", csv(), 10_000);
        assert!(matches!(packed, Enclosure::Packed(_)));
        let attachment = packed.attachment().unwrap();
        assert_eq!(attachment.file_name, "comprovacao-2026-000001-R1.csv.gz");
        let mut unpacked = vec![0; csv().len()];
        let mut decompressor = libdeflater::Decompressor::new();
        decompressor.gzip_decompress(&attachment.bytes, &mut unpacked).unwrap();
        assert_eq!(unpacked, csv());

        assert_eq!(Enclosure::of("2026-000001", csv(), 100), Enclosure::TooLarge);
    }
}
