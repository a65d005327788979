//! The records of a file, one after the other, whatever is in them.
//!
//! A record that is damaged within is passed over: where it ends is known, from its length or
//! from the gzip member around it. Where that is not known either, **framing is lost**, and the
//! reader goes on at the next place that looks like a beginning (`resume`). Such a place may
//! be the content of the damaged record: whoever is told of it should look. Where the file ends
//! within a record, nothing is looked for in it: a record cut short by a crawler that was
//! stopped holds what a server sent, which could look like records.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use flate2::bufread::GzDecoder;

use super::fault::{Fault, shown};
use super::fields::{Fields, HEAD_BYTES_MAX, Head, read_head};
use super::{record, resume};

/// The versions of the format that are read.
const VERSIONS: [&str; 2] = ["WARC/1.0", "WARC/1.1"];

/// With which a gzip member begins, and no record.
const GZIP_FIRST_BYTE: u8 = 0x1F;

/// The records of one file.
#[derive(Debug)]
pub struct Archive<R: BufRead> {
    /// None between two calls only if the file has ended.
    stream: Option<Stream<R>>,
}

/// A record that was found.
#[derive(Debug)]
pub struct Found<T> {
    /// Where it begins in the file: itself, or the gzip member that it stands in.
    pub offset: u64,
    /// Where in the member it begins, if it is not the first in it.
    pub within_member: u64,
    /// Its id, if it gives one.
    pub record_id: String,
    /// What was made of it.
    pub outcome: Result<T, Fault>,
    /// Whether what follows is known to be the next record.
    pub framing: Framing,
}

/// How the reader goes on after a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// With the record that follows.
    Kept,
    /// With the next place, at this offset, that looks like a beginning.
    Resumed(u64),
    /// Not at all: nothing that follows looks like a beginning, or the file has ended.
    Lost,
}

impl<R: BufRead + Seek> Archive<R> {
    /// Reads a file from its beginning; whether it is compressed is seen there.
    pub fn new(mut input: R) -> io::Result<Self> {
        let compressed = input.fill_buf()?.first() == Some(&GZIP_FIRST_BYTE);
        let input = Counted {
            inner: input,
            offset: 0,
        };
        Ok(Self {
            stream: Some(Stream::at(input, compressed)),
        })
    }

    /// The next record: what `judge` makes of its head and block, if the record is whole. None
    /// at the end.
    ///
    /// # Errors
    /// If the file cannot be read, or `judge` says so with [`Fault::Io`].
    pub fn next<T>(
        &mut self,
        judge: impl FnOnce(&Fields, &mut dyn BufRead) -> Result<T, Fault>,
    ) -> io::Result<Option<Found<T>>> {
        let Some(stream) = self.stream.take() else {
            return Ok(None);
        };
        let (mut stream, begun) = stream.begin();
        let (offset, within_member) = stream.place();
        let mut record_id = String::new();
        let judged = match begun {
            Ok(false) => return Ok(None),
            Ok(true) => stream.record(&mut record_id, judge),
            Err(error) => Err(stream.broken_off(error)),
        };
        let (outcome, next) = match judged {
            Ok(judged) => (Ok(judged), Next::Known),
            Err((Fault::Io(error), _)) => return Err(error),
            Err((fault, next)) => (Err(fault), next),
        };
        let framing = match next {
            Next::Known => {
                self.stream = Some(stream);
                Framing::Kept
            }
            Next::Nothing => Framing::Lost,
            Next::After(offset) => {
                self.stream = stream.resume(offset)?;
                let resumed = self.stream.as_ref().map(|stream| stream.place().0);
                resumed.map_or(Framing::Lost, Framing::Resumed)
            }
        };
        Ok(Some(Found {
            offset,
            within_member,
            record_id,
            outcome,
            framing,
        }))
    }
}

/// Where the next record begins.
enum Next {
    /// Where this one ended.
    Known,
    /// Somewhere from this offset on.
    After(u64),
    /// Nowhere.
    Nothing,
}

/// What is wrong with a record, and where the next one begins all the same.
type Passed = (Fault, Next);

/// The bytes that records stand in: the file's own, or those of one gzip member of it.
#[derive(Debug)]
struct Stream<R: BufRead> {
    bytes: Bytes<R>,
    /// Where they begin in the file.
    start: u64,
    /// How many of them were consumed.
    position: u64,
    /// Why there are no more of them, if they were broken off.
    broken: Option<Broken>,
}

#[derive(Debug)]
enum Bytes<R: BufRead> {
    Plain(Counted<R>),
    Member(Box<BufReader<GzDecoder<Counted<R>>>>),
}

#[derive(Clone, Debug)]
enum Broken {
    Truncated,
    Damaged(String),
}

impl<R: BufRead> Stream<R> {
    fn at(input: Counted<R>, compressed: bool) -> Self {
        let start = input.offset;
        let bytes = if compressed {
            Bytes::Member(Box::new(BufReader::new(GzDecoder::new(input))))
        } else {
            Bytes::Plain(input)
        };
        Self {
            bytes,
            start,
            position: 0,
            broken: None,
        }
    }

    const fn is_member(&self) -> bool {
        matches!(self.bytes, Bytes::Member(_))
    }

    /// Where one is: in the file, and in the member that begins there.
    const fn place(&self) -> (u64, u64) {
        if self.is_member() {
            (self.start, self.position)
        } else {
            (self.start + self.position, 0)
        }
    }

    /// The file, as far as it was read.
    fn input(&mut self) -> &mut Counted<R> {
        match &mut self.bytes {
            Bytes::Plain(input) => input,
            Bytes::Member(member) => member.get_mut().get_mut(),
        }
    }

    fn into_input(self) -> Counted<R> {
        match self.bytes {
            Bytes::Plain(input) => input,
            Bytes::Member(member) => member.into_inner().into_inner(),
        }
    }

    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        Ok(self.fill_buf()?.first().copied())
    }

    /// Goes to where the next record begins, in the next member if need be; false at the end.
    fn begin(mut self) -> (Self, io::Result<bool>) {
        loop {
            match self.next_byte() {
                Ok(Some(b'\r' | b'\n')) => self.consume(1),
                Ok(Some(_)) => return (self, Ok(true)),
                Ok(None) if self.is_member() => match self.input().fill_buf().map(<[u8]>::is_empty)
                {
                    Ok(false) => self = Self::at(self.into_input(), true),
                    ended => return (self, ended.map(|_| false)),
                },
                Ok(None) => return (self, Ok(false)),
                Err(error) => return (self, Err(error)),
            }
        }
    }

    /// Reads one record, and judges it if it is whole.
    fn record<T>(
        &mut self,
        record_id: &mut String,
        judge: impl FnOnce(&Fields, &mut dyn BufRead) -> Result<T, Fault>,
    ) -> Result<T, Passed> {
        let start = self.place().0;
        let head = read_head(self).map_err(|error| self.broken_off(error))?;
        let (Head::Whole(bytes) | Head::CutShort(bytes) | Head::TooLong(bytes)) = &head;
        let fields = Fields::parse(bytes);
        *record_id = record::id_in(&fields);
        if !VERSIONS.contains(&&*fields.first_line.to_ascii_uppercase()) {
            let found = shown(&fields.first_line);
            return Err(self.unframed(Fault::NoRecord { found }, start + 1));
        }
        match head {
            Head::Whole(_) => {}
            Head::CutShort(_) => return Err(self.ended()),
            Head::TooLong(_) => {
                let (of, bytes_max) = ("record's", HEAD_BYTES_MAX);
                return Err(self.unframed(Fault::HeadTooLong { of, bytes_max }, start + 1));
            }
        }
        let length = record::length(&fields);
        let length = length.map_err(|fault| self.unframed(fault, start + 1))?;

        let mut block = Read::take(&mut *self, length);
        let judged = judge(&fields, &mut block);
        let passed = match &judged {
            Err(Fault::Io(_)) => Ok(0),
            _ => io::copy(&mut block, &mut io::sink()),
        };
        let left = block.limit();
        if let Err(Fault::Io(error)) = judged {
            return Err((Fault::Io(error), Next::Nothing));
        }
        passed.map_err(|error| self.broken_off(error))?;
        if left != 0 {
            return Err(self.ended());
        }
        let whole = self.empty_lines().map_err(|error| self.broken_off(error))?;
        if !whole {
            let after = self.place().0;
            return Err(self.unframed(Fault::WrongLength { bytes: length }, after));
        }
        // The checksum of a member stands behind its last record.
        self.next_byte().map_err(|error| self.broken_off(error))?;
        judged.map_err(|fault| (fault, Next::Known))
    }

    /// Reads the two empty lines after a block; false if something else stands there. Their
    /// lack at the end of the file is no harm.
    fn empty_lines(&mut self) -> io::Result<bool> {
        let mut lines = 0;
        while lines < 2 {
            match self.next_byte()? {
                Some(b'\n') => lines += 1,
                Some(b'\r') => {}
                Some(_) => return Ok(false),
                None => return Ok(true),
            }
            self.consume(1);
        }
        Ok(true)
    }

    /// A record whose end is not known: a member's end is.
    fn unframed(&mut self, fault: Fault, from: u64) -> Passed {
        if !self.is_member() {
            return (fault, Next::After(from));
        }
        match io::copy(self, &mut io::sink()) {
            Ok(_) => (fault, Next::Known),
            Err(error) => (fault, self.broken_off(error).1),
        }
    }

    /// A record that has no more bytes.
    fn ended(&mut self) -> Passed {
        let file_ends = self.input().fill_buf().map(<[u8]>::is_empty);
        match file_ends {
            Ok(false) => {
                let reason = "it ends within the record".to_owned();
                (Fault::Gzip { reason }, Next::Known)
            }
            Ok(true) => (Fault::Truncated, Next::Nothing),
            Err(error) => (Fault::Io(error), Next::Nothing),
        }
    }

    /// A record whose bytes were broken off.
    fn broken_off(&mut self, error: io::Error) -> Passed {
        let next = match &self.broken {
            Some(Broken::Damaged(_)) if self.position == 0 => Next::After(self.start + 1),
            Some(Broken::Damaged(_)) => Next::After(self.input().offset),
            Some(Broken::Truncated) | None => Next::Nothing,
        };
        (Fault::of(error), next)
    }
}

impl<R: BufRead + Seek> Stream<R> {
    /// Goes to the next place from `offset` on where a record seems to begin.
    fn resume(self, offset: u64) -> io::Result<Option<Self>> {
        let compressed = self.is_member();
        let mut input = self.into_input().inner;
        let found = if compressed {
            resume::next_member(&mut input, offset)?
        } else {
            resume::next_record(&mut input, offset)?
        };
        let Some(offset) = found else {
            return Ok(None);
        };
        input.seek(SeekFrom::Start(offset))?;
        let input = Counted {
            inner: input,
            offset,
        };
        Ok(Some(Self::at(input, compressed)))
    }
}

impl<R: BufRead> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Stream<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if let Some(broken) = &self.broken {
            return Err(broken.to_io());
        }
        match &mut self.bytes {
            Bytes::Plain(input) => input.fill_buf(),
            Bytes::Member(member) => {
                // Asked twice, since what the first call lends cannot be lent on beside an error.
                if let Err(error) = member.fill_buf() {
                    if error.raw_os_error().is_some() {
                        return Err(error);
                    }
                    let broken = Broken::by(&error);
                    let error = broken.to_io();
                    self.broken = Some(broken);
                    return Err(error);
                }
                member.fill_buf()
            }
        }
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount as u64;
        match &mut self.bytes {
            Bytes::Plain(input) => input.consume(amount),
            Bytes::Member(member) => member.consume(amount),
        }
    }
}

impl Broken {
    fn by(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Damaged(error.to_string()),
        }
    }

    fn to_io(&self) -> io::Error {
        let fault = match self {
            Self::Truncated => Fault::Truncated,
            Self::Damaged(reason) => Fault::Gzip {
                reason: reason.clone(),
            },
        };
        fault.into_io()
    }
}

/// Knows how far a file was read.
#[derive(Debug)]
struct Counted<R> {
    inner: R,
    offset: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.offset += amount as u64;
        self.inner.consume(amount);
    }
}
