//! The way back: a data directory from a backup, all of it checked.

use std::path::Path;

use super::documents::copy_named;
use super::error::BackupError;
use super::named::Named;
use crate::ledger::{DecodedFrame, Head, compare_with_head, verify_chain};
use crate::storage::{
    ExaminedDir, FileBlobs, FrameStore as _, FramesOptions, SledFrames, UnfinishedDir, Work,
};

/// How many frames are read at a time: 64 of the largest are 7.9 MB.
const FRAMES_AT_ONCE: usize = 64;

/// What was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The head of the ledger.
    pub head: Head,
    /// How many documents.
    pub documents: u64,
    /// Their bytes.
    pub documents_bytes: u64,
    /// How many that are withheld were not kept any more.
    pub erased: u64,
}

/// Restores the archive in `backup`, of which nothing is changed, to `data_dir`, which is missing
/// or empty: files first, then checks. The ledger must lead, frame by frame, to the head that the
/// backup notes or beyond, and every document on record must hash to its id. `backup` may also be
/// the copy of a stopped data directory.
///
/// What is restored cannot sign before it is told which checkpoint it continues from.
pub fn restore(
    backup: &Path,
    data_dir: &Path,
    mut progress: impl FnMut(u64) -> bool,
) -> Result<Restored, BackupError> {
    let from = ExaminedDir::open(backup)?;
    from.check_format()?;
    let noted = from.read_head()?.ok_or_else(|| BackupError::NoHead {
        directory: backup.display().to_string(),
    })?;
    let unfinished = UnfinishedDir::begin_apart(data_dir, backup, Work::Restore)?;
    let Some(dir) = unfinished.dir() else {
        return Err(BackupError::GivenUp);
    };
    dir.mark_restored()?;
    SledFrames::copy_files(
        &from.parts().ledger(),
        &dir.parts().ledger(),
        &*dir.syncer(),
    )?;
    let frames = SledFrames::open(&dir.parts().ledger(), &FramesOptions::default())?;
    compare_with_head(&frames, Some(&noted))?;
    let head = verify_chain(&frames)?;
    let named = named(&frames)?;
    drop(frames);

    let sources = FileBlobs::open(&dir.parts().sources(), dir.syncer())?;
    let kept = FileBlobs::to_read(&from.parts().sources());
    let copied = copy_named(&named, &kept, &sources, &mut progress)?;
    dir.write_head(&head.into())?;
    unfinished.finish()?;
    Ok(Restored {
        head,
        documents: copied.documents,
        documents_bytes: copied.bytes,
        erased: copied.erased,
    })
}

/// The documents that the records of a ledger name.
fn named(frames: &SledFrames) -> Result<Named, BackupError> {
    let mut named = Named::default();
    let mut next = 0;
    while next < frames.next_index() {
        let stored = frames.read_from(next, FRAMES_AT_ONCE);
        for stored in stored.map_err(crate::ledger::ReadError::from)? {
            let (_, frame) = DecodedFrame::decode(&stored)?;
            for entry in &frame.entries {
                named.add(entry);
            }
            next = stored.next_index();
        }
    }
    Ok(named)
}
