//! The comparison table, row by row.

use onrecord::record::proto::Polarity;

use super::calendar::Span;
use super::front::Named;
use super::oracle::{Answer, Found};
use super::readings::{Demand, Stance};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    NoRecord,
    NoLongerOnRecord,
    FirstStated,
    NotRestated,
    Unchanged,
    Withdrawn,
    Reversed,
    Softened,
    TookSide,
    Shifted,
    Hardened,
    ConditionsAdded,
    ConditionsDropped,
    ConditionsChanged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Toward {
    Support,
    Opposition,
    Neither,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Before,
    Since,
    During,
    Unplaced,
}

/// What a comparison says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub kind: Change,
    pub also: Vec<Change>,
    pub toward: Toward,
    /// Conditions that only the later end has.
    pub added: Vec<Demand>,
    /// Conditions that only the earlier end has.
    pub dropped: Vec<Demand>,
}

/// What decides at an end, if it is stated.
type End = Option<(Named, Stance)>;

pub fn end(answer: &Answer) -> End {
    let stated = answer.found == Found::Stated;
    stated.then(|| {
        (
            answer.deciding.clone().unwrap(),
            answer.stance.clone().unwrap(),
        )
    })
}

/// Whether nothing possible, unordered or disputed could make it another.
pub fn certain(from: &Answer, to: &Answer) -> bool {
    [from, to].iter().all(|answer| {
        answer.possible_candidates == 0
            && !answer.order_uncertain
            && answer.found != Found::Disputed
    })
}

/// Where what decides stands about a milestone.
pub fn place(to: &Answer, milestone: Span) -> Option<Place> {
    let (deciding, _) = end(to)?;
    let interval = deciding.interval;
    Some(if interval.latest <= milestone.earliest {
        Place::Before
    } else if interval.earliest >= milestone.latest {
        Place::Since
    } else if milestone.earliest <= interval.earliest && interval.latest <= milestone.latest {
        Place::During
    } else {
        Place::Unplaced
    })
}

pub fn change(from: &End, to: &End) -> Difference {
    let bare = |kind| Difference {
        kind,
        also: Vec::new(),
        toward: Toward::Neither,
        added: Vec::new(),
        dropped: Vec::new(),
    };
    let ((f_named, f), (t_named, t)) = match (from, to) {
        (None, None) => return bare(Change::NoRecord),
        (Some(_), None) => return bare(Change::NoLongerOnRecord),
        (None, Some(_)) => return bare(Change::FirstStated),
        (Some(f), Some(t)) => (f, t),
    };
    let rows = [
        row_4(f_named, t_named),
        rows_5_to_7(f, t),
        rows_8_to_11(f, t),
        row_12(f, t),
        rows_13_and_14(f, t),
        Some(Change::Unchanged),
    ];
    let kind = rows.iter().find_map(|row| *row).unwrap();
    let also = [row_12(f, t), rows_13_and_14(f, t)]
        .into_iter()
        .flatten()
        .filter(|other| *other != kind)
        .collect();
    Difference {
        kind,
        also,
        toward: toward(f, t),
        added: unmatched(t, f),
        dropped: unmatched(f, t),
    }
}

fn row_4(f: &Named, t: &Named) -> Option<Change> {
    let decides = |n: &Named| (n.version, n.given_by, n.place, n.interval);
    (decides(f) == decides(t)).then_some(Change::NotRestated)
}

fn rows_5_to_7(f: &Stance, t: &Stance) -> Option<Change> {
    match (none(f), none(t)) {
        (true, true) => Some(Change::Unchanged),
        (false, true) => Some(Change::Withdrawn),
        (true, false) => Some(Change::FirstStated),
        (false, false) => None,
    }
}

fn rows_8_to_11(f: &Stance, t: &Stance) -> Option<Change> {
    match (side(f), side(t)) {
        (1, -1) | (-1, 1) => Some(Change::Reversed),
        (1 | -1, 0) => Some(Change::Softened),
        (0, 1 | -1) => Some(Change::TookSide),
        (0, 0) if f.polarity != t.polarity => Some(Change::Shifted),
        _ => None,
    }
}

fn row_12(f: &Stance, t: &Stance) -> Option<Change> {
    if side(f) == 0 || side(f) != side(t) || same_strength(f, t) {
        return None;
    }
    Some(if t.strength < f.strength {
        Change::Softened
    } else {
        Change::Hardened
    })
}

fn rows_13_and_14(f: &Stance, t: &Stance) -> Option<Change> {
    match (unmatched(t, f).len(), unmatched(f, t).len()) {
        (0, 0) => None,
        (_, 0) => Some(Change::ConditionsAdded),
        (0, _) => Some(Change::ConditionsDropped),
        (_, _) => Some(Change::ConditionsChanged),
    }
}

/// The conditions of `these` that are not among those of `others`.
fn unmatched(these: &Stance, others: &Stance) -> Vec<Demand> {
    let matches = |a: &Demand, b: &Demand| {
        a.kind == b.kind && a.id == b.id && (!a.id.is_empty() || a.text == b.text)
    };
    let new = |one: &&Demand| !others.conditions.iter().any(|other| matches(one, other));
    these.conditions.iter().filter(new).cloned().collect()
}

fn toward(f: &Stance, t: &Stance) -> Toward {
    if none(f) || none(t) {
        return Toward::Neither;
    }
    let difference = side(t) * strength(t, f) - side(f) * strength(f, t);
    if difference > 0 {
        return Toward::Support;
    }
    if difference < 0 {
        return Toward::Opposition;
    }
    if f.polarity != t.polarity || !same_strength(f, t) {
        return Toward::Neither;
    }
    match (f.polarity, rows_13_and_14(f, t)) {
        (Polarity::Supports | Polarity::Open, Some(Change::ConditionsAdded))
        | (Polarity::Opposes, Some(Change::ConditionsDropped)) => Toward::Opposition,
        (Polarity::Supports | Polarity::Open, Some(Change::ConditionsDropped))
        | (Polarity::Opposes, Some(Change::ConditionsAdded)) => Toward::Support,
        _ => Toward::Neither,
    }
}

fn none(stance: &Stance) -> bool {
    stance.polarity == Polarity::NoPosition
}

fn side(stance: &Stance) -> i64 {
    match stance.polarity {
        Polarity::Supports => 1,
        Polarity::Opposes => -1,
        _ => 0,
    }
}

fn same_strength(a: &Stance, b: &Stance) -> bool {
    a.strength == 0 || b.strength == 0 || a.strength == b.strength
}

/// A stance's strength beside another: a missing one equals the other's on the same side,
/// else 1.
fn strength(stance: &Stance, other: &Stance) -> i64 {
    match (stance.strength, other.strength) {
        (0, 0) => 1,
        (0, others) if side(stance) == side(other) => i64::from(others),
        (0, _) => 1,
        (own, _) => i64::from(own),
    }
}
