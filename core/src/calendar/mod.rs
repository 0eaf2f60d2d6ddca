//! Which months there are, when they end, and which days are bank days.

pub mod due;
pub mod due_date;
pub mod month;
pub mod wall;
pub mod zone;
