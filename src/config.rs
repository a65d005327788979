//! The daemon's settings: plain values that can be written down, apart from the parts that
//! are passed in. Every bound that an operator may want to move stands here, with its default
//! and why; what must hold for the archive to be right is no setting.

pub mod keys;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::checkpoint::witness::{URL_ACCEPTED, check_url};
use crate::checkpoint::{self};
use crate::documents::TEXT_CACHE_BYTES;
use crate::merkle::{WITNESSES_MAX, WitnessKey, WitnessKeyError};

/// The port that a daemon listens on unless told otherwise.
pub const DEFAULT_PORT: u16 = 7450;

/// Where an archive lies unless told otherwise.
pub const DEFAULT_DATA_DIR: &str = "onrecord-data";

/// Where the signer's directory lies if nothing lies beside the archive.
const DEFAULT_SIGNER_DIR: &str = "onrecord-data-signer";

/// Expiry spares what was used since the expiry before the last, so that less time than an
/// append may take must never lie between two: ten minutes are twenty commits that fail.
const UPLOAD_EXPIRY_SECONDS_MIN: u64 = 600;

/// How a daemon runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the archive lies.
    pub data_dir: PathBuf,
    /// Where the signer keeps the checkpoint keys and what it signed last: a directory outside of
    /// the archive, which no backup of the archive has. Beside the archive, with `-signer` added
    /// to its name, if left out.
    pub signer_dir: Option<PathBuf>,
    /// The archive's origin: where there is no archive it is founded under it, and one of
    /// another origin is refused. Whatever it is, if left out.
    pub origin: Option<String>,
    /// Below which directory backups are written, whoever asks for them. If left out, they are
    /// written wherever the daemon may, for those alone who ask on its own machine.
    pub backup_dir: Option<PathBuf>,
    /// Where the daemon listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The largest document that is taken, in bytes. 64 MiB.
    pub source_bytes_max: u64,
    /// How much extracted text is kept ready for searching, in bytes. 256 MiB, five thousand
    /// sources of 50 KB.
    pub text_cache_bytes: usize,
    /// After how many seconds an upload goes that no record names. A day; at least ten
    /// minutes.
    pub upload_expiry_seconds: u64,
    /// How many bytes of uploads are kept that no record names, their texts among them; each
    /// counts as 16 KiB more than it has. 4 GiB: 64 of the largest documents.
    pub unnamed_bytes_max: u64,
    /// How many bytes of the disk uploads leave free, so that the ledger can go on. 1 GiB.
    pub disk_reserve_bytes: u64,
    /// How many seconds one upload may take. 1,800: 64 MiB at 300 kbit/s.
    pub upload_seconds_max: u64,
    /// How many seconds open calls are given when the daemon stops. 10.
    pub drain_seconds_max: u64,
    /// By how many seconds after it was asked to stop a daemon has ended, whatever its disk
    /// does. 45: open calls have their 10, and a commit on its way its 30. A service manager
    /// should wait for longer before it kills.
    pub stop_seconds_max: u64,
    /// How many seconds a call may wait for the ledger or a projection to have read enough.
    /// 30.
    pub wait_seconds_max: u64,
    /// How many seconds a commit may take before it counts as failed. 30, which no healthy
    /// disk takes.
    pub commit_seconds_max: u64,
    /// How many records may be on their way into the ledger at a time. 8,192.
    pub queue_records_max: usize,
    /// How many bytes of records may be on their way into the ledger at a time. 32 MiB.
    pub queue_bytes_max: usize,
    /// The page cache of the ledger's database, in bytes. 8 MiB: readers follow its tail,
    /// which is kept decoded.
    pub ledger_cache_bytes: u64,
    /// The block cache that admission's state and the projections share, in bytes. 48 MiB: what
    /// is not in it is in the operating system's.
    pub tables_cache_bytes: u64,
    /// How many milliseconds lie between two checkpoints, if the ledger grows. 1,000.
    pub checkpoint_interval_ms: u64,
    /// The witnesses that can be asked to cosign checkpoints: those are that the archive's newest
    /// `WitnessPolicySet` names.
    pub witnesses: Vec<Witness>,
    /// How many milliseconds lie between two requests to a witness. 1,000.
    pub witness_interval_ms: u64,
    /// Bounds of connections.
    pub connections: Connections,
    /// Bounds of subscriptions.
    pub subscriptions: Subscriptions,
    /// What is logged.
    pub log: Log,
}

/// A witness that can be asked to cosign checkpoints, after C2SP tlog-witness.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Witness {
    /// Its verifier key, as the archive's `WitnessPolicySet` has it: name, key id, and base64 of
    /// the byte 0x04 and the Ed25519 key.
    pub key: String,
    /// Its URL, to which `/add-checkpoint` is added.
    pub url: String,
}

/// Bounds of connections.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Connections {
    /// The largest message that is taken, in bytes. 4 MiB, as most clients have it.
    pub message_bytes_max: usize,
    /// How many connections are open at a time. 1,024: with their windows at most 4 GiB are
    /// on their way, if all of them send and nothing is read.
    pub open_max: usize,
    /// How many of these may come from one address (of IPv6, from one /64), so that one peer
    /// cannot shut out all others. A quarter of them all, 256. Behind a proxy all connections
    /// come from its address.
    pub open_per_peer_max: usize,
    /// How many seconds a connection has until the head of its first request (HTTP/1), or its
    /// preface (HTTP/2), has come. 10: a packet that was lost twice is sent again within 7. Who
    /// says nothing can so hold a peer's 256 places only by coming again 26 times a second. For
    /// the head of each further request over HTTP/1 there are 30 seconds from the answer before
    /// it, which is no setting.
    pub opening_seconds_max: u64,
    /// How many calls are open on one connection at a time. 256.
    pub streams_max: u32,
    /// The window of one call, in bytes. 1 MiB.
    pub stream_window_bytes: u32,
    /// The window of one connection, in bytes. 4 MiB.
    pub connection_window_bytes: u32,
    /// After how many seconds of silence a connection is asked whether it lives. 30.
    pub keep_alive_seconds: u64,
    /// How many seconds it has to answer. 20.
    pub keep_alive_timeout_seconds: u64,
    /// After how many seconds a connection is asked to be opened anew, so that clients spread
    /// over daemons. Six hours.
    pub age_seconds_max: u64,
    /// How many seconds the calls on it have from then on. An hour.
    pub age_grace_seconds: u64,
}

/// Bounds of subscriptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Subscriptions {
    /// How many are open at a time. 1,000: what waits for their clients is 250 MiB at most.
    pub open_max: usize,
    /// After how many seconds without a message a client is told that its subscription lives,
    /// and how much of the ledger has been considered. 5.
    pub heartbeat_seconds: u64,
    /// How many seconds a client may make no room for what waits for it, before it is dropped
    /// and told where to resume. 30.
    pub slow_seconds_max: u64,
}

/// What is logged, to standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// From which level on.
    pub level: LogLevel,
    /// As lines of JSON, for machines.
    pub json: bool,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Nothing.
    Off,
    /// What an operator must act on.
    Error,
    /// What an operator should look at.
    Warn,
    /// What happens now and then: start, stop, recovery.
    Info,
    /// More than one wants to read.
    Debug,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from(DEFAULT_DATA_DIR),
            signer_dir: None,
            origin: None,
            backup_dir: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
            source_bytes_max: 64 << 20,
            text_cache_bytes: TEXT_CACHE_BYTES,
            upload_expiry_seconds: 24 * 60 * 60,
            unnamed_bytes_max: 4 << 30,
            disk_reserve_bytes: 1 << 30,
            upload_seconds_max: 30 * 60,
            drain_seconds_max: 10,
            stop_seconds_max: 45,
            wait_seconds_max: 30,
            commit_seconds_max: 30,
            queue_records_max: 8_192,
            queue_bytes_max: 32 << 20,
            ledger_cache_bytes: 8 << 20,
            tables_cache_bytes: 48 << 20,
            checkpoint_interval_ms: 1_000,
            witnesses: Vec::new(),
            witness_interval_ms: 1_000,
            connections: Connections::default(),
            subscriptions: Subscriptions::default(),
            log: Log::default(),
        }
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self {
            message_bytes_max: 4 << 20,
            open_max: 1_024,
            open_per_peer_max: 1_024 / 4,
            opening_seconds_max: 10,
            streams_max: 256,
            stream_window_bytes: 1 << 20,
            connection_window_bytes: 4 << 20,
            keep_alive_seconds: 30,
            keep_alive_timeout_seconds: 20,
            age_seconds_max: 6 * 60 * 60,
            age_grace_seconds: 60 * 60,
        }
    }
}

impl Default for Subscriptions {
    fn default() -> Self {
        Self {
            open_max: 1_000,
            heartbeat_seconds: 5,
            slow_seconds_max: 30,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: LogLevel::Info,
            json: false,
        }
    }
}

impl Config {
    /// The settings of a daemon on `data_dir`, all else as by default.
    #[must_use]
    pub fn on(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            ..Self::default()
        }
    }

    /// Refuses settings that cannot work.
    pub fn check(&self) -> Result<(), ConfigError> {
        let at_least = |name, value: u64, least: u64| {
            if value < least {
                return Err(ConfigError::TooSmall { name, value, least });
            }
            Ok(())
        };
        let connections = &self.connections;
        let message = connections.message_bytes_max as u64;
        at_least(
            "upload_expiry_seconds",
            self.upload_expiry_seconds,
            UPLOAD_EXPIRY_SECONDS_MIN,
        )?;
        // A chunk of 1 MiB and a record of 64 KiB fit into a message, a message into the queue.
        at_least("connections.message_bytes_max", message, 2 << 20)?;
        at_least("queue_bytes_max", self.queue_bytes_max as u64, 2 * message)?;
        at_least("queue_records_max", self.queue_records_max as u64, 1_000)?;
        at_least("source_bytes_max", self.source_bytes_max, 1)?;
        // One document must fit, with what it counts as besides its bytes.
        at_least(
            "unnamed_bytes_max",
            self.unnamed_bytes_max,
            self.source_bytes_max.saturating_add(1 << 20),
        )?;
        at_least("upload_seconds_max", self.upload_seconds_max, 1)?;
        at_least(
            "stop_seconds_max",
            self.stop_seconds_max,
            self.drain_seconds_max.saturating_add(1),
        )?;
        at_least("wait_seconds_max", self.wait_seconds_max, 1)?;
        at_least("commit_seconds_max", self.commit_seconds_max, 1)?;
        at_least("checkpoint_interval_ms", self.checkpoint_interval_ms, 1)?;
        at_least("witness_interval_ms", self.witness_interval_ms, 1)?;
        self.signer_lies_apart()?;
        self.witnesses()?;
        at_least("connections.open_max", connections.open_max as u64, 1)?;
        at_least(
            "connections.open_per_peer_max",
            connections.open_per_peer_max as u64,
            1,
        )?;
        at_least(
            "connections.opening_seconds_max",
            connections.opening_seconds_max,
            1,
        )?;
        at_least("connections.streams_max", connections.streams_max.into(), 1)?;
        at_least(
            "connections.keep_alive_seconds",
            connections.keep_alive_seconds,
            1,
        )?;
        at_least(
            "connections.keep_alive_timeout_seconds",
            connections.keep_alive_timeout_seconds,
            1,
        )?;
        at_least(
            "connections.age_seconds_max",
            connections.age_seconds_max,
            60,
        )?;
        let subscriptions = &self.subscriptions;
        at_least("subscriptions.open_max", subscriptions.open_max as u64, 1)?;
        at_least(
            "subscriptions.heartbeat_seconds",
            subscriptions.heartbeat_seconds,
            1,
        )?;
        at_least(
            "subscriptions.slow_seconds_max",
            subscriptions.slow_seconds_max,
            1,
        )
    }

    /// Where the signer keeps its keys and what it signed last.
    #[must_use]
    pub fn signer_dir(&self) -> PathBuf {
        match &self.signer_dir {
            Some(path) => path.clone(),
            None => signer_beside(&self.data_dir),
        }
    }

    /// Refuses a signer's directory that a copy of the archive would have in it.
    fn signer_lies_apart(&self) -> Result<(), ConfigError> {
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let signer_dir = self.signer_dir();
        if absolute(&signer_dir).starts_with(absolute(&self.data_dir)) {
            return Err(ConfigError::SignerInside { path: signer_dir });
        }
        Ok(())
    }

    /// The witnesses, with their keys read.
    pub fn witnesses(&self) -> Result<Vec<checkpoint::witness::Witness>, ConfigError> {
        let found = self.witnesses.len();
        if found > WITNESSES_MAX {
            return Err(ConfigError::TooManyWitnesses { found });
        }
        let read = |(place, witness): (usize, &Witness)| {
            let Witness { key, url } = witness;
            let error = |error| ConfigError::WitnessKey { place, error };
            let key: WitnessKey = key.parse().map_err(error)?;
            if !check_url(url) {
                let url = url.clone();
                return Err(ConfigError::WitnessUrl { place, url });
            }
            let before = self.witnesses.iter().take(place);
            if before.into_iter().any(|other| other.key == witness.key) {
                return Err(ConfigError::WitnessTwice { place });
            }
            Ok(checkpoint::witness::Witness {
                key,
                url: url.clone(),
            })
        };
        self.witnesses.iter().enumerate().map(read).collect()
    }

    /// The time between two checkpoints, and between two requests to a witness.
    #[must_use]
    pub const fn signing(&self) -> checkpoint::Settings {
        checkpoint::Settings {
            interval: Duration::from_millis(self.checkpoint_interval_ms),
            witness_interval: Duration::from_millis(self.witness_interval_ms),
        }
    }

    /// After how long an upload goes that no record names.
    #[must_use]
    pub const fn upload_expiry(&self) -> Duration {
        Duration::from_secs(self.upload_expiry_seconds)
    }

    /// How long one upload may take.
    #[must_use]
    pub const fn upload_max(&self) -> Duration {
        Duration::from_secs(self.upload_seconds_max)
    }

    /// How long open calls are given when the daemon stops.
    #[must_use]
    pub const fn drain_max(&self) -> Duration {
        Duration::from_secs(self.drain_seconds_max)
    }

    /// How long stopping may take, with the time that open calls are given.
    #[must_use]
    pub const fn stop_max(&self) -> Duration {
        Duration::from_secs(self.stop_seconds_max)
    }

    /// How long a call may wait.
    #[must_use]
    pub const fn wait_max(&self) -> Duration {
        Duration::from_secs(self.wait_seconds_max)
    }

    /// How long a commit may take.
    #[must_use]
    pub const fn commit_max(&self) -> Duration {
        Duration::from_secs(self.commit_seconds_max)
    }
}

/// `archive-signer` beside `archive`.
fn signer_beside(data_dir: &Path) -> PathBuf {
    let path = std::path::absolute(data_dir).unwrap_or_else(|_| data_dir.to_owned());
    let Some(name) = path.file_name() else {
        // The root of the file system, which holds nothing beside it.
        return PathBuf::from(DEFAULT_SIGNER_DIR);
    };
    let mut name = name.to_owned();
    name.push("-signer");
    // As it was written, so that messages name it so.
    match data_dir.file_name() {
        Some(_) => data_dir.with_file_name(name),
        None => path.with_file_name(name),
    }
}

/// A setting that cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A bound that nothing works with.
    #[error("the setting {name} is {value}; it must be at least {least}")]
    TooSmall {
        /// Which.
        name: &'static str,
        /// What it is.
        value: u64,
        /// What it must be at least.
        least: u64,
    },
    /// Whoever copies the archive would copy what must not be in a copy.
    #[error(
        "the signer's directory {} lies inside the archive, and so in each of its backups; name one outside of it with --signer",
        path.display()
    )]
    SignerInside {
        /// The signer's directory.
        path: PathBuf,
    },
    /// More witnesses than a policy may name.
    #[error("there are {found} witnesses; an archive names at most {WITNESSES_MAX}")]
    TooManyWitnesses {
        /// How many there are.
        found: usize,
    },
    /// No key of a witness.
    #[error("witnesses[{place}].key: {error}")]
    WitnessKey {
        /// Which, counted from 0.
        place: usize,
        /// What is wrong with it.
        error: WitnessKeyError,
    },
    /// No URL of a witness.
    #[error("witnesses[{place}].url: {url:?} cannot be asked; accepted: {URL_ACCEPTED}")]
    WitnessUrl {
        /// Which, counted from 0.
        place: usize,
        /// What it is.
        url: String,
    },
    /// One witness would be asked twice.
    #[error("witnesses[{place}].key stands there before; each witness once")]
    WitnessTwice {
        /// Which, counted from 0.
        place: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_can_work() {
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn the_service_manager_waits_for_longer_than_stopping_may_take() {
        let unit = include_str!("../deploy/onrecord.service");
        let bound = unit
            .lines()
            .find_map(|line| line.strip_prefix("TimeoutStopSec="));
        let bound: u64 = bound.unwrap().strip_suffix('s').unwrap().parse().unwrap();
        assert!(bound > Config::default().stop_seconds_max);
    }

    #[test]
    fn settings_survive_being_written_down() {
        let config = Config {
            listen: "[::1]:0".parse().unwrap(),
            log: Log {
                level: LogLevel::Debug,
                json: true,
            },
            ..Config::on("somewhere/else")
        };
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<Config>(&written).unwrap(), config);
    }

    #[test]
    fn what_is_not_written_down_is_as_by_default_and_what_is_unknown_is_refused() {
        let config: Config = serde_json::from_str(r#"{"source_bytes_max": 1000}"#).unwrap();
        assert_eq!(config.source_bytes_max, 1000);
        assert_eq!(config.listen, Config::default().listen);
        assert!(serde_json::from_str::<Config>(r#"{"sourceBytesMax": 1000}"#).is_err());
    }

    #[test]
    fn a_setting_that_cannot_work_is_named() {
        let config = Config {
            upload_expiry_seconds: 5,
            ..Config::default()
        };
        let error = config.check().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the setting upload_expiry_seconds is 5; it must be at least 600"
        );
    }
    #[test]
    fn the_signer_lies_beside_the_archive_and_never_in_it() {
        for (data_dir, signer) in [
            ("onrecord-data", "onrecord-data-signer"),
            ("/var/lib/onrecord/", "/var/lib/onrecord-signer"),
            ("a/b", "a/b-signer"),
        ] {
            let config = Config::on(data_dir);
            assert_eq!(config.signer_dir(), Path::new(signer));
            assert_eq!(config.check(), Ok(()));
        }
        for inside in ["data", "data/", "data/signer", "./data/x/../y"] {
            let config = Config {
                signer_dir: Some(inside.into()),
                ..Config::on("data")
            };
            let refused = config.check().unwrap_err().to_string();
            assert!(refused.contains("--signer"), "{refused}");
        }
    }

    #[test]
    fn a_witness_that_cannot_be_asked_is_named() {
        let key = WitnessKey::new(
            "witness.example".parse().unwrap(),
            crate::record::SigningKey::from_seed([5; 32]).public(),
        );
        let key = key.note_key().to_string();
        let witness = |key: &str, url: &str| Witness {
            key: key.to_owned(),
            url: url.to_owned(),
        };
        let check = |witnesses: Vec<Witness>| {
            let config = Config {
                witnesses,
                ..Config::default()
            };
            config.check().map_err(|error| error.to_string())
        };
        let fit = witness(&key, "https://witness.example/");
        assert_eq!(check(vec![fit.clone()]), Ok(()));
        for (witnesses, named) in [
            (vec![witness("x", &fit.url)], "witnesses[0].key"),
            (vec![witness(&key, "witness.example")], "witnesses[0].url"),
            (vec![fit.clone(), fit.clone()], "witnesses[1].key"),
            (vec![fit; 16], "at most 15"),
        ] {
            let refused = check(witnesses).unwrap_err();
            assert!(refused.contains(named), "{refused}");
        }
    }
}
