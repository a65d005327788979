//! The postings' fold: each entry's index is added to the open blocks of its headings.

use super::block::Block;
use super::rows::{Heading, OPEN, SEALED, TIED, key};
use super::said::said_in;
use crate::fold::{Changes, Fold, FoldError, Order, Tables};
use crate::projection::read::{content_id, malformed};
use crate::record::proto::record::Kind;
use crate::record::{ContentId, Entry, Subject, proto, subjects};

/// The postings, derived from the ledger.
#[derive(Clone, Copy, Debug, Default)]
pub struct PostingsFold;

impl Fold for PostingsFold {
    fn name(&self) -> &'static str {
        "postings"
    }

    fn version(&self) -> u32 {
        2
    }

    fn fold(&self, state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError> {
        let mut changes = Changes::new();
        let mut about = subjects(entry);
        tie(&mut changes, state, entry, about.iter())?;
        let said = match &entry.record.kind {
            Some(Kind::StatementRecorded(statement)) => {
                // Nothing can stand under a statement before it is on record: no need to look.
                let introduced = Subject::Statement(entry.record_id);
                about.remove(&introduced);
                let open = key(OPEN, Heading::About(&introduced));
                let block = Block::begin(entry.index, false);
                changes.insert(open.into_bytes(), Some(block.into_bytes()));
                said_in(entry, statement)?
            }
            _ => Vec::new(),
        };
        let about = about.iter().map(Heading::About);
        for heading in about.chain(said.into_iter().map(Heading::Said)) {
            if !post(&mut changes, state, heading, entry.index)? {
                return Err(malformed(entry, "it was posted before"));
            }
        }
        Ok(changes)
    }
}

/// Adds an index to a heading's postings; false if it is not beyond them.
pub(super) fn post(
    changes: &mut Changes,
    state: &dyn Tables,
    heading: Heading<'_>,
    index: u64,
) -> Result<bool, FoldError> {
    let open = key(OPEN, heading);
    let block = match state.get(open.as_bytes())? {
        None => Block::begin(index, false),
        Some(bytes) => {
            let mut block = Block::decode(bytes).ok_or_else(|| OPEN.damaged())?;
            if index <= block.last() {
                return Ok(false);
            }
            if block.push(index) {
                block
            } else {
                let sealed = key(SEALED, heading).index(block.first());
                changes.insert(sealed.into_bytes(), Some(block.into_bytes()));
                Block::begin(index, true)
            }
        }
    };
    changes.insert(open.into_bytes(), Some(block.into_bytes()));
    Ok(true)
}

/// Ties the statement that an entry says more of to the headings that it may not have stood
/// under until then.
fn tie<'a>(
    changes: &mut Changes,
    state: &dyn Tables,
    entry: &Entry,
    about: impl Iterator<Item = &'a Subject>,
) -> Result<(), FoldError> {
    let Some((statement, binds)) = says_more_of(entry)? else {
        return Ok(());
    };
    let Some(introduced) = first(state, &Subject::Statement(statement))? else {
        // Attestations of other kinds of records.
        return Ok(());
    };
    let said = match &entry.record.kind {
        Some(Kind::StatementCorrected(proto::StatementCorrected {
            corrected: Some(corrected),
            ..
        })) => said_in(entry, corrected)?,
        _ => Vec::new(),
    };
    let about = about.filter(|subject| binds(subject)).map(Heading::About);
    for heading in about.chain(said.into_iter().map(Heading::Said)) {
        let key = key(TIED, heading).index(introduced);
        if state.get(key.as_bytes())?.is_none() {
            changes.insert(key.into_bytes(), Some(Vec::new()));
        }
    }
    Ok(())
}

/// Whether something said of a statement later can tie it to a subject.
type Binds = fn(&Subject) -> bool;

/// The statement that an entry says more of, and to what that can tie it.
fn says_more_of(entry: &Entry) -> Result<Option<(ContentId, Binds)>, FoldError> {
    let id = |text| content_id(entry, "statement", text);
    Ok(Some(match &entry.record.kind {
        Some(Kind::StatementCorrected(corrected)) => {
            let binds: Binds = |it| matches!(it, Subject::Topic(_) | Subject::Source(_));
            (id(&corrected.statement)?, binds)
        }
        Some(Kind::ReadingAdded(added)) => {
            (id(&added.statement)?, |it| matches!(it, Subject::Topic(_)))
        }
        Some(Kind::EvidenceAdded(added)) => {
            (id(&added.statement)?, |it| matches!(it, Subject::Source(_)))
        }
        Some(Kind::AttestationAdded(added)) => {
            (id(&added.record)?, |it| matches!(it, Subject::Verifier(_)))
        }
        _ => return Ok(None),
    }))
}

/// The first entry about a subject: for a statement on record, the one that introduced it.
fn first(state: &dyn Tables, subject: &Subject) -> Result<Option<u64>, FoldError> {
    let subject = Heading::About(subject);
    let Some(bytes) = state.get(key(OPEN, subject).as_bytes())? else {
        return Ok(None);
    };
    let open = Block::decode(bytes).ok_or_else(|| OPEN.damaged())?;
    if !open.has_sealed_before() {
        return Ok(Some(open.first()));
    }
    let sealed = key(SEALED, subject);
    let from = std::ops::Bound::Included(sealed.as_bytes());
    let mut rows = state.rows(from, Order::Ascending);
    let (_, bytes) = rows.next().transpose()?.ok_or_else(|| SEALED.damaged())?;
    let block = Block::decode(bytes).ok_or_else(|| SEALED.damaged())?;
    Ok(Some(block.first()))
}
