//! What tests share: real servers in temporary folders, sample data.

pub mod mariadb;
pub mod postfix;
pub mod postgres;
pub mod reseller;
pub mod sample;
mod server;
pub mod samples;
pub mod smtp;
