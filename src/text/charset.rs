//! Step 1 of every profile: which encoding the bytes are in, and the text they decode to.
//!
//! The first of these that applies decides:
//! 1. a byte order mark (UTF-8, UTF-16LE, UTF-16BE), which is not part of the text;
//! 2. UTF-8, if the whole input is valid UTF-8 and holds no byte 0x1B (with that byte, 7-bit
//!    text may be ISO-2022-JP);
//! 3. the `charset` parameter of the media type, if its label is known;
//! 4. what the document itself declares, for the profiles that look for it;
//! 5. windows-1252, which gives every byte a meaning.
//!
//! So valid UTF-8 beats a wrong label. Labels and decoders are those of the WHATWG Encoding
//! Standard, by `encoding_rs`; labels that the standard maps to its *replacement* encoding
//! decode to a single U+FFFD, as it demands.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, Encoding, UTF_8, WINDOWS_1252};

/// The byte that introduces an ISO-2022-JP escape sequence.
const ESCAPE: u8 = 0x1B;

/// A decoded source.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Decoded<'a> {
    /// Borrowed where the bytes are UTF-8, else at most three times as long as they are
    /// (a byte of windows-1252 is at most U+20AC or its like, three bytes of UTF-8).
    pub text: Cow<'a, str>,
    /// Malformed sequences, each of which became one U+FFFD.
    pub malformed: u64,
}

/// Decodes `bytes`. `declared` looks for the document's own declaration; it is asked only if
/// neither the bytes nor the media type settle the encoding.
pub(super) fn decode<'a>(
    bytes: &'a [u8],
    media_type: &str,
    declared: impl FnOnce(&[u8]) -> Option<&'static Encoding>,
) -> Decoded<'a> {
    let (encoding, body) = if let Some((encoding, length)) = Encoding::for_bom(bytes) {
        (encoding, bytes.get(length..).unwrap_or_default())
    } else {
        if memchr::memchr(ESCAPE, bytes).is_none()
            && let Ok(text) = str::from_utf8(bytes)
        {
            return Decoded::borrowed(text);
        }
        let encoding = charset_parameter(media_type)
            .and_then(|label| Encoding::for_label(label.as_bytes()))
            .or_else(|| declared(bytes))
            .unwrap_or(WINDOWS_1252);
        (encoding, bytes)
    };
    if encoding == UTF_8
        && let Ok(text) = str::from_utf8(body)
    {
        return Decoded::borrowed(text);
    }
    decode_counting(encoding, body)
}

impl<'a> Decoded<'a> {
    fn borrowed(text: &'a str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            malformed: 0,
        }
    }
}

/// Decodes `bytes`, which have no byte order mark, and counts what is malformed.
fn decode_counting(encoding: &'static Encoding, bytes: &[u8]) -> Decoded<'static> {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::with_capacity(bytes.len());
    let mut malformed = 0;
    let mut rest = bytes;
    loop {
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        rest = rest.get(read..).unwrap_or_default();
        match result {
            DecoderResult::InputEmpty => break,
            // No character needs more than 4 bytes, so each turn gets at least one out.
            DecoderResult::OutputFull => text.reserve(rest.len().max(16)),
            DecoderResult::Malformed(..) => {
                malformed += 1;
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
    }
    Decoded {
        text: Cow::Owned(text),
        malformed,
    }
}

/// The value of the first `charset` parameter of a media type (WHATWG MIME Sniffing, section
/// 4.4): names in any case, values bare or quoted.
fn charset_parameter(media_type: &str) -> Option<Cow<'_, str>> {
    let (_, mut rest) = media_type.split_once(';')?;
    loop {
        rest = rest.trim_ascii_start();
        let end = rest.find([';', '='])?;
        let (name, after) = rest.split_at(end);
        rest = after.get(1..)?;
        if after.starts_with(';') {
            continue;
        }
        let value = if let Some(quoted) = rest.strip_prefix('"') {
            let (value, after) = unquote(quoted);
            rest = after.split_once(';').map_or("", |(_, next)| next);
            Cow::Owned(value)
        } else {
            let (value, next) = rest.split_once(';').unwrap_or((rest, ""));
            rest = next;
            Cow::Borrowed(value.trim_ascii_end())
        };
        if name.eq_ignore_ascii_case("charset") && !value.is_empty() {
            return Some(value);
        }
    }
}

/// Reads a quoted string whose opening quote is already read: the value, and what follows the
/// closing quote. A backslash stands before a character that is meant as it is.
fn unquote(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => value.push(chars.next().unwrap_or('\\')),
            _ => value.push(c),
        }
    }
    (value, chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{KOI8_R, WINDOWS_1251};

    fn plain(bytes: &[u8], media_type: &str) -> (String, u64) {
        let decoded = decode(bytes, media_type, |_| None);
        (decoded.text.into_owned(), decoded.malformed)
    }

    fn clean(text: &str) -> (String, u64) {
        (text.to_owned(), 0)
    }

    #[test]
    fn a_byte_order_mark_settles_the_encoding_and_is_not_text() {
        let label = "text/plain; charset=windows-1251";
        assert_eq!(plain(b"\xEF\xBB\xBF\xD0\x94\xD0\xB0", label), clean("Да"));
        assert_eq!(plain(b"\xFF\xFE\x14\x04\x30\x04", label), clean("Да"));
        assert_eq!(plain(b"\xFE\xFF\x04\x14\x04\x30", label), clean("Да"));
    }

    #[test]
    fn after_a_utf8_mark_what_is_not_utf8_is_malformed() {
        let bytes = b"\xEF\xBB\xBFa\xFFb\xC3";
        assert_eq!(plain(bytes, ""), ("a\u{FFFD}b\u{FFFD}".to_owned(), 2));
    }

    #[test]
    fn only_the_first_mark_is_one() {
        let bytes = b"\xEF\xBB\xBF\xEF\xBB\xBFa";
        assert_eq!(plain(bytes, ""), clean("\u{FEFF}a"));
    }

    #[test]
    fn valid_utf8_beats_a_wrong_label() {
        let bytes = "Переговоры".as_bytes();
        assert_eq!(
            plain(bytes, "text/plain; charset=windows-1251"),
            clean("Переговоры")
        );
        assert!(matches!(
            decode(bytes, "text/plain; charset=utf-16", |_| None).text,
            Cow::Borrowed("Переговоры")
        ));
    }

    #[test]
    fn bytes_that_are_not_utf8_follow_their_label() {
        let bytes = b"\xCF\xE5\xF1\xEA\xEE\xE2";
        for media_type in [
            "text/plain; charset=windows-1251",
            "text/plain;CHARSET=CP1251",
            "text/plain; format=flowed ; charset=\"windows-1251\"; charset=koi8-r",
            "text/plain; note=\"; charset=koi8-r\"; charset=windows-1251",
            "text/plain; charset=\"win\\dows-1251\"",
            "text/plain;;charset=;charset=\"\"; charset=windows-1251 ",
        ] {
            assert_eq!(plain(bytes, media_type), clean("Песков"), "{media_type}");
        }
    }

    #[test]
    fn without_a_known_label_bytes_are_windows_1252() {
        let bytes = b"\x93caf\xE9\x94 \x80";
        for media_type in [
            "",
            "text/plain",
            "text/plain; charset",
            "text/plain; charset=",
            "text/plain; charset=no-such-thing",
            "text/plain; xcharset=koi8-r",
            "charset=koi8-r",
        ] {
            assert_eq!(plain(bytes, media_type), clean("“café” €"), "{media_type}");
        }
    }

    #[test]
    fn a_quoted_label_that_is_never_closed_still_counts() {
        assert_eq!(plain(b"\xF7", "text/plain; charset=\"koi8-r"), clean("В"));
    }

    #[test]
    fn an_escape_byte_keeps_seven_bit_text_from_passing_for_utf8() {
        let bytes = b"\x1B$B$3$s\x1B(B!";
        assert_eq!(
            plain(bytes, "text/plain; charset=iso-2022-jp"),
            clean("こん!")
        );
        assert_eq!(plain(bytes, ""), clean("\u{1B}$B$3$s\u{1B}(B!"));
        let utf8 = "\u{1B}[1mé".as_bytes();
        assert_eq!(plain(utf8, ""), clean("\u{1B}[1mÃ©"));
        assert_eq!(
            plain(utf8, "text/plain; charset=utf-8"),
            clean("\u{1B}[1mé")
        );
    }

    #[test]
    fn malformed_sequences_are_replaced_and_counted_as_the_standard_says() {
        let label = "text/plain; charset=utf-8";
        let cases: [(&[u8], &str, u64); 4] = [
            (b"a\xFF\xFEb", "a\u{FFFD}\u{FFFD}b", 2),
            (b"\xE2\x82", "\u{FFFD}", 1),
            (b"\xF0\x9F\x98 \xC0\x80", "\u{FFFD} \u{FFFD}\u{FFFD}", 3),
            ("\u{FFFD}\u{FFFD}".as_bytes(), "\u{FFFD}\u{FFFD}", 0),
        ];
        for (bytes, text, malformed) in cases {
            assert_eq!(plain(bytes, label), (text.to_owned(), malformed));
        }
        let odd = plain(b"\xFF\xFE\x14\x04\x30", "");
        assert_eq!(odd, ("Д\u{FFFD}".to_owned(), 1));
    }

    #[test]
    fn labels_of_the_replacement_encoding_yield_no_text() {
        let decoded = plain(b"\x80script", "text/plain; charset=iso-2022-kr");
        assert_eq!(decoded, ("\u{FFFD}".to_owned(), 1));
    }

    #[test]
    fn the_documents_own_declaration_comes_after_the_label_and_before_the_default() {
        let bytes = b"\xC4\xE0";
        let declared = |_: &[u8]| Some(WINDOWS_1251);
        assert_eq!(decode(bytes, "", declared).text, "Да");
        let labelled = decode(b"\xE4\xC1", "x/y; charset=koi8-r", |_| Some(WINDOWS_1251));
        assert_eq!(labelled.text, "Да");
        assert_eq!(KOI8_R.encode("Да").0.as_ref(), b"\xE4\xC1");
    }

    #[test]
    fn text_that_grows_threefold_is_decoded_whole() {
        let euros = vec![0x80; 100_000];
        let decoded = decode(&euros, "", |_| None);
        assert_eq!(decoded.text, "€".repeat(100_000));
        let noise = vec![0xFF; 100_000];
        let decoded = decode(&noise, "x/y; charset=utf-8", |_| None);
        assert_eq!(decoded.malformed, 100_000);
        assert_eq!(decoded.text.chars().count(), 100_000);
    }
}
