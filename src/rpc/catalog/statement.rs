//! A statement as it stands: the version, with everything that was said of it later.

use std::collections::BTreeSet;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use prost::Message;

use super::{CHANGES_BYTES_MAX, Catalog};
use crate::projection::positions::{Standing, Standings};
use crate::projection::{catalog, statements};
use crate::record::proto::{self as records, record::Kind};
use crate::record::{ContentId, Entry};
use crate::rpc::proto::{
    CoderReading, FurtherEvidence, Provenance, Review, StatementChange, StatementView, Visibility,
};
use crate::rpc::{Failure, convert};

/// What entries made of a statement, and how it stands.
pub(super) struct Found {
    pub(super) made: statements::StatementView,
    pub(super) standing: Standing,
}

impl Found {
    /// Whether what an entry did to the statement counts.
    pub(super) fn counts(&self, entry: u64) -> bool {
        !self.standing.untrusted.contains(&entry)
    }

    /// The readings by coders that count, and each coder's newest that does not, oldest first.
    fn readings(&self) -> Vec<u64> {
        let untrusted = self.made.readings.iter().filter(|it| !self.counts(**it));
        let readings: BTreeSet<u64> = self
            .standing
            .readings
            .iter()
            .chain(untrusted)
            .copied()
            .collect();
        readings.into_iter().collect()
    }

    fn visibility(&self) -> Visibility {
        if self.standing.retraction.is_some() {
            Visibility::Retracted
        } else if self.standing.has_enough_vouchers() {
            Visibility::Visible
        } else {
            Visibility::TooFewVouchers
        }
    }
}

impl Catalog {
    /// A statement; none if it is not on record.
    pub(super) fn statement(
        &self,
        id: &ContentId,
        known_at: u64,
    ) -> Result<Option<StatementView>, Failure> {
        let standings = Standings::at(self.views.positions.tables(), known_at)?;
        let found = self.found(id, &standings, known_at)?;
        found
            .map(|found| self.whole_statement(id, &found, known_at))
            .transpose()
    }

    /// What is found of a statement; none if it is not on record.
    pub(super) fn found(
        &self,
        id: &ContentId,
        standings: &Standings<'_>,
        known_at: u64,
    ) -> Result<Option<Found>, Failure> {
        let made = statements::view(self.views.statements.tables(), id, known_at)?;
        let Some(made) = made else {
            return Ok(None);
        };
        let standing = standings.of(id)?.ok_or_else(|| {
            Failure::defect(format!("positions do not know of the statement {id}"))
        })?;
        Ok(Some(Found { made, standing }))
    }

    /// The statement that was found.
    pub(super) fn whole_statement(
        &self,
        id: &ContentId,
        found: &Found,
        known_at: u64,
    ) -> Result<StatementView, Failure> {
        let vouched = |entry: &Entry| self.vouched(entry, known_at);
        let change = |it: &Entry| change(it, id, vouched(it)?, !found.counts(it.index));
        let Found { made, standing } = found;
        let introduced = self.entry(made.introduced)?;
        let version = self.entry(standing.version)?;
        let retraction = standing.retraction.map(|it| self.entry(it)).transpose()?;
        let untrusted = made.retractions.iter().filter(|it| !found.counts(**it));
        let untrusted: Vec<u64> = untrusted.copied().collect();
        let key = |key: &[u8; 32]| HEXLOWER.encode(key);
        Ok(StatementView {
            statement_id: convert::id(id),
            statement: Some(said(&version)?.clone()),
            introduced: Some(vouched(&introduced)?),
            corrections: self.newest(&made.corrections, change)?,
            retraction: retraction.map(|it| change(&it)).transpose()?,
            readings: self.newest(&found.readings(), |it| {
                reading(it, id, vouched(it)?, !found.counts(it.index))
            })?,
            further_evidence: self.newest(&made.evidence, |it| {
                further_evidence(it, id, vouched(it)?, !found.counts(it.index))
            })?,
            reviews: self.newest(&made.reviews, |it| review(it, id, vouched(it)?))?,
            version: Some(vouched(&version)?),
            vouchers: standing.vouchers.iter().map(key).collect(),
            attestations_min: standing.attestations_min,
            visibility: found.visibility().into(),
            untrusted_retractions: self.newest(&untrusted, change)?,
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
    untrusted: bool,
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
        untrusted,
    })
}

/// A reading by a coder.
fn reading(
    entry: &Entry,
    id: &ContentId,
    provenance: Provenance,
    untrusted: bool,
) -> Result<CoderReading, Failure> {
    let Some(Kind::ReadingAdded(added)) = &entry.record.kind else {
        return Err(not_about(entry, id));
    };
    Ok(CoderReading {
        reading: added.reading.clone(),
        rationale: added.rationale.clone(),
        provenance: Some(provenance),
        untrusted,
    })
}

/// Evidence that was added.
fn further_evidence(
    entry: &Entry,
    id: &ContentId,
    provenance: Provenance,
    untrusted: bool,
) -> Result<FurtherEvidence, Failure> {
    let Some(Kind::EvidenceAdded(added)) = &entry.record.kind else {
        return Err(not_about(entry, id));
    };
    Ok(FurtherEvidence {
        evidence: added.evidence.clone(),
        provenance: Some(provenance),
        untrusted,
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
