//! The position, literally by the rules: everything that was said is looked at again for every
//! question, and the run of deciding statements is found by asking for every earlier instant.

use std::collections::{BTreeMap, BTreeSet};

use onrecord::record::proto::{ActorKind, Authority, Polarity, ReadingBasis};

use super::calendar::Span;
use super::change::{Change, change};
use super::visible::{Heard, Line, Stance, Visible};

/// Which reading of which statement, and the interval that counts for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    pub statement: usize,
    pub version: usize,
    pub given_by: usize,
    pub place: usize,
    pub interval: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    NoVoice,
    Stated,
    Evaded,
    Undated,
    NoRecord,
}

/// How far a voice's word is the actor's: the greater, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// Never speaks for it.
    Affiliated,
    /// No mandate is on record.
    Unmarked,
    Delegate,
    Spokesperson,
    Principal,
}

/// An answer, in the oracle's own words.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub found: Found,
    pub deciding: Option<Named>,
    pub weight: Option<Weight>,
    pub stance: Option<Stance>,
    pub front: BTreeSet<Named>,
    pub since: Option<Span>,
    pub last_affirmed: Option<Span>,
    pub previous: Option<Named>,
    pub latest_evasion: Option<Named>,
    pub voices: BTreeMap<String, Named>,
    pub diverge: bool,
    pub order_uncertain: bool,
    pub contradicts_higher_authority: bool,
    /// With whether it is definite.
    pub reported: BTreeSet<(Named, bool)>,
    /// Of everything that bears, not only of what would be candidates.
    pub possible: BTreeSet<Named>,
    /// How many of the possible ones would be candidates.
    pub possible_candidates: usize,
    pub newest: Option<Span>,
    pub considered: usize,
    /// How many of what is considered come from voices that never speak for the actor.
    pub affiliated: usize,
}

/// A question.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    pub actor: &'a str,
    pub topic: &'a str,
    pub with_parts: bool,
}

/// Something said that bears on the question.
#[derive(Clone, Debug)]
struct Bearing {
    said: Heard,
    weight: Weight,
    admissible: bool,
}

/// A piece of testimony at an instant.
#[derive(Clone, Debug)]
struct At<'a> {
    bearing: &'a Bearing,
    named: Named,
}

/// Everything that bears on a question below some `known_at`, from which the answer follows
/// for every instant.
pub struct Case {
    /// The actor, with its parts if they speak too.
    pub asked: BTreeSet<String>,
    has_voice: bool,
    bearing: Vec<Bearing>,
}

impl Case {
    /// None if the actor is not on record.
    pub fn new(lines: &[Line], question: &Question) -> Option<Self> {
        let visible = Visible(lines);
        let kind = visible.actor_kind(question.actor)?;
        let has_voice = !matches!(kind, ActorKind::Group | ActorKind::Population);
        let asked = if question.with_parts {
            visible.with_parts(question.actor)
        } else {
            BTreeSet::from([question.actor.to_owned()])
        };
        let bears = |said: Heard| bears(&visible, question.topic, &asked, has_voice, said);
        let bearing = visible.said(question.topic);
        Some(Self {
            bearing: bearing.into_iter().filter_map(bears).collect(),
            has_voice,
            asked,
        })
    }

    /// The answer at the exclusive end `d`.
    pub fn answer(&self, d: i64) -> Answer {
        let definite = self.definite(d);
        let possible = self.possible(d);
        let admissible = |all: &[At], wanted: bool| -> BTreeSet<Named> {
            all.iter()
                .filter(|at| at.bearing.admissible == wanted)
                .map(|at| at.named.clone())
                .collect()
        };
        let candidates = candidates(&definite);
        let front = front(&candidates);
        let deciding = best(&front);
        let found = if !self.has_voice {
            Found::NoVoice
        } else if deciding.is_some() {
            Found::Stated
        } else if !admissible(&definite, true).is_empty() {
            Found::Evaded
        } else if !admissible(&possible, true).is_empty() {
            Found::Undated
        } else {
            Found::NoRecord
        };
        let (since, previous) = self.run(d);
        let voices = voices(&candidates);
        let polarity = |at: &At| at.bearing.said.stance.as_ref().unwrap().polarity;
        let polarities = |all: Vec<Polarity>| all.iter().any(|p| *p != all[0]);
        let mut reported = BTreeSet::new();
        for (all, is_definite) in [(&definite, true), (&possible, false)] {
            for named in admissible(all, false) {
                reported.insert((named, is_definite));
            }
        }
        let newest = definite.iter().max_by_key(|at| newness(at));
        Answer {
            found,
            stance: deciding
                .as_ref()
                .and_then(|at| at.bearing.said.stance.clone()),
            weight: deciding.as_ref().map(|at| at.bearing.weight),
            front: front.iter().map(|at| at.named.clone()).collect(),
            since,
            last_affirmed: deciding.as_ref().map(|at| at.named.interval),
            previous,
            latest_evasion: latest_evasion(&definite, &front),
            diverge: polarities(voices.values().map(polarity).collect()),
            order_uncertain: polarities(front.iter().map(polarity).collect()),
            contradicts_higher_authority: deciding.as_ref().is_some_and(|deciding| {
                voices.values().any(|voice| {
                    voice.bearing.weight > deciding.bearing.weight
                        && polarity(voice) != polarity(deciding)
                })
            }),
            voices: voices
                .into_iter()
                .map(|(speaker, at)| (speaker, at.named))
                .collect(),
            reported,
            possible: possible.iter().map(|at| at.named.clone()).collect(),
            possible_candidates: candidates_among(&possible),
            newest: newest.map(|at| at.named.interval),
            considered: definite.len() + possible.len(),
            affiliated: definite
                .iter()
                .chain(&possible)
                .filter(|at| at.bearing.weight == Weight::Affiliated)
                .count(),
            deciding: deciding.map(|at| at.named),
        }
    }

    /// Every second at which something begins or ends, of everything that bears.
    pub fn bounds(&self) -> BTreeSet<i64> {
        let mut bounds = BTreeSet::new();
        for bearing in &self.bearing {
            for span in [Some(bearing.said.said_at), bearing.said.repeated_until]
                .into_iter()
                .flatten()
            {
                bounds.extend([span.earliest, span.latest]);
            }
        }
        bounds
    }

    fn definite(&self, d: i64) -> Vec<At<'_>> {
        self.at(d, |span| span.latest <= d)
    }

    fn possible(&self, d: i64) -> Vec<At<'_>> {
        self.at(d, |span| span.earliest < d && d < span.latest)
    }

    fn at(&self, d: i64, fits: impl Fn(Span) -> bool) -> Vec<At<'_>> {
        let mut all = Vec::new();
        for bearing in &self.bearing {
            let said = &bearing.said;
            let interval = match said.repeated_until {
                Some(until) if until.latest <= d => until,
                _ => said.said_at,
            };
            if fits(interval) {
                let named = Named {
                    statement: said.statement,
                    version: said.version,
                    given_by: said.given_by,
                    place: said.place,
                    interval,
                };
                all.push(At { bearing, named });
            }
        }
        all
    }

    /// Where the unbroken run of deciding statements up to `d` began, and what decided before
    /// it. Positions change only where something becomes definite.
    fn run(&self, d: i64) -> (Option<Span>, Option<Named>) {
        let mut before: Option<At> = None;
        let mut since = None;
        let mut previous = None;
        for instant in self.bounds().into_iter().filter(|bound| *bound <= d) {
            let definite = self.definite(instant);
            let Some(now) = best(&front(&candidates(&definite))) else {
                continue;
            };
            let unbroken = before.as_ref().is_some_and(|before| {
                let kind = change(&Some(stated(before)), &Some(stated(&now))).kind;
                matches!(kind, Change::Unchanged | Change::NotRestated)
            });
            if !unbroken {
                since = Some(now.bearing.said.said_at);
                previous = before.map(|at| at.named);
            }
            before = Some(now);
        }
        (since, previous)
    }
}

fn stated(at: &At) -> (Named, Stance) {
    (at.named.clone(), at.bearing.said.stance.clone().unwrap())
}

/// Whether, and with what weight, something said bears on the question.
fn bears(
    visible: &Visible,
    topic: &str,
    asked: &BTreeSet<String>,
    has_voice: bool,
    said: Heard,
) -> Option<Bearing> {
    let speaks_for = |actor: &String| {
        &said.holder == actor
            || Some(&said.holder) == said.speaker.as_ref() && said.said_for.contains(actor)
    };
    if !asked.iter().any(speaks_for) {
        return None;
    }
    let weight = weight(visible, topic, asked, &said);
    let admissible = has_voice
        && said.basis == ReadingBasis::OwnWords
        && said.speaker.is_some()
        && !said.relayed
        && weight != Weight::Affiliated;
    Some(Bearing {
        said,
        weight,
        admissible,
    })
}

/// The highest weight that the speaker has for anybody who is asked: one of them in person, or
/// by mandate from one of them that the reading or the statement names.
fn weight(visible: &Visible, topic: &str, asked: &BTreeSet<String>, said: &Heard) -> Weight {
    let Some(speaker) = &said.speaker else {
        return Weight::Unmarked;
    };
    if asked.contains(speaker) {
        return Weight::Principal;
    }
    let named = |actor: &&String| said.said_for.contains(actor) || &said.holder == *actor;
    let weigh = |authority: Authority| match authority {
        Authority::Principal => Weight::Principal,
        Authority::Spokesperson => Weight::Spokesperson,
        Authority::Delegate => Weight::Delegate,
        Authority::Affiliated => Weight::Affiliated,
        Authority::Unspecified => panic!("a mandate without authority"),
    };
    let of = |actor: &String| {
        let mandates = visible.mandates(speaker, actor, topic, said.said_at);
        let highest = mandates.into_iter().map(weigh).max();
        highest.unwrap_or(Weight::Unmarked)
    };
    asked.iter().filter(named).map(of).max().unwrap()
}

fn candidates<'a>(definite: &[At<'a>]) -> Vec<At<'a>> {
    let answers = |at: &&At| at.bearing.admissible && at.bearing.said.stance.is_some();
    definite.iter().filter(answers).cloned().collect()
}

fn candidates_among(all: &[At]) -> usize {
    candidates(all).len()
}

fn front<'a>(candidates: &[At<'a>]) -> Vec<At<'a>> {
    let Some(e) = candidates.iter().map(|at| at.named.interval.earliest).max() else {
        return Vec::new();
    };
    candidates
        .iter()
        .filter(|at| at.named.interval.latest > e)
        .cloned()
        .collect()
}

/// The newer, the greater: latest, earliest, index of the statement, place among its readings.
fn newness(at: &At) -> (i64, i64, usize, usize, usize) {
    let named = &at.named;
    (
        named.interval.latest,
        named.interval.earliest,
        named.statement,
        named.given_by,
        named.place,
    )
}

fn best<'a>(front: &[At<'a>]) -> Option<At<'a>> {
    front
        .iter()
        .max_by_key(|at| (at.bearing.weight, newness(at)))
        .cloned()
}

fn voices<'a>(candidates: &[At<'a>]) -> BTreeMap<String, At<'a>> {
    let speaker = |at: &At| at.bearing.said.speaker.clone().unwrap();
    let mut voices = BTreeMap::new();
    for one in candidates.iter().map(speaker).collect::<BTreeSet<_>>() {
        let alone: Vec<At> = candidates
            .iter()
            .filter(|at| speaker(at) == one)
            .cloned()
            .collect();
        voices.insert(one, best(&front(&alone)).unwrap());
    }
    voices
}

fn latest_evasion(definite: &[At], front: &[At]) -> Option<Named> {
    definite
        .iter()
        .filter(|at| at.bearing.admissible && at.bearing.said.stance.is_none())
        .filter(|at| {
            front
                .iter()
                .all(|other| at.named.interval.earliest >= other.named.interval.latest)
        })
        .max_by_key(|at| newness(at))
        .map(|at| at.named.clone())
}
