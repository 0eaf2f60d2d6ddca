//! One test binary: the real databases, mail servers and the real command, black-box first.

mod architecture;
mod demo;
mod documents;
mod mail;
mod messages;
mod register;
mod support;
