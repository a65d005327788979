//! What the ledger promises of its checkpoints: the keys that sign them, and who must cosign.
//!
//! Read off the rows of [`super::AdmissionFold`], which may be ahead of a head that is shown by
//! a frame: so every question names the size of the ledger that counts. A key that was ever
//! set stays the archive's, so that several can sign at once while one takes over from another.

use super::state::{Table, WitnessesRow};
use crate::fold::{FoldError, Tables};
use crate::merkle::WitnessPolicy;
use crate::record::VerifierKey;

/// The keys of the archive's checkpoints that the first `size` entries set, in the order in
/// which they were set.
pub fn checkpoint_keys(state: &dyn Tables, size: u64) -> Result<Vec<VerifierKey>, FoldError> {
    let table = Table::CheckpointKey;
    let damaged = || FoldError::Row {
        table: table.name(),
    };
    let mut keys = Vec::new();
    for row in state.scan(&table.key(&[])) {
        let (key, value) = row?;
        let index: u64 = table.decode(&value)?;
        if index < size {
            let key = VerifierKey::check(key.get(1..).unwrap_or_default());
            keys.push((index, key.map_err(|_| damaged())?));
        }
    }
    keys.sort_unstable();
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

/// Who must cosign checkpoints, as the first `size` entries say; nobody if none of them does.
pub fn witness_policy(state: &dyn Tables, size: u64) -> Result<WitnessPolicy, FoldError> {
    let table = Table::Witnesses;
    let damaged = || FoldError::Row {
        table: table.name(),
    };
    for row in state.scan_back(&table.key(&[])) {
        let (key, value) = row?;
        let index = key.get(1..).and_then(|index| index.try_into().ok());
        if u64::from_be_bytes(index.ok_or_else(damaged)?) >= size {
            continue;
        }
        let row: WitnessesRow = table.decode(&value)?;
        let keys = row.keys.iter().map(|key| key.parse());
        let keys = keys.collect::<Result<_, _>>().map_err(|_| damaged())?;
        let quorum = usize::try_from(row.quorum).map_err(|_| damaged())?;
        return WitnessPolicy::new(keys, quorum).map_err(|_| damaged());
    }
    Ok(WitnessPolicy::nobody())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use prost::Message as _;

    use super::*;
    use crate::admission::AdmissionFold;
    use crate::fold::{Fold as _, MemoryTables};
    use crate::merkle::{NoteKey, WitnessKey};
    use crate::record::envelope::record_id;
    use crate::record::proto::{self, Role, record::Kind};
    use crate::record::{Entry, Micros, SigningKey};

    fn public(seed: u8) -> VerifierKey {
        SigningKey::from_seed([seed; 32]).public()
    }

    fn founded(seed: u8) -> Kind {
        Kind::ArchiveFounded(proto::ArchiveFounded {
            checkpoint_key: public(seed).to_string(),
            verifiers: vec![proto::VerifierEnrolled {
                verifier: public(1).to_string(),
                roles: vec![Role::Steward.into()],
                ..proto::VerifierEnrolled::default()
            }],
            policy: None,
        })
    }

    fn set(seed: u8) -> Kind {
        Kind::CheckpointKeySet(proto::CheckpointKeySet {
            checkpoint_key: public(seed).to_string(),
            ..proto::CheckpointKeySet::default()
        })
    }

    fn witness(name: &str, seed: u8) -> String {
        WitnessKey::new(name.parse().unwrap(), public(seed))
            .note_key()
            .to_string()
    }

    fn witnesses(keys: &[String], quorum: u32) -> Kind {
        Kind::WitnessPolicySet(proto::WitnessPolicySet {
            witness_keys: keys.to_vec(),
            quorum,
        })
    }

    fn folded(kinds: Vec<Kind>) -> MemoryTables {
        let mut tables = MemoryTables::default();
        for (index, kind) in (0..).zip(kinds) {
            let record = proto::Record {
                kind: Some(kind),
                ..proto::Record::default()
            };
            let envelope = SigningKey::from_seed([1; 32]).seal(Bytes::from(record.encode_to_vec()));
            let id = record_id(&envelope);
            let entry = Entry::new(index, Micros(1), id, record, envelope);
            let changes = AdmissionFold.fold(&tables, &entry).unwrap();
            tables.apply(changes);
        }
        tables
    }

    #[test]
    fn every_key_that_was_set_by_then_is_the_archive_s_and_each_counts_once() {
        // The second key sorts before the first.
        let (first, second) = if public(2) < public(3) {
            (3, 2)
        } else {
            (2, 3)
        };
        let tables = folded(vec![founded(first), set(second), set(first)]);
        let keys = |size| checkpoint_keys(&tables, size).unwrap();
        assert_eq!(keys(0), []);
        assert_eq!(keys(1), [public(first)]);
        assert_eq!(keys(2), [public(first), public(second)]);
        assert_eq!(keys(3), keys(2));
    }

    #[test]
    fn the_newest_policy_below_a_size_holds() {
        let (one, two) = (witness("one.example", 5), witness("two.example", 6));
        let tables = folded(vec![
            founded(2),
            witnesses(std::slice::from_ref(&one), 1),
            witnesses(&[one.clone(), two.clone()], 2),
            witnesses(&[], 0),
        ]);
        let policy = |size| {
            let policy = witness_policy(&tables, size).unwrap();
            let names = policy.keys().iter().map(NoteKey::name);
            (
                names.map(str::to_owned).collect::<Vec<_>>(),
                policy.quorum(),
            )
        };
        let names = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        assert_eq!(policy(1), (names(&[]), 0));
        assert_eq!(policy(2), (names(&["one.example"]), 1));
        assert_eq!(policy(3), (names(&["one.example", "two.example"]), 2));
        assert_eq!(policy(4), (names(&[]), 0));
    }
}
