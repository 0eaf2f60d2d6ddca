//! What the server's errors stand for.

use sqlx::postgres::PgDatabaseError;

use crate::messages::error::Kind;

/// SQLSTATE `insufficient_privilege`.
pub(super) const DENIED: &str = "42501";

/// SQLSTATE `undefined_column`.
pub(super) const NO_SUCH_COLUMN: &str = "42703";

pub(super) fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

fn routine(error: &sqlx::Error) -> Option<&str> {
    error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?.routine()
}

/// <https://www.postgresql.org/docs/15/errcodes-appendix.html>
pub(super) fn kind_of(error: &sqlx::Error) -> Kind {
    match code(error).as_deref() {
        // A lock that is not given, a query that was cancelled, transactions that crossed (on a standby too).
        Some("55P03" | "57014" | "40001" | "40P01" | "25P03" | "25P04") => Kind::Unreachable,
        // Shut down, crashed, starting up; out of resources; connection exceptions; a system's error.
        Some(code) if ["08", "53", "57P", "58"].iter().any(|class| code.starts_with(class)) => {
            Kind::Unreachable
        }
        // The message is in the server's language, the function's name is not.
        Some(DENIED) if routine(error) == Some("check_enable_rls") => Kind::RowSecurity,
        Some(DENIED) => Kind::AccessDenied,
        Some(code) if code.starts_with("28") => Kind::AccessDenied,
        Some("3D000") => Kind::NoSuchDatabase,
        Some("42P01") => Kind::NoSuchRelation,
        _ => Kind::Other,
    }
}
