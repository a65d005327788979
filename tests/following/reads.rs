//! What many subscribers cost: the frames read from the store, counted.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use onrecord::app::Stores;
use onrecord::rpc::proto::subscribe_response::Message;
use onrecord::rpc::proto::{EntryFilter, SubscribeRequest};
use onrecord::storage::{AppendOutcome, FrameStore, Poison, StoreError, StoredFrame};

use crate::common::daemon::Daemon;
use crate::common::{Client, Signer, TestArchive};
use crate::{Followed, from, indexes, person};

/// Entries on record, one a frame, before anybody subscribes.
const PAST: usize = 150;
/// Entries recorded while all are at the head.
const LIVE: u64 = 20;

/// A frame store that counts what it reads.
struct Counting {
    frames: Arc<dyn FrameStore>,
    read: Arc<AtomicUsize>,
}

impl FrameStore for Counting {
    fn epoch(&self) -> u64 {
        self.frames.epoch()
    }

    fn claim_above(&self, shown: u64) -> Result<(), StoreError> {
        self.frames.claim_above(shown)
    }

    fn next_index(&self) -> u64 {
        self.frames.next_index()
    }

    fn poison(&self) -> Option<Poison> {
        self.frames.poison()
    }

    fn append(&self, first_index: u64, count: NonZeroU32, frame: &[u8]) -> AppendOutcome {
        self.frames.append(first_index, count, frame)
    }

    fn read_from(&self, index: u64, frames_max: usize) -> Result<Vec<StoredFrame>, StoreError> {
        let frames = self.frames.read_from(index, frames_max)?;
        self.read.fetch_add(frames.len(), Ordering::SeqCst);
        Ok(frames)
    }

    fn tail(&self) -> Result<Option<StoredFrame>, StoreError> {
        self.frames.tail()
    }

    fn sync_from(&self, index: u64) -> Result<(), StoreError> {
        self.frames.sync_from(index)
    }

    fn discard_tail(&self, first_index: u64) -> Result<(), StoreError> {
        self.frames.discard_tail(first_index)
    }

    fn bytes_on_disk(&self) -> Result<u64, StoreError> {
        self.frames.bytes_on_disk()
    }
}

/// An archive that was just opened, so that nothing is kept of its past, with a client, its
/// size, and the number of frames read.
async fn opened(heartbeat_seconds: u64) -> (Daemon, Client, u64, Arc<AtomicUsize>) {
    let mut archive = TestArchive::new().await;
    for number in 0..PAST {
        let kind = person(&format!("past-{number}"));
        archive.client.append(&archive.steward, kind).await;
    }
    // What a projection had to read yet, it would read among what is counted.
    let size = archive.client.head().await.size;
    archive.client.until_read(size).await;
    drop(archive.client);
    let home = tokio::task::spawn_blocking(|| archive.daemon.stop());
    let mut home = home.await.unwrap();
    home.config.subscriptions.heartbeat_seconds = heartbeat_seconds;
    let mut stores = Stores::open(&home.config).unwrap();
    let read = Arc::new(AtomicUsize::new(0));
    stores.frames = Arc::new(Counting {
        frames: stores.frames,
        read: Arc::clone(&read),
    });
    let daemon = home.start_on(stores);
    let mut client = daemon.client().await;
    assert_eq!(client.head().await.size, size);
    client.until_read(size).await;
    (daemon, client, size, read)
}

/// The frames read for so many subscribers: while they catch up, and while they follow.
async fn frames_read(subscribers: usize) -> (usize, usize) {
    let (_daemon, mut client, size, read) = opened(60).await;
    let before = read.load(Ordering::SeqCst);

    let mut catching_up = tokio::task::JoinSet::new();
    for _ in 0..subscribers {
        let mut client = client.clone();
        catching_up.spawn(async move {
            let mut followed = Followed::new(&mut client, from(0)).await;
            let (entries, _) = followed.until_the_mark().await;
            assert!(indexes(&entries).into_iter().eq(0..size));
            followed
        });
    }
    let mut followers = catching_up.join_all().await;
    let caught_up = read.load(Ordering::SeqCst);
    for number in 0..LIVE {
        let kind = person(&format!("live-{number}"));
        client.append(&Signer::steward(), kind).await;
    }
    for followed in &mut followers {
        for index in size..size + LIVE {
            assert_eq!(followed.entry().await.index, index);
        }
    }
    let followed = read.load(Ordering::SeqCst);
    drop((followers, client));
    (caught_up - before, followed - caught_up)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_subscribers_cost_no_more_reads_than_one() {
    let (one_behind, one_live) = frames_read(1).await;
    let (hundred_behind, hundred_live) = frames_read(100).await;
    assert!(one_behind >= PAST, "the past was read: {one_behind}");
    assert_eq!((one_live, hundred_live), (0, 0), "the tail is kept");
    assert!(
        hundred_behind <= one_behind,
        "{hundred_behind} frames for a hundred, {one_behind} for one"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_way_without_a_match_is_told_of_on_the_way() {
    // A heartbeat is due whenever something was considered.
    let (_daemon, mut client, size, _) = opened(0).await;
    let nothing = SubscribeRequest {
        filter: Some(EntryFilter {
            kinds: vec!["review_published".to_owned()],
            ..EntryFilter::default()
        }),
        ..from(0)
    };
    let mut followed = Followed::new(&mut client, nothing).await;
    let mut considered = Vec::new();
    loop {
        match followed.next().await.unwrap() {
            Message::Heartbeat(head) => considered.push(head.size),
            Message::CaughtUp(head) => {
                assert_eq!(head.size, size);
                break;
            }
            Message::Entry(entry) => panic!("{entry:?}"),
        }
    }
    assert!(considered.len() > 1, "{considered:?}");
    assert!(considered.is_sorted_by(|one, next| one < next));
    assert_eq!(considered.last(), Some(&size));
}
