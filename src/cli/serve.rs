//! `onrecord serve`: the daemon.
//!
//! Standard output gets one line, once the daemon has answered over its own socket. SIGTERM
//! and Ctrl-C end it; before that line they end the process at once, which loses nothing.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

use super::client::Client;
use super::error::CliError;
use super::init::Founding;
use super::output;
use crate::app::{self, World};
use crate::config::{Config, LogLevel};
use crate::merkle::{NOTE_BYTES_MAX, SignedNote};
use crate::telemetry;

/// Serve an archive. Where there is none, one is founded.
#[derive(Args, Debug)]
pub struct Serve {
    /// Where the archive lies: onrecord-data, if nothing else is said.
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// Where to listen: 127.0.0.1:7450, if nothing else is said. Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    listen: Option<SocketAddr>,
    #[command(flatten)]
    founding: Founding,
    /// Start although HEAD is missing or damaged, and take the ledger as it is found. For one
    /// start, once somebody has made sure that no entry is missing.
    #[arg(long)]
    accept_ledger_as_found: bool,
    /// Sign checkpoints from here on: a file with the newest checkpoint of this archive that
    /// anybody has. For one start, after a restore or where the signer's directory was lost.
    #[arg(long, value_name = "CHECKPOINT_FILE")]
    continue_from: Option<PathBuf>,
    /// From which level on to log, on standard error.
    #[arg(long, value_enum, value_name = "LEVEL")]
    log: Option<Level>,
    /// How to log.
    #[arg(long, value_enum, value_name = "FORMAT")]
    log_format: Option<Format>,
    /// The largest document that is taken, in bytes.
    #[arg(long, value_name = "N")]
    source_bytes_max: Option<u64>,
    /// A file of settings as JSON, for every bound there is. Flags go before it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Where to listen; the first address of a host that is named.
fn address(text: &str) -> Result<SocketAddr, String> {
    let accepted =
        |why: String| format!("{why}; accepted: 127.0.0.1:7450, [::1]:7450, localhost:7450");
    let mut addresses = text
        .to_socket_addrs()
        .map_err(|error| accepted(error.to_string()))?;
    addresses
        .next()
        .ok_or_else(|| accepted("the host has no address".to_owned()))
}

/// How much is logged.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Level {
    Off,
    Error,
    Warn,
    Info,
    Debug,
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Serve {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let config = self.settings()?;
        telemetry::start(config.log);
        let mut world = World::real();
        if let Some(path) = &self.continue_from {
            world.continue_from = Some(note(path)?);
        }
        if self.accept_ledger_as_found {
            accept(&config)?;
        }
        self.founding.found_if_absent(&config)?;
        let (listening, signals) = oneshot::channel();
        let ready = |address| {
            // From here on a signal is a request.
            match Signals::listen() {
                Ok(listened) => drop(listening.send(listened)),
                Err(error) => tracing::warn!(%error, "signals end the daemon without a word"),
            }
            tokio::spawn(announce(address));
        };
        let stop = async {
            match signals.await {
                Ok(signals) => signals.asked_to_stop().await,
                Err(_) => std::future::pending().await,
            }
        };
        app::run(&config, world, ready, stop)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The settings of the file, and over them those of the flags.
    fn settings(&self) -> Result<Config, CliError> {
        let mut config = match &self.config {
            Some(path) => from_file(path)?,
            None => Config::default(),
        };
        if let Some(data) = &self.data {
            config.data_dir.clone_from(data);
        }
        if let Some(origin) = self.founding.origin() {
            config.origin = Some(origin.to_owned());
        }
        if let Some(signer) = self.founding.signer() {
            config.signer_dir = Some(signer.to_owned());
        }
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        if let Some(bytes) = self.source_bytes_max {
            config.source_bytes_max = bytes;
        }
        if let Some(level) = self.log {
            config.log.level = match level {
                Level::Off => LogLevel::Off,
                Level::Error => LogLevel::Error,
                Level::Warn => LogLevel::Warn,
                Level::Info => LogLevel::Info,
                Level::Debug => LogLevel::Debug,
            };
        }
        if let Some(format) = self.log_format {
            config.log.json = format == Format::Json;
        }
        Ok(config)
    }
}

/// Accepts the ledger as it is found, and says what that is on standard error.
fn accept(config: &Config) -> Result<(), CliError> {
    if let Some(head) = app::accept_ledger_as_found(config)? {
        eprintln!(
            "accepted the ledger as found: {} entries with the root {}; hold both against the \
             newest answer that a client has kept",
            head.size, head.root
        );
    } else {
        eprintln!("there was nothing to accept: HEAD vouches for the ledger, or it is empty");
    }
    Ok(())
}

/// The signed note in a file, of which no more is read than a note has.
fn note(path: &Path) -> Result<SignedNote, CliError> {
    let file = |error| CliError::File {
        path: path.to_owned(),
        error,
    };
    let mut bytes = Vec::new();
    let opened = File::open(path).map_err(file)?;
    let mut opened = opened.take(NOTE_BYTES_MAX as u64 + 1);
    opened.read_to_end(&mut bytes).map_err(file)?;
    SignedNote::parse(&bytes).map_err(|error| CliError::Usage {
        what: format!("{}: {error}", path.display()),
        accepted: "a signed checkpoint, as `onrecord checkpoint` prints it",
    })
}

fn from_file(path: &PathBuf) -> Result<Config, CliError> {
    let file = |error| CliError::File {
        path: path.clone(),
        error,
    };
    let text = std::fs::read(path).map_err(file)?;
    serde_json::from_slice(&text).map_err(|error| CliError::Usage {
        what: format!("{}: {error}", path.display()),
        accepted: "an object of settings, each of its type",
    })
}

/// Requests to stop.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes signals as requests from here on.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Ends when the process is asked to stop.
    pub(super) async fn asked_to_stop(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Gives the address on standard output, once somebody who asks there gets an answer.
async fn announce(address: SocketAddr) {
    let line = match origin(address).await {
        Ok(origin) => format!("serving {origin} on http://{address}"),
        Err(error) => {
            tracing::warn!(%error, "the daemon does not reach itself");
            format!("serving on http://{address}")
        }
    };
    if let Err(error) = output::print(&line) {
        tracing::warn!(%error, "nobody reads the address");
    }
}

async fn origin(address: SocketAddr) -> Result<String, CliError> {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let reachable = SocketAddr::new(ip, address.port());
    let client = Client::connect(&format!("http://{reachable}")).await?;
    Ok(client.head().await?.origin)
}
