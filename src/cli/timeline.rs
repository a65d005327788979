//! `onrecord timeline`: how a position came about, step by step.

use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::client::Client;
use super::draw::{self, Canvas};
use super::error::CliError;
use super::gather::Names;
use super::terms::{KnownAt, Terms};
use super::{Asking, Parts, json, output};
use crate::rpc::proto::{GetMilestoneRequest, GetTimelineRequest, GetTimelineResponse};

/// How many steps are asked for at a time: as many as a page can have.
const STEPS_A_PAGE: i32 = 1_000;

/// How did an actor's position on a topic come about, statement by statement?
#[derive(Args, Debug)]
pub struct Timeline {
    /// The actor, by its slug: kremlin.
    actor: String,
    /// The topic, by its slug: leaders-meeting.
    topic: String,
    /// Up to when, by the time of speaking. Now, if left out.
    #[arg(long, value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    until: Option<String>,
    /// As known when: only the first N entries of the ledger count, or those recorded by a time.
    /// All, if left out.
    #[arg(long, value_name = "N|TIME", allow_negative_numbers = true, value_parser = KnownAt::parse)]
    known_at: Option<KnownAt>,
    /// Draw this milestone in its place.
    #[arg(long, value_name = "MILESTONE", value_parser = NonEmptyStringValueParser::new())]
    milestone: Option<String>,
    #[command(flatten)]
    parts: Parts,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    asking: Asking,
}

impl Timeline {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.asking.connect().await?;
        let request = GetTimelineRequest {
            actor: self.actor.clone(),
            topic: self.topic.clone(),
            until: self.until.unwrap_or_default(),
            known_at: KnownAt::size(self.known_at),
            known_at_time: KnownAt::time(self.known_at),
            with_parts: self.parts.choice(),
            filter: self.terms.filter(),
            page_size: STEPS_A_PAGE,
            ..GetTimelineRequest::default()
        };
        let typed = |error: CliError| error.typed(&[("until", "--until")]);
        let answer = whole(&client, request).await.map_err(typed)?;
        if let Some(milestone_id) = &self.milestone {
            let request = GetMilestoneRequest {
                milestone_id: milestone_id.clone(),
                known_at: answer.basis.as_ref().map(|basis| basis.known_at),
                known_at_time: None,
                at_least_size: answer.basis.as_ref().map_or(0, |basis| basis.ledger_size),
            };
            client.answered(client.catalog().get_milestone(request).await)?;
        }
        if self.asking.json {
            output::print(&json::pretty(&answer)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let background = Names::asked(&self.actor, &self.topic, self.milestone.as_deref())
            .with_steps(&answer.steps)
            .look_up(&client, answer.basis.as_ref())
            .await?;
        let canvas = Canvas::of_stdout();
        let drawn = draw::timeline(canvas, &answer, &self.actor, &self.topic, &background);
        output::print(&drawn)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// All of a timeline's pages as one.
async fn whole(
    client: &Client,
    mut request: GetTimelineRequest,
) -> Result<GetTimelineResponse, CliError> {
    let mut whole = client.timeline(request.clone()).await?;
    while !whole.next_page_token.is_empty() {
        request.page_token = std::mem::take(&mut whole.next_page_token);
        let next = client.timeline(request.clone()).await?;
        whole.steps.extend(next.steps);
        whole.next_page_token = next.next_page_token;
    }
    Ok(whole)
}
