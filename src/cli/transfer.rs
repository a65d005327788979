//! Documents to and from a daemon, in bounded memory and checked against their ids.

use std::io::Write as _;
use std::path::Path;

use bytes::Bytes;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::client::Client;
use super::error::CliError;
use crate::record::ContentId;
use crate::rpc::proto::put_source_request::Part;
use crate::rpc::proto::{GetSourceRequest, PutSourceHeader, PutSourceRequest, PutSourceResponse};

/// How many bytes go into one message: a quarter of what a message may hold.
const CHUNK_BYTES: usize = 256 * 1024;

/// How many chunks wait to be sent: half a megabyte in memory.
const CHUNKS_WAITING_MAX: usize = 2;

/// The id of a file's bytes, and how many they are.
pub fn identify(path: &Path) -> Result<(ContentId, u64), CliError> {
    let failed = |error| file_error(path, error);
    let mut hasher = blake3::Hasher::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    hasher.update_reader(file).map_err(failed)?;
    Ok((hasher.finalize().into(), hasher.count()))
}

/// Uploads the file at `path`, whose bytes have the id `id`.
pub async fn upload(
    client: &Client,
    id: ContentId,
    media_type: &str,
    path: &Path,
    progress: &ProgressBar,
) -> Result<PutSourceResponse, CliError> {
    let file = tokio::fs::File::open(path).await;
    let mut file = file.map_err(|error| file_error(path, error))?;
    let (parts, waiting) = mpsc::channel(CHUNKS_WAITING_MAX);
    let header = PutSourceHeader {
        media_type: media_type.to_owned(),
        source: id.to_string(),
    };
    let progress = progress.clone();
    let reader = tokio::spawn(async move {
        let mut part = Part::Header(header);
        loop {
            let request = PutSourceRequest { part: Some(part) };
            if parts.send(request).await.is_err() {
                // The daemon has ended the call; its answer says why.
                return Ok(());
            }
            let mut chunk = Vec::with_capacity(CHUNK_BYTES);
            (&mut file)
                .take(CHUNK_BYTES as u64)
                .read_to_end(&mut chunk)
                .await?;
            if chunk.is_empty() {
                return Ok(());
            }
            progress.inc(chunk.len() as u64);
            part = Part::Chunk(Bytes::from(chunk));
        }
    });
    let answer = client
        .sources()
        .put_source(ReceiverStream::new(waiting))
        .await;
    match reader.await {
        Ok(Err(error)) => Err(file_error(path, error)),
        _ => client.answered(answer),
    }
}

/// Downloads a document into `out`, piece by piece, and checks it against its id at the end.
pub async fn download(
    client: &Client,
    source: &str,
    mut out: impl FnMut(&[u8]) -> Result<(), CliError>,
) -> Result<u64, CliError> {
    let request = GetSourceRequest {
        source: source.to_owned(),
    };
    let answer = client.sources().get_source(request).await;
    let mut stream = client.answered(answer)?;
    let mut hasher = blake3::Hasher::new();
    loop {
        let message = stream.message().await;
        let Some(answer) = message.map_err(|status| client.failed(&status))? else {
            break;
        };
        hasher.update(&answer.chunk);
        out(&answer.chunk)?;
    }
    let found = ContentId::from(hasher.finalize()).to_string();
    if found != source {
        return Err(CliError::OtherBytes {
            asked: source.to_owned(),
            found,
        });
    }
    Ok(hasher.count())
}

/// Downloads a document into a file that appears only once it is whole and checked.
pub async fn download_to(client: &Client, source: &str, path: &Path) -> Result<u64, CliError> {
    let failed = |error| write_error(path, error);
    let mut file = file_to_be(path)?;
    let size = download(client, source, |chunk| {
        file.write_all(chunk).map_err(failed)
    })
    .await?;
    let persisted = file.persist(path);
    persisted.map_err(|error| failed(error.error))?;
    Ok(size)
}

/// A temporary file beside `path`, to be moved there once it is whole.
pub fn file_to_be(path: &Path) -> Result<tempfile::NamedTempFile, CliError> {
    let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    // The error that follows would name the temporary file.
    let exists = std::fs::metadata(directory);
    let made = exists.and_then(|_| tempfile::NamedTempFile::new_in(directory));
    made.map_err(|error| write_error(path, error))
}

/// Refuses a file that is there, unless it is to be written over.
pub fn must_be_free(path: &Path, force: bool) -> Result<(), CliError> {
    // Also a link that leads nowhere is there.
    if force || path.symlink_metadata().is_err() {
        return Ok(());
    }
    Err(CliError::Exists {
        path: path.to_owned(),
    })
}

/// That a file cannot be written.
pub fn write_error(path: &Path, error: std::io::Error) -> CliError {
    CliError::Write {
        path: path.to_owned(),
        error,
    }
}

/// How far a transfer is: shown on a terminal, quiet in a pipe.
pub fn progress_in_bytes(total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let style = ProgressStyle::with_template("{bar:40} {bytes} of {total_bytes}, {eta} left");
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn file_error(path: &Path, error: std::io::Error) -> CliError {
    CliError::File {
        path: path.to_owned(),
        error,
    }
}
