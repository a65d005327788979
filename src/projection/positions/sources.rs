//! What rests on the sources of a statement's words: when it was said, if it does not say
//! itself, and what a reader who does not trust every source asks of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{SOURCE_VERSIONS, SOURCES, touched};
use crate::fold::{Changes, FoldError, Tables};
use crate::projection::read::{content_id, date, malformed};
use crate::projection::rows::Key;
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

/// What the fold needs of a source: the first second after each date of its newest version.
#[derive(Debug, Serialize, Deserialize)]
struct Source {
    /// The number that it goes by in rows: the entry that first archived it.
    number: u64,
    published: Option<i64>,
    captured: i64,
}

/// A source, as one version has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Version {
    /// A number of `SourceRole`.
    pub(super) role: i32,
    /// Who published it; empty if nobody is named.
    pub(super) publisher: String,
    /// The first second after its publication, or if that is not known, after its capture.
    pub(super) public_from: i64,
    /// Whether it derives from another source.
    pub(super) derived: bool,
}

/// Keeps a source's version.
pub(super) fn archived(
    state: &dyn Tables,
    entry: &Entry,
    archived: &proto::SourceArchived,
) -> Result<Changes, FoldError> {
    let captured = archived
        .captured_at
        .as_ref()
        .and_then(Micros::from_timestamp)
        .ok_or_else(|| malformed(entry, "captured_at is missing or out of range"))?;
    let captured = captured.whole_seconds() + 1;
    let published = date(entry, "published_at", &archived.published_at)?;
    let published = published.map(|date| date.interval().latest);
    let key = key(entry, &archived.source)?;
    let before: Option<Source> = SOURCES.get(state, &key)?;
    let mut changes = Changes::new();
    if let Some(before) = &before {
        touched::source(entry.index, before.number, &mut changes)?;
    }
    let source = Source {
        number: before.map_or(entry.index, |before| before.number),
        published,
        captured,
    };
    let version = Version {
        role: archived.role,
        publisher: archived.publisher.clone(),
        public_from: published.unwrap_or(captured),
        derived: !archived.derived_from.is_empty(),
    };
    let version_key = versions(source.number).index(entry.index);
    changes.insert(key.into_bytes(), Some(SOURCES.encode(&source)?));
    let version = SOURCE_VERSIONS.encode(&version)?;
    changes.insert(version_key.into_bytes(), Some(version));
    Ok(changes)
}

fn key(entry: &Entry, source: &str) -> Result<Key, FoldError> {
    let source = content_id(entry, "source", source)?;
    Ok(SOURCES.key().bytes(source.as_bytes()))
}

pub(super) fn versions(number: u64) -> Key {
    SOURCE_VERSIONS.key().index(number)
}

/// The sources of a statement's words, and when it was said.
pub(super) struct Words {
    /// The numbers of the sources, each once.
    pub(super) sources: Vec<u64>,
    pub(super) said_at: When,
}

/// The sources of a statement's words, and when it was said.
pub(super) fn words(
    state: &dyn Tables,
    entry: &Entry,
    statement: &proto::Statement,
) -> Result<Words, FoldError> {
    let found = giving_words(state, entry, &statement.evidence)?;
    let said_at = match date(entry, "said_at", &statement.said_at)? {
        Some(date) => When::from(date),
        None if found.is_empty() => return Err(malformed(entry, "no evidence establishes WORDS")),
        None => When {
            text: String::new(),
            interval: Interval::unstated(found.iter().map(|it| (it.published, it.captured))),
        },
    };
    Ok(Words {
        sources: numbers(&found),
        said_at,
    })
}

/// The numbers of the sources that evidence quotes the words from, each once.
pub(super) fn further(
    state: &dyn Tables,
    entry: &Entry,
    evidence: &[proto::Evidence],
) -> Result<Vec<u64>, FoldError> {
    Ok(numbers(&giving_words(state, entry, evidence)?))
}

fn numbers(sources: &[Source]) -> Vec<u64> {
    let mut numbers: Vec<u64> = sources.iter().map(|source| source.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// The sources that evidence quotes the words from.
fn giving_words(
    state: &dyn Tables,
    entry: &Entry,
    evidence: &[proto::Evidence],
) -> Result<Vec<Source>, FoldError> {
    let gives_words = |it: &&proto::Evidence| {
        let mut establishes = it.establishes();
        establishes.any(|what| what == proto::Establishes::Words)
    };
    let sources = evidence.iter().filter(gives_words).map(|it| {
        let source = SOURCES.get(state, &key(entry, &it.source)?)?;
        source.ok_or_else(|| malformed(entry, format!("the source {} is not on record", it.source)))
    });
    sources.collect()
}

/// Sources as they are known at K, each read once.
pub(super) struct Library<'a> {
    tables: &'a dyn Tables,
    known_at: u64,
    read: BTreeMap<u64, Version>,
}

impl<'a> Library<'a> {
    pub(super) fn new(tables: &'a dyn Tables, known_at: u64) -> Self {
        Self {
            tables,
            known_at,
            read: BTreeMap::new(),
        }
    }

    /// The source that goes by a number, in its newest version.
    pub(super) fn source(&mut self, number: u64) -> Result<&Version, FoldError> {
        if !self.read.contains_key(&number) {
            let newest = self.newest(number)?;
            self.read.insert(number, newest);
        }
        let source = self.read.get(&number);
        source.ok_or_else(|| SOURCE_VERSIONS.damaged())
    }

    fn newest(&self, number: u64) -> Result<Version, FoldError> {
        let mut newest = SOURCE_VERSIONS.below(self.tables, &versions(number), self.known_at);
        let (_, version): (_, Version) =
            newest.next().ok_or_else(|| SOURCE_VERSIONS.damaged())??;
        Ok(version)
    }
}
