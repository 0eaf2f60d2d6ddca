//! One test binary: the real databases, mail servers and the real command, black-box first.

mod architecture;
mod audit;
mod bad_input;
mod close;
mod correct;
mod daemon;
mod delivery;
mod demo;
mod documents;
mod email;
mod evidence;
mod faults;
mod fire;
mod history;
mod kill;
mod lease;
mod mail;
mod messages;
mod operations;
mod papers;
mod preview;
mod register;
mod report;
mod rerun;
mod support;
mod verify;
