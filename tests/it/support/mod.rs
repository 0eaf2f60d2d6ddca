//! What tests share: real servers in temporary folders, sample data.

pub mod api;
pub mod browser;
pub mod caddy;
pub mod chromium;
pub mod daemon;
pub mod gate;
pub mod line;
pub mod mariadb;
pub mod message_db;
pub mod nginx;
pub mod pdf;
pub mod postfix;
pub mod postgres;
pub mod reseller;
pub mod sample;
pub mod samples;
mod server;
pub mod smtp;
pub mod tools;
