//! Documents as files: `ab/cdef…`, the 64 hex digits of the content id cut after the second, so
//! that no directory grows without bound.
//!
//! An upload is written to `incoming/`, synced, renamed into place, and the directory synced,
//! before its id is answered. Storing bytes that are here already puts the new file in place of
//! the old: that heals one that was damaged and makes it young. What a crash left in `incoming/`
//! is removed when the store is opened.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use super::blobs::{BlobError, BlobReader, BlobStore, BlobWriter};
use super::fault::{Attempt, IoFault};
use super::sync::{DiskSyncer, Syncer, make_dir};
use crate::record::ContentId;

/// The blob store on files. See the module.
#[derive(Debug)]
pub struct FileBlobs {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    root: PathBuf,
    syncer: Arc<dyn Syncer>,
    /// Names the next upload's temporary file.
    uploads: AtomicU64,
    /// The directories known to be durable. The lock makes putting a document into place and
    /// looking at one's age to remove it exclude each other.
    shards: Mutex<BTreeSet<String>>,
}

impl FileBlobs {
    /// Opens the store in the existing directory `root`, for this process alone.
    pub fn open(root: &Path, syncer: Arc<dyn Syncer>) -> Result<Self, IoFault> {
        let incoming = root.join("incoming");
        make_dir(&*syncer, &incoming)?;
        for entry in fs::read_dir(&incoming).attempt("list the directory", &incoming)? {
            let path = entry.attempt("list the directory", &incoming)?.path();
            fs::remove_file(&path).attempt("remove", &path)?;
            tracing::info!(path = %path.display(), "removed an upload that was never finished");
        }
        Ok(Self::at(root, syncer))
    }

    /// The documents in `root`, to be read: nothing there is changed, and nothing can be stored.
    #[must_use]
    pub fn to_read(root: &Path) -> Self {
        Self::at(root, Arc::new(DiskSyncer))
    }

    fn at(root: &Path, syncer: Arc<dyn Syncer>) -> Self {
        Self {
            shared: Arc::new(Shared {
                root: root.to_owned(),
                syncer,
                uploads: AtomicU64::new(0),
                shards: Mutex::default(),
            }),
        }
    }

    /// The ids in one shard that sort after `after`, in order.
    fn shard_ids(
        &self,
        shard: &str,
        after: Option<&ContentId>,
    ) -> Result<Vec<ContentId>, BlobError> {
        let dir = self.shared.root.join(shard);
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.attempt("list the directory", &dir)?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            let name = entry.attempt("list the directory", &dir)?.file_name();
            let hex = format!("{shard}{}", name.to_string_lossy());
            // Another program's file is none of ours.
            ids.extend(hex.parse::<ContentId>());
        }
        ids.retain(|id| after.is_none_or(|after| id > after));
        ids.sort_unstable();
        Ok(ids)
    }
}

impl BlobStore for FileBlobs {
    fn begin(&self, bytes_max: u64) -> Result<Box<dyn BlobWriter>, BlobError> {
        let number = self.shared.uploads.fetch_add(1, Ordering::Relaxed);
        let path = self.shared.root.join("incoming").join(number.to_string());
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .attempt("create", &path)?;
        Ok(Box::new(FileWriter {
            shared: Arc::clone(&self.shared),
            file,
            path,
            hasher: blake3::Hasher::new(),
            bytes: 0,
            bytes_max,
            incomplete: false,
        }))
    }

    fn contains(&self, id: &ContentId) -> Result<bool, BlobError> {
        let path = self.shared.path(id);
        Ok(path.try_exists().attempt("look for", &path)?)
    }

    fn open(&self, id: &ContentId) -> Result<BlobReader, BlobError> {
        let path = self.shared.path(id);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(BlobError::Missing { id: *id });
            }
            other => other.attempt("open", &path)?,
        };
        let size = file.metadata().attempt("examine", &path)?.len();
        Ok(BlobReader {
            size,
            source: Box::new(file),
        })
    }

    fn free_bytes(&self) -> Result<Option<u64>, BlobError> {
        let root = &self.shared.root;
        let disk = rustix::fs::statvfs(root).map_err(io::Error::from);
        let disk = disk.attempt("ask for the free space of", root)?;
        Ok(Some(disk.f_bavail.saturating_mul(disk.f_frsize)))
    }

    fn remove(&self, id: &ContentId) -> Result<bool, BlobError> {
        let _exclusive = self.shared.lock();
        self.shared.remove(id)
    }

    fn list_older_than(
        &self,
        before: SystemTime,
        after: Option<&ContentId>,
        ids_max: usize,
    ) -> Result<Vec<ContentId>, BlobError> {
        let mut ids = Vec::new();
        let first = after.map_or(0, |after| after.as_bytes()[0]);
        for shard in first..=u8::MAX {
            for id in self.shard_ids(&format!("{shard:02x}"), after)? {
                if ids.len() == ids_max {
                    return Ok(ids);
                }
                if self.shared.stored_at(&id)?.is_some_and(|at| at < before) {
                    ids.push(id);
                }
            }
        }
        Ok(ids)
    }

    fn remove_if_older_than(&self, id: &ContentId, before: SystemTime) -> Result<bool, BlobError> {
        let _exclusive = self.shared.lock();
        match self.shared.stored_at(id)? {
            Some(at) if at < before => self.shared.remove(id),
            _ => Ok(false),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A panic with the lock held leaves nothing half-done: a directory is entered last.
        self.shards.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: &ContentId) -> PathBuf {
        let hex = id.to_string();
        let (shard, rest) = hex.split_at(2);
        self.root.join(shard).join(rest)
    }

    /// When the document was last stored, if it is here.
    fn stored_at(&self, id: &ContentId) -> Result<Option<SystemTime>, IoFault> {
        let path = self.path(id);
        match fs::metadata(&path).and_then(|found| found.modified()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            other => other.map(Some).attempt("examine", &path),
        }
    }

    /// Call with the lock held.
    fn remove(&self, id: &ContentId) -> Result<bool, BlobError> {
        let path = self.path(id);
        match fs::remove_file(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            other => other.attempt("remove", &path)?,
        }
        let dir = path.parent().unwrap_or(&path);
        self.syncer
            .sync_dir(dir)
            .attempt("sync the directory", dir)?;
        Ok(true)
    }

    /// Puts a synced upload into its place.
    fn publish(&self, upload: &Path, id: &ContentId) -> Result<(), IoFault> {
        let path = self.path(id);
        let dir = path.parent().unwrap_or(&path);
        let mut shards = self.lock();
        let shard = id.to_string().split_at(2).0.to_owned();
        if !shards.contains(&shard) {
            make_dir(&*self.syncer, dir)?;
            shards.insert(shard);
        }
        self.syncer
            .rename(upload, &path)
            .attempt("put in place", &path)?;
        self.syncer.sync_dir(dir).attempt("sync the directory", dir)
    }
}

struct FileWriter {
    shared: Arc<Shared>,
    file: File,
    path: PathBuf,
    hasher: blake3::Hasher,
    bytes: u64,
    bytes_max: u64,
    /// A write failed: what is in the file may not be what was hashed.
    incomplete: bool,
}

impl BlobWriter for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        if self.incomplete {
            return Err(BlobError::Incomplete);
        }
        self.incomplete = true;
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > self.bytes_max {
            return Err(BlobError::TooLarge {
                bytes_max: self.bytes_max,
            });
        }
        self.file.write_all(bytes).attempt("write", &self.path)?;
        self.hasher.update(bytes);
        self.incomplete = false;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<ContentId, BlobError> {
        if self.incomplete {
            return Err(BlobError::Incomplete);
        }
        self.shared
            .syncer
            .sync_file(&self.file, &self.path)
            .attempt("sync", &self.path)?;
        let id = ContentId::from(self.hasher.finalize());
        self.shared.publish(&self.path, &id)?;
        Ok(id)
    }
}

impl Drop for FileWriter {
    fn drop(&mut self) {
        match fs::remove_file(&self.path) {
            // It was put in place.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "could not remove an upload");
            }
            Ok(()) => {}
        }
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
