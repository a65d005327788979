//! Copies of the rows of statements that lists show, sort by sort and in the order in which lists
//! show them, the newest first: a hundred of them lie side by side, where the rows themselves lie
//! among those of everything else that was said on the pair.
//!
//! A copy is made at the pair's next seal, of a statement to which few entries did something,
//! and stays. It says nothing about whether the statement stands, or whether more was done to it
//! since: that is said by the item by which it is looked for, and who finds no copy reads the
//! rows.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::item::{Item, Sort};
use crate::fold::{Changes, FoldError, Order, Row, Scan, Tables};
use crate::projection::positions::SHOWN;
use crate::projection::positions::history::{Changed, Pair};
use crate::projection::rows::Key;

/// How many copies are passed over before one is sought by its key: at some 0.5 µs each, about
/// as many as a seek costs.
const PASSED_MAX: usize = 16;

/// Where a copy lies among those of its pair: by sort, and in the order of age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    sort: Sort,
    latest: i64,
    earliest: i64,
    statement: u64,
    /// The last entry of those whose doings are copied.
    changed_by: u64,
}

impl Place {
    /// That of the statement that an item is a form of.
    pub(super) fn of(item: &Item) -> Self {
        Self {
            sort: item.sort(),
            latest: item.newness.latest,
            earliest: item.newness.earliest,
            statement: item.newness.statement,
            changed_by: item.changed_by,
        }
    }

    fn key(self, pair: &Pair) -> Key {
        // With the sign flipped, numbers lie in order as bytes; with the rest flipped, the
        // greatest first, as tables are read fastest.
        let newest_first = |seconds: i64| !(seconds.cast_unsigned() ^ (1 << 63));
        SHOWN
            .key()
            .slug(&pair.actor)
            .slug(&pair.topic)
            .bytes(&[self.sort.byte()])
            .index(newest_first(self.latest))
            .index(newest_first(self.earliest))
            .index(!self.statement)
            .index(self.changed_by)
    }
}

/// Writes copies.
pub(super) fn keep(
    pair: &Pair,
    shown: &BTreeMap<Place, Changed>,
    changes: &mut Changes,
) -> Result<(), FoldError> {
    for (place, changed) in shown {
        let key = place.key(pair).into_bytes();
        changes.insert(key, Some(SHOWN.encode(changed)?));
    }
    Ok(())
}

/// The copies of a pair, looked for from the newest down.
pub(super) struct Copies<'a> {
    tables: &'a dyn Tables,
    pair: &'a Pair,
    /// By sort.
    read: BTreeMap<Sort, Reading<'a>>,
}

/// How far one sort of them is read.
#[derive(Default)]
struct Reading<'a> {
    rows: Option<Scan<'a>>,
    /// The row that was read last.
    next: Option<Row>,
}

impl<'a> Copies<'a> {
    pub(super) const fn new(tables: &'a dyn Tables, pair: &'a Pair) -> Self {
        Self {
            tables,
            pair,
            read: BTreeMap::new(),
        }
    }

    /// The copy at a place, if there is one. Each place is older than those of its sort before.
    pub(super) fn at(&mut self, place: Place) -> Result<Option<Changed>, FoldError> {
        let key = place.key(self.pair);
        let key = key.as_bytes();
        let Reading { rows, next } = self.read.entry(place.sort).or_default();
        let mut passed = 0;
        loop {
            match &*next {
                Some((found, value)) if found == key => return SHOWN.decode(value).map(Some),
                Some((found, _)) if &found[..] > key => return Ok(None),
                _ => {}
            }
            if passed >= PASSED_MAX {
                *rows = None;
                passed = 0;
            }
            passed += 1;
            let from_here = || self.tables.rows(Bound::Included(key), Order::Ascending);
            *next = rows.get_or_insert_with(from_here).next().transpose()?;
            if next.is_none() {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::fold::MemoryTables;
    use crate::projection::positions::history::Change;

    fn place() -> impl Strategy<Value = Place> {
        let seconds = || prop_oneof![-3..3_i64, Just(i64::MIN), Just(i64::MAX)];
        let entries = || (0..40_u64, 0..2_u64);
        (0..3_usize, seconds(), seconds(), entries()).prop_map(
            |(sort, latest, earliest, (statement, changed_after))| Place {
                sort: Sort::VAGUE[sort],
                latest,
                earliest,
                statement,
                changed_by: statement + changed_after,
            },
        )
    }

    /// One that says of which place it is the copy.
    fn changed(place: Place) -> Changed {
        let signers = vec![u32::from(place.sort.byte())];
        Changed::from([(place.changed_by, Change::Retracted { signers })])
    }

    proptest! {
        #[test]
        fn what_was_copied_is_found_and_nothing_else_however_much_is_passed_over(
            copied in prop::collection::btree_set(place(), 0..120),
            sought in prop::collection::btree_set(place(), 0..12),
            others in prop::collection::btree_set(place(), 0..6),
            also in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let pair = |topic: &str| Pair {
                actor: "palace".parse().unwrap(),
                topic: topic.parse().unwrap(),
            };
            let mut tables = MemoryTables::default();
            for (topic, places) in [("a", &others), ("meeting", &copied), ("z", &others)] {
                let shown = places.iter().map(|it| (*it, changed(*it))).collect();
                let mut changes = Changes::new();
                keep(&pair(topic), &shown, &mut changes).unwrap();
                tables.apply(changes);
            }
            let mut sought: BTreeSet<Place> = sought;
            let all: Vec<Place> = copied.iter().copied().collect();
            if !all.is_empty() {
                sought.extend(also.iter().map(|it| *it.get(&all)));
            }
            let pair = pair("meeting");
            let mut copies = Copies::new(&tables, &pair);
            let age = |it: &Place| (it.latest, it.earliest, it.statement);
            let mut sought: Vec<Place> = sought.into_iter().collect();
            sought.sort_unstable_by_key(|it| std::cmp::Reverse(age(it)));
            for place in sought {
                let expected = copied.contains(&place).then(|| changed(place));
                prop_assert_eq!(copies.at(place).unwrap(), expected);
            }
        }
    }
}
