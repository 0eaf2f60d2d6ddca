//! `fecha` closes a month of WhatsApp use: it counts, prices, issues and hands over.
//!
//! The way of the data, and the modules in its order: a **month** ([`fecha_core::calendar::month`]) is counted
//! from the message database ([`messages`]) into a **tally** ([`fecha_core::count::tally`]), **priced**
//! ([`fecha_core::price::table`]) and **issued** ([`issue`]) into the ledger ([`ledger`]) with its documents
//! ([`document`]); then it is **handed over** ([`handover`], [`report`]) and its emails are
//! **delivered** ([`deliver`], [`mail`]). [`close::close_month`] is that sentence as code; the
//! [`daemon`] runs it when a month has ended.
#![warn(missing_docs)]

pub mod actions;
pub mod cli;
pub mod clock;
pub mod daemon;
pub mod document;
pub mod ledger;
pub mod letters;
pub mod messages;
pub mod post;
pub mod setup;
