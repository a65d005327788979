//! Where an archive's bytes live: the stores behind the storage seams, opened in a data
//! directory with all guards, or put together by whoever passes in others.

use std::path::Path;
use std::sync::Arc;

use super::AppError;
use super::signing::SignerStore;
use crate::config::Config;
use crate::ledger::{HeadFile, compare_with_head};
use crate::projection::Home;
use crate::storage::{
    BlobStore, BlockCache, DataDir, FileBlobs, FrameStore, FramesOptions, LsmTables,
    ProjectionStore, SledFrames,
};

/// Everything that a daemon keeps.
pub struct Stores {
    /// The ledger's frames.
    pub frames: Arc<dyn FrameStore>,
    /// The rows that admission judges by.
    pub admission: Arc<dyn ProjectionStore>,
    /// Where the ledger's head is noted.
    pub head: Arc<dyn HeadFile>,
    /// Archived documents.
    pub sources: Arc<dyn BlobStore>,
    /// Their extracted texts.
    pub texts: Arc<dyn BlobStore>,
    /// Where projections keep their rows.
    pub projections: Home,
    /// Where checkpoints are signed.
    pub signer: SignerStore,
}

impl Stores {
    /// Opens the archive at `config.data_dir`.
    pub fn open(config: &Config) -> Result<Self, AppError> {
        let dir = DataDir::open(&config.data_dir)?;
        let noted = dir.read_head()?;
        let ledger = dir.parts().ledger();
        if noted.is_none() && !SledFrames::exists(&ledger) {
            return Err(not_founded(&config.data_dir));
        }
        // Opening a damaged database can destroy what lies behind the damage: a copy first.
        let copy = SledFrames::open_copy(&ledger, &frames_options(config, &dir))?;
        compare_with_head(&copy, noted.as_ref())?;
        drop(copy);
        let stores = Self::in_dir(dir, config)?;
        if stores.frames.next_index() == 0 {
            return Err(not_founded(&config.data_dir));
        }
        Ok(stores)
    }

    /// Opens the stores in a data directory whose ledger has been looked at or is new.
    pub(super) fn in_dir(dir: DataDir, config: &Config) -> Result<Self, AppError> {
        let syncer = dir.syncer();
        let options = frames_options(config, &dir);
        let frames = SledFrames::open(&dir.parts().ledger(), &options)?;
        let cache = BlockCache::of(config.tables_cache_bytes);
        let admission = LsmTables::open(&dir.parts().admission(), &cache)?;
        let dir = Arc::new(dir);
        Ok(Self {
            frames: Arc::new(frames),
            admission: Arc::new(admission.tables),
            sources: Arc::new(FileBlobs::open(
                &dir.parts().sources(),
                Arc::clone(&syncer),
            )?),
            texts: Arc::new(FileBlobs::open(&dir.parts().texts(), syncer)?),
            projections: Home {
                directory: dir.parts().projections(),
                cache,
            },
            signer: SignerStore::at(&config.signer_dir(), &dir),
            // Holds the lock on the directory as long as anybody may note a head.
            head: dir,
        })
    }
}

impl std::fmt::Debug for Stores {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stores").finish_non_exhaustive()
    }
}

pub(super) fn frames_options(config: &Config, dir: &DataDir) -> FramesOptions {
    FramesOptions {
        cache_bytes: config.ledger_cache_bytes,
        commit_bound: config.commit_max(),
        syncer: dir.syncer(),
    }
}

fn not_founded(path: &Path) -> AppError {
    AppError::NotFounded {
        path: path.to_owned(),
    }
}
