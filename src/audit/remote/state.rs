//! What an auditor remembers between two runs: FILE, and the tables in FILE.d beside it.
//!
//! Invariant: the checkpoint in FILE is the newest that was seen and found to continue the one
//! before it; no table in FILE.d has read an entry that this checkpoint does not commit to; and
//! what was found wrong with an entry, and that it was checked, stand in FILE before admission's
//! table holds that entry. So a FILE that says less than the table is not the newest, whereas a
//! table that holds less than FILE says is filled again. One audit at a time has both: it holds
//! the lock in FILE.d.

use std::collections::BTreeMap;
use std::fs::{self, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::AuditError;
use crate::merkle::{Checkpoint, NoteKey, SignedNote};
use crate::storage::{DiskSyncer, IoFault, LockFile, replace_file};

/// The lock in FILE.d.
const LOCK: &str = "LOCK";

/// The number of this form of the file.
const FORMAT: u32 = 1;

/// How many findings are told; the others are counted.
const TOLD_MAX: usize = 100;

/// How many entries are remembered that wait for documents; the others are counted.
const WAITING_MAX: usize = 1 << 16;

/// The largest such file: 100 findings of two kinds, each of a few KB at most, 65,536 entries that
/// wait, each of 60 bytes, keys, a note.
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
    /// Adds what was found in an entry.
    fn add(&mut self, index: u64, says: String) {
        self.last = self.last.max(Some(index));
        self.count += 1;
        if self.says.len() < TOLD_MAX {
            self.says.push(says);
        }
    }
}

/// An entry that waits for its documents, all else of it being judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Waiting {
    /// Its index.
    pub entry: u64,
    /// The entry that its passages are held against, if they are held against one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
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
    /// How many entries were checked, at least as many as the tables hold.
    checked: u64,
    /// What is wrong with entries.
    findings: Told,
    /// Which entries could not be judged.
    unjudged: Told,
    /// The first of those, which are judged once their documents are there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<Waiting>,
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
    /// Whether the file lags behind.
    is_behind: bool,
    /// Keeps other audits out.
    _lock: LockFile,
}

impl State {
    /// What the file at `path` says; nothing yet, if it is not there. Keeps other audits from it
    /// until this is dropped.
    pub fn load(path: &Path) -> Result<Self, AuditError> {
        let lock = lock(path)?;
        let unreadable = |reason: String| AuditError::State {
            path: path.to_owned(),
            reason,
        };
        let stored = match read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|it| unreadable(it.to_string()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                if holds_more_than_the_lock(&directory(path)) {
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
                    waiting: Vec::new(),
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
            is_behind: false,
            stored,
            checkpoint,
            keys,
            _lock: lock,
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

    /// Those of the entries that could not be judged which wait for their documents.
    pub fn waiting(&self) -> &[Waiting] {
        &self.stored.waiting
    }

    /// How many entries were checked: the tables hold no more.
    pub const fn checked(&self) -> u64 {
        self.stored.checked
    }

    /// Adds what is wrong with an entry, unless a run that was cut short told it; durable after
    /// [`keep`](Self::keep), with all that is wrong with that entry.
    pub fn find(&mut self, index: u64, says: String) {
        if self.before[0] >= Some(index) {
            return;
        }
        self.is_behind = true;
        self.stored.findings.add(index, says);
    }

    /// Adds an entry that could not be judged; durable as what is wrong is.
    pub fn skip(&mut self, waiting: Waiting, says: String) {
        if self.before[1] >= Some(waiting.entry) {
            return;
        }
        self.is_behind = true;
        if self.stored.waiting.len() < WAITING_MAX {
            self.stored.waiting.push(waiting);
        }
        self.stored.unjudged.add(waiting.entry, says);
    }

    /// Makes durable what was added. To be called between entries: what is added to one of which
    /// something is durable is taken for told.
    pub fn keep(&mut self) -> Result<(), AuditError> {
        if self.is_behind {
            self.save()?;
        }
        Ok(())
    }

    /// Takes away those that waited and were judged, each with what is wrong with it, if
    /// anything is.
    pub fn settle(&mut self, judged: &BTreeMap<u64, Option<String>>) -> Result<(), AuditError> {
        if judged.is_empty() {
            return Ok(());
        }
        let stored = &mut self.stored;
        stored.waiting.retain(|it| !judged.contains_key(&it.entry));
        let about: Vec<String> = judged
            .keys()
            .map(|index| format!("entry {index}: "))
            .collect();
        let is_judged = |says: &String| about.iter().any(|about| says.starts_with(about.as_str()));
        stored.unjudged.says.retain(|says| !is_judged(says));
        stored.unjudged.count = stored.unjudged.count.saturating_sub(judged.len() as u64);
        for (index, wrong) in judged {
            if let Some(says) = wrong {
                stored.findings.add(*index, says.clone());
            }
        }
        self.save()
    }

    /// Remembers that `size` entries were checked, before the tables hold them.
    pub fn reach(&mut self, size: u64) -> Result<(), AuditError> {
        self.stored.checked = self.stored.checked.max(size);
        self.save()
    }

    fn save(&mut self) -> Result<(), AuditError> {
        let text = serde_json::to_vec_pretty(&self.stored);
        let text = text.map_err(|error| AuditError::State {
            path: self.path.clone(),
            reason: error.to_string(),
        })?;
        replace_file(&DiskSyncer, &self.path, &text)?;
        self.is_behind = false;
        Ok(())
    }
}

/// Takes the lock on the file at `path`, in the directory of its tables, which is made for that.
fn lock(path: &Path) -> Result<LockFile, AuditError> {
    let failed = |action, path: &Path| {
        let path = path.to_owned();
        move |source| IoFault {
            action,
            path,
            source,
        }
    };
    let directory = directory(path);
    match fs::create_dir(&directory) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed("create the directory", &directory)(error).into());
        }
        _ => {}
    }
    let lock = directory.join(LOCK);
    let file = fs::File::create(&lock).map_err(failed("create", &lock))?;
    LockFile::try_lock(file).map_err(|(error, _)| match error {
        TryLockError::WouldBlock => AuditError::Busy {
            path: path.to_owned(),
        },
        TryLockError::Error(error) => failed("lock", &lock)(error).into(),
    })
}

/// Whether an audit has begun there. What cannot be looked at may be anything.
fn holds_more_than_the_lock(directory: &Path) -> bool {
    let Ok(mut entries) = fs::read_dir(directory) else {
        return true;
    };
    entries.any(|entry| entry.map_or(true, |entry| entry.file_name() != LOCK))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_audit_at_a_time_has_the_file() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("archive.audit");
        let first = State::load(&path).unwrap();
        let second = State::load(&path).err().unwrap();
        assert!(matches!(second, AuditError::Busy { .. }), "{second}");
        drop(first);
        // The lock alone is no beginning of an audit; a table is.
        State::load(&path).unwrap();
        fs::create_dir(directory(&path).join("admission")).unwrap();
        let left = State::load(&path).err().unwrap();
        assert!(matches!(left, AuditError::Leftover { .. }), "{left}");
    }

    #[test]
    fn of_several_things_wrong_with_an_entry_none_is_lost_to_a_kill_between_them() {
        let home = tempfile::tempdir().unwrap();
        for found_before in [0, 2 * TOLD_MAX as u64] {
            let path = home.path().join(format!("after-{found_before}"));
            let load = || State::load(&path).unwrap();
            let waits = Waiting {
                entry: found_before,
                version: None,
            };
            let mut killed = load();
            killed.set_keys(&[]).unwrap();
            for index in 0..found_before {
                killed.find(index, "earlier".to_owned());
            }
            killed.find(found_before, "one".to_owned());
            killed.skip(waits, "it waits".to_owned());
            drop(killed);

            let mut again = load();
            for index in 0..found_before {
                again.find(index, "earlier".to_owned());
            }
            again.find(found_before, "one".to_owned());
            again.skip(waits, "it waits".to_owned());
            again.find(found_before, "another".to_owned());
            again.keep().unwrap();
            drop(again);
            let kept = load();
            assert_eq!(kept.findings().count, found_before + 2);
            assert_eq!(kept.unjudged().count, 1);
        }
    }
}
