//! What a filter lets through, and how a client learns that the rest was considered.

use onrecord::rpc::proto::subscribe_response::Message;
use onrecord::rpc::proto::{EntryFilter, SubscribeRequest};
use tonic::Code;

use crate::common::daemon::Home;
use crate::common::records::{actor, topic};
use crate::common::{TestArchive, assert_blames};
use crate::{Followed, indexes, person};
use onrecord::record::proto::{ActorKind, record::Kind};

fn only(filter: EntryFilter) -> SubscribeRequest {
    SubscribeRequest {
        start: Some(0),
        filter: Some(filter),
        ..SubscribeRequest::default()
    }
}

fn of_kind(kind: &str) -> EntryFilter {
    EntryFilter {
        kinds: vec![kind.to_owned()],
        ..EntryFilter::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_the_filter_lets_through_comes_before_the_mark_and_after() {
    let mut archive = TestArchive::new().await;
    let topics = only(of_kind("topic_defined"));
    let mut followed = Followed::new(&mut archive.client, topics).await;
    let (entries, mark) = followed.until_the_mark().await;
    assert_eq!((entries.len(), mark.size), (1, archive.size));
    archive.client.append(&archive.steward, person("one")).await;
    let second = Kind::TopicDefined(topic("second"));
    let recorded = archive.client.append(&archive.steward, second).await;
    assert_eq!(followed.entry().await.index, recorded.index);

    let about_lavrov = EntryFilter {
        actor: "lavrov".to_owned(),
        ..of_kind("statement_recorded")
    };
    let mut followed = Followed::new(&mut archive.client, only(about_lavrov)).await;
    let (entries, _) = followed.until_the_mark().await;
    assert_eq!(indexes(&entries), [archive.size - 1]);

    let by_coder = EntryFilter {
        verifier: archive.coder.id(),
        ..EntryFilter::default()
    };
    let mut followed = Followed::new(&mut archive.client, only(by_coder)).await;
    let (entries, _) = followed.until_the_mark().await;
    assert_eq!(indexes(&entries), [2], "its enrolment");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_tells_how_far_the_ledger_was_considered_where_nothing_matches() {
    let mut home = Home::new().found();
    home.config.subscriptions.heartbeat_seconds = 1;
    let mut archive = TestArchive::on(home.start()).await;
    let nothing = only(of_kind("review_published"));
    let mut followed = Followed::new(&mut archive.client, nothing).await;
    let (entries, _) = followed.until_the_mark().await;
    assert_eq!(entries, []);
    let newcomer = Kind::ActorDefined(actor("newcomer", ActorKind::Person));
    archive.client.append(&archive.steward, newcomer).await;
    let head = archive.client.head().await;
    loop {
        match followed.next().await.unwrap() {
            Message::Heartbeat(told) if told == head => break,
            Message::Heartbeat(told) => assert!(told.size < head.size),
            other => panic!("{other:?}"),
        }
    }
    // And again, for as long as nothing happens.
    assert_eq!(followed.next().await.unwrap(), Message::Heartbeat(head));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_followed_is_refused_with_the_field() {
    let mut archive = TestArchive::new().await;
    let beyond = archive.size + 1;
    let bad = |filter| only(filter);
    let everything = EntryFilter::default;
    for (request, code, reason, field) in [
        (
            crate::from(beyond),
            Code::OutOfRange,
            "BEYOND_THE_HEAD",
            "start",
        ),
        (
            bad(of_kind("StatementRecorded")),
            Code::InvalidArgument,
            "INVALID_REQUEST",
            "filter.kinds",
        ),
        (
            bad(EntryFilter {
                actor: "No Slug".to_owned(),
                ..everything()
            }),
            Code::InvalidArgument,
            "INVALID_REQUEST",
            "filter.actor",
        ),
        (
            bad(EntryFilter {
                verifier: "ab".to_owned(),
                ..everything()
            }),
            Code::InvalidArgument,
            "INVALID_REQUEST",
            "filter.verifier",
        ),
    ] {
        let refused = Followed::try_new(&mut archive.client, request).await;
        assert_blames(&refused.err().unwrap(), code, reason, field);
    }
}
