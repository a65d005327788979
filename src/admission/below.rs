//! The entries below the place of the record that is judged, where the state does not say
//! enough of them.

use std::sync::Arc;

use super::field::content_id;
use super::references::accept;
use super::state::{RecordRow, Table, newest_trusted};
use super::{Reason, Refusal};
use crate::fold::{FoldError, Tables};
use crate::record::Entry;
use crate::record::proto::{self, record::Kind};

/// The entries below a place in the ledger.
pub trait Below {
    /// The entry at `index`, which lies below that place.
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError>;
}

/// Why an entry could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an entry of the ledger cannot be read: {0}")]
pub struct BelowError(pub String);

/// Reads an entry; one that cannot be read is no fault of the record.
pub fn entry(below: &dyn Below, index: u64) -> Result<Arc<Entry>, Refusal> {
    below.entry(index).map_err(|error| {
        Refusal::new(
            Reason::DocumentUnreadable,
            "",
            error.to_string(),
            "the same record, once the daemon can read its ledger",
        )
    })
}

/// The entry of the version of a statement that stands: its newest correction that a trusted
/// signature is on, or else its introduction. The references have been judged: it is on record.
pub fn standing(
    state: &dyn Tables,
    below: &dyn Below,
    id: &str,
) -> Result<Result<Arc<Entry>, Refusal>, FoldError> {
    let id = accept!(content_id("statement", id));
    let introduced: Option<RecordRow> = Table::Record.get(state, &[id.as_bytes()])?;
    let introduced = introduced.ok_or_else(damaged)?;
    let statement = introduced.statement.as_ref();
    let corrections = statement.map_or(&[][..], |it| &it.corrections);
    let stands = newest_trusted(state, corrections)?.unwrap_or(introduced);
    Ok(entry(below, stands.index))
}

/// What the version of a statement says whose entry this is.
pub fn said(version: &Entry) -> Result<&proto::Statement, FoldError> {
    let statement = match &version.record.kind {
        Some(Kind::StatementRecorded(statement)) => Some(statement),
        Some(Kind::StatementCorrected(corrected)) => corrected.corrected.as_ref(),
        _ => None,
    };
    statement.ok_or_else(damaged)
}

fn damaged() -> FoldError {
    FoldError::Row {
        table: Table::Record.name(),
    }
}
