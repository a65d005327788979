//! The statements' fold: one row an entry.

use super::{Change, ENTRIES};
use crate::fold::{Changes, Fold, FoldError, Tables};
use crate::projection::read::{content_id, holder, malformed, optional, signers, slug};
use crate::record::proto::record::Kind;
use crate::record::proto::review_published::Target;
use crate::record::{ContentId, Entry, proto};

/// What became of statements, derived from the ledger.
#[derive(Clone, Copy, Debug, Default)]
pub struct StatementsFold;

impl Fold for StatementsFold {
    fn name(&self) -> &'static str {
        "statements"
    }

    fn version(&self) -> u32 {
        2
    }

    fn fold(&self, _state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError> {
        let id = |text| content_id(entry, "statement", text);
        let (statement, change) = match &entry.record.kind {
            Some(Kind::StatementRecorded(_)) => (entry.record_id, Change::Introduced),
            Some(Kind::StatementCorrected(corrected)) => {
                (id(&corrected.statement)?, Change::Corrected)
            }
            Some(Kind::StatementRetracted(retracted)) => {
                (id(&retracted.statement)?, Change::Retracted)
            }
            Some(Kind::ReadingAdded(added)) => (id(&added.statement)?, read(entry, added)?),
            Some(Kind::EvidenceAdded(added)) => (id(&added.statement)?, Change::Evidenced),
            Some(Kind::ReviewPublished(proto::ReviewPublished {
                target: Some(Target::Statement(statement)),
                ..
            })) => (id(statement)?, Change::Reviewed),
            _ => return Ok(Changes::new()),
        };
        row(entry, &statement, &change)
    }
}

fn read(entry: &Entry, added: &proto::ReadingAdded) -> Result<Change, FoldError> {
    let reading = added
        .reading
        .as_ref()
        .ok_or_else(|| malformed(entry, "no reading"))?;
    let speaker = optional(entry, "speaker", &added.speaker)?;
    Ok(Change::Read {
        topic: slug(entry, "topic", &reading.topic)?,
        holder: holder(entry, reading, speaker.as_ref())?,
        coders: signers(entry)?,
    })
}

fn row(entry: &Entry, statement: &ContentId, change: &Change) -> Result<Changes, FoldError> {
    let key = ENTRIES.key().bytes(statement.as_bytes()).index(entry.index);
    let value = ENTRIES.encode(change)?;
    Ok(Changes::from([(key.into_bytes(), Some(value))]))
}
