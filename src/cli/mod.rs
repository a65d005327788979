//! The command line: what people type.
//!
//! One file a command. Each asks a daemon over gRPC and shows the answer: drawn for people by
//! [`draw`], or as protobuf-JSON with `--json`. Nothing is decided here: every figure and label
//! is the daemon's. Answers go to standard output, everything else to standard error; the exit
//! code is 0 for yes, 1 for no (a check failed, a record was refused, a name that was given is
//! not on record), 2 for what cannot be asked, 3 for a daemon that cannot be reached.

mod agreement;
mod append;
mod archive;
mod audit;
pub mod authoring;
mod backup;
mod bundle;
mod changes;
mod check;
mod checkpoint;
mod client;
mod compare;
mod completions;
mod coverage;
mod demo;
mod divergences;
pub mod draw;
mod error;
mod export;
mod following;
mod gather;
mod import;
mod init;
mod json;
mod keygen;
mod list;
mod man;
mod mentioned;
mod numbers;
mod only;
mod output;
mod overview;
mod pages;
mod position;
mod positions;
mod projections;
mod proof;
mod read;
mod rebuild;
mod references;
mod restore;
mod reversals;
mod serve;
mod source;
mod status;
mod submit;
mod tail;
mod terms;
mod testimonies;
mod timeline;
mod transfer;
mod upkeep;
mod verify;
mod verify_projection;
mod warc;
mod watch;

use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

pub use client::Client;
pub use error::{Answer, CliError};

/// Keeps public speech on record: who said what, when, in what capacity, found where.
#[derive(Debug, Parser)]
#[command(name = "onrecord", version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    #[command(flatten)]
    Asking(AskingCommand),
    #[command(flatten)]
    Own(OwnCommand),
}

/// What speaks to a daemon.
#[derive(Debug, Subcommand)]
enum AskingCommand {
    Demo(demo::Demo),
    Append(append::Append),
    Source(source::Source),
    Position(Box<position::Position>),
    Compare(Box<compare::Compare>),
    Timeline(Box<timeline::Timeline>),
    Testimonies(Box<testimonies::Testimonies>),
    Positions(Box<positions::Positions>),
    Changes(Box<changes::Changes>),
    Reversals(Box<reversals::Reversals>),
    Divergences(Box<divergences::Divergences>),
    References(Box<references::References>),
    Agreement(Box<agreement::Agreement>),
    Coverage(coverage::Coverage),
    List(list::List),
    Read(read::Read),
    Tail(tail::Tail),
    Watch(Box<watch::Watch>),
    Status(status::Status),
    Checkpoint(checkpoint::Checkpoint),
    Projections(projections::Projections),
    Rebuild(rebuild::Rebuild),
    VerifyProjection(verify_projection::VerifyProjection),
    Backup(backup::Backup),
    Export(export::Export),
    Bundle(bundle::Bundle),
    Proof(proof::Proof),
}

/// What is done in this process alone: it brings a runtime of its own, or needs none.
#[derive(Debug, Subcommand)]
enum OwnCommand {
    Serve(serve::Serve),
    Init(init::Init),
    Keygen(keygen::Keygen),
    Restore(restore::Restore),
    Check(check::Check),
    Audit(audit::Audit),
    Import(import::Import),
    Completions(completions::Completions),
    Man(man::Man),
    Verify(verify::Verify),
}

/// Which daemon is asked.
#[derive(Args, Clone, Debug)]
pub struct Server {
    /// The daemon's address.
    #[arg(long, env = "ONRECORD_SERVER", default_value = client::SERVER_DEFAULT, value_name = "URL")]
    server: String,
}

impl Server {
    async fn connect(&self) -> Result<Client, CliError> {
        Client::connect(&self.server).await
    }
}

/// Which daemon is asked, and how its answer is shown.
#[derive(Args, Clone, Debug)]
pub struct Asking {
    #[command(flatten)]
    server: Server,
    /// Show the answer as protobuf-JSON.
    #[arg(long)]
    json: bool,
}

impl Asking {
    async fn connect(&self) -> Result<Client, CliError> {
        self.server.connect().await
    }
}

/// Whether the parts of an actor speak too.
#[derive(Args, Clone, Copy, Debug)]
pub struct Parts {
    /// Ask the actor's parts too (as is done for a STATE).
    #[arg(long)]
    with_parts: bool,
    /// Ask the actor alone (as is done for all but a STATE).
    #[arg(long, conflicts_with = "with_parts")]
    no_parts: bool,
}

impl Parts {
    const fn choice(self) -> Option<bool> {
        match (self.with_parts, self.no_parts) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }
    }
}

/// Runs a command to its end. What went wrong is told on standard error.
#[must_use]
pub fn run(cli: Cli) -> ExitCode {
    cli.command.run().unwrap_or_else(|error| {
        if !error.is_silent() {
            eprintln!("onrecord: {error}");
        }
        error.exit_code()
    })
}

impl Command {
    fn run(self) -> Result<ExitCode, CliError> {
        match self {
            Self::Own(OwnCommand::Serve(command)) => command.run(),
            Self::Own(OwnCommand::Init(command)) => command.run(),
            Self::Own(OwnCommand::Keygen(command)) => command.run(),
            Self::Own(OwnCommand::Restore(command)) => command.run(),
            Self::Own(OwnCommand::Check(command)) => command.run(),
            Self::Own(OwnCommand::Audit(command)) => command.run(),
            Self::Own(OwnCommand::Import(command)) => command.run(),
            Self::Own(OwnCommand::Completions(command)) => command.run(),
            Self::Own(OwnCommand::Man(command)) => command.run(),
            Self::Own(OwnCommand::Verify(command)) => command.run(),
            Self::Asking(command) => tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .build()
                .map_err(CliError::Runtime)?
                .block_on(command.run()),
        }
    }
}

impl AskingCommand {
    async fn run(self) -> Result<ExitCode, CliError> {
        match self {
            Self::Demo(command) => command.run().await,
            Self::Append(command) => command.run().await,
            Self::Source(command) => command.run().await,
            Self::Position(command) => command.run().await,
            Self::Compare(command) => command.run().await,
            Self::Timeline(command) => command.run().await,
            Self::Testimonies(command) => command.run().await,
            Self::Positions(command) => command.run().await,
            Self::Changes(command) => command.run().await,
            Self::Reversals(command) => command.run().await,
            Self::Divergences(command) => command.run().await,
            Self::References(command) => command.run().await,
            Self::Agreement(command) => command.run().await,
            Self::Coverage(command) => command.run().await,
            Self::List(command) => command.run().await,
            Self::Read(command) => command.run().await,
            Self::Tail(command) => command.run().await,
            Self::Watch(command) => command.run().await,
            Self::Status(command) => command.run().await,
            Self::Checkpoint(command) => command.run().await,
            Self::Projections(command) => command.run().await,
            Self::Rebuild(command) => command.run().await,
            Self::VerifyProjection(command) => command.run().await,
            Self::Backup(command) => command.run().await,
            Self::Export(command) => command.run().await,
            Self::Bundle(command) => command.run().await,
            Self::Proof(command) => command.run().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_of_all_commands_fit_together() {
        Cli::command().debug_assert();
    }
}
