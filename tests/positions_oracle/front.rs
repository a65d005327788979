//! The front of what was said, what decides in it, and what each voice says alone.

use std::collections::{BTreeMap, BTreeSet};

use onrecord::record::proto::Polarity;

use super::actors::Weight;
use super::calendar::Span;
use super::hearing::Bearing;
use super::readings::{Stance, speaker};

/// Which reading of which statement, and the interval that counts for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    pub statement: usize,
    pub version: usize,
    pub given_by: usize,
    pub place: usize,
    pub interval: Span,
}

/// A piece of testimony at an instant.
#[derive(Clone, Debug)]
pub struct At<'a> {
    pub bearing: &'a Bearing<'a>,
    pub named: Named,
}

impl At<'_> {
    /// Whether as many coders read it one way as another.
    pub fn is_disputed(&self) -> bool {
        self.bearing.alternatives.len() > 1
    }

    /// The stance that it takes; none if it is disputed, or no answer.
    pub fn stance(&self) -> Option<&Stance> {
        match &self.bearing.alternatives[..] {
            [only] => only.stance.as_ref(),
            _ => None,
        }
    }

    pub fn polarity(&self) -> Option<Polarity> {
        self.stance().map(|stance| stance.polarity)
    }

    fn speaker(&self) -> String {
        speaker(self.bearing.standing.whole).unwrap().to_owned()
    }

    /// The newer, the greater: latest, earliest, index of the statement, place among its
    /// readings.
    pub fn newness(&self) -> (i64, i64, usize, usize, usize) {
        let named = &self.named;
        (
            named.interval.latest,
            named.interval.earliest,
            named.statement,
            named.given_by,
            named.place,
        )
    }
}

/// What is said for certain by the exclusive end `d`.
pub fn definite<'a>(heard: &[&'a Bearing<'a>], d: i64) -> Vec<At<'a>> {
    at(heard, d, |span| span.latest <= d)
}

/// What may lie on either side of `d`.
pub fn possible<'a>(heard: &[&'a Bearing<'a>], d: i64) -> Vec<At<'a>> {
    at(heard, d, |span| span.earliest < d && d < span.latest)
}

fn at<'a>(heard: &[&'a Bearing<'a>], d: i64, fits: impl Fn(Span) -> bool) -> Vec<At<'a>> {
    let mut all = Vec::new();
    for bearing in heard {
        let interval = match bearing.repeated_until {
            Some(until) if until.latest <= d => until,
            _ => bearing.said_at,
        };
        let first = &bearing.alternatives[0];
        if fits(interval) {
            let named = Named {
                statement: bearing.standing.index,
                version: bearing.standing.version,
                given_by: first.given_by,
                place: first.place,
                interval,
            };
            all.push(At { bearing, named });
        }
    }
    all
}

pub fn candidates<'a>(all: &[At<'a>]) -> Vec<At<'a>> {
    let answers = |at: &&At| at.bearing.candidate;
    all.iter().filter(answers).cloned().collect()
}

pub fn front<'a>(candidates: &[At<'a>]) -> Vec<At<'a>> {
    let Some(e) = candidates.iter().map(|at| at.named.interval.earliest).max() else {
        return Vec::new();
    };
    let may_be_newest = |at: &&At| at.named.interval.latest > e;
    candidates.iter().filter(may_be_newest).cloned().collect()
}

pub fn best<'a>(front: &[At<'a>]) -> Option<At<'a>> {
    let key = |at: &&At| (at.bearing.weight, at.newness());
    front.iter().max_by_key(key).cloned()
}

/// What decides of each speaker's own words.
pub fn voices<'a>(candidates: &[At<'a>]) -> BTreeMap<String, At<'a>> {
    let mut voices = BTreeMap::new();
    for one in candidates.iter().map(At::speaker).collect::<BTreeSet<_>>() {
        let theirs = candidates.iter().filter(|at| at.speaker() == one);
        let alone: Vec<At> = theirs.cloned().collect();
        voices.insert(one, best(&front(&alone)).unwrap());
    }
    voices
}

/// Whether two voices take different sides; of a voice in dispute none is known.
pub fn diverge(voices: &BTreeMap<String, At>) -> bool {
    let polarities: BTreeSet<Polarity> = voices.values().filter_map(At::polarity).collect();
    polarities.len() > 1
}

/// Whether the order of two in the front decides: one of another polarity, or in dispute.
pub fn is_order_uncertain(front: &[At]) -> bool {
    let differs =
        |a: &At, b: &At| a.is_disputed() || b.is_disputed() || a.polarity() != b.polarity();
    front
        .iter()
        .enumerate()
        .any(|(place, a)| front[place + 1..].iter().any(|b| differs(a, b)))
}

/// Whether a voice of more weight takes another side than what decides.
pub fn is_contradicted(deciding: &At, voices: &BTreeMap<String, At>) -> bool {
    let Some(polarity) = deciding.polarity() else {
        return false;
    };
    voices.values().any(|voice| {
        voice.bearing.weight > deciding.bearing.weight
            && voice.polarity().is_some_and(|other| other != polarity)
    })
}

/// The newest evasion that is newer than all of the front.
pub fn latest_evasion(definite: &[At], front: &[At]) -> Option<Named> {
    let evades = |at: &&At| at.bearing.admissible && !at.bearing.candidate;
    let is_newer = |at: &&At| {
        let begins = at.named.interval.earliest;
        front
            .iter()
            .all(|other| begins >= other.named.interval.latest)
    };
    let evasions = definite.iter().filter(evades).filter(is_newer);
    let newest = evasions.max_by_key(|at| at.newness());
    newest.map(|at| at.named.clone())
}

/// How much of it comes from voices that never speak for the actor.
pub fn affiliated(all: &[At]) -> usize {
    let is_affiliated = |at: &&At| at.bearing.weight == Weight::Affiliated;
    all.iter().filter(is_affiliated).count()
}
