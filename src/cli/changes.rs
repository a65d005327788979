//! `onrecord changes`: which positions differ between two dates, around a milestone, or between
//! two states of knowledge.

use std::process::ExitCode;

use clap::Args;

use super::compare::Ends;
use super::error::CliError;
use super::overview::{About, Showing};
use super::pages;
use super::terms::KnownAt;
use crate::rpc::proto::ListComparisonsRequest;

/// Which positions changed, in the world or in what is known of it?
#[derive(Args, Debug)]
pub struct Changes {
    #[command(flatten)]
    about: About,
    #[command(flatten)]
    ends: Ends,
    /// Show the positions that did not change too.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    showing: Showing,
}

impl Changes {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.showing.asking.connect().await?;
        let request = ListComparisonsRequest {
            topic: self.about.topic.unwrap_or_default(),
            actor: self.about.actor.unwrap_or_default(),
            milestone: self.ends.milestone.unwrap_or_default(),
            from_as_of: self.ends.from.unwrap_or_default(),
            to_as_of: self.ends.to.unwrap_or_default(),
            from_known_at: KnownAt::size(self.ends.from_known_at),
            from_known_at_time: KnownAt::time(self.ends.from_known_at),
            to_known_at: KnownAt::size(self.ends.to_known_at),
            to_known_at_time: KnownAt::time(self.ends.to_known_at),
            from_filter: self.ends.from_filter,
            with_parts: self.showing.parts.choice(),
            filter: self.showing.terms.filter(),
            changed_only: !self.all,
            at_least_size: client.size().await?,
            ..ListComparisonsRequest::default()
        };
        let ask = async |page_size, page_token| {
            let page = ListComparisonsRequest {
                page_size,
                page_token,
                ..request.clone()
            };
            client.answered(client.positions().list_comparisons(page).await)
        };
        pages::show(&self.showing.asking, self.showing.limit, "", ask).await?;
        Ok(ExitCode::SUCCESS)
    }
}
