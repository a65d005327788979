//! Keeps a projection: follows the ledger with a fold into tables of its own, builds them anew
//! beside those that answer, and verifies them.
//!
//! The rows lie in a database of the projection's own, one directory a build, which is
//! disposable: what does not open, or whose cursor contradicts the ledger, is built again from
//! entry 0. Changes and cursor are applied in one atomic batch of whole frames. A projection
//! sees no further than the published head, and shows its own progress only once it is applied.
//! A fold that fails stops its projection and no other: what it has read until then can still
//! be asked. What a crash takes from the rows is read again.
//!
//! **A build answers once it is whole**, that is, has read the ledger as far as it goes.
//! Until then what answered before goes on answering: at a rebuild, the tables that follow the
//! ledger; at the first start of a new version of a fold, the tables of an older one, if the
//! fold says that it can read them, standing still at their cursor; or else nothing, and
//! questions wait. A rebuild that is given up leaves nothing behind; one that a kill cut short
//! goes at the next start. A first build is gone on with.
//!
//! - `source`: the ledger, as seen from here
//! - `builds`: which directories there are, and which of them count
//! - `ahead`, `folding`: frames, and frames into tables
//! - `projection`: what is shown
//! - `work`, `worker`: the threads that follow and build
//! - `verify`, `examine`, `comparison`: whether the tables are what the ledger gives

mod ahead;
mod builds;
mod comparison;
mod examine;
mod folding;
mod projection;
mod source;
mod verify;
mod work;
mod worker;
mod writing;

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use tokio::sync::watch;

pub use comparison::Compared;
pub use examine::{TablesFault, compare_tables, examine};
pub use projection::{Building, NotFollowing, Projection, Snapshot, Status};
pub use source::EntrySource;
pub use verify::{Verdict, VerifyStep};
pub use work::Steps;
pub use worker::RebuildStep;

use super::cursor::Cursor;
use crate::fold::{Fold, Tables};
use crate::ledger::ReadError;
use crate::storage::{BlockCache, LsmTables, OpenedTables, TableError, TablesOrigin};
use builds::{Build, Builds};
use projection::{Opened, Shared, Showing, Shown};
use work::Work;
use worker::Purpose;

/// Where and how a projection keeps its rows.
#[derive(Clone, Debug)]
pub struct Home {
    /// The directory of all projections; made if it does not exist.
    pub directory: PathBuf,
    /// What all of them keep in memory of the blocks that they read.
    pub cache: BlockCache,
}

/// Has a projection follow the ledger. Dropping it has its threads end, without waiting.
#[derive(Debug)]
pub struct Runner {
    projection: Projection,
}

impl Runner {
    /// Opens the projection's rows and follows `source` from there; where they are of no use,
    /// builds them anew.
    pub fn start(
        fold: Arc<dyn Fold>,
        home: &Home,
        source: Arc<dyn EntrySource>,
    ) -> Result<Self, RunnerError> {
        let (builds, found) = Builds::find(home, &*fold)?;
        let opening = Opening {
            fold: &*fold,
            home,
            source: &*source,
        };
        let (answering, unfinished) = opening.choose(&found)?;
        let start = (None, Cursor::start(&*fold));
        let (answering, cursor) =
            answering.map_or(start, |(it, cursor)| (Some(Arc::new(it)), cursor));
        let shared = Arc::new(Shared {
            home: home.clone(),
            builds,
            shown: Showing(watch::Sender::new(Shown {
                answering: answering.clone(),
                cursor,
                status: Status::Following,
                building: None,
            })),
            work: Mutex::new(Work::default()),
            fold,
            source,
        });
        let runner = Self {
            projection: Projection { shared },
        };
        runner.begin(answering.as_ref(), unfinished, &found)?;
        Ok(runner)
    }

    /// Follows into what answers, or builds what is to.
    fn begin(
        &self,
        answering: Option<&Arc<Opened>>,
        unfinished: Option<(Opened, Cursor)>,
        found: &[Build],
    ) -> Result<(), RunnerError> {
        let shared = &self.projection.shared;
        let mut work = shared.work();
        let version = shared.fold.version();
        if let Some(opened) = answering.filter(|it| it.build.version == version) {
            Builds::remove_all_but(found, &[&opened.build]);
            let cursor = shared.shown.0.borrow().cursor;
            return shared.follow(&mut work, Arc::clone(opened), cursor);
        }
        let (opened, cursor) = match unfinished {
            Some(unfinished) => unfinished,
            None => (shared.new_tables()?, Cursor::start(&*shared.fold)),
        };
        // A start with another release finds its tables as long as these are not built.
        let others = found.iter();
        let others = others.filter(|it| it.version != version && it.is_built());
        let obsolete: Vec<Build> = others.cloned().collect();
        let kept: Vec<&Build> = obsolete.iter().chain([&opened.build]).collect();
        Builds::remove_all_but(found, &kept);
        shared.build(&mut work, opened, cursor, Purpose::First { obsolete })?;
        Ok(())
    }

    /// The projection, to be asked.
    #[must_use]
    pub fn projection(&self) -> Projection {
        self.projection.clone()
    }

    /// Stops after the batch at hand; whether all threads ended by `deadline`. The rows are
    /// closed once the last handle on the projection is gone.
    #[must_use]
    pub fn stop(self, deadline: Instant) -> bool {
        let hands: Vec<_> = self.tell_to_stop().collect();
        // Each is waited for, also after one that did not end.
        let ended = hands.into_iter().map(|hand| hand.ended_by(deadline));
        ended.filter(|ended| !ended).count() == 0
    }

    fn tell_to_stop(&self) -> impl Iterator<Item = work::Hand> + use<> {
        let shared = &self.projection.shared;
        let hands = shared.work().stop();
        shared.source.wake();
        hands
    }
}

impl Drop for Runner {
    fn drop(&mut self) {
        drop(self.tell_to_stop());
    }
}

impl Projection {
    /// Builds the tables anew from entry 0 beside those that answer, and puts them in their
    /// place once they have read as much.
    pub fn rebuild(&self) -> Result<Steps<RebuildStep>, RebuildError> {
        let shared = &self.shared;
        let mut work = shared.work();
        if work.stopping {
            return Err(RebuildError::Stopping);
        }
        if let Some(Building { done, total, .. }) = self.building() {
            return Err(RebuildError::UnderWay { done, total });
        }
        if let Some(done) = work.builder.take() {
            done.wait();
        }
        let start = Cursor::start(&*shared.fold);
        Ok(shared.build(&mut work, shared.new_tables()?, start, Purpose::Asked)?)
    }
}

impl Shared {
    /// Empty tables of a new build.
    fn new_tables(&self) -> Result<Opened, RunnerError> {
        let build = self.builds.next();
        let opened = LsmTables::open(&build.path, &self.home.cache)?;
        let tables = opened.tables;
        Ok(Opened { build, tables })
    }
}

/// Why a projection could not be started, or tables not be built.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// The directory of the projections cannot be made, or rows of no use not removed.
    #[error("{path}: {error}")]
    Directory {
        /// Which.
        path: String,
        /// What the operating system said.
        error: io::Error,
    },
    /// The rows cannot be opened.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Ledger(#[from] ReadError),
    /// The ledger holds less than was read of it.
    #[error(
        "the ledger has lost entries: it holds {found}, and the projection {projection} has read {read}; restore the data directory from a backup that holds at least {read}; one that holds fewer is restored without the directories admission and projections, which are built again"
    )]
    ShorterThanRead {
        /// The projection.
        projection: &'static str,
        /// How many entries it has read.
        read: u64,
        /// How many the ledger holds.
        found: u64,
    },
    /// No thread can be started.
    #[error("a thread cannot be started: {0}")]
    Thread(io::Error),
}

/// Why a rebuild or a verification does not begin.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// One is under way.
    #[error("it is under way: {done} of {total} entries are read")]
    UnderWay {
        /// How many entries it has folded.
        done: u64,
        /// How many the ledger holds.
        total: u64,
    },
    /// What answers was made by another version of the fold, and nothing can make it again.
    #[error("version {answering} answers until version {building} is built")]
    OtherVersion {
        /// The version that answers.
        answering: u32,
        /// The one that is being built.
        building: u32,
    },
    /// Nothing answers yet.
    #[error("it is being built for the first time")]
    NotBuilt,
    /// The projection was told to stop.
    #[error("the daemon is stopping")]
    Stopping,
    /// The tables cannot be begun.
    #[error(transparent)]
    Runner(#[from] RunnerError),
}

/// Chooses among the builds that a start finds.
struct Opening<'a> {
    fold: &'a dyn Fold,
    home: &'a Home,
    source: &'a dyn EntrySource,
}

impl Opening<'_> {
    /// What answers, and else what the build begins with that is to.
    #[expect(
        clippy::type_complexity,
        reason = "two of the same, each with its cursor"
    )]
    fn choose(
        &self,
        found: &[Build],
    ) -> Result<(Option<(Opened, Cursor)>, Option<(Opened, Cursor)>), RunnerError> {
        let version = self.fold.version();
        if let Some(built) = self.first(found, |it| it.version == version && it.is_built())? {
            return Ok((Some(built), None));
        }
        let unfinished = self.first(found, |it| it.version == version && !it.is_built())?;
        for older in self.fold.readable_versions() {
            if let Some(older) = self.first(found, |it| it.version == *older && it.is_built())? {
                return Ok((Some(older), unfinished));
            }
        }
        Ok((None, unfinished))
    }

    /// The first such build whose rows can be used. Those that cannot are removed.
    fn first(
        &self,
        found: &[Build],
        such: impl Fn(&Build) -> bool,
    ) -> Result<Option<(Opened, Cursor)>, RunnerError> {
        for build in found.iter().filter(|build| such(build)) {
            if let Some(opened) = self.open(build)? {
                return Ok(Some(opened));
            }
        }
        Ok(None)
    }

    /// The rows of a build, with a cursor that the ledger confirms.
    fn open(&self, build: &Build) -> Result<Option<(Opened, Cursor)>, RunnerError> {
        let OpenedTables { tables, origin } = LsmTables::open(&build.path, &self.home.cache)?;
        if origin == TablesOrigin::Reopened {
            match self.confirmed(&tables)? {
                Ok(cursor) => {
                    let build = build.clone();
                    return Ok(Some((Opened { build, tables }, cursor)));
                }
                Err(why) => {
                    let name = self.fold.name();
                    tracing::warn!(projection = name, why, "built again from entry 0");
                }
            }
        }
        tables.discard_when_closed();
        Ok(None)
    }

    /// The cursor of rows that were found, if the ledger confirms it: its root stands at the
    /// end of a frame. Otherwise, why it is not believed.
    fn confirmed(&self, tables: &dyn Tables) -> Result<Result<Cursor, &'static str>, RunnerError> {
        let cursor = match Cursor::load(tables) {
            Ok(Some(cursor)) => cursor,
            Ok(None) => return Ok(Err("its rows have no cursor")),
            Err(_) => return Ok(Err("its cursor cannot be read")),
        };
        let Some(last) = cursor.size.checked_sub(1) else {
            return Ok(Err("its cursor stands before entry 0"));
        };
        let (read, found) = (cursor.size, self.source.head().size);
        if read > found {
            // What was read was durable: the ledger has lost its end.
            return Err(RunnerError::ShorterThanRead {
                projection: self.fold.name(),
                read,
                found,
            });
        }
        Ok(match self.source.frame_at(last)? {
            Some(frame) if frame.next_index() == cursor.size && frame.root_after == cursor.root => {
                Ok(cursor)
            }
            _ => Err("its cursor names another root than the ledger"),
        })
    }
}

#[cfg(test)]
mod tests;
