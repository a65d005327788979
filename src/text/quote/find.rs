//! Where a passage stands, for an author who wants to quote it or who was refused: every
//! place, as [`SearchText::select`] would see it, or the passages that come nearest.

use std::ops::Range;

use super::{Quote, QuoteError, Segment};
use crate::text::nearest::around;
use crate::text::search::{Passage, SearchText};

/// How many places are told: more than anybody reads, and each is one search.
pub const PLACES_MAX: usize = 100;

/// Where a passage stands in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The first [`PLACES_MAX`] places, in the order of the text. Places may overlap.
    pub places: Vec<Place>,
    /// Whether it stands at still more places.
    pub more: bool,
    /// If it stands nowhere: the passages that share the longest runs of words with it.
    pub nearest: Vec<Passage>,
}

/// One place where a passage stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where, in code points, half-open: what a segment's `start` and `end` would be.
    pub range: Range<u32>,
    /// What stands around its middle.
    pub around: Passage,
}

impl Found {
    /// The one place where the passage stands, if it can be quoted as it is.
    #[must_use]
    pub fn only(&self) -> Option<&Place> {
        match &self.places[..] {
            [place] => Some(place),
            _ => None,
        }
    }
}

impl SearchText {
    /// Finds a passage, normalised as the words of a segment are.
    ///
    /// # Errors
    /// [`QuoteError::Empty`] if nothing of the passage is left once it is normalised.
    pub fn find(&self, passage: &str) -> Result<Found, QuoteError> {
        let segment = Segment {
            exact: passage,
            ..Segment::default()
        };
        let quote = Quote::new(0, &segment)?;
        let mut starts = quote.places(self.text(), 0, PLACES_MAX + 1);
        let more = starts.len() > PLACES_MAX;
        starts.truncate(PLACES_MAX);
        let nearest = if starts.is_empty() {
            quote.nearest(self)
        } else {
            Vec::new()
        };
        let place = |start| {
            let bytes = quote.range(start);
            Place {
                around: self.passage(around(self.text(), bytes.clone())),
                range: self.code_point_range(bytes),
            }
        };
        Ok(Found {
            places: starts.into_iter().map(place).collect(),
            more,
            nearest,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::normalise;
    use proptest::prelude::*;

    #[test]
    fn a_passage_is_found_at_every_place_where_a_segment_could_stand() {
        let text = "He is open.\nWe are open to a meeting, open to talks.".to_owned();
        let text = SearchText::new(text);
        let places = |passage| {
            let found = text.find(passage).unwrap();
            let ends = |place: &Place| (place.range.start, place.range.end);
            let places: Vec<(u32, u32)> = found.places.iter().map(ends).collect();
            (places, found.nearest.len())
        };
        assert_eq!(places("open"), (vec![(6, 10), (19, 23), (38, 42)], 0));
        assert_eq!(places(" open.\u{A0}We "), (vec![(6, 14)], 0));
        assert_eq!(places("are open to the meeting"), (vec![], 3));
        assert_eq!(places("нет"), (vec![], 0));
        assert_eq!(text.find(" \n"), Err(QuoteError::Empty { segment: 0 }));
    }

    #[test]
    fn places_may_overlap_and_are_told_up_to_a_bound() {
        let found = |count| SearchText::new("a".repeat(count)).find("aa").unwrap();
        assert_eq!((found(4).places.len(), found(4).more), (3, false));
        assert!(found(4).only().is_none() && found(2).only().is_some());
        let [all, more] = [PLACES_MAX + 1, PLACES_MAX + 2].map(found);
        assert_eq!((all.places.len(), all.more), (PLACES_MAX, false));
        assert_eq!((more.places.len(), more.more), (PLACES_MAX, true));
    }

    proptest! {
        #[test]
        fn a_passage_can_be_quoted_as_it_is_where_it_is_found_once(
            text in "[ab ]{0,12}", passage in "[ab]{1,3}",
        ) {
            let text = SearchText::new(normalise(&text));
            let found = text.find(&passage).unwrap();
            let segment = Segment { exact: &passage, ..Segment::default() };
            let selected = text.select(&[segment]).ok();
            let only = found.only().map(|place| place.range.clone());
            prop_assert_eq!(only, selected.map(|selection| selection.ranges[0].clone()));
        }
    }
}
