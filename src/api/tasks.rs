//! What was asked for, how far it is, and what came of it.

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::body::{Asked, Named};
use super::list::{Limit, Rows, rows};
use super::{Api, Problem};
use crate::actions::schema;
use crate::ledger::LedgerError;
use crate::ledger::tasks::{Task, TaskId};
use fecha_core::calendar::month::Month;

/// Which tasks are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// About this month.
    #[param(value_type = Option<schema::Month>, nullable = false)]
    month: Option<Month>,
    /// Behind the task of this id.
    #[param(value_type = Option<schema::Text>, nullable = false)]
    after: Option<String>,
    /// So many at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, nullable = false, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

/// A task as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Task)]
pub struct TaskJson {
    id: String,
    /// What was asked for, in a word.
    kind: String,
    #[schema(required, value_type = Option<schema::Month>)]
    month: Option<Month>,
    /// By name.
    asked_by: String,
    #[schema(value_type = schema::Instant)]
    asked_at: String,
    /// `waiting` and `running` go on by themselves; `done` and `failed` are over.
    #[schema(value_type = TaskState)]
    state: &'static str,
    /// How far it is in what it is at.
    #[schema(required)]
    step: Option<StepJson>,
    #[schema(required, value_type = Option<schema::Instant>)]
    ended_at: Option<String>,
    /// What came of it: `kind` says which, `of` what.
    outcome: Value,
    /// Why it failed, or waits to be tried again.
    #[schema(required)]
    error: Option<String>,
}

/// How far a task is.
#[derive(Debug, ToSchema)]
#[allow(dead_code, non_camel_case_types, missing_docs, reason = "the words of the ledger")]
pub enum TaskState {
    waiting,
    running,
    done,
    failed,
}

/// How far a task is in what it is at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Step)]
pub struct StepJson {
    /// `counting` or `issuing`.
    phase: &'static str,
    /// Messages that were read, invoices that were issued.
    done: u64,
    /// Of so many; 0 where that is not known.
    of: u64,
}

impl TaskJson {
    /// What JSON says of a task.
    ///
    /// # Errors
    /// [`LedgerError::Corrupt`] where no fecha wrote its outcome.
    pub fn of(task: Task) -> Result<Self, LedgerError> {
        let text = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
        let corrupt = |error| LedgerError::Corrupt(format!("the task {}: {error}", task.id));
        let outcome = task.outcome.as_deref().map(serde_json::from_str).transpose();
        Ok(Self {
            outcome: outcome.map_err(corrupt)?.unwrap_or_default(),
            id: task.id.to_string(),
            kind: task.kind,
            month: task.month,
            asked_by: task.asked_by,
            asked_at: text(task.asked_at),
            state: task.state.key(),
            step: task.step.map(|step| StepJson {
                phase: step.phase.key(),
                done: step.done,
                of: step.of,
            }),
            ended_at: task.ended_at.map(text),
            error: task.error,
        })
    }
}

/// The tasks in the order in which they were asked for.
#[utoipa::path(get, path = "/tasks", tag = "tasks", params(Wanted), responses((status = 200, body = Vec<TaskJson>)))]
pub async fn list(
    State(api): State<Api>,
    uri: Uri,
    Asked(asked): Asked<Wanted>,
) -> Result<Rows<TaskJson>, Problem> {
    let ledger = &api.office.ledger;
    let page = ledger.tasks_page(asked.month, asked.after.as_deref(), asked.limit.rows()).await?;
    let tasks = page.rows.into_iter().map(TaskJson::of).collect::<Result<_, _>>()?;
    Ok(rows(tasks, &uri, page.next))
}

/// One task, as it stands.
#[utoipa::path(get, path = "/tasks/{id}", tag = "tasks", params(("id" = schema::Text, Path)), responses((status = 200, body = TaskJson)))]
pub async fn show(
    State(api): State<Api>,
    Named(id): Named<String>,
) -> Result<Json<TaskJson>, Problem> {
    let task = api.office.ledger.task(&TaskId::from_outside(&id)).await?;
    let task = task.ok_or_else(|| Problem::not_found(format!("there is no task {id}")))?;
    Ok(Json(TaskJson::of(task)?))
}
