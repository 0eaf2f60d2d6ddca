//! `fecha` closes a month of WhatsApp use: it counts, prices, issues and hands over.
#![warn(missing_docs)]

pub mod billing;
pub mod clock;
pub mod config;
pub mod demo;
pub mod document;
pub mod evidence_key;
pub mod init;
pub mod mail;
pub mod messages;
pub mod register;
pub mod report;
