//! The way of a file of records into an archive: read, uploaded, signed and sent in order, a
//! result for every line.
//!
//! A line that is refused keeps no other out. Running a file again records nothing twice: what
//! was signed for a line is kept beside the file and sent again as it is.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tonic::Code;

use super::archive::RemoteArchive;
use super::authoring::{
    self, AuthoredRecord, Draft, NOT_SENT, Note, Others, PrepareError, Session,
};
use super::client::Client;
use super::error::{ACCEPTED, Answer, CliError};
use crate::record::{Micros, SigningKey, proto};
use crate::rpc::proto::append_result::Outcome;
use crate::rpc::proto::{AppendRequest, AppendResult, Refusal};

/// How many lines are prepared before what was prepared is sent.
const LINES_PREPARED_MAX: usize = 128;

/// How many bytes of payloads go into one call: well below the 4 MiB that a message may have.
const BATCH_BYTES_MAX: usize = 2 * 1024 * 1024;

/// How many records go into one call at most.
const BATCH_RECORDS_MAX: usize = 1000;

/// How often a call is made again when the daemon says to come back later: at the second or so
/// that it asks for, a quarter of a minute.
const ATTEMPTS_MAX: u32 = 16;

/// The reason that the daemon gives for a record that builds on a version that is not the
/// newest.
const STALE_VERSION: &str = "STALE_VERSION";

/// What became of a line.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// The line, counted from 1.
    pub line: usize,
    /// The line's key, if it has one.
    pub key: Option<String>,
    /// What it holds, by its protobuf-JSON name.
    pub kind: String,
    /// The record, if the line could be made one.
    pub record: Option<proto::Record>,
    /// What its author may want to know of it.
    pub notes: Vec<Note>,
    /// The daemon's answer; for a line that could not be made a record, a refusal by the client.
    pub result: AppendResult,
    /// Where it was on record without the signatures of this run and these were to be added:
    /// what became of each.
    pub attested: Vec<AppendResult>,
}

impl Submitted {
    /// The ledger index and record id, if it is on record.
    #[must_use]
    pub fn on_record(&self) -> Option<(u64, &str)> {
        match self.result.outcome.as_ref()? {
            Outcome::Recorded(it) => Some((it.index, &it.record)),
            Outcome::AlreadyRecorded(it) => Some((it.index, &it.record)),
            Outcome::Refusal(_) => None,
        }
    }
}

/// A file of records that was read without a mistake.
#[derive(Debug)]
pub struct RecordsFile {
    path: PathBuf,
    drafts: Vec<Draft>,
}

impl RecordsFile {
    /// Reads a file of records, whose lines may refer to those of `others`.
    ///
    /// # Errors
    /// If it cannot be read, or has mistakes: then nothing of it is sent.
    pub fn read(path: &Path, others: &Others) -> Result<Self, CliError> {
        let bytes = std::fs::read(path).map_err(|error| CliError::File {
            path: path.to_owned(),
            error,
        })?;
        Self::of(path, &bytes, others)
    }

    /// Takes `lines` as the file of records that `path` is: what is signed for them is kept
    /// beside it.
    ///
    /// # Errors
    /// If they have mistakes: then nothing of them is sent.
    pub fn of(path: &Path, lines: &[u8], others: &Others) -> Result<Self, CliError> {
        let drafts = authoring::read(lines, others).map_err(|errors| CliError::Records {
            path: path.to_owned(),
            errors,
        })?;
        Ok(Self {
            path: path.to_owned(),
            drafts,
        })
    }

    /// How many records it holds.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.drafts.len()
    }

    /// Puts its records on record, in order, signed with each of `keys`, and tells `each` what
    /// became of every line. `attest` says whether to add these signatures to records that are
    /// on record without them.
    pub async fn submit(
        &self,
        client: &Client,
        keys: Arc<[SigningKey]>,
        attest: bool,
        each: &mut dyn FnMut(Submitted) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let head = client.head().await?;
        let size = head.head.map_or(0, |head| head.size);
        let archive = RemoteArchive::new(client.clone(), size);
        let mut session = Session::open(&archive, head.origin, keys, &self.path, &self.drafts)?;
        let mut lost = Lost::default();
        for drafts in self.drafts.chunks(LINES_PREPARED_MAX) {
            let mut refused = Vec::new();
            for draft in drafts {
                if let Err(refusal) = prepare(&mut session, draft).await? {
                    refused.push((draft, refusal));
                }
            }
            let mut refused = refused.into_iter().peekable();
            let mut released = session.release()?.into_iter().peekable();
            while released.peek().is_some() {
                let batch = next_batch(&mut released);
                let envelopes: Vec<_> = batch.iter().map(|it| it.envelope.clone()).collect();
                let results = append(&archive, &envelopes).await?;
                for (record, result) in batch.into_iter().zip(results) {
                    while let Some((draft, refusal)) =
                        refused.next_if(|(draft, _)| draft.line < record.line)
                    {
                        each(lost.told(by_client(draft, refusal)))?;
                    }
                    if let Some(Outcome::Refusal(refusal)) = &result.outcome {
                        session.refused(&record, &refusal.reason)?;
                        lost.take(&record);
                    }
                    let attested = if attest && is_unsigned(&result) {
                        let envelopes = session.attestations(&record, now());
                        append(&archive, &envelopes).await?
                    } else {
                        Vec::new()
                    };
                    each(lost.told(by_daemon(record, result, attested)))?;
                }
            }
            for (draft, refusal) in refused {
                each(lost.told(by_client(draft, refusal)))?;
            }
        }
        Ok(())
    }
}

/// The lines that were refused, by the ids that they would have had: what the lines below say
/// of such an id, nobody who reads the file can know.
#[derive(Debug, Default)]
struct Lost(HashMap<String, (usize, String)>);

impl Lost {
    fn take(&mut self, record: &AuthoredRecord) {
        let id = match &record.record.kind {
            Some(proto::record::Kind::SourceArchived(source)) => source.source.clone(),
            _ => record.record_id.to_string(),
        };
        let key = record.key.as_ref();
        let key = key.map_or_else(String::new, |key| format!(" ({key})"));
        self.0.insert(id, (record.line, key));
    }

    /// A result that speaks of lines where it spoke of their ids.
    fn told(&self, mut submitted: Submitted) -> Submitted {
        if let Some(Outcome::Refusal(refusal)) = &mut submitted.result.outcome {
            let hex = |c: char| !c.is_ascii_hexdigit();
            let id = refusal
                .message
                .split(hex)
                .find(|it| self.0.contains_key(*it));
            if let Some((id, (line, key))) = id.and_then(|id| self.0.get_key_value(id))
                && *line != submitted.line
            {
                let instead = format!("of line {line}{key}, which was refused,");
                refusal.message = refusal.message.replace(id.as_str(), &instead);
                refusal.accepted = format!("this line once line {line} is mended");
            }
        }
        submitted
    }
}

/// Prepares a line; the inner error is a refusal of this line alone.
async fn prepare(
    session: &mut Session<&RemoteArchive>,
    draft: &Draft,
) -> Result<Result<(), Refusal>, CliError> {
    match session.prepare(draft, now()).await {
        Ok(()) => Ok(Ok(())),
        Err(PrepareError::Line(error)) => Ok(Err(Refusal {
            code: "INVALID_ARGUMENT".to_owned(),
            reason: error.problem.reason().to_owned(),
            field: error.path.clone(),
            message: error.problem.to_string(),
            accepted: error.problem.accepted(),
            nearest: Vec::new(),
            retryable: false,
        })),
        Err(PrepareError::Archive { error, .. }) => match error {
            CliError::Answer(answer) if !is_overload(&answer) => {
                Ok(Err(by_lookup(&draft.kind, answer)))
            }
            error => Err(error),
        },
        Err(PrepareError::Signed(error)) => Err(error.into()),
    }
}

/// The refusal of a line for whose sake the daemon was asked something that it does not take:
/// at the field of that question, which goes by the same name in records of `kind`.
fn by_lookup(kind: &str, answer: Answer) -> Refusal {
    let code = canonical(answer.code);
    let blamed = answer.fields.first().cloned();
    let (field, message, accepted) = match blamed {
        Some((field, description)) => {
            let (message, accepted) = match description.split_once(ACCEPTED) {
                Some((message, accepted)) => (message.to_owned(), accepted.to_owned()),
                None => (description, String::new()),
            };
            // A document that is refused is the line's file.
            let field = match field.as_str() {
                "chunk" => "file",
                field => field.strip_prefix("header.").unwrap_or(field),
            };
            (format!("{kind}.{field}"), message, accepted)
        }
        None => (String::new(), answer.to_string(), String::new()),
    };
    let reason = if answer.reason.is_empty() {
        NOT_SENT.to_owned()
    } else {
        answer.reason
    };
    Refusal {
        code,
        reason,
        field,
        message,
        accepted,
        nearest: Vec::new(),
        retryable: false,
    }
}

/// A code's canonical name: `INVALID_ARGUMENT`.
fn canonical(code: Code) -> String {
    let mut name = String::new();
    for letter in format!("{code:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

fn is_overload(answer: &Answer) -> bool {
    matches!(answer.code, Code::Unavailable | Code::ResourceExhausted)
}

fn next_batch(
    records: &mut std::iter::Peekable<std::vec::IntoIter<AuthoredRecord>>,
) -> Vec<AuthoredRecord> {
    let mut bytes = 0;
    let mut batch = Vec::new();
    while let Some(record) = records.next_if(|record| {
        batch.is_empty() || bytes + record.envelope.payload.len() <= BATCH_BYTES_MAX
    }) {
        bytes += record.envelope.payload.len();
        batch.push(record);
        if batch.len() == BATCH_RECORDS_MAX {
            break;
        }
    }
    batch
}

/// Sends a batch, again and again while the daemon says to come back later. Sending it twice
/// records nothing twice.
async fn append(
    archive: &RemoteArchive,
    batch: &[proto::Envelope],
) -> Result<Vec<AppendResult>, CliError> {
    let client = archive.client();
    let request = AppendRequest {
        envelopes: batch.to_vec(),
        proof: false,
    };
    let mut attempt = 1;
    let results = loop {
        let answer = client.records().append(request.clone()).await;
        match client.answered(answer) {
            Ok(answer) => break answer.results,
            Err(CliError::Answer(Answer {
                retry_after: Some(seconds),
                ..
            })) if attempt < ATTEMPTS_MAX => {
                attempt += 1;
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            Err(error) => return Err(error),
        }
    };
    if results.len() != batch.len() {
        return Err(CliError::Incomplete {
            what: "result for every record",
        });
    }
    for result in &results {
        if let Some(Outcome::Recorded(recorded)) = &result.outcome {
            archive.grew_to(recorded.ledger_size);
        }
    }
    Ok(results)
}

fn by_client(draft: &Draft, refusal: Refusal) -> Submitted {
    Submitted {
        line: draft.line,
        key: draft.key.clone(),
        kind: draft.kind.clone(),
        record: None,
        notes: Vec::new(),
        result: AppendResult {
            outcome: Some(Outcome::Refusal(refusal)),
        },
        attested: Vec::new(),
    }
}

/// Whether the record is on record without a signature that was sent.
fn is_unsigned(result: &AppendResult) -> bool {
    matches!(
        &result.outcome,
        Some(Outcome::AlreadyRecorded(it)) if !it.signatures_on_record
    )
}

fn by_daemon(
    record: AuthoredRecord,
    mut result: AppendResult,
    attested: Vec<AppendResult>,
) -> Submitted {
    if let Some(Outcome::Refusal(refusal)) = &mut result.outcome
        && refusal.reason == STALE_VERSION
        && record.version_filled_in
    {
        "what it builds on was changed meanwhile, by another hand".clone_into(&mut refusal.message);
        "the same command, run again".clone_into(&mut refusal.accepted);
    }
    Submitted {
        line: record.line,
        key: record.key,
        kind: record.kind,
        record: Some(record.record),
        notes: record.notes,
        result,
        attested,
    }
}

fn now() -> Micros {
    Micros(jiff::Timestamp::now().as_microsecond())
}
