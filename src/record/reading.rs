//! What a reading says: a coder's judgement of a statement as a stance on a topic, in types
//! that cannot hold an inconsistent one. Only an answer carries a stance, and a strength is
//! one of three. A judgement is kept apart from the fact that it judges: nothing here knows
//! the statement, its speaker or its date.

use serde::{Deserialize, Serialize};

use super::Slug;

/// Which way a stance points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Polarity {
    /// For the proposition.
    Supports,
    /// Neither asks for it nor rules it out.
    Open,
    /// Against the proposition.
    Opposes,
    /// For it and against it at once.
    Mixed,
    /// Says that there is no position.
    NoPosition,
}

/// How firmly a stance is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Strength {
    /// 1: hedged.
    Hedged,
    /// 2: stated.
    Stated,
    /// 3: committed, demanded, or a red line.
    Committed,
}

impl Strength {
    /// The strength of a degree from 1 to 3; nothing for any other.
    #[must_use]
    pub const fn from_degree(degree: u32) -> Option<Self> {
        match degree {
            1 => Some(Self::Hedged),
            2 => Some(Self::Stated),
            3 => Some(Self::Committed),
            _ => None,
        }
    }

    /// The degree, from 1 to 3.
    #[must_use]
    pub const fn degree(self) -> u8 {
        match self {
            Self::Hedged => 1,
            Self::Stated => 2,
            Self::Committed => 3,
        }
    }
}

/// How a stance depends on a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ConditionKind {
    /// Only if it holds.
    OnlyIf,
    /// Unless it holds.
    Unless,
    /// Only after it.
    After,
}

/// Something that a stance depends on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Condition {
    /// Its name within the topic: equal ids are the same demand. Without one, its text tells
    /// it apart.
    pub id: Option<Slug>,
    /// How the stance depends on it.
    pub kind: ConditionKind,
    /// What is demanded, as the coder puts it.
    pub text: String,
}

/// A stance on a topic.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stance {
    /// Which way it points.
    pub polarity: Polarity,
    /// How firmly it is taken, if that was coded.
    pub strength: Option<Strength>,
    /// What it depends on.
    pub conditions: Vec<Condition>,
}

/// Whether a statement answers the topic. Silence is never read as a position, so that only
/// an answer carries a stance.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Engagement {
    /// It takes this stance.
    Answered(Stance),
    /// It refuses to answer.
    Declined,
    /// It speaks past the question.
    Deflected,
}

impl Engagement {
    /// The stance, if there is an answer.
    #[must_use]
    pub const fn stance(&self) -> Option<&Stance> {
        match self {
            Self::Answered(stance) => Some(stance),
            Self::Declined | Self::Deflected => None,
        }
    }
}

/// On what a reading rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Basis {
    /// The holder's own words.
    OwnWords,
    /// Words that somebody else relays.
    Relayed,
    /// Somebody else says what the holder's stance is.
    Ascribed,
    /// What the holder did.
    Conduct,
    /// A survey.
    Survey,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strength_has_a_degree_from_one_to_three_and_no_other() {
        for degree in 1..=3 {
            let strength = Strength::from_degree(degree).map(Strength::degree);
            assert_eq!(strength.map(u32::from), Some(degree));
        }
        assert_eq!(Strength::from_degree(0), None);
        assert_eq!(Strength::from_degree(4), None);
    }

    #[test]
    fn only_an_answer_carries_a_stance() {
        let stance = Stance {
            polarity: Polarity::Open,
            strength: None,
            conditions: Vec::new(),
        };
        assert_eq!(Engagement::Answered(stance.clone()).stance(), Some(&stance));
        assert_eq!(Engagement::Declined.stance(), None);
        assert_eq!(Engagement::Deflected.stance(), None);
    }
}
