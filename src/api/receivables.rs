//! What is open, by age and dealership.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;

use super::body::Asked;
use super::{Api, Problem};
use crate::actions::invoices::ListError;
use crate::actions::receivables::{self, ReceivablesJson};
use crate::actions::schema;

/// What is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Of this dealership alone, with its payments and refunds.
    #[param(value_type = Option<schema::Text>, nullable = false)]
    dealership_id: Option<String>,
    /// Only what is overdue.
    #[serde(default)]
    #[param(value_type = Option<bool>, nullable = false)]
    overdue: bool,
}

impl From<ListError> for Problem {
    fn from(error: ListError) -> Self {
        match error {
            ListError::Ledger(error) => error.into(),
            unknown @ ListError::UnknownDealership(_) => Self::not_found(unknown),
        }
    }
}

/// What is open, by age and dealership, and what waits on accounts.
#[utoipa::path(get, path = "/receivables", tag = "receivables", params(Wanted), responses((status = 200, body = ReceivablesJson<'_>)))]
pub async fn show(
    State(api): State<Api>,
    Asked(asked): Asked<Wanted>,
) -> Result<Json<Value>, Problem> {
    let wanted = receivables::Wanted {
        dealership_id: asked.dealership_id.as_deref(),
        overdue: asked.overdue,
    };
    let found = receivables::receivables(&api.office, wanted).await?;
    Ok(Json(serde_json::json!(found.json())))
}
