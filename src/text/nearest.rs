//! The passages shown with a refused quotation: where the text comes nearest to what was
//! asked for, so that a mistyped word is seen at a glance.
//!
//! A passage is built around a run of words that the text shares with the segment, longest
//! run first, and shows what stands where the whole segment would stand. Passages do not
//! overlap, nor do the runs that they are built around. If the whole is too long to show,
//! the passage is about the place where text and segment part.
//!
//! Time is linear in the text: it is read once, and what is left of it once for each further
//! passage. This never accepts anything; it only explains.

use std::fmt;
use std::ops::Range;

use super::runs::{Run, SegmentRuns, words};

/// How many passages a refusal shows at most.
pub const PASSAGES_MAX: usize = 3;

/// How long a passage is at most, in code points: about two lines on a terminal.
pub const PASSAGE_CHARS_MAX: usize = 200;

/// The passages of `text` that share the longest runs of words with `segment`, best first, in
/// bytes of `text`.
pub(super) fn nearest(text: &str, segment: &str) -> Vec<Range<usize>> {
    let runs = SegmentRuns::new(segment);
    let longest_in = |room: Range<usize>| Some((runs.longest_in(text, &room)?, room));
    let mut candidates: Vec<(Run, Range<usize>)> = longest_in(0..text.len()).into_iter().collect();
    let mut passages = Vec::with_capacity(PASSAGES_MAX);
    loop {
        candidates.sort_by_key(|(run, _)| (run.rank(), std::cmp::Reverse(run.bytes.start)));
        let Some((run, room)) = candidates.pop() else {
            return passages;
        };
        let passage = in_place_of_segment(text, &run, &room);
        let taken = run.bytes.start.min(passage.start)..run.bytes.end.max(passage.end);
        passages.push(passage);
        if passages.len() == PASSAGES_MAX {
            return passages;
        }
        candidates.extend(longest_in(room.start..taken.start));
        candidates.extend(longest_in(taken.end..room.end));
    }
}

/// Where a passage that does not stand in a text first differs from what does, where both look
/// alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unlike {
    /// The place in the passage, in code points from 0.
    pub at: usize,
    /// What the passage has there.
    pub has: char,
    /// What the text has there.
    pub text_has: char,
}

impl fmt::Display for Unlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, has, text_has } = *self;
        write!(
            f,
            "at code point {at} it has U+{:04X} ({has}) where the text has U+{:04X} ({text_has})",
            u32::from(has),
            u32::from(text_has)
        )
    }
}

/// Where `segment` first differs from `passage`, if the shorter of both stands in the longer but
/// for code points that may be taken for one another.
pub(super) fn unlike(segment: &str, passage: &str) -> Option<Unlike> {
    let (segment, passage): (Vec<char>, Vec<char>) =
        (segment.chars().collect(), passage.chars().collect());
    let length = segment.len().min(passage.len());
    let ahead = 0..=segment.len().saturating_sub(length);
    let places = ahead.flat_map(|at| {
        let back = 0..=passage.len().saturating_sub(length);
        back.map(move |of_passage| (at, of_passage))
    });
    places.into_iter().find_map(|(at, of_passage)| {
        let ours = segment.get(at..at + length)?;
        let theirs = passage.get(of_passage..of_passage + length)?;
        let mut first = None;
        let mut differing = 0;
        for (place, (&has, &text_has)) in ours.iter().zip(theirs).enumerate() {
            if has == text_has {
                continue;
            }
            if !may_be_taken(has, text_has) {
                return None;
            }
            differing += 1;
            first = first.or(Some(Unlike {
                at: at + place,
                has,
                text_has,
            }));
        }
        // Of words in two scripts, hardly a letter is the same.
        first.filter(|_| differing * 2 <= length)
    })
}

/// Whether one may be taken for the other: a letter of ASCII and one beyond it, as in two
/// scripts, or two signs of which one at least is beyond it, as dashes and quotation marks.
fn may_be_taken(one: char, other: char) -> bool {
    let letters = one.is_alphanumeric();
    letters == other.is_alphanumeric()
        && if letters {
            one.is_ascii() != other.is_ascii()
        } else {
            !(one.is_ascii() && other.is_ascii())
        }
}

/// A passage of `text` about `place`, as long as may be.
pub(super) fn around(text: &str, place: Range<usize>) -> Range<usize> {
    let half = place.start + place.len() / 2;
    let middle = (place.start..=half)
        .rev()
        .find(|i| text.is_char_boundary(*i));
    shorten(text, 0..text.len(), middle.unwrap_or(place.start))
}

/// What stands where the whole segment would stand, going by one run of its words.
fn in_place_of_segment(text: &str, run: &Run, room: &Range<usize>) -> Range<usize> {
    let before = last_bytes_of(&text[room.start..run.bytes.start]);
    let starts: Vec<usize> = words(before).map(|word| word.bytes.start).collect();
    let start = match run.before {
        0 => run.bytes.start,
        count => {
            let first = starts.len().saturating_sub(count);
            let back = starts.get(first).map_or(0, |start| before.len() - start);
            run.bytes.start - back
        }
    };
    let after = first_bytes_of(&text[run.bytes.end..room.end]);
    let ahead = words(after).take(run.after).last();
    let end = run.bytes.end + ahead.map_or(0, |word| word.bytes.end);

    let whole = with_punctuation(text, start..end, room);
    let parting = if run.after > 0 {
        run.bytes.end
    } else {
        run.bytes.start
    };
    shorten(text, whole, parting)
}

/// `range` with the punctuation on both sides of it, as far as the next word or blank.
fn with_punctuation(text: &str, range: Range<usize>, room: &Range<usize>) -> Range<usize> {
    let attached = |c: &char| !c.is_alphanumeric() && *c != ' ';
    let before = last_bytes_of(&text[room.start..range.start]);
    let after = first_bytes_of(&text[range.end..room.end]);
    let back: usize = before
        .chars()
        .rev()
        .take_while(attached)
        .map(char::len_utf8)
        .sum();
    let ahead: usize = after.chars().take_while(attached).map(char::len_utf8).sum();
    range.start - back..range.end + ahead
}

/// `range` if it is short enough, else what of it is about `pivot`, which lies in it; without
/// blanks at its ends. Cut between words where there are blanks.
fn shorten(text: &str, range: Range<usize>, pivot: usize) -> Range<usize> {
    let (before, after) = (&text[range.start..pivot], &text[pivot..range.end]);
    let available = PASSAGE_CHARS_MAX + 1;
    let chars_before = before.chars().rev().take(available).count();
    let chars_after = after.chars().take(available).count();
    let (mut kept_before, mut kept_after) = (before, after);
    if chars_before + chars_after > PASSAGE_CHARS_MAX {
        let half = PASSAGE_CHARS_MAX / 2;
        let left = chars_before.min(half.max(PASSAGE_CHARS_MAX.saturating_sub(chars_after)));
        let right = chars_after.min(PASSAGE_CHARS_MAX - left);
        kept_before = last_words(before, left);
        kept_after = first_words(after, right);
    }
    // Trimmed as one: a blank at the pivot is at an end only if nothing stands beyond it.
    let kept = &text[pivot - kept_before.len()..pivot + kept_after.len()];
    let start = pivot - kept_before.len() + (kept.len() - kept.trim_start_matches(' ').len());
    start..start + kept.trim_matches(' ').len()
}

/// The last whole words of `text`, in at most `count` code points.
fn last_words(text: &str, count: usize) -> &str {
    let start = text.char_indices().rev().take(count).last();
    let start = start.map_or(text.len(), |(i, _)| i);
    let kept = &text[start..];
    if start == 0 || text[..start].ends_with(' ') {
        return kept;
    }
    kept.split_once(' ').map_or(kept, |(_, whole)| whole)
}

/// The first whole words of `text`, in at most `count` code points.
fn first_words(text: &str, count: usize) -> &str {
    let end = text
        .char_indices()
        .nth(count)
        .map_or(text.len(), |(i, _)| i);
    let kept = &text[..end];
    if end == text.len() || text[end..].starts_with(' ') {
        return kept;
    }
    kept.rsplit_once(' ').map_or(kept, |(whole, _)| whole)
}

/// The start of `text`, as long as a passage can be.
fn first_bytes_of(text: &str) -> &str {
    let end = text.char_indices().nth(PASSAGE_CHARS_MAX);
    &text[..end.map_or(text.len(), |(i, _)| i)]
}

/// The end of `text`, as long as a passage can be.
fn last_bytes_of(text: &str) -> &str {
    let start = text.char_indices().rev().nth(PASSAGE_CHARS_MAX - 1);
    &text[start.map_or(0, |(i, _)| i)..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown<'a>(text: &'a str, segment: &str) -> Vec<&'a str> {
        nearest(text, segment)
            .into_iter()
            .map(|range| &text[range])
            .collect()
    }

    const TEXT: &str = "Question: will they meet? D. Peskov: “The President has always been open \
        to a meeting with Zelensky – if it’s well prepared.” He added: the special operation \
        goes on. A meeting with Zelensky was not discussed.";

    #[test]
    fn one_mistyped_word_shows_the_sentence_that_was_meant() {
        let segment = "The President has allways been open to a meeting";
        assert_eq!(
            shown(TEXT, segment)[0],
            "“The President has always been open to a meeting"
        );
    }

    #[test]
    fn quotation_marks_dashes_and_case_do_not_count() {
        let segment = "open to a meeting with zelensky - if it's well prepared";
        assert_eq!(
            shown(TEXT, segment)[0],
            "open to a meeting with Zelensky – if it’s well prepared.”"
        );
    }

    #[test]
    fn a_passage_in_which_one_sign_looks_like_another_is_told_where() {
        let told = |segment, passage| unlike(segment, passage).map(|it| it.to_string());
        let cyrillic = "The President has always been \u{43e}pen to a meeting";
        let [passage, ..] = shown(TEXT, cyrillic)[..] else {
            panic!("nothing is near");
        };
        assert_eq!(
            told(cyrillic, passage).as_deref(),
            Some("at code point 30 it has U+043E (\u{43e}) where the text has U+006F (o)")
        );
        let dash = "with Zelensky - if it’s well prepared";
        let found = unlike(dash, shown(TEXT, dash)[0]);
        assert_eq!(found.map(|it| (it.at, it.text_has)), Some((14, '–')));
        for (segment, passage) in [
            ("been open", "been open"),
            ("been apen", "been open"),
            ("been op en", "been open"),
            ("нет", "net"),
            ("", "open"),
            ("open", ""),
        ] {
            assert_eq!(told(segment, passage), None, "{segment}");
        }
    }

    #[test]
    fn an_ellipsis_in_the_segment_shows_what_stands_on_both_sides_of_it() {
        let segment = "always been open to … operation goes on";
        assert_eq!(
            shown(TEXT, segment)[..2],
            [
                "always been open to a meeting with",
                "He added: the special operation goes on."
            ]
        );
    }

    #[test]
    fn the_longest_run_comes_first_and_of_equal_ones_the_first_in_the_text() {
        let text = "x y; a b c; x y; a b c d; x y";
        assert_eq!(shown(text, "a b c d"), ["a b c d;", "a b c; x"]);
        assert_eq!(shown(text, "x y"), ["x y;", "x y;", "x y"]);
        let ranges = nearest(text, "x y");
        assert!(ranges[0].start < ranges[1].start && ranges[1].start < ranges[2].start);
    }

    #[test]
    fn a_text_that_shares_no_word_shows_nothing() {
        assert_eq!(shown("Встреча возможна", "A meeting is possible"), [""; 0]);
        assert_eq!(shown("", "word"), [""; 0]);
        assert_eq!(shown("word", "…"), [""; 0]);
    }

    #[test]
    fn a_long_segment_is_shown_where_text_and_segment_part() {
        let start: Vec<String> = (0..100).map(|i| format!("start{i}")).collect();
        let end: Vec<String> = (0..100).map(|i| format!("end{i}")).collect();
        let text = format!("{} right {}", start.join(" "), end.join(" "));
        let segment = text.replace(" right ", " wrong ");
        let passages = shown(&text, &segment);
        assert!(passages[0].contains("start99 right end0"), "{passages:?}");
        assert!(passages[0].starts_with("start8") && passages[0].chars().count() > 180);
    }

    #[test]
    fn a_passage_without_blanks_is_cut_between_characters() {
        let text = "北京".repeat(300);
        let passages = shown(&text, &"北京".repeat(200));
        assert_eq!(passages[0].chars().count(), PASSAGE_CHARS_MAX);
        let word = "ж".repeat(500);
        assert_eq!(shown(&word, &word), ["ж".repeat(PASSAGE_CHARS_MAX)]);
    }

    #[test]
    fn what_is_around_a_place_is_shown_in_whole_words() {
        let text = "word ".repeat(200) + "HERE" + &" word".repeat(200);
        let passage = &text[around(&text, 1000..1004)];
        assert!(passage.contains("word HERE word"));
        assert!(passage.starts_with("word ") && passage.ends_with(" word"));
        assert!((190..=PASSAGE_CHARS_MAX).contains(&passage.chars().count()));
        assert_eq!(around("a b", 0..1), 0..3);
    }

    #[test]
    fn one_word_repeated_half_a_million_times_is_no_trouble() {
        let text = "да ".repeat(500_000);
        for segment in [
            "да ".repeat(4000),
            "да ".repeat(50) + "нет " + &"да ".repeat(50),
        ] {
            assert_eq!(shown(&text, &segment).len(), PASSAGES_MAX);
        }
    }

    proptest! {
        #[test]
        fn passages_are_few_short_whole_and_apart(
            text in "([abж]{1,3}[ ,.]{0,2}){0,150}",
            segment in "([abж]{1,3}[ ,.]{0,2}){0,60}",
        ) {
            let passages = nearest(&text, &segment);
            prop_assert!(passages.len() <= PASSAGES_MAX);
            for (i, passage) in passages.iter().enumerate() {
                let shown = &text[passage.clone()];
                prop_assert!(!shown.is_empty() && shown == shown.trim());
                prop_assert!(shown.chars().count() <= PASSAGE_CHARS_MAX);
                for other in &passages[..i] {
                    prop_assert!(passage.end <= other.start || other.end <= passage.start);
                }
            }
        }

        #[test]
        fn a_short_segment_that_stands_in_the_text_is_shown_first(
            before in "([abж]{1,3} ){0,20}",
            segment in "([abж]{1,3} ){1,20}[abж]",
            after in "( [abж]{1,3}){0,20}",
        ) {
            let text = format!("{before}{segment}{after}");
            prop_assert_eq!(shown(&text, &segment)[0], segment);
        }

        #[test]
        fn what_is_around_a_place_holds_its_middle(
            text in "([aж]{1,9} ){0,80}[aж]{1,300}", start in any::<prop::sample::Index>(), end in any::<prop::sample::Index>(),
        ) {
            let boundaries: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
            let (start, end) = (*start.get(&boundaries), *end.get(&boundaries));
            let place = start.min(end)..start.max(end);
            let middle = place.start + place.len() / 2;
            let passage = around(&text, place);
            prop_assert!(passage.start <= middle && middle <= passage.end);
            let length = text[passage].chars().count();
            prop_assert!((1..=PASSAGE_CHARS_MAX).contains(&length));
        }
    }
}
