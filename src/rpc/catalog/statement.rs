//! A statement as it stands: the version, with everything that was said of it later.

use std::sync::Arc;

use prost::Message;

use super::{CHANGES_BYTES_MAX, Catalog};
use crate::projection::{catalog, statements};
use crate::record::proto::{self as records, record::Kind};
use crate::record::{ContentId, Entry};
use crate::rpc::proto::{
    CoderReading, FurtherEvidence, Provenance, Review, StatementChange, StatementView,
};
use crate::rpc::{Failure, convert};

impl Catalog {
    /// A statement; none if it is not on record.
    pub(super) fn statement(
        &self,
        id: &ContentId,
        known_at: u64,
    ) -> Result<Option<StatementView>, Failure> {
        let found = statements::view(self.views.statements.tables(), id, known_at)?;
        found
            .map(|found| self.whole_statement(id, &found, known_at))
            .transpose()
    }

    /// The statement that these entries make up.
    pub(super) fn whole_statement(
        &self,
        id: &ContentId,
        found: &statements::StatementView,
        known_at: u64,
    ) -> Result<StatementView, Failure> {
        let vouched = |entry: &Entry| self.vouched(entry, known_at);
        let introduced = self.entry(found.introduced)?;
        let version = self.entry(found.version())?;
        let retraction = found
            .retraction
            .map(|index| self.entry(index))
            .transpose()?;
        Ok(StatementView {
            statement_id: convert::id(id),
            statement: Some(said(&version)?.clone()),
            introduced: Some(vouched(&introduced)?),
            corrections: self.newest(&found.corrections, |it| change(it, id, vouched(it)?))?,
            retraction: retraction
                .map(|it| change(&it, id, vouched(&it)?))
                .transpose()?,
            readings: self.newest(&found.readings, |it| reading(it, id, vouched(it)?))?,
            further_evidence: self
                .newest(&found.evidence, |it| further_evidence(it, id, vouched(it)?))?,
            reviews: self.newest(&found.reviews, |it| review(it, id, vouched(it)?))?,
        })
    }

    /// Where an entry stands, and who vouched for it, at first or later.
    fn vouched(&self, entry: &Entry, known_at: u64) -> Result<Provenance, Failure> {
        let tables = self.views.catalog.tables();
        let added = catalog::attestations(tables, &entry.record_id, known_at)?;
        Ok(convert::vouched(entry, &added))
    }

    /// What the newest of some entries say, oldest first, within the bound on their bytes.
    fn newest<T: Message>(
        &self,
        indexes: &[u64],
        say: impl Fn(&Entry) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let (mut said, mut bytes) = (Vec::new(), 0);
        for index in indexes.iter().rev() {
            let one = say(&*self.entry(*index)?)?;
            bytes += one.encoded_len();
            if bytes > CHANGES_BYTES_MAX {
                break;
            }
            said.push(one);
        }
        said.reverse();
        Ok(said)
    }

    pub(super) fn entry(&self, index: u64) -> Result<Arc<Entry>, Failure> {
        let entry = self.reader.entry(index)?;
        entry.ok_or_else(|| Failure::defect(format!("entry {index} lies beyond the head")))
    }
}

/// What a version of a statement says.
pub(super) fn said(version: &Entry) -> Result<&records::Statement, Failure> {
    let statement = match &version.record.kind {
        Some(Kind::StatementRecorded(statement)) => Some(statement),
        Some(Kind::StatementCorrected(corrected)) => corrected.corrected.as_ref(),
        _ => None,
    };
    statement.ok_or_else(|| {
        let index = version.index;
        Failure::defect(format!("entry {index} is no version of a statement"))
    })
}

/// A correction or a retraction.
fn change(
    entry: &Entry,
    id: &ContentId,
    provenance: Provenance,
) -> Result<StatementChange, Failure> {
    let Some(
        Kind::StatementCorrected(records::StatementCorrected { reason, .. })
        | Kind::StatementRetracted(records::StatementRetracted { reason, .. }),
    ) = &entry.record.kind
    else {
        return Err(not_about(entry, id));
    };
    Ok(StatementChange {
        provenance: Some(provenance),
        reason: reason.clone(),
    })
}

/// A reading by a coder.
fn reading(entry: &Entry, id: &ContentId, provenance: Provenance) -> Result<CoderReading, Failure> {
    let Some(Kind::ReadingAdded(added)) = &entry.record.kind else {
        return Err(not_about(entry, id));
    };
    Ok(CoderReading {
        reading: added.reading.clone(),
        rationale: added.rationale.clone(),
        provenance: Some(provenance),
    })
}

/// Evidence that was added.
fn further_evidence(
    entry: &Entry,
    id: &ContentId,
    provenance: Provenance,
) -> Result<FurtherEvidence, Failure> {
    let Some(Kind::EvidenceAdded(added)) = &entry.record.kind else {
        return Err(not_about(entry, id));
    };
    Ok(FurtherEvidence {
        evidence: added.evidence.clone(),
        provenance: Some(provenance),
    })
}

/// A review of a statement.
fn review(entry: &Entry, id: &ContentId, provenance: Provenance) -> Result<Review, Failure> {
    let Some(Kind::ReviewPublished(review)) = &entry.record.kind else {
        return Err(not_about(entry, id));
    };
    Ok(Review {
        review: Some(review.clone()),
        provenance: Some(provenance),
    })
}

fn not_about(entry: &Entry, id: &ContentId) -> Failure {
    Failure::defect(format!(
        "entry {} does not say of the statement {id} what the projection says that it does",
        entry.index
    ))
}
