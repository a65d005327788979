//! An extracted text prepared for being searched many times: hashed once, its line ends
//! turned into blanks (for matching they are the same), with a sparse index between the
//! bytes that searching counts in and the code points that records count in.
//!
//! **Invariant**: positions in it are positions in the extracted text. A line end and a blank
//! are one code point and one byte each, so turning one into the other moves nothing.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use super::nearest::Unlike;
use crate::record::ContentId;

/// How many bytes of text share one entry of the index. Finding a place reads at most this
/// much text, 16 cache lines; for 16 MiB the index takes 16 MiB / 1,024 * 4 = 64 KiB.
const BLOCK_BYTES: usize = 1024;

/// An extracted text, ready to be searched. Cloning it shares it.
#[derive(Clone)]
pub struct SearchText(Arc<Inner>);

struct Inner {
    text_id: ContentId,
    /// The text with U+0020 for every U+000A.
    text: String,
    /// How many code points start before each block of [`BLOCK_BYTES`] bytes.
    starts: Vec<u32>,
    /// How many code points there are.
    length: u32,
}

/// A stretch of an extracted text, as it is shown to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Where it begins, in code points.
    pub start: u32,
    /// Where it ends, in code points; the one at `end` is no longer part of it.
    pub end: u32,
    /// What stands there, with blanks for line ends.
    pub text: String,
    /// Of a passage near to one that does not stand in the text: where that one first differs,
    /// if it differs by code points that look alike or nearly so, and by nothing else.
    pub unlike: Option<Unlike>,
}

impl SearchText {
    /// Prepares an extracted text. What is not the output of an extraction profile can be
    /// searched too, but a segment matches only where the text is in normal form.
    #[must_use]
    pub fn new(text: String) -> Self {
        let text_id = ContentId::of(text.as_bytes());
        let text = if text.contains('\n') {
            text.replace('\n', " ")
        } else {
            text
        };
        let mut starts = Vec::with_capacity(text.len() / BLOCK_BYTES + 1);
        let mut length = 0_u32;
        for block in text.as_bytes().chunks(BLOCK_BYTES) {
            starts.push(length);
            length = length.saturating_add(code_points(block));
        }
        Self(Arc::new(Inner {
            text_id,
            text,
            starts,
            length,
        }))
    }

    /// The text id: the hash of the extracted text's UTF-8, as it was given.
    #[must_use]
    pub fn text_id(&self) -> ContentId {
        self.0.text_id
    }

    /// How long the text is, in bytes of UTF-8.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.0.text.len()
    }

    /// The bytes of a range of code points: in this text, and in the extracted one. `None` if
    /// it reaches beyond the end.
    #[must_use]
    pub fn byte_range(&self, range: &Range<u32>) -> Option<Range<usize>> {
        Some(self.byte_at(range.start)?..self.byte_at(range.end)?)
    }

    /// The text with blanks for line ends.
    pub(super) fn text(&self) -> &str {
        &self.0.text
    }

    /// The passage at these bytes, which lie on character boundaries.
    pub(super) fn passage(&self, bytes: Range<usize>) -> Passage {
        let text = self
            .text()
            .get(bytes.clone())
            .unwrap_or_default()
            .to_owned();
        let range = self.code_point_range(bytes);
        Passage {
            start: range.start,
            end: range.end,
            text,
            unlike: None,
        }
    }

    /// A range of bytes in code points.
    pub(super) fn code_point_range(&self, bytes: Range<usize>) -> Range<u32> {
        self.code_point_at(bytes.start)..self.code_point_at(bytes.end)
    }

    /// How many code points start before this byte.
    pub(super) fn code_point_at(&self, byte: usize) -> u32 {
        let block = byte / BLOCK_BYTES;
        let Some(before) = self.0.starts.get(block) else {
            return self.0.length;
        };
        let bytes = self.0.text.as_bytes();
        let rest = bytes.get(block * BLOCK_BYTES..byte).unwrap_or_default();
        before.saturating_add(code_points(rest))
    }

    /// The byte where a code point starts; the end of the text has one too. `None` beyond.
    pub(super) fn byte_at(&self, code_point: u32) -> Option<usize> {
        if code_point >= self.0.length {
            return (code_point == self.0.length).then_some(self.byte_len());
        }
        let block = self.0.starts.partition_point(|start| *start <= code_point);
        let block = block.checked_sub(1)?;
        let further = code_point - self.0.starts.get(block)?;
        let rest = self.0.text.as_bytes().get(block * BLOCK_BYTES..)?;
        let mut starting = (0..rest.len()).filter(|i| starts_code_point(rest[*i]));
        let within = starting.nth(usize::try_from(further).ok()?)?;
        Some(block * BLOCK_BYTES + within)
    }
}

impl fmt::Debug for SearchText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SearchText")
            .field("text_id", &self.text_id())
            .field("byte_len", &self.byte_len())
            .finish_non_exhaustive()
    }
}

/// Whether a byte of UTF-8 begins a code point, that is, does not continue one.
fn starts_code_point(byte: u8) -> bool {
    byte & 0b1100_0000 != 0b1000_0000
}

/// How many code points start in these bytes of UTF-8.
fn code_points(bytes: &[u8]) -> u32 {
    bytes.iter().map(|b| u32::from(starts_code_point(*b))).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_text_id_is_the_hash_of_the_text_as_it_was_extracted() {
        let text = SearchText::new("one\ntwo".to_owned());
        assert_eq!(text.text_id(), ContentId::of(b"one\ntwo"));
        assert_eq!(text.text(), "one two");
        assert_eq!(text.byte_len(), 7);
    }

    #[test]
    fn a_clone_shares_the_text() {
        let text = SearchText::new("shared".to_owned());
        assert!(std::ptr::eq(text.text(), text.clone().text()));
    }

    #[test]
    fn what_is_shown_for_debugging_is_not_the_text() {
        let shown = format!("{:?}", SearchText::new("secret".repeat(1000)));
        assert!(
            shown.contains("6000") && !shown.contains("secret"),
            "{shown}"
        );
    }

    #[test]
    fn the_end_of_the_text_has_a_position_and_nothing_beyond_has() {
        for text in [
            "",
            "a",
            &"д".repeat(512),
            &"a".repeat(1024),
            &"a".repeat(1025),
        ] {
            let search = SearchText::new((*text).to_owned());
            let length = u32::try_from(text.chars().count()).unwrap();
            assert_eq!(search.byte_at(length), Some(text.len()));
            assert_eq!(search.byte_at(length + 1), None);
            assert_eq!(search.byte_at(u32::MAX), None);
            assert_eq!(search.code_point_at(text.len()), length);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]

        #[test]
        fn positions_translate_as_counting_does(
            text in prop::collection::vec("[aд€😀]", 0..3000).prop_map(|c| c.concat()),
        ) {
            let search = SearchText::new(text.clone());
            for (code_point, (byte, _)) in text.char_indices().enumerate() {
                let code_point = u32::try_from(code_point).unwrap();
                prop_assert_eq!(search.byte_at(code_point), Some(byte));
                prop_assert_eq!(search.code_point_at(byte), code_point);
            }
        }
    }
}
