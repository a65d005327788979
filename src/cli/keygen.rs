//! `onrecord keygen`: makes a signing key, in a file for its owner alone.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use super::error::CliError;
use super::output;
use crate::config::keys;

/// Make a signing key. The public part, which a steward enrols as a verifier, goes to standard
/// output.
#[derive(Args, Debug)]
pub struct Keygen {
    /// Where to write the key. Nothing is ever written over.
    file: PathBuf,
    /// What the key is for, to whoever opens the file.
    #[arg(long, value_name = "TEXT", default_value = "verifier")]
    purpose: String,
    /// Show the public part as JSON.
    #[arg(long)]
    json: bool,
}

impl Keygen {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let seed = keys::new_seed().map_err(CliError::Randomness)?;
        let key = keys::write_new(&self.file, seed, &self.purpose)?;
        let verifier = key.public().to_string();
        let shown = if self.json {
            serde_json::json!({"verifier": verifier}).to_string()
        } else {
            verifier
        };
        output::print(&shown)?;
        Ok(ExitCode::SUCCESS)
    }
}
