//! `onrecord bundle statement|position`: an answer with all that it rests on, in one file for
//! somebody who trusts neither the daemon nor whoever sends it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::ExitCode;

use bytes::Bytes;
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use prost::Message as _;

use super::client::Client;
use super::error::{Answer, CliError};
use super::source::whole_text;
use super::terms::{KnownAt, Terms};
use super::{Parts, Server, output, transfer};
use crate::admission::evidence_of;
use crate::bundle::proto::{Bundle as Made, SourceBytes, SourceText};
use crate::bundle::{self, BUNDLE_BYTES_MAX};
use crate::record::proto::record::Kind;
use crate::record::{Entry, proto};
use crate::rpc::proto::{GetPositionRequest, GetStatementRequest};

/// Write an answer with all that it rests on into one file, which `onrecord verify` checks with
/// no daemon and no network.
#[derive(Args, Debug)]
pub struct Bundle {
    #[command(subcommand)]
    question: Question,
}

#[derive(Debug, Subcommand)]
enum Question {
    Statement(Statement),
    Position(Box<Position>),
}

/// How a statement stands: its versions, readings, further evidence, reviews and retraction.
#[derive(Args, Debug)]
struct Statement {
    /// The statement's id.
    #[arg(value_name = "ID")]
    id: String,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    file: File,
}

/// An actor's position on a topic, with every statement that bears on it.
#[derive(Args, Debug)]
struct Position {
    /// The actor, by its slug: kremlin.
    actor: String,
    /// The topic, by its slug: leaders-meeting.
    topic: String,
    /// As of when, by the time of speaking: 2025-08-15, 2025-08, 2025-08-15T12:00:00Z. Now, if
    /// left out.
    #[arg(long, value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    as_of: Option<String>,
    #[command(flatten)]
    known: Known,
    #[command(flatten)]
    parts: Parts,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    file: File,
}

#[derive(Args, Clone, Copy, Debug)]
struct Known {
    /// As known when: only the first N entries of the ledger count, or those recorded by a time.
    /// All, if left out.
    #[arg(long, value_name = "N|TIME", allow_negative_numbers = true, value_parser = KnownAt::parse)]
    known_at: Option<KnownAt>,
}

/// Where the bundle goes, and what goes into it beside the entries.
#[derive(Args, Debug)]
struct File {
    /// Where to write the bundle.
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
    /// Leave the sources' texts out: passages cannot be checked then.
    #[arg(long)]
    no_texts: bool,
    /// Add the documents themselves, so that their texts can be extracted again.
    #[arg(long)]
    documents: bool,
    #[command(flatten)]
    server: Server,
}

impl Bundle {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let (encoded, client, file) = match self.question {
            Question::Statement(question) => question.ask().await?,
            Question::Position(question) => question.ask().await?,
        };
        if encoded.is_empty() {
            return Err(CliError::Incomplete { what: "bundle" });
        }
        let made = bundle::decode(&encoded);
        let mut made = made.map_err(|_| CliError::Incomplete { what: "bundle" })?;
        let sources = Sources::of(&made);
        if !file.no_texts {
            made.texts = sources.texts(&client).await?;
        }
        if file.documents {
            made.documents = sources.documents(&client).await?;
        }
        let bytes = made.encode_to_vec();
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(CliError::Usage {
                what: format!("the bundle would have {} bytes", bytes.len()),
                accepted: "256 MiB at most: leave out --documents, or give --no-texts",
            });
        }
        output::save_bytes(&file.output, &bytes)?;
        let name = file.output.display();
        output::print(&format!(
            "{name}: {} entries, {} texts, {} documents, {} bytes\ncheck it with: onrecord verify {name} --key VKEY",
            made.entries.len(),
            made.texts.len(),
            made.documents.len(),
            bytes.len(),
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// An encoded bundle, from whom it came, and where it goes.
type Asked = (Bytes, Client, File);

impl Statement {
    async fn ask(self) -> Result<Asked, CliError> {
        transfer::must_be_free(&self.file.output, self.file.force)?;
        let client = self.file.server.connect().await?;
        let request = GetStatementRequest {
            statement_id: self.id,
            known_at: KnownAt::size(self.known.known_at),
            known_at_time: KnownAt::time(self.known.known_at),
            proof: true,
            ..GetStatementRequest::default()
        };
        let answer = client.catalog().get_statement(request).await;
        let typed = |error: CliError| error.typed(&[("statementId", "ID")]);
        let answer = client.answered(answer).map_err(typed)?;
        Ok((answer.bundle, client, self.file))
    }
}

impl Position {
    async fn ask(self) -> Result<Asked, CliError> {
        transfer::must_be_free(&self.file.output, self.file.force)?;
        let client = self.file.server.connect().await?;
        let request = GetPositionRequest {
            actor: self.actor,
            topic: self.topic,
            as_of: self.as_of.unwrap_or_default(),
            known_at: KnownAt::size(self.known.known_at),
            known_at_time: KnownAt::time(self.known.known_at),
            with_parts: self.parts.choice(),
            filter: self.terms.filter(),
            proof: true,
            ..GetPositionRequest::default()
        };
        let answer = client.position(request).await?;
        Ok((answer.bundle, client, self.file))
    }
}

/// What the entries of a bundle say of sources.
#[derive(Default)]
struct Sources {
    /// The texts that passages stand in: each with a source that has it, and the profile.
    quoted: BTreeMap<String, (String, String)>,
    archived: BTreeSet<String>,
}

impl Sources {
    fn of(bundle: &Made) -> Self {
        let mut sources = Self::default();
        let mut quoted = BTreeSet::new();
        let mut texts = BTreeMap::new();
        for entry in &bundle.entries {
            // What does not decode is for whoever checks the bundle to say.
            let Ok(entry) = Entry::decode(entry.index, entry.encoded.clone()) else {
                continue;
            };
            let Some(kind) = &entry.record.kind else {
                continue;
            };
            if let Kind::SourceArchived(it) = kind {
                sources.archived.insert(it.source.clone());
                let place = (it.source.clone(), it.profile.clone());
                texts.entry(it.text_id.clone()).or_insert(place);
            }
            let passage = |it: &proto::Evidence| it.text_id.clone();
            quoted.extend(evidence_of(kind).iter().map(passage));
        }
        texts.retain(|text_id, _| quoted.contains(text_id));
        sources.quoted = texts;
        sources
    }

    /// The texts, but for those that are not served.
    async fn texts(&self, client: &Client) -> Result<Vec<SourceText>, CliError> {
        let mut texts = Vec::with_capacity(self.quoted.len());
        for (text_id, (source, profile)) in &self.quoted {
            match whole_text(client, source, text_id).await {
                Ok((text, _)) => texts.push(SourceText {
                    text_id: text_id.clone(),
                    source: source.clone(),
                    profile: profile.clone(),
                    text,
                }),
                Err(error) => left_out("text", text_id, error)?,
            }
        }
        Ok(texts)
    }

    /// The documents, but for those that are not served.
    async fn documents(&self, client: &Client) -> Result<Vec<SourceBytes>, CliError> {
        let mut documents = Vec::with_capacity(self.archived.len());
        let mut room = BUNDLE_BYTES_MAX;
        for source in &self.archived {
            let mut content = Vec::new();
            let took = transfer::download(client, source, |chunk| {
                room = room.checked_sub(chunk.len()).ok_or(CliError::Usage {
                    what: "the documents are too large for a bundle".to_owned(),
                    accepted: "256 MiB in all: leave out --documents",
                })?;
                content.extend_from_slice(chunk);
                Ok(())
            })
            .await;
            match took {
                Ok(_) => documents.push(SourceBytes {
                    source: source.clone(),
                    content: content.into(),
                }),
                Err(error) => left_out("document", source, error)?,
            }
        }
        Ok(documents)
    }
}

/// Tells of what is not served; what else went wrong is an error.
fn left_out(what: &str, id: &str, error: CliError) -> Result<(), CliError> {
    match &error {
        CliError::Answer(Answer { reason, .. })
            if ["WITHHELD", "NO_TEXT", "SOURCE_BYTES_MISSING"].contains(&&reason[..]) =>
        {
            eprintln!("onrecord: the {what} {id} is left out: {reason}");
            Ok(())
        }
        _ => Err(error),
    }
}
