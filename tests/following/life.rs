//! How subscriptions end: with the daemon, for want of a place, or because the client does not
//! keep up. Each end names the index to resume from.

use std::io::Write as _;
use std::net::SocketAddr;

use onrecord::record::proto::record::Kind;
use onrecord::rpc::proto::subscribe_response::Message;
use onrecord::rpc::proto::{SubscribeRequest, ledger_service_client::LedgerServiceClient};
use tonic::Code;
use tonic::transport::Endpoint;

use crate::common::daemon::Home;
use crate::common::records::bulky;
use crate::common::{Client, Signer, TestArchive, assert_status};
use crate::{Followed, from, indexes, person, resume_from};

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_stops_says_where_to_resume_and_the_next_one_goes_on_there() {
    let mut archive = TestArchive::new().await;
    let mut followed = Followed::new(&mut archive.client, from(0)).await;
    let (entries, _) = followed.until_the_mark().await;
    archive.client.append(&archive.steward, person("one")).await;
    assert_eq!(followed.entry().await.index, entries.len() as u64);
    let stopped = tokio::task::spawn_blocking(|| archive.daemon.stop());
    let status = followed.next().await.unwrap_err();
    assert_status(&status, Code::Unavailable, "STOPPING");
    let next = resume_from(&status);
    assert_eq!(next, archive.size + 1);
    drop((followed, archive.client));

    let daemon = stopped.await.unwrap().start();
    let mut client = daemon.client().await;
    let mut followed = Followed::new(&mut client, from(next)).await;
    let (entries, _) = followed.until_the_mark().await;
    assert_eq!(entries, []);
    client.append(&archive.steward, person("two")).await;
    assert_eq!(followed.entry().await.index, next);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_subscriptions_are_open_than_the_bound_says() {
    let mut home = Home::new().found();
    home.config.subscriptions.open_max = 2;
    let mut archive = TestArchive::on(home.start()).await;
    let mut first = Followed::new(&mut archive.client, from(0)).await;
    let second = Followed::new(&mut archive.client, from(0)).await;
    let third = Followed::try_new(&mut archive.client, from(0)).await;
    assert_status(&third.err().unwrap(), Code::Unavailable, "OVERLOADED");
    first.until_the_mark().await;
    drop(second);
    // Its place is free once the daemon knows.
    while let Err(status) = Followed::try_new(&mut archive.client, from(0)).await {
        assert_status(&status, Code::Unavailable, "OVERLOADED");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_takes_nothing_is_dropped_and_resumes_without_loss() {
    const PEOPLE: u64 = 20;
    const WINDOW_BYTES: u32 = 65_535;
    let home = tempfile::tempdir().unwrap();
    let settings = home.path().join("settings.json");
    let mut file = std::fs::File::create(&settings).unwrap();
    write!(file, r#"{{"subscriptions": {{"slow_seconds_max": 1}}}}"#).unwrap();
    let origin = crate::common::records::ORIGIN;
    let arguments = ["--config", "settings.json", "--origin", origin];
    let daemon = crate::program::Daemon::start_in(home, &arguments);
    let steward = Signer {
        key: onrecord::config::keys::read(&daemon.key()).unwrap(),
    };
    let address: SocketAddr = daemon.server["http://".len()..].parse().unwrap();
    let mut client = Client::connect(address).await;

    let small = Endpoint::from_shared(daemon.server.clone())
        .unwrap()
        .initial_stream_window_size(WINDOW_BYTES)
        .connect()
        .await
        .unwrap();
    let mut slow = LedgerServiceClient::new(small);
    let stalled = slow.subscribe(SubscribeRequest::default()).await;
    let mut stalled = Followed(stalled.unwrap().into_inner());
    let (_, mark) = stalled.until_the_mark().await;
    // Far more than its window and what waits for it: 20 × 60 KB, two in a frame, so that it
    // is cut off within one.
    for number in (0..PEOPLE).step_by(2) {
        let people = [number, number + 1]
            .map(|number| steward.seal(Kind::ActorDefined(bulky(&format!("person-{number}")))));
        client.try_append(people.into()).await.unwrap();
    }
    while !daemon.stderr().contains("a subscriber was dropped") {
        tokio::task::yield_now().await;
    }

    let mut next = mark.size;
    let status = loop {
        match stalled.next().await {
            Ok(Message::Entry(entry)) => {
                assert_eq!(entry.index, next);
                next += 1;
            }
            Ok(Message::Heartbeat(_)) => {}
            Ok(Message::CaughtUp(_)) => panic!("a second mark"),
            Err(status) => break status,
        }
    };
    assert_status(&status, Code::Aborted, "SLOW_CLIENT");
    assert_eq!(resume_from(&status), next);
    assert!(next < mark.size + PEOPLE, "some were left");
    let mut resumed = Followed::new(&mut client, from(next)).await;
    let (entries, head) = resumed.until_the_mark().await;
    assert!(indexes(&entries).into_iter().eq(next..head.size));
    assert_eq!(head.size, mark.size + PEOPLE);
}
