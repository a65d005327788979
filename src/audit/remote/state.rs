//! What an auditor remembers between two runs: FILE, and the tables in FILE.d beside it.
//!
//! Invariant: the checkpoint in FILE is the newest that was seen and found to continue the one
//! before it; no table in FILE.d has read an entry that this checkpoint does not commit to; and
//! what was found wrong with an entry stands in FILE before a table holds that entry.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::AuditError;
use crate::merkle::{Checkpoint, NoteKey, SignedNote};
use crate::storage::{DiskSyncer, replace_file};

/// The number of this form of the file.
const FORMAT: u32 = 1;

/// How many findings are told; the others are counted.
const TOLD_MAX: usize = 100;

/// The largest such file: 100 findings of two kinds, each of a few KB at most, keys, a note.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// What was found in entries, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Told {
    /// The first of them.
    pub says: Vec<String>,
    /// How many there are.
    pub count: u64,
    /// The entry that the last is about.
    last: Option<u64>,
}

impl Told {
    /// Adds what was found in an entry, unless a run that was cut short told it, whose last was
    /// `before`; whether it is one of those that are told.
    fn add(&mut self, index: u64, says: String, before: Option<u64>) -> bool {
        if before >= Some(index) {
            return false;
        }
        self.last = Some(index);
        self.count += 1;
        let is_told = self.says.len() < TOLD_MAX;
        if is_told {
            self.says.push(says);
        }
        is_told
    }
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Stored {
    format: u32,
    /// Keys that sign the archive's checkpoints.
    keys: Vec<String>,
    /// The newest checkpoint seen, as it was signed; empty before the first.
    checkpoint: String,
    /// How many entries were checked.
    checked: u64,
    /// What is wrong with entries.
    findings: Told,
    /// Which entries could not be judged.
    unjudged: Told,
}

/// What is remembered, and where.
pub(super) struct State {
    path: PathBuf,
    stored: Stored,
    /// The checkpoint in the file.
    pub checkpoint: Option<Checkpoint>,
    pub keys: Vec<NoteKey>,
    /// The last entries of which runs before this one told something, in either list.
    before: [Option<u64>; 2],
}

impl State {
    /// What the file at `path` says; nothing yet, if it is not there.
    pub fn load(path: &Path) -> Result<Self, AuditError> {
        let unreadable = |reason: String| AuditError::State {
            path: path.to_owned(),
            reason,
        };
        let stored = match read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|it| unreadable(it.to_string()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if directory(path).exists() {
                    return Err(AuditError::Leftover {
                        directory: directory(path),
                        path: path.to_owned(),
                    });
                }
                Stored {
                    format: FORMAT,
                    keys: Vec::new(),
                    checkpoint: String::new(),
                    checked: 0,
                    findings: Told::default(),
                    unjudged: Told::default(),
                }
            }
            Err(error) => return Err(unreadable(error.to_string())),
        };
        if stored.format != FORMAT {
            return Err(unreadable(format!("its form is number {}", stored.format)));
        }
        let keys = stored.keys.iter().map(|key| key.parse());
        let keys = keys.collect::<Result<_, _>>();
        let keys: Vec<NoteKey> = keys
            .map_err(|error: crate::merkle::NoteKeyError| unreadable(format!("keys: {error}")))?;
        let checkpoint = match stored.checkpoint.as_str() {
            "" => None,
            note => Some(of_note(note, &keys).ok_or_else(|| {
                unreadable("its checkpoint is not signed by one of its keys".to_owned())
            })?),
        };
        Ok(Self {
            path: path.to_owned(),
            before: [stored.findings.last, stored.unjudged.last],
            stored,
            checkpoint,
            keys,
        })
    }

    /// The directory of the tables.
    pub fn directory(&self) -> PathBuf {
        directory(&self.path)
    }

    /// The checkpoint as it was signed.
    pub fn note(&self) -> &str {
        &self.stored.checkpoint
    }

    pub const fn findings(&self) -> &Told {
        &self.stored.findings
    }

    pub const fn unjudged(&self) -> &Told {
        &self.stored.unjudged
    }

    /// Remembers a checkpoint that continues the one before, and the keys of the archive.
    pub fn accept(
        &mut self,
        note: &SignedNote,
        checkpoint: &Checkpoint,
        keys: &[NoteKey],
    ) -> Result<(), AuditError> {
        self.stored.checkpoint = note.to_string();
        self.checkpoint = Some(checkpoint.clone());
        self.set_keys(keys)
    }

    /// Remembers the keys of the archive.
    pub fn set_keys(&mut self, keys: &[NoteKey]) -> Result<(), AuditError> {
        self.stored.keys = keys.iter().map(ToString::to_string).collect();
        self.keys = keys.to_vec();
        self.save()
    }

    /// Adds what is wrong with an entry; durable when this returns, as long as it is told.
    pub fn find(&mut self, index: u64, says: String) -> Result<(), AuditError> {
        if self.stored.findings.add(index, says, self.before[0]) {
            self.save()?;
        }
        Ok(())
    }

    /// Adds an entry that could not be judged; durable as what is wrong is.
    pub fn skip(&mut self, index: u64, says: String) -> Result<(), AuditError> {
        if self.stored.unjudged.add(index, says, self.before[1]) {
            self.save()?;
        }
        Ok(())
    }

    /// Remembers that `size` entries were checked.
    pub fn reach(&mut self, size: u64) -> Result<(), AuditError> {
        self.stored.checked = self.stored.checked.max(size);
        self.save()
    }

    fn save(&self) -> Result<(), AuditError> {
        let text = serde_json::to_vec_pretty(&self.stored);
        let text = text.map_err(|error| AuditError::State {
            path: self.path.clone(),
            reason: error.to_string(),
        })?;
        Ok(replace_file(&DiskSyncer, &self.path, &text)?)
    }
}

/// The checkpoint in a note, if one of these keys signed it.
pub(super) fn of_note(note: &str, keys: &[NoteKey]) -> Option<Checkpoint> {
    let note = SignedNote::parse(note.as_bytes()).ok()?;
    let mut opened = keys.iter().map(|key| Checkpoint::open(&note, key));
    opened.find_map(Result::ok)
}

/// The file, as far as it may go: what is longer is none.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)?
        .take(FILE_BYTES_MAX)
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn directory(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".d");
    name.into()
}
