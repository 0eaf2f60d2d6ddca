//! The functional core: what a month is, what counts, what it costs, when it is due.
//!
//! Everything here is pure: no I/O, no clock, no database, no async. A test
//! (`tests/architecture.rs`) reads the `use` lines of this folder and keeps it so.

pub mod account;
pub mod adjustment;
pub mod advice;
pub mod contact;
pub mod contacts;
pub mod contract;
pub mod counter;
pub mod difference;
pub mod due;
pub mod due_date;
pub mod evidence;
pub mod exception;
pub mod hold;
pub mod invoice;
pub mod money;
pub mod month;
pub mod package_use;
pub mod pix;
pub mod price;
pub mod pro_forma;
pub mod projection;
pub mod register;
pub mod tally;
pub mod tax_id;
