//! Two positions side by side, and how the later differs from the earlier.

use comfy_table::{ColumnConstraint, Width};

use super::background::Background;
use super::canvas::{Canvas, Sheet, Tint, cell};
use super::foot;
use super::position::title;
use super::statement::{conditions_of, in_short, reading, testimony_in_cell};
use super::words::{self, Label as _, range, stance, tint};
use crate::rpc::proto::{
    Basis, ChangeKind, ComparePositionsResponse, Comparison, Placement, Position,
};

/// The width of the column that says what a row is about.
const LABEL_WIDTH: u16 = 13;

/// The two sides of a comparison, each with what was known on it.
#[derive(Clone, Copy, Debug)]
pub struct Sides<'a> {
    /// What the columns are called.
    pub titles: [&'a str; 2],
    /// What the earlier position names.
    pub from: &'a Background,
    /// What the later position names.
    pub to: &'a Background,
}

/// Draws a comparison.
#[must_use]
pub fn comparison(canvas: Canvas, answer: &ComparePositionsResponse, sides: Sides<'_>) -> String {
    let mut sheet = Sheet::new(canvas);
    let (Some(from), Some(to)) = (&answer.from, &answer.to) else {
        return sheet.finish();
    };
    title(&mut sheet, &to.actor, &to.topic, sides.to);
    sheet.gap();
    if let Some(comparison) = &answer.comparison {
        verdict(&mut sheet, comparison, [from, to], sides.to);
    }
    sheet.gap();
    side_by_side(
        &mut sheet,
        [from, to],
        [answer.from_basis.as_ref(), answer.to_basis.as_ref()],
        sides,
    );
    sheet.gap();
    foot::basis(&mut sheet, answer.to_basis.as_ref());
    foot::caveat(&mut sheet);
    sheet.finish()
}

/// Draws what kind of change it is, in a few lines.
pub fn verdict(
    sheet: &mut Sheet,
    comparison: &Comparison,
    [from, to]: [&Position; 2],
    background: &Background,
) {
    let kind = comparison.kind();
    sheet.paragraph(0, kind_tint(kind), &kind_line(comparison, background));
    sheet.paragraph(2, Tint::Plain, words::change(kind));
    let stances = format!("{} to {}", position_line(from), position_line(to));
    sheet.paragraph(2, Tint::Strong, &stances);
    if !comparison.conditions_added.is_empty() || !comparison.conditions_dropped.is_empty() {
        let text = format!(
            "conditions {} to {}",
            conditions_of(from.stance.as_ref()),
            conditions_of(to.stance.as_ref())
        );
        sheet.paragraph(2, Tint::Strong, &text);
    }
    if !comparison.also.is_empty() {
        let also: Vec<&str> = comparison.also().map(|kind| kind.label()).collect();
        sheet.paragraph(2, Tint::Plain, &format!("also {}", also.join(", ")));
    }
    let direction = format!("direction {}", comparison.direction().label());
    sheet.paragraph(2, Tint::Plain, &direction);
}

/// The kind, whether it is certain, and where the later statement stands.
#[must_use]
pub fn kind_line(comparison: &Comparison, background: &Background) -> String {
    let certain = if comparison.certain {
        "certain"
    } else {
        "not certain"
    };
    let mut text = format!("{}, {certain}", comparison.kind().label());
    if comparison.placement() != Placement::Unspecified {
        let milestone = background.milestone.as_ref();
        let milestone = milestone.map_or("the milestone", |found| found.milestone_id.as_str());
        text.push_str(&format!(", {} {milestone}", comparison.placement().label()));
    }
    text
}

/// A position in one line: its stance, or how far the record answers.
#[must_use]
pub fn position_line(position: &Position) -> String {
    match &position.stance {
        Some(taken) => stance(taken),
        None => position.finding().label().to_owned(),
    }
}

/// How a kind of change stands out.
#[must_use]
pub const fn kind_tint(kind: ChangeKind) -> Tint {
    match kind {
        ChangeKind::NotRestated | ChangeKind::Unchanged | ChangeKind::NoRecord => Tint::Strong,
        ChangeKind::Reversed | ChangeKind::NoLongerOnRecord | ChangeKind::Withdrawn => {
            Tint::Against
        }
        _ => Tint::Between,
    }
}

/// Draws two positions side by side.
pub fn side_by_side(
    sheet: &mut Sheet,
    [from, to]: [&Position; 2],
    bases: [Option<&Basis>; 2],
    sides: Sides<'_>,
) {
    let mut table = sheet.canvas().framed();
    let [left, right] = sides.titles;
    table.set_header([
        cell(Tint::Plain, ""),
        cell(Tint::Strong, left),
        cell(Tint::Strong, right),
    ]);
    let both = [(from, sides.from), (to, sides.to)];
    let rows = [
        (
            "as of",
            bases.map(|basis| basis.map_or_else(String::new, |it| it.as_of.clone())),
        ),
        (
            "known at",
            bases.map(|basis| basis.map_or_else(String::new, |it| it.known_at.to_string())),
        ),
        (
            "finding",
            both.map(|(it, _)| it.finding().label().to_owned()),
        ),
        (
            "position",
            both.map(|(it, _)| {
                it.stance
                    .as_ref()
                    .map(words::stance_in_full)
                    .unwrap_or_default()
            }),
        ),
        ("conditions", both.map(|(it, _)| condition_lines(it))),
        (
            "since",
            both.map(|(it, _)| it.since.as_ref().map(range).unwrap_or_default()),
        ),
        (
            "last affirmed",
            both.map(|(it, _)| it.last_affirmed.as_ref().map(range).unwrap_or_default()),
        ),
        (
            "rests on",
            both.map(|(it, known)| {
                it.deciding
                    .as_ref()
                    .map(|said| testimony_in_cell(said, known))
                    .unwrap_or_default()
            }),
        ),
        (
            "latest evasion",
            both.map(|(it, known)| {
                it.latest_evasion
                    .as_ref()
                    .map(|said| format!("{}: {}", reading(said), testimony_in_cell(said, known)))
                    .unwrap_or_default()
            }),
        ),
        (
            "before that",
            both.map(|(it, known)| {
                it.previous
                    .as_ref()
                    .map(|said| in_short(said, known))
                    .unwrap_or_default()
            }),
        ),
        ("reported", both.map(|(it, _)| count(it.reported_count))),
        ("possible", both.map(|(it, _)| count(it.possible_count))),
    ];
    for (label, [left, right]) in rows {
        if left.is_empty() && right.is_empty() {
            continue;
        }
        let tints = both.map(|(position, _)| match (label, &position.stance) {
            ("position", Some(stance)) => tint(stance.polarity()),
            _ => Tint::Plain,
        });
        table.add_row([
            cell(Tint::Faint, label),
            cell(tints[0], &left),
            cell(tints[1], &right),
        ]);
    }
    // Both sides get the same room, whatever stands in them.
    let room = sheet.canvas().width.saturating_sub(LABEL_WIDTH + 6) / 2;
    table.set_constraints([
        ColumnConstraint::Absolute(Width::Fixed(LABEL_WIDTH + 2)),
        ColumnConstraint::Absolute(Width::Fixed(room)),
        ColumnConstraint::Absolute(Width::Fixed(room)),
    ]);
    sheet.table(&table);
}

fn condition_lines(position: &Position) -> String {
    let conditions = position.stance.iter().flat_map(|it| &it.conditions);
    let lines: Vec<String> = conditions.map(words::condition).collect();
    lines.join("\n")
}

fn count(number: u64) -> String {
    match number {
        0 => String::new(),
        1 => "1 statement".to_owned(),
        number => format!("{number} statements"),
    }
}
