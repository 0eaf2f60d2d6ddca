//! What the templates may say, in words and ready-made figures: no template calculates.

mod alert;
mod bar;
mod blocks;
mod cancellation;
mod digest;
mod group;
mod held;
mod invoice;
mod month;
mod package_use;
mod reminder;
mod test;

pub use alert::AlertView;
pub use cancellation::CancellationView;
pub use digest::DigestView;
pub use group::{Enclosed, GroupView};
pub use held::HeldView;
pub use invoice::{InvoiceSubject, InvoiceView};
pub use package_use::PackageUseView;
pub use reminder::ReminderView;
pub use test::{Test, TestView};

use fecha_core::price::money::grouped;

/// `1 fatura`, `1.498 faturas`.
fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// As [`counted`], with `nenhuma fatura` (`none`) for zero.
fn counted_or_none(number: usize, none: &str, one: &str, many: &str) -> String {
    match number {
        0 => none.to_owned(),
        _ => counted(number as u64, one, many),
    }
}
