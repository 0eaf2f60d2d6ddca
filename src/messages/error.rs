//! What can be wrong with the message database, said to an admin.

use std::fmt;

use super::relation::first_words;
use fecha_core::count::tally::{Residual, Window};
use fecha_core::secret::{Secret, without_password, without_password_of};

/// Where something was wrong: the database's URL without its password, and the relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The database's URL without its password.
    pub database: String,
    /// The relation by its first words.
    pub relation: String,
    url: Secret,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "relation '{}' of {}", self.relation, self.database)
    }
}

impl Place {
    /// The relation of the database that a URL names.
    pub(super) fn new(url: &str, relation: &str) -> Self {
        let (database, url) = (without_password(url), Secret::new(url.to_owned()));
        Self { database, relation: first_words(relation), url }
    }

    /// The same database, with the relation of aliases in it.
    pub(super) fn of_aliases(&self, relation: &str) -> Self {
        Self { relation: format!("aliases {}", first_words(relation)), ..self.clone() }
    }

    /// What a driver says, without the password where it repeats a piece of the URL.
    pub(super) fn said(&self, error: &impl fmt::Display) -> String {
        without_password_of(self.url.expose(), &error.to_string())
    }

    /// Holds each window against the database's own count of its span.
    pub(super) fn prove(&self, windows: &[Window], plain: &[u64]) -> Result<(), SourceError> {
        for (window, plain) in windows.iter().zip(plain) {
            window
                .prove(*plain)
                .map_err(|residual| SourceError::Residual { place: self.clone(), residual })?;
        }
        Ok(())
    }

    /// The thread that read broke off, which is no fault of the database.
    pub(super) fn broken_off(&self, cause: &tokio::task::JoinError) -> SourceError {
        SourceError::Other { place: self.clone(), doing: "reading", cause: cause.to_string() }
    }

    /// How many rows have no time, and how many of them are of direction `in`.
    pub(super) fn refuse_nulls(&self, [messages, incoming]: [u64; 2]) -> Result<(), SourceError> {
        match messages {
            0 => Ok(()),
            _ => Err(SourceError::NullSentAt { place: self.clone(), messages, incoming }),
        }
    }
}

/// Why the message database could not be read. Nothing may be issued from such a pass.
///
/// Every text names the database and says what to do; `cause` is the database's own word.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the fields say what the text shows")]
pub enum SourceError {
    /// The URL names no engine that fecha reads.
    #[error(
        "the message database URL '{database}' has no known scheme: write sqlite:PATH, postgres://USER@HOST/DATABASE or mysql://USER@HOST/DATABASE in [messages] url"
    )]
    UnknownScheme { database: String },
    /// The URL cannot be read.
    #[error(
        "the message database URL '{database}' cannot be read ({cause}): correct [messages] url; special characters in a password are written as %XX"
    )]
    BadUrl { database: String, cause: String },
    /// The configured relation is neither a name nor a parenthesised `SELECT`.
    #[error(
        "[messages] relation '{relation}' {reason}: write the name of a table or view (schema.name is allowed) or one SELECT in parentheses"
    )]
    BadRelation { relation: String, reason: String },
    /// The server is away: running it again may do.
    #[error(
        "the message database {database} cannot be reached ({cause}): check that the server runs and that host and port in [messages] url are right, then run it again"
    )]
    Unreachable { database: String, cause: String },
    /// A file that somebody locks for longer than one may wait, or that the disk does not give now.
    #[error(
        "the message database {database} cannot be read now ({cause}): run it again. Where another program locks it for more than a minute, let that program end its transactions sooner"
    )]
    NotNow { database: String, cause: String },
    /// The login was refused, or lacks a right.
    #[error(
        "access to {place} was refused ({cause}): check user and password in [messages] url, and let that user read the relation (GRANT SELECT); fecha needs no other right"
    )]
    AccessDenied { place: Place, cause: String },
    /// PostgreSQL's row security would leave rows out.
    #[error(
        "row security would hide rows of {place} from this login ({cause}), and their dealerships would be invoiced with no use: let fecha log in as the table's owner or as a role with BYPASSRLS (ALTER ROLE … BYPASSRLS), or give it a view whose owner is one"
    )]
    RowSecurity { place: Place, cause: String },
    /// The server has no such database, or there is no such file.
    #[error("the message database {database} does not exist ({cause}): correct [messages] url")]
    NoSuchDatabase { database: String, cause: String },
    /// The database has no such table or view.
    #[error(
        "{place} does not exist ({cause}): correct [messages] relation; upper and lower case matter, and a schema is written before the name: schema.name"
    )]
    NoSuchRelation { place: Place, cause: String },
    /// Columns that fecha reads are not there; all of them are named.
    #[error(
        "{place} lacks {}: add what is missing, or give fecha a view or a parenthesised SELECT in [messages] relation that names the columns as fecha reads them", columns.join(", ")
    )]
    MissingColumns { place: Place, columns: Vec<&'static str> },
    /// `sent_at` is of a type that does not say when a message was sent.
    #[error("sent_at in {place} is {found}, but must be {expected}")]
    WrongType { place: Place, found: String, expected: &'static str },
    /// Messages without a time belong to no month.
    #[error(
        "sent_at is null in {messages} row(s) of {place}, {incoming} of them of direction 'in': such messages belong to no month and would be missed; give them their time (COALESCE(sent_at, created_at) AS sent_at, or whichever column every row has); WHERE sent_at IS NOT NULL would drop them, and with some systems that is all that contacts write"
    )]
    NullSentAt { place: Place, messages: u64, incoming: u64 },
    /// The buckets do not add up to the database's own count.
    #[error("{place}: {residual}")]
    Residual { place: Place, residual: Residual },
    /// Anything else that the database said.
    #[error("{doing} {place} failed: {cause}")]
    Other { place: Place, doing: &'static str, cause: String },
}

impl SourceError {
    /// Whether the server was away, so that the same command may succeed later (exit status 3).
    #[must_use]
    pub fn is_unreachable(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::NotNow { .. })
    }
}

/// What kind of error an engine's own code stands for.
pub(super) enum Kind {
    Unreachable,
    AccessDenied,
    RowSecurity,
    NoSuchDatabase,
    NoSuchRelation,
    Other,
}

/// An error of a server, by the kind that its engine's code stands for.
pub(super) fn from_server(
    place: &Place,
    doing: &'static str,
    error: &sqlx::Error,
    kind_of: impl Fn(&sqlx::Error) -> Kind,
) -> SourceError {
    let kind = match error {
        sqlx::Error::Io(_) => Kind::Unreachable,
        error => kind_of(error),
    };
    let cause = match error {
        sqlx::Error::Database(error) => place.said(&error.message()),
        sqlx::Error::Io(error) => place.said(error),
        error => place.said(error),
    };
    let (place, database) = (place.clone(), place.database.clone());
    match kind {
        Kind::Unreachable => SourceError::Unreachable { database, cause },
        Kind::AccessDenied => SourceError::AccessDenied { place, cause },
        Kind::RowSecurity => SourceError::RowSecurity { place, cause },
        Kind::NoSuchDatabase => SourceError::NoSuchDatabase { database, cause },
        Kind::NoSuchRelation => SourceError::NoSuchRelation { place, cause },
        Kind::Other => SourceError::Other { place, doing, cause },
    }
}
