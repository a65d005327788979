//! Founding, starting, stopping, and what a daemon tells of itself.
#![cfg(feature = "daemon")]

mod common;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use common::daemon::Home;
use common::records::{ORIGIN, actor};
use common::{TestArchive, assert_blames};
use onrecord::app::{self, AppError, ArchiveState, World};
use onrecord::record::proto::{ActorKind, record::Kind};
use onrecord::rpc::proto::{GetPositionRequest, GetStatusRequest, ListProjectionsRequest};
use onrecord::storage::{DataDir, DataDirError, SledFrames};
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;

const SERVICES: [&str; 6] = [
    "onrecord.v1.AdminService",
    "onrecord.v1.CatalogService",
    "onrecord.v1.LedgerService",
    "onrecord.v1.PositionService",
    "onrecord.v1.RecordService",
    "onrecord.v1.SourceService",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_finds_everything() {
    let mut archive = TestArchive::new().await;
    let request = GetPositionRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        as_of: "2025-09-01".to_owned(),
        at_least_size: archive.size,
        ..GetPositionRequest::default()
    };
    let positions = &mut archive.client.positions;
    let before = positions
        .get_position(request.clone())
        .await
        .unwrap()
        .into_inner();
    let head = archive.client.head().await;
    drop(archive.client);
    let daemon = archive.daemon.restart();
    let mut client = daemon.client().await;
    assert_eq!(client.head().await, head);
    let after = client
        .positions
        .get_position(request)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(after, before);
    let again = common::archive::for_the_kremlin("2025-08-19");
    let envelope = archive.attestor.seal(Kind::StatementRecorded(again));
    let outcome = client.append_envelope(envelope).await;
    assert!(matches!(
        outcome,
        onrecord::rpc::proto::append_result::Outcome::AlreadyRecorded(_)
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_tells_how_it_is() {
    let mut archive = TestArchive::new().await;
    let head = archive.client.head().await;
    let admin = &mut archive.client.admin;
    let status = admin
        .get_status(GetStatusRequest {})
        .await
        .unwrap()
        .into_inner();
    assert_eq!((&status.origin[..], &status.poisoned[..]), (ORIGIN, ""));
    assert_eq!(status.release, env!("CARGO_PKG_VERSION"));
    assert_eq!(status.head, Some(head));
    assert!(status.uptime.is_some() && status.time.is_some());
    let listed = admin.list_projections(ListProjectionsRequest {}).await;
    let listed = listed.unwrap().into_inner().projections;
    let names: Vec<_> = listed
        .iter()
        .map(|projection| &projection.name[..])
        .collect();
    assert_eq!(names, ["catalog", "positions", "postings", "statements"]);
    for projection in listed {
        assert_eq!((projection.digest.len(), &projection.failed[..]), (64, ""));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_is_reported_as_serving() {
    let archive = TestArchive::new().await;
    let mut health = HealthClient::new(archive.client.channel.clone());
    for service in SERVICES.into_iter().chain([""]) {
        let service = service.to_owned();
        let answer = health.check(HealthCheckRequest { service }).await.unwrap();
        assert_eq!(answer.into_inner().status(), ServingStatus::Serving);
    }
    let service = "onrecord.v1.NoService".to_owned();
    let unknown = health
        .check(HealthCheckRequest { service })
        .await
        .unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_tells_services_and_the_record_messages() {
    let archive = TestArchive::new().await;
    let mut reflection = ServerReflectionClient::new(archive.client.channel.clone());
    let mut ask = async |message_request| {
        let request = ServerReflectionRequest {
            host: String::new(),
            message_request: Some(message_request),
        };
        let answers = reflection.server_reflection_info(tokio_stream::iter([request]));
        let mut answers = answers.await.unwrap().into_inner();
        answers
            .next()
            .await
            .unwrap()
            .unwrap()
            .message_response
            .unwrap()
    };
    let MessageResponse::ListServicesResponse(listed) =
        ask(MessageRequest::ListServices(String::new())).await
    else {
        panic!("no list");
    };
    let names: Vec<_> = listed
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    for service in SERVICES.into_iter().chain(["grpc.health.v1.Health"]) {
        assert!(
            names.iter().any(|name| name == service),
            "{service} in {names:?}"
        );
    }
    let symbol = "onrecord.record.v1.Statement".to_owned();
    let found = ask(MessageRequest::FileContainingSymbol(symbol)).await;
    assert!(
        matches!(found, MessageResponse::FileDescriptorResponse(_)),
        "{found:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_answers_by_its_older_name_too() {
    use tonic_reflection::pb::v1alpha as alpha;

    let archive = TestArchive::new().await;
    let channel = archive.client.channel.clone();
    let mut reflection = alpha::server_reflection_client::ServerReflectionClient::new(channel);
    let request = alpha::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(
            alpha::server_reflection_request::MessageRequest::ListServices(String::new()),
        ),
    };
    let answers = reflection.server_reflection_info(tokio_stream::iter([request]));
    let answer = answers.await.unwrap().into_inner().next().await;
    let listed = answer.unwrap().unwrap().message_response;
    assert!(
        matches!(
            listed,
            Some(alpha::server_reflection_response::MessageResponse::ListServicesResponse(_))
        ),
        "{listed:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checkpoint_key_is_made_at_founding_for_its_owner_alone() {
    let home = Home::new().found();
    let key = home.data_dir().join("signer/checkpoint.key");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let public = onrecord::config::keys::read(&key).unwrap().public();
    let mut archive = TestArchive::on(home.start()).await;
    let request = onrecord::rpc::proto::GetEntryRequest {
        entry: Some(onrecord::rpc::proto::get_entry_request::Entry::Index(0)),
        decode: true,
    };
    let first = archive
        .client
        .ledger
        .get_entry(request)
        .await
        .unwrap()
        .into_inner();
    match first.entry.unwrap().record.unwrap().kind {
        Some(Kind::ArchiveFounded(founded)) => {
            assert_eq!(founded.checkpoint_key, public.to_string());
            assert_eq!(founded.verifiers[0].roles.len(), 4);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_archive_is_founded_once() {
    let home = Home::new();
    assert_eq!(app::look(&home.data_dir()).unwrap(), ArchiveState::Nothing);
    let home = home.found();
    assert_eq!(app::look(&home.data_dir()).unwrap(), ArchiveState::Founded);
    assert!(matches!(
        home.try_found(),
        Err(AppError::AlreadyFounded { .. })
    ));
}

#[test]
fn founding_that_was_cut_short_is_not_served_and_can_be_done_again() {
    let home = Home::new();
    drop(DataDir::create(&home.data_dir()).unwrap());
    assert_eq!(
        app::look(&home.data_dir()).unwrap(),
        ArchiveState::Unfounded
    );
    let refused = || {
        let error = run(&home).unwrap_err();
        assert!(matches!(error, AppError::NotFounded { .. }), "{error}");
    };
    refused();
    let dir = DataDir::open(&home.data_dir()).unwrap();
    SledFrames::create(&dir.ledger(), &*dir.syncer()).unwrap();
    drop(dir);
    refused();
    drop(home.found().start());
}

#[test]
fn an_archive_whose_head_was_lost_after_entry_0_is_an_archive() {
    let home = Home::new().found();
    std::fs::remove_file(home.data_dir().join("HEAD")).unwrap();
    assert_eq!(app::look(&home.data_dir()).unwrap(), ArchiveState::Founded);
    drop(home.start());
}

#[test]
fn an_origin_that_cannot_name_an_archive_is_refused_before_anything_is_made() {
    let home = Home::new();
    let steward = common::Signer::steward();
    for origin in ["", "two words", "a+b"] {
        let error = app::found(&home.config, origin, &steward.key, World::real()).unwrap_err();
        assert!(matches!(error, AppError::Origin { .. }), "{error}");
    }
    assert!(!home.data_dir().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_in_use_is_refused_in_a_sentence() {
    let archive = TestArchive::new().await;
    let config = archive.daemon.config.clone();
    let error = std::thread::spawn(move || {
        app::run(&config, World::real(), |_| (), std::future::pending())
    });
    let error = error.join().unwrap().unwrap_err();
    assert!(
        matches!(error, AppError::DataDir(DataDirError::Locked { .. })),
        "{error}"
    );
    assert!(
        error.to_string().contains("in use by a running daemon"),
        "{error}"
    );
}

#[test]
fn an_address_in_use_is_refused_in_a_sentence() {
    let mut home = Home::new().found();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    home.config.listen = taken.local_addr().unwrap();
    let error = run(&home).unwrap_err();
    assert!(matches!(error, AppError::Listen { .. }), "{error}");
    assert!(error.to_string().contains("--listen"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_is_refused_and_the_connection_lives_on() {
    let mut archive = TestArchive::new().await;
    let mut actor = actor("large", ActorKind::Person);
    actor.names[0].name = "a".repeat(5 << 20);
    let envelope = archive.steward.seal(Kind::ActorDefined(actor));
    let status = archive.client.try_append(vec![envelope]).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);
    assert_eq!(archive.client.head().await.size, archive.size);
    let status = archive.client.try_append(Vec::new()).await.unwrap_err();
    assert_blames(
        &status,
        Code::InvalidArgument,
        "INVALID_REQUEST",
        "envelopes",
    );
}

/// What comes of running a daemon that must not start.
fn run(home: &Home) -> Result<(), AppError> {
    let never = |_| panic!("it started");
    app::run(&home.config, World::real(), never, std::future::pending())
}
