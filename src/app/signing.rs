//! The signer's place in a daemon: its home, found or made; its start; and the word of somebody
//! who says which checkpoint the archive continues.

use std::path::Path;
use std::sync::Arc;

use tokio::runtime::Runtime;

use super::AppError;
use crate::checkpoint::witness::{HttpWitness, Transport, Witness};
use crate::checkpoint::{
    self, ContinueError, HomeDir, NotSigning, SignerHome, Signing, continue_from, own_checkpoint,
};
use crate::config::{Config, keys};
use crate::ledger::{AdmissionTables, Clock, Reader};
use crate::merkle::SignedNote;
use crate::projection::tiles::Tiles;
use crate::storage::{DataDir, SignerDir, SignerDirError};

/// Where a daemon's signer is at home.
pub struct SignerStore {
    /// The home, or why there is none.
    pub home: Result<Arc<dyn SignerHome>, NotSigning>,
    /// The data directory, if it came from a backup and nobody has said since which checkpoint
    /// it continues.
    pub restored: Option<Arc<DataDir>>,
}

impl SignerStore {
    /// The home at `path`, of the archive in `data_dir`.
    pub(super) fn at(path: &Path, data_dir: &Arc<DataDir>) -> Self {
        let home = match SignerDir::open(path) {
            Ok(dir) => Ok(at_home(dir)),
            Err(error @ SignerDirError::Missing { .. }) => Err(NotSigning::NothingNoted {
                detail: error.to_string(),
            }),
            Err(error) => Err(NotSigning::Home {
                detail: error.to_string(),
            }),
        };
        let restored = data_dir.is_restored().then(|| Arc::clone(data_dir));
        Self { home, restored }
    }

    /// Has the archive go on from the checkpoint in `note`. Whoever says so may be heard before
    /// anything was ever kept at `path`.
    pub(super) fn continue_from(
        &mut self,
        note: &SignedNote,
        path: &Path,
        archive: &Sources,
        runtime: &Runtime,
    ) -> Result<(), AppError> {
        if let Err(NotSigning::NothingNoted { .. }) = &self.home {
            self.home = Ok(at_home(SignerDir::create(path)?));
        }
        let home = self
            .home
            .as_ref()
            .map_err(|why| AppError::NoSigner { why: why.clone() })?;
        let head = archive.reader.head();
        let own = own_checkpoint(note, archive.reader.origin(), &archive.records, head.size)?;
        // The tiles of an archive that was restored are built from its first entry on.
        let tiles = runtime.block_on(archive.tiles.wait_for(head.size));
        tiles.map_err(AppError::Tiles)?;
        continue_from(&own, &head, &archive.tiles, &**home)?;
        if let Some(restored) = self.restored.take() {
            restored.clear_restored()?;
        }
        tracing::info!(size = own.size(), root = %own.root(), "the archive continues a checkpoint");
        Ok(())
    }

    /// Starts the signer.
    pub(super) fn start(
        self,
        config: &Config,
        archive: Sources,
        clock: Arc<dyn Clock>,
    ) -> Result<Signing, AppError> {
        let home = match self.restored {
            Some(dir) if dir.is_replica()? => Err(NotSigning::Replica {
                origin: archive.reader.origin().to_owned(),
            }),
            Some(_) => Err(NotSigning::Restored),
            None => self.home,
        };
        let reached = |witness: Witness| {
            let way: Box<dyn Transport> = Box::new(HttpWitness::at(&witness.url));
            (witness, way)
        };
        let parts = checkpoint::Parts {
            reader: archive.reader,
            records: Arc::new(archive.records),
            tree: Arc::new(archive.tiles),
            home,
            clock,
            witnesses: config.witnesses()?.into_iter().map(reached).collect(),
        };
        Signing::start(parts, &config.signing()).map_err(AppError::Runtime)
    }
}

impl std::fmt::Debug for SignerStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignerStore").finish_non_exhaustive()
    }
}

/// What is signed, and by whose keys.
pub(super) struct Sources {
    pub reader: Reader,
    pub records: AdmissionTables,
    pub tiles: Tiles,
}

/// A signer's directory as a home.
fn at_home(dir: SignerDir) -> Arc<dyn SignerHome> {
    Arc::new(HomeDir {
        dir,
        read: keys::read,
    })
}

impl From<ContinueError> for AppError {
    fn from(error: ContinueError) -> Self {
        Self::Continue(Box::new(error))
    }
}
