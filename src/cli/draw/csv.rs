//! A timeline as CSV by RFC 4180: a header, one row a step, a milestone or an actor of whom
//! nothing is on record being no row.
//!
//! Columns stay as they are from release to release; later ones are added at the end. A text that
//! a spreadsheet would take for a formula has an apostrophe before it.

use data_encoding::HEXLOWER;

use super::background::Background;
use super::lanes::Lane;
use super::words::{Label as _, conditions};
use crate::rpc::proto::{Comparison, Stance, TimelineStep};

const COLUMNS: [&str; 33] = [
    "actor",
    "topic",
    "from",
    "statement",
    "index",
    "version_index",
    "reading_index",
    "place",
    "speaker",
    "holder",
    "said_for",
    "authority",
    "said_at",
    "repeated_until",
    "earliest",
    "latest",
    "basis",
    "engagement",
    "polarity",
    "strength",
    "conditions",
    "disputed",
    "change",
    "also",
    "direction",
    "certain",
    "attestations",
    "coders",
    "wording",
    "text",
    "known_at",
    "as_of",
    "root",
];

/// Draws the steps of actors on a topic as a table for spreadsheets.
#[must_use]
pub fn timeline_csv(topic: &str, lanes: &[Lane<'_>], background: &Background) -> String {
    let mut csv = String::new();
    row(&mut csv, &COLUMNS.map(str::to_owned));
    for lane in lanes {
        for step in &lane.answer.steps {
            row(&mut csv, &cells(topic, lane, step, background));
        }
    }
    csv
}

fn cells(
    topic: &str,
    lane: &Lane<'_>,
    step: &TimelineStep,
    background: &Background,
) -> [String; 33] {
    let said = step.testimony.clone().unwrap_or_default();
    let change = step.comparison.as_ref();
    let interval = said.interval.clone().unwrap_or_default();
    let stance = said.stance.as_ref();
    let basis = lane.answer.basis.clone().unwrap_or_default();
    let statement = background.statements.get(&said.statement);
    let statement = statement.and_then(|view| view.statement.as_ref());
    let kinds = |it: &Comparison| {
        it.also()
            .map(|kind| kind.label())
            .collect::<Vec<_>>()
            .join(" ")
    };
    [
        lane.actor.to_owned(),
        topic.to_owned(),
        step.from.clone(),
        said.statement.clone(),
        said.index.to_string(),
        said.version_index.to_string(),
        said.reading_index.to_string(),
        said.place.to_string(),
        said.speaker.clone(),
        said.holder.clone(),
        said.said_for.join(" "),
        said.authority().label().to_owned(),
        said.said_at.clone(),
        said.repeated_until.clone(),
        interval.earliest,
        interval.latest,
        said.basis().label().to_owned(),
        said.engagement().label().to_owned(),
        stance.map_or("", |it| it.polarity().label()).to_owned(),
        stance.map_or(0, |it| it.strength).to_string(),
        stance.map_or_else(String::new, in_words),
        (!said.rivals.is_empty()).to_string(),
        change.map_or("", |it| it.kind().label()).to_owned(),
        change.map_or_else(String::new, kinds),
        change.map_or("", |it| it.direction().label()).to_owned(),
        change.map_or_else(String::new, |it| it.certain.to_string()),
        said.attestations.to_string(),
        said.coders.to_string(),
        statement.map_or("", |it| it.wording().label()).to_owned(),
        statement.map_or_else(String::new, |it| it.text.clone()),
        basis.known_at.to_string(),
        basis.as_of,
        HEXLOWER.encode(&basis.root),
    ]
}

/// The conditions of a stance as a set of their names; nothing for none.
fn in_words(stance: &Stance) -> String {
    match &stance.conditions[..] {
        [] => String::new(),
        some => conditions(some),
    }
}

fn row(csv: &mut String, cells: &[String]) {
    for (place, cell) in cells.iter().enumerate() {
        if place > 0 {
            csv.push(',');
        }
        csv.push_str(&field(cell));
    }
    csv.push_str("\r\n");
}

/// A cell, in quotation marks where it needs them.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula {
        format!("'{text}")
    } else {
        text.to_owned()
    };
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_holds_whatever_was_said() {
        for (text, expected) in [
            ("plain", "plain"),
            ("a, b", "\"a, b\""),
            ("he said \"no\"", "\"he said \"\"no\"\"\""),
            ("one\r\ntwo", "\"one\r\ntwo\""),
            ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
            ("-1, so", "\"'-1, so\""),
        ] {
            assert_eq!(field(text), expected);
        }
    }
}
