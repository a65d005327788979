//! The documents that entries rest on, from a folder of the auditor's or from the daemon, each
//! hashed before it is believed. What cannot be had is remembered with the reason.

use std::collections::{BTreeMap, HashMap};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use super::projected::Said;
use super::tree::lock;
use crate::record::ContentId;
use crate::storage::{
    BlobError, BlobReader, BlobStore, BlobWriter, DiskSyncer, FileBlobs, IoFault,
};

/// How deep a folder of documents is looked through.
const DEPTH_MAX: usize = 16;

/// The largest document that is asked for: 1 GiB.
const DOCUMENT_BYTES_MAX: u64 = 1 << 30;

/// What a daemon tells beside its tiles.
pub trait Archive: Send + Sync {
    /// Its projections, as they are.
    fn projections(&self) -> Result<Vec<Said>, String>;

    /// Hands the bytes of a source to `take`.
    fn source(
        &self,
        id: &ContentId,
        take: &mut dyn FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String>;
}

/// See the module.
pub(super) struct Sources {
    folder: HashMap<ContentId, PathBuf>,
    archive: Option<Arc<dyn Archive>>,
    /// What was fetched in this run.
    fetched: FileBlobs,
    /// Held while one is fetched: why those cannot be had that were asked for.
    absent: Mutex<BTreeMap<ContentId, String>>,
}

impl Sources {
    /// The documents in `folder`, and else those of `archive`, which are kept in `scratch`.
    pub fn new(
        folder: Option<&Path>,
        archive: Option<Arc<dyn Archive>>,
        scratch: &Path,
    ) -> Result<Self, IoFault> {
        let mut found = HashMap::new();
        if let Some(folder) = folder {
            index(folder, DEPTH_MAX, &mut found).map_err(|source| IoFault {
                action: "read the documents in",
                path: folder.to_owned(),
                source,
            })?;
        }
        Ok(Self {
            folder: found,
            archive,
            fetched: FileBlobs::open(scratch, Arc::new(DiskSyncer))?,
            absent: Mutex::default(),
        })
    }

    /// Whether there is anywhere to look for documents.
    pub fn are_given(&self) -> bool {
        self.archive.is_some() || !self.folder.is_empty()
    }

    /// Those that could not be had, and why not.
    pub fn absent(&self) -> BTreeMap<ContentId, String> {
        lock(&self.absent).clone()
    }

    fn fetch(&self, id: &ContentId) -> Result<(), String> {
        let archive = self.archive.as_ref();
        let archive = archive.ok_or("it is not among --sources, and no daemon was asked")?;
        let told = |error: BlobError| error.to_string();
        let mut writer = self.fetched.begin(DOCUMENT_BYTES_MAX).map_err(told)?;
        archive.source(id, &mut |bytes| writer.write(bytes).map_err(told))?;
        let found = writer.finish().map_err(told)?;
        if found != *id {
            return Err(format!("what is served for it hashes to {found}"));
        }
        Ok(())
    }
}

impl BlobStore for Sources {
    fn begin(&self, bytes_max: u64) -> Result<Box<dyn BlobWriter>, BlobError> {
        self.fetched.begin(bytes_max)
    }

    fn contains(&self, id: &ContentId) -> Result<bool, BlobError> {
        match self.open(id) {
            Ok(_) => Ok(true),
            Err(BlobError::Missing { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn open(&self, id: &ContentId) -> Result<BlobReader, BlobError> {
        if let Some(path) = self.folder.get(id) {
            let opened = File::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
            let (size, file) = opened.map_err(|source| IoFault {
                action: "open",
                path: path.clone(),
                source,
            })?;
            return Ok(BlobReader::new(size, file));
        }
        let mut absent = lock(&self.absent);
        if !absent.contains_key(id)
            && !self.fetched.contains(id)?
            && let Err(why) = self.fetch(id)
        {
            absent.insert(*id, why);
        }
        if absent.contains_key(id) {
            return Err(BlobError::Missing { id: *id });
        }
        self.fetched.open(id)
    }

    fn remove(&self, id: &ContentId) -> Result<bool, BlobError> {
        self.fetched.remove(id)
    }

    fn list_older_than(
        &self,
        before: SystemTime,
        after: Option<&ContentId>,
        ids_max: usize,
    ) -> Result<Vec<ContentId>, BlobError> {
        self.fetched.list_older_than(before, after, ids_max)
    }

    fn remove_if_older_than(&self, id: &ContentId, before: SystemTime) -> Result<bool, BlobError> {
        self.fetched.remove_if_older_than(id, before)
    }
}

/// Hashes every file below a folder.
fn index(folder: &Path, depth: usize, found: &mut HashMap<ContentId, PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        if kind.is_dir() && depth > 0 {
            index(&path, depth - 1, found)?;
        } else if kind.is_file() {
            let mut hasher = blake3::Hasher::new();
            hasher.update_reader(File::open(&path)?)?;
            found.insert(ContentId::from(hasher.finalize()), path);
        }
    }
    Ok(())
}
