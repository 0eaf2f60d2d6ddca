//! What happens to the money: credit notes and charges, payments, and what is open. Open items: nothing that
//! can be computed is kept.

pub mod entry;
pub mod from_0_1;
pub mod note;
pub mod payment;
pub mod proof;
pub mod receivables;
pub mod reference;
pub mod reminder;
pub mod settled;
pub mod split;
