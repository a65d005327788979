//! `onrecord source put|get|text|import`: archived documents and their text.

mod import;
mod text;

pub(super) use text::whole_text;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::client::Client;
use super::draw::{Canvas, Sheet, Tint};
use super::error::CliError;
use super::{Asking, Server, json, output, transfer};
use crate::rpc::proto::ListSourcesRequest;

/// Archived documents: upload one, download one, read its text, import a web archive.
#[derive(Args, Debug)]
pub struct Source {
    #[command(subcommand)]
    command: SourceCommand,
}

#[derive(Debug, Subcommand)]
enum SourceCommand {
    Put(Put),
    Get(Get),
    Text(text::Text),
    Import(import::Import),
}

/// Upload a document. It is on record once a sourceArchived record names it; until then it may
/// expire.
#[derive(Args, Debug)]
struct Put {
    /// The document.
    file: PathBuf,
    /// Its media type, with charset where it has one: "text/plain; charset=windows-1251". Can
    /// be left out for .txt, .html and .pdf.
    #[arg(long, value_name = "TYPE")]
    media_type: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

/// Download a document, checked against its id.
#[derive(Args, Debug)]
struct Get {
    /// The source id, or how it begins: 8 digits or more.
    source: String,
    /// Where to write it. Standard output, if left out.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long, requires = "out")]
    force: bool,
    #[command(flatten)]
    server: Server,
}

impl Source {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        match self.command {
            SourceCommand::Put(put) => put.run().await?,
            SourceCommand::Get(get) => get.run().await?,
            SourceCommand::Text(text) => return text.run().await,
            SourceCommand::Import(import) => return import.run().await,
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Put {
    async fn run(self) -> Result<(), CliError> {
        // A file that is missing is told before what its name does not tell.
        let (id, size) = transfer::identify(&self.file)?;
        let media_type = match &self.media_type {
            Some(given) => given.as_str(),
            None => self.guess()?,
        };
        let client = self.asking.connect().await?;
        let progress = transfer::progress_in_bytes(size);
        let answer = transfer::upload(&client, id, media_type, &self.file, &progress).await;
        progress.finish_and_clear();
        let answer = answer.map_err(|error| error.typed(&[("chunk", "FILE")]))?;
        if self.asking.json {
            return output::print(&json::pretty(&answer)?);
        }
        let mut sheet = Sheet::new(Canvas::of_stdout());
        sheet.field("source id", Tint::Strong, &answer.source);
        sheet.field("bytes", Tint::Plain, &answer.size_bytes.to_string());
        if answer.profile.is_empty() {
            let none = "none, so that nothing can be quoted from it: text/plain, text/html and \
                        application/xhtml+xml have one";
            sheet.field("text", Tint::Plain, none);
        } else {
            sheet.field("profile", Tint::Plain, &answer.profile);
            sheet.field("text id", Tint::Plain, &answer.text_id);
        }
        if answer.malformed != 0 {
            let text = format!(
                "{} malformed byte sequences: is the charset right?",
                answer.malformed
            );
            sheet.field("beware", Tint::Between, &text);
        }
        output::print(&sheet.finish())
    }

    fn guess(&self) -> Result<&'static str, CliError> {
        let extension = self.file.extension().and_then(|it| it.to_str());
        match extension.map(str::to_ascii_lowercase).as_deref() {
            Some("txt") => Ok("text/plain"),
            Some("html" | "htm") => Ok("text/html"),
            Some("xhtml" | "xht") => Ok("application/xhtml+xml"),
            Some("pdf") => Ok("application/pdf"),
            _ => Err(CliError::Usage {
                what: format!(
                    "the name {} does not tell the media type",
                    self.file.display()
                ),
                accepted: "--media-type TYPE",
            }),
        }
    }
}

impl Get {
    async fn run(self) -> Result<(), CliError> {
        if let Some(path) = &self.out {
            transfer::must_be_free(path, self.force)?;
        }
        let client = self.server.connect().await?;
        let source = whole_id(&client, &self.source).await?;
        match &self.out {
            None => {
                transfer::download(&client, &source, output::write).await?;
            }
            Some(path) => {
                let size = transfer::download_to(&client, &source, path).await?;
                eprintln!("{size} bytes, as the id says, in {}", path.display());
            }
        }
        Ok(())
    }
}

/// The fewest digits that a source id is told by: of a million sources, one in 4,000 shares
/// these with another.
const ID_DIGITS_MIN: usize = 8;

/// How many sources are looked through at a time.
const SOURCES_A_PAGE: i32 = 1_000;

/// The source id that begins so, as lists and answers show ids; what is none is for the daemon
/// to refuse.
async fn whole_id(client: &Client, source: &str) -> Result<String, CliError> {
    let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    if source.is_empty() || source.len() >= 64 || !source.bytes().all(hex) {
        return Ok(source.to_owned());
    }
    if source.len() < ID_DIGITS_MIN {
        return Err(CliError::Usage {
            what: format!("{source:?} is too short to know a source by"),
            accepted: "the first 8 digits of its id, or more of them",
        });
    }
    let mut found: Option<String> = None;
    let mut request = ListSourcesRequest {
        page_size: SOURCES_A_PAGE,
        at_least_size: client.size().await?,
        ..ListSourcesRequest::default()
    };
    loop {
        let answer = client.catalog().list_sources(request.clone()).await;
        let page = client.answered(answer)?;
        let sources = page.sources.into_iter().filter_map(|it| it.definition);
        for archived in sources.filter(|it| it.source.starts_with(source)) {
            if let Some(other) = found.replace(archived.source) {
                return Err(CliError::Usage {
                    what: format!("several sources begin with {source}, among them {other}"),
                    accepted: "more digits of the source id",
                });
            }
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    found.ok_or_else(|| CliError::NoSource {
        begins: source.to_owned(),
    })
}
