//! `onrecord compare`: how a position changed around a milestone, between two dates, or between
//! two moments of knowledge.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::client::Client;
use super::draw::{self, Background, Canvas, Sides};
use super::error::CliError;
use super::gather::Names;
use super::terms::{KnownAt, Terms, filter};
use super::{Asking, Parts, json, output};
use crate::rpc::proto::{ComparePositionsRequest, ComparePositionsResponse, PositionFilter};

/// How does an actor's position after a milestone or a date differ from the one before?
#[derive(Args, Debug)]
pub struct Compare {
    /// The actor, by its slug: kremlin.
    actor: String,
    /// The topic, by its slug: leaders-meeting.
    topic: String,
    #[command(flatten)]
    ends: Ends,
    /// Draw a picture into this file, as SVG.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    parts: Parts,
    #[command(flatten)]
    terms: Terms,
    #[command(flatten)]
    asking: Asking,
}

/// What is compared with what.
#[derive(Args, Debug)]
#[group(required = true, multiple = true)]
pub(super) struct Ends {
    /// From just before this milestone, by its slug: alaska-summit.
    #[arg(long, value_name = "MILESTONE", value_parser = NonEmptyStringValueParser::new(), conflicts_with = "from")]
    pub(super) milestone: Option<String>,
    /// From this date, by the time of speaking.
    #[arg(long, value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    pub(super) from: Option<String>,
    /// To this date, by the time of speaking. Now, if left out.
    #[arg(long, value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    pub(super) to: Option<String>,
    /// From what the first N entries of the ledger told, or those recorded by a time.
    #[arg(long, value_name = "N|TIME", allow_negative_numbers = true, value_parser = KnownAt::parse)]
    pub(super) from_known_at: Option<KnownAt>,
    /// To what the first N entries of the ledger told, or those recorded by a time. All, if left
    /// out.
    #[arg(long, value_name = "N|TIME", allow_negative_numbers = true, value_parser = KnownAt::parse)]
    pub(super) to_known_at: Option<KnownAt>,
    /// From the position on other terms, a `PositionFilter` as JSON; {} for the archive's own. The
    /// options below are then those of the later position.
    #[arg(long, value_name = "JSON", value_parser = filter)]
    pub(super) from_filter: Option<PositionFilter>,
}

/// What the ends of a comparison are called where requests have fields.
pub(super) const TYPED: &[(&str, &str)] = &[("milestone", "--milestone")];

impl Compare {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        let client = self.asking.connect().await?;
        let titles = self.ends.titles();
        let request = ComparePositionsRequest {
            actor: self.actor,
            topic: self.topic,
            milestone: self.ends.milestone.unwrap_or_default(),
            from_as_of: self.ends.from.unwrap_or_default(),
            to_as_of: self.ends.to.unwrap_or_default(),
            from_known_at: KnownAt::size(self.ends.from_known_at),
            from_known_at_time: KnownAt::time(self.ends.from_known_at),
            to_known_at: KnownAt::size(self.ends.to_known_at),
            to_known_at_time: KnownAt::time(self.ends.to_known_at),
            from_filter: self.ends.from_filter,
            with_parts: self.parts.choice(),
            filter: self.terms.filter(),
            at_least_size: client.size().await?,
        };
        let milestone = request.milestone.clone();
        let answer = client.compare(request).await;
        let answer = answer.map_err(|error| error.typed(TYPED))?;
        if self.asking.json {
            output::print(&json::pretty(&answer)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let [from, to] = backgrounds(&client, &answer, &milestone).await?;
        let sides = Sides {
            titles: [&titles[0], &titles[1]],
            from: &from,
            to: &to,
        };
        if let Some(path) = &self.svg {
            output::save(path, &draw::comparison_svg(&answer, sides))?;
            return Ok(ExitCode::SUCCESS);
        }
        output::print(&draw::comparison(Canvas::of_stdout(), &answer, sides))?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Ends {
    /// What the two columns are called.
    fn titles(&self) -> [String; 2] {
        let known =
            |at: Option<KnownAt>| at.map_or("all of it".to_owned(), |at| format!("at {at}"));
        let to = self.to.as_deref();
        match (&self.milestone, &self.from) {
            (Some(milestone), _) => [
                format!("before {milestone}"),
                to.map_or("up to now".to_owned(), |to| format!("up to {to}")),
            ],
            (None, Some(from)) => [
                format!("up to {from}"),
                to.map_or("up to now".to_owned(), |to| format!("up to {to}")),
            ],
            (None, None) if self.from_known_at.is_none() && self.from_filter.is_some() => [
                "on other terms".to_owned(),
                "on the terms asked for".to_owned(),
            ],
            (None, None) => [
                format!("as known {}", known(self.from_known_at)),
                format!("as known {}", known(self.to_known_at)),
            ],
        }
    }
}

/// What the two sides name, each as it was known there.
pub(super) async fn backgrounds(
    client: &Client,
    answer: &ComparePositionsResponse,
    milestone: &str,
) -> Result<[Background; 2], CliError> {
    let sides = [
        (&answer.from, answer.from_basis.as_ref()),
        (&answer.to, answer.to_basis.as_ref()),
    ];
    let mut backgrounds = [Background::default(), Background::default()];
    for ((position, basis), background) in sides.into_iter().zip(&mut backgrounds) {
        let position = position
            .as_ref()
            .ok_or(CliError::Incomplete { what: "position" })?;
        *background = Names::asked(&position.actor, &position.topic, Some(milestone))
            .with_position(position)
            .look_up(client, basis)
            .await?;
    }
    Ok(backgrounds)
}
