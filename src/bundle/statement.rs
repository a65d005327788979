//! How a statement stands, as a bundle tells it: made by the archive and by whoever checks it,
//! from the same tables by the same function.

use data_encoding::HEXLOWER;

use super::Views;
use super::compare::{Differs, differ};
use super::proto::{StatementAnswer, Visibility};
use crate::fold::FoldError;
use crate::projection::positions::Standings;
use crate::projection::statements;
use crate::record::ContentId;

/// How a statement stands once the entries below `known_at` are known; none if it is not on
/// record.
pub fn answer(
    views: &Views<'_>,
    id: &ContentId,
    known_at: u64,
) -> Result<Option<StatementAnswer>, FoldError> {
    let made = statements::view(views.statements, id, known_at)?;
    let standing = Standings::at(views.positions, known_at)?.of(id)?;
    let (Some(made), Some(standing)) = (made, standing) else {
        return Ok(None);
    };
    let visibility = if standing.retraction.is_some() {
        Visibility::Retracted
    } else if standing.has_enough_vouchers() {
        Visibility::Visible
    } else {
        Visibility::TooFewVouchers
    };
    let vouchers = standing.vouchers.iter();
    Ok(Some(StatementAnswer {
        introduced: made.introduced,
        version: standing.version,
        visibility: visibility.into(),
        retraction: standing.retraction,
        corrections: made.corrections,
        retractions: made.retractions,
        readings: standing.readings.into_iter().collect(),
        evidence: made.evidence,
        reviews: made.reviews,
        untrusted: standing.untrusted.into_iter().collect(),
        vouchers: vouchers.map(|key| HEXLOWER.encode(key)).collect(),
        attestations_min: standing.attestations_min,
    }))
}

/// The fields in which two answers differ.
pub fn differences(claimed: &StatementAnswer, found: &StatementAnswer) -> Vec<Differs> {
    differ!(
        StatementAnswer {
            introduced,
            version,
            visibility,
            retraction,
            corrections,
            retractions,
            readings,
            evidence,
            reviews,
            untrusted,
            vouchers,
            attestations_min,
        },
        claimed,
        found
    )
}
