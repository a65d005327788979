//! Timelines as a picture: a lane an actor, in which the position stands higher the more it is
//! for the proposition; milestones across all lanes; and beneath, what was said.

use super::background::Background;
use super::foot;
use super::lanes::Lane;
use super::statement::{reading, who_and_when, words};
use super::svg::{
    Anchor, FAINT, Face, GREY, HEADING, INK, LABEL, MARGIN, Mark, NOTE, QUOTED, STRONG, Stroke,
    Svg, WIDTH,
};
use super::timeline::{begins, date};
use super::words::{Label as _, seconds};
use crate::record::proto::MilestoneDefined;
use crate::rpc::proto::{ChangeKind, Comparison, Stance, Testimony, TimelineStep};

/// From where to where time runs.
const LEFT: i64 = 128;
/// See [`LEFT`].
const RIGHT: i64 = WIDTH - MARGIN;

/// How high a lane is, and where in it a position that is neither for nor against stands.
const LANE: i64 = 124;
/// See [`LANE`].
const MIDDLE: i64 = 68;

/// How far apart two strengths stand: three of them, and the marks, fit a lane.
const STRENGTH: i64 = 13;

/// Half the size of a mark.
const MARK: i64 = 6;

/// The most statements that are told beneath.
const TOLD_MAX: usize = 24;

/// The most lines of what was said.
const WORDS_LINES_MAX: usize = 4;

/// The most ticks on the axis.
const TICKS_MAX: i64 = 8;

/// The most rows of milestones' labels above the lanes.
const MILESTONE_ROWS_MAX: usize = 6;

/// The time in which something may have been said.
const MAYBE: Stroke = Stroke {
    width: 4,
    dashes: 2,
};

/// What quotation marks mean.
const QUOTING: &str = "In quotation marks: the passage itself. Without: paraphrased or \
    retranslated for this archive, not the speaker's words.";

const DAY: i64 = 86_400;

/// Draws timelines as a picture.
#[must_use]
pub fn timeline_svg(
    topic: &str,
    lanes: &[Lane<'_>],
    milestones: &[MilestoneDefined],
    background: &Background,
) -> String {
    let names: Vec<&str> = lanes.iter().map(|it| background.name(it.actor)).collect();
    let mut picture = Picture {
        svg: Svg::default(),
        y: MARGIN,
        span: Span::of(lanes, milestones),
        told: told(lanes),
    };
    let proposition = background.topic.as_ref().map(|it| it.proposition.as_str());
    picture.title(proposition.unwrap_or(topic), &names);
    picture.legend(lanes);
    picture.milestones(milestones, lanes.len());
    for (place, lane) in lanes.iter().enumerate() {
        picture.lane(place, lane, background.name(lane.actor));
    }
    picture.axis();
    picture.notes(lanes, background);
    picture.foot(lanes);
    let description = described(lanes, milestones, background);
    let title = format!("{} on {topic}", names.join(", "));
    picture.svg.finish(picture.y + MARGIN, &title, &description)
}

/// Which steps are told beneath, by lane and place, in the order of their numbers: all of them,
/// or if they are many, those that change something.
fn told(lanes: &[Lane<'_>]) -> Vec<(usize, usize)> {
    let all = || {
        lanes.iter().enumerate().flat_map(|(lane, it)| {
            let steps = it.answer.steps.iter().enumerate();
            steps.map(move |(place, step)| (lane, place, step))
        })
    };
    let changes = |step: &TimelineStep| {
        let kind = step.comparison.as_ref().map(Comparison::kind);
        kind.is_some_and(|kind| !matches!(kind, ChangeKind::Unchanged | ChangeKind::NotRestated))
    };
    let few = all().count() <= TOLD_MAX;
    let mut told: Vec<_> = all().filter(|(.., step)| few || changes(step)).collect();
    told.sort_by_key(|(lane, place, step)| (seconds(&step.from), *lane, *place));
    told.truncate(TOLD_MAX);
    told.into_iter()
        .map(|(lane, place, _)| (lane, place))
        .collect()
}

/// What those are told who have the picture read to them.
fn described(
    lanes: &[Lane<'_>],
    milestones: &[MilestoneDefined],
    background: &Background,
) -> String {
    let mut sentences = Vec::new();
    for lane in lanes {
        let steps = lane
            .answer
            .steps
            .iter()
            .filter_map(|it| it.testimony.as_ref());
        let steps = steps.map(|said| format!("{} {}", date(said), reading(said)));
        let steps: Vec<String> = steps.take(TOLD_MAX).collect();
        let steps = match &steps[..] {
            [] => "nothing definite on record".to_owned(),
            some => some.join("; "),
        };
        sentences.push(format!("{}: {steps}.", background.name(lane.actor)));
    }
    for it in milestones {
        sentences.push(format!("{}: {}.", it.date, it.title));
    }
    sentences.join(" ")
}

/// The time that a picture shows.
struct Span {
    from: i64,
    to: i64,
}

impl Span {
    /// All that happened, and some room at both ends. What holds after it, holds on.
    fn of(lanes: &[Lane<'_>], milestones: &[MilestoneDefined]) -> Self {
        let steps = lanes.iter().flat_map(|lane| &lane.answer.steps);
        let steps = steps.filter_map(|step| seconds(&step.from));
        let happened: Vec<i64> = steps.chain(milestones.iter().filter_map(begins)).collect();
        let (first, last) = match (happened.iter().min(), happened.iter().max()) {
            (Some(first), Some(last)) => (*first, *last),
            _ => (0, DAY),
        };
        let room = ((last - first) / 16).max(DAY);
        Self {
            from: first - room,
            to: last + room,
        }
    }

    fn x(&self, at: i64) -> i64 {
        let at = at.clamp(self.from, self.to);
        LEFT + (at - self.from) * (RIGHT - LEFT) / (self.to - self.from).max(1)
    }

    /// Where the axis is marked, and how: by days, months or years, as many as fit.
    fn ticks(&self) -> Vec<(i64, String)> {
        let days = (self.to - self.from) / DAY;
        let day = |at: i64| {
            jiff::Timestamp::from_second(at).map(|it| it.to_zoned(jiff::tz::TimeZone::UTC).date())
        };
        let (Ok(first), Ok(last)) = (day(self.from), day(self.to)) else {
            return Vec::new();
        };
        let span = |days: i64, months: i64| {
            jiff::Span::new()
                .try_days(days)
                .and_then(|it| it.try_months(months))
        };
        let by_days = [1, 2, 3, 7, 14]
            .into_iter()
            .find(|step| days / step <= TICKS_MAX);
        let by_months = [1, 2, 3, 6]
            .into_iter()
            .find(|step| days / (30 * step) <= TICKS_MAX);
        let (step, start, format) = match (by_days, by_months) {
            (Some(step), _) => (span(step, 0), Ok(first), "%-d %b %Y"),
            (None, Some(step)) => (span(0, step), Ok(first.first_of_month()), "%b %Y"),
            (None, None) => {
                let years = (days / 365 / TICKS_MAX).max(0) + 1;
                (
                    span(0, 12 * years),
                    Ok::<_, jiff::Error>(first.first_of_year()),
                    "%Y",
                )
            }
        };
        let (Ok(step), Ok(mut at)) = (step, start) else {
            return Vec::new();
        };
        let mut ticks = Vec::new();
        while at <= last {
            let second = at
                .to_zoned(jiff::tz::TimeZone::UTC)
                .map(|it| it.timestamp().as_second());
            if let Ok(second) = second
                && second >= self.from
            {
                ticks.push((self.x(second), at.strftime(format).to_string()));
            }
            let Ok(next) = at.checked_add(step) else {
                break;
            };
            at = next;
        }
        ticks
    }
}

/// How high a stance stands above the middle: by its side, and how strongly it is taken; where
/// that was not coded, as if it was stated.
fn level(stance: Option<&Stance>) -> i64 {
    let strength = match stance.map_or(0, |it| it.strength) {
        0 => 2,
        strength => i64::from(strength.min(3)),
    };
    match Mark::of_stance(stance) {
        Mark::Supports => strength * STRENGTH,
        Mark::Opposes => -strength * STRENGTH,
        _ => 0,
    }
}

struct Picture {
    svg: Svg,
    /// How far down it is drawn.
    y: i64,
    span: Span,
    told: Vec<(usize, usize)>,
}

impl Picture {
    fn title(&mut self, proposition: &str, names: &[&str]) {
        let lines = HEADING.wrap(proposition, WIDTH - 2 * MARGIN, 4);
        self.y += HEADING.size;
        self.y = self.svg.lines((MARGIN, self.y), HEADING, &lines);
        let face = Face { size: 15, ..NOTE };
        let who = format!("What is on record of {}", listed(names));
        let lines = face.wrap(&who, WIDTH - 2 * MARGIN, 3);
        self.y = self.svg.lines((MARGIN, self.y - 4), face, &lines) + 10;
    }

    /// The marks that are used.
    fn legend(&mut self, lanes: &[Lane<'_>]) {
        let steps = lanes.iter().flat_map(|lane| &lane.answer.steps);
        let marks = steps
            .filter_map(|step| step.testimony.as_ref())
            .map(Mark::of);
        let marks: std::collections::BTreeSet<Mark> = marks.collect();
        let mut x = MARGIN + MARK;
        for mark in Mark::ALL.into_iter().filter(|mark| marks.contains(mark)) {
            self.svg.mark((x, self.y - 4), MARK, mark);
            let place = (x + 2 * MARK, self.y);
            self.svg.text(place, LABEL, Anchor::Start, mark.label());
            x += 4 * MARK + LABEL.width(mark.label()) + 12;
        }
        if !marks.is_empty() {
            self.svg
                .line((x, self.y - 4), (x + 3 * MARK, self.y - 4), GREY, MAYBE);
            let place = (x + 4 * MARK, self.y);
            self.svg
                .text(place, LABEL, Anchor::Start, "may have been said then");
        }
        self.y += 22;
    }

    /// A line across all lanes for each, with a label above that meets no other.
    fn milestones(&mut self, milestones: &[MilestoneDefined], lanes: usize) {
        let mut placed: Vec<(i64, &MilestoneDefined)> = milestones
            .iter()
            .filter_map(|it| Some((self.span.x(begins(it)?), it)))
            .collect();
        placed.sort_by_key(|(x, it)| (*x, &it.milestone_id));
        let mut ends: Vec<i64> = Vec::new();
        let mut labels = Vec::new();
        for (x, it) in placed {
            let label = format!("{}: {}", it.date, it.title);
            let label = NOTE.wrap(&label, 480, 1).concat();
            let width = NOTE.width(&label);
            // One that would leave the picture stands to the left of its line.
            let (anchor, start) = if x + 4 + width > RIGHT {
                (Anchor::End, x - 4 - width)
            } else {
                (Anchor::Start, x + 4)
            };
            let free = ends.iter().position(|end| *end + 8 < start.min(x));
            let row = free.unwrap_or(ends.len());
            if row >= MILESTONE_ROWS_MAX {
                labels.push((x, row, None));
                continue;
            }
            if row == ends.len() {
                ends.push(0);
            }
            if let Some(end) = ends.get_mut(row) {
                *end = start + width;
            }
            labels.push((x, row, Some((anchor, label))));
        }
        let rows = i64::try_from(ends.len()).unwrap_or(0);
        let top = self.y;
        self.y += rows * NOTE.line() + if rows > 0 { 8 } else { 0 };
        let bottom = self.y + i64::try_from(lanes).unwrap_or(0) * (LANE + STRONG.line());
        for (x, row, label) in labels {
            let row = i64::try_from(row).unwrap_or(0).min(rows);
            let y = top + row * NOTE.line() + NOTE.size;
            let style = Stroke {
                width: 1,
                dashes: 4,
            };
            self.svg
                .line((x, y - NOTE.size + 2), (x, bottom), GREY, style);
            if let Some((anchor, label)) = label {
                let aside = if anchor == Anchor::End { -4 } else { 4 };
                self.svg.text((x + aside, y), NOTE, anchor, &label);
            }
        }
    }

    fn lane(&mut self, number: usize, lane: &Lane<'_>, name: &str) {
        let top = self.y + STRONG.line();
        let middle = top + MIDDLE;
        let name = STRONG.wrap(name, WIDTH - 2 * MARGIN, 1).concat();
        self.svg
            .text((MARGIN, top - 4), STRONG, Anchor::Start, &name);
        for (text, level) in [("for", 2), ("open", 0), ("against", -2)] {
            let y = middle - level * STRENGTH;
            self.svg.text((LEFT - 10, y + 4), NOTE, Anchor::End, text);
            self.svg.line((LEFT, y), (RIGHT, y), FAINT, Stroke::THIN);
        }
        if lane.answer.steps.is_empty() {
            let nothing = "nothing definite on record";
            self.svg
                .text((LEFT + 8, middle - 6), NOTE, Anchor::Start, nothing);
        }
        self.course(lane, middle);
        self.marks(lane, middle);
        self.numbers(number, lane, top + 14, middle);
        self.y = top + LANE;
    }

    /// Where the position stood, from each statement that decided to the next.
    fn course(&mut self, lane: &Lane<'_>, middle: i64) {
        let mut at: Option<(i64, i64, bool)> = None;
        let style = |sure: bool| Stroke {
            width: 2,
            dashes: if sure { 0 } else { 5 },
        };
        let decide = lane
            .answer
            .steps
            .iter()
            .filter(|step| step.comparison.is_some());
        for (step, said) in decide.filter_map(|step| Some((step, step.testimony.as_ref()?))) {
            let x = self.span.x(seconds(&step.from).unwrap_or(self.span.to));
            let y = middle - level(said.stance.as_ref());
            if let Some((since, before, sure)) = at {
                self.svg
                    .line((since, before), (x, before), INK, style(sure));
                self.svg.line((x, before), (x, y), INK, style(true));
            }
            at = match Mark::of(said) {
                Mark::NoPosition => None,
                Mark::Disputed => Some((x, middle, false)),
                _ => Some((x, y, true)),
            };
        }
        if let Some((since, y, sure)) = at {
            self.svg.line((since, y), (RIGHT, y), INK, style(sure));
        }
    }

    /// What was said, each when it was certainly said, with the time in which it may have been.
    fn marks(&mut self, lane: &Lane<'_>, middle: i64) {
        for step in &lane.answer.steps {
            let Some(said) = &step.testimony else {
                continue;
            };
            let x = self.x(step);
            let y = middle - place(said);
            let earliest = said
                .interval
                .as_ref()
                .map(|it| seconds(&it.earliest).unwrap_or(i64::MIN));
            let earliest = self.span.x(earliest.unwrap_or(i64::MAX));
            if earliest + 2 * MARK < x && earliest < RIGHT {
                self.svg
                    .line((earliest, y), (x, y), Mark::of(said).ink(), MAYBE);
            }
            self.svg.mark((x, y), MARK, Mark::of(said));
        }
    }

    fn x(&self, step: &TimelineStep) -> i64 {
        self.span.x(seconds(&step.from).unwrap_or(self.span.to))
    }

    /// The numbers by which what was said is told beneath; those that would meet are one label.
    fn numbers(&mut self, number: usize, lane: &Lane<'_>, y: i64, middle: i64) {
        let mut labels: Vec<(i64, i64, Vec<usize>)> = Vec::new();
        let told = self.told.iter().enumerate();
        for (count, (_, place)) in told.filter(|(_, (lane, _))| *lane == number) {
            let Some(step) = lane.answer.steps.get(*place) else {
                continue;
            };
            let x = self.x(step);
            let said = step.testimony.as_ref();
            let mark = said.map_or(middle, |said| middle - self::place(said));
            match labels.last_mut() {
                Some((at, _, counts)) if x < *at + STRONG.width(&runs(counts)) + 6 => {
                    counts.push(count + 1);
                }
                _ => labels.push((x, mark, vec![count + 1])),
            }
        }
        for (x, mark, counts) in labels {
            if mark - MARK > y + 6 {
                self.svg
                    .line((x, y + 3), (x, mark - MARK - 1), FAINT, Stroke::THIN);
            }
            let label = runs(&counts);
            let x = x - STRONG.width("0") / 2;
            self.svg.blank(
                (x - 1, y - STRONG.size),
                (STRONG.width(&label), STRONG.size + 3),
            );
            self.svg.text((x, y), STRONG, Anchor::Start, &label);
        }
    }

    fn axis(&mut self) {
        let y = self.y + 6;
        self.svg.line((LEFT, y), (RIGHT, y), INK, Stroke::THIN);
        let mut free = 0;
        for (x, label) in self.span.ticks() {
            self.svg.line((x, y), (x, y + 5), INK, Stroke::THIN);
            let half = NOTE.width(&label) / 2;
            if x - half >= free && x + half <= WIDTH - 4 {
                self.svg.text((x, y + 20), NOTE, Anchor::Middle, &label);
                free = x + half + 8;
            }
        }
        self.y = y + 52;
    }

    /// What was said, by number.
    fn notes(&mut self, lanes: &[Lane<'_>], background: &Background) {
        let told = std::mem::take(&mut self.told);
        for (count, (lane, place)) in told.iter().enumerate() {
            let lane = lanes.get(*lane);
            let step = lane.and_then(|lane| lane.answer.steps.get(*place));
            if let Some((step, said)) = step.and_then(|step| Some((step, step.testimony.as_ref()?)))
            {
                self.note(count + 1, step, said, background);
            }
        }
        let all: usize = lanes.iter().map(|it| it.answer.steps.len()).sum();
        if told.len() < all {
            let more = format!(
                "{} of {all} statements are told; the others are marked above.",
                told.len()
            );
            self.svg
                .text((MARGIN + 44, self.y), NOTE, Anchor::Start, &more);
            self.y += NOTE.line() + 6;
        }
    }

    fn note(
        &mut self,
        count: usize,
        step: &TimelineStep,
        said: &Testimony,
        background: &Background,
    ) {
        const INDENT: i64 = MARGIN + 44;
        let room = WIDTH - MARGIN - INDENT;
        let number = count.to_string();
        self.svg
            .text((MARGIN + 16, self.y), STRONG, Anchor::End, &number);
        self.svg
            .mark((MARGIN + 30, self.y - 4), MARK - 1, Mark::of(said));
        let change = match step.comparison.as_ref().map(Comparison::kind) {
            None | Some(ChangeKind::Unspecified) => String::new(),
            Some(kind) => format!(" ({})", kind.label()),
        };
        let reads = format!("{}: {}{change}", date(said), reading(said));
        let lines = STRONG.wrap(&reads, room, 3);
        self.y = self.svg.lines((INDENT, self.y), STRONG, &lines);
        let who = format!("[{}] {}", said.index, who_and_when(said, background));
        let lines = LABEL.wrap(&who, room, 3);
        self.y = self.svg.lines((INDENT, self.y), LABEL, &lines);
        let statement = background.statements.get(&said.statement);
        if let Some(statement) = statement.and_then(|view| view.statement.as_ref()) {
            let lines = QUOTED.wrap(&words(statement), room, WORDS_LINES_MAX);
            self.y = self.svg.lines((INDENT, self.y + 2), QUOTED, &lines);
        }
        self.y += 8;
    }

    fn foot(&mut self, lanes: &[Lane<'_>]) {
        let basis = lanes.first().and_then(|lane| lane.answer.basis.as_ref());
        let older = lanes.iter().any(|lane| lane.answer.truncated);
        let quoting = NOTE.wrap(QUOTING, WIDTH - 2 * MARGIN, 2);
        self.y = self.svg.lines((MARGIN, self.y), NOTE, &quoting) - 4;
        self.y = foot::on_svg(&mut self.svg, self.y, basis, older);
    }
}

/// How high what was said stands above the middle.
fn place(said: &Testimony) -> i64 {
    match Mark::of(said) {
        Mark::Disputed | Mark::Evaded => 0,
        _ => level(said.stance.as_ref()),
    }
}

/// Numbers in order, where they follow each other from the first to the last: `1–3, 5`.
fn runs(counts: &[usize]) -> String {
    let runs = counts.chunk_by(|one, next| one + 1 == *next);
    let runs = runs.map(|run| match run {
        [first, .., last] => format!("{first}–{last}"),
        [single] => single.to_string(),
        [] => String::new(),
    });
    runs.collect::<Vec<_>>().join(", ")
}

/// Names in one sentence.
fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [name] => (*name).to_owned(),
        [names @ .., last] => format!("{} and {last}", names.join(", ")),
    }
}
