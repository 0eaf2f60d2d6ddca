//! Who did what, when and why; only ever added to.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Row as _, Transaction};

use super::{Ledger, LedgerError, corrupt, new_id, to_text};
use fecha_core::calendar::month::Month;

/// What was done; the words that stand in the ledger and in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Rows of the register were added or changed.
    Import,
    /// An invoice was issued.
    Issue,
    /// A close was held.
    Hold,
    /// A person let a close go on.
    Release,
    /// Emails were queued again.
    Resend,
    /// A revision was issued.
    Rerun,
    /// A credit or charge was entered or taken back.
    Adjust,
    /// A number was made void.
    Cancel,
    /// A payment was recorded.
    Pay,
    /// A person had a dealership reminded of what is open.
    Remind,
    /// A person was invited, let in, changed or disabled.
    Person,
    /// A token was made or taken back.
    Token,
    /// DPS of the NFS-e were made.
    Nfse,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Import,
        Self::Issue,
        Self::Hold,
        Self::Release,
        Self::Resend,
        Self::Rerun,
        Self::Adjust,
        Self::Cancel,
        Self::Pay,
        Self::Remind,
        Self::Person,
        Self::Token,
        Self::Nfse,
    ];

    /// The word.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Issue => "issue",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Resend => "resend",
            Self::Rerun => "rerun",
            Self::Adjust => "adjust",
            Self::Cancel => "cancel",
            Self::Pay => "pay",
            Self::Remind => "remind",
            Self::Person => "person",
            Self::Token => "token",
            Self::Nfse => "nfse",
        }
    }
}

/// One entry of the audit log, written in the transaction of the deed itself.
#[derive(Debug, Clone, Copy)]
pub struct Deed<'a> {
    /// When.
    pub at: DateTime<Utc>,
    /// The login name of who did it.
    pub actor: &'a str,
    /// What was done.
    pub action: Action,
    /// About which month.
    pub month: Option<Month>,
    /// About which dealership.
    pub dealership_id: Option<&'a str>,
    /// What exactly, in words.
    pub detail: &'a str,
}

/// An entry as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "as in Deed")]
pub struct Logged {
    #[serde(skip)]
    pub id: String,
    pub at: String,
    pub actor: String,
    pub action: Action,
    pub month: Option<String>,
    pub dealership_id: Option<String>,
    pub detail: String,
}

/// A part of a search: an entry has it where any of these holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Term {
    /// Who did it, about which dealership and what exactly: one of the three holds this, in any case.
    pub text: String,
    /// What exactly holds one of these.
    pub details: Vec<String>,
    /// It is one of these.
    pub actions: Vec<Action>,
    /// It is this, and what exactly holds all of these, one behind the other.
    pub sentences: Vec<(Action, Vec<String>)>,
    /// About a month that ends with one of these: `2026-10`, `-10`.
    pub months: Vec<String>,
    /// From the first of these instants on, before the second.
    pub between: Option<[DateTime<Utc>; 2]>,
}

impl Term {
    /// The condition; its values come behind the others.
    fn condition(&self, values: &mut Vec<String>) -> String {
        let mut place = |value: String| {
            values.push(value);
            values.len()
        };
        let detail = |place: usize| format!("LOWER(detail) LIKE ${place} ESCAPE '\\'");
        let text = place(pattern(&[&self.text]));
        let mut any = vec![
            detail(text),
            format!("LOWER(actor) LIKE ${text} ESCAPE '\\'"),
            format!("LOWER(dealership_id) LIKE ${text} ESCAPE '\\'"),
        ];
        any.extend(self.details.iter().map(|one| detail(place(pattern(&[one])))));
        any.extend(self.actions.iter().map(|one| format!("action = '{}'", one.key())));
        for action in Action::ALL {
            let its = self.sentences.iter().filter(|(one, _)| *one == action);
            let its: Vec<String> = its.map(|(_, parts)| detail(place(pattern(parts)))).collect();
            if !its.is_empty() {
                any.push(format!("(action = '{}' AND ({}))", action.key(), its.join(" OR ")));
            }
        }
        any.extend(
            self.months.iter().map(|one| format!("month LIKE ${}", place(format!("%{one}")))),
        );
        if let Some([from, to]) = self.between {
            let (from, to) = (place(to_text(from)), place(to_text(to)));
            any.push(format!("(at >= ${from} AND at < ${to})"));
        }
        format!("({})", any.join(" OR "))
    }
}

/// What holds these texts, one behind the other, in any case. A `%` that is looked for is a `%`; engines differ about
/// the case of letters with accents, so that one stands for any letter.
fn pattern(parts: &[impl AsRef<str>]) -> String {
    let bare = |part: &str| {
        let part = part.to_lowercase().replace('\\', "\\\\");
        part.replace('%', "\\%").replace('_', "\\_").replace(|c: char| !c.is_ascii(), "_")
    };
    let parts: Vec<String> = parts.iter().map(|part| bare(part.as_ref())).collect();
    format!("%{}%", parts.join("%"))
}

/// Which entries are asked for: all conditions that are there hold.
#[derive(Debug, Clone, Copy, Default)]
pub struct WantedDeeds<'a> {
    /// Of this actor.
    pub actor: Option<&'a str>,
    /// Of this kind.
    pub action: Option<Action>,
    /// About this month.
    pub month: Option<Month>,
    /// About this dealership.
    pub dealership_id: Option<&'a str>,
    /// Which have each of these in them.
    pub terms: &'a [Term],
    /// Older than the entry of this id.
    pub before: Option<&'a str>,
    /// Newer than the entry of this id; the oldest come first then, as they do where this is empty.
    pub after: Option<&'a str>,
    /// Not older than the entry of this id.
    pub down_to: Option<&'a str>,
}

impl WantedDeeds<'_> {
    /// Only the conditions that there are, so that an index serves them; and their values.
    fn conditions(self) -> (String, Vec<String>) {
        let (mut words, mut values) = (Vec::new(), Vec::new());
        let conditions = [
            ("actor = ", self.actor.map(str::to_owned)),
            ("action = ", self.action.map(|action| action.key().to_owned())),
            ("month = ", self.month.map(|month| month.to_string())),
            ("dealership_id = ", self.dealership_id.map(str::to_owned)),
            ("id < ", self.before.map(str::to_owned)),
            ("id > ", self.after.map(str::to_owned)),
            ("id >= ", self.down_to.map(str::to_owned)),
        ];
        for (condition, value) in conditions {
            if let Some(value) = value {
                values.push(value);
                words.push(format!("{condition}${}", values.len()));
            }
        }
        words.extend(self.terms.iter().map(|term| term.condition(&mut values)));
        let words = words.join(" AND ");
        (if words.is_empty() { words } else { format!("WHERE {words}") }, values)
    }
}

impl Ledger {
    /// The newest entries of the audit log that are asked for, the newest first; where what they are newer than is
    /// said, the oldest of those, the oldest first.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn deeds(
        &self,
        wanted: WantedDeeds<'_>,
        most: u32,
    ) -> Result<Vec<Logged>, LedgerError> {
        let order = if wanted.after.is_some() { "ASC" } else { "DESC" };
        let (conditions, values) = wanted.conditions();
        let sql = format!(
            "SELECT id, at, actor, action, month, dealership_id, detail FROM audit {conditions}
             ORDER BY id {order} LIMIT {most}"
        );
        let rows = values
            .into_iter()
            .fold(sqlx::query(AssertSqlSafe(sql)), sqlx::query::Query::bind)
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the audit log"))?;
        rows.iter().map(logged).collect()
    }

    /// How far a search reaches that no index serves: the id of the entry so many behind one, or behind the newest.
    /// `None` where there are not as many.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn deed_behind(
        &self,
        before: Option<&str>,
        entries: u32,
    ) -> Result<Option<String>, LedgerError> {
        let wanted = WantedDeeds { before, ..WantedDeeds::default() };
        let (conditions, values) = wanted.conditions();
        let sql =
            format!("SELECT id FROM audit {conditions} ORDER BY id DESC LIMIT 1 OFFSET {entries}");
        let failed = LedgerError::while_doing("read the audit log");
        let row = values
            .into_iter()
            .fold(sqlx::query(AssertSqlSafe(sql)), sqlx::query::Query::bind)
            .fetch_optional(&self.pool)
            .await
            .map_err(&failed)?;
        row.map(|row| row.try_get(0)).transpose().map_err(failed)
    }

    /// The audit log, oldest first; only of one month, one dealership, where they are given.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be read.
    pub async fn audit_log(
        &self,
        month: Option<Month>,
        dealership_id: Option<&str>,
    ) -> Result<Vec<Logged>, LedgerError> {
        // Only the conditions that there are, so that an index serves them.
        let conditions = match (month, dealership_id) {
            (None, None) => "",
            (Some(_), None) => "WHERE month = $1",
            (None, Some(_)) => "WHERE dealership_id = $1",
            (Some(_), Some(_)) => "WHERE month = $1 AND dealership_id = $2",
        };
        let sql = format!(
            "SELECT id, at, actor, action, month, dealership_id, detail FROM audit {conditions}
             ORDER BY at, id"
        );
        let month = month.map(|month| month.to_string());
        let rows = month
            .into_iter()
            .chain(dealership_id.map(str::to_owned))
            .fold(sqlx::query(AssertSqlSafe(sql)), sqlx::query::Query::bind)
            .fetch_all(&self.pool)
            .await
            .map_err(LedgerError::while_doing("read the audit log"))?;
        rows.iter().map(logged).collect()
    }

    /// Adds an entry that stands for itself.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn log(&self, entry: &Deed<'_>) -> Result<(), LedgerError> {
        let mut transaction = self.begin().await?;
        entry.write(&mut transaction).await?;
        transaction.commit().await.map_err(LedgerError::while_doing("write the audit log"))
    }

    /// As [`Ledger::log`], but for a deed of a month that stands there in the same words, by the same person.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub async fn log_once(&self, entry: &Deed<'_>) -> Result<(), LedgerError> {
        let failed = LedgerError::while_doing("write the audit log");
        let mut transaction = self.begin().await?;
        let known = sqlx::query(
            "SELECT id FROM audit WHERE month = $1 AND action = $2 AND actor = $3 AND detail = $4 LIMIT 1",
        )
        .bind(entry.month.map(|month| month.to_string()))
        .bind(entry.action.key())
        .bind(entry.actor.to_owned())
        .bind(entry.detail.to_owned())
        .fetch_optional(&mut *transaction)
        .await
        .map_err(&failed)?;
        if known.is_some() {
            return Ok(());
        }
        entry.write(&mut transaction).await?;
        transaction.commit().await.map_err(failed)
    }
}

impl Deed<'_> {
    /// Adds the entry to a transaction.
    ///
    /// # Errors
    /// [`LedgerError`] where the ledger cannot be written.
    pub(crate) async fn write(
        &self,
        transaction: &mut Transaction<'static, Any>,
    ) -> Result<(), LedgerError> {
        sqlx::query(
            "INSERT INTO audit (id, at, actor, action, month, dealership_id, detail)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new_id(self.at))
        .bind(to_text(self.at))
        .bind(self.actor.to_owned())
        .bind(self.action.key().to_owned())
        .bind(self.month.map(|month| month.to_string()))
        .bind(self.dealership_id.map(str::to_owned))
        .bind(self.detail.to_owned())
        .execute(&mut **transaction)
        .await
        .map_err(LedgerError::while_doing("write the audit log"))?;
        Ok(())
    }
}

fn logged(row: &AnyRow) -> Result<Logged, LedgerError> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(corrupt);
    let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(corrupt);
    Ok(Logged {
        id: text("id")?,
        at: text("at")?,
        actor: text("actor")?,
        action: action(&text("action")?)?,
        month: optional("month")?,
        dealership_id: optional("dealership_id")?,
        detail: text("detail")?,
    })
}

fn action(word: &str) -> Result<Action, LedgerError> {
    let known = Action::ALL.into_iter().find(|action| action.key() == word);
    known.ok_or_else(|| corrupt(format!("'{word}' where a deed should be")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_words_of_the_ledger() {
        for action in Action::ALL {
            assert_eq!(serde_json::to_value(action).unwrap(), action.key());
        }
    }
}
