//! `/tile/…`: tiles of hashes, and bundles of entries.
//!
//! A partial tile is served at every width that the tree has passed, also once the full one is
//! there. The `ETag` of a bundle is that of the tile of its leaf hashes, which commit to every
//! byte of it: a client that has the bundle is told so without a read of the ledger.

use std::ops::Range;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::absent::Absent;
use super::answer::{Caching, Content};
use super::{Site, blocking};
use crate::ledger::{ReadError, Reader};
use crate::merkle::{BundleId, TileId, TilePath, encode_bundle};

const MEDIA_TYPE: &str = "application/octet-stream";

/// How many pieces of a bundle wait for a client: with the one that is read, two frames in
/// memory for each client that is slow.
const PIECES_WAITING: usize = 1;

pub(super) async fn serve(
    State(site): State<Arc<Site>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Absent> {
    let path = uri.path();
    match path.strip_prefix('/').unwrap_or(path).parse()? {
        TilePath::Tile(id) => {
            let hashes = hashes(&site, id).await?;
            Ok(content(&hashes).answer(&headers, hashes))
        }
        TilePath::Bundle(id) => {
            let leaves = TileId::new(0, id.index(), id.width()).map_err(|_| beyond(&site))?;
            let content = content(&hashes(&site, leaves).await?);
            if content.is_known(&headers) {
                return Ok(content.not_modified());
            }
            Ok(content.with(bundle(site, id).await?))
        }
    }
}

fn content(hashes: &[u8]) -> Content {
    Content::new(MEDIA_TYPE, Caching::Immutable, hashes)
}

/// The hashes of a tile that the ledger's tree has; waits for the projection to have read as
/// much of the ledger.
async fn hashes(site: &Arc<Site>, id: TileId) -> Result<Vec<u8>, Absent> {
    let held = site.parts.reader.head().size;
    if !id.is_within(held) {
        return Err(beyond(site));
    }
    let tiles = match site.parts.tiles.now() {
        // The tile may be old, and the tiles a little behind.
        Some(tiles) if id.is_within(tiles.cursor().size) => tiles,
        _ => {
            let wait = site.parts.tiles.wait_for(held);
            let waited = tokio::time::timeout(site.parts.wait_max, wait).await;
            waited.map_err(|_| Absent::Behind { needed: held })??
        }
    };
    let hashes = blocking(site, move || Ok(tiles.tile(id)?)).await?;
    hashes.ok_or(Absent::Defect("a tile that has been folded is not there"))
}

fn beyond(site: &Site) -> Absent {
    Absent::Beyond {
        size: site.parts.reader.head().size,
    }
}

/// The entries of a bundle: all at once if one frame has them, or else frame by frame as the
/// client takes them. A ledger that cannot be read in the middle of it cuts the answer short,
/// which the client sees.
async fn bundle(site: Arc<Site>, id: BundleId) -> Result<Body, Absent> {
    let first = id.first_entry();
    let mut left = first..first + u64::from(id.width());
    let begun = piece(&site, &mut left).await?;
    if left.is_empty() {
        return Ok(Body::from(begun));
    }
    let (pieces, sent) = mpsc::channel(PIECES_WAITING);
    tokio::spawn(async move {
        let mut next = Ok(begun);
        loop {
            let failed = next.is_err();
            if pieces.send(next).await.is_err() || failed || left.is_empty() {
                return;
            }
            next = piece(&site, &mut left).await;
        }
    });
    Ok(Body::from_stream(ReceiverStream::new(sent)))
}

/// The first entries that are left of a bundle, as many as one frame has, which are not left any
/// more.
async fn piece(site: &Arc<Site>, left: &mut Range<u64>) -> Result<Bytes, Absent> {
    let (reader, wanted) = (site.parts.reader.clone(), left.clone());
    let (next, bytes) = blocking(site, move || read(&reader, &wanted)).await?;
    left.start = next;
    Ok(bytes)
}

/// The first of the entries `wanted`, as many as one frame has, and the index after them.
fn read(reader: &Reader, wanted: &Range<u64>) -> Result<(u64, Bytes), Absent> {
    let index = wanted.start;
    let frame = reader
        .frame_at(index)?
        .ok_or(ReadError::Missing { index })?;
    let next = frame.next_index().min(wanted.end);
    let entries = (index..next).filter_map(|index| frame.entry(index));
    let encoded = encode_bundle(entries.map(|entry| &entry.encoded[..]));
    // Admission lets no entry in that is too long for a bundle.
    let encoded = encoded.map_err(|_| Absent::Defect("an entry does not fit a bundle"))?;
    Ok((next, Bytes::from(encoded)))
}
