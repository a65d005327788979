//! How watches live and end: changes come as they are recorded, a daemon that stops names where
//! to resume, and what cannot be watched is refused.

use std::fs;

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{Polarity, Role, StatementRetracted};
use onrecord::rpc::proto::{
    ChangeKind, Finding, PositionFilter, WatchPositionsRequest, WatchedPosition,
};
use onrecord::storage::DataDir;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::common::archive::for_the_kremlin;
use crate::common::daemon::{Daemon, Home};
use crate::common::records::topic;
use crate::common::{Signer, TestArchive, assert_blames, assert_status};
use crate::{Message, Watched, from, place};

fn kremlin(start: Option<u64>) -> WatchPositionsRequest {
    WatchPositionsRequest {
        actor: "kremlin".to_owned(),
        start,
        ..WatchPositionsRequest::default()
    }
}

fn against(said_at: &str) -> Kind {
    let mut said = for_the_kremlin(said_at);
    said.readings[0].polarity = Polarity::Opposes.into();
    said.readings[0].conditions.clear();
    Kind::StatementRecorded(said)
}

fn retracted(statement: &str) -> Kind {
    Kind::StatementRetracted(StatementRetracted {
        statement: statement.to_owned(),
        speaker: "lavrov".to_owned(),
        said_for: vec!["kremlin".to_owned()],
        reason: "It was fabricated.".to_owned(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_comes_when_its_record_does_and_what_changes_nothing_does_not() {
    let mut archive = TestArchive::new().await;
    let client = &mut archive.client;
    let mut watched = Watched::new(client, kremlin(None)).await;
    let (changes, mark) = watched.until_the_mark().await;
    assert_eq!((changes.len(), mark.size), (0, archive.size));

    client
        .append(&archive.steward, Kind::TopicDefined(topic("price")))
        .await;
    // Said earlier: it decides nothing.
    client
        .append(&archive.attestor, against("2025-08-10"))
        .await;
    let reversed = client
        .append(&archive.attestor, against("2025-08-20"))
        .await;
    let change = watched.change().await;
    assert_eq!(
        (change.index, &change.record),
        (reversed.index, &reversed.record)
    );
    assert_eq!(change.record_kind, "statement_recorded");
    assert_eq!(change.recorded_at, reversed.recorded_at);
    assert_eq!(change.comparison.unwrap().kind(), ChangeKind::TookSide);
    let before = change.before.unwrap();
    assert_eq!(before.stance.unwrap().polarity(), Polarity::Open);
    assert_eq!(before.deciding.unwrap().statement, archive.statement);
    let position = change.position.unwrap();
    assert_eq!(position.stance.unwrap().polarity(), Polarity::Opposes);
    let basis = change.basis.unwrap();
    assert_eq!((basis.known_at, &basis.as_of[..]), (reversed.index + 1, ""));

    client
        .append(&archive.attestor, retracted(&reversed.record))
        .await;
    let change = watched.change().await;
    assert_eq!(change.record_kind, "statement_retracted");
    assert_eq!(
        change.position.unwrap().deciding.unwrap().statement,
        archive.statement
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_stops_says_where_to_resume_and_the_next_one_goes_on_there() {
    let mut archive = TestArchive::new().await;
    let mut watched = Watched::new(&mut archive.client, from(0)).await;
    let (changes, _) = watched.until_the_mark().await;
    let told: Vec<_> = changes
        .iter()
        .map(place)
        .map(|(_, pair)| pair.actor)
        .collect();
    assert_eq!(told, ["kremlin", "lavrov", "russia"]);
    let stopped = tokio::task::spawn_blocking(|| archive.daemon.stop());
    let status = watched.next().await.unwrap_err();
    assert_status(&status, Code::Unavailable, "STOPPING");
    let details = status.get_error_details();
    let resume_from = &details.error_info().unwrap().metadata["resume_from"];
    let next: u64 = resume_from.parse().unwrap();
    assert_eq!(next, archive.size);
    drop((watched, archive.client));

    let daemon = stopped.await.unwrap().start();
    let mut client = daemon.client().await;
    let gone = client
        .append(&archive.attestor, retracted(&archive.statement))
        .await;
    let mut watched = Watched::new(&mut client, from(next)).await;
    for actor in ["kremlin", "lavrov", "russia"] {
        let change = watched.change().await;
        let (index, pair) = place(&change);
        assert_eq!((index, &pair.actor[..]), (gone.index, actor));
        assert_eq!(change.position.unwrap().finding(), Finding::NoRecord);
        assert_eq!(
            change.comparison.unwrap().kind(),
            ChangeKind::NoLongerOnRecord
        );
    }
    let (changes, mark) = watched.until_the_mark().await;
    assert_eq!((changes.len(), mark.size), (0, gone.ledger_size));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_projections_have_not_read_yet_is_waited_for_wherever_the_watch_begins() {
    // Projections of before what follows.
    let home = Daemon::founded().stop();
    let projections = DataDir::open(&home.data_dir())
        .unwrap()
        .parts()
        .projections();
    let older = projections.with_extension("older");
    fs::rename(&projections, &older).unwrap();
    fs::create_dir(&projections).unwrap();
    let daemon = home.start();
    let mut client = daemon.client().await;
    let names = client.define_people(5_000).await;
    let size = client.head().await.size;
    drop(client);
    let home = daemon.stop();
    fs::remove_dir_all(&projections).unwrap();
    fs::rename(&older, &projections).unwrap();

    let daemon = home.start();
    let request = WatchPositionsRequest {
        actor: names[4_999].clone(),
        ..from(0)
    };
    let mut watched = Watched::new(&mut daemon.client().await, request).await;
    let (changes, mark) = watched.until_the_mark().await;
    assert_eq!((changes.len(), mark.size), (0, size));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_who_signs_for_the_first_time_after_the_watch_began_is_heard() {
    let mut archive = TestArchive::new().await;
    let newcomer = Signer::new(30);
    let client = &mut archive.client;
    client
        .append(&archive.steward, newcomer.enrolled(&[Role::Attestor]))
        .await;
    let request = WatchPositionsRequest {
        filter: Some(PositionFilter {
            verifiers: vec![newcomer.id()],
            ..PositionFilter::default()
        }),
        ..kremlin(None)
    };
    let mut watched = Watched::new(client, request).await;
    let (changes, _) = watched.until_the_mark().await;
    assert_eq!(changes, []);
    let said = client.append(&newcomer, against("2025-08-18")).await;
    let change = watched.change().await;
    assert_eq!(change.index, said.index);
    assert_eq!(change.comparison.unwrap().kind(), ChangeKind::FirstStated);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_in_which_nothing_comes_is_told_that_it_lives_and_takes_a_place() {
    let mut home = Home::new();
    home.config.subscriptions.heartbeat_seconds = 1;
    home.config.subscriptions.open_max = 1;
    let mut archive = TestArchive::on(home.found().start()).await;
    let client = &mut archive.client;
    let mut watched = Watched::new(client, kremlin(None)).await;
    let (_, mark) = watched.until_the_mark().await;
    let heartbeat = watched.next().await.unwrap();
    assert_eq!(heartbeat, Message::Heartbeat(mark));
    let full = Watched::try_new(client, kremlin(None)).await.err().unwrap();
    assert_status(&full, Code::Unavailable, "OVERLOADED");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_watched_is_refused_by_its_field() {
    let mut archive = TestArchive::new().await;
    let size = archive.size;
    let request = |change: fn(&mut WatchPositionsRequest)| {
        let mut request = kremlin(Some(0));
        change(&mut request);
        request
    };
    let filter = |change: fn(&mut PositionFilter)| {
        let mut filter = PositionFilter::default();
        change(&mut filter);
        Some(filter)
    };
    let filtered = WatchPositionsRequest {
        filter: filter(|it| it.wordings = vec![77]),
        ..kremlin(None)
    };
    let invalid = (Code::InvalidArgument, "INVALID_REQUEST");
    for (request, (code, reason), field) in [
        (
            kremlin(Some(size + 1)),
            (Code::OutOfRange, "BEYOND_THE_HEAD"),
            "start",
        ),
        (request(|it| it.actor = "A".to_owned()), invalid, "actor"),
        (
            request(|it| it.actor = "nobody".to_owned()),
            (Code::NotFound, "UNKNOWN_ACTOR"),
            "actor",
        ),
        (
            request(|it| it.topic = "nothing".to_owned()),
            (Code::NotFound, "UNKNOWN_TOPIC"),
            "topic",
        ),
        (
            request(|it| it.as_of = "soon".to_owned()),
            (Code::InvalidArgument, "INVALID_DATE"),
            "asOf",
        ),
        (
            request(|it| it.after = Some(WatchedPosition::default())),
            invalid,
            "after.actor",
        ),
        (filtered, invalid, "filter.wordings"),
    ] {
        let status = Watched::try_new(&mut archive.client, request)
            .await
            .err()
            .unwrap();
        assert_blames(&status, code, reason, field);
    }
    // What is misspelt is told from what is not on record.
    for (request, meant) in [
        (request(|it| it.actor = "kremlim".to_owned()), "kremlin"),
        (request(|it| it.topic = "meating".to_owned()), "meeting"),
    ] {
        let status = Watched::try_new(&mut archive.client, request).await;
        let status = status.err().unwrap();
        let question = format!("(did you mean \"{meant}\"?)");
        assert!(status.message().contains(&question), "{status}");
    }
}
