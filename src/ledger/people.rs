//! Who may use the console: people, their roles and passwords, and the invitations by which they choose one.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::audit::Deed;
use super::{Ledger, LedgerError, Transaction, corrupt, from_text, new_id, to_text};
use fecha_core::party::person::{Role, Standing};

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "the keys of `fecha people list --json`")]
pub struct Person {
    pub id: String,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub state: Standing,
    pub made_at: DateTime<Utc>,
    pub made_by: String,
    pub disabled_at: Option<DateTime<Utc>>,
}

/// A person who is to be there.
#[derive(Debug, Clone, Copy)]
pub struct NewPerson<'a> {
    /// Lower case.
    pub email: &'a str,
    /// Unlike everybody else's.
    pub name: &'a str,
    /// What they may do.
    pub role: Role,
}

/// Whose word counts as an admin's who is able to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Able {
    /// Only theirs who have a password.
    WithPassword,
    /// Anybody's: a proxy knows who they are.
    All,
}

/// A change of somebody's role or standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// What they may do.
    Role(Role),
    /// They cannot log in any more; whoever is logged in is out.
    Disable,
    /// They can again.
    Enable,
}

/// What came of a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// It is so now.
    Now,
    /// It was so.
    Already,
    /// Nobody would be left who can invite people.
    LastAdmin,
}

const COLUMNS: &str = "p.id, p.email, p.name, p.role, CASE WHEN p.password IS NULL THEN 0 ELSE 1 END AS has_password, p.made_at, p.made_by, p.disabled_at";

impl Ledger {
    /// Everybody, by name.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn people(&self) -> Result<Vec<Person>, LedgerError> {
        let rows = sqlx::query(sqlx::AssertSqlSafe(format!("SELECT {COLUMNS} FROM person p")))
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the people"))?;
        let mut people: Vec<Person> = rows.iter().map(person).collect::<Result<_, _>>()?;
        people.sort_by(|a, b| (a.name.to_lowercase(), &a.id).cmp(&(b.name.to_lowercase(), &b.id)));
        Ok(people)
    }

    /// The person who logs in with this email, and the hash of their password.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn person_by_email(
        &self,
        email: &str,
    ) -> Result<Option<(Person, Option<String>)>, LedgerError> {
        let sql = format!("SELECT {COLUMNS}, p.password FROM person p WHERE p.email = $1");
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(email.to_owned())
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read a person"))?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((person(&row)?, row.try_get("password").map_err(corrupt)?)))
    }

    /// Adds a person who has no password; `None` where the email or the name is somebody's.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written; there is no such person then.
    pub async fn add_person(
        &self,
        new: &NewPerson<'_>,
        deed: &Deed<'_>,
    ) -> Result<Option<Person>, LedgerError> {
        let failed = LedgerError::while_doing("add a person");
        let mut transaction = self.begin().await?;
        let id = new_id(deed.at);
        let added = sqlx::query(
            "INSERT INTO person (id, email, name, role, made_at, made_by)
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        )
        .bind(id.clone())
        .bind(new.email.to_owned())
        .bind(new.name.to_owned())
        .bind(new.role.key())
        .bind(to_text(deed.at))
        .bind(deed.actor.to_owned())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if added.rows_affected() == 0 {
            return Ok(None);
        }
        deed.write(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)?;
        Ok(Some(Person {
            id,
            email: new.email.to_owned(),
            name: new.name.to_owned(),
            role: new.role,
            state: Standing::Invited,
            made_at: from_text(&to_text(deed.at))?,
            made_by: deed.actor.to_owned(),
            disabled_at: None,
        }))
    }

    /// Keeps an invitation by the hash of its token. Earlier ones of the person serve no more.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written; earlier ones still serve then.
    pub async fn invite(
        &self,
        person: &str,
        hash: &str,
        ends_at: DateTime<Utc>,
        deed: &Deed<'_>,
    ) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("keep an invitation");
        let mut transaction = self.begin().await?;
        sqlx::query("DELETE FROM invitation WHERE person = $1 AND used_at IS NULL")
            .bind(person.to_owned())
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        sqlx::query(
            "INSERT INTO invitation (hash, person, made_at, ends_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(hash.to_owned())
        .bind(person.to_owned())
        .bind(to_text(deed.at))
        .bind(to_text(ends_at))
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        deed.write(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)
    }

    /// Whom an invitation is for that can be accepted now, by the hash of its token.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn invited(
        &self,
        hash: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<Person>, LedgerError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM invitation i JOIN person p ON p.id = i.person
             WHERE i.hash = $1 AND i.used_at IS NULL AND i.ends_at > $2 AND p.disabled_at IS NULL"
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(hash.to_owned())
            .bind(to_text(now))
            .fetch_optional(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read an invitation"))?;
        row.as_ref().map(person).transpose()
    }

    /// Gives the person of an invitation this password (a PHC string) and ends all their sessions; `false`
    /// where the invitation serves no more.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written; the invitation still serves then.
    pub async fn accept(
        &self,
        hash: &str,
        password: &str,
        deed: &Deed<'_>,
    ) -> Result<bool, LedgerError> {
        let failed = LedgerError::while_doing("keep a password");
        let now = to_text(deed.at);
        let mut transaction = self.begin().await?;
        let used = sqlx::query(
            "UPDATE invitation SET used_at = $1
             WHERE hash = $2 AND used_at IS NULL AND ends_at > $1
                 AND person IN (SELECT id FROM person WHERE disabled_at IS NULL)",
        )
        .bind(now.clone())
        .bind(hash.to_owned())
        .execute(&mut *transaction)
        .await
        .map_err(&failed)?;
        if used.rows_affected() == 0 {
            return Ok(false);
        }
        for (sql, value) in [
            (
                "UPDATE person SET password = $1
                 WHERE id IN (SELECT person FROM invitation WHERE hash = $2)",
                password,
            ),
            (
                "UPDATE session SET ended_at = $1 WHERE ended_at IS NULL
                     AND person IN (SELECT person FROM invitation WHERE hash = $2)",
                &now,
            ),
        ] {
            sqlx::query(sql)
                .bind(value.to_owned())
                .bind(hash.to_owned())
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        deed.write(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)?;
        Ok(true)
    }

    /// Changes what a person may do, or whether they may log in.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written; nothing is changed then.
    pub async fn change_person(
        &self,
        id: &str,
        change: Change,
        able: Able,
        deed: &Deed<'_>,
    ) -> Result<Changed, LedgerError> {
        let failed = LedgerError::while_doing("change a person");
        let mut transaction = self.begin().await?;
        // Two admins who put each other out at the same time take turns here.
        sqlx::query("UPDATE person SET role = role WHERE role = 'admin'")
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        let before = admins(&mut transaction, able).await?;
        let now = to_text(deed.at);
        let (sql, value) = match change {
            Change::Role(role) => {
                ("UPDATE person SET role = $2 WHERE id = $1 AND role <> $2", Some(role.key()))
            }
            Change::Disable => (
                "UPDATE person SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL",
                Some(now.as_str()),
            ),
            Change::Enable => (
                "UPDATE person SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL",
                None,
            ),
        };
        let changed = [Some(id), value]
            .into_iter()
            .flatten()
            .fold(sqlx::query(sql), |query, text| query.bind(text.to_owned()))
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        if changed.rows_affected() == 0 {
            return Ok(Changed::Already);
        }
        if before > 0 && admins(&mut transaction, able).await? == 0 {
            return Ok(Changed::LastAdmin);
        }
        if change == Change::Disable {
            put_out(&mut transaction, id, &now).await?;
        }
        deed.write(&mut transaction).await?;
        transaction.commit().await.map_err(&failed)?;
        Ok(Changed::Now)
    }
}

/// Ends the sessions of a person, and the invitations that were not accepted.
async fn put_out(transaction: &mut Transaction, id: &str, now: &str) -> Result<(), LedgerError> {
    for sql in [
        "UPDATE session SET ended_at = $1 WHERE person = $2 AND ended_at IS NULL",
        "UPDATE invitation SET ends_at = $1 WHERE person = $2 AND used_at IS NULL AND ends_at > $1",
    ] {
        sqlx::query(sql)
            .bind(now.to_owned())
            .bind(id.to_owned())
            .execute(&mut **transaction)
            .await
            .map_err(LedgerError::while_doing("put a person out"))?;
    }
    Ok(())
}

/// How many admins are able to log in.
async fn admins(transaction: &mut Transaction, able: Able) -> Result<i64, LedgerError> {
    let sql = match able {
        Able::WithPassword => {
            "SELECT COUNT(*) FROM person
             WHERE role = 'admin' AND disabled_at IS NULL AND password IS NOT NULL"
        }
        Able::All => "SELECT COUNT(*) FROM person WHERE role = 'admin' AND disabled_at IS NULL",
    };
    sqlx::query(sql)
        .fetch_one(&mut **transaction)
        .await
        .and_then(|row| row.try_get(0))
        .map_err(LedgerError::while_doing("count the admins"))
}

/// A row of [`COLUMNS`].
pub(super) fn person(row: &AnyRow) -> Result<Person, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let disabled_at: Option<String> = row.try_get("disabled_at").map_err(corrupt)?;
    let has_password: i64 = row.try_get("has_password").map_err(corrupt)?;
    Ok(Person {
        id: text("id")?,
        email: text("email")?,
        name: text("name")?,
        role: text("role")?.parse().map_err(corrupt)?,
        state: match (&disabled_at, has_password) {
            (Some(_), _) => Standing::Disabled,
            (None, 0) => Standing::Invited,
            (None, _) => Standing::Active,
        },
        made_at: from_text(&text("made_at")?)?,
        made_by: text("made_by")?,
        disabled_at: disabled_at.as_deref().map(from_text).transpose()?,
    })
}
