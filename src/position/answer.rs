//! The position at a date, with everything that a reader needs to judge it: what decides and
//! since when, what it replaced, what was evaded, which voices there are and whether they
//! agree, what is only reported, and what may or may not have been said by then.
//!
//! Nothing that bears on the question is dropped in silence: lists are cut to the page asked
//! for, and each says how many there are.

use super::comparison::{Decision, carries_on, compare};
use super::standing::considered;
use super::timeline::{Advance, Sweep};
use super::voices::{Voice, contradict, diverge, voices};
use super::{Dated, Question, Testimony};
use crate::record::Interval;

/// How far the record answers. The first that holds, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Finding {
    /// The actor cannot speak; see what is reported.
    NoVoice,
    /// There is a position.
    Stated,
    /// There is one, but coders disagree about what it is.
    Disputed,
    /// The actor certainly spoke on the topic, but never answered.
    Evaded,
    /// The actor may have spoken, but the dates do not tell.
    Undated,
    /// There is nothing of the actor's own.
    NoRecord,
}

/// The first of a list, and how long it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The first of them, at most as many as were asked for.
    pub items: Vec<T>,
    /// How many there are.
    pub total: usize,
}

impl<T> Page<T> {
    fn cut(mut items: Vec<T>, length_max: usize) -> Self {
        let total = items.len();
        items.truncate(length_max);
        Self { items, total }
    }
}

/// A position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position<'a> {
    /// How far the record answers.
    pub finding: Finding,
    /// What decides, if a position is stated or disputed. Its interval is when it was last affirmed.
    pub deciding: Option<Dated<'a>>,
    /// The candidates any of which may be the newest, the one that decides first.
    pub front: Page<Dated<'a>>,
    /// When the first statement of the unbroken run up to the deciding one was said.
    pub since: Option<Interval>,
    /// What decided before that run.
    pub previous: Option<Dated<'a>>,
    /// The newest evasion that is certainly not older than any of the front.
    pub latest_evasion: Option<Dated<'a>>,
    /// Each speaker's own position, highest authority first.
    pub voices: Page<Voice<'a>>,
    /// Whether the voices' polarities differ.
    pub diverge: bool,
    /// Whether the polarities within the front differ, so that their order decides.
    pub order_uncertain: bool,
    /// Whether a voice of higher authority has another polarity.
    pub contradicts_higher_authority: bool,
    /// What bears on the question but cannot make a position, newest first.
    pub reported: Page<Dated<'a>>,
    /// What may have been said by the date asked for, newest first.
    pub possible: Page<Dated<'a>>,
    /// How many of the possible ones would be candidates.
    pub possible_candidates: usize,
    /// The newest that was certainly said, of everything that bears on the question.
    pub newest: Option<Dated<'a>>,
    /// How many readings were certainly or possibly said by the date asked for.
    pub considered: usize,
}

impl<'a> Position<'a> {
    /// Whether it is another position than `other`: found otherwise, or decided by another
    /// version, reading, interval or stance.
    #[must_use]
    pub fn differs_from(&self, other: &Self) -> bool {
        let same = match (&self.deciding, &other.deciding) {
            (Some(one), Some(other)) => one.is_same(other) && one.stance() == other.stance(),
            (None, None) => true,
            _ => false,
        };
        self.finding != other.finding || !same
    }

    /// The position as one end of a comparison.
    #[must_use]
    pub const fn decision(&self) -> Decision<'a> {
        Decision {
            deciding: self.deciding,
            certain: self.possible_candidates == 0
                && !self.order_uncertain
                && !matches!(self.finding, Finding::Disputed),
        }
    }
}

/// The position that `testimonies` give; each list in it holds at most `page` items.
#[must_use]
pub fn position(testimonies: &[Testimony], question: Question, page: usize) -> Position<'_> {
    let considered = considered(testimonies, question.as_of);
    let (own, reported): (Vec<_>, Vec<_>) = considered
        .iter()
        .copied()
        .partition(|dated| question.has_voice && dated.testimony.is_admissible());
    let possible: Vec<_> = considered
        .iter()
        .filter(|dated| !dated.definite)
        .copied()
        .collect();

    let Run {
        since,
        previous,
        front,
        order_uncertain,
    } = run(if question.has_voice { testimonies } else { &[] }, question);
    let deciding = front.first().copied();
    let candidates = own
        .iter()
        .copied()
        .filter(|dated| dated.definite && dated.testimony.is_candidate());
    let voices = voices(candidates);
    Position {
        finding: finding(question, &own, deciding.as_ref()),
        deciding,
        since,
        previous,
        latest_evasion: latest_evasion(&own, &front),
        diverge: diverge(&voices),
        order_uncertain,
        contradicts_higher_authority: deciding
            .is_some_and(|deciding| contradict(&voices, &deciding)),
        possible_candidates: own
            .iter()
            .filter(|dated| !dated.definite && dated.testimony.is_candidate())
            .count(),
        newest: considered.iter().find(|dated| dated.definite).copied(),
        considered: considered.len(),
        front: Page::cut(front, page),
        voices: Page::cut(voices, page),
        reported: Page::cut(reported, page),
        possible: Page::cut(possible, page),
    }
}

/// How far the actor's own words answer.
fn finding(question: Question, own: &[Dated<'_>], deciding: Option<&Dated<'_>>) -> Finding {
    if !question.has_voice {
        return Finding::NoVoice;
    }
    match deciding {
        Some(deciding) if deciding.testimony.is_disputed() => Finding::Disputed,
        Some(_) => Finding::Stated,
        None if own.is_empty() => Finding::NoRecord,
        None if own.iter().any(|dated| dated.definite) => Finding::Evaded,
        None => Finding::Undated,
    }
}

/// The newest evasion, of those that were certainly made when the front was over. `own` is in
/// order, newest first.
fn latest_evasion<'a>(own: &[Dated<'a>], front: &[Dated<'_>]) -> Option<Dated<'a>> {
    let front_latest = front.iter().map(|member| member.interval.latest).max();
    own.iter()
        .filter(|dated| dated.definite && !dated.testimony.is_candidate())
        .find(|evasion| front_latest.is_none_or(|latest| evasion.interval.earliest >= latest))
        .copied()
}

/// The unbroken run that ends in the position, and the front at its end.
struct Run<'a> {
    since: Option<Interval>,
    previous: Option<Dated<'a>>,
    front: Vec<Dated<'a>>,
    order_uncertain: bool,
}

fn run(testimonies: &[Testimony], question: Question) -> Run<'_> {
    let mut sweep = Sweep::new(testimonies, question.as_of);
    let origin = origin_in(&mut sweep, None).unwrap_or_default();
    let front = sweep.front();
    Run {
        since: origin.since,
        previous: origin.previous,
        order_uncertain: front.is_divided(),
        front: front.members(),
    }
}

/// Where the unbroken run began that ends in the position at a date.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin<'a> {
    /// When its first statement was said.
    pub(crate) since: Option<Interval>,
    /// What decided before it.
    pub(crate) previous: Option<Dated<'a>>,
}

/// Where the unbroken run began that ends in the position at `as_of`, told from candidates
/// of which those that end at `left_out` or before it may be missing; none if that does not
/// tell.
///
/// While some candidate begins at `left_out` or after it, what is missing is no member of the
/// front, so that what decides is known. So a break is known for one if that holds on both
/// sides of it, and the last one if it holds from there on.
pub(crate) fn origin(
    testimonies: &[Testimony],
    as_of: i64,
    left_out: Option<i64>,
) -> Option<Origin<'_>> {
    origin_in(&mut Sweep::new(testimonies, as_of), left_out)
}

fn origin_in<'a>(sweep: &mut Sweep<'a>, left_out: Option<i64>) -> Option<Origin<'a>> {
    let mut origin = left_out.is_none().then(Origin::default);
    let mut was_known = left_out.is_none();
    let mut last = Decision::NOTHING;
    while let Some(step) = sweep.advance() {
        let is_known = left_out.is_none_or(|end| {
            let begins = sweep.front().greatest_earliest();
            begins.is_some_and(|earliest| earliest >= end)
        });
        if let Advance::Takeover(takeover) = step {
            if !carries_on(compare(&last, &takeover.decision).kind) {
                origin = was_known.then_some(Origin {
                    since: takeover.decision.deciding.map(|it| it.testimony.said_at),
                    previous: last.deciding,
                });
            }
            last = takeover.decision;
        }
        if !is_known {
            origin = None;
        }
        was_known = is_known;
    }
    origin
}
