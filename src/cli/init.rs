//! `onrecord init`: founds an archive without serving it.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use data_encoding::HEXLOWER;

use super::error::CliError;
use crate::app::{self, AppError, ArchiveState, World};
use crate::config::Config;
use crate::config::keys::{self, KeyFileError};
use crate::record::SigningKey;

/// The origin of archives that are not given one: a name that nobody can hold (RFC 2606), and
/// a part by which they differ.
const ORIGIN_UNNAMED: &str = "onrecord.invalid";

/// How many bytes of randomness stand in an origin that was not given: enough that no two
/// archives share one.
const ORIGIN_RANDOM_BYTES: usize = 8;

/// Found an archive, without serving it.
#[derive(Args, Debug)]
pub struct Init {
    /// Where the archive will lie.
    #[arg(long, value_name = "DIRECTORY", default_value = crate::config::DEFAULT_DATA_DIR)]
    data: PathBuf,
    #[command(flatten)]
    founding: Founding,
}

/// How an archive is founded.
#[derive(Args, Clone, Debug)]
pub struct Founding {
    /// The archive's name for ever, a host name and a path that are yours:
    /// news.example/archive. A random one, if left out.
    #[arg(long, value_name = "NAME")]
    origin: Option<String>,
    /// The file of the steward's key, who may sign everything at first. Made, if there is none;
    /// beside the archive, if left out.
    #[arg(long, value_name = "FILE")]
    steward_key: Option<PathBuf>,
    /// The directory of the keys that sign checkpoints, and of what they signed last; outside of
    /// the archive and its backups. Beside the archive, if left out: onrecord-data-signer.
    #[arg(long, value_name = "DIRECTORY")]
    signer: Option<PathBuf>,
}

impl Init {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let mut config = Config::on(self.data);
        config.origin.clone_from(&self.founding.origin);
        config.signer_dir.clone_from(&self.founding.signer);
        if app::look(&config.data_dir)? == ArchiveState::Founded {
            let path = config.data_dir.clone();
            return Err(AppError::AlreadyFounded { path }.into());
        }
        self.founding.found(&config)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Founding {
    /// The origin that is asked for.
    pub(super) fn origin(&self) -> Option<&str> {
        self.origin.as_deref()
    }

    /// The signer's directory that is asked for.
    pub(super) fn signer(&self) -> Option<&Path> {
        self.signer.as_deref()
    }

    /// Founds an archive if there is none, and nothing keeps it from being served.
    pub(super) fn found_if_absent(&self, config: &Config) -> Result<(), CliError> {
        config.check().map_err(AppError::Config)?;
        match app::look(&config.data_dir)? {
            ArchiveState::Founded => {
                if let Some(path) = &self.steward_key {
                    eprintln!(
                        "--steward-key {} is not looked at: it counts only when an archive is \
                         founded, and there is one in {}",
                        path.display(),
                        config.data_dir.display()
                    );
                }
                Ok(())
            }
            ArchiveState::Nothing | ArchiveState::Unfounded => {
                app::can_listen(config)?;
                self.found(config)
            }
        }
    }

    /// Founds an archive where there is none, and says on standard error what was made and
    /// where. Everything that can be wrong is found before a key is made.
    fn found(&self, config: &Config) -> Result<(), CliError> {
        config.check().map_err(AppError::Config)?;
        let origin = match &config.origin {
            Some(origin) => origin.clone(),
            None => random_origin()?,
        };
        app::acceptable(&origin)?;
        let path = match &self.steward_key {
            Some(path) => path.clone(),
            None => beside(&config.data_dir),
        };
        let key = steward(&path, &config.data_dir)?;
        let founded = app::found(config, &origin, &key, World::real())?;
        eprintln!(
            "founded {} in {}\n\
             the steward's key is in {} and signs everything: move it to where only its owner \
             reads, away from the archive\n\
             checkpoints are signed from {}: keep it out of every backup of the archive",
            founded.origin,
            founded.data_dir.display(),
            path.display(),
            config.signer_dir().display()
        );
        if config.origin.is_none() {
            eprintln!(
                "the name {} is a placeholder: an archive that is to last is founded with --origin",
                founded.origin
            );
        }
        Ok(())
    }
}

/// The steward's key: the one that is there, or else a new one.
fn steward(path: &Path, data_dir: &Path) -> Result<SigningKey, CliError> {
    if absolute(path).starts_with(absolute(data_dir)) {
        return Err(CliError::Usage {
            what: format!(
                "the steward's key {} would lie inside the archive that it is to be kept from",
                path.display()
            ),
            accepted: "--steward-key with a file outside of the data directory",
        });
    }
    let key = match keys::read(path) {
        Err(KeyFileError::Missing { .. }) => {
            let seed = keys::new_seed().map_err(CliError::Randomness)?;
            make_parents(path).and_then(|()| keys::write_new(path, seed, "steward"))
        }
        found => found,
    };
    key.map_err(|error| match error {
        error @ KeyFileError::Io { .. } => CliError::StewardKey { error },
        error => error.into(),
    })
}

/// Makes the directories above a key, for their owner alone.
fn make_parents(path: &Path) -> Result<(), KeyFileError> {
    let Some(parent) = path.parent().filter(|it| !it.as_os_str().is_empty()) else {
        return Ok(());
    };
    let mut directories = DirBuilder::new();
    let made = directories.recursive(true).mode(0o700).create(parent);
    made.map_err(|source| KeyFileError::Io {
        action: "create",
        path: parent.to_owned(),
        source,
    })
}

/// A path from the root, with links followed as far as there is something.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for above in path.ancestors() {
        if let Ok(real) = above.canonicalize() {
            return match path.strip_prefix(above) {
                Ok(rest) => real.join(rest),
                Err(_) => path,
            };
        }
    }
    path
}

/// `archive.steward.key` beside `archive`.
fn beside(data_dir: &Path) -> PathBuf {
    data_dir.with_added_extension("steward.key")
}

fn random_origin() -> Result<String, CliError> {
    let seed = keys::new_seed().map_err(CliError::Randomness)?;
    let random = seed.iter().take(ORIGIN_RANDOM_BYTES).copied();
    let random: Vec<u8> = random.collect();
    Ok(format!("{ORIGIN_UNNAMED}/{}", HEXLOWER.encode(&random)))
}
