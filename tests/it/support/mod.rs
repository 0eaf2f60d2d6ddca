//! What tests share: real servers in temporary folders.

pub mod mariadb;
pub mod message_db;
pub mod postgres;
mod server;
