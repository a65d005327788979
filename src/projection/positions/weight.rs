//! How much a question asks for, by a look that costs little itself: the rows are counted up to
//! a bound, and not decoded. It says nothing about the answer.

use super::history::Pair;
use super::question::{Subject, kind};
use crate::fold::{FoldError, Tables};
use crate::record::proto::ActorKind;

/// The most rows of a question that is light: at some 3 µs each to read and to hear, 200 µs.
const LIGHT_ROWS_MAX: usize = 64;

/// Whether a question is about one actor, and so few rows bear on it that it is answered as fast
/// as anything is.
pub fn is_light(tables: &dyn Tables, subject: &Subject, known_at: u64) -> Result<bool, FoldError> {
    let has_parts = match subject.with_parts {
        Some(with_parts) => with_parts,
        None => kind(tables, &subject.actor, known_at)? == Some(ActorKind::State),
    };
    if has_parts {
        return Ok(false);
    }
    let pair = Pair::key(&subject.actor, &subject.topic);
    let mut rows = tables.scan(pair.as_bytes());
    for _ in 0..LIGHT_ROWS_MAX {
        if rows.next().transpose()?.is_none() {
            return Ok(true);
        }
    }
    Ok(rows.next().transpose()?.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fold::{Changes, MemoryTables};
    use crate::record::Slug;

    fn slug(text: &str) -> Slug {
        text.parse().unwrap()
    }

    #[test]
    fn a_question_is_light_up_to_so_many_rows_and_without_parts() {
        let subject = |with_parts| Subject {
            actor: slug("kremlin"),
            topic: slug("war"),
            with_parts,
        };
        for (rows, light) in [
            (0, true),
            (LIGHT_ROWS_MAX as u64, true),
            (LIGHT_ROWS_MAX as u64 + 1, false),
        ] {
            let mut changes = Changes::new();
            for (topic, row) in (0..rows).map(|row| ("war", row)).chain([("peace", 0)]) {
                let key = Pair::key(&slug("kremlin"), &slug(topic)).index(row);
                changes.insert(key.into_bytes(), Some(Vec::new()));
            }
            let mut tables = MemoryTables::default();
            tables.apply(changes);
            let of = |with_parts| is_light(&tables, &subject(with_parts), 1).unwrap();
            assert_eq!([of(None), of(Some(false))], [light; 2], "{rows}");
            assert!(!of(Some(true)), "{rows}");
        }
    }
}
