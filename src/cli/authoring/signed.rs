//! What was signed for each line, kept beside the file of records as `records.jsonl.signed`.
//!
//! A journal in JSON Lines, only ever appended to, of two sorts of lines:
//!
//! ```text
//! {"line":"<line id>","record":"<record id>","envelope":"<base64>","key":"<the line's key>"}
//! {"refused":"<record id>","reason":"QUOTE_NOT_FOUND"}
//! ```
//!
//! The invariant: nothing is sent that is not in the journal, synced. So a line that has not
//! changed is found here and sent again byte for byte, whatever became of the run that signed
//! it, and the archive answers that it has it. A **line id** is the hash of what the author
//! wrote, by its meaning: the archive's origin and the record with every `@key` replaced by the
//! id it stands for and every file by the id of its bytes, before anything else is filled in.
//! White space, the order of keys and the lines' own keys may change. An edited line has
//! another id, hence a record of its own; so has every line that refers to it.
//!
//! A refusal is noted because what the client filled in may be why: a refused record is not on
//! record, so its line may be filled in afresh. A journal that lost its last line to a torn
//! write lost nothing that was sent.

use std::collections::{BTreeSet, HashMap};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use data_encoding::BASE64;
use prost::Message as _;
use serde::{Deserialize, Serialize};

use super::archive::Subject;
use super::known::subject;
use crate::record::{ContentId, proto};
use crate::storage::LockFile;

/// What the name of the file of records is followed by.
pub const SIGNED_SUFFIX: &str = ".signed";

/// What was signed for a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Kept {
    /// The record id.
    pub(super) record_id: ContentId,
    /// What was sent.
    pub(super) envelope: proto::Envelope,
    /// The origin of the archive that it was signed for.
    pub(super) origin: String,
    /// Whether the archive refused it when it was last sent.
    pub(super) refused: bool,
}

/// How a journal was found when it was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It was not there.
    Absent,
    /// It was there, and nothing in it.
    Empty,
    /// Its last line was torn, and has been cut off.
    Torn,
    /// With whole lines alone.
    Whole,
}

/// The journal, open and locked.
#[derive(Debug)]
pub struct SignedFile {
    path: PathBuf,
    file: LockFile,
    /// By line id.
    kept: HashMap<ContentId, Kept>,
    /// Line ids by record id.
    lines: HashMap<ContentId, ContentId>,
    /// The line id of the line that last had a key.
    keys: HashMap<String, ContentId>,
    /// How many records were signed for what has versions.
    versions: HashMap<Subject, usize>,
    /// How it was found.
    found: Found,
    /// The origins of the archives that records in it were signed for.
    origins: BTreeSet<String>,
    unsynced: bool,
    /// Whether a write or a sync failed: what then stands at its end is not known, so nothing
    /// more is written, and the next run cuts a torn line off.
    broken: bool,
}

/// A line of the journal.
#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Note {
    Signed {
        line: String,
        record: String,
        envelope: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<String>,
    },
    Refused {
        refused: String,
        reason: String,
    },
}

/// Why the journal cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SignedError {
    /// The system says no.
    #[error("{}: {error}", path.display())]
    Io {
        /// The journal.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another run has it open.
    #[error(
        "{} is in use: another run is appending this file; wait until it has ended",
        path.display()
    )]
    InUse {
        /// The journal.
        path: PathBuf,
    },
    /// There is none, where lines are to be referred to that were signed before.
    #[error(
        "{} was never appended from here: there is no {}; accepted: a file of records that was appended before, with its .signed beside it",
        records.display(),
        journal.display()
    )]
    NeverAppended {
        /// The file of records.
        records: PathBuf,
        /// The journal that would stand beside it.
        journal: PathBuf,
    },
    /// A line in it is not what was written.
    #[error(
        "{}, line {line}: not what was written; put back an intact copy (without it, every line is signed and recorded anew)",
        path.display()
    )]
    Damaged {
        /// The journal.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
}

impl SignedFile {
    /// Opens the journal that stands beside the file of records `named`, or begins one. A file that is named by a
    /// link has its journal where the file itself lies.
    ///
    /// # Errors
    /// If it cannot be read, written or locked, or a line that has an end is not what was written.
    pub fn beside(named: &Path) -> Result<Self, SignedError> {
        let path = journal_of(named);
        let (file, there) = Self::open(&path).map_err(|error| SignedError::Io {
            path: path.clone(),
            error,
        })?;
        let file = match LockFile::try_lock(file) {
            Ok(held) => held,
            Err((TryLockError::WouldBlock, _)) => return Err(SignedError::InUse { path }),
            Err((TryLockError::Error(error), _)) => return Err(SignedError::Io { path, error }),
        };
        let mut journal = Self {
            path,
            file,
            kept: HashMap::new(),
            lines: HashMap::new(),
            keys: HashMap::new(),
            versions: HashMap::new(),
            found: if there { Found::Whole } else { Found::Absent },
            origins: BTreeSet::new(),
            unsynced: false,
            broken: false,
        };
        journal.load()?;
        Ok(journal)
    }

    /// The journal, and whether it was there.
    fn open(path: &Path) -> io::Result<(File, bool)> {
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        match options.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened.map(|file| (file, true)),
        }
        let file = options.create(true).open(path)?;
        let directory = path.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
        Ok((file, false))
    }

    /// Reads all lines; a last one that is torn, that is, has no end, is cut off.
    fn load(&mut self) -> Result<(), SignedError> {
        let mut text = Vec::new();
        let read = self.file.file().read_to_end(&mut text);
        read.map_err(|error| self.io(error))?;
        if self.found == Found::Whole && text.is_empty() {
            self.found = Found::Empty;
        }
        let mut intact = 0;
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        for (index, line) in lines.enumerate() {
            let Some(whole) = line.strip_suffix(b"\n") else {
                break;
            };
            self.take(whole).ok_or_else(|| SignedError::Damaged {
                path: self.path.clone(),
                line: index + 1,
            })?;
            intact += line.len();
        }
        if intact < text.len() {
            self.found = Found::Torn;
            let length = u64::try_from(intact).unwrap_or(u64::MAX);
            let mut file = self.file.file();
            let cut = file.set_len(length);
            cut.and_then(|()| file.seek(io::SeekFrom::End(0)))
                .map_err(|error| self.io(error))?;
        }
        Ok(())
    }

    /// Takes in one line; none if it is not what was written.
    fn take(&mut self, line: &[u8]) -> Option<()> {
        match serde_json::from_slice(line).ok()? {
            Note::Signed {
                line,
                record,
                envelope,
                key,
            } => {
                let envelope = Bytes::from(BASE64.decode(envelope.as_bytes()).ok()?);
                let envelope = proto::Envelope::decode(envelope).ok()?;
                let record_id: ContentId = record.parse().ok()?;
                let intact = ContentId::of(&envelope.payload) == record_id;
                intact.then_some(())?;
                let line = line.parse().ok()?;
                self.keep(line, record_id, envelope, key.as_deref());
            }
            Note::Refused { refused, .. } => self.refuse(refused.parse().ok()?),
        }
        Some(())
    }

    fn keep(
        &mut self,
        line: ContentId,
        record_id: ContentId,
        envelope: proto::Envelope,
        key: Option<&str>,
    ) {
        let again = self.lines.insert(record_id, line).is_some();
        let record = proto::Record::decode(envelope.payload.clone()).unwrap_or_default();
        self.origins.insert(record.origin.clone());
        if let Some(key) = key {
            self.keys.insert(key.to_owned(), line);
        }
        if !again && let Some((subject, _)) = record.kind.as_ref().and_then(subject) {
            *self.versions.entry(subject).or_default() += 1;
        }
        let kept = Kept {
            record_id,
            envelope,
            origin: record.origin,
            refused: false,
        };
        self.kept.insert(line, kept);
    }

    fn refuse(&mut self, record: ContentId) {
        let line = self.lines.get(&record);
        if let Some(kept) = line.and_then(|line| self.kept.get_mut(line))
            && kept.record_id == record
        {
            kept.refused = true;
        }
    }

    /// What was last signed for a line.
    pub(super) fn find(&self, line: &ContentId) -> Option<&Kept> {
        self.kept.get(line)
    }

    /// The line that a record was signed for.
    pub(super) fn line_of(&self, record: &ContentId) -> Option<&ContentId> {
        self.lines.get(record)
    }

    /// What was last signed for a line that had this key.
    pub(super) fn under(&self, key: &str) -> Option<&Kept> {
        self.kept.get(self.keys.get(key)?)
    }

    /// Whether several records were signed for what has versions.
    pub(super) fn has_versions(&self, subject: &Subject) -> bool {
        self.versions.get(subject).is_some_and(|count| *count > 1)
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How it was found.
    pub(super) const fn found(&self) -> Found {
        self.found
    }

    /// The archives that records in it were signed for, if none was for the one of this origin.
    pub(super) fn other_archives(&self, origin: &str) -> Vec<String> {
        if self.origins.contains(origin) {
            return Vec::new();
        }
        self.origins.iter().cloned().collect()
    }

    /// Notes what was signed for a line. It must be [synced](Self::sync) before it is sent.
    pub(super) fn signed(
        &mut self,
        line: ContentId,
        record_id: ContentId,
        envelope: proto::Envelope,
        key: Option<&str>,
    ) -> Result<(), SignedError> {
        self.write(&Note::Signed {
            line: line.to_string(),
            record: record_id.to_string(),
            envelope: BASE64.encode(&envelope.encode_to_vec()),
            key: key.map(str::to_owned),
        })?;
        self.unsynced = true;
        self.keep(line, record_id, envelope, key);
        Ok(())
    }

    /// Notes that the archive refused a record. Lost, it is noted by the next run.
    pub(super) fn refused(&mut self, record: ContentId, reason: &str) -> Result<(), SignedError> {
        self.write(&Note::Refused {
            refused: record.to_string(),
            reason: reason.to_owned(),
        })?;
        self.refuse(record);
        Ok(())
    }

    fn write(&mut self, note: &Note) -> Result<(), SignedError> {
        let line = serde_json::to_string(note).map_err(|error| self.io(error.into()))?;
        self.attempt(|file| file.write_all(format!("{line}\n").as_bytes()))
    }

    /// Makes durable what was signed.
    pub(super) fn sync(&mut self) -> Result<(), SignedError> {
        if self.unsynced {
            self.attempt(|file| file.sync_data())?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Does it once: after a failure, nothing is tried again.
    fn attempt(
        &mut self,
        what: impl FnOnce(&mut &File) -> io::Result<()>,
    ) -> Result<(), SignedError> {
        let done = if self.broken {
            Err(io::Error::other("a write or a sync failed before"))
        } else {
            what(&mut self.file.file())
        };
        done.map_err(|error| {
            self.broken = true;
            self.io(error)
        })
    }

    fn io(&self, error: io::Error) -> SignedError {
        SignedError::Io {
            path: self.path.clone(),
            error,
        }
    }
}

/// What the keys of a file's lines stand for, by the journal beside it: of a source's line the
/// source, of any other the record.
///
/// # Errors
/// If there is no journal, or it is not what was written.
pub fn signed_under(records: &Path) -> Result<HashMap<String, ContentId>, SignedError> {
    let path = journal_of(records);
    let text = std::fs::read(&path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => SignedError::NeverAppended {
            records: records.to_owned(),
            journal: path.clone(),
        },
        _ => SignedError::Io {
            path: path.clone(),
            error,
        },
    })?;
    let mut ids = HashMap::new();
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    // A last line that is torn was never sent.
    let whole = lines.filter_map(|line| line.strip_suffix(b"\n"));
    for (index, line) in whole.enumerate() {
        let damaged = || SignedError::Damaged {
            path: path.clone(),
            line: index + 1,
        };
        let note = serde_json::from_slice(line).map_err(|_| damaged())?;
        if let Note::Signed {
            key: Some(key),
            record,
            envelope,
            ..
        } = note
        {
            let id = stands_for(&record, &envelope).ok_or_else(damaged)?;
            ids.insert(key, id);
        }
    }
    Ok(ids)
}

/// What a signed line stands for where another refers to it.
fn stands_for(record: &str, envelope: &str) -> Option<ContentId> {
    let envelope = Bytes::from(BASE64.decode(envelope.as_bytes()).ok()?);
    let envelope = proto::Envelope::decode(envelope).ok()?;
    match proto::Record::decode(envelope.payload).ok()?.kind? {
        proto::record::Kind::SourceArchived(source) => source.source.parse().ok(),
        _ => record.parse().ok(),
    }
}

/// Where the journal lies: beside the file of records, or beside the file that it is a link to.
fn journal_of(named: &Path) -> PathBuf {
    let records = named.canonicalize();
    let records = records.unwrap_or_else(|_| named.to_owned());
    let mut name = records.into_os_string();
    name.push(SIGNED_SUFFIX);
    PathBuf::from(name)
}
