//! The story that the example tells, asked of a daemon question by question.
//!
//! The prose asks; the daemon answers. Every figure, label, name and date that is shown as an
//! answer comes out of one, so that another record makes another story. What is fixed here are
//! the questions alone.

use super::asking::Asked;
use super::trust::{self, Signed};
use crate::cli::CliError;
use crate::cli::draw::{self, Canvas, Sheet, Sides, Tint};
use crate::cli::submit::Submitted;
use crate::record::Date;
use crate::record::proto::Statement;
use crate::record::proto::record::Kind;
use crate::record::proto::statement::Voice;
use crate::rpc::proto::{ComparePositionsRequest, TimelineStep};

const KREMLIN: &str = "kremlin";
const WHITE_HOUSE: &str = "white-house";
const UKRAINE: &str = "ukraine-presidency";
const EUROPE: &str = "european-capitals";
const MEETING: &str = "leaders-meeting";
const TERRITORY: &str = "territory";
const BROKER: &str = "broker-meeting";
const SUMMIT: &str = "alaska-summit";

/// What a correction does to a statement, and what a retraction does.
const CORRECTS: &str = "corrects";
const RETRACTS: &str = "retracts";

/// A day on which it is asked about the remark whose day is not known.
const EUROPE_AS_OF: &str = "2025-08-18";

/// Tells the story, chapter by chapter. `records` are the example's lines, and `others` those of
/// the verifiers who join later, with what became of them.
pub async fn tell(
    asked: &Asked,
    canvas: Canvas,
    records: &[Submitted],
    others: &[Signed],
    show: &mut dyn FnMut(String) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut show = |chapter: String| show(format!("\n{}\n", chapter.trim_end()));
    show(before_and_after(asked, canvas).await?)?;
    show(step_by_step(asked, canvas).await?)?;
    show(timeline(asked, canvas).await?)?;
    show(claim(asked, canvas).await?)?;
    show(two_topics(asked, canvas).await?)?;
    show(no_voice(asked, canvas).await?)?;
    for line in records {
        if let Some(chapter) = second_thoughts(asked, canvas, line).await? {
            show(chapter)?;
        }
    }
    trust::tell(asked, canvas, others, &mut show).await?;
    let mut sheet = Sheet::new(canvas);
    draw::caveat(&mut sheet);
    show(sheet.finish())
}

/// Begins a chapter.
pub fn chapter(canvas: Canvas, question: &str) -> Sheet {
    let mut sheet = Sheet::new(canvas);
    let rule = "━".repeat(usize::from(canvas.width));
    sheet.line(&canvas.paint(Tint::Faint, &rule));
    sheet.heading(question);
    sheet.line("");
    sheet
}

/// The position before the milestone and the one of today, side by side.
async fn before_and_after(asked: &Asked, canvas: Canvas) -> Result<String, CliError> {
    let mut sheet = chapter(canvas, "Before and after: did the position change?");
    let request = ComparePositionsRequest {
        actor: KREMLIN.to_owned(),
        topic: MEETING.to_owned(),
        milestone: SUMMIT.to_owned(),
        ..Default::default()
    };
    let Some(found) = asked.compare(&mut sheet, request).await? else {
        return Ok(sheet.finish());
    };
    draw::title(&mut sheet, KREMLIN, MEETING, &found.to_names);
    if let Some(milestone) = &found.to_names.milestone {
        let text = format!("{}: {}, {}", SUMMIT, milestone.title, milestone.date);
        sheet.paragraph(0, Tint::Plain, &text);
    }
    sheet.gap();
    draw::verdict(
        &mut sheet,
        &found.comparison,
        [&found.from, &found.to],
        &found.to_names,
    );
    sheet.gap();
    let before = format!("before {SUMMIT}");
    let sides = Sides {
        titles: [&before, "up to now"],
        from: &found.from_names,
        to: &found.to_names,
    };
    let bases = [found.from_basis.as_ref(), found.to_basis.as_ref()];
    draw::side_by_side(&mut sheet, [&found.from, &found.to], bases, sides);
    draw::basis(&mut sheet, found.to_basis.as_ref());
    Ok(sheet.finish())
}

/// The same comparison up to each day since the milestone on which something was said.
async fn step_by_step(asked: &Asked, canvas: Canvas) -> Result<String, CliError> {
    let mut sheet = chapter(
        canvas,
        "And day by day: from before the summit, to each remark since?",
    );
    let Some((steps, names, _)) = asked
        .timeline(&mut sheet, KREMLIN, MEETING, Some(SUMMIT))
        .await?
    else {
        return Ok(sheet.finish());
    };
    let milestone = names.milestone.as_ref();
    let summit = milestone.and_then(|it| it.date.parse::<Date>().ok());
    for day in days_since(&steps, summit.as_ref()) {
        let request = ComparePositionsRequest {
            actor: KREMLIN.to_owned(),
            topic: MEETING.to_owned(),
            milestone: SUMMIT.to_owned(),
            to_as_of: day.to_owned(),
            ..Default::default()
        };
        let Some(found) = asked.compare(&mut sheet, request).await? else {
            continue;
        };
        let kind = draw::kind_line(&found.comparison, &found.to_names);
        let tint = draw::kind_tint(found.comparison.kind());
        sheet.field(&format!("to {day}"), tint, &kind);
        let stances = format!(
            "{} to {}",
            draw::position_line(&found.from),
            draw::position_line(&found.to)
        );
        sheet.field("", Tint::Strong, &stances);
        if let Some(said) = &found.to.deciding {
            let text = draw::in_brief(said, &found.to_names);
            sheet.field("rests on", Tint::Plain, &text);
        }
        if let Some(said) = &found.to.latest_evasion {
            let text = format!(
                "{}, {}",
                draw::reading(said),
                draw::in_brief(said, &found.to_names)
            );
            sheet.field("latest evasion", Tint::Plain, &text);
        }
        draw::basis(&mut sheet, found.to_basis.as_ref());
        sheet.gap();
    }
    Ok(sheet.finish())
}

/// The days of the steps that lie after the milestone, each once, in order.
fn days_since<'a>(steps: &'a [TimelineStep], milestone: Option<&Date>) -> Vec<&'a str> {
    let mut days: Vec<&str> = Vec::new();
    for said in steps.iter().filter_map(|step| step.testimony.as_ref()) {
        let day: Option<Date> = said.said_at.parse().ok();
        let since = match (&day, milestone) {
            (Some(day), Some(milestone)) => day.interval().earliest >= milestone.interval().latest,
            _ => false,
        };
        if since && !days.contains(&said.said_at.as_str()) {
            days.push(&said.said_at);
        }
    }
    days
}

async fn timeline(asked: &Asked, canvas: Canvas) -> Result<String, CliError> {
    let mut sheet = chapter(canvas, "How did it come about?");
    let found = asked
        .timeline(&mut sheet, KREMLIN, MEETING, Some(SUMMIT))
        .await?;
    if let Some((steps, names, basis)) = found {
        draw::title(&mut sheet, KREMLIN, MEETING, &names);
        sheet.gap();
        draw::steps(&mut sheet, &steps, names.milestone.as_slice(), &names);
        sheet.gap();
        draw::basis(&mut sheet, basis.as_ref());
    }
    Ok(sheet.finish())
}

/// A claim, from the first time it was made to the last.
async fn claim(asked: &Asked, canvas: Canvas) -> Result<String, CliError> {
    let mut sheet = chapter(
        canvas,
        "Who says that the meeting is being arranged, and how firmly?",
    );
    let Some((steps, _, _)) = asked
        .timeline(&mut sheet, WHITE_HOUSE, BROKER, None)
        .await?
    else {
        return Ok(sheet.finish());
    };
    let said: Vec<&str> = steps
        .iter()
        .filter_map(|step| step.testimony.as_ref())
        .map(|said| said.said_at.as_str())
        .collect();
    let (Some(first), Some(last)) = (said.first(), said.last()) else {
        sheet.paragraph(2, Tint::Plain, "Nothing definite is on record.");
        return Ok(sheet.finish());
    };
    let request = ComparePositionsRequest {
        actor: WHITE_HOUSE.to_owned(),
        topic: BROKER.to_owned(),
        from_as_of: (*first).to_owned(),
        to_as_of: (*last).to_owned(),
        ..Default::default()
    };
    let Some(found) = asked.compare(&mut sheet, request).await? else {
        return Ok(sheet.finish());
    };
    draw::title(&mut sheet, WHITE_HOUSE, BROKER, &found.to_names);
    sheet.gap();
    draw::verdict(
        &mut sheet,
        &found.comparison,
        [&found.from, &found.to],
        &found.to_names,
    );
    sheet.gap();
    let titles = [format!("up to {first}"), format!("up to {last}")];
    let sides = Sides {
        titles: [&titles[0], &titles[1]],
        from: &found.from_names,
        to: &found.to_names,
    };
    let bases = [found.from_basis.as_ref(), found.to_basis.as_ref()];
    draw::side_by_side(&mut sheet, [&found.from, &found.to], bases, sides);
    draw::basis(&mut sheet, found.to_basis.as_ref());
    Ok(sheet.finish())
}

/// One actor's positions on two topics.
async fn two_topics(asked: &Asked, canvas: Canvas) -> Result<String, CliError> {
    let mut sheet = chapter(canvas, "And the other side: on meeting, and on territory?");
    for topic in [MEETING, TERRITORY] {
        position(asked, &mut sheet, UKRAINE, topic, "").await?;
    }
    Ok(sheet.finish())
}

/// An actor that nobody speaks for.
async fn no_voice(asked: &Asked, canvas: Canvas) -> Result<String, CliError> {
    let question = format!("What do capitals think that nobody speaks for, as of {EUROPE_AS_OF}?");
    let mut sheet = chapter(canvas, &question);
    position(asked, &mut sheet, EUROPE, TERRITORY, EUROPE_AS_OF).await?;
    Ok(sheet.finish())
}

async fn position(
    asked: &Asked,
    sheet: &mut Sheet,
    actor: &str,
    topic: &str,
    as_of: &str,
) -> Result<(), CliError> {
    if let Some((answer, names)) = asked.position(sheet, actor, topic, as_of).await? {
        draw::position_body(sheet, &answer, &names);
        sheet.gap();
        draw::basis(sheet, answer.basis.as_ref());
        sheet.gap();
    }
    Ok(())
}

/// What a correction or a retraction changes: today's answer, held against what was known just
/// before it.
async fn second_thoughts(
    asked: &Asked,
    canvas: Canvas,
    line: &Submitted,
) -> Result<Option<String>, CliError> {
    let kind = line.record.as_ref().and_then(|record| record.kind.as_ref());
    let (Some((index, _)), Some(kind)) = (line.on_record(), kind) else {
        return Ok(None);
    };
    let (what, statement, reason) = match kind {
        Kind::StatementCorrected(it) => (CORRECTS, &it.statement, &it.reason),
        Kind::StatementRetracted(it) => (RETRACTS, &it.statement, &it.reason),
        _ => return Ok(None),
    };
    let Some(view) = asked.statement(statement, index).await? else {
        return Ok(None);
    };
    let introduced = view.introduced.as_ref().map_or(0, |it| it.index);
    let question = format!("Entry {index} {what} entry {introduced}: what was known before it?");
    let mut sheet = chapter(canvas, &question);
    if !reason.is_empty() {
        sheet.field("reason given", Tint::Plain, reason);
        sheet.gap();
    }
    let said = view.statement.unwrap_or_default();
    // Words that are withdrawn may never have been the speaker's own.
    let with_speaker = what == RETRACTS;
    for pair in bearing_on(&said, with_speaker) {
        known_before(asked, &mut sheet, pair, [index, asked.size()]).await?;
    }
    Ok(Some(sheet.finish()))
}

/// What entry `index` changes of the positions that a statement bears on: each held against
/// what was known just before.
pub async fn held_against(
    asked: &Asked,
    sheet: &mut Sheet,
    statement: &str,
    index: u64,
) -> Result<(), CliError> {
    let Some(view) = asked.statement(statement, index).await? else {
        return Ok(());
    };
    let said = view.statement.unwrap_or_default();
    for pair in bearing_on(&said, false) {
        known_before(asked, sheet, pair, [index, index + 1]).await?;
    }
    Ok(())
}

/// The actors and topics whose positions a statement bears on, with when it was said: whom it
/// was said for, or else its speaker.
fn bearing_on(said: &Statement, with_speaker: bool) -> Vec<[&str; 3]> {
    let mut actors: Vec<&str> = said.said_for.iter().map(|it| it.actor.as_str()).collect();
    if let Some(Voice::Speaker(speaker)) = &said.voice
        && (with_speaker || actors.is_empty())
    {
        actors.push(speaker);
    }
    let mut topics: Vec<&str> = said.readings.iter().map(|it| it.topic.as_str()).collect();
    topics.dedup();
    let pairs = topics.into_iter().flat_map(|topic| {
        actors
            .iter()
            .map(move |actor| [*actor, topic, &said.said_at])
    });
    pairs.collect()
}

/// One position at one date, as known at two sizes of the ledger: before an entry, and later.
async fn known_before(
    asked: &Asked,
    sheet: &mut Sheet,
    [actor, topic, as_of]: [&str; 3],
    [index, later]: [u64; 2],
) -> Result<(), CliError> {
    let request = ComparePositionsRequest {
        actor: actor.to_owned(),
        topic: topic.to_owned(),
        from_as_of: as_of.to_owned(),
        to_as_of: as_of.to_owned(),
        from_known_at: Some(index),
        to_known_at: Some(later),
        ..Default::default()
    };
    let Some(found) = asked.compare(sheet, request).await? else {
        return Ok(());
    };
    let name = found.to_names.name(actor);
    sheet.heading(&format!("{name} on {topic}, as of {as_of}"));
    let kind = draw::kind_line(&found.comparison, &found.to_names);
    let after = if later == asked.size() {
        "known today".to_owned()
    } else {
        format!("known with entry {index}")
    };
    let text = format!("from what was known before to what is {after}: {kind}");
    sheet.paragraph(2, Tint::Plain, &text);
    let titles = [format!("known before entry {index}"), after];
    let sides = Sides {
        titles: [&titles[0], &titles[1]],
        from: &found.from_names,
        to: &found.to_names,
    };
    let bases = [found.from_basis.as_ref(), found.to_basis.as_ref()];
    draw::side_by_side(sheet, [&found.from, &found.to], bases, sides);
    draw::basis(sheet, found.to_basis.as_ref());
    sheet.gap();
    Ok(())
}
