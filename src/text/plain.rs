//! `plain-text/1`: the bytes are the text. Decoded without looking for a `meta` element, then
//! normalised with line ends as breaks. No wrapping is undone and no markup is understood.

use super::profile::{ExtractError, Extracted};
use super::{charset, normal};

/// The text of `bytes`, of at most `bytes_max` bytes.
pub(super) fn extract(
    bytes: &[u8],
    media_type: &str,
    bytes_max: usize,
) -> Result<Extracted, ExtractError> {
    let no_meta = |_: &[u8]| None;
    let decoded = charset::decode(bytes, media_type, no_meta);
    let text = normal::normalise_within(&decoded.text, bytes_max)
        .ok_or(ExtractError::TooLarge { bytes_max })?;
    Ok(Extracted {
        text,
        malformed: decoded.malformed,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Profile, TEXT_BYTES_MAX};
    use super::*;

    fn text(bytes: &[u8]) -> String {
        let extracted = Profile::PlainText1.extract(bytes, "text/plain").unwrap();
        assert_eq!(extracted.malformed, 0);
        extracted.text
    }

    #[test]
    fn a_transcript_keeps_its_lines_and_loses_its_layout() {
        let bytes = "\u{FEFF}  D. Peskov:\t  The President is open\r\n\r\n   to a meeting.\r\n";
        assert_eq!(
            text(bytes.as_bytes()),
            "D. Peskov: The President is open\nto a meeting."
        );
    }

    #[test]
    fn markup_in_a_plain_text_is_text() {
        let bytes = b"<meta charset=koi8-r> <b>5 &lt; 6</b>";
        assert_eq!(text(bytes), "<meta charset=koi8-r> <b>5 &lt; 6</b>");
    }

    #[test]
    fn an_empty_source_has_an_empty_text() {
        assert_eq!(text(b""), "");
        assert_eq!(text(b"\xEF\xBB\xBF"), "");
        assert_eq!(text(b" \r\n\0"), "");
    }

    #[test]
    fn the_bound_is_on_the_extracted_text_not_on_the_bytes() {
        let padded = [b"word".as_slice(), &[b' '; 100]].concat();
        assert_eq!(extract(&padded, "", 4).unwrap().text, "word");
        let too_large = ExtractError::TooLarge { bytes_max: 3 };
        assert_eq!(extract(b"word", "", 3), Err(too_large));
    }

    #[test]
    fn sixteen_mebibytes_of_text_are_taken_and_one_byte_more_is_not() {
        let mut bytes = vec![b'a'; TEXT_BYTES_MAX];
        let taken = Profile::PlainText1.extract(&bytes, "text/plain").unwrap();
        assert_eq!(taken.text.len(), TEXT_BYTES_MAX);
        bytes.push(b'a');
        assert_eq!(
            Profile::PlainText1.extract(&bytes, "text/plain"),
            Err(ExtractError::TooLarge {
                bytes_max: 16_777_216
            })
        );
    }

    #[test]
    fn text_that_composing_brings_below_the_bound_is_taken() {
        let decomposed = "e\u{301}".repeat(4);
        assert_eq!(decomposed.len(), 12);
        assert_eq!(extract(decomposed.as_bytes(), "", 8).unwrap().text, "éééé");
        assert!(extract(decomposed.as_bytes(), "", 7).is_err());
    }
}
