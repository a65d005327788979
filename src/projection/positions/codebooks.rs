//! The versions of topics, by which readings are coded.

use super::{CODEBOOKS, NEWEST_CODEBOOKS};
use crate::fold::{Changes, FoldError, Tables};
use crate::projection::read::{content_id, malformed, slug};
use crate::record::{ContentId, Entry, Slug, proto};

/// Keeps a topic's version.
pub(super) fn defined(entry: &Entry, defined: &proto::TopicDefined) -> Result<Changes, FoldError> {
    let topic = slug(entry, "topic_id", &defined.topic_id)?;
    let index = Some(CODEBOOKS.encode(&entry.index)?);
    let by_id = CODEBOOKS.key().bytes(entry.record_id.as_bytes());
    let newest = NEWEST_CODEBOOKS.key().slug(&topic);
    Ok(Changes::from([
        (by_id.into_bytes(), index.clone()),
        (newest.into_bytes(), index),
    ]))
}

/// The entry of the version that a reading was coded by: the one it names, or else the newest.
/// None where the topic is not on record, which admission does not let in.
pub(super) fn of(
    state: &dyn Tables,
    entry: &Entry,
    reading: &proto::Reading,
    topic: &Slug,
) -> Result<Option<u64>, FoldError> {
    if reading.codebook.is_empty() {
        return NEWEST_CODEBOOKS.get(state, &NEWEST_CODEBOOKS.key().slug(topic));
    }
    let id = content_id(entry, "codebook", &reading.codebook)?;
    let found = codebook(state, &id)?;
    found
        .ok_or_else(|| malformed(entry, format!("the codebook {id} is not on record")))
        .map(Some)
}

/// The entry of the topic's version that goes by a record id; none if there is none.
pub fn codebook(tables: &dyn Tables, id: &ContentId) -> Result<Option<u64>, FoldError> {
    CODEBOOKS.get(tables, &CODEBOOKS.key().bytes(id.as_bytes()))
}
