//! `onrecord audit`: an archive that somebody else runs, audited from outside. What is decided
//! is decided in [`crate::audit::remote`]; here it is connected to a daemon, and told.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use tokio::runtime::Runtime;

use super::client::Client;
use super::draw::{self, Canvas};
use super::error::CliError;
use super::upkeep::{Counted, progress};
use super::{output, transfer};
use crate::app;
use crate::audit::WRITE_AFTER_ENTRIES;
use crate::audit::remote::{Archive, AuditParts, HttpSite, Report, Said, URL_ACCEPTED, audit};
use crate::config::keys;
use crate::merkle::{NoteKey, WitnessKey, WitnessPolicy};
use crate::record::ContentId;
use crate::rpc::proto::ListProjectionsRequest;

/// Has an archive kept what it signed, and is all of it what it should be? Downloads what is new
/// since the last audit, checks every tile, entry, signature and verdict, and replays the
/// projections. Exit code 0 if everything that could be checked holds, 1 if not, 3 if the archive
/// cannot be reached. An audit that is stopped goes on where it was.
#[derive(Args, Debug)]
pub struct Audit {
    /// The archive, or a mirror of its tiles: `https://archive.example.org`.
    #[arg(value_name = "URL")]
    url: String,
    /// What is remembered between audits; the folded state lies beside it, in FILE.d.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// The archive's verifier key, NAME+HEX+BASE64, from somebody you trust: whoever runs the
    /// archive reads it off `onrecord status`. Remembered from the first audit on.
    #[arg(long = "key", value_name = "VKEY")]
    keys: Vec<NoteKey>,
    /// A folder with documents, by whatever names. Those that are not there are asked for.
    #[arg(long, value_name = "DIRECTORY")]
    sources: Option<PathBuf>,
    /// A witness's verifier key. May be given several times.
    #[arg(long = "witness", value_name = "VKEY")]
    witnesses: Vec<WitnessKey>,
    /// How many of the witnesses must have cosigned. All of them, if left out.
    #[arg(long, value_name = "N", requires = "witnesses")]
    quorum: Option<usize>,
    /// Write what was found, with the checkpoints, to this file as JSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Take what could not be checked for a no.
    #[arg(long)]
    strict: bool,
    /// Show what was found as JSON.
    #[arg(long)]
    json: bool,
}

impl Audit {
    pub(super) fn run(self) -> Result<ExitCode, CliError> {
        let quorum = self.quorum.unwrap_or(self.witnesses.len());
        let witnesses = WitnessPolicy::new(self.witnesses.clone(), quorum);
        let witnesses = witnesses.map_err(|error| CliError::Usage {
            what: format!("--witness, --quorum: {error}"),
            accepted: "at most 15 witnesses of distinct names and keys, and a quorum of 1 to their number",
        })?;
        let site = HttpSite::at(&self.url).ok_or_else(|| CliError::Usage {
            what: format!("{} is no URL of an archive", self.url),
            accepted: URL_ACCEPTED,
        })?;
        let bar = progress(Counted::Entries);
        let report = audit(&AuditParts {
            site: &site,
            archive: Daemon::at(&self.url),
            sources: self.sources.as_deref(),
            folds: &app::folds(),
            state: &self.state,
            keys: &self.keys,
            witnesses: &witnesses,
            seed: keys::new_seed().map_err(CliError::Randomness)?,
            write_after_entries: WRITE_AFTER_ENTRIES,
            progress: &|done, total| {
                bar.set_length(total);
                bar.set_position(done);
            },
        });
        bar.finish_and_clear();
        let report = report?;
        let holds = report.holds() && !(self.strict && report.unchecked() > 0);
        self.tell(&report, &site, holds)?;
        Ok(if holds {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    fn tell(&self, report: &Report, site: &HttpSite, holds: bool) -> Result<(), CliError> {
        let (requests, bytes) = site.read_so_far();
        let json = || {
            let failed = |error: serde_json::Error| CliError::Json {
                reason: error.to_string(),
            };
            let mut value = serde_json::to_value(report).map_err(failed)?;
            if let Some(object) = value.as_object_mut() {
                object.insert("url".to_owned(), self.url.clone().into());
                object.insert("holds".to_owned(), holds.into());
                object.insert("requests".to_owned(), requests.into());
                object.insert("bytesRead".to_owned(), bytes.into());
            }
            serde_json::to_string_pretty(&value).map_err(failed)
        };
        if let Some(path) = &self.report {
            output::save(path, &json()?)?;
        }
        if self.json {
            return output::print(&json()?);
        }
        let canvas = Canvas::of_stdout();
        output::print(&draw::audited(
            canvas,
            &self.url,
            report,
            (requests, bytes),
            holds,
        ))
    }
}

/// A daemon that answers beside its tiles.
struct Daemon {
    runtime: Runtime,
    client: Client,
}

impl Daemon {
    fn at(url: &str) -> Result<Arc<dyn Archive>, String> {
        let told = |error: CliError| {
            let said = error.to_string();
            said.lines().next().unwrap_or_default().to_owned()
        };
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        let client = runtime.block_on(Client::connect(url)).map_err(told)?;
        Ok(Arc::new(Self { runtime, client }))
    }
}

impl Archive for Daemon {
    fn projections(&self) -> Result<Vec<Said>, String> {
        let asked = async {
            let mut admin = self.client.admin();
            let answer = admin.list_projections(ListProjectionsRequest {}).await;
            self.client.answered(answer)
        };
        let answer = self.runtime.block_on(asked);
        let answer = answer.map_err(|error| {
            let said = error.to_string();
            said.lines().next().unwrap_or_default().to_owned()
        })?;
        let said = answer.projections.into_iter().map(|it| Said {
            name: it.name,
            version: it.version,
            size: it.cursor.map_or(0, |cursor| cursor.size),
            digest: it.digest,
        });
        Ok(said.collect())
    }

    fn source(
        &self,
        id: &ContentId,
        take: &mut dyn FnMut(&[u8]) -> Result<(), String>,
    ) -> Result<(), String> {
        let id = id.to_string();
        let taken = |bytes: &[u8]| {
            take(bytes).map_err(|reason| CliError::Write {
                path: PathBuf::from(&id),
                error: io::Error::other(reason),
            })
        };
        let downloaded = transfer::download(&self.client, &id, taken);
        let downloaded = self.runtime.block_on(downloaded);
        downloaded.map(drop).map_err(|error| error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    #[test]
    fn a_daemon_is_asked_also_over_tls_and_is_away_where_nobody_speaks_it() {
        // The record of a handshake, and the protocol that is asked for in it.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("HTTPS://{}", listener.local_addr().unwrap());
        let heard = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut hello = vec![0; 4_096];
            let read = stream.read(&mut hello).unwrap();
            hello.truncate(read);
            hello
        });
        let why = Daemon::at(&url).err().unwrap();
        assert!(why.contains("no daemon answers"), "{why}");
        let hello = heard.join().unwrap();
        assert_eq!(hello[..2], [0x16, 3]);
        assert!(hello.windows(3).any(|it| it == b"\x02h2"), "{hello:?}");
        // Nobody listens there; but it is asked.
        let why = Daemon::at("http://127.0.0.1:1").err().unwrap();
        assert!(why.contains("no daemon answers"), "{why}");
    }
}
