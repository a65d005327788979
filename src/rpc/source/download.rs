//! A document on its way out: read as the client takes it, and hashed, so that a damaged one
//! ends in an error.

use std::io::Read as _;

use bytes::Bytes;
use tokio::sync::mpsc;
use tonic::Status;

use super::super::proto::GetSourceResponse;
use super::super::{Failure, Reason, blocking};
use crate::record::ContentId;
use crate::storage::BlobReader;

/// A chunk of a download.
const DOWNLOAD_CHUNK_BYTES: usize = 64 << 10;

/// How many chunks of a download are read at a time, and wait for the client to take them.
pub(super) const CHUNKS_AT_ONCE: usize = 4;

/// A document on its way out.
pub(super) struct Download {
    id: ContentId,
    reader: BlobReader,
    hasher: blake3::Hasher,
}

impl Download {
    /// The document `id`, from the beginning of its bytes.
    pub(super) fn new(id: ContentId, reader: BlobReader) -> Self {
        Self {
            id,
            reader,
            hasher: blake3::Hasher::new(),
        }
    }

    /// Sends it, as fast as the client takes it.
    pub(super) async fn send(mut self, chunks: mpsc::Sender<Result<GetSourceResponse, Status>>) {
        loop {
            let read = blocking(move || self.read()).await;
            let (rest, read) = match read {
                Ok(read) => read,
                Err(failure) => {
                    let _ = chunks.send(Err(failure.into())).await;
                    return;
                }
            };
            let Some(rest) = rest else {
                return;
            };
            self = rest;
            for chunk in read {
                if chunks.send(Ok(GetSourceResponse { chunk })).await.is_err() {
                    return;
                }
            }
        }
    }

    /// The next chunks; without anything to go on with at the end.
    fn read(mut self) -> Result<(Option<Self>, Vec<Bytes>), Failure> {
        let mut chunks = Vec::new();
        while chunks.len() < CHUNKS_AT_ONCE {
            let mut chunk = Vec::with_capacity(DOWNLOAD_CHUNK_BYTES);
            let mut limited = self.reader.by_ref().take(DOWNLOAD_CHUNK_BYTES as u64);
            let read = limited.read_to_end(&mut chunk);
            read.map_err(|error| Failure::new(Reason::StorageFailed, error.to_string()))?;
            if chunk.is_empty() {
                break;
            }
            self.hasher.update(&chunk);
            chunks.push(chunk.into());
        }
        if !chunks.is_empty() {
            return Ok((Some(self), chunks));
        }
        let found = ContentId::from(self.hasher.finalize());
        if found != self.id {
            let message = format!(
                "the document {} is damaged: its bytes hash to {found}",
                self.id
            );
            return Err(Failure::new(Reason::DataDamaged, message));
        }
        Ok((None, chunks))
    }
}
