//! The months: where they stand, what a close would issue, and what is asked for.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::body::{Asked, Body, Named, Reason};
use super::caller::Doer;
use super::list::{Limit, Rows, behind, rows};
use super::tasks::TaskJson;
use super::{Api, Kind, PATH, Problem};
use crate::actions::rerun::Accepted;
use crate::actions::schema;
use crate::actions::status::{beginning, months};
use crate::actions::task::{AskError, Eyes, Outcome, Wish, ask, latest_look};
use crate::ledger::closing::MonthState;
use fecha_core::bill::difference::Cause;
use fecha_core::bill::hold::Held;
use fecha_core::bill::plan::PlanHash;
use fecha_core::calendar::month::Month;
use fecha_core::price::money::Money;

/// Which months are asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Wanted {
    /// Behind this one.
    #[param(value_type = Option<schema::Month>, nullable = false)]
    after: Option<Month>,
    /// So many at most.
    #[serde(default)]
    #[param(value_type = Option<u16>, nullable = false, minimum = 1, maximum = 200, default = 50)]
    limit: Limit,
}

/// Where a month stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MonthStanding)]
pub struct MonthJson {
    #[schema(value_type = schema::Month)]
    month: Month,
    #[schema(value_type = schema::MonthState)]
    state: MonthState,
    /// Invoices that stand.
    issued: u64,
    /// What they come to.
    #[schema(value_type = schema::Money)]
    total: Money,
    /// How many things need a person.
    exceptions: usize,
    /// Why it is held.
    #[schema(required)]
    held: Option<String>,
}

/// Every month from the first that was invoiced or looked at up to the last that has ended.
#[utoipa::path(get, path = "/months", tag = "months", params(Wanted), responses((status = 200, body = Vec<MonthJson>)))]
pub async fn list(
    State(api): State<Api>,
    uri: Uri,
    Asked(asked): Asked<Wanted>,
) -> Result<Rows<MonthJson>, Problem> {
    let all = months(&api.office, ..).await?;
    let (page, next) = behind(all, asked.after.as_ref(), asked.limit, |row| row.month);
    let json = |row: crate::actions::status::MonthRow| MonthJson {
        month: row.month,
        state: row.state,
        issued: row.issued,
        total: row.total,
        exceptions: row.exceptions,
        held: row.held,
    };
    Ok(rows(page.into_iter().map(json).collect(), &uri, next))
}

/// What a close of a month would issue: of one that is held, or that somebody had looked at.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MonthPlan)]
pub struct PlanJson {
    #[schema(value_type = schema::Month)]
    month: Month,
    /// Release this, and nothing else is issued.
    #[schema(value_type = schema::Plan)]
    plan: PlanHash,
    /// Why it is held, in Portuguese; none where it only was looked at.
    reasons: Vec<String>,
    /// What the invoices come to.
    #[schema(value_type = schema::Money)]
    total: Money,
    /// Each invoice as `fecha invoices --json` has it, without what only an issued one has.
    #[schema(value_type = Vec<Value>)]
    invoices: Value,
    /// What would be left to a person.
    #[schema(value_type = Vec<Value>)]
    exceptions: Value,
    /// All messages by bucket: they add up.
    #[schema(value_type = Value)]
    messages: Value,
    /// How many dealerships' month has not ended: they are not in it.
    open: u64,
}

impl From<Held> for PlanJson {
    fn from(held: Held) -> Self {
        let Held { reasons, open, digest, plan, page: _ } = held;
        Self {
            month: digest.month,
            plan,
            reasons,
            total: digest.invoices.iter().map(|row| row.total).sum(),
            invoices: serde_json::json!(digest.invoices),
            exceptions: serde_json::json!(digest.exceptions),
            messages: serde_json::json!(digest.messages),
            open,
        }
    }
}

/// What waits to be released of a month: look at it first, then release its plan.
#[utoipa::path(get, path = "/months/{month}/plan", tag = "months", params(("month" = schema::Month, Path)), responses((status = 200, body = PlanJson)))]
pub async fn plan(
    State(api): State<Api>,
    Named(month): Named<Month>,
) -> Result<Json<PlanJson>, Problem> {
    let ledger = &api.office.ledger;
    let state = ledger.closing(month).await?.map(|closing| closing.state);
    if state == Some(MonthState::Held)
        && let Some(last) = ledger.last_hold(month).await?
    {
        return Ok(Json(ledger.held(month, last.sequence).await?.into()));
    }
    let look = latest_look(ledger, month).await?;
    let none = || {
        Problem::not_found(format!(
            "nobody has looked at what a close of {month} would issue: POST {PATH}/months/{month}/look, and wait for its task"
        ))
    };
    Ok(Json(look.ok_or_else(none)?.plan.into()))
}

/// A task that was asked for, and where it is watched.
type AskedFor = (StatusCode, HeaderMap, Json<TaskJson>);

impl From<AskError> for Problem {
    fn from(error: AskError) -> Self {
        match error {
            AskError::Ledger(error) => error.into(),
            AskError::AnotherPlan { .. } => Self::new(Kind::Changed, error),
            other => Self::refused(other),
        }
    }
}

async fn asked(api: &Api, doer: &Doer, wish: &Wish) -> Result<AskedFor, Problem> {
    let eyes = if doer.office.config.four_eyes { Eyes::Four } else { Eyes::Two };
    let asked = ask(&doer.office, wish, doer.asker(), eyes).await?;
    api.bell.tasks.notify_one();
    let task = doer.office.ledger.task(asked.id()).await?;
    let gone = || Problem::new(Kind::Failed, "the task that was asked for is gone");
    let place = HeaderValue::try_from(format!("{PATH}/tasks/{}", asked.id())).ok();
    let headers = place.map(|place| (header::LOCATION, place)).into_iter().collect();
    Ok((StatusCode::ACCEPTED, headers, Json(TaskJson::of(task.ok_or_else(gone)?)?)))
}

/// A month that there may be messages and invoices of.
async fn in_the_books(api: &Api, month: Month) -> Result<Month, Problem> {
    let office = &api.office;
    let running = Month::last_ended(office.clock.now(), office.config.issuer.timezone).next();
    if month > running {
        return Err(Problem::refused(format!("{month} has not begun")));
    }
    let books = beginning(office).await?.books;
    let before =
        || Problem::refused(format!("{month} is before the books, which begin in {books}"));
    (month >= books).then_some(month).ok_or_else(before)
}

/// Counts what a close of the month would issue; issues nothing.
#[utoipa::path(post, path = "/months/{month}/look", tag = "months", params(("month" = schema::Month, Path)), responses((status = 202, body = TaskJson)))]
pub async fn look(
    State(api): State<Api>,
    doer: Doer,
    Named(month): Named<Month>,
) -> Result<AskedFor, Problem> {
    let month = in_the_books(&api, month).await?;
    asked(&api, &doer, &Wish::Look { month }).await
}

/// Counts what the month would cost now, and at its end; issues nothing.
#[utoipa::path(post, path = "/months/{month}/preview", tag = "months", params(("month" = schema::Month, Path)), responses((status = 202, body = TaskJson)))]
pub async fn preview(
    State(api): State<Api>,
    doer: Doer,
    Named(month): Named<Month>,
) -> Result<AskedFor, Problem> {
    let month = in_the_books(&api, month).await?;
    asked(&api, &doer, &Wish::Preview { month }).await
}

/// Counts the month again and says what would be otherwise; issues nothing.
#[utoipa::path(post, path = "/months/{month}/compare", tag = "months", params(("month" = schema::Month, Path)), responses((status = 202, body = TaskJson)))]
pub async fn compare(
    State(api): State<Api>,
    doer: Doer,
    Named(month): Named<Month>,
) -> Result<AskedFor, Problem> {
    let month = in_the_books(&api, month).await?;
    asked(&api, &doer, &Wish::Compare { month }).await
}

/// What is released.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// As `plan` says it: where the month comes to another one by then, nothing is issued.
    #[schema(value_type = schema::Plan)]
    plan: PlanHash,
    reason: Reason,
}

/// Closes the month by the plan that was read and no other.
#[utoipa::path(post, path = "/months/{month}/release", tag = "months", params(("month" = schema::Month, Path)), request_body = Release, responses((status = 202, body = TaskJson)))]
pub async fn release(
    State(api): State<Api>,
    doer: Doer,
    Named(month): Named<Month>,
    Body(Release { plan, reason }): Body<Release>,
) -> Result<AskedFor, Problem> {
    asked(&api, &doer, &Wish::Release { month, plan, reason: reason.0 }).await
}

/// A cause that a person accepts.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only describes the core's")]
#[schema(rename_all = "snake_case")]
pub enum CauseWord {
    /// Messages that came after the invoice was issued.
    Late,
    /// A contact has fewer messages than were counted, or none.
    Loss,
    /// Another package, price list or discount.
    Contract,
    /// Another price.
    Price,
    /// The same messages, of another category.
    Category,
    /// The same messages, counted by other rules.
    Rules,
    /// Another name, tax id or address.
    Register,
    /// A credit or charge was added or withdrawn.
    Adjustment,
}

/// What is issued of a comparison.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rerun {
    /// The causes that are accepted; `late` goes by itself.
    #[serde(default)]
    #[schema(value_type = Vec<CauseWord>)]
    accept: Vec<Cause>,
    /// Only these dealerships, by id; without it every one of which all causes are accepted.
    #[schema(value_type = Option<Vec<schema::Text>>)]
    dealerships: Option<Vec<String>>,
    /// The task of the comparison that was read.
    #[schema(value_type = schema::Text)]
    compared: String,
    /// Why, as the invoices print it.
    reason: Reason,
}

/// Issues a revision of each invoice that a comparison found another one, where all of its causes are accepted and it
/// still comes to the same.
#[utoipa::path(post, path = "/months/{month}/rerun", tag = "months", params(("month" = schema::Month, Path)), request_body = Rerun, responses((status = 202, body = TaskJson)))]
pub async fn rerun(
    State(api): State<Api>,
    doer: Doer,
    Named(month): Named<Month>,
    Body(rerun): Body<Rerun>,
) -> Result<AskedFor, Problem> {
    let latest = doer.office.ledger.latest_done(month, "compare").await?;
    let latest = latest.filter(|task| task.id.to_string() == rerun.compared);
    let outcome = latest.as_ref().map(Outcome::of).transpose()?.flatten();
    let Some(Outcome::Compared(mut compared)) = outcome else {
        let words = format!(
            "{} is not the latest comparison of {month}: POST {PATH}/months/{month}/compare, wait for its task, and read it",
            rerun.compared
        );
        return Err(Problem::new(Kind::Changed, words));
    };
    if let Some(wanted) = &rerun.dealerships {
        compared.differing.retain(|one| wanted.contains(&one.dealership_id));
    }
    let accept = Accepted::everywhere(rerun.accept.into_iter().chain([Cause::Late]));
    let chosen = compared.chosen(&accept);
    if chosen.dealerships.is_empty() {
        return Err(Problem::refused(
            "no invoice has all of its causes accepted: nothing is issued",
        ));
    }
    let (plan, dealerships) = (chosen.plan, chosen.dealerships);
    let reason = rerun.reason.0;
    asked(&api, &doer, &Wish::Rerun { month, plan, accept, dealerships, reason }).await
}
