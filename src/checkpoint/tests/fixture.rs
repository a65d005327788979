//! A ledger's tree and a signer's home in memory, which write down what is done to them.

use std::io;
use std::sync::{Arc, Mutex};

use crate::admission::AdmissionFold;
use crate::checkpoint::{SignerHome, Tree, TreeError};
use crate::fold::{Fold as _, MemoryTables};
use crate::ledger::Head;
use crate::merkle::{ConsistencyProof, Hash, empty_root, leaf_hash, root_of};
use crate::record::envelope::record_id;
use crate::record::proto::{self, record::Kind};
use crate::record::{Entry, Micros, SigningKey};
use crate::storage::{IoFault, Signed, SignerDirError, Suspicion};

pub const ORIGIN: &str = "archive.example.org";

pub fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

/// Leaves of a history, which starts to differ from others at `fork`.
pub fn leaves(size: u64, fork: u64) -> Vec<Hash> {
    let leaf = |index: u64| {
        leaf_hash(
            &[index, u64::from(index >= fork)]
                .map(u64::to_be_bytes)
                .concat(),
        )
    };
    (0..size).map(leaf).collect()
}

pub fn root(leaves: &[Hash], size: u64) -> Hash {
    root_of(&leaves[..usize::try_from(size).unwrap()])
}

/// The head of a ledger with these leaves.
pub fn head(leaves: &[Hash]) -> Head {
    Head {
        size: leaves.len() as u64,
        root: root_of(leaves),
        recorded_at: Some(Micros(1)),
    }
}

/// A tree over leaves that a test gives it.
#[derive(Clone, Default)]
pub struct LeafTree(pub Arc<Mutex<Vec<Hash>>>);

impl LeafTree {
    pub fn of(leaves: Vec<Hash>) -> Self {
        Self(Arc::new(Mutex::new(leaves)))
    }

    pub fn turn_into(&self, leaves: Vec<Hash>) {
        *self.0.lock().unwrap() = leaves;
    }
}

impl Tree for LeafTree {
    fn size(&self) -> u64 {
        self.0.lock().unwrap().len() as u64
    }

    fn root(&self, size: u64) -> Result<Hash, TreeError> {
        Ok(root(&self.0.lock().unwrap(), size))
    }

    fn consistency_proof(&self, old: u64, new: u64) -> Result<ConsistencyProof, TreeError> {
        Ok(ConsistencyProof::new(subproof(&self.0.lock().unwrap(), old, new)).unwrap())
    }
}

/// PROOF(m, D\[n\]) of RFC 6962 section 2.1.2, word for word.
fn subproof(leaves: &[Hash], old: u64, new: u64) -> Vec<Hash> {
    fn sub(m: usize, d: &[Hash], whole: bool) -> Vec<Hash> {
        if m == d.len() {
            return if whole { vec![] } else { vec![root_of(d)] };
        }
        let k = 1 << (d.len() - 1).ilog2();
        let (left, right) = d.split_at(k);
        let (mut proof, last) = if m <= k {
            (sub(m, left, whole), root_of(right))
        } else {
            (sub(m - k, right, false), root_of(left))
        };
        proof.push(last);
        proof
    }
    if old == 0 {
        return vec![];
    }
    let new = usize::try_from(new).unwrap();
    sub(usize::try_from(old).unwrap(), &leaves[..new], true)
}

/// A home that remembers every note it took, and fails when it is told to.
#[derive(Default)]
pub struct Home {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    signed: Option<Signed>,
    notes: Vec<u64>,
    seeds: Vec<u8>,
    suspicion: Option<Suspicion>,
    fault: Option<Fault>,
}

/// What a failing home does with what it is to note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Lost,
    /// It has it after all.
    Kept,
}

impl Home {
    /// A home where a signer of a founded archive, with the keys of these seeds, begins.
    pub fn founded(seeds: &[u8]) -> Arc<Self> {
        Self::after(Some((0, empty_root())), seeds)
    }

    /// A home where this was signed last.
    pub fn after(signed: Option<(u64, Hash)>, seeds: &[u8]) -> Arc<Self> {
        let signed = signed.map(|(size, root)| Signed {
            origin: ORIGIN.to_owned(),
            size,
            root: root.into(),
        });
        let state = State {
            signed,
            seeds: seeds.to_vec(),
            ..State::default()
        };
        Arc::new(Self {
            state: Mutex::new(state),
        })
    }

    pub fn has_keys(&self, seeds: &[u8]) {
        self.state.lock().unwrap().seeds = seeds.to_vec();
    }

    pub fn fail(&self, fault: Option<Fault>) {
        self.state.lock().unwrap().fault = fault;
    }

    /// The sizes that were noted, in order.
    pub fn notes(&self) -> Vec<u64> {
        self.state.lock().unwrap().notes.clone()
    }
}

impl SignerHome for Home {
    fn signed(&self) -> Result<Option<Signed>, SignerDirError> {
        Ok(self.state.lock().unwrap().signed.clone())
    }

    fn note(&self, signed: &Signed) -> Result<(), SignerDirError> {
        let mut state = self.state.lock().unwrap();
        if state.fault != Some(Fault::Lost) {
            state.signed = Some(signed.clone());
        }
        if state.fault.is_some() {
            let fault = IoFault {
                action: "sync",
                path: "signed.new".into(),
                source: io::ErrorKind::StorageFull.into(),
            };
            return Err(SignerDirError::Unusable(fault.into()));
        }
        state.notes.push(signed.size);
        Ok(())
    }

    fn suspicion(&self) -> Result<Option<Suspicion>, SignerDirError> {
        Ok(self.state.lock().unwrap().suspicion.clone())
    }

    fn note_suspicion(&self, suspicion: &Suspicion) -> Result<(), SignerDirError> {
        self.state.lock().unwrap().suspicion = Some(suspicion.clone());
        Ok(())
    }

    fn clear_suspicion(&self) -> Result<(), SignerDirError> {
        self.state.lock().unwrap().suspicion = None;
        Ok(())
    }

    fn keys(&self) -> Result<(Vec<SigningKey>, Vec<String>), SignerDirError> {
        let seeds = self.state.lock().unwrap().seeds.clone();
        Ok((seeds.into_iter().map(key).collect(), Vec::new()))
    }
}

/// Admission's rows after these records.
pub fn records(kinds: Vec<Kind>) -> Arc<MemoryTables> {
    let mut tables = MemoryTables::default();
    for (index, kind) in (0..).zip(kinds) {
        let record = proto::Record {
            kind: Some(kind),
            ..proto::Record::default()
        };
        let payload = prost::Message::encode_to_vec(&record);
        let envelope = key(1).seal(payload.into());
        let id = record_id(&envelope);
        let entry = Entry::new(index, Micros(1), id, record, envelope);
        tables.apply(AdmissionFold.fold(&tables, &entry).unwrap());
    }
    Arc::new(tables)
}

/// The founding of an archive whose checkpoints the key of `seed` signs.
pub fn founded(seed: u8) -> Kind {
    Kind::ArchiveFounded(proto::ArchiveFounded {
        checkpoint_key: key(seed).public().to_string(),
        verifiers: vec![proto::VerifierEnrolled {
            verifier: key(1).public().to_string(),
            ..proto::VerifierEnrolled::default()
        }],
        policy: None,
    })
}

/// A further key of checkpoints.
pub fn key_set(seed: u8) -> Kind {
    Kind::CheckpointKeySet(proto::CheckpointKeySet {
        checkpoint_key: key(seed).public().to_string(),
        ..proto::CheckpointKeySet::default()
    })
}
