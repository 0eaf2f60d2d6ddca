use chrono::NaiveDate;
use serde::Serialize;

use super::counted;
use super::invoice::{IssuerView, day, greeting, weekday};
use fecha_core::account::receivables::days_late;
use fecha_core::account::reminder::{Reminded, Reminder};
use fecha_core::price::money::Money;

/// What the email about open invoices says.
#[derive(Debug, Serialize)]
pub struct ReminderView {
    greeting: String,
    /// `2026-000001`, where it is the only one.
    only: Option<String>,
    /// `2 faturas`.
    count: String,
    /// `uma delas vencida`, `3 vencidas`, where any of several is.
    overdue: Option<String>,
    /// Of all together.
    to_pay: String,
    /// When the first of them is, or was, due.
    due: DueView,
    invoices: Vec<RemindedView>,
    /// What was received and settles no invoice.
    waiting: Option<String>,
    issuer: IssuerView,
}

#[derive(Debug, Serialize)]
struct DueView {
    /// `10/11/2026`.
    on: String,
    weekday: &'static str,
    /// `vence`, `vence hoje` or `venceu`.
    verb: &'static str,
    /// Its day has passed.
    late: bool,
    /// `há 7 dias`, where it is late.
    since: Option<String>,
}

#[derive(Debug, Serialize)]
struct RemindedView {
    label: String,
    month: String,
    to_pay: String,
    /// The total and what of it is paid, where something is.
    paid: Option<(String, String)>,
    due: DueView,
    pix: Option<String>,
}

impl ReminderView {
    pub fn of(reminder: &Reminder) -> Self {
        let invoices = &reminder.invoices;
        let only = if let [only] = invoices.as_slice() { Some(only.label()) } else { None };
        let first = invoices.iter().map(|invoice| invoice.due_on).min().unwrap_or(reminder.on);
        let waiting = reminder.waiting;
        Self {
            greeting: greeting(&reminder.dealership),
            count: counted(invoices.len() as u64, "fatura", "faturas"),
            overdue: match reminder.overdue().count() {
                0 => None,
                _ if only.is_some() => None,
                1 => Some("uma delas vencida".to_owned()),
                late if late == invoices.len() => Some("todas vencidas".to_owned()),
                late => Some(format!("{late} delas vencidas")),
            },
            only,
            to_pay: reminder.to_pay().brl(),
            due: DueView::of(first, reminder.on),
            invoices: invoices.iter().map(|of| RemindedView::of(of, reminder.on)).collect(),
            waiting: (waiting > Money::ZERO).then(|| waiting.brl()),
            issuer: IssuerView::of(&reminder.issuer),
        }
    }
}

impl DueView {
    fn of(due_on: NaiveDate, today: NaiveDate) -> Self {
        let late = u64::try_from(days_late(due_on, today)).unwrap_or_default();
        Self {
            on: day(due_on),
            weekday: weekday(due_on),
            verb: match due_on {
                _ if late > 0 => "venceu",
                _ if due_on == today => "vence hoje",
                _ => "vence",
            },
            late: late > 0,
            since: (late > 0).then(|| format!("há {}", counted(late, "dia", "dias"))),
        }
    }
}

impl RemindedView {
    fn of(invoice: &Reminded, today: NaiveDate) -> Self {
        let paid = invoice.total - invoice.to_pay;
        Self {
            label: invoice.label(),
            month: invoice.month.in_words(),
            to_pay: invoice.to_pay.brl(),
            paid: (paid > Money::ZERO).then(|| (invoice.total.brl(), paid.brl())),
            due: DueView::of(invoice.due_on, today),
            pix: invoice.pix.clone(),
        }
    }
}
