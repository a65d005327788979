//! Actors as they stand below a `known_at`: who is part of whom, and who speaks for whom.

use std::collections::BTreeSet;

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{ActorDefined, ActorKind, Authority, MandateGranted};

use super::calendar::{Span, span};
use super::trust::Known;

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

/// The newest definition of an actor.
fn actor<'a>(known: &Known<'a>, id: &str) -> Option<&'a ActorDefined> {
    known.lines.iter().rev().find_map(|line| match line.kind() {
        Kind::ActorDefined(actor) if actor.actor_id == id => Some(actor),
        _ => None,
    })
}

pub fn kind(known: &Known, id: &str) -> Option<ActorKind> {
    actor(known, id).map(ActorDefined::kind)
}

/// The actor with everything that is part of it, or part of a part.
pub fn with_parts(known: &Known, id: &str) -> BTreeSet<String> {
    let mut asked = BTreeSet::from([id.to_owned()]);
    loop {
        let before = asked.len();
        for line in known.lines {
            if let Kind::ActorDefined(defined) = line.kind()
                && let Some(newest) = actor(known, &defined.actor_id)
                && asked.contains(&newest.part_of)
            {
                asked.insert(newest.actor_id.clone());
            }
        }
        if asked.len() == before {
            return asked;
        }
    }
}

/// The highest weight that a speaker has for anybody who is asked: one of them in person, or
/// by mandate from one of them that the reading or the statement names.
pub fn weight(
    known: &Known,
    topic: &str,
    asked: &BTreeSet<String>,
    speaker: Option<&str>,
    named: &BTreeSet<String>,
    said_at: Span,
) -> Weight {
    let Some(speaker) = speaker else {
        return Weight::Unmarked;
    };
    if asked.contains(speaker) {
        return Weight::Principal;
    }
    let of = |body: &String| {
        let mandates = known.mandates.iter().filter(|mandate| {
            mandate.person == speaker
                && mandate.organization == *body
                && (mandate.topics.is_empty() || mandate.topics.iter().any(|t| t == topic))
                && is_in_force(mandate, said_at)
        });
        let weights = mandates.map(|mandate| match mandate.authority() {
            Authority::Principal => Weight::Principal,
            Authority::Spokesperson => Weight::Spokesperson,
            Authority::Delegate => Weight::Delegate,
            Authority::Affiliated => Weight::Affiliated,
            Authority::Unspecified => panic!("a mandate without authority"),
        });
        weights.max().unwrap_or(Weight::Unmarked)
    };
    asked.intersection(named).map(of).max().unwrap()
}

fn is_in_force(mandate: &MandateGranted, said_at: Span) -> bool {
    let has_begun = mandate.start.is_empty() || span(&mandate.start).earliest <= said_at.earliest;
    let lasts = mandate.end.is_empty() || said_at.latest <= span(&mandate.end).latest;
    has_begun && lasts
}
