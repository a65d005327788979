//! How one position differs from another: the kind of change, by a table whose first matching
//! row counts; the direction in which it points; and whether anything undated or unordered
//! could make it another. Every pair of positions has exactly one kind, and swapping the two
//! turns the direction round.
//!
//! It does not say that anybody changed their mind: it compares what is on record.

use std::cmp::Ordering;

use super::Dated;
use crate::record::{Condition, Interval, Polarity, Stance, Strength};

/// What decides at a date, as a comparison needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    /// What decides; nothing if there is no position. What is disputed states nothing.
    pub deciding: Option<Dated<'a>>,
    /// Whether it is sure: no statement that may have been made by then would be a candidate,
    /// the front is of one polarity, and coders agree about what decides.
    pub certain: bool,
}

impl Decision<'_> {
    /// Before anything was said.
    pub(super) const NOTHING: Self = Self {
        deciding: None,
        certain: true,
    };
}

/// What kind of change it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// Neither end is stated.
    NoRecord,
    /// Stated before, not stated after.
    NoLongerOnRecord,
    /// Stated only after.
    FirstStated,
    /// The same statement decides both.
    NotRestated,
    /// Said again, the same.
    Unchanged,
    /// From a stance to having no position.
    Withdrawn,
    /// From one side to the other.
    Reversed,
    /// From a side to OPEN or MIXED, or less strength on the same side.
    Softened,
    /// From OPEN or MIXED to a side.
    TookSide,
    /// Between OPEN and MIXED.
    Shifted,
    /// More strength on the same side.
    Hardened,
    /// Conditions were only added.
    ConditionsAdded,
    /// Conditions were only dropped.
    ConditionsDropped,
    /// Conditions were added and dropped, or cannot be matched for want of ids.
    ConditionsChanged,
}

/// Which way a change points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Neither way.
    None,
    /// Towards the proposition.
    TowardSupport,
    /// Away from it.
    TowardOpposition,
}

/// Where the later deciding statement stands about a milestone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Placement {
    /// Before it.
    Before,
    /// After it.
    Since,
    /// Within it.
    During,
    /// Its date does not tell.
    Unplaced,
}

/// How one position differs from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison<'a> {
    /// What kind of change it is.
    pub kind: ChangeKind,
    /// What strength and conditions say besides.
    pub also: Vec<ChangeKind>,
    /// Which way it points.
    pub direction: Direction,
    /// Whether both ends are certain.
    pub certain: bool,
    /// Conditions that only the later position has.
    pub conditions_added: Vec<&'a Condition>,
    /// Conditions that only the earlier position has.
    pub conditions_dropped: Vec<&'a Condition>,
}

/// How the position `to` differs from the position `from`.
#[must_use]
pub fn compare<'a>(from: &Decision<'a>, to: &Decision<'a>) -> Comparison<'a> {
    let unstated = |kind| Comparison {
        kind,
        also: Vec::new(),
        direction: Direction::None,
        certain: from.certain && to.certain,
        conditions_added: Vec::new(),
        conditions_dropped: Vec::new(),
    };
    let stated = |end: &Decision<'a>| {
        end.deciding
            .and_then(|dated| Some((dated, dated.stance()?)))
    };
    let ((earlier, before), (later, after)) = match (stated(from), stated(to)) {
        (None, None) => return unstated(ChangeKind::NoRecord),
        (Some(_), None) => return unstated(ChangeKind::NoLongerOnRecord),
        (None, Some(_)) => return unstated(ChangeKind::FirstStated),
        (Some(from), Some(to)) => (from, to),
    };

    let added = unmatched(&after.conditions, &before.conditions);
    let dropped = unmatched(&before.conditions, &after.conditions);
    let conditions = change_of_conditions(&added, &dropped);
    let finer = [change_of_strength(before, after), conditions];
    let mut finer = finer.into_iter().flatten();
    let kind = if earlier.is_same(&later) {
        ChangeKind::NotRestated
    } else {
        change_of_polarity(before.polarity, after.polarity)
            .or_else(|| finer.next())
            .unwrap_or(ChangeKind::Unchanged)
    };
    Comparison {
        kind,
        also: finer.collect(),
        direction: direction(before, after, conditions),
        conditions_added: added,
        conditions_dropped: dropped,
        ..unstated(kind)
    }
}

/// Where the deciding statement of the later position stands about a milestone; nothing if no
/// position is stated.
#[must_use]
pub fn placement(to: &Decision<'_>, milestone: Interval) -> Option<Placement> {
    let stated = to.deciding.filter(|dated| dated.stance().is_some())?;
    let Interval { earliest, latest } = stated.interval;
    Some(if latest <= milestone.earliest {
        Placement::Before
    } else if earliest >= milestone.latest {
        Placement::Since
    } else if earliest >= milestone.earliest && latest <= milestone.latest {
        Placement::During
    } else {
        Placement::Unplaced
    })
}

/// Whether a position of this kind carries on the one before.
pub(super) const fn carries_on(kind: ChangeKind) -> bool {
    matches!(kind, ChangeKind::Unchanged | ChangeKind::NotRestated)
}

/// What polarity alone says: rows 5 to 11. Nothing where both are SUPPORTS, OPEN, OPPOSES or
/// MIXED.
const fn change_of_polarity(from: Polarity, to: Polarity) -> Option<ChangeKind> {
    use Polarity::{Mixed, NoPosition, Open, Opposes, Supports};
    Some(match (from, to) {
        (NoPosition, NoPosition) => ChangeKind::Unchanged,
        (_, NoPosition) => ChangeKind::Withdrawn,
        (NoPosition, _) => ChangeKind::FirstStated,
        (Supports, Opposes) | (Opposes, Supports) => ChangeKind::Reversed,
        (Supports | Opposes, Open | Mixed) => ChangeKind::Softened,
        (Open | Mixed, Supports | Opposes) => ChangeKind::TookSide,
        (Open, Mixed) | (Mixed, Open) => ChangeKind::Shifted,
        (Supports, Supports) | (Opposes, Opposes) | (Open, Open) | (Mixed, Mixed) => return None,
    })
}

/// What strength says: row 12. Only on the same side, and only where both are coded.
fn change_of_strength(from: &Stance, to: &Stance) -> Option<ChangeKind> {
    if from.polarity != to.polarity || side(to.polarity) == 0 {
        return None;
    }
    match to.strength?.cmp(&from.strength?) {
        Ordering::Less => Some(ChangeKind::Softened),
        Ordering::Greater => Some(ChangeKind::Hardened),
        Ordering::Equal => None,
    }
}

/// What conditions say: rows 13 and 14. Where an id on one side cannot be held against a bare
/// text on the other, both stay unmatched.
const fn change_of_conditions(added: &[&Condition], dropped: &[&Condition]) -> Option<ChangeKind> {
    match (added.is_empty(), dropped.is_empty()) {
        (true, true) => None,
        (false, true) => Some(ChangeKind::ConditionsAdded),
        (true, false) => Some(ChangeKind::ConditionsDropped),
        (false, false) => Some(ChangeKind::ConditionsChanged),
    }
}

/// The conditions of one stance that another does not have.
fn unmatched<'a>(of: &'a [Condition], against: &[Condition]) -> Vec<&'a Condition> {
    of.iter()
        .filter(|condition| !against.iter().any(|other| is_same_demand(condition, other)))
        .collect()
}

/// Whether two conditions are one: the same kind, and the same id or, where neither has one,
/// the same text.
fn is_same_demand(one: &Condition, other: &Condition) -> bool {
    one.kind == other.kind
        && match (&one.id, &other.id) {
            (Some(id), Some(other_id)) => id == other_id,
            (None, None) => one.text == other.text,
            (Some(_), None) | (None, Some(_)) => false,
        }
}

/// The side of a polarity: 1 for, -1 against, else 0.
const fn side(polarity: Polarity) -> i8 {
    match polarity {
        Polarity::Supports => 1,
        Polarity::Opposes => -1,
        Polarity::Open | Polarity::Mixed | Polarity::NoPosition => 0,
    }
}

fn direction(from: &Stance, to: &Stance, conditions: Option<ChangeKind>) -> Direction {
    if from.polarity == Polarity::NoPosition || to.polarity == Polarity::NoPosition {
        return Direction::None;
    }
    let same_polarity = from.polarity == to.polarity;
    let (strength_from, strength_to) = strengths(from, to, same_polarity);
    let by_conditions = same_polarity && strength_from == strength_to;
    let sign = if by_conditions {
        pull_of_conditions(to.polarity, conditions)
    } else {
        side(to.polarity) * strength_to - side(from.polarity) * strength_from
    };
    match sign.signum() {
        1 => Direction::TowardSupport,
        -1 => Direction::TowardOpposition,
        _ => Direction::None,
    }
}

/// Both strengths as degrees: a missing one equals the other's where the polarity is the same,
/// else it is 1.
fn strengths(from: &Stance, to: &Stance, same_polarity: bool) -> (i8, i8) {
    let degree = |own: Option<Strength>, other: Option<Strength>| {
        let assumed = other.filter(|_| same_polarity);
        match own.or(assumed) {
            None | Some(Strength::Hedged) => 1,
            Some(Strength::Stated) => 2,
            Some(Strength::Committed) => 3,
        }
    };
    (
        degree(from.strength, to.strength),
        degree(to.strength, from.strength),
    )
}

/// Which way a change of conditions alone pulls a stance: a condition more makes support and
/// openness less, and opposition less.
const fn pull_of_conditions(polarity: Polarity, conditions: Option<ChangeKind>) -> i8 {
    let added = match polarity {
        Polarity::Supports | Polarity::Open => -1,
        Polarity::Opposes => 1,
        Polarity::Mixed | Polarity::NoPosition => 0,
    };
    match conditions {
        Some(ChangeKind::ConditionsAdded) => added,
        Some(ChangeKind::ConditionsDropped) => -added,
        _ => 0,
    }
}
