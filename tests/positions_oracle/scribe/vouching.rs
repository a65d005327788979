//! Verifiers, the policy, and further signatures: who may sign what.

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{self, Role};

use super::Ledger;
use crate::trust::{Known, signatures};
use crate::world::{ATTESTORS, CODERS, STEWARD, STEWARDS, VERIFIERS, key};

/// Whoever signs something with one bit each of those who may: at least one of them, if there
/// is anybody.
pub fn pick(those: &[u8], bits: u8) -> Vec<u8> {
    let named = those.iter().enumerate();
    let named = named.filter(|(place, _)| bits & (1 << place) != 0);
    let picked: Vec<u8> = named.map(|(_, who)| *who).collect();
    if picked.is_empty() && !those.is_empty() {
        return vec![those[usize::from(bits) % those.len()]];
    }
    picked
}

pub fn founded() -> proto::ArchiveFounded {
    proto::ArchiveFounded {
        verifiers: (0..VERIFIERS).map(enrolled).collect(),
        policy: Some(policy(1)),
        checkpoint_key: key(STEWARD).to_owned(),
    }
}

fn policy(attestations_min: u32) -> proto::PolicySet {
    proto::PolicySet {
        attestations_min,
        admission_rules: 1,
    }
}

fn enrolled(number: u8) -> proto::VerifierEnrolled {
    let roles = [
        (Role::Steward, &STEWARDS[..]),
        (Role::Attestor, &ATTESTORS),
        (Role::Coder, &CODERS),
    ];
    let has = roles.iter().filter(|(_, who)| who.contains(&number));
    proto::VerifierEnrolled {
        verifier: key(number).to_owned(),
        name: format!("Verifier {number}"),
        roles: has.map(|(role, _)| i32::from(*role)).collect(),
        replaces: String::new(),
    }
}

impl Ledger {
    /// Those of a list who are enrolled.
    pub(super) fn enrolled(&self, those: &[u8]) -> Vec<u8> {
        let is_enrolled = |number: &&u8| {
            let key = key(**number);
            let newest = self.lines.iter().rev().find_map(|line| match line.kind() {
                Kind::VerifierEnrolled(enrolled) if enrolled.verifier == key => Some(true),
                Kind::VerifierRevoked(revoked) if revoked.verifier == key => Some(false),
                _ => None,
            });
            newest.unwrap_or(true)
        };
        those.iter().filter(is_enrolled).copied().collect()
    }

    pub(super) fn set_policy(&mut self, attestations_min: u32) {
        self.push(Kind::PolicySet(policy(attestations_min)), &[STEWARD]);
    }

    pub(super) fn revoke(&mut self, who: u8, from: Option<usize>) {
        if who == STEWARD || self.enrolled(&[who]).is_empty() {
            return;
        }
        // Up to the record's own index.
        let places = self.lines.len() + 1;
        let revoked = proto::VerifierRevoked {
            verifier: key(who).to_owned(),
            reason: "a key was lost".to_owned(),
            untrusted_from: from.map(|from| u64::try_from(from % places).unwrap()),
        };
        self.push(Kind::VerifierRevoked(revoked), &[STEWARD]);
    }

    pub(super) fn enrol_again(&mut self, which: usize) {
        let revoked = (0..VERIFIERS).filter(|who| self.enrolled(&[*who]).is_empty());
        let revoked: Vec<u8> = revoked.collect();
        if revoked.is_empty() {
            return;
        }
        let who = revoked[which % revoked.len()];
        let newest = self.newest(
            |kind| matches!(kind, Kind::VerifierEnrolled(other) if other.verifier == key(who)),
        );
        let again = proto::VerifierEnrolled {
            replaces: newest.unwrap_or_else(|| self.lines[0].id.clone()),
            ..enrolled(who)
        };
        self.push(Kind::VerifierEnrolled(again), &[STEWARD]);
    }

    /// Signatures over something about statements, by verifiers who may sign such a record and
    /// whose signature over it does not stand.
    pub(super) fn attest(&mut self, of: usize, by: u8, gone: bool) {
        let known = Known::new(&self.lines);
        let mut vouched_for: Vec<usize> = (0..self.lines.len())
            .filter(|index| !signers_of(self.lines[*index].kind()).is_empty())
            .collect();
        let statements = known.statements();
        let gone_now = statements.iter().filter(|one| gone && !one.visible);
        let gone_now: Vec<usize> = gone_now.map(|one| one.index).collect();
        if !gone_now.is_empty() {
            vouched_for = gone_now;
        }
        if vouched_for.is_empty() {
            return;
        }
        let index = vouched_for[of % vouched_for.len()];
        let mut could = self.enrolled(signers_of(self.lines[index].kind()));
        could.retain(|who| !known.trusted[index].iter().any(|s| s.verifier == *who));
        let verifiers = pick(&could, by);
        if verifiers.is_empty() {
            return;
        }
        let added = proto::AttestationAdded {
            record: self.lines[index].id.clone(),
            verifiers: verifiers.iter().map(|who| key(*who).to_owned()).collect(),
            signatures: verifiers.iter().map(|_| vec![0; 64].into()).collect(),
        };
        self.define(Kind::AttestationAdded(added));
    }

    /// Those who signed the record itself.
    pub(super) fn original_signers(&self, index: usize) -> Vec<u8> {
        let all = signatures(&self.lines, index);
        let own = all.iter().filter(|signature| signature.index == index);
        own.map(|signature| signature.verifier).collect()
    }
}

/// Who may sign a record about statements; nobody for others.
fn signers_of(kind: &Kind) -> &'static [u8] {
    match kind {
        Kind::StatementRecorded(_)
        | Kind::StatementCorrected(_)
        | Kind::StatementRetracted(_)
        | Kind::EvidenceAdded(_) => &ATTESTORS,
        Kind::ReadingAdded(_) => &CODERS,
        _ => &[],
    }
}
