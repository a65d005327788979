//! Asking the daemon for the story: every answer together with what it names.
//!
//! Where the daemon answers that something is not on record, that is the answer, and it is
//! drawn.

use crate::cli::CliError;
use crate::cli::client::Client;
use crate::cli::compare::backgrounds;
use crate::cli::draw::{Background, Sheet, Tint};
use crate::cli::gather::Names;
use crate::rpc::proto::{
    Basis, ComparePositionsRequest, Comparison, GetPositionRequest, GetPositionResponse,
    GetStatementRequest, GetTimelineRequest, Position, StatementView, TimelineStep,
};

/// A daemon that is asked once it has read all of the example.
#[derive(Debug)]
pub struct Asked {
    client: Client,
    size: u64,
}

/// The steps of a timeline, what they name, and on what they rest.
pub type Steps = (Vec<TimelineStep>, Background, Option<Basis>);

/// A comparison and what it names.
#[derive(Debug)]
pub struct Compared {
    /// How the later differs from the earlier.
    pub comparison: Comparison,
    /// The earlier position.
    pub from: Position,
    /// The later position.
    pub to: Position,
    /// On what the earlier rests.
    pub from_basis: Option<Basis>,
    /// On what the later rests.
    pub to_basis: Option<Basis>,
    /// What the earlier names.
    pub from_names: Background,
    /// What the later names.
    pub to_names: Background,
}

impl Asked {
    /// The daemon behind `client`, whose ledger has `size` entries.
    pub const fn new(client: Client, size: u64) -> Self {
        Self { client, size }
    }

    /// How many entries the ledger had.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// A comparison.
    pub async fn compare(
        &self,
        sheet: &mut Sheet,
        mut request: ComparePositionsRequest,
    ) -> Result<Option<Compared>, CliError> {
        request.at_least_size = self.size;
        let milestone = request.milestone.clone();
        let answer = self.client.compare(request).await;
        let Some(answer) = answer_or_drawn(sheet, answer)? else {
            return Ok(None);
        };
        let [from_names, to_names] = backgrounds(&self.client, &answer, &milestone).await?;
        let lacking = |what| CliError::Incomplete { what };
        Ok(Some(Compared {
            comparison: answer.comparison.ok_or(lacking("comparison"))?,
            from: answer.from.ok_or(lacking("earlier position"))?,
            to: answer.to.ok_or(lacking("later position"))?,
            from_basis: answer.from_basis,
            to_basis: answer.to_basis,
            from_names,
            to_names,
        }))
    }

    /// A timeline.
    pub async fn timeline(
        &self,
        sheet: &mut Sheet,
        actor: &str,
        topic: &str,
        milestone: Option<&str>,
    ) -> Result<Option<Steps>, CliError> {
        let request = GetTimelineRequest {
            actor: actor.to_owned(),
            topic: topic.to_owned(),
            at_least_size: self.size,
            ..Default::default()
        };
        let answer = self.client.timeline(request).await;
        let Some(answer) = answer_or_drawn(sheet, answer)? else {
            return Ok(None);
        };
        let names = Names::asked(actor, topic, milestone)
            .with_steps(&answer.steps)
            .look_up(&self.client, answer.basis.as_ref())
            .await?;
        Ok(Some((answer.steps, names, answer.basis)))
    }

    /// A position.
    pub async fn position(
        &self,
        sheet: &mut Sheet,
        actor: &str,
        topic: &str,
        as_of: &str,
    ) -> Result<Option<(GetPositionResponse, Background)>, CliError> {
        let request = GetPositionRequest {
            actor: actor.to_owned(),
            topic: topic.to_owned(),
            as_of: as_of.to_owned(),
            at_least_size: self.size,
            ..Default::default()
        };
        let answer = self.client.position(request).await;
        let Some(answer) = answer_or_drawn(sheet, answer)? else {
            return Ok(None);
        };
        let position = answer.position.clone().unwrap_or_default();
        let names = Names::asked(actor, topic, None)
            .with_position(&position)
            .look_up(&self.client, answer.basis.as_ref())
            .await?;
        Ok(Some((answer, names)))
    }

    /// A statement as it was known before entry `known_at`.
    pub async fn statement(
        &self,
        id: &str,
        known_at: u64,
    ) -> Result<Option<StatementView>, CliError> {
        let request = GetStatementRequest {
            statement_id: id.to_owned(),
            known_at: Some(known_at),
            at_least_size: self.size,
            ..GetStatementRequest::default()
        };
        let answer = self.client.catalog().get_statement(request).await;
        Ok(self.client.found(answer)?.and_then(|it| it.statement))
    }
}

/// The answer; or nothing, once the daemon's own error has been drawn.
fn answer_or_drawn<T>(
    sheet: &mut Sheet,
    answer: Result<T, CliError>,
) -> Result<Option<T>, CliError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(CliError::Answer(answer)) => {
            sheet.paragraph(2, Tint::Against, &answer.to_string());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
