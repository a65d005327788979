//! The archive over HTTP, on the port of gRPC, for whoever checks it: the newest checkpoint, the
//! tiles of the Merkle tree and the bundles of entries, as C2SP tlog-tiles lays them out, and a
//! page for people that says what this is.
//!
//! Invariant: a tile or bundle, once served, is served byte for byte the same for ever, and is
//! one of a tree whose every entry is durable. Nothing here waits for the sequencer or writes:
//! tiles come from their projection, entries from the ledger below its published head. It is no
//! second service: what is asked and appended goes over gRPC.
//!
//! - `tiles`, `checkpoint`, `page`: what is served, one file a kind
//! - `answer`: types, caching, entity tags
//! - `absent`: why there is nothing

mod absent;
mod answer;
mod checkpoint;
mod page;
mod tiles;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use tokio::sync::Semaphore;
use tonic::Status;
use tonic::service::Routes;

use crate::checkpoint::Published;
use crate::ledger::Reader;
use crate::projection::tiles::Tiles;
use absent::Absent;

/// How many reads of tiles and entries are under way at a time, each of a frame at most: as
/// many as have work on a few cores.
const READS_MAX: usize = 8;

/// What is served from.
#[derive(Debug)]
pub struct Parts {
    /// The ledger, for its entries.
    pub reader: Reader,
    /// The hashes of its tree.
    pub tiles: Tiles,
    /// Its checkpoints.
    pub checkpoints: Published,
    /// How long a request may wait for the tiles to have read what the ledger holds, and for the
    /// first checkpoint of a run.
    pub wait_max: Duration,
}

/// What handlers share.
struct Site {
    parts: Parts,
    /// Kept by each read until it is done, whether or not anybody still waits for it.
    reads: Arc<Semaphore>,
}

/// Adds what is served over HTTP to the services of gRPC. Unknown paths are answered in the
/// language of whoever asks.
#[must_use]
pub fn beside(services: Routes, parts: Parts) -> Routes {
    let site = Arc::new(Site {
        parts,
        reads: Arc::new(Semaphore::new(READS_MAX)),
    });
    let pages = Router::new()
        .route("/", get(page::serve))
        .route("/checkpoint", get(checkpoint::serve))
        .route("/tile/{*path}", get(tiles::serve))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(site);
    let all = services.into_axum_router().merge(pages).fallback(unknown);
    Routes::from(all).prepare()
}

/// The answer where no route leads: a status to a gRPC client, a plain 404 to everybody else.
async fn unknown(uri: Uri, headers: HeaderMap) -> Response {
    if is_grpc(&headers) {
        return Status::unimplemented("there is no such service").into_http();
    }
    Absent::nowhere(&uri).into_response()
}

async fn method_not_allowed(method: Method) -> Response {
    Absent::Method { method }.into_response()
}

/// Does work that blocks where it holds nobody up, once it is its turn.
async fn blocking<T: Send + 'static>(
    site: &Arc<Site>,
    work: impl FnOnce() -> Result<T, Absent> + Send + 'static,
) -> Result<T, Absent> {
    const NOT_DONE: Absent = Absent::Defect("work was not done");
    let turn = Arc::clone(&site.reads).acquire_owned().await;
    let turn = turn.map_err(|_| NOT_DONE)?;
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    done.await.map_err(|_| NOT_DONE)?
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|it| it.as_bytes().starts_with(b"application/grpc"))
}
