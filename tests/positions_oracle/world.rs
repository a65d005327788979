//! The small world that histories are about: who is in it, what they speak about, who vouches
//! and codes, and the vocabulary of dates, conditions and sources.

use std::sync::LazyLock;

use onrecord::record::SigningKey;
use onrecord::record::proto::{ConditionKind, SourceRole, Wording};

pub const TOPICS: [&str; 2] = ["meeting", "ceasefire"];
pub const STATE: &str = "state";
pub const BODIES: [&str; 3] = [STATE, "office", "ministry"];
pub const PERSONS: [&str; 5] = ["leader", "spokesman", "envoy", "scholar", "citizen"];
pub const GROUP: &str = "capitals";
/// The dates of milestones, of every width.
pub const MILESTONES: [&str; 4] = [
    "2025-08-15",
    "2025-08-15T10:00:00Z",
    "2025-08",
    "[2025-08-12..2025-08-16]",
];

/// The first of the dates are single days.
pub const DAYS: usize = 7;

pub const DATES: [&str; 20] = [
    "2025-08-15",
    "2025-08-10",
    "2025-08-12",
    "2025-08-16",
    "2025-08-19",
    "2025-08-22",
    "2025-08-11",
    "2025-08",
    "2025-07",
    "2025",
    "2025-08-XX",
    "2025-08-1X",
    "[2025-08-12..2025-08-16]",
    "[2025-08-10..2025-08-12]",
    "[..2025-08-15]",
    "[..2025-08-10]",
    "2025-08-15T10:00:00Z",
    "2025-08-15T10:00:01Z",
    "2025-08-15T13:00:00+03:00",
    "2025-08-16T00:30:00+03:00",
];

/// The second is the first in other words.
pub const CONDITIONS: [(&str, ConditionKind, &str); 7] = [
    ("prepared", ConditionKind::OnlyIf, "prepared with care"),
    ("prepared", ConditionKind::OnlyIf, "well prepared"),
    ("prepared", ConditionKind::Unless, "prepared with care"),
    ("moscow", ConditionKind::OnlyIf, "in Moscow"),
    ("", ConditionKind::OnlyIf, "in Moscow"),
    ("", ConditionKind::OnlyIf, "with agreed results"),
    ("", ConditionKind::After, "with agreed results"),
];

/// Everybody who may be named as a holder or speaker: persons, bodies, the group.
pub fn somebody(number: usize) -> &'static str {
    match number {
        0..5 => PERSONS[number],
        5..8 => BODIES[number - 5],
        _ => GROUP,
    }
}

/// Verifiers, by number: attestors who code too, coders, stewards, an attestor who does not
/// code.
pub const ATTESTORS: [u8; 3] = [0, 4, 5];
pub const CODERS: [u8; 5] = [0, 1, 2, 4, 6];
pub const STEWARDS: [u8; 2] = [3, 6];
pub const VERIFIERS: u8 = 7;
/// Never revoked: somebody must be left to enrol the others again.
pub const STEWARD: u8 = 3;

static KEYS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let key = |number: u8| SigningKey::from_seed([number + 1; 32]).public();
    (0..VERIFIERS)
        .map(|number| key(number).to_string())
        .collect()
});

/// A verifier's public key, in hex digits.
pub fn key(number: u8) -> &'static str {
    &KEYS[usize::from(number)]
}

/// The verifier with that key.
pub fn verifier(key: &str) -> u8 {
    (0..VERIFIERS)
        .find(|number| self::key(*number) == key)
        .unwrap()
}

pub const SOURCES: usize = 3;
pub const ROLES: [SourceRole; 3] = [SourceRole::Primary, SourceRole::Wire, SourceRole::Secondary];
/// Nobody, too.
pub const PUBLISHERS: [&str; 3] = ["", "a gazette", "an agency"];
pub const WORDINGS: [Wording; 4] = [
    Wording::Verbatim,
    Wording::Translated,
    Wording::Retranslated,
    Wording::Paraphrased,
];
