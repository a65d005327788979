//! The shape of promises about checkpoints: who signs them, and who must cosign.

use super::super::field::{at_most, distinct, key, malformed};
use super::super::{Reason, Refusal};
use crate::merkle::{NoteKey, NoteKeyError, NoteKeyType};
use crate::record::proto;

/// The most witnesses: as many signatures as every reader of signed notes accepts, less the
/// archive's own.
const WITNESSES_MAX: usize = 15;

/// The length of an Ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

pub fn key_set(set: &proto::CheckpointKeySet) -> Result<(), Refusal> {
    key("checkpointKey", &set.checkpoint_key)?;
    if set.proof_of_possession.len() != SIGNATURE_BYTES {
        return Err(malformed(
            "proofOfPossession",
            format!("it has {} bytes", set.proof_of_possession.len()),
            format!("an Ed25519 signature of {SIGNATURE_BYTES} bytes by the new key"),
        ));
    }
    Ok(())
}

/// No witnesses and a quorum of 0 say that nobody has to cosign.
pub fn witness_policy_set(set: &proto::WitnessPolicySet) -> Result<(), Refusal> {
    at_most("witnessKeys", &set.witness_keys, WITNESSES_MAX)?;
    let mut keys = Vec::with_capacity(set.witness_keys.len());
    for (place, text) in set.witness_keys.iter().enumerate() {
        keys.push(witness(&format!("witnessKeys[{place}]"), text)?);
    }
    distinct("witnessKeys", keys.iter().map(NoteKey::name))?;
    distinct("witnessKeys", keys.iter().map(NoteKey::key))?;
    let least = u32::from(!keys.is_empty());
    let most = u32::try_from(keys.len()).unwrap_or(u32::MAX);
    if !(least..=most).contains(&set.quorum) {
        return Err(malformed(
            "quorum",
            format!("{} of {most} witnesses", set.quorum),
            if least == most {
                format!("{most}")
            } else {
                format!("{least} to {most}")
            },
        ));
    }
    Ok(())
}

fn witness(field: &str, text: &str) -> Result<NoteKey, Refusal> {
    let accepted = "a cosigner's verifier key such as \"witness.example+5f3a9c01+BA…\": name, key id and base64 of the byte 0x04 and the Ed25519 key";
    let key: NoteKey = text.parse().map_err(|error: NoteKeyError| {
        let reason = match error {
            NoteKeyError::Weak(_) => Reason::WeakKey,
            _ => Reason::MalformedRecord,
        };
        Refusal::new(reason, field, error.to_string(), accepted)
    })?;
    if key.key_type() != NoteKeyType::Cosignature {
        return Err(malformed(field, "it is no key for cosignatures", accepted));
    }
    Ok(key)
}
