//! `/livez` (or `/healthz`), `/readyz` and `/metrics` on `[console] listen`, beside the console.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::pulse::Stage;
use super::{Daemon, Ends, STUCK_AFTER, listener};
use crate::actions::tokens;
use crate::api::Api;
use crate::console::Console;
use crate::ledger::schedule::Census;
use fecha_core::account::receivables::Balance;

/// How long the ledger may take to answer somebody who watches.
const ANSWER: Duration = Duration::from_secs(5);

/// Serves until told to end.
pub async fn serve(
    daemon: Arc<Daemon>,
    console: Option<Console>,
    listener: TcpListener,
    stop: Ends,
) {
    let router: Router = Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(daemon);
    let router = match console {
        Some(console) => {
            let api = Api { office: console.office.clone(), bell: console.bell.clone() };
            router.merge(api.router()).merge(console.router())
        }
        None => router,
    };
    listener::serve(router, listener, stop).await;
}

/// What `/readyz` says.
#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "answers to four questions, for a probe to read")]
struct Readiness {
    /// All that is needed for its work, now or when it is its turn.
    ready: bool,
    /// The ledger can be read.
    answers: bool,
    /// The ledger can be written.
    writes: bool,
    /// It leads; one that waits for its turn is ready too.
    leads: bool,
    /// Since the latest sign of life.
    last_tick_seconds: u64,
    /// What is missing, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// Whether the ledger answers and can be written, and the daemon looks after its work.
async fn ready(State(daemon): State<Arc<Daemon>>) -> impl IntoResponse {
    let silent = daemon.pulse.silent_for();
    let (answers, written) = match timeout(ANSWER, daemon.office.ledger.ping()).await {
        Ok(Ok(())) => (true, written(&daemon).await),
        Ok(Err(error)) => (false, Err(error.to_string())),
        Err(_) => (false, Err("the ledger does not answer".to_owned())),
    };
    let stuck =
        (silent > STUCK_AFTER).then(|| format!("no sign of life for {} seconds", silent.as_secs()));
    let readiness = Readiness {
        ready: written.is_ok() && stuck.is_none(),
        answers,
        writes: written.is_ok(),
        leads: daemon.pulse.leads(),
        last_tick_seconds: silent.as_secs(),
        why: written.err().or(stuck),
    };
    let status = if readiness.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(readiness))
}

const BUSY: &str = "the ledger cannot be written: somebody else does, for long";

/// Whether the ledger can be written; else why not. Asked by one at a time: who waits for a lock that is not
/// given goes on waiting when nobody listens any more.
async fn written(daemon: &Arc<Daemon>) -> Result<(), String> {
    if let Some(why) = daemon.pulse.not_written() {
        return Err(format!("the ledger cannot be written: {why}"));
    }
    let asking = daemon.clone();
    let asked = tokio::spawn(async move {
        let Ok(_one_at_a_time) = asking.asked.try_lock() else { return Err(BUSY.to_owned()) };
        asking.office.ledger.may_be_written().await.map_err(|error| error.to_string())
    });
    match timeout(ANSWER, asked).await {
        Ok(Ok(written)) => written,
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(BUSY.to_owned()),
    }
}

/// Where others than this machine can ask, who asks shows a token: receivables are nobody else's business.
async fn may_see_metrics(daemon: &Daemon, headers: &HeaderMap) -> Result<(), StatusCode> {
    if daemon.office.config.listen.ip().is_loopback() {
        return Ok(());
    }
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = shown.and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or(StatusCode::UNAUTHORIZED)?;
    match timeout(ANSWER, tokens::shown(&daemon.office, token.trim())).await {
        Ok(Ok(Some(_))) => Ok(()),
        Ok(Ok(None)) => Err(StatusCode::UNAUTHORIZED),
        Ok(Err(_)) | Err(_) => Err(StatusCode::SERVICE_UNAVAILABLE),
    }
}

async fn metrics(State(daemon): State<Arc<Daemon>>, headers: HeaderMap) -> Response {
    if let Err(status) = may_see_metrics(&daemon, &headers).await {
        let how = [(header::WWW_AUTHENTICATE, "Bearer")];
        return (status, how, "show a token: `fecha tokens add`\n").into_response();
    }
    let today = daemon.office.today();
    let census = match timeout(ANSWER, daemon.office.ledger.census(today)).await {
        Ok(Ok(census)) => Some(census),
        Ok(Err(_)) | Err(_) => None,
    };
    let version = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (version, exposition(&daemon, census.as_ref())).into_response()
}

/// Everything in the text format of Prometheus. Without the ledger what it would tell is left out.
fn exposition(daemon: &Daemon, census: Option<&Census>) -> String {
    let mut page = Page::default();
    let pulse = &daemon.pulse;
    page.gauge("fecha_ledger_up", "Whether the ledger answers.", u8::from(census.is_some()));
    page.gauge("fecha_leader", "Whether this daemon leads.", u8::from(pulse.leads()));
    let silent = pulse.silent_for().as_secs_f64();
    page.gauge("fecha_last_tick_age_seconds", "Since the latest sign of life.", silent);
    let (closes, failed) = pulse.closes();
    page.head("fecha_close_runs_total", "counter", "Closes since the start, by result.");
    page.line("fecha_close_runs_total", "result", "ok", closes);
    page.line("fecha_close_runs_total", "result", "failed", failed);
    page.head("fecha_stage_seconds", "summary", "Time that each stage took since the start.");
    for stage in Stage::ALL {
        let (count, time) = pulse.times(stage);
        page.line("fecha_stage_seconds_sum", "stage", stage.name(), time.as_secs_f64());
        page.line("fecha_stage_seconds_count", "stage", stage.name(), count);
    }
    if let Some(census) = census {
        let now = daemon.office.clock.now();
        let age = census.oldest_pending.map_or(0, |at| (now - at).num_seconds().max(0));
        page.states(
            "fecha_months",
            "Months that were looked at, by state.",
            MONTHS,
            &census.closings,
        );
        page.gauge("fecha_invoices", "Invoices that are not cancelled.", census.invoices);
        page.states("fecha_outbox_emails", "Emails by state.", EMAILS, &census.outbox);
        page.gauge(
            "fecha_outbox_oldest_pending_age_seconds",
            "Since the oldest waiting email was queued.",
            age,
        );
        page.receivables(&census.receivables);
    }
    page.0
}

const MONTHS: &[&str] = &["open", "held", "closed"];
const EMAILS: &[&str] = &["pending", "sending", "sent", "failed", "withdrawn"];

/// A page in the text format of Prometheus.
#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a text cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, label: &str, of: &str, value: impl Display) {
        let _ = writeln!(self.0, "{name}{{{label}=\"{of}\"}} {value}");
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.head(name, "gauge", help);
        let _ = writeln!(self.0, "{name} {value}");
    }

    fn receivables(&mut self, balance: &Balance) {
        let Balance { open, overdue, waiting } = *balance;
        for (name, help, amount) in [
            ("open", "Still to be paid of all invoices.", open),
            ("overdue", "The part of it whose day has passed.", overdue),
            ("waiting", "Payments that settle no invoice.", waiting),
        ] {
            self.gauge(&format!("fecha_receivables_{name}_centavos"), help, amount.centavos());
        }
    }

    /// Every state, also those that nothing is in.
    fn states(&mut self, name: &str, help: &str, states: &[&str], counts: &BTreeMap<String, i64>) {
        self.head(name, "gauge", help);
        for state in states {
            self.line(name, "state", state, counts.get(*state).copied().unwrap_or_default());
        }
    }
}
