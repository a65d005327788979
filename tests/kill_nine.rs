//! kill -9 of the real daemon under load, at random moments: what was acknowledged is found,
//! at the index that was answered, and the root is the one computed from the entries.
#![cfg(feature = "daemon")]

#[path = "../benches/daemon/daemon.rs"]
#[allow(dead_code)]
mod daemon;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use daemon::Daemon;
use onrecord::merkle::{Frontier, leaf_hash};
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{ActorDefined, ActorKind, Envelope, LocalizedName, Record};
use onrecord::record::{ContentId, Entry, SigningKey};
use onrecord::rpc::proto::append_result::Outcome;
use onrecord::rpc::proto::ledger_service_client::LedgerServiceClient;
use onrecord::rpc::proto::record_service_client::RecordServiceClient;
use onrecord::rpc::proto::{AppendRequest, GetHeadRequest, ReadEntriesRequest};
use prost::Message as _;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

const KILLS: usize = 50;
const WRITERS: usize = 4;
/// Answered appends after which a daemon is killed, at most.
const ANSWERS_MAX: usize = 60;
const BATCH: usize = 7;

/// What was acknowledged: index to record id.
type Acknowledged = Arc<Mutex<BTreeMap<u64, String>>>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_by_kill_nine() -> Fallible<()> {
    let directory = tempfile::tempdir()?;
    let acknowledged = Acknowledged::default();
    let made = Arc::new(AtomicUsize::new(0));
    let mut ledger = Ledger::default();
    let mut daemon = Daemon::start(directory.path())?;
    let key = Arc::new(SigningKey::from_seed(daemon.steward_seed()?));

    for round in 0..KILLS {
        let answers = Arc::new(AtomicUsize::new(0));
        let mut writers = tokio::task::JoinSet::new();
        for _ in 0..WRITERS {
            writers.spawn(write(
                RecordServiceClient::new(daemon.connect().await?),
                Arc::clone(&key),
                Arc::clone(&made),
                Arc::clone(&answers),
                Arc::clone(&acknowledged),
            ));
        }
        let enough = usize::from(blake3::hash(&round.to_le_bytes()).as_bytes()[0]) % ANSWERS_MAX;
        while answers.load(Ordering::Acquire) < enough {
            tokio::task::yield_now().await;
        }
        daemon.kill()?;
        while let Some(writer) = writers.join_next().await {
            writer?; // ends when its daemon is gone
        }
        daemon.restart()?;
        ledger.read_on(&daemon).await?;
        let acknowledged = acknowledged.lock().map_err(|_| "a writer panicked")?;
        ledger.check(&acknowledged)?;
    }
    assert!(ledger.ids.len() > KILLS, "the load reached the ledger");
    let mut anew = Ledger::default();
    anew.read_on(&daemon).await?;
    assert_eq!(anew.ids, ledger.ids);
    daemon.stop()
}

/// Appends batches until the daemon is gone.
async fn write(
    mut client: RecordServiceClient<tonic::transport::Channel>,
    key: Arc<SigningKey>,
    made: Arc<AtomicUsize>,
    answers: Arc<AtomicUsize>,
    acknowledged: Acknowledged,
) {
    loop {
        let start = made.fetch_add(BATCH, Ordering::Relaxed);
        let envelopes = (start..start + BATCH).map(|n| actor(&key, n)).collect();
        let Ok(response) = client
            .append(AppendRequest {
                envelopes,
                proof: false,
            })
            .await
        else {
            return;
        };
        if let Ok(mut acknowledged) = acknowledged.lock() {
            for result in response.into_inner().results {
                match result.outcome {
                    Some(Outcome::Recorded(recorded)) => {
                        let before = acknowledged.insert(recorded.index, recorded.record);
                        assert_eq!(before, None, "one index was given to two records");
                    }
                    other => panic!("a fit record was not recorded: {other:?}"),
                }
            }
        }
        answers.fetch_add(1, Ordering::Release);
    }
}

/// The ledger as read so far.
#[derive(Default)]
struct Ledger {
    frontier: Frontier,
    ids: Vec<String>,
}

impl Ledger {
    /// Reads what is new, and holds the daemon's root against the entries.
    async fn read_on(&mut self, daemon: &Daemon) -> Fallible<()> {
        let mut client = LedgerServiceClient::new(daemon.connect().await?);
        let head = client
            .get_head(GetHeadRequest::default())
            .await?
            .into_inner();
        let head = head.head.ok_or("no head")?;
        let request = ReadEntriesRequest {
            start: Some(self.frontier.size()),
            ..ReadEntriesRequest::default()
        };
        let mut stream = client.read_entries(request).await?.into_inner();
        while let Some(batch) = stream.message().await? {
            for read in batch.entries {
                assert_eq!(read.index, self.frontier.size());
                let entry = Entry::decode(read.index, read.encoded.clone())?;
                assert_eq!(entry.record_id, ContentId::of(&entry.envelope.payload));
                self.frontier.push(leaf_hash(&read.encoded));
                self.ids.push(entry.record_id.to_string());
            }
        }
        assert_eq!(self.frontier.size(), head.size);
        assert_eq!(self.frontier.root().as_bytes()[..], head.root[..]);
        Ok(())
    }

    fn check(&self, acknowledged: &BTreeMap<u64, String>) -> Fallible<()> {
        for (index, id) in acknowledged {
            let found = self.ids.get(usize::try_from(*index)?);
            assert_eq!(found, Some(id), "index {index} was acknowledged");
        }
        Ok(())
    }
}

fn actor(key: &SigningKey, n: usize) -> Envelope {
    let record = Record {
        origin: "bench.example.org".to_owned(),
        signed_at: Some(prost_types::Timestamp::default()),
        kind: Some(Kind::ActorDefined(ActorDefined {
            actor_id: format!("actor-{n}"),
            kind: ActorKind::Person as i32,
            names: vec![LocalizedName {
                language: "en".to_owned(),
                name: format!("Actor {n}"),
            }],
            ..ActorDefined::default()
        })),
    };
    key.seal(Bytes::from(record.encode_to_vec()))
}
