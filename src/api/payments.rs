//! Payments: listed, recorded, taken back.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::body::{Amount, Asked, Body, Day, Named, Reason};
use super::caller::Doer;
use super::list::{Limit, Rows, rows};
use super::{Api, PATH, Problem};
use crate::actions::pay::{
    self, AccountError, NewPayment, NotRecorded, PayError, Recorded, Refused, Target, Wish,
};
use crate::actions::receivables::PaymentJson;
use crate::actions::schema;
use fecha_core::account::payment::{Kind, Payment};
use fecha_core::bill::group_bill::GroupTxid;
use fecha_core::bill::invoice::Number;

/// Which payments are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Of this dealership.
    #[param(value_type = Option<schema::Text>, nullable = false)]
    dealership_id: Option<String>,
    /// Behind the payment of this id.
    #[param(value_type = Option<schema::Text>, nullable = false)]
    after: Option<String>,
    /// So many at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, nullable = false, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

/// A payment, and whose it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct PaymentOf<'a> {
    dealership_id: &'a str,
    #[serde(flatten)]
    payment: PaymentJson<'a>,
}

impl<'a> PaymentOf<'a> {
    fn of(payment: &'a Payment) -> Self {
        Self { dealership_id: &payment.dealership_id, payment: PaymentJson::of(payment) }
    }
}

/// The payments in the order in which they were entered, those that were taken back too.
#[utoipa::path(get, path = "/payments", tag = "payments", params(Wanted), responses((status = 200, body = Vec<PaymentOf<'_>>)))]
pub async fn list(
    State(api): State<Api>,
    uri: Uri,
    Asked(asked): Asked<Wanted>,
) -> Result<Rows<Value>, Problem> {
    let (whose, after) = (asked.dealership_id.as_deref(), asked.after.as_deref());
    let page = api.office.ledger.payments_page(whose, after, asked.limit.rows()).await?;
    let payments = page.rows.iter().map(|payment| serde_json::json!(PaymentOf::of(payment)));
    Ok(rows(payments.collect(), &uri, page.next))
}

/// One payment.
#[utoipa::path(get, path = "/payments/{id}", tag = "payments", params(("id" = schema::Text, Path)), responses((status = 200, body = PaymentOf<'_>)))]
pub async fn show(
    State(api): State<Api>,
    Named(id): Named<String>,
) -> Result<Json<Value>, Problem> {
    let payment = api.office.ledger.payment(&id).await?;
    let payment = payment.ok_or_else(|| Problem::not_found(format!("there is no payment {id}")))?;
    Ok(Json(serde_json::json!(PaymentOf::of(&payment))))
}

/// A payment as a program sends it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPaymentJson {
    /// The day on the bank statement.
    on: Day,
    /// What came in; without it all that is open. Of interest, and on an account, it has to be said.
    amount: Option<Amount>,
    /// What it is; `money` where nothing is said.
    #[serde(default = "money")]
    #[schema(value_type = Option<schema::PaymentKind>, nullable = false)]
    kind: Kind,
    /// The bank's own: with it the same payment is known wherever else it comes from.
    #[schema(min_length = 1, max_length = 200, pattern = "^[!-~]+$")]
    reference: Option<String>,
    /// It is one more that equals another without a reference.
    #[serde(default)]
    #[schema(value_type = Option<bool>, nullable = false)]
    again: bool,
}

fn money() -> Kind {
    Kind::Money
}

impl From<PayError> for Problem {
    fn from(error: PayError) -> Self {
        match error {
            PayError::Ledger(error) => error.into(),
            PayError::Refused(refused) if is_unknown(&refused) => {
                Self::not_found(PayError::Refused(refused))
            }
            other => Self::refused(other),
        }
    }
}

/// Whether what a payment is for is not there.
fn is_unknown(refused: &[Refused]) -> bool {
    refused.iter().any(|one| {
        use NotRecorded::{NoGroup, NoInvoice, UnknownDealership};
        matches!(one.why, NoInvoice(_) | NoGroup(_) | UnknownDealership(_))
    })
}

/// What was recorded, and where a payment is found that is one.
type Done = (StatusCode, HeaderMap, Json<Recorded>);

async fn record(doer: &Doer, target: Target, new: NewPaymentJson) -> Result<Done, Problem> {
    let NewPaymentJson { on, amount, kind, reference, again } = new;
    let new = NewPayment {
        place: None,
        target,
        on: on.0,
        amount: amount.map(|amount| amount.0),
        kind,
        reference,
        again,
        asked: pay::Asked::Nobody,
        why: None,
    };
    let recorded = pay::record(&doer.office, &[new], Wish::Record, &doer.caller.name).await?;
    let mut headers = HeaderMap::new();
    if let [one] = recorded.recorded.as_slice()
        && let Ok(place) = HeaderValue::try_from(format!("{PATH}/payments/{}", one.id))
    {
        headers.insert(header::LOCATION, place);
    }
    let is_new = !recorded.recorded.is_empty();
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, headers, Json(recorded)))
}

/// Records a payment for an invoice; what is more than is open waits on the dealership's account. One that the
/// ledger has already is not recorded again.
#[utoipa::path(post, path = "/invoices/{number}/payments", tag = "payments", params(("number" = schema::InvoiceNumber, Path)), request_body = NewPaymentJson,
    responses((status = 201, body = Recorded), (status = 200, description = "It was recorded before", body = Recorded)))]
pub async fn for_invoice(
    doer: Doer,
    Named(number): Named<Number>,
    Body(new): Body<NewPaymentJson>,
) -> Result<Done, Problem> {
    record(&doer, Target::Invoice(number), new).await
}

/// Records money on the account of a dealership, where its next invoice takes it.
#[utoipa::path(post, path = "/dealerships/{id}/payments", tag = "payments", params(("id" = schema::Text, Path)), request_body = NewPaymentJson,
    responses((status = 201, body = Recorded), (status = 200, description = "It was recorded before", body = Recorded)))]
pub async fn for_account(
    doer: Doer,
    Named(id): Named<String>,
    Body(new): Body<NewPaymentJson>,
) -> Result<Done, Problem> {
    record(&doer, Target::Account(id), new).await
}

/// Records a payment for the bill of a group: it goes over its invoices, the oldest number first.
#[utoipa::path(post, path = "/group-bills/{txid}/payments", tag = "payments", params(("txid" = schema::Text, Path)), request_body = NewPaymentJson,
    responses((status = 201, body = Recorded), (status = 200, description = "It was recorded before", body = Recorded)))]
pub async fn for_group(
    doer: Doer,
    Named(txid): Named<String>,
    Body(new): Body<NewPaymentJson>,
) -> Result<Done, Problem> {
    let txid: GroupTxid = txid.parse().map_err(Problem::not_found)?;
    record(&doer, Target::Group(txid), new).await
}

/// Why a payment is taken back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Undo {
    reason: Reason,
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        match error {
            AccountError::Ledger(error) => error.into(),
            unknown @ AccountError::Unknown(_) => Self::not_found(unknown),
            other => Self::refused(other),
        }
    }
}

/// Takes a payment back: what it settled is open again.
#[utoipa::path(post, path = "/payments/{id}/undo", tag = "payments", params(("id" = schema::Text, Path)), request_body = Undo, responses((status = 200, body = PaymentOf<'_>)))]
pub async fn undo(
    State(api): State<Api>,
    doer: Doer,
    Named(id): Named<String>,
    Body(undo): Body<Undo>,
) -> Result<Json<Value>, Problem> {
    let office = &doer.office;
    // A refund is another thing, and this is its address nowhere.
    let known = office.ledger.payment(&id).await?;
    known.ok_or_else(|| Problem::not_found(format!("there is no payment {id}")))?;
    pay::undo(office, &id, &undo.reason.0, &doer.caller.name).await?;
    show(State(api), Named(id)).await
}
