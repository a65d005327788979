//! Two positions side by side, and how the later differs from the earlier.

use comfy_table::{ColumnConstraint, Width};

use super::background::Background;
use super::canvas::{Canvas, Sheet, Tint, cell};
use super::foot;
use super::position::{title, warnings};
use super::statement::{conditions_of, in_short, reading, readings, testimony_in_cell};
use super::words::{self, Label as _, range, stance, tint};
use crate::rpc::proto::{
    Basis, ChangeKind, ComparePositionsResponse, Comparison, Finding, Placement, Position,
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
    for line in explained(kind, [from, to]) {
        sheet.paragraph(2, Tint::Between, &line);
    }
    let stances = format!("{} to {}", position_line(from), position_line(to));
    sheet.paragraph(2, Tint::Strong, &stances);
    if let Some(text) = conditions_line(comparison, [from, to]) {
        sheet.paragraph(2, Tint::Strong, &text);
    }
    if !comparison.also.is_empty() {
        let also: Vec<&str> = comparison.also().map(|kind| kind.label()).collect();
        sheet.paragraph(2, Tint::Plain, &format!("also {}", also.join(", ")));
    }
    let direction = format!("direction {}", comparison.direction().label());
    sheet.paragraph(2, Tint::Plain, &direction);
}

/// From which conditions to which, if they differ.
#[must_use]
pub fn conditions_line(comparison: &Comparison, [from, to]: [&Position; 2]) -> Option<String> {
    let same = comparison.conditions_added.is_empty() && comparison.conditions_dropped.is_empty();
    let text = || {
        format!(
            "conditions {} to {}",
            conditions_of(from.stance.as_ref()),
            conditions_of(to.stance.as_ref())
        )
    };
    (!same).then(text)
}

/// The kind, whether it is certain, and where the later statement stands.
#[must_use]
pub fn kind_line(comparison: &Comparison, background: &Background) -> String {
    let certain = if comparison.certain {
        "certain"
    } else {
        "not certain"
    };
    let kind = comparison.kind().label();
    if comparison.placement() == Placement::Unspecified {
        return format!("{kind}, {certain}");
    }
    let milestone = background.milestone.as_ref();
    let milestone = milestone.map_or("the milestone", |found| found.milestone_id.as_str());
    format!(
        "{kind}, {certain}; the later statement: {} {milestone}",
        comparison.placement().label()
    )
}

/// Why an end that is not stated is not, where that is no want of statements: the kinds that
/// such an end makes say nothing of it.
pub fn explained(kind: ChangeKind, ends: [&Position; 2]) -> impl Iterator<Item = String> {
    use ChangeKind::{FirstStated, NoLongerOnRecord, NoRecord};
    let bears = matches!(kind, FirstStated | NoLongerOnRecord | NoRecord);
    let ends = ["earlier", "later"].into_iter().zip(ends);
    let unstated = ends.filter(move |(_, end)| bears && end.stance.is_none());
    unstated.flat_map(|(which, end)| {
        let disputed = end.finding() == Finding::Disputed;
        let disputed = disputed.then(|| words::coders_disagree(which));
        let taken = words::taken_away(&end.filtered_by);
        let taken = taken
            .map(|taken| format!("taken away from the {which} position by the terms: {taken}"));
        disputed.into_iter().chain(taken)
    })
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
    [from_basis, to_basis]: [Option<&Basis>; 2],
    sides: Sides<'_>,
) {
    let mut table = sheet.canvas().framed();
    let [left, right] = sides.titles;
    table.set_header([
        cell(Tint::Plain, ""),
        cell(Tint::Strong, left),
        cell(Tint::Strong, right),
    ]);
    let left = column(from, from_basis, sides.from);
    let right = column(to, to_basis, sides.to);
    for ((label, left), right) in LABELS.into_iter().zip(left).zip(right) {
        if left.is_empty() && right.is_empty() {
            continue;
        }
        let tints = [from, to].map(|position| row_tint(label, position));
        table.add_row([
            cell(Tint::Faint, label),
            cell(tints[0], &left),
            cell(tints[1], &right),
        ]);
    }
    // Both sides get the same room, whatever stands in them.
    let room = sheet.canvas().width.saturating_sub(LABEL_WIDTH + 6) / 2;
    table.set_constraints(
        [LABEL_WIDTH + 2, room, room].map(|width| ColumnConstraint::Absolute(Width::Fixed(width))),
    );
    sheet.table(&table);
}

/// What the rows of a table of positions are about.
const LABELS: [&str; 14] = [
    "as of",
    "known at",
    "finding",
    "position",
    "conditions",
    "since",
    "last affirmed",
    "rests on",
    "latest evasion",
    "before that",
    "reported",
    "possible",
    "taken away",
    "beware",
];

/// What a position has to say to each of the labels.
fn column(position: &Position, basis: Option<&Basis>, known: &Background) -> [String; 14] {
    let deciding = position.deciding.as_ref();
    let evasion = position.latest_evasion.as_ref();
    let evasion = evasion.map(|it| format!("{}: {}", reading(it), testimony_in_cell(it, known)));
    let previous = position.previous.as_ref();
    let warnings: Vec<&str> = warnings(position).collect();
    [
        basis.map(|it| it.as_of.clone()),
        basis.map(|it| it.known_at.to_string()),
        Some(position.finding().label().to_owned()),
        Some(taken(position)),
        Some(condition_lines(position)),
        position.since.as_ref().map(range),
        position.last_affirmed.as_ref().map(range),
        deciding.map(|it| testimony_in_cell(it, known)),
        evasion,
        previous.map(|it| in_short(it, known)),
        Some(count(position.reported_count)),
        Some(count(position.possible_count)),
        words::taken_away(&position.filtered_by),
        Some(warnings.join("; ")),
    ]
    .map(Option::unwrap_or_default)
}

/// The stance; where coders disagree, each of their readings.
fn taken(position: &Position) -> String {
    match (&position.stance, &position.deciding) {
        (Some(stance), _) => words::stance_in_full(stance),
        (None, Some(disputed)) => readings(disputed).join("\nor "),
        (None, None) => String::new(),
    }
}

fn row_tint(label: &str, position: &Position) -> Tint {
    match (label, &position.stance) {
        ("position", Some(stance)) => tint(stance.polarity()),
        ("beware", _) => Tint::Between,
        _ => Tint::Plain,
    }
}

fn condition_lines(position: &Position) -> String {
    let conditions = position.stance.iter().flat_map(|it| &it.conditions);
    let lines: Vec<String> = conditions.map(words::condition).collect();
    lines.join("\n")
}

fn count(number: u64) -> String {
    match number {
        0 => String::new(),
        number => words::counted(number, "statement"),
    }
}
