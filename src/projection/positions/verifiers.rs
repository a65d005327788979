//! Whose signatures stand on what, and which of them count at K. In rows a verifier goes by a
//! number, given when it first signs something that bears on positions.

use std::collections::BTreeMap;

use super::{FIRST_UNTRUSTED, POLICY, UNTRUSTED, VERIFIER_KEYS, VERIFIERS, touched};
use crate::fold::{Changes, FoldError, Tables};
use crate::projection::read::{malformed, signers};
use crate::projection::rows::{Key, Parts};
use crate::record::{Entry, VerifierKey, proto};

/// The number that a verifier goes by.
pub(super) type Number = u32;

/// The verifiers who signed an entry, in order of their numbers. Those who have none yet are
/// given one in `changes`.
pub(super) fn signed(
    state: &dyn Tables,
    entry: &Entry,
    changes: &mut Changes,
) -> Result<Vec<Number>, FoldError> {
    numbered(state, &signers(entry)?, changes)
}

/// The numbers of verifiers, in order.
pub(super) fn numbered(
    state: &dyn Tables,
    keys: &[[u8; 32]],
    changes: &mut Changes,
) -> Result<Vec<Number>, FoldError> {
    let mut numbers = Vec::with_capacity(keys.len());
    let mut next: Option<Number> = None;
    for key in keys {
        if let Some(number) = of(state, key)? {
            numbers.push(number);
            continue;
        }
        let number = match next {
            Some(next) => next,
            None => count(state)?,
        };
        next = Some(number.saturating_add(1));
        let row = VERIFIERS.key().bytes(key).into_bytes();
        changes.insert(row, Some(VERIFIERS.encode(&number)?));
        changes.insert(key_of(number).into_bytes(), Some(key.to_vec()));
        numbers.push(number);
    }
    numbers.sort_unstable();
    numbers.dedup();
    Ok(numbers)
}

/// The number of a verifier; none if it signed nothing that bears on positions.
pub(super) fn of(tables: &dyn Tables, key: &[u8; 32]) -> Result<Option<Number>, FoldError> {
    VERIFIERS.get(tables, &VERIFIERS.key().bytes(key))
}

/// The public key of a verifier.
pub(super) fn key(tables: &dyn Tables, number: Number) -> Result<[u8; 32], FoldError> {
    let key = tables.get(key_of(number).as_bytes())?;
    key.and_then(|key| key.try_into().ok())
        .ok_or_else(|| VERIFIER_KEYS.damaged())
}

fn key_of(number: Number) -> Key {
    VERIFIER_KEYS.key().bytes(&number.to_be_bytes())
}

/// How many verifiers have numbers: the last one's, and one.
fn count(state: &dyn Tables) -> Result<Number, FoldError> {
    let Some(last) = state.scan_back(VERIFIER_KEYS.key().as_bytes()).next() else {
        return Ok(0);
    };
    let (key, _) = last?;
    let number = key.get(1..).and_then(|number| number.try_into().ok());
    let number = number.map(Number::from_be_bytes);
    number
        .and_then(|number| number.checked_add(1))
        .ok_or_else(|| VERIFIER_KEYS.damaged())
}

/// Keeps from where on a revoked verifier's signatures do not count.
pub(super) fn revoked(
    state: &dyn Tables,
    entry: &Entry,
    revoked: &proto::VerifierRevoked,
) -> Result<Changes, FoldError> {
    let Some(from) = revoked.untrusted_from else {
        return Ok(Changes::new());
    };
    let key: VerifierKey = revoked
        .verifier
        .parse()
        .map_err(|_| malformed(entry, "the revoked verifier's key cannot be read"))?;
    let mut changes = Changes::new();
    let first = FIRST_UNTRUSTED.key();
    if state.get(first.as_bytes())?.is_none() {
        let row = FIRST_UNTRUSTED.encode(&entry.index)?;
        changes.insert(first.into_bytes(), Some(row));
    }
    for number in numbered(state, &[*key.as_bytes()], &mut changes)? {
        let row = UNTRUSTED.key().bytes(&number.to_be_bytes());
        let row = row.index(entry.index).into_bytes();
        changes.insert(row, Some(UNTRUSTED.encode(&from)?));
        touched::signatures(entry.index, number, from, &mut changes)?;
    }
    Ok(changes)
}

/// Keeps how many verifiers must sign a statement from here on.
pub(super) fn policy(policy: proto::PolicySet) -> Result<Changes, FoldError> {
    let row = POLICY.key().into_bytes();
    let least = policy.attestations_min.max(1);
    Ok(Changes::from([(row, Some(POLICY.encode(&least)?))]))
}

/// How many verifiers must sign a statement.
pub(super) fn attestations_min(state: &dyn Tables) -> Result<u32, FoldError> {
    Ok(POLICY.get(state, &POLICY.key())?.unwrap_or(1))
}

/// Which signatures count for a reader to whom the entries below some K are known. By default,
/// all.
#[derive(Default)]
pub(super) struct Trust {
    /// Of a verifier, the stretches of the ledger in which its signatures do not count.
    untrusted: BTreeMap<Number, Vec<(u64, u64)>>,
}

impl Trust {
    /// As revocations below `known_at` leave it.
    pub(super) fn at(tables: &dyn Tables, known_at: u64) -> Result<Self, FoldError> {
        // Nearly always there is none; one row tells that for a fraction of what a scan costs.
        let first: Option<u64> = FIRST_UNTRUSTED.get(tables, &FIRST_UNTRUSTED.key())?;
        if first.is_none_or(|first| first >= known_at) {
            return Ok(Self::default());
        }
        let mut untrusted: BTreeMap<Number, Vec<_>> = BTreeMap::new();
        for row in UNTRUSTED.scan::<u64>(tables, &UNTRUSTED.key()) {
            let (key, from) = row?;
            let mut key = Parts::new(UNTRUSTED, &key);
            let (number, revoked) = (Number::from_be_bytes(key.array()?), key.index()?);
            if revoked < known_at {
                untrusted.entry(number).or_default().push((from, revoked));
            }
        }
        Ok(Self { untrusted })
    }

    /// The verifiers of whom some signatures may not count.
    pub(super) fn doubted(&self) -> impl Iterator<Item = Number> + '_ {
        self.untrusted.keys().copied()
    }

    /// Whether the signature that entry `index` brought by this verifier counts.
    pub(super) fn holds(&self, verifier: Number, index: u64) -> bool {
        self.untrusted.get(&verifier).is_none_or(|stretches| {
            let mut stretches = stretches.iter();
            !stretches.any(|(from, revoked)| (*from..*revoked).contains(&index))
        })
    }
}
