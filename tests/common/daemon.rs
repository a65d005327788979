//! A daemon in this process, on a free port, with a data directory of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;

use onrecord::app::{self, AppError, Founded, Stores, World};
use onrecord::config::{Config, Log, LogLevel};
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::{Client, Signer, records};

/// A running daemon. Dropping it stops it.
pub struct Daemon {
    pub address: SocketAddr,
    pub config: Config,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<(), AppError>>>,
    /// Goes with the last daemon on it.
    directory: Option<TempDir>,
}

/// Where and how a daemon is to run.
pub struct Home {
    pub directory: TempDir,
    pub config: Config,
}

impl Home {
    /// An empty place, with settings for tests.
    pub fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let config = Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            // A call that waits for what never comes is a failure to be seen soon.
            wait_seconds_max: 5,
            drain_seconds_max: 5,
            tables_cache_bytes: 8 << 20,
            ledger_cache_bytes: 8 << 20,
            log: Log {
                level: LogLevel::Off,
                json: false,
            },
            ..Config::on(directory.path().join("data"))
        };
        Self { directory, config }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.config.data_dir.clone()
    }

    /// Founds an archive here, whose steward is [`Signer::steward`].
    pub fn found(self) -> Self {
        self.try_found().expect("the archive is founded");
        self
    }

    pub fn try_found(&self) -> Result<Founded, AppError> {
        let steward = Signer::steward();
        // A test may run on a runtime of its own, and this makes one.
        std::thread::scope(|scope| {
            let found =
                || app::found(&self.config, records::ORIGIN, &steward.key, World::real());
            scope.spawn(found).join().expect("founding does not panic")
        })
    }

    /// Starts a daemon on the archive here.
    pub fn start(self) -> Daemon {
        self.start_in(World::real())
    }

    /// Starts a daemon with another clock or randomness.
    pub fn start_in(self, world: World) -> Daemon {
        Daemon::spawn(self, move |config, on_ready, shutdown| {
            app::run(&config, world, on_ready, shutdown)
        })
    }

    /// Starts a daemon on stores that are passed in.
    pub fn start_on(self, stores: Stores) -> Daemon {
        Daemon::spawn(self, move |config, on_ready, shutdown| {
            app::run_on(stores, &config, World::real(), on_ready, shutdown)
        })
    }
}

type OnReady = Box<dyn FnOnce(SocketAddr)>;
type Shutdown = std::pin::Pin<Box<dyn Future<Output = ()>>>;

impl Daemon {
    /// A daemon on a new archive.
    pub fn founded() -> Self {
        Home::new().found().start()
    }

    fn spawn(
        home: Home,
        run: impl FnOnce(Config, OnReady, Shutdown) -> Result<(), AppError> + Send + 'static,
    ) -> Self {
        let (ready, address) = mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let Home { directory, config } = home;
        let settings = config.clone();
        let thread = std::thread::spawn(move || {
            let on_ready = Box::new(move |address| ready.send(address).expect("somebody waits"));
            let shutdown = Box::pin(async move { drop(stopped.await) });
            run(settings, on_ready, shutdown)
        });
        let Ok(address) = address.recv() else {
            let error = thread.join().expect("the daemon does not panic");
            panic!("the daemon did not start: {}", error.unwrap_err());
        };
        Self {
            address,
            config,
            stop: Some(stop),
            thread: Some(thread),
            directory: Some(directory),
        }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.config.data_dir.clone()
    }

    pub async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Stops the daemon cleanly; its place, to start another on.
    pub fn stop(mut self) -> Home {
        self.end().expect("the daemon ends cleanly");
        Home {
            directory: self.directory.take().expect("the daemon had a directory"),
            config: self.config.clone(),
        }
    }

    /// Stops the daemon and starts it again.
    pub fn restart(self) -> Self {
        self.stop().start()
    }

    fn end(&mut self) -> Result<(), AppError> {
        drop(self.stop.take());
        match self.thread.take() {
            Some(thread) => thread.join().expect("the daemon does not panic"),
            None => Ok(()),
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let ended = self.end();
        assert!(std::thread::panicking() || ended.is_ok(), "{ended:?}");
    }
}
