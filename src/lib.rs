//! `fecha` closes a month of WhatsApp use: it counts, prices, issues and hands over.
//!
//! The way of the data: a **month** ([`fecha_core::calendar`]) is counted from the message database
//! ([`messages`]) into a **tally** ([`fecha_core::count`]), **priced** ([`fecha_core::price`]), made a
//! **bill** ([`fecha_core::bill`]) and **issued** ([`actions::issue`]) into the ledger ([`ledger`]) with its
//! documents ([`document`]); then finance is told ([`actions::handover`]) and the **letters** ([`letters`]) go
//! by **post** ([`post`]). [`actions::close::close_month`] is that sentence as code; the command line
//! ([`cli`]) calls it, and the [`daemon`] when a month has ended.
#![warn(missing_docs)]

pub mod actions;
pub mod api;
pub mod cli;
pub mod clock;
pub mod console;
pub mod daemon;
pub mod document;
pub mod ledger;
pub mod letters;
pub mod messages;
pub mod post;
pub mod setup;
pub mod tax;
