//! The archive's own answers, put in the oracle's words: the ledger folded into tables in
//! memory, what bears on the question collected from them, and the position worked out; and the
//! same from what an index picks, which is so small here that short histories fill it.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr as _;

use bytes::Bytes;
use onrecord::fold::MemoryTables;
use onrecord::position::{
    self, Authority, Bases, ChangeKind, Comparison, Dated, Decision, Direction, Finding, Placement,
    Position, Testimony,
};
use onrecord::projection::positions::{
    self, Collected, Shape, SourceFilter, Subject, Terms, codebook, collect, fold, verifier_number,
};
use onrecord::record::{
    self, Basis, ContentId, Engagement, Entry, Interval, Micros, Slug, VerifierKey, proto,
};
use prost::Message as _;

use super::actors::Weight;
use super::calendar::Span;
use super::change::{Change, Difference, Place, Toward};
use super::front::Named;
use super::hearing::Part;
use super::oracle::{Answer, Found, Question, Told};
use super::readings::{Alternative, Demand, Stance};
use super::sources::Wanted;
use super::trust::Line;
use super::world::key;

/// More than any history has.
const PAGE: usize = 1000;

/// The tables after every line.
pub fn tables(lines: &[Line]) -> MemoryTables {
    let mut tables = MemoryTables::default();
    for (index, line) in (0..).zip(lines) {
        let entry = entry(index, line);
        let changes = fold(&tables, &entry, &Shape::SMALLEST).unwrap();
        tables.apply(changes);
    }
    tables
}

fn public_key(number: u8) -> VerifierKey {
    key(number).parse().unwrap()
}

/// A line as an entry, whose signatures are nobody's.
pub fn entry(index: u64, line: &Line) -> Entry {
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
    let (subject, terms) = (asked(question), terms(tables, question));
    collect(tables, &subject, &terms, u64::try_from(known_at).unwrap()).unwrap()
}

/// What makes the position at the exclusive end `d`, from the index if there is one.
pub fn answered(
    tables: &MemoryTables,
    question: &Question,
    known_at: usize,
    d: i64,
) -> positions::Answer {
    let (subject, terms) = (asked(question), terms(tables, question));
    let known_at = u64::try_from(known_at).unwrap();
    let answer = positions::answer(tables, &subject, &terms, known_at, (d, PAGE));
    answer.unwrap().unwrap()
}

fn asked(question: &Question) -> Subject {
    let slug = |text: &str| Slug::from_str(text).unwrap();
    Subject {
        actor: slug(question.actor),
        topic: slug(question.topic),
        with_parts: Some(question.with_parts),
    }
}

fn terms(tables: &MemoryTables, question: &Question) -> Terms {
    let number = |who: u8| verifier_number(tables, public_key(who).as_bytes()).unwrap();
    let numbers = |all: &[u8]| all.iter().filter_map(|who| number(*who)).collect();
    let choice = match (question.choice.coder, &question.choice.codebook) {
        (None, None) => positions::Choice::Most,
        (Some(coder), None) => positions::Choice::Coder(number(coder)),
        (None, Some(id)) => {
            let entry = codebook(tables, &id.parse().unwrap()).unwrap();
            positions::Choice::Codebook(entry.unwrap())
        }
        (Some(_), Some(_)) => panic!("one or the other is asked for"),
    };
    let filter = &question.filter;
    let bases = filter.bases.iter().map(|basis| match basis {
        proto::ReadingBasis::Unspecified | proto::ReadingBasis::OwnWords => Basis::OwnWords,
        proto::ReadingBasis::Relayed => Basis::Relayed,
        proto::ReadingBasis::Ascribed => Basis::Ascribed,
        proto::ReadingBasis::Conduct => Basis::Conduct,
        proto::ReadingBasis::Survey => Basis::Survey,
    });
    let filter = positions::Filter {
        wordings: given(filter.wordings.iter().map(|one| i32::from(*one))),
        only: (!filter.verifiers.is_empty()).then(|| numbers(&filter.verifiers)),
        never: numbers(&filter.verifiers_excluded),
        attestations_min: filter.attestations_min,
        sources: sources(&filter.sources),
        mandated: filter.mandated,
        own: bases.fold(Bases::OWN_WORDS, Bases::with),
    };
    Terms { choice, filter }
}

fn sources(wanted: &Wanted) -> SourceFilter {
    SourceFilter {
        roles: given(wanted.roles.iter().map(|one| i32::from(*one))),
        publishers: given(wanted.publishers.iter().cloned()),
        underived: wanted.underived,
        public_by: wanted.public_by,
    }
}

/// None if there are none.
fn given<T: Ord>(all: impl Iterator<Item = T>) -> Option<BTreeSet<T>> {
    let all: BTreeSet<T> = all.collect();
    (!all.is_empty()).then_some(all)
}

/// Everything that bears on a question, in the oracle's words.
pub fn told(collected: &Collected) -> BTreeSet<Told> {
    let index = |index: u64| usize::try_from(index).unwrap();
    let told = |testimony: &Testimony| Told {
        statement: index(testimony.statement),
        version: index(testimony.version),
        holder: testimony.holder.to_string(),
        speaker: testimony.speaker.as_ref().map(Slug::to_string),
        relayed: testimony.relayed,
        said_at: span(testimony.said_at),
        repeated_until: testimony.repeated_until.map(span),
        weight: weight(testimony.authority),
        alternatives: alternatives(testimony),
        vouchers: collected.detail(testimony).unwrap().attestations,
    };
    let told: BTreeSet<Told> = collected.testimonies.iter().map(told).collect();
    assert_eq!(told.len(), collected.testimonies.len(), "each once");
    told
}

fn alternatives(testimony: &Testimony) -> Vec<Alternative> {
    let alternative = |given_by: u64, place: u32, basis: Basis, engagement: &Engagement| {
        let (engagement, stance) = match engagement {
            Engagement::Answered(taken) => (proto::Engagement::Answered, Some(stance(taken))),
            Engagement::Declined => (proto::Engagement::Declined, None),
            Engagement::Deflected => (proto::Engagement::Deflected, None),
        };
        Alternative {
            given_by: usize::try_from(given_by).unwrap(),
            place: usize::try_from(place).unwrap(),
            basis: match basis {
                Basis::OwnWords => proto::ReadingBasis::OwnWords,
                Basis::Relayed => proto::ReadingBasis::Relayed,
                Basis::Ascribed => proto::ReadingBasis::Ascribed,
                Basis::Conduct => proto::ReadingBasis::Conduct,
                Basis::Survey => proto::ReadingBasis::Survey,
            },
            engagement,
            stance,
        }
    };
    let first = alternative(
        testimony.given_by,
        testimony.place,
        testimony.basis,
        &testimony.engagement,
    );
    let rivals = testimony
        .rivals
        .iter()
        .map(|rival| alternative(rival.given_by, rival.place, rival.basis, &rival.engagement));
    std::iter::once(first).chain(rivals).collect()
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
pub fn answer(collected: &Collected, position: &Position) -> Answer {
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
            Finding::Disputed => Found::Disputed,
            Finding::Evaded => Found::Evaded,
            Finding::Undated => Found::Undated,
            Finding::NoRecord => Found::NoRecord,
        },
        deciding: deciding.map(named),
        weight: deciding.map(|dated| weight(dated.testimony.authority)),
        stance: deciding.and_then(|dated| dated.stance().map(stance)),
        alternatives: deciding.map_or_else(Vec::new, |dated| alternatives(dated.testimony)),
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
        taken: taken(&collected.taken),
        repeated: usize::try_from(collected.repeated).unwrap(),
    }
}

fn taken(taken: &positions::Taken) -> BTreeMap<Part, usize> {
    let part = |part: &positions::Part| match part {
        positions::Part::Wording => Part::Wordings,
        positions::Part::Only => Part::Verifiers,
        positions::Part::Never => Part::VerifiersExcluded,
        positions::Part::Attestations => Part::Attestations,
        positions::Part::Sources => Part::Sources,
        positions::Part::Mandated => Part::Mandated,
    };
    taken
        .iter()
        .map(|(one, count)| (part(one), usize::try_from(*count).unwrap()))
        .collect()
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
