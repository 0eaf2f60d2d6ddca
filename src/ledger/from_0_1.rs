//! Turns credits and payments of fecha 0.1 into open items, once, when the ledger is opened.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::{AnyConnection, Row as _};

use super::standing::Lines;
use super::{Engine, Ledger, LedgerError, Transaction, corrupt, new_id};
use fecha_core::account::from_0_1::{Old, OldAdjustment, OldPayment, OpenItems, open_items};
use fecha_core::account::payment::Part;
use fecha_core::bill::invoice::Number;
use fecha_core::price::money::Money;

impl Ledger {
    /// All of it in one transaction: whoever is killed within has changed nothing, and of two that open the
    /// ledger at once the second finds nothing to do.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written, or a document cannot be read.
    pub(super) async fn open_items_of_0_1(&self) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("turn credits and payments into open items");
        let mark = "SELECT value FROM meta WHERE name = 'account' AND value = 'of 0.1'";
        if sqlx::query(mark).fetch_optional(&self.pool).await.map_err(&failed)?.is_none() {
            return Ok(());
        }
        let mut transaction = self.begin().await?;
        if self.engine == Engine::Postgres {
            let lock = sqlx::raw_sql("SELECT pg_advisory_xact_lock(7234053)");
            lock.execute(&mut *transaction).await.map_err(&failed)?;
        }
        if sqlx::query(mark).fetch_optional(&mut *transaction).await.map_err(&failed)?.is_none() {
            return Ok(());
        }
        for (dealership_id, old) in read(&mut transaction).await? {
            write(&mut transaction, &dealership_id, &open_items(&old)).await?;
        }
        sqlx::query("UPDATE meta SET value = 'open items' WHERE name = 'account'")
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        transaction.commit().await.map_err(failed)
    }
}

/// What 0.1 kept, by dealership.
async fn read(connection: &mut AnyConnection) -> Result<BTreeMap<String, Old>, LedgerError> {
    let failed = LedgerError::while_doing("read what fecha 0.1 kept");
    let taken_back = taken_back(connection).await?;
    let mut all: BTreeMap<String, Old> = BTreeMap::new();
    let rows = sqlx::query(
        "SELECT id, dealership_id, amount, rest_of, origin, number, cancelled_at FROM adjustment ORDER BY id",
    );
    for row in rows.fetch_all(&mut *connection).await.map_err(&failed)? {
        let number = |column: &str| -> Result<Option<Number>, LedgerError> {
            let text: Option<String> = row.try_get(column).map_err(corrupt)?;
            text.map(|text| text.parse().map_err(corrupt)).transpose()
        };
        let id: i64 = row.try_get("id").map_err(corrupt)?;
        let cancelled: Option<String> = row.try_get("cancelled_at").map_err(corrupt)?;
        let old: String = row.try_get("dealership_id").map_err(corrupt)?;
        all.entry(old).or_default().adjustments.push(OldAdjustment {
            id,
            amount: Money::from_centavos(row.try_get("amount").map_err(corrupt)?),
            rest_of: row.try_get("rest_of").map_err(corrupt)?,
            origin: number("origin")?,
            number: number("number")?,
            cancelled: cancelled.is_some(),
            taken_back: taken_back.contains(&id),
        });
    }
    let rows = sqlx::query("SELECT id, dealership_id, number, amount FROM payment ORDER BY id");
    for row in rows.fetch_all(&mut *connection).await.map_err(&failed)? {
        let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
        all.entry(text("dealership_id")?).or_default().payments.push(OldPayment {
            id: text("id")?,
            number: text("number")?.parse().map_err(corrupt)?,
            amount: Money::from_centavos(row.try_get("amount").map_err(corrupt)?),
        });
    }
    let rows = sqlx::query(
        "SELECT i.dealership_id, i.number, r.content FROM invoice i JOIN revision r ON r.number = i.number
         WHERE i.cancelled_at IS NULL AND r.superseded_at IS NULL
             AND (i.number IN (SELECT number FROM adjustment) OR i.number IN (SELECT number FROM payment))",
    );
    for row in rows.fetch_all(&mut *connection).await.map_err(&failed)? {
        let text = |index: usize| row.try_get::<String, _>(index).map_err(corrupt);
        let document: Lines = serde_json::from_str(&text(2)?).map_err(corrupt)?;
        let old = all.entry(text(0)?).or_default();
        old.standing.insert(text(1)?.parse().map_err(corrupt)?, document.lines);
    }
    for old in all.values_mut() {
        old.payments.sort_by(|a, b| a.id.cmp(&b.id));
    }
    Ok(all)
}

/// Which adjustments a person took back: the audit log alone says so.
async fn taken_back(connection: &mut AnyConnection) -> Result<BTreeSet<i64>, LedgerError> {
    let failed = LedgerError::while_doing("read the audit log");
    let rows = sqlx::query(
        "SELECT detail FROM audit WHERE action = 'adjust' AND detail LIKE 'adjustment % taken back:%'",
    );
    let mut ids = BTreeSet::new();
    for row in rows.fetch_all(connection).await.map_err(failed)? {
        let detail: String = row.try_get(0).map_err(corrupt)?;
        let id = detail.strip_prefix("adjustment ").and_then(|rest| rest.split(' ').next());
        ids.extend(id.and_then(|id| id.parse::<i64>().ok()));
    }
    Ok(ids)
}

async fn write(
    transaction: &mut Transaction,
    dealership_id: &str,
    items: &OpenItems,
) -> Result<(), LedgerError> {
    let failed = LedgerError::while_doing("turn credits and payments into open items");
    for (id, amount) in &items.taken_back {
        sqlx::query("UPDATE adjustment SET taken_back = taken_back + $1 WHERE id = $2")
            .bind(amount.centavos())
            .bind(*id)
            .execute(&mut **transaction)
            .await
            .map_err(&failed)?;
    }
    for (note, taking) in &items.takings {
        sqlx::query("INSERT INTO taking (note, number, amount, words) VALUES ($1, $2, $3, $4)")
            .bind(*note)
            .bind(taking.number.to_string())
            .bind(taking.amount.centavos())
            .bind(taking.words.clone())
            .execute(&mut **transaction)
            .await
            .map_err(&failed)?;
    }
    for Part { payment, amount } in &items.converted {
        sqlx::query("UPDATE payment SET converted = converted + $1 WHERE id = $2")
            .bind(amount.centavos())
            .bind(payment.clone())
            .execute(&mut **transaction)
            .await
            .map_err(&failed)?;
    }
    for (number, Part { payment, amount }) in &items.allocated {
        sqlx::query("INSERT INTO allocation (payment, number, amount) VALUES ($1, $2, $3)")
            .bind(payment.clone())
            .bind(number.to_string())
            .bind(amount.centavos())
            .execute(&mut **transaction)
            .await
            .map_err(&failed)?;
    }
    for part in &items.refunded {
        refund(transaction, dealership_id, part).await?;
    }
    Ok(())
}

/// What a person took back of money that waited, on the day of the payment: 0.1 kept no other.
async fn refund(
    transaction: &mut Transaction,
    dealership_id: &str,
    part: &Part,
) -> Result<(), LedgerError> {
    let failed = LedgerError::while_doing("turn credits and payments into open items");
    let id = new_id(chrono::DateTime::UNIX_EPOCH);
    sqlx::query(
        "INSERT INTO refund (id, dealership_id, refunded_on, reason, entered_by, entered_at)
         SELECT $1, $2, p.paid_on, 'credit taken back with fecha 0.1', p.entered_by, p.entered_at
         FROM payment p WHERE p.id = $3",
    )
    .bind(id.clone())
    .bind(dealership_id.to_owned())
    .bind(part.payment.clone())
    .execute(&mut **transaction)
    .await
    .map_err(&failed)?;
    sqlx::query("INSERT INTO refund_part (refund, payment, amount) VALUES ($1, $2, $3)")
        .bind(id)
        .bind(part.payment.clone())
        .bind(part.amount.centavos())
        .execute(&mut **transaction)
        .await
        .map_err(&failed)?;
    Ok(())
}
