//! The composition root: settings become parts, parts become a daemon, which runs until it is
//! told to stop.
//!
//! [`run`] is the story: logging; the data directory, locked and looked at; the ledger,
//! recovered; the projections, following it; the services, listening. Then the other way
//! round: no more connections, a bounded time for open calls, the ledger's end with its head
//! noted, the projections' end, and the lock is given free.
//!
//! [`found`] puts an archive there in the first place.

mod expiry;
mod founding;
mod incoming;
mod stores;
mod texts;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{self, Runtime};
use tokio::sync::watch;
use tonic::transport::Server;

pub use founding::{ArchiveState, Founded, Founding, acceptable, found, found_on, look};
pub use stores::Stores;
use texts::TextsOnRecord;

use crate::admission::Refusal;
use crate::config::keys::{self, KeyFileError};
use crate::config::{Config, ConfigError};
use crate::documents::StoredDocuments;
use crate::ledger::{
    self, AdmissionTables, AppendError, Appender, Clock, Ledger, ReadError, Reader, Sequencer,
    Settings, Surroundings, SystemClock,
};
use crate::projection::catalog::CatalogFold;
use crate::projection::positions::PositionsFold;
use crate::projection::postings::PostingsFold;
use crate::projection::statements::StatementsFold;
use crate::projection::{Runner, RunnerError};
use crate::rpc::{self, View, Views};
use crate::storage::{self, DataDirError, IoFault, TableError};
use crate::telemetry;

/// How long the runtime's threads have to end once everything else has.
const RUNTIME_BOUND: Duration = Duration::from_secs(2);

/// What a daemon is given besides its settings.
#[derive(Clone)]
pub struct World {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// 32 bytes that nobody can guess, new at every call.
    pub seed: fn() -> Result<[u8; 32], getrandom::Error>,
}

impl World {
    /// The machine's clock and randomness.
    #[must_use]
    pub fn real() -> Self {
        Self {
            clock: Arc::new(SystemClock::start()),
            seed: keys::new_seed,
        }
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

/// Runs a daemon on the archive at `config.data_dir` until `shutdown` ends, and then ends it
/// within a bound. Calls `on_ready` with its address once it answers, on its runtime. Not to
/// be called on a thread that drives a runtime.
pub fn run(
    config: &Config,
    world: World,
    on_ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<(), AppError> {
    telemetry::start(config.log);
    config.check()?;
    let stores = Stores::open(config)?;
    run_on(stores, config, world, on_ready, shutdown)
}

/// As [`run`], on stores that are passed in.
pub fn run_on(
    stores: Stores,
    config: &Config,
    world: World,
    on_ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<(), AppError> {
    let runtime = runtime()?;
    let archive = Archive::open(stores, config, world, config.origin.clone())?;
    let served = runtime.block_on(serve(&archive, config, on_ready, shutdown));
    // Calls that are still open hold the archive's parts.
    runtime.shutdown_timeout(RUNTIME_BOUND);
    archive.close(config.commit_max());
    served
}

/// Says whether the address can be listened on, before anything is founded that is to be served
/// there.
pub fn can_listen(config: &Config) -> Result<(), AppError> {
    let listening = std::net::TcpListener::bind(config.listen);
    listening.map(drop).map_err(|source| AppError::Listen {
        address: config.listen,
        source,
    })
}

/// Ends when the process is asked to stop: by SIGTERM, or by Ctrl-C.
pub async fn asked_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    // Where a signal cannot be listened for, it ends the process by itself.
    let asked = async |kind| match signal(kind) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    };
    tokio::select! {
        () = asked(SignalKind::terminate()) => {}
        () = asked(SignalKind::interrupt()) => {}
    }
}

fn runtime() -> Result<Runtime, AppError> {
    let mut builder = runtime::Builder::new_multi_thread();
    builder.thread_name("onrecord-rpc").enable_all();
    builder.build().map_err(AppError::Runtime)
}

/// An archive whose ledger takes records and whose projections follow it.
struct Archive {
    reader: Reader,
    appender: Appender,
    /// Admission's state.
    records: AdmissionTables,
    documents: Arc<StoredDocuments>,
    clock: Arc<dyn Clock>,
    sequencer: Sequencer,
    catalog: Runner,
    positions: Runner,
    postings: Runner,
    statements: Runner,
}

impl Archive {
    fn open(
        stores: Stores,
        config: &Config,
        world: World,
        origin: Option<String>,
    ) -> Result<Self, AppError> {
        let Stores {
            frames,
            admission,
            head,
            sources,
            texts,
            projections,
        } = stores;
        let ledger = Ledger::open(ledger::Parts {
            frames,
            admission,
            head,
            origin,
        })?;
        tracing::info!(origin = ledger.reader().origin(), "{}", ledger.recovery());

        let reader = ledger.reader();
        let records = ledger.records();
        let follow = |fold| Runner::start(fold, &projections, Arc::new(reader.clone()));
        let catalog = follow(Arc::new(CatalogFold))?;
        let positions = follow(Arc::new(PositionsFold))?;
        let postings = follow(Arc::new(PostingsFold))?;
        let statements = follow(Arc::new(StatementsFold))?;

        let on_record = TextsOnRecord::new(catalog.projection(), reader.clone());
        let cache_bytes = config.text_cache_bytes;
        let documents = StoredDocuments::new(sources, texts, Arc::new(on_record), cache_bytes);
        let documents = Arc::new(documents);
        let settings = Settings {
            queue_records_max: config.queue_records_max,
            queue_bytes_max: config.queue_bytes_max,
            commit_bound: config.commit_max(),
            ..Settings::default()
        };
        let surroundings = Surroundings {
            clock: Arc::clone(&world.clock),
            documents: Arc::clone(&documents) as _,
            seed: (world.seed)()?,
        };
        let (sequencer, appender) = ledger.start(&settings, surroundings)?;
        Ok(Self {
            reader,
            appender,
            records,
            documents,
            clock: world.clock,
            sequencer,
            catalog,
            positions,
            postings,
            statements,
        })
    }

    fn views(&self, config: &Config) -> Views {
        let view = |runner: &Runner| {
            View::new(runner.projection(), self.reader.clone(), config.wait_max())
        };
        Views {
            catalog: view(&self.catalog),
            positions: view(&self.positions),
            postings: view(&self.postings),
            statements: view(&self.statements),
        }
    }

    /// Brings to an end what is on its way, notes the head, and stops the projections.
    fn close(self, bound: Duration) {
        if !self.sequencer.stop(bound) {
            tracing::warn!("the ledger did not stop in time; the next start recovers it");
        }
        for runner in [self.catalog, self.positions, self.postings, self.statements] {
            runner.stop();
        }
    }
}

/// Listens and answers until `shutdown` ends and open calls have had their time.
async fn serve(
    archive: &Archive,
    config: &Config,
    on_ready: impl FnOnce(SocketAddr),
    shutdown: impl Future<Output = ()>,
) -> Result<(), AppError> {
    let (stop, mut stopping) = watch::channel(false);
    let views = archive.views(config);
    let parts = rpc::Parts {
        reader: archive.reader.clone(),
        appender: archive.appender.clone(),
        records: archive.records.clone(),
        documents: Arc::clone(&archive.documents),
        views: views.clone(),
        clock: Arc::clone(&archive.clock),
        stopping: stopping.clone(),
    };
    let subscriptions = &config.subscriptions;
    let subscriptions = rpc::SubscriptionLimits {
        open_max: subscriptions.open_max,
        heartbeat: Duration::from_secs(subscriptions.heartbeat_seconds),
        slow_after: Duration::from_secs(subscriptions.slow_seconds_max),
    };
    let limits = rpc::Limits {
        message_bytes_max: config.connections.message_bytes_max,
        source_bytes_max: config.source_bytes_max,
        wait_max: config.wait_max(),
        subscriptions,
    };
    let (routes, health) = rpc::routes(parts, limits)?;
    rpc::health::report_serving(&health).await;

    let listening = TcpListener::bind(config.listen).await;
    let unusable = |source| AppError::Listen {
        address: config.listen,
        source,
    };
    let listener = listening.map_err(unusable)?;
    let address = listener.local_addr().map_err(unusable)?;
    let connections = incoming::connections(listener, config.connections.open_max);
    let server = server(config)
        .add_routes(routes)
        .serve_with_incoming_shutdown(connections, async move {
            // An error means that nobody can tell any more: that is a reason to stop, too.
            let _ = stopping.wait_for(|stopping| *stopping).await;
        });
    tokio::spawn(rpc::health::watch(
        health.clone(),
        archive.appender.clone(),
        views.clone(),
    ));
    tokio::spawn(expiry::expire_uploads(
        Arc::clone(&archive.documents),
        archive.reader.clone(),
        views.catalog,
        config.upload_expiry(),
    ));
    tracing::info!(%address, "the archive is served");
    on_ready(address);

    let mut server = pin!(server);
    tokio::select! {
        ended = &mut server => return ended.map_err(AppError::Serve),
        () = shutdown => {}
    }
    tracing::info!("stopping");
    rpc::health::report_stopping(&health).await;
    stop.send_replace(true);
    if let Ok(ended) = tokio::time::timeout(config.drain_max(), server).await {
        return ended.map_err(AppError::Serve);
    }
    tracing::warn!("calls that were still open are cut off");
    Ok(())
}

fn server(config: &Config) -> Server {
    let connections = &config.connections;
    let seconds = Duration::from_secs;
    Server::builder()
        .initial_stream_window_size(connections.stream_window_bytes)
        .initial_connection_window_size(connections.connection_window_bytes)
        .max_concurrent_streams(connections.streams_max)
        .http2_keepalive_interval(Some(seconds(connections.keep_alive_seconds)))
        .http2_keepalive_timeout(Some(seconds(connections.keep_alive_timeout_seconds)))
        .max_connection_age(seconds(connections.age_seconds_max))
        .max_connection_age_grace(seconds(connections.age_grace_seconds))
}

/// Why a daemon does not run, or an archive was not founded. Each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// A setting cannot work.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The data directory holds no archive yet.
    #[error("{} was begun and holds no archive yet; found it with `onrecord init`", path.display())]
    NotFounded {
        /// The data directory.
        path: PathBuf,
    },
    /// The data directory holds an archive already.
    #[error("{} holds an archive already; use it, or name another directory", path.display())]
    AlreadyFounded {
        /// The data directory.
        path: PathBuf,
    },
    /// The origin cannot name an archive.
    #[error("{}; accepted: {}", refusal.message, refusal.accepted)]
    Origin {
        /// What is wrong with it.
        refusal: Refusal,
    },
    /// Admission does not let the founding record in.
    #[error("the archive was not founded: {refusal}")]
    FoundingRefused {
        /// Why not.
        refusal: Refusal,
    },
    /// The ledger did not say what became of the founding record.
    #[error("the archive may not have been founded; run `onrecord init` again")]
    FoundingUnanswered,
    /// The ledger's database does not open.
    #[error(transparent)]
    Frames(#[from] storage::OpenError),
    /// The ledger must not be opened.
    #[error(transparent)]
    Ledger(#[from] ledger::OpenError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The ledger did not take the founding record.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The ledger's threads cannot be started.
    #[error(transparent)]
    Start(#[from] ledger::StartError),
    /// Admission's state cannot be opened.
    #[error(transparent)]
    Tables(#[from] TableError),
    /// The directories of documents cannot be opened.
    #[error(transparent)]
    Documents(#[from] IoFault),
    /// A projection cannot be started.
    #[error(transparent)]
    Projection(#[from] RunnerError),
    /// A key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// The system gives no randomness.
    #[error("the system gives no randomness ({0}); mend it and start again")]
    Randomness(#[from] getrandom::Error),
    /// The services cannot be described.
    #[error(transparent)]
    Reflection(#[from] rpc::ReflectionError),
    /// The runtime's threads cannot be started.
    #[error("threads cannot be started ({0}); raise the limit on threads")]
    Runtime(#[source] io::Error),
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address} ({source}); stop what listens there, or choose another address with --listen"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The server ended by itself.
    #[error("the server ended by itself: {0}")]
    Serve(#[source] tonic::transport::Error),
}
