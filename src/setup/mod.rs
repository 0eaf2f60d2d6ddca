//! What an action works with, made ready: configuration, register files, key, sample data.

pub mod config;
pub mod demo;
pub mod evidence_key;
pub mod init;
pub mod office;
pub mod register;
pub mod traces;
