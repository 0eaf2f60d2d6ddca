//! The relation that has the messages: the one piece of SQL that comes from the configuration.

mod lexer;
#[cfg(test)]
mod tests;

pub(super) use self::lexer::Mode;

use self::lexer::{Dialect, Fault, Lexer, Token};
use super::ALIAS;
use super::error::SourceError;
use fecha_core::database::Scheme;

/// A table or view by name, or a parenthesised `SELECT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Relation {
    /// The parts of a name, unquoted: `["public", "message"]`.
    Name(Vec<String>),
    /// `(SELECT …)`, parentheses included, with its comments as they were written.
    Select(String),
}

impl Relation {
    /// Comments before and behind a `SELECT`'s parentheses, and one `;`, are left out.
    ///
    /// # Errors
    /// [`SourceError::BadRelation`] where `text` is something else, or more than one thing.
    pub(super) fn parse(text: &str, scheme: Scheme) -> Result<Self, SourceError> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let read = |dialect| Self::read(text, dialect);
        let relation = match scheme {
            Scheme::Sqlite => read(Dialect::Sqlite),
            Scheme::Postgres => read(Dialect::Postgres),
            // Which mode the server has is known when it is asked: `must_hold_in`.
            Scheme::Mysql => {
                let [usual, others @ ..] = Mode::ALL.map(|mode| read(Dialect::Mysql(mode)));
                others
                    .into_iter()
                    .fold(usual, |known, other| known.or_else(|fault| other.map_err(|_| fault)))
            }
        };
        relation.map_err(|fault| bad(text, fault))
    }

    fn read(text: &str, dialect: Dialect) -> Result<Self, Fault> {
        match Lexer::new(text, dialect).next().transpose()? {
            Some((_, Token::Open)) => Ok(Self::Select(one_select(text, dialect)?.to_owned())),
            Some((at, Token::Word(word))) if begins_a_query(word) => {
                Err(Fault { at, reason: "has no parentheses around its SELECT" })
            }
            _ => name_parts(text).map(Self::Name).map_err(|reason| Fault { at: 0, reason }),
        }
    }

    /// Whether the `SELECT` ends where it was taken to end, read in the server's own mode.
    ///
    /// # Errors
    /// [`SourceError::BadRelation`] where it does not.
    pub(super) fn must_hold_in(&self, mode: Mode) -> Result<(), SourceError> {
        let Self::Select(select) = self else { return Ok(()) };
        one_select(select, Dialect::Mysql(mode)).map(|_| ()).map_err(|fault| bad(select, fault))
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

/// A relation in as few words as people need to know which one is meant: its first, on one line, without
/// the comments before them.
pub(super) fn first_words(relation: &str) -> String {
    const MOST: usize = 60;
    let mut text = relation.trim_start_matches('\u{feff}').trim_start();
    loop {
        let behind = match text {
            text if text.starts_with("--") || text.starts_with('#') => text.split_once('\n'),
            text if text.starts_with("/*") => text.split_once("*/"),
            _ => None,
        };
        let Some((_, behind)) = behind else { break };
        text = behind.trim_start();
    }
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    let line = words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if line.chars().count() <= MOST {
        return line;
    }
    let cut: String = line.chars().take(MOST).collect();
    format!("{}…", cut.trim_end())
}

/// The fault, with its line where there are several.
fn bad(text: &str, fault: Fault) -> SourceError {
    let line = text[..fault.at].matches('\n').count() + 1;
    let place = if text.contains('\n') { format!(" (line {line})") } else { String::new() };
    SourceError::BadRelation {
        relation: first_words(text),
        reason: format!("{}{place}", fault.reason),
    }
}

fn begins_a_query(word: &str) -> bool {
    ["select", "with"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// The parenthesised `SELECT` that is all of a text but for comments and a last `;`: so that what follows
/// in fecha's query stays fecha's.
fn one_select(text: &str, dialect: Dialect) -> Result<&str, Fault> {
    let mut lexer = Lexer::new(text, dialect);
    let mut open = Vec::new();
    let mut has_begun = false;
    let mut last = 0;
    while let Some(token) = lexer.next() {
        let (at, token) = token?;
        last = at;
        match token {
            Token::Open => open.push(at),
            Token::Semicolon => return Err(Fault { at, reason: "has a ';'" }),
            Token::Word(word) if !has_begun && begins_a_query(word) => has_begun = true,
            _ if !has_begun => {
                return Err(Fault { at, reason: "has no SELECT behind its parenthesis" });
            }
            Token::Close => {
                let opened_at = open.pop().unwrap_or_default();
                if open.is_empty() {
                    nothing_follows(lexer)?;
                    return Ok(&text[opened_at..=at]);
                }
            }
            Token::Word(_) | Token::Quoted | Token::Other => {}
        }
    }
    Err(Fault { at: open.pop().unwrap_or(last), reason: "has a parenthesis that does not close" })
}

/// Behind the parenthesis stands nothing, or one `;`.
fn nothing_follows(lexer: Lexer<'_>) -> Result<(), Fault> {
    for (index, token) in lexer.enumerate() {
        let (at, token) = token?;
        if index > 0 || token != Token::Semicolon {
            return Err(Fault { at, reason: "goes on behind its parenthesis" });
        }
    }
    Ok(())
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
