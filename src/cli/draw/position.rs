//! A position: how far the record answers, the stance, and every statement it rests on.

use super::background::Background;
use super::canvas::{Canvas, Sheet, Tint};
use super::foot;
use super::statement::{in_short, reading, readings, testimony};
use super::words::{self, Label as _, range, strength, tint};
use crate::record::proto::TopicKind;
use crate::rpc::proto::{Finding, GetPositionResponse, Position, Testimony};

/// The most statements of one sort that are listed for people.
pub const LISTED_MAX: usize = 8;

/// Draws a position.
#[must_use]
pub fn position(canvas: Canvas, answer: &GetPositionResponse, background: &Background) -> String {
    let mut sheet = Sheet::new(canvas);
    position_body(&mut sheet, answer, background);
    sheet.gap();
    foot::basis(&mut sheet, answer.basis.as_ref());
    foot::caveat(&mut sheet);
    sheet.finish()
}

/// Draws a position without what stands at the foot of an answer.
pub fn position_body(sheet: &mut Sheet, answer: &GetPositionResponse, background: &Background) {
    let Some(position) = &answer.position else {
        return;
    };
    title(sheet, &position.actor, &position.topic, background);
    sheet.gap();
    stance(sheet, position, background);
    rests_on(sheet, position, background);
    beside(sheet, position, background);
}

/// Draws who is asked about what.
pub fn title(sheet: &mut Sheet, actor: &str, topic: &str, background: &Background) {
    sheet.heading(&format!("{} on {topic}", background.name(actor)));
    if let Some(topic) = &background.topic {
        sheet.paragraph(0, Tint::Plain, &topic.proposition);
        if topic.kind() == TopicKind::Claim {
            let note =
                "A claim about what is the case: SUPPORTS means asserts, OPPOSES means denies.";
            sheet.paragraph(0, Tint::Faint, note);
        }
    }
}

fn stance(sheet: &mut Sheet, position: &Position, background: &Background) {
    let finding = position.finding();
    match &position.stance {
        Some(stance) => {
            let tint = tint(stance.polarity());
            sheet.field(finding.label(), tint, &words::stance_in_full(stance));
            for condition in &stance.conditions {
                sheet.field("", Tint::Plain, &words::condition(condition));
            }
            if stance.strength != 0 {
                let meaning = strength(stance.strength);
                let text = format!("{}, {meaning}", stance.strength);
                sheet.field("strength", Tint::Plain, &text);
            }
        }
        None => sheet.field(finding.label(), Tint::Strong, words::finding(finding)),
    }
    if finding == Finding::Disputed {
        disputed(sheet, position);
    }
    if finding == Finding::NoRecord {
        sheet.field("looked at", Tint::Plain, &coverage(position));
    }
    if let Some(since) = &position.since {
        sheet.field("since", Tint::Plain, &range(since));
    }
    if let Some(affirmed) = &position.last_affirmed {
        sheet.field("last affirmed", Tint::Plain, &range(affirmed));
    }
    if let Some(previous) = &position.previous {
        let text = in_short(previous, background);
        sheet.field("before that", Tint::Plain, &text);
    }
    for warning in warnings(position) {
        sheet.field("beware", Tint::Between, warning);
    }
    if position.asked.len() > 1 {
        let names: Vec<&str> = position.asked.iter().map(|a| background.name(a)).collect();
        let text = names.join(", ") + &and_more(position.asked_count, names.len());
        sheet.field("asked", Tint::Plain, &text);
    }
    if !position.speaks_for.is_empty() {
        let text = format!(
            "speaks or spoke for {}{}: ask there for what is said in office",
            position.speaks_for.join(", "),
            and_more(position.speaks_for_count, position.speaks_for.len())
        );
        sheet.field("see also", Tint::Plain, &text);
    }
    sheet.field("readings", Tint::Plain, &counts(position));
}

/// How many there are beyond those that are named; nothing if there are none.
fn and_more(total: u64, named: usize) -> String {
    match total.saturating_sub(named as u64) {
        0 => String::new(),
        more => format!(", and {more} more"),
    }
}

/// Draws the readings that coders disagree about.
fn disputed(sheet: &mut Sheet, position: &Position) {
    let Some(deciding) = &position.deciding else {
        return;
    };
    let readings = readings(deciding);
    let indexes = std::iter::once(deciding.reading_index);
    let indexes = indexes.chain(deciding.rivals.iter().map(|it| it.reading_index));
    for (reading, index) in readings.iter().zip(indexes) {
        let text = format!(
            "{reading}, by {} (since [{index}])",
            coders(deciding.coders)
        );
        sheet.field("", Tint::Plain, &text);
    }
    let rivals = u64::from(deciding.rival_count);
    let more = rivals.saturating_sub(deciding.rivals.len() as u64);
    if more != 0 {
        sheet.field("", Tint::Faint, &format!("and {more} readings more"));
    }
}

fn coders(number: u32) -> String {
    match number {
        1 => "one coder".to_owned(),
        number => format!("{number} coders each"),
    }
}

/// How far somebody looked where nothing is on record.
fn coverage(position: &Position) -> String {
    match position.sources_read {
        0 => "no source is on record as read for this topic".to_owned(),
        read => format!(
            "{} read for this topic, {} whole",
            words::counted(read, "source"),
            position.sources_read_whole
        ),
    }
}

/// What makes a position less than plain.
pub fn warnings(position: &Position) -> impl Iterator<Item = &'static str> {
    [
        (position.diverge, "the voices diverge"),
        (
            position.order_uncertain,
            "which of several statements is the newest is uncertain, and they differ",
        ),
        (
            position.contradicts_higher_authority,
            "a voice of higher authority last said otherwise",
        ),
    ]
    .into_iter()
    .filter_map(|(holds, text)| holds.then_some(text))
}

fn counts(position: &Position) -> String {
    let mut parts = vec![format!("{} considered", position.considered)];
    let counted = [
        (
            position.possible_count,
            "possible (their date may lie on either side)",
        ),
        (position.reported_count, "only reported"),
        (
            position.same_utterances,
            "not heard (the same utterance as one that is)",
        ),
    ];
    let counted = counted.into_iter().filter(|(count, _)| *count != 0);
    parts.extend(counted.map(|(count, what)| format!("{count} {what}")));
    for filtered in &position.filtered_by {
        let part = words::filter_part(filtered.part());
        parts.push(format!("{} taken away by {part}", filtered.statements));
    }
    if let Some(newest) = &position.newest {
        parts.push(format!("the newest of {}", range(newest)));
    }
    parts.join(", ")
}

/// Draws the statements that an answer rests on.
fn rests_on(sheet: &mut Sheet, position: &Position, background: &Background) {
    if let Some(deciding) = &position.deciding {
        sheet.gap();
        sheet.heading("rests on");
        testimony(sheet, 2, deciding, background);
    }
    let others: Vec<&Testimony> = position
        .front
        .iter()
        .filter(|other| Some(*other) != position.deciding.as_ref())
        .collect();
    if !others.is_empty() {
        sheet.gap();
        sheet.heading("any of these may be newer");
        list(
            sheet,
            others.into_iter(),
            more(&position.front, position.front_count),
            background,
        );
    }
    if let Some(evasion) = &position.latest_evasion {
        sheet.gap();
        sheet.heading(&format!("latest evasion: {}", reading(evasion)));
        testimony(sheet, 2, evasion, background);
    }
}

/// Draws what stands beside a position.
fn beside(sheet: &mut Sheet, position: &Position, background: &Background) {
    if position.voices.len() > 1 {
        sheet.gap();
        sheet.heading("each voice by itself");
        for voice in &position.voices {
            if let Some(deciding) = &voice.deciding {
                let text = in_short(deciding, background);
                sheet.paragraph(2, Tint::Plain, &text);
            }
        }
        let more = more(&position.voices, position.voice_count);
        if more != 0 {
            sheet.paragraph(2, Tint::Faint, &format!("and {more} voices more"));
        }
    }
    reported(sheet, position, background);
    let possible = position.possible.iter();
    let possible: Vec<&Testimony> = possible
        .filter(|said| !position.reported.contains(said))
        .collect();
    if !possible.is_empty() {
        sheet.gap();
        sheet.heading("possible: said by then, or after");
        list(
            sheet,
            possible.into_iter(),
            more(&position.possible, position.possible_count),
            background,
        );
    }
}

/// Draws what is reported beside a position.
pub fn reported(sheet: &mut Sheet, position: &Position, background: &Background) {
    if position.reported.is_empty() {
        return;
    }
    sheet.gap();
    sheet.heading(match position.finding() {
        Finding::NoVoice => "reported of it",
        _ => "reported, not its own word",
    });
    let more = more(&position.reported, position.reported_count);
    list(sheet, position.reported.iter(), more, background);
}

/// How many of a list the answer leaves out.
fn more<T>(list: &[T], total: u64) -> u64 {
    total.saturating_sub(list.len() as u64)
}

/// Draws statements, of which the answer leaves `more` out.
fn list<'a>(
    sheet: &mut Sheet,
    statements: impl ExactSizeIterator<Item = &'a Testimony>,
    more: u64,
    background: &Background,
) {
    let more = more + statements.len().saturating_sub(LISTED_MAX) as u64;
    for said in statements.take(LISTED_MAX) {
        let certainty = if said.definite {
            "definite"
        } else {
            "possible"
        };
        let text = format!("{} ({certainty})", reading(said));
        sheet.paragraph(2, Tint::Strong, &text);
        testimony(sheet, 4, said, background);
    }
    if more != 0 {
        let text = format!("and {more} more, which `onrecord testimonies` lists");
        sheet.paragraph(2, Tint::Faint, &text);
    }
}
