//! The position, literally by the rules: everything that was said is looked at again for every
//! question, and the run of deciding statements is found by asking for every earlier instant.

use std::collections::{BTreeMap, BTreeSet};

use onrecord::record::proto::{ActorKind, ReadingBasis};

use super::actors::{self, Weight};
use super::calendar::{Span, span};
use super::change::{Change, change};
use super::front::{self, At, Named};
use super::hearing::{Bearing, Filter, Hearing, Part, hear, speaks_for, ties};
use super::readings::{Alternative, Choice, Stance, readings, speaker};
use super::sources::{publications, said_at};
use super::trust::{Known, Standing};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    NoVoice,
    Stated,
    Disputed,
    Evaded,
    Undated,
    NoRecord,
}

/// An answer, in the oracle's own words.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub found: Found,
    pub deciding: Option<Named>,
    pub weight: Option<Weight>,
    /// Unless it is disputed.
    pub stance: Option<Stance>,
    /// What coders read in what decides: several, if it is disputed.
    pub alternatives: Vec<Alternative>,
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
    /// Statements that each part of the filter took away.
    pub taken: BTreeMap<Part, usize>,
    /// Statements that are not heard, as one that says the same is.
    pub repeated: usize,
}

/// A question.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    pub actor: &'a str,
    pub topic: &'a str,
    pub with_parts: bool,
    pub filter: Filter,
    /// Its `excluded` is the filter's.
    pub choice: Choice,
}

/// A statement as read for one holder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Told {
    pub statement: usize,
    pub version: usize,
    pub holder: String,
    pub weight: Weight,
    pub alternatives: Vec<Alternative>,
    /// How many verifiers vouch for it.
    pub vouchers: usize,
}

/// Everything that bears on a question below some `known_at`, from which the answer follows
/// for every instant.
pub struct Case<'a> {
    known: &'a Known<'a>,
    /// The actor, with its parts if they speak too.
    pub asked: BTreeSet<String>,
    has_voice: bool,
    bearing: Vec<Bearing<'a>>,
    ties: BTreeMap<usize, usize>,
    filter: Filter,
}

impl<'a> Case<'a> {
    /// None if the actor is not on record.
    pub fn new(
        known: &'a Known<'a>,
        statements: &'a [Standing<'a>],
        question: &Question,
    ) -> Option<Self> {
        let kind = actors::kind(known, question.actor)?;
        let mut case = Self {
            known,
            asked: if question.with_parts {
                actors::with_parts(known, question.actor)
            } else {
                BTreeSet::from([question.actor.to_owned()])
            },
            has_voice: !matches!(kind, ActorKind::Group | ActorKind::Population),
            bearing: Vec::new(),
            ties: BTreeMap::new(),
            filter: question.filter.clone(),
        };
        case.ties = ties(known, statements, question.topic, &case.asked);
        for standing in statements.iter().filter(|standing| standing.visible) {
            let readings = readings(known, standing, question.topic, &question.choice);
            for (holder, alternatives) in readings {
                if speaks_for(standing, &holder, &case.asked) {
                    let one = case.bearing(standing, question.topic, holder, alternatives);
                    case.bearing.push(one);
                }
            }
        }
        Some(case)
    }

    fn bearing(
        &self,
        standing: &'a Standing<'a>,
        topic: &str,
        holder: String,
        alternatives: Vec<Alternative>,
    ) -> Bearing<'a> {
        let whole = standing.whole;
        let speaker = speaker(whole);
        let said_at = said_at(self.known, standing);
        let mut named: BTreeSet<String> =
            whole.said_for.iter().map(|of| of.actor.clone()).collect();
        named.insert(holder.clone());
        let weight = actors::weight(self.known, topic, &self.asked, speaker, &named, said_at);
        let bases = &self.filter.bases;
        let admits = |basis| basis == ReadingBasis::OwnWords || bases.contains(&basis);
        let can_speak = self.has_voice
            && speaker.is_some()
            && weight != Weight::Affiliated
            && (whole.relayed_by.is_empty() || bases.contains(&ReadingBasis::Relayed));
        let until = &whole.repeated_until;
        let mut admissible = alternatives
            .iter()
            .filter(|one| admits(one.basis))
            .peekable();
        Bearing {
            standing,
            holder,
            said_at,
            repeated_until: (!until.is_empty()).then(|| span(until)),
            weight,
            admissible: can_speak && admissible.peek().is_some(),
            candidate: can_speak && admissible.any(|one| one.stance.is_some()),
            alternatives,
        }
    }

    fn hearing(&self, d: i64) -> Hearing<'_> {
        hear(self.known, &self.bearing, &self.ties, &self.filter, d)
    }

    /// The answer at the exclusive end `d`.
    pub fn answer(&self, d: i64) -> Answer {
        let hearing = self.hearing(d);
        let definite = front::definite(&hearing.heard, d);
        let possible = front::possible(&hearing.heard, d);
        let candidates = front::candidates(&definite);
        let front = front::front(&candidates);
        let deciding = front::best(&front);
        let (since, previous) = self.run(&hearing.heard, d);
        let voices = front::voices(&candidates);
        let newest = definite.iter().max_by_key(|at| at.newness());
        let names = |all: &[At]| all.iter().map(|at| at.named.clone()).collect();
        Answer {
            found: self.found(deciding.as_ref(), &definite, &possible),
            stance: deciding.as_ref().and_then(|at| at.stance().cloned()),
            alternatives: deciding
                .as_ref()
                .map(|at| at.bearing.alternatives.clone())
                .unwrap_or_default(),
            weight: deciding.as_ref().map(|at| at.bearing.weight),
            front: names(&front),
            since,
            last_affirmed: deciding.as_ref().map(|at| at.named.interval),
            previous,
            latest_evasion: front::latest_evasion(&definite, &front),
            diverge: front::diverge(&voices),
            order_uncertain: front::is_order_uncertain(&front),
            contradicts_higher_authority: deciding
                .as_ref()
                .is_some_and(|deciding| front::is_contradicted(deciding, &voices)),
            voices: voices
                .into_iter()
                .map(|(speaker, at)| (speaker, at.named))
                .collect(),
            reported: reported(&definite, &possible),
            possible: names(&possible),
            possible_candidates: front::candidates(&possible).len(),
            newest: newest.map(|at| at.named.interval),
            considered: definite.len() + possible.len(),
            affiliated: front::affiliated(&definite) + front::affiliated(&possible),
            taken: hearing.taken,
            repeated: hearing.repeated,
            deciding: deciding.map(|at| at.named),
        }
    }

    /// Everything that is heard at `d`, whenever it was said.
    pub fn told(&self, d: i64) -> BTreeSet<Told> {
        let told = |one: &&Bearing| Told {
            statement: one.standing.index,
            version: one.standing.version,
            holder: one.holder.clone(),
            weight: one.weight,
            alternatives: one.alternatives.clone(),
            vouchers: one.standing.vouchers.len(),
        };
        let hearing = self.hearing(d);
        let told: BTreeSet<Told> = hearing.heard.iter().map(told).collect();
        assert_eq!(told.len(), hearing.heard.len(), "each once");
        told
    }

    fn found(&self, deciding: Option<&At>, definite: &[At], possible: &[At]) -> Found {
        let has_admissible = |all: &[At]| all.iter().any(|at| at.bearing.admissible);
        match deciding {
            _ if !self.has_voice => Found::NoVoice,
            Some(deciding) if deciding.is_disputed() => Found::Disputed,
            Some(_) => Found::Stated,
            None if has_admissible(definite) => Found::Evaded,
            None if has_admissible(possible) => Found::Undated,
            None => Found::NoRecord,
        }
    }

    /// Every second at which something begins or ends, of everything that bears, and from
    /// which on its sources are public, if that is asked for.
    pub fn bounds(&self) -> BTreeSet<i64> {
        let mut bounds = BTreeSet::new();
        for bearing in &self.bearing {
            let spans = [Some(bearing.said_at), bearing.repeated_until];
            for span in spans.into_iter().flatten() {
                bounds.extend([span.earliest, span.latest]);
            }
            if self.filter.sources.published {
                bounds.extend(publications(self.known, bearing.standing));
            }
        }
        bounds
    }

    /// Where the unbroken run of deciding statements up to `d` began, and what decided before
    /// it, among what is heard at `d`. Positions change only where something becomes definite.
    /// One that is disputed follows on nothing but itself.
    fn run(&self, heard: &[&Bearing], d: i64) -> (Option<Span>, Option<Named>) {
        let mut before: Option<At> = None;
        let mut since = None;
        let mut previous = None;
        for instant in self.bounds().into_iter().filter(|bound| *bound <= d) {
            let definite = front::definite(heard, instant);
            let Some(now) = front::best(&front::front(&front::candidates(&definite))) else {
                continue;
            };
            let unbroken = before.as_ref().is_some_and(|before| {
                let kind = change(&stated(before), &stated(&now)).kind;
                let stays = matches!(kind, Change::Unchanged | Change::NotRestated);
                stays || before.named == now.named
            });
            if !unbroken {
                since = Some(now.bearing.said_at);
                previous = before.map(|at| at.named);
            }
            before = Some(now);
        }
        (since, previous)
    }
}

fn stated(at: &At) -> Option<(Named, Stance)> {
    Some((at.named.clone(), at.stance().cloned()?))
}

/// What is not admissible, with whether it is definite.
fn reported(definite: &[At], possible: &[At]) -> BTreeSet<(Named, bool)> {
    let mut reported = BTreeSet::new();
    for (all, is_definite) in [(definite, true), (possible, false)] {
        for at in all.iter().filter(|at| !at.bearing.admissible) {
            reported.insert((at.named.clone(), is_definite));
        }
    }
    reported
}

/// What a case shows beside its answers.
#[derive(Debug)]
pub struct Shows {
    /// How many statements are at most tied together.
    pub longest_tie: usize,
    /// Whether two that are visible are tied to the same one that is not.
    pub tied_through_what_is_gone: bool,
    /// Whether something disputed may lie on either side of a bound.
    pub possible_dispute: bool,
    /// Whether a voice's own position is in dispute, where the actor's is not.
    pub voice_in_dispute: bool,
}

impl Case<'_> {
    pub fn shows(&self, statements: &[Standing]) -> Shows {
        let tied = |first: &usize| -> Vec<&Standing> {
            let tied = statements
                .iter()
                .filter(|one| self.ties[&one.index] == *first);
            tied.collect()
        };
        let firsts: BTreeSet<usize> = self.ties.values().copied().collect();
        let mut shows = Shows {
            longest_tie: firsts
                .iter()
                .map(|first| tied(first).len())
                .max()
                .unwrap_or(0),
            tied_through_what_is_gone: firsts.iter().any(|first| {
                let (visible, gone): (Vec<_>, Vec<_>) =
                    tied(first).into_iter().partition(|one| one.visible);
                visible.len() > 1 && !gone.is_empty()
            }),
            possible_dispute: false,
            voice_in_dispute: false,
        };
        for d in self.bounds() {
            let hearing = self.hearing(d);
            let possible = front::candidates(&front::possible(&hearing.heard, d));
            shows.possible_dispute |= possible.iter().any(At::is_disputed);
            let candidates = front::candidates(&front::definite(&hearing.heard, d));
            let decides = front::best(&front::front(&candidates));
            let voices = front::voices(&candidates);
            shows.voice_in_dispute |=
                decides.is_some_and(|at| !at.is_disputed()) && voices.values().any(At::is_disputed);
        }
        shows
    }
}
