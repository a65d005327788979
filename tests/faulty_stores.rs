//! Stores that fail beneath a running daemon: what callers are told, by code and reason, what
//! goes on, and that the daemon still ends.
#![cfg(feature = "daemon")]

mod common;

use std::io;
use std::sync::mpsc;
use std::time::Duration;

use common::http;
use common::records::{TEXT_OF_ONE_LINE, actor, source};
use common::stores::{Frames, Gate, InMemory};
use common::{Client, Signer, assert_status};
use onrecord::record::proto::{ActorKind, Envelope, record::Kind};
use onrecord::rpc::proto::append_result::Outcome;
use onrecord::rpc::proto::{
    GetActorRequest, GetEntryRequest, GetInclusionProofRequest, GetSourceRequest, GetStatusRequest,
    GetStatusResponse, get_entry_request, get_inclusion_proof_request,
};
use onrecord::storage::{
    AppendOutcome, BlobError, FrameStore as _, IoFault, Poison, PoisonCause, StoreError,
};
use tonic::Code;
use tonic_types::StatusExt as _;

fn person(id: &str) -> Envelope {
    Signer::steward().seal(Kind::ActorDefined(actor(id, ActorKind::Person)))
}

fn io_fault(kind: io::ErrorKind) -> BlobError {
    BlobError::Io(IoFault {
        action: "open",
        path: "sources".into(),
        source: kind.into(),
    })
}

async fn status(client: &mut Client) -> GetStatusResponse {
    let status = client.admin.get_status(GetStatusRequest {}).await;
    status.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_poisons_the_ledger_and_is_reported_while_reads_go_on() {
    let archive = InMemory::founded();
    let frames = Frames::on(&archive.disk).appending(|_, _, _, _| {
        AppendOutcome::Unknown(Poison {
            cause: PoisonCause::DiskFull,
            detail: "no space left on device".to_owned(),
        })
    });
    let daemon = archive.start_with_frames(frames);
    let mut client = daemon.client().await;
    for id in ["first", "second"] {
        let failed = client.try_append(vec![person(id)]).await.unwrap_err();
        assert_status(&failed, Code::FailedPrecondition, "LEDGER_POISONED");
        assert!(failed.message().contains("the disk is full"), "{failed}");
    }
    let poisoned = status(&mut client).await.poisoned;
    assert!(poisoned.contains("the disk is full"), "{poisoned}");
    assert_eq!(client.head().await.size, 1);
    let request = GetEntryRequest {
        entry: Some(get_entry_request::Entry::Index(0)),
        decode: true,
        proof: false,
    };
    client.ledger.get_entry(request).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_is_overload_and_says_when_to_try_again() {
    let mut archive = InMemory::founded();
    archive.home.config.queue_records_max = 1;
    let gate = Gate::default();
    let closed = gate.clone();
    let frames = Frames::on(&archive.disk).appending(move |frames, first, count, frame| {
        closed.pass();
        frames.append(first, count, frame)
    });
    let daemon = archive.start_with_frames(frames);
    let mut client = daemon.client().await;
    let mut first = client.clone();
    let first = tokio::spawn(async move { first.append_envelope(person("first")).await });
    let waiting = gate.clone();
    let arrived = tokio::task::spawn_blocking(move || waiting.wait_for_somebody());
    arrived.await.unwrap();

    let refused = client.try_append(vec![person("second")]).await.unwrap_err();
    assert_status(&refused, Code::Unavailable, "OVERLOADED");
    let details = refused.get_error_details();
    let wait = details.retry_info().and_then(|info| info.retry_delay);
    assert!(wait.is_some_and(|wait| !wait.is_zero()), "{wait:?}");

    gate.open();
    assert!(matches!(first.await.unwrap(), Outcome::Recorded(_)));
    let again = client.append_envelope(person("second")).await;
    assert!(matches!(again, Outcome::Recorded(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_find_no_space_are_refused_as_a_full_disk() {
    let daemon =
        InMemory::founded().start_with_sources(|| Err(io_fault(io::ErrorKind::StorageFull)));
    let mut client = daemon.client().await;
    let refused = client.put_source("text/plain", b"text").await.unwrap_err();
    assert_status(&refused, Code::ResourceExhausted, "DISK_FULL");
    // The ledger has a disk of its own.
    let outcome = client.append_envelope(person("anybody")).await;
    assert!(matches!(outcome, Outcome::Recorded(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn documents_that_cannot_be_opened_are_a_storage_failure() {
    let daemon =
        InMemory::founded().start_with_sources(|| Err(io_fault(io::ErrorKind::PermissionDenied)));
    let mut client = daemon.client().await;
    let request = GetSourceRequest {
        source: source(TEXT_OF_ONE_LINE).source,
    };
    let failed = client.sources.get_source(request).await.unwrap_err();
    assert_status(&failed, Code::Internal, "STORAGE_FAILED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_over_records_is_a_defect_and_the_next_records_are_taken() {
    let daemon = InMemory::founded().start_with_sources(|| panic!("as if by a defect"));
    let mut client = daemon.client().await;
    let envelope = Signer::steward().seal(Kind::SourceArchived(source(TEXT_OF_ONE_LINE)));
    let failed = client.try_append(vec![envelope]).await.unwrap_err();
    assert_status(&failed, Code::Internal, "DEFECT");
    let outcome = client.append_envelope(person("anybody")).await;
    assert!(matches!(outcome, Outcome::Recorded(_)));
    assert_eq!(status(&mut client).await.poisoned, "");
}

/// Whether this is a thread on which a projection is built or follows the ledger. What one of
/// them has read is kept for the others, so that all of them must fail if one is to.
fn is_follower() -> bool {
    let thread = std::thread::current();
    let of = |projection: &&str| {
        let name = thread.name().unwrap_or_default();
        name.starts_with(&format!("onrecord-{projection}"))
    };
    let projections = ["catalog", "positions", "postings", "statements", "tiles"];
    projections.iter().any(of)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_projection_that_cannot_read_fails_by_itself_and_is_reported() {
    let archive = InMemory::founded();
    let frames = Frames::on(&archive.disk).before_each_read(|| {
        if is_follower() {
            return Err(StoreError::Engine {
                detail: "as if by a failing disk".to_owned(),
            });
        }
        Ok(())
    });
    let daemon = archive.start_with_frames(frames);
    let mut client = daemon.client().await;
    let request = GetActorRequest {
        actor_id: "anybody".to_owned(),
        known_at: Some(1),
        known_at_time: None,
        at_least_size: 0,
    };
    let failed = client.catalog.get_actor(request).await.unwrap_err();
    assert_status(&failed, Code::Internal, "PROJECTION_FAILED");
    let projections = status(&mut client).await.projections;
    let catalog = projections
        .iter()
        .find(|projection| projection.name == "catalog");
    let told = &catalog.unwrap().failed;
    assert!(told.contains("as if by a failing disk"), "{told}");
    let tile = http::get(daemon.address, "/tile/0/000.p/1");
    assert_eq!(tile.status, 500);
    assert!(tile.text().contains("the projection tiles"), "{tile:?}");
    let outcome = client.append_envelope(person("anybody")).await;
    assert!(matches!(outcome, Outcome::Recorded(_)));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_from_a_projection_before_it_is_built_and_its_progress_is_told() {
    let mut archive = InMemory::founded();
    archive.home.config.wait_seconds_max = 1;
    let gate = Gate::default();
    let closed = gate.clone();
    let frames = Frames::on(&archive.disk).before_each_read(move || {
        if is_follower() {
            closed.pass();
        }
        Ok(())
    });
    let daemon = archive.start_with_frames(frames);
    let mut client = daemon.client().await;
    let request = GetActorRequest {
        actor_id: "anybody".to_owned(),
        known_at: Some(1),
        ..GetActorRequest::default()
    };
    let refused = client.catalog.get_actor(request.clone()).await.unwrap_err();
    assert_status(&refused, Code::Unavailable, "PROJECTION_BUILDING");
    let told = refused.message();
    assert!(told.contains("0 of 1 entries"), "{told}");
    let tile = http::get(daemon.address, "/tile/0/000.p/1");
    assert_eq!((tile.status, tile.header("retry-after")), (503, Some("1")));
    let proof = GetInclusionProofRequest {
        entry: Some(get_inclusion_proof_request::Entry::Index(0)),
        size: 1,
    };
    let refused = client.ledger.get_inclusion_proof(proof).await.unwrap_err();
    assert_status(&refused, Code::Unavailable, "PROJECTION_BUILDING");
    let listed = status(&mut client).await.projections;
    for projection in listed {
        let building = projection.building.unwrap();
        assert_eq!(building.version, projection.version);
        assert_eq!((building.done, building.total), (0, 1));
    }
    gate.open();
    // Once it is built it answers.
    loop {
        let failed = client.catalog.get_actor(request.clone()).await.unwrap_err();
        if failed.code() == Code::NotFound {
            break;
        }
        assert_status(&failed, Code::Unavailable, "PROJECTION_BUILDING");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_whose_disk_never_answers_ends_all_the_same() {
    let mut archive = InMemory::founded();
    archive.home.config.drain_seconds_max = 0;
    archive.home.config.stop_seconds_max = 1;
    let gate = Gate::default();
    let closed = gate.clone();
    let frames = Frames::on(&archive.disk).before_each_read(move || {
        if is_follower() {
            closed.pass();
        }
        Ok(())
    });
    let daemon = archive.start_with_frames(frames);
    let (ended, has_ended) = mpsc::channel();
    let stopping = std::thread::spawn(move || {
        drop(daemon.stop());
        ended.send(())
    });
    let waited = tokio::task::spawn_blocking(move || {
        // Far longer than the second that it may take.
        has_ended.recv_timeout(Duration::from_mins(1))
    });
    assert_eq!(waited.await.unwrap(), Ok(()));
    gate.open();
    stopping.join().unwrap().unwrap();
}
