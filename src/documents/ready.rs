//! The texts that were searched last, within a bound on their bytes.

use std::collections::{BTreeMap, HashMap};

use crate::record::ContentId;
use crate::text::SearchText;

/// See the module.
pub(super) struct Ready {
    bytes_max: usize,
    bytes: usize,
    /// Each text with the number of its last use.
    texts: HashMap<ContentId, (SearchText, u64)>,
    /// The same by that number, least recent first.
    order: BTreeMap<u64, ContentId>,
    uses: u64,
}

impl Ready {
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            texts: HashMap::new(),
            order: BTreeMap::new(),
            uses: 0,
        }
    }

    pub fn find(&mut self, id: &ContentId) -> Option<SearchText> {
        let (text, used) = self.texts.get_mut(id)?;
        self.order.remove(used);
        self.uses += 1;
        *used = self.uses;
        self.order.insert(self.uses, *id);
        Some(text.clone())
    }

    pub fn keep(&mut self, text: SearchText) {
        let id = text.text_id();
        self.forget(&id);
        self.bytes += text.byte_len();
        self.uses += 1;
        self.order.insert(self.uses, id);
        self.texts.insert(id, (text, self.uses));
        while self.bytes > self.bytes_max
            && let Some((_, least)) = self.order.pop_first()
        {
            self.forget(&least);
        }
    }

    pub fn forget(&mut self, id: &ContentId) {
        if let Some((text, used)) = self.texts.remove(id) {
            self.order.remove(&used);
            self.bytes -= text.byte_len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> (ContentId, SearchText) {
        (
            ContentId::of(text.as_bytes()),
            SearchText::new(text.to_owned()),
        )
    }

    #[test]
    fn texts_are_kept_up_to_a_bound_on_their_bytes() {
        let mut ready = Ready::new(10);
        for (id, text) in ["aaaaaa", "bbbbbb", "cccccc"].map(text) {
            ready.keep(text);
            assert!(ready.bytes <= 10);
            assert_eq!(ready.texts.len(), 1);
            assert_eq!(ready.find(&id).map(|text| text.text_id()), Some(id));
        }
    }

    #[test]
    fn what_was_used_last_is_kept() {
        let mut ready = Ready::new(12);
        let [(one, first), (two, second), (three, third)] =
            ["aaaaaa", "bbbbbb", "cccccc"].map(text);
        ready.keep(first);
        ready.keep(second);
        ready.find(&one);
        ready.keep(third);
        let mut held = |id| ready.find(&id).is_some();
        assert_eq!((held(one), held(two), held(three)), (true, false, true));
    }
}
