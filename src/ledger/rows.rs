//! Many rows at once. Row by row, sqlx's `Any` copies each column several times and wakes a thread for each row: of
//! the 29 µs of CPU that a row of a list took, the database worked five. Here the database writes all rows as one
//! JSON text, which is read as a whole: measured in `docs/scaling.md`. Both engines write at most 1 GB of text, some
//! two million invoices, and say so beyond: what is larger, documents above all, is read row by row.

use std::fmt::Display;
use std::str::FromStr;

use fecha_core::price::money::Money;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use sqlx::{AnyConnection, AssertSqlSafe, Row as _};

use super::{Engine, Ledger, LedgerError, corrupt};

/// The rows of `SELECT {columns} FROM {from}`, in no order: the fields of `R` are the columns, in their order.
///
/// # Errors
/// [`LedgerError`] where the ledger cannot be read, or a row is none of these, which is named.
pub(super) async fn all<R: DeserializeOwned>(
    connection: &mut AnyConnection,
    doing: &'static str,
    (columns, from): (&str, &str),
    values: &[&str],
) -> Result<Vec<R>, LedgerError> {
    let sql = if connection.backend_name() == Engine::Sqlite.name() {
        format!("SELECT json_group_array(json_array({columns})) FROM {from}")
    } else {
        format!("SELECT CAST(json_agg(json_build_array({columns})) AS TEXT) FROM {from}")
    };
    let query = values
        .iter()
        .map(ToString::to_string)
        .fold(sqlx::query(AssertSqlSafe(sql)), sqlx::query::Query::bind);
    let row = query.fetch_one(connection).await.map_err(LedgerError::while_doing(doing))?;
    // PostgreSQL's array of nothing is NULL.
    let text: Option<String> = row.try_get(0).map_err(corrupt)?;
    let text = text.unwrap_or_else(|| "[]".to_owned());
    serde_json::from_str(&text).map_err(|error| LedgerError::Corrupt(wrong_row::<R>(&text, &error)))
}

impl Ledger {
    /// As [`all`], by a connection of the pool.
    ///
    /// # Errors
    /// Those of [`all`].
    pub(super) async fn all<R: DeserializeOwned>(
        &self,
        doing: &'static str,
        columns: (&str, &str),
        values: &[&str],
    ) -> Result<Vec<R>, LedgerError> {
        let failed = LedgerError::while_doing(doing);
        let mut connection = self.pool.acquire().await.map_err(failed)?;
        all(&mut connection, doing, columns, values).await
    }
}

/// The first row that is none of these, and why.
fn wrong_row<R: DeserializeOwned>(text: &str, error: &serde_json::Error) -> String {
    let rows: Vec<serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    let wrong = rows.into_iter().find_map(|row| {
        let error = serde_json::from_value::<R>(row.clone()).err()?;
        Some(format!("{error} in the row {row}"))
    });
    wrong.unwrap_or_else(|| error.to_string())
}

/// A column of centavos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(from = "i64")]
pub(super) struct Centavos(pub Money);

impl From<i64> for Centavos {
    fn from(centavos: i64) -> Self {
        Self(Money::from_centavos(centavos))
    }
}

/// Reads a column of text that is parsed.
pub(super) fn parsed<'de, D, T>(column: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    String::deserialize(column)?.parse().map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct One {
        id: String,
        amount: Centavos,
        reason: Option<String>,
    }

    async fn sqlite() -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect("sqlite::memory:").await.unwrap()
    }

    #[tokio::test]
    async fn all_of_it_or_nothing() {
        let mut connection = sqlite().await;
        let from = "(VALUES ('a\"\\', 9007199254740993, NULL), ('é', -1, '[1]')) WHERE $1 = 'x'";
        let columns = ("column1, column2, column3", from);
        let read = all::<One>(&mut connection, "read", columns, &["x"]).await.unwrap();
        let one = |id: &str, amount, reason: Option<&str>| One {
            id: id.to_owned(),
            amount: Centavos::from(amount),
            reason: reason.map(str::to_owned),
        };
        assert_eq!(read, [one("a\"\\", 9_007_199_254_740_993, None), one("é", -1, Some("[1]"))]);
        assert_eq!(all::<One>(&mut connection, "read", columns, &["y"]).await.unwrap(), []);
    }

    #[tokio::test]
    async fn a_row_that_is_none_is_named() {
        let mut connection = sqlite().await;
        let columns = ("column1, column2, NULL", "(VALUES ('a', 1), ('b', 'two'))");
        let error = all::<One>(&mut connection, "read", columns, &[]).await.unwrap_err();
        let words = error.to_string();
        assert!(words.contains("in the row [\"b\",\"two\",null]"), "{words}");
        assert!(words.contains("invalid type: string \"two\""), "{words}");
    }
}
