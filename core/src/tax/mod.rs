//! What the DPS of the national NFS-e (layout 1.01) says of an invoice: its amounts, its parties, its codes. How it
//! is written as XML is no matter of the core.

pub mod codes;
pub mod dps;
pub mod profile;
pub mod taxed;
