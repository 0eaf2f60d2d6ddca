//! The invoices, their files, and what can be done with one.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde::Deserialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::body::{Asked, Body, Named, Reason};
use super::caller::Doer;
use super::list::{Limit, Rows, rows};
use super::outbox::Again;
use super::{Api, Problem};
use crate::actions::cancel::{CancelError, cancel_invoice};
use crate::actions::invoices::{self, InvoiceJson, ShowError};
use crate::actions::resend::{self, Resent};
use crate::actions::schema;
use crate::ledger::documents::FileKind;
use crate::ledger::pages::{Order, Slice, Standing};
use fecha_core::bill::invoice::Number;
use fecha_core::calendar::month::Month;

/// How an invoice stands for whoever waits for its money.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// Something is to be paid.
    Open,
    /// Something is to be paid, and its day has passed.
    Overdue,
    /// A part is paid.
    PartPaid,
    /// Nothing is to be paid any more.
    Paid,
    /// The number is void.
    Void,
}

impl From<Stands> for Standing {
    fn from(stands: Stands) -> Self {
        match stands {
            Stands::Open => Self::Open,
            Stands::Overdue => Self::Overdue,
            Stands::PartPaid => Self::PartPaid,
            Stands::Paid => Self::Paid,
            Stands::Void => Self::Void,
        }
    }
}

/// Which invoices are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Of this month.
    #[param(value_type = Option<schema::Month>, nullable = false)]
    month: Option<Month>,
    /// Of this dealership.
    #[param(value_type = Option<schema::Text>, nullable = false)]
    dealership_id: Option<String>,
    /// That stand so.
    #[param(inline, nullable = false)]
    standing: Option<Stands>,
    /// Behind this number.
    #[param(value_type = Option<schema::InvoiceNumber>, nullable = false)]
    after: Option<Number>,
    /// So many at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, nullable = false, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

/// The invoices, by number: of each the latest revision.
#[utoipa::path(get, path = "/invoices", tag = "invoices", params(Wanted), responses((status = 200, body = Vec<InvoiceJson<'_>>)))]
pub async fn list(
    State(api): State<Api>,
    uri: Uri,
    Asked(asked): Asked<Wanted>,
) -> Result<Rows<Value>, Problem> {
    let wanted = invoices::Asked {
        standing: asked.standing.map(Standing::from),
        month: asked.month,
        dealership_id: asked.dealership_id.as_deref(),
        search: "",
        after: asked.after,
        slice: Slice { most: asked.limit.rows(), order: Order::OldestFirst },
    };
    let page = invoices::page(&api.office, wanted).await?;
    let today = api.office.today();
    let listed = page.rows.iter().map(|one| serde_json::json!(InvoiceJson::of(one, today)));
    Ok(rows(listed.collect(), &uri, page.next))
}

/// Which revision of an invoice is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WhichRevision {
    /// Without it the latest.
    #[param(nullable = false)]
    revision: Option<u32>,
}

impl From<ShowError> for Problem {
    fn from(error: ShowError) -> Self {
        match error {
            ShowError::Ledger(error) => error.into(),
            ShowError::FileMissing(_) => Self::new(super::Kind::Failed, error),
            unknown => Self::not_found(unknown),
        }
    }
}

/// What the list says of an invoice, and the lines and counts behind it: its document as data.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only describes what `Shown::json` makes")]
pub struct InvoiceShown {
    #[schema(inline)]
    #[serde(flatten)]
    listed: InvoiceJson<'static>,
    period: Value,
    timezone: String,
    dealership: Value,
    lines: Vec<Value>,
    usage: Value,
    #[schema(value_type = Value)]
    pix: (),
    statement_sha256: String,
}

/// One invoice, explained line by line.
#[utoipa::path(get, path = "/invoices/{number}", tag = "invoices", params(("number" = schema::InvoiceNumber, Path), WhichRevision), responses((status = 200, body = InvoiceShown)))]
pub async fn show(
    State(api): State<Api>,
    Named(number): Named<Number>,
    Asked(asked): Asked<WhichRevision>,
) -> Result<Json<Value>, Problem> {
    Ok(Json(invoices::show(&api.office, number, asked.revision).await?.json()))
}

/// A file of an invoice.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhichFile {
    /// The invoice, PDF.
    Invoice,
    /// The statement, PDF.
    Statement,
    /// Every contact and template message that was counted, CSV.
    Evidence,
    /// Of a void number the document of its cancellation, PDF.
    Cancellation,
}

impl WhichFile {
    fn kind(self) -> (FileKind, &'static str) {
        match self {
            Self::Invoice => (FileKind::Invoice, "application/pdf"),
            Self::Statement => (FileKind::Statement, "application/pdf"),
            Self::Evidence => (FileKind::Evidence, "text/csv"),
            Self::Cancellation => (FileKind::Cancellation, "application/pdf"),
        }
    }
}

/// A file of an invoice, byte for byte as issued.
#[utoipa::path(get, path = "/invoices/{number}/files/{file}", tag = "invoices", params(("number" = schema::InvoiceNumber, Path), ("file" = inline(WhichFile), Path), WhichRevision),
    responses((status = 200, description = "The file", content((Vec<u8> = "application/pdf"), (String = "text/csv")))))]
pub async fn file(
    State(api): State<Api>,
    Named((number, file)): Named<(Number, WhichFile)>,
    Asked(asked): Asked<WhichRevision>,
) -> Result<(HeaderMap, Vec<u8>), Problem> {
    let shown = invoices::show(&api.office, number, asked.revision).await?;
    let (kind, content_type) = file.kind();
    let bytes = invoices::file(&api.office, &shown.revision.invoice, kind).await?;
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    Ok((HeaderMap::from_iter([content_type]), bytes))
}

/// Why an invoice is cancelled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// The document of cancellation prints it.
    reason: Reason,
}

impl From<CancelError> for Problem {
    fn from(error: CancelError) -> Self {
        match error {
            CancelError::Ledger(error) => error.into(),
            CancelError::NotStanding(_) | CancelError::NotPrintable(_) => Self::refused(error),
            other => Self::new(super::Kind::Failed, other),
        }
    }
}

/// Voids an invoice: the number is kept, and the dealership's month can be closed again under a new one.
#[utoipa::path(post, path = "/invoices/{number}/cancel", tag = "invoices", params(("number" = schema::InvoiceNumber, Path)), request_body = Cancel, responses((status = 200, body = InvoiceShown)))]
pub async fn cancel(
    State(api): State<Api>,
    doer: Doer,
    Named(number): Named<Number>,
    Body(cancel): Body<Cancel>,
) -> Result<Json<Value>, Problem> {
    invoices::show(&api.office, number, None).await?;
    let office = &doer.office;
    let now = office.clock.now();
    cancel_invoice(office, number, &cancel.reason.0, &doer.caller.name, now).await?;
    api.bell.post.notify_waiters();
    show(State(api), Named(number), Asked(WhichRevision { revision: None })).await
}

/// Queues the emails with an invoice again, or those about its cancellation, under new Message-IDs.
#[utoipa::path(post, path = "/invoices/{number}/resend", tag = "invoices", params(("number" = schema::InvoiceNumber, Path)), request_body = Again, responses((status = 201, body = Resent)))]
pub async fn resend(
    State(api): State<Api>,
    doer: Doer,
    Named(number): Named<Number>,
    Body(again): Body<Again>,
) -> Result<(StatusCode, Json<Resent>), Problem> {
    let by = &doer.caller.name;
    let resent = resend::invoice(&doer.office, number, again.to()?, by).await?;
    api.bell.post.notify_waiters();
    Ok((StatusCode::CREATED, Json(resent)))
}
