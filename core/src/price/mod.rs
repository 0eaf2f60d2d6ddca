//! What use costs: money, price tables, contracts and what another package would have cost.

pub mod advice;
pub mod contract;
pub mod item;
pub mod money;
pub mod table;
pub mod typed;
