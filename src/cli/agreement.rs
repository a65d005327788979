//! `onrecord agreement`: how far coders agree about what was said on a topic.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::draw::{self, Canvas};
use super::error::CliError;
use super::terms::{KnownAt, Terms};
use super::{Asking, json, output};
use crate::rpc::proto::GetAgreementRequest;

/// How far do coders agree about what was said on a topic?
#[derive(Args, Debug)]
pub struct Agreement {
    /// The topic, by its slug: leaders-meeting.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    topic: String,
    /// Only about this holder's stances: an actor's slug.
    #[arg(long, value_name = "ACTOR", value_parser = NonEmptyStringValueParser::new())]
    holder: Option<String>,
    /// As known when: only the first N entries of the ledger count, or those recorded by a time.
    /// All, if left out.
    #[arg(long, value_name = "N|TIME", value_parser = KnownAt::parse)]
    known_at: Option<KnownAt>,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    asking: Asking,
}

impl Agreement {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.asking.connect().await?;
        let request = GetAgreementRequest {
            topic: self.topic.clone(),
            holder: self.holder.unwrap_or_default(),
            known_at: KnownAt::size(self.known_at),
            known_at_time: KnownAt::time(self.known_at),
            filter: self.terms.filter(),
            at_least_size: client.size().await?,
        };
        let answer = client.answered(client.positions().get_agreement(request).await)?;
        if self.asking.json {
            output::print(&json::pretty(&answer)?)?;
        } else {
            output::print(&draw::agreement(Canvas::of_stdout(), &self.topic, &answer))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
