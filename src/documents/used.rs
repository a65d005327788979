//! The documents in use, since the last expiry began and since the one before.

use std::collections::HashSet;

use crate::record::ContentId;

/// How many documents are remembered between two expiries: 262,144 ids of 32 bytes, at most
/// 17 MB in a hash set that is half full, and twice that for two of them.
const IDS_MAX: usize = 1 << 18;

/// See the module.
#[derive(Default)]
pub(super) struct Used {
    since: Ids,
    before: Ids,
}

/// Documents that were used, or all of them.
#[derive(Default)]
struct Ids {
    ids: HashSet<ContentId>,
    /// More were used than are remembered: any may be one of them.
    any: bool,
}

impl Used {
    /// Remembers that a document is used. Only to be called of one that exists, so that nobody
    /// can fill it with ids that they made up.
    pub fn mark(&mut self, id: ContentId) {
        self.since.mark(id, IDS_MAX);
    }

    /// Whether the document was used lately, or may have been.
    pub fn contains(&self, id: &ContentId) -> bool {
        self.since.contains(id) || self.before.contains(id)
    }

    /// Begins the time after which what was not used may expire.
    pub fn turn(&mut self) {
        self.before = std::mem::take(&mut self.since);
    }

    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.since.ids.is_empty() && self.before.ids.is_empty()
    }
}

impl Ids {
    fn mark(&mut self, id: ContentId, most: usize) {
        if self.ids.len() < most {
            self.ids.insert(id);
        } else {
            self.any |= !self.ids.contains(&id);
        }
    }

    fn contains(&self, id: &ContentId) -> bool {
        self.any || self.ids.contains(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> ContentId {
        ContentId::of(&[number])
    }

    #[test]
    fn where_more_are_used_than_are_remembered_all_count_as_used() {
        let mut ids = Ids::default();
        for number in [0, 1, 1, 0] {
            ids.mark(id(number), 2);
        }
        assert!(ids.contains(&id(0)) && !ids.contains(&id(2)));
        ids.mark(id(2), 2);
        assert!(ids.contains(&id(2)) && ids.contains(&id(3)));
        assert_eq!(ids.ids.len(), 2);
    }

    #[test]
    fn a_document_counts_as_used_until_the_second_turn() {
        let mut used = Used::default();
        used.mark(id(0));
        used.turn();
        assert!(used.contains(&id(0)));
        used.turn();
        assert!(!used.contains(&id(0)) && used.is_empty());
    }
}
