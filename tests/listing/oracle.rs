//! The same lists by reading the whole ledger from its beginning, again for each question.

use std::collections::BTreeSet;

use onrecord::record::Date;
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::statement::Voice;
use onrecord::record::proto::{Establishes, Evidence, Statement};
use onrecord::rpc::proto::{LedgerEntry, ListStatementsRequest, ReadEntriesRequest, ReadOrder};

use crate::common::Client;

/// All entries, decoded.
pub async fn ledger(client: &mut Client) -> Vec<LedgerEntry> {
    let request = ReadEntriesRequest {
        decode: true,
        ..ReadEntriesRequest::default()
    };
    let answer = client.ledger.read_entries(request).await.unwrap();
    let mut messages = answer.into_inner();
    let mut entries = Vec::new();
    while let Some(message) = messages.message().await.unwrap() {
        entries.extend(message.entries);
    }
    entries
}

/// Seconds, from the first to the one after the last.
type Seconds = (i64, i64);

/// What is on record of a statement.
struct Told<'l> {
    introduced: &'l LedgerEntry,
    version: &'l Statement,
    /// Where that version stands.
    version_index: u64,
    topics: BTreeSet<String>,
    sources: BTreeSet<String>,
    verifiers: BTreeSet<String>,
}

/// The ids of the statements that a request wants, in its order.
pub fn statements(
    ledger: &[LedgerEntry],
    known_at: u64,
    asked: &ListStatementsRequest,
) -> Vec<String> {
    let known = &ledger[..usize::try_from(known_at).unwrap()];
    let introduced = known
        .iter()
        .filter(|entry| matches!(kind(entry), Kind::StatementRecorded(_)));
    let told = introduced.map(|entry| tell(known, entry));
    let wanted = told.filter(|told| wants(known, asked, told));
    let mut ids: Vec<String> = wanted
        .map(|told| told.introduced.record_id.clone())
        .collect();
    if asked.order() == ReadOrder::Backwards {
        ids.reverse();
    }
    ids
}

fn kind(entry: &LedgerEntry) -> &Kind {
    entry.record.as_ref().unwrap().kind.as_ref().unwrap()
}

fn tell<'l>(known: &'l [LedgerEntry], introduced: &'l LedgerEntry) -> Told<'l> {
    let Kind::StatementRecorded(first) = kind(introduced) else {
        panic!("no statement")
    };
    let id = &introduced.record_id;
    let (mut version, mut version_index) = (first, introduced.index);
    let (mut topics, mut sources) = (BTreeSet::new(), BTreeSet::new());
    let mut verifiers: BTreeSet<String> = introduced.verifiers.iter().cloned().collect();
    for entry in known {
        match kind(entry) {
            Kind::StatementCorrected(it) if it.statement == *id => {
                version = it.corrected.as_ref().unwrap();
                version_index = entry.index;
            }
            Kind::ReadingAdded(it) if it.statement == *id => {
                topics.insert(it.reading.as_ref().unwrap().topic.clone());
            }
            Kind::EvidenceAdded(it) if it.statement == *id => sources.extend(of(&it.evidence)),
            Kind::AttestationAdded(it) if it.record == *id => {
                verifiers.extend(it.verifiers.iter().cloned());
            }
            _ => {}
        }
    }
    topics.extend(version.readings.iter().map(|it| it.topic.clone()));
    sources.extend(of(&version.evidence));
    Told {
        introduced,
        version,
        version_index,
        topics,
        sources,
        verifiers,
    }
}

fn of(evidence: &[Evidence]) -> impl Iterator<Item = String> {
    evidence.iter().map(|it| it.source.clone())
}

fn wants(known: &[LedgerEntry], asked: &ListStatementsRequest, told: &Told<'_>) -> bool {
    let said = told.version;
    let speaker = match &said.voice {
        Some(Voice::Speaker(speaker)) => speaker.as_str(),
        _ => "",
    };
    let any = |wanted: &str, found: bool| wanted.is_empty() || found;
    let recorded = told.introduced.recorded_at.as_ref().unwrap().seconds;
    let for_it = said
        .said_for
        .iter()
        .any(|body| body.actor == asked.said_for);
    any(&asked.speaker, speaker == asked.speaker)
        && any(&asked.said_for, for_it)
        && any(&asked.topic, told.topics.contains(&asked.topic))
        && any(&asked.source, told.sources.contains(&asked.source))
        && any(&asked.verifier, told.verifiers.contains(&asked.verifier))
        && any(
            &asked.said_at,
            meet(when(known, told), seconds(&asked.said_at)),
        )
        && any(
            &asked.recorded_at,
            meet((recorded, recorded + 1), seconds(&asked.recorded_at)),
        )
        && (asked.wordings.is_empty() || asked.wordings.contains(&said.wording))
}

fn meet(one: Seconds, other: Seconds) -> bool {
    one.0.max(other.0) < one.1.min(other.1)
}

/// The seconds of a date; none of an empty one.
fn seconds(date: &str) -> Seconds {
    if date.is_empty() {
        return (0, 0);
    }
    let interval = date.parse::<Date>().unwrap().interval();
    (interval.earliest, interval.latest)
}

/// When it may have been said.
fn when(known: &[LedgerEntry], told: &Told<'_>) -> Seconds {
    let said = told.version;
    let (from, to) = match said.said_at.as_str() {
        "" => (i64::MIN, published(known, told)),
        date => seconds(date),
    };
    match said.repeated_until.as_str() {
        "" => (from, to),
        until => (from, to.max(seconds(until).1)),
    }
}

/// The end of the first publication of the words' sources, as they were on record when the
/// version was recorded; of none that has one, the first capture.
fn published(known: &[LedgerEntry], told: &Told<'_>) -> i64 {
    let below = &known[..usize::try_from(told.version_index).unwrap()];
    let words = told.version.evidence.iter();
    let words = words.filter(|it| it.establishes().any(|what| what == Establishes::Words));
    let newest = words.map(|it| {
        let archived = below.iter().rev().find_map(|entry| match kind(entry) {
            Kind::SourceArchived(archived) if archived.source == it.source => Some(archived),
            _ => None,
        });
        archived.unwrap()
    });
    let newest: Vec<_> = newest.collect();
    let dated = newest.iter().filter(|it| !it.published_at.is_empty());
    let published = dated.map(|it| seconds(&it.published_at).1).min();
    let captured = newest.iter().map(|it| it.captured_at.unwrap().seconds + 1);
    published.or(captured.min()).unwrap()
}
