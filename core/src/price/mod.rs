//! What use costs: money, price tables, contracts and what another package would have cost.

pub mod advice;
pub mod category;
pub mod contract;
pub mod discount;
pub mod item;
pub mod list;
pub mod messages;
pub mod money;
pub mod monthly;
pub mod rates;
pub mod table;
pub mod typed;
