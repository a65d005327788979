//! Keys of rows as people read them: for messages about rows that are not as they should be.
//!
//! A key says by itself neither which of its bytes are a slug, an index or an id, nor need it
//! be sound where the row is not. So what looks like one of them is shown as such, in the order
//! in which `rows` lays parts out, and the whole key follows in hex, by which the row is found.

use std::fmt::Write as _;

use data_encoding::HEXLOWER;

use crate::record::Slug;

/// The length of a content id or a public key.
const ID_BYTES: usize = 32;

/// The length of a ledger index.
const INDEX_BYTES: usize = 8;

/// How many bytes of a key are shown in hex: more than any that folds make.
const HEX_BYTES_MAX: usize = 512;

/// A key as text: its parts after its table, and all of it in hex.
pub(super) fn key_text(key: &[u8]) -> String {
    let Some((table, mut rest)) = key.split_first() else {
        return "the empty key".to_owned();
    };
    let mut text = format!("row {}", table.escape_ascii());
    while !rest.is_empty() {
        let (part, after) = part(rest);
        // Writing into a string does not fail.
        let _ = write!(text, "/{part}");
        rest = after;
    }
    let hex = key.get(..HEX_BYTES_MAX).unwrap_or(key);
    let more = if key.len() > hex.len() { "…" } else { "" };
    format!("{text} (key {}{more})", HEXLOWER.encode(hex))
}

/// The part that a key goes on with, and what follows it.
fn part(rest: &[u8]) -> (String, &[u8]) {
    if let Some(end) = rest.iter().position(|byte| *byte == 0)
        && let Some((slug, after)) = rest.split_at_checked(end)
        && let Some(slug) = std::str::from_utf8(slug).ok().filter(|it| is_slug(it))
    {
        return (slug.to_owned(), after.get(1..).unwrap_or_default());
    }
    if let Some((index, after)) = rest.split_first_chunk::<INDEX_BYTES>()
        && (after.is_empty() || index.starts_with(&[0; 3]))
    {
        return (u64::from_be_bytes(*index).to_string(), after);
    }
    if let Some((id, after)) = rest.split_first_chunk::<ID_BYTES>() {
        // A byte before an id says what it is the id of.
        if after.len() == 1 || after.len() == 1 + INDEX_BYTES {
            let (kind, rest) = rest.split_at(1);
            return (kind.escape_ascii().to_string(), rest);
        }
        return (HEXLOWER.encode(id), after);
    }
    if rest.iter().all(u8::is_ascii_graphic) {
        return (rest.escape_ascii().to_string(), &[]);
    }
    (HEXLOWER.encode(rest), &[])
}

fn is_slug(text: &str) -> bool {
    text.parse::<Slug>().is_ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::projection::rows::Table;

    const TABLE: Table = Table {
        byte: b'x',
        name: "example",
    };

    fn shown(key: &[u8]) -> String {
        let text = key_text(key);
        text.split(" (key ").next().unwrap().to_owned()
    }

    #[test]
    fn slugs_indexes_and_ids_are_shown_as_such() {
        let slug = |text: &str| text.parse::<Slug>().unwrap();
        let key = TABLE.key().slug(&slug("kremlin")).slug(&slug("meeting"));
        assert_eq!(shown(key.index(17).as_bytes()), "row x/kremlin/meeting/17");
        let id = [0xab; ID_BYTES];
        let key = TABLE.key().bytes(&id).index(3);
        let hex = HEXLOWER.encode(&id);
        assert_eq!(shown(key.as_bytes()), format!("row x/{hex}/3"));
        let key = TABLE.key().bytes(b"s").bytes(&id);
        assert_eq!(shown(key.as_bytes()), format!("row x/s/{hex}"));
        assert_eq!(key_text(b""), "the empty key");
    }

    proptest! {
        #[test]
        fn every_key_is_shown_whole(key in prop::collection::vec(any::<u8>(), 1..200)) {
            let hex = HEXLOWER.encode(&key);
            let text = key_text(&key);
            prop_assert!(text.ends_with(&format!("(key {hex})")), "{text}");
        }
    }
}
