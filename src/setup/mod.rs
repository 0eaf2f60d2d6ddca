//! What an action works with, made ready: configuration, register files, key, sample data.

pub mod config;
pub mod demo;
pub mod evidence_key;
pub mod init;
pub mod input;
pub mod layout;
pub mod legible;
pub mod office;
pub mod process;
pub mod register;
pub mod sources;
pub mod traces;
