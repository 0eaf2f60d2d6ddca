//! `fecha` closes a month of WhatsApp use: it counts, prices, issues and hands over.
//!
//! The way of the data, and the modules in its order: a **month** ([`billing::month`]) is counted
//! from the message database ([`messages`]) into a **tally** ([`billing::tally`]), **priced**
//! ([`billing::price`]) and **issued** ([`issue`]) into the ledger ([`ledger`]) with its documents
//! ([`document`]); then it is **handed over** ([`handover`], [`report`]) and its emails are
//! **delivered** ([`deliver`], [`mail`]). [`close::close_month`] is that sentence as code; the
//! [`daemon`] runs it when a month has ended.
#![warn(missing_docs)]

pub mod billing;
pub mod cancel;
pub mod cli;
pub mod clock;
pub mod close;
pub mod config;
pub mod daemon;
pub mod deliver;
pub mod demo;
pub mod document;
pub mod evidence_key;
pub mod handover;
pub mod init;
pub mod issue;
pub mod ledger;
pub mod mail;
pub mod messages;
pub mod office;
pub mod package_use;
pub mod preview;
pub mod recount;
pub mod register;
pub mod report;
pub mod rerun;
pub mod simulate;
pub mod verify;
