//! The rules of fecha: what a month is, what counts, what it costs, who owes what.
//!
//! Everything here is pure: no I/O, no clock, no database, no async. Cargo keeps it so: none of the crates
//! that it depends on can do any of that. The folders stand in the way of the data: [`calendar`] →
//! [`count`] → [`price`] → [`bill`] → [`account`], into which [`bank`] files are read; [`party`] is who bills
//! and who is billed, [`letter`] what they are told, [`tax`] what a tax document says of an invoice, [`secret`] and
//! [`database`] what is said of a URL.
#![warn(missing_docs)]

pub mod account;
pub mod bank;
pub mod bill;
pub mod calendar;
pub mod count;
pub mod database;
pub mod letter;
pub mod party;
pub mod price;
pub mod secret;
pub mod tax;
