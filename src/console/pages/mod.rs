//! The pages, one file each: what a page shows is a struct, and its forms call one action each.

pub(super) mod account;
pub(super) mod audit;
pub(super) mod bank;
pub(super) mod dealership;
pub(super) mod dealerships;
pub(super) mod differences;
pub(super) mod downloads;
pub(super) mod emails;
pub(super) mod import;
pub(super) mod invoice;
mod invoice_view;
pub(super) mod invoices;
pub(super) mod month;
pub(super) mod months;
pub(super) mod payments;
pub(super) mod people;
pub(super) mod pro_forma;
pub(super) mod receivables;
pub(super) mod simulate;
pub(super) mod system;
pub(super) mod task;
pub(super) mod today;
pub(super) mod tokens;

use super::Oops;

/// What has no page.
pub async fn nothing_here() -> Oops {
    Oops::NotFound("Não há nada neste endereço. Confira o que foi digitado.".to_owned())
}
