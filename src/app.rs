//! The composition root: settings become parts, parts become a daemon, which runs until it is
//! told to stop.
//!
//! [`run`] is the story: logging; the data directory, locked and looked at; the ledger,
//! recovered; the projections, following it; the services, listening. Then the other way
//! round, by one deadline: no more connections, a bounded time for open calls, the ledger's end
//! with its head noted, the projections' end, and the lock is given free.
//!
//! [`found`] puts an archive there in the first place; [`accept_ledger_as_found`] lets one be
//! served whose length nothing vouches for.

mod accepting;
mod archive;
mod checking;
mod closing;
mod error;
mod expiry;
mod founding;
mod incoming;
mod opening;
mod peers;
mod serving;
mod signing;
mod stores;
mod texts;

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tokio::runtime::{self, Runtime};

pub use accepting::accept_ledger_as_found;
pub use checking::{check, folds};
pub use error::AppError;
pub use founding::{ArchiveState, Founded, Founding, acceptable, found, found_on, look};
pub use signing::SignerStore;
pub use stores::Stores;

use crate::config::{Config, keys};
use crate::ledger::{Clock, SystemClock};
use crate::merkle::SignedNote;
use crate::telemetry;
use archive::Archive;

/// What a daemon is given besides its settings.
#[derive(Clone)]
pub struct World {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// 32 bytes that nobody can guess, new at every call.
    pub seed: fn() -> Result<[u8; 32], getrandom::Error>,
    /// The checkpoint that the archive is to continue, where somebody says so.
    pub continue_from: Option<SignedNote>,
}

impl World {
    /// The machine's clock and randomness.
    #[must_use]
    pub fn real() -> Self {
        Self {
            clock: Arc::new(SystemClock::start()),
            seed: keys::new_seed,
            continue_from: None,
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
    let archive = Archive::open(stores, config, world, config.origin.clone(), &runtime)?;
    let asked_at = Cell::new(None);
    let shutdown = async {
        shutdown.await;
        asked_at.set(Some(Instant::now()));
    };
    let served = runtime.block_on(serving::serve(&archive, config, on_ready, shutdown));
    let asked_at = asked_at.get().unwrap_or_else(Instant::now);
    closing::close(runtime, archive, asked_at + config.stop_max());
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
