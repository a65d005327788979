//! The head of a record: what it says of itself.

use jiff::Timestamp;
use unicode_normalization::is_nfc;

use super::digest::Digest;
use super::fault::{Fault, shown};
use super::fields::Fields;
use crate::record::Micros;

/// The longest URL, in bytes: a quarter of what a record may have.
const URL_BYTES_MAX: usize = 16 << 10;

/// The kinds of records that hold, or stand for, a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A server's whole answer.
    Response,
    /// A document as it is, without an answer around it.
    Resource,
    /// The same payload again, which is not repeated.
    Revisit,
}

/// What a record says of itself.
#[derive(Clone, Debug)]
pub struct RecordHead {
    /// What it is.
    pub kind: RecordKind,
    /// Its id, without the brackets.
    pub id: String,
    /// What was fetched.
    pub url: String,
    /// When. Finer parts than a microsecond are cut off.
    pub captured_at: Micros,
    /// The media type of the block.
    pub content_type: String,
    /// The media type that the archiver found the payload to be of.
    pub identified_type: String,
    /// The digest of the block, if it is of a known algorithm.
    pub block_digest: Option<Digest>,
    /// The digest of the payload, likewise.
    pub payload_digest: Option<Digest>,
    /// How many of the two digests are of an algorithm that is not known.
    pub digests_unknown: u64,
    /// Of a revisit: the id of the record that it repeats, without the brackets.
    pub refers_to: String,
}

impl RecordHead {
    /// Reads the head of a record; none if it holds no payload (requests, notes of the
    /// archiver).
    pub fn parse(fields: &Fields) -> Result<Option<Self>, Fault> {
        if let Some(line) = &fields.unfit {
            return Err(Fault::UnfitLine { line: shown(line) });
        }
        let kind = match &*required(fields, "WARC-Type")?.to_ascii_lowercase() {
            "response" => RecordKind::Response,
            "resource" => RecordKind::Resource,
            "revisit" => RecordKind::Revisit,
            _ => return Ok(None),
        };
        let id = unbracketed(required(fields, "WARC-Record-ID")?).to_owned();
        let url = url(unbracketed(required(fields, "WARC-Target-URI")?))?;
        let captured_at = date(required(fields, "WARC-Date")?)?;
        if fields.get("WARC-Segment-Number").is_some() {
            return Err(Fault::Segmented);
        }
        if let Some(reason) = fields.get("WARC-Truncated") {
            let reason = shown(reason);
            if kind != RecordKind::Revisit {
                return Err(Fault::CutShort { reason });
            }
        }
        let text = |name| fields.get(name).unwrap_or_default().to_owned();
        let mut digests_unknown = 0;
        let mut digest = |name| match fields.get(name) {
            None => Ok(None),
            Some(text) => Digest::parse(name, text).inspect(|digest| {
                digests_unknown += u64::from(digest.is_none());
            }),
        };
        let (block_digest, payload_digest) =
            (digest("WARC-Block-Digest")?, digest("WARC-Payload-Digest")?);
        Ok(Some(Self {
            kind,
            id,
            url,
            captured_at,
            content_type: text("Content-Type"),
            identified_type: text("WARC-Identified-Payload-Type"),
            block_digest,
            payload_digest,
            digests_unknown,
            refers_to: unbracketed(&text("WARC-Refers-To")).to_owned(),
        }))
    }
}

/// The id that a head gives, for a report; empty if it gives none.
#[must_use]
pub fn id_in(fields: &Fields) -> String {
    let id = fields.get("WARC-Record-ID").unwrap_or_default();
    shown(unbracketed(id))
}

/// How many bytes the block has.
pub fn length(fields: &Fields) -> Result<u64, Fault> {
    let text = required(fields, "Content-Length")?;
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let length = text.parse().ok().filter(|_| digits);
    length.ok_or_else(|| Fault::Unfit {
        name: "Content-Length",
        value: shown(text),
        expected: "a number of bytes",
    })
}

fn required<'a>(fields: &'a Fields, name: &'static str) -> Result<&'a str, Fault> {
    fields.get(name).ok_or(Fault::Missing { name })
}

/// URIs stand in `<>` in ids, and by some archivers in all places.
fn unbracketed(text: &str) -> &str {
    let inner = text.strip_prefix('<').and_then(|it| it.strip_suffix('>'));
    inner.unwrap_or(text)
}

/// A URL as a record may hold it.
fn url(text: &str) -> Result<String, Fault> {
    let fit = text.len() <= URL_BYTES_MAX && !text.contains(char::is_control) && is_nfc(text);
    fit.then(|| text.to_owned()).ok_or_else(|| Fault::Unfit {
        name: "WARC-Target-URI",
        value: shown(text),
        expected: "a URL of at most 16 KiB, without control characters and in NFC",
    })
}

/// A capture is an instant: what WARC 1.1 lets an archiver leave out cannot be made up.
fn date(text: &str) -> Result<Micros, Fault> {
    let parsed = text.parse::<Timestamp>();
    parsed
        .map(|time| Micros(time.as_microsecond()))
        .map_err(|_| Fault::Unfit {
            name: "WARC-Date",
            value: shown(text),
            expected: "a time in UTC, as 2025-08-20T06:00:00Z",
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\n\
        WARC-Target-URI: <https://example.org/>\r\nWARC-Date: 2025-08-20T06:00:00.123456789Z\r\n\
        WARC-Block-Digest: blake3:ab\r\nContent-Length: 0\r\n\r\n";

    fn parse(head: &str) -> Result<Option<RecordHead>, Fault> {
        RecordHead::parse(&Fields::parse(head.as_bytes()))
    }

    #[test]
    fn a_head_is_read_without_brackets_and_with_microseconds() {
        let head = parse(HEAD).unwrap().unwrap();
        assert_eq!(head.kind, RecordKind::Response);
        assert_eq!(head.id, "urn:uuid:1");
        assert_eq!(head.url, "https://example.org/");
        assert_eq!(head.captured_at, Micros(1_755_669_600_123_456));
        assert_eq!((head.block_digest, head.digests_unknown), (None, 1));
    }

    #[test]
    fn records_without_a_payload_are_none_whatever_else_they_lack() {
        assert!(
            parse("WARC/1.0\r\nWARC-Type: warcinfo\r\n\r\n")
                .unwrap()
                .is_none()
        );
        assert!(
            parse(&HEAD.replace("response", "Request"))
                .unwrap()
                .is_none()
        );
    }

    #[test]
    fn what_a_head_lacks_or_gets_wrong_is_named() {
        for (from, to, complaint) in [
            ("WARC-Type", "X", "no WARC-Type"),
            ("WARC-Record-ID", "X", "no WARC-Record-ID"),
            ("WARC-Target-URI", "X", "no WARC-Target-URI"),
            ("WARC-Date", "X", "no WARC-Date"),
            ("06:00:00.123456789Z", "", "WARC-Date is \"2025-08-20T\""),
            ("T06:00:00.123456789Z", "", "WARC-Date is \"2025-08-20\""),
            ("blake3:ab", "sha1:ab", "WARC-Block-Digest is \"sha1:ab\""),
            ("Content-Length: 0", "Content-Length", "no field"),
            (
                "Content-Length",
                "WARC-Truncated: time\r\nContent-Length",
                "WARC-Truncated: time",
            ),
            ("Content-Length", "WARC-Segment-Number", "one segment"),
        ] {
            let fault = parse(&HEAD.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(fault.contains(complaint), "{to}: {fault}");
        }
    }

    #[test]
    fn a_length_is_a_number_of_bytes() {
        let given = |value: &str| {
            let head = format!("WARC/1.0\r\nContent-Length: {value}\r\n\r\n");
            length(&Fields::parse(head.as_bytes())).ok()
        };
        assert_eq!(given("18446744073709551615"), Some(u64::MAX));
        for value in ["", "-1", "+1", "1 2", "0x10", "18446744073709551616"] {
            assert_eq!(given(value), None, "{value}");
        }
    }
}
