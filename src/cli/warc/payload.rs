//! From a record's block to the bytes that are archived.

use std::io::{self, BufRead, Read as _, Write};

use super::digest::{Hashing, same};
use super::fault::Fault;
use super::http::{HttpHead, media_type, undecodable};
use super::record::{RecordHead, RecordKind};
use crate::record::ContentId;

/// The status of an answer that holds what was asked for. Errors and redirections are pages
/// that nobody said anything on.
const OK: u16 = 200;

/// The media type of what names none, and is not found to be of one.
const MEDIA_TYPE_DEFAULT: &str = "application/octet-stream";

/// How many bytes are copied at a time.
const COPIED_BYTES: usize = 64 << 10;

/// A payload that was written into the sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The id of its bytes.
    pub source: ContentId,
    /// How many they are.
    pub size_bytes: u64,
    /// Its media type, with charset where it has one.
    pub media_type: String,
}

/// Writes the payload of a response or resource into `sink`, and checks the record's digests.
/// None if it holds nothing to archive: another status than 200, another protocol than HTTP in a
/// response, or no bytes.
///
/// What was written counts only if the answer is a payload.
pub fn take(
    head: &RecordHead,
    block: &mut dyn BufRead,
    bytes_max: u64,
    sink: &mut dyn Write,
) -> Result<Option<Payload>, Fault> {
    let is_http = head.content_type.to_ascii_lowercase();
    let is_http = is_http.trim_start().starts_with("application/http");
    let mut block = Hashing::new(block, head.block_digest.as_ref());
    let payload = match head.kind {
        RecordKind::Response if is_http => response(head, &mut block, bytes_max, sink),
        RecordKind::Resource => resource(head, &mut block, bytes_max, sink),
        RecordKind::Response | RecordKind::Revisit => Ok(None),
    };
    let found = block.finish().map_err(Fault::of)?;
    if let Some(stated) = &head.block_digest {
        same("WARC-Block-Digest", stated, &[found])?;
    }
    Ok(payload?.filter(|payload| payload.size_bytes != 0))
}

fn response(
    head: &RecordHead,
    block: &mut dyn BufRead,
    bytes_max: u64,
    sink: &mut dyn Write,
) -> Result<Option<Payload>, Fault> {
    let http = HttpHead::read(block)?;
    if http.status != OK {
        return Ok(None);
    }
    let stated = head.payload_digest.as_ref();
    let mut body = Hashing::new(block, stated);
    let mut entity = Hashing::new(http.entity(&mut body)?, stated);
    let mut payload = http.payload(Box::new(&mut entity))?;
    let copied = copy(&mut payload, bytes_max, sink);
    drop(payload);
    let entity = match copied {
        // What is wrong with the bytes is worse than what is wrong with their digest.
        Err(Fault::TooLarge { .. }) | Ok(_) => entity.finish().map_err(undecodable)?,
        Err(fault) => return Err(fault),
    };
    let body = body.finish().map_err(Fault::of)?;
    if let Some(stated) = stated {
        same("WARC-Payload-Digest", stated, &[body, entity])?;
    }
    let (source, size_bytes) = copied?;
    let media_type = http
        .media_type
        .or_else(|| media_type(&head.identified_type));
    Ok(Some(Payload {
        source,
        size_bytes,
        media_type: media_type.unwrap_or_else(|| MEDIA_TYPE_DEFAULT.to_owned()),
    }))
}

fn resource(
    head: &RecordHead,
    block: &mut dyn BufRead,
    bytes_max: u64,
    sink: &mut dyn Write,
) -> Result<Option<Payload>, Fault> {
    let stated = head.payload_digest.as_ref();
    let mut body = Hashing::new(block, stated);
    let copied = copy(&mut body, bytes_max, sink);
    let found = body.finish().map_err(Fault::of)?;
    if let Some(stated) = stated {
        same("WARC-Payload-Digest", stated, &[found])?;
    }
    let (source, size_bytes) = copied?;
    let types = [&head.content_type, &head.identified_type];
    let media_type = types.into_iter().find_map(|it| media_type(it));
    Ok(Some(Payload {
        source,
        size_bytes,
        media_type: media_type.unwrap_or_else(|| MEDIA_TYPE_DEFAULT.to_owned()),
    }))
}

/// Copies a payload, and no more of it than is taken.
fn copy(
    from: &mut dyn BufRead,
    bytes_max: u64,
    sink: &mut dyn Write,
) -> Result<(ContentId, u64), Fault> {
    let mut hasher = blake3::Hasher::new();
    let mut limited = from.take(bytes_max.saturating_add(1));
    let mut buffer = vec![0; COPIED_BYTES];
    loop {
        let read = match limited.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(undecodable(error)),
        };
        let bytes = buffer.get(..read).unwrap_or_default();
        if bytes.is_empty() {
            return Ok((hasher.finalize().into(), hasher.count()));
        }
        hasher.update(bytes);
        if hasher.count() > bytes_max {
            return Err(Fault::TooLarge { bytes_max });
        }
        sink.write_all(bytes)?;
    }
}
