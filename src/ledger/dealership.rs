//! What lists and the page of one dealership read: few columns, by index.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::listing::{AMOUNTS, amounts};
use super::outbox::{ListedEmail, listed as email};
use super::register::CONTRACT;
use super::rows::Centavos;
use super::{Ledger, LedgerError, notes};
use fecha_core::account::note::Note;
use fecha_core::calendar::month::Month;
use fecha_core::price::contract::ContractEntry;
use fecha_core::price::item::Amounts;

/// A dealership as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[expect(missing_docs, reason = "as in the register")]
pub struct Brief {
    pub id: String,
    pub name: String,
    pub trade_name: String,
    pub group: Option<String>,
    pub cnpj: String,
    pub city: String,
    pub state: String,
}

/// A month of a dealership as it was invoiced: what other prices would have made of it can be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Billed {
    /// Who.
    pub dealership_id: String,
    /// Its name, as printed.
    pub name: String,
    /// Which month.
    pub month: Month,
    /// Contacts included.
    pub package: u64,
    /// Unique active contacts.
    pub uam: u64,
    /// Template messages.
    pub hsm: u64,
    /// Of those the ones that are not billed.
    pub unbilled_hsm: u64,
    /// What the invoice comes to, by column.
    pub amounts: Amounts,
}

impl Ledger {
    /// All dealerships in short, by id, byte by byte.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn dealerships_in_short(&self) -> Result<Vec<Brief>, LedgerError> {
        // The fields, in their order.
        let columns = ("id, name, trade_name, group_name, cnpj, city, state", "dealership");
        let mut briefs: Vec<Brief> = self.all("read the register", columns, &[]).await?;
        briefs.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(briefs)
    }

    /// The package of each dealership in a month, of those that have one.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn packages_in(&self, month: Month) -> Result<BTreeMap<String, u64>, LedgerError> {
        let from = "contract c WHERE c.package IS NOT NULL AND c.from_month = (
                 SELECT MAX(x.from_month) FROM contract x
                 WHERE x.dealership_id = c.dealership_id AND x.from_month <= $1)";
        let columns = ("c.dealership_id, c.package", from);
        let packages: Vec<(String, u64)> =
            self.all("read the contracts", columns, &[&month.to_string()]).await?;
        Ok(packages.into_iter().collect())
    }

    /// The contract entries of a dealership, by month.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn contracts_of(
        &self,
        dealership_id: &str,
    ) -> Result<Vec<ContractEntry>, LedgerError> {
        let columns = (CONTRACT, "contract WHERE dealership_id = $1");
        let mut entries: Vec<ContractEntry> =
            self.all("read the contracts", columns, &[dealership_id]).await?;
        entries.sort_by_key(|entry| entry.from_month);
        Ok(entries)
    }

    /// The credits and charges of a dealership, by id.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn notes_of(&self, dealership_id: &str) -> Result<Vec<Note>, LedgerError> {
        let failed = LedgerError::while_doing("read the credits and charges");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        notes::notes_of(&mut connection, dealership_id).await
    }

    /// The latest emails with invoices of a dealership, the newest first.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn emails_of(
        &self,
        dealership_id: &str,
        most: u32,
    ) -> Result<Vec<ListedEmail>, LedgerError> {
        let rows = sqlx::query(
            "SELECT o.id, o.kind, o.recipient, o.redirected_to, o.number, o.subject, o.message_id, o.state, o.attempts,
                 o.created_at, o.sent_at, o.next_attempt_at, o.maybe_twice, o.last_error
             FROM (
                 SELECT e.id FROM invoice i JOIN outbox e ON e.number = i.number WHERE i.dealership_id = $1
                 UNION ALL
                 SELECT e.id FROM reminder r
                 JOIN outbox e ON e.kind = 'reminder' AND e.cause = r.day || ' ' || r.dealership_id
                 WHERE r.dealership_id = $1
                 UNION ALL
                 SELECT e.id FROM package_notice p
                 JOIN outbox e ON e.kind = 'package_use'
                     AND e.cause = p.month || ' ' || p.threshold || '% ' || p.dealership_id
                 WHERE p.dealership_id = $1
             ) AS mine JOIN outbox o ON o.id = mine.id
             ORDER BY o.id DESC LIMIT $2",
        )
        .bind(dealership_id.to_owned())
        .bind(i64::from(most))
        .fetch_all(&self.pool)
        .await
        .map_err(LedgerError::while_doing("read the outbox"))?;
        rows.iter().map(email).collect()
    }

    /// The invoices that stand of the months `from` to `to`, without their documents; of each dealership and
    /// month one.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn billed(&self, from: Month, to: Month) -> Result<Vec<Billed>, LedgerError> {
        let columns = format!(
            "i.dealership_id, r.dealership_name, i.month, r.package, r.uam, r.hsm, r.unbilled_hsm, {AMOUNTS}"
        );
        let which = "invoice i JOIN revision r ON r.number = i.number
             WHERE i.month >= $1 AND i.month <= $2 AND i.cancelled_at IS NULL AND r.superseded_at IS NULL";
        let months = [&*from.to_string(), &*to.to_string()];
        let rows: Vec<BilledRow> =
            self.all("read the invoices", (&columns, which), &months).await?;
        Ok(rows.into_iter().map(Billed::from).collect())
    }
}

/// The columns of [`Ledger::billed`].
#[derive(Deserialize)]
struct BilledRow(
    String,
    String,
    Month,
    u64,
    u64,
    u64,
    u64,
    Centavos,
    Centavos,
    Centavos,
    Centavos,
    Centavos,
);

impl From<BilledRow> for Billed {
    fn from(row: BilledRow) -> Self {
        let BilledRow(
            dealership_id,
            name,
            month,
            package,
            uam,
            hsm,
            unbilled_hsm,
            of_package,
            of_overage,
            of_hsm,
            of_others,
            noted,
        ) = row;
        Self {
            dealership_id,
            name,
            month,
            package,
            uam,
            hsm,
            unbilled_hsm,
            amounts: amounts([of_package, of_overage, of_hsm, of_others, noted]),
        }
    }
}
