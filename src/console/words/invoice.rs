//! Invoices and payments.

use crate::ledger::listing::Listed;
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::Serialize;

use fecha_core::account::payment::Kind;
use fecha_core::account::settled::PaymentState;
use fecha_core::bill::invoice::{Invoice, InvoiceState};
use fecha_core::price::item::{Item, Line};
use fecha_core::price::money::{Money, decimal_comma, grouped};
use fecha_core::price::monthly::Per;

/// Words with the kind of badge that they stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Badge {
    /// In a word or two.
    pub words: &'static str,
    /// `good`, `bad`, `warn` or `quiet`.
    pub kind: &'static str,
}

/// Where an invoice stands.
#[must_use]
pub fn standing(listed: &Listed, today: NaiveDate) -> Badge {
    let account = listed.account();
    let late = account.is_overdue(today);
    let (words, kind) = match (listed.state, account.payment()) {
        (InvoiceState::Cancelled, _) => ("Cancelada", "quiet"),
        (InvoiceState::Superseded, _) => ("Substituída", "quiet"),
        (InvoiceState::Issued, PaymentState::Paid) => ("Paga", "good"),
        (InvoiceState::Issued, PaymentState::Open) if late => ("Vencida", "bad"),
        (InvoiceState::Issued, PaymentState::Open) => ("Em aberto", "quiet"),
        (InvoiceState::Issued, PaymentState::PartPaid) if late => ("Vencida, paga em parte", "bad"),
        (InvoiceState::Issued, PaymentState::PartPaid) => ("Paga em parte", "warn"),
    };
    Badge { words, kind }
}

/// How a line's amount comes about.
#[must_use]
pub fn how(invoice: &Invoice, line: &Line) -> String {
    let each = format!("{} × {}", grouped(line.quantity), price(line.unit_price));
    match &line.item {
        Item::Package { .. } => format!("{each}, devido por inteiro com qualquer uso"),
        Item::Overage => format!(
            "{} contatos únicos − {} do pacote = {each}",
            grouped(invoice.usage.uam),
            grouped(invoice.package)
        ),
        Item::Hsm | Item::UnbilledHsm | Item::Messages { .. } => each,
        Item::Monthly { per: Per::Dealership, .. } => format!("{each}, devido com qualquer uso"),
        Item::Monthly { per: Per::Number, .. } => {
            format!("{each}, por número do cadastro, devido com qualquer uso")
        }
        Item::Discount { percent } => {
            format!("{} de {}", percent.in_portuguese(), invoice.before_discount().brl())
        }
        Item::Adjustment { .. } => "lançamento".to_owned(),
    }
}

fn price(price: Decimal) -> String {
    let sign = if price.is_sign_negative() { "−" } else { "" };
    format!("{sign}R$\u{a0}{}", decimal_comma(price.abs()))
}

/// What came in.
#[must_use]
pub fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Money => "Pagamento",
        Kind::Iss => "ISS retido",
        Kind::Irrf => "IRRF retido",
        Kind::Csrf => "CSRF retida",
        Kind::Discount => "Desconto",
        Kind::Interest => "Juros e multa",
    }
}

/// `+ R$ 35,67`, `− R$ 35,67`.
#[must_use]
pub fn signed(amount: Money) -> String {
    let (sign, amount) = if amount < Money::ZERO { ('−', -amount) } else { ('+', amount) };
    format!("{sign}\u{a0}{}", amount.brl())
}

/// `10/11/2026`.
#[must_use]
pub fn day(day: NaiveDate) -> String {
    day.format("%d/%m/%Y").to_string()
}
