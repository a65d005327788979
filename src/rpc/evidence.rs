//! Evidence: what an answer rests on, in a bundle that can be checked offline.
//!
//! A bundle is made against a checkpoint that commits to everything that the answer counts, for
//! which a call waits a while. It has no texts: whoever wants to check passages adds them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use prost::Message;
use prost_types::Timestamp;
use tokio::sync::Semaphore;

use super::proto::PositionFilter;
use super::views::{KnownAt, Views};
use super::{ANSWER_BYTES_MAX, Failure, Reason, blocking_in_turn, checkpoints};
use crate::admission::{Below, BelowError};
use crate::bundle::proto::bundle::Question;
use crate::bundle::proto::{PositionQuestion, RecordsQuestion, StatementQuestion, Terms};
use crate::bundle::{self, Archive, GatherError, Gathered};
use crate::checkpoint::{Published, PublishedNote};
use crate::ledger::{AdmissionTables, Reader};
use crate::merkle::{Checkpoint, ProveError, SignedNote, TileReadError};
use crate::projection::positions::Subject;
use crate::projection::tiles::{Tiles, TilesAt};
use crate::record::{ContentId, Entry, Micros};

/// The most bytes that the entries of a bundle and their proofs take: with 1 MiB for the answer
/// and its question, twice in a message of [`ANSWER_BYTES_MAX`], that leaves 2.
const ENTRIES_BYTES_MAX: usize = 2 << 20;

/// How many bundles are made at a time: each takes a thread, and a few times its size.
const BUNDLES_MAX: usize = 4;

/// A bundle, and by when it was on record.
pub struct Proven {
    /// The encoded bundle.
    pub bundle: Bytes,
    /// By when a quorum of witnesses had seen its checkpoint; none while no quorum has.
    pub witnessed_at: Option<Timestamp>,
}

/// What bundles are made of. Clones share it.
#[derive(Clone)]
pub struct Evidence {
    views: Views,
    reader: Reader,
    records: AdmissionTables,
    tiles: Tiles,
    checkpoints: Published,
    wait_max: Duration,
    places: Arc<Semaphore>,
}

impl Evidence {
    /// Bundles of `reader`'s ledger, whose `records` and projections say what rests on what, and
    /// whose `tiles` prove it against its `checkpoints`. A call waits for them for at most
    /// `wait_max`.
    pub fn new(
        views: Views,
        reader: Reader,
        records: AdmissionTables,
        tiles: Tiles,
        checkpoints: Published,
        wait_max: Duration,
    ) -> Self {
        Self {
            views,
            reader,
            records,
            tiles,
            checkpoints,
            wait_max,
            places: Arc::new(Semaphore::new(BUNDLES_MAX)),
        }
    }

    /// That the records at these indexes, in order, are on record.
    pub async fn records(&self, indexes: Vec<u64>) -> Result<Proven, Failure> {
        let size = indexes.last().map_or(0, |last| last.saturating_add(1));
        self.make(size, move |archive| {
            let gathered = archive.records(&indexes)?;
            Ok((gathered, Question::Records(RecordsQuestion { indexes })))
        })
        .await
    }

    /// How a statement stands.
    pub async fn statement(&self, id: ContentId, known_at: u64) -> Result<Proven, Failure> {
        self.make(known_at, move |archive| {
            let (answer, gathered) = archive.statement(&id, known_at)?;
            let question = StatementQuestion {
                statement: id.to_string(),
                known_at,
                answer: Some(answer),
            };
            Ok((gathered, Question::Statement(question)))
        })
        .await
    }

    /// What a position is; `as_of` is the exclusive end of its valid time.
    pub async fn position(
        &self,
        subject: Subject,
        as_of: i64,
        known_at: u64,
        filter: Option<PositionFilter>,
    ) -> Result<Proven, Failure> {
        let mut question = PositionQuestion {
            actor: subject.actor.to_string(),
            topic: subject.topic.to_string(),
            as_of: super::convert::positions::last_second(as_of),
            known_at,
            with_parts: subject.with_parts,
            terms: filter.map(terms),
            answer: None,
        };
        self.make(known_at, move |archive| {
            let (answer, gathered) = archive.position(&question)?;
            question.answer = Some(answer);
            Ok((gathered, Question::Position(question)))
        })
        .await
    }

    /// Makes a bundle of what is gathered, against a checkpoint of at least `size` entries.
    async fn make(
        &self,
        size: u64,
        gather: impl FnOnce(&Archive<'_>) -> Result<(Gathered, Question), GatherError> + Send + 'static,
    ) -> Result<Proven, Failure> {
        let note = self.checkpoint(size).await?;
        for view in [
            &self.views.catalog,
            &self.views.positions,
            &self.views.statements,
            &self.views.postings,
        ] {
            view.known(KnownAt::size("knownAt", note.size), 0).await?;
        }
        let tiles = self.tiles.at(self.views.tiles.read(note.size).await?);
        let evidence = self.clone();
        let witnessed_at = note.witnessed_at.map(Micros::to_timestamp);
        let made = move || evidence.made(&note, &tiles, gather);
        Ok(Proven {
            bundle: blocking_in_turn(&self.places, made).await?,
            witnessed_at,
        })
    }

    /// A checkpoint of at least `size` entries: one that a quorum of witnesses has cosigned, if
    /// there is one, or else the newest.
    async fn checkpoint(&self, size: u64) -> Result<Arc<PublishedNote>, Failure> {
        if let Some(note) = self.checkpoints.witnessed()
            && note.size >= size
        {
            return Ok(note);
        }
        checkpoints::of_size(&self.checkpoints, size, self.wait_max).await
    }

    fn made(
        &self,
        note: &PublishedNote,
        tiles: &TilesAt,
        gather: impl FnOnce(&Archive<'_>) -> Result<(Gathered, Question), GatherError>,
    ) -> Result<Bytes, Failure> {
        let archive = Archive {
            views: bundle::Views {
                catalog: self.views.catalog.tables(),
                positions: self.views.positions.tables(),
                statements: self.views.statements.tables(),
            },
            postings: self.views.postings.tables(),
            records: &self.records,
            entries: &Entries(&self.reader),
            size: note.size,
            bytes_max: ENTRIES_BYTES_MAX,
        };
        let (gathered, question) = gather(&archive)?;
        let published = |error: &dyn std::fmt::Display| {
            Failure::defect(format!("a published checkpoint cannot be read: {error}"))
        };
        let signed = SignedNote::parse(note.note.as_bytes()).map_err(|it| published(&it))?;
        let checkpoint: Checkpoint = signed.text().parse().map_err(|it| published(&it))?;
        let mut nodes = tiles.nodes();
        let made = bundle::make(&signed, &checkpoint, &mut nodes, &gathered, question);
        let made = made.map_err(|error| match error {
            ProveError::Read(TileReadError::Fetch(error)) => error.into(),
            error => Failure::defect(error.to_string()),
        })?;
        Ok(bundle::encode(&made))
    }
}

/// Refuses an answer that its bundle makes too large to be sent.
pub fn fits(answer: &impl Message) -> Result<(), Failure> {
    let bytes = answer.encoded_len();
    if bytes <= ANSWER_BYTES_MAX {
        return Ok(());
    }
    Err(Failure::new(
        Reason::ProofTooLarge,
        format!("with its evidence the answer has {bytes} bytes, and may have {ANSWER_BYTES_MAX}"),
    ))
}

/// The filter of a request, as a bundle has it.
fn terms(mut filter: PositionFilter) -> Terms {
    for numbers in [
        &mut filter.wordings,
        &mut filter.bases,
        &mut filter.source_roles,
    ] {
        numbers.sort_unstable();
        numbers.dedup();
    }
    Terms {
        wordings: filter.wordings,
        bases: filter.bases,
        attestations_min: filter.attestations_min,
        verifiers: filter.verifiers,
        verifiers_excluded: filter.verifiers_excluded,
        source_roles: filter.source_roles,
        publishers: filter.publishers,
        derived_excluded: filter.derived_excluded,
        published_by: filter.published_by,
        mandated_only: filter.mandated_only,
        coder: filter.coder,
        codebook: filter.codebook,
    }
}

impl From<GatherError> for Failure {
    fn from(error: GatherError) -> Self {
        let message = error.to_string();
        match error {
            GatherError::TooMuch { .. } => Self::new(Reason::ProofTooLarge, message),
            GatherError::Below(_) => Self::new(Reason::StorageFailed, message),
            GatherError::Fold(error) => error.into(),
            // The answer was given before by the same question.
            GatherError::Unreadable(_) | GatherError::Unknown { .. } => Self::defect(message),
        }
    }
}

/// The entries of the ledger.
struct Entries<'a>(&'a Reader);

impl Below for Entries<'_> {
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError> {
        match self.0.entry(index) {
            Ok(Some(entry)) => Ok(entry),
            Ok(None) => Err(BelowError(format!("entry {index} lies beyond the head"))),
            Err(error) => Err(BelowError(error.to_string())),
        }
    }
}
