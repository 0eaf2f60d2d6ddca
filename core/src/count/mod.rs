//! Messages become contacts, contacts become a tally.

pub mod aliases;
pub mod contact;
pub mod contacts;
pub mod counter;
pub mod evidence;
mod ids;
pub mod misdated;
pub mod profile;
pub mod projection;
pub mod rules;
pub mod sending;
pub mod service;
pub mod status;
pub mod tally;
mod word;
