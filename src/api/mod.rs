//! The interface for programs: `/api/v1`, served by the daemon beside the console.
//!
//! An operation reads the ledger, or calls the one action that the command line and the console call; its JSON is
//! that of `--json`. Every operation is registered in `document::operations` with the role that it takes, from
//! which the router and the `OpenAPI` document are made.

mod audit;
mod body;
mod caller;
mod dealerships;
mod document;
mod gate;
mod invoices;
mod list;
mod months;
mod once;
mod outbox;
mod payments;
mod problem;
mod receivables;
mod tasks;

use axum::Router;
use axum::response::IntoResponse;
use utoipa::openapi::OpenApi;

use crate::actions::bell::Bell;
use crate::setup::office::Office;

pub use self::problem::{Kind, Problem};

/// Where it is served.
pub const PATH: &str = "/api/v1";

/// What operations work with. A copy costs next to nothing.
#[derive(Debug, Clone)]
pub struct Api {
    /// Its hand on the ledger is not the one that closes months.
    pub office: Office,
    /// Wakes the daemon where something is to be done at once.
    pub bell: Bell,
}

impl Api {
    /// All that it serves.
    pub fn router(self) -> Router {
        let (operations, mut document) = document::operations(&self).split_for_parts();
        document::complete(&mut document);
        let text = serve(&document);
        let operations = operations
            .route("/openapi.json", axum::routing::get(async move || text.into_response()))
            .fallback(gate::nothing_here)
            .method_not_allowed_fallback(gate::not_so)
            .layer(axum::middleware::from_fn(gate::in_time))
            .layer(axum::middleware::from_fn(gate::legible))
            .layer(axum::middleware::map_response(gate::headers));
        Router::new().nest(PATH, operations.with_state(self))
    }
}

/// The document as it is sent.
fn serve(document: &OpenApi) -> ([(axum::http::HeaderName, &'static str); 1], String) {
    let text = document.to_json().unwrap_or_default();
    ([(axum::http::header::CONTENT_TYPE, "application/json")], text)
}
