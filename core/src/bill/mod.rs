//! A dealership's month as it is billed.

#[expect(clippy::module_inception, reason = "the bill itself, in the room of bills")]
pub mod bill;
pub mod bridge;
pub mod case;
pub mod contact_changes;
pub mod difference;
pub mod digest;
pub mod effect;
pub mod exception;
pub mod group_bill;
pub mod hold;
pub mod invoice;
pub mod package_use;
pub mod plan;
pub mod pro_forma;
