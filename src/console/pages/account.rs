//! Conta de uma concessionária: what it has open, paid and waiting; a reminder, a payment on account, a refund.

use axum::extract::{Form, Path, State};
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::invoice::{PayTyped, UndoTyped};
use super::invoice_view::in_words;
use super::payments::{paid, take_back};
use crate::actions::pay::{self, AccountError, Target};
use crate::actions::reminders;
use crate::console::address::{self, Whose};
use crate::console::ways::Ways;
use crate::console::words::invoice::{Badge, day, kind, standing};
use crate::console::words::money::{self, Why};
use crate::console::{Console, Done, Oops, Page, Section, Signed, typed};
use crate::ledger::account::Refund;
use crate::ledger::listing::Listed;
use fecha_core::account::payment::Payment;
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;
use fecha_core::party::person::Role;
use fecha_core::party::register::EmailAddress;
use fecha_core::price::money::Money;

/// This page and its forms.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/receivables/of/{id}", show)
        .post("/receivables/of/{id}/remind", Role::Finance, remind)
        .post("/receivables/of/{id}/pay", Role::Finance, pay_in)
        .post("/receivables/of/{id}/refund", Role::Finance, refund)
        .post("/receivables/of/{id}/undo", Role::Finance, undo)
}

/// So many of the latest payments are shown.
const LATEST: usize = 50;

#[derive(Debug, Default, Serialize)]
struct Forms {
    pay: PayTyped,
    refund: RefundTyped,
    undo: UndoTyped,
    /// Why nobody was reminded.
    remind: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct RefundTyped {
    amount: String,
    on: String,
    reason: String,
    again: String,
    #[serde(skip_deserializing)]
    error: String,
    /// It equals one that is recorded: whether it is one more is asked.
    #[serde(skip_deserializing)]
    asks_again: bool,
}

#[derive(Debug, Serialize)]
struct Account {
    id: String,
    /// This page's.
    path: String,
    name: String,
    cnpj: String,
    email: String,
    open: Money,
    overdue: Money,
    waiting: Money,
    has_waiting: bool,
    rows: Vec<Row>,
    payments: Vec<PaymentRow>,
    /// Payments that are not shown.
    earlier: usize,
    undoable: Vec<[String; 2]>,
    today: NaiveDate,
    forms: Forms,
}

#[derive(Debug, Serialize)]
struct Row {
    number: Number,
    label: String,
    month: Month,
    due_on: NaiveDate,
    total: Money,
    open: Money,
    state: Badge,
}

#[derive(Debug, Serialize)]
struct PaymentRow {
    on: NaiveDate,
    what: String,
    amount: Money,
    settles: Vec<Number>,
    waiting: Money,
    by: String,
}

async fn show(
    State(console): State<Console>,
    signed: Signed,
    Path(Whose(id)): Path<Whose>,
) -> Result<Page, Oops> {
    shown(&console, &signed, &id, Forms::default()).await
}

async fn shown(console: &Console, signed: &Signed, id: &str, forms: Forms) -> Result<Page, Oops> {
    let office = &console.office;
    let missing = || Oops::NotFound(format!("'{id}' não está no cadastro de concessionárias."));
    let dealership = office.ledger.dealership(id).await?.ok_or_else(missing)?;
    let open = office.ledger.open_invoices(Some(id)).await?;
    let payments = office.ledger.payments_of(id).await?;
    let refunds = office.ledger.refunds(Some(id)).await?;
    let today = office.today();
    let sum = |overdue: bool| -> Money {
        let of = open.iter().map(Listed::account);
        of.filter(|account| !overdue || account.is_overdue(today))
            .map(|account| account.open())
            .sum()
    };
    let waiting: Money = payments.iter().map(Payment::waiting).sum();
    let row = |listed: &Listed| Row {
        number: listed.number,
        label: listed.label(),
        month: listed.month,
        due_on: listed.figures.due_on,
        total: listed.figures.total,
        open: listed.account().open(),
        state: standing(listed, today),
    };
    let view = Account {
        id: id.to_owned(),
        path: path(id),
        name: dealership.name.clone(),
        cnpj: dealership.cnpj.to_string(),
        email: dealership.email.to_string(),
        open: sum(false),
        overdue: sum(true),
        waiting,
        has_waiting: waiting > Money::ZERO,
        rows: open.iter().map(row).collect(),
        earlier: (payments.len() + refunds.len()).saturating_sub(LATEST),
        undoable: undoable(&payments, &refunds),
        payments: latest(&payments, &refunds),
        today,
        forms,
    };
    let title = format!("Conta de {}", dealership.name);
    console.page(signed, Section::Receivables, &title, "account.html", &view).await
}

/// Those that may be taken back, the latest first.
fn undoable(payments: &[Payment], refunds: &[Refund]) -> Vec<[String; 2]> {
    let payments = payments.iter().filter(|payment| !payment.undone);
    let mut all: Vec<[String; 2]> =
        payments.map(|payment| [payment.id.clone(), in_words(payment)]).collect();
    let refunds = refunds.iter().filter(|refund| !refund.parts.is_empty());
    all.extend(refunds.map(|refund| {
        let words = format!("Devolução de {} em {}", refund.amount().brl(), day(refund.on));
        [refund.id.clone(), words]
    }));
    all.sort_by(|a, b| b[0].cmp(&a[0]));
    all.truncate(LATEST);
    all
}

/// Payments and refunds, the latest first.
fn latest(payments: &[Payment], refunds: &[Refund]) -> Vec<PaymentRow> {
    let paid = payments.iter().map(|payment| {
        let undone = if payment.undone { " (desfeito)" } else { "" };
        let row = PaymentRow {
            on: payment.on,
            what: format!("{}{undone}", kind(payment.kind)),
            amount: payment.amount,
            settles: payment.allocated.iter().map(|(number, _)| *number).collect(),
            waiting: payment.waiting(),
            by: payment.entered_by.clone(),
        };
        (payment.id.clone(), row)
    });
    let back = refunds.iter().map(|refund| {
        let undone = if refund.parts.is_empty() { " (desfeita)" } else { "" };
        let row = PaymentRow {
            on: refund.on,
            what: format!("Devolução{undone}: {}", refund.reason),
            amount: -refund.amount(),
            settles: Vec::new(),
            waiting: Money::ZERO,
            by: String::new(),
        };
        (refund.id.clone(), row)
    });
    let mut all: Vec<(String, PaymentRow)> = paid.chain(back).collect();
    all.sort_by(|a, b| b.0.cmp(&a.0));
    all.into_iter().take(LATEST).map(|(_, row)| row).collect()
}

fn path(id: &str) -> String {
    format!("/receivables/of/{}", address::dealership_part(id))
}

async fn ended(
    (console, signed, id): (&Console, &Signed, &str),
    done: Result<String, Why>,
    forms: impl FnOnce(String) -> Forms,
) -> Result<Response, Oops> {
    match done {
        Ok(words) => Ok(Done::see(&path(id), &words).into_response()),
        Err(Why::Oops(oops)) => Err(oops),
        Err(Why::Said(words)) => {
            Ok(shown(console, signed, id, forms(words)).await?.refused().into_response())
        }
    }
}

async fn remind(
    State(console): State<Console>,
    signed: Signed,
    Path(Whose(id)): Path<Whose>,
) -> Result<Response, Oops> {
    let reminded = reminders::remind_one(&console.office, &id, &signed.name).await;
    let done = reminded.map_err(money::remind).map(|to| {
        console.bell.post.notify_waiters();
        let to: Vec<&str> = to.iter().map(EmailAddress::as_str).collect();
        format!("Lembrete na fila para {}.", to.join(", "))
    });
    let forms = |remind| Forms { remind, ..Forms::default() };
    ended((&console, &signed, &id), done, forms).await
}

async fn pay_in(
    State(console): State<Console>,
    signed: Signed,
    Path(Whose(id)): Path<Whose>,
    Form(form): Form<PayTyped>,
) -> Result<Response, Oops> {
    let (done, form) = match paid(&console, &signed, form, Target::Account(id.clone())).await {
        Ok(payment) => {
            let amount = payment.amount.brl();
            let words = format!("{amount} esperam na conta: a próxima fatura os aproveita.");
            (Ok(words), PayTyped::default())
        }
        Err((why, form)) => (Err(why), form),
    };
    let forms = |error| Forms { pay: PayTyped { error, ..form }, ..Forms::default() };
    ended((&console, &signed, &id), done, forms).await
}

async fn refund(
    State(console): State<Console>,
    signed: Signed,
    Path(Whose(id)): Path<Whose>,
    Form(form): Form<RefundTyped>,
) -> Result<Response, Oops> {
    let (done, asks_again) = match paid_back(&console, &signed, &id, &form).await {
        Ok(words) => (Ok(words), false),
        Err(NotPaidBack::Account(error)) => {
            let asks = matches!(error, AccountError::EqualRefund { .. });
            (Err(money::account(error)), asks)
        }
        Err(NotPaidBack::Typed(words)) => (Err(Why::Said(words)), false),
    };
    let asks_again = asks_again || !form.again.is_empty();
    let forms =
        |error| Forms { refund: RefundTyped { error, asks_again, ..form }, ..Forms::default() };
    ended((&console, &signed, &id), done, forms).await
}

/// Why nothing was paid back.
enum NotPaidBack {
    /// What to type instead.
    Typed(String),
    Account(AccountError),
}

async fn paid_back(
    console: &Console,
    signed: &Signed,
    id: &str,
    form: &RefundTyped,
) -> Result<String, NotPaidBack> {
    let none = || NotPaidBack::Typed("Informe o valor.".to_owned());
    let amount = typed::amount(&form.amount).map_err(NotPaidBack::Typed)?.ok_or_else(none)?;
    let on = typed::day(&form.on).map_err(NotPaidBack::Typed)?;
    let reason = typed::reason(&form.reason).map_err(NotPaidBack::Typed)?;
    let again = !form.again.is_empty();
    let refund = pay::refund(&console.office, id, (amount, on), again, (&reason, &signed.name));
    refund.await.map_err(NotPaidBack::Account)?;
    Ok(format!("Devolução registrada: {} em {}.", amount.brl(), day(on)))
}

async fn undo(
    State(console): State<Console>,
    signed: Signed,
    Path(Whose(id)): Path<Whose>,
    Form(form): Form<UndoTyped>,
) -> Result<Response, Oops> {
    let done =
        take_back(&console, &signed, &form, &Target::Account(id.clone())).await.map(str::to_owned);
    let forms = |error| Forms { undo: UndoTyped { error, ..form }, ..Forms::default() };
    ended((&console, &signed, &id), done, forms).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::page::tests::renders;

    #[test]
    fn it_is_drawn_empty_and_full() {
        let empty = Account {
            id: "..".to_owned(),
            path: path(".."),
            name: "Loja <b>".to_owned(),
            cnpj: "11.222.333/0001-81".to_owned(),
            email: "loja@example.com".to_owned(),
            open: Money::ZERO,
            overdue: Money::ZERO,
            waiting: Money::ZERO,
            has_waiting: false,
            rows: Vec::new(),
            payments: Vec::new(),
            earlier: 0,
            undoable: Vec::new(),
            today: "2026-11-11".parse().unwrap(),
            forms: Forms::default(),
        };
        assert!(renders("account.html", &empty).contains("Nenhuma fatura em aberto"));
        let money = Money::from_centavos;
        let full = Account {
            rows: vec![Row {
                number: "2026-000001".parse().unwrap(),
                label: "2026-000001".to_owned(),
                month: "2026-10".parse().unwrap(),
                due_on: "2026-11-10".parse().unwrap(),
                total: money(101_400),
                open: money(1),
                state: Badge { words: "Vencida", kind: "bad" },
            }],
            payments: vec![PaymentRow {
                on: "2026-11-10".parse().unwrap(),
                what: "x".repeat(300),
                amount: money(-5),
                settles: vec!["2026-000001".parse().unwrap()],
                waiting: money(0),
                by: "ana".to_owned(),
            }],
            earlier: 3,
            has_waiting: true,
            waiting: money(5),
            undoable: vec![["p".to_owned(), "Pagamento".to_owned()]],
            forms: Forms {
                remind: "Um lembrete já foi enviado hoje.".to_owned(),
                refund: RefundTyped { error: "Não.".to_owned(), ..RefundTyped::default() },
                ..Forms::default()
            },
            ..empty
        };
        assert!(renders("account.html", &full).contains("já foi enviado hoje"));
    }
}
