//! An archive in memory, but for the rows of its projections, on stores that a test can make
//! fail.

use std::num::NonZeroU32;
use std::sync::{Arc, Condvar, Mutex};
use std::time::SystemTime;

use onrecord::app::{self, Founding, SignerStore, Stores, World};
use onrecord::checkpoint::NotSigning;
use onrecord::ledger::HeadFile;
use onrecord::projection::Home as ProjectionHome;
use onrecord::record::ContentId;
use onrecord::storage::{
    self, AppendOutcome, BlobError, BlobReader, BlobStore, BlobWriter, BlockCache, DataDirError,
    FrameStore, MemoryBlobs, MemoryDisk, MemoryFrames, MemoryTables, Poison, StoreError,
    StoredFrame,
};

use super::Signer;
use super::daemon::{Daemon, Home};
use super::records::ORIGIN;

/// A founded archive.
pub struct InMemory {
    pub home: Home,
    pub disk: MemoryDisk,
    pub sources: MemoryBlobs,
    head: NotedInMemory,
}

impl InMemory {
    pub fn founded() -> Self {
        let archive = Self {
            home: Home::new(),
            disk: MemoryDisk::new(),
            sources: MemoryBlobs::new(),
            head: NotedInMemory::default(),
        };
        let steward = Signer::steward();
        let founding = Founding {
            origin: ORIGIN,
            checkpoint_key: steward.key.public(),
            steward: &steward.key,
        };
        let (stores, config) = (archive.stores(), &archive.home.config);
        // A test may run on a runtime of its own, and this makes one.
        std::thread::scope(|scope| {
            let found = || app::found_on(stores, config, &founding, World::real());
            scope.spawn(found).join().unwrap().unwrap();
        });
        archive
    }

    fn stores(&self) -> Stores {
        self.stores_on(Arc::new(MemoryFrames::open(&self.disk)))
    }

    /// Its stores, with rows of projections that nobody has folded yet.
    fn stores_on(&self, frames: Arc<dyn FrameStore>) -> Stores {
        let rows = tempfile::tempdir_in(self.home.directory.path()).unwrap();
        Stores {
            frames,
            admission: Arc::new(MemoryTables::new()),
            head: Arc::new(self.head.clone()),
            sources: Arc::new(self.sources.clone()),
            texts: Arc::new(MemoryBlobs::new()),
            projections: ProjectionHome {
                directory: rows.keep(),
                cache: BlockCache::of(1 << 20),
            },
            signer: SignerStore {
                home: Err(NotSigning::NothingNoted {
                    detail: "nothing is signed here".to_owned(),
                }),
                restored: None,
            },
        }
    }

    /// Serves it.
    pub fn start(self) -> Daemon {
        let stores = self.stores();
        self.home.start_on(stores)
    }

    /// Serves it with frames that come and go by way of `frames`.
    pub fn start_with_frames(self, frames: Frames) -> Daemon {
        let stores = self.stores_on(Arc::new(frames));
        self.home.start_on(stores)
    }

    /// Serves it with sources whose every opening and beginning `fault` may refuse.
    pub fn start_with_sources(
        self,
        fault: impl Fn() -> Result<(), BlobError> + Send + Sync + 'static,
    ) -> Daemon {
        let mut stores = self.stores();
        stores.sources = Arc::new(Sources {
            blobs: self.sources.clone(),
            fault: Box::new(fault),
        });
        self.home.start_on(stores)
    }
}

/// A head that is noted nowhere else.
#[derive(Clone, Default)]
struct NotedInMemory(Arc<Mutex<Option<storage::Head>>>);

impl HeadFile for NotedInMemory {
    fn read(&self) -> Result<Option<storage::Head>, DataDirError> {
        Ok(*self.0.lock().unwrap())
    }

    fn write(&self, head: &storage::Head) -> Result<(), DataDirError> {
        *self.0.lock().unwrap() = Some(*head);
        Ok(())
    }
}

type Append = dyn Fn(&MemoryFrames, u64, NonZeroU32, &[u8]) -> AppendOutcome + Send + Sync;
type BeforeRead = dyn Fn() -> Result<(), StoreError> + Send + Sync;

/// Frames in memory that do something else than append, or than read.
pub struct Frames {
    memory: MemoryFrames,
    append: Box<Append>,
    before_read: Box<BeforeRead>,
}

impl Frames {
    /// Frames that do as they should.
    pub fn on(disk: &MemoryDisk) -> Self {
        Self {
            memory: MemoryFrames::open(disk),
            append: Box::new(FrameStore::append),
            before_read: Box::new(|| Ok(())),
        }
    }

    pub fn appending(
        mut self,
        append: impl Fn(&MemoryFrames, u64, NonZeroU32, &[u8]) -> AppendOutcome + Send + Sync + 'static,
    ) -> Self {
        self.append = Box::new(append);
        self
    }

    /// With something that happens in place of a read if it fails, and before it otherwise.
    pub fn before_each_read(
        mut self,
        before: impl Fn() -> Result<(), StoreError> + Send + Sync + 'static,
    ) -> Self {
        self.before_read = Box::new(before);
        self
    }
}

impl FrameStore for Frames {
    fn epoch(&self) -> u64 {
        self.memory.epoch()
    }

    fn claim_above(&self, shown: u64) -> Result<(), StoreError> {
        self.memory.claim_above(shown)
    }

    fn next_index(&self) -> u64 {
        self.memory.next_index()
    }

    fn poison(&self) -> Option<Poison> {
        self.memory.poison()
    }

    fn append(&self, first_index: u64, count: NonZeroU32, frame: &[u8]) -> AppendOutcome {
        (self.append)(&self.memory, first_index, count, frame)
    }

    fn read_from(&self, index: u64, frames_max: usize) -> Result<Vec<StoredFrame>, StoreError> {
        (self.before_read)()?;
        self.memory.read_from(index, frames_max)
    }

    fn tail(&self) -> Result<Option<StoredFrame>, StoreError> {
        self.memory.tail()
    }

    fn sync_from(&self, index: u64) -> Result<(), StoreError> {
        self.memory.sync_from(index)
    }

    fn discard_tail(&self, first_index: u64) -> Result<(), StoreError> {
        self.memory.discard_tail(first_index)
    }

    fn bytes_on_disk(&self) -> Result<u64, StoreError> {
        self.memory.bytes_on_disk()
    }
}

/// Documents in memory that cannot always be opened or begun.
struct Sources {
    blobs: MemoryBlobs,
    fault: Box<dyn Fn() -> Result<(), BlobError> + Send + Sync>,
}

impl BlobStore for Sources {
    fn begin(&self, bytes_max: u64) -> Result<Box<dyn BlobWriter>, BlobError> {
        (self.fault)()?;
        self.blobs.begin(bytes_max)
    }

    fn contains(&self, id: &ContentId) -> Result<bool, BlobError> {
        self.blobs.contains(id)
    }

    fn open(&self, id: &ContentId) -> Result<BlobReader, BlobError> {
        (self.fault)()?;
        self.blobs.open(id)
    }

    fn remove(&self, id: &ContentId) -> Result<bool, BlobError> {
        self.blobs.remove(id)
    }

    fn list_older_than(
        &self,
        before: SystemTime,
        after: Option<&ContentId>,
        ids_max: usize,
    ) -> Result<Vec<ContentId>, BlobError> {
        self.blobs.list_older_than(before, after, ids_max)
    }

    fn remove_if_older_than(&self, id: &ContentId, before: SystemTime) -> Result<bool, BlobError> {
        self.blobs.remove_if_older_than(id, before)
    }
}

/// A gate that is closed until it is opened, and tells once somebody stands before it.
#[derive(Clone, Default)]
pub struct Gate(Arc<(Mutex<Passing>, Condvar)>);

#[derive(Default)]
struct Passing {
    open: bool,
    waiting: bool,
}

impl Gate {
    /// Waits until it is open.
    pub fn pass(&self) {
        let mut passing = self.0.0.lock().unwrap();
        passing.waiting = true;
        self.0.1.notify_all();
        while !passing.open {
            passing = self.0.1.wait(passing).unwrap();
        }
    }

    /// Waits until somebody came to it.
    pub fn wait_for_somebody(&self) {
        let mut passing = self.0.0.lock().unwrap();
        while !passing.waiting {
            passing = self.0.1.wait(passing).unwrap();
        }
    }

    pub fn open(&self) {
        self.0.0.lock().unwrap().open = true;
        self.0.1.notify_all();
    }
}
