//! Steps 4 and 5 of every profile: white space and NFC. Extracted texts, the segments of a
//! quotation and the texts of statements all go through them, so that what differs only in
//! layout or in the form of its accents is the same text.
//!
//! *White space* is the Unicode property `White_Space`, which is what
//! [`char::is_whitespace`] tests: U+0009–U+000D, U+0020, U+0085, U+00A0, U+1680,
//! U+2000–U+200A, U+2028, U+2029, U+202F, U+205F, U+3000. The no-break spaces belong to it.
//!
//! *Line ends* are the mandatory breaks of UAX #14: U+000A–U+000D, U+0085, U+2028, U+2029;
//! CR LF is a run of two.
//!
//! **Invariant**: the result is normal: normalising it again changes nothing. That holds
//! because what is dropped goes before runs of white space are seen, and NFC brings neither
//! white space nor anything that is dropped. By Unicode's stability policy later versions of
//! the standard leave the normal form of assigned characters as it is.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// `text` after steps 4 and 5, with line ends as breaks: characters that cannot be seen are
/// dropped, a run of white space is one U+0020, or one U+000A if it holds a line end, none
/// stands at the ends, and all is in NFC.
#[must_use]
pub fn normalise(text: &str) -> String {
    composed(&spaced(text))
}

/// [`normalise`], unless the result is longer than `bytes_max` bytes.
pub(super) fn normalise_within(text: &str, bytes_max: usize) -> Option<String> {
    composed_within(spaced(text), bytes_max)
}

/// [`normalise`] with U+0020 for every U+000A: the form in which texts are compared. Borrows
/// where `text` already has it, which segments mostly do.
pub(super) fn one_line(text: &str) -> Cow<'_, str> {
    if is_plainly_one_line(text) {
        return Cow::Borrowed(text);
    }
    let mut spacing = Spacing::default();
    spacing.push_str(text);
    Cow::Owned(composed(&spacing.out))
}

/// Step 4, with line ends as breaks.
fn spaced(text: &str) -> String {
    let mut spacing = Spacing::with_capacity(text.len());
    for c in text.chars() {
        if is_line_end(c) {
            spacing.line_break();
        } else {
            spacing.push(c);
        }
    }
    spacing.out
}

/// Step 5.
fn composed(text: &str) -> String {
    if is_composed(text) {
        text.to_owned()
    } else {
        text.nfc().collect()
    }
}

/// Step 5, unless the result is longer than `bytes_max` bytes.
fn composed_within(spaced: String, bytes_max: usize) -> Option<String> {
    if is_composed(&spaced) {
        return (spaced.len() <= bytes_max).then_some(spaced);
    }
    let mut out = String::with_capacity(spaced.len().min(bytes_max));
    for c in spaced.nfc() {
        if out.len() + c.len_utf8() > bytes_max {
            return None;
        }
        out.push(c);
    }
    Some(out)
}

/// Whether `text` is certainly in NFC; if not certain, `false`.
fn is_composed(text: &str) -> bool {
    text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes
}

/// Step 4 as it goes: text is pushed in, breaks are marked, `out` is the result so far.
#[derive(Default)]
pub(super) struct Spacing {
    out: String,
    gap: Gap,
}

/// What stands between the last character of the result and the next.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Gap {
    #[default]
    Nothing,
    Blank,
    Break,
}

impl Spacing {
    /// For a text of this many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self {
            out: String::with_capacity(bytes),
            gap: Gap::Nothing,
        }
    }

    /// A stretch of the text. A line end is only white space here.
    pub(super) fn push_str(&mut self, text: &str) {
        text.chars().for_each(|c| self.push(c));
    }

    /// What was pushed in after steps 4 and 5, unless that is longer than `bytes_max` bytes.
    pub(super) fn finish(self, bytes_max: usize) -> Option<String> {
        composed_within(self.out, bytes_max)
    }

    /// One character of the text. A line end is only white space here.
    pub(super) fn push(&mut self, c: char) {
        if is_dropped(c) {
            return;
        }
        if c.is_whitespace() {
            if self.gap == Gap::Nothing {
                self.gap = Gap::Blank;
            }
            return;
        }
        if !self.out.is_empty() {
            match self.gap {
                Gap::Nothing => {}
                Gap::Blank => self.out.push(' '),
                Gap::Break => self.out.push('\n'),
            }
        }
        self.gap = Gap::Nothing;
        self.out.push(c);
    }

    /// A break: the run of white space around it becomes one U+000A.
    pub(super) fn line_break(&mut self) {
        self.gap = Gap::Break;
    }
}

/// NUL, soft hyphen, zero width space, word joiner, zero width no-break space. The joiners
/// U+200C and U+200D are kept: they change how words are written and which emoji is meant.
fn is_dropped(c: char) -> bool {
    matches!(c, '\0' | '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

/// The mandatory breaks of UAX #14.
fn is_line_end(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Whether a glance shows that [`one_line`] would change nothing: only characters that no
/// step touches, with single blanks between them.
fn is_plainly_one_line(text: &str) -> bool {
    let mut blank_before = true;
    for c in text.chars() {
        if c == ' ' {
            if blank_before {
                return false;
            }
            blank_before = true;
        } else if is_plain(c) {
            blank_before = false;
        } else {
            return false;
        }
    }
    !blank_before || text.is_empty()
}

/// Common characters that are neither white space nor dropped, and that neither NFC nor the
/// characters around them change: ASCII and Latin, Cyrillic, dashes and quotation marks.
/// Others may be as harmless; they only take the longer way.
fn is_plain(c: char) -> bool {
    matches!(c,
        '!'..='~'
        | '\u{A1}'..='\u{AC}'
        | '\u{AE}'..='\u{2FF}'
        | '\u{400}'..='\u{482}'
        | '\u{48A}'..='\u{52F}'
        | '\u{2010}'..='\u{2027}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use unicode_normalization::char::{canonical_combining_class, is_combining_mark};

    /// Steps 4 and 5 as the profile states them, one after the other.
    fn oracle(text: &str) -> String {
        let kept: Vec<char> = text
            .chars()
            .filter(|c| !"\0\u{AD}\u{200B}\u{2060}\u{FEFF}".contains(*c))
            .collect();
        let mut out = String::new();
        for run in kept.chunk_by(|a, b| a.is_whitespace() == b.is_whitespace()) {
            if !run.iter().all(|c| c.is_whitespace()) {
                out.extend(run);
            } else if run
                .iter()
                .any(|c| "\n\u{B}\u{C}\r\u{85}\u{2028}\u{2029}".contains(*c))
            {
                out.push('\n');
            } else {
                out.push(' ');
            }
        }
        out.trim().nfc().collect()
    }

    /// Texts made of what the steps care about.
    fn awkward() -> impl Strategy<Value = String> {
        let pieces: Vec<String> = [
            "a",
            "e",
            "и",
            "é",
            "й",
            "\u{301}",
            "\u{306}",
            "\u{323}",
            " ",
            "  ",
            "\n",
            "\r\n",
            "\u{85}",
            "\u{A0}",
            "\u{2003}",
            "\u{2000}",
            "\u{2028}",
            "\u{3000}",
            "\0",
            "\u{AD}",
            "\u{200B}",
            "\u{200D}",
            "\u{FEFF}",
            "\u{2060}",
            "한",
            "\u{1100}",
            "\u{1161}",
            "\u{11A8}",
            "\u{212B}",
            "\u{1D160}",
            "👩\u{200D}🚀",
            "\u{1}",
            "\u{1F}",
        ]
        .map(str::to_owned)
        .into();
        prop::collection::vec(prop::sample::select(pieces), 0..12).prop_map(|p| p.concat())
    }

    #[test]
    fn white_space_is_the_unicode_property() {
        let listed: Vec<u32> = (0x9..=0xD)
            .chain([0x20, 0x85, 0xA0, 0x1680])
            .chain(0x2000..=0x200A)
            .chain([0x2028, 0x2029, 0x202F, 0x205F, 0x3000])
            .collect();
        let property: Vec<u32> = ('\0'..=char::MAX)
            .filter(|c| c.is_whitespace())
            .map(u32::from)
            .collect();
        assert_eq!(property, listed);
    }

    #[test]
    fn a_run_of_white_space_is_one_blank_or_one_break() {
        for (text, normal) in [
            ("a \t b", "a b"),
            ("a\u{A0}b\u{202F}\u{2009}c", "a b c"),
            ("a \n b", "a\nb"),
            ("a\r\nb\rc\nd", "a\nb\nc\nd"),
            ("a\r\n\r\n\r\nb", "a\nb"),
            ("a\u{85}b\u{2028}c\u{2029}d\u{B}e\u{C}f", "a\nb\nc\nd\ne\nf"),
            ("\n a \u{3000}", "a"),
            (" \u{A0}\r\n", ""),
            ("", ""),
        ] {
            assert_eq!(normalise(text), normal, "{text:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_dropped_before_white_space_is_counted() {
        for (text, normal) in [
            ("inter\u{AD}national", "international"),
            ("a\0b\u{200B}c\u{2060}d\u{FEFF}e", "abcde"),
            ("a \u{200B} b", "a b"),
            ("a\u{FEFF}\n\u{AD}b", "a\nb"),
            ("\u{FEFF} \u{200B}a\u{2060} ", "a"),
            ("e\u{AD}\u{301}", "é"),
        ] {
            assert_eq!(normalise(text), normal, "{text:?}");
        }
    }

    #[test]
    fn joiners_and_other_controls_are_kept() {
        for text in [
            "👩\u{200D}🚀",
            "می\u{200C}خواهم",
            "a\u{1B}[1m\u{1}\u{1F}b",
            "\u{200E}a",
        ] {
            assert_eq!(normalise(text), text);
        }
    }

    #[test]
    fn text_is_composed() {
        for (text, normal) in [
            ("Зеленськии\u{306}", "Зеленський"),
            ("cafe\u{301}", "café"),
            ("a\u{301}\u{323}", "\u{1EA1}\u{301}"),
            ("\u{212B}", "Å"),
            ("\u{1100}\u{1161}\u{11A8}", "각"),
            ("за\u{301}мок", "за\u{301}мок"),
            ("\u{301}a", "\u{301}a"),
            ("ﬁ", "ﬁ"),
        ] {
            assert_eq!(normalise(text), normal, "{text:?}");
        }
    }

    #[test]
    fn every_plain_character_stands_on_its_own() {
        let plain: Vec<char> = ('\0'..=char::MAX).filter(|c| is_plain(*c)).collect();
        assert!(plain.len() > 800);
        for c in plain {
            assert!(
                !c.is_whitespace() && !is_dropped(c) && !is_combining_mark(c),
                "{c:?}"
            );
            assert_eq!(canonical_combining_class(c), 0, "{c:?}");
            assert_eq!(is_nfc_quick([c].into_iter()), IsNormalized::Yes, "{c:?}");
        }
    }

    #[test]
    fn a_segment_in_normal_form_is_not_copied() {
        for text in [
            "",
            "a",
            "Mr. Putin is “ready” – now…",
            "Встреча «возможна» — да",
        ] {
            assert!(
                matches!(one_line(text), Cow::Borrowed(same) if same == text),
                "{text}"
            );
        }
        for text in [" a", "a ", "a  b", "a\nb", "a\u{A0}b", " "] {
            assert!(matches!(one_line(text), Cow::Owned(_)), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn normalising_does_what_the_profile_says(text in awkward()) {
            prop_assert_eq!(normalise(&text), oracle(&text));
        }

        #[test]
        fn normalising_twice_changes_nothing(text in prop_oneof![awkward(), any::<String>()]) {
            let once = normalise(&text);
            prop_assert_eq!(normalise(&once), once);
        }

        #[test]
        fn one_line_is_the_normal_form_with_blanks_for_breaks(text in awkward()) {
            prop_assert_eq!(one_line(&text), normalise(&text).replace('\n', " "));
        }

        #[test]
        fn the_bound_refuses_exactly_what_is_longer(text in awkward(), bytes_max in 0_usize..40) {
            let normal = normalise(&text);
            let expected = (normal.len() <= bytes_max).then_some(normal);
            prop_assert_eq!(normalise_within(&text, bytes_max), expected);
        }
    }
}
