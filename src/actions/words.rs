//! Words that whoever shows a result to a person needs, wherever that is.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use fecha_core::bill::exception::{Exception, Reason};
use fecha_core::price::money::grouped;

/// Text that others wrote, safe for a terminal: control and direction characters are shown, not obeyed.
#[must_use]
pub fn plain(text: &str) -> String {
    let is_unsafe = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let shown = |c: char| if is_unsafe(c) { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// `1 email`, `1.200 emails`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}

/// `2026-11-01 00:00`, by the clocks of a zone.
#[must_use]
pub fn local(instant: DateTime<Utc>, zone: Tz) -> String {
    instant.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string()
}

/// One exception: who, what, what to do.
#[must_use]
pub fn in_a_line(exception: &Exception) -> String {
    let who = match (&exception.dealership_id, exception.reason) {
        (Some(id), _) => format!("'{}'", plain(id)),
        (None, Reason::UnknownStatus | Reason::Misdated) => "messages".to_owned(),
        (None, _) => "(messages without a dealership)".to_owned(),
    };
    let Exception { reason, messages, .. } = exception;
    let detail = exception.detail.as_ref().map(|detail| format!(" [{}]", plain(detail)));
    format!(
        "{who} {}: {} ({}, {}){}",
        reason.fact(),
        reason.todo(),
        reason.key(),
        count(usize::try_from(*messages).unwrap_or(usize::MAX), "message"),
        detail.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_others_wrote_commands_the_terminal() {
        assert_eq!(plain("d1\u{1b}[2J\n"), "d1\\u{1b}[2J\\n");
        assert_eq!(plain("São João \u{202e}x"), "São João \\u{202e}x");
    }
}
