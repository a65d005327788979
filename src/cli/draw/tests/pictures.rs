//! Pictures and tables: what they show, and that nothing on record can break them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use roxmltree::{Document, Node};

use super::*;
use crate::cli::draw::svg::{Face, LABEL, MARGIN, NOTE, QUOTED, STRONG, WIDTH};

fn step(said: Testimony, kind: ChangeKind) -> TimelineStep {
    let from = said.interval.as_ref().map(|it| it.latest.clone());
    let answered = said.engagement() == Engagement::Answered;
    TimelineStep {
        from: from.unwrap(),
        testimony: Some(said),
        comparison: answered.then(|| Comparison {
            kind: kind.into(),
            certain: true,
            ..Comparison::default()
        }),
    }
}

fn kremlin() -> GetTimelineResponse {
    GetTimelineResponse {
        steps: vec![
            step(putin_0807(), ChangeKind::FirstStated),
            step(ushakov_0818(), ChangeKind::Unspecified),
            step(putin_0903(), ChangeKind::ConditionsChanged),
        ],
        basis: Some(basis("2025-11-01")),
        truncated: false,
        next_page_token: String::new(),
    }
}

/// For, against, without a position and disputed.
fn presidency() -> GetTimelineResponse {
    let taken = |index, polarity: Polarity, strength, [date, next]: [&str; 2]| Testimony {
        stance: Some(Stance {
            polarity: polarity.into(),
            strength,
            conditions: Vec::new(),
        }),
        ..said(index, "zelenskyy", date, next)
    };
    let supports = taken(28, Polarity::Supports, 3, ["2025-08-09", "2025-08-10"]);
    let mut month = taken(29, Polarity::Opposes, 1, ["2025-08", ""]);
    month.interval = Some(day("2025-08-01", "2025-09-01"));
    let mut disputed = taken(30, Polarity::Mixed, 0, ["2025-09-02", "2025-09-03"]);
    disputed.rivals = vec![crate::rpc::proto::RivalReading::default()];
    let none = taken(31, Polarity::NoPosition, 0, ["2025-09-05", "2025-09-06"]);
    GetTimelineResponse {
        steps: vec![
            step(supports, ChangeKind::FirstStated),
            step(month, ChangeKind::Reversed),
            step(disputed, ChangeKind::NoLongerOnRecord),
            step(none, ChangeKind::FirstStated),
        ],
        basis: Some(basis("2025-11-01")),
        truncated: true,
        next_page_token: String::new(),
    }
}

fn picture(answers: [&GetTimelineResponse; 2], milestones: &[MilestoneDefined]) -> String {
    let [one, other] = answers;
    let lanes = [("kremlin", one), ("presidency", other)];
    let lanes = lanes.map(|(actor, answer)| Lane { actor, answer });
    timeline_svg("leaders-meeting", &lanes, milestones, &background())
}

fn texts<'a>(document: &'a Document<'_>) -> Vec<(Node<'a, 'a>, String)> {
    let texts = document.descendants().filter(|it| it.has_tag_name("text"));
    texts
        .map(|it| (it, it.text().unwrap_or_default().to_owned()))
        .collect()
}

fn number(node: Node<'_, '_>, name: &str) -> i64 {
    node.attribute(name).unwrap().parse().unwrap()
}

/// From where to where a text stands, as far as is known.
fn extent(node: Node<'_, '_>, text: &str) -> (i64, i64) {
    let face = Face {
        size: number(node, "font-size"),
        serif: node.attribute("font-family") == Some("serif"),
        bold: node.attribute("font-weight").is_some(),
        ink: "",
    };
    let (x, width) = (number(node, "x"), face.width(text));
    match node.attribute("text-anchor") {
        Some("middle") => (x - width / 2, x + width / 2),
        Some("end") => (x - width, x),
        _ => (x, x + width),
    }
}

#[test]
fn a_picture_holds_every_lane_every_milestone_and_what_was_said() {
    let svg = picture(
        [&kremlin(), &presidency()],
        background().milestone.as_slice(),
    );
    let document = Document::parse(&svg).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    for (name, id) in [("title", "title"), ("desc", "desc")] {
        let node = root.children().find(|it| it.has_tag_name(name)).unwrap();
        assert_eq!(node.attribute("id"), Some(id));
        assert!(node.text().unwrap().contains(if id == "title" {
            "leaders-meeting"
        } else {
            "Putin and Trump meet in Anchorage"
        }));
    }
    insta::assert_snapshot!(svg);
}

#[test]
fn a_picture_of_a_comparison_holds_both_sides_and_the_verdict() {
    let answer = ComparePositionsResponse {
        comparison: Some(Comparison {
            kind: ChangeKind::ConditionsChanged.into(),
            direction: Direction::None.into(),
            certain: true,
            placement: Placement::Since.into(),
            conditions_added: moscow().conditions,
            conditions_dropped: prepared().conditions,
            ..Comparison::default()
        }),
        from: Some(before()),
        from_basis: Some(basis("2025-08-14")),
        to: Some(after()),
        to_basis: Some(basis("2025-11-01")),
    };
    let background = background();
    let svg = comparison_svg(
        &answer,
        Sides {
            titles: ["before alaska-summit", "up to now"],
            from: &background,
            to: &background,
        },
    );
    Document::parse(&svg).unwrap();
    insta::assert_snapshot!(svg);
}

#[test]
fn a_table_has_a_row_a_step_with_the_columns_that_its_header_names() {
    let answer = kremlin();
    let lanes = [Lane {
        actor: "kremlin",
        answer: &answer,
    }];
    let csv = timeline_csv("leaders-meeting", &lanes, &background());
    assert_eq!(csv.matches("\r\n").count(), 1 + answer.steps.len());
    insta::assert_snapshot!(csv.replace("\r\n", "\n"));
}

#[test]
fn only_the_passage_itself_stands_in_quotation_marks() {
    let svg = picture([&kremlin(), &GetTimelineResponse::default()], &[]);
    let document = Document::parse(&svg).unwrap();
    let quoted: Vec<String> = texts(&document)
        .into_iter()
        .map(|(_, text)| text)
        .filter(|text| text.contains('“'))
        .collect();
    assert_eq!(quoted, ["“The level may be raised.”"]);
}

#[test]
fn labels_stay_within_the_picture_and_milestones_apart() {
    let mut answer = kremlin();
    for days in 1..=60 {
        let mut more = answer.steps[usize::from(days % 2 == 0)].clone();
        let day = jiff::civil::date(2025, 6, 1).saturating_add(jiff::Span::new().days(days));
        more.from = format!("{day}T00:00:00Z");
        answer.steps.insert(0, more);
    }
    answer.steps.sort_by(|one, other| one.from.cmp(&other.from));
    let milestone = |place: i64| MilestoneDefined {
        milestone_id: format!("m{place}"),
        title: format!("A conference of many, number {place}"),
        date: format!("2025-0{}-0{}", 5 + place / 3, 1 + 3 * (place % 3)),
        ..MilestoneDefined::default()
    };
    let milestones: Vec<_> = (0..12).map(milestone).collect();
    let svg = picture([&answer, &presidency()], &milestones);
    let document = Document::parse(&svg).unwrap();
    let mut rows: BTreeMap<i64, Vec<(i64, i64)>> = BTreeMap::new();
    let height = number(document.root_element(), "height");
    for (node, text) in texts(&document) {
        let (start, end) = extent(node, &text);
        assert!(start >= 0 && end <= WIDTH, "{text:?} from {start} to {end}");
        let y = number(node, "y");
        assert!(y > 0 && y < height, "{text:?} at {y}");
        if text.contains("A conference") {
            rows.entry(y).or_default().push((start, end));
        }
    }
    assert!(rows.len() > 1 && rows.values().map(Vec::len).sum::<usize>() >= 6);
    for row in rows.values_mut() {
        row.sort_unstable();
        assert!(row.windows(2).all(|two| two[0].1 < two[1].0), "{row:?}");
    }
}

#[test]
fn a_picture_of_nothing_and_of_the_far_past_is_drawn_all_the_same() {
    let nothing = GetTimelineResponse::default();
    Document::parse(&picture([&nothing, &nothing], &[])).unwrap();
    let mut long_ago = kremlin();
    long_ago.steps[0].from = "0001-01-01T00:00:00Z".to_owned();
    long_ago.steps[2].from = "9999-12-30T00:00:00Z".to_owned();
    let svg = picture([&long_ago, &nothing], &[]);
    Document::parse(&svg).unwrap();
    assert!(svg.contains("nothing definite on record"));
}

proptest! {
    #[test]
    fn whatever_was_said_is_text_and_nothing_else(said in any::<String>(), name in any::<String>()) {
        let mut background = background();
        for view in background.statements.values_mut() {
            view.statement.as_mut().unwrap().text.clone_from(&said);
        }
        for actor in background.actors.values_mut() {
            actor.names[0].name.clone_from(&name);
        }
        background.topic.as_mut().unwrap().proposition.clone_from(&said);
        background.milestone.as_mut().unwrap().title.clone_from(&said);
        let answer = kremlin();
        let lanes = [Lane { actor: "kremlin", answer: &answer }];
        let milestones = background.milestone.clone();
        let svg = timeline_svg("x", &lanes, milestones.as_slice(), &background);
        let document = Document::parse(&svg);
        prop_assert!(document.is_ok(), "{:?}", document);
        let known = ["svg", "title", "desc", "text", "line", "rect", "circle", "polygon"];
        for node in document.unwrap().descendants().filter(Node::is_element) {
            prop_assert!(known.contains(&node.tag_name().name()));
        }
    }

    #[test]
    fn lines_keep_every_word_and_their_width(text in "[a-zA-Z0-9 \u{4e00}-\u{4e10}]{0,200}", width in 60_i64..400) {
        for face in [QUOTED, LABEL, STRONG, NOTE] {
            let lines = face.wrap(&text, width, usize::MAX);
            for line in &lines {
                prop_assert!(face.width(line) <= width, "{:?}", line);
            }
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
            prop_assert!(face.wrap(&text, width, 2).len() <= 2 && MARGIN < width);
        }
    }
}
