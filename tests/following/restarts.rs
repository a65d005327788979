//! The real daemon is killed and stopped, and clients are cut off, at random while they follow:
//! nothing is skipped, nothing comes twice, nothing acknowledged is missing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use onrecord::record::SigningKey;
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{Envelope, Record};
use onrecord::rpc::proto::append_result::Outcome;
use onrecord::rpc::proto::ledger_service_client::LedgerServiceClient;
use onrecord::rpc::proto::record_service_client::RecordServiceClient;
use onrecord::rpc::proto::subscribe_response::Message;
use onrecord::rpc::proto::{AppendRequest, EntryFilter, ReadEntriesRequest, SubscribeRequest};
use prost::Message as _;
use tonic::transport::Channel;

use crate::Fallible;
use crate::common::records::topic;
use crate::daemon::Daemon;

const ROUNDS: u64 = 16;
/// Messages to one of the followers after which something happens, at most.
const MESSAGES_MAX: u64 = 40;
/// Two of everything and one of some, so that each is cut off while others go on.
const FOLLOWERS: usize = 3;

/// What a client keeps: what it received, and where it stands.
#[derive(Default)]
struct Notebook {
    ids: BTreeMap<u64, String>,
    next: u64,
    messages: u64,
}

struct Follower {
    kinds: Vec<String>,
    notebook: Mutex<Notebook>,
}

impl Follower {
    fn notebook(&self) -> MutexGuard<'_, Notebook> {
        self.notebook.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows until the daemon is gone, or the ledger has been considered up to `end`.
    async fn follow(self: Arc<Self>, channel: Channel, end: Option<u64>) {
        let request = SubscribeRequest {
            start: Some(self.notebook().next),
            filter: Some(EntryFilter {
                kinds: self.kinds.clone(),
                ..EntryFilter::default()
            }),
            decode: false,
        };
        let mut client = LedgerServiceClient::new(channel);
        let Ok(response) = client.subscribe(request).await else {
            return;
        };
        let mut messages = response.into_inner();
        let mut marks = 0;
        while let Ok(Some(response)) = messages.message().await {
            let mut notebook = self.notebook();
            notebook.messages += 1;
            match response.message.expect("a message") {
                Message::Entry(entry) => {
                    assert!(entry.index >= notebook.next, "{} came again", entry.index);
                    notebook.next = entry.index + 1;
                    notebook.ids.insert(entry.index, entry.record_id);
                }
                Message::CaughtUp(head) => {
                    assert!(head.size >= notebook.next);
                    notebook.next = head.size;
                    marks += 1;
                    assert_eq!(marks, 1);
                }
                Message::Heartbeat(head) => {
                    assert!(head.size >= notebook.next);
                    notebook.next = head.size;
                }
            }
            if end.is_some_and(|end| notebook.next >= end) {
                return;
            }
        }
    }
}

/// Appends topics and actors in turn until the daemon is gone.
async fn write(
    channel: Channel,
    key: Arc<SigningKey>,
    made: Arc<AtomicUsize>,
    acknowledged: Arc<Mutex<BTreeMap<u64, String>>>,
) {
    let mut client = RecordServiceClient::new(channel);
    loop {
        let number = made.fetch_add(3, Ordering::Relaxed);
        let envelopes = (number..number + 3).map(|number| envelope(&key, number));
        let envelopes = envelopes.collect();
        let Ok(response) = client.append(AppendRequest { envelopes }).await else {
            return;
        };
        let mut acknowledged = acknowledged.lock().expect("no writer panicked");
        for result in response.into_inner().results {
            match result.outcome {
                Some(Outcome::Recorded(recorded)) => {
                    acknowledged.insert(recorded.index, recorded.record);
                }
                other => panic!("a fit record was not recorded: {other:?}"),
            }
        }
    }
}

fn envelope(key: &SigningKey, number: usize) -> Envelope {
    let record = Record {
        origin: "bench.example.org".to_owned(),
        signed_at: Some(prost_types::Timestamp::default()),
        kind: Some(if number.is_multiple_of(3) {
            Kind::TopicDefined(topic(&format!("topic-{number}")))
        } else {
            crate::person(&format!("person-{number}"))
        }),
    };
    key.seal(Bytes::from(record.encode_to_vec()))
}

/// The `place`-th number that nobody could have chosen to suit the test.
fn random(place: u64) -> u64 {
    let hash = blake3::hash(&place.to_le_bytes());
    u64::from_le_bytes(std::array::from_fn(|byte| hash.as_bytes()[byte]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_skipped_or_doubled_whatever_restarts() -> Fallible<()> {
    let directory = tempfile::tempdir()?;
    let mut daemon = Daemon::start(directory.path())?;
    let key = Arc::new(SigningKey::from_seed(daemon.steward_seed()?));
    let made = Arc::new(AtomicUsize::new(0));
    let acknowledged = Arc::new(Mutex::new(BTreeMap::new()));
    let followers: Vec<_> = (0..FOLLOWERS)
        .map(|number| {
            let kinds = (number == 0).then(|| "topic_defined".to_owned());
            Arc::new(Follower {
                kinds: kinds.into_iter().collect(),
                notebook: Mutex::default(),
            })
        })
        .collect();

    for round in 0..ROUNDS {
        let channel = daemon.connect().await?;
        let writing = tokio::spawn(write(
            channel.clone(),
            Arc::clone(&key),
            Arc::clone(&made),
            Arc::clone(&acknowledged),
        ));
        let mut following = Vec::new();
        for follower in &followers {
            let channel = daemon.connect().await?;
            following.push(tokio::spawn(Arc::clone(follower).follow(channel, None)));
        }
        // Some client is cut off first, wherever it is, and comes again.
        let unlucky = usize::try_from(random(3 * round) % FOLLOWERS as u64)?;
        progress(&followers[unlucky], random(3 * round + 1) % MESSAGES_MAX).await;
        following[unlucky].abort();
        let cut = (&mut following[unlucky]).await;
        assert!(cut.as_ref().is_ok() || cut.is_err_and(|error| error.is_cancelled()));
        let channel = daemon.connect().await?;
        let again = Arc::clone(&followers[unlucky]).follow(channel, None);
        following[unlucky] = tokio::spawn(again);

        progress(&followers[unlucky], random(3 * round + 2) % MESSAGES_MAX).await;
        if round % 2 == 0 {
            daemon.kill()?;
        } else {
            daemon.stop()?;
        }
        writing.await?;
        for ended in following {
            ended.await?;
        }
        daemon.restart()?;
    }

    let ledger = whole_ledger(&daemon).await?;
    for (index, id) in acknowledged.lock().expect("no writer panicked").iter() {
        assert_eq!(ledger.get(index).map(|(id, _)| id), Some(id));
    }
    assert!(ledger.len() as u64 > ROUNDS, "the load reached the ledger");
    for follower in followers {
        let channel = daemon.connect().await?;
        let end = ledger.len() as u64;
        Arc::clone(&follower).follow(channel, Some(end)).await;
        let wanted = ledger
            .iter()
            .filter(|(_, (_, is_topic))| follower.kinds.is_empty() || *is_topic);
        let wanted: BTreeMap<_, _> = wanted
            .map(|(index, (id, _))| (*index, id.clone()))
            .collect();
        assert_eq!(follower.notebook().ids, wanted);
    }
    daemon.stop()
}

/// Waits until a follower has received so many messages more, at least one.
async fn progress(follower: &Follower, messages: u64) {
    let enough = follower.notebook().messages + messages.max(1);
    while follower.notebook().messages < enough {
        tokio::task::yield_now().await;
    }
}

/// Every entry's record id, and whether it defines a topic.
async fn whole_ledger(daemon: &Daemon) -> Fallible<BTreeMap<u64, (String, bool)>> {
    let mut client = LedgerServiceClient::new(daemon.connect().await?);
    let request = ReadEntriesRequest {
        decode: true,
        ..ReadEntriesRequest::default()
    };
    let mut messages = client.read_entries(request).await?.into_inner();
    let mut ledger = BTreeMap::new();
    while let Some(message) = messages.message().await? {
        for entry in message.entries {
            let kind = entry.record.and_then(|record| record.kind);
            let is_topic = matches!(kind, Some(Kind::TopicDefined(_)));
            ledger.insert(entry.index, (entry.record_id, is_topic));
        }
    }
    Ok(ledger)
}
