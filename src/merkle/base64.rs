//! Bytes as the transparency formats write them: standard base64 with padding (RFC 4648
//! section 4), at the end alone. Invariant: one text for given bytes, and no other is read.

use data_encoding::BASE64;

/// The bytes that `text` stands for, if it is written in the one way that there is.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    // The decoder also takes padded texts one behind another.
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    let once = text.bytes().filter(|byte| *byte == b'=').count() == padding;
    once.then(|| BASE64.decode(text.as_bytes()).ok()).flatten()
}

/// The one way to write `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_one_text() {
        assert_eq!(decode("AAE="), Some(vec![0, 1]));
        assert_eq!(decode(""), Some(Vec::new()));
        for other in [
            "AAE", "AAF=", "AA==AAE=", "AAE=AAE=", "A=AE", " AAE=", "AAE=\n",
        ] {
            assert_eq!(decode(other), None, "{other:?}");
        }
    }
}
