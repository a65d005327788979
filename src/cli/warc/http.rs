//! HTTP responses as archived: the head, and what must be undone to get at the payload.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::{DeflateDecoder, GzDecoder, ZlibDecoder};

use super::fault::{Fault, shown};
use super::fields::{Fields, HEAD_BYTES_MAX, Head, read_head};

/// How many codings of a body are undone, one after the other. No server sends more than one.
const CODINGS_MAX: usize = 2;

/// The longest line that begins a chunk, in bytes: its size, and extensions that nobody uses.
const CHUNK_LINE_BYTES_MAX: u64 = 256;

/// The window that a decoder of brotli is given to read into, in bytes.
const BROTLI_BUFFER_BYTES: usize = 16 << 10;

/// The longest media type that a record may hold, in bytes.
const MEDIA_TYPE_BYTES_MAX: usize = 255;

/// The head of a response.
#[derive(Debug)]
pub struct HttpHead {
    /// The status: 200.
    pub status: u16,
    /// The media type, if the response names one.
    pub media_type: Option<String>,
    /// Whether the body says that it is in chunks.
    chunked: bool,
    /// The codings to undo, in that order: those of the transfer first.
    codings: Vec<Coding>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
}

impl HttpHead {
    /// Reads the head of a response; the body is what follows.
    pub fn read(block: &mut dyn BufRead) -> Result<Self, Fault> {
        let not_http = |reason: String| Fault::NotHttp { reason };
        let head = match read_head(block).map_err(Fault::of)? {
            Head::Whole(head) => head,
            Head::CutShort(_) => {
                return Err(not_http("its head ends before an empty line".to_owned()));
            }
            Head::TooLong(_) => {
                return Err(Fault::HeadTooLong {
                    of: "response's",
                    bytes_max: HEAD_BYTES_MAX,
                });
            }
        };
        let fields = Fields::parse(&head);
        let status = status(&fields.first_line).ok_or_else(|| {
            let found = shown(&fields.first_line);
            not_http(format!("it begins with {found:?}, not with a status line"))
        })?;
        let mut transfer = codings(&fields, "Transfer-Encoding")?;
        let chunked = transfer.last().is_some_and(Option::is_none);
        transfer.retain(Option::is_some);
        let content = codings(&fields, "Content-Encoding")?;
        // What was applied last is undone first.
        let applied = content.into_iter().chain(transfer).flatten();
        let codings: Vec<_> = applied.rev().collect();
        if codings.len() > CODINGS_MAX {
            return Err(unknown("Content-Encoding", "several, one upon the other"));
        }
        Ok(Self {
            status,
            media_type: fields.all("Content-Type").rev().find_map(media_type),
            chunked,
            codings,
        })
    }

    /// The body without the framing of its chunks.
    pub fn entity<'a>(&self, mut body: impl BufRead + 'a) -> Result<Box<dyn BufRead + 'a>, Fault> {
        if !self.chunked {
            return Ok(Box::new(body));
        }
        let mut line = Vec::new();
        let mut limited = body.by_ref().take(CHUNK_LINE_BYTES_MAX);
        limited.read_until(b'\n', &mut line).map_err(Fault::of)?;
        let begins = chunk_size(&line).is_some();
        let body = Cursor::new(line).chain(body);
        Ok(if begins {
            Box::new(BufReader::new(Chunks::new(body)))
        } else {
            Box::new(body)
        })
    }

    /// The payload: the body without its codings. Reading it may give an error, which
    /// [`undecodable`] tells.
    pub fn payload<'a>(
        &self,
        entity: Box<dyn BufRead + 'a>,
    ) -> Result<Box<dyn BufRead + 'a>, Fault> {
        let codings = self.codings.iter();
        codings.copied().try_fold(entity, undo)
    }
}

/// What it means that a payload cannot be read on.
pub fn undecodable(error: io::Error) -> Fault {
    match Fault::of(error) {
        Fault::Io(error) if error.raw_os_error().is_none() => Fault::Undecodable {
            reason: error.to_string(),
        },
        fault => fault,
    }
}

/// A media type as a record may hold it; none if it is none. A list of several, as one gets by
/// joining header lines, is none.
#[must_use]
pub fn media_type(text: &str) -> Option<String> {
    let text = text.trim_ascii().trim_end_matches(';').trim_ascii_end();
    let token = |part: &str| {
        let fit = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&^_.+-".contains(&byte);
        !part.is_empty() && part.bytes().all(fit)
    };
    let essence = text.split(';').next().unwrap_or_default().trim_ascii();
    let (kind, subtype) = essence.split_once('/')?;
    let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let fit = token(kind) && token(subtype) && printable && text.len() <= MEDIA_TYPE_BYTES_MAX;
    fit.then(|| text.to_owned())
}

/// The status of `HTTP/1.1 200 OK`.
fn status(line: &str) -> Option<u16> {
    let mut words = line.split_ascii_whitespace();
    let version = words.next()?;
    let status = words.next()?;
    let digits = status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit());
    let is_http = version.get(..5)?.eq_ignore_ascii_case("HTTP/");
    status.parse().ok().filter(|_| digits && is_http)
}

/// The codings that a field names, in the order in which they were applied; none for chunks.
fn codings(fields: &Fields, name: &'static str) -> Result<Vec<Option<Coding>>, Fault> {
    let mut codings = Vec::new();
    let named = fields.all(name).flat_map(|value| value.split(','));
    for coding in named.map(str::trim_ascii) {
        match &*coding.to_ascii_lowercase() {
            "" | "identity" => {}
            "gzip" | "x-gzip" => codings.push(Some(Coding::Gzip)),
            "deflate" => codings.push(Some(Coding::Deflate)),
            "br" => codings.push(Some(Coding::Brotli)),
            "chunked" if name == "Transfer-Encoding" => codings.push(None),
            _ => return Err(unknown(name, coding)),
        }
    }
    Ok(codings)
}

fn unknown(field: &'static str, coding: &str) -> Fault {
    Fault::UnknownCoding {
        field,
        coding: shown(coding),
        expected: "gzip, deflate or br",
    }
}

/// Undoes one coding, if the body begins as it does.
fn undo<'a>(
    mut body: Box<dyn BufRead + 'a>,
    coding: Coding,
) -> Result<Box<dyn BufRead + 'a>, Fault> {
    let mut start = Vec::new();
    let mut limited = body.by_ref().take(2);
    limited.read_to_end(&mut start).map_err(undecodable)?;
    let body = Cursor::new(start.clone()).chain(body);
    Ok(match (coding, &start[..]) {
        (Coding::Gzip, [0x1F, 0x8B]) => Box::new(BufReader::new(GzDecoder::new(body))),
        (Coding::Gzip, _) | (_, []) => Box::new(body),
        (Coding::Deflate, start) if is_zlib(start) => {
            Box::new(BufReader::new(ZlibDecoder::new(body)))
        }
        // Some servers send the bare stream, and browsers take it.
        (Coding::Deflate, _) => Box::new(BufReader::new(DeflateDecoder::new(body))),
        (Coding::Brotli, _) => {
            let decoder = brotli_decompressor::Decompressor::new(body, BROTLI_BUFFER_BYTES);
            Box::new(BufReader::new(decoder))
        }
    })
}

/// Whether a stream begins as RFC 1950 says: the method, and a checksum over two bytes.
fn is_zlib(start: &[u8]) -> bool {
    let [first, second] = start else {
        return false;
    };
    first & 0x0F == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0
}

/// A body in chunks (RFC 9112, section 7.1), without their framing. What follows the last chunk
/// is not read.
struct Chunks<R> {
    inner: R,
    /// How many bytes of this chunk are to come.
    left: u64,
    /// Whether a chunk was begun, whose end must be read.
    within: bool,
    done: bool,
}

impl<R: BufRead> Chunks<R> {
    const fn new(inner: R) -> Self {
        Self {
            inner,
            left: 0,
            within: false,
            done: false,
        }
    }

    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        let mut limited = self.inner.by_ref().take(CHUNK_LINE_BYTES_MAX);
        limited.read_until(b'\n', &mut line)?;
        Ok(line)
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        if self.within && !matches!(&self.line()?[..], b"\r\n" | b"\n") {
            return Err(chunks("no line end follows a chunk"));
        }
        let line = self.line()?;
        if line.is_empty() {
            return Err(chunks("it ends before the last chunk"));
        }
        self.left = chunk_size(&line).ok_or_else(|| chunks("a chunk begins with no size"))?;
        self.within = true;
        self.done = self.left == 0;
        Ok(())
    }
}

impl<R: BufRead> Read for Chunks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        if self.left == 0 && !self.done {
            self.next_chunk()?;
        }
        if self.done {
            return Ok(0);
        }
        let read = self.inner.by_ref().take(self.left).read(buffer)?;
        if read == 0 {
            return Err(chunks("it ends within a chunk"));
        }
        self.left -= read as u64;
        Ok(read)
    }
}

fn chunks(reason: &'static str) -> io::Error {
    Fault::Chunks { reason }.into_io()
}

/// The size that a chunk's first line gives.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let line = line.strip_suffix(b"\n")?.trim_ascii();
    let digits = line.split(|byte| *byte == b';').next()?.trim_ascii();
    let hex = !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit);
    let digits = std::str::from_utf8(digits).ok().filter(|_| hex)?;
    u64::from_str_radix(digits, 16).ok()
}
