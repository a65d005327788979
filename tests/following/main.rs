//! `Subscribe`: what is on record, then what is being recorded, in order and once, whatever
//! happens to daemon and client.
#![cfg(feature = "daemon")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../../benches/daemon/daemon.rs"]
#[allow(dead_code)]
mod daemon;
mod filters;
mod life;
#[path = "../common/program.rs"]
mod program;
mod reads;
mod restarts;

use common::{Client, Signer, TestArchive};
use onrecord::record::proto::{ActorKind, record::Kind};
use onrecord::rpc::proto::subscribe_response::Message;
use onrecord::rpc::proto::{Head, LedgerEntry, SubscribeRequest, SubscribeResponse};
use tonic::{Status, Streaming};
use tonic_types::StatusExt as _;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A subscription, as a client sees it.
struct Followed(Streaming<SubscribeResponse>);

impl Followed {
    async fn new(client: &mut Client, request: SubscribeRequest) -> Self {
        Self::try_new(client, request).await.expect("subscribed")
    }

    async fn try_new(client: &mut Client, request: SubscribeRequest) -> Result<Self, Status> {
        let response = client.ledger.subscribe(request).await?;
        Ok(Self(response.into_inner()))
    }

    async fn next(&mut self) -> Result<Message, Status> {
        let response = self.0.message().await?.expect("no end without a status");
        Ok(response.message.expect("a message"))
    }

    /// The next message, which must be an entry.
    async fn entry(&mut self) -> LedgerEntry {
        loop {
            match self.next().await.unwrap() {
                Message::Entry(entry) => return entry,
                Message::Heartbeat(_) => {}
                Message::CaughtUp(head) => panic!("caught up at {}", head.size),
            }
        }
    }

    /// The entries up to the mark, and the mark.
    async fn until_the_mark(&mut self) -> (Vec<LedgerEntry>, Head) {
        let mut entries = Vec::new();
        loop {
            match self.next().await.unwrap() {
                Message::Entry(entry) => entries.push(entry),
                Message::Heartbeat(_) => {}
                Message::CaughtUp(head) => return (entries, head),
            }
        }
    }
}

fn from(start: u64) -> SubscribeRequest {
    SubscribeRequest {
        start: Some(start),
        ..SubscribeRequest::default()
    }
}

fn indexes(entries: &[LedgerEntry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.index).collect()
}

/// The definition of a person.
fn person(id: &str) -> Kind {
    Kind::ActorDefined(common::records::actor(id, ActorKind::Person))
}

/// The index that a status says to resume from.
fn resume_from(status: &Status) -> u64 {
    let details = status.get_error_details();
    let metadata = &details.error_info().expect("an ErrorInfo").metadata;
    let index = metadata.get("resume_from");
    index.expect("resume_from").parse().expect("an index")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_on_record_comes_first_then_one_mark_then_each_new_entry() {
    let mut archive = TestArchive::new().await;
    let head = archive.client.head().await;
    let mut followed = Followed::new(&mut archive.client, from(0)).await;
    let (entries, mark) = followed.until_the_mark().await;
    assert!(indexes(&entries).into_iter().eq(0..archive.size));
    assert_eq!(mark, head);
    for number in 0..5 {
        let kind = person(&format!("person-{number}"));
        let recorded = archive.client.append(&archive.steward, kind).await;
        // An entry, and no second mark.
        let entry = followed.entry().await;
        assert_eq!(
            (entry.index, entry.record_id),
            (recorded.index, recorded.record)
        );
        assert_eq!(entry.record, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_start_only_what_is_recorded_from_here_on_comes() {
    let mut archive = TestArchive::new().await;
    for given in [false, true] {
        let size = archive.client.head().await.size;
        let request = SubscribeRequest {
            start: given.then_some(size),
            decode: true,
            ..SubscribeRequest::default()
        };
        let mut followed = Followed::new(&mut archive.client, request).await;
        let (entries, mark) = followed.until_the_mark().await;
        assert_eq!(entries, []);
        assert_eq!(mark, archive.client.head().await);
        let kind = person(&format!("person-{}", mark.size));
        archive.client.append(&archive.steward, kind.clone()).await;
        let entry = followed.entry().await;
        assert_eq!(entry.index, mark.size);
        assert_eq!(entry.record.unwrap().kind, Some(kind));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn entries_come_in_order_and_once_while_many_append() {
    const WRITERS: u64 = 4;
    const APPENDS: u64 = 40;
    let mut archive = TestArchive::new().await;
    let last = archive.size + WRITERS * APPENDS;
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let mut client = archive.client.clone();
        writers.spawn(async move {
            let steward = Signer::steward();
            for number in 0..APPENDS {
                let kind = person(&format!("person-{writer}-{number}"));
                client.append(&steward, kind).await;
            }
        });
    }
    let mut followers = tokio::task::JoinSet::new();
    for number in 0..8 {
        let start = number % archive.size;
        let mut followed = Followed::new(&mut archive.client, from(start)).await;
        followers.spawn(async move {
            let (mut next, mut marks) = (start, 0);
            while next < last || marks == 0 {
                match followed.next().await.unwrap() {
                    Message::Entry(entry) => {
                        assert_eq!(entry.index, next);
                        next += 1;
                    }
                    Message::CaughtUp(head) => {
                        assert_eq!(head.size, next);
                        marks += 1;
                    }
                    Message::Heartbeat(head) => assert_eq!(head.size, next),
                }
            }
            assert_eq!((next, marks), (last, 1));
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    while let Some(ended) = followers.join_next().await {
        ended.unwrap();
    }
}
