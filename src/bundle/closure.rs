//! Which entries an answer rests on: those that it is read from, everything that these refer
//! to, and whatever decides who might sign them, each judged by others in turn.
//!
//! Rows of projections say where to look, so that the cost goes by what is found and never by
//! the size of the ledger. What is found is bounded in number and in bytes. Whoever checks a
//! bundle does not rely on this: where an entry that others refer to was left out, these are
//! refused. What nothing refers to, such as a retraction, is not missed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::position::{self, AnswerError};
use super::proto::{PositionAnswer, PositionQuestion};
use super::{ENTRIES_MAX, Views, proto};
use crate::admission::{self, Below, BelowError};
use crate::fold::{FoldError, Order, Tables};
use crate::projection::catalog::{self, Versioned};
use crate::projection::{positions, postings, statements};
use crate::record::proto::record::Kind;
use crate::record::proto::review_published::Target;
use crate::record::proto::statement::Voice;
use crate::record::{ContentId, Entry, EntryFilter, RecordKind, Slug, Subject, subjects};

/// What an inclusion proof and the fields around an entry take at most, in bytes: 63 hashes of
/// 32 bytes with 2 each, and 20 for the index and lengths.
const PROOF_BYTES_MAX: usize = 63 * 34 + 20;

/// How many looks the index of entries is given for each that it finds.
const LOOKS: usize = 64;

/// The kinds that decide who may sign what, and which keys sign checkpoints. All of them up to
/// the checkpoint are in every bundle.
const GOVERNING: [RecordKind; 6] = [
    RecordKind::ArchiveFounded,
    RecordKind::VerifierEnrolled,
    RecordKind::VerifierRevoked,
    RecordKind::PolicySet,
    RecordKind::CheckpointKeySet,
    RecordKind::WitnessPolicySet,
];

/// An archive, as whoever makes a bundle reads it. Its tables have read `size` entries or more.
#[derive(Clone, Copy)]
pub struct Archive<'a> {
    /// What answers are read from.
    pub views: Views<'a>,
    /// Which entries are about what.
    pub postings: &'a dyn Tables,
    /// The state that records are judged by, which knows the index of every record.
    pub records: &'a dyn Tables,
    /// The entries.
    pub entries: &'a dyn Below,
    /// How many entries the checkpoint commits to.
    pub size: u64,
    /// The most bytes that the entries and their proofs may take.
    pub bytes_max: usize,
}

/// The entries that an answer rests on, by index.
pub type Gathered = BTreeMap<u64, Arc<Entry>>;

/// Why the entries of an answer cannot be gathered.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// It rests on too much for one bundle.
    #[error(
        "it rests on more than a bundle holds: over {bytes_max} bytes, or over {ENTRIES_MAX} entries"
    )]
    TooMuch {
        /// How many bytes they may take.
        bytes_max: usize,
    },
    /// An entry cannot be read.
    #[error(transparent)]
    Below(#[from] BelowError),
    /// A table cannot be read.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// The question cannot be read.
    #[error(transparent)]
    Unreadable(#[from] super::Unreadable),
    /// What is asked about is not on record.
    #[error("the {what} is not on record")]
    Unknown {
        /// What is asked about.
        what: &'static str,
    },
}

impl From<AnswerError> for GatherError {
    fn from(error: AnswerError) -> Self {
        match error {
            AnswerError::Unreadable(error) => error.into(),
            AnswerError::Fold(error) => error.into(),
        }
    }
}

impl Archive<'_> {
    /// What the records at these indexes rest on.
    pub fn records(&self, indexes: &[u64]) -> Result<Gathered, GatherError> {
        let known_at = indexes
            .iter()
            .max()
            .map_or(0, |last| last.saturating_add(1));
        let mut gather = Gather::new(*self, known_at);
        gather
            .open
            .extend(indexes.iter().map(|it| Need::Entry(*it)));
        gather.all()
    }

    /// How a statement stands, and what that rests on.
    pub fn statement(
        &self,
        id: &ContentId,
        known_at: u64,
    ) -> Result<(proto::StatementAnswer, Gathered), GatherError> {
        let answer = super::statement_answer(&self.views, id, known_at)?;
        let answer = answer.ok_or(GatherError::Unknown { what: "statement" })?;
        let mut gather = Gather::new(*self, known_at);
        gather.open.push(Need::Whole(answer.introduced));
        let made = statements::view(self.views.statements, id, known_at)?;
        let reviews = made.map(|made| made.reviews).unwrap_or_default();
        gather.open.extend(reviews.into_iter().map(Need::Entry));
        Ok((answer, gather.all()?))
    }

    /// The position that is asked for, and what it rests on.
    pub fn position(
        &self,
        question: &PositionQuestion,
    ) -> Result<(PositionAnswer, Gathered), GatherError> {
        let unknown = || GatherError::Unknown { what: "actor" };
        let answer = position::answer(&self.views, question)?.ok_or_else(unknown)?;
        let subject = position::asked(question)?.subject;
        let known_at = question.known_at;
        let tables = self.views.positions;
        let asked = positions::asked(tables, &subject, known_at)?.ok_or_else(unknown)?;
        let mut gather = Gather::new(*self, known_at);
        let topic = &subject.topic;
        let statements = positions::statements_on(tables, &asked, topic, known_at, ENTRIES_MAX)?;
        gather.open.extend(statements.into_iter().map(Need::Whole));
        gather.open.extend(asked.into_iter().map(Need::Actor));
        gather.open.push(Need::Speaker(subject.actor));
        gather.open.push(Need::Topic(topic.clone()));
        let codebook = question.terms.as_ref().map(|terms| &terms.codebook[..]);
        if let Some(Ok(codebook)) = codebook.map(str::parse::<ContentId>) {
            gather.record(&codebook)?;
        }
        if answer.finding == i32::from(proto::Finding::NoRecord) {
            gather.read_for(topic.clone())?;
        }
        Ok((answer, gather.all()?))
    }
}

/// Something that is needed, with all that it rests on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// An entry.
    Entry(u64),
    /// A statement, by the entry that introduced it, with everything that was done to it.
    Whole(u64),
    /// All versions of an actor.
    Actor(Slug),
    /// All mandates of an actor.
    Speaker(Slug),
    /// All versions of a mandate.
    Mandate(Slug),
    /// All versions of a topic.
    Topic(Slug),
    /// All versions of a milestone.
    Milestone(Slug),
    /// All versions of a source, and what is withheld of it.
    Source(ContentId),
}

/// Entries as they are gathered.
struct Gather<'a> {
    archive: Archive<'a>,
    /// Only entries below it count, but for those that govern.
    known_at: u64,
    open: Vec<Need>,
    seen: BTreeSet<Need>,
    found: Gathered,
    bytes: usize,
}

impl<'a> Gather<'a> {
    fn new(archive: Archive<'a>, known_at: u64) -> Self {
        Self {
            archive,
            known_at,
            open: Vec::new(),
            seen: BTreeSet::new(),
            found: Gathered::new(),
            bytes: 0,
        }
    }

    /// Everything that is needed.
    fn all(mut self) -> Result<Gathered, GatherError> {
        for kind in GOVERNING {
            let filter = EntryFilter {
                kinds: BTreeSet::from([kind]),
                ..EntryFilter::default()
            };
            self.entries(&filter, self.archive.size)?;
        }
        while let Some(need) = self.open.pop() {
            if self.seen.insert(need.clone()) {
                self.meet(need)?;
            }
        }
        Ok(self.found)
    }

    fn meet(&mut self, need: Need) -> Result<(), GatherError> {
        match need {
            Need::Entry(index) => self.entry(index),
            Need::Whole(statement) => {
                let tables = self.archive.views.positions;
                let entries = positions::entries_about(tables, statement, self.known_at)?;
                self.open.extend(entries.into_iter().map(Need::Entry));
                Ok(())
            }
            Need::Speaker(actor) => {
                let tables = self.archive.views.catalog;
                let order = Order::Ascending;
                for mandate in catalog::mandate_ids(tables, Some(&actor), None, None, order) {
                    self.open.push(Need::Mandate(mandate?));
                }
                Ok(())
            }
            Need::Actor(id) => self.versions(Versioned::Actor(&id)),
            Need::Mandate(id) => self.versions(Versioned::Mandate(&id)),
            Need::Topic(id) => self.versions(Versioned::Topic(&id)),
            Need::Milestone(id) => self.versions(Versioned::Milestone(&id)),
            Need::Source(id) => {
                self.versions(Versioned::Source(&id))?;
                self.versions(Versioned::Withheld(&id))
            }
        }
    }

    fn versions(&mut self, of: Versioned<'_>) -> Result<(), GatherError> {
        let tables = self.archive.views.catalog;
        let versions = catalog::versions(tables, of, self.known_at)?;
        self.open.extend(versions.into_iter().map(Need::Entry));
        Ok(())
    }

    /// Takes an entry, and asks for all that it names.
    fn entry(&mut self, index: u64) -> Result<(), GatherError> {
        let entry = self.archive.entries.entry(index)?;
        self.bytes = self
            .bytes
            .saturating_add(entry.encoded.len() + PROOF_BYTES_MAX);
        let bytes_max = self.archive.bytes_max;
        if self.bytes > bytes_max || self.found.len() >= ENTRIES_MAX {
            return Err(GatherError::TooMuch { bytes_max });
        }
        self.found.insert(index, Arc::clone(&entry));
        for subject in subjects(&entry) {
            match subject {
                Subject::Actor(id) => self.open.push(Need::Actor(id)),
                Subject::Topic(id) => self.open.push(Need::Topic(id)),
                Subject::Source(id) => self.open.push(Need::Source(id)),
                Subject::Statement(id) => self.record(&id)?,
                Subject::Kind(_) | Subject::Verifier(_) => {}
            }
        }
        if let Some(kind) = &entry.record.kind {
            self.beyond(kind)?;
        }
        Ok(())
    }

    /// What a record rests on beside what it is about.
    fn beyond(&mut self, kind: &Kind) -> Result<(), GatherError> {
        let slug = |text: &str| text.parse::<Slug>().ok();
        let whole = match kind {
            Kind::StatementRecorded(statement) => {
                self.speaker(statement.voice.as_ref());
                None
            }
            Kind::StatementCorrected(corrected) => {
                let whole = corrected.corrected.as_ref();
                self.speaker(whole.and_then(|whole| whole.voice.as_ref()));
                Some(&corrected.statement)
            }
            Kind::StatementRetracted(retracted) => Some(&retracted.statement),
            Kind::EvidenceAdded(added) => Some(&added.statement),
            Kind::ReadingAdded(added) => Some(&added.statement),
            Kind::MandateGranted(granted) => {
                self.open
                    .extend(slug(&granted.mandate_id).map(Need::Mandate));
                None
            }
            Kind::MandateEnded(ended) => {
                self.open.extend(slug(&ended.mandate_id).map(Need::Mandate));
                None
            }
            Kind::MilestoneDefined(defined) => {
                self.open
                    .extend(slug(&defined.milestone_id).map(Need::Milestone));
                None
            }
            Kind::ReviewPublished(review) => {
                if let Some(Target::Milestone(id)) = &review.target {
                    self.open.extend(slug(id).map(Need::Milestone));
                }
                None
            }
            Kind::AttestationAdded(added) => {
                if let Ok(id) = added.record.parse() {
                    self.record(&id)?;
                }
                None
            }
            _ => None,
        };
        if let Some(Ok(id)) = whole.map(|id| id.parse::<ContentId>())
            && let Some(index) = admission::index_of(self.archive.records, &id)?
        {
            self.open.push(Need::Whole(index));
        }
        Ok(())
    }

    fn speaker(&mut self, voice: Option<&Voice>) {
        if let Some(Voice::Speaker(speaker)) = voice {
            self.open.extend(speaker.parse().ok().map(Need::Speaker));
        }
    }

    /// Asks for the entry of a record.
    fn record(&mut self, id: &ContentId) -> Result<(), GatherError> {
        let index = admission::index_of(self.archive.records, id)?;
        let index = index.filter(|index| *index < self.archive.size);
        self.open.extend(index.map(Need::Entry));
        Ok(())
    }

    /// Asks for what says which sources were read for a topic.
    fn read_for(&mut self, topic: Slug) -> Result<(), GatherError> {
        let filter = EntryFilter {
            kinds: BTreeSet::from([RecordKind::SourceRead]),
            about: BTreeSet::from([Subject::Topic(topic)]),
        };
        self.entries(&filter, self.known_at)
    }

    /// Asks for the entries below `end` that a filter wants.
    fn entries(&mut self, filter: &EntryFilter, end: u64) -> Result<(), GatherError> {
        let Some(mut search) = postings::entries(self.archive.postings, filter, Order::Ascending)
        else {
            return Ok(());
        };
        let mut from = 0;
        let mut asked = 0;
        while asked <= ENTRIES_MAX {
            let mut looks = LOOKS;
            match search.seek(from, &mut looks)? {
                postings::Step::Found(index) if index < end => {
                    self.open.push(Need::Entry(index));
                    asked += 1;
                    from = index.saturating_add(1);
                }
                postings::Step::Paused(at) if at < end => from = at,
                _ => return Ok(()),
            }
        }
        let bytes_max = self.archive.bytes_max;
        Err(GatherError::TooMuch { bytes_max })
    }
}
