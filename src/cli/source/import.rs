//! `onrecord source import`: the responses of a web archive, as sources.
//!
//! Each payload is put aside in a temporary file, checked, and uploaded; then the line that puts
//! it on record is printed, or signed and appended. With `--key`, what was signed is kept beside
//! the web archive as `FILE.signed`, as it is for a file of records, so that importing a file
//! again records nothing twice.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tempfile::NamedTempFile;
use tonic::Code;

use crate::cli::append::{Tally, drawn};
use crate::cli::authoring::Others;
use crate::cli::client::Client;
use crate::cli::draw::{Canvas, clean};
use crate::cli::error::{Answer, CliError};
use crate::cli::submit::RecordsFile;
use crate::cli::warc::{
    Archive, Captures, Fault, Fields, Found, Framing, Original, Payload, RecordHead, RecordKind,
    UrlPattern, host, take,
};
use crate::cli::{Asking, json as answers, output, transfer};
use crate::config::keys;
use crate::record::Micros;
use crate::rpc::proto::PutSourceResponse;

/// The largest payload that is uploaded if nothing else is said: what a daemon takes if nothing
/// else is set.
const BYTES_MAX_DEFAULT: u64 = 64 << 20;

/// How many bytes of lines are signed and appended at a time: some 10,000 lines.
const SIGNED_BYTES: usize = 4 << 20;

/// How much of a file is read at a time, in bytes.
const READ_BYTES: usize = 256 << 10;

/// Archive the responses of web archives. Uploads each payload and prints the sourceArchived
/// line that puts it on record; with --key, signs and appends it. Exit code 1 if a record had to
/// be passed over.
#[derive(Args, Debug)]
pub(super) struct Import {
    /// Web archives: WARC 1.0 or 1.1, plain or gzipped. A revisit may repeat a response of a
    /// file before its own.
    #[arg(required = true, value_name = "FILE.warc[.gz]")]
    files: Vec<PathBuf>,
    /// Only what was fetched from here: a whole URL, in which * stands for anything. Several
    /// times: any of them.
    #[arg(long = "url", value_name = "PATTERN")]
    urls: Vec<UrlPattern>,
    /// Sign the records with the key in this file and append them; several times, where several
    /// must vouch.
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// How close the documents are to what was said.
    #[arg(long, value_enum, default_value_t = Role::Secondary, ignore_case = true)]
    role: Role,
    /// Who published them. The host of each URL, if left out.
    #[arg(long, value_name = "NAME")]
    publisher: Option<String>,
    /// The language they are in, as a BCP 47 tag.
    #[arg(long, value_name = "TAG")]
    language: Option<String>,
    /// The largest payload to take, in bytes.
    #[arg(long, value_name = "N", default_value_t = BYTES_MAX_DEFAULT)]
    bytes_max: u64,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "UPPER")]
enum Role {
    Primary,
    Wire,
    Secondary,
}

/// What a record of a web archive is.
enum Capture {
    /// It holds nothing that was asked for.
    LeftOut,
    /// A payload, which lies in the temporary file.
    New(RecordHead, Payload),
    /// A payload that was captured before.
    Again(RecordHead),
}

/// A payload as the daemon has it.
#[derive(Clone, Debug)]
struct Stored {
    media_type: String,
    answer: PutSourceResponse,
}

/// How many records came to what.
#[derive(Clone, Debug, Default)]
struct Count {
    captures: u64,
    left_out: u64,
    passed_over: u64,
    /// Of the captures, by profile; by none, where there is no text.
    profiles: BTreeMap<String, u64>,
    digests_unknown: u64,
}

impl Import {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        for key in &self.keys {
            keys::read(key)?;
        }
        let mut run = Run {
            client: self.asking.connect().await?,
            spool: NamedTempFile::new()?,
            taken: Captures::default(),
            count: Count::default(),
            tally: Tally::default(),
            lines: String::new(),
            progress: ProgressBar::hidden(),
            import: self,
        };
        for file in run.import.files.clone() {
            run.file(&file).await?;
        }
        run.count.tell();
        if !run.import.keys.is_empty() {
            eprintln!(
                "{} recorded, {} already on record, {} refused",
                run.tally.recorded, run.tally.already, run.tally.refused
            );
        }
        Ok(if run.count.passed_over + run.tally.refused == 0 {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }

    /// What one record is. Its payload, if it is to be taken, goes into `spool`.
    fn judge(
        &self,
        fields: &Fields,
        block: &mut dyn BufRead,
        spool: &mut File,
    ) -> Result<Capture, Fault> {
        let Some(head) = RecordHead::parse(fields)? else {
            return Ok(Capture::LeftOut);
        };
        let asked = self.urls.is_empty() || self.urls.iter().any(|it| it.matches(&head.url));
        if !asked {
            return Ok(Capture::LeftOut);
        }
        if head.kind == RecordKind::Revisit {
            return Ok(Capture::Again(head));
        }
        spool.set_len(0)?;
        spool.seek(SeekFrom::Start(0))?;
        let payload = take(&head, block, self.bytes_max, spool)?;
        Ok(payload.map_or(Capture::LeftOut, |payload| Capture::New(head, payload)))
    }

    /// The line that puts a capture on record.
    fn line(&self, head: &RecordHead, stored: &Stored) -> Value {
        let Stored { media_type, answer } = stored;
        let publisher = self.publisher.clone().or_else(|| host(&head.url));
        let role = self.role.to_possible_value();
        let mut source = Map::new();
        let mut field = |name: &str, value: Value| {
            if value != json!("") {
                source.insert(name.to_owned(), value);
            }
        };
        field("source", json!(answer.source));
        field("mediaType", json!(media_type));
        field("sizeBytes", json!(answer.size_bytes));
        field("language", json!(self.language.as_deref().unwrap_or("")));
        field("url", json!(head.url));
        field("publisher", json!(publisher.unwrap_or_default()));
        field("capturedAt", json!(time(head.captured_at)));
        field("role", json!(role.as_ref().map_or("", |it| it.get_name())));
        field("profile", json!(answer.profile));
        field("textId", json!(answer.text_id));
        json!({ "sourceArchived": source })
    }
}

/// One run over the files.
struct Run {
    import: Import,
    client: Client,
    /// Where a payload lies until it is uploaded.
    spool: NamedTempFile,
    taken: Captures<Stored>,
    count: Count,
    tally: Tally,
    /// Lines that wait to be signed.
    lines: String,
    /// How far the file is.
    progress: ProgressBar,
}

impl Run {
    async fn file(&mut self, path: &Path) -> Result<(), CliError> {
        let failed = |error| CliError::File {
            path: path.to_owned(),
            error,
        };
        let size = path.metadata().map_err(failed)?.len();
        let input = BufReader::with_capacity(READ_BYTES, File::open(path).map_err(failed)?);
        let mut archive = Archive::new(input).map_err(failed)?;
        self.progress = transfer::progress_in_bytes(size);
        loop {
            let (import, spool) = (&self.import, self.spool.as_file_mut());
            let found = archive.next(|fields, block| import.judge(fields, block, spool));
            let Some(found) = found.map_err(failed)? else {
                break;
            };
            self.progress.set_position(found.offset);
            let (place, framing) = (place(path, &found), found.framing);
            if let Err(fault) = self.capture(found.outcome).await? {
                self.count.passed_over += 1;
                let report = format!(
                    "{place}: passed over: {}{}",
                    clean(&fault),
                    goes_on(framing)
                );
                self.progress.suspend(|| eprintln!("{report}"));
            }
            if self.lines.len() >= SIGNED_BYTES {
                self.append(path).await?;
            }
        }
        self.append(path).await?;
        self.progress.finish_and_clear();
        Ok(())
    }

    /// Uploads a capture and tells its line; the inner error says why the record is passed over.
    async fn capture(
        &mut self,
        outcome: Result<Capture, Fault>,
    ) -> Result<Result<(), String>, CliError> {
        let (head, stored) = match outcome {
            Err(fault) => return Ok(Err(fault.to_string())),
            Ok(Capture::LeftOut) => {
                self.count.left_out += 1;
                return Ok(Ok(()));
            }
            Ok(Capture::New(head, payload)) => match self.upload(payload).await? {
                Ok(stored) => {
                    self.taken.took(&head, stored.clone());
                    (head, stored)
                }
                Err(answer) => return Ok(Err(answer.to_string())),
            },
            Ok(Capture::Again(head)) => match self.taken.original(&head) {
                Original::Taken(stored) => {
                    let stored = stored.clone();
                    (head, stored)
                }
                Original::Unknown(original) => {
                    return Ok(Err(Fault::UnknownOriginal { original }.to_string()));
                }
            },
        };
        self.count.took(&head, &stored);
        let line = self.import.line(&head, &stored).to_string();
        if self.import.keys.is_empty() {
            self.progress.suspend(|| output::print(&line))?;
        } else {
            self.lines.push_str(&line);
            self.lines.push('\n');
        }
        Ok(Ok(()))
    }

    /// Uploads the payload that lies in the temporary file; the inner error is the daemon's
    /// answer that it does not take this one.
    async fn upload(&self, payload: Payload) -> Result<Result<Stored, Answer>, CliError> {
        let quiet = ProgressBar::hidden();
        let Payload {
            source, media_type, ..
        } = payload;
        let path = self.spool.path();
        let answer = transfer::upload(&self.client, source, &media_type, path, &quiet).await;
        match answer {
            Ok(answer) => Ok(Ok(Stored { media_type, answer })),
            Err(CliError::Answer(answer)) if answer.code == Code::InvalidArgument => {
                Ok(Err(answer))
            }
            Err(error) => Err(error),
        }
    }

    /// Signs the lines that wait, and appends them.
    async fn append(&mut self, path: &Path) -> Result<(), CliError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let lines = std::mem::take(&mut self.lines);
        let records = RecordsFile::of(path, lines.as_bytes(), &Others::new())?;
        let keys = self.import.keys.iter().map(|key| keys::read(key));
        let keys = keys.collect::<Result<_, _>>()?;
        let (canvas, as_json) = (Canvas::of_stdout(), self.import.asking.json);
        let (tally, progress) = (&mut self.tally, &self.progress);
        let mut each = |line| {
            tally.count(&line);
            let shown = if as_json {
                answers::line(&line.result)?
            } else {
                drawn(canvas, path, &line)
            };
            progress.suspend(|| output::print(&shown))
        };
        records.submit(&self.client, keys, false, &mut each).await
    }
}

impl Count {
    fn took(&mut self, head: &RecordHead, stored: &Stored) {
        self.captures += 1;
        self.digests_unknown += head.digests_unknown;
        let profile = stored.answer.profile.clone();
        *self.profiles.entry(profile).or_default() += 1;
    }

    fn tell(&self) {
        let profiles = self
            .profiles
            .iter()
            .map(|(profile, count)| match &**profile {
                "" => format!("{count} without text"),
                profile => format!("{count} {profile}"),
            });
        let profiles = profiles.collect::<Vec<_>>().join(", ");
        let profiles = if profiles.is_empty() {
            profiles
        } else {
            format!(" ({profiles})")
        };
        eprintln!(
            "{} captures{profiles}, {} records left out, {} passed over",
            self.captures, self.left_out, self.passed_over
        );
        if self.digests_unknown != 0 {
            eprintln!(
                "{} digests were not checked: their algorithms are not known",
                self.digests_unknown
            );
        }
    }
}

/// Where a record stands, for a report.
fn place<T>(path: &Path, found: &Found<T>) -> String {
    let within = match found.within_member {
        0 => String::new(),
        position => format!(", {position} into the member"),
    };
    let id = match &*found.record_id {
        "" => String::new(),
        id => format!(", {}", clean(id)),
    };
    format!("{}: offset {}{within}{id}", path.display(), found.offset)
}

/// What a report adds where framing was lost.
fn goes_on(framing: Framing) -> String {
    match framing {
        Framing::Kept => String::new(),
        Framing::Resumed(offset) => format!(
            "; where it ends is not known, so reading goes on at offset {offset}, where a record \
             seems to begin"
        ),
        Framing::Lost => "; nothing after it is read".to_owned(),
    }
}

/// An instant as a record has it.
fn time(at: Micros) -> String {
    Timestamp::from_microsecond(at.0).map_or_else(|_| String::new(), |time| time.to_string())
}
