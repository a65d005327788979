//! The catalog: what records define, in every version. Actors, mandates, topics, milestones,
//! sources, verifiers, the policy, and what is promised of checkpoints; besides, who vouched
//! for records later, what was read and withheld, and reviews of sources and milestones.
//!
//! A version is one row under its id and its entry's index, so that the newest below K is the
//! one that stands at K, and a scan over a table meets its ids in order. Rows hold the
//! definition as it was recorded. What a verifier's revocation does to what they signed is not
//! decided here, nor who may ask.

mod fold;
mod list;
mod query;
#[cfg(test)]
mod tests;

pub use fold::CatalogFold;
pub use list::{Ids, actor_ids, mandate_ids, milestone_ids, source_ids, topic_ids, verifier_ids};
pub use query::{
    Coverage, Defined, Named, Reviews, Verifier, Versioned, actor, attestations, checkpoint_key,
    coverage, first_with_text, mandate, milestone, milestone_reviews, near, policy, read_for,
    source, source_reviews, topic, verifier, versions, withholding, witness_policy,
};

use serde::{Deserialize, Serialize};

use super::read::Origin;
use super::rows::Table;

const ACTORS: Table = table(b'a', "actors");
const MANDATES: Table = table(b'm', "mandates");
/// Person, mandate, entry: nothing. Neither person nor organisation of a mandate changes.
const MANDATES_OF: Table = table(b'o', "mandates-of");
/// Organisation, mandate, entry: nothing.
const MANDATES_FOR: Table = table(b'u', "mandates-for");
const TOPICS: Table = table(b't', "topics");
const MILESTONES: Table = table(b'e', "milestones");
const SOURCES: Table = table(b's', "sources");
const ENROLMENTS: Table = table(b'v', "enrolments");
const REVOCATIONS: Table = table(b'w', "revocations");
const POLICIES: Table = table(b'p', "policies");
/// Record id, entry: whose signatures the entry added to the record's.
const ATTESTED: Table = table(b'n', "attested");
/// Source id, entry: that it is withheld.
const WITHHELD: Table = table(b'h', "withheld");
/// Source id, entry: a review of it.
const SOURCE_REVIEWS: Table = table(b'q', "source-reviews");
/// Milestone, entry: a review of it.
const MILESTONE_REVIEWS: Table = table(b'f', "milestone-reviews");
/// Topic, source id, entry: whether the source was read whole for it; where it was only read in
/// part before, or not at all.
const READ: Table = table(b'r', "read");
/// Topic, entry: how many sources have been read for it, and how many of them whole.
const COVERAGE: Table = table(b'c', "coverage");
const CHECKPOINT_KEYS: Table = table(b'k', "checkpoint-keys");
const WITNESS_POLICIES: Table = table(b'i', "witness-policies");
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
