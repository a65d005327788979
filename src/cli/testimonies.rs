//! `onrecord testimonies`: what bears on an actor's position on a topic, by where it stands.

use std::process::ExitCode;

use clap::Args;

use super::error::CliError;
use super::overview::{Showing, When};
use super::pages;
use super::terms::{KnownAt, value};
use crate::rpc::proto::{ListTestimoniesRequest, Standing};

/// Which statements bear on an actor's position on a topic?
#[derive(Args, Debug)]
pub struct Testimonies {
    /// The actor, by its slug: kremlin.
    actor: String,
    /// The topic, by its slug: leaders-meeting.
    topic: String,
    /// Only what stands so: POSSIBLE (said by then, or after), REPORTED (not the actor's own
    /// word), CANDIDATES (certainly said, and answers), EVASIONS, FRONT (may be the newest).
    #[arg(long, value_name = "STANDING", value_parser = standing)]
    standing: Option<i32>,
    #[command(flatten)]
    when: When,
    #[command(flatten)]
    showing: Showing,
}

fn standing(text: &str) -> Result<i32, String> {
    value(
        text,
        "STANDING_",
        Standing::from_str_name,
        "POSSIBLE, REPORTED, CANDIDATES, EVASIONS, FRONT",
    )
}

impl Testimonies {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.showing.asking.connect().await?;
        let request = ListTestimoniesRequest {
            actor: self.actor.clone(),
            topic: self.topic,
            standing: self.standing.unwrap_or_default(),
            as_of: self.when.as_of.unwrap_or_default(),
            known_at: KnownAt::size(self.when.known_at),
            known_at_time: KnownAt::time(self.when.known_at),
            with_parts: self.showing.parts.choice(),
            filter: self.showing.terms.filter(),
            at_least_size: client.size().await?,
            ..ListTestimoniesRequest::default()
        };
        let ask = async |page_size, page_token| {
            let page = ListTestimoniesRequest {
                page_size,
                page_token,
                ..request.clone()
            };
            client.answered(client.positions().list_testimonies(page).await)
        };
        pages::show(&self.showing.asking, self.showing.limit, &self.actor, ask).await?;
        Ok(ExitCode::SUCCESS)
    }
}
