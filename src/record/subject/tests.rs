use bytes::Bytes;
use prost::Message as _;

use super::*;
use crate::record::Micros;

const SIGNER: [u8; 32] = [7; 32];

fn entry(kind: Kind) -> Entry {
    let record = proto::Record {
        kind: Some(kind),
        ..proto::Record::default()
    };
    let payload = Bytes::from(record.encode_to_vec());
    let id = ContentId::of(&payload);
    let signature = proto::Signature {
        public_key: Bytes::copy_from_slice(&SIGNER),
        signature: Bytes::new(),
    };
    let envelope = proto::Envelope {
        payload,
        signatures: vec![signature],
    };
    Entry::new(3, Micros(0), id, record, envelope)
}

/// What an entry is about besides its kind and its signer.
fn about(kind: &Kind) -> Vec<String> {
    let entry = entry(kind.clone());
    let mut found = subjects(&entry);
    assert!(found.remove(&Subject::Kind(RecordKind::from(kind))));
    assert!(found.remove(&Subject::Verifier(SIGNER)));
    let say = |subject: &Subject| match subject {
        Subject::Kind(kind) => format!("kind {kind}"),
        Subject::Actor(id) => format!("actor {id}"),
        Subject::Topic(id) => format!("topic {id}"),
        Subject::Statement(id) if *id == entry.record_id => "statement itself".to_owned(),
        Subject::Statement(id) => format!("statement {}", &id.to_string()[..2]),
        Subject::Source(id) => format!("source {}", &id.to_string()[..2]),
        Subject::Verifier(key) => format!("verifier {:02x}", key[0]),
    };
    found.iter().map(say).collect()
}

/// The id, or key, whose 32 bytes are all the same.
fn id(byte: u8) -> String {
    ContentId::from([byte; 32]).to_string()
}

fn evidence(source: u8) -> Vec<proto::Evidence> {
    vec![proto::Evidence {
        source: id(source),
        ..proto::Evidence::default()
    }]
}

fn reading(topic: &str, holder: &str) -> proto::Reading {
    proto::Reading {
        topic: topic.to_owned(),
        holder: holder.to_owned(),
        ..proto::Reading::default()
    }
}

fn statement() -> proto::Statement {
    proto::Statement {
        voice: Some(Voice::Speaker("speaker".to_owned())),
        said_for: vec![proto::SaidFor {
            actor: "body".to_owned(),
            ..proto::SaidFor::default()
        }],
        relayed_by: "relayer".to_owned(),
        readings: vec![reading("topic", "holder"), reading("topic", "")],
        refers_to: vec![proto::RefersTo {
            statement: id(0xee),
            ..proto::RefersTo::default()
        }],
        evidence: evidence(0x50),
        ..proto::Statement::default()
    }
}

const OF_THE_STATEMENT: [&str; 5] = [
    "actor body",
    "actor holder",
    "actor relayer",
    "actor speaker",
    "topic topic",
];

#[test]
fn a_statement_is_about_all_that_speak_in_it_and_all_that_it_rests_on() {
    let mut expected = OF_THE_STATEMENT.map(ToOwned::to_owned).to_vec();
    expected.extend(["statement itself", "statement ee", "source 50"].map(ToOwned::to_owned));
    let mut found = about(&Kind::StatementRecorded(statement()));
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[test]
fn a_correction_is_about_the_statement_that_it_corrects_and_all_that_the_new_version_names() {
    let corrected = Kind::StatementCorrected(proto::StatementCorrected {
        statement: id(0xaa),
        corrected: Some(statement()),
        ..proto::StatementCorrected::default()
    });
    let mut expected = OF_THE_STATEMENT.to_vec();
    expected.extend(["statement aa", "statement ee", "source 50"]);
    assert_eq!(about(&corrected), expected);
}

#[test]
fn what_is_added_to_a_statement_is_about_its_speaker_and_capacity() {
    let (speaker, said_for) = ("speaker".to_owned(), vec!["body".to_owned()]);
    let added = Kind::EvidenceAdded(proto::EvidenceAdded {
        statement: id(0xaa),
        speaker: speaker.clone(),
        said_for: said_for.clone(),
        evidence: evidence(0x50),
    });
    let known = ["actor body", "actor speaker"];
    assert_eq!(
        about(&added),
        [&known[..], &["statement aa", "source 50"]].concat()
    );
    let read = Kind::ReadingAdded(proto::ReadingAdded {
        statement: id(0xaa),
        speaker: speaker.clone(),
        said_for: said_for.clone(),
        reading: Some(reading("topic", "holder")),
        ..proto::ReadingAdded::default()
    });
    assert_eq!(
        about(&read),
        [
            "actor body",
            "actor holder",
            "actor speaker",
            "topic topic",
            "statement aa"
        ]
    );
    let retracted = Kind::StatementRetracted(proto::StatementRetracted {
        statement: id(0xaa),
        speaker,
        said_for,
        ..proto::StatementRetracted::default()
    });
    assert_eq!(about(&retracted), [&known[..], &["statement aa"]].concat());
}

#[test]
fn a_definition_is_about_whom_and_what_it_names() {
    let actor = Kind::ActorDefined(proto::ActorDefined {
        actor_id: "it".to_owned(),
        part_of: "whole".to_owned(),
        members: vec!["member".to_owned()],
        ..proto::ActorDefined::default()
    });
    assert_eq!(about(&actor), ["actor it", "actor member", "actor whole"]);
    let mandate = Kind::MandateGranted(proto::MandateGranted {
        person: "person".to_owned(),
        organization: "body".to_owned(),
        topics: vec!["topic".to_owned()],
        evidence: evidence(0x50),
        ..proto::MandateGranted::default()
    });
    let expected = ["actor body", "actor person", "topic topic", "source 50"];
    assert_eq!(about(&mandate), expected);
    let ended = Kind::MandateEnded(proto::MandateEnded {
        evidence: evidence(0x50),
        ..proto::MandateEnded::default()
    });
    assert_eq!(about(&ended), ["source 50"]);
    let topic = Kind::TopicDefined(proto::TopicDefined {
        topic_id: "it".to_owned(),
        ..proto::TopicDefined::default()
    });
    assert_eq!(about(&topic), ["topic it"]);
    let milestone = Kind::MilestoneDefined(proto::MilestoneDefined {
        actors: vec!["one".to_owned(), "two".to_owned()],
        evidence: evidence(0x50),
        ..proto::MilestoneDefined::default()
    });
    assert_eq!(about(&milestone), ["actor one", "actor two", "source 50"]);
}

#[test]
fn what_is_said_of_a_source_is_about_it() {
    let archived = Kind::SourceArchived(proto::SourceArchived {
        source: id(0x50),
        derived_from: vec![proto::DerivedFrom {
            source: id(0x51),
            ..proto::DerivedFrom::default()
        }],
        ..proto::SourceArchived::default()
    });
    assert_eq!(about(&archived), ["source 50", "source 51"]);
    let withheld = Kind::SourceWithheld(proto::SourceWithheld {
        source: id(0x50),
        ..proto::SourceWithheld::default()
    });
    assert_eq!(about(&withheld), ["source 50"]);
    let read = Kind::SourceRead(proto::SourceRead {
        source: id(0x50),
        topics: vec!["topic".to_owned()],
        ..proto::SourceRead::default()
    });
    assert_eq!(about(&read), ["topic topic", "source 50"]);
}

#[test]
fn a_review_is_about_what_it_reviews() {
    for (target, expected) in [
        (Target::Statement(id(0xaa)), vec!["statement aa"]),
        (Target::Source(id(0x50)), vec!["source 50"]),
        (Target::Milestone("summit".to_owned()), vec![]),
    ] {
        let review = Kind::ReviewPublished(proto::ReviewPublished {
            target: Some(target),
            ..proto::ReviewPublished::default()
        });
        assert_eq!(about(&review), expected);
    }
}

#[test]
fn what_concerns_verifiers_is_about_them_beside_those_who_signed() {
    let enrolled = proto::VerifierEnrolled {
        verifier: id(0x11),
        ..proto::VerifierEnrolled::default()
    };
    let founded = Kind::ArchiveFounded(proto::ArchiveFounded {
        verifiers: vec![enrolled.clone()],
        ..proto::ArchiveFounded::default()
    });
    assert_eq!(about(&founded), ["verifier 11"]);
    assert_eq!(about(&Kind::VerifierEnrolled(enrolled)), ["verifier 11"]);
    let revoked = Kind::VerifierRevoked(proto::VerifierRevoked {
        verifier: id(0x11),
        ..proto::VerifierRevoked::default()
    });
    assert_eq!(about(&revoked), ["verifier 11"]);
    let attested = Kind::AttestationAdded(proto::AttestationAdded {
        record: id(0xaa),
        verifiers: vec![id(0x11), id(0x12)],
        ..proto::AttestationAdded::default()
    });
    assert_eq!(
        about(&attested),
        ["statement aa", "verifier 11", "verifier 12"]
    );
}

#[test]
fn what_the_archive_says_of_itself_is_about_its_signers_alone() {
    for kind in [
        Kind::PolicySet(proto::PolicySet::default()),
        Kind::CheckpointKeySet(proto::CheckpointKeySet::default()),
        Kind::WitnessPolicySet(proto::WitnessPolicySet::default()),
    ] {
        assert!(about(&kind).is_empty());
    }
}

#[test]
fn an_anonymous_personal_unread_statement_is_about_itself_alone() {
    let statement = proto::Statement {
        voice: Some(Voice::Anonymous(proto::AnonymousSpeaker::default())),
        ..proto::Statement::default()
    };
    assert_eq!(
        about(&Kind::StatementRecorded(statement)),
        ["statement itself"]
    );
}

#[test]
fn a_filter_wants_any_of_its_kinds_and_all_of_its_subjects() {
    let found = subjects(&entry(Kind::StatementRecorded(statement())));
    let actor = |id: &str| Subject::Actor(id.parse().unwrap());
    let wants = |kinds: &[RecordKind], about: &[Subject]| {
        let filter = EntryFilter {
            kinds: kinds.iter().copied().collect(),
            about: about.iter().cloned().collect(),
        };
        assert_eq!(filter.is_everything(), kinds.is_empty() && about.is_empty());
        filter.matches(&found)
    };
    let (right, wrong) = (RecordKind::StatementRecorded, RecordKind::ReadingAdded);
    assert!(wants(&[], &[]));
    assert!(wants(&[wrong, right], &[]));
    assert!(!wants(&[wrong], &[]));
    assert!(wants(
        &[],
        &[actor("speaker"), actor("body"), Subject::Verifier(SIGNER)]
    ));
    assert!(!wants(&[], &[actor("speaker"), actor("nobody")]));
    assert!(!wants(&[wrong], &[actor("speaker")]));
}
