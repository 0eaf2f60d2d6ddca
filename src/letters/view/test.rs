//! What the email of `fecha check --send-to` says.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Serialize;

use super::digest::local;
use fecha_core::letter::text::one_line;

/// What the email is about.
#[derive(Debug, Clone, Copy)]
pub struct Test<'a> {
    /// The reseller's name.
    pub issuer: &'a str,
    /// When it was asked for.
    pub now: DateTime<Utc>,
    /// The reseller's.
    pub timezone: Tz,
    /// By which way it goes: a mail server, a folder.
    pub by: &'a str,
    /// Where every other email goes instead of to its recipient.
    pub redirect: Option<&'a str>,
}

/// The same, for the template.
#[derive(Debug, Serialize)]
pub struct TestView {
    issuer: String,
    at: String,
    by: String,
    redirect: Option<String>,
}

impl TestView {
    /// Texts of people on one line each.
    pub fn of(test: &Test<'_>) -> Self {
        Self {
            issuer: one_line(test.issuer),
            at: local(test.now, test.timezone),
            by: one_line(test.by),
            redirect: test.redirect.map(one_line),
        }
    }
}
