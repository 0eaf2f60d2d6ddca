//! Credits and charges, and what was paid.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::{Ledger, LedgerError, audit, corrupt, from_text, new_id, to_text};
use fecha_core::account::adjustment::{Adjustment, Applied, Rest};
use fecha_core::bill::invoice::{Invoice, Number};
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// A credit or charge to be entered.
#[derive(Debug, Clone)]
pub struct NewAdjustment<'a> {
    /// Whose it is.
    pub dealership_id: &'a str,
    /// The first month whose invoice may carry it.
    pub month: Month,
    /// Below zero: a credit.
    pub amount: Money,
    /// As the invoice prints it.
    pub description: &'a str,
    /// Who enters it.
    pub by: &'a str,
}

impl Ledger {
    /// All adjustments, cancelled ones too, by id.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn adjustments(&self) -> Result<Vec<Adjustment>, LedgerError> {
        let rows = sqlx::query(
            "SELECT id, dealership_id, month, amount, description, entered_by, entered_at, rest_of,
                 origin, number, cancelled_at FROM adjustment ORDER BY id",
        )
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the adjustments"))?;
        rows.iter().map(adjustment).collect()
    }

    /// One adjustment; `None` where there is none of this id.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn adjustment(&self, id: i64) -> Result<Option<Adjustment>, LedgerError> {
        let row = sqlx::query(
            "SELECT id, dealership_id, month, amount, description, entered_by, entered_at, rest_of,
                 origin, number, cancelled_at FROM adjustment WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read an adjustment"))?;
        row.as_ref().map(adjustment).transpose()
    }

    /// All adjustments of each dealership, by id.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn adjustments_by_dealership(
        &self,
    ) -> Result<BTreeMap<String, Vec<Adjustment>>, LedgerError> {
        let mut by_dealership: BTreeMap<String, Vec<Adjustment>> = BTreeMap::new();
        for adjustment in self.adjustments().await? {
            by_dealership.entry(adjustment.dealership_id.clone()).or_default().push(adjustment);
        }
        Ok(by_dealership)
    }

    /// Enters an adjustment; its id.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn add_adjustment(
        &self,
        new: &NewAdjustment<'_>,
        audit: &audit::Deed<'_>,
    ) -> Result<i64, LedgerError> {
        let mut transaction = self.begin().await?;
        let id = insert(&mut transaction, new, None, None, audit.at).await?;
        audit.write(&mut transaction).await?;
        transaction.commit().await.map_err(LedgerError::while_doing("enter an adjustment"))?;
        Ok(id)
    }

    /// Cancels an adjustment that waits; `false` where it does not wait (any more).
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn cancel_adjustment(
        &self,
        id: i64,
        audit: &audit::Deed<'_>,
    ) -> Result<bool, LedgerError> {
        let mut transaction = self.begin().await?;
        if !void(&mut transaction, id, audit.at).await? {
            return Ok(false);
        }
        audit.write(&mut transaction).await?;
        transaction.commit().await.map_err(LedgerError::while_doing("cancel an adjustment"))?;
        Ok(true)
    }

    /// The payments of one number: day and amount, in the order of entry.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payments_of(
        &self,
        number: Number,
    ) -> Result<Vec<(NaiveDate, Money)>, LedgerError> {
        let rows = sqlx::query("SELECT paid_on, amount FROM payment WHERE number = $1 ORDER BY id")
            .bind(number.to_string())
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the payments"))?;
        let payment = |row: &AnyRow| {
            let paid_on: String = row.try_get("paid_on").map_err(corrupt)?;
            let amount: i64 = row.try_get("amount").map_err(corrupt)?;
            Ok((paid_on.parse().map_err(corrupt)?, Money::from_centavos(amount)))
        };
        rows.iter().map(payment).collect()
    }

    /// The payments of a month's invoices: for which number, on which day, how much.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn payments(
        &self,
        month: Month,
    ) -> Result<Vec<(Number, NaiveDate, Money)>, LedgerError> {
        let rows = sqlx::query(
            "SELECT p.number, p.paid_on, p.amount
             FROM invoice i JOIN payment p ON p.number = i.number WHERE i.month = $1 ORDER BY p.id",
        )
        .bind(month.to_string())
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the payments"))?;
        let payment = |row: &AnyRow| {
            let number: String = row.try_get("number").map_err(corrupt)?;
            let paid_on: String = row.try_get("paid_on").map_err(corrupt)?;
            let amount: i64 = row.try_get("amount").map_err(corrupt)?;
            Ok((
                number.parse().map_err(corrupt)?,
                paid_on.parse().map_err(corrupt)?,
                Money::from_centavos(amount),
            ))
        };
        rows.iter().map(payment).collect()
    }

    /// Records a payment; `false` where the same one (number, day and amount) is recorded already, or
    /// the invoice does not stand.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn record_payment(
        &self,
        number: Number,
        paid_on: NaiveDate,
        amount: Money,
        audit: &audit::Deed<'_>,
    ) -> Result<bool, LedgerError> {
        let failed = LedgerError::while_doing("record a payment");
        let mut transaction = self.begin().await?;
        if !lock_invoice(&mut transaction, number).await? {
            return Ok(false);
        }
        let inserted = sqlx::query(
            "INSERT INTO payment (id, number, paid_on, amount, entered_by, entered_at)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (number, paid_on, amount) DO NOTHING",
        )
        .bind(new_id(audit.at))
        .bind(number.to_string())
        .bind(paid_on.to_string())
        .bind(amount.centavos())
        .bind(audit.actor.to_owned())
        .bind(to_text(audit.at))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if inserted.rows_affected() == 0 {
            return Ok(false);
        }
        audit.write(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }
}

/// Holds the row of an invoice until the transaction ends, so that of a rerun, a cancellation and a
/// payment at once each waits for the other; `false` where it does not stand.
pub(crate) async fn lock_invoice(
    transaction: &mut Transaction<'static, Any>,
    number: Number,
) -> Result<bool, LedgerError> {
    // Changes nothing. SQLite has no SELECT … FOR UPDATE.
    let held = sqlx::query(
        "UPDATE invoice SET cancelled_at = NULL WHERE number = $1 AND cancelled_at IS NULL",
    )
    .bind(number.to_string())
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("hold an invoice"))?;
    Ok(held.rows_affected() == 1)
}

/// What was paid for an invoice, as this transaction sees it.
pub(crate) async fn paid(
    transaction: &mut Transaction<'static, Any>,
    number: Number,
) -> Result<Money, LedgerError> {
    let centavos: i64 = sqlx::query(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM payment WHERE number = $1",
    )
    .bind(number.to_string())
    .fetch_one(&mut **transaction)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(LedgerError::while_doing("read the payments"))?;
    Ok(Money::from_centavos(centavos))
}

/// What later invoices took of the money that was paid for `number` beyond its total, as this transaction
/// sees it.
pub(crate) async fn paid_back(
    transaction: &mut Transaction<'static, Any>,
    number: Number,
) -> Result<Money, LedgerError> {
    let centavos: i64 = sqlx::query(
        "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM adjustment
         WHERE origin = $1 AND rest_of IS NULL AND number IS NOT NULL AND cancelled_at IS NULL",
    )
    .bind(number.to_string())
    .fetch_one(&mut **transaction)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(LedgerError::while_doing("read the credits of an invoice"))?;
    Ok(-Money::from_centavos(centavos))
}

/// Ties adjustments to the invoice that carries them, and leaves what is left for the month after it.
/// `false` where one of them was taken or cancelled meanwhile: nothing may be issued then.
pub(crate) async fn carry(
    transaction: &mut Transaction<'static, Any>,
    invoice: &Invoice,
    applied: &Applied,
) -> Result<bool, LedgerError> {
    let number = invoice.number;
    for id in &applied.carries {
        let carried = sqlx::query(
            "UPDATE adjustment SET number = $1
             WHERE id = $2 AND cancelled_at IS NULL AND (number IS NULL OR number = $1)",
        )
        .bind(number.to_string())
        .bind(*id)
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("carry an adjustment"))?;
        if carried.rows_affected() == 0 {
            return Ok(false);
        }
    }
    for id in &applied.replaces {
        if !void(transaction, *id, invoice.issued_at).await? {
            return Ok(false);
        }
    }
    for rest in &applied.rests {
        leave(transaction, invoice, rest, invoice.month.next(), "fecha", invoice.issued_at).await?;
    }
    Ok(true)
}

/// Enters what an invoice left over.
pub(crate) async fn leave(
    transaction: &mut Transaction<'static, Any>,
    invoice: &Invoice,
    rest: &Rest,
    month: Month,
    by: &str,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let new = NewAdjustment {
        dealership_id: &invoice.dealership_id,
        month,
        amount: rest.amount,
        description: &rest.description,
        by,
    };
    insert(transaction, &new, rest.rest_of, Some(invoice.number), now).await?;
    Ok(())
}

/// Frees the adjustments of an invoice that is cancelled: what it carried waits again, and what it
/// left over and nobody took is void.
pub(crate) async fn free(
    transaction: &mut Transaction<'static, Any>,
    number: Number,
    now: DateTime<Utc>,
) -> Result<(), LedgerError> {
    let failed = LedgerError::while_doing("free the adjustments of an invoice");
    sqlx::query(
        "UPDATE adjustment SET cancelled_at = $1
         WHERE origin = $2 AND number IS NULL AND cancelled_at IS NULL",
    )
    .bind(to_text(now))
    .bind(number.to_string())
    .execute(&mut **transaction)
    .await
    .map_err(&failed)?;
    sqlx::query("UPDATE adjustment SET number = NULL WHERE number = $1")
        .bind(number.to_string())
        .execute(&mut **transaction)
        .await
        .map_err(&failed)?;
    Ok(())
}

async fn void(
    transaction: &mut Transaction<'static, Any>,
    id: i64,
    now: DateTime<Utc>,
) -> Result<bool, LedgerError> {
    let voided = sqlx::query(
        "UPDATE adjustment SET cancelled_at = $1
         WHERE id = $2 AND number IS NULL AND cancelled_at IS NULL",
    )
    .bind(to_text(now))
    .bind(id)
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("cancel an adjustment"))?;
    Ok(voided.rows_affected() == 1)
}

async fn insert(
    transaction: &mut Transaction<'static, Any>,
    new: &NewAdjustment<'_>,
    rest_of: Option<i64>,
    origin: Option<Number>,
    now: DateTime<Utc>,
) -> Result<i64, LedgerError> {
    let id = next_id(transaction).await?;
    sqlx::query(
        "INSERT INTO adjustment (id, dealership_id, month, amount, description, entered_by, entered_at, rest_of, origin)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id)
    .bind(new.dealership_id.to_owned())
    .bind(new.month.to_string())
    .bind(new.amount.centavos())
    .bind(new.description.to_owned())
    .bind(new.by.to_owned())
    .bind(to_text(now))
    .bind(rest_of)
    .bind(origin.map(|number| number.to_string()))
    .execute(&mut **transaction)
    .await
    .map_err(LedgerError::while_doing("enter an adjustment"))?;
    Ok(id)
}

/// Counts up in one row, which orders transactions that enter adjustments at once.
async fn next_id(transaction: &mut Transaction<'static, Any>) -> Result<i64, LedgerError> {
    let last: String = sqlx::query(
        "INSERT INTO meta (name, value) VALUES ('last_adjustment', '1')
         ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(meta.value AS BIGINT) + 1 AS TEXT)
         RETURNING value",
    )
    .fetch_one(&mut **transaction)
    .await
    .and_then(|row| row.try_get(0))
    .map_err(LedgerError::while_doing("enter an adjustment"))?;
    last.parse().map_err(corrupt)
}

fn adjustment(row: &AnyRow) -> Result<Adjustment, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let number = |column: &str| -> Result<Option<Number>, LedgerError> {
        let text: Option<String> = row.try_get(column).map_err(corrupt)?;
        text.map(|text| text.parse().map_err(corrupt)).transpose()
    };
    Ok(Adjustment {
        id: row.try_get("id").map_err(corrupt)?,
        dealership_id: text("dealership_id")?,
        month: text("month")?.parse().map_err(corrupt)?,
        amount: Money::from_centavos(row.try_get("amount").map_err(corrupt)?),
        description: text("description")?,
        entered_by: text("entered_by")?,
        entered_at: from_text(&text("entered_at")?)?,
        rest_of: row.try_get("rest_of").map_err(corrupt)?,
        origin: number("origin")?,
        number: number("number")?,
        cancelled: row.try_get::<Option<String>, _>("cancelled_at").map_err(corrupt)?.is_some(),
    })
}
