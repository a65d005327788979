//! Numbers as they are typed, refused with what would be accepted.

/// The index of an entry.
pub(super) fn index(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "accepted: the index of an entry, such as 40; the first is 0".to_owned())
}

/// How many items a list shows.
pub(super) fn limit(text: &str) -> Result<u64, String> {
    text.parse()
        .map_err(|_| "accepted: how many, such as 50; 0 for all".to_owned())
}
