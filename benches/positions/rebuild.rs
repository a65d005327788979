//! What a record costs at a rebuild: a ledger folded, digested and written in batches like those
//! of the daemon, and merged. The daemon writes on another thread than it folds. Reading and
//! decoding it, which it does on a third, is not counted.

use std::time::Duration;

use onrecord::fold::{Batch, Digest, Fold as _, Overlay, RecentRows};
use onrecord::projection::positions::PositionsFold;
use onrecord::storage::{BlockCache, LsmTables, ProjectionStore as _};
use rustix::time::ClockId;

use crate::archive::{Applied, CACHE_BYTES, resident_mb};
use crate::ledger::{Ledger, Pairs, Shape};
use crate::{Fallible, processor_time, time_by};

/// The daemon's bounds on a batch while it builds.
const KEYS_PER_BATCH: usize = 384 << 10;
const BYTES_PER_BATCH: usize = 48 << 20;

/// Statements on two pairs each, as when officials speak for their bodies.
const SHAPE: Shape = Shape {
    name: "rebuild",
    pairs: Pairs::Fixed(50),
    pace: 3_600,
    is_held: false,
    is_own: true,
};

/// Rebuilds a ledger of so many entries.
pub fn measure(size: u64) -> Fallible<()> {
    let directory = tempfile::tempdir()?;
    let tables = LsmTables::open(
        &directory.path().join("tables"),
        &BlockCache::of(CACHE_BYTES),
    )?
    .tables;
    let mut ledger = Ledger::new(&SHAPE, size);
    let recent = RecentRows::default();
    let mut spare = Batch::default().with_room(BYTES_PER_BATCH);
    let mut memory = PositionsFold.memory();
    let mut digest = Digest::start(PositionsFold.name(), PositionsFold.version());
    let (mut folding, mut writing) = (Duration::ZERO, Duration::ZERO);
    let (mut rows, mut bytes, mut left) = (0, 0, size);
    let (all, own) = (time_by(ClockId::ProcessCPUTime), processor_time());
    while left > 0 {
        let applied = Applied {
            tables: &tables,
            recent: &recent,
        };
        let mut batch = Overlay::in_place_of(&applied, std::mem::take(&mut spare));
        while left > 0 && batch.len() < KEYS_PER_BATCH && batch.bytes() < BYTES_PER_BATCH {
            let entry = ledger.next_entry();
            left -= 1;
            let started = processor_time();
            let changes = PositionsFold.fold_next(&mut memory, &batch, &entry)?;
            digest = digest.after(entry.index, &changes);
            rows += changes.len();
            batch.add(changes);
            folding += processor_time().saturating_sub(started);
        }
        let started = processor_time();
        let batch = batch.into_batch();
        recent.change_by(&batch);
        folding += processor_time().saturating_sub(started);
        bytes += batch.bytes();
        let started = processor_time();
        tables.ingest(&batch.sorted())?;
        writing += processor_time().saturating_sub(started);
        spare = batch;
    }
    let own = processor_time().saturating_sub(own);
    tables.persist()?;
    let resident = resident_mb()?;
    let on_disk = tables.bytes_on_disk();
    drop(tables);
    let others = time_by(ClockId::ProcessCPUTime).saturating_sub(all + own);
    let each = |time: Duration| time.as_secs_f64() * 1e6 / size as f64;
    println!(
        "\nrebuild, two pairs a statement: {size} entries at {:.2} µs to fold, {:.2} to write, \
         {:.2} to merge beside; {:.2} rows and {:.0} bytes each, {:.0} on disk; resident \
         {resident} MB, of which {} for what is to be recorded; {digest}",
        each(folding),
        each(writing),
        each(others),
        rows as f64 / size as f64,
        bytes as f64 / size as f64,
        on_disk as f64 / size as f64,
        ledger.bytes() >> 20,
    );
    Ok(())
}
