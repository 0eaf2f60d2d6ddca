//! A dealership's month as it is billed.

pub mod difference;
pub mod digest;
pub mod exception;
pub mod hold;
pub mod invoice;
pub mod package_use;
pub mod pro_forma;
