//! Tax documents as files: the DPS of the national NFS-e. What it says is the core's ([`fecha_core::tax`]).

pub mod xml;
