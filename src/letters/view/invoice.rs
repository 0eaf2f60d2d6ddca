use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::Serialize;

use super::bar::Bar;
use super::counted;
use crate::letters::compose::invoice_file;
use crate::letters::email::Attachment;
use crate::letters::enclosure::Enclosure;
use fecha_core::bill::bridge::Bridge;
use fecha_core::bill::invoice::{Invoice, Replacement, label};
use fecha_core::letter::text::{one_line, shortened};
use fecha_core::party::phone;
use fecha_core::party::register::{Issuer, Party};
use fecha_core::price::item::Line;
use fecha_core::price::money::{Money, decimal_comma, grouped};

/// Longest free text, in characters: a name, a reason.
const LENGTH: usize = 300;

/// What the email to a dealership says.
#[derive(Debug, Serialize)]
pub struct InvoiceView {
    label: String,
    greeting: String,
    month: String,
    period: String,
    total: String,
    /// What was paid before it was issued, where something was.
    paid: Option<String>,
    to_pay: String,
    /// Whether there is something to pay.
    payable: bool,
    /// What was paid beyond the total: the next invoice takes it.
    credit: Option<String>,
    due_on: String,
    due_weekday: &'static str,
    usage: UsageView,
    lines: Vec<LineView>,
    /// Why it is more or less than last month.
    change: Option<String>,
    pix: Option<String>,
    /// What is asked of who pays late.
    late_fee: Option<String>,
    replaces: Option<ReplacesView>,
    invoice_file: String,
    /// `None` where it is too large for an email.
    statement_file: Option<String>,
    evidence: Option<EvidenceView>,
    issuer: IssuerView,
}

/// What its subject says of it.
#[derive(Debug, Serialize)]
pub struct InvoiceSubject {
    label: String,
    month: String,
    to_pay: String,
    payable: bool,
}

#[derive(Debug, Serialize)]
struct UsageView {
    /// `5.123 contatos no mês`.
    uam: String,
    /// `5.000 contatos`.
    package: String,
    /// Whole percent: down to the package rounded down, above it up.
    percent: String,
    bar: Bar,
    /// What was sent in templates.
    hsm: String,
}

#[derive(Debug, Serialize)]
struct LineView {
    description: String,
    /// `123 × R$ 0,29`.
    calculation: String,
    amount: String,
}

#[derive(Debug, Serialize)]
struct ReplacesView {
    label: String,
    total: String,
    reason: String,
}

/// The evidence, where it was wished for.
#[derive(Debug, Serialize)]
struct EvidenceView {
    /// The attached file; `None` where it is too large for an email.
    file: Option<String>,
    /// Whether the file is compressed.
    packed: bool,
}

#[derive(Debug, Serialize)]
pub struct IssuerView {
    name: String,
    cnpj: String,
    address: String,
    email: String,
    phone: String,
}

/// `R$ 49,47 a mais que em setembro. Contatos acima do pacote: 0 → 123 (+ R$ 35,67).`
fn change(bridge: &Bridge) -> String {
    let steps = bridge.steps.iter().flatten();
    let steps: Vec<String> =
        steps.map(|step| format!("{} ({})", step.in_portuguese(), step.signed())).collect();
    let steps = if steps.is_empty() { String::new() } else { format!(" {}.", steps.join("; ")) };
    let total = bridge.in_portuguese();
    let (first, rest) = total.split_at(1);
    format!("{}{rest}.{steps}", first.to_uppercase())
}

impl InvoiceSubject {
    pub fn of(invoice: &Invoice) -> Self {
        Self {
            label: invoice.label(),
            month: invoice.month.in_words(),
            to_pay: invoice.to_pay().brl(),
            payable: invoice.to_pay() > Money::ZERO,
        }
    }
}

impl InvoiceView {
    pub fn of(invoice: &Invoice, statement: Option<&Attachment>, evidence: &Enclosure) -> Self {
        let (total, paid) = (invoice.total(), invoice.paid());
        Self {
            label: invoice.label(),
            greeting: greeting(&invoice.dealership),
            month: invoice.month.in_words(),
            period: period(invoice),
            total: total.brl(),
            paid: (paid > Money::ZERO).then(|| paid.brl()),
            to_pay: invoice.to_pay().brl(),
            payable: invoice.to_pay() > Money::ZERO,
            credit: (invoice.credit() > Money::ZERO).then(|| invoice.credit().brl()),
            change: Bridge::of(invoice).as_ref().map(change),
            due_on: day(invoice.due_on),
            due_weekday: weekday(invoice.due_on),
            usage: UsageView::of(invoice),
            lines: invoice.lines.iter().map(LineView::of).collect(),
            pix: invoice.pix.clone(),
            late_fee: invoice.late_fee.as_deref().map(line),
            replaces: invoice.replaces.as_ref().map(|before| ReplacesView::of(invoice, before)),
            invoice_file: invoice_file(&invoice.label()),
            statement_file: statement.map(|file| file.file_name.clone()),
            evidence: EvidenceView::of(evidence),
            issuer: IssuerView::of(&invoice.issuer),
        }
    }
}

impl EvidenceView {
    fn of(evidence: &Enclosure) -> Option<Self> {
        let file = evidence.attachment().map(|attachment| attachment.file_name.clone());
        let packed = matches!(evidence, Enclosure::Packed(_));
        (*evidence != Enclosure::None).then_some(Self { file, packed })
    }
}

impl UsageView {
    fn of(invoice: &Invoice) -> Self {
        let (uam, package) = (invoice.usage.uam, invoice.package);
        // Down to the package and up above it: 100 % is said of all of it alone.
        let hundredfold = uam.saturating_mul(100);
        let percent = if uam > package {
            hundredfold.div_ceil(package.max(1))
        } else {
            hundredfold.checked_div(package).unwrap_or(100)
        };
        Self {
            uam: counted(uam, "contato no mês", "contatos no mês"),
            package: counted(package, "contato", "contatos"),
            percent: grouped(percent),
            bar: Bar::of(uam, package),
            hsm: counted(
                invoice.usage.hsm,
                "mensagem de modelo (HSM) enviada",
                "mensagens de modelo (HSM) enviadas",
            ),
        }
    }
}

impl LineView {
    fn of(charged: &Line) -> Self {
        let description = line(&charged.item.in_portuguese());
        Self {
            description,
            calculation: format!(
                "{} × {}",
                grouped(charged.quantity),
                unit_price(charged.unit_price)
            ),
            amount: charged.amount.brl(),
        }
    }
}

impl ReplacesView {
    fn of(invoice: &Invoice, before: &Replacement) -> Self {
        Self {
            label: label(invoice.number, before.revision),
            total: before.total.brl(),
            reason: line(&before.reason),
        }
    }
}

impl IssuerView {
    pub fn of(issuer: &Issuer) -> Self {
        Self {
            name: line(&issuer.name),
            cnpj: issuer.cnpj.to_string(),
            address: line(&format!("{}, {}/{}", issuer.address, issuer.city, issuer.state)),
            email: issuer.email.to_string(),
            phone: line(&phone::in_words(&issuer.phone)),
        }
    }
}

/// The name on the sign, or the legal one.
pub fn greeting(party: &Party) -> String {
    let name = if party.trade_name.trim().is_empty() { &party.name } else { &party.trade_name };
    line(name)
}

pub fn line(text: &str) -> String {
    shortened(&one_line(text), LENGTH)
}

/// A price may be finer than a centavo, and a credit's is negative.
fn unit_price(price: Decimal) -> String {
    let sign = if price.is_sign_negative() { "-" } else { "" };
    format!("{sign}R$\u{a0}{}", decimal_comma(price.abs()))
}

/// `01/10/2026 a 31/10/2026`: the first and the last local day.
fn period(invoice: &Invoice) -> String {
    let local = |instant: DateTime<Utc>| day(instant.with_timezone(&invoice.timezone).date_naive());
    let last = invoice.period.end - TimeDelta::milliseconds(1);
    format!("{} a {}", local(invoice.period.start), local(last))
}

pub fn day(date: NaiveDate) -> String {
    date.format("%d/%m/%Y").to_string()
}

pub fn weekday(date: NaiveDate) -> &'static str {
    const NAMES: [&str; 7] = [
        "segunda-feira",
        "terça-feira",
        "quarta-feira",
        "quinta-feira",
        "sexta-feira",
        "sábado",
        "domingo",
    ];
    NAMES[date.weekday().num_days_from_monday() as usize]
}
