//! `/livez` (or `/healthz`), `/readyz` and `/metrics` on `[console] listen`.

use std::collections::BTreeMap;
use std::fmt::{Display, Write as _};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::time::timeout;

use super::pulse::Stage;
use super::{Daemon, Ends, STUCK_AFTER, listener};
use crate::ledger::schedule::Census;
use fecha_core::account::receivables::Balance;

/// How long the ledger may take to answer somebody who watches.
const ANSWER: Duration = Duration::from_secs(5);

/// Serves until told to end.
pub async fn serve(daemon: Arc<Daemon>, listener: TcpListener, stop: Ends) {
    let router = Router::new()
        .route("/healthz", get(async || "alive\n"))
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(daemon);
    listener::serve(router, listener, stop).await;
}

/// Whether the ledger answers and the daemon looks after its work.
async fn ready(State(daemon): State<Arc<Daemon>>) -> impl IntoResponse {
    let silent = daemon.pulse.silent_for();
    if silent > STUCK_AFTER {
        let text = format!("no sign of life for {} seconds\n", silent.as_secs());
        return (StatusCode::SERVICE_UNAVAILABLE, text);
    }
    let text = match timeout(ANSWER, daemon.office.ledger.ping()).await {
        Ok(Ok(())) => return (StatusCode::OK, "ready\n".to_owned()),
        Ok(Err(error)) => format!("{error}\n"),
        Err(_) => "the ledger does not answer\n".to_owned(),
    };
    (StatusCode::SERVICE_UNAVAILABLE, text)
}

async fn metrics(State(daemon): State<Arc<Daemon>>) -> impl IntoResponse {
    let today = daemon.office.today();
    let census = match timeout(ANSWER, daemon.office.ledger.census(today)).await {
        Ok(Ok(census)) => Some(census),
        Ok(Err(_)) | Err(_) => None,
    };
    let version = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (version, exposition(&daemon, census.as_ref()))
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
