//! The register in the ledger: dealerships, contracts, whose a business number is.

use sqlx::any::AnyRow;
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{Engine, Ledger, LedgerError, Transaction, corrupt};
use fecha_core::party::numbers::{NumberEntry, Numbers};
use fecha_core::party::register::{Dealership, EmailAddress};
use fecha_core::price::contract::ContractEntry;

const DEALERSHIPS: &str = "SELECT id, name, trade_name, cnpj, address, city, state, email, cc, timezone, due_day, evidence, package_use, reminders, postal_code
     FROM dealership";

/// What an import does to the business numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct NumberChanges<'a> {
    /// All of them, as the import was planned from them, by number and month.
    pub known: &'a [NumberEntry],
    /// Rows that are added or updated.
    pub written: &'a [NumberEntry],
    /// Rows that are removed.
    pub removed: &'a [NumberEntry],
}

impl Ledger {
    /// All dealerships, by id, byte by byte.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn dealerships(&self) -> Result<Vec<Dealership>, LedgerError> {
        let rows = sqlx::query(DEALERSHIPS)
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the register"))?;
        let mut dealerships: Vec<_> = rows.iter().map(dealership).collect::<Result<_, _>>()?;
        // Sorted here, since databases sort text by their own rules.
        dealerships.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(dealerships)
    }

    /// One dealership; `None` where the register lacks it.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn dealership(&self, id: &str) -> Result<Option<Dealership>, LedgerError> {
        let row = sqlx::query(AssertSqlSafe(format!("{DEALERSHIPS} WHERE id = $1")))
            .bind(id.to_owned())
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the register"))?;
        row.as_ref().map(dealership).transpose()
    }

    /// All contract entries, by dealership and month.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn contracts(&self) -> Result<Vec<ContractEntry>, LedgerError> {
        let rows = sqlx::query("SELECT dealership_id, from_month, package FROM contract")
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the contracts"))?;
        let mut entries: Vec<_> = rows.iter().map(contract).collect::<Result<_, _>>()?;
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

    /// Keeps others from the business numbers until the transaction ends, if they are still those that the
    /// import was planned from: else two at once could give a number to two dealerships, and no month could
    /// be counted any more.
    async fn hold_numbers(
        &self,
        transaction: &mut Transaction,
        known: &[NumberEntry],
    ) -> Result<(), LedgerError> {
        // SQLite lets one transaction write at a time as it is.
        if self.engine == Engine::Postgres {
            sqlx::query("LOCK TABLE business_number IN SHARE ROW EXCLUSIVE MODE")
                .execute(&mut **transaction)
                .await
                .map_err(LedgerError::while_doing("hold the business numbers"))?;
        }
        if numbers_in(transaction).await?.entries() == known {
            return Ok(());
        }
        Err(LedgerError::Busy {
            action: "import",
            cause: "another import has changed the business numbers meanwhile".to_owned(),
        })
    }

    /// Adds and updates rows of the register: all of them or none.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written, [`LedgerError::Busy`] where the numbers are others by
    /// now; nothing was imported then.
    pub async fn import(
        &self,
        dealerships: &[Dealership],
        contracts: &[ContractEntry],
        numbers: NumberChanges<'_>,
        audit: &super::audit::Deed<'_>,
    ) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("write the register");
        let mut transaction = self.begin().await?;
        let NumberChanges { known, written, removed } = numbers;
        if !(written.is_empty() && removed.is_empty()) {
            self.hold_numbers(&mut transaction, known).await?;
        }
        for new in dealerships {
            upsert_dealership(new).execute(&mut *transaction).await.map_err(&failed)?;
        }
        for new in contracts {
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
        for new in written {
            upsert_number(new).execute(&mut *transaction).await.map_err(&failed)?;
        }
        audit.write(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)
    }
}

async fn numbers_in(connection: &mut AnyConnection) -> Result<Numbers, LedgerError> {
    let sql = "SELECT number, dealership_id, from_month, to_month FROM business_number";
    let rows = sqlx::query(sql)
        .fetch_all(connection)
        .await
        .map_err(LedgerError::while_doing("read the business numbers"))?;
    let entries: Vec<_> = rows.iter().map(number).collect::<Result<_, _>>()?;
    Numbers::new(entries).map_err(|overlaps| {
        let numbers = overlaps.iter().map(|overlap| overlap.later.number.to_string());
        let numbers: Vec<String> = numbers.collect();
        corrupt(format!("business numbers of two dealerships at once: {}", numbers.join(", ")))
    })
}

type AnyQuery = sqlx::query::Query<'static, sqlx::Any, sqlx::any::AnyArguments>;

fn upsert_dealership(dealership: &Dealership) -> AnyQuery {
    let cc: Vec<&str> = dealership.cc.iter().map(EmailAddress::as_str).collect();
    sqlx::query(
        "INSERT INTO dealership (id, name, trade_name, cnpj, address, city, state, email, cc, timezone, due_day, evidence, package_use, reminders, postal_code)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, trade_name = excluded.trade_name,
             cnpj = excluded.cnpj, address = excluded.address, city = excluded.city,
             state = excluded.state, email = excluded.email, cc = excluded.cc,
             timezone = excluded.timezone, due_day = excluded.due_day,
             evidence = excluded.evidence, package_use = excluded.package_use,
             reminders = excluded.reminders, postal_code = excluded.postal_code",
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
    .bind(dealership.postal_code.map(|code| code.to_string()))
}

fn upsert_contract(entry: &ContractEntry) -> Result<AnyQuery, LedgerError> {
    let package = entry.package.map(i64::try_from).transpose().map_err(corrupt)?;
    let query = sqlx::query(
        "INSERT INTO contract (dealership_id, from_month, package) VALUES ($1, $2, $3)
         ON CONFLICT (dealership_id, from_month) DO UPDATE SET package = excluded.package",
    )
    .bind(entry.dealership_id.clone())
    .bind(entry.from_month.to_string())
    .bind(package);
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

fn dealership(row: &AnyRow) -> Result<Dealership, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let timezone: Option<String> = row.try_get("timezone").map_err(corrupt)?;
    let due_day: Option<i64> = row.try_get("due_day").map_err(corrupt)?;
    let reminders: Option<i64> = row.try_get("reminders").map_err(corrupt)?;
    let postal_code: Option<String> = row.try_get("postal_code").map_err(corrupt)?;
    let package_use: Option<i64> = row.try_get("package_use").map_err(corrupt)?;
    Ok(Dealership {
        id: text("id")?,
        name: text("name")?,
        trade_name: text("trade_name")?,
        cnpj: text("cnpj")?.parse().map_err(corrupt)?,
        address: text("address")?,
        city: text("city")?,
        state: text("state")?.parse().map_err(corrupt)?,
        email: EmailAddress::trusted(text("email")?),
        cc: text("cc")?
            .split(';')
            .filter(|address| !address.is_empty())
            .map(|address| EmailAddress::trusted(address.to_owned()))
            .collect(),
        timezone: timezone.map(|name| name.parse().map_err(corrupt)).transpose()?,
        due_day: due_day.map(u32::try_from).transpose().map_err(corrupt)?,
        evidence: text("evidence")?.parse().map_err(corrupt)?,
        package_use: package_use.map(|told| told != 0),
        reminders: reminders.map(|told| told != 0),
        postal_code: postal_code.map(|code| code.parse().map_err(corrupt)).transpose()?,
    })
}

fn contract(row: &AnyRow) -> Result<ContractEntry, LedgerError> {
    let package: Option<i64> = row.try_get("package").map_err(corrupt)?;
    let from_month: String = row.try_get("from_month").map_err(corrupt)?;
    Ok(ContractEntry {
        dealership_id: row.try_get("dealership_id").map_err(corrupt)?,
        from_month: from_month.parse().map_err(corrupt)?,
        package: package.map(u64::try_from).transpose().map_err(corrupt)?,
    })
}

fn number(row: &AnyRow) -> Result<NumberEntry, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let to_month: Option<String> = row.try_get("to_month").map_err(corrupt)?;
    Ok(NumberEntry {
        number: text("number")?.parse().map_err(corrupt)?,
        dealership_id: text("dealership_id")?,
        from_month: text("from_month")?.parse().map_err(corrupt)?,
        to_month: to_month.map(|month| month.parse().map_err(corrupt)).transpose()?,
    })
}
