//! Two positions as a picture: before and after, side by side, and how they differ.

use super::background::Background;
use super::comparison::{Sides, conditions_line, explained, kind_line, position_line};
use super::foot;
use super::statement::{reading, who_and_when, words};
use super::svg::{
    Face, GREY, HEADING, LABEL, MARGIN, Mark, NOTE, QUOTED, STRONG, Stroke, Svg, WIDTH,
};
use super::words::{self as say, Label as _, range};
use crate::rpc::proto::{ComparePositionsResponse, Comparison, Finding, Position};

/// How wide a side is; between the two there is room for an arrow.
const SIDE: i64 = (WIDTH - 2 * MARGIN - GAP) / 2;
/// See [`SIDE`].
const GAP: i64 = 56;
/// What is left free within a side.
const PADDING: i64 = 16;

/// The most lines of what was said.
const WORDS_LINES_MAX: usize = 12;

/// The kind of change.
const VERDICT: Face = Face { size: 17, ..STRONG };

/// Draws a comparison as a picture.
#[must_use]
pub fn comparison_svg(answer: &ComparePositionsResponse, sides: Sides<'_>) -> String {
    let mut svg = Svg::default();
    let (Some(from), Some(to)) = (&answer.from, &answer.to) else {
        return svg.finish(2 * MARGIN, "nothing is compared", "");
    };
    let name = sides.to.name(&to.actor);
    let proposition = sides.to.topic.as_ref().map(|it| it.proposition.as_str());
    let room = WIDTH - 2 * MARGIN;
    let lines = HEADING.wrap(proposition.unwrap_or(&to.topic), room, 4);
    let mut y = svg.lines((MARGIN, MARGIN + HEADING.size), HEADING, &lines);
    let face = Face { size: 15, ..NOTE };
    let lines = face.wrap(&format!("What is on record of {name}"), room, 3);
    y = svg.lines((MARGIN, y - 4), face, &lines) + 4;

    let left = (MARGIN, y);
    let right = (MARGIN + SIDE + GAP, y);
    let [title, other] = sides.titles;
    let ends = [
        side(&mut svg, left, title, from, sides.from),
        side(&mut svg, right, other, to, sides.to),
    ];
    let bottom = ends.into_iter().max().unwrap_or(y) + PADDING;
    for (x, _) in [left, right] {
        svg.frame((x, y), (SIDE, bottom - y));
    }
    arrow(&mut svg, MARGIN + SIDE + GAP / 2, y + 58);
    y = bottom + 34;
    if let Some(comparison) = &answer.comparison {
        y = verdict(&mut svg, y, comparison, [from, to], sides.to);
    }
    y = foot::on_svg(&mut svg, y + 12, answer.to_basis.as_ref(), false);
    let described = format!(
        "{title}: {}. {other}: {}. {}",
        position_line(from),
        position_line(to),
        answer
            .comparison
            .as_ref()
            .map(|it| kind_line(it, sides.to))
            .unwrap_or_default()
    );
    let title = format!("{name} on {}, before and after", to.topic);
    svg.finish(y + MARGIN, &title, &described)
}

/// One of the positions, from its corner down. Gives how far down it is drawn.
fn side(
    svg: &mut Svg,
    (x, y): (i64, i64),
    title: &str,
    position: &Position,
    background: &Background,
) -> i64 {
    let room = SIDE - 2 * PADDING;
    let x = x + PADDING;
    let lines = NOTE.wrap(title, room, 2);
    let mut y = svg.lines((x, y + PADDING + NOTE.size), NOTE, &lines) + 14;
    let mark = match position.finding() {
        Finding::Stated => Mark::of_stance(position.stance.as_ref()),
        Finding::Disputed => Mark::Disputed,
        Finding::Evaded => Mark::Evaded,
        _ => Mark::NoPosition,
    };
    if mark != Mark::NoPosition || position.finding() == Finding::Stated {
        svg.mark((x + 8, y - 6), 8, mark);
    }
    let stance = Face { size: 20, ..STRONG };
    let taken = match &position.stance {
        Some(taken) if taken.strength != 0 => {
            let (polarity, strength) = (taken.polarity().label(), taken.strength);
            format!("{polarity} {strength}, {}", say::strength(strength))
        }
        Some(taken) => taken.polarity().label().to_owned(),
        None => position.finding().label().to_owned(),
    };
    let lines = stance.wrap(&taken, room - 28, 3);
    y = svg.lines((x + 28, y), stance, &lines);
    if position.stance.is_none() {
        let lines = LABEL.wrap(say::finding(position.finding()), room, 3);
        y = svg.lines((x, y), LABEL, &lines);
    }
    let conditions = position.stance.iter().flat_map(|it| &it.conditions);
    for condition in conditions {
        let lines = LABEL.wrap(&say::condition(condition), room, 4);
        y = svg.lines((x, y), LABEL, &lines);
    }
    if let Some(since) = &position.since {
        let since = format!("since {}", range(since));
        y = svg.lines((x, y), NOTE, &NOTE.wrap(&since, room, 2));
    }
    let Some(said) = &position.deciding else {
        return y;
    };
    let who = format!("[{}] {}", said.index, who_and_when(said, background));
    y = svg.lines((x, y + 8), STRONG, &STRONG.wrap(&who, room, 4));
    if position.finding() == Finding::Disputed {
        y = svg.lines((x, y), LABEL, &LABEL.wrap(&reading(said), room, 4));
    }
    let statement = background.statements.get(&said.statement);
    if let Some(statement) = statement.and_then(|view| view.statement.as_ref()) {
        let (how, _) = say::wording(statement.wording());
        let lines = QUOTED.wrap(&words(statement), room, WORDS_LINES_MAX);
        y = svg.lines((x, y + 2), QUOTED, &lines);
        y = svg.lines((x, y), NOTE, &NOTE.wrap(how, room, 2));
    }
    y - NOTE.size
}

fn arrow(svg: &mut Svg, x: i64, y: i64) {
    let style = Stroke {
        width: 2,
        dashes: 0,
    };
    svg.line((x - 16, y), (x + 16, y), GREY, style);
    for dy in [-6, 6] {
        svg.line((x + 10, y + dy), (x + 16, y), GREY, style);
    }
}

fn verdict(
    svg: &mut Svg,
    y: i64,
    comparison: &Comparison,
    [from, to]: [&Position; 2],
    background: &Background,
) -> i64 {
    let room = WIDTH - 2 * MARGIN;
    let lines = VERDICT.wrap(&kind_line(comparison, background), room, 2);
    let mut y = svg.lines((MARGIN, y), VERDICT, &lines);
    let mut lines = vec![say::change(comparison.kind()).to_owned()];
    lines.extend(explained(comparison.kind(), [from, to]));
    lines.extend(conditions_line(comparison, [from, to]));
    lines.push(format!("direction {}", comparison.direction().label()));
    for line in lines {
        y = svg.lines((MARGIN, y), LABEL, &LABEL.wrap(&line, room, 3));
    }
    y
}
