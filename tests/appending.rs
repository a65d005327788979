//! `RecordService`: batches, streams, saying things twice, and a ledger that takes no more.
#![cfg(feature = "daemon")]

mod common;

use std::time::Duration;

use common::client::{countersign, id_of, recorded};
use common::daemon::Home;
use common::records::{actor, answered, source, statement, topic};
use common::stores::InMemory;
use common::{Client, Signer, TestArchive, assert_blames, assert_status};
use onrecord::record::proto::{
    ActorKind, Envelope, Polarity, PolicySet, Reading, ReadingAdded, Role, record::Kind,
};
use onrecord::rpc::proto::append_result::Outcome;
use onrecord::rpc::proto::{
    AppendStreamRequest, AppendStreamResponse, GetEntryRequest, GetStatusRequest, get_entry_request,
};
use onrecord::storage::{Fault, Step};
use prost::Message as _;
use tokio::sync::mpsc;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Status, Streaming};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

fn person(signer: &Signer, id: &str) -> Envelope {
    signer.seal(Kind::ActorDefined(actor(id, ActorKind::Person)))
}

/// An open stream of appends.
struct Stream {
    requests: mpsc::Sender<AppendStreamRequest>,
    answers: Streaming<AppendStreamResponse>,
}

impl Stream {
    async fn open(client: &mut Client) -> Self {
        let (requests, sent) = mpsc::channel(8);
        let answers = client
            .records
            .append_stream(ReceiverStream::new(sent))
            .await;
        Self {
            requests,
            answers: answers.unwrap().into_inner(),
        }
    }

    async fn send(&self, envelope: Envelope) {
        let request = AppendStreamRequest {
            envelope: Some(envelope),
        };
        self.requests.send(request).await.unwrap();
    }

    async fn answer(&mut self) -> Result<Outcome, Status> {
        let answer = self.answers.next().await.expect("an answer")?;
        Ok(answer.result.unwrap().outcome.unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_holds_one_to_a_thousand_records() {
    let mut archive = TestArchive::new().await;
    let status = archive.client.try_append(Vec::new()).await.unwrap_err();
    assert_blames(
        &status,
        Code::InvalidArgument,
        "INVALID_REQUEST",
        "envelopes",
    );

    let person = |number| person(&archive.steward, &format!("person-{number}"));
    let mut people: Vec<_> = (0..1001).map(person).collect();
    let status = archive.client.try_append(people.clone()).await.unwrap_err();
    assert_blames(
        &status,
        Code::InvalidArgument,
        "BATCH_TOO_LARGE",
        "envelopes",
    );
    assert_eq!(archive.client.head().await.size, archive.size);

    people.truncate(1000);
    let results = archive.client.try_append(people).await.unwrap();
    let indexes = results
        .into_iter()
        .map(|result| recorded(result.outcome.unwrap()).index);
    assert!(indexes.eq(archive.size..archive.size + 1000));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_names_the_root_that_the_ledger_has_at_that_size() {
    let mut archive = TestArchive::new().await;
    let envelope = person(&archive.steward, "somebody");
    let answer = recorded(archive.client.append_envelope(envelope.clone()).await);
    let head = archive.client.head().await;
    assert_eq!((answer.ledger_size, &answer.root), (head.size, &head.root));
    assert_eq!(answer.recorded_at, head.recorded_at);
    assert_eq!(answer.record, id_of(&envelope));
    assert_eq!(answer.root.len(), 32);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_answered_in_order_and_a_bad_record_in_the_middle_is_refused_by_itself() {
    let mut archive = TestArchive::new().await;
    let mut stream = Stream::open(&mut archive.client).await;
    let count = 2_000;
    let bad = [0, 700, 1_999];
    let steward = Signer::steward();
    let requests = stream.requests.clone();
    let sending = tokio::spawn(async move {
        for number in 0..count {
            let mut envelope = person(&steward, &format!("person-{number}"));
            if bad.contains(&number) {
                envelope.signatures[0].signature = vec![0; 64].into();
            }
            let envelope = Some(envelope);
            requests
                .send(AppendStreamRequest { envelope })
                .await
                .unwrap();
        }
    });
    let mut next = archive.size;
    for number in 0..count {
        match stream.answer().await.unwrap() {
            Outcome::Recorded(recorded) => {
                assert_eq!(recorded.index, next);
                next += 1;
            }
            Outcome::Refusal(refusal) => {
                assert!(bad.contains(&number), "{number}: {refusal:?}");
                assert_eq!(refusal.reason, "BAD_SIGNATURE");
            }
            Outcome::AlreadyRecorded(already) => panic!("{already:?}"),
        }
    }
    sending.await.unwrap();
    assert_eq!(next, archive.size + count - 3);
    drop(stream.requests);
    assert!(
        stream.answers.next().await.is_none(),
        "the stream ends with the client's side"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_a_stream_may_build_on_the_one_before() {
    let mut archive = TestArchive::new().await;
    let mut stream = Stream::open(&mut archive.client).await;
    let text = common::archive::TEXT;
    let mut said = statement("herald", "2025-08-19", text, common::archive::PASSAGE);
    said.readings = vec![answered("parade", Polarity::Supports)];
    for kind in [
        Kind::ActorDefined(actor("herald", ActorKind::Person)),
        Kind::TopicDefined(topic("parade")),
        Kind::StatementRecorded(said),
    ] {
        stream.send(archive.steward.seal(kind)).await;
    }
    for _ in 0..3 {
        recorded(stream.answer().await.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_whom_a_batch_enrols_signs_in_the_same_batch_and_evidence_is_held_against_them()
{
    let mut archive = TestArchive::new().await;
    let newcomer = Signer::new(20);
    let text = "The parade was called off, said the herald.";
    let client = &mut archive.client;
    client
        .put_source("text/plain", text.as_bytes())
        .await
        .unwrap();
    let said = |exact: &str| {
        let mut said = statement("putin", "2025-08-19", text, exact);
        said.readings = vec![answered("meeting", Polarity::Open)];
        newcomer.seal(Kind::StatementRecorded(said))
    };
    let batch = vec![
        newcomer.seal(Kind::SourceArchived(source(text))),
        archive.steward.seal(newcomer.enrolled(&[Role::Attestor])),
        newcomer.seal(Kind::SourceArchived(source(text))),
        said("The parade was called off"),
        said("The parade went on"),
    ];
    let results = client.try_append(batch).await.unwrap();
    let outcomes: Vec<_> = results
        .into_iter()
        .map(|result| match result.outcome.unwrap() {
            Outcome::Recorded(_) => String::new(),
            Outcome::Refusal(refusal) => refusal.reason,
            Outcome::AlreadyRecorded(already) => panic!("{already:?}"),
        })
        .collect();
    assert_eq!(
        outcomes,
        ["UNKNOWN_VERIFIER", "", "", "", "QUOTE_NOT_FOUND"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_in_mid_stream_loses_nothing_that_was_acknowledged() {
    let mut archive = TestArchive::new().await;
    let mut acknowledged = Vec::new();
    for round in 0..5 {
        let mut client = archive.daemon.client().await;
        let mut stream = Stream::open(&mut client).await;
        let steward = Signer::steward();
        let requests = stream.requests.clone();
        let sending = tokio::spawn(async move {
            for number in 0..1_000 {
                let envelope = Some(person(&steward, &format!("person-{round}-{number}")));
                if requests
                    .send(AppendStreamRequest { envelope })
                    .await
                    .is_err()
                {
                    break;
                }
            }
        });
        for _ in 0..100 * (round + 1) {
            acknowledged.push(recorded(stream.answer().await.unwrap()));
        }
        // Gone without a word, with records on their way.
        sending.abort();
        drop((stream, client));
    }
    archive.client = archive.daemon.client().await;
    let ledger = &mut archive.client.ledger;
    for answer in acknowledged {
        let request = GetEntryRequest {
            entry: Some(get_entry_request::Entry::RecordId(answer.record.clone())),
            decode: false,
            proof: false,
        };
        let entry = ledger
            .get_entry(request)
            .await
            .unwrap()
            .into_inner()
            .entry
            .unwrap();
        assert_eq!(
            (entry.index, entry.record_id),
            (answer.index, answer.record)
        );
        assert_eq!(entry.recorded_at, answer.recorded_at);
    }
}

/// A message of a stream whose envelope is any bytes.
#[derive(Clone, PartialEq, prost::Message)]
struct AnyEnvelope {
    #[prost(bytes = "bytes", tag = "1")]
    envelope: bytes::Bytes,
}

/// What a stream answers to these messages, and how it ends.
async fn answers_to(client: &Client, messages: Vec<AnyEnvelope>) -> (Vec<Outcome>, Status) {
    let mut grpc = tonic::client::Grpc::new(client.channel.clone());
    grpc.ready().await.unwrap();
    let codec = tonic_prost::ProstCodec::<AnyEnvelope, AppendStreamResponse>::default();
    let path = tonic::codegen::http::uri::PathAndQuery::from_static(
        "/onrecord.v1.RecordService/AppendStream",
    );
    // The client's side stays open: what ends the stream is the message.
    let messages = tokio_stream::iter(messages).chain(tokio_stream::pending());
    let answers = grpc.streaming(tonic::Request::new(messages), path, codec);
    let mut answers = answers.await.unwrap().into_inner();
    let mut outcomes = Vec::new();
    loop {
        match answers.next().await.expect("a status, not an end") {
            Ok(answer) => outcomes.push(answer.result.unwrap().outcome.unwrap()),
            Err(status) => return (outcomes, status),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_taken_ends_a_stream_with_a_status_after_all_answers_before_it() {
    let archive = TestArchive::new().await;
    let most = archive.daemon.config.connections.message_bytes_max;
    for (round, (unfit, code)) in [
        (vec![0; most + 1], Code::OutOfRange),
        (vec![0xff], Code::Internal),
    ]
    .into_iter()
    .enumerate()
    {
        let good = (0..300).map(|number| {
            let envelope = person(&archive.steward, &format!("person-{round}-{number}"));
            envelope.encode_to_vec()
        });
        let messages = good.chain([unfit]).map(|envelope| AnyEnvelope {
            envelope: envelope.into(),
        });
        let (outcomes, status) = answers_to(&archive.client, messages.collect()).await;
        assert_eq!(outcomes.len(), 300);
        for outcome in outcomes {
            recorded(outcome);
        }
        assert_eq!(status.code(), code, "{status:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_the_daemon_stops_with_all_that_was_answered_on_record() {
    let mut archive = TestArchive::new().await;
    let mut stream = Stream::open(&mut archive.client).await;
    stream.send(person(&archive.steward, "somebody")).await;
    let answer = recorded(stream.answer().await.unwrap());
    let stopping = tokio::task::spawn_blocking(move || archive.daemon.stop());
    let status = stream.answer().await.unwrap_err();
    assert_status(&status, Code::Unavailable, "STOPPING");
    drop((stream, archive.client));
    let daemon = stopping.await.unwrap().start();
    assert_eq!(daemon.client().await.head().await.size, answer.ledger_size);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_on_record_is_answered_with_its_index_and_whether_these_signatures_are() {
    let mut archive = TestArchive::new().await;
    let envelope = archive
        .attestor
        .seal(Kind::ActorDefined(actor("twice", ActorKind::Person)));
    let first = recorded(archive.client.append_envelope(envelope.clone()).await);
    let already = async |client: &mut Client, envelope| match client.append_envelope(envelope).await
    {
        Outcome::AlreadyRecorded(already) => already,
        other => panic!("{other:?}"),
    };
    let client = &mut archive.client;
    let again = already(client, envelope.clone()).await;
    assert_eq!((again.index, &again.record), (first.index, &first.record));
    assert!(again.signatures_on_record);

    let mut by_another = envelope.clone();
    by_another.signatures.clear();
    let by_another = countersign(by_another, &archive.steward.key);
    assert!(!already(client, by_another).await.signatures_on_record);
    let mut forged = envelope.clone();
    forged.signatures[0].signature = vec![7; 64].into();
    assert!(!already(client, forged).await.signatures_on_record);
    let mut unsigned = envelope.clone();
    unsigned.signatures.clear();
    assert!(!already(client, unsigned).await.signatures_on_record);
    let by_both = countersign(envelope, &archive.steward.key);
    assert!(!already(client, by_both).await.signatures_on_record);
    assert_eq!(client.head().await.size, first.index + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_only_attestor_keeps_that_role() {
    let daemon = Home::new().found().start();
    let mut client = daemon.client().await;
    let steward = Signer::steward();
    let first = GetEntryRequest {
        entry: Some(get_entry_request::Entry::Index(0)),
        decode: false,
        proof: false,
    };
    let founding = client.ledger.get_entry(first).await.unwrap();
    let founding = founding.into_inner().entry.unwrap().record_id;
    let again = |roles: &[Role]| {
        let mut enrolled = steward.enrolled(roles);
        if let Kind::VerifierEnrolled(enrolled) = &mut enrolled {
            enrolled.replaces.clone_from(&founding);
        }
        enrolled
    };
    let refusal = client.refused(steward.seal(again(&[Role::Steward]))).await;
    assert_eq!(refusal.reason, "WOULD_LOCK_ARCHIVE");
    let with_both = again(&[Role::Steward, Role::Attestor]);
    client.append(&steward, with_both).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_decides_how_many_must_sign_a_statement_and_nothing_else() {
    let mut archive = TestArchive::new().await;
    let policy = PolicySet {
        attestations_min: 2,
        admission_rules: 1,
    };
    let (steward, attestor) = (&archive.steward, &archive.attestor);
    archive
        .client
        .append(steward, Kind::PolicySet(policy))
        .await;
    let said = statement(
        "putin",
        "2025-08-19",
        common::archive::TEXT,
        common::archive::PASSAGE,
    );
    let envelope = attestor.seal(Kind::StatementRecorded(said));
    let refusal = archive.client.refused(envelope.clone()).await;
    assert_eq!(
        (&refusal.reason[..], &refusal.field[..]),
        ("TOO_FEW_ATTESTATIONS", "signatures")
    );
    let vouched = countersign(envelope, &steward.key);
    let answer = recorded(archive.client.append_envelope(vouched).await);

    let reading = ReadingAdded {
        statement: answer.record,
        speaker: "putin".to_owned(),
        reading: Some(Reading {
            basis: 0,
            ..answered("meeting", Polarity::Open)
        }),
        ..ReadingAdded::default()
    };
    archive
        .client
        .append(&archive.coder, Kind::ReadingAdded(reading))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_verifier_signs_no_more_and_what_they_signed_stays() {
    let mut archive = TestArchive::new().await;
    let newcomer = Signer::new(20);
    let client = &mut archive.client;
    client
        .append(&archive.steward, newcomer.enrolled(&[Role::Attestor]))
        .await;
    let before = client.append_envelope(person(&newcomer, "before")).await;
    let revocation = onrecord::record::proto::VerifierRevoked {
        verifier: newcomer.id(),
        reason: "The key was lost.".to_owned(),
        untrusted_from: None,
    };
    client
        .append(&archive.steward, Kind::VerifierRevoked(revocation))
        .await;
    let refusal = client.refused(person(&newcomer, "after")).await;
    assert_eq!(refusal.reason, "VERIFIER_REVOKED");
    let again = client.append_envelope(person(&newcomer, "before")).await;
    assert!(matches!(
        (before, again),
        (Outcome::Recorded(_), Outcome::AlreadyRecorded(_))
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_sync_poisons_the_ledger_and_is_reported_while_reads_go_on() {
    let archive = InMemory::founded();
    let disk = archive.disk.clone();
    let daemon = archive.start();
    let mut client = daemon.client().await;
    let steward = Signer::steward();
    let size = client.head().await.size;
    assert_eq!(
        health(&client, "onrecord.v1.RecordService").await,
        ServingStatus::Serving
    );

    disk.inject(Step::Sync(disk.syncs() + 1), Fault::Fail);
    let mut stream = Stream::open(&mut client).await;
    let failed = client.try_append(vec![person(&steward, "lost")]).await;
    let status = failed.unwrap_err();
    assert_status(&status, Code::FailedPrecondition, "LEDGER_POISONED");
    let again = client.try_append(vec![person(&steward, "later")]).await;
    assert_status(
        &again.unwrap_err(),
        Code::FailedPrecondition,
        "LEDGER_POISONED",
    );
    stream.send(person(&steward, "streamed")).await;
    let streamed = stream.answer().await.unwrap_err();
    assert_status(&streamed, Code::FailedPrecondition, "LEDGER_POISONED");

    let told = client
        .admin
        .get_status(GetStatusRequest {})
        .await
        .unwrap()
        .into_inner();
    assert!(told.poisoned.contains("a sync failed"), "{}", told.poisoned);
    assert_eq!(client.head().await.size, size);
    wait_until_not_serving(&client, "onrecord.v1.RecordService").await;
    assert_eq!(
        health(&client, "onrecord.v1.LedgerService").await,
        ServingStatus::Serving
    );
    drop((stream, client));
    drop(daemon);
}

async fn health(client: &Client, service: &str) -> ServingStatus {
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let response = HealthClient::new(client.channel.clone())
        .check(request)
        .await;
    response.unwrap().into_inner().status()
}

async fn wait_until_not_serving(client: &Client, service: &str) {
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    let watch = HealthClient::new(client.channel.clone())
        .watch(request)
        .await;
    let mut watch = watch.unwrap().into_inner();
    let waiting = async {
        while let Some(Ok(response)) = watch.next().await {
            if response.status() == ServingStatus::NotServing {
                return;
            }
        }
        panic!("the watch ended");
    };
    tokio::time::timeout(Duration::from_secs(30), waiting)
        .await
        .expect("it is told");
}
