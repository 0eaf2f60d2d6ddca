//! Who bills and who is billed.

pub mod pix;
pub mod register;
pub mod tax_id;
