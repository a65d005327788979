//! What can be said of a record by looking at nothing else.

use bytes::Bytes;
use onrecord::admission::Reason;
use onrecord::record::proto::{
    ActorKind, Authority, Engagement, Envelope, Polarity, Record, Role, Wording, record::Kind,
};
use prost::Message as _;

use super::{Case, Scene};
use crate::common::archive::for_the_kremlin;
use crate::common::records::{actor, mandate, milestone, record, segment, topic};

pub fn cases(scene: &Scene) -> Vec<Case> {
    let attestor = &scene.archive.attestor;
    let case = |reason, field, kind| Case {
        reason,
        field,
        envelope: attestor.seal(kind),
    };
    let said = |change: &dyn Fn(&mut onrecord::record::proto::Statement)| {
        let mut statement = for_the_kremlin("2025-08-19");
        change(&mut statement);
        Kind::StatementRecorded(statement)
    };
    let person = || actor("somebody", ActorKind::Person);
    let mut cases = payloads(scene);
    cases.extend([
        case(Reason::InvalidSlug, "actorDefined.actorId", {
            let mut actor = person();
            actor.actor_id = "Bad Slug".to_owned();
            Kind::ActorDefined(actor)
        }),
        case(Reason::InvalidSlug, "actorDefined.actorId", {
            let mut actor = person();
            actor.actor_id = "Long ".repeat(10_000);
            Kind::ActorDefined(actor)
        }),
        case(Reason::NotNfc, "actorDefined.names[0].name", {
            let mut actor = person();
            actor.names[0].name = "Jose\u{301}".to_owned();
            Kind::ActorDefined(actor)
        }),
        case(Reason::MalformedRecord, "actorDefined.names", {
            let mut actor = person();
            actor.names.clear();
            Kind::ActorDefined(actor)
        }),
        case(
            Reason::MalformedRecord,
            "mandateGranted.authority",
            Kind::MandateGranted(mandate("putin", "kremlin", Authority::Unspecified)),
        ),
        case(
            Reason::InvalidDate,
            "milestoneDefined.date",
            Kind::MilestoneDefined(milestone("talks", "2025-08-15/2025-08-16")),
        ),
        case(
            Reason::InconsistentReading,
            "statementRecorded.readings[0].polarity",
            said(&|statement| statement.readings[0].polarity = 0),
        ),
        case(
            Reason::InconsistentReading,
            "statementRecorded.readings[0].engagement",
            said(&|statement| statement.readings[0].engagement = Engagement::Declined.into()),
        ),
        case(
            Reason::InconsistentReading,
            "statementRecorded.readings[0].polarity",
            said(&|statement| statement.readings[0].polarity = Polarity::NoPosition.into()),
        ),
        case(
            Reason::InconsistentReading,
            "statementRecorded.readings[1]",
            said(&|statement| {
                let again = statement.readings[0].clone();
                statement.readings.push(again);
            }),
        ),
        case(
            Reason::NotVerbatim,
            "statementRecorded.wording",
            said(&|statement| statement.wording = Wording::Verbatim.into()),
        ),
        case(
            Reason::InvalidDate,
            "statementRecorded.repeatedUntil",
            said(&|statement| statement.repeated_until = "2025-08-18".to_owned()),
        ),
        case(
            Reason::RecordTooLarge,
            "statementRecorded.evidence[0].segments",
            said(&|statement| statement.evidence[0].segments = vec![segment("he"); 17]),
        ),
        case(
            Reason::WeakKey,
            "verifierEnrolled.verifier",
            weak_key(&[Role::Attestor]),
        ),
    ]);
    cases
}

/// Payloads that are not one whole record of this archive.
fn payloads(scene: &Scene) -> Vec<Case> {
    let attestor = &scene.archive.attestor;
    let case = |reason, field, payload: Vec<u8>| Case {
        reason,
        field,
        envelope: attestor.key.seal(Bytes::from(payload)),
    };
    let whole = record(Kind::ActorDefined(actor("somebody", ActorKind::Person)));
    let encoded = whole.encode_to_vec();
    let elsewhere = Record {
        origin: "archive.example/other".to_owned(),
        ..whole.clone()
    };
    let unknown_field = [&encoded[..], &[0xF8, 0x3F, 0x01]].concat();
    let two_kinds = [
        &encoded[..],
        &record(Kind::TopicDefined(topic("twice"))).encode_to_vec(),
    ]
    .concat();
    // A kind that a later release may know: field 122, empty.
    let without_kind = Record {
        kind: None,
        ..whole.clone()
    };
    let later_kind = [&without_kind.encode_to_vec()[..], &[0xD2, 0x07, 0x00]].concat();
    vec![
        case(Reason::UnsupportedKind, "", later_kind),
        case(
            Reason::MalformedRecord,
            "payload",
            without_kind.encode_to_vec(),
        ),
        case(Reason::MalformedRecord, "payload", b"no protobuf".to_vec()),
        case(Reason::MalformedRecord, "payload", Vec::new()),
        case(Reason::MalformedRecord, "payload", unknown_field),
        case(Reason::MalformedRecord, "payload", two_kinds),
        case(Reason::RecordTooLarge, "payload", vec![0; 62_001]),
        case(Reason::WrongOrigin, "origin", elsewhere.encode_to_vec()),
        Case {
            reason: Reason::MalformedRecord,
            field: "payload",
            envelope: Envelope::default(),
        },
        case(
            Reason::MalformedRecord,
            "signedAt",
            Record {
                signed_at: None,
                ..whole
            }
            .encode_to_vec(),
        ),
    ]
}

/// Enrols the key of small order that the curve's neutral element is.
fn weak_key(roles: &[Role]) -> Kind {
    let mut kind = crate::common::Signer::new(7).enrolled(roles);
    if let Kind::VerifierEnrolled(enrolled) = &mut kind {
        enrolled.verifier = format!("01{}", "00".repeat(31));
    }
    kind
}
