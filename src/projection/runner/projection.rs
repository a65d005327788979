//! A projection, to be asked: what it shows, and how far it has read.
//!
//! What answers is one set of tables with the cursor that they have reached, put in place of
//! another all at once. Whoever has begun to read one set goes on with it to the end, whatever
//! takes its place meanwhile; its directory goes with its last reader.

use std::ops::Bound;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::builds::{Build, Builds};
use super::work::Work;
use super::{EntrySource, Home};
use crate::fold::{Fold, Order, Scan, Tables, TablesError};
use crate::projection::Cursor;
use crate::storage::LsmTables;

/// Whether a projection reads on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It follows the ledger, or is being built so that it will.
    Following,
    /// It stopped by itself and will not read on before it is rebuilt, or the next start.
    Failed {
        /// The entry that it could not fold; where another thing failed, the first that it
        /// has not read.
        index: u64,
        /// Why not.
        reason: String,
    },
    /// It was told to stop.
    Stopped,
}

/// How far a build is that does not answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Building {
    /// The version of the fold that builds it.
    pub version: u32,
    /// How many entries it has folded.
    pub done: u64,
    /// How many the ledger holds.
    pub total: u64,
}

/// The projection does not read on, and has not read as much as was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the projection {name} stands at {size} entries and reads no further")]
pub struct NotFollowing {
    /// The projection.
    pub name: &'static str,
    /// How much it has read.
    pub size: u64,
    /// Why it reads no further.
    pub status: Status,
}

/// A projection, to be asked. Clones are the same projection.
#[derive(Clone)]
pub struct Projection {
    pub(super) shared: Arc<Shared>,
}

/// What all handles on a projection share, and the threads that work for it.
pub(super) struct Shared {
    pub(super) fold: Arc<dyn Fold>,
    pub(super) home: Home,
    pub(super) source: Arc<dyn EntrySource>,
    pub(super) builds: Builds,
    pub(super) shown: Showing,
    pub(super) work: Mutex<Work>,
}

/// Tables that are open, of one build.
pub(super) struct Opened {
    pub(super) build: Build,
    pub(super) tables: LsmTables,
}

/// What a projection shows.
#[derive(Clone)]
pub(super) struct Shown {
    /// What answers; none until the first build is whole.
    pub(super) answering: Option<Arc<Opened>>,
    /// How far that has read.
    pub(super) cursor: Cursor,
    pub(super) status: Status,
    /// The build that is to answer next.
    pub(super) building: Option<Building>,
}

/// The tables of whatever answers at the moment of each read.
pub(super) struct Showing(pub(super) watch::Sender<Shown>);

/// Some tables of a projection, how far they have read, and what made them. They stay as they
/// are, but for what is read further, for as long as this is held.
#[derive(Clone)]
pub struct Snapshot {
    opened: Arc<Opened>,
    cursor: Cursor,
}

impl Projection {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.shared.fold.name()
    }

    /// The version that answers; where none does yet, the one that will.
    #[must_use]
    pub fn version(&self) -> u32 {
        let shown = self.shared.shown.0.borrow();
        let answering = shown.answering.as_ref();
        answering.map_or_else(|| self.shared.fold.version(), |it| it.build.version)
    }

    /// Its rows, whichever tables answer at the moment of a read. They may be ahead of the
    /// cursor: name a `known_at` no greater than the size of a cursor that was read before.
    #[must_use]
    pub fn tables(&self) -> &impl Tables {
        &self.shared.shown
    }

    /// What answers, to be read at leisure; none while the first build is under way.
    #[must_use]
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.shared.snapshot()
    }

    /// How far it has read.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.shared.shown.0.borrow().cursor
    }

    /// Whether it reads on.
    #[must_use]
    pub fn status(&self) -> Status {
        self.shared.shown.0.borrow().status.clone()
    }

    /// How far the build is that is to answer next, if there is one.
    #[must_use]
    pub fn building(&self) -> Option<Building> {
        self.shared.shown.0.borrow().building
    }

    /// Waits until what answers has read `size` entries, for as long as it reads on; the caller
    /// bounds the wait.
    pub async fn wait_for(&self, size: u64) -> Result<Snapshot, NotFollowing> {
        let mut shown = self.shared.shown.0.subscribe();
        let has_read = |shown: &Shown| shown.snapshot().filter(|it| it.cursor.size >= size);
        let settled =
            |shown: &Shown| has_read(shown).is_some() || shown.status != Status::Following;
        // This handle holds the sender, so that the wait ends by what it waits for.
        let shown = match shown.wait_for(settled).await {
            Ok(shown) => shown.clone(),
            Err(_) => self.shared.shown.0.borrow().clone(),
        };
        has_read(&shown).ok_or(NotFollowing {
            name: self.name(),
            size: shown.cursor.size,
            status: shown.status,
        })
    }
}

impl Shared {
    pub(super) fn snapshot(&self) -> Option<Snapshot> {
        self.shown.0.borrow().snapshot()
    }
}

impl Shown {
    fn snapshot(&self) -> Option<Snapshot> {
        let opened = self.answering.clone()?;
        let cursor = self.cursor;
        Some(Snapshot { opened, cursor })
    }
}

impl std::fmt::Debug for Projection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projection")
            .field("name", &self.name())
            .field("version", &self.version())
            .field("cursor", &self.cursor())
            .finish_non_exhaustive()
    }
}

impl Snapshot {
    /// How far the tables have read, at least.
    #[must_use]
    pub const fn cursor(&self) -> Cursor {
        self.cursor
    }

    /// The version of the fold that made them.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.opened.build.version
    }

    /// The number of the build that these tables are: of two of one projection, the greater is
    /// the newer one.
    #[must_use]
    pub fn build(&self) -> u64 {
        self.opened.build.number
    }

    pub(super) fn opened(&self) -> &Opened {
        &self.opened
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot")
            .field("version", &self.version())
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

impl Tables for Snapshot {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.opened.tables.get(key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        self.opened.tables.rows(start, order)
    }
}

impl Showing {
    fn answering(&self) -> Result<Arc<Opened>, TablesError> {
        let answering = self.0.borrow().answering.clone();
        answering.ok_or_else(|| TablesError("the projection is being built".to_owned()))
    }
}

impl Tables for Showing {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.answering()?.tables.get(key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        match self.answering() {
            Ok(opened) => {
                let rows = opened.tables.detached_rows(start, order);
                Box::new(Held {
                    rows,
                    _opened: opened,
                })
            }
            Err(error) => Box::new(std::iter::once(Err(error))),
        }
    }
}

/// The rows of a scan, with the tables that they are read from.
struct Held {
    rows: Scan<'static>,
    /// Let go of after the rows.
    _opened: Arc<Opened>,
}

impl Iterator for Held {
    type Item = Result<crate::fold::Row, TablesError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.rows.next()
    }
}
