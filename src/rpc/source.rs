//! `SourceService`: documents in and out, chunk by chunk, in bounded memory.
//!
//! What has been received is hashed and written at once; what is sent is read as the client
//! takes it, and hashed too, so that a damaged document ends in an error. Only the extraction
//! of a text needs a document whole: few of them run at a time.
//!
//! An upload that a client breaks off can look like one that has ended. Where the header names
//! the source, what came is refused; otherwise it is a document of its own that no record will
//! name, and expires.

use std::io::Read as _;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit, mpsc};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::proto::put_source_request::Part;
use super::proto::source_service_server::SourceService;
use super::proto::{
    GetSourceRequest, GetSourceResponse, GetSourceTextRequest, GetSourceTextResponse,
    PutSourceHeader, PutSourceRequest, PutSourceResponse,
};
use super::views::View;
use super::{Failure, Reason, blocking, parse};
use crate::admission::withheld;
use crate::documents::StoredDocuments;
use crate::ledger::AdmissionTables;
use crate::projection::catalog;
use crate::record::ContentId;
use crate::record::proto::{SourceArchived, WithholdingScope};
use crate::storage::{BlobReader, BlobWriter};

/// The largest chunk of an upload, as the proto promises.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// A chunk of a download.
const DOWNLOAD_CHUNK_BYTES: usize = 64 << 10;

/// How many chunks of a download are read at a time, and wait for the client to take them.
const CHUNKS_AT_ONCE: usize = 4;

/// The most text of one answer, in bytes: a quarter of what clients take by default.
const TEXT_ANSWER_BYTES_MAX: usize = 1 << 20;

/// How many uploads are taken at a time. Each holds a chunk in memory and an open file.
const UPLOADS_MAX: usize = 64;

/// How many texts are extracted at a time: each takes a few times its document.
const EXTRACTIONS_MAX: usize = 2;

/// How long an upload may send nothing.
const UPLOAD_IDLE_MAX: Duration = Duration::from_mins(1);

/// The service. See the module.
pub struct Sources {
    documents: Arc<StoredDocuments>,
    catalog: View,
    /// Knows what is withheld as soon as it is on record.
    records: AdmissionTables,
    source_bytes_max: u64,
    uploads: Semaphore,
    extractions: Semaphore,
}

impl Sources {
    /// The service over `documents`, of which `catalog` and `records` know the records.
    pub fn new(
        documents: Arc<StoredDocuments>,
        catalog: View,
        records: AdmissionTables,
        source_bytes_max: u64,
    ) -> Self {
        Self {
            documents,
            catalog,
            records,
            source_bytes_max,
            uploads: Semaphore::new(UPLOADS_MAX),
            extractions: Semaphore::new(EXTRACTIONS_MAX),
        }
    }

    fn place_for_upload(&self) -> Result<SemaphorePermit<'_>, Failure> {
        self.uploads.try_acquire().map_err(|_| {
            let message = format!("{UPLOADS_MAX} uploads are under way");
            Failure::new(Reason::Overloaded, message)
        })
    }

    /// Writes what is uploaded and makes it durable; how many bytes, and their id.
    async fn store(
        &self,
        parts: &mut Streaming<PutSourceRequest>,
        expected: Option<ContentId>,
    ) -> Result<(ContentId, u64), Status> {
        let (documents, bytes_max) = (Arc::clone(&self.documents), self.source_bytes_max);
        let begun = blocking(move || Ok(documents.sources().begin(bytes_max)?));
        let mut upload = Upload {
            writer: begun.await?,
            hasher: blake3::Hasher::new(),
            size_bytes: 0,
        };
        while let Some(chunk) = next_chunk(parts).await? {
            upload = blocking(move || upload.take(&chunk)).await?;
        }
        let Upload {
            writer,
            hasher,
            size_bytes,
        } = upload;
        let found = ContentId::from(hasher.finalize());
        if let Some(expected) = expected.filter(|expected| *expected != found) {
            // Dropping the writer leaves nothing behind.
            Err(Failure::at(
                Reason::SourceIdMismatch,
                "header.source",
                format!("the {size_bytes} bytes hash to {found}, not to {expected}"),
                "the BLAKE3-256 hash of the bytes that follow, or none",
            ))?;
        }
        let id = blocking(move || Ok(writer.finish()?)).await?;
        Ok((id, size_bytes))
    }
}

/// A document on its way in.
struct Upload {
    writer: Box<dyn BlobWriter>,
    hasher: blake3::Hasher,
    size_bytes: u64,
}

impl Upload {
    fn take(mut self, chunk: &Bytes) -> Result<Self, Failure> {
        self.writer.write(chunk)?;
        self.hasher.update(chunk);
        self.size_bytes += chunk.len() as u64;
        Ok(self)
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
        let mut parts = request.into_inner();
        let header = header(&mut parts).await?;
        let expected = match &header.source[..] {
            "" => None,
            id => Some(parse("header.source", id)?),
        };
        let (source, size_bytes) = self.store(&mut parts, expected).await?;

        let extraction = self.extractions.acquire().await;
        let documents = Arc::clone(&self.documents);
        let extracted = blocking(move || Ok(documents.extract(&source, &header.media_type)?));
        let text = extracted.await?;
        drop(extraction);
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
        let download = Download {
            id,
            reader,
            hasher: blake3::Hasher::new(),
        };
        tokio::spawn(download.send(chunks));
        Ok(Response::new(Box::pin(ReceiverStream::new(sent))))
    }

    async fn get_source_text(
        &self,
        request: Request<GetSourceTextRequest>,
    ) -> Result<Response<GetSourceTextResponse>, Status> {
        let request = request.into_inner();
        let id: ContentId = parse("source", &request.source)?;
        let (view, documents) = (self.catalog.clone(), Arc::clone(&self.documents));
        let records = self.records.clone();
        let answer = blocking(move || {
            if withheld(&records, &id)? == WithholdingScope::BytesAndText {
                return Err(is_withheld("the text is", &id));
            }
            let known_at = view.size();
            let version = version_with_text(&view, &id, &request.text_id, known_at)?;
            let text_id: ContentId = parse("textId", &version.text_id)?;
            let text = documents.extracted_text(&text_id)?;
            let text =
                text.ok_or_else(|| no_text("the text is not kept; upload the source again"))?;
            part(version, &text, request.start, request.length_max)
        });
        Ok(Response::new(answer.await?))
    }
}

/// The first part of an upload, which says what follows.
async fn header(parts: &mut Streaming<PutSourceRequest>) -> Result<PutSourceHeader, Status> {
    let accepted = "a header with the media type first, then chunks";
    match next_part(parts).await? {
        Some(Part::Header(header)) if !header.media_type.is_empty() => Ok(header),
        Some(Part::Header(_)) => Err(Failure::invalid(
            "header.mediaType",
            "it is empty",
            "a media type such as \"text/plain; charset=utf-8\"",
        ))?,
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

/// A document on its way out.
struct Download {
    id: ContentId,
    reader: BlobReader,
    hasher: blake3::Hasher,
}

impl Download {
    async fn send(mut self, chunks: mpsc::Sender<Result<GetSourceResponse, Status>>) {
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

/// The newest version of a source that has the text asked for, or else a text at all.
fn version_with_text(
    view: &View,
    id: &ContentId,
    text_id: &str,
    known_at: u64,
) -> Result<SourceArchived, Failure> {
    let newest = catalog::source(view.tables(), id, known_at)?;
    let mut version = newest.ok_or_else(|| {
        Failure::unknown(
            Reason::UnknownSource,
            "source",
            &id.to_string(),
            known_at,
            view.size(),
        )
    })?;
    if text_id.is_empty() {
        if version.definition.text_id.is_empty() {
            return Err(no_text("the source's newest version has no text"));
        }
        return Ok(version.definition);
    }
    while version.definition.text_id != text_id {
        let before = catalog::source(view.tables(), id, version.provenance.index)?;
        version = before.ok_or_else(|| no_text("no version of the source has this text"))?;
    }
    Ok(version.definition)
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

fn no_text(message: &str) -> Failure {
    Failure::at(
        Reason::NoText,
        "textId",
        message,
        "the textId of one of the source's records, or none for the newest",
    )
}

/// A part of a text, as much of it as fits into an answer.
fn part(
    version: SourceArchived,
    text: &str,
    start: u32,
    length_max: u32,
) -> Result<GetSourceTextResponse, Failure> {
    let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let mut starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let from = starts.nth(start as usize).ok_or_else(|| {
        Failure::at(
            Reason::BeyondTheText,
            "start",
            format!("the text has {length} code points"),
            format!("0 to {length}"),
        )
    })?;
    let rest = text.get(from..).unwrap_or_default();
    let most = if length_max == 0 {
        u32::MAX
    } else {
        length_max
    };
    let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8());
    let end = ends
        .take(most as usize)
        .take_while(|end| *end <= TEXT_ANSWER_BYTES_MAX)
        .last()
        .unwrap_or(0);
    Ok(GetSourceTextResponse {
        text_id: version.text_id,
        profile: version.profile,
        start,
        text: rest.get(..end).unwrap_or_default().to_owned(),
        length,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str, start: u32, length_max: u32) -> Result<String, Reason> {
        part(SourceArchived::default(), text, start, length_max)
            .map(|part| part.text)
            .map_err(|failure| failure.reason())
    }

    #[test]
    fn a_part_of_a_text_is_counted_in_code_points() {
        let whole = "дом 😀!";
        assert_eq!(text(whole, 0, 0).unwrap(), whole);
        assert_eq!(text(whole, 4, 1).unwrap(), "😀");
        assert_eq!(text(whole, 4, 99).unwrap(), "😀!");
        assert_eq!(text(whole, 6, 0).unwrap(), "");
        assert_eq!(text(whole, 7, 0), Err(Reason::BeyondTheText));
        assert_eq!(text("", 0, 0).unwrap(), "");
    }

    #[test]
    fn a_long_text_is_read_part_by_part_without_a_gap() {
        let whole = "длинный текст 😀 ".repeat(100_000);
        let mut read = String::new();
        let mut parts = 0;
        while read.len() < whole.len() {
            let start = u32::try_from(read.chars().count()).unwrap();
            let part = text(&whole, start, 0).unwrap();
            assert!(part.len() <= TEXT_ANSWER_BYTES_MAX && !part.is_empty());
            read.push_str(&part);
            parts += 1;
        }
        assert_eq!(read, whole);
        assert!(parts > 2);
    }
}
