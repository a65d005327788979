//! Projections as services ask them: by how much of the ledger a question is answered.

use std::sync::Arc;
use std::time::Duration;

use super::{Failure, Reason, convert, proto};
use crate::fold::Tables;
use crate::ledger::{Clock, Reader};
use crate::projection::catalog::{self, Named};
use crate::projection::{NotFollowing, Projection, Snapshot, Status};
use crate::record::Micros;

/// A projection to be asked. Clones are the same projection.
#[derive(Clone)]
pub struct View {
    projection: Projection,
    reader: Reader,
    clock: Arc<dyn Clock>,
    /// How long a question may wait for the projection to have read enough.
    wait_max: Duration,
}

/// By how much of the ledger a question is answered, and by which tables: from its first row to
/// its last the same, whatever takes their place meanwhile.
#[derive(Clone, Debug)]
pub struct Known {
    /// Only entries below this index count.
    pub known_at: u64,
    /// The tables, which have read at least as much.
    snapshot: Snapshot,
}

/// A bound in transaction time, as a request gives it: a size of the ledger, or a time; open if
/// neither is given.
#[derive(Clone, Copy, Debug)]
pub struct KnownAt<'a> {
    /// The field of the size.
    pub field: &'a str,
    size: Option<u64>,
    time: Option<prost_types::Timestamp>,
}

impl<'a> KnownAt<'a> {
    /// The bound that stands in `field`, or, as a time, in the field of that name and `Time`.
    #[must_use]
    pub const fn new(
        field: &'a str,
        size: Option<u64>,
        time: Option<prost_types::Timestamp>,
    ) -> Self {
        Self { field, size, time }
    }

    /// A size that was settled before, for a request to whose `field` it goes back.
    #[must_use]
    pub const fn size(field: &'a str, size: u64) -> Self {
        Self::new(field, Some(size), None)
    }

    /// Whether everything counts.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.size.is_none() && self.time.is_none()
    }
}

impl Known {
    /// The same, where only entries below `known_at` count: at most as many as were read.
    #[must_use]
    pub fn at(&self, known_at: u64) -> Self {
        Self {
            known_at: known_at.min(self.size()),
            snapshot: self.snapshot.clone(),
        }
    }

    /// How many entries were read for it.
    pub const fn size(&self) -> u64 {
        self.snapshot.cursor().size
    }

    /// Whichever of the two has read more.
    #[must_use]
    pub fn newer<'a>(&'a self, other: &'a Self) -> &'a Self {
        if self.size() < other.size() {
            other
        } else {
            self
        }
    }

    /// The rows that it is answered from.
    pub fn tables(&self) -> &dyn Tables {
        &self.snapshot
    }
}

impl View {
    /// The view of a projection over `reader`'s ledger, with `clock` for "now".
    #[must_use]
    pub fn new(
        projection: Projection,
        reader: Reader,
        clock: Arc<dyn Clock>,
        wait_max: Duration,
    ) -> Self {
        Self {
            projection,
            reader,
            clock,
            wait_max,
        }
    }

    /// The projection.
    #[must_use]
    pub const fn projection(&self) -> &Projection {
        &self.projection
    }

    /// Its rows. Each read sees the tables that answer then: also where others take their place
    /// in the middle of a question, rows below a `known_at` are the same in both.
    #[must_use]
    pub fn tables(&self) -> &dyn Tables {
        self.projection.tables()
    }

    /// How much of the ledger it has read.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.projection.cursor().size
    }

    /// Waits until a question with this transaction-time bound can be answered, and says by
    /// how much of the ledger it is. Without a bound, everything that was read counts.
    pub async fn known(&self, known_at: KnownAt<'_>, at_least_size: u64) -> Result<Known, Failure> {
        let known_at = KnownAt {
            size: self.size_of(&known_at).await?,
            ..known_at
        };
        let size = self.reader.head().size.max(at_least_size);
        if let Some(beyond) = known_at.size.filter(|known_at| *known_at > size) {
            return Err(Failure::at(
                Reason::BeyondTheHead,
                known_at.field,
                format!("{beyond} lies beyond the ledger, which has {size} entries"),
                format!("at most {size}, or none for all"),
            ));
        }
        let read = self
            .read(known_at.size.unwrap_or(0).max(at_least_size))
            .await?;
        Ok(Known {
            known_at: known_at.size.unwrap_or(read.cursor().size),
            snapshot: read,
        })
    }

    /// Waits until everything that was acknowledged before this is asked has been read: for
    /// questions by which nobody can say how much that is.
    pub async fn acknowledged(&self) -> Result<Known, Failure> {
        let size = self.reader.head().size;
        self.known(KnownAt::new("", None, None), size).await
    }

    /// The size of the ledger that a bound stands for; none if it is open. A time stands for
    /// the entries that were recorded by then.
    async fn size_of(&self, known_at: &KnownAt<'_>) -> Result<Option<u64>, Failure> {
        let Some(time) = known_at.time else {
            return Ok(known_at.size);
        };
        let field = format!("{}Time", known_at.field);
        if known_at.size.is_some() {
            return Err(Failure::invalid(
                field,
                "both a size and a time are given",
                "one of the two",
            ));
        }
        let now = self.clock.now();
        let past = Micros::from_timestamp(&time).filter(|time| *time < now);
        let Some(time) = past else {
            return Err(Failure::invalid(
                field,
                "the time has not come yet, or is no time",
                "a time that has passed, or none for everything",
            ));
        };
        let settled = self.reader.wait_until_settled(time);
        if tokio::time::timeout(self.wait_max, settled).await.is_err() {
            return Err(Failure::at(
                Reason::NotYet,
                field,
                "a record that was taken by then is still on its way to the disk",
                "the same call again, or an earlier time",
            ));
        }
        let reader = self.reader.clone();
        let size = super::blocking(move || Ok(reader.size_at(time)?)).await?;
        Ok(Some(size))
    }

    /// Waits for as long as it takes until the projection has read `size` entries.
    pub async fn follow(&self, size: u64) -> Result<Known, Failure> {
        let read = self.projection.wait_for(size).await;
        let read = read.map_err(|stopped| failed(&stopped))?;
        Ok(Known {
            known_at: read.cursor().size,
            snapshot: read,
        })
    }

    /// Waits until so much of the ledger has been read; the tables as they answer then.
    pub async fn read(&self, size: u64) -> Result<Snapshot, Failure> {
        if let Some(read) = self.projection.snapshot()
            && read.cursor().size >= size
        {
            return Ok(read);
        }
        match tokio::time::timeout(self.wait_max, self.projection.wait_for(size)).await {
            Ok(read) => read.map_err(|stopped| failed(&stopped)),
            Err(_) => Err(self.not_yet(size)),
        }
    }

    /// What was waited for did not come in time.
    fn not_yet(&self, size: u64) -> Failure {
        let name = self.projection.name();
        let read = self.size();
        let building = self.projection.building().map(|it| {
            format!(
                "version {} is being built: {} of {} entries are read",
                it.version, it.done, it.total
            )
        });
        match (self.projection.snapshot(), building) {
            (None, Some(building)) => Failure::new(
                Reason::ProjectionBuilding,
                format!("the projection {name} does not answer yet: {building}"),
            ),
            (_, building) => {
                let building = building.map_or_else(String::new, |it| format!("; {it}"));
                Failure::at(
                    Reason::NotYet,
                    "atLeastSize",
                    format!(
                        "the projection {name} has read {read} entries and did not come to {size} in time{building}"
                    ),
                    "the same call again, or a smaller size",
                )
            }
        }
    }

    /// On what an answer by this much of the ledger rests. `as_of` is the exclusive end of its
    /// valid time, if it has one.
    #[must_use]
    pub fn basis(&self, known: &Known, as_of: Option<i64>) -> proto::Basis {
        proto::Basis {
            ledger_size: known.size(),
            root: convert::root(known.snapshot.cursor().root.into()),
            projection: self.projection.name().to_owned(),
            projection_version: known.snapshot.version(),
            known_at: known.known_at,
            as_of: as_of
                .map(convert::positions::last_second)
                .unwrap_or_default(),
        }
    }

    /// How much of the ledger it has read, as a head.
    #[must_use]
    pub fn head(known: &Known) -> proto::Head {
        proto::Head {
            size: known.size(),
            root: convert::root(known.snapshot.cursor().root.into()),
            recorded_at: None,
        }
    }

    /// How the projection is.
    #[must_use]
    pub fn status(&self) -> proto::ProjectionStatus {
        let projection = &self.projection;
        let (version, cursor) = match projection.snapshot() {
            Some(answering) => (answering.version(), answering.cursor()),
            None => (projection.version(), projection.cursor()),
        };
        let building = projection.building().map(|it| proto::ProjectionBuild {
            version: it.version,
            done: it.done,
            total: it.total,
        });
        proto::ProjectionStatus {
            building,
            failed: match projection.status() {
                Status::Failed { index, reason } => format!("entry {index}: {reason}"),
                Status::Following | Status::Stopped => String::new(),
            },
            ..convert::projection(projection.name(), version, &cursor)
        }
    }

    /// Whether it will read no further, by a fault of its own.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(self.projection.status(), Status::Failed { .. })
    }
}

fn failed(stopped: &NotFollowing) -> Failure {
    let why = match &stopped.status {
        Status::Failed { reason, .. } => format!(": {reason}"),
        Status::Following | Status::Stopped => String::new(),
    };
    Failure::new(Reason::ProjectionFailed, format!("{stopped}{why}"))
}

/// All projections that services ask.
#[derive(Clone)]
pub struct Views {
    /// What is defined.
    pub catalog: View,
    /// What bears on positions.
    pub positions: View,
    /// Which entries are about what.
    pub postings: View,
    /// What became of statements.
    pub statements: View,
    /// The hashes of the Merkle tree.
    pub tiles: View,
}

impl Views {
    /// What goes by a slug in the catalog is not on record: says so, and which slugs that were
    /// on record at `known_at` may have been meant.
    #[must_use]
    pub fn unknown(
        &self,
        reason: Reason,
        field: &str,
        id: &str,
        known_at: u64,
        size: u64,
    ) -> Failure {
        let failure = Failure::unknown(reason, field, id, known_at, size);
        let named = match reason {
            Reason::UnknownActor => Named::Actor,
            Reason::UnknownMandate => Named::Mandate,
            Reason::UnknownTopic => Named::Topic,
            Reason::UnknownMilestone => Named::Milestone,
            _ => return failure,
        };
        match catalog::near(self.catalog.tables(), named, id, known_at) {
            Ok(near) => failure.suggesting(&near),
            Err(error) => error.into(),
        }
    }

    /// Each of them, in order of name.
    #[must_use]
    pub const fn all(&self) -> [&View; 5] {
        [
            &self.catalog,
            &self.positions,
            &self.postings,
            &self.statements,
            &self.tiles,
        ]
    }
}
