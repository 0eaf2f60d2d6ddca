//! `fecha` closes a month of WhatsApp use: it counts, prices, issues and hands over.
#![warn(missing_docs)]

pub mod billing;
pub mod clock;
pub mod document;
pub mod ledger;
pub mod mail;
pub mod messages;
pub mod report;
