//! A ledger folded into tables on disk, in batches like those of the daemon.

use std::ops::Bound;
use std::path::Path;
use std::time::Duration;

use onrecord::fold::{Fold as _, Order, Overlay, RecentRows, Scan, Tables, TablesError};
use onrecord::projection::positions::PositionsFold;
use onrecord::storage::{BlockCache, LsmTables, ProjectionStore as _};

use crate::ledger::{Ledger, Shape};
use crate::{Fallible, processor_time};

/// The daemon's bound on a batch.
const KEYS_PER_BATCH: usize = 1_024;
/// What the daemon's tables keep, together, of the blocks that were read, unless it is set
/// otherwise.
pub const CACHE_BYTES: u64 = 48 << 20;

/// A ledger, folded.
pub struct Archive {
    /// How many entries it has.
    pub size: u64,
    /// Over how many seconds things were said.
    pub span: i64,
    /// What was folded.
    pub tables: LsmTables,
    /// How long that took, without what it took to make the entries.
    pub folding: Duration,
}

impl Archive {
    /// Makes and folds a ledger of so many entries.
    pub fn fold(directory: &Path, shape: &Shape, size: u64) -> Fallible<Self> {
        let directory = directory.join(size.to_string());
        let tables = LsmTables::open(&directory, &BlockCache::of(CACHE_BYTES))?.tables;
        let mut ledger = Ledger::new(shape, size);
        let span = ledger.span();
        let recent = RecentRows::default();
        let mut folding = Duration::ZERO;
        let mut left = size;
        while left > 0 {
            let applied = Applied {
                tables: &tables,
                recent: &recent,
            };
            let mut batch = Overlay::new(&applied);
            while left > 0 && batch.len() < KEYS_PER_BATCH {
                let entry = ledger.next_entry();
                left -= 1;
                let started = processor_time();
                let changes = PositionsFold.fold(&batch, &entry)?;
                batch.add(changes);
                folding += processor_time().saturating_sub(started);
            }
            let started = processor_time();
            let changes = batch.into_changes();
            recent.change(&changes);
            tables.apply(changes)?;
            folding += processor_time().saturating_sub(started);
        }
        let started = processor_time();
        tables.persist()?;
        folding += processor_time().saturating_sub(started);
        Ok(Self {
            size,
            span,
            tables,
            folding,
        })
    }

    /// How much the tables take on disk.
    pub fn bytes_on_disk(&self) -> u64 {
        self.tables.bytes_on_disk()
    }
}

/// The tables as a fold sees them, with the rows that were read lately in memory.
pub struct Applied<'a> {
    pub tables: &'a LsmTables,
    pub recent: &'a RecentRows,
}

impl Tables for Applied<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.recent.get(self.tables, key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        self.tables.rows(start, order)
    }
}

/// The memory that this process holds, in megabytes.
pub fn resident_mb() -> Fallible<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kilobytes.ok_or("no VmRSS")?.parse::<u64>()? / 1024)
}
