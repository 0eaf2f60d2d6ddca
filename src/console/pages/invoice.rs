//! Fatura: explained line by line, all that happened to it, its files, and what can be done about it.

use axum::extract::{Form, Path, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::invoice_view::{self, InvoiceView};
use crate::actions::invoices::{self, ShowError};
use crate::actions::timeline::explain;
use crate::actions::{cancel, resend};
use crate::console::ways::Ways;
use crate::console::words::money::{self, Why};
use crate::console::{Console, Done, Oops, Page, Section, Signed, typed};
use crate::ledger::documents::FileKind;
use crate::ledger::invoices::Filter;
use crate::letters::compose::{cancellation_file, invoice_file, statement_file};
use fecha_core::bill::invoice::{Number, label};
use fecha_core::party::person::Role;
use fecha_core::party::register::EmailAddress;

/// This page and its forms, but those about money.
pub fn ways(ways: Ways) -> Ways {
    ways.get("/invoices/{number}", show)
        .get("/invoices/{number}/files/{file}", file)
        .post("/invoices/{number}/resend", Role::Finance, resend_emails)
        .post("/invoices/{number}/cancel", Role::Admin, cancel_it)
}

/// What was typed into the forms of the page, and why it was not taken.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Forms {
    pub pay: PayTyped,
    pub from_account: FromAccountTyped,
    pub undo: UndoTyped,
    pub resend: ResendTyped,
    pub cancel: CancelTyped,
}

/// A payment.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PayTyped {
    pub on: String,
    pub amount: String,
    pub kind: String,
    pub reference: String,
    pub again: String,
    /// What the page showed as open of the invoice, in reais: it is meant where no amount was typed.
    #[serde(skip_serializing)]
    pub open: String,
    /// So much is meant to wait, in reais.
    pub waits: String,
    /// The day before the issue that is meant.
    pub early: String,
    #[serde(skip_deserializing)]
    pub error: String,
    /// What is asked about it.
    #[serde(skip_deserializing)]
    pub asks: Vec<Ask>,
}

/// A box that is ticked where something unusual is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Ask {
    pub name: &'static str,
    /// What exactly is meant: of another amount, or day, it is asked again.
    pub value: String,
    pub words: String,
    pub ticked: bool,
}

/// Money of the account.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct FromAccountTyped {
    pub amount: String,
    /// What the page showed as open, in reais.
    #[serde(skip_serializing)]
    pub open: String,
    /// What it showed as waiting.
    #[serde(skip_serializing)]
    pub waiting: String,
    #[serde(skip_deserializing)]
    pub error: String,
}

/// A payment, or a refund, that is taken back.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct UndoTyped {
    pub payment: String,
    pub reason: String,
    #[serde(skip_deserializing)]
    pub error: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ResendTyped {
    pub to: String,
    #[serde(skip_deserializing)]
    pub error: String,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CancelTyped {
    /// The number, typed once more.
    pub number: String,
    pub reason: String,
    #[serde(skip_deserializing)]
    pub error: String,
}

/// The number in an address.
///
/// # Errors
/// [`Oops`] where it is none.
pub fn number(text: &str) -> Result<Number, Oops> {
    let no_number =
        |_| Oops::NotFound(format!("“{text}” não é um número de fatura, como 2026-000001."));
    text.parse().map_err(no_number)
}

async fn show(
    State(console): State<Console>,
    signed: Signed,
    Path(text): Path<String>,
) -> Result<Page, Oops> {
    shown(&console, &signed, number(&text)?, Forms::default()).await
}

/// The page, with what was typed into its forms.
///
/// # Errors
/// [`Oops`] where there is no such invoice, or the ledger cannot be read.
pub async fn shown(
    console: &Console,
    signed: &Signed,
    number: Number,
    forms: Forms,
) -> Result<Page, Oops> {
    let explained = explain(&console.office, number).await.map_err(money::show)?;
    let view: InvoiceView = invoice_view::of(&explained, number, forms)?;
    let title = format!("Fatura {number}");
    console.page(signed, Section::Invoices, &title, "invoice.html", &view).await
}

/// The page again, where what was typed was not taken.
///
/// # Errors
/// [`Oops`] where it is not about what was typed.
pub async fn again(
    console: &Console,
    signed: &Signed,
    number: Number,
    why: Why,
    forms: impl FnOnce(String) -> Forms,
) -> Result<Response, Oops> {
    match why {
        Why::Oops(oops) => Err(oops),
        Why::Said(words) => {
            let page = shown(console, signed, number, forms(words)).await?;
            Ok(page.refused().into_response())
        }
    }
}

async fn resend_emails(
    State(console): State<Console>,
    signed: Signed,
    Path(text): Path<String>,
    Form(form): Form<ResendTyped>,
) -> Result<Response, Oops> {
    let number = number(&text)?;
    let sent = match typed::address(&form.to) {
        Err(words) => Err(Why::Said(words)),
        Ok(to) => {
            resend::invoice(&console.office, number, to, &signed.name).await.map_err(money::resend)
        }
    };
    match sent {
        Ok(sent) if sent.queued.is_empty() => {
            let words = "Ninguém recebe e-mails desta concessionária: o cadastro não a tem mais. Informe um endereço.";
            let forms = |error| Forms { resend: ResendTyped { error, ..form }, ..Forms::default() };
            again(&console, &signed, number, Why::Said(words.to_owned()), forms).await
        }
        Ok(sent) => {
            console.bell.post.notify_waiters();
            let to: Vec<&str> = sent.queued.iter().map(EmailAddress::as_str).collect();
            let words = format!("Na fila de novo para {}.", to.join(", "));
            Ok(Done::see(&format!("/invoices/{number}"), &words).into_response())
        }
        Err(why) => {
            let forms = |error| Forms { resend: ResendTyped { error, ..form }, ..Forms::default() };
            again(&console, &signed, number, why, forms).await
        }
    }
}

async fn cancel_it(
    State(console): State<Console>,
    signed: Signed,
    Path(text): Path<String>,
    Form(form): Form<CancelTyped>,
) -> Result<Response, Oops> {
    let number = number(&text)?;
    let reason = if form.number.trim() == number.to_string() {
        typed::reason(&form.reason)
    } else {
        Err(format!("Para confirmar, digite o número da fatura: {number}."))
    };
    let cancelled = match reason {
        Err(words) => Err(Why::Said(words)),
        Ok(reason) => {
            let office = &console.office;
            let now = office.clock.now();
            let cancelled = cancel::cancel_invoice(office, number, &reason, &signed.name, now);
            cancelled.await.map_err(money::cancel)
        }
    };
    match cancelled {
        Ok(invoice) => {
            console.bell.post.notify_waiters();
            let words = format!(
                "A fatura {number} está cancelada, e a concessionária recebe o documento por e-mail. A competência {} dela pode ser faturada de novo.",
                invoice.month.in_words()
            );
            Ok(Done::see(&format!("/invoices/{number}"), &words).into_response())
        }
        Err(why) => {
            let forms = |error| Forms { cancel: CancelTyped { error, ..form }, ..Forms::default() };
            again(&console, &signed, number, why, forms).await
        }
    }
}

/// The files of a revision: kind, name, content type.
#[must_use]
pub fn files(label: &str) -> [(FileKind, String, &'static str); 4] {
    [
        (FileKind::Invoice, invoice_file(label), "application/pdf"),
        (FileKind::Statement, statement_file(label), "application/pdf"),
        (FileKind::Evidence, format!("comprovacao-{label}.csv"), "text/csv; charset=utf-8"),
        (FileKind::Cancellation, cancellation_file(label), "application/pdf"),
    ]
}

async fn file(
    State(console): State<Console>,
    _: Signed,
    Path((text, name)): Path<(String, String)>,
) -> Result<Response, Oops> {
    let number = number(&text)?;
    let office = &console.office;
    let filter = Filter { number: Some(number), all_revisions: true, ..Filter::default() };
    let revisions = office.ledger.listed(filter).await?;
    let found = revisions.iter().find_map(|listed| {
        let files = files(&label(number, listed.revision)).into_iter();
        files.clone().find(|(_, file, _)| *file == name).map(|file| (listed.revision, file))
    });
    let missing = || Oops::NotFound(format!("A fatura {number} não tem o arquivo {name}."));
    let (revision, (kind, file_name, content_type)) = found.ok_or_else(missing)?;
    let bytes = match invoices::file_of(office, number, revision, kind).await {
        Err(ShowError::NotCancelled(_)) => return Err(missing()),
        other => other.map_err(money::show)?,
    };
    let disposition = format!("attachment; filename=\"{file_name}\"");
    let disposition = HeaderValue::from_str(&disposition).map_err(|_| missing())?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, bytes).into_response())
}
