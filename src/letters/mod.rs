//! Letters: what people read, from templates and figures. The [`report`] is what finance gets of a close.
//!
//! [`address`] says to whom, and is the only maker of a letter; [`compose`] makes an [`email::Email`] of its words ([`template`]) and the files.

pub mod address;
pub mod compose;
pub mod email;
pub mod enclosure;
pub mod mailbox;
pub mod report;
pub mod template;
mod view;
