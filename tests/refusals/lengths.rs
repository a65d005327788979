//! How long texts may be: exactly as long as the bound says, and no code point longer.

use onrecord::admission::Reason;
use onrecord::record::proto::{
    ActorDefined, ActorKind, Authority, Derivation, DerivedFrom, ExternalId, ReadingAdded, Role,
    SourceArchived, Statement, StatementCorrected, StatementRetracted, record::Kind,
    review_published::Target, statement::Voice,
};

use onrecord::rpc::proto::append_result::Outcome;

use super::{Case, Scene};
use crate::common::archive::{TEXT, for_the_kremlin};
use crate::common::records::{
    actor, answered, mandate, milestone, review, source, statement, topic, withheld,
};

/// A text one code point longer than `max`, each of four bytes.
fn too_long(max: usize) -> String {
    "𝄞".repeat(max + 1)
}

/// The longest that fits, likewise.
fn longest(max: usize) -> String {
    "𝄞".repeat(max)
}

const LINE: usize = 500;
const PARAGRAPH: usize = 2_000;
const NOTE: usize = 10_000;

pub fn cases(scene: &Scene) -> Vec<Case> {
    let mut cases = definitions();
    cases.extend(sources());
    cases.extend(statements(&scene.archive.statement));
    let steward = &scene.archive.steward;
    let case = |(field, kind)| Case {
        reason: Reason::RecordTooLarge,
        field,
        envelope: steward.seal(kind),
    };
    cases.into_iter().map(case).collect()
}

type Long = (&'static str, Kind);

fn definitions() -> Vec<Long> {
    let person = |change: &dyn Fn(&mut ActorDefined)| {
        let mut person = actor("somebody", ActorKind::Person);
        change(&mut person);
        Kind::ActorDefined(person)
    };
    let external = |register: &str, id: &str| ExternalId {
        register: register.to_owned(),
        id: id.to_owned(),
    };
    let mut granted = mandate("lavrov", "kremlin", Authority::Delegate);
    granted.role_title = too_long(LINE);
    let mut proposed = topic("other");
    proposed.proposition = too_long(1_000);
    let mut noted = topic("other");
    noted.note = too_long(NOTE);
    let mut titled = milestone("other", "2025-08-15");
    titled.title = too_long(LINE);
    let mut enrolled = crate::common::Signer::new(9).enrolled(&[Role::Coder]);
    if let Kind::VerifierEnrolled(enrolled) = &mut enrolled {
        enrolled.name = too_long(LINE);
    }
    vec![
        (
            "actorDefined.names[0].name",
            person(&|it| it.names[0].name = too_long(LINE)),
        ),
        (
            "actorDefined.externalIds[0].register",
            person(&|it| it.external_ids = vec![external(&too_long(LINE), "id")]),
        ),
        (
            "actorDefined.externalIds[0].id",
            person(&|it| it.external_ids = vec![external("register", &too_long(LINE))]),
        ),
        ("mandateGranted.roleTitle", Kind::MandateGranted(granted)),
        ("topicDefined.proposition", Kind::TopicDefined(proposed)),
        ("topicDefined.note", Kind::TopicDefined(noted)),
        ("milestoneDefined.title", Kind::MilestoneDefined(titled)),
        ("verifierEnrolled.name", enrolled),
        (
            "verifierRevoked.reason",
            super::signatures::revocation(&crate::common::Signer::new(9), &too_long(PARAGRAPH)),
        ),
    ]
}

fn sources() -> Vec<Long> {
    let archived = |change: &dyn Fn(&mut SourceArchived)| {
        let mut archived = source(TEXT);
        change(&mut archived);
        Kind::SourceArchived(archived)
    };
    let scope = onrecord::record::proto::WithholdingScope::Bytes;
    let mut reason = withheld(TEXT, scope);
    reason.reason = too_long(PARAGRAPH);
    let mut authority = withheld(TEXT, scope);
    authority.authority = too_long(PARAGRAPH);
    let reviewed = || review(Target::Milestone("summit".to_owned()));
    let mut verdict = reviewed();
    verdict.verdict = too_long(LINE);
    let mut url = reviewed();
    url.url = "u".repeat(8_001);
    let mut publisher = reviewed();
    publisher.publisher = too_long(LINE);
    vec![
        (
            "sourceArchived.title",
            archived(&|it| it.title = too_long(LINE)),
        ),
        (
            "sourceArchived.author",
            archived(&|it| it.author = too_long(LINE)),
        ),
        (
            "sourceArchived.publisher",
            archived(&|it| it.publisher = too_long(LINE)),
        ),
        (
            "sourceArchived.url",
            archived(&|it| it.url = "u".repeat(8_001)),
        ),
        (
            "sourceArchived.derivedFrom[0].description",
            archived(&|it| {
                it.derived_from = vec![DerivedFrom {
                    derivation: Derivation::Excerpts.into(),
                    source: String::new(),
                    description: too_long(PARAGRAPH),
                }];
            }),
        ),
        ("sourceWithheld.reason", Kind::SourceWithheld(reason)),
        ("sourceWithheld.authority", Kind::SourceWithheld(authority)),
        ("reviewPublished.verdict", Kind::ReviewPublished(verdict)),
        ("reviewPublished.url", Kind::ReviewPublished(url)),
        (
            "reviewPublished.publisher",
            Kind::ReviewPublished(publisher),
        ),
    ]
}

fn statements(introduced: &str) -> Vec<Long> {
    let said = |change: &dyn Fn(&mut Statement)| {
        let mut statement = for_the_kremlin("2025-08-19");
        change(&mut statement);
        Kind::StatementRecorded(statement)
    };
    let statement = introduced.to_owned();
    vec![
        (
            "statementRecorded.anonymous.description",
            said(&|it| {
                it.voice = Some(Voice::Anonymous(
                    onrecord::record::proto::AnonymousSpeaker {
                        description: too_long(PARAGRAPH),
                        reason: 1,
                    },
                ));
            }),
        ),
        (
            "statementRecorded.venue",
            said(&|it| it.venue = too_long(LINE)),
        ),
        (
            "statementRecorded.document",
            said(&|it| it.document = too_long(LINE)),
        ),
        (
            "statementRecorded.evidence[0].segments[0].prefix",
            said(&|it| it.evidence[0].segments[0].prefix = too_long(1_000)),
        ),
        (
            "statementRecorded.evidence[0].segments[0].suffix",
            said(&|it| it.evidence[0].segments[0].suffix = too_long(1_000)),
        ),
        (
            "statementRecorded.readings[0].conditions[0].text",
            said(&|it| it.readings[0].conditions[0].text = too_long(300)),
        ),
        (
            "statementRecorded.readings[0].conditions",
            said(&|it| {
                let condition = it.readings[0].conditions[0].clone();
                it.readings[0].conditions = vec![condition; 9];
            }),
        ),
        (
            "statementCorrected.reason",
            Kind::StatementCorrected(StatementCorrected {
                statement: statement.clone(),
                corrects: statement.clone(),
                corrected: Some(for_the_kremlin("2025-08-19")),
                reason: too_long(PARAGRAPH),
            }),
        ),
        (
            "statementRetracted.reason",
            Kind::StatementRetracted(StatementRetracted {
                statement: statement.clone(),
                speaker: "lavrov".to_owned(),
                said_for: vec!["kremlin".to_owned()],
                reason: too_long(PARAGRAPH),
            }),
        ),
        (
            "readingAdded.rationale",
            Kind::ReadingAdded(ReadingAdded {
                statement,
                speaker: "lavrov".to_owned(),
                said_for: vec!["kremlin".to_owned()],
                reading: Some(answered("meeting", onrecord::record::proto::Polarity::Open)),
                rationale: too_long(NOTE),
            }),
        ),
    ]
}

/// Whatever is refused, and however much there is to show of it, a call's answer is a message
/// that clients take by default.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_refused_quotations_fit_in_one_answer() {
    const ANSWER_BYTES_MAX: usize = 4 << 20;
    let mut archive = crate::common::TestArchive::new().await;
    // Words of letters of four bytes, so that as much is near as can be shown.
    let passage = |mark: char| format!("{mark} {}", "𝔞𝔟𝔠 ".repeat(60));
    let text = ['x', 'y', 'z'].map(passage).join(&"q ".repeat(200));
    let text = text.trim_end().to_owned();
    let put = archive.client.put_source("text/plain", text.as_bytes());
    assert_eq!(put.await.unwrap().text_id, source(&text).text_id);
    let kind = Kind::SourceArchived(source(&text));
    archive.client.append(&archive.attestor, kind).await;
    let quoting = |number: usize| {
        let exact = format!("{}{number}", "𝔞𝔟𝔠 ".repeat(50));
        statement("lavrov", "2025-08-19", &text, &exact)
    };
    let envelopes = (0..1_000).map(|number| {
        let said = Kind::StatementRecorded(quoting(number));
        archive.attestor.seal(said)
    });
    let results = archive
        .client
        .try_append(envelopes.collect())
        .await
        .unwrap();
    let bytes: usize = results.iter().map(prost::Message::encoded_len).sum();
    assert!(bytes < ANSWER_BYTES_MAX, "{bytes} bytes");
    for result in &results {
        let Some(Outcome::Refusal(refusal)) = &result.outcome else {
            panic!("{result:?}");
        };
        assert_eq!(refusal.reason, "QUOTE_NOT_FOUND");
        assert!(!refusal.nearest.is_empty());
    }
    assert!(bytes > 1 << 20, "nothing much was shown: {bytes} bytes");
}

/// As long as may be, a text enters: the bound is on code points, whatever bytes they take, and a
/// statement's own text has none but the record's.
#[tokio::test(flavor = "multi_thread")]
async fn texts_as_long_as_may_be_enter() {
    let mut archive = crate::common::TestArchive::new().await;
    let mut person = actor("somebody", ActorKind::Person);
    person.names[0].name = longest(LINE);
    let mut noted = topic("other");
    noted.proposition = longest(1_000);
    noted.note = longest(NOTE);
    let mut said = for_the_kremlin("2025-08-19");
    said.text = longest(NOTE);
    said.venue = longest(LINE);
    let condition = &mut said.readings[0].conditions[0];
    condition.text = longest(300);
    let signer = &archive.steward;
    for kind in [
        Kind::ActorDefined(person),
        Kind::TopicDefined(noted),
        Kind::StatementRecorded(said),
    ] {
        archive.client.append(signer, kind).await;
    }
}
