//! The relation that has the messages: the one piece of SQL that comes from the configuration.

use super::ALIAS;
use super::error::SourceError;

/// A table or view by name, or a parenthesised `SELECT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Relation {
    /// The parts of a name, unquoted: `["public", "message"]`.
    Name(Vec<String>),
    /// `(SELECT …)`, parentheses included.
    Select(String),
}

impl Relation {
    /// # Errors
    /// [`SourceError::BadRelation`] where `text` is something else, or more than one thing.
    pub(super) fn parse(text: &str) -> Result<Self, SourceError> {
        let text = text.trim();
        let relation = if text.contains(';') {
            Err("has a ';'")
        } else if text.starts_with('(') {
            is_one_select(text).map(|()| Self::Select(text.to_owned()))
        } else {
            name_parts(text).map(Self::Name)
        };
        relation.map_err(|reason| SourceError::BadRelation {
            relation: text.to_owned(),
            reason: reason.to_owned(),
        })
    }

    /// Schema, if it is named, and table or view; `None` for a `SELECT`.
    pub(super) fn table(&self) -> Option<(Option<&str>, &str)> {
        match self {
            Self::Select(_) => None,
            Self::Name(parts) => {
                let (table, before) = parts.split_last()?;
                Some((before.last().map(String::as_str), table))
            }
        }
    }

    /// What stands behind `FROM`; each part of a name in the engine's quotes.
    pub(super) fn sql(&self, quote: char) -> String {
        match self {
            Self::Select(select) => format!("{select} AS {ALIAS}"),
            Self::Name(parts) => {
                let quoted: Vec<String> =
                    parts.iter().map(|part| format!("{quote}{part}{quote}")).collect();
                format!("{} AS {ALIAS}", quoted.join("."))
            }
        }
    }
}

const NO_NAME: &str = "is no plain name";

/// Splits `schema.name`; a part may be quoted already.
fn name_parts(text: &str) -> Result<Vec<String>, &'static str> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, behind) = match rest.chars().next() {
            Some(quote @ ('"' | '`')) => rest[1..].split_once(quote).ok_or(NO_NAME)?,
            _ => rest.split_at(rest.find('.').unwrap_or(rest.len())),
        };
        let is_quoted = rest.starts_with(['"', '`']);
        let is_plain = |c: char| c.is_alphanumeric() || "_$-".contains(c);
        let is_allowed =
            |c: char| is_plain(c) || is_quoted && !c.is_control() && !"\"`".contains(c);
        if part.is_empty() || !part.chars().all(is_allowed) {
            return Err(NO_NAME);
        }
        parts.push(part.to_owned());
        match behind.strip_prefix('.') {
            Some(next) => rest = next,
            None if behind.is_empty() => return Ok(parts),
            None => return Err(NO_NAME),
        }
    }
}

/// Whether the first parenthesis closes with the last character, and nothing is commented out: so
/// that what follows in fecha's query stays fecha's.
fn is_one_select(text: &str) -> Result<(), &'static str> {
    let inner = text[1..].trim_start().to_ascii_uppercase();
    if !inner.starts_with("SELECT") && !inner.starts_with("WITH") {
        return Err("has no SELECT behind its parenthesis");
    }
    if text.contains("--") || text.contains("/*") {
        return Err("has a comment");
    }
    let mut depth = 0_usize;
    let mut quoted_by = None;
    for (index, c) in text.char_indices() {
        match (quoted_by, c) {
            (Some(quote), _) if c == quote => quoted_by = None,
            (None, '\'' | '"' | '`') => quoted_by = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => {
                depth -= 1; // at least 1: the loop ends where the first parenthesis closes
                if depth == 0 {
                    let is_last = index + 1 == text.len();
                    return if is_last { Ok(()) } else { Err("goes on behind its parenthesis") };
                }
            }
            _ => {}
        }
    }
    Err("has a parenthesis or a quote that does not close")
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("message", r#""message""#)]
    #[case(" message ", r#""message""#)]
    #[case("wa.message", r#""wa"."message""#)]
    #[case("wa.mensagens-2026", r#""wa"."mensagens-2026""#)]
    #[case("Mensagem", r#""Mensagem""#)]
    #[case("order", r#""order""#)]
    #[case(r#""my schema"."a.b""#, r#""my schema"."a.b""#)]
    #[case("`wa`.message", r#""wa"."message""#)]
    #[case("(SELECT * FROM message)", "(SELECT * FROM message)")]
    #[case("(with m as (select 1) select * from m)", "(with m as (select 1) select * from m)")]
    #[case("( SELECT ')' AS kind FROM m)", "( SELECT ')' AS kind FROM m)")]
    #[case("(SELECT 'it''s)' FROM m)", "(SELECT 'it''s)' FROM m)")]
    fn what_stands_behind_from(#[case] text: &str, #[case] sql: &str) {
        let relation = Relation::parse(text).unwrap();
        assert_eq!(relation.sql('"'), format!("{sql} AS fecha_messages"));
    }

    #[rstest]
    #[case("")]
    #[case(".message")]
    #[case("wa.")]
    #[case("message m")]
    #[case("message, other")]
    #[case("message; DROP TABLE message")]
    #[case("message\"")]
    #[case("\"message")]
    #[case("\"a`b\"")]
    #[case("\"message\"x")]
    #[case("message -- ")]
    #[case("SELECT * FROM message")]
    #[case("(message)")]
    #[case("(DELETE FROM message RETURNING *)")]
    #[case("(SELECT 1; DELETE FROM message)")]
    #[case("(SELECT 1) UNION (SELECT 2)")]
    #[case("(SELECT 1) AS m, (SELECT 2)")]
    #[case("(SELECT 1")]
    #[case("(SELECT 1))")]
    #[case("(SELECT ')")]
    #[case("(SELECT * FROM message --)")]
    #[case("(SELECT * FROM message /*)")]
    fn refuses_what_is_no_relation(#[case] text: &str) {
        let error = Relation::parse(text).unwrap_err();
        assert!(matches!(error, SourceError::BadRelation { .. }), "{error}");
    }
}
