//! Where bytes outlive the process: frames of the ledger, archived documents, and the tables
//! of projections, each behind a small trait of its own, and the data directory they live in.
//!
//! - [`FrameStore`] keeps the ledger's frames in order. What it answers [`AppendOutcome::Durable`]
//!   survives kill -9 and power loss. Kept by [`SledFrames`], and by [`MemoryFrames`], a twin that
//!   forgets and tears what was not synced.
//! - [`BlobStore`] keeps documents under the hash of their bytes. Kept by [`FileBlobs`] and
//!   [`MemoryBlobs`].
//! - [`ProjectionStore`] keeps rows that can be computed again. Kept by [`LsmTables`] and
//!   [`MemoryTables`].
//!
//! The invariant of the room: nothing is called durable before a sync through the [`Syncer`]
//! has succeeded for it, and nothing read from disk can make the process panic. The room does
//! not know what a frame, a row or a document means. The storage engines, sled for frames and
//! lsm-tree for rows, are named nowhere else in the crate.

mod blobs;
mod commit;
mod datadir;
mod examined;
mod fault;
mod files;
mod frame_loader;
mod frames;
mod give_way;
mod guard;
mod head;
mod ledger_dir;
mod lock_file;
mod lsm_tables;
mod memory_blobs;
mod memory_disk;
mod memory_frames;
mod memory_tables;
mod parts;
mod passed;
mod signer_dir;
mod sled_dir;
mod sled_frames;
mod sync;
mod tables;
mod unfinished;

pub use blobs::{BlobError, BlobReader, BlobStore, BlobWriter};
pub use datadir::{DataDir, DataDirError, FORMAT_NUMBER, RESTORED};
pub use examined::ExaminedDir;
pub use fault::{FaultKind, IoFault};
pub use files::FileBlobs;
pub use frame_loader::FrameLoader;
pub use frames::{
    AppendOutcome, FRAME_BYTES_MAX, FRAMES_READ_MAX, FrameStore, Poison, PoisonCause, StoreError,
    StoredFrame,
};
pub use give_way::give_way;
pub use head::Head;
pub use ledger_dir::OpenError;
pub use lsm_tables::{BlockCache, LsmTables, OpenedTables, TablesOrigin};
pub use memory_blobs::MemoryBlobs;
pub use memory_disk::{Fault, MemoryDisk, PowerCut, Step, Tear};
pub use memory_frames::MemoryFrames;
pub use memory_tables::MemoryTables;
pub use parts::Parts;
pub use signer_dir::{Signed, SignerDir, SignerDirError, Suspicion, read_signed};
pub use sled_frames::{FramesOptions, SledFrames};
pub use sync::{DiskSyncer, Syncer, replace_file};
pub use tables::{KEY_BYTES_MAX, ProjectionStore, ROW_BYTES_MAX, TableError};
pub use unfinished::{UnfinishedDir, Work, lies_in};

pub(crate) use lock_file::LockFile;
#[cfg(test)]
pub(crate) use sync::recording::RecordingSyncer;
