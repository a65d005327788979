//! The copy of an archive that is being served, on a thread of its own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::documents::copy_named;
use super::error::BackupError;
use super::named::Named;
use crate::documents::StoredDocuments;
use crate::ledger::{DecodedFrame, Head, Reader, verify_chain};
use crate::projection::Steps;
use crate::storage::{FileBlobs, FrameLoader, FramesOptions, SledFrames, UnfinishedDir, Work};

/// How many frames are read at a time: 64 of the largest are 7.9 MB.
const FRAMES_AT_ONCE: usize = 64;

/// How a backup stands.
#[derive(Clone, Debug)]
pub enum BackupStep {
    /// It is being written.
    Copying {
        /// Bytes written.
        done: u64,
        /// Bytes to write, as far as is known: documents come to light with the entries that
        /// name them.
        total: u64,
    },
    /// It is whole, and says that it is a backup.
    Done {
        /// The head that it holds.
        head: Head,
        /// Bytes written.
        bytes: u64,
    },
    /// There is none.
    Failed(Arc<BackupError>),
}

/// A backup that has begun: its directory is there, empty and locked.
#[derive(Debug)]
pub struct Backup {
    directory: UnfinishedDir,
    reader: Reader,
    documents: Arc<StoredDocuments>,
    head: Head,
}

impl Backup {
    /// Begins a backup in `directory`, which is missing or empty, of what stands on record now.
    pub fn begin(
        directory: &Path,
        reader: Reader,
        documents: Arc<StoredDocuments>,
    ) -> Result<Self, BackupError> {
        Ok(Self {
            directory: UnfinishedDir::begin(directory, Work::Backup)?,
            head: reader.head(),
            reader,
            documents,
        })
    }

    /// Writes it on a thread of its own. Letting go of the steps gives it up, and takes away what
    /// was written.
    pub fn write(self) -> Result<Steps<BackupStep>, BackupError> {
        let (told, steps) = Steps::begin(BackupStep::Copying { done: 0, total: 0 });
        let mut writer = Writer {
            told,
            given_up: steps.given_up(),
            done: 0,
            total: 0,
        };
        let thread = std::thread::Builder::new().name("onrecord-backup".to_owned());
        thread
            .spawn(move || {
                let step = match self.copy(&mut writer) {
                    Ok(head) => BackupStep::Done {
                        head,
                        bytes: writer.done,
                    },
                    Err(error) => BackupStep::Failed(Arc::new(error)),
                };
                writer.told.send_replace(step);
            })
            .map_err(BackupError::Thread)?;
        Ok(steps)
    }

    fn copy(self, writer: &mut Writer) -> Result<Head, BackupError> {
        let named = self.copy_frames(writer)?;
        let Some(dir) = self.directory.dir() else {
            return Err(BackupError::GivenUp);
        };
        let sources = FileBlobs::open(&dir.parts().sources(), dir.syncer())?;
        let from = self.documents.sources();
        for id in named.archived() {
            // One that is missing is told of when its turn comes.
            writer.total += from.open(id).map_or(0, |document| document.size);
        }
        copy_named(&named, from, &sources, |bytes| writer.wrote(bytes))?;
        self.verify(writer)?;
        dir.write_head(&self.head.into())?;
        dir.mark_restored()?;
        let head = self.head;
        self.directory.finish()?;
        Ok(head)
    }

    /// Copies the frames up to the head as they are; the documents that their records name.
    fn copy_frames(&self, writer: &mut Writer) -> Result<Named, BackupError> {
        let Some(dir) = self.directory.dir() else {
            return Err(BackupError::GivenUp);
        };
        let mut loader = FrameLoader::begin(&dir.parts().ledger(), dir.syncer())?;
        let mut named = Named::default();
        let mut next = 0;
        while next < self.head.size {
            for stored in self.reader.stored_frames(next, FRAMES_AT_ONCE)? {
                // What was published since is for the next backup.
                if stored.next_index() > self.head.size {
                    break;
                }
                let (_, frame) = DecodedFrame::decode(&stored)?;
                for entry in &frame.entries {
                    named.add(entry);
                }
                loader.push(&stored)?;
                next = stored.next_index();
                let bytes = stored.bytes.len() as u64;
                writer.total += bytes;
                if !writer.wrote(bytes) {
                    return Err(BackupError::GivenUp);
                }
            }
        }
        loader.finish()?;
        Ok(named)
    }

    /// Opens what was written, and follows its chain of frames to the head.
    fn verify(&self, writer: &Writer) -> Result<(), BackupError> {
        let Some(dir) = self.directory.dir() else {
            return Err(BackupError::GivenUp);
        };
        if writer.is_given_up() {
            return Err(BackupError::GivenUp);
        }
        let frames = SledFrames::open(&dir.parts().ledger(), &FramesOptions::default())?;
        let found = verify_chain(&frames)?;
        if found == self.head {
            return Ok(());
        }
        Err(BackupError::OtherHead {
            size: self.head.size,
            root: self.head.root.to_string(),
            found_size: found.size,
            found_root: found.root.to_string(),
        })
    }
}

/// Tells how far a backup is, and learns that it is given up.
struct Writer {
    told: watch::Sender<BackupStep>,
    given_up: Arc<AtomicBool>,
    done: u64,
    total: u64,
}

impl Writer {
    /// Tells of bytes; whether to go on.
    fn wrote(&mut self, bytes: u64) -> bool {
        self.done += bytes;
        self.told.send_replace(BackupStep::Copying {
            done: self.done,
            total: self.total,
        });
        !self.is_given_up()
    }

    fn is_given_up(&self) -> bool {
        self.given_up.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::documents::{Document, DocumentsOnRecord, Extraction, Limits};
    use crate::merkle::{Hash, empty_root, leaf_hash};
    use crate::record::ContentId;
    use crate::storage::{MemoryBlobs, MemoryDisk, MemoryFrames};

    /// No record names a document.
    struct Nothing;

    impl DocumentsOnRecord for Nothing {
        fn of_text(&self, _: &ContentId) -> Option<Extraction> {
            None
        }

        fn names(&self, _: &Document) -> bool {
            false
        }

        fn size(&self) -> u64 {
            0
        }
    }

    /// Backs up an archive without entries, which the daemon says have a root; what came of it.
    fn back_up(directory: &Path, root: Hash) -> Result<Head, BackupError> {
        let head = Head {
            size: 0,
            root,
            recorded_at: None,
        };
        let frames = Arc::new(MemoryFrames::open(&MemoryDisk::new()));
        let documents = StoredDocuments::new(
            Arc::new(MemoryBlobs::new()),
            Arc::new(MemoryBlobs::new()),
            Arc::new(Nothing),
            Limits {
                text_cache_bytes: 0,
                unnamed_bytes_max: 0,
                disk_reserve_bytes: 0,
            },
        );
        let reader = Reader::new(frames, "archive.example".to_owned(), head);
        let backup = Backup::begin(directory, reader, Arc::new(documents))?;
        let (told, steps) = Steps::begin(BackupStep::Copying { done: 0, total: 0 });
        backup.copy(&mut Writer {
            told,
            given_up: steps.given_up(),
            done: 0,
            total: 0,
        })
    }

    #[test]
    fn what_does_not_lead_to_the_root_that_the_daemon_shows_is_no_backup_and_goes() {
        let home = tempfile::tempdir().unwrap();
        let directory = home.path().join("backup");
        let refused = back_up(&directory, leaf_hash(b"another ledger")).unwrap_err();
        assert!(
            matches!(refused, BackupError::OtherHead { .. }),
            "{refused}"
        );
        assert!(!directory.exists());
        let head = back_up(&directory, empty_root()).unwrap();
        assert_eq!(head.root, empty_root());
        assert!(directory.join("FORMAT").exists());
    }
}
