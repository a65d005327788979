//! A timeline, drawn downwards: what was said when, and what that changed.

use std::collections::VecDeque;

use super::background::Background;
use super::canvas::{Canvas, Sheet, Tint};
use super::comparison::kind_tint;
use super::foot;
use super::position::title;
use super::statement::{reading, who_and_when, words};
use super::words::{Label as _, coders_disagree, range, seconds, tint};
use crate::record::Date;
use crate::record::proto::{Engagement, MilestoneDefined};
use crate::rpc::proto::{
    ChangeKind, Comparison, GetTimelineResponse, Stance, Testimony, TimelineStep,
};

/// Draws a timeline.
#[must_use]
pub fn timeline(
    canvas: Canvas,
    answer: &GetTimelineResponse,
    actor: &str,
    topic: &str,
    milestones: &[MilestoneDefined],
    background: &Background,
) -> String {
    let mut sheet = Sheet::new(canvas);
    title(&mut sheet, actor, topic, background);
    sheet.gap();
    if answer.truncated {
        sheet.paragraph(0, Tint::Between, "Older steps were left out.");
    }
    if answer.steps.is_empty() {
        let nothing = "Nothing definite is on record, which does not mean that nothing was said.";
        sheet.paragraph(0, Tint::Plain, nothing);
    }
    steps(&mut sheet, &answer.steps, milestones, background);
    sheet.gap();
    foot::basis(&mut sheet, answer.basis.as_ref());
    foot::caveat(&mut sheet);
    sheet.finish()
}

/// Draws the steps, and milestones in their places among them.
pub fn steps(
    sheet: &mut Sheet,
    steps: &[TimelineStep],
    milestones: &[MilestoneDefined],
    background: &Background,
) {
    let mut rail = Rail::new(steps, milestones);
    for (step, explained) in explained(steps) {
        let Some(said) = &step.testimony else {
            continue;
        };
        while let Some(milestone) = rail.milestone_before(said) {
            rail.milestone(sheet, milestone);
        }
        rail.step(sheet, (step, &explained), said, background);
    }
    while let Some(milestone) = rail.milestones.pop_front() {
        rail.milestone(sheet, milestone);
    }
}

/// Each step, with why its change goes from or to what is not stated, where coders disagree.
pub fn explained(steps: &[TimelineStep]) -> impl Iterator<Item = (&TimelineStep, Vec<String>)> {
    let mut disputed = false;
    steps.iter().map(move |step| {
        let kind = step.comparison.as_ref().map(Comparison::kind);
        let Some(said) = &step.testimony else {
            return (step, Vec::new());
        };
        if kind.unwrap_or_default() == ChangeKind::Unspecified {
            return (step, Vec::new());
        }
        let later = !said.rivals.is_empty();
        let earlier = std::mem::replace(&mut disputed, later);
        let ends = [(earlier, "earlier"), (later, "later")].into_iter();
        let disputed = ends.filter(|(disputed, _)| *disputed);
        let lines = disputed.map(|(_, which)| coders_disagree(which));
        (step, lines.collect())
    })
}

/// When a milestone begins.
#[must_use]
pub fn begins(milestone: &MilestoneDefined) -> Option<i64> {
    let date: Date = milestone.date.parse().ok()?;
    Some(date.interval().earliest)
}

/// The line that the steps hang on.
struct Rail<'a> {
    /// The width of the dates at its left.
    dates: usize,
    /// The milestones that are not drawn yet, in order.
    milestones: VecDeque<&'a MilestoneDefined>,
}

impl<'a> Rail<'a> {
    fn new(steps: &[TimelineStep], milestones: &'a [MilestoneDefined]) -> Self {
        let dates = steps.iter().filter_map(|step| step.testimony.as_ref());
        let dates = dates.map(|said| date(said).chars().count());
        let own = milestones.iter().map(|it| it.date.chars().count());
        let mut milestones: Vec<&MilestoneDefined> = milestones.iter().collect();
        milestones.sort_by_key(|it| begins(it));
        Self {
            dates: dates.chain(own).max().unwrap_or(0),
            milestones: milestones.into(),
        }
    }

    /// The first milestone that is not drawn yet, if it lies before `said`.
    fn milestone_before(&mut self, said: &Testimony) -> Option<&'a MilestoneDefined> {
        let begins = begins(self.milestones.front()?)?;
        let said = seconds(&said.interval.as_ref()?.earliest)?;
        if begins <= said {
            self.milestones.pop_front()
        } else {
            None
        }
    }

    fn milestone(&self, sheet: &mut Sheet, milestone: &MilestoneDefined) {
        let canvas = sheet.canvas();
        let date = format!("{:>1$}", milestone.date, self.dates);
        let lead = format!("{}──┼── ", canvas.paint(Tint::Strong, &date));
        let text = format!("{}: {}", milestone.milestone_id, milestone.title);
        sheet.hanging(&lead, self.dates + 6, Tint::Strong, &text);
        self.gap(sheet);
    }

    fn step(
        &self,
        sheet: &mut Sheet,
        (step, explained): (&TimelineStep, &[String]),
        said: &Testimony,
        background: &Background,
    ) {
        let canvas = sheet.canvas();
        let kind = step.comparison.as_ref().map(Comparison::kind);
        let polarity = said.stance.as_ref().map(Stance::polarity);
        let (mark, reads) = match said.engagement() {
            Engagement::Answered => ("●", tint(polarity.unwrap_or_default())),
            _ => ("○", Tint::Faint),
        };
        let reading = canvas.paint(reads, &reading(said));
        let change = match kind {
            None | Some(ChangeKind::Unspecified) => String::new(),
            Some(kind) => canvas.paint(kind_tint(kind), kind.label()),
        };
        let date = format!("{:>1$}", date(said), self.dates);
        let mark = canvas.paint(reads, mark);
        sheet.line(&format!("{date}  {mark}  {reading}   {change}"));
        for line in explained {
            self.text(sheet, Tint::Between, line);
        }
        let index = format!("[{}] {}", said.index, who_and_when(said, background));
        self.text(sheet, Tint::Plain, &index);
        let statement = background.statements.get(&said.statement);
        if let Some(statement) = statement.and_then(|view| view.statement.as_ref()) {
            self.text(sheet, Tint::Faint, &words(statement));
        }
        self.gap(sheet);
    }

    fn text(&self, sheet: &mut Sheet, tint: Tint, text: &str) {
        let canvas = sheet.canvas();
        let room = usize::from(canvas.width).saturating_sub(self.dates + 6);
        for line in canvas.wrap(text, room) {
            let line = canvas.paint(tint, &line);
            sheet.line(&format!("{:1$}  │  {line}", "", self.dates));
        }
    }

    fn gap(&self, sheet: &mut Sheet) {
        sheet.line(&format!("{:1$}  │", "", self.dates));
    }
}

/// When it was said, as recorded, or in what interval.
pub fn date(said: &Testimony) -> String {
    if said.said_at.is_empty() {
        said.interval.as_ref().map(range).unwrap_or_default()
    } else {
        said.said_at.clone()
    }
}
