//! The tables that a daemon would judge by and answer from, against a replay of the ledger. They
//! can all be computed again, so that damage here loses nothing; but what it would answer is
//! wrong.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::CACHE_BYTES;
use super::frames::Opened;
use super::report::{Part, Report};
use crate::fold::{Fold, Overlay};
use crate::ledger::{AdmissionState, Reader};
use crate::merkle::{Frontier, leaf_hash};
use crate::projection::{self, Home};
use crate::storage::{BlockCache, ExaminedDir, LsmTables, OpenedTables, TablesOrigin};

/// The name of admission's state in a report.
const ADMISSION: &str = "tables of admission";

/// Checks the tables, on copies.
pub(super) fn check(
    dir: &ExaminedDir,
    scratch: &Path,
    ledger: Option<&Opened>,
    folds: &[Arc<dyn Fold>],
    report: &mut Report,
) {
    let Some(ledger) = ledger.filter(|ledger| ledger.is_whole) else {
        report.add(Part::skipped("tables", "the ledger is damaged"));
        return;
    };
    let reader = &ledger.reader;
    report.add(admission(dir, scratch, reader));
    let home = Home {
        directory: scratch.join("projections"),
        cache: BlockCache::of(CACHE_BYTES),
    };
    let from = dir.parts().projections();
    if from.exists()
        && let Err(error) = copy_dir(&from, &home.directory)
    {
        let mut part = Part::new("tables of projections");
        part.find(&format!("they cannot be copied: {error}"));
        report.add(part);
        return;
    }
    for fold in folds {
        report.add(of_projection(fold, &home, reader));
    }
}

fn of_projection(fold: &Arc<dyn Fold>, home: &Home, reader: &Reader) -> Part {
    let name = format!("tables of {}", fold.name());
    let source = Arc::new(reader.clone());
    match projection::examine(Arc::clone(fold), home, source) {
        Ok(None) => Part::absent(name, "none are built; the next start builds them"),
        Ok(Some(verdict)) => {
            let mut part = Part::new(name);
            part.looked_at = format!("{} rows of {} entries", verdict.rows, verdict.stored.size);
            for difference in &verdict.differences {
                part.find(difference);
            }
            part
        }
        Err(error) => {
            let mut part = Part::new(name);
            part.find(&error);
            part
        }
    }
}

fn admission(dir: &ExaminedDir, scratch: &Path, reader: &Reader) -> Part {
    let (from, copy) = (dir.parts().admission(), scratch.join("admission"));
    if fs::read_dir(&from).map_or(true, |mut entries| entries.next().is_none()) {
        return Part::absent(ADMISSION, "there are none; the next start builds them");
    }
    let mut part = Part::new(ADMISSION);
    if let Err(error) = copy_dir(&from, &copy) {
        part.find(&format!("they cannot be copied: {error}"));
        return part;
    }
    match LsmTables::open(&copy, &BlockCache::of(CACHE_BYTES)) {
        Ok(OpenedTables {
            tables,
            origin: TablesOrigin::Reopened,
        }) => compare_admission(tables, scratch, reader, &mut part),
        Ok(OpenedTables {
            origin: TablesOrigin::Replaced { why, .. },
            ..
        }) => part.find(&format!("they do not open: {why}")),
        Ok(OpenedTables { .. }) => part.find(&"they do not open: their files are missing"),
        Err(error) => part.find(&error),
    }
    part
}

/// Compares admission's rows with those of a replay up to where they stand.
fn compare_admission(tables: LsmTables, scratch: &Path, reader: &Reader, part: &mut Part) {
    let stored = Arc::new(tables);
    let state = AdmissionState::new(Arc::clone(&stored) as _);
    let size = match state.cursor() {
        Ok(Some(cursor)) => cursor.size(),
        Ok(None) => return part.find(&"they do not say how much of the ledger they have read"),
        Err(error) => return part.find(&error),
    };
    if size > reader.head().size {
        return part.find(&format!(
            "they have read {size} entries, and the ledger holds {}",
            reader.head().size
        ));
    }
    let replayed = match LsmTables::open(
        &scratch.join("admission-replayed"),
        &BlockCache::of(CACHE_BYTES),
    ) {
        Ok(opened) => Arc::new(opened.tables),
        Err(error) => return part.find(&error),
    };
    if let Err(error) = replay(
        &AdmissionState::new(Arc::clone(&replayed) as _),
        reader,
        size,
    ) {
        return part.find(&error);
    }
    match projection::compare_tables(&*stored, &*replayed) {
        Ok(compared) => {
            part.looked_at = format!("{} rows of {size} entries", compared.rows);
            for difference in &compared.differences {
                part.find(difference);
            }
        }
        Err(error) => part.find(&error),
    }
}

/// Folds the first `size` entries into an empty state.
fn replay(state: &AdmissionState, reader: &Reader, size: u64) -> Result<(), String> {
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let mut frontier = Frontier::new();
    while frontier.size() < size {
        let frame = reader.frame_at(frontier.size());
        let frame = frame.map_err(|error| failed(&error))?;
        let frame = frame.ok_or_else(|| format!("entry {} is missing", frontier.size()))?;
        let mut overlay = Overlay::new(state);
        for entry in &frame.entries {
            let changes = AdmissionState::FOLD.fold(&overlay, entry);
            overlay.add(changes.map_err(|error| failed(&error))?);
            frontier.push(leaf_hash(&entry.encoded));
        }
        let changes = overlay.into_changes();
        let advanced = state.advance(changes, &frontier);
        advanced.map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// Copies a directory and all in it.
fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_dir(&entry.path(), &target)?;
        } else {
            // Not its permissions: the copy is opened to be written.
            let mut from = File::open(entry.path())?;
            io::copy(&mut from, &mut File::create(target)?)?;
        }
    }
    Ok(())
}
