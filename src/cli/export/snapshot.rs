//! The archive at one head: everything is looked up as it was known there.
//!
//! What is asked for again and again is kept, up to a bound.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::cli::client::Client;
use crate::cli::error::CliError;
use crate::cli::source::whole_text;
use crate::record::proto::record::Kind;
use crate::record::proto::{ActorDefined, Evidence, MandateGranted};
use crate::rpc::proto::{
    EntryFilter, GetActorRequest, GetMandateRequest, GetSourceRecordRequest, GetStatementRequest,
    GetTopicRequest, Head, LedgerEntry, ReadEntriesRequest, Source, StatementView,
};
use crate::text::SearchText;

/// How many lookups of each sort are kept: three times 256 of at most 62,000 bytes are 48 MB,
/// and of the usual few hundred bytes 300 KB.
const KEPT_MAX: usize = 256;

/// How many entries are read at a time: 64 of at most 65,535 bytes, twice because they are
/// decoded too, are 8 MiB.
pub const PAGE: u64 = 64;

/// How many mandates of one person are looked at: their offices, and as many corrections.
const MANDATES_MAX: u64 = 1_000;

/// Why a text is not served.
const WITHHELD: &str = "WITHHELD";

/// A text of a source, as it is extracted and prepared for searching.
pub struct Text {
    /// As it is extracted.
    pub plain: String,
    /// To be searched.
    pub search: SearchText,
}

/// The archive at a head.
pub struct Snapshot {
    client: Client,
    origin: String,
    head: Head,
    actors: Kept<ActorDefined>,
    sources: Kept<Source>,
    mandates: Kept<Vec<MandateGranted>>,
    /// The text asked for last: at most 16 MiB, twice.
    text: Option<(String, Arc<Text>)>,
}

impl Snapshot {
    /// The archive at its newest head.
    pub async fn take(client: Client) -> Result<Self, CliError> {
        let answer = client.head().await?;
        let head = answer.head.ok_or(CliError::Incomplete { what: "head" })?;
        Ok(Self {
            client,
            origin: answer.origin,
            head,
            actors: Kept::default(),
            sources: Kept::default(),
            mandates: Kept::default(),
            text: None,
        })
    }

    /// The archive's origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// How many entries the ledger has.
    pub const fn size(&self) -> u64 {
        self.head.size
    }

    /// The Merkle root over them, as checkpoints write it.
    pub fn root(&self) -> String {
        BASE64.encode(&self.head.root)
    }

    /// When the newest of them was recorded.
    pub fn recorded_at(&self) -> Value {
        self.head
            .recorded_at
            .as_ref()
            .map_or(Value::Null, |at| json!(at.to_string()))
    }

    /// A statement as it stands.
    pub async fn statement(&self, id: &str) -> Result<StatementView, CliError> {
        let request = GetStatementRequest {
            statement_id: id.to_owned(),
            known_at: Some(self.size()),
            at_least_size: self.size(),
            ..GetStatementRequest::default()
        };
        let answer = self.client.catalog().get_statement(request).await;
        let statement = self.client.answered(answer)?.statement;
        statement.ok_or(CliError::Incomplete { what: "statement" })
    }

    /// An actor.
    pub async fn actor(&mut self, slug: &str) -> Result<Arc<ActorDefined>, CliError> {
        if let Some(kept) = self.actors.get(slug) {
            return Ok(kept);
        }
        let request = GetActorRequest {
            actor_id: slug.to_owned(),
            known_at: Some(self.size()),
            known_at_time: None,
            at_least_size: self.size(),
        };
        let answer = self.client.catalog().get_actor(request).await;
        let actor = self.client.answered(answer)?.actor;
        let actor = actor.and_then(|actor| actor.definition);
        let actor = actor.ok_or(CliError::Incomplete { what: "actor" })?;
        Ok(self.actors.keep(slug, actor))
    }

    /// A source's record, and whether the source is withheld.
    pub async fn source(&mut self, id: &str) -> Result<Arc<Source>, CliError> {
        if let Some(kept) = self.sources.get(id) {
            return Ok(kept);
        }
        let request = GetSourceRecordRequest {
            source_id: id.to_owned(),
            known_at: Some(self.size()),
            known_at_time: None,
            at_least_size: self.size(),
        };
        let answer = self.client.catalog().get_source_record(request).await;
        let source = self.client.answered(answer)?.source;
        let source = source.ok_or(CliError::Incomplete { what: "source" })?;
        Ok(self.sources.keep(id, source))
    }

    /// Refuses a topic that is not on record.
    pub async fn check_topic(&self, slug: &str) -> Result<(), CliError> {
        let request = GetTopicRequest {
            topic_id: slug.to_owned(),
            known_at: Some(self.size()),
            known_at_time: None,
            at_least_size: self.size(),
        };
        let answer = self.client.catalog().get_topic(request).await;
        self.client.answered(answer).map(drop)
    }

    /// The mandates of a person, each as it stands.
    pub async fn mandates(&mut self, person: &str) -> Result<Arc<Vec<MandateGranted>>, CliError> {
        if let Some(kept) = self.mandates.get(person) {
            return Ok(kept);
        }
        let filter = EntryFilter {
            kinds: vec!["mandate_granted".to_owned()],
            actor: person.to_owned(),
            ..EntryFilter::default()
        };
        let mut by_id = BTreeMap::new();
        for entry in self.entries(0, MANDATES_MAX, filter).await? {
            if let Some(Kind::MandateGranted(mandate)) = entry.record.and_then(|it| it.kind)
                && mandate.person == person
            {
                by_id.insert(mandate.mandate_id.clone(), mandate);
            }
        }
        let mut mandates = Vec::with_capacity(by_id.len());
        for mandate_id in by_id.into_keys() {
            let request = GetMandateRequest {
                mandate_id,
                known_at: Some(self.size()),
                known_at_time: None,
                at_least_size: self.size(),
            };
            // Only here does an end stand that was recorded by itself.
            let answer = self.client.catalog().get_mandate(request).await;
            let mandate = self.client.answered(answer)?.mandate;
            mandates.extend(mandate.and_then(|mandate| mandate.definition));
        }
        Ok(self.mandates.keep(person, mandates))
    }

    /// At most `limit` entries from `start` on.
    pub async fn entries(
        &self,
        start: u64,
        limit: u64,
        filter: EntryFilter,
    ) -> Result<Vec<LedgerEntry>, CliError> {
        let request = ReadEntriesRequest {
            start: Some(start),
            limit,
            filter: Some(filter),
            decode: true,
            ..ReadEntriesRequest::default()
        };
        let answer = self.client.ledger().read_entries(request).await;
        let mut messages = self.client.answered(answer)?;
        let mut entries = Vec::new();
        loop {
            let message = messages.message().await;
            let message = message.map_err(|status| self.client.failed(&status))?;
            let Some(message) = message else {
                break;
            };
            entries.extend(message.entries);
        }
        entries.retain(|entry| entry.index < self.size());
        Ok(entries)
    }

    /// The text that evidence quotes; none if it is withheld, which it may be since the head.
    pub async fn text(&mut self, evidence: &Evidence) -> Result<Option<Arc<Text>>, CliError> {
        if let Some((id, text)) = &self.text
            && *id == evidence.text_id
        {
            return Ok(Some(Arc::clone(text)));
        }
        // Room first: two texts at once are more than the bound.
        self.text = None;
        let whole = whole_text(&self.client, &evidence.source, &evidence.text_id).await;
        let (plain, search) = match whole {
            Err(CliError::Answer(answer)) if answer.reason == WITHHELD => return Ok(None),
            whole => whole?,
        };
        let text = Arc::new(Text { plain, search });
        self.text = Some((evidence.text_id.clone(), Arc::clone(&text)));
        Ok(Some(text))
    }
}

/// What was looked up, by id: at most [`KEPT_MAX`], then anew.
struct Kept<T>(BTreeMap<String, Arc<T>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Kept<T> {
    fn get(&self, id: &str) -> Option<Arc<T>> {
        self.0.get(id).cloned()
    }

    fn keep(&mut self, id: &str, found: T) -> Arc<T> {
        if self.0.len() >= KEPT_MAX {
            self.0.clear();
        }
        let found = Arc::new(found);
        self.0.insert(id.to_owned(), Arc::clone(&found));
        found
    }
}
