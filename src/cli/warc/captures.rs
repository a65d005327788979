//! Which responses were taken, so that a revisit can be another capture of one of them.

use std::collections::HashMap;

use super::record::RecordHead;

/// How many responses are remembered: at some 300 bytes each, 300 MB. Revisits of later ones
/// are passed over.
const REMEMBERED_MAX: usize = 1 << 20;

/// The responses taken so far, by their ids and by the digests of their payloads. `T` is what
/// became of one.
#[derive(Debug)]
pub struct Captures<T> {
    taken: Vec<T>,
    by_id: HashMap<String, usize>,
    by_digest: HashMap<Vec<u8>, usize>,
}

/// What a revisit repeats.
#[derive(Debug, PartialEq, Eq)]
pub enum Original<'a, T> {
    /// A response that was taken.
    Taken(&'a T),
    /// One that was not, by the name that the revisit gives it.
    Unknown(String),
}

impl<T> Default for Captures<T> {
    fn default() -> Self {
        Self {
            taken: Vec::new(),
            by_id: HashMap::new(),
            by_digest: HashMap::new(),
        }
    }
}

impl<T> Captures<T> {
    /// Takes note that the payload of `head` became `what`.
    pub fn took(&mut self, head: &RecordHead, what: T) {
        if self.taken.len() >= REMEMBERED_MAX {
            return;
        }
        let place = self.taken.len();
        self.taken.push(what);
        self.by_id.insert(head.id.clone(), place);
        if let Some(digest) = &head.payload_digest {
            self.by_digest.entry(digest.key()).or_insert(place);
        }
    }

    /// What the revisit `head` repeats: the record that it names, or else the first one with its
    /// payload digest.
    #[must_use]
    pub fn original(&self, head: &RecordHead) -> Original<'_, T> {
        let digest = head.payload_digest.as_ref();
        let place = self
            .by_id
            .get(&head.refers_to)
            .or_else(|| self.by_digest.get(&digest?.key()));
        match place.and_then(|place| self.taken.get(*place)) {
            Some(taken) => Original::Taken(taken),
            None if head.refers_to.is_empty() => Original::Unknown(match digest {
                Some(_) => "a payload that it names by its digest alone".to_owned(),
                None => "a response that it does not name".to_owned(),
            }),
            None => Original::Unknown(super::fault::shown(&head.refers_to)),
        }
    }
}
