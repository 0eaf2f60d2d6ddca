//! One test binary: the real databases, mail servers and the real command, black-box first.

mod architecture;
mod documents;
mod email;
mod mail;
mod messages;
mod register;
mod report;
mod support;
