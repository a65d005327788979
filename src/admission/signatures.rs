//! Signatures: who signed, and whether they may.

use bytes::Bytes;

use super::field::{self, Choice as _};
use super::kinds::role_for;
use super::state::{PolicyRow, Table, VerifierRow, verifiers};
use super::{Prepared, Reason, Refusal, Step};
use crate::fold::{FoldError, Tables};
use crate::record::envelope::{Claim, verify, verify_batch};
use crate::record::proto::{self, Role, record::Kind};
use crate::record::{ContentId, SigningKey, VerifierKey};

/// The signers of each envelope, where all of its signatures hold.
pub fn signers(
    envelopes: &[&proto::Envelope],
    randomness: impl rand_core::CryptoRng,
) -> Vec<Result<Vec<[u8; 32]>, Refusal>> {
    let key = |signature: &proto::Signature| -> [u8; 32] {
        signature.public_key[..].try_into().unwrap_or_default()
    };
    let mut claims = Vec::new();
    for envelope in envelopes {
        claims.extend(envelope.signatures.iter().map(|signature| Claim {
            key: key(signature),
            payload: &envelope.payload,
            signature: &signature.signature,
        }));
    }
    let mut holds = verify_batch(&claims, randomness).into_iter();
    let mut signers = Vec::new();
    for envelope in envelopes {
        let verdicts: Vec<bool> = holds.by_ref().take(envelope.signatures.len()).collect();
        signers.push(match verdicts.iter().position(|holds| !holds) {
            None => Ok(envelope.signatures.iter().map(key).collect()),
            Some(place) => Err(bad_signature(place)),
        });
    }
    signers
}

fn bad_signature(place: usize) -> Refusal {
    Refusal::new(
        Reason::BadSignature,
        format!("signatures[{place}]"),
        "the signature does not hold over these bytes",
        "an Ed25519 signature over PAE(\"application/vnd.onrecord.record.v1+protobuf\", payload)",
    )
}

/// What the signature of a new checkpoint key is over.
const CHECKPOINT_KEY_PAYLOAD_TYPE: &str = "application/vnd.onrecord.checkpoint-key.v1";

/// What a checkpoint key signs to show that somebody has it: the origin, a line feed and the
/// key's 32 bytes, under a type of its own.
#[must_use]
pub fn prove_possession(key: &SigningKey, origin: &str) -> Bytes {
    let claim = possession_claim(origin, &key.public());
    key.sign(CHECKPOINT_KEY_PAYLOAD_TYPE, &claim).signature
}

fn possession_claim(origin: &str, key: &VerifierKey) -> Vec<u8> {
    [origin.as_bytes(), b"\n", key.as_bytes()].concat()
}

/// Judges whether a new checkpoint key signed for itself.
pub fn possession(set: &proto::CheckpointKeySet, origin: &str) -> Step {
    let key = field::key("checkpointKey", &set.checkpoint_key)?;
    let claim = possession_claim(origin, &key);
    let proof = &set.proof_of_possession;
    if verify(key.as_bytes(), CHECKPOINT_KEY_PAYLOAD_TYPE, &claim, proof) {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::BadSignature,
        "proofOfPossession",
        "the new key's signature does not hold",
        format!(
            "its Ed25519 signature over PAE({CHECKPOINT_KEY_PAYLOAD_TYPE:?}, origin, 0x0A, the key's 32 bytes)"
        ),
    ))
}

/// Judges who signed a record.
pub fn judge(state: &dyn Tables, prepared: &Prepared, kind: &Kind) -> Result<Step, FoldError> {
    let signers = match &prepared.signers {
        Ok(signers) => signers,
        Err(refusal) => return Ok(Err(refusal.clone())),
    };
    if let Kind::ArchiveFounded(founded) = kind {
        return Ok(founders(founded, signers));
    }
    let policy: Option<PolicyRow> = Table::Policy.get(state, &[])?;
    let needed = match (kind, policy) {
        (Kind::StatementRecorded(_), Some(policy)) => policy.attestations_min as usize,
        _ => 1,
    };
    if signers.len() < needed {
        return Ok(Err(too_few(signers.len(), needed)));
    }
    let originals = match kind {
        Kind::StatementCorrected(corrected) => original_signers(state, &corrected.statement)?,
        Kind::StatementRetracted(retracted) => original_signers(state, &retracted.statement)?,
        _ => None,
    };
    for (place, key) in signers.iter().enumerate() {
        let verifier: Option<VerifierRow> = Table::Verifier.get(state, &[key])?;
        let verdict = match verifier {
            None => Err(unknown(key)),
            Some(verifier) if verifier.revoked => Err(Refusal::new(
                Reason::VerifierRevoked,
                "",
                "the verifier was revoked",
                "the signature of a verifier who is enrolled and not revoked",
            )),
            Some(verifier) => may_sign(kind, &verifier, originals.as_deref()),
        };
        if let Err(refusal) = verdict {
            return Ok(Err(refusal.within(&format!("signatures[{place}]"))));
        }
    }
    Ok(Ok(()))
}

/// Entry 0 is signed by all the stewards that it names, and by nobody else.
fn founders(founded: &proto::ArchiveFounded, signers: &[[u8; 32]]) -> Step {
    let signed: Vec<String> = signers
        .iter()
        .map(|key| data_encoding::HEXLOWER.encode(key))
        .collect();
    let stewards = || {
        let steward = |v: &&proto::VerifierEnrolled| v.roles().any(|role| role == Role::Steward);
        founded.verifiers.iter().filter(steward)
    };
    for (place, key) in signed.iter().enumerate() {
        if !stewards().any(|steward| steward.verifier == *key) {
            return Err(Refusal::new(
                Reason::UnknownVerifier,
                format!("signatures[{place}]"),
                "the signer is none of the stewards that the record names",
                "the signatures of exactly those stewards",
            ));
        }
    }
    let needed = stewards().count();
    if signed.len() < needed {
        return Err(too_few(signed.len(), needed));
    }
    Ok(())
}

/// The numbers of the verifiers who signed a statement; none if it is not on record, which
/// is for the references to say.
fn original_signers(state: &dyn Tables, statement: &str) -> Result<Option<Vec<u32>>, FoldError> {
    let Ok(id) = statement.parse::<ContentId>() else {
        return Ok(None);
    };
    let row: Option<super::state::RecordRow> = Table::Record.get(state, &[id.as_bytes()])?;
    Ok(row.map(|row| row.signers))
}

fn may_sign(kind: &Kind, verifier: &VerifierRow, originals: Option<&[u32]>) -> Step {
    if let Some(originals) = originals {
        if originals.contains(&verifier.number) || verifier.has(Role::Steward) {
            return Ok(());
        }
        return Err(Refusal::new(
            Reason::NotYoursToCorrect,
            "",
            "the signer neither signed the statement nor is a steward",
            "the signature of one who signed the statement, or of a steward",
        ));
    }
    let role = role_for(kind);
    if verifier.has(role) {
        return Ok(());
    }
    let name = role.name().trim_start_matches("ROLE_");
    Err(Refusal::new(
        Reason::RoleMissing,
        "",
        format!("the verifier is not enrolled as {name}"),
        format!(
            "the signature of a verifier with the role {name}, which a steward gives with a verifierEnrolled record"
        ),
    ))
}

fn unknown(key: &[u8; 32]) -> Refusal {
    match VerifierKey::check(key) {
        Ok(key) => Refusal::new(
            Reason::UnknownVerifier,
            "",
            format!("{key} is not enrolled"),
            "the signature of an enrolled verifier; a steward enrols one with a verifierEnrolled record",
        ),
        Err(error) => Refusal::new(
            Reason::WeakKey,
            "publicKey",
            error.to_string(),
            "an Ed25519 public key of prime order in its canonical encoding",
        ),
    }
}

fn too_few(signed: usize, needed: usize) -> Refusal {
    Refusal::new(
        Reason::TooFewAttestations,
        "signatures",
        format!("signed by {signed} of the {needed} verifiers that are asked for"),
        format!("an envelope with signatures of {needed} distinct verifiers over the same payload"),
    )
}

/// Refuses a change of verifiers or policy after which too few could sign: no steward at
/// all, or fewer attestors than a statement asks for.
pub fn would_lock(state: &dyn Tables, kind: &Kind) -> Result<Step, FoldError> {
    let policy: Option<PolicyRow> = Table::Policy.get(state, &[])?;
    let mut needed = policy.map_or(1, |policy| policy.attestations_min);
    let mut verifiers = verifiers(state)?;
    let attestors_in = |verifiers: &[([u8; 32], VerifierRow)]| {
        let attests = |(_, row): &&([u8; 32], VerifierRow)| row.has(Role::Attestor);
        verifiers.iter().filter(attests).count()
    };
    let attestors_before = attestors_in(&verifiers);
    let named = |hex: &str| hex.parse::<VerifierKey>().ok().map(|key| *key.as_bytes());
    match kind {
        Kind::PolicySet(policy) => needed = policy.attestations_min,
        Kind::VerifierRevoked(revoked) => {
            verifiers.retain(|(key, _)| named(&revoked.verifier) != Some(*key));
        }
        Kind::VerifierEnrolled(enrolled) => {
            for (key, row) in &mut verifiers {
                if named(&enrolled.verifier) == Some(*key) {
                    row.roles.clone_from(&enrolled.roles);
                }
            }
        }
        _ => return Ok(Ok(())),
    }
    let steward = |(_, row): &&([u8; 32], VerifierRow)| row.has(Role::Steward);
    let stewards = verifiers.iter().filter(steward).count();
    let mut attestors = attestors_in(&verifiers);
    if let Kind::VerifierEnrolled(enrolled) = kind
        && !verifiers
            .iter()
            .any(|(key, _)| named(&enrolled.verifier) == Some(*key))
        && enrolled.roles().any(|role| role == Role::Attestor)
    {
        attestors += 1;
    }
    // An archive founded without enough attestors may still enrol them one by one.
    let enrols = matches!(kind, Kind::VerifierEnrolled(_));
    let fewer = !enrols || attestors < attestors_before;
    if stewards == 0 || (fewer && attestors < needed as usize) {
        return Ok(Err(Refusal::new(
            Reason::WouldLockArchive,
            "",
            format!("{stewards} stewards and {attestors} attestors would be left"),
            format!(
                "a change that leaves at least 1 steward and {needed} attestors; enrol others first"
            ),
        )));
    }
    Ok(Ok(()))
}
