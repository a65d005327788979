//! Overviews: many positions, changes and statements at a glance. Actors go by their slugs, and
//! statements by the index at which they are found whole.

use super::background::Background;
use super::canvas::{Canvas, Sheet, Tint, cell};
use super::comparison::{explained, kind_line, kind_tint, position_line};
use super::foot;
use super::position::warnings;
use super::statement::{in_short, reading, who_and_when};
use super::words::{Label as _, counted, range, tint};
use crate::rpc::proto::{
    Alpha, ComparedPositions, Divergence, GetAgreementResponse, ListCoverageResponse, Position,
    Reference, Reversal, Stance, Testimony,
};

/// Draws testimonies on the position of `actor`.
pub fn testimonies(sheet: &mut Sheet, testimonies: &[Testimony], actor: &str) {
    let background = Background::of(actor);
    let mut table = sheet.canvas().listed();
    table.set_header(["index", "reading", "who and when", "said by then"].map(strong));
    for said in testimonies {
        let certainty = if said.definite {
            "definite"
        } else {
            "possible"
        };
        table.add_row([
            strong(&said.index.to_string()),
            cell(stance_tint(said.stance.as_ref()), &reading(said)),
            plain(&who_and_when(said, &background)),
            plain(certainty),
        ]);
    }
    sheet.table(&table);
}

/// Draws positions, one in a row.
pub fn positions(sheet: &mut Sheet, positions: &[Position]) {
    let mut table = sheet.canvas().listed();
    table.set_header(["actor", "topic", "position", "since", "rests on", "beware"].map(strong));
    for it in positions {
        let warnings: Vec<&str> = warnings(it).collect();
        let since = it.since.as_ref().map(range).unwrap_or_default();
        let rests = it.deciding.as_ref().map(|said| format!("[{}]", said.index));
        table.add_row([
            strong(&it.actor),
            plain(&it.topic),
            cell(stance_tint(it.stance.as_ref()), &position_line(it)),
            plain(&since),
            plain(&rests.unwrap_or_default()),
            cell(Tint::Between, &warnings.join("; ")),
        ]);
    }
    sheet.table(&table);
}

/// Draws how positions differ.
pub fn changes(sheet: &mut Sheet, comparisons: &[ComparedPositions]) {
    for it in comparisons {
        let (Some(comparison), Some(from), Some(to)) = (&it.comparison, &it.from, &it.to) else {
            continue;
        };
        heading(sheet, &to.actor, &to.topic);
        let kind = kind_line(comparison, &Background::default());
        sheet.field("change", kind_tint(comparison.kind()), &kind);
        for line in explained(comparison.kind(), [from, to]) {
            sheet.field("", Tint::Between, &line);
        }
        for (label, end) in [("from", from), ("to", to)] {
            let rests = end.deciding.as_ref().map(|said| short(said, &to.actor));
            let line = rests.unwrap_or_else(|| position_line(end));
            sheet.field(label, Tint::Plain, &line);
        }
        let indexes: Vec<String> = it.entries.iter().map(|it| format!("[{it}]")).collect();
        let more = it.entry_count.saturating_sub(it.entries.len() as u64);
        if !indexes.is_empty() {
            let more = match more {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let text = format!("{}{more}", indexes.join(" "));
            sheet.field("recorded since", Tint::Plain, &text);
        }
    }
}

/// Draws changes of side.
pub fn reversals(sheet: &mut Sheet, reversals: &[Reversal]) {
    for it in reversals {
        heading(sheet, &it.actor, &it.topic);
        if let Some(comparison) = &it.comparison {
            let kind = kind_line(comparison, &Background::default());
            sheet.field(
                &format!("by {}", day(&it.from)),
                kind_tint(comparison.kind()),
                &kind,
            );
        }
        let by_way = (it.between > 0).then_some(("left", &it.left));
        let steps = [("held", &it.held)].into_iter().chain(by_way);
        for (label, said) in steps.chain([("took", &it.took)]) {
            let text = said.as_ref().map(|said| short(said, &it.actor));
            let text = text.unwrap_or_default();
            sheet.field(label, Tint::Plain, &text);
        }
        if it.between > 1 {
            let text = format!("{} decided in between", counted(it.between, "statement"));
            sheet.field("", Tint::Faint, &text);
        }
    }
}

/// Draws voices that disagree.
pub fn divergences(sheet: &mut Sheet, divergences: &[Divergence]) {
    for it in divergences {
        heading(sheet, &it.actor, &it.topic);
        sheet.field("diverge by", Tint::Between, &day(&it.since));
        for said in it.voices.iter().filter_map(|voice| voice.deciding.as_ref()) {
            sheet.field("", Tint::Plain, &short(said, &it.actor));
        }
        let more = it.voice_count.saturating_sub(it.voices.len() as u64);
        if more > 0 {
            sheet.field(
                "",
                Tint::Faint,
                &format!("and {} more", counted(more, "voice")),
            );
        }
    }
}

/// Draws statements about others.
pub fn references(sheet: &mut Sheet, references: &[Reference]) {
    for it in references {
        heading(sheet, &it.actor, &it.topic);
        let referring = it.referring.as_ref().map(|said| short(said, &it.actor));
        sheet.field("statement", Tint::Plain, &referring.unwrap_or_default());
        let referred = match &it.referred {
            Some(said) => short(said, &it.actor),
            None => format!("[{}] {}", it.referred_index, it.referred_statement),
        };
        sheet.field(&it.kind().label().to_lowercase(), Tint::Plain, &referred);
    }
}

/// Draws which sources were read.
pub fn coverage(sheet: &mut Sheet, answer: &ListCoverageResponse) {
    let mut table = sheet.canvas().listed();
    table.set_header(["published", "read", "source"].map(strong));
    for it in &answer.sources {
        let read = match it.read_index {
            Some(index) => format!("{} (at [{index}])", it.reading().label()),
            None => it.reading().label().to_owned(),
        };
        let about = [&it.title, &it.publisher, &it.source].into_iter();
        let about: Vec<&str> = about
            .filter(|it| !it.is_empty())
            .map(String::as_str)
            .collect();
        table.add_row([
            plain(&it.published_at),
            strong(&read),
            plain(&about.join("\n")),
        ]);
    }
    sheet.table(&table);
    let text = format!(
        "{} read for the topic, {} whole",
        counted(answer.read, "source"),
        answer.read_whole
    );
    sheet.paragraph(0, Tint::Plain, &text);
}

/// Draws how far coders agree.
#[must_use]
pub fn agreement(canvas: Canvas, topic: &str, answer: &GetAgreementResponse) -> String {
    let mut sheet = Sheet::new(canvas);
    sheet.heading(&format!("coders on {topic}"));
    let text = format!(
        "{} that two coders or more read, {}, {}",
        counted(answer.units, "statement"),
        counted(answer.coders, "coder"),
        counted(answer.readings, "reading")
    );
    sheet.field("rests on", Tint::Plain, &text);
    for (label, alpha) in [
        ("polarity", &answer.polarity),
        ("strength", &answer.strength),
    ] {
        if let Some(alpha) = alpha {
            sheet.field(label, Tint::Strong, &self::alpha(alpha));
        }
    }
    sheet.gap();
    foot::basis(&mut sheet, answer.basis.as_ref());
    sheet.paragraph(
        0,
        Tint::Faint,
        "Krippendorff's alpha: 1 where coders always agree, 0 where as often as by chance.",
    );
    sheet.finish()
}

fn alpha(it: &Alpha) -> String {
    let counts = format!("of {} ratings of {} units", it.ratings, it.units);
    match it.alpha {
        Some(alpha) => format!("alpha {alpha:.3}, {counts}"),
        None => format!("alpha is not defined, {counts}"),
    }
}

fn heading(sheet: &mut Sheet, actor: &str, topic: &str) {
    sheet.gap();
    sheet.heading(&format!("{actor} on {topic}"));
}

fn short(said: &Testimony, actor: &str) -> String {
    in_short(said, &Background::of(actor))
}

fn stance_tint(stance: Option<&Stance>) -> Tint {
    stance.map_or(Tint::Strong, |stance| tint(stance.polarity()))
}

/// The day of a time.
fn day(time: &str) -> String {
    time.split_once('T').map_or(time, |(day, _)| day).to_owned()
}

fn strong(text: &str) -> comfy_table::Cell {
    cell(Tint::Strong, text)
}

fn plain(text: &str) -> comfy_table::Cell {
    cell(Tint::Plain, text)
}
