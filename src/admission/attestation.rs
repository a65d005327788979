//! Attestations: further signatures over a payload that is on record.
//!
//! They are over the payload byte for byte, by verifiers who could have signed the record
//! itself, and each is new. They make nobody an original signer: who vouches for a statement
//! later may not correct it. The payload is the ledger's, so that these signatures, unlike an
//! envelope's, are checked at the record's place: at most 32, which take a millisecond, and
//! only once an enrolled attestor has signed the record that brings them.

use super::below::{self, Below};
use super::field::{Choice as _, content_id};
use super::references::accept;
use super::state::{RecordRow, Table, VerifierRow};
use super::{Reason, Refusal, Step};
use crate::fold::{FoldError, Tables};
use crate::record::VerifierKey;
use crate::record::envelope::{RECORD_PAYLOAD_TYPE, verify};
use crate::record::proto::{self, Role};

/// Judges further signatures.
pub fn judge(
    state: &dyn Tables,
    below: &dyn Below,
    added: &proto::AttestationAdded,
) -> Result<Step, FoldError> {
    let id = accept!(content_id("record", &added.record));
    let row: Option<RecordRow> = Table::Record.get(state, &[id.as_bytes()])?;
    let row = accept!(row.ok_or_else(|| Refusal::new(
        Reason::UnknownRecord,
        "record",
        format!("the record {id} is not on record"),
        "the id of a record that has entered",
    )));
    for (place, verifier) in added.verifiers.iter().enumerate() {
        let within = |refusal: Refusal| refusal.within(&format!("verifiers[{place}]"));
        accept!(may_vouch(state, &row, verifier)?.map_err(within));
    }
    let entry = accept!(below::entry(below, row.index));
    for (place, (verifier, signature)) in
        std::iter::zip(&added.verifiers, &added.signatures).enumerate()
    {
        let holds = verifier.parse().is_ok_and(|key: VerifierKey| {
            let payload = &entry.envelope.payload;
            verify(key.as_bytes(), RECORD_PAYLOAD_TYPE, payload, signature)
        });
        if !holds {
            return Ok(Err(Refusal::new(
                Reason::BadSignature,
                format!("signatures[{place}]"),
                format!("the signature does not hold over the payload of {id}"),
                format!("an Ed25519 signature over PAE({RECORD_PAYLOAD_TYPE:?}, payload of {id})"),
            )));
        }
    }
    Ok(Ok(()))
}

/// Whether a verifier may sign records of that kind, and has not signed this one.
fn may_vouch(state: &dyn Tables, row: &RecordRow, verifier: &str) -> Result<Step, FoldError> {
    let Ok(key) = verifier.parse::<VerifierKey>() else {
        return Ok(Err(unknown(verifier)));
    };
    let known: Option<VerifierRow> = Table::Verifier.get(state, &[key.as_bytes()])?;
    let Some(known) = known else {
        return Ok(Err(unknown(verifier)));
    };
    if known.revoked {
        return Ok(Err(Refusal::new(
            Reason::VerifierRevoked,
            "",
            "the verifier was revoked",
            "a verifier who is enrolled",
        )));
    }
    let role = Role::try_from(row.role).unwrap_or_default();
    if !known.has(role) {
        let name = role.name().trim_start_matches("ROLE_");
        return Ok(Err(Refusal::new(
            Reason::RoleMissing,
            "",
            format!("the verifier is not enrolled as {name}"),
            format!("a verifier with the role {name}, who could have signed the record"),
        )));
    }
    if row.is_signed_by(known.number) {
        return Ok(Err(Refusal::new(
            Reason::AlreadyAttested,
            "",
            "this verifier's signature over the record is on record",
            "verifiers who have not signed it",
        )));
    }
    Ok(Ok(()))
}

fn unknown(verifier: &str) -> Refusal {
    Refusal::new(
        Reason::UnknownVerifier,
        "",
        format!("{verifier} is not enrolled"),
        "the key of an enrolled verifier; a steward enrols one with a verifierEnrolled record",
    )
}
