use serde::Serialize;

use super::counted;
use super::invoice::{IssuerView, day, weekday};
use fecha_core::bill::group_bill::{GroupBill, GroupRow};
use fecha_core::letter::Part;
use fecha_core::price::money::Money;

/// How the invoices go with an email.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Enclosed {
    /// Each file by itself.
    Loose,
    /// In one archive.
    Archive,
}

/// What the email to a group says.
#[derive(Debug, Serialize)]
pub struct GroupView {
    group: String,
    txid: String,
    /// `outubro de 2026`.
    month: String,
    /// `3 faturas`.
    invoices: String,
    /// Of all; `None` where nothing is to be paid.
    to_pay: Option<String>,
    /// The first day on which something is due.
    due: Option<(String, &'static str)>,
    /// Whether all that is to be paid is due on that day.
    due_together: bool,
    /// The total and what of it is paid, where something is.
    paid: Option<(String, String)>,
    rows: Vec<RowView>,
    pix: Option<String>,
    /// The bill that it replaces.
    replaces: Option<String>,
    enclosed: Enclosed,
    part: usize,
    of: usize,
    issuer: IssuerView,
}

#[derive(Debug, Serialize)]
struct RowView {
    label: String,
    called: String,
    cnpj: String,
    due_on: String,
    to_pay: String,
    /// Nothing is open of it.
    settled: bool,
    /// The total and what of it is paid, where something is.
    paid: Option<(String, String)>,
}

impl GroupView {
    pub fn of(bill: &GroupBill, part: &Part, enclosed: Enclosed) -> Self {
        let (to_pay, due) = (bill.to_pay(), bill.due_on());
        let mut owing = bill.rows.iter().filter(|row| row.to_pay > Money::ZERO);
        Self {
            group: bill.group.to_string(),
            txid: bill.txid.to_string(),
            month: bill.txid.month.in_words(),
            invoices: counted(bill.rows.len() as u64, "fatura", "faturas"),
            to_pay: (to_pay > Money::ZERO).then(|| to_pay.brl()),
            due: due.map(|on| (day(on), weekday(on))),
            due_together: owing.all(|row| Some(row.due_on) == due),
            paid: paid(bill.total(), bill.paid()),
            rows: bill.rows.iter().map(RowView::of).collect(),
            pix: bill.pix.clone(),
            replaces: bill.replaces.map(|before| before.to_string()),
            enclosed,
            part: part.number,
            of: part.of,
            issuer: IssuerView::of(&bill.issuer),
        }
    }
}

impl RowView {
    fn of(row: &GroupRow) -> Self {
        Self {
            label: row.label(),
            called: row.called().to_owned(),
            cnpj: row.cnpj.to_string(),
            due_on: day(row.due_on),
            to_pay: row.to_pay.brl(),
            settled: row.to_pay == Money::ZERO,
            paid: paid(row.total, row.paid),
        }
    }
}

fn paid(total: Money, paid: Money) -> Option<(String, String)> {
    (paid > Money::ZERO).then(|| (total.brl(), paid.brl()))
}
