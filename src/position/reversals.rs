//! Changes of side: from SUPPORTS to OPPOSES or back, at once or by way of something else.
//!
//! What decides is followed from date to date. Between two statements on opposite sides that
//! each decided there may have been others, OPEN, MIXED, of no position, or such as coders
//! disagree about: the side was then left with the first of these and the other one taken with
//! the last, and that is one reversal, by way of them. Back to the same side is none.
//!
//! It does not say that anybody changed their mind: it tells what is on record.

use super::comparison::{Comparison, Decision, compare};
use super::timeline::{Sweep, Takeover};
use super::{Dated, Question, Testimony};
use crate::record::Polarity;

/// A change of side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal<'a> {
    /// The least date asked for at which the other side is held.
    pub at: i64,
    /// What decided last on the side that was left.
    pub held: Dated<'a>,
    /// What left it: the next to decide.
    pub left: Dated<'a>,
    /// What took the other side; the same as `left` if nothing came in between.
    pub took: Dated<'a>,
    /// How many others decided in between.
    pub between: usize,
    /// How the position that took the other side differs from the one that held the first,
    /// each as of its own date.
    pub comparison: Comparison<'a>,
}

/// The side that is held, and what has decided since.
struct Held<'a> {
    polarity: Polarity,
    decision: Decision<'a>,
    dated: Dated<'a>,
    left: Option<Dated<'a>>,
    between: usize,
}

/// Every change of side up to the date asked for, oldest first.
#[must_use]
pub fn reversals(testimonies: &[Testimony], question: Question) -> Vec<Reversal<'_>> {
    let mut reversals = Vec::new();
    if !question.has_voice {
        return reversals;
    }
    let mut held: Option<Held<'_>> = None;
    for Takeover { at, decision } in Sweep::new(testimonies, question.as_of) {
        let Some(dated) = decision.deciding else {
            continue;
        };
        let side = dated.stance().map(|stance| stance.polarity);
        let side = side.filter(|side| matches!(side, Polarity::Supports | Polarity::Opposes));
        let Some(polarity) = side else {
            if let Some(held) = &mut held {
                held.left.get_or_insert(dated);
                held.between += 1;
            }
            continue;
        };
        if let Some(before) = held.filter(|before| before.polarity != polarity) {
            reversals.push(Reversal {
                at,
                held: before.dated,
                left: before.left.unwrap_or(dated),
                took: dated,
                between: before.between,
                comparison: compare(&before.decision, &decision),
            });
        }
        held = Some(Held {
            polarity,
            decision,
            dated,
            left: None,
            between: 0,
        });
    }
    reversals
}
