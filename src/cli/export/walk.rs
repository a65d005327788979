//! Which statements are exported, in the order of the ledger and each once.
//!
//! The daemon's filter names candidates. A statement can be about a topic by its own readings,
//! by those of a correction or by a coder's, so that several entries can name it: the first of
//! them counts, which is asked for rather than remembered, so that memory does not grow with
//! the ledger. Whether a statement still is about the topic is judged by how it stands.

use std::collections::{BTreeSet, VecDeque};

use super::snapshot::{PAGE, Snapshot};
use crate::cli::error::CliError;
use crate::record::proto::record::Kind;
use crate::record::proto::statement::Voice;
use crate::rpc::proto::{EntryFilter, LedgerEntry, StatementView};

/// The statements that are wanted.
pub struct Walk {
    speaker: Option<String>,
    topic: Option<String>,
    /// Statements that were named, or candidates that were read.
    waiting: VecDeque<Candidate>,
    /// The next index to read; none if nothing is.
    next: Option<u64>,
}

/// A statement that may be wanted, and the entry that names it unless somebody did.
struct Candidate {
    statement: String,
    /// The index of a later record about the statement, which may not be the first.
    later: Option<u64>,
}

impl Walk {
    /// A walk over `statements`, or else over all, by what is asked for.
    pub async fn new(
        speaker: Option<String>,
        topic: Option<String>,
        statements: Vec<String>,
        snapshot: &mut Snapshot,
    ) -> Result<Self, CliError> {
        // A slug that was mistyped is an error, not an empty document.
        if let Some(speaker) = &speaker {
            let found = snapshot.actor(speaker).await;
            found.map_err(|error| error.typed(&[("actorId", "--speaker")]))?;
        }
        if let Some(topic) = &topic {
            let found = snapshot.check_topic(topic).await;
            found.map_err(|error| error.typed(&[("topicId", "--topic")]))?;
        }
        let next = statements.is_empty().then_some(0);
        let mut seen = BTreeSet::new();
        let once = statements.into_iter().filter(|id| seen.insert(id.clone()));
        let named = |statement| Candidate {
            statement,
            later: None,
        };
        Ok(Self {
            speaker,
            topic,
            waiting: once.map(named).collect(),
            next,
        })
    }

    /// The next statement that may be wanted.
    pub async fn next(&mut self, snapshot: &mut Snapshot) -> Result<Option<String>, CliError> {
        loop {
            let Some(candidate) = self.waiting.pop_front() else {
                if self.read(snapshot).await? {
                    continue;
                }
                return Ok(None);
            };
            let Candidate { statement, later } = candidate;
            let wanted = match later {
                Some(index) => self.is_first(&statement, index, snapshot).await?,
                None => true,
            };
            if wanted {
                return Ok(Some(statement));
            }
        }
    }

    /// How far the ledger has been read.
    pub fn reached(&self) -> u64 {
        self.next.unwrap_or_default()
    }

    /// Whether a statement, as it stands, is wanted.
    pub fn wants(&self, view: &StatementView) -> bool {
        let stands = view.statement.as_ref();
        let voice = stands.and_then(|statement| statement.voice.as_ref());
        let spoken = self.speaker.as_ref().is_none_or(
            |speaker| matches!(voice, Some(Voice::Speaker(said_by)) if said_by == speaker),
        );
        let own = stands.iter().flat_map(|statement| &statement.readings);
        let coders = view.readings.iter().filter(|it| !it.untrusted);
        let coders = coders.filter_map(|it| it.reading.as_ref());
        let mut readings = own.chain(coders);
        let read = |topic: &String| readings.any(|reading| reading.topic == *topic);
        spoken && self.topic.as_ref().is_none_or(read)
    }

    /// Reads on; false at the end.
    async fn read(&mut self, snapshot: &Snapshot) -> Result<bool, CliError> {
        let Some(start) = self.next.filter(|next| *next < snapshot.size()) else {
            return Ok(false);
        };
        let entries = snapshot.entries(start, PAGE, self.filter()).await?;
        self.next = entries.last().map(|last| last.index + 1);
        let candidates = entries.into_iter().filter_map(candidate);
        self.waiting.extend(candidates);
        Ok(!self.waiting.is_empty())
    }

    /// Whether no entry before `index` names the statement as one that may be wanted. Those
    /// that only refer to it do not.
    async fn is_first(
        &self,
        statement: &str,
        index: u64,
        snapshot: &Snapshot,
    ) -> Result<bool, CliError> {
        let filter = EntryFilter {
            statement: statement.to_owned(),
            ..self.filter()
        };
        let mut start = 0;
        while start < index {
            let entries = snapshot.entries(start, PAGE, filter.clone()).await?;
            let last = entries.last().map_or(index, |last| last.index);
            let before = entries.into_iter().filter(|entry| entry.index < index);
            let mut named = before.filter_map(candidate);
            if named.any(|before| before.statement == statement) {
                return Ok(false);
            }
            start = last + 1;
        }
        Ok(true)
    }

    fn filter(&self) -> EntryFilter {
        let mut kinds = vec!["statement_recorded".to_owned()];
        if self.topic.is_some() {
            kinds.extend(["statement_corrected", "reading_added"].map(str::to_owned));
        }
        EntryFilter {
            kinds,
            actor: self.speaker.clone().unwrap_or_default(),
            topic: self.topic.clone().unwrap_or_default(),
            ..EntryFilter::default()
        }
    }
}

/// The statement that an entry names.
fn candidate(entry: LedgerEntry) -> Option<Candidate> {
    let index = entry.index;
    let (statement, later) = match entry.record?.kind? {
        Kind::StatementRecorded(_) => (entry.record_id, None),
        Kind::StatementCorrected(corrected) => (corrected.statement, Some(index)),
        Kind::ReadingAdded(added) => (added.statement, Some(index)),
        _ => return None,
    };
    Some(Candidate { statement, later })
}
