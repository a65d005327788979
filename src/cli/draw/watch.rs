//! A change of a position, as it comes: what brought it, and from what to what.

use super::background::Background;
use super::canvas::{Canvas, Sheet, Tint};
use super::comparison::{explained, kind_line, kind_tint, position_line};
use super::statement::who_and_when;
use super::words::{Label as _, stance, time};
use crate::rpc::proto::{Position, PositionBrief, WatchPositionsResponse};

/// Draws a change. It comes with slugs alone: nothing is looked up while others wait.
#[must_use]
pub fn change(canvas: Canvas, change: &WatchPositionsResponse) -> String {
    let mut sheet = Sheet::new(canvas);
    let Some(position) = &change.position else {
        return sheet.finish();
    };
    let index = format!("[{}] ", change.index);
    let lead = canvas.paint(Tint::Strong, &index);
    let heading = format!("{} on {}", position.actor, position.topic);
    sheet.hanging(&lead, index.len(), Tint::Strong, &heading);
    let nobody = Background {
        asked: position.asked.iter().cloned().collect(),
        ..Background::of(&position.actor)
    };
    if let Some(comparison) = &change.comparison {
        let kind = kind_line(comparison, &nobody);
        sheet.paragraph(index.len(), kind_tint(comparison.kind()), &kind);
        let before = change.before.as_ref().map(whole).unwrap_or_default();
        for line in explained(comparison.kind(), [&before, position]) {
            sheet.paragraph(index.len(), Tint::Between, &line);
        }
    }
    let before = change.before.as_ref().map(brief).unwrap_or_default();
    let stances = format!("{before} to {}", position_line(position));
    sheet.paragraph(index.len(), Tint::Plain, &stances);
    if let Some(said) = &position.deciding {
        let decides = format!("[{}] {}", said.index, who_and_when(said, &nobody));
        sheet.paragraph(index.len(), Tint::Plain, &decides);
    }
    let brought = format!("by {}, {}", change.record_kind, time(change.recorded_at));
    sheet.paragraph(index.len(), Tint::Faint, &brought);
    sheet.finish()
}

/// As much of a position as is told of the one before.
fn whole(brief: &PositionBrief) -> Position {
    Position {
        finding: brief.finding,
        stance: brief.stance.clone(),
        deciding: brief.deciding.clone(),
        ..Position::default()
    }
}

/// A position in brief: its stance, or how far the record answers.
fn brief(position: &PositionBrief) -> String {
    match &position.stance {
        Some(taken) => stance(taken),
        None => position.finding().label().to_owned(),
    }
}
