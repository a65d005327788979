//! What an actor's position on a topic was as of a date, as pure functions over the readings
//! that bear on the question: [`position`] answers for one date, [`compare`] says how two
//! answers differ, and [`timeline`] tells how the answer came about. Of what bears on the
//! question, [`standing`] lists what stands somewhere, [`reversals`] the changes of side, and
//! [`diverging_since`] tells since when the voices disagree; [`agreement`] is how far coders do
//! not.
//!
//! The invariant: the same readings, in whatever order they are handed over, give the same
//! answer. Nothing here reads a ledger or a clock, and nothing decides which readings bear on
//! a question: whoever asks collects those that are visible at its `known_at`, with the
//! authority that each voice had. Of several readings by coders who disagree the one that most
//! of them give is handed over, or, where none is given most often, all that are.
//!
//! Valid time is counted in whole UTC seconds. A date asked for is the exclusive end `d`, and
//! every date on record a half-open interval, so that what was said on a day is definite from
//! the first second of the next.

pub mod agreement;
mod answer;
mod comparison;
mod divergence;
mod front;
mod reversals;
mod standing;
mod timeline;
mod voices;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub(crate) use answer::origin;
pub use answer::{Finding, Page, Position, position};
pub use comparison::{ChangeKind, Comparison, Decision, Direction, Placement, compare, placement};
pub use divergence::diverging_since;
pub use reversals::{Reversal, reversals};
pub use standing::{Standing, standing};
pub use timeline::{Step, timeline};
pub use voices::Voice;

use crate::record::{Basis, Engagement, Interval, Slug, Stance, proto};

/// How far a speaker's word is the actor's, from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Authority {
    /// Belongs to the actor and never speaks for it. What is said for it all the same is
    /// reported.
    Affiliated,
    /// It was said for the actor, but no mandate on record covers it.
    None,
    /// May speak for it.
    Delegate,
    /// Speaks for it by office.
    Spokesperson,
    /// Is the actor itself, or its head.
    Principal,
}

impl From<Authority> for proto::Authority {
    fn from(authority: Authority) -> Self {
        match authority {
            Authority::None => Self::Unspecified,
            Authority::Affiliated => Self::Affiliated,
            Authority::Delegate => Self::Delegate,
            Authority::Spokesperson => Self::Spokesperson,
            Authority::Principal => Self::Principal,
        }
    }
}

/// What is asked of the readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// The exclusive end of valid time: everything definite by then counts.
    pub as_of: i64,
    /// Whether the actor can speak; a group or a population cannot.
    pub has_voice: bool,
}

/// On which bases a reading counts as the holder's own word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bases(u8);

impl Bases {
    /// Own words alone: the archive's own rule.
    pub const OWN_WORDS: Self = Self(1 << Basis::OwnWords as u8);

    /// This one besides.
    #[must_use]
    pub const fn with(self, basis: Basis) -> Self {
        Self(self.0 | 1 << basis as u8)
    }

    /// Whether a reading on this basis counts.
    #[must_use]
    pub const fn contain(self, basis: Basis) -> bool {
        self.0 & 1 << basis as u8 != 0
    }
}

/// A reading that is given as often as another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rival {
    /// The ledger index of the entry that gave it first.
    pub given_by: u64,
    /// Its place among that entry's readings.
    pub place: u32,
    /// On what it rests.
    pub basis: Basis,
    /// Whether it reads the topic as answered, and how.
    pub engagement: Engagement,
}

/// How one statement, in the version that stands, is read on the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Testimony {
    /// The ledger index of the record that introduced the statement.
    pub statement: u64,
    /// The ledger index of the version that stands.
    pub version: u64,
    /// The ledger index of the entry that gave the reading.
    pub given_by: u64,
    /// The reading's place among that entry's readings.
    pub place: u32,
    /// Who said it; nobody if the speaker is anonymous.
    pub speaker: Option<Slug>,
    /// Whose stance it is.
    pub holder: Slug,
    /// How far the speaker's word was the actor's when it was said.
    pub authority: Authority,
    /// When it was first said.
    pub said_at: Interval,
    /// When it was last said, if it was said over a time.
    pub repeated_until: Option<Interval>,
    /// On what the reading rests.
    pub basis: Basis,
    /// Whether somebody else relays that the speaker said it.
    pub relayed: bool,
    /// Whether the topic was answered, and how.
    pub engagement: Engagement,
    /// The readings that as many coders give: if there are any, it is disputed which stands.
    pub rivals: Vec<Rival>,
    /// On which bases a reading counts as the holder's own word.
    pub own: Bases,
}

impl Testimony {
    /// Whether it can make a position: own words of a named speaker who may speak for the
    /// actor, not relayed. What cannot is reported beside the position. Of disputed readings
    /// one that can is enough.
    #[must_use]
    pub fn is_admissible(&self) -> bool {
        self.may_speak() && self.readings().any(|(basis, _)| self.own.contain(basis))
    }

    /// Whether it is admissible and answers the topic.
    #[must_use]
    pub fn is_candidate(&self) -> bool {
        self.may_speak()
            && self
                .readings()
                .any(|(basis, engagement)| self.own.contain(basis) && engagement.stance().is_some())
    }

    /// Whether coders disagree about it, none of the readings being given most often.
    #[must_use]
    pub const fn is_disputed(&self) -> bool {
        !self.rivals.is_empty()
    }

    /// The stance, if it answers the topic and coders agree about that.
    #[must_use]
    pub const fn stance(&self) -> Option<&Stance> {
        if self.is_disputed() {
            return None;
        }
        self.engagement.stance()
    }

    /// The reading, with those that it is disputed with.
    fn readings(&self) -> impl Iterator<Item = (Basis, &Engagement)> {
        let rivals = self.rivals.iter().map(|it| (it.basis, &it.engagement));
        std::iter::once((self.basis, &self.engagement)).chain(rivals)
    }

    /// Whether the speaker's word, by whatever reading, may count for the actor.
    fn may_speak(&self) -> bool {
        self.speaker.is_some()
            && (!self.relayed || self.own.contain(Basis::Relayed))
            && self.authority > Authority::Affiliated
    }

    /// The interval that stands for it at `as_of`: when it was last said, if that is definite
    /// by then, else when it was first said.
    #[must_use]
    pub fn interval_at(&self, as_of: i64) -> Interval {
        self.repeated_until
            .filter(|repeated| repeated.latest <= as_of)
            .unwrap_or(self.said_at)
    }

    /// The testimony as it stands at `as_of`; nothing if all of it is said later.
    #[must_use]
    pub fn at(&self, as_of: i64) -> Option<Dated<'_>> {
        let interval = self.interval_at(as_of);
        let definite = interval.latest <= as_of;
        (definite || interval.earliest < as_of).then_some(Dated {
            testimony: self,
            interval,
            definite,
        })
    }

    /// The forms in which it becomes definite as the date asked for grows, oldest first: each
    /// stands from the end of its interval on, and the second replaces the first.
    pub(crate) fn appearances(&self) -> impl Iterator<Item = Dated<'_>> {
        let said = Some(self.said_at).filter(|said| {
            self.repeated_until
                .is_none_or(|repeated| said.latest < repeated.latest)
        });
        said.into_iter()
            .chain(self.repeated_until)
            .map(|interval| Dated {
                testimony: self,
                interval,
                definite: true,
            })
    }
}

/// A testimony as it stands at a date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dated<'a> {
    /// The testimony.
    pub testimony: &'a Testimony,
    /// The interval that stands for it.
    pub interval: Interval,
    /// Whether it was certainly said by that date; if not, it may have been.
    pub definite: bool,
}

impl<'a> Dated<'a> {
    /// The stance, if it answers the topic and coders agree about that.
    #[must_use]
    pub const fn stance(&self) -> Option<&'a Stance> {
        self.testimony.stance()
    }

    /// Where it stands among others by age.
    pub(crate) const fn newness(&self) -> Newness {
        Newness {
            latest: self.interval.latest,
            earliest: self.interval.earliest,
            statement: self.testimony.statement,
            given_by: self.testimony.given_by,
            place: self.testimony.place,
        }
    }

    /// Where it stands among others that may all be the newest.
    const fn rank(&self) -> (Authority, Newness) {
        (self.testimony.authority, self.newness())
    }

    /// Whether both are the same reading of the same version, with the same interval.
    fn is_same(&self, other: &Self) -> bool {
        let reading = |dated: &Self| {
            let Testimony {
                version,
                given_by,
                place,
                ..
            } = dated.testimony;
            (*version, *given_by, *place)
        };
        reading(self) == reading(other) && self.interval == other.interval
    }
}

/// The order of age, newest greatest. A statement's readings follow one another as the ledger
/// gave them: by entry, then by place within it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Newness {
    pub(crate) latest: i64,
    pub(crate) earliest: i64,
    pub(crate) statement: u64,
    pub(crate) given_by: u64,
    pub(crate) place: u32,
}
