//! What became of each statement: where it was introduced, corrected and retracted, which
//! coders' readings stand beside its own, and what evidence and reviews were added.
//!
//! One row an entry that concerns the statement, under the statement's id and the entry's
//! index. Rows say which entries to read and hold no payloads: the ledger has those.

mod fold;
mod query;
#[cfg(test)]
mod tests;

pub use fold::StatementsFold;
pub use query::{StatementView, view};

use serde::{Deserialize, Serialize};

use super::rows::Table;
use crate::record::Slug;

const ENTRIES: Table = Table {
    byte: b's',
    name: "statements",
};

/// What an entry did to a statement. The key has the statement's id and the entry's index.
#[derive(Debug, Serialize, Deserialize)]
enum Change {
    Introduced,
    Corrected,
    Retracted,
    Read {
        topic: Slug,
        holder: Slug,
        coders: Vec<[u8; 32]>,
    },
    Evidenced,
    Reviewed,
}
