//! An answer that goes on and on ends with the right to see it.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::Response;
use futures::StreamExt as _;
use futures::stream::unfold;
use tokio::time::{Instant, sleep_until};

use super::gate::Shown;
use crate::console::Console;
use fecha_core::party::person::Role;

/// How often whoever watches is looked at.
const LOOK: Duration = Duration::from_secs(3);
/// The page is loaded anew by it, and leads to where one logs in.
const OUT: &[u8] = b"event: end\ndata: out\n\n";

/// Whoever watches.
struct Watcher {
    console: Console,
    shown: Option<Shown>,
    role: Role,
}

/// Looks again and again, while events are sent, whether they may be seen.
pub fn watched(
    console: &Console,
    shown: Option<Shown>,
    role: Role,
    response: Response,
) -> Response {
    let kind = response.headers().get(header::CONTENT_TYPE);
    if !kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream")) {
        return response;
    }
    let watcher = Watcher { console: console.clone(), shown, role };
    response.map(|body| {
        let begun = (watcher, body.into_data_stream(), Instant::now() + LOOK);
        Body::from_stream(unfold(Some(begun), async |watched| {
            let (watcher, mut events, mut look_at) = watched?;
            loop {
                tokio::select! {
                    event = events.next() => {
                        return Some((event?, Some((watcher, events, look_at))));
                    }
                    () = sleep_until(look_at) => {}
                }
                if !watcher.may_go_on().await {
                    return Some((Ok(Bytes::from_static(OUT)), None));
                }
                look_at = Instant::now() + LOOK;
            }
        }))
    })
}

impl Watcher {
    async fn may_go_on(&self) -> bool {
        let Some(shown) = &self.shown else { return false };
        // A ledger that is away has nothing to tell either.
        let Ok(role) = shown.role_now(&self.console).await else { return true };
        role.is_some_and(|role| role >= self.role)
    }
}
