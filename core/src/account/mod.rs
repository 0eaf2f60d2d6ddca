//! What happens to the money: credits and charges, payments.

pub mod adjustment;
pub mod settled;
