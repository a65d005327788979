//! The documents that records name, and those of them that are withheld.

use std::collections::BTreeSet;

use crate::record::proto::record::Kind;
use crate::record::{ContentId, Entry};

/// Sources by id, as the entries of a ledger name them; 32 bytes and a little a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    archived: BTreeSet<ContentId>,
    withheld: BTreeSet<ContentId>,
}

impl Named {
    /// Takes in what an entry names. An id that is none is for admission to refuse.
    pub fn add(&mut self, entry: &Entry) {
        match &entry.record.kind {
            Some(Kind::SourceArchived(archived)) => {
                self.archived.extend(archived.source.parse::<ContentId>());
            }
            Some(Kind::SourceWithheld(withheld)) => {
                self.withheld.extend(withheld.source.parse::<ContentId>());
            }
            _ => {}
        }
    }

    /// All sources on record, in order of id.
    pub fn archived(&self) -> impl Iterator<Item = &ContentId> {
        self.archived.iter()
    }

    /// Whether a source is on record.
    #[must_use]
    pub fn contains(&self, source: &ContentId) -> bool {
        self.archived.contains(source)
    }

    /// Whether a source, or its text, is served no longer. Its bytes may have been erased.
    #[must_use]
    pub fn is_withheld(&self, source: &ContentId) -> bool {
        self.withheld.contains(source)
    }
}
