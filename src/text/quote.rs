//! Quotation matching: where the segments of a quotation stand in an extracted text.
//!
//! A segment is found by its words (`exact`, told apart by what stands before and after it)
//! or placed by its position; both are the selectors of the W3C Web Annotation model. All
//! three strings are taken in normal form, and a line end in the text equals a blank.
//!
//! **Invariant**: a selection is the only one that its segments allow. Each segment stands
//! exactly once in what follows the one before it (matches that overlap count as several:
//! `aa` stands twice in `aaa`), or at the one place that its position names. `prefix` and
//! `suffix` may reach into the segments around.
//!
//! Matching is by code points, and to the letter. A segment may end before a combining mark
//! of the text or inside a sequence of joined emoji. No letter is cut in two that NFC
//! composes: `e` does not stand in `é`.
//!
//! Finding takes time linear in the text, whatever the text: each place asked for is one
//! search for `prefix`, `exact` and `suffix` together, in each of the at most four ways in
//! which a blank may stand between them.

mod find;

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem::Finder;

use super::nearest::{PASSAGE_CHARS_MAX, PASSAGES_MAX, around, nearest, unlike};
use super::normal::one_line;
use super::search::{Passage, SearchText};

pub use find::{Found, PLACES_MAX, Place};

/// What joins the segments of one quotation: something between them was left out.
pub const OMISSION: &str = " […] ";

/// One unbroken stretch of a quotation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The words quoted (`TextQuoteSelector`). Never empty once normalised.
    pub exact: &'a str,
    /// What stands right before them, at most one blank between; may be empty.
    pub prefix: &'a str,
    /// What stands right after them, at most one blank between; may be empty.
    pub suffix: &'a str,
    /// Where they begin in the extracted text, in code points (`TextPositionSelector`).
    /// Either of `start` and `end` is enough to place the segment.
    pub start: Option<u32>,
    /// Where they end, in code points; the code point at `end` is not quoted.
    pub end: Option<u32>,
}

/// Where a quotation stands, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selection {
    /// One range for each segment, half-open, in code points of the extracted text; in order
    /// and without overlap.
    pub ranges: Vec<Range<u32>>,
    /// The words selected, with blanks for line ends and [`OMISSION`] between segments.
    pub text: String,
}

/// A part of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// The words before the quoted ones.
    Prefix,
    /// The quoted words, or their length.
    Exact,
    /// The words after the quoted ones.
    Suffix,
}

/// Why a quotation selects nothing. The input has to change. `segment` counts from 0; there
/// are at most [`PASSAGES_MAX`] passages of at most [`PASSAGE_CHARS_MAX`] code points.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuoteError {
    /// Nothing of the segment is left once it is normalised.
    #[error("segment {segment} is empty")]
    Empty {
        /// The segment.
        segment: usize,
    },
    /// The segment does not stand in the text after the segment before it.
    #[error("segment {segment} {}{}", absence(earlier.as_ref()), looks_alike(nearest))]
    NotFound {
        /// The segment.
        segment: usize,
        /// The first place where it does stand, before the end of the segment before it.
        earlier: Option<Range<u32>>,
        /// Passages anywhere in the text that share the longest runs of words with it, best
        /// first.
        nearest: Vec<Passage>,
    },
    /// The quoted words stand there, but not between this prefix and suffix.
    #[error("segment {segment} is in the text, but not with this prefix and suffix")]
    OtherContext {
        /// The segment.
        segment: usize,
        /// Passages that share the longest runs of words with it and its context, best first.
        nearest: Vec<Passage>,
    },
    /// The segment stands at several places; more context or a position would settle which.
    #[error("segment {segment} is in the text {}", times(*count_at_least, ranges))]
    Ambiguous {
        /// The segment.
        segment: usize,
        /// The first places where it stands: any one of them settles the ambiguity.
        ranges: Vec<Range<u32>>,
        /// The same places with what stands around them, told once where that is the same.
        passages: Vec<Passage>,
        /// How many places were seen before the search was given up.
        count_at_least: usize,
    },
    /// The segment does not stand at the position that it gives.
    #[error("segment {segment} is not at its position, where {found:?} stands")]
    PositionMismatch {
        /// The segment.
        segment: usize,
        /// What of it differs there.
        part: Part,
        /// What stands in the place of that part, shortened; empty beyond the text's end.
        found: String,
        /// Where it does stand, if anywhere; else the passages nearest to it.
        nearest: Vec<Passage>,
    },
    /// The segment stands at its position, but that lies before the end of the segment
    /// before it.
    #[error("segment {segment} starts at {start}, before the one before it ends ({previous_end})")]
    OutOfOrder {
        /// The segment.
        segment: usize,
        /// Where it starts, in code points.
        start: u32,
        /// Where the segment before it ends.
        previous_end: u32,
    },
}

fn looks_alike(nearest: &[Passage]) -> String {
    let unlike = nearest.iter().find_map(|passage| passage.unlike);
    unlike.map_or_else(String::new, |unlike| {
        format!(", and looks like one that is: {unlike}")
    })
}

fn absence(earlier: Option<&Range<u32>>) -> String {
    match earlier {
        None => "is not in the text".to_owned(),
        Some(Range { start, end }) => {
            format!("is in the text only before the end of the segment before it, at {start}–{end}")
        }
    }
}

/// Whether a statement's text says what a selection says, both in normal form and with blanks
/// for line ends. Letters, marks and punctuation must be the same.
#[must_use]
pub fn says_the_same(statement_text: &str, selection: &str) -> bool {
    statement_text == selection || one_line(statement_text) == one_line(selection)
}

impl SearchText {
    /// Finds the segments of a quotation, in the order of the text.
    ///
    /// The caller bounds how many there are. No segments select nothing, and say nothing.
    pub fn select(&self, segments: &[Segment<'_>]) -> Result<Selection, QuoteError> {
        let mut ranges = Vec::with_capacity(segments.len());
        let mut text = String::new();
        let mut end = 0;
        for (index, segment) in segments.iter().enumerate() {
            let quote = Quote::new(index, segment)?;
            let found = match Position::of(segment) {
                Some(position) => quote.place(self, &position, end)?,
                None => quote.find(self, end)?,
            };
            end = found.end;
            ranges.push(self.code_point_range(found));
            if index > 0 {
                text.push_str(OMISSION);
            }
            text.push_str(&quote.exact);
        }
        Ok(Selection { ranges, text })
    }
}

/// A segment's strings in normal form.
struct Quote<'a> {
    segment: usize,
    exact: Cow<'a, str>,
    prefix: Cow<'a, str>,
    suffix: Cow<'a, str>,
}

/// Where a segment says it stands, in code points.
enum Position {
    From(u32),
    UpTo(u32),
    Both(Range<u32>),
}

impl Position {
    fn of(segment: &Segment<'_>) -> Option<Self> {
        match (segment.start, segment.end) {
            (None, None) => None,
            (Some(start), None) => Some(Self::From(start)),
            (None, Some(end)) => Some(Self::UpTo(end)),
            (Some(start), Some(end)) => Some(Self::Both(start..end)),
        }
    }
}

/// A segment with its context, as one string to search for.
struct Needle<'a> {
    text: Cow<'a, str>,
    /// How many of its bytes stand before `exact`.
    lead: usize,
}

impl<'a> Quote<'a> {
    fn new(segment: usize, given: &Segment<'a>) -> Result<Self, QuoteError> {
        let exact = one_line(given.exact);
        if exact.is_empty() {
            return Err(QuoteError::Empty { segment });
        }
        Ok(Self {
            segment,
            exact,
            prefix: one_line(given.prefix),
            suffix: one_line(given.suffix),
        })
    }

    /// The bytes of the only place at or after `from` where the segment stands.
    fn find(&self, text: &SearchText, from: usize) -> Result<Range<usize>, QuoteError> {
        match *self.places(text.text(), from, 2) {
            [] => Err(self.missing(text, from)),
            [place] => Ok(self.range(place)),
            _ => Err(self.ambiguous(text, from)),
        }
    }

    /// Where the segment first stands in the whole text.
    fn first_place(&self, text: &SearchText) -> Option<Range<u32>> {
        let places = self.places(text.text(), 0, 1);
        let range = |place: &usize| text.code_point_range(self.range(*place));
        places.first().map(range)
    }

    /// The bytes of the place that the position names, which must be at or after `from`.
    fn place(
        &self,
        text: &SearchText,
        position: &Position,
        from: usize,
    ) -> Result<Range<usize>, QuoteError> {
        let place = self.stands_at(text, position);
        let range = place.map_err(|(part, found)| QuoteError::PositionMismatch {
            segment: self.segment,
            part,
            found,
            nearest: match self.places(text.text(), 0, PASSAGES_MAX) {
                places if places.is_empty() => self.nearest(text),
                places => self.shown(text, &places),
            },
        })?;
        if range.start < from {
            return Err(QuoteError::OutOfOrder {
                segment: self.segment,
                start: text.code_point_at(range.start),
                previous_end: text.code_point_at(from),
            });
        }
        Ok(range)
    }

    /// The bytes at the position, if all parts of the segment stand there; else the first
    /// part that does not, and what stands in its place.
    fn stands_at(
        &self,
        search: &SearchText,
        position: &Position,
    ) -> Result<Range<usize>, (Part, String)> {
        let text = search.text();
        let start = match position {
            Position::From(start) | Position::Both(Range { start, .. }) => search.byte_at(*start),
            Position::UpTo(end) => search
                .byte_at(*end)
                .and_then(|end| end.checked_sub(self.exact.len())),
        };
        let range = start
            .map(|start| self.range(start))
            .filter(|range| text.get(range.clone()) == Some(&self.exact))
            .filter(|range| match position {
                Position::Both(both) => search.byte_at(both.end) == Some(range.end),
                Position::From(_) | Position::UpTo(_) => true,
            })
            .ok_or_else(|| (Part::Exact, self.found_at(search, position)))?;
        let (before, after) = (&text[..range.start], &text[range.end..]);
        let part = if !ends_with(before, &self.prefix) {
            let length = self.prefix.chars().count().min(PASSAGE_CHARS_MAX);
            (
                Part::Prefix,
                last_chars(before.trim_end_matches(' '), length),
            )
        } else if !starts_with(after, &self.suffix) {
            let length = self.suffix.chars().count().min(PASSAGE_CHARS_MAX);
            (
                Part::Suffix,
                first_chars(after.trim_start_matches(' '), length),
            )
        } else {
            return Ok(range);
        };
        Err((part.0, part.1.to_owned()))
    }

    /// What stands where the position would have `exact` stand.
    fn found_at(&self, search: &SearchText, position: &Position) -> String {
        let length = u32::try_from(self.exact.chars().count()).unwrap_or(u32::MAX);
        let range = match *position {
            Position::From(start) => start..start.saturating_add(length),
            Position::UpTo(end) => end.saturating_sub(length)..end,
            Position::Both(ref both) => both.clone(),
        };
        let bytes = search.byte_at(range.start).unwrap_or(search.byte_len());
        let rest = search.text().get(bytes..).unwrap_or_default();
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(usize::MAX);
        first_chars(rest, length.min(PASSAGE_CHARS_MAX)).to_owned()
    }

    /// The first `at_most` places at or after `from` where the segment stands, in order.
    fn places(&self, text: &str, from: usize, at_most: usize) -> Vec<usize> {
        let mut places = Vec::new();
        for needle in self.needles() {
            let finder = Finder::new(needle.text.as_bytes());
            let mut at = from.saturating_sub(needle.lead);
            for _ in 0..at_most {
                let rest = text.as_bytes().get(at..).unwrap_or_default();
                let Some(hit) = finder.find(rest) else { break };
                places.push(at + hit + needle.lead);
                at += hit + 1;
            }
        }
        places.sort_unstable();
        places.truncate(at_most);
        places
    }

    /// All that can stand where the segment stands. No two of them can stand at one place:
    /// normal strings neither begin nor end with a blank, so what is beside `exact` tells
    /// which it is.
    fn needles(&self) -> Vec<Needle<'_>> {
        let joints = |context: &str| {
            if context.is_empty() {
                &[""][..]
            } else {
                &["", " "]
            }
        };
        let (prefix, exact, suffix) = (&*self.prefix, &*self.exact, &*self.suffix);
        if prefix.is_empty() && suffix.is_empty() {
            let text = Cow::Borrowed(exact);
            return vec![Needle { text, lead: 0 }];
        }
        let mut needles = Vec::with_capacity(4);
        for before in joints(prefix) {
            for after in joints(suffix) {
                needles.push(Needle {
                    text: Cow::Owned([prefix, before, exact, after, suffix].concat()),
                    lead: prefix.len() + before.len(),
                });
            }
        }
        needles
    }

    /// The refusal of a segment that stands nowhere at or after `from`.
    fn missing(&self, text: &SearchText, from: usize) -> QuoteError {
        let segment = self.segment;
        let bare = Quote {
            exact: Cow::Borrowed(&*self.exact),
            prefix: Cow::Borrowed(""),
            suffix: Cow::Borrowed(""),
            segment,
        };
        let nearest = self.nearest(text);
        let earlier = self.first_place(text);
        if earlier.is_none() && !bare.places(text.text(), from, 1).is_empty() {
            return QuoteError::OtherContext { segment, nearest };
        }
        QuoteError::NotFound {
            segment,
            earlier,
            nearest,
        }
    }

    /// The refusal of a segment that stands at two places at least.
    fn ambiguous(&self, text: &SearchText, from: usize) -> QuoteError {
        let mut places = self.places(text.text(), from, PASSAGES_MAX + 1);
        let count_at_least = places.len();
        places.truncate(PASSAGES_MAX);
        let range = |place: &usize| text.code_point_range(self.range(*place));
        QuoteError::Ambiguous {
            segment: self.segment,
            ranges: places.iter().map(range).collect(),
            passages: self.shown(text, &places),
            count_at_least,
        }
    }

    /// These places with what stands around them.
    fn shown(&self, text: &SearchText, places: &[usize]) -> Vec<Passage> {
        let shown = |place: &usize| text.passage(around(text.text(), self.range(*place)));
        let mut passages: Vec<Passage> = places.iter().map(shown).collect();
        passages.dedup();
        passages
    }

    /// The passages most like the segment with its context.
    fn nearest(&self, text: &SearchText) -> Vec<Passage> {
        let wanted = [&*self.prefix, &*self.exact, &*self.suffix].join(" ");
        let found = nearest(text.text(), &wanted);
        let passages = found.into_iter().map(|range| text.passage(range));
        let told = passages.map(|passage| Passage {
            unlike: unlike(&self.exact, &passage.text),
            ..passage
        });
        told.collect()
    }

    /// The bytes of the segment if it begins at `start`.
    fn range(&self, start: usize) -> Range<usize> {
        start..start.saturating_add(self.exact.len())
    }
}

/// How often, and where first.
fn times(count_at_least: usize, ranges: &[Range<u32>]) -> String {
    let ranges: Vec<String> = ranges
        .iter()
        .map(|range| format!("{}–{}", range.start, range.end))
        .collect();
    let or_more = if count_at_least > ranges.len() {
        " or more"
    } else {
        ""
    };
    format!("{count_at_least}{or_more} times: at {}", ranges.join(", "))
}

/// Whether `text` ends with `context`, or with `context` and a blank.
fn ends_with(text: &str, context: &str) -> bool {
    text.strip_suffix(' ').unwrap_or(text).ends_with(context)
}

/// Whether `text` starts with `context`, or with a blank and `context`.
fn starts_with(text: &str, context: &str) -> bool {
    text.strip_prefix(' ').unwrap_or(text).starts_with(context)
}

fn first_chars(text: &str, count: usize) -> &str {
    let end = text
        .char_indices()
        .nth(count)
        .map_or(text.len(), |(i, _)| i);
    &text[..end]
}

fn last_chars(text: &str, count: usize) -> &str {
    match count.checked_sub(1) {
        None => "",
        Some(back) => {
            let start = text.char_indices().rev().nth(back).map_or(0, |(i, _)| i);
            &text[start..]
        }
    }
}

#[cfg(test)]
mod tests;
