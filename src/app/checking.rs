//! Checking a data directory with the projections of this release.

use std::path::Path;
use std::sync::Arc;

use crate::audit::{self, CheckError, Elsewhere, Report};
use crate::fold::Fold;
use crate::projection::catalog::CatalogFold;
use crate::projection::positions::PositionsFold;
use crate::projection::postings::PostingsFold;
use crate::projection::statements::StatementsFold;
use crate::projection::tiles::TilesFold;

/// Checks the data directory at `data_dir`, which no daemon may be using, and holds its ledger
/// against what is known from `elsewhere`, with copies in the empty directory `scratch`. No signer
/// knows `seed`.
pub fn check(
    data_dir: &Path,
    elsewhere: &Elsewhere,
    scratch: &Path,
    seed: [u8; 32],
) -> Result<Report, CheckError> {
    audit::check(data_dir, elsewhere, scratch, &folds(), seed)
}

/// The projections of this release.
#[must_use]
pub fn folds() -> [Arc<dyn Fold>; 5] {
    [
        Arc::new(CatalogFold),
        Arc::new(PositionsFold),
        Arc::new(PostingsFold),
        Arc::new(StatementsFold),
        Arc::new(TilesFold),
    ]
}
