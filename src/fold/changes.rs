//! What one entry changes, sorted by key: a handful of rows mostly, made anew for every entry, so
//! that a list is cheaper than a tree.

/// A key that is changed, and its new value, or none where the row goes.
pub type Changed<'a> = (&'a [u8], Option<&'a [u8]>);

/// As [`Changed`], owned.
type Change = (Vec<u8>, Option<Vec<u8>>);

/// Changes: key to new value, or to none where the row goes. Sorted by key, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes(Vec<Change>);

impl Changes {
    /// Nothing is changed.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Changes a key, whatever was said of it before.
    pub fn insert(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        match self.place(&key) {
            Ok(place) => {
                if let Some(change) = self.0.get_mut(place) {
                    change.1 = value;
                }
            }
            Err(place) => self.0.insert(place, (key, value)),
        }
    }

    /// The new value of a key, or none where the row goes; if it is changed.
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        let (_, value) = self.0.get(self.place(key).ok()?)?;
        Some(value.as_deref())
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = Changed<'_>> {
        self.starting_at(&[])
    }

    /// Those from a key on, in order.
    pub fn starting_at<'a>(&'a self, key: &[u8]) -> impl Iterator<Item = Changed<'a>> + use<'a> {
        let (Ok(place) | Err(place)) = self.place(key);
        let changes = self.0.get(place..).unwrap_or_default().iter();
        changes.map(|(key, value)| (&key[..], value.as_deref()))
    }

    /// How many keys are changed.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing is changed.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where a key stands, or would.
    fn place(&self, key: &[u8]) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known[..].cmp(key))
    }
}

impl Extend<Change> for Changes {
    fn extend<T: IntoIterator<Item = Change>>(&mut self, changes: T) {
        self.0.extend(changes);
        // Of changes of the same key the last comes first, and stays.
        self.0.reverse();
        self.0.sort_by(|one, other| one.0.cmp(&other.0));
        self.0.dedup_by(|later, first| later.0 == first.0);
    }
}

impl FromIterator<Change> for Changes {
    fn from_iter<T: IntoIterator<Item = Change>>(changes: T) -> Self {
        let mut all = Self::new();
        all.extend(changes);
        all
    }
}

impl<const N: usize> From<[Change; N]> for Changes {
    fn from(changes: [Change; N]) -> Self {
        changes.into_iter().collect()
    }
}

impl IntoIterator for Changes {
    type Item = Change;
    type IntoIter = std::vec::IntoIter<Change>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn change() -> impl Strategy<Value = Change> {
        let bytes = || prop::collection::vec(0..3_u8, 0..3);
        (bytes(), prop::option::of(bytes()))
    }

    proptest! {
        #[test]
        fn changes_are_those_of_a_sorted_map(
            (one_by_one, together) in (
                prop::collection::vec(change(), 0..12),
                prop::collection::vec(change(), 0..12),
            ),
            sought in prop::collection::vec(0..3_u8, 0..3),
        ) {
            let mut changes = Changes::new();
            let mut map = BTreeMap::new();
            for (key, value) in one_by_one {
                changes.insert(key.clone(), value.clone());
                map.insert(key, value);
            }
            changes.extend(together.clone());
            map.extend(together);
            prop_assert_eq!(changes.len(), map.len());
            prop_assert_eq!(changes.is_empty(), map.is_empty());
            prop_assert_eq!(changes.get(&sought), map.get(&sought).map(Option::as_deref));
            let shown = |(key, value): Changed<'_>| (key.to_vec(), value.map(<[u8]>::to_vec));
            let from: Vec<Change> = changes.starting_at(&sought).map(shown).collect();
            let expected = map.range(sought..).map(|(key, value)| (key.clone(), value.clone()));
            prop_assert_eq!(from, expected.collect::<Vec<_>>());
            let all: Vec<Change> = changes.iter().map(shown).collect();
            prop_assert_eq!(&all, &map.into_iter().collect::<Vec<_>>());
            prop_assert_eq!(changes.into_iter().collect::<Vec<_>>(), all);
        }
    }
}
