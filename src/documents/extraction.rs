//! How a text comes from a source: which profile reads it as which media type. The same
//! extraction gives the same text for ever, so that what it gave is remembered for a while,
//! and a text that was lost can be had again.

use std::collections::HashMap;

use super::Document;
use crate::record::ContentId;
use crate::text::{ExtractError, Profile};

/// What gives a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Extraction {
    /// The source.
    pub source: ContentId,
    /// What reads it.
    pub profile: Profile,
    /// As what it is read.
    pub media_type: String,
}

/// The documents and extractions that records name.
pub trait DocumentsOnRecord: Send + Sync {
    /// An extraction that a record says gives this text; none if no record does, or none can
    /// be read.
    fn of_text(&self, text_id: &ContentId) -> Option<Extraction>;

    /// Whether a record names a document; not if that cannot be read.
    fn names(&self, document: &Document) -> bool;

    /// How many entries there are: where it is what it was, no other document is named.
    fn size(&self) -> u64;
}

/// How many extractions are remembered: with media types of some 30 bytes 2 MiB, with the
/// longest that a record may name 6 MiB.
const REMEMBERED_MAX: usize = 1 << 14;

/// What extractions gave, the ones since it was last full.
#[derive(Default)]
pub(super) struct Remembered(HashMap<Extraction, Result<ContentId, ExtractError>>);

impl Remembered {
    pub fn find(&self, extraction: &Extraction) -> Option<Result<ContentId, ExtractError>> {
        self.0.get(extraction).cloned()
    }

    pub fn keep(&mut self, extraction: Extraction, gave: Result<ContentId, ExtractError>) {
        if self.0.len() >= REMEMBERED_MAX {
            self.0.clear();
        }
        self.0.insert(extraction, gave);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_extractions_are_remembered_than_may_be() {
        let mut remembered = Remembered::default();
        let extraction = |number: usize| Extraction {
            source: ContentId::of(b""),
            profile: Profile::PlainText1,
            media_type: number.to_string(),
        };
        for number in 0..=REMEMBERED_MAX {
            remembered.keep(extraction(number), Ok(ContentId::of(b"")));
            assert!(remembered.find(&extraction(number)).is_some());
            assert!(remembered.0.len() <= REMEMBERED_MAX);
        }
    }
}
