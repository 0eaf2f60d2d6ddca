//! Who bills and who is billed.

pub mod email;
pub mod invisible;
pub mod numbers;
pub mod phone;
pub mod pix;
pub mod register;
pub mod tax_id;
pub mod twins;
