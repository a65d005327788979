//! What a record names must be on record, in the version that it names.

use onrecord::admission::Reason;
use onrecord::record::ContentId;
use onrecord::record::proto::{
    ActorKind, Authority, CapacityBasis, Derivation, DerivedFrom, MandateEnded, MandateGranted,
    Polarity, Reading, ReadingAdded, ReferenceKind, RefersTo, Statement, StatementCorrected,
    StatementRetracted, record::Kind, review_published::Target, statement::Voice,
};

use super::{Case, Scene};
use crate::common::archive::{TestArchive, for_the_kremlin};
use crate::common::records::{
    actor, answered, mandate, milestone, part_of, review, said_for, source, topic,
};

/// An organisation for which a mandate lets Lavrov speak on one topic alone.
pub async fn office_with_a_limited_mandate(archive: &mut TestArchive) {
    let limited = MandateGranted {
        topics: vec!["visit".to_owned()],
        ..mandate("lavrov", "office", Authority::Delegate)
    };
    for kind in [
        Kind::ActorDefined(part_of("office", "russia")),
        Kind::TopicDefined(topic("visit")),
        Kind::MandateGranted(limited),
    ] {
        archive.client.append(&archive.steward, kind).await;
    }
}

pub fn cases(scene: &Scene) -> Vec<Case> {
    let mut cases = definitions(scene);
    cases.extend(statements(scene));
    cases.extend(changes(scene));
    cases
}

fn definitions(scene: &Scene) -> Vec<Case> {
    let steward = &scene.archive.steward;
    let case = |reason, field, kind| Case {
        reason,
        field,
        envelope: steward.seal(kind),
    };
    let nothing = ContentId::of(b"nothing").to_string();
    let version = |id: &str| scene.versions[id].clone();
    let mut other_proposition = topic("meeting");
    other_proposition.replaces = version("meeting");
    other_proposition.proposition = "There should be no meeting.".to_owned();
    let mut other_kind = actor("russia", ActorKind::Organization);
    other_kind.replaces = version("russia");
    let mut circle = part_of("kremlin", "kremlin");
    circle.replaces = version("kremlin");
    let mut renamed = actor("putin", ActorKind::Person);
    renamed.names[0].name = "Another name".to_owned();
    let mut derived = source(scene.uploaded);
    derived.derived_from = vec![DerivedFrom {
        derivation: Derivation::Reports.into(),
        source: nothing.clone(),
        description: String::new(),
    }];
    let ended = |mandate_id: &str, replaces: &str| {
        Kind::MandateEnded(MandateEnded {
            mandate_id: mandate_id.to_owned(),
            end: "2025-09-01".to_owned(),
            reason: "They left.".to_owned(),
            evidence: Vec::new(),
            replaces: replaces.to_owned(),
        })
    };
    let mut of_nobody = milestone("talks", "2025-08-15");
    of_nobody.actors = vec!["nobody".to_owned()];
    vec![
        case(
            Reason::UnknownActor,
            "actorDefined.partOf",
            Kind::ActorDefined(part_of("ministry", "nowhere")),
        ),
        case(
            Reason::UnknownActor,
            "mandateGranted.person",
            Kind::MandateGranted(mandate("kremlin", "kremlin", Authority::Delegate)),
        ),
        case(
            Reason::UnknownActor,
            "milestoneDefined.actors[0]",
            Kind::MilestoneDefined(of_nobody),
        ),
        case(
            Reason::UnknownMandate,
            "mandateEnded.mandateId",
            ended("nobody-nowhere", &nothing),
        ),
        case(
            Reason::PropositionChanged,
            "topicDefined.proposition",
            Kind::TopicDefined(other_proposition),
        ),
        case(
            Reason::PropositionChanged,
            "actorDefined.kind",
            Kind::ActorDefined(other_kind),
        ),
        case(
            Reason::CircularPart,
            "actorDefined.partOf",
            Kind::ActorDefined(circle),
        ),
        case(
            Reason::StaleVersion,
            "actorDefined.replaces",
            Kind::ActorDefined(renamed),
        ),
        case(
            Reason::StaleVersion,
            "mandateEnded.replaces",
            ended("lavrov-kremlin", &nothing),
        ),
        case(
            Reason::UnknownSource,
            "sourceArchived.derivedFrom[0].source",
            Kind::SourceArchived(derived),
        ),
    ]
}

fn statements(scene: &Scene) -> Vec<Case> {
    let nothing = ContentId::of(b"nothing").to_string();
    let case = |reason, field, change: &dyn Fn(&mut Statement)| {
        let mut statement = for_the_kremlin("2025-08-19");
        statement.venue = "elsewhere".to_owned();
        change(&mut statement);
        Case {
            reason,
            field,
            envelope: scene
                .archive
                .attestor
                .seal(Kind::StatementRecorded(statement)),
        }
    };
    vec![
        case(Reason::UnknownActor, "statementRecorded.speaker", &|said| {
            said.voice = Some(Voice::Speaker("nobody".to_owned()));
        }),
        case(Reason::UnknownActor, "statementRecorded.speaker", &|said| {
            said.voice = Some(Voice::Speaker("capitals".to_owned()));
        }),
        case(
            Reason::UnknownActor,
            "statementRecorded.saidFor[0].actor",
            &|said| said.said_for = vec![said_for("nowhere", CapacityBasis::Stated)],
        ),
        case(
            Reason::UnknownMandate,
            "statementRecorded.saidFor[0]",
            &|said| said.said_for = vec![said_for("russia", CapacityBasis::Implied)],
        ),
        case(
            Reason::UnknownMandate,
            "statementRecorded.saidFor[0]",
            &|said| {
                said.said_for = vec![said_for("office", CapacityBasis::Implied)];
                said.readings[0].holder = "office".to_owned();
            },
        ),
        case(
            Reason::UnknownTopic,
            "statementRecorded.readings[0].topic",
            &|said| said.readings = vec![answered("weather", Polarity::Open)],
        ),
        case(
            Reason::UnknownTopic,
            "statementRecorded.readings[0].codebook",
            &|said| said.readings[0].codebook = nothing.clone(),
        ),
        case(
            Reason::UnknownSource,
            "statementRecorded.evidence[0].source",
            &|said| said.evidence[0].source = nothing.clone(),
        ),
        case(
            Reason::TextIdMismatch,
            "statementRecorded.evidence[0].textId",
            &|said| said.evidence[0].text_id = nothing.clone(),
        ),
        case(
            Reason::UnknownStatement,
            "statementRecorded.refersTo[0].statement",
            &|said| {
                said.refers_to = vec![RefersTo {
                    statement: nothing.clone(),
                    kind: ReferenceKind::Answers.into(),
                }];
            },
        ),
    ]
}

/// What is about a statement that was recorded before.
fn changes(scene: &Scene) -> Vec<Case> {
    let archive = &scene.archive;
    let (attestor, coder) = (&archive.attestor, &archive.coder);
    let nothing = ContentId::of(b"nothing").to_string();
    let case = |reason, field, kind| Case {
        reason,
        field,
        envelope: attestor.seal(kind),
    };
    let retract = |statement: &str, speaker: &str, said_for: &[&str]| {
        Kind::StatementRetracted(StatementRetracted {
            statement: statement.to_owned(),
            speaker: speaker.to_owned(),
            said_for: said_for.iter().map(|&of| of.to_owned()).collect(),
            reason: "It was fabricated.".to_owned(),
        })
    };
    let correct = |corrects: &str, change: &dyn Fn(&mut Statement)| {
        let mut corrected = for_the_kremlin("2025-08-18");
        change(&mut corrected);
        Kind::StatementCorrected(StatementCorrected {
            statement: archive.statement.clone(),
            corrects: corrects.to_owned(),
            corrected: Some(corrected),
            reason: "The day was wrong.".to_owned(),
        })
    };
    let read = |statement: &str, reading: Reading| Case {
        reason: Reason::UnknownTopic,
        field: "readingAdded.reading.topic",
        envelope: coder.seal(Kind::ReadingAdded(ReadingAdded {
            statement: statement.to_owned(),
            speaker: "lavrov".to_owned(),
            said_for: vec!["kremlin".to_owned()],
            reading: Some(reading),
            rationale: String::new(),
        })),
    };
    let statement = &archive.statement;
    vec![
        case(
            Reason::UnknownStatement,
            "statementRetracted.statement",
            retract(&nothing, "lavrov", &["kremlin"]),
        ),
        case(
            Reason::StatementIsRetracted,
            "statementRetracted.statement",
            retract(&scene.retracted, "putin", &[]),
        ),
        case(
            Reason::CapacityDiffers,
            "statementRetracted.speaker",
            retract(statement, "putin", &["kremlin"]),
        ),
        case(
            Reason::CapacityDiffers,
            "statementRetracted.saidFor",
            retract(statement, "lavrov", &[]),
        ),
        case(
            Reason::StaleVersion,
            "statementCorrected.corrects",
            correct(&nothing, &|_| {}),
        ),
        case(
            Reason::CapacityDiffers,
            "statementCorrected.corrected.speaker",
            correct(statement, &|said| {
                said.voice = Some(Voice::Speaker("putin".to_owned()));
            }),
        ),
        case(
            Reason::UnknownTopic,
            "statementCorrected.corrected.readings[0].topic",
            correct(statement, &|said| {
                said.readings = vec![answered("weather", Polarity::Open)];
            }),
        ),
        read(statement, answered("weather", Polarity::Open)),
    ]
}

/// What a refusal says of names that are something else than they were taken for.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_in_the_wrong_place_is_told_as_what_it_is() {
    let mut archive = TestArchive::new().await;
    let kind = Kind::TopicDefined(topic("another"));
    let record = archive.client.append(&archive.steward, kind).await.record;
    let ended = MandateEnded {
        mandate_id: "lavrov-kremlim".to_owned(),
        end: "2025-09-01".to_owned(),
        reason: "He left.".to_owned(),
        evidence: Vec::new(),
        replaces: record.clone(),
    };
    let retracted = |speaker: &str, said_for: &[&str]| {
        Kind::StatementRetracted(StatementRetracted {
            statement: archive.statement.clone(),
            speaker: speaker.to_owned(),
            said_for: said_for.iter().map(|&of| of.to_owned()).collect(),
            reason: "It was made up.".to_owned(),
        })
    };
    let mut by_a_group = for_the_kremlin("2025-08-19");
    by_a_group.voice = Some(Voice::Speaker("capitals".to_owned()));
    for (kind, told) in [
        (
            Kind::ReviewPublished(review(Target::Source(record.clone()))),
            format!("{record} is a record, and no source"),
        ),
        (
            Kind::ReviewPublished(review(Target::Statement(record.clone()))),
            format!("{record} is a record that introduced no statement"),
        ),
        (
            Kind::ReviewPublished(review(Target::Milestone("sumit".to_owned()))),
            r#"the milestone "sumit" is not on record (did you mean "summit"?)"#.to_owned(),
        ),
        (
            Kind::MandateEnded(ended),
            r#"the mandate "lavrov-kremlim" is not on record (did you mean "lavrov-kremlin"?)"#
                .to_owned(),
        ),
        (
            Kind::StatementRecorded(by_a_group),
            r#"the actor "capitals" is of kind GROUP"#.to_owned(),
        ),
        (
            retracted("putin", &["kremlin"]),
            r#"the statement's speaker is "lavrov", not "putin""#.to_owned(),
        ),
        (
            retracted("lavrov", &[]),
            "the statement was said for kremlin".to_owned(),
        ),
    ] {
        let envelope = archive.steward.seal(kind);
        assert_eq!(archive.client.refused(envelope).await.message, told);
    }
}
