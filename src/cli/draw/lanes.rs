//! Several actors' timelines on one topic, against each other.

use comfy_table::{ColumnConstraint, Width};

use super::background::Background;
use super::canvas::{Canvas, Sheet, Tint, cell};
use super::comparison::kind_tint;
use super::foot;
use super::statement::{reading, who_and_when, words};
use super::timeline::{begins, date, explained};
use super::words::{Label as _, seconds, tint};
use crate::record::proto::{Engagement, MilestoneDefined};
use crate::rpc::proto::{Comparison, GetTimelineResponse, Stance, Testimony, TimelineStep};

/// One actor's timeline.
#[derive(Clone, Copy, Debug)]
pub struct Lane<'a> {
    /// The actor's slug.
    pub actor: &'a str,
    /// How their position came about.
    pub answer: &'a GetTimelineResponse,
}

/// What happened, in the order of time.
enum Happened<'a> {
    Milestone(&'a MilestoneDefined),
    /// In which lane, and why its change is what it is, where coders disagree.
    Step(usize, &'a TimelineStep, Vec<String>, &'a Testimony),
}

/// Draws timelines side by side, a column each, downwards in time.
#[must_use]
pub fn timelines(
    canvas: Canvas,
    lanes: &[Lane<'_>],
    topic: &str,
    milestones: &[MilestoneDefined],
    background: &Background,
) -> String {
    let mut sheet = Sheet::new(canvas);
    let names: Vec<&str> = lanes.iter().map(|it| background.name(it.actor)).collect();
    sheet.heading(&format!("{} on {topic}", names.join(", ")));
    if let Some(topic) = &background.topic {
        sheet.paragraph(0, Tint::Plain, &topic.proposition);
    }
    sheet.gap();
    if lanes.iter().any(|lane| lane.answer.truncated) {
        sheet.paragraph(0, Tint::Between, "Older steps were left out.");
    }
    let mut table = canvas.framed();
    let header = std::iter::once("").chain(names.iter().copied());
    table.set_header(header.map(|name| cell(Tint::Strong, name)));
    let mut dates = 0;
    for happened in in_order(lanes, milestones) {
        let (when, tint, mut cells) = match happened {
            Happened::Milestone(it) => {
                let title = format!("{}: {}", it.milestone_id, it.title);
                let cells = vec![cell(Tint::Strong, &title); lanes.len().min(1)];
                (it.date.clone(), Tint::Strong, cells)
            }
            Happened::Step(lane, step, explained, said) => {
                let mut cells = vec![cell(Tint::Plain, ""); lane];
                cells.push(step_cell(step, explained, said, background));
                (date(said), Tint::Plain, cells)
            }
        };
        cells.resize(lanes.len(), cell(Tint::Plain, ""));
        cells.insert(0, cell(tint, &when));
        dates = dates.max(when.chars().count());
        table.add_row(cells);
    }
    let dates = u16::try_from(dates.min(24)).unwrap_or(24).max(10) + 2;
    let count = u16::try_from(lanes.len()).unwrap_or(1).max(1);
    let room = canvas.width.saturating_sub(dates + count + 2) / count;
    let widths = std::iter::once(dates).chain(lanes.iter().map(|_| room));
    table.set_constraints(widths.map(|it| ColumnConstraint::Absolute(Width::Fixed(it))));
    sheet.table(&table);
    sheet.gap();
    foot::basis(
        &mut sheet,
        lanes.first().and_then(|it| it.answer.basis.as_ref()),
    );
    foot::caveat(&mut sheet);
    sheet.finish()
}

/// What was said and what it changed, for a cell of its actor's column.
fn step_cell(
    step: &TimelineStep,
    explained: Vec<String>,
    said: &Testimony,
    background: &Background,
) -> comfy_table::Cell {
    let change = step.comparison.as_ref().map(Comparison::kind);
    let mut lines = vec![reading(said)];
    lines.extend(change.map(|kind| kind.label().to_owned()));
    lines.extend(explained);
    lines.push(format!(
        "[{}] {}",
        said.index,
        who_and_when(said, background)
    ));
    let statement = background.statements.get(&said.statement);
    let statement = statement.and_then(|view| view.statement.as_ref());
    lines.extend(statement.map(words));
    let polarity = said.stance.as_ref().map(Stance::polarity);
    let tint = match (said.engagement(), change) {
        (Engagement::Answered, Some(kind)) if polarity.is_none() => kind_tint(kind),
        (Engagement::Answered, _) => tint(polarity.unwrap_or_default()),
        _ => Tint::Faint,
    };
    cell(tint, &lines.join("\n"))
}

/// Steps by when they were said, milestones before what was said on their day.
fn in_order<'a>(lanes: &[Lane<'a>], milestones: &'a [MilestoneDefined]) -> Vec<Happened<'a>> {
    let mut happened = Vec::new();
    for milestone in milestones {
        happened.push(((begins(milestone), 0), Happened::Milestone(milestone)));
    }
    for (lane, it) in lanes.iter().enumerate() {
        for (step, explained) in explained(&it.answer.steps) {
            if let Some(said) = &step.testimony {
                let from = seconds(&step.from).unwrap_or(i64::MAX);
                let earliest = said.interval.as_ref().and_then(|it| seconds(&it.earliest));
                // By when it holds, less the day that most are said on.
                let at =
                    earliest.map_or(from, |earliest| earliest.max(from.saturating_sub(86_400)));
                happened.push(((Some(at), 1), Happened::Step(lane, step, explained, said)));
            }
        }
    }
    happened.sort_by_key(|(at, _)| *at);
    happened.into_iter().map(|(_, it)| it).collect()
}
