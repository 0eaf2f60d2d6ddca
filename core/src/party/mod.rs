//! Who bills and who is billed.

pub mod email;
pub mod pix;
pub mod register;
pub mod tax_id;
