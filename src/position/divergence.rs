//! Since when the voices behind a position have disagreed.

use std::collections::BTreeMap;

use super::front::Front;
use super::timeline::appearances;
use super::{Dated, Question, Testimony};
use crate::record::{Polarity, Slug};

/// The least date from which on, up to the one asked for, the voices' polarities have differed
/// without interruption; nothing if they do not differ at that date.
///
/// A voice's polarity can change only where a statement of its own becomes definite, so that
/// one sweep over those dates meets every change.
#[must_use]
pub fn diverging_since(testimonies: &[Testimony], question: Question) -> Option<i64> {
    if !question.has_voice {
        return None;
    }
    let candidates = testimonies.iter().filter(|it| it.is_candidate());
    let mut appearances = appearances(candidates, question.as_of).peekable();
    let mut voices = Voices::default();
    let mut since = None;
    while let Some(first) = appearances.next() {
        let at = first.interval.latest;
        voices.take(first);
        while let Some(dated) = appearances.next_if(|dated| dated.interval.latest == at) {
            voices.take(dated);
        }
        if voices.by_polarity.len() > 1 {
            since.get_or_insert(at);
        } else {
            since = None;
        }
    }
    since
}

/// Every voice's front, and how many voices are of each polarity.
#[derive(Default)]
struct Voices<'a> {
    fronts: BTreeMap<&'a Slug, (Front<'a>, Option<Polarity>)>,
    by_polarity: BTreeMap<Polarity, usize>,
}

impl<'a> Voices<'a> {
    fn take(&mut self, dated: Dated<'a>) {
        let Some(speaker) = &dated.testimony.speaker else {
            return;
        };
        let (front, polarity) = self.fronts.entry(speaker).or_default();
        let before = *polarity;
        front.take(dated);
        let stance = front.deciding().and_then(|deciding| deciding.stance());
        *polarity = stance.map(|stance| stance.polarity);
        if let Some(after) = *polarity {
            *self.by_polarity.entry(after).or_default() += 1;
        }
        if let Some(before) = before
            && let Some(voices) = self.by_polarity.get_mut(&before)
        {
            *voices -= 1;
            if *voices == 0 {
                self.by_polarity.remove(&before);
            }
        }
    }
}
