//! Why a record of a web archive is passed over.

use std::io;

/// What is wrong with a record.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// No record begins where one must.
    #[error("no record begins here; expected WARC/1.0 or WARC/1.1, found {found:?}")]
    NoRecord {
        /// The line that stands there, shortened.
        found: String,
    },
    /// The record's or the HTTP message's head never ends.
    #[error("the {of} head is longer than {bytes_max} bytes")]
    HeadTooLong {
        /// Whose head.
        of: &'static str,
        /// The longest that is read.
        bytes_max: u64,
    },
    /// A line of the head is no field.
    #[error("{line:?} in the head is no field; expected NAME: VALUE")]
    UnfitLine {
        /// The line, shortened.
        line: String,
    },
    /// The head lacks a field.
    #[error("the head has no {name}")]
    Missing {
        /// The field.
        name: &'static str,
    },
    /// A field's value means nothing.
    #[error("{name} is {value:?}; expected {expected}")]
    Unfit {
        /// The field.
        name: &'static str,
        /// Its value, shortened.
        value: String,
        /// What it could be.
        expected: &'static str,
    },
    /// The record does not end where it says.
    #[error("its Content-Length is wrong: no empty lines follow its {bytes} bytes")]
    WrongLength {
        /// The length that it gives.
        bytes: u64,
    },
    /// The file ends within the record.
    #[error("the file ends within this record")]
    Truncated,
    /// The compressed member around it is damaged.
    #[error("the gzip member is damaged: {reason}")]
    Gzip {
        /// Why.
        reason: String,
    },
    /// The archiver did not keep all of the response.
    #[error("the archiver cut it short (WARC-Truncated: {reason})")]
    CutShort {
        /// Why, as it says.
        reason: String,
    },
    /// The response goes on in other records.
    #[error("it is one segment of several, which are not put together")]
    Segmented,
    /// A digest differs.
    #[error("{name} is {stated}, but the bytes give {found}")]
    OtherDigest {
        /// Which digest.
        name: &'static str,
        /// As the record gives it.
        stated: String,
        /// As the bytes give it.
        found: String,
    },
    /// The block of a response is no HTTP message.
    #[error("its block is no HTTP response: {reason}")]
    NotHttp {
        /// Why.
        reason: String,
    },
    /// The chunks of the body do not fit together.
    #[error("the chunks of its body do not fit together: {reason}")]
    Chunks {
        /// Why.
        reason: &'static str,
    },
    /// The body is in a coding that is not undone.
    #[error("{field} is {coding:?}; expected {expected}")]
    UnknownCoding {
        /// The field.
        field: &'static str,
        /// The coding, shortened.
        coding: String,
        /// What can be undone.
        expected: &'static str,
    },
    /// The body is not in the coding that it says.
    #[error("its body cannot be decoded: {reason}")]
    Undecodable {
        /// Why.
        reason: String,
    },
    /// The payload is longer than the archive takes.
    #[error("its payload is longer than {bytes_max} bytes")]
    TooLarge {
        /// The longest that is taken.
        bytes_max: u64,
    },
    /// A revisit of what was not taken.
    #[error("it repeats {original}, which was not taken from these files")]
    UnknownOriginal {
        /// The record id or digest that it refers to.
        original: String,
    },
    /// The file cannot be read, or the payload not be put aside. Nothing more can be done.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Fault {
    /// What an error of a reader means: the fault that it carries, or itself.
    #[must_use]
    pub fn of(error: io::Error) -> Self {
        error.downcast().unwrap_or_else(Self::Io)
    }

    /// Carries a fault through a reader.
    #[must_use]
    pub fn into_io(self) -> io::Error {
        match self {
            Self::Io(error) => error,
            fault => io::Error::new(io::ErrorKind::InvalidData, fault),
        }
    }
}

/// The longest stretch of somebody else's text in a report, in characters.
const SHOWN_CHARS_MAX: usize = 80;

/// Text from a file, shortened for a report.
#[must_use]
pub fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
