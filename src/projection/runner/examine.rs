//! Tables that nobody answers from, held against a replay of the ledger: those of a projection at
//! rest. Rows are compared one by one, in order and each by its key, since reads by key go by
//! parts of the files that a scan does not read.
//!
//! Opening tables can change them, so that whoever calls this passes a copy.

use std::ops::Bound;
use std::sync::Arc;

use super::builds::Builds;
use super::comparison::{Compared, Comparison, DIFFERENCES_MAX};
use super::folding::{Folding, Halt, Pace};
use super::projection::Opened;
use super::{EntrySource, Home, RunnerError, Verdict};
use crate::fold::{Fold, Order, Tables, TablesError};
use crate::projection::Cursor;
use crate::projection::cursor::is_cursor;
use crate::projection::key_text::key_text;
use crate::storage::{LsmTables, OpenedTables, TablesOrigin};

/// How many rows are compared in one step.
const ROWS_PER_STEP: u64 = 8_192;

/// Why tables could not be compared.
#[derive(Debug, thiserror::Error)]
pub enum TablesFault {
    /// They are not what was written.
    #[error("{why}")]
    Damaged {
        /// What is wrong with them.
        why: String,
    },
    /// The ledger does not fold.
    #[error("at entry {index}: {reason}")]
    Replay {
        /// The first entry that was not folded.
        index: u64,
        /// Why not.
        reason: String,
    },
    /// They, or those of the replay, cannot be opened.
    #[error(transparent)]
    Runner(#[from] RunnerError),
}

impl From<String> for TablesFault {
    fn from(why: String) -> Self {
        Self::Damaged { why }
    }
}

/// Compares the build in `home` that a start would answer from with a replay of the ledger, in
/// `home` as well; none if there is no such build.
pub fn examine(
    fold: Arc<dyn Fold>,
    home: &Home,
    source: Arc<dyn EntrySource>,
) -> Result<Option<Verdict>, TablesFault> {
    let (builds, found) = Builds::find(home, &*fold)?;
    let answers = found
        .into_iter()
        .find(|build| build.version == fold.version() && build.is_built());
    let Some(build) = answers else {
        return Ok(None);
    };
    let opened = LsmTables::open(&build.path, &home.cache).map_err(RunnerError::from)?;
    let OpenedTables { tables, origin } = opened;
    match origin {
        TablesOrigin::Reopened => {}
        TablesOrigin::Created => return Err("their files are missing".to_owned().into()),
        TablesOrigin::Replaced { why, .. } => return Err(format!("they do not open: {why}").into()),
    }
    let cursor = cursor_of(&tables, &*source)?;

    let scratch = builds.next();
    let scratch_tables = LsmTables::open(&scratch.path, &home.cache);
    let scratch_tables = scratch_tables.map_err(RunnerError::from)?.tables;
    scratch_tables.discard_when_closed();
    let scratch = Arc::new(Opened {
        build: scratch,
        tables: scratch_tables,
    });
    let start = Cursor::start(&*fold);
    let mut folding = Folding::new(fold, source, Arc::clone(&scratch), start);
    while folding.cursor.size < cursor.size {
        let pace = Pace::Building;
        let folded = folding.advance(cursor.size, pace);
        folded.map_err(|halt| replay_fault(&halt, folding.cursor.size))?;
    }
    let Compared {
        rows,
        mut differences,
        is_cut_short,
    } = compare_tables(&tables, &scratch.tables).map_err(|error| error.to_string())?;
    let replayed = folding.cursor;
    if cursor != replayed {
        differences.insert(0, "the digest or root is not that of the replay".to_owned());
    }
    Ok(Some(Verdict {
        version: build.version,
        stored: cursor,
        replayed: replayed.digest,
        rows,
        differences,
        is_cut_short,
    }))
}

fn replay_fault(halt: &Halt, size: u64) -> TablesFault {
    TablesFault::Replay {
        index: halt.index().unwrap_or(size),
        reason: halt.to_string(),
    }
}

/// The cursor of tables, which must be one that the ledger had.
fn cursor_of(tables: &dyn Tables, source: &dyn EntrySource) -> Result<Cursor, TablesFault> {
    let cursor = Cursor::load(tables).map_err(|error| error.to_string())?;
    let cursor =
        cursor.ok_or_else(|| "they do not say how much of the ledger they have read".to_owned())?;
    let Some(last) = cursor.size.checked_sub(1) else {
        return Err("they say that they have read nothing".to_owned().into());
    };
    let frame = source.frame_at(last).map_err(|error| error.to_string())?;
    match frame {
        Some(frame) if frame.next_index() == cursor.size && frame.root_after == cursor.root => {
            Ok(cursor)
        }
        Some(_) => Err("their cursor names another root than the ledger"
            .to_owned()
            .into()),
        None => Err(format!(
            "they have read {} entries, and the ledger holds {}",
            cursor.size,
            source.head().size
        )
        .into()),
    }
}

/// Compares all rows of `stored` with those of `replayed`, in order and each by its key.
pub fn compare_tables(stored: &dyn Tables, replayed: &dyn Tables) -> Result<Compared, TablesError> {
    let all = |tables| Tables::rows(tables, Bound::Unbounded, Order::Ascending);
    let mut comparison = Comparison::new(all(stored), all(replayed));
    while comparison.advance(ROWS_PER_STEP)? {}
    let mut compared = comparison.compared;
    for row in all(replayed) {
        if compared.differences.len() >= DIFFERENCES_MAX {
            compared.is_cut_short = true;
            break;
        }
        let (key, value) = row?;
        let difference = match stored.get(&key) {
            Ok(Some(found)) if found == value => continue,
            // Where the value differs the scan has said so, but for the cursor.
            Ok(Some(_)) if is_cursor(&key) => continue,
            Ok(Some(_)) => "is found with another value",
            Ok(None) => "is not found by its key",
            Err(error) => {
                let difference = format!("{} cannot be read: {error}", key_text(&key));
                compared.differences.push(difference);
                continue;
            }
        };
        let difference = format!("{} {difference}", key_text(&key));
        compared.differences.push(difference);
    }
    Ok(compared)
}
