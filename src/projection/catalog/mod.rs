//! The catalog: what records define, in every version. Actors, mandates, topics, milestones,
//! sources, verifiers, and the policy.
//!
//! A version is one row under its id and its entry's index, so that the newest below K is the
//! one that stands at K, and a scan over a table meets its ids in order. Rows hold the
//! definition as it was recorded. What a verifier's revocation does to what they signed is not
//! decided here, nor who may ask.

mod fold;
mod query;
#[cfg(test)]
mod tests;

pub use fold::CatalogFold;
pub use query::{
    Defined, Verifier, actor, has_text, mandate, milestone, policy, source, topic, verifier,
};

use serde::{Deserialize, Serialize};

use super::read::Origin;
use super::rows::Table;

const ACTORS: Table = table(b'a', "actors");
const MANDATES: Table = table(b'm', "mandates");
const TOPICS: Table = table(b't', "topics");
const MILESTONES: Table = table(b'e', "milestones");
const SOURCES: Table = table(b's', "sources");
const ENROLMENTS: Table = table(b'v', "enrolments");
const REVOCATIONS: Table = table(b'w', "revocations");
const POLICIES: Table = table(b'p', "policies");
/// Text id: the first entry that names it.
const TEXTS: Table = table(b'x', "texts");

const fn table(byte: u8, name: &'static str) -> Table {
    Table { byte, name }
}

/// One version of a definition. The key has its id and index.
#[derive(Debug, Serialize, Deserialize)]
struct Version {
    origin: Origin,
    /// The message, encoded.
    definition: Vec<u8>,
}
