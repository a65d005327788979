//! Named fields: the heads of WARC records and of the HTTP messages in them, which share one
//! form (RFC 822): a first line, then `Name: value` lines, then an empty line.
//!
//! Lines end in CRLF or in LF alone. A line that begins with white space continues the one
//! before it. Names match in any case. Bytes that are not UTF-8 are taken as windows-1252, as a
//! browser would take them.

use std::io::{self, BufRead, Read as _};

/// The longest head that is read, in bytes: longer than any server sends (16 KiB is usual), and
/// with room for the cookies of some.
pub const HEAD_BYTES_MAX: u64 = 64 << 10;

/// A first line and the fields after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields {
    /// The line before the fields: `WARC/1.0`, `HTTP/1.1 200 OK`.
    pub first_line: String,
    /// Names as written, and values without the white space around them.
    named: Vec<(String, String)>,
    /// The first line that is no field, if there is one.
    pub unfit: Option<String>,
}

/// A head as it was found.
#[derive(Debug)]
pub enum Head {
    /// All of it, up to and with the empty line.
    Whole(Vec<u8>),
    /// It ends before the empty line.
    CutShort(Vec<u8>),
    /// It goes on beyond [`HEAD_BYTES_MAX`].
    TooLong(Vec<u8>),
}

/// Reads up to and with the next empty line.
pub fn read_head(from: &mut dyn BufRead) -> io::Result<Head> {
    let mut head = Vec::new();
    let mut limited = from.take(HEAD_BYTES_MAX);
    loop {
        let before = head.len();
        limited.read_until(b'\n', &mut head)?;
        let line = head.get(before..).unwrap_or_default();
        if matches!(line, b"\r\n" | b"\n") && before != 0 {
            return Ok(Head::Whole(head));
        }
        if !line.ends_with(b"\n") {
            return Ok(if limited.limit() == 0 {
                Head::TooLong(head)
            } else {
                Head::CutShort(head)
            });
        }
    }
}

impl Fields {
    /// Reads the lines of a head.
    #[must_use]
    pub fn parse(head: &[u8]) -> Self {
        let text = match std::str::from_utf8(head) {
            Ok(text) => text.into(),
            Err(_) => {
                encoding_rs::WINDOWS_1252
                    .decode_without_bom_handling(head)
                    .0
            }
        };
        let mut lines = text.split('\n');
        let first_line = lines.next().unwrap_or_default().trim_ascii().to_owned();
        let mut parsed = Self {
            first_line,
            ..Self::default()
        };
        for line in lines {
            let line = line.strip_suffix('\r').unwrap_or(line);
            if line.trim_ascii().is_empty() {
                continue;
            }
            parsed.take(line);
        }
        parsed
    }

    fn take(&mut self, line: &str) {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = self.named.last_mut() {
                value.push(' ');
                value.push_str(line.trim_ascii());
                return;
            }
        } else if let Some((name, value)) = line.split_once(':') {
            let (name, value) = (name.trim_ascii(), value.trim_ascii());
            if !name.is_empty() {
                self.named.push((name.to_owned(), value.to_owned()));
                return;
            }
        }
        self.unfit.get_or_insert_with(|| line.to_owned());
    }

    /// The value of the first field of that name which is not empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// The values of all fields of that name, in order.
    pub fn all(&self, name: &str) -> impl DoubleEndedIterator<Item = &str> {
        let wanted = move |(its, _): &&(String, String)| its.eq_ignore_ascii_case(name);
        self.named.iter().filter(wanted).map(|(_, value)| &**value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(bytes: &[u8]) -> Head {
        read_head(&mut &*bytes).unwrap()
    }

    #[test]
    fn a_head_ends_with_the_first_empty_line_however_lines_end() {
        for (bytes, rest) in [
            (&b"A\r\nB: c\r\n\r\nbody"[..], &b"body"[..]),
            (b"A\nB: c\n\nbody", b"body"),
            (b"A\r\n\r\n\r\n", b"\r\n"),
        ] {
            let mut from = bytes;
            let found = read_head(&mut from).unwrap();
            assert!(matches!(found, Head::Whole(_)), "{found:?}");
            assert_eq!(from, rest);
        }
    }

    #[test]
    fn a_head_that_ends_early_is_told_from_one_that_never_ends() {
        for short in [&b""[..], b"A\r\nB: c\r\n", b"A\r\nB"] {
            assert!(matches!(head(short), Head::CutShort(read) if read == short));
        }
        for long in [vec![b'a'; 1 << 20], b"a: b\r\n".repeat(1 << 16)] {
            assert!(matches!(head(&long), Head::TooLong(read) if read.len() == 1 << 16));
        }
    }

    #[test]
    fn fields_are_found_in_any_case_with_continuation_lines_and_odd_blanks() {
        let fields = Fields::parse(
            b"WARC/1.0\r\nwarc-TYPE:response\r\nX-Long : one\r\n\t two \r\n three\r\nEmpty:\r\nEmpty: no\n\r\n",
        );
        assert_eq!(fields.first_line, "WARC/1.0");
        assert_eq!(fields.get("WARC-Type"), Some("response"));
        assert_eq!(fields.get("x-long"), Some("one two three"));
        assert_eq!(fields.get("empty"), Some("no"));
        assert_eq!(fields.all("Empty").collect::<Vec<_>>(), ["", "no"]);
        assert_eq!(fields.get("absent"), None);
        assert_eq!(fields.unfit, None);
    }

    #[test]
    fn a_line_that_is_no_field_is_told() {
        let unfit = |head: &[u8]| Fields::parse(head).unfit;
        assert_eq!(unfit(b"W\r\nno colon\r\nA: b").as_deref(), Some("no colon"));
        assert_eq!(unfit(b"W\r\n continues\r\n").as_deref(), Some(" continues"));
        assert_eq!(unfit(b"W\r\n: nameless\r\n").as_deref(), Some(": nameless"));
    }

    #[test]
    fn values_that_are_not_utf8_are_windows_1252() {
        let fields = Fields::parse(b"H\r\nUtf: \xD0\x94\r\n\r\n");
        assert_eq!(fields.get("utf"), Some("Д"));
        let fields = Fields::parse(b"H\r\nLatin: caf\xE9\r\n\r\n");
        assert_eq!(fields.get("latin"), Some("café"));
    }
}
