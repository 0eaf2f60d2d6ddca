//! The register: dealerships and contracts.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, Uri};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::{Asked, Body, Named, Whole};
use super::caller::Doer;
use super::list::{Limit, Rows, behind, rows};
use super::{Api, Problem};
use crate::actions::register::{self, ChangeError};
use crate::actions::schema;
use crate::setup::register::changes::Entry;
use fecha_core::calendar::month::Month;

/// Which dealerships are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Behind the dealership of this id.
    #[param(value_type = Option<schema::Text>, nullable = false)]
    after: Option<String>,
    /// So many at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, nullable = false, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

/// A row of the register: each column of the CSV file with its cell.
#[derive(Debug, Serialize, ToSchema)]
#[schema(value_type = BTreeMap<String, String>)]
pub struct Row(BTreeMap<&'static str, String>);

impl Row {
    fn of(entry: &impl Entry) -> Self {
        Self(entry.columns().into_iter().collect())
    }
}

/// The dealerships, by id: each as its row of dealerships.csv.
#[utoipa::path(get, path = "/dealerships", tag = "register", params(Wanted), responses((status = 200, body = Vec<Row>)))]
pub async fn list(
    State(api): State<Api>,
    uri: Uri,
    Asked(asked): Asked<Wanted>,
) -> Result<Rows<Row>, Problem> {
    let all = api.office.ledger.dealerships().await?;
    let (page, next) = behind(all, asked.after.as_ref(), asked.limit, |one| one.id.clone());
    let json = page.iter().map(Row::of).collect();
    Ok(rows(json, &uri, next))
}

/// One dealership.
#[utoipa::path(get, path = "/dealerships/{id}", tag = "register", params(("id" = schema::Text, Path)), responses((status = 200, body = Row)))]
pub async fn show(State(api): State<Api>, Named(id): Named<String>) -> Result<Json<Row>, Problem> {
    let dealership = api.office.ledger.dealership(&id).await?;
    let unknown = || Problem::not_found(format!("the register has no dealership '{id}'"));
    Ok(Json(Row::of(&dealership.ok_or_else(unknown)?)))
}

/// Which contracts are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct WantedContracts {
    /// Of this dealership.
    #[param(value_type = Option<schema::Text>, nullable = false)]
    dealership_id: Option<String>,
    /// Behind this entry: its `from_month`, a space and its `dealership_id`.
    #[param(value_type = Option<schema::Text>, nullable = false)]
    after: Option<String>,
    /// So many at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, nullable = false, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

/// The contracts, by month: each entry as its row of contracts.csv.
#[utoipa::path(get, path = "/contracts", tag = "register", params(WantedContracts), responses((status = 200, body = Vec<Row>)))]
pub async fn contracts(
    State(api): State<Api>,
    uri: Uri,
    Asked(asked): Asked<WantedContracts>,
) -> Result<Rows<Row>, Problem> {
    let ledger = &api.office.ledger;
    let all = match &asked.dealership_id {
        Some(id) => ledger.contracts_of(id).await?,
        None => ledger.contracts().await?,
    };
    let (page, next) = behind(all, asked.after.as_ref(), asked.limit, |entry| {
        format!("{} {}", entry.from_month, entry.dealership_id)
    });
    let json = page.iter().map(Row::of).collect();
    Ok(rows(json, &uri, next))
}

/// A package from a month on.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewContract {
    /// The first month of it.
    #[schema(value_type = schema::Month)]
    from_month: Month,
    /// Contacts included: a package of the price table. `null` ends the contract, and has to be said.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, value_type = Option<u64>, maximum = 1_000_000_000)]
    package: Option<Whole>,
}

/// What a contract entry changed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ContractChanged {
    #[schema(value_type = schema::Month)]
    from_month: Month,
    /// The package of that month before; `null` where there was none.
    #[schema(required)]
    before: Option<u64>,
    /// From now on.
    #[schema(required)]
    now: Option<u64>,
    /// Months from then on that are invoiced: only a rerun changes them.
    #[schema(value_type = Vec<schema::Month>)]
    invoiced: Vec<Month>,
}

impl From<ChangeError> for Problem {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Ledger(error) => error.into(),
            unknown @ ChangeError::Unknown(_) => Self::not_found(unknown),
            other => Self::refused(other),
        }
    }
}

/// Gives a dealership a package from a month on, or ends its contract.
#[utoipa::path(post, path = "/dealerships/{id}/contracts", tag = "register", params(("id" = schema::Text, Path)), request_body = NewContract, responses((status = 201, body = ContractChanged)))]
pub async fn contract(
    doer: Doer,
    Named(id): Named<String>,
    Body(new): Body<NewContract>,
) -> Result<(StatusCode, Json<ContractChanged>), Problem> {
    let from = new.from_month.to_string();
    let package = new.package.map_or_else(|| "none".to_owned(), |package| package.0.to_string());
    let written = (from.as_str(), package.as_str());
    let changed = register::contract(&doer.office, &id, written, &doer.caller.name).await?;
    let json = ContractChanged {
        from_month: changed.from,
        before: changed.before,
        now: changed.now,
        invoiced: changed.invoiced,
    };
    Ok((StatusCode::CREATED, Json(json)))
}
