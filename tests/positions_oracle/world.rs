//! The small world that histories are about: who is in it, what they speak about, and the
//! vocabulary of dates and conditions.

use onrecord::record::proto::ConditionKind;

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

pub const CONDITIONS: [(&str, ConditionKind, &str); 6] = [
    ("prepared", ConditionKind::OnlyIf, "prepared with care"),
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
