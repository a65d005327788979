//! Whether the tables that answer are what the ledger gives: they are folded again from entry 0
//! into scratch tables, up to where they stand; then the digests are compared, which shows a
//! fold that went another way, and the rows one by one, which shows what rotted on the disk.
//! Memory is bounded by the two rows at hand; the scratch tables go at the end.
//!
//! Blocks that the engine holds in its cache are compared as they are there.

use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

use super::RebuildError;
use super::comparison::{Compared, Comparison};
use super::folding::{Folding, Halt, Pace};
use super::projection::{Opened, Projection, Shared, Snapshot};
use super::work::{Hand, Steps};
use super::worker::{self, CAUGHT_UP_WITHIN};
use crate::fold::{Digest, Order, Row, Tables as _, TablesError};
use crate::projection::Cursor;
use crate::projection::cursor::is_cursor;

/// How many rows are compared between two looks at whether to go on: some 10 ms.
const ROWS_PER_STEP: u64 = 8_192;

/// How a verification stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VerifyStep {
    /// It folds into scratch tables.
    Folding {
        /// How many entries it has folded.
        done: u64,
        /// How many what answers has read.
        total: u64,
    },
    /// It compares the rows.
    Comparing {
        /// How many entries are folded: all.
        total: u64,
        /// How many rows it has compared.
        rows: u64,
    },
    /// It has ended.
    Ended(Box<Verdict>),
    /// It could not be carried out.
    Failed {
        /// The entry that could not be folded; where another thing failed, the first that was
        /// not folded.
        index: u64,
        /// Why not.
        reason: String,
    },
    /// It was told to stop.
    Stopped,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The version that was verified.
    pub version: u32,
    /// How much of the ledger the stored tables have read, with their root and digest.
    pub stored: Cursor,
    /// The digest that a replay of as much gives.
    pub replayed: Digest,
    /// How many rows were compared.
    pub rows: u64,
    /// The first differences, for people; none if all is as it should be.
    pub differences: Vec<String>,
    /// Whether rows were left uncompared after the last difference.
    pub is_cut_short: bool,
}

impl Projection {
    /// Compares the tables that answer with a replay of the ledger.
    pub fn verify(&self) -> Result<Steps<VerifyStep>, RebuildError> {
        let shared = &self.shared;
        let answering = self.snapshot().ok_or(RebuildError::NotBuilt)?;
        if answering.version() != shared.fold.version() {
            return Err(RebuildError::OtherVersion {
                answering: answering.version(),
                building: shared.fold.version(),
            });
        }
        let mut work = shared.work();
        if work.stopping {
            return Err(RebuildError::Stopping);
        }
        let total = answering.cursor().size;
        if work.verifier.as_ref().is_some_and(Hand::is_at_work) {
            return Err(RebuildError::UnderWay { done: 0, total });
        }
        let scratch = Arc::new(shared.new_tables()?);
        scratch.tables.discard_when_closed();
        let (steps, verification) = Steps::begin(VerifyStep::Folding { done: 0, total });
        let given_up = verification.given_up();
        let shared = Arc::clone(shared);
        let name = format!("onrecord-{}-verify", self.name());
        work.verifier = Some(Hand::start(name, move |stop| {
            let folding = shared.folding(scratch, Cursor::start(&*shared.fold));
            let verifier = Verifier {
                shared,
                folding,
                stop,
                given_up,
                steps,
            };
            verifier.run();
        })?);
        Ok(verification)
    }
}

/// Carries out a verification, on a thread of its own.
struct Verifier {
    shared: Arc<Shared>,
    folding: Folding,
    stop: Arc<AtomicBool>,
    given_up: Arc<AtomicBool>,
    steps: watch::Sender<VerifyStep>,
}

impl Verifier {
    fn run(mut self) {
        let step = match worker::run(|| self.verify()) {
            Ok(Some(verdict)) => VerifyStep::Ended(Box::new(verdict)),
            Ok(None) => VerifyStep::Stopped,
            Err((index, reason)) => VerifyStep::Failed {
                index: index.unwrap_or(self.folding.cursor.size),
                reason,
            },
        };
        // Whoever is told may verify again at once.
        let Self {
            shared,
            folding,
            steps,
            ..
        } = self;
        drop(folding);
        shared.work().verifier = None;
        steps.send_replace(step);
    }

    /// None if it was told to stop.
    fn verify(&mut self) -> Result<Option<Verdict>, Halt> {
        // What follows the ledger runs ahead meanwhile; the rest is little.
        let size = self.shared.shown.0.borrow().cursor.size;
        if !self.fold_up_to(size)? {
            return Ok(None);
        }
        let Some(answering) = self.shared.snapshot() else {
            return Ok(None);
        };
        let opened = answering.opened();
        // One scan shows the rows as they are between two batches, the cursor among them.
        let mut stored = opened
            .tables
            .rows(Bound::Unbounded, Order::Ascending)
            .peekable();
        let cursor = match stored.next_if(is_cursor_row) {
            Some(Ok((_, value))) => Cursor::decode(&value).ok(),
            Some(Err(_)) | None => None,
        };
        let Some(cursor) = cursor else {
            return Ok(Some(self.without_cursor(&answering)));
        };
        if !self.fold_up_to(cursor.size)? {
            return Ok(None);
        }
        let scratch = Arc::clone(&self.folding.opened);
        let replayed = scratch
            .tables
            .rows(Bound::Unbounded, Order::Ascending)
            .filter(|row| !is_cursor_row(row));
        let mut comparison = Comparison::new(stored, replayed);
        while comparison.advance(ROWS_PER_STEP)? {
            if self.is_stopped() {
                return Ok(None);
            }
            self.steps.send_replace(VerifyStep::Comparing {
                total: cursor.size,
                rows: comparison.compared.rows,
            });
        }
        Ok(Some(self.verdict(cursor, opened, comparison.compared)))
    }

    /// Folds into the scratch tables; false if it was told to stop before.
    fn fold_up_to(&mut self, size: u64) -> Result<bool, Halt> {
        let is_far = size.saturating_sub(self.folding.cursor.size) > CAUGHT_UP_WITHIN;
        let pace = if is_far {
            self.folding.read_ahead(size)?;
            Pace::Building
        } else {
            Pace::Following
        };
        while self.folding.cursor.size < size {
            if self.is_stopped() {
                return Ok(false);
            }
            self.folding.advance(size, pace)?;
            self.steps.send_replace(VerifyStep::Folding {
                done: self.folding.cursor.size,
                total: size,
            });
        }
        Ok(true)
    }

    fn verdict(&self, stored: Cursor, opened: &Opened, compared: Compared) -> Verdict {
        let replayed = self.folding.cursor;
        let Compared {
            rows,
            mut differences,
            is_cut_short,
        } = compared;
        if stored.digest != replayed.digest {
            let difference = format!(
                "the digest at {} entries is {}, and {} by the replay",
                stored.size, stored.digest, replayed.digest
            );
            differences.insert(0, difference);
        }
        if stored.root != replayed.root {
            let difference = format!("the root at {} entries is another", stored.size);
            differences.insert(0, difference);
        }
        Verdict {
            version: opened.build.version,
            stored,
            replayed: replayed.digest,
            rows,
            differences,
            is_cut_short,
        }
    }

    /// The verdict on tables that do not say how far they have read.
    fn without_cursor(&self, answering: &Snapshot) -> Verdict {
        Verdict {
            version: answering.version(),
            stored: answering.cursor(),
            replayed: self.folding.cursor.digest,
            rows: 0,
            differences: vec!["the row that says how much was read cannot be read".to_owned()],
            is_cut_short: true,
        }
    }

    fn is_stopped(&self) -> bool {
        self.given_up.load(Ordering::Acquire) || self.stop.load(Ordering::Acquire)
    }
}

fn is_cursor_row(row: &Result<Row, TablesError>) -> bool {
    row.as_ref().is_ok_and(|(key, _)| is_cursor(key))
}
