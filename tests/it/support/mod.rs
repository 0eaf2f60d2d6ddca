//! What tests share: real servers in temporary folders.

pub mod mariadb;
pub mod pdf;
pub mod postgres;
pub mod sample;
