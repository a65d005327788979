//! When a statement was said, as an interval; for one that does not say, from the dates of the
//! sources that give its words.

use serde::{Deserialize, Serialize};

use super::SOURCES;
use crate::fold::{Changes, FoldError, Tables};
use crate::projection::read::{content_id, date, malformed};
use crate::record::{Date, Entry, Interval, Micros, proto};

/// A date as recorded, and what it stands for. The text is empty where the statement gave none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct When {
    pub(super) text: String,
    pub(super) interval: Interval,
}

impl From<Date> for When {
    fn from(date: Date) -> Self {
        Self {
            text: date.as_str().to_owned(),
            interval: date.interval(),
        }
    }
}

/// The dates of a source's newest version: the first second after each.
#[derive(Debug, Serialize, Deserialize)]
struct SourceDates {
    published: Option<i64>,
    captured: i64,
}

/// Keeps a source's dates.
pub(super) fn archived(
    entry: &Entry,
    archived: &proto::SourceArchived,
) -> Result<Changes, FoldError> {
    let captured = archived
        .captured_at
        .as_ref()
        .and_then(Micros::from_timestamp)
        .ok_or_else(|| malformed(entry, "captured_at is missing or out of range"))?;
    let published = date(entry, "published_at", &archived.published_at)?;
    let dates = SourceDates {
        published: published.map(|date| date.interval().latest),
        captured: captured.whole_seconds() + 1,
    };
    let source = content_id(entry, "source", &archived.source)?;
    let key = SOURCES.key().bytes(source.as_bytes()).into_bytes();
    Ok(Changes::from([(key, Some(SOURCES.encode(&dates)?))]))
}

/// When a statement was said.
pub(super) fn said_at(
    state: &dyn Tables,
    entry: &Entry,
    statement: &proto::Statement,
) -> Result<When, FoldError> {
    match date(entry, "said_at", &statement.said_at)? {
        Some(date) => Ok(When::from(date)),
        None => Ok(When {
            text: String::new(),
            interval: Interval::unstated(words(state, entry, statement)?),
        }),
    }
}

/// Of each source that gives a statement's words, the first second after its publication, if
/// it has one, and after its capture.
fn words(
    state: &dyn Tables,
    entry: &Entry,
    statement: &proto::Statement,
) -> Result<Vec<(Option<i64>, i64)>, FoldError> {
    let mut sources = Vec::new();
    for evidence in &statement.evidence {
        if !evidence
            .establishes()
            .any(|what| what == proto::Establishes::Words)
        {
            continue;
        }
        let source = content_id(entry, "source", &evidence.source)?;
        let dates: SourceDates = SOURCES
            .get(state, &SOURCES.key().bytes(source.as_bytes()))?
            .ok_or_else(|| malformed(entry, format!("the source {source} is not on record")))?;
        sources.push((dates.published, dates.captured));
    }
    if sources.is_empty() {
        return Err(malformed(entry, "no evidence establishes WORDS"));
    }
    Ok(sources)
}
