//! How a statement stands at K, for whoever tells of it beside positions: by the same rule, so
//! that the version told is the one that positions rest on.

use std::collections::BTreeSet;

use super::RECORDS;
use super::hearing::Hearing;
use super::history::{self, Change};
use super::verifiers::{self, Trust};
use crate::fold::{FoldError, Tables};
use crate::record::{ContentId, Slug};

/// How a statement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The entry that gave the version that stands.
    pub version: u64,
    /// The keys of the verifiers whose word it is that it stands so, in order.
    pub vouchers: BTreeSet<[u8; 32]>,
    /// How many of them the policy asked for when it was recorded.
    pub attestations_min: u32,
    /// The retraction that counts.
    pub retraction: Option<u64>,
    /// The corrections, retractions, readings and further evidence that do not count, because
    /// no signature on them is trusted.
    pub untrusted: BTreeSet<u64>,
    /// The readings by coders that count and stand beside its own: each coder's newest on a
    /// topic and holder.
    pub readings: BTreeSet<u64>,
    /// The topics of these readings.
    pub read_on: BTreeSet<Slug>,
}

impl Standing {
    /// Whether as many vouch for it as the policy asked for.
    #[must_use]
    pub fn has_enough_vouchers(&self) -> bool {
        self.vouchers.len() >= self.attestations_min as usize
    }
}

/// How statements stand once the entries below some K are known.
pub struct Standings<'t> {
    tables: &'t dyn Tables,
    trust: Trust,
    known_at: u64,
}

impl<'t> Standings<'t> {
    /// How they stand at `known_at`, by tables that have read as much.
    pub fn at(tables: &'t dyn Tables, known_at: u64) -> Result<Self, FoldError> {
        Ok(Self {
            tables,
            trust: Trust::at(tables, known_at)?,
            known_at,
        })
    }

    /// How one stands; none if it is not on record.
    pub fn of(&self, id: &ContentId) -> Result<Option<Standing>, FoldError> {
        let about: Option<(u64, u64)> =
            RECORDS.get(self.tables, &RECORDS.key().bytes(id.as_bytes()))?;
        let Some((statement, _)) = about.filter(|(statement, entry)| statement == entry) else {
            return Ok(None);
        };
        let changed = history::whole(self.tables, statement)?;
        let hearing = Hearing {
            changed: &changed,
            trust: &self.trust,
            known_at: self.known_at,
        };
        let Some((version, _)) = hearing.version() else {
            return Ok(None);
        };
        let attestations_min = match hearing.changed.get(&statement) {
            Some(Change::Recorded {
                attestations_min, ..
            }) => *attestations_min,
            _ => return Err(RECORDS.damaged()),
        };
        let vouchers = hearing.vouchers(version).into_iter();
        let coded = hearing.coded();
        Ok(Some(Standing {
            version,
            vouchers: vouchers
                .map(|number| verifiers::key(self.tables, number))
                .collect::<Result<_, _>>()?,
            attestations_min,
            retraction: hearing.retraction(),
            untrusted: hearing.untrusted(),
            read_on: coded.values().map(|it| it.topic.clone()).collect(),
            readings: coded.into_keys().collect(),
        }))
    }
}
