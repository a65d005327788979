//! Documents in memory: what tests use in place of a disk.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use bytes::Bytes;

use super::blobs::{BlobError, BlobReader, BlobStore, BlobWriter};
use crate::record::ContentId;

/// Documents in a map, each with the time at which it was last stored. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct MemoryBlobs {
    documents: Arc<Mutex<BTreeMap<ContentId, (SystemTime, Bytes)>>>,
}

impl MemoryBlobs {
    /// A store without a document.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Flips a bit of a document, as a failing disk would; whether it is there and has one.
    #[must_use]
    pub fn damage(&self, id: &ContentId) -> bool {
        let mut documents = self.lock();
        let Some((_, bytes)) = documents.get_mut(id) else {
            return false;
        };
        let mut damaged = bytes.to_vec();
        let Some(last) = damaged.last_mut() else {
            return false;
        };
        *last ^= 1;
        *bytes = damaged.into();
        true
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ContentId, (SystemTime, Bytes)>> {
        self.documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl BlobStore for MemoryBlobs {
    fn begin(&self, bytes_max: u64) -> Result<Box<dyn BlobWriter>, BlobError> {
        Ok(Box::new(MemoryWriter {
            store: self.clone(),
            bytes: Vec::new(),
            bytes_max,
            incomplete: false,
        }))
    }

    fn contains(&self, id: &ContentId) -> Result<bool, BlobError> {
        Ok(self.lock().contains_key(id))
    }

    fn open(&self, id: &ContentId) -> Result<BlobReader, BlobError> {
        match self.lock().get(id) {
            Some((_, bytes)) => Ok(BlobReader {
                size: bytes.len() as u64,
                source: Box::new(Cursor::new(bytes.clone())),
            }),
            None => Err(BlobError::Missing { id: *id }),
        }
    }

    fn remove(&self, id: &ContentId) -> Result<bool, BlobError> {
        Ok(self.lock().remove(id).is_some())
    }

    fn list_older_than(
        &self,
        before: SystemTime,
        after: Option<&ContentId>,
        ids_max: usize,
    ) -> Result<Vec<ContentId>, BlobError> {
        let documents = self.lock();
        let older = documents
            .iter()
            .filter(|(id, (stored, _))| after.is_none_or(|after| *id > after) && *stored < before);
        Ok(older.map(|(id, _)| *id).take(ids_max).collect())
    }

    fn remove_if_older_than(&self, id: &ContentId, before: SystemTime) -> Result<bool, BlobError> {
        let mut documents = self.lock();
        let older = documents
            .get(id)
            .is_some_and(|(stored, _)| *stored < before);
        Ok(older && documents.remove(id).is_some())
    }
}

struct MemoryWriter {
    store: MemoryBlobs,
    bytes: Vec<u8>,
    bytes_max: u64,
    incomplete: bool,
}

impl BlobWriter for MemoryWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        if self.incomplete {
            return Err(BlobError::Incomplete);
        }
        let total = self.bytes.len() as u64 + bytes.len() as u64;
        if total > self.bytes_max {
            self.incomplete = true;
            return Err(BlobError::TooLarge {
                bytes_max: self.bytes_max,
            });
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<ContentId, BlobError> {
        if self.incomplete {
            return Err(BlobError::Incomplete);
        }
        let id = ContentId::of(&self.bytes);
        let stored = (SystemTime::now(), self.bytes.into());
        self.store.lock().insert(id, stored);
        Ok(id)
    }
}
