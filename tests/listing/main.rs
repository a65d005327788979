//! `CatalogService`'s lists: complete, in order, of one basis however the ledger grows, and
//! bounded.
#![cfg(feature = "daemon")]

mod bounds;
#[path = "../common/mod.rs"]
mod common;
mod definitions;
mod oracle;
mod statements;
mod tokens;
mod world;

use std::collections::BTreeSet;

/// Numbers that nobody could have chosen to suit a test, and that are the same in every run.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 += 1;
        let hash = blake3::hash(&self.0.to_le_bytes());
        let number = u64::from_le_bytes(std::array::from_fn(|byte| hash.as_bytes()[byte]));
        usize::try_from(number % sides as u64).unwrap()
    }

    fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        among[self.roll(among.len())].clone()
    }

    /// Some of these, each with even odds.
    fn some<T: Clone>(&mut self, among: &[T]) -> Vec<T> {
        let some = among.iter().filter(|_| self.roll(2) == 0);
        some.cloned().collect()
    }
}

/// That no item stands twice.
fn assert_distinct(ids: &[String]) {
    let distinct: BTreeSet<&String> = ids.iter().collect();
    assert_eq!(distinct.len(), ids.len(), "{ids:?}");
}
