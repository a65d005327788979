//! `onrecord timeline`: how a position came about, step by step; of one actor, or of several
//! against each other; for people, as a picture or as a table.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::client::Client;
use super::draw::{self, Canvas, Lane};
use super::error::CliError;
use super::gather::Names;
use super::terms::{KnownAt, Terms};
use super::{Asking, Parts, json, output};
use crate::record::proto::MilestoneDefined;
use crate::rpc::proto::{Basis, GetMilestoneRequest, GetTimelineRequest, GetTimelineResponse};

/// How many steps are asked for at a time: as many as a page can have.
const STEPS_A_PAGE: i32 = 1_000;

/// The most actors that are held against each other: more lanes than a page holds.
const ACTORS_MAX: usize = 8;

/// How did an actor's position on a topic come about, statement by statement?
#[derive(Args, Debug)]
pub struct Timeline {
    /// The actor, by its slug: kremlin.
    actor: String,
    /// The topic, by its slug: leaders-meeting.
    topic: String,
    /// Against this actor's timeline. May be given several times.
    #[arg(long, value_name = "ACTOR", value_parser = NonEmptyStringValueParser::new())]
    against: Vec<String>,
    /// Up to when, by the time of speaking. Now, if left out.
    #[arg(long, value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    until: Option<String>,
    /// As known when: only the first N entries of the ledger count, or those recorded by a time.
    /// All, if left out.
    #[arg(long, value_name = "N|TIME", allow_negative_numbers = true, value_parser = KnownAt::parse)]
    known_at: Option<KnownAt>,
    /// Draw this milestone in its place. May be given several times.
    #[arg(long, value_name = "MILESTONE", value_parser = NonEmptyStringValueParser::new())]
    milestone: Vec<String>,
    /// Draw a picture into this file, as SVG.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    svg: Option<PathBuf>,
    /// Write a row a step into this file, as CSV.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    csv: Option<PathBuf>,
    #[command(flatten)]
    parts: Parts,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    asking: Asking,
}

impl Timeline {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        if self.svg.is_some() && self.svg == self.csv {
            return Err(CliError::Usage {
                what: "--svg and --csv name the same file".to_owned(),
                accepted: "a file for each",
            });
        }
        let client = self.asking.connect().await?;
        let actors = self.actors()?;
        let answers = self.answers(&client, &actors).await?;
        let basis = answers.first().and_then(|answer| answer.basis.as_ref());
        let milestones = self.milestones(&client, basis).await?;
        if self.asking.json {
            for answer in &answers {
                output::print(&json::pretty(answer)?)?;
            }
            return Ok(ExitCode::SUCCESS);
        }
        let mut names = Names::asked(&self.actor, &self.topic, None);
        for (actor, answer) in actors.iter().zip(&answers) {
            names = names.with_actor(actor).with_steps(&answer.steps);
        }
        let background = names.look_up(&client, basis).await?;
        let lanes = actors.iter().zip(&answers);
        let lanes: Vec<Lane> = lanes
            .map(|(actor, answer)| Lane { actor, answer })
            .collect();
        if let Some(path) = &self.svg {
            let drawn = draw::timeline_svg(&self.topic, &lanes, &milestones, &background);
            output::save(path, &drawn)?;
        }
        if let Some(path) = &self.csv {
            let drawn = draw::timeline_csv(&self.topic, &lanes, &background);
            output::save(path, &drawn)?;
        }
        if self.svg.is_some() || self.csv.is_some() {
            return Ok(ExitCode::SUCCESS);
        }
        let canvas = Canvas::of_stdout();
        let drawn = match (&lanes[..], &self.topic) {
            ([lane], topic) => {
                let Lane { actor, answer } = lane;
                draw::timeline(canvas, answer, actor, topic, &milestones, &background)
            }
            (lanes, topic) => draw::timelines(canvas, lanes, topic, &milestones, &background),
        };
        output::print(&drawn)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Whose timelines are drawn, each once.
    fn actors(&self) -> Result<Vec<&str>, CliError> {
        let mut actors: Vec<&str> = Vec::new();
        for actor in std::iter::once(&self.actor).chain(&self.against) {
            if !actors.contains(&&actor[..]) {
                actors.push(actor);
            }
        }
        if actors.len() > ACTORS_MAX {
            return Err(CliError::Usage {
                what: format!("{} actors are given", actors.len()),
                accepted: "at most 8",
            });
        }
        Ok(actors)
    }

    /// The timelines, all on what the first rests on.
    async fn answers(
        &self,
        client: &Client,
        actors: &[&str],
    ) -> Result<Vec<GetTimelineResponse>, CliError> {
        let mut answers: Vec<GetTimelineResponse> = Vec::with_capacity(actors.len());
        for actor in actors {
            let basis = answers.first().and_then(|first| first.basis.as_ref());
            let mut request = GetTimelineRequest {
                actor: (*actor).to_owned(),
                topic: self.topic.clone(),
                until: self.until.clone().unwrap_or_default(),
                known_at: KnownAt::size(self.known_at),
                known_at_time: KnownAt::time(self.known_at),
                with_parts: self.parts.choice(),
                filter: self.terms.filter(),
                at_least_size: client.size().await?,
                page_size: STEPS_A_PAGE,
                ..GetTimelineRequest::default()
            };
            if let Some(basis) = basis {
                request.until.clone_from(&basis.as_of);
                request.known_at = Some(basis.known_at);
                request.known_at_time = None;
            }
            let answer = whole(client, request).await;
            answers.push(answer.map_err(|error| error.typed(&[("until", "--until")]))?);
        }
        Ok(answers)
    }

    /// The milestones that are drawn, as `basis` knew them.
    async fn milestones(
        &self,
        client: &Client,
        basis: Option<&Basis>,
    ) -> Result<Vec<MilestoneDefined>, CliError> {
        let mut milestones = Vec::with_capacity(self.milestone.len());
        for milestone_id in &self.milestone {
            let request = GetMilestoneRequest {
                milestone_id: milestone_id.clone(),
                known_at: basis.map(|basis| basis.known_at),
                known_at_time: None,
                at_least_size: basis.map_or(0, |basis| basis.ledger_size),
            };
            let answer = client.answered(client.catalog().get_milestone(request).await)?;
            milestones.extend(answer.milestone.and_then(|it| it.definition));
        }
        Ok(milestones)
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
