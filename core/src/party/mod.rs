//! Who bills and who is billed.

pub mod email;
pub mod group;
pub mod invisible;
pub mod municipality;
pub mod numbers;
pub mod person;
pub mod phone;
pub mod pix;
pub mod postal_code;
pub mod register;
pub mod search;
pub mod tax_id;
pub mod twins;
