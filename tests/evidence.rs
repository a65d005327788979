//! Answers of a daemon with the evidence that they rest on, checked by the library alone.
#![cfg(feature = "daemon")]

mod common;

use common::records::{actor, bulky, evidence_added, statement, topic};
use common::status::assert_status;
use common::{Client, TestArchive, archive};
use onrecord::bundle::proto::bundle::Question;
use onrecord::bundle::{Report, Trusted, check, decode};
use onrecord::merkle::{NoteKey, WitnessPolicy};
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{ActorKind, StatementRetracted};
use onrecord::rpc::proto::get_entry_request::Entry;
use onrecord::rpc::proto::{
    AppendRequest, AppendResponse, GetEntryRequest, GetPositionRequest, GetStatementRequest,
    GetStatusRequest, PositionFilter,
};
use tonic::Code;

/// The verifier key that the daemon tells.
async fn key(client: &mut Client) -> NoteKey {
    // The first checkpoint of a run is waited for.
    let asked = client
        .ledger
        .get_checkpoint(onrecord::rpc::proto::GetCheckpointRequest::default());
    asked.await.expect("a checkpoint");
    let status = client.admin.get_status(GetStatusRequest {}).await;
    let status = status.expect("a status").into_inner();
    let keys = status.checkpoints.expect("checkpoints").keys;
    keys[0].parse().expect("a verifier key")
}

async fn checked(client: &mut Client, bundle: &[u8]) -> Report {
    let keys = [key(client).await];
    let witnesses = &WitnessPolicy::nobody();
    check(
        bundle,
        &Trusted {
            keys: &keys,
            witnesses,
        },
    )
}

#[track_caller]
fn assert_whole(report: &Report) {
    assert!(report.holds(), "{:?}", report.fault());
}

fn kremlin() -> GetPositionRequest {
    GetPositionRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        proof: true,
        ..GetPositionRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entry_comes_with_its_evidence() {
    let mut archive = TestArchive::new().await;
    for index in 0..archive.size {
        let request = GetEntryRequest {
            entry: Some(Entry::Index(index)),
            proof: true,
            ..GetEntryRequest::default()
        };
        let answer = archive.client.ledger.get_entry(request).await;
        let answer = answer.unwrap().into_inner();
        // The archive has no witnesses.
        assert_eq!(answer.witnessed_at, None);
        let report = checked(&mut archive.client, &answer.bundle).await;
        assert_whole(&report);
        // It is the entry that was asked for.
        let bundle = decode(&answer.bundle).unwrap();
        let encoded = answer.entry.unwrap().encoded;
        let proven = bundle.entries.iter().find(|it| it.index == index);
        assert_eq!(proven.unwrap().encoded, encoded);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_comes_with_its_evidence_as_known_at_any_size() {
    let mut archive = TestArchive::new().await;
    let retracted = Kind::StatementRetracted(StatementRetracted {
        statement: archive.statement.clone(),
        speaker: "lavrov".to_owned(),
        said_for: vec!["kremlin".to_owned()],
        reason: "It was fabricated.".to_owned(),
    });
    let retracted = archive.client.append(&archive.attestor, retracted).await;
    for (known_at, visibility) in [
        (archive.size, "VISIBLE"),
        (retracted.index + 1, "RETRACTED"),
    ] {
        let request = GetStatementRequest {
            statement_id: archive.statement.clone(),
            known_at: Some(known_at),
            at_least_size: known_at,
            proof: true,
            ..GetStatementRequest::default()
        };
        let answer = archive.client.catalog.get_statement(request).await;
        let bundle = answer.unwrap().into_inner().bundle;
        let report = checked(&mut archive.client, &bundle).await;
        assert_whole(&report);
        let answer = report.lines.last().unwrap().outcome.to_string();
        assert!(answer.contains(visibility), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_position_comes_with_its_evidence_and_says_the_same_in_both() {
    let mut archive = TestArchive::new().await;
    let mut second = archive::for_the_kremlin("2025-08-20");
    second.text.push_str(" Again.");
    archive
        .client
        .append(&archive.attestor, Kind::StatementRecorded(second))
        .await;
    let state = GetPositionRequest {
        actor: "russia".to_owned(),
        ..kremlin()
    };
    let dated = GetPositionRequest {
        as_of: "2025-08-19".to_owned(),
        ..kremlin()
    };
    let person = GetPositionRequest {
        actor: "lavrov".to_owned(),
        ..kremlin()
    };
    let group = GetPositionRequest {
        actor: "capitals".to_owned(),
        ..kremlin()
    };
    let filtered = GetPositionRequest {
        filter: Some(PositionFilter {
            verifiers: vec![archive.attestor.id()],
            wordings: vec![4, 3, 4],
            mandated_only: true,
            ..PositionFilter::default()
        }),
        ..kremlin()
    };
    for request in [kremlin(), state, dated, person, group, filtered] {
        let answer = archive.client.positions.get_position(request).await;
        let answer = answer.unwrap().into_inner();
        let report = checked(&mut archive.client, &answer.bundle).await;
        assert_whole(&report);
        let told = answer.position.unwrap();
        let bundle = decode(&answer.bundle).unwrap();
        let Some(Question::Position(question)) = bundle.question else {
            panic!("no position is asked for");
        };
        let proven = question.answer.unwrap();
        assert_eq!(question.as_of, answer.basis.unwrap().as_of);
        assert_eq!(proven.finding, told.finding);
        assert_eq!(proven.considered, told.considered);
        assert_eq!(proven.asked, told.asked);
        let decides = |index: Option<u64>, stance: Option<i32>| (index, stance);
        assert_eq!(
            decides(
                proven.deciding.as_ref().map(|it| it.index),
                proven
                    .deciding
                    .and_then(|it| it.stance)
                    .map(|it| it.polarity),
            ),
            decides(
                told.deciding.as_ref().map(|it| it.index),
                told.deciding.and_then(|it| it.stance).map(|it| it.polarity),
            ),
        );
    }
}

async fn append(
    client: &mut Client,
    envelopes: Vec<onrecord::record::proto::Envelope>,
) -> AppendResponse {
    let proof = true;
    let answer = client
        .records
        .append(AppendRequest { envelopes, proof })
        .await;
    answer.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_appended_comes_with_the_evidence_that_it_is_on_record() {
    let mut archive = TestArchive::new().await;
    let topic = archive.steward.seal(Kind::TopicDefined(topic("prisoners")));
    let said = statement("lavrov", "2025-08-18", archive::TEXT, archive::PASSAGE);
    let said = archive.attestor.seal(Kind::StatementRecorded(said));
    let refused = archive
        .coder
        .seal(Kind::ActorDefined(actor("x", ActorKind::Person)));
    let envelopes = vec![topic.clone(), refused.clone(), said];
    let answer = append(&mut archive.client, envelopes).await;
    assert_eq!(answer.missing_proof, None);
    let report = checked(&mut archive.client, &answer.bundle).await;
    assert_whole(&report);
    let told = report.lines.last().unwrap().outcome.to_string();
    let size = archive.size;
    assert!(told.contains(&format!("at index {size}, ")), "{told}");
    assert!(told.ends_with(&format!("at index {}", size + 1)), "{told}");
    // What was on record is, as well; what is refused has no evidence.
    let again = append(&mut archive.client, vec![topic]).await;
    assert_whole(&checked(&mut archive.client, &again.bundle).await);
    let nothing = append(&mut archive.client, vec![refused]).await;
    assert!(nothing.bundle.is_empty());
    assert_eq!(nothing.missing_proof, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rests_on_too_much_for_a_message_is_told_and_stays_recorded() {
    let mut archive = TestArchive::new().await;
    // 40 definitions of 60,000 bytes are more than the 2 MiB of a bundle's entries.
    let members: Vec<String> = (0..40).map(|number| format!("member-{number}")).collect();
    let bulk = members
        .iter()
        .map(|id| archive.steward.seal(Kind::ActorDefined(bulky(id))));
    archive.client.try_append(bulk.collect()).await.unwrap();
    let mut group = actor("crowd", ActorKind::Group);
    group.members = members;
    let group = archive.steward.seal(Kind::ActorDefined(group));
    let answer = append(&mut archive.client, vec![group]).await;
    let index = common::client::recorded(answer.results[0].outcome.clone().unwrap()).index;
    assert!(answer.bundle.is_empty());
    assert_eq!(answer.missing_proof.unwrap().reason, "PROOF_TOO_LARGE");
    let request = GetEntryRequest {
        entry: Some(Entry::Index(index)),
        proof: true,
        ..GetEntryRequest::default()
    };
    let status = archive.client.ledger.get_entry(request).await.unwrap_err();
    assert_status(&status, Code::ResourceExhausted, "PROOF_TOO_LARGE");
}

#[tokio::test(flavor = "multi_thread")]
async fn further_evidence_comes_with_the_statement_that_it_is_for() {
    let mut archive = TestArchive::new().await;
    let evidence = vec![common::records::evidence(archive::TEXT, "he said so twice")];
    let added = evidence_added(&archive.statement, "lavrov", &["kremlin"], evidence);
    let added = archive
        .client
        .append(&archive.attestor, Kind::EvidenceAdded(added))
        .await;
    let request = GetEntryRequest {
        entry: Some(Entry::RecordId(added.record)),
        proof: true,
        ..GetEntryRequest::default()
    };
    let answer = archive.client.ledger.get_entry(request).await;
    let bundle = answer.unwrap().into_inner().bundle;
    assert_whole(&checked(&mut archive.client, &bundle).await);
}
