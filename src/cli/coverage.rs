//! `onrecord coverage`: which sources were read for a topic, and which were not.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::Asking;
use super::error::CliError;
use super::numbers::limit;
use super::pages::{self, LIMIT_DEFAULT};
use super::terms::{KnownAt, value};
use crate::rpc::proto::{ListCoverageRequest, SourceReading};

/// Which of the archived sources were read for a topic?
#[derive(Args, Debug)]
pub struct Coverage {
    /// The topic, by its slug: leaders-meeting.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    topic: String,
    /// Only what was read so far: UNREAD, PART, WHOLE.
    #[arg(long, value_name = "READING", value_parser = reading)]
    reading: Option<i32>,
    /// As known when: only the first N entries of the ledger count, or those recorded by a time.
    /// All, if left out.
    #[arg(long, value_name = "N|TIME", allow_negative_numbers = true, value_parser = KnownAt::parse)]
    known_at: Option<KnownAt>,
    /// How many to show at most; 0: all.
    #[arg(long, value_name = "N", default_value_t = LIMIT_DEFAULT, allow_negative_numbers = true, value_parser = limit)]
    limit: u64,
    #[command(flatten)]
    asking: Asking,
}

fn reading(text: &str) -> Result<i32, String> {
    value(
        text,
        "SOURCE_READING_",
        SourceReading::from_str_name,
        "UNREAD, PART, WHOLE",
    )
}

impl Coverage {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.asking.connect().await?;
        let request = ListCoverageRequest {
            topic: self.topic,
            reading: self.reading.unwrap_or_default(),
            known_at: KnownAt::size(self.known_at),
            known_at_time: KnownAt::time(self.known_at),
            at_least_size: client.size().await?,
            ..ListCoverageRequest::default()
        };
        let ask = async |page_size, page_token| {
            let page = ListCoverageRequest {
                page_size,
                page_token,
                ..request.clone()
            };
            client.answered(client.positions().list_coverage(page).await)
        };
        pages::show(&self.asking, self.limit, "", ask).await?;
        Ok(ExitCode::SUCCESS)
    }
}
