//! Whether a checkpoint continues the one that is remembered. The two are evidence by themselves
//! where they contradict each other: both bear the archive's signature.

use std::sync::Arc;

use super::fault::Fault;
use super::projected::{Projected, ProjectedFault};
use super::state::State;
use super::tree::Tree;
use super::{AuditError, CACHE_BYTES};
use crate::fold::{Fold, FoldError};
use crate::ledger::AdmissionState;
use crate::merkle::{self, Checkpoint, Hash};
use crate::projection::tiles::{RecentTiles, TilesFold, nodes};
use crate::storage::{BlockCache, LsmTables};

/// See the module.
pub(super) struct History<'a> {
    pub state: &'a State,
    pub folds: &'a [Arc<dyn Fold>],
}

impl History<'_> {
    /// What contradicts what is remembered, without a look at what is served.
    pub fn contradiction(&self, shown: &Checkpoint) -> Result<Option<String>, AuditError> {
        let Some(before) = &self.state.checkpoint else {
            return Ok(None);
        };
        if shown.size() == before.size() && shown.root() != before.root() {
            return Ok(Some(fork(before, shown)));
        }
        if shown.size() >= before.size() {
            return Ok(None);
        }
        Ok(Some(match self.root_before(shown.size())? {
            Some(root) if root != shown.root() => format!(
                "fork: the archive signed {} entries with the root {}, and now shows {} with the root {}, which those do not begin with ({root}): two ledgers",
                before.size(),
                before.root(),
                shown.size(),
                shown.root()
            ),
            _ => format!(
                "shrunken: the archive signed {} entries with the root {}, and now shows {} with the root {}: entries are gone, or an old checkpoint is served",
                before.size(),
                before.root(),
                shown.size(),
                shown.root()
            ),
        }))
    }

    /// Whether the tree of a checkpoint that is as large or larger begins with what is
    /// remembered; in a sentence.
    pub fn continues(
        &self,
        tree: &Tree<'_>,
        shown: &Checkpoint,
    ) -> Result<Result<String, String>, Fault> {
        let Some(before) = &self.state.checkpoint else {
            let says = "nothing to compare with: this is the first audit with this file";
            return Ok(Ok(says.to_owned()));
        };
        let found = tree.root_at(before.size())?;
        if found == before.root() {
            let says = format!(
                "the {} entries begin with the {} of the last audit",
                shown.size(),
                before.size()
            );
            return Ok(Ok(says));
        }
        Ok(Err(format!(
            "rewritten: the archive signed {} entries with the root {}, and now {} with the root {}, of which the first {} have the root {found}: two ledgers",
            before.size(),
            before.root(),
            shown.size(),
            shown.root(),
            before.size()
        )))
    }

    /// Whether the file is as new as the tables: one that was put back to an earlier state does not
    /// say what was found in the entries that they have read since.
    pub fn holds_what_was_read(&self) -> Result<(), AuditError> {
        let directory = self.state.directory();
        let admission = directory.join("admission");
        if !admission.exists() {
            return Ok(());
        }
        let opened = LsmTables::open(&admission, &BlockCache::of(CACHE_BYTES))?;
        let judged = AdmissionState::new(Arc::new(opened.tables)).cursor();
        let judged = judged.map_err(FoldError::Tables)?;
        let judged = judged.map_or(0, |frontier| frontier.size());
        let checked = self.state.checked();
        if judged > checked {
            return Err(AuditError::Tables {
                directory,
                reason: format!(
                    "{judged} entries were judged there, and the file beside it is an older one, which remembers {checked} and not what was found since"
                ),
            });
        }
        Ok(())
    }

    /// The root over the first `size` entries as they were checked, as far as that is known.
    fn root_before(&self, size: u64) -> Result<Option<Hash>, AuditError> {
        let directory = self.state.directory();
        let Some(fold) = self.folds.iter().find(|it| it.name() == TilesFold.name()) else {
            return Ok(None);
        };
        let tiles = Projected::open(&directory, Arc::clone(fold), None);
        let tiles = tiles.map_err(|error| opening(&self.state.directory(), error))?;
        if tiles.cursor.size < size {
            return Ok(None);
        }
        let recent = RecentTiles::default();
        let mut nodes = nodes(&*tiles.tables, 0, tiles.cursor.size, &recent);
        Ok(merkle::root(&mut nodes, size).ok())
    }
}

/// Why tables cannot be opened.
pub(super) fn opening(directory: &std::path::Path, fault: ProjectedFault) -> AuditError {
    match fault {
        ProjectedFault::Tables(error) => error.into(),
        fault => AuditError::Tables {
            directory: directory.to_owned(),
            reason: fault.to_string(),
        },
    }
}

fn fork(before: &Checkpoint, shown: &Checkpoint) -> String {
    format!(
        "fork: the archive signed two ledgers of {} entries, one with the root {}, and now one with the root {}",
        shown.size(),
        before.root(),
        shown.root()
    )
}
