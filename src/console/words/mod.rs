//! What actions say, in the words of the console: Portuguese, with pages instead of commands.

pub mod attention;
pub mod audit;
pub mod bank;
pub mod email;
pub mod invoice;
pub mod money;
pub mod people;
pub mod register;
pub mod sought;
pub mod task;
