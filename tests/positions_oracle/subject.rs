//! The archive's own answers, put in the oracle's words: the ledger folded into tables in
//! memory, what bears on the question collected from them, and the position worked out.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use bytes::Bytes;
use onrecord::fold::{Fold as _, MemoryTables};
use onrecord::position::{
    self, Authority, ChangeKind, Comparison, Dated, Decision, Direction, Finding, Placement,
    Position,
};
use onrecord::projection::positions::{Collected, PositionsFold, collect};
use onrecord::record::{
    self, ContentId, Entry, Interval, Micros, SigningKey, Slug, VerifierKey, proto,
};
use prost::Message as _;

use super::calendar::Span;
use super::change::{Change, Difference, Place, Toward};
use super::oracle::{Answer, Found, Named, Question, Weight};
use super::visible::{Demand, Line, Stance};

/// More than any history has.
const PAGE: usize = 1000;

/// The tables after every line.
pub fn tables(lines: &[Line]) -> MemoryTables {
    let mut tables = MemoryTables::default();
    for (index, line) in (0..).zip(lines) {
        let entry = entry(index, line);
        let changes = PositionsFold.fold(&tables, &entry).unwrap();
        tables.apply(changes);
    }
    tables
}

/// The keys, by number.
fn public_key(number: u8) -> VerifierKey {
    SigningKey::from_seed([number + 1; 32]).public()
}

fn entry(index: u64, line: &Line) -> Entry {
    let payload = Bytes::from(line.record.encode_to_vec());
    let signatures = line.signers.iter().map(|signer| proto::Signature {
        public_key: Bytes::copy_from_slice(public_key(*signer).as_bytes()),
        signature: Bytes::from_static(&[0; 64]),
    });
    let envelope = proto::Envelope {
        signatures: signatures.collect(),
        payload: payload.clone(),
    };
    let recorded_at = Micros(1_770_000_000_000_000 + i64::try_from(index).unwrap());
    let id = ContentId::of(&payload);
    assert_eq!(id.to_string(), line.id);
    Entry::new(index, recorded_at, id, line.record.clone(), envelope)
}

/// What bears on a question; none if the actor is not on record.
pub fn collected(tables: &MemoryTables, question: &Question, known_at: usize) -> Option<Collected> {
    let slug = |text: &str| Slug::from_str(text).unwrap();
    collect(
        tables,
        &slug(question.actor),
        &slug(question.topic),
        Some(question.with_parts),
        u64::try_from(known_at).unwrap(),
    )
    .unwrap()
}

/// The position at the exclusive end `d`.
pub fn position_at(collected: &Collected, d: i64) -> Position<'_> {
    let question = position::Question {
        as_of: d,
        has_voice: collected.has_voice(),
    };
    position::position(&collected.testimonies, question, PAGE)
}

/// A position in the oracle's words.
pub fn answer(position: &Position) -> Answer {
    let deciding = position.deciding.as_ref();
    let names = |page: &position::Page<Dated>| -> BTreeSet<Named> {
        assert_eq!(page.total, page.items.len());
        let names: BTreeSet<_> = page.items.iter().map(named).collect();
        assert_eq!(names.len(), page.total, "each once");
        names
    };
    let voices: BTreeMap<_, _> = position
        .voices
        .items
        .iter()
        .map(|voice| (voice.speaker.to_string(), named(&voice.deciding)))
        .collect();
    assert_eq!(voices.len(), position.voices.total, "each once");
    assert_eq!(position.front.items.first().map(named), deciding.map(named));
    Answer {
        found: match position.finding {
            Finding::NoVoice => Found::NoVoice,
            Finding::Stated => Found::Stated,
            Finding::Evaded => Found::Evaded,
            Finding::Undated => Found::Undated,
            Finding::NoRecord => Found::NoRecord,
        },
        deciding: deciding.map(named),
        weight: deciding.map(|dated| weight(dated.testimony.authority)),
        stance: deciding.map(|dated| stance(dated.stance().unwrap())),
        front: names(&position.front),
        since: position.since.map(span),
        last_affirmed: deciding.map(|dated| span(dated.interval)),
        previous: position.previous.as_ref().map(named),
        latest_evasion: position.latest_evasion.as_ref().map(named),
        voices,
        diverge: position.diverge,
        order_uncertain: position.order_uncertain,
        contradicts_higher_authority: position.contradicts_higher_authority,
        reported: position
            .reported
            .items
            .iter()
            .map(|dated| (named(dated), dated.definite))
            .collect(),
        possible: names(&position.possible),
        possible_candidates: position.possible_candidates,
        newest: position.newest.as_ref().map(|dated| span(dated.interval)),
        considered: position.considered,
        affiliated: [position.reported.items.iter(), position.front.items.iter()]
            .into_iter()
            .flatten()
            .filter(|dated| dated.testimony.authority == Authority::Affiliated)
            .count(),
    }
}

/// How two positions differ, in the oracle's words, and whether that is certain.
pub fn difference(from: &Position, to: &Position) -> (Difference, bool) {
    let (from, to) = (from.decision(), to.decision());
    let comparison = position::compare(&from, &to);
    (in_words(&comparison), comparison.certain)
}

fn in_words(comparison: &Comparison) -> Difference {
    Difference {
        kind: change(comparison.kind),
        also: comparison.also.iter().copied().map(change).collect(),
        added: comparison
            .conditions_added
            .iter()
            .map(|c| demand(c))
            .collect(),
        dropped: comparison
            .conditions_dropped
            .iter()
            .map(|c| demand(c))
            .collect(),
        toward: match comparison.direction {
            Direction::None => Toward::Neither,
            Direction::TowardSupport => Toward::Support,
            Direction::TowardOpposition => Toward::Opposition,
        },
    }
}

/// Where a position stands about a milestone, in the oracle's words.
pub fn place(to: &Position, milestone: Span) -> Option<Place> {
    let decision: Decision = to.decision();
    let milestone = Interval {
        earliest: milestone.earliest,
        latest: milestone.latest,
    };
    position::placement(&decision, milestone).map(|placement| match placement {
        Placement::Before => Place::Before,
        Placement::Since => Place::Since,
        Placement::During => Place::During,
        Placement::Unplaced => Place::Unplaced,
    })
}

fn named(dated: &Dated) -> Named {
    let testimony = dated.testimony;
    let index = |index: u64| usize::try_from(index).unwrap();
    Named {
        statement: index(testimony.statement),
        version: index(testimony.version),
        given_by: index(testimony.given_by),
        place: usize::try_from(testimony.place).unwrap(),
        interval: span(dated.interval),
    }
}

fn span(interval: Interval) -> Span {
    Span {
        earliest: interval.earliest,
        latest: interval.latest,
    }
}

fn weight(authority: Authority) -> Weight {
    match authority {
        Authority::Affiliated => Weight::Affiliated,
        Authority::None => Weight::Unmarked,
        Authority::Delegate => Weight::Delegate,
        Authority::Spokesperson => Weight::Spokesperson,
        Authority::Principal => Weight::Principal,
    }
}

fn stance(stance: &record::Stance) -> Stance {
    use onrecord::record::Polarity;
    let polarity = match stance.polarity {
        Polarity::Supports => proto::Polarity::Supports,
        Polarity::Open => proto::Polarity::Open,
        Polarity::Opposes => proto::Polarity::Opposes,
        Polarity::Mixed => proto::Polarity::Mixed,
        Polarity::NoPosition => proto::Polarity::NoPosition,
    };
    Stance {
        polarity,
        strength: stance
            .strength
            .map_or(0, |strength| strength.degree().into()),
        conditions: stance.conditions.iter().map(demand).collect(),
    }
}

fn demand(condition: &record::Condition) -> Demand {
    use onrecord::record::ConditionKind;
    let kind = match condition.kind {
        ConditionKind::OnlyIf => proto::ConditionKind::OnlyIf,
        ConditionKind::Unless => proto::ConditionKind::Unless,
        ConditionKind::After => proto::ConditionKind::After,
    };
    Demand {
        id: condition.id.as_ref().map_or(String::new(), Slug::to_string),
        kind: kind.into(),
        text: condition.text.clone(),
    }
}

fn change(kind: ChangeKind) -> Change {
    match kind {
        ChangeKind::NoRecord => Change::NoRecord,
        ChangeKind::NoLongerOnRecord => Change::NoLongerOnRecord,
        ChangeKind::FirstStated => Change::FirstStated,
        ChangeKind::NotRestated => Change::NotRestated,
        ChangeKind::Unchanged => Change::Unchanged,
        ChangeKind::Withdrawn => Change::Withdrawn,
        ChangeKind::Reversed => Change::Reversed,
        ChangeKind::Softened => Change::Softened,
        ChangeKind::TookSide => Change::TookSide,
        ChangeKind::Shifted => Change::Shifted,
        ChangeKind::Hardened => Change::Hardened,
        ChangeKind::ConditionsAdded => Change::ConditionsAdded,
        ChangeKind::ConditionsDropped => Change::ConditionsDropped,
        ChangeKind::ConditionsChanged => Change::ConditionsChanged,
    }
}
