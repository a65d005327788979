//! What bears on a question, chosen by where it stands: each list whole and newest first,
//! where a position only has its beginning.

use std::cmp::Reverse;

use super::timeline::Sweep;
use super::{Dated, Question, Testimony};

/// Where a testimony stands to the position at a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Anywhere.
    Any,
    /// It may have been said by then, or after.
    Possible,
    /// It is not the actor's own word, or the actor has no voice.
    Reported,
    /// It was certainly said by then, is the actor's own word, and answers.
    Candidate,
    /// It was certainly said by then, is the actor's own word, and does not answer.
    Evasion,
    /// It is a candidate that may be the newest.
    Front,
}

/// The testimonies that stand so at the date asked for, newest first.
#[must_use]
pub fn standing(
    testimonies: &[Testimony],
    question: Question,
    standing: Standing,
) -> Vec<Dated<'_>> {
    if standing == Standing::Front {
        let heard = if question.has_voice { testimonies } else { &[] };
        let mut front = Sweep::new(heard, question.as_of).into_front().members();
        front.sort_unstable_by_key(|dated| Reverse(dated.newness()));
        return front;
    }
    let mut considered = considered(testimonies, question.as_of);
    considered.retain(|dated| {
        let own = question.has_voice && dated.testimony.is_admissible();
        let answers = dated.testimony.is_candidate();
        match standing {
            Standing::Any => true,
            Standing::Possible => !dated.definite,
            Standing::Reported => !own,
            Standing::Evasion => own && dated.definite && !answers,
            Standing::Candidate | Standing::Front => own && dated.definite && answers,
        }
    });
    considered
}

/// Everything that was certainly or possibly said by a date, newest first.
pub(super) fn considered(testimonies: &[Testimony], as_of: i64) -> Vec<Dated<'_>> {
    let mut considered: Vec<_> = testimonies.iter().filter_map(|it| it.at(as_of)).collect();
    considered.sort_unstable_by_key(|dated| Reverse(dated.newness()));
    considered
}
