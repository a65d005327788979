//! The tables of a fold as a [`ProjectionStore`] keeps them.

use std::sync::Arc;

use crate::fold::{Row, Scan, Tables, TablesError};
use crate::storage::{Direction, KeyRange, ProjectionStore, Rows, TableError};

/// Shows a store's rows to a fold.
#[derive(Clone)]
pub struct StoredTables(Arc<dyn ProjectionStore>);

impl StoredTables {
    /// Shows the rows of `store`.
    #[must_use]
    pub const fn new(store: Arc<dyn ProjectionStore>) -> Self {
        Self(store)
    }

    /// The store behind.
    #[must_use]
    pub fn store(&self) -> &dyn ProjectionStore {
        &*self.0
    }
}

impl std::fmt::Debug for StoredTables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredTables").finish_non_exhaustive()
    }
}

impl Tables for StoredTables {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.0.get(key).map_err(|error| unreadable(&error))
    }

    fn scan(&self, prefix: &[u8]) -> Scan<'_> {
        Box::new(BothEnds {
            store: self.store(),
            prefix: prefix.to_vec(),
            front: None,
            back: None,
            front_key: None,
            back_key: None,
            done: false,
        })
    }
}

fn unreadable(error: &TableError) -> TablesError {
    TablesError(error.to_string())
}

/// A scan from both ends, of which each begins when it is first asked for. They have met once
/// either gives a row that the other has given.
struct BothEnds<'a> {
    store: &'a dyn ProjectionStore,
    prefix: Vec<u8>,
    front: Option<Rows<'a>>,
    back: Option<Rows<'a>>,
    front_key: Option<Vec<u8>>,
    back_key: Option<Vec<u8>>,
    done: bool,
}

impl<'a> BothEnds<'a> {
    fn rows(&self, direction: Direction) -> Rows<'a> {
        self.store.scan(KeyRange::prefix(&self.prefix), direction)
    }

    /// Gives the row on, unless the ends have met or the scan has failed.
    fn give(
        &mut self,
        row: Option<Result<Row, TableError>>,
        met: impl FnOnce(&Self, &[u8]) -> bool,
    ) -> Option<Result<Row, TablesError>> {
        match row {
            Some(Ok((key, _))) if met(self, &key) => self.done = true,
            Some(Ok(row)) => return Some(Ok(row)),
            Some(Err(error)) => {
                self.done = true;
                return Some(Err(unreadable(&error)));
            }
            None => self.done = true,
        }
        None
    }
}

impl Iterator for BothEnds<'_> {
    type Item = Result<Row, TablesError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut front = match self.front.take() {
            Some(front) => front,
            None => self.rows(Direction::Forwards),
        };
        let row = front.next();
        self.front = Some(front);
        let met = |ends: &Self, key: &[u8]| ends.back_key.as_deref().is_some_and(|at| key >= at);
        let row = self.give(row, met);
        if let Some(Ok((key, _))) = &row {
            self.front_key = Some(key.clone());
        }
        row
    }
}

impl DoubleEndedIterator for BothEnds<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.done {
            return None;
        }
        let mut back = match self.back.take() {
            Some(back) => back,
            None => self.rows(Direction::Backwards),
        };
        let row = back.next();
        self.back = Some(back);
        let met = |ends: &Self, key: &[u8]| ends.front_key.as_deref().is_some_and(|at| key <= at);
        let row = self.give(row, met);
        if let Some(Ok((key, _))) = &row {
            self.back_key = Some(key.clone());
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fold;
    use crate::storage::MemoryTables;

    proptest! {
        #[test]
        fn a_scan_read_from_both_ends_gives_what_a_sorted_map_gives(
            rows in prop::collection::btree_map(
                prop::collection::vec(0..3_u8, 0..4), prop::collection::vec(any::<u8>(), 0..3), 0..20,
            ),
            prefix in prop::collection::vec(0..3_u8, 0..3),
            from_the_back in prop::collection::vec(any::<bool>(), 25),
        ) {
            let changes: Vec<_> = rows.into_iter().map(|(key, value)| (key, Some(value))).collect();
            let store = MemoryTables::new();
            store.apply(&changes).unwrap();
            let mut oracle = fold::MemoryTables::default();
            oracle.apply(changes.into_iter().collect());

            let tables = StoredTables::new(Arc::new(store));
            let (mut found, mut expected) = (tables.scan(&prefix), oracle.scan(&prefix));
            for back in from_the_back {
                if back {
                    prop_assert_eq!(found.next_back(), expected.next_back());
                } else {
                    prop_assert_eq!(found.next(), expected.next());
                }
            }
        }
    }
}
