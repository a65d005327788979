//! What is heard on a question: the statements that bear on it, without those that the filter
//! takes away, and of several that are the same utterance only the first.

use std::collections::{BTreeMap, BTreeSet};

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{self, ReadingBasis, ReferenceKind, Wording};

use super::actors::Weight;
use super::calendar::Span;
use super::readings::{Alternative, holder, speaker};
use super::sources::{Wanted, rests_on};
use super::trust::{Known, Standing};

/// Which statements count. What is empty is not asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub wordings: Vec<Wording>,
    pub verifiers: Vec<u8>,
    pub verifiers_excluded: Vec<u8>,
    pub attestations_min: usize,
    pub sources: Wanted,
    pub mandated: bool,
    /// Admissible beside own words; takes nothing away.
    pub bases: Vec<ReadingBasis>,
}

/// The parts of a filter that take statements away, in the order in which they do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    Wordings,
    Verifiers,
    VerifiersExcluded,
    Attestations,
    Sources,
    Mandated,
}

/// A statement as read on the topic for one holder who bears on the question.
#[derive(Clone, Debug)]
pub struct Bearing<'a> {
    pub standing: &'a Standing<'a>,
    pub holder: String,
    pub alternatives: Vec<Alternative>,
    pub said_at: Span,
    pub repeated_until: Option<Span>,
    pub weight: Weight,
    /// Whether one of the alternatives is admissible, and whether one such is an answer.
    pub admissible: bool,
    pub candidate: bool,
}

/// What is heard, and how many statements are not.
#[derive(Debug)]
pub struct Hearing<'a> {
    pub heard: Vec<&'a Bearing<'a>>,
    pub taken: BTreeMap<Part, usize>,
    /// For being the same utterance as one that is heard.
    pub repeated: usize,
}

/// What of `bearing` is heard at the exclusive end `d`. `ties` gives, of every statement, the
/// first of those it is tied to.
pub fn hear<'a>(
    known: &Known,
    bearing: &'a [Bearing<'a>],
    ties: &BTreeMap<usize, usize>,
    filter: &Filter,
    d: i64,
) -> Hearing<'a> {
    let mut taken = BTreeMap::new();
    let mut passing: Vec<&Bearing> = Vec::new();
    let statements: BTreeSet<usize> = bearing.iter().map(|one| one.standing.index).collect();
    for statement in statements {
        let said = bearing.iter().filter(|one| one.standing.index == statement);
        let said: Vec<&Bearing> = said.collect();
        if let Some(part) = taken_away_by(known, said[0].standing, filter, d) {
            *taken.entry(part).or_insert(0) += 1;
            continue;
        }
        let mandated = |one: &&&Bearing| !filter.mandated || one.weight >= Weight::Delegate;
        let left: Vec<&Bearing> = said.iter().filter(mandated).copied().collect();
        if left.len() < said.len() {
            *taken.entry(Part::Mandated).or_insert(0) += 1;
        }
        passing.extend(left);
    }
    let is_first = |one: &&Bearing| {
        let same = |other: &&Bearing| ties[&other.standing.index] == ties[&one.standing.index];
        let same = passing.iter().copied().filter(same);
        same.map(|other| other.standing.index).min() == Some(one.standing.index)
    };
    let (heard, repeated): (Vec<_>, Vec<_>) = passing.iter().copied().partition(is_first);
    let repeated: BTreeSet<usize> = repeated.iter().map(|one| one.standing.index).collect();
    Hearing {
        heard,
        taken,
        repeated: repeated.len(),
    }
}

/// The first part of the filter that takes a statement away with all its readings.
fn taken_away_by(known: &Known, standing: &Standing, filter: &Filter, d: i64) -> Option<Part> {
    let vouchers = &standing.vouchers;
    let listed = |list: &[u8]| vouchers.iter().filter(|v| list.contains(v)).count();
    let excluded = &filter.verifiers_excluded;
    let passes = [
        (
            Part::Wordings,
            filter.wordings.is_empty() || filter.wordings.contains(&standing.whole.wording()),
        ),
        (
            Part::Verifiers,
            filter.verifiers.is_empty() || listed(&filter.verifiers) > 0,
        ),
        (
            Part::VerifiersExcluded,
            excluded.is_empty() || listed(excluded) < vouchers.len(),
        ),
        (
            Part::Attestations,
            vouchers.len() >= filter.attestations_min,
        ),
        (
            Part::Sources,
            filter.sources.asks_nothing() || rests_on(known, standing, &filter.sources, d),
        ),
    ];
    let takes = passes.into_iter().find(|(_, passes)| !passes);
    takes.map(|(part, _)| part)
}

/// Of every statement the first of those it is tied to: by saying that it is the same utterance
/// as another, if it ever bore on the question.
pub fn ties(
    known: &Known,
    statements: &[Standing],
    topic: &str,
    asked: &BTreeSet<String>,
) -> BTreeMap<usize, usize> {
    let mut first: BTreeMap<usize, usize> = statements
        .iter()
        .map(|one| (one.index, one.index))
        .collect();
    let mut tied = Vec::new();
    for one in statements {
        if !ever_bore(known, one, topic, asked) {
            continue;
        }
        for reference in &one.whole.refers_to {
            let is_same = reference.kind() == ReferenceKind::SameUtterance;
            let other = statements
                .iter()
                .find(|other| other.id == reference.statement);
            if let (true, Some(other)) = (is_same, other) {
                tied.push((one.index, other.index));
            }
        }
    }
    loop {
        let before = first.clone();
        for (one, other) in &tied {
            let least = first[one].min(first[other]);
            first.insert(*one, least);
            first.insert(*other, least);
        }
        if first == before {
            return first;
        }
    }
}

/// Whether any version or reading of a statement ever bore on the question, whoever signed it.
fn ever_bore(known: &Known, one: &Standing, topic: &str, asked: &BTreeSet<String>) -> bool {
    let bears = |reading: &proto::Reading| {
        reading.topic == topic && speaks_for(one, holder(one.whole, reading), asked)
    };
    known.lines.iter().any(|line| match line.kind() {
        Kind::StatementRecorded(first) if line.id == one.id => first.readings.iter().any(bears),
        Kind::StatementCorrected(correction) if correction.statement == one.id => {
            let corrected = correction.corrected.as_ref().unwrap();
            corrected.readings.iter().any(bears)
        }
        Kind::ReadingAdded(added) if added.statement == one.id => {
            bears(added.reading.as_ref().unwrap())
        }
        _ => false,
    })
}

/// Whether a statement speaks for one of those who are asked: theirs is the stance, or the
/// speaker's, who said it for them.
pub fn speaks_for(standing: &Standing, holder: &str, asked: &BTreeSet<String>) -> bool {
    let whole = standing.whole;
    asked.contains(holder)
        || speaker(whole) == Some(holder)
            && whole.said_for.iter().any(|of| asked.contains(&of.actor))
}
