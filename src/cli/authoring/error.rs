//! What can be wrong in a file of records, said so that its author can mend it: the line, the
//! path in it, what is wrong, and what would be accepted.
//!
//! These are the errors of the form. Whether a well-formed record is fit to enter is for the
//! daemon to say.

use std::fmt;

use crate::record::near::did_you_mean;
use crate::record::{DateError, quoted};

/// The longest line, in bytes: a payload of 62,000 bytes of which every byte is written as a
/// six-byte escape, and as much again for the names.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;

/// The largest file, in bytes: some 40,000 statements. The whole file is checked before the
/// first record is sent, and held while it is; programs that send more speak gRPC.
pub const FILE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// The reason of a line that came to nothing before it was sent.
pub const NOT_SENT: &str = "NOT_SENT";

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthoringError {
    /// The line, counted from 1.
    pub line: usize,
    /// Where in it, in protobuf-JSON names; empty for the line as a whole.
    pub path: String,
    /// What is wrong.
    pub problem: Problem,
}

impl fmt::Display for AuthoringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if !self.path.is_empty() {
            write!(f, ", {}", self.path)?;
        }
        write!(
            f,
            ": {}; accepted: {}",
            self.problem,
            self.problem.accepted()
        )
    }
}

impl std::error::Error for AuthoringError {}

/// What is wrong with a value. [`Problem::accepted`] says what would be right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The file is too large to be held.
    #[error("the file has {bytes} bytes")]
    FileTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The line is longer than any record.
    #[error("the line has {bytes} bytes")]
    LineTooLong {
        /// Its length.
        bytes: usize,
    },
    /// Bytes that are not UTF-8.
    #[error("the line is not UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("not JSON: {reason}, at column {column}")]
    NotJson {
        /// What the parser says.
        reason: String,
        /// Where in the line, in bytes counted from 1.
        column: usize,
    },
    /// A key that means nothing here.
    #[error("there is no key {}{}", quoted(name), meant(suggestion.as_deref()))]
    UnknownKey {
        /// The key.
        name: String,
        /// The key that may have been meant.
        suggestion: Option<String>,
        /// The keys that mean something here.
        accepted: Vec<String>,
    },
    /// The same key twice, or under both of its names.
    #[error("the key stands here twice")]
    RepeatedKey,
    /// Two keys of which only one may be given.
    #[error("it cannot stand beside {}", quoted(other))]
    NotTogether {
        /// The key that stands there.
        other: String,
        /// All the keys of which only one may be given.
        accepted: Vec<String>,
    },
    /// A line without a record.
    #[error("the line holds no record")]
    NoKind {
        /// The kinds of records.
        accepted: Vec<String>,
    },
    /// A line that would found an archive.
    #[error("the archive is founded already, by its first entry (ALREADY_FOUNDED)")]
    AlreadyFounded {
        /// The kinds of records.
        accepted: Vec<String>,
    },
    /// A key whose value is not the author's to give.
    #[error("the client fills this in when it signs")]
    FilledIn,
    /// A value of another type, or not in the form that the type asks for.
    #[error("{found} does not fit")]
    WrongType {
        /// What stands there.
        found: String,
        /// What should.
        expected: String,
    },
    /// An enum value that does not exist.
    #[error("there is no value {}{}", quoted(value), meant(suggestion.as_deref()))]
    UnknownValue {
        /// The value.
        value: String,
        /// The value that may have been meant.
        suggestion: Option<String>,
        /// The values that exist, by their short names.
        accepted: Vec<String>,
    },
    /// A content id that is none.
    #[error("{} is no content id", quoted(value))]
    NotAnId {
        /// What stands there.
        value: String,
    },
    /// A reference to a line that does not exist.
    #[error("no line has the key {}{}", quoted(key), meant(suggestion.as_deref()))]
    DanglingKey {
        /// The key, without `@`.
        key: String,
        /// The key that may have been meant.
        suggestion: Option<String>,
    },
    /// A reference to a line that does not stand above.
    #[error("the key {} stands on line {line}, not above", quoted(key))]
    KeyNotAbove {
        /// The key, without `@`.
        key: String,
        /// The line that has it.
        line: usize,
    },
    /// A reference to a record of another kind than the field takes.
    #[error("the key {} names a line of kind {kind}", quoted(key))]
    KeyOfOtherKind {
        /// The key, without `@`.
        key: String,
        /// What the line holds.
        kind: String,
        /// What the field takes.
        expected: &'static str,
    },
    /// A reference to a line that came to nothing.
    #[error(
        "line {line}, which has the key {}, could not be prepared",
        quoted(key)
    )]
    KeyUnprepared {
        /// The key, without `@`.
        key: String,
        /// The line that has it.
        line: usize,
    },
    /// A key that cannot be referred to.
    #[error("{} cannot be a line's key", quoted(key))]
    UnfitKey {
        /// The key.
        key: String,
    },
    /// Two lines of one key.
    #[error("line {line} has the key {} already", quoted(key))]
    RepeatedLineKey {
        /// The key.
        key: String,
        /// The line that had it first.
        line: usize,
    },
    /// `"saidFor": []`, which may mean that it was forgotten or that it is meant.
    #[error("an empty list does not say whether the statement is personal")]
    EmptySaidFor,
    /// `"personal": true` and somebody it was said for.
    #[error("a personal statement was said for nobody")]
    PersonalSaidFor,
    /// Mandates that may cover the statement, or may not.
    #[error(
        "whether the mandate {} covers the statement cannot be decided: it covers {part}",
        quoted(mandate)
    )]
    CapacityUnclear {
        /// The mandate's slug.
        mandate: String,
        /// Whom it lets the speaker speak for.
        organization: String,
        /// What it covers.
        part: &'static str,
    },
    /// A date that is none.
    #[error("{}: {error}", quoted(value))]
    UnfitDate {
        /// What stands there.
        value: String,
        /// Why.
        error: DateError,
    },
    /// A path that leads out of the place that the file stands in.
    #[error("the path {} is absolute", quoted(file))]
    AbsolutePath {
        /// The path.
        file: String,
    },
    /// A file that cannot be read.
    #[error("the file {} cannot be read: {reason}", quoted(file))]
    UnreadableFile {
        /// The path, as the line gives it.
        file: String,
        /// What the system says.
        reason: String,
    },
    /// A file whose bytes are others than the line says.
    #[error("the file has the id {found}")]
    OtherBytes {
        /// The id of its bytes.
        found: String,
    },
    /// A source without bytes.
    #[error("the line gives neither a file nor a source on record")]
    SourceWithoutFile,
    /// A source that the archive does not have.
    #[error("the source {id} is not on record, so its text cannot be named")]
    SourceNotOnRecord {
        /// The source id.
        id: String,
    },
    /// A source without text.
    #[error("the source has no text ({media_type}), so it cannot be quoted")]
    SourceWithoutText {
        /// What it was archived as.
        media_type: String,
    },
    /// A mandate that the archive does not have.
    #[error("the mandate {} is not on record{}", quoted(id), meant(suggestion.as_deref()))]
    MandateNotOnRecord {
        /// Its slug.
        id: String,
        /// The mandate of a line above that may have been meant.
        suggestion: Option<String>,
    },
    /// A record that the archive does not have.
    #[error("the record {id} is not on record, so it cannot be signed")]
    RecordNotOnRecord {
        /// The record id.
        id: String,
    },
    /// A key file that cannot be used.
    #[error("the key {} cannot be used: {reason}", quoted(file))]
    UnusableKey {
        /// The path, as the line gives it.
        file: String,
        /// Why.
        reason: String,
        /// The keys that may stand there instead.
        instead: &'static str,
    },
    /// A statement that the archive does not have.
    #[error("the statement {id} is not on record, so what must be repeated of it is not known")]
    StatementNotOnRecord {
        /// The statement id.
        id: String,
    },
}

impl Problem {
    /// The reason that programs are told: where the daemon would say the same, its own.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::UnfitDate { .. } => "INVALID_DATE",
            Self::MandateNotOnRecord { .. } => "UNKNOWN_MANDATE",
            _ => NOT_SENT,
        }
    }

    /// What would be accepted.
    #[must_use]
    pub fn accepted(&self) -> String {
        match self {
            Self::FileTooLarge { .. } => format!("at most {FILE_BYTES_MAX} bytes; split the file"),
            Self::LineTooLong { .. } => format!("at most {LINE_BYTES_MAX} bytes"),
            Self::NotUtf8 => "text in UTF-8".to_owned(),
            Self::NotJson { .. } => "one JSON object, whole, on one line".to_owned(),
            Self::UnknownKey { accepted, .. }
            | Self::UnknownValue { accepted, .. }
            | Self::NotTogether { accepted, .. }
            | Self::AlreadyFounded { accepted }
            | Self::NoKind { accepted } => match accepted.as_slice() {
                [] => "no keys".to_owned(),
                [only] => only.clone(),
                several => format!("one of {}", several.join(", ")),
            },
            Self::RepeatedKey => "each key once".to_owned(),
            Self::FilledIn => "a line without it".to_owned(),
            Self::WrongType { expected, .. } => expected.clone(),
            Self::NotAnId { .. } => {
                "64 lower-case hex digits, or @ and the key of a line above".to_owned()
            }
            Self::DanglingKey { .. } | Self::KeyNotAbove { .. } => {
                "the key of a line above".to_owned()
            }
            Self::KeyOfOtherKind { expected, .. } => (*expected).to_owned(),
            Self::KeyUnprepared { line, .. } => format!("this line once line {line} is mended"),
            Self::UnfitKey { .. } => "1 to 64 letters, digits, '.', '_' and '-' (ASCII)".to_owned(),
            Self::RepeatedLineKey { .. } => "a key that no other line has".to_owned(),
            Self::EmptySaidFor => {
                r#""personal": true, or no saidFor, which is then filled in from the mandates"#
                    .to_owned()
            }
            Self::PersonalSaidFor => "either personal or saidFor".to_owned(),
            Self::CapacityUnclear { organization, .. } => format!(
                r#"saidFor in so many words ([{{"actor": "{organization}", "basis": "STATED"}}]), or "personal": true"#
            ),
            Self::UnfitDate { error, .. } => error.accepted().to_owned(),
            Self::AbsolutePath { .. } => {
                "a path relative to the place of the file of records".to_owned()
            }
            Self::UnreadableFile { .. } => {
                "a file that can be read; the path is relative to the place of the file of records"
                    .to_owned()
            }
            Self::OtherBytes { .. } => "a line without source, or the id of the file".to_owned(),
            Self::SourceWithoutFile => {
                "file; or the source id of bytes that are on record or, with sizeBytes, uploaded"
                    .to_owned()
            }
            Self::SourceNotOnRecord { .. } => {
                "a source of a line above, one on record, or textId given".to_owned()
            }
            Self::MandateNotOnRecord { .. } => {
                "the mandateId of a mandate of a line above or on record".to_owned()
            }
            Self::RecordNotOnRecord { .. } => {
                "a record that is on record before this run".to_owned()
            }
            Self::UnusableKey { instead, .. } => {
                format!("a key file that `onrecord keygen` made; or {instead}")
            }
            Self::SourceWithoutText { .. } => {
                "a source of media type text/plain, text/html or application/xhtml+xml, such as \
                 one that TRANSCRIBES it"
                    .to_owned()
            }
            Self::StatementNotOnRecord { .. } => {
                "a statement of a line above or on record".to_owned()
            }
        }
    }
}

fn meant(suggestion: Option<&str>) -> String {
    did_you_mean(suggestion.as_slice())
}
