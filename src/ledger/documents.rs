//! The files of revisions, byte for byte as issued.

use chrono::{DateTime, Utc};
use sqlx::{Any, AssertSqlSafe, Row as _, Transaction};

use super::packing::{self, Packed};
use super::{Ledger, LedgerError, corrupt};
use fecha_core::bill::invoice::{Invoice, Number, label};
use fecha_core::count::evidence::sha256_hex;

/// One of the files of a revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "said by their names")]
pub enum FileKind {
    Invoice,
    Statement,
    Evidence,
    Cancellation,
}

impl FileKind {
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::Statement => "statement",
            Self::Evidence => "evidence",
            Self::Cancellation => "cancellation",
        }
    }

    /// In words, for messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Invoice => "invoice PDF",
            Self::Statement => "statement PDF",
            Self::Evidence => "evidence",
            Self::Cancellation => "document of cancellation",
        }
    }
}

/// A file, and the SHA-256 that was kept of it when it was made.
const READ_FILE: &str = "
    SELECT f.bytes, f.packing, f.size, f.dictionary,
           CASE f.kind WHEN 'invoice' THEN r.pdf_sha256 WHEN 'statement' THEN r.statement_sha256
                                WHEN 'evidence' THEN r.evidence_sha256 ELSE c.pdf_sha256 END AS issued
    FROM file f
    JOIN revision r ON r.number = f.number AND r.revision = f.revision
    LEFT JOIN cancellation c ON c.number = f.number
    WHERE f.number = $1 AND f.revision = $2 AND f.kind = $3";

impl Ledger {
    /// One file of a revision, byte for byte as issued; `None` where there is no such revision.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read; [`LedgerError::Damaged`] where the bytes are not those
    /// that were issued, by their SHA-256.
    pub async fn file(
        &self,
        number: Number,
        revision: u32,
        kind: FileKind,
    ) -> Result<Option<Vec<u8>>, LedgerError> {
        let failed = LedgerError::while_doing("read a document");
        let mut connection = self.pool.acquire().await.map_err(&failed)?;
        let row = sqlx::query(READ_FILE)
            .bind(number.to_string())
            .bind(i64::from(revision))
            .bind(kind.key().to_owned())
            .fetch_optional(&mut *connection)
            .await
            .map_err(&failed)?;
        let Some(row) = row else { return Ok(None) };
        let issued: Option<String> = row.try_get("issued").map_err(corrupt)?;
        let bytes = match self.shelf.unpack(&mut connection, kind, &row).await {
            Ok(bytes) => Some(bytes),
            // What cannot be unpacked is damaged, too.
            Err(LedgerError::Corrupt(_)) => None,
            Err(error) => return Err(error),
        };
        // An earlier fecha kept no SHA-256 of a cancellation.
        let is_as_issued =
            |bytes: &Vec<u8>| issued.is_none_or(|issued| issued == sha256_hex(bytes));
        let document = kind.name();
        let damaged = || LedgerError::Damaged { document, label: label(number, revision) };
        bytes.filter(is_as_issued).map(Some).ok_or_else(damaged)
    }

    /// How large the invoice PDF of a revision is, in bytes, without reading it.
    ///
    /// # Errors
    /// [`LedgerError`] where it is missing, or the ledger cannot be read.
    pub async fn pdf_size(&self, number: Number, revision: u32) -> Result<usize, LedgerError> {
        let bytes: i64 = sqlx::query(
            "SELECT COALESCE(size, CAST(LENGTH(bytes) AS BIGINT)) FROM file
             WHERE number = $1 AND revision = $2 AND kind = 'invoice'",
        )
        .bind(number.to_string())
        .bind(i64::from(revision))
        .fetch_one(&self.pool)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(LedgerError::while_doing("measure a document"))?;
        usize::try_from(bytes).map_err(corrupt)
    }
}

/// Writes a document beside a revision.
pub(crate) async fn insert_document(
    transaction: &mut Transaction<'static, Any>,
    ledger: &Ledger,
    invoice: &Invoice,
    kind: FileKind,
    file: &[u8],
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let packed = ledger.shelf.pack(&mut *transaction, kind, file, now).await?;
    insert_files(transaction, invoice, vec![(kind, packed)]).await
}

/// All in one statement.
pub(super) async fn insert_files(
    transaction: &mut Transaction<'static, Any>,
    invoice: &Invoice,
    files: Vec<(FileKind, Packed)>,
) -> Result<(), LedgerError> {
    let row = |index: usize| {
        let at = |column: usize| 4 + index * 4 + column;
        format!("($1, $2, $3, ${}, ${}, ${}, ${})", at(0), at(1), at(2), at(3))
    };
    let rows: Vec<String> = (0..files.len()).map(row).collect();
    let mut insert = sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO file (number, revision, packing, kind, bytes, size, dictionary) VALUES {}",
        rows.join(", ")
    )))
    .bind(invoice.number.to_string())
    .bind(i64::from(invoice.revision))
    .bind(packing::ZSTD.to_owned());
    for (kind, file) in files {
        insert = insert
            .bind(kind.key().to_owned())
            .bind(file.bytes)
            .bind(i64::try_from(file.size).map_err(corrupt)?)
            .bind(file.dictionary);
    }
    insert
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("write a document"))?;
    Ok(())
}
