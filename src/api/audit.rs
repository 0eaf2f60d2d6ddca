//! Who did what, when and why.

use axum::extract::State;
use axum::http::Uri;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::body::Asked;
use super::list::{Limit, Rows, rows};
use super::{Api, Problem};
use crate::actions::schema;
use crate::ledger::audit::{Logged, WantedDeeds};
use fecha_core::calendar::month::Month;

/// Which entries are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// About this month.
    #[param(value_type = Option<schema::Month>, nullable = false)]
    month: Option<Month>,
    /// About this dealership.
    #[param(value_type = Option<schema::Text>, nullable = false)]
    dealership_id: Option<String>,
    /// Behind the entry of this id.
    #[param(value_type = Option<schema::Text>, nullable = false)]
    after: Option<String>,
    /// So many at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, nullable = false, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub struct Entry {
    id: String,
    #[schema(value_type = schema::Instant)]
    at: String,
    actor: String,
    /// What was done, in a word.
    action: &'static str,
    #[schema(required, value_type = Option<schema::Month>)]
    month: Option<String>,
    #[schema(required)]
    dealership_id: Option<String>,
    detail: String,
}

impl From<Logged> for Entry {
    fn from(logged: Logged) -> Self {
        let Logged { id, at, actor, action, month, dealership_id, detail } = logged;
        Self { id, at, actor, action: action.key(), month, dealership_id, detail }
    }
}

/// Who did what, when and why, the oldest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(Wanted), responses((status = 200, body = Vec<Entry>)))]
pub async fn log(
    State(api): State<Api>,
    uri: Uri,
    Asked(asked): Asked<Wanted>,
) -> Result<Rows<Entry>, Problem> {
    let wanted = WantedDeeds {
        month: asked.month,
        dealership_id: asked.dealership_id.as_deref(),
        after: Some(asked.after.as_deref().unwrap_or_default()),
        ..WantedDeeds::default()
    };
    let most = asked.limit.rows();
    // One more than is sent says whether there are more.
    let reach = u32::try_from(most + 1).unwrap_or(u32::MAX);
    let mut deeds = api.office.ledger.deeds(wanted, reach).await?;
    let is_more = deeds.len() > most;
    deeds.truncate(most);
    let next = deeds.last().filter(|_| is_more).map(|last| last.id.clone());
    Ok(rows(deeds.into_iter().map(Entry::from).collect(), &uri, next))
}
