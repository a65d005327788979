//! The signer's directory: the keys that sign checkpoints, and `signed`, which says what was
//! last signed. It lies apart from the data directory and its backups, so that a ledger that was
//! restored cannot sign a second history unnoticed.
//!
//! ```text
//! LOCK            held by the process that signs
//! *.key           secret keys of checkpoints
//! signed          origin, size and root of the newest checkpoint
//! suspicion       what a witness said that forbids to sign on, if anything
//! ```
//!
//! `signed` is written, and synced, before a checkpoint is signed: it may name one that never
//! was, and it never falls short of one that is. Its last line is the hash of those above it,
//! so that a torn one is known as such. One process at a time holds the directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use data_encoding::HEXLOWER;

use super::datadir::{DataDirError, lock, make_root, permission, read_marker};
use super::fault::Attempt as _;
use super::lock_file::LockFile;
use super::sync::{DiskSyncer, Syncer, replace_file};

const SIGNED_MAGIC: &str = "onrecord signed";
const SUSPICION_MAGIC: &str = "onrecord suspicion";

/// The name of the file that says what was last signed.
const SIGNED: &str = "signed";

/// What names the files of keys end in.
const KEY_EXTENSION: &str = "key";

/// What was last signed, or was about to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The origin of the archive.
    pub origin: String,
    /// How many entries the checkpoint commits to; 0 if none was signed yet.
    pub size: u64,
    /// The RFC 6962 root over them.
    pub root: [u8; 32],
}

/// What a witness said that forbids to sign on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// The verifier key of the witness, as text.
    pub witness: String,
    /// How many entries it says that it has seen.
    pub seen: u64,
    /// How many were signed by then.
    pub signed: u64,
}

/// Why a signer's directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SignerDirError {
    /// There is none.
    #[error("there is no directory {}", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// `signed` is damaged.
    #[error("{} is damaged", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be used, as with a data directory.
    #[error(transparent)]
    Unusable(#[from] DataDirError),
}

/// A signer's directory in use by this process alone.
#[derive(Debug)]
pub struct SignerDir {
    path: PathBuf,
    syncer: Arc<dyn Syncer>,
    /// Holds the lock until this is dropped.
    _lock: LockFile,
}

impl SignerDir {
    /// Takes the directory at `path` into use.
    pub fn open(path: &Path) -> Result<Self, SignerDirError> {
        if !path.is_dir() {
            return Err(SignerDirError::Missing {
                path: path.to_owned(),
            });
        }
        Self::lock(path, Arc::new(DiskSyncer))
    }

    /// As [`open`](Self::open), making the directory if it is not there, for its owner alone.
    pub fn create(path: &Path) -> Result<Self, SignerDirError> {
        Self::create_with(path, Arc::new(DiskSyncer))
    }

    /// As [`create`](Self::create), syncing through `syncer`.
    pub fn create_with(path: &Path, syncer: Arc<dyn Syncer>) -> Result<Self, SignerDirError> {
        make_root(&*syncer, path).map_err(permission)?;
        Self::lock(path, syncer)
    }

    fn lock(path: &Path, syncer: Arc<dyn Syncer>) -> Result<Self, SignerDirError> {
        Ok(Self {
            path: path.to_owned(),
            syncer,
            _lock: lock(path)?,
        })
    }

    /// The directory itself.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was last signed; none if nothing says.
    pub fn read_signed(&self) -> Result<Option<Signed>, SignerDirError> {
        read_signed(&self.path)
    }

    /// Notes what is about to be signed, durably. At every moment the file holds the old note
    /// or the new one.
    pub fn write_signed(&self, signed: &Signed) -> Result<(), SignerDirError> {
        let text = signed_text(signed);
        replace_file(&*self.syncer, &self.signed_path(), text.as_bytes()).map_err(permission)?;
        Ok(())
    }

    /// What a witness said that forbids to sign on, if anything is noted.
    pub fn read_suspicion(&self) -> Result<Option<Suspicion>, SignerDirError> {
        let path = self.suspicion_path();
        let Some(bytes) = read_marker(&path).map_err(permission)? else {
            return Ok(None);
        };
        match parse_suspicion(&bytes) {
            Some(suspicion) => Ok(Some(suspicion)),
            None => Err(SignerDirError::Damaged { path }),
        }
    }

    /// Notes what a witness said, durably.
    pub fn write_suspicion(&self, suspicion: &Suspicion) -> Result<(), SignerDirError> {
        let text = suspicion_text(suspicion);
        replace_file(&*self.syncer, &self.suspicion_path(), text.as_bytes()).map_err(permission)?;
        Ok(())
    }

    /// Drops what a witness said, durably; nothing is wrong if nothing is noted.
    pub fn clear_suspicion(&self) -> Result<(), SignerDirError> {
        let path = self.suspicion_path();
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            removed => removed.attempt("remove", &path).map_err(permission)?,
        }
        let synced = self.syncer.sync_dir(&self.path);
        synced
            .attempt("sync the directory", &self.path)
            .map_err(permission)?;
        Ok(())
    }

    /// The files that end in `.key`, in order of their names.
    pub fn key_files(&self) -> Result<Vec<PathBuf>, SignerDirError> {
        let entries = fs::read_dir(&self.path)
            .attempt("list the directory", &self.path)
            .map_err(permission)?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.attempt("list the directory", &self.path);
            let path = path.map_err(permission)?.path();
            if path.extension().is_some_and(|it| it == KEY_EXTENSION) {
                files.push(path);
            }
        }
        files.sort_unstable();
        Ok(files)
    }

    fn signed_path(&self) -> PathBuf {
        self.path.join(SIGNED)
    }

    fn suspicion_path(&self) -> PathBuf {
        self.path.join("suspicion")
    }
}

/// What the signer's directory at `path`, which is not taken into use, says was last signed; none
/// if nothing says.
pub fn read_signed(path: &Path) -> Result<Option<Signed>, SignerDirError> {
    let path = path.join(SIGNED);
    let Some(bytes) = read_marker(&path).map_err(permission)? else {
        return Ok(None);
    };
    match parse_signed(&bytes) {
        Some(signed) => Ok(Some(signed)),
        None => Err(SignerDirError::Damaged { path }),
    }
}

fn signed_text(signed: &Signed) -> String {
    let Signed { origin, size, root } = signed;
    let root = HEXLOWER.encode(root);
    let text = format!("{SIGNED_MAGIC}\norigin {origin}\nsize {size}\nroot {root}\n");
    let hash = blake3::hash(text.as_bytes()).to_hex();
    format!("{text}hash {hash}\n")
}

/// What such a text says; `None` if it is damaged.
fn parse_signed(bytes: &[u8]) -> Option<Signed> {
    let text = str::from_utf8(bytes).ok()?;
    let rest = text.strip_prefix(SIGNED_MAGIC)?.strip_prefix("\norigin ")?;
    let (origin, rest) = rest.split_once("\nsize ")?;
    let (size, rest) = rest.split_once("\nroot ")?;
    let (root, _) = rest.split_once('\n')?;
    let signed = Signed {
        origin: origin.to_owned(),
        size: size.parse().ok()?,
        root: HEXLOWER.decode(root.as_bytes()).ok()?.try_into().ok()?,
    };
    // Only the very text that is written for it will do.
    (signed_text(&signed) == text).then_some(signed)
}

fn suspicion_text(suspicion: &Suspicion) -> String {
    let Suspicion {
        witness,
        seen,
        signed,
    } = suspicion;
    let text = format!("{SUSPICION_MAGIC}\nwitness {witness}\nseen {seen}\nsigned {signed}\n");
    let hash = blake3::hash(text.as_bytes()).to_hex();
    format!("{text}hash {hash}\n")
}

/// What such a text says; `None` if it is damaged.
fn parse_suspicion(bytes: &[u8]) -> Option<Suspicion> {
    let text = str::from_utf8(bytes).ok()?;
    let rest = text.strip_prefix(SUSPICION_MAGIC)?;
    let (witness, rest) = rest.strip_prefix("\nwitness ")?.split_once("\nseen ")?;
    let (seen, rest) = rest.split_once("\nsigned ")?;
    let (signed, _) = rest.split_once('\n')?;
    let suspicion = Suspicion {
        witness: witness.to_owned(),
        seen: seen.parse().ok()?,
        signed: signed.parse().ok()?,
    };
    // Only the very text that is written for it will do.
    (suspicion_text(&suspicion) == text).then_some(suspicion)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;
    use crate::storage::RecordingSyncer;

    fn signed(size: u64) -> Signed {
        Signed {
            origin: "archive.example.org".to_owned(),
            size,
            root: [7; 32],
        }
    }

    #[test]
    fn what_was_signed_is_synced_before_it_counts_and_read_back() {
        let root = tempfile::tempdir().unwrap();
        let syncer = Arc::new(RecordingSyncer::below(root.path()));
        let path = root.path().join("signer");
        let dir = SignerDir::create_with(&path, Arc::clone(&syncer) as _).unwrap();
        assert_eq!(dir.read_signed().unwrap(), None);
        syncer.take();
        dir.write_signed(&signed(12)).unwrap();
        assert_eq!(
            syncer.take(),
            [
                "sync_file signer/signed.new",
                "rename signer/signed.new signer/signed",
                "sync_dir signer"
            ]
        );
        assert_eq!(dir.read_signed().unwrap(), Some(signed(12)));
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o700);
    }

    #[test]
    fn a_note_that_cannot_be_synced_is_an_error_and_leaves_the_old_one() {
        let root = tempfile::tempdir().unwrap();
        let syncer = Arc::new(RecordingSyncer::below(root.path()));
        let path = root.path().join("signer");
        let dir = SignerDir::create_with(&path, Arc::clone(&syncer) as _).unwrap();
        dir.write_signed(&signed(1)).unwrap();
        syncer.fail("sync_file", io::ErrorKind::StorageFull);
        assert!(dir.write_signed(&signed(2)).is_err());
        assert_eq!(dir.read_signed().unwrap(), Some(signed(1)));
    }

    #[test]
    fn every_byte_that_is_changed_is_seen() {
        let text = signed_text(&signed(1234)).into_bytes();
        assert_eq!(parse_signed(&text), Some(signed(1234)));
        for place in 0..text.len() {
            let mut damaged = text.clone();
            damaged[place] ^= 1;
            assert_eq!(parse_signed(&damaged), None, "byte {place}");
            assert_eq!(parse_signed(&text[..place]), None, "cut at {place}");
        }
    }

    #[test]
    fn a_suspicion_stays_until_it_is_dropped_and_a_damaged_one_is_no_clearance() {
        let root = tempfile::tempdir().unwrap();
        let suspicion = Suspicion {
            witness: "witness.example+1234abcd+BASE64".to_owned(),
            seen: u64::MAX,
            signed: 12,
        };
        let dir = SignerDir::create(root.path()).unwrap();
        assert_eq!(dir.read_suspicion().unwrap(), None);
        dir.write_suspicion(&suspicion).unwrap();
        drop(dir);
        let dir = SignerDir::open(root.path()).unwrap();
        assert_eq!(dir.read_suspicion().unwrap(), Some(suspicion));
        let path = root.path().join("suspicion");
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 1]).unwrap();
        assert!(matches!(
            dir.read_suspicion(),
            Err(SignerDirError::Damaged { .. })
        ));
        for _ in 0..2 {
            dir.clear_suspicion().unwrap();
            assert_eq!(dir.read_suspicion().unwrap(), None);
        }
    }

    #[test]
    fn one_process_at_a_time_signs() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("signer");
        assert!(matches!(
            SignerDir::open(&path),
            Err(SignerDirError::Missing { .. })
        ));
        let first = SignerDir::create(&path).unwrap();
        assert!(matches!(
            SignerDir::open(&path),
            Err(SignerDirError::Unusable(DataDirError::Locked { .. }))
        ));
        drop(first);
        assert!(SignerDir::open(&path).is_ok());
    }

    #[test]
    fn keys_are_the_files_that_end_so_in_order() {
        let root = tempfile::tempdir().unwrap();
        let dir = SignerDir::create(root.path()).unwrap();
        for name in ["checkpoint.key", "a.key", "signed", "b.key.new"] {
            fs::write(root.path().join(name), "").unwrap();
        }
        let files = dir.key_files().unwrap();
        let names: Vec<_> = files.iter().filter_map(|it| it.file_name()).collect();
        assert_eq!(names, ["a.key", "checkpoint.key"]);
    }
}
