//! What use costs: money, price tables, contracts and what another package would have cost.

pub mod advice;
pub mod contract;
pub mod discount;
pub mod item;
pub mod list;
pub mod money;
pub mod rates;
pub mod table;
pub mod typed;
