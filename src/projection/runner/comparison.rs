//! Compares two sets of rows, both in key order, holding one row of each at a time.

use std::cmp::Ordering;
use std::iter::Peekable;

use crate::fold::{Row, TablesError};
use crate::projection::key_text::key_text;

/// How many differences are named: enough to see what they have in common.
pub(super) const DIFFERENCES_MAX: usize = 20;

/// What a comparison has found so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Compared {
    /// How many rows of the replay were looked for.
    pub rows: u64,
    /// The first differences, for people.
    pub differences: Vec<String>,
    /// Whether it ended before the last row, as it had found enough.
    pub is_cut_short: bool,
}

/// The rows that are stored beside those of a replay.
pub(super) struct Comparison<S: Iterator, R: Iterator> {
    stored: Peekable<S>,
    replayed: Peekable<R>,
    pub(super) compared: Compared,
}

impl<S, R> Comparison<S, R>
where
    S: Iterator<Item = Result<Row, TablesError>>,
    R: Iterator<Item = Result<Row, TablesError>>,
{
    pub(super) fn new(stored: S, replayed: R) -> Self {
        Self {
            stored: stored.peekable(),
            replayed: replayed.peekable(),
            compared: Compared::default(),
        }
    }

    /// Compares some rows; whether there are more. Stored rows that cannot be read end it: what
    /// lies behind them is not known. Rows of the replay that cannot are an error.
    pub(super) fn advance(&mut self, rows: u64) -> Result<bool, TablesError> {
        for _ in 0..rows {
            if self.compared.differences.len() >= DIFFERENCES_MAX {
                self.compared.is_cut_short = true;
                return Ok(false);
            }
            if !self.next()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Compares one row; false if there is none.
    fn next(&mut self) -> Result<bool, TablesError> {
        let order = match (self.stored.peek(), self.replayed.peek()) {
            (None, None) => return Ok(false),
            (_, Some(Err(error))) => return Err(error.clone()),
            (Some(Err(error)), replayed) => {
                let next = match replayed {
                    Some(Ok((key, _))) => format!("the stored rows from {} on", key_text(key)),
                    _ => "the stored rows behind the last of the replay".to_owned(),
                };
                let difference = format!("{next} cannot be read: {error}");
                self.compared.differences.push(difference);
                self.compared.is_cut_short = true;
                return Ok(false);
            }
            (Some(Ok(_)), None) => Ordering::Less,
            (None, Some(Ok(_))) => Ordering::Greater,
            (Some(Ok((stored, _))), Some(Ok((replayed, _)))) => stored.cmp(replayed),
        };
        let stored = (order != Ordering::Greater).then(|| self.stored.next());
        let replayed = (order != Ordering::Less).then(|| self.replayed.next());
        self.compared.rows += u64::from(replayed.is_some());
        let row = |row: Option<Option<Result<Row, TablesError>>>| row.flatten()?.ok();
        let difference = match (row(stored), row(replayed)) {
            (Some((key, value)), Some((_, expected))) => differing(&key, &value, &expected),
            (Some((key, _)), None) => Some(format!(
                "{} is stored and stands in no replay",
                key_text(&key)
            )),
            (None, Some((key, _))) => Some(format!("{} is not stored", key_text(&key))),
            (None, None) => None,
        };
        self.compared.differences.extend(difference);
        Ok(true)
    }
}

/// How two values differ, if they do.
fn differing(key: &[u8], stored: &[u8], replayed: &[u8]) -> Option<String> {
    let same = stored.iter().zip(replayed).take_while(|(a, b)| a == b);
    let same = same.count();
    if same == stored.len() && same == replayed.len() {
        return None;
    }
    Some(format!(
        "{} is stored with another value: {} bytes, and {} by the replay, alike up to byte {same}",
        key_text(key),
        stored.len(),
        replayed.len(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = Result<Row, TablesError>;

    fn row(key: &str, value: &str) -> Row {
        (key.into(), value.into())
    }

    fn rows<const N: usize>(rows: [(&str, &str); N]) -> Vec<Read> {
        rows.map(|(key, value)| Ok(row(key, value))).into()
    }

    fn compare(stored: Vec<Read>, replayed: Vec<Read>) -> Compared {
        let mut comparison = Comparison::new(stored.into_iter(), replayed.into_iter());
        while comparison.advance(1).unwrap() {}
        comparison.compared
    }

    #[test]
    fn rows_that_differ_are_named_in_order() {
        let stored = rows([("a", "1"), ("b", "2"), ("c", "34"), ("e", "5")]);
        let replayed = rows([("a", "1"), ("c", "35"), ("d", "4"), ("e", "5")]);
        let found = compare(stored, replayed);
        assert_eq!((found.rows, found.is_cut_short), (4, false));
        let told = found.differences.join("\n");
        insta::assert_snapshot!(told, @r"
        row b (key 62) is stored and stands in no replay
        row c (key 63) is stored with another value: 2 bytes, and 2 by the replay, alike up to byte 1
        row d (key 64) is not stored
        ");
    }

    #[test]
    fn stored_rows_that_cannot_be_read_are_named_by_what_should_stand_there() {
        let rotten = || Err(TablesError("a checksum does not hold".to_owned()));
        let stored = || vec![Ok(row("a", "1")), rotten()];
        let found = compare(stored(), rows([("a", "1"), ("b", "2")]));
        assert_eq!((found.rows, found.is_cut_short), (1, true));
        assert!(found.differences[0].contains("a checksum does not hold"));
        assert!(
            found.differences[0].contains("from row b (key 62) on"),
            "{found:?}"
        );
        let found = compare(stored(), rows([("a", "1")]));
        assert_eq!(found.differences.len(), 1, "{found:?}");
    }

    #[test]
    fn a_comparison_ends_once_it_has_found_enough() {
        let all = (0..2 * DIFFERENCES_MAX).map(|n| Ok(row(&format!("{n:04}"), "x")));
        let found = compare(all.collect(), Vec::new());
        assert_eq!(
            (found.differences.len(), found.is_cut_short),
            (DIFFERENCES_MAX, true)
        );
    }

    #[test]
    fn a_replay_that_cannot_be_read_is_no_difference() {
        let rotten = vec![Err(TablesError("as told".to_owned()))];
        let stored = rows([("a", "1")]);
        let mut comparison = Comparison::new(stored.into_iter(), rotten.into_iter());
        assert!(comparison.advance(1).is_err());
    }
}
