//! `onrecord demo`: the real daemon on the example archive, and the story that it tells.

mod asking;
mod example;
mod story;
mod trust;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread::JoinHandle;

use clap::Args;
use tokio::sync::oneshot;

use self::asking::Asked;
use self::trust::Signed;
use super::append::{Tally, progress_in_records};
use super::authoring::Others;
use super::client::Client;
use super::draw::{self, Canvas, Sheet, Tint};
use super::error::CliError;
use super::output;
use super::serve::Signals;
use super::submit::{RecordsFile, Submitted};
use crate::app::{self, AppError, World};
use crate::config::{Config, Log, LogLevel, keys};
use crate::record::SigningKey;

/// The demo's archive; nothing of it is left when the demo ends.
const ORIGIN: &str = "onrecord.invalid/alaska-summit";

/// Serve the example archive from a temporary directory, and tell its story.
#[derive(Args, Debug)]
pub struct Demo {
    /// End after the story.
    #[arg(long)]
    once: bool,
    /// Tell the story of a copy of the example: a directory with records.jsonl and sources/.
    #[arg(long, value_name = "DIRECTORY")]
    records: Option<PathBuf>,
}

impl Demo {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let signals = Signals::listen()?;
        let home = tempfile::tempdir()?;
        let example = home.path().join("example");
        self.lay_out(&example)?;
        let daemon = Daemon::start(home.path().to_owned()).await?;
        let outcome = tokio::select! {
            outcome = self.tell(&daemon, &example) => outcome,
            () = signals.asked_to_stop() => Ok(ExitCode::SUCCESS),
        };
        daemon.stop().await?;
        outcome
    }

    fn lay_out(&self, example: &Path) -> Result<(), CliError> {
        std::fs::create_dir(example)?;
        match &self.records {
            None => Ok(example::unpack(example)?),
            Some(from) => {
                example::copy(from, example).map_err(|(path, error)| CliError::File { path, error })
            }
        }
    }

    /// Feeds the daemon, tells the story, and stays as long as asked.
    async fn tell(&self, daemon: &Daemon, example: &Path) -> Result<ExitCode, CliError> {
        let client = Client::connect(&daemon.server).await?;
        let canvas = Canvas::of_stdout();
        output::print(&opening(canvas, &daemon.server))?;
        let steward = [keys::read(&daemon.key)?].into();
        let (records, mut tally) = feed(&client, &steward, example).await?;
        let others = trust::feed(&client, &steward, example, &mut tally).await?;
        output::print(&fed(canvas, &records, &others, tally))?;

        let head = client.head().await?;
        let asked = Asked::new(client, head.head.map_or(0, |head| head.size));
        let mut show = |text: String| output::print(&text);
        story::tell(&asked, canvas, &records, &others, &mut show).await?;
        if !self.once {
            output::print(&closing(canvas, daemon))?;
            std::future::pending::<()>().await;
        }
        Ok(if tally.refused == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// A daemon in this process, on a thread and a runtime of its own.
struct Daemon {
    server: String,
    key: PathBuf,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<Result<(), AppError>>,
}

impl Daemon {
    /// Founds an archive in `home` and serves it on a free port.
    async fn start(home: PathBuf) -> Result<Self, CliError> {
        let key = home.join("steward.key");
        let seed = keys::new_seed().map_err(CliError::Randomness)?;
        let steward = keys::write_new(&key, seed, "steward of the demo")?;
        let config = Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            log: Log {
                level: LogLevel::Warn,
                json: false,
            },
            ..Config::on(home.join("archive"))
        };
        let (stop, stopped) = oneshot::channel();
        let (ready, address) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            app::found(&config, ORIGIN, &steward, World::real())?;
            let on_ready = |address| {
                // Nobody waits for it any more if the demo was ended.
                let _ = ready.send(address);
            };
            let asked_to_stop = async {
                // A sender that is gone is a reason to stop, too.
                let _ = stopped.await;
            };
            app::run(&config, World::real(), on_ready, asked_to_stop)
        });
        match address.await {
            Ok(address) => Ok(Self {
                server: format!("http://{address}"),
                key,
                stop,
                thread,
            }),
            // The daemon ended before it was ready, and says why.
            Err(_) => Err(ended(thread).await.err().unwrap_or(CliError::Ended)),
        }
    }

    async fn stop(self) -> Result<(), CliError> {
        drop(self.stop);
        ended(self.thread).await
    }
}

/// Waits for the daemon's thread.
async fn ended(thread: JoinHandle<Result<(), AppError>>) -> Result<(), CliError> {
    let joined = tokio::task::spawn_blocking(|| thread.join()).await;
    match joined {
        Ok(Ok(outcome)) => Ok(outcome?),
        Ok(Err(_)) | Err(_) => Err(CliError::Ended),
    }
}

/// Puts the example on record, by the way that `onrecord append` takes.
async fn feed(
    client: &Client,
    steward: &Arc<[SigningKey]>,
    example: &Path,
) -> Result<(Vec<Submitted>, Tally), CliError> {
    let file = RecordsFile::read(&example.join(example::RECORDS), &Others::new())?;
    let mut records = Vec::with_capacity(file.len());
    let mut tally = Tally::default();
    let progress = progress_in_records(file.len());
    let submitted = file
        .submit(client, Arc::clone(steward), false, &mut |line| {
            progress.inc(1);
            tally.count(&line);
            records.push(line);
            Ok(())
        })
        .await;
    progress.finish_and_clear();
    submitted?;
    Ok((records, tally))
}

fn opening(canvas: Canvas, server: &str) -> String {
    let mut sheet = Sheet::new(canvas);
    sheet.heading("onrecord: public speech, kept on record");
    sheet.gap();
    let text = format!(
        "A daemon runs at {server}, on an empty archive in a temporary directory. It is given \
         the example: press digests, and statements that point into them, each signed. Then it \
         is asked. Every figure, label, name and date below is its answer."
    );
    sheet.paragraph(0, Tint::Plain, &text);
    sheet.finish()
}

/// What became of the records, and every one that was refused.
fn fed(canvas: Canvas, records: &[Submitted], others: &[Signed], tally: Tally) -> String {
    let mut sheet = Sheet::new(canvas);
    sheet.line("");
    let text = format!(
        "{} records recorded, {} refused",
        tally.recorded, tally.refused
    );
    sheet.paragraph(0, Tint::Plain, &text);
    let path = Path::new(example::RECORDS);
    let refused = records.iter().filter(|line| line.on_record().is_none());
    for line in refused.chain(others.iter().flat_map(Signed::refused)) {
        sheet.line(super::append::drawn(canvas, path, line).trim_end());
    }
    sheet.finish()
}

/// What to type for this program: its name, where that finds it, or else its place.
fn program() -> String {
    let Ok(place) = std::env::current_exe() else {
        return "onrecord".to_owned();
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|directory| directory.join("onrecord"));
    let same = |other: PathBuf| other.canonicalize().is_ok_and(|other| other == place);
    if found.into_iter().any(same) {
        return "onrecord".to_owned();
    }
    draw::clean(&place.display().to_string())
}

/// What to try while the daemon stays up.
fn closing(canvas: Canvas, daemon: &Daemon) -> String {
    let mut sheet = Sheet::new(canvas);
    sheet.line("");
    sheet.heading("The daemon stays up until Ctrl-C. In another terminal, try:");
    sheet.gap();
    sheet.line(&format!("  export ONRECORD_SERVER={}", daemon.server));
    let program = program();
    for command in [
        "position kremlin leaders-meeting --as-of 2025-08-14",
        "compare kremlin leaders-meeting --milestone alaska-summit --to 2025-08-19",
        "timeline kremlin leaders-meeting --milestone alaska-summit",
        "position russia leaders-meeting",
        "position european-capitals territory --json",
        "read",
        "status",
    ] {
        sheet.line(&format!("  {program} {command}"));
    }
    let text = format!(
        "Records of your own can be signed with {}, for as long as the demo runs.",
        draw::clean(&daemon.key.display().to_string())
    );
    sheet.gap();
    sheet.paragraph(0, Tint::Faint, &text);
    sheet.finish()
}
