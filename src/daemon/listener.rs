//! Serves HTTP to whoever comes, and keeps the files and the memory of the process for its work: so many
//! connections at once, and none for long that asks for nothing.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
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
    /// Requests in hand: one at most, since one follows the other.
    busy: Arc<AtomicUsize>,
}

/// Serves until told to end. Where there are too many connections, the oldest that has no request in hand
/// makes room: whoever asks something is heard however many others only hold the line.
pub async fn serve(router: Router, listener: TcpListener, mut stop: Ends) {
    let most = most_connections(most_files());
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
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "a connection cannot be taken");
                make_room(&mut guests, 1);
                sleep(PAUSE).await;
                continue;
            }
        };
        if !make_room(&mut guests, most) {
            continue;
        }
        let busy = Arc::new(AtomicUsize::new(0));
        let task = tasks.spawn(attend(stream, router.clone(), busy.clone(), connections.clone()));
        guests.push(Guest { task, busy });
    }
    drop(listener);
    while tasks.join_next().await.is_some() {}
}

fn most_connections(files: Option<u64>) -> usize {
    let most = files.map_or(CONNECTIONS, |files| CONNECTIONS.min(files / PART_OF_FILES));
    usize::try_from(most.max(2)).unwrap_or(2)
}

/// Whether there is room for one more among `most`; the oldest guest without a request goes for it.
fn make_room(guests: &mut Vec<Guest>, most: usize) -> bool {
    if guests.len() < most {
        return true;
    }
    let idle = guests.iter().position(|guest| guest.busy.load(Ordering::Relaxed) == 0);
    idle.map(|index| guests.remove(index).task.abort()).is_some()
}

/// One connection, from its first request to its last.
async fn attend(stream: TcpStream, router: Router, busy: Arc<AtomicUsize>, mut stop: Ends) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, busy) = (router.clone(), busy.clone());
        async move {
            busy.fetch_add(1, Ordering::Relaxed);
            let answer = timeout(REQUEST, router.call(request)).await;
            busy.fetch_sub(1, Ordering::Relaxed);
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
