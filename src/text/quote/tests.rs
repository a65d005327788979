use super::*;
use proptest::prelude::*;

const TEXT: &str = "Question: Will they meet?\nDmitry Peskov: The President has always been \
    open to a meeting.\nThe President has never refused.\nВстреча «возможна».";

fn search(text: &str) -> SearchText {
    SearchText::new(text.to_owned())
}

fn exact(exact: &str) -> Segment<'_> {
    Segment {
        exact,
        ..Segment::default()
    }
}

fn select(text: &str, segments: &[Segment<'_>]) -> Result<Selection, QuoteError> {
    search(text).select(segments)
}

/// Where the only segment stands.
fn at(text: &str, segment: Segment<'_>) -> Result<Range<u32>, QuoteError> {
    select(text, &[segment]).map(|selection| selection.ranges[0].clone())
}

#[test]
fn a_segment_that_stands_once_is_selected() {
    let selection = select(TEXT, &[exact("open to a meeting")]).unwrap();
    assert_eq!(selection.text, "open to a meeting");
    assert_eq!(selection.ranges.len(), 1);
    assert_eq!(selection.ranges[0], 71..88);
}

#[test]
fn positions_count_code_points() {
    let start = u32::try_from(TEXT.chars().count()).unwrap() - 19;
    assert_eq!(at(TEXT, exact("Встреча")), Ok(start..start + 7));
    assert_eq!(at("👩\u{200D}🚀 да", exact("да")), Ok(4..6));
}

#[test]
fn a_line_end_in_text_or_segment_equals_a_blank() {
    let selection = select(TEXT, &[exact("a meeting. The President")]).unwrap();
    assert_eq!(selection.text, "a meeting. The President");
    assert_eq!(
        at(TEXT, exact("always\r\n been\u{A0}open")),
        at(TEXT, exact("always been open"))
    );
}

#[test]
fn segments_are_normalised_before_they_are_looked_for() {
    for pasted in [
        "  open to a\u{200B} meet\u{AD}ing ",
        "open\u{2003}to\ta\nmeeting",
        "\u{FEFF}open to a meeting\0",
    ] {
        assert_eq!(at(TEXT, exact(pasted)), Ok(71..88), "{pasted:?}");
    }
    assert_eq!(at("Зеленський", exact("Зеленськии\u{306}")), Ok(0..10));
    let joined = Segment {
        prefix: "\u{A0}has\n",
        suffix: "\topen ",
        ..exact("always been")
    };
    assert_eq!(at(TEXT, joined), at(TEXT, exact("always been")));
}

#[test]
fn letters_are_matched_whole_and_joined_emoji_are_not_one_letter() {
    assert!(matches!(
        at("é", exact("e")),
        Err(QuoteError::NotFound { .. })
    ));
    assert_eq!(at("за\u{301}мок", exact("за")), Ok(0..2));
    assert_eq!(at("👩\u{200D}🚀", exact("🚀")), Ok(2..3));
    assert!(at("👩🚀", exact("👩\u{200D}🚀")).is_err());
}

#[test]
fn case_and_punctuation_are_matched_to_the_letter() {
    for other in [
        "Open to a meeting",
        "open, to a meeting",
        "«возможна» .",
        "\"возможна\"",
    ] {
        assert!(at(TEXT, exact(other)).is_err(), "{other}");
    }
}

#[test]
fn a_segment_of_nothing_is_empty() {
    for nothing in ["", " \n", "\u{200B}\u{AD}"] {
        let error = select("a b", &[exact("a"), exact(nothing)]).unwrap_err();
        assert_eq!(error, QuoteError::Empty { segment: 1 });
    }
}

#[test]
fn a_segment_that_stands_twice_is_ambiguous_and_its_places_are_shown() {
    let error = at(TEXT, exact("The President has")).unwrap_err();
    let QuoteError::Ambiguous {
        segment,
        ranges,
        passages,
        count_at_least,
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!((segment, count_at_least), (0, 2));
    assert_eq!(ranges, [41..58, 90..107]);
    assert!(
        passages[0]
            .text
            .contains("Peskov: The President has always")
    );
    for range in ranges {
        let placed = Segment {
            start: Some(range.start),
            ..exact("The President has")
        };
        assert_eq!(at(TEXT, placed), Ok(range));
    }
}

#[test]
fn matches_that_overlap_are_several() {
    let ambiguous = |text: &str, words: &str| match at(text, exact(words)) {
        Err(QuoteError::Ambiguous { count_at_least, .. }) => count_at_least,
        other => panic!("{other:?}"),
    };
    assert_eq!(ambiguous("aaa", "aa"), 2);
    assert_eq!(ambiguous("да да да", "да да"), 2);
    assert_eq!(ambiguous("aaaaaaaaaa", "aa"), PASSAGES_MAX + 1);
}

#[test]
fn prefix_and_suffix_tell_places_apart_with_or_without_a_blank() {
    let text = "(yes) yes, no yes";
    let context = |prefix, suffix| Segment {
        prefix,
        suffix,
        ..exact("yes")
    };
    assert_eq!(at(text, context("(", "")), Ok(1..4));
    assert_eq!(at(text, context("", ",")), Ok(6..9));
    assert_eq!(at(text, context(")", "")), Ok(6..9));
    assert_eq!(at(text, context("no", "")), Ok(14..17));
    assert_eq!(at(text, context(") ", ", no")), Ok(6..9));
    for (prefix, suffix) in [("maybe", ""), ("", "!"), ("(", ","), ("", "")] {
        assert!(
            at(text, context(prefix, suffix)).is_err(),
            "{prefix:?} {suffix:?}"
        );
    }
}

#[test]
fn context_may_lie_in_the_segment_before() {
    let text = "one two one two";
    let second = Segment {
        prefix: "one",
        ..exact("two")
    };
    let selection = select(text, &[exact("one two one"), second]).unwrap();
    assert_eq!(selection.ranges, [0..11, 12..15]);
}

#[test]
fn segments_are_found_one_after_the_other_and_joined_by_an_omission() {
    let text = "No. We are open. No. He is open.";
    let selection = select(text, &[exact("We are"), exact("open. No"), exact("open.")]).unwrap();
    assert_eq!(selection.text, "We are […] open. No […] open.");
    assert_eq!(selection.ranges, [4..10, 11..19, 27..32]);
    let error = select(text, &[exact("He is"), exact("We are")]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "segment 1 is in the text only before the end of the segment before it, at 4–10"
    );
    let QuoteError::NotFound {
        segment,
        nearest,
        earlier,
    } = error
    else {
        panic!("{error:?}")
    };
    assert_eq!((segment, earlier), (1, Some(4..10)));
    assert_eq!((nearest[0].start, nearest[0].end), (4, 10));
}

#[test]
fn segments_may_touch_but_not_overlap() {
    assert_eq!(
        select("abcd", &[exact("ab"), exact("cd")]).unwrap().ranges,
        [0..2, 2..4]
    );
    assert!(select("abcd", &[exact("abc"), exact("cd")]).is_err());
    assert_eq!(
        select("aaa", &[exact("aaa"), exact("a")]).unwrap_err(),
        QuoteError::NotFound {
            segment: 1,
            earlier: Some(0..1),
            nearest: vec![]
        }
    );
}

#[test]
fn no_segments_select_nothing() {
    let nothing = select(TEXT, &[]).unwrap();
    assert!(nothing.ranges.is_empty() && nothing.text.is_empty());
}

#[test]
fn either_end_of_a_position_places_a_segment() {
    let positions = [(Some(3), None), (None, Some(5)), (Some(3), Some(5))];
    for (start, end) in positions {
        let placed = Segment {
            start,
            end,
            ..exact("no")
        };
        assert_eq!(at("no no no", placed), Ok(3..5));
    }
}

#[test]
fn a_position_must_agree_even_if_nothing_is_ambiguous() {
    let text = "yes, да, no";
    let cases = [
        (Some(4), None, " д"),
        (None, Some(9), ", "),
        (Some(5), Some(8), "да,"),
        (Some(5), Some(6), "д"),
        (Some(6), Some(5), ""),
        (Some(10), None, "o"),
        (Some(11), None, ""),
        (Some(u32::MAX), None, ""),
        (None, Some(0), ""),
        (None, Some(1), "y"),
        (None, Some(u32::MAX), ""),
        (Some(0), Some(u32::MAX), "yes, да, no"),
    ];
    for (start, end, stands) in cases {
        let placed = Segment {
            start,
            end,
            ..exact("да")
        };
        let error = at(text, placed).unwrap_err();
        let QuoteError::PositionMismatch {
            part: Part::Exact,
            found,
            nearest,
            ..
        } = error
        else {
            panic!("{start:?} {end:?} {error:?}")
        };
        assert_eq!(found, stands, "{start:?} {end:?}");
        assert_eq!(nearest[0].text, text);
    }
}

#[test]
fn context_must_agree_at_the_position_too() {
    let placed = |prefix, suffix| Segment {
        prefix,
        suffix,
        start: Some(4),
        ..exact("да")
    };
    assert_eq!(at("да, да.", placed(",", ".")), Ok(4..6));
    let mismatch = |segment| match at("да, да.", segment) {
        Err(QuoteError::PositionMismatch { part, found, .. }) => (part, found),
        other => panic!("{other:?}"),
    };
    assert_eq!(
        mismatch(placed("нет,", "")),
        (Part::Prefix, "да,".to_owned())
    );
    assert_eq!(mismatch(placed(",", "!")), (Part::Suffix, ".".to_owned()));
}

#[test]
fn a_position_must_come_after_the_segment_before() {
    let placed = Segment {
        start: Some(0),
        ..exact("a")
    };
    let error = select("a b a", &[exact("b"), placed]).unwrap_err();
    assert_eq!(
        error,
        QuoteError::OutOfOrder {
            segment: 1,
            start: 0,
            previous_end: 3
        }
    );
}

#[test]
fn what_a_refusal_shows_is_bounded() {
    let text = "ж".repeat(10_000);
    let long = "ж".repeat(1_000);
    let placed = Segment {
        start: Some(0),
        end: Some(10_000),
        prefix: &long,
        ..exact(&long)
    };
    let Err(QuoteError::PositionMismatch { found, nearest, .. }) = at(&text, placed) else {
        panic!("selected")
    };
    assert_eq!(found.chars().count(), PASSAGE_CHARS_MAX);
    assert_eq!(nearest.len(), PASSAGES_MAX);
    for passage in nearest {
        assert_eq!(passage.text.chars().count(), PASSAGE_CHARS_MAX);
        assert_eq!(passage.end - passage.start, 200);
    }
}

#[test]
fn a_mistyped_prefix_shows_what_stands_there() {
    let segment = Segment {
        prefix: "has allways been",
        ..exact("open to a meeting")
    };
    let Err(QuoteError::OtherContext { nearest, .. }) = at(TEXT, segment) else {
        panic!("selected")
    };
    assert_eq!(nearest[0].text, "has always been open to a meeting.");
    assert_eq!((nearest[0].start, nearest[0].end), (55, 89));
}

#[test]
fn a_statement_says_what_is_selected_after_the_same_steps() {
    let selection = select(TEXT, &[exact("a meeting. The President"), exact("refused")]).unwrap();
    for text in [
        "a meeting. The President […] refused",
        " a meeting.\r\nThe\u{A0}President  […]\nrefus\u{AD}ed",
    ] {
        assert!(says_the_same(text, &selection.text), "{text:?}");
    }
    for text in [
        "a meeting. The President refused",
        "a meeting. The President [...] refused",
        "A meeting. The President […] refused",
        "a meeting. The President […] refused.",
        "",
    ] {
        assert!(!says_the_same(text, &selection.text), "{text:?}");
    }
    assert!(says_the_same("Зеленськии\u{306}", "Зеленський"));
}

#[test]
fn hostile_repetition_is_searched_in_one_go() {
    let text = search(&"a".repeat(4 << 20));
    let long = "a".repeat(30_000);
    let [almost, after] = [format!("{long}b"), format!("b{long}")];
    for words in [&almost, &after] {
        assert!(matches!(
            text.select(&[exact(words)]),
            Err(QuoteError::NotFound { .. })
        ));
        let segment = Segment {
            prefix: words,
            suffix: words,
            ..exact(&long)
        };
        assert!(matches!(
            text.select(&[segment]),
            Err(QuoteError::OtherContext { .. })
        ));
    }
    assert!(matches!(
        text.select(&[exact(&long)]),
        Err(QuoteError::Ambiguous { .. })
    ));
}

#[test]
fn a_refusal_says_whether_words_or_their_surroundings_differ_and_each_place_once() {
    let text = SearchText::new("he refused no format, and he refused no format".to_owned());
    let message = |segment: Segment<'_>| text.select(&[segment]).unwrap_err();
    let missing = message(exact("every format"));
    assert_eq!(missing.to_string(), "segment 0 is not in the text");
    let mut elsewhere = exact("and he");
    elsewhere.prefix = "perhaps";
    let elsewhere = message(elsewhere);
    assert!(
        matches!(elsewhere, QuoteError::OtherContext { .. }),
        "{elsewhere}"
    );
    let twice = message(exact("refused no format"));
    assert_eq!(
        twice.to_string(),
        "segment 0 is in the text 2 times: at 3–20, 29–46"
    );
    let QuoteError::Ambiguous { passages, .. } = twice else {
        panic!("it stands there twice");
    };
    assert_eq!(passages.len(), 1, "{passages:?}");
}

/// What a refusal is, without what it shows.
fn kind(result: &Result<Selection, QuoteError>) -> Result<Vec<Range<u32>>, (&str, usize)> {
    match result {
        Ok(selection) => Ok(selection.ranges.clone()),
        Err(QuoteError::Empty { segment }) => Err(("empty", *segment)),
        Err(QuoteError::NotFound { segment, .. } | QuoteError::OtherContext { segment, .. }) => {
            Err(("not found", *segment))
        }
        Err(QuoteError::Ambiguous { segment, .. }) => Err(("ambiguous", *segment)),
        Err(QuoteError::PositionMismatch { segment, .. }) => Err(("mismatch", *segment)),
        Err(QuoteError::OutOfOrder { segment, .. }) => Err(("order", *segment)),
    }
}

/// Matching as the profile states it, trying every place.
fn oracle(text: &str, segments: &[Segment<'_>]) -> Result<Vec<Range<u32>>, (&'static str, usize)> {
    let normal = |text: &str| -> Vec<char> {
        let normal = crate::text::normalise(text).replace('\n', " ");
        normal.chars().collect()
    };
    let text = normal(text);
    let position = |i: usize| u32::try_from(i).unwrap();
    let mut end = 0;
    let mut ranges = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let [exact, prefix, suffix] = [segment.exact, segment.prefix, segment.suffix].map(normal);
        if exact.is_empty() {
            return Err(("empty", index));
        }
        let stands = |start: &usize| {
            let (before, rest) = text.split_at(*start);
            let Some(after) = rest.strip_prefix(&exact[..]) else {
                return false;
            };
            let before_blank = before.strip_suffix(&[' ']).unwrap_or(before);
            let after_blank = after.strip_prefix(&[' ']).unwrap_or(after);
            (before.ends_with(&prefix) || before_blank.ends_with(&prefix))
                && (after.starts_with(&suffix) || after_blank.starts_with(&suffix))
        };
        let places: Vec<usize> = (0..=text.len()).filter(stands).collect();
        let start = if segment.start.is_some() || segment.end.is_some() {
            let agrees = |start: &&usize| {
                segment.start.is_none_or(|s| s == position(**start))
                    && segment
                        .end
                        .is_none_or(|e| e == position(**start + exact.len()))
            };
            let place = *places.iter().find(agrees).ok_or(("mismatch", index))?;
            if place < end {
                return Err(("order", index));
            }
            place
        } else {
            let later: Vec<usize> = places.into_iter().filter(|start| *start >= end).collect();
            match later[..] {
                [] => return Err(("not found", index)),
                [place] => place,
                _ => return Err(("ambiguous", index)),
            }
        };
        end = start + exact.len();
        ranges.push(position(start)..position(end));
    }
    Ok(ranges)
}

#[derive(Clone, Debug)]
struct Given {
    exact: String,
    prefix: String,
    suffix: String,
    start: Option<u32>,
    end: Option<u32>,
}

/// A segment over a small alphabet; its position, if it has one, often has the right length.
fn given() -> impl Strategy<Value = Given> {
    let context = || prop_oneof![3 => Just(String::new()), 1 => "[ab ]{1,3}"];
    let start = prop::option::weighted(0.3, 0_u32..12);
    let words = prop_oneof![9 => "[abж \n]{1,3}", 1 => "[ab \u{200B}]{0,2}"];
    (words, context(), context(), start, 0..4).prop_map(|(exact, prefix, suffix, at, shape)| {
        let length = u32::try_from(crate::text::normalise(&exact).chars().count()).unwrap();
        let (start, end) = match shape {
            0 => (at, None),
            1 => (None, at),
            2 => (at, at.map(|start| start + 2)),
            _ => (at, at.map(|start| start + length)),
        };
        Given {
            exact,
            prefix,
            suffix,
            start,
            end,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn selecting_finds_what_trying_every_place_finds(
        text in "[abж \n]{0,16}",
        given in prop::collection::vec(given(), 1..4),
    ) {
        let segments: Vec<Segment<'_>> = given
            .iter()
            .map(|given| Segment {
                exact: &given.exact,
                prefix: &given.prefix,
                suffix: &given.suffix,
                start: given.start,
                end: given.end,
            })
            .collect();
        let text = crate::text::normalise(&text);
        let selected = select(&text, &segments);
        prop_assert_eq!(kind(&selected), oracle(&text, &segments));
        if let Ok(selection) = selected {
            let chars: Vec<char> = text.replace('\n', " ").chars().collect();
            let parts: Vec<String> = selection
                .ranges
                .iter()
                .map(|range| chars[range.start as usize..range.end as usize].iter().collect())
                .collect();
            prop_assert_eq!(selection.text, parts.join(OMISSION));
        }
    }

    #[test]
    fn any_place_that_an_ambiguity_names_settles_it(text in "[ab ]{0,30}", words in "[ab]{1,2}") {
        let text = search(&crate::text::normalise(&text));
        if let Err(QuoteError::Ambiguous { ranges, .. }) = text.select(&[exact(&words)]) {
            for range in ranges {
                let start = Some(range.start);
                let placed = Segment { start, ..exact(&words) };
                prop_assert_eq!(text.select(&[placed]).unwrap().ranges, vec![range]);
            }
        }
    }
}
