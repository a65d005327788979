//! Numbers as the transparency formats write them: ASCII decimal, no sign, no leading zeros,
//! and within a signed integer of 64 bits.

use super::tree::Frontier;

/// The number that `text` stands for, if it is written in the one way that there is.
pub fn parse(text: &str) -> Option<u64> {
    parse_any(text).filter(|number| *number <= Frontier::SIZE_MAX)
}

/// As [`parse`], of any number of 64 bits: what somebody else says of a size need not be one.
pub fn parse_any(text: &str) -> Option<u64> {
    let canonical =
        text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| canonical)
}
