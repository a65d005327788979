//! Founding, starting, stopping, and what a daemon tells of itself.
#![cfg(feature = "daemon")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use common::daemon::Home;
use common::records::{ORIGIN, actor};
use common::{TestArchive, assert_blames};
use onrecord::app::{self, AppError, ArchiveState, World};
use onrecord::ledger::OpenError;
use onrecord::record::proto::{ActorKind, record::Kind};
use onrecord::rpc::proto::{GetPositionRequest, GetStatusRequest, ListProjectionsRequest};
use onrecord::storage::{DataDir, DataDirError, Head, SledFrames};
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

/// What is read from a connection up to its end, however it ends.
fn to_its_end(mut connection: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Whether it is reset or closed is the operating system's affair.
    let _ = connection.read_to_end(&mut bytes);
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn silent_connections_make_room_for_who_has_something_to_say() {
    let mut home = Home::new();
    home.config.connections.open_max = 2;
    home.config.connections.opening_seconds_max = 1;
    let daemon = home.found().start();
    let silent = [(); 2].map(|()| TcpStream::connect(daemon.address).unwrap());
    let mut client = daemon.client().await;
    assert_eq!(client.head().await.size, 1);
    for silent in silent {
        assert!(to_its_end(silent).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_has_all_its_connections_is_turned_away() {
    let mut home = Home::new();
    home.config.connections.open_per_peer_max = 1;
    let daemon = home.found().start();
    let mut client = daemon.client().await;
    assert_eq!(client.head().await.size, 1);
    let second = TcpStream::connect(daemon.address).unwrap();
    assert!(to_its_end(second).is_empty());
    assert_eq!(client.head().await.size, 1);
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
    assert_eq!(
        names,
        ["catalog", "positions", "postings", "statements", "tiles"]
    );
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
    let key = home.config.signer_dir().join("checkpoint.key");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let public = onrecord::config::keys::read(&key).unwrap().public();
    let mut archive = TestArchive::on(home.start()).await;
    let request = onrecord::rpc::proto::GetEntryRequest {
        entry: Some(onrecord::rpc::proto::get_entry_request::Entry::Index(0)),
        decode: true,
        proof: false,
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
    SledFrames::create(&dir.parts().ledger(), &*dir.syncer()).unwrap();
    drop(dir);
    refused();
    drop(home.found().start());
}

/// Every file below a directory with its bytes.
fn bytes_below(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(bytes_below(&path));
        } else {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

/// That the archive is not served, and that its ledger is left as it is, down to the bytes; the
/// reason.
fn refused_untouched(home: &Home) -> AppError {
    let ledger = home.data_dir().join("ledger");
    let before = bytes_below(&ledger);
    let error = run(home).unwrap_err();
    assert!(bytes_below(&ledger) == before, "it was changed: {error}");
    error
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_whose_head_is_lost_is_refused_untouched_until_somebody_vouches_for_it() {
    let archive = TestArchive::new().await;
    let size = archive.size;
    drop(archive.client);
    let mut home = archive.daemon.stop();
    let head = home.data_dir().join("HEAD");
    let noted = fs::read(&head).unwrap();
    assert!(app::accept_ledger_as_found(&home.config).unwrap().is_none());
    for damage in [None, Some(&b"onrecord head\n"[..])] {
        match damage {
            None => fs::remove_file(&head).unwrap(),
            Some(bytes) => fs::write(&head, bytes).unwrap(),
        }
        let error = refused_untouched(&home);
        match (damage, &error) {
            (None, AppError::Ledger(OpenError::NoHead { found })) => assert_eq!(*found, size),
            (Some(_), AppError::DataDir(DataDirError::HeadDamaged { .. })) => {}
            _ => panic!("{error}"),
        }
        let said = error.to_string();
        assert!(said.contains("--accept-ledger-as-found"), "{said}");
        let accepted = app::accept_ledger_as_found(&home.config).unwrap();
        assert_eq!(accepted.map(|head| head.size), Some(size));
        assert_eq!(fs::read(&head).unwrap(), noted);
        home = home.start().stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_contradicts_head_is_refused_untouched() {
    let archive = TestArchive::new().await;
    let longer = archive.size + 1;
    drop(archive.client);
    let home = archive.daemon.stop();
    let other = Home::new().found();
    fs::copy(other.data_dir().join("HEAD"), home.data_dir().join("HEAD")).unwrap();
    let error = refused_untouched(&home);
    assert!(
        matches!(
            error,
            AppError::Ledger(OpenError::ContradictsHead { size: 1, .. })
        ),
        "{error}"
    );
    let dir = DataDir::open(&home.data_dir()).unwrap();
    let root = [7; 32];
    dir.write_head(&Head { size: longer, root }).unwrap();
    drop(dir);
    let error = refused_untouched(&home);
    assert!(
        matches!(error, AppError::Ledger(OpenError::ShorterThanHead { noted, .. }) if noted == longer),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_ledger_is_never_opened_for_writing() {
    let archive = TestArchive::new().await;
    drop(archive.client);
    let home = archive.daemon.stop();
    let log = home.data_dir().join("ledger/frames/db");
    let mut bytes = fs::read(&log).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[used / 2] ^= 0x10;
    fs::write(&log, bytes).unwrap();
    refused_untouched(&home);
}

#[test]
fn an_archive_whose_count_of_openings_is_lost_goes_on() {
    let mut home = Home::new().found();
    for _ in 0..2 {
        home = home.start().stop();
    }
    for count in [Some("0"), None] {
        let path = home.data_dir().join("ledger/EPOCH");
        match count {
            Some(count) => fs::write(&path, count).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        home = home.start().stop();
    }
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
