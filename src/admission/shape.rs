//! Shape: what can be said of a record by looking at nothing else.

mod checkpoints;
mod definitions;
mod lengths;
mod statement;
mod vouching;

pub use definitions::media_type;

use prost::Message as _;
use prost::encoding::{DecodeContext, decode_key, skip_field};

use super::field::{
    at_most, choice, content_id, key, long_text, malformed, optional_content_id, optional_text,
    text, time,
};
use super::kinds::{KINDS, kind_name};
use super::{Reason, Refusal};
use crate::record::envelope::{PAYLOAD_BYTES_MAX, SIGNATURES_MAX};
use crate::record::proto::{self, record::Kind};
use crate::record::quoted;

/// The admission rules that this release knows.
pub const ADMISSION_RULES: u32 = 1;

/// The longest origin, in bytes.
const ORIGIN_BYTES_MAX: usize = 255;

/// The lowest tag of a kind; all other fields of a record lie below.
const KIND_TAG_MIN: u32 = 101;

/// The most verifiers an archive can be founded with.
const FOUNDERS_MAX: usize = 32;

/// Checks an envelope before its payload is decoded.
pub fn envelope(envelope: &proto::Envelope) -> Result<(), Refusal> {
    if envelope.payload.len() > PAYLOAD_BYTES_MAX {
        return Err(Refusal::new(
            Reason::RecordTooLarge,
            "payload",
            format!("the payload has {} bytes", envelope.payload.len()),
            format!("at most {PAYLOAD_BYTES_MAX} bytes"),
        ));
    }
    let signatures = &envelope.signatures;
    at_most("signatures", signatures, SIGNATURES_MAX)?;
    for (place, signature) in signatures.iter().enumerate() {
        let (key, bytes) = (signature.public_key.len(), signature.signature.len());
        if (key, bytes) != (32, 64) {
            return Err(malformed(
                format_args!("signatures[{place}]"),
                format!("a public key of {key} bytes and a signature of {bytes}"),
                "an Ed25519 public key of 32 bytes and a signature of 64",
            ));
        }
    }
    super::field::distinct("signatures", signatures.iter().map(|s| &s.public_key))
}

/// Checks a decoded record.
pub fn record(record: &proto::Record) -> Result<(), Refusal> {
    origin(&record.origin)?;
    time("signedAt", record.signed_at.as_ref())?;
    let Some(kind) = &record.kind else {
        return Err(malformed(
            "",
            "the record names no kind",
            "exactly one kind",
        ));
    };
    let shape = match kind {
        Kind::ArchiveFounded(founded) => archive_founded(founded),
        Kind::VerifierEnrolled(enrolled) => verifier_enrolled(enrolled),
        Kind::VerifierRevoked(revoked) => verifier_revoked(revoked),
        Kind::PolicySet(policy) => policy_set(*policy),
        Kind::ActorDefined(actor) => definitions::actor(actor),
        Kind::MandateGranted(mandate) => definitions::mandate_granted(mandate),
        Kind::MandateEnded(mandate) => definitions::mandate_ended(mandate),
        Kind::TopicDefined(topic) => definitions::topic(topic),
        Kind::MilestoneDefined(milestone) => definitions::milestone(milestone),
        Kind::SourceArchived(source) => definitions::source(source),
        Kind::StatementRecorded(statement) => statement::statement(statement),
        Kind::StatementCorrected(corrected) => statement::corrected(corrected),
        Kind::StatementRetracted(retracted) => statement::retracted(retracted),
        Kind::ReadingAdded(added) => statement::reading_added(added),
        Kind::EvidenceAdded(added) => statement::evidence_added(added),
        Kind::SourceWithheld(withheld) => definitions::source_withheld(withheld),
        Kind::SourceRead(read) => definitions::source_read(read),
        Kind::ReviewPublished(review) => vouching::review_published(review),
        Kind::AttestationAdded(added) => vouching::attestation_added(added),
        Kind::CheckpointKeySet(set) => checkpoints::key_set(set),
        Kind::WitnessPolicySet(set) => checkpoints::witness_policy_set(set),
    };
    shape.map_err(|refusal| refusal.within(kind_name(kind)))
}

/// Checks an archive's origin: a C2SP key name.
pub fn origin(origin: &str) -> Result<(), Refusal> {
    let fit = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    let url = origin.contains("://");
    if origin.is_empty() || origin.len() > ORIGIN_BYTES_MAX || !origin.chars().all(fit) || url {
        return Err(malformed(
            "origin",
            format!("{} cannot name an archive", quoted(origin)),
            format!(
                "1 to {ORIGIN_BYTES_MAX} bytes without white space, control characters, '+' and a scheme, such as \"archive.example.org\""
            ),
        ));
    }
    Ok(())
}

/// Refuses a payload whose kind a later release may know: a record without a known kind that
/// holds a field where kinds stand.
pub fn known_kind(payload: &[u8]) -> Result<(), Refusal> {
    if !names_unknown_kind(payload) {
        return Ok(());
    }
    Err(Refusal::new(
        Reason::UnsupportedKind,
        "",
        "this release does not take records of this kind",
        format!("one of {}", KINDS.join(", ")),
    ))
}

fn names_unknown_kind(mut payload: &[u8]) -> bool {
    let decoded = proto::Record::decode(payload);
    if !decoded.is_ok_and(|record| record.kind.is_none()) {
        return false;
    }
    let mut found = false;
    while let Ok((tag, wire_type)) = decode_key(&mut payload) {
        found |= tag >= KIND_TAG_MIN;
        if skip_field(wire_type, tag, &mut payload, DecodeContext::default()).is_err() {
            break;
        }
    }
    found
}

fn archive_founded(founded: &proto::ArchiveFounded) -> Result<(), Refusal> {
    key("checkpointKey", &founded.checkpoint_key)?;
    at_most("verifiers", &founded.verifiers, FOUNDERS_MAX)?;
    for (place, verifier) in founded.verifiers.iter().enumerate() {
        let within = |refusal: Refusal| refusal.within(&format!("verifiers[{place}]"));
        verifier_enrolled(verifier).map_err(within)?;
    }
    super::field::distinct("verifiers", founded.verifiers.iter().map(|v| &v.verifier))?;
    if !founded
        .verifiers
        .iter()
        .any(|v| v.roles().any(|role| role == proto::Role::Steward))
    {
        return Err(malformed(
            "verifiers",
            "no verifier is a steward",
            "at least one steward",
        ));
    }
    let Some(policy) = founded.policy else {
        return Err(malformed("policy", "it is missing", "a policy"));
    };
    policy_set(policy).map_err(|refusal| refusal.within("policy"))
}

fn verifier_enrolled(enrolled: &proto::VerifierEnrolled) -> Result<(), Refusal> {
    key("verifier", &enrolled.verifier)?;
    text("name", &enrolled.name, lengths::LINE_MAX)?;
    if enrolled.roles.is_empty() {
        return Err(malformed(
            "roles",
            "no role is given",
            <proto::Role as super::field::Choice>::accepted(),
        ));
    }
    for (place, role) in enrolled.roles.iter().enumerate() {
        choice::<proto::Role>(format_args!("roles[{place}]"), *role)?;
    }
    super::field::distinct("roles", &enrolled.roles)?;
    optional_content_id("replaces", &enrolled.replaces)?;
    Ok(())
}

fn verifier_revoked(revoked: &proto::VerifierRevoked) -> Result<(), Refusal> {
    key("verifier", &revoked.verifier)?;
    text("reason", &revoked.reason, lengths::PARAGRAPH_MAX)
}

fn policy_set(policy: proto::PolicySet) -> Result<(), Refusal> {
    let most = u32::try_from(SIGNATURES_MAX).unwrap_or(u32::MAX);
    if !(1..=most).contains(&policy.attestations_min) {
        return Err(malformed(
            "attestationsMin",
            format!("{} attestations", policy.attestations_min),
            format!("1 to {SIGNATURES_MAX}"),
        ));
    }
    if policy.admission_rules != ADMISSION_RULES {
        return Err(malformed(
            "admissionRules",
            format!(
                "this release does not know the rules {}",
                policy.admission_rules
            ),
            format!("{ADMISSION_RULES}"),
        ));
    }
    Ok(())
}

/// Checks where something stands.
fn evidence(all: &[proto::Evidence]) -> Result<(), Refusal> {
    at_most("evidence", all, EVIDENCE_MAX)?;
    for (place, evidence) in all.iter().enumerate() {
        passage(evidence).map_err(|refusal| refusal.within(&format!("evidence[{place}]")))?;
    }
    Ok(())
}

/// The most passages that one record rests on, and the most segments of one passage.
const EVIDENCE_MAX: usize = 16;
const SEGMENTS_MAX: usize = 16;

fn passage(evidence: &proto::Evidence) -> Result<(), Refusal> {
    content_id("source", &evidence.source)?;
    content_id("textId", &evidence.text_id)?;
    if evidence.segments.is_empty() {
        return Err(malformed(
            "segments",
            "no segment is given",
            "at least one segment with its exact text",
        ));
    }
    at_most("segments", &evidence.segments, SEGMENTS_MAX)?;
    for (place, segment) in evidence.segments.iter().enumerate() {
        let [exact, prefix, suffix] = [&segment.exact, &segment.prefix, &segment.suffix];
        long_text(format_args!("segments[{place}].exact"), exact)?;
        let prefix_field = format_args!("segments[{place}].prefix");
        optional_text(prefix_field, prefix, lengths::CONTEXT_MAX)?;
        let suffix_field = format_args!("segments[{place}].suffix");
        optional_text(suffix_field, suffix, lengths::CONTEXT_MAX)?;
        if let (Some(start), Some(end)) = (segment.start, segment.end)
            && start >= end
        {
            return Err(malformed(
                format_args!("segments[{place}].end"),
                format!("the segment ends at {end}, not after its start at {start}"),
                "an end above the start",
            ));
        }
    }
    if evidence.establishes.is_empty() {
        return Err(malformed(
            "establishes",
            "nothing is named",
            <proto::Establishes as super::field::Choice>::accepted(),
        ));
    }
    for (place, establishes) in evidence.establishes.iter().enumerate() {
        choice::<proto::Establishes>(format_args!("establishes[{place}]"), *establishes)?;
    }
    super::field::distinct("establishes", &evidence.establishes)
}
