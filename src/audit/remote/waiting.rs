//! Entries of earlier audits that could not be judged then, for want of a document: judged now, as
//! far as the documents are there. All else of them was judged at their places.

use std::collections::BTreeMap;

use super::AuditError;
use super::entries::LookedBack;
use super::fault::Fault;
use super::report::{Outcome, Report};
use super::state::State;
use super::tree::Tree;
use crate::admission::{self, Below as _, Documents, Reason, Refusal};
use crate::audit::replay::{Finding, Problem};
use crate::record::Entry;

/// Judges the entries below `before` that wait, and remembers which did not wait in vain.
pub(super) fn judge(
    tree: &Tree<'_>,
    state: &mut State,
    documents: &dyn Documents,
    before: u64,
    report: &mut Report,
) -> Result<Result<(), Fault>, AuditError> {
    let looked = LookedBack::at(tree);
    let mut judged = BTreeMap::new();
    for waiting in state.waiting().iter().filter(|it| it.entry < before) {
        let index = waiting.entry;
        let leaf = match looked.leaf(index) {
            Ok(leaf) => leaf,
            Err(fault) => return Ok(Err(fault)),
        };
        // It decoded when it was put here.
        let Ok(entry) = Entry::decode(index, leaf) else {
            continue;
        };
        let version = match waiting.version.map(|version| looked.entry(version)) {
            Some(Err(_)) => continue,
            version => version.and_then(Result::ok),
        };
        let Some(kind) = &entry.record.kind else {
            continue;
        };
        match admission::judge_documents(kind, documents, version.as_deref())? {
            Ok(()) => drop(judged.insert(index, None)),
            Err(refusal) if is_missing(&refusal) => {}
            Err(refusal) => {
                let problem = Problem::NotAdmitted(refusal);
                let finding = Finding { index, problem };
                judged.insert(index, Some(finding.to_string()));
            }
        }
    }
    state.settle(&judged)?;
    if judged.is_empty() {
        return Ok(Ok(()));
    }
    let wrong = judged.values().flatten().count();
    let outcome = if wrong == 0 {
        Outcome::Holds
    } else {
        Outcome::Fails
    };
    let says = format!(
        "{} entries were judged that could not be before, by documents that are there now: {wrong} are not admitted",
        judged.len()
    );
    report.add("waiting", outcome, says);
    Ok(Ok(()))
}

fn is_missing(refusal: &Refusal) -> bool {
    matches!(
        refusal.reason,
        Reason::SourceBytesMissing | Reason::DocumentUnreadable
    )
}
