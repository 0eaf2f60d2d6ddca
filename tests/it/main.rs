//! One test binary: the real databases, mail servers and the real command, black-box first.

mod architecture;
mod bad_input;
mod close;
mod daemon;
mod demo;
mod documents;
mod email;
mod kill;
mod mail;
mod messages;
mod operations;
mod register;
mod report;
mod support;
