//! `/checkpoint`: the newest signed note, with the cosignatures that have joined it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::Site;
use super::absent::Absent;
use super::answer::{Caching, Content};

pub(super) async fn serve(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
) -> Result<Response, Absent> {
    let newest = site.parts.checkpoints.newest().ok_or(Absent::Unsigned)?;
    let note = newest.note.clone();
    let content = Content::new(
        "text/plain; charset=utf-8",
        Caching::Seconds,
        note.as_bytes(),
    );
    Ok(content.answer(&headers, note))
}
