//! What a person or the daemon does: one function each, called by whoever is asked.

mod book;
pub mod cancel;
pub mod close;
pub mod handover;
pub mod issue;
pub mod package_use;
pub mod preview;
pub mod recount;
pub mod rerun;
pub mod simulate;
pub mod verify;
