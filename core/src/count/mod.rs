//! Messages become contacts, contacts become a tally.

pub mod contact;
pub mod contacts;
pub mod counter;
pub mod evidence;
mod ids;
pub mod projection;
pub mod tally;
