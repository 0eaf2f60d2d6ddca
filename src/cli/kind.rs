//! What a file holds, by its content: a file that lies where one is to be written is only replaced by one of
//! its kind.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use crate::ledger::backup::APPLICATION;
use crate::setup::register::{CONTRACT_COLUMNS_OF_0_1, DEALERSHIP_COLUMNS_OF_0_1, NUMBER_COLUMNS};
use fecha_core::count::evidence;

/// As much of a file as says what it is.
const HEAD: u64 = 64 * 1024;

/// What is to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An invoice, a statement, a preview or a cancellation.
    Pdf,
    /// The contacts of an invoice.
    Evidence,
    /// `dealerships.csv`.
    Dealerships,
    /// `contracts.csv`.
    Contracts,
    /// `numbers.csv`.
    Numbers,
    /// The workbook of a report.
    Workbook,
    /// The invoices of a report, zipped.
    Archive,
    /// The words of a report.
    Page,
    /// The words of a report, plain.
    Text,
    /// A DPS of the NFS-e.
    Dps,
    /// A copy of a ledger, no ledger at work.
    Backup,
}

impl Kind {
    /// In words, for messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pdf => "a PDF",
            Self::Evidence => "a file of evidence",
            Self::Dealerships => "a register of dealerships",
            Self::Contracts => "a register of contracts",
            Self::Numbers => "a register of business numbers",
            Self::Workbook => "a workbook",
            Self::Archive => "an archive",
            Self::Page => "a page of HTML",
            Self::Text => "a text",
            Self::Dps => "a DPS",
            Self::Backup => "a backup of a ledger",
        }
    }

    /// Whether the file at `path` may be replaced by one of this kind: it holds one, or nothing at all.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn is_at(self, path: &Path) -> io::Result<bool> {
        let mut head = Vec::new();
        File::open(path)?.take(HEAD).read_to_end(&mut head)?;
        Ok(head.is_empty() || self.begins(&head))
    }

    fn begins(self, head: &[u8]) -> bool {
        match self {
            Self::Pdf => head.starts_with(b"%PDF-"),
            Self::Evidence => has_columns(head, &evidence::HEADER.split(',').collect::<Vec<_>>()),
            Self::Dealerships => has_columns(head, &DEALERSHIP_COLUMNS_OF_0_1),
            Self::Contracts => has_columns(head, &CONTRACT_COLUMNS_OF_0_1),
            Self::Numbers => has_columns(head, &NUMBER_COLUMNS),
            // A workbook is an archive.
            Self::Workbook | Self::Archive => head.starts_with(b"PK\x03\x04"),
            Self::Page => head.trim_ascii_start().starts_with(b"<"),
            Self::Dps => {
                let text = String::from_utf8_lossy(head);
                text.trim_start_matches('\u{feff}').starts_with("<?xml") && text.contains("<DPS ")
            }
            Self::Backup => is_backup(head),
            Self::Text => !head.contains(&0) && !head.starts_with(b"%PDF-"),
        }
    }
}

/// Whether it is a SQLite database that is marked as a copy, and that nobody has worked with: who works with a
/// ledger sets the mode of its journal to WAL, which bytes 18 and 19 of the header say.
fn is_backup(head: &[u8]) -> bool {
    head.starts_with(b"SQLite format 3\0")
        && head.get(18..20) == Some(&[1, 1])
        && head.get(68..72) == Some(&APPLICATION)
}

/// Whether the first line is a header with all these columns, as fecha or a spreadsheet writes it.
fn has_columns(head: &[u8], columns: &[&str]) -> bool {
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let Ok(line) = std::str::from_utf8(line) else { return false };
    let found: Vec<String> = line
        .split([',', ';', '\t'])
        .map(|cell| cell.trim().trim_matches('"').to_ascii_lowercase())
        .collect();
    columns.iter().all(|column| found.iter().any(|cell| cell == column))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Kind::Pdf, "%PDF-1.7\n", true)]
    #[case(Kind::Pdf, "PDF", false)]
    #[case(Kind::Workbook, "PK\u{3}\u{4}\u{14}", true)]
    #[case(Kind::Archive, "%PDF-1.7\n", false)]
    #[case(Kind::Page, "<!doctype html>", true)]
    #[case(Kind::Text, "Fechamento de outubro", true)]
    #[case(Kind::Dps, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><DPS xmlns=\"x\">", true)]
    #[case(Kind::Dps, "<?xml version=\"1.0\"?><NFe>", false)]
    #[case(Kind::Text, "SQLite format 3\u{0}", false)]
    #[case(Kind::Evidence, "id,contact,first_at,first_direction,received,sent,hsm\n", true)]
    #[case(Kind::Evidence, "id,contact\n", false)]
    #[case(
        Kind::Contracts,
        "\u{feff}\"dealership_id\";From_Month;package;list\r\nd1;2026-01;5000",
        true
    )]
    #[case(Kind::Contracts, "dealership_id,package\n", false)]
    #[case(Kind::Dealerships, "id,name,price\n1,Radio,3.00\n", false)]
    #[case(
        Kind::Dealerships,
        "id,name,trade_name,cnpj,address,city,state,email,cc,timezone,due_day,evidence\n",
        true
    )]
    fn a_file_is_known_by_how_it_begins(
        #[case] kind: Kind,
        #[case] head: &str,
        #[case] expected: bool,
    ) {
        assert_eq!(kind.begins(head.as_bytes()), expected);
    }
}
