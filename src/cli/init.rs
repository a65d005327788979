//! `onrecord init`: founds an archive without serving it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use data_encoding::HEXLOWER;

use super::error::CliError;
use crate::app::{self, ArchiveState, World};
use crate::config::{Config, keys};
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
}

impl Init {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let config = Config::on(self.data);
        self.founding.found(&config)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Founding {
    /// Founds an archive if there is none.
    pub(super) fn found_if_absent(&self, config: &Config) -> Result<(), CliError> {
        match app::look(&config.data_dir)? {
            ArchiveState::Founded => Ok(()),
            ArchiveState::Nothing | ArchiveState::Unfounded => self.found(config),
        }
    }

    /// Founds an archive, and says on standard error what was made and where.
    pub(super) fn found(&self, config: &Config) -> Result<(), CliError> {
        if app::look(&config.data_dir)? == ArchiveState::Founded {
            let path = config.data_dir.clone();
            return Err(app::AppError::AlreadyFounded { path }.into());
        }
        let origin = match &self.origin {
            Some(origin) => origin.clone(),
            None => random_origin()?,
        };
        let path = match &self.steward_key {
            Some(path) => path.clone(),
            None => beside(&config.data_dir),
        };
        let key = steward(&path)?;
        let founded = app::found(config, &origin, &key, World::real())?;
        eprintln!(
            "founded {} in {}\n\
             the steward's key is in {} and signs everything: move it to where only its owner \
             reads, away from the archive",
            founded.origin,
            founded.data_dir.display(),
            path.display()
        );
        if self.origin.is_none() {
            eprintln!(
                "the name {} is a placeholder: an archive that is to last is founded with --origin",
                founded.origin
            );
        }
        Ok(())
    }
}

/// The steward's key: the one that is there, or else a new one.
fn steward(path: &Path) -> Result<SigningKey, CliError> {
    match keys::read(path) {
        Err(keys::KeyFileError::Missing { .. }) => {
            let seed = keys::new_seed().map_err(CliError::Randomness)?;
            Ok(keys::write_new(path, seed, "steward")?)
        }
        found => Ok(found?),
    }
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
