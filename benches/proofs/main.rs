//! How many inclusion proofs one core makes, as the ledger grows: two ledgers, one ten times the
//! other, whose leaf hashes go through the fold into tables on disk as the daemon keeps them;
//! then proofs of random entries in the whole tree, and consistency proofs from random sizes.
//! Each is verified, after it was timed. Times are those of the processor, as the machine may do
//! something else besides.
//!
//! `ONRECORD_BENCH_ENTRIES` sets how many entries the larger ledger has.

// Figures are printed to a few digits: that a double holds fewer than a count is no loss.
#![allow(clippy::cast_precision_loss)]

use std::ops::Bound;
use std::path::Path;
use std::time::Duration;

use mimalloc::MiMalloc;
use onrecord::fold::{Order, Overlay, RecentRows, Scan, Tables, TablesError};
use onrecord::merkle::{Frontier, Hash, consistency_proof, inclusion_proof, leaf_hash, root};
use onrecord::projection::tiles::{RecentTiles, TilesFold, nodes};
use onrecord::storage::{BlockCache, LsmTables, ProjectionStore as _};
use rustix::time::{ClockId, clock_gettime};

/// As in the daemon.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Entries in the larger ledger, unless the environment says otherwise.
const ENTRIES: u64 = 10_000_000;
/// Proofs for each figure.
const PROOFS: u64 = 100_000;
/// Proofs before any is timed.
const WARMING: u64 = 2_000;
/// The daemon's bound on a batch when it builds.
const KEYS_PER_BATCH: usize = 384 << 10;
/// The daemon's bound on the bytes of one.
const BYTES_PER_BATCH: usize = 48 << 20;
/// What the daemon keeps of the blocks that were read, unless it is set otherwise.
const CACHE_BYTES: u64 = 16 << 20;
/// An odd number near the golden ratio of 2^64: its multiples come by every index in no order.
const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible<()> {
    // `cargo test --benches` runs this too, and wants no figures.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    let most = match std::env::var("ONRECORD_BENCH_ENTRIES") {
        Ok(count) => count.parse()?,
        Err(_) => ENTRIES,
    };
    let directory = tempfile::tempdir()?;
    for size in [most / 10, most] {
        measure(&directory.path().join(size.to_string()), size)?;
    }
    Ok(())
}

fn measure(directory: &Path, size: u64) -> Fallible<()> {
    let tables = LsmTables::open(directory, &BlockCache::of(CACHE_BYTES))?.tables;
    let started = processor_time();
    let frontier = fold(&tables, size)?;
    let folding = processor_time().saturating_sub(started);
    println!(
        "{size:>9} entries folded: {:>8.0}/s, {:>5.1} bytes each on disk; resident {} MB",
        size as f64 / folding.as_secs_f64(),
        tables.bytes_on_disk() as f64 / size as f64,
        resident_mb()?,
    );
    let (recent, whole) = (RecentTiles::default(), frontier.root());
    let reader = || nodes(&tables, 0, size, &recent);
    let mut making = Duration::ZERO;
    for number in 0..WARMING + PROOFS {
        let index = number.wrapping_mul(STRIDE) % size;
        let started = processor_time();
        let proof = inclusion_proof(&mut reader(), index, size)?;
        if number >= WARMING {
            making += processor_time().saturating_sub(started);
        }
        proof.verify(index, size, &leaf(index), &whole)?;
    }
    println!("  inclusion proofs: {:>8.0}/s", rate(making));
    let mut making = Duration::ZERO;
    for number in 0..PROOFS {
        let old = number.wrapping_mul(STRIDE) % size;
        let started = processor_time();
        let proof = consistency_proof(&mut reader(), old, size)?;
        making += processor_time().saturating_sub(started);
        let old_root = root(&mut reader(), old)?;
        proof.verify(old, size, &old_root, &whole)?;
    }
    println!(
        "  consistency proofs: {:>6.0}/s; resident {} MB",
        rate(making),
        resident_mb()?
    );
    Ok(())
}

fn leaf(index: u64) -> Hash {
    leaf_hash(&index.to_be_bytes())
}

fn rate(making: Duration) -> f64 {
    PROOFS as f64 / making.as_secs_f64()
}

/// Folds so many leaves, in batches like those of the daemon.
fn fold(tables: &LsmTables, size: u64) -> Fallible<Frontier> {
    let (recent, mut frontier) = (RecentRows::default(), Frontier::new());
    while frontier.size() < size {
        let applied = Applied {
            tables,
            recent: &recent,
        };
        let mut batch = Overlay::new(&applied);
        while frontier.size() < size
            && batch.len() < KEYS_PER_BATCH
            && batch.bytes() < BYTES_PER_BATCH
        {
            let (index, leaf) = (frontier.size(), leaf(frontier.size()));
            let changes = TilesFold::push(&batch, index, leaf)?;
            batch.add(changes);
            frontier.push(leaf);
        }
        let batch = batch.into_batch();
        recent.change_by(&batch);
        tables.ingest(&batch.sorted())?;
    }
    Ok(frontier)
}

/// The tables as a fold sees them, with the rows that were read lately in memory.
struct Applied<'a> {
    tables: &'a LsmTables,
    recent: &'a RecentRows,
}

impl Tables for Applied<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.recent.get(self.tables, key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        self.tables.rows(start, order)
    }
}

/// What this thread took of the processor.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The memory that this process holds, in megabytes.
fn resident_mb() -> Fallible<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1));
    Ok(kilobytes.ok_or("no VmRSS")?.parse::<u64>()? / 1024)
}
