//! Serves HTTP to whoever comes, and keeps the files and the memory of the process for its work: so many
//! connections at once, and none for long that asks for nothing.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use hyper::body::{Body as _, Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::{Ends, told};
use crate::setup::process::most_files;

/// At most so many connections at once …
const CONNECTIONS: u64 = 64;
/// … and at most this part of all files that the process may open: the rest is for databases and mail.
const PART_OF_FILES: u64 = 8;
/// How long a connection may take for the head of a request, the first one and each that follows.
const HEAD: Duration = Duration::from_secs(10);
/// How long a request may take, its body and what is done for it.
const REQUEST: Duration = Duration::from_secs(30);
/// How long one may take that brings a file.
const UPLOAD: Duration = Duration::from_mins(2);
/// How long a connection lives; whoever still has something to ask comes again.
const LIFE: Duration = Duration::from_mins(5);
/// How long a connection may take for what is in hand when it is to end.
const LAST: Duration = Duration::from_secs(5);
/// The most that is held of a connection's requests that are not read yet.
const BUFFER: usize = 64 * 1024;
/// How long to wait where no connection can be taken: the process, or the machine, is out of files.
const PAUSE: Duration = Duration::from_millis(200);

/// A connection.
struct Guest {
    task: AbortHandle,
    /// A request is in hand that has come whole: somebody who is slow to say what they want holds nobody up.
    busy: Arc<AtomicBool>,
}

/// Who was let in. Dropped in this order: the file is closed before the place is another's.
struct Arrival {
    stream: TcpStream,
    peer: SocketAddr,
    place: OwnedSemaphorePermit,
}

/// The body of a request, which says when it has come whole.
struct Coming {
    body: Incoming,
    whole: Arc<AtomicBool>,
}

impl Coming {
    fn new(body: Incoming, whole: Arc<AtomicBool>) -> Self {
        whole.store(body.is_end_stream(), Ordering::Relaxed);
        Self { body, whole }
    }
}

impl hyper::body::Body for Coming {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if matches!(polled, Poll::Ready(None)) || self.body.is_end_stream() {
            self.whole.store(true, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Serves until told to end. Where there are too many connections, the oldest that has no whole request in hand
/// makes room: whoever asks something is heard however many others only hold the line.
pub async fn serve(router: Router, listener: TcpListener, mut stop: Ends) {
    let places = Arc::new(Semaphore::new(most_connections(most_files())));
    let (mut guests, mut tasks) = (Vec::<Guest>::new(), JoinSet::new());
    let connections = stop.clone();
    loop {
        let accepted = tokio::select! {
            biased;
            () = told(&mut stop) => break,
            accepted = listener.accept() => accepted,
        };
        while tasks.try_join_next().is_some() {}
        guests.retain(|guest| !guest.task.is_finished());
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection cannot be taken");
                send_one_away(&mut guests);
                sleep(PAUSE).await;
                continue;
            }
        };
        if places.available_permits() == 0 && !send_one_away(&mut guests) {
            continue;
        }
        // Who was sent away holds a file until the runtime drops the task: as many as come at once would
        // otherwise be held beside those that have a place.
        let Ok(place) = places.clone().acquire_owned().await else { break };
        let busy = Arc::new(AtomicBool::new(false));
        let guest = Arrival { stream, peer, place };
        let task = tasks.spawn(attend(guest, router.clone(), busy.clone(), connections.clone()));
        guests.push(Guest { task, busy });
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

fn most_connections(files: Option<u64>) -> usize {
    let most = files.map_or(CONNECTIONS, |files| CONNECTIONS.min(files / PART_OF_FILES));
    usize::try_from(most.max(2)).unwrap_or(2)
}

/// Makes room for one more: the oldest guest without a request goes; false where all have one.
fn send_one_away(guests: &mut Vec<Guest>) -> bool {
    let idle = guests.iter().position(|guest| !guest.busy.load(Ordering::Relaxed));
    idle.map(|index| guests.remove(index).task.abort()).is_some()
}

/// One connection, from its first request to its last.
async fn attend(guest: Arrival, router: Router, busy: Arc<AtomicBool>, mut stop: Ends) {
    // The place is given up last, after the connection's file.
    let Arrival { stream, peer, place: _place } = guest;
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, busy) = (router.clone(), busy.clone());
        async move {
            let mut request = request.map(|body| Coming::new(body, busy.clone()));
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = timeout(limit(request.headers()), router.call(request)).await;
            busy.store(false, Ordering::Relaxed);
            Ok::<_, Infallible>(
                answer.unwrap_or_else(|_| Ok(too_slow())).unwrap_or_else(|e| match e {}),
            )
        }
    });
    let mut connection = std::pin::pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD)
            .max_buf_size(BUFFER)
            .serve_connection(TokioIo::new(stream), service)
    );
    tokio::select! {
        // What goes wrong on a connection is its other end's business.
        _ = connection.as_mut() => return,
        () = sleep(LIFE) => {}
        () = told(&mut stop) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = timeout(LAST, connection).await;
}

/// A file is longer on its way than anything else.
fn limit(headers: &HeaderMap) -> Duration {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_file = kind.is_some_and(|kind| kind.starts_with(b"multipart/form-data"));
    if is_file { UPLOAD } else { REQUEST }
}

fn too_slow() -> Response<Body> {
    let mut answer = Response::new(Body::from("it took too long\n"));
    *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    answer
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(None, 64)]
    #[case(Some(1024), 64)]
    #[case(Some(128), 16)]
    #[case(Some(8), 2)]
    fn most_files_are_for_the_work(#[case] files: Option<u64>, #[case] connections: usize) {
        assert_eq!(most_connections(files), connections);
    }
}
