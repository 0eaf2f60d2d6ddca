//! The register in the ledger: dealerships, contracts, whose a business number is.

use std::collections::HashMap;

use chrono_tz::Tz;
use serde::Deserialize;
use sqlx::AnyConnection;

use super::rows::{self, parsed};
use super::{Engine, Ledger, LedgerError, Transaction, corrupt};
use fecha_core::calendar::month::Month;
use fecha_core::party::group::GroupName;
use fecha_core::party::municipality::Municipality;
use fecha_core::party::numbers::{BusinessNumber, NumberEntry, Numbers};
use fecha_core::party::postal_code::PostalCode;
use fecha_core::party::register::{
    BrazilianState, Dealership, EmailAddress, EvidenceWish, TaxDetails,
};
use fecha_core::party::tax_id::Cnpj;
use fecha_core::price::contract::{Agreed, ContractEntry};

/// The fields of a [`DealershipRow`], in their order.
const DEALERSHIP: &str = "id, name, trade_name, cnpj, address, city, state, email, cc, timezone, due_day, evidence, package_use, reminders, group_name, postal_code, number, complement, district, ibge_code, municipal_registration, iss_withheld";

/// The fields of a [`ContractEntry`], in their order.
pub(super) const CONTRACT: &str = "dealership_id, from_month, package, list, discount_percent";

/// Without a condition.
const EVERY: (&str, &[&str]) = ("1 = 1", &[]);

/// Rows of the register.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the rows of its files")]
pub struct Register {
    pub dealerships: Vec<Dealership>,
    pub contracts: Vec<ContractEntry>,
    pub numbers: Vec<NumberEntry>,
}

/// What an import does to the register.
#[derive(Debug, Clone, Copy)]
pub struct RegisterChange<'a> {
    /// What it was planned from: of each row that is written how it was, and all numbers where some are.
    pub known: &'a Register,
    /// Rows that are added or updated.
    pub written: &'a Register,
    /// Rows that are removed.
    pub removed: &'a [NumberEntry],
}

impl Ledger {
    /// All dealerships, by id, byte by byte.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn dealerships(&self) -> Result<Vec<Dealership>, LedgerError> {
        let failed = LedgerError::while_doing("read the register");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let mut dealerships = dealerships_in(&mut connection, EVERY).await?;
        // Sorted here, since databases sort text by their own rules.
        dealerships.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(dealerships)
    }

    /// One dealership; `None` where the register lacks it.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn dealership(&self, id: &str) -> Result<Option<Dealership>, LedgerError> {
        let failed = LedgerError::while_doing("read the register");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        Ok(dealerships_in(&mut connection, ("id = $1", &[id])).await?.pop())
    }

    /// All rows, each kind by its key.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn register(&self) -> Result<Register, LedgerError> {
        Ok(Register {
            dealerships: self.dealerships().await?,
            contracts: self.contracts().await?,
            numbers: self.business_numbers().await?.entries(),
        })
    }

    /// All contract entries, by dealership and month.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn contracts(&self) -> Result<Vec<ContractEntry>, LedgerError> {
        let failed = LedgerError::while_doing("read the contracts");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let mut entries = contracts_in(&mut connection).await?;
        entries.sort_by(|a, b| {
            (&a.dealership_id, a.from_month).cmp(&(&b.dealership_id, b.from_month))
        });
        Ok(entries)
    }

    /// Whose each business number is.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn business_numbers(&self) -> Result<Numbers, LedgerError> {
        let failed = LedgerError::while_doing("read the business numbers");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        numbers_in(&mut connection).await
    }

    /// The business numbers of a dealership, by number and month.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn business_numbers_of(
        &self,
        dealership_id: &str,
    ) -> Result<Vec<NumberEntry>, LedgerError> {
        let failed = LedgerError::while_doing("read the business numbers");
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        let condition = "dealership_id = $1";
        let mut entries = number_entries_in(&mut connection, (condition, &[dealership_id])).await?;
        entries.sort_by(|a, b| (&a.number, a.from_month).cmp(&(&b.number, b.from_month)));
        Ok(entries)
    }

    /// Keeps others from the register until the transaction ends, if what is written is still as the change
    /// was planned from it: what a person was not shown is not overwritten, and of two at once none gives a number
    /// to two dealerships, by which no month could be counted any more.
    async fn hold_register(
        &self,
        transaction: &mut Transaction,
        change: RegisterChange<'_>,
    ) -> Result<(), LedgerError> {
        let RegisterChange { known, written, removed } = change;
        // SQLite lets one transaction write at a time as it is.
        if self.engine == Engine::Postgres {
            sqlx::query(
                "LOCK TABLE dealership, contract, business_number IN SHARE ROW EXCLUSIVE MODE",
            )
            .execute(&mut **transaction)
            .await
            .map_err(LedgerError::while_doing("hold the register"))?;
        }
        let busy = |what: &str| LedgerError::Busy {
            action: "import",
            cause: format!("another import has changed the {what} meanwhile"),
        };
        if !written.dealerships.is_empty() {
            let now = dealerships_in(transaction, EVERY).await?;
            let (now, then) = (by_id(&now), by_id(&known.dealerships));
            let is_same = |new: &Dealership| now.get(&*new.id) == then.get(&*new.id);
            written.dealerships.iter().all(is_same).then_some(()).ok_or(busy("dealerships"))?;
        }
        if !written.contracts.is_empty() {
            let now = by_key(contracts_in(transaction).await?);
            let then = by_key(known.contracts.clone());
            let is_same = |new: &ContractEntry| now.get(&key(new)) == then.get(&key(new));
            written.contracts.iter().all(is_same).then_some(()).ok_or(busy("contracts"))?;
        }
        if !(written.numbers.is_empty() && removed.is_empty())
            && numbers_in(transaction).await?.entries() != known.numbers
        {
            return Err(busy("business numbers"));
        }
        Ok(())
    }

    /// Adds and updates rows of the register: all of them or none, each deed in the audit log with them.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written, [`LedgerError::Busy`] where what is to be written is
    /// another by now than it was planned from; nothing was imported then.
    pub async fn import(
        &self,
        change: RegisterChange<'_>,
        deeds: &[super::audit::Deed<'_>],
    ) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("write the register");
        let mut transaction = self.begin().await?;
        self.hold_register(&mut transaction, change).await?;
        let RegisterChange { written, removed, .. } = change;
        for new in &written.dealerships {
            upsert_dealership(new).execute(&mut *transaction).await.map_err(&failed)?;
        }
        for new in &written.contracts {
            upsert_contract(new)?.execute(&mut *transaction).await.map_err(&failed)?;
        }
        for gone in removed {
            sqlx::query("DELETE FROM business_number WHERE number = $1 AND from_month = $2")
                .bind(gone.number.to_string())
                .bind(gone.from_month.to_string())
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        for new in &written.numbers {
            upsert_number(new).execute(&mut *transaction).await.map_err(&failed)?;
        }
        for deed in deeds {
            deed.write(&mut transaction).await?;
        }
        transaction.commit().await.map_err(&failed)
    }
}

/// What no two entries share.
fn key(entry: &ContractEntry) -> (String, Month) {
    (entry.dealership_id.clone(), entry.from_month)
}

fn by_key(entries: Vec<ContractEntry>) -> HashMap<(String, Month), Option<Agreed>> {
    entries.into_iter().map(|entry| (key(&entry), entry.agreed())).collect()
}

fn by_id(dealerships: &[Dealership]) -> HashMap<&str, &Dealership> {
    dealerships.iter().map(|dealership| (dealership.id.as_str(), dealership)).collect()
}

/// In no order.
async fn dealerships_in(
    connection: &mut AnyConnection,
    (condition, values): (&str, &[&str]),
) -> Result<Vec<Dealership>, LedgerError> {
    let from = format!("dealership WHERE {condition}");
    let rows: Vec<DealershipRow> =
        rows::all(connection, "read the register", (DEALERSHIP, &from), values).await?;
    Ok(rows.into_iter().map(Dealership::from).collect())
}

/// In no order.
async fn contracts_in(connection: &mut AnyConnection) -> Result<Vec<ContractEntry>, LedgerError> {
    rows::all(connection, "read the contracts", (CONTRACT, "contract"), &[]).await
}

/// In no order.
async fn number_entries_in(
    connection: &mut AnyConnection,
    (condition, values): (&str, &[&str]),
) -> Result<Vec<NumberEntry>, LedgerError> {
    let from = format!("business_number WHERE {condition}");
    let columns = ("number, dealership_id, from_month, to_month", from.as_str());
    let rows: Vec<(BusinessNumber, String, Month, Option<Month>)> =
        rows::all(connection, "read the business numbers", columns, values).await?;
    let entry = |(number, dealership_id, from_month, to_month)| NumberEntry {
        number,
        dealership_id,
        from_month,
        to_month,
    };
    Ok(rows.into_iter().map(entry).collect())
}

async fn numbers_in(connection: &mut AnyConnection) -> Result<Numbers, LedgerError> {
    let entries = number_entries_in(connection, EVERY).await?;
    Numbers::new(entries).map_err(|overlaps| {
        let numbers = overlaps.iter().map(|overlap| overlap.later.number.to_string());
        let numbers: Vec<String> = numbers.collect();
        corrupt(format!("business numbers of two dealerships at once: {}", numbers.join(", ")))
    })
}

type AnyQuery = sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments>;

fn upsert_dealership(dealership: &Dealership) -> AnyQuery {
    let cc: Vec<&str> = dealership.cc.iter().map(EmailAddress::as_str).collect();
    let tax = &dealership.tax;
    sqlx::query(
        "INSERT INTO dealership (id, name, trade_name, cnpj, address, city, state, email, cc, timezone, due_day, evidence, package_use, reminders, group_name, postal_code, number, complement, district, ibge_code, municipal_registration, iss_withheld)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, trade_name = excluded.trade_name,
             cnpj = excluded.cnpj, address = excluded.address, city = excluded.city,
             state = excluded.state, email = excluded.email, cc = excluded.cc,
             timezone = excluded.timezone, due_day = excluded.due_day,
             evidence = excluded.evidence, package_use = excluded.package_use,
             reminders = excluded.reminders, group_name = excluded.group_name,
             postal_code = excluded.postal_code,
             number = excluded.number, complement = excluded.complement, district = excluded.district,
             ibge_code = excluded.ibge_code,
             municipal_registration = excluded.municipal_registration,
             iss_withheld = excluded.iss_withheld",
    )
    .bind(dealership.id.clone())
    .bind(dealership.name.clone())
    .bind(dealership.trade_name.clone())
    .bind(dealership.cnpj.to_string())
    .bind(dealership.address.clone())
    .bind(dealership.city.clone())
    .bind(dealership.state.to_string())
    .bind(dealership.email.to_string())
    .bind(cc.join(";"))
    .bind(dealership.timezone.map(|zone| zone.name().to_owned()))
    .bind(dealership.due_day.map(i64::from))
    .bind(dealership.evidence.to_string())
    .bind(dealership.package_use.map(i64::from))
    .bind(dealership.reminders.map(i64::from))
    .bind(dealership.group.as_ref().map(GroupName::to_string))
    .bind(dealership.postal_code.map(|code| code.to_string()))
    .bind(tax.number.clone())
    .bind(tax.complement.clone())
    .bind(tax.district.clone())
    .bind(tax.ibge_code.map(|code| code.to_string()))
    .bind(tax.municipal_registration.clone())
    .bind(tax.iss_withheld.map(i64::from))
}

fn upsert_contract(entry: &ContractEntry) -> Result<AnyQuery, LedgerError> {
    let package = entry.package.map(i64::try_from).transpose().map_err(corrupt)?;
    let query = sqlx::query(
        "INSERT INTO contract (dealership_id, from_month, package, list, discount_percent)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (dealership_id, from_month) DO UPDATE SET package = excluded.package,
             list = excluded.list, discount_percent = excluded.discount_percent",
    )
    .bind(entry.dealership_id.clone())
    .bind(entry.from_month.to_string())
    .bind(package)
    .bind(entry.list.as_ref().map(ToString::to_string))
    .bind(entry.discount.to_string());
    Ok(query)
}

fn upsert_number(entry: &NumberEntry) -> AnyQuery {
    sqlx::query(
        "INSERT INTO business_number (number, dealership_id, from_month, to_month) VALUES ($1, $2, $3, $4)
         ON CONFLICT (number, from_month) DO UPDATE SET dealership_id = excluded.dealership_id,
             to_month = excluded.to_month",
    )
    .bind(entry.number.to_string())
    .bind(entry.dealership_id.clone())
    .bind(entry.from_month.to_string())
    .bind(entry.to_month.map(|month| month.to_string()))
}

/// The columns [`DEALERSHIP`].
#[derive(Deserialize)]
struct DealershipRow {
    id: String,
    name: String,
    trade_name: String,
    cnpj: Cnpj,
    address: String,
    city: String,
    state: BrazilianState,
    email: String,
    cc: String,
    timezone: Option<Tz>,
    due_day: Option<u32>,
    #[serde(deserialize_with = "parsed")]
    evidence: EvidenceWish,
    package_use: Option<u8>,
    reminders: Option<u8>,
    group_name: Option<GroupName>,
    postal_code: Option<PostalCode>,
    number: Option<String>,
    complement: Option<String>,
    district: Option<String>,
    ibge_code: Option<Municipality>,
    municipal_registration: Option<String>,
    iss_withheld: Option<u8>,
}

impl From<DealershipRow> for Dealership {
    fn from(row: DealershipRow) -> Self {
        let cc = row.cc.split(';').filter(|address| !address.is_empty());
        Self {
            cc: cc.map(|address| EmailAddress::trusted(address.to_owned())).collect(),
            id: row.id,
            name: row.name,
            trade_name: row.trade_name,
            cnpj: row.cnpj,
            address: row.address,
            city: row.city,
            state: row.state,
            email: EmailAddress::trusted(row.email),
            timezone: row.timezone,
            due_day: row.due_day,
            evidence: row.evidence,
            package_use: row.package_use.map(|told| told != 0),
            reminders: row.reminders.map(|told| told != 0),
            group: row.group_name,
            postal_code: row.postal_code,
            tax: TaxDetails {
                number: row.number,
                complement: row.complement,
                district: row.district,
                ibge_code: row.ibge_code,
                municipal_registration: row.municipal_registration,
                iss_withheld: row.iss_withheld.map(|told| told != 0),
            },
        }
    }
}
