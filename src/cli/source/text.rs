//! `onrecord source text`: the text that quotations are held against, with its positions, and
//! where a passage stands in it.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::whole_id;
use crate::cli::client::Client;
use crate::cli::draw::{self, Canvas, clean};
use crate::cli::error::CliError;
use crate::cli::{Asking, json, output};
use crate::rpc::proto::{GetSourceTextRequest, GetSourceTextResponse};
use crate::text::{Found, Passage, SearchText};

/// The text that quotations are held against. On a terminal each row is led by its position in
/// code points; in a pipe the text stands alone.
#[derive(Args, Debug)]
pub(super) struct Text {
    /// The source id, or how it begins: 8 digits or more. The source must be on record.
    source: String,
    /// Which of its texts, if extraction profiles gave several.
    #[arg(long = "text-id", value_name = "ID")]
    which: Option<String>,
    /// The first code point.
    #[arg(long, value_name = "N", default_value_t = 0)]
    start: u32,
    /// How many code points at most. To the end, if left out.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    length: Option<u32>,
    /// Show positions in a pipe too.
    #[arg(long, conflicts_with = "plain")]
    positions: bool,
    /// Show the text alone on a terminal too.
    #[arg(long)]
    plain: bool,
    /// Show where this passage stands, or else what comes nearest. Exit code 1 unless it stands
    /// there exactly once, as a quotation must.
    #[arg(long, value_name = "PASSAGE", conflicts_with_all = ["start", "length", "positions", "plain"])]
    find: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

impl Text {
    pub(super) async fn run(mut self) -> Result<ExitCode, CliError> {
        let client = self.asking.connect().await?;
        self.source = whole_id(&client, &self.source).await?;
        let pages = Pages {
            client: &client,
            request: GetSourceTextRequest {
                source: self.source.clone(),
                text_id: self.which.clone().unwrap_or_default(),
                start: self.start,
                length_max: self.length.unwrap_or(0),
            },
            end: self.length.map(|length| self.start.saturating_add(length)),
            done: false,
        };
        if let Some(passage) = &self.find {
            return self.find(pages, passage).await;
        }
        let positions = self.positions || (!self.plain && std::io::stdout().is_terminal());
        if positions && !self.asking.json {
            let (_, text) = pages.all().await?;
            output::print(&draw::text(Canvas::of_stdout(), self.start, &text))?;
        } else {
            self.print(pages).await?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// Prints the text page by page, as it comes.
    async fn print(&self, mut pages: Pages<'_>) -> Result<(), CliError> {
        while let Some(page) = pages.next().await? {
            if self.asking.json {
                output::print(&json::line(&page)?)?;
            } else {
                output::write(clean(&page.text).as_bytes())?;
            }
        }
        if !self.asking.json {
            output::write(b"\n")?;
        }
        Ok(())
    }

    async fn find(&self, pages: Pages<'_>, passage: &str) -> Result<ExitCode, CliError> {
        let (text_id, text) = pages.all().await?;
        let search = checked(&text_id, text)?;
        let found = search.find(passage).map_err(|_| CliError::Usage {
            what: "--find has nothing but white space".to_owned(),
            accepted: "a passage of the text",
        })?;
        if self.asking.json {
            output::print(&as_json(&self.source, &text_id, &found).to_string())?;
        } else {
            output::print(&draw::found(Canvas::of_stdout(), &found))?;
        }
        Ok(if found.only().is_some() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

/// A source's text, whole and as its id says: as it is extracted, and prepared for searching.
pub(in crate::cli) async fn whole_text(
    client: &Client,
    source: &str,
    text_id: &str,
) -> Result<(String, SearchText), CliError> {
    let pages = Pages {
        client,
        request: GetSourceTextRequest {
            source: source.to_owned(),
            text_id: text_id.to_owned(),
            ..GetSourceTextRequest::default()
        },
        end: None,
        done: false,
    };
    let (text_id, text) = pages.all().await?;
    let search = checked(&text_id, text.clone())?;
    Ok((text, search))
}

fn checked(text_id: &str, text: String) -> Result<SearchText, CliError> {
    let search = SearchText::new(text);
    let found = search.text_id().to_string();
    if found == text_id {
        Ok(search)
    } else {
        let asked = text_id.to_owned();
        Err(CliError::OtherBytes { asked, found })
    }
}

/// A text as it comes, page by page.
struct Pages<'a> {
    client: &'a Client,
    /// For the page that comes next.
    request: GetSourceTextRequest,
    /// The code point at which to stop, if not at the end.
    end: Option<u32>,
    done: bool,
}

impl Pages<'_> {
    async fn next(&mut self) -> Result<Option<GetSourceTextResponse>, CliError> {
        if self.done {
            return Ok(None);
        }
        let mut sources = self.client.sources();
        let answer = sources.get_source_text(self.request.clone()).await;
        let typed = |error: CliError| error.typed(&[("start", "--start")]);
        let page = self.client.answered(answer).map_err(typed)?;
        let read = u32::try_from(page.text.chars().count()).unwrap_or(u32::MAX);
        let start = page.start.saturating_add(read);
        let end = self.end.unwrap_or(page.length).min(page.length);
        self.done = read == 0 || start >= end;
        self.request.start = start;
        self.request.length_max = self.end.map_or(0, |_| end.saturating_sub(start));
        // A version archived meanwhile may have another text.
        self.request.text_id.clone_from(&page.text_id);
        Ok(Some(page))
    }

    /// The text id, and all that was asked for in one.
    async fn all(mut self) -> Result<(String, String), CliError> {
        let mut text = String::new();
        while let Some(page) = self.next().await? {
            text.push_str(&page.text);
        }
        Ok((self.request.text_id, text))
    }
}

fn as_json(source: &str, text_id: &str, found: &Found) -> serde_json::Value {
    let passage = |it: &Passage| json!({"start": it.start, "end": it.end, "text": it.text});
    let places: Vec<_> = found
        .places
        .iter()
        .map(|place| {
            json!({
                "start": place.range.start,
                "end": place.range.end,
                "around": passage(&place.around),
            })
        })
        .collect();
    let near = |it: &Passage| {
        let unlike = it.unlike.map(|it| it.to_string());
        json!({"start": it.start, "end": it.end, "text": it.text, "unlike": unlike})
    };
    let nearest: Vec<_> = found.nearest.iter().map(near).collect();
    json!({
        "source": source,
        "textId": text_id,
        "places": places,
        "more": found.more,
        "nearest": nearest,
    })
}
