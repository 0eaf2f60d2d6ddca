//! What tests share: real servers in temporary folders.

pub mod mariadb;
pub mod postfix;
pub mod postgres;
pub mod samples;
pub mod smtp;
