//! The rules one by one, the table over all pairs of stances, and the sweep against a slow
//! reading of the rules at every date.

mod agreement;
mod answer;
mod comparison;
mod fixtures;
mod front;
mod oracle;
mod overview;
mod timeline;

use fixtures::*;

use super::{Dated, Decision, Position, Question, Testimony, position};

/// A page that no test fills.
const PAGE: usize = 100;

/// The position of an actor with a voice.
fn as_of(testimonies: &[Testimony], as_of: i64) -> Position<'_> {
    let question = Question {
        as_of,
        has_voice: true,
    };
    position(testimonies, question, PAGE)
}

/// The entry that decides.
fn deciding(position: &Position<'_>) -> Option<u64> {
    position.deciding.map(|dated| dated.testimony.given_by)
}

/// The entries of some testimonies.
fn entries(items: &[Dated<'_>]) -> Vec<u64> {
    items.iter().map(|dated| dated.testimony.given_by).collect()
}

/// A testimony that decides as it was first said.
fn decided(testimony: &Testimony) -> Decision<'_> {
    Decision {
        deciding: testimony.at(testimony.said_at.latest),
        certain: true,
    }
}
