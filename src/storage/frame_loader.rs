//! Frames into a new ledger, as many a second as the disk takes: none of them is durable, or to
//! be seen, before the last one is. For frames that are kept elsewhere until then.
//!
//! The database is filled under another name, closed, synced whole and renamed. Frames go in
//! one by one, as the sequencer puts them there, so that no page grows past its bound.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::fault::Attempt;
use super::frames::{COUNT_BYTES, FRAME_BYTES_MAX, SEGMENT_BYTES, StoreError, StoredFrame};
use super::guard::{EngineFault, guarded};
use super::ledger_dir::{OpenError, frames_dir, open_error, write_epoch};
use super::passed::Passed;
use super::sled_dir;
use super::sync::{Syncer, beside};

/// sled's page cache while it is filled: pages are written once, in order.
const CACHE_BYTES: u64 = 8 << 20;

/// See the module.
pub struct FrameLoader {
    dir: PathBuf,
    loading: PathBuf,
    syncer: Arc<dyn Syncer>,
    /// None once it is closed.
    db: Option<sled::Db>,
    passed: Passed,
    next_index: u64,
}

impl FrameLoader {
    /// Begins a ledger in the existing directory `dir`, which holds none.
    pub fn begin(dir: &Path, syncer: Arc<dyn Syncer>) -> Result<Self, OpenError> {
        let frames = frames_dir(dir);
        if frames.exists() {
            return Err(OpenError::AlreadyExists {
                dir: dir.to_owned(),
            });
        }
        let loading = beside(&frames, "loading");
        sled_dir::remove_dir(&loading).attempt("remove", &loading)?;
        let db = sled_dir::open_sled(&loading, SEGMENT_BYTES, CACHE_BYTES)
            .map_err(|fault| open_error(fault, dir))?;
        Ok(Self {
            dir: dir.to_owned(),
            loading,
            syncer,
            db: Some(db),
            passed: Passed::default(),
            next_index: 0,
        })
    }

    /// Adds the frame that comes next.
    pub fn push(&mut self, frame: &StoredFrame) -> Result<(), OpenError> {
        let first_index = frame.first_index;
        if first_index != self.next_index {
            return Err(StoreError::Gap {
                expected: self.next_index,
                found: first_index,
            }
            .into());
        }
        if frame.bytes.len() > FRAME_BYTES_MAX {
            return Err(StoreError::NotAFrame { first_index }.into());
        }
        let mut value = Vec::with_capacity(COUNT_BYTES + frame.bytes.len());
        value.extend_from_slice(&frame.count.get().to_be_bytes());
        value.extend_from_slice(&frame.bytes);
        let key = first_index.to_be_bytes();
        let mut passed = std::mem::take(&mut self.passed);
        let put = self.call(|db| {
            db.insert(key, value)?;
            passed.pass(db, key)
        });
        self.passed = passed;
        put.map_err(|fault| open_error(fault, &self.dir))?;
        self.next_index = frame.next_index();
        Ok(())
    }

    /// Makes all frames durable, and the ledger be there.
    pub fn finish(mut self) -> Result<(), OpenError> {
        let finished = self.finish_database();
        finished.map_err(|fault| open_error(fault, &self.dir))?;
        match sled_dir::blob_files(&frames_dir(&self.dir))? {
            0 => Ok(()),
            files => Err(OpenError::Blobs {
                dir: self.dir.clone(),
                files,
            }),
        }
    }

    fn finish_database(&mut self) -> Result<(), EngineFault> {
        self.call(|db| db.flush().map(drop))?;
        self.close()?;
        write_epoch(&self.dir, &*self.syncer, 0).map_err(|fault| EngineFault::Io(fault.source))?;
        sled_dir::sync_tree(&*self.syncer, &self.loading)?;
        self.syncer.rename(&self.loading, &frames_dir(&self.dir))?;
        self.syncer.sync_dir(&self.dir)?;
        Ok(())
    }

    fn call(
        &self,
        call: impl FnOnce(&sled::Db) -> Result<(), sled::Error>,
    ) -> Result<(), EngineFault> {
        match &self.db {
            Some(db) => guarded(|| call(db)),
            None => Err(io::Error::other("the database is closed").into()),
        }
    }

    fn close(&mut self) -> Result<(), EngineFault> {
        let db = self.db.take();
        guarded(|| {
            drop(db);
            Ok::<(), io::Error>(())
        })
    }
}

impl Drop for FrameLoader {
    fn drop(&mut self) {
        if self.db.is_some() {
            // Not finished: what was written is of no use, whatever closing it says.
            drop(self.close());
            drop(sled_dir::remove_dir(&self.loading));
        }
    }
}

impl std::fmt::Debug for FrameLoader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FrameLoader")
            .field("dir", &self.dir)
            .field("next_index", &self.next_index)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use bytes::Bytes;

    use super::super::frames::FrameStore as _;
    use super::super::sled_frames::{FramesOptions, SledFrames};
    use super::super::sync::DiskSyncer;
    use super::*;

    fn frame(first_index: u64) -> StoredFrame {
        StoredFrame {
            first_index,
            count: NonZeroU32::new(2).unwrap(),
            bytes: Bytes::from(format!("frame {first_index}").repeat(100)),
        }
    }

    #[test]
    fn what_was_loaded_is_opened_as_it_was_and_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let mut loader = FrameLoader::begin(dir.path(), Arc::new(DiskSyncer)).unwrap();
        let frames: Vec<_> = (0..200).step_by(2).map(frame).collect();
        for frame in &frames {
            loader.push(frame).unwrap();
        }
        assert!(!SledFrames::exists(dir.path()));
        loader.finish().unwrap();
        let store = SledFrames::open(dir.path(), &FramesOptions::default()).unwrap();
        assert_eq!(store.read_from(0, usize::MAX).unwrap(), frames);
        assert_eq!(store.next_index(), 200);
    }

    #[test]
    fn a_frame_out_of_its_place_is_refused_and_nothing_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let mut loader = FrameLoader::begin(dir.path(), Arc::new(DiskSyncer)).unwrap();
        loader.push(&frame(0)).unwrap();
        for index in [0, 3] {
            let refused = loader.push(&frame(index)).unwrap_err();
            let gap = StoreError::Gap {
                expected: 2,
                found: index,
            };
            assert_eq!(refused.to_string(), gap.to_string());
        }
        drop(loader);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
