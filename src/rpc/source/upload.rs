//! A document on its way in: a header, then chunks, each written as it comes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tonic::{Status, Streaming};

use super::super::proto::put_source_request::Part;
use super::super::proto::{PutSourceHeader, PutSourceRequest};
use super::super::views::View;
use super::super::{Failure, Reason, blocking};
use crate::admission::check_media_type;
use crate::documents::{StoredDocuments, Upload, UploadError};
use crate::record::ContentId;

/// The largest chunk of an upload, as the proto promises.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// How long an upload may send nothing.
const UPLOAD_IDLE_MAX: Duration = Duration::from_mins(1);

/// Writes what is uploaded and makes it durable; how many bytes, and their id. What finds no room
/// among what no record names, by what the catalog has read, is tried again once that has read all
/// that was acknowledged.
pub(super) async fn store(
    documents: Arc<StoredDocuments>,
    catalog: &View,
    parts: &mut Streaming<PutSourceRequest>,
    expected: Option<ContentId>,
    bytes_max: u64,
) -> Result<(ContentId, u64), Status> {
    let open = || {
        let documents = Arc::clone(&documents);
        blocking(move || Ok(documents.begin_upload(bytes_max)))
    };
    let mut begun = open().await?;
    if has_no_room(&begun) && catalog.acknowledged().await.is_ok() {
        begun = open().await?;
    }
    let mut upload = begun.map_err(Failure::from)?;
    while let Some(chunk) = next_chunk(parts).await? {
        let mut written;
        (upload, written) = write(upload, chunk.clone()).await?;
        if has_no_room(&written) && catalog.acknowledged().await.is_ok() {
            (upload, written) = write(upload, chunk).await?;
        }
        written.map_err(Failure::from)?;
    }
    let (found, size_bytes) = (upload.id(), upload.size_bytes());
    if let Some(expected) = expected.filter(|expected| *expected != found) {
        // Dropping the upload leaves nothing behind.
        Err(Failure::at(
            Reason::SourceIdMismatch,
            "header.source",
            format!("the {size_bytes} bytes hash to {found}, not to {expected}"),
            "the BLAKE3-256 hash of the bytes that follow, or none",
        ))?;
    }
    let id = blocking(move || Ok(upload.finish()?)).await?;
    Ok((id, size_bytes))
}

/// Adds a chunk to an upload, which takes all of it or nothing.
async fn write(
    mut upload: Upload,
    chunk: Bytes,
) -> Result<(Upload, Result<(), UploadError>), Failure> {
    let written = blocking(move || {
        let written = upload.write(&chunk);
        Ok((upload, written))
    });
    written.await
}

const fn has_no_room<T>(outcome: &Result<T, UploadError>) -> bool {
    matches!(outcome, Err(UploadError::Unnamed { .. }))
}

/// The first part of an upload, which says what follows.
pub(super) async fn header(
    parts: &mut Streaming<PutSourceRequest>,
) -> Result<PutSourceHeader, Status> {
    let accepted = "a header with the media type first, then chunks";
    match next_part(parts).await? {
        Some(Part::Header(header)) => {
            check_media_type(&header.media_type).map_err(|refusal| {
                Failure::invalid("header.mediaType", refusal.message, refusal.accepted)
            })?;
            Ok(header)
        }
        Some(Part::Chunk(_)) => Err(Failure::invalid("header", "a chunk came first", accepted))?,
        None => Err(Failure::invalid("header", "nothing came", accepted))?,
    }
}

/// The next bytes of an upload; none at its end.
async fn next_chunk(parts: &mut Streaming<PutSourceRequest>) -> Result<Option<Bytes>, Status> {
    match next_part(parts).await? {
        None => Ok(None),
        Some(Part::Chunk(chunk)) if chunk.len() <= CHUNK_BYTES_MAX => Ok(Some(chunk)),
        Some(Part::Chunk(chunk)) => Err(Failure::invalid(
            "chunk",
            format!("a chunk of {} bytes", chunk.len()),
            format!("at most {CHUNK_BYTES_MAX} bytes"),
        ))?,
        Some(Part::Header(_)) => Err(Failure::invalid(
            "header",
            "a second header",
            "chunks after the header",
        ))?,
    }
}

/// The next part; none at the end. A message without one is an empty chunk.
async fn next_part(parts: &mut Streaming<PutSourceRequest>) -> Result<Option<Part>, Status> {
    let next = tokio::time::timeout(UPLOAD_IDLE_MAX, parts.message()).await;
    let next = next.map_err(|_| {
        let seconds = UPLOAD_IDLE_MAX.as_secs();
        Failure::new(
            Reason::NotYet,
            format!("the upload sent nothing for {seconds} s"),
        )
    })?;
    Ok(next?.map(|request| request.part.unwrap_or(Part::Chunk(Bytes::new()))))
}
