//! The slugs in a table that come near one that is not: what its author may have meant.
//!
//! Only rows beside the place where the slug would stand are looked at, so that it costs the
//! same in a table of any size. In a small table these are all rows; in a large one, those that
//! begin alike. What is found is a function of the table alone.

use std::ops::Bound;

use super::{Order, Tables, TablesError};
use crate::record::near::nearest;

/// How many rows are looked at on either side.
const ROWS_EACH_WAY_MAX: usize = 128;

/// The slugs that come near `slug`, nearest first. The keys of the table begin with `prefix`;
/// `read` says which slug the rest of a key names, if it is one that counts.
pub fn near(
    tables: &dyn Tables,
    prefix: &[u8],
    slug: &str,
    read: impl Fn(&[u8]) -> Option<&str>,
) -> Result<Vec<String>, TablesError> {
    let place = [prefix, slug.as_bytes()].concat();
    let mut beside = Vec::new();
    for (start, order) in [
        (Bound::Included(&place[..]), Order::Ascending),
        (Bound::Excluded(&place[..]), Order::Descending),
    ] {
        for row in tables.rows(start, order).take(ROWS_EACH_WAY_MAX) {
            let (key, _) = row?;
            let Some(rest) = key.strip_prefix(prefix) else {
                break;
            };
            beside.extend(read(rest).map(str::to_owned));
        }
    }
    beside.sort_unstable();
    beside.dedup();
    Ok(nearest(slug, beside))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::{Changes, MemoryTables};

    fn tables(keys: &[&str]) -> MemoryTables {
        let rows = keys
            .iter()
            .map(|key| (key.as_bytes().to_vec(), Some(Vec::new())));
        let mut tables = MemoryTables::default();
        tables.apply(rows.collect::<Changes>());
        tables
    }

    fn found(tables: &MemoryTables, slug: &str) -> Vec<String> {
        near(tables, b"a", slug, |rest| std::str::from_utf8(rest).ok()).unwrap()
    }

    #[test]
    fn what_comes_near_is_found_on_either_side_and_in_no_other_table() {
        let tables = tables(&["Zlavrof", "akremlin", "alavrov", "apeskov", "blavrog"]);
        assert_eq!(found(&tables, "lavrof"), ["lavrov"]);
        assert_eq!(found(&tables, "lavrow"), ["lavrov"]);
        assert_eq!(found(&tables, "krem1in"), ["kremlin"]);
        assert!(found(&tables, "nobody").is_empty());
    }

    #[test]
    fn no_more_rows_are_looked_at_than_the_bound_says() {
        let keys: Vec<String> = (0..1_000).map(|number| format!("ax{number:03}")).collect();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let tables = tables(&keys);
        let looked = std::cell::Cell::new(0);
        near(&tables, b"a", "x500", |_| {
            looked.set(looked.get() + 1);
            None
        })
        .unwrap();
        assert_eq!(looked.get(), 2 * ROWS_EACH_WAY_MAX);
    }
}
