//! The real daemon is killed and stopped, and clients are cut off, at random while they follow
//! and list: nothing is skipped, nothing comes twice, nothing acknowledged is missing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{Envelope, Record, Statement};
use onrecord::record::{RecordKind, SigningKey};
use onrecord::rpc::proto::append_result::Outcome;
use onrecord::rpc::proto::catalog_service_client::CatalogServiceClient;
use onrecord::rpc::proto::ledger_service_client::LedgerServiceClient;
use onrecord::rpc::proto::record_service_client::RecordServiceClient;
use onrecord::rpc::proto::subscribe_response::Message;
use onrecord::rpc::proto::{
    AppendRequest, EntryFilter, ListStatementsRequest, ListStatementsResponse, ReadEntriesRequest,
    ReadOrder, SubscribeRequest,
};
use prost::Message as _;
use tonic::Code;
use tonic::transport::Channel;

use crate::Fallible;
use crate::common::Client;
use crate::common::client::recorded;
use crate::common::records::{TEXT_OF_ONE_LINE, source, statement, topic};
use crate::daemon::Daemon;

/// Who makes the statements.
const SPEAKER: &str = "speaker";
const ROUNDS: u64 = 16;
/// Messages to one of the clients after which something happens, at most.
const MESSAGES_MAX: u64 = 40;
/// Statements on a page: few, so that a list is rarely at its end when the daemon is.
const PAGE_SIZE: i32 = 3;

/// What a client keeps: what it received, and where it stands.
#[derive(Default)]
struct Notebook {
    ids: BTreeMap<u64, String>,
    next: u64,
    messages: u64,
}

/// A client that is cut off while others go on.
enum Reader {
    Follower(Follower),
    Lister(Lister),
}

impl Reader {
    fn follower(kinds: &[&str]) -> Arc<Self> {
        Arc::new(Self::Follower(Follower {
            kinds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
            notebook: Mutex::default(),
        }))
    }

    fn lister(order: ReadOrder) -> Arc<Self> {
        Arc::new(Self::Lister(Lister {
            order,
            notebook: Mutex::default(),
        }))
    }

    /// Reads until the daemon is gone, or the ledger has been read up to `end`.
    async fn read(self: Arc<Self>, channel: Channel, end: Option<u64>) {
        match &*self {
            Self::Follower(follower) => follower.follow(channel, end).await,
            Self::Lister(lister) => lister.list(channel, end).await,
        }
    }

    /// How often the daemon answered.
    fn messages(&self) -> u64 {
        match self {
            Self::Follower(follower) => follower.notebook().messages,
            Self::Lister(lister) => lister.notebook().pages,
        }
    }

    /// Whether it has some pages of a list and not all.
    fn is_within_a_list(&self) -> bool {
        match self {
            Self::Follower(_) => false,
            Self::Lister(lister) => !lister.notebook().token.is_empty(),
        }
    }
}

struct Follower {
    kinds: Vec<String>,
    notebook: Mutex<Notebook>,
}

/// What a client keeps of the lists of all statements that it gets, one after the other.
#[derive(Default)]
struct Listing {
    /// The list that is under way: what came of it, by how much of the ledger it is, and where
    /// it goes on.
    ids: Vec<String>,
    known_at: u64,
    token: String,
    /// The lists that came to their end.
    whole: Vec<(u64, Vec<String>)>,
    pages: u64,
}

struct Lister {
    order: ReadOrder,
    notebook: Mutex<Listing>,
}

impl Lister {
    fn notebook(&self) -> MutexGuard<'_, Listing> {
        self.notebook.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lists until the daemon is gone, or a list of at least `end` entries is whole.
    async fn list(&self, channel: Channel, end: Option<u64>) {
        let mut client = CatalogServiceClient::new(channel);
        loop {
            let request = ListStatementsRequest {
                page_size: PAGE_SIZE,
                page_token: self.notebook().token.clone(),
                speaker: SPEAKER.to_owned(),
                order: self.order.into(),
                at_least_size: end.unwrap_or(0),
                ..ListStatementsRequest::default()
            };
            let page = match client.list_statements(request).await {
                Ok(response) => response.into_inner(),
                Err(gone) => {
                    let wrong = [Code::InvalidArgument, Code::OutOfRange, Code::NotFound];
                    assert!(!wrong.contains(&gone.code()), "{gone:?}");
                    return;
                }
            };
            let whole = self.take(page);
            if end.is_some_and(|end| whole.is_some_and(|known_at| known_at >= end)) {
                return;
            }
        }
    }

    /// That each list holds every statement of its basis once, in order, and the last one
    /// those of the whole ledger.
    fn assert_complete(&self, ledger: &Ledger, size: u64) {
        let notebook = self.notebook();
        assert_eq!(
            notebook.whole.last().map(|(known_at, _)| *known_at),
            Some(size)
        );
        for (known_at, ids) in &notebook.whole {
            let known = ledger.range(..known_at).map(|(_, entry)| entry);
            let known = known.filter(|(_, kind)| *kind == RecordKind::StatementRecorded);
            let mut expected: Vec<&String> = known.map(|(id, _)| id).collect();
            if self.order == ReadOrder::Backwards {
                expected.reverse();
            }
            let whole = ids.iter().eq(expected);
            assert!(whole, "{:?}, {known_at} entries", self.order);
        }
    }

    /// Takes a page. If it was the last of its list, by how much of the ledger the list is.
    fn take(&self, page: ListStatementsResponse) -> Option<u64> {
        let mut notebook = self.notebook();
        notebook.pages += 1;
        let known_at = page.basis.expect("a basis").known_at;
        if notebook.token.is_empty() {
            notebook.known_at = known_at;
        }
        assert_eq!(known_at, notebook.known_at, "all pages are of one basis");
        let ids = page.statements.into_iter().map(|it| it.statement_id);
        notebook.ids.extend(ids);
        notebook.token = page.next_page_token;
        if !notebook.token.is_empty() {
            return None;
        }
        let ids = std::mem::take(&mut notebook.ids);
        notebook.whole.push((known_at, ids));
        Some(known_at)
    }
}

impl Follower {
    /// That it got every entry that it wants once.
    fn assert_complete(&self, ledger: &Ledger) {
        let wanted = |kind: &RecordKind| {
            self.kinds.is_empty() || self.kinds.iter().any(|name| name == kind.name())
        };
        let wanted = ledger.iter().filter(|(_, (_, kind))| wanted(kind));
        let wanted: BTreeMap<_, _> = wanted
            .map(|(index, (id, _))| (*index, id.clone()))
            .collect();
        assert_eq!(self.notebook().ids, wanted);
    }

    fn notebook(&self) -> MutexGuard<'_, Notebook> {
        self.notebook.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows until the daemon is gone, or the ledger has been considered up to `end`.
    async fn follow(&self, channel: Channel, end: Option<u64>) {
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

/// Puts on record who will be speaking, and the document that quotes them.
async fn prepare(channel: Channel, key: &SigningKey) {
    let mut client = Client::over(channel);
    let document = TEXT_OF_ONE_LINE.as_bytes();
    client.put_source("text/plain", document).await.unwrap();
    let kinds = [
        crate::person(SPEAKER),
        Kind::SourceArchived(source(TEXT_OF_ONE_LINE)),
    ];
    for kind in kinds {
        let outcome = client.append_envelope(seal(key, kind)).await;
        recorded(outcome);
    }
}

/// Appends topics, actors and statements in turn until the daemon is gone.
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
        let Ok(response) = client
            .append(AppendRequest {
                envelopes,
                proof: false,
            })
            .await
        else {
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
    let kind = match number % 3 {
        0 => Kind::TopicDefined(topic(&format!("topic-{number}"))),
        1 => crate::person(&format!("person-{number}")),
        _ => Kind::StatementRecorded(Statement {
            venue: format!("No. {number}"),
            ..statement(
                SPEAKER,
                "2025-08-10",
                TEXT_OF_ONE_LINE,
                "The minister spoke",
            )
        }),
    };
    seal(key, kind)
}

fn seal(key: &SigningKey, kind: Kind) -> Envelope {
    let record = Record {
        origin: "bench.example.org".to_owned(),
        signed_at: Some(prost_types::Timestamp::default()),
        kind: Some(kind),
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
    prepare(daemon.connect().await?, &key).await;
    // Two that follow everything and one that follows some; lists both ways.
    let readers = [
        Reader::follower(&["topic_defined"]),
        Reader::follower(&[]),
        Reader::follower(&[]),
        Reader::lister(ReadOrder::Forwards),
        Reader::lister(ReadOrder::Backwards),
    ];
    let mut lists_interrupted = 0;

    for round in 0..ROUNDS {
        let channel = daemon.connect().await?;
        let writing = tokio::spawn(write(
            channel.clone(),
            Arc::clone(&key),
            Arc::clone(&made),
            Arc::clone(&acknowledged),
        ));
        let mut reading = Vec::new();
        for reader in &readers {
            let channel = daemon.connect().await?;
            reading.push(tokio::spawn(Arc::clone(reader).read(channel, None)));
        }
        // Some client is cut off first, wherever it is, and comes again.
        let unlucky = usize::try_from(random(3 * round) % readers.len() as u64)?;
        progress(&readers[unlucky], random(3 * round + 1) % MESSAGES_MAX).await;
        reading[unlucky].abort();
        let cut = (&mut reading[unlucky]).await;
        assert!(cut.as_ref().is_ok() || cut.is_err_and(|error| error.is_cancelled()));
        let channel = daemon.connect().await?;
        let again = Arc::clone(&readers[unlucky]).read(channel, None);
        reading[unlucky] = tokio::spawn(again);

        progress(&readers[unlucky], random(3 * round + 2) % MESSAGES_MAX).await;
        if round % 2 == 0 {
            daemon.kill()?;
        } else {
            daemon.stop()?;
        }
        writing.await?;
        for ended in reading {
            ended.await?;
        }
        lists_interrupted += readers.iter().filter(|it| it.is_within_a_list()).count();
        daemon.restart()?;
    }

    let ledger = whole_ledger(&daemon).await?;
    for (index, id) in acknowledged.lock().expect("no writer panicked").iter() {
        assert_eq!(ledger.get(index).map(|(id, _)| id), Some(id));
    }
    assert!(ledger.len() as u64 > ROUNDS, "the load reached the ledger");
    assert!(lists_interrupted > 0, "no list went on after a restart");
    for reader in readers {
        let channel = daemon.connect().await?;
        let end = ledger.len() as u64;
        Arc::clone(&reader).read(channel, Some(end)).await;
        match &*reader {
            Reader::Follower(follower) => follower.assert_complete(&ledger),
            Reader::Lister(lister) => lister.assert_complete(&ledger, end),
        }
    }
    daemon.stop()
}

/// Waits until a client has received so many messages more, at least one.
async fn progress(reader: &Reader, messages: u64) {
    let enough = reader.messages() + messages.max(1);
    while reader.messages() < enough {
        tokio::task::yield_now().await;
    }
}

/// Every entry's record id and kind, by index.
type Ledger = BTreeMap<u64, (String, RecordKind)>;

async fn whole_ledger(daemon: &Daemon) -> Fallible<Ledger> {
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
            let kind = RecordKind::from(&kind.expect("a kind"));
            ledger.insert(entry.index, (entry.record_id, kind));
        }
    }
    Ok(ledger)
}
