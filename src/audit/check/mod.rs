//! A stopped data directory, or a copy of one, checked whole: markers, the chain of frames, every
//! entry, every document and text, and every table that a daemon would answer from.
//!
//! Not a byte of it is changed: what a storage engine opens is copied to a scratch directory
//! first, as opening can change it. What an engine panics over is a finding like any other. Bytes
//! that nothing is read from (free space in a log, the lock, builds of projections that wait to be
//! removed) may be anything.

mod documents;
mod entries;
mod frames;
mod held;
mod markers;
mod report;
mod tables;

use std::path::Path;
use std::sync::Arc;

use crate::fold::Fold;
use crate::storage::{DataDirError, ExaminedDir, FileBlobs, IoFault};
use held::Roots;

pub use held::{Elsewhere, KeptCheckpoint};
pub use report::{Part, PartState, Report};

/// What each set of tables may keep in memory of the blocks that it read.
const CACHE_BYTES: u64 = 16 << 20;

/// Why a data directory could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It is not there, or in use.
    #[error(transparent)]
    Dir(#[from] DataDirError),
    /// Nothing can be written to the scratch directory.
    #[error(transparent)]
    Scratch(#[from] IoFault),
}

/// Checks the data directory at `data_dir`, which no daemon may be using, and holds its ledger
/// against what is known from `elsewhere`. Copies go to `scratch`, an empty directory; `folds` are
/// the projections of this release; no signer knows `seed`.
pub fn check(
    data_dir: &Path,
    elsewhere: &Elsewhere,
    scratch: &Path,
    folds: &[Arc<dyn Fold>],
    seed: [u8; 32],
) -> Result<Report, CheckError> {
    let dir = ExaminedDir::open(data_dir)?;
    let mut report = Report::new(data_dir);
    let noted = markers::check(&dir, &mut report);
    let opened = frames::check(&dir, scratch, noted, &mut report);
    let sources = FileBlobs::to_read(&dir.parts().sources());
    let claims = elsewhere.claims(&mut report);
    let mut roots = Roots::wanted(&claims);
    let named = if let Some(ledger) = &opened {
        let sources = Arc::new(FileBlobs::to_read(&dir.parts().sources()));
        let named = entries::check(ledger, sources, scratch, seed, &mut roots, &mut report);
        Some(named)
    } else {
        report.add(Part::skipped("entries", "the ledger cannot be read"));
        None
    };
    for claim in &claims {
        report.add(claim.held_against(opened.as_ref(), &roots));
    }
    documents::check_sources(&sources, named.as_ref(), &mut report);
    documents::check_texts(&FileBlobs::to_read(&dir.parts().texts()), &mut report);
    tables::check(&dir, scratch, opened.as_ref(), folds, &mut report);
    Ok(report)
}
