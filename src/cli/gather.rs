//! Looks up what an answer names: the actors, the topic, the statements and their sources, as
//! known when the answer was.

use std::collections::BTreeSet;

use super::client::Client;
use super::draw::{Background, LISTED_MAX};
use super::error::CliError;
use crate::record::proto::{Establishes, Evidence};
use crate::rpc::proto::{
    Basis, GetActorRequest, GetMilestoneRequest, GetSourceRecordRequest, GetStatementRequest,
    GetTopicRequest, Position, Testimony, TimelineStep,
};

/// What is to be looked up.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Whose position it is, and which parts speak too.
    asked: BTreeSet<String>,
    actors: BTreeSet<String>,
    topic: String,
    milestone: String,
    statements: BTreeSet<String>,
}

impl Names {
    /// What a question names.
    #[must_use]
    pub fn asked(actor: &str, topic: &str, milestone: Option<&str>) -> Self {
        let actor = BTreeSet::from([actor.to_owned()]);
        Self {
            asked: actor.clone(),
            actors: actor,
            topic: topic.to_owned(),
            milestone: milestone.unwrap_or_default().to_owned(),
            statements: BTreeSet::new(),
        }
    }

    /// And another actor.
    #[must_use]
    pub fn with_actor(mut self, actor: &str) -> Self {
        self.asked.insert(actor.to_owned());
        self.actors.insert(actor.to_owned());
        self
    }

    /// And what a position names, as far as it is drawn.
    #[must_use]
    pub fn with_position(mut self, position: &Position) -> Self {
        self.asked.extend(position.asked.iter().cloned());
        self.actors.extend(position.asked.iter().cloned());
        self.actors.extend(position.speaks_for.iter().cloned());
        let single = [
            &position.deciding,
            &position.previous,
            &position.latest_evasion,
        ];
        let listed = [&position.front, &position.reported, &position.possible];
        for said in single.into_iter().flatten() {
            self.testimony(said);
        }
        for said in listed
            .into_iter()
            .flat_map(|list| list.iter().take(LISTED_MAX))
        {
            self.testimony(said);
        }
        for said in position.voices.iter().filter_map(|it| it.deciding.as_ref()) {
            self.testimony(said);
        }
        self
    }

    /// And what the steps of a timeline name.
    #[must_use]
    pub fn with_steps(mut self, steps: &[TimelineStep]) -> Self {
        for said in steps.iter().filter_map(|step| step.testimony.as_ref()) {
            self.testimony(said);
        }
        self
    }

    fn testimony(&mut self, said: &Testimony) {
        let actors = [&said.speaker, &said.holder, &said.relayed_by];
        self.actors.extend(actors.into_iter().cloned());
        self.actors.extend(said.said_for.iter().cloned());
        self.statements.insert(said.statement.clone());
    }

    /// Looks everything up as `basis` knew it. What is not on record is left out.
    pub async fn look_up(
        self,
        client: &Client,
        basis: Option<&Basis>,
    ) -> Result<Background, CliError> {
        let lookup = Lookup {
            client,
            known_at: basis.map(|basis| basis.known_at),
            at_least_size: basis.map_or(0, |basis| basis.ledger_size),
        };
        let mut found = Background {
            asked: self.asked,
            ..Background::default()
        };
        for slug in self.actors.into_iter().filter(|slug| !slug.is_empty()) {
            lookup.actor(slug, &mut found).await?;
        }
        lookup
            .question(self.topic, self.milestone, &mut found)
            .await?;
        for id in self.statements {
            lookup.statement(id, &mut found).await?;
        }
        Ok(found)
    }
}

struct Lookup<'a> {
    client: &'a Client,
    known_at: Option<u64>,
    at_least_size: u64,
}

impl Lookup<'_> {
    async fn actor(&self, slug: String, found: &mut Background) -> Result<(), CliError> {
        let request = GetActorRequest {
            actor_id: slug.clone(),
            known_at: self.known_at,
            known_at_time: None,
            at_least_size: self.at_least_size,
        };
        let answer = self.client.catalog().get_actor(request).await;
        let actor = self.client.found(answer)?.and_then(|answer| answer.actor);
        if let Some(defined) = actor.and_then(|actor| actor.definition) {
            found.actors.insert(slug, defined);
        }
        Ok(())
    }

    async fn question(
        &self,
        topic_id: String,
        milestone_id: String,
        found: &mut Background,
    ) -> Result<(), CliError> {
        let (known_at, at_least_size) = (self.known_at, self.at_least_size);
        let request = GetTopicRequest {
            topic_id,
            known_at,
            known_at_time: None,
            at_least_size,
        };
        let answer = self.client.catalog().get_topic(request).await;
        let topic = self.client.found(answer)?.and_then(|answer| answer.topic);
        found.topic = topic.and_then(|topic| topic.definition);
        if milestone_id.is_empty() {
            return Ok(());
        }
        let request = GetMilestoneRequest {
            milestone_id,
            known_at,
            known_at_time: None,
            at_least_size,
        };
        let answer = self.client.catalog().get_milestone(request).await;
        let milestone = self
            .client
            .found(answer)?
            .and_then(|answer| answer.milestone);
        found.milestone = milestone.and_then(|milestone| milestone.definition);
        Ok(())
    }

    async fn statement(&self, id: String, found: &mut Background) -> Result<(), CliError> {
        let request = GetStatementRequest {
            statement_id: id.clone(),
            known_at: self.known_at,
            at_least_size: self.at_least_size,
            ..GetStatementRequest::default()
        };
        let answer = self.client.catalog().get_statement(request).await;
        let Some(view) = self
            .client
            .found(answer)?
            .and_then(|answer| answer.statement)
        else {
            return Ok(());
        };
        let evidence = view.statement.iter().flat_map(|it| &it.evidence);
        let further = view.further_evidence.iter().filter(|it| !it.untrusted);
        let further = further.flat_map(|it| &it.evidence);
        let evidence = evidence.chain(further);
        for source in evidence.filter(|passage| holds_words(passage)) {
            self.source(&source.source, found).await?;
        }
        found.statements.insert(id, view);
        Ok(())
    }

    async fn source(&self, id: &str, found: &mut Background) -> Result<(), CliError> {
        if found.sources.contains_key(id) {
            return Ok(());
        }
        let request = GetSourceRecordRequest {
            source_id: id.to_owned(),
            known_at: self.known_at,
            known_at_time: None,
            at_least_size: self.at_least_size,
        };
        let answer = self.client.catalog().get_source_record(request).await;
        let source = self.client.found(answer)?.and_then(|answer| answer.source);
        let Some(source) = source else {
            return Ok(());
        };
        if let Some(withholding) = source.withholding {
            found.withheld.insert(id.to_owned(), withholding.scope());
        }
        if let Some(archived) = source.definition {
            found.sources.insert(id.to_owned(), archived);
        }
        Ok(())
    }
}

fn holds_words(passage: &Evidence) -> bool {
    passage.establishes().any(|what| what == Establishes::Words)
}
