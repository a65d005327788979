//! Whose signatures count below a `known_at`: which are trusted, which version of a statement
//! stands, who vouches for it, and whether it is visible.

use std::collections::{BTreeMap, BTreeSet};

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{self, MandateGranted};

use super::world::verifier;

/// An entry of the ledger, as the oracle takes it. Its index is its place in the list.
#[derive(Clone, Debug)]
pub struct Line {
    /// The record's content id.
    pub id: String,
    /// Which verifiers signed it.
    pub signers: Vec<u8>,
    pub record: proto::Record,
}

impl Line {
    pub fn kind(&self) -> &Kind {
        self.record.kind.as_ref().unwrap()
    }
}

/// A signature by a verifier, brought by the entry at an index: by the record's own, or by an
/// attestation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    pub verifier: u8,
    pub index: usize,
}

/// The ledger below `known_at`.
pub struct Known<'a> {
    pub lines: &'a [Line],
    /// Over the record of each line, the signatures that are trusted.
    pub trusted: Vec<Vec<Signature>>,
    /// In the newest version.
    pub mandates: Vec<MandateGranted>,
}

/// A statement that was recorded, as it stands.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// The index and id of the `StatementRecorded`.
    pub index: usize,
    pub id: &'a str,
    /// The index of the version that stands, and what it says.
    pub version: usize,
    pub whole: &'a proto::Statement,
    pub vouchers: BTreeSet<u8>,
    pub attestors: BTreeSet<u8>,
    pub visible: bool,
}

impl<'a> Known<'a> {
    pub fn new(lines: &'a [Line]) -> Self {
        let trusted = |index: usize| {
            let mut signatures = signatures(lines, index);
            signatures.retain(|signature| !is_untrusted(lines, *signature));
            signatures
        };
        Self {
            lines,
            trusted: (0..lines.len()).map(trusted).collect(),
            mandates: mandates(lines),
        }
    }

    /// Every statement that was recorded.
    pub fn statements(&self) -> Vec<Standing<'a>> {
        let mut all = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            if let Kind::StatementRecorded(first) = line.kind() {
                all.push(self.standing(index, &line.id, first));
            }
        }
        all
    }

    fn standing(&self, index: usize, id: &'a str, first: &'a proto::Statement) -> Standing<'a> {
        let (mut version, mut whole) = (index, first);
        let mut is_retracted = false;
        for (at, line) in self.lines.iter().enumerate() {
            let is_trusted = !self.trusted[at].is_empty();
            match line.kind() {
                Kind::StatementCorrected(correction)
                    if correction.statement == id && is_trusted =>
                {
                    (version, whole) = (at, correction.corrected.as_ref().unwrap());
                }
                Kind::StatementRetracted(retraction) if retraction.statement == id => {
                    is_retracted |= is_trusted;
                }
                _ => {}
            }
        }
        let vouchers: BTreeSet<u8> = [index, version]
            .iter()
            .flat_map(|at| self.trusted[*at].iter().map(|signature| signature.verifier))
            .collect();
        let attestors = [index, version]
            .iter()
            .flat_map(|at| self.lines[*at].signers.iter().copied())
            .collect();
        Standing {
            index,
            id,
            version,
            whole,
            visible: !is_retracted && vouchers.len() >= self.attestations_min(index),
            vouchers,
            attestors,
        }
    }

    /// How many attestations a statement recorded at `index` needs.
    pub fn attestations_min(&self, index: usize) -> usize {
        let mut attestations_min = 1;
        for line in &self.lines[..index] {
            let policy = match line.kind() {
                Kind::ArchiveFounded(founded) => founded.policy,
                Kind::PolicySet(policy) => Some(*policy),
                _ => None,
            };
            if let Some(policy) = policy {
                attestations_min = policy.attestations_min.max(1);
            }
        }
        attestations_min as usize
    }
}

/// Every signature over the record at `index`, its own first.
pub fn signatures(lines: &[Line], index: usize) -> Vec<Signature> {
    let sign = |index: usize| move |verifier: u8| Signature { verifier, index };
    let record = &lines[index];
    let mut all: Vec<Signature> = record.signers.iter().copied().map(sign(index)).collect();
    for (at, line) in lines.iter().enumerate() {
        if let Kind::AttestationAdded(added) = line.kind()
            && added.record == record.id
        {
            all.extend(
                added
                    .verifiers
                    .iter()
                    .map(|key| verifier(key))
                    .map(sign(at)),
            );
        }
    }
    all
}

fn is_untrusted(lines: &[Line], signature: Signature) -> bool {
    lines.iter().enumerate().any(|(at, line)| {
        let Kind::VerifierRevoked(revoked) = line.kind() else {
            return false;
        };
        let Some(from) = revoked.untrusted_from else {
            return false;
        };
        let from = usize::try_from(from).unwrap();
        verifier(&revoked.verifier) == signature.verifier
            && from <= signature.index
            && signature.index < at
    })
}

fn mandates(lines: &[Line]) -> Vec<MandateGranted> {
    let mut newest: BTreeMap<&str, MandateGranted> = BTreeMap::new();
    for line in lines {
        match line.kind() {
            Kind::MandateGranted(mandate) => {
                newest.insert(&mandate.mandate_id, mandate.clone());
            }
            Kind::MandateEnded(ended) => {
                let mandate = newest.get_mut(&ended.mandate_id[..]).unwrap();
                mandate.end.clone_from(&ended.end);
            }
            _ => {}
        }
    }
    newest.into_values().collect()
}
