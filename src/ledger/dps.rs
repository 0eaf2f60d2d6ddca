//! The DPS that were made of invoices, as files. A number is given once, in one transaction with its file.

use chrono::{DateTime, Utc};
use sqlx::{AnyConnection, Row as _};

use super::{Engine, Ledger, LedgerError, Transaction, corrupt, from_text, to_text};
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::count::evidence::sha256_hex;
use fecha_core::tax::dps::DpsNumber;
use fecha_core::tax::profile::Environment;

/// The level that small files gain most by.
const LEVEL: i32 = 9;

/// A DPS as the ledger keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDps {
    /// Its number.
    pub number: DpsNumber,
    /// Of which invoice.
    pub invoice: Number,
    /// Of which revision of it.
    pub revision: u32,
    /// Whom that invoices.
    pub dealership_id: String,
    /// Whether that is void.
    pub is_void: bool,
    /// When it was made.
    pub made_at: DateTime<Utc>,
    /// The file.
    pub file: Vec<u8>,
}

/// A DPS to be kept.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "as in KeptDps")]
pub struct NewDps<'a> {
    pub number: DpsNumber,
    pub invoice: Number,
    pub revision: u32,
    pub made_at: DateTime<Utc>,
    pub file: &'a [u8],
}

impl Ledger {
    /// A transaction that gives numbers to DPS: of two at once the second waits, and sees what the first one gave.
    pub(crate) async fn begin_dps(&self) -> Result<Transaction, LedgerError> {
        let mut transaction = self.begin().await?;
        // SQLite lets one transaction write at a time as it is.
        if self.engine == Engine::Postgres {
            sqlx::query("LOCK TABLE dps IN SHARE ROW EXCLUSIVE MODE")
                .execute(&mut *transaction)
                .await
                .map_err(LedgerError::while_doing("hold the numbers of the DPS"))?;
        }
        Ok(transaction)
    }
}

/// The DPS of a month's invoices, void ones and earlier revisions too, by their numbers.
pub(crate) async fn dps_of(
    connection: &mut AnyConnection,
    environment: Environment,
    month: Month,
) -> Result<Vec<KeptDps>, LedgerError> {
    let rows = sqlx::query(
        "SELECT d.series, d.number, d.invoice, d.revision, d.sha256, d.bytes, d.written_at,
             i.dealership_id, i.cancelled_at
         FROM dps d JOIN invoice i ON i.number = d.invoice
         WHERE i.month = $1 AND d.environment = $2 ORDER BY d.series, d.number",
    )
    .bind(month.to_string())
    .bind(environment.key())
    .fetch_all(connection)
    .await
    .map_err(LedgerError::while_doing("read the DPS"))?;
    rows.iter().map(kept).collect()
}

fn kept(row: &sqlx::any::AnyRow) -> Result<KeptDps, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let whole = |column: &str| row.try_get::<i64, _>(column).map_err(corrupt);
    let (invoice, sha256) = (text("invoice")?, text("sha256")?);
    let bytes: Vec<u8> = row.try_get("bytes").map_err(corrupt)?;
    let file = zstd::decode_all(bytes.as_slice()).map_err(corrupt)?;
    if sha256_hex(&file) != sha256 {
        return Err(corrupt(format!("the DPS of {invoice} has another SHA-256 than {sha256}")));
    }
    let void: Option<String> = row.try_get("cancelled_at").map_err(corrupt)?;
    Ok(KeptDps {
        number: DpsNumber {
            series: u32::try_from(whole("series")?).map_err(corrupt)?,
            number: u64::try_from(whole("number")?).map_err(corrupt)?,
        },
        invoice: invoice.parse().map_err(corrupt)?,
        revision: u32::try_from(whole("revision")?).map_err(corrupt)?,
        dealership_id: text("dealership_id")?,
        is_void: void.is_some(),
        made_at: from_text(&text("written_at")?)?,
        file,
    })
}

/// The number given last in a series; 0 where none was.
pub(crate) async fn last_dps(
    transaction: &mut Transaction,
    environment: Environment,
    series: u32,
) -> Result<u64, LedgerError> {
    let row = sqlx::query("SELECT MAX(number) FROM dps WHERE environment = $1 AND series = $2")
        .bind(environment.key())
        .bind(i64::from(series))
        .fetch_one(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("read the numbers of the DPS"))?;
    let last: Option<i64> = row.try_get(0).map_err(corrupt)?;
    u64::try_from(last.unwrap_or_default()).map_err(corrupt)
}

/// Keeps a DPS under a new number.
pub(crate) async fn insert_dps(
    transaction: &mut Transaction,
    environment: Environment,
    new: NewDps<'_>,
) -> Result<(), LedgerError> {
    sqlx::query(
        "INSERT INTO dps (environment, series, number, invoice, revision, sha256, bytes, written_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(environment.key())
    .bind(i64::from(new.number.series))
    .bind(i64::try_from(new.number.number).map_err(corrupt)?)
    .bind(new.invoice.to_string())
    .bind(i64::from(new.revision))
    .bind(sha256_hex(new.file))
    .bind(zstd::encode_all(new.file, LEVEL).map_err(corrupt)?)
    .bind(to_text(new.made_at))
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("keep a DPS"))?;
    Ok(())
}

/// Keeps another file under a number that was given.
pub(crate) async fn replace_dps(
    transaction: &mut Transaction,
    environment: Environment,
    new: NewDps<'_>,
) -> Result<(), LedgerError> {
    sqlx::query(
        "UPDATE dps SET sha256 = $1, bytes = $2, written_at = $3
         WHERE environment = $4 AND series = $5 AND number = $6",
    )
    .bind(sha256_hex(new.file))
    .bind(zstd::encode_all(new.file, LEVEL).map_err(corrupt)?)
    .bind(to_text(new.made_at))
    .bind(environment.key())
    .bind(i64::from(new.number.series))
    .bind(i64::try_from(new.number.number).map_err(corrupt)?)
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("keep a DPS"))?;
    Ok(())
}
