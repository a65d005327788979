//! The replay of what is new: entries from the tree through admission, and what passed it into
//! the projections, each on a thread of its own.
//!
//! After a kill the tables stand where each was last written out. So the projections that are
//! behind admission are led up to it first, by entries that were judged before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use crossbeam_channel::{Sender, bounded};

use super::entries::{LookedBack, with_entries};
use super::fault::Fault;
use super::history::opening;
use super::projected::{Batch, Projected, ProjectedFault, Said};
use super::report::{Outcome, Report};
use super::sources::{Archive, Sources};
use super::state::{State, Waiting};
use super::texts::{EarlierTexts, TextsFold};
use super::tree::Tree;
use super::waiting;
use super::{AuditError, AuditParts, CACHE_BYTES, ledger_keys};
use crate::audit::documents::SourceTexts;
use crate::audit::replay::{Finding, Follower, Problem, Replay, ReplayError, ReplayParts};
use crate::documents::TEXT_CACHE_BYTES;
use crate::ledger::AdmissionState;
use crate::merkle::{Frontier, KeyName, NoteKey};
use crate::record::{ContentId, Entry, Micros};
use crate::storage::{BlockCache, LsmTables};

/// How many entries are handed to the projections together, where they were judged before.
const BATCH_ENTRIES: usize = 1_024;

/// How many batches may wait for a projection, of 2,048 entries at most.
const BATCHES_WAITING: usize = 4;

/// How many documents that could not be had are named.
const ABSENT_TOLD: usize = 5;

/// See the module.
pub(super) struct Following<'a> {
    parts: &'a AuditParts<'a>,
    archive: Option<Arc<dyn Archive>>,
    tree: &'a Tree<'a>,
    state: &'a mut State,
    admission: Arc<LsmTables>,
    /// The entries that admission has judged.
    frontier: Frontier,
    projected: Vec<Projected>,
    texts: Projected,
}

/// Why a replay ends before its end.
enum Halt {
    Fault(Fault),
    Audit(AuditError),
}

impl<'a> Following<'a> {
    /// Opens the tables of the last audit.
    pub fn open(
        parts: &'a AuditParts<'a>,
        archive: Option<Arc<dyn Archive>>,
        tree: &'a Tree<'a>,
        state: &'a mut State,
        said: &[Said],
    ) -> Result<Self, AuditError> {
        let directory = state.directory();
        let admission =
            LsmTables::open(&directory.join("admission"), &BlockCache::of(CACHE_BYTES))?;
        let admission = Arc::new(admission.tables);
        let judged = AdmissionState::new(Arc::clone(&admission) as _);
        let cursor = judged.cursor().map_err(crate::fold::FoldError::Tables)?;
        let frontier = if let Some(frontier) = cursor {
            frontier
        } else {
            judged.clear()?;
            Frontier::new()
        };
        let mut projected = Vec::with_capacity(parts.folds.len());
        for fold in parts.folds {
            let said = said.iter().find(|it| it.name == fold.name()).cloned();
            let opened = Projected::open(&directory, Arc::clone(fold), said);
            projected.push(opened.map_err(|fault| opening(&directory, fault))?);
        }
        let texts = Projected::open(&directory, Arc::new(TextsFold), None);
        let texts = texts.map_err(|fault| opening(&directory, fault))?;
        Ok(Self {
            parts,
            archive,
            tree,
            state,
            admission,
            frontier,
            projected,
            texts,
        })
    }

    /// How many entries were judged before.
    pub const fn checked(&self) -> u64 {
        self.frontier.size()
    }

    /// Replays what is new. The keys of the archive, as its ledger records them then.
    pub fn run(
        mut self,
        origin: &KeyName,
        sources: &Arc<Sources>,
        report: &mut Report,
    ) -> Result<Result<Vec<NoteKey>, Fault>, AuditError> {
        if let Err(fault) = self.check_cursors()? {
            return Ok(Err(fault));
        }
        let earlier = Arc::new(EarlierTexts(Arc::clone(&self.texts.tables)));
        let documents = SourceTexts::after(
            Arc::clone(sources) as _,
            TEXT_CACHE_BYTES,
            Some(earlier as _),
        );
        let before = self.checked();
        match self.replay(origin, &documents) {
            Ok(()) => {}
            Err(Halt::Fault(fault)) => return Ok(Err(fault)),
            Err(Halt::Audit(error)) => return Err(error),
        }
        let size = self.tree.size();
        if sources.are_given() {
            let judged = waiting::judge(self.tree, self.state, &documents, before, report)?;
            if let Err(fault) = judged {
                return Ok(Err(fault));
            }
        }
        let says = "every tile and entry that was read is one that the root commits to";
        report.add("tiles", Outcome::Holds, says);
        let but = match self.state.unjudged().count {
            0 => String::new(),
            unjudged => format!(", but for the verdicts on {unjudged}"),
        };
        let says = format!(
            "{} new entries, {size} in all: their encoding, signatures, verdicts and times{but}",
            size - before
        );
        let outcome = if self.state.findings().count > 0 {
            Outcome::Fails
        } else {
            Outcome::Holds
        };
        report.add("entries", outcome, says);
        absent(&sources.absent(), report);
        self.compare(report);
        Ok(Ok(ledger_keys(&*self.admission, origin, size)?))
    }

    /// Whether the tables are of entries that the checkpoint commits to.
    fn check_cursors(&self) -> Result<Result<(), Fault>, AuditError> {
        let mut cursors = vec![("admission", self.frontier.size(), self.frontier.root())];
        for it in self.projected.iter().chain([&self.texts]) {
            cursors.push((it.fold.name(), it.cursor.size, it.cursor.root));
        }
        for (name, size, root) in cursors {
            let found = if size > self.tree.size() {
                None
            } else {
                match self.tree.root_at(size) {
                    Ok(found) => Some(found),
                    Err(fault) => return Ok(Err(fault)),
                }
            };
            if found != Some(root) {
                return Err(AuditError::Tables {
                    directory: self.state.directory(),
                    reason: format!("the tables of {name} are of other entries"),
                });
            }
        }
        Ok(Ok(()))
    }

    fn replay(&mut self, origin: &KeyName, documents: &SourceTexts) -> Result<(), Halt> {
        let looked = LookedBack::at(self.tree);
        let (judged, tree, state) = (self.frontier.clone(), self.tree, &mut *self.state);
        let (admission, parts) = (&self.admission, self.parts);
        let all = self.projected.iter_mut().chain([&mut self.texts]);
        let from = all
            .map(|it| it.cursor.size)
            .min()
            .unwrap_or(0)
            .min(judged.size());
        thread::scope(|scope| {
            let mut lines = Vec::new();
            for projected in self.projected.iter_mut().chain([&mut self.texts]) {
                let (line, batches) = bounded(BATCHES_WAITING);
                lines.push(line);
                scope.spawn(move || projected.follow(&batches));
            }
            let lines = Lines(lines);
            if from < judged.size() {
                let range = (from, judged.size());
                with_entries(tree, &looked, range, |entries| {
                    lines.lead_up(entries, from, tree)
                })
                .map_err(Halt::Fault)?;
            }
            let mut feed = Feed {
                state,
                lines,
                progress: parts.progress,
                size: tree.size(),
            };
            if judged.size() == tree.size() {
                return Ok(());
            }
            // One entry further back, for its time: it mostly lies in the first new bundle.
            let last = judged.size().checked_sub(1);
            let range = (last.unwrap_or(0), tree.size());
            with_entries(tree, &looked, range, |entries| {
                let replay_parts = ReplayParts {
                    origin: origin.as_str(),
                    state: Arc::clone(admission) as _,
                    documents,
                    below: &looked,
                    seed: parts.seed,
                    write_after_entries: parts.write_after_entries,
                };
                let last = last.and_then(|last| entries.next().map(|leaf| time_of(last, leaf)));
                let recorded_at = last.transpose().map_err(Halt::Fault)?.flatten();
                let mut replay = Replay::resume(replay_parts, judged, recorded_at);
                let entries = entries.map(|entry| entry.map_err(Halt::Fault));
                replay
                    .run_with(entries, &mut feed)
                    .map_err(|error| match error {
                        ReplayError::Source(halt) => halt,
                        ReplayError::State(error) => Halt::Audit(error.into()),
                        ReplayError::Tables(error) => Halt::Audit(error.into()),
                        ReplayError::Panicked => Halt::Audit(AuditError::Panicked),
                    })
            })
        })
    }

    /// Compares the digests with those of the daemon.
    fn compare(&mut self, report: &mut Report) {
        let size = self.tree.size();
        let behind = |it: &Projected| it.at_said.is_none() && it.fault.is_none();
        if let Some(archive) = &self.archive
            && self.projected.iter().any(behind)
            && let Ok(said) = archive.projections()
        {
            for it in self.projected.iter_mut().filter(|it| behind(it)) {
                it.say(
                    said.iter()
                        .find(|said| said.name == it.fold.name())
                        .cloned(),
                );
            }
        }
        for it in &self.projected {
            let (outcome, says) = compared(it, size);
            if it.said.is_some() || outcome == Outcome::Fails {
                report.add(format!("projection {}", it.fold.name()), outcome, says);
            }
        }
    }
}

/// What the comparison of a projection says.
fn compared(projected: &Projected, size: u64) -> (Outcome, String) {
    match (&projected.fault, &projected.said) {
        (Some(fault @ ProjectedFault::Gap(_)), _) => (
            Outcome::Unchecked,
            format!("its digest could not be compared: {fault}"),
        ),
        (Some(fault), _) => (Outcome::Fails, format!("it is not replayed: {fault}")),
        (None, None) => (
            Outcome::Unchecked,
            "the daemon says nothing of it".to_owned(),
        ),
        (None, Some(said)) if said.version != projected.fold.version() => (
            Outcome::Unchecked,
            format!(
                "its digest could not be compared: the daemon's is of version {}, and this release replays version {}",
                said.version,
                projected.fold.version()
            ),
        ),
        (None, Some(said)) => match projected.at_said {
            Some(digest) if digest.to_string() == said.digest => (
                Outcome::Holds,
                format!("the digest of {} entries is {digest}", said.size),
            ),
            Some(digest) => (
                Outcome::Fails,
                format!(
                    "the digest of {} entries is {digest}, and the daemon's is {}: it answers otherwise than the ledger says",
                    said.size, said.digest
                ),
            ),
            None => (
                Outcome::Unchecked,
                format!(
                    "its digest could not be compared: the daemon's has read {} entries, and the checkpoint commits to {size}",
                    said.size
                ),
            ),
        },
    }
}

/// Says which documents could not be had.
fn absent(absent: &BTreeMap<ContentId, String>, report: &mut Report) {
    if absent.is_empty() {
        return;
    }
    let told: Vec<String> = absent
        .iter()
        .take(ABSENT_TOLD)
        .map(|(id, why)| format!("{id}: {why}"))
        .collect();
    let says = format!(
        "{} documents could not be had: {}{}",
        absent.len(),
        told.join("; "),
        if absent.len() > told.len() {
            "; …"
        } else {
            ""
        }
    );
    report.add("sources", Outcome::Unchecked, says);
}

/// When an entry that was judged before was recorded; none if it does not decode, as was told
/// then.
fn time_of(index: u64, leaf: Result<Bytes, Fault>) -> Result<Option<Micros>, Fault> {
    let entry = Entry::decode(index, leaf?);
    Ok(entry.ok().map(|entry| entry.recorded_at))
}

/// The ways to the projections.
struct Lines(Vec<Sender<Arc<Batch>>>);

impl Lines {
    fn send(&self, batch: Batch) {
        let batch = Arc::new(batch);
        for line in &self.0 {
            // One that has stopped says why once it is asked.
            drop(line.send(Arc::clone(&batch)));
        }
    }

    /// Hands on entries that were judged before.
    fn lead_up(
        &self,
        entries: &mut impl Iterator<Item = Result<Bytes, Fault>>,
        from: u64,
        tree: &Tree<'_>,
    ) -> Result<(), Fault> {
        let mut size = from;
        loop {
            let mut batch = Vec::with_capacity(BATCH_ENTRIES);
            let first = size;
            for leaf in entries.by_ref().take(BATCH_ENTRIES) {
                // What does not decode is a gap to the projections, as it was to the replay.
                batch.extend(Entry::decode(size, leaf?).ok().map(Arc::new));
                size += 1;
            }
            if size == first {
                return Ok(());
            }
            let root = tree.root_at(size)?;
            self.send(Batch {
                entries: batch,
                size,
                root,
            });
        }
    }
}

/// Hands on what was judged, and what was found.
struct Feed<'a> {
    state: &'a mut State,
    lines: Lines,
    progress: &'a (dyn Fn(u64, u64) + Sync),
    size: u64,
}

impl Follower<Halt> for Feed<'_> {
    fn found(&mut self, finding: Finding) -> Result<(), ReplayError<Halt>> {
        let (entry, says) = (finding.index, finding.to_string());
        if let Problem::NotJudged { version, .. } = finding.problem {
            self.state.skip(Waiting { entry, version }, says);
        } else {
            self.state.find(entry, says);
        }
        Ok(())
    }

    fn told(&mut self) -> Result<(), ReplayError<Halt>> {
        let kept = self.state.keep();
        kept.map_err(|error| ReplayError::Source(Halt::Audit(error)))
    }

    fn entered(
        &mut self,
        entries: Vec<Arc<Entry>>,
        frontier: &Frontier,
    ) -> Result<(), ReplayError<Halt>> {
        let size = frontier.size();
        self.lines.send(Batch {
            entries,
            size,
            root: frontier.root(),
        });
        (self.progress)(size, self.size);
        Ok(())
    }

    fn writing(&mut self, size: u64) -> Result<(), ReplayError<Halt>> {
        let reached = self.state.reach(size);
        reached.map_err(|error| ReplayError::Source(Halt::Audit(error)))
    }
}
