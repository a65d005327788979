//! `SourceService`: documents in and out, chunk by chunk, in bounded memory.
//!
//! What has been received is hashed and written at once; what is sent is read as the client
//! takes it, and hashed too, so that a damaged document ends in an error. Only the extraction
//! of a text needs a document whole, and a part of a text the whole text: few of them run at a
//! time.
//!
//! An upload that a client breaks off can look like one that has ended. Where the header names
//! the source, what came is refused; otherwise it is a document of its own that no record will
//! name, and expires.

mod download;
mod text;
mod upload;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::proto::source_service_server::SourceService;
use super::proto::{
    GetSourceRequest, GetSourceResponse, GetSourceTextRequest, GetSourceTextResponse,
    PutSourceHeader, PutSourceRequest, PutSourceResponse,
};
use super::views::View;
use super::{Failure, Limits, Reason, blocking, blocking_in_turn, parse};
use crate::admission::withheld;
use crate::documents::StoredDocuments;
use crate::ledger::AdmissionTables;
use crate::record::ContentId;
use crate::record::proto::WithholdingScope;
use download::{CHUNKS_AT_ONCE, Download};

/// How many uploads are taken at a time. Each holds a chunk in memory and an open file.
const UPLOADS_MAX: usize = 64;

/// How many texts are extracted at a time: each takes a few times its document.
const EXTRACTIONS_MAX: usize = 2;

/// How many texts are read at a time: each takes twice its 16 MiB at most.
const TEXTS_READ_MAX: usize = 4;

/// The service. See the module.
pub struct Sources {
    documents: Arc<StoredDocuments>,
    catalog: View,
    /// Knows what is withheld as soon as it is on record.
    records: AdmissionTables,
    source_bytes_max: u64,
    upload_max: Duration,
    uploads: Semaphore,
    extractions: Arc<Semaphore>,
    texts_read: Arc<Semaphore>,
}

impl Sources {
    /// The service over `documents`, of which `catalog` and `records` know the records.
    pub fn new(
        documents: Arc<StoredDocuments>,
        catalog: View,
        records: AdmissionTables,
        limits: &Limits,
    ) -> Self {
        Self {
            documents,
            catalog,
            records,
            source_bytes_max: limits.source_bytes_max,
            upload_max: limits.upload_max,
            uploads: Semaphore::new(UPLOADS_MAX),
            extractions: Arc::new(Semaphore::new(EXTRACTIONS_MAX)),
            texts_read: Arc::new(Semaphore::new(TEXTS_READ_MAX)),
        }
    }

    /// Takes a document in: its header, its id, and how many bytes it has.
    async fn receive(
        &self,
        mut parts: Streaming<PutSourceRequest>,
    ) -> Result<(PutSourceHeader, ContentId, u64), Status> {
        let header = upload::header(&mut parts).await?;
        let expected = match &header.source[..] {
            "" => None,
            id => Some(parse("header.source", id)?),
        };
        let documents = Arc::clone(&self.documents);
        let (catalog, bytes_max) = (&self.catalog, self.source_bytes_max);
        let stored = upload::store(documents, catalog, &mut parts, expected, bytes_max);
        let (source, size_bytes) = stored.await?;
        Ok((header, source, size_bytes))
    }

    fn place_for_upload(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.uploads.try_acquire().map_err(|_| {
            let message = format!("{UPLOADS_MAX} uploads are under way");
            Failure::new(Reason::Overloaded, message)
        })
    }
}

type Chunks = Pin<Box<dyn Stream<Item = Result<GetSourceResponse, Status>> + Send>>;

#[tonic::async_trait]
impl SourceService for Sources {
    async fn put_source(
        &self,
        request: Request<Streaming<PutSourceRequest>>,
    ) -> Result<Response<PutSourceResponse>, Status> {
        let _place = self.place_for_upload()?;
        let received = self.receive(request.into_inner());
        let received = tokio::time::timeout(self.upload_max, received).await;
        let (header, source, size_bytes) = received.map_err(|_| {
            let seconds = self.upload_max.as_secs();
            let message = format!("the upload did not end within {seconds} s");
            Failure::new(Reason::NotYet, message)
        })??;

        let documents = Arc::clone(&self.documents);
        let extract = move || Ok(documents.extract(&source, &header.media_type)?);
        let text = blocking_in_turn(&self.extractions, extract).await?;
        Ok(Response::new(PutSourceResponse {
            source: source.to_string(),
            size_bytes,
            profile: text
                .as_ref()
                .map(|text| text.profile.to_string())
                .unwrap_or_default(),
            text_id: text
                .as_ref()
                .map(|text| text.text_id.to_string())
                .unwrap_or_default(),
            malformed: text.map_or(0, |text| text.malformed),
        }))
    }

    type GetSourceStream = Chunks;

    async fn get_source(
        &self,
        request: Request<GetSourceRequest>,
    ) -> Result<Response<Chunks>, Status> {
        let id: ContentId = parse("source", &request.into_inner().source)?;
        let documents = Arc::clone(&self.documents);
        let records = self.records.clone();
        let reader = blocking(move || {
            if withheld(&records, &id)? != WithholdingScope::Unspecified {
                return Err(is_withheld("the bytes are", &id));
            }
            Ok(documents.sources().open(&id)?)
        });
        let reader = reader.await?;
        let (chunks, sent) = mpsc::channel(CHUNKS_AT_ONCE);
        tokio::spawn(Download::new(id, reader).send(chunks));
        Ok(Response::new(Box::pin(ReceiverStream::new(sent))))
    }

    async fn get_source_text(
        &self,
        request: Request<GetSourceTextRequest>,
    ) -> Result<Response<GetSourceTextResponse>, Status> {
        let request = request.into_inner();
        let id: ContentId = parse("source", &request.source)?;
        let known = self.catalog.acknowledged().await?;
        let (documents, records) = (Arc::clone(&self.documents), self.records.clone());
        let read = move || {
            if withheld(&records, &id)? == WithholdingScope::BytesAndText {
                return Err(is_withheld("the text is", &id));
            }
            text::read(&documents, &known, &id, &request)
        };
        let answer = blocking_in_turn(&self.texts_read, read);
        Ok(Response::new(answer.await?))
    }
}

/// The source's bytes or text stay on record, and are no longer served.
fn is_withheld(what: &str, id: &ContentId) -> Failure {
    Failure::at(
        Reason::Withheld,
        "source",
        format!("{what} withheld; GetSourceRecord of {id} says on whose authority"),
        "a source that is served",
    )
}
