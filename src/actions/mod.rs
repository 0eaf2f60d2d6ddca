//! What a person or the daemon does: one function each, called by whoever is asked.

pub mod adjust;
pub mod attention;
mod book;
pub mod cancel;
pub mod close;
pub mod handover;
pub mod import;
pub mod invoices;
pub mod issue;
pub mod mailed;
pub mod outbox;
pub mod package_use;
pub mod patience;
pub mod pay;
pub mod preview;
pub mod profile;
pub mod receivables;
pub mod recount;
pub mod reminders;
pub mod rerun;
pub mod resend;
pub mod simulate;
pub mod status;
pub mod verify;
pub mod words;
