//! What the authoring form asks of an archive, asked over gRPC.
//!
//! Every lookup waits until the projections have read what the daemon had acknowledged when
//! this run began, and what this run itself was acknowledged since.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use prost::Message as _;

use super::authoring::{Archive, KnownSource, KnownStatement, Subject};
use super::client::Client;
use super::error::CliError;
use super::transfer;
use crate::record::{ContentId, proto};
use crate::rpc::proto::get_entry_request::Entry;
use crate::rpc::proto::{
    GetActorRequest, GetEntryRequest, GetMandateRequest, GetMilestoneRequest,
    GetSourceRecordRequest, GetStatementRequest, GetTopicRequest, GetVerifierRequest,
    ListMandatesRequest, Provenance,
};

/// A daemon's archive, as it is at least at a given size.
#[derive(Debug)]
pub struct RemoteArchive {
    client: Client,
    at_least_size: AtomicU64,
}

impl RemoteArchive {
    /// The archive behind `client`, whose ledger has `size` entries.
    #[must_use]
    pub fn new(client: Client, size: u64) -> Self {
        Self {
            client,
            at_least_size: AtomicU64::new(size),
        }
    }

    /// The connection.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Takes note that the ledger has `size` entries.
    pub fn grew_to(&self, size: u64) {
        self.at_least_size.fetch_max(size, Ordering::Relaxed);
    }

    fn size(&self) -> u64 {
        self.at_least_size.load(Ordering::Relaxed)
    }
}

/// Looks a subject up by its id and takes the place of the version that stands.
macro_rules! provenance {
    ($archive:ident, $method:ident, $request:ident { $id:ident }, $field:ident) => {{
        let request = $request {
            $id: $id.clone(),
            known_at: None,
            known_at_time: None,
            at_least_size: $archive.size(),
        };
        let answer = $archive.client.catalog().$method(request).await;
        let answer = $archive.client.found(answer)?;
        answer.and_then(|it| it.$field).and_then(|it| it.provenance)
    }};
}

impl Archive for &RemoteArchive {
    type Error = CliError;

    async fn holds(&self, record: ContentId) -> Result<bool, CliError> {
        let request = GetEntryRequest {
            entry: Some(Entry::RecordId(record.to_string())),
            ..GetEntryRequest::default()
        };
        let answer = self.client.ledger().get_entry(request).await;
        Ok(self.client.found(answer)?.is_some())
    }

    async fn newest(&self, subject: &Subject) -> Result<Option<ContentId>, CliError> {
        let archive = *self;
        let stands: Option<Provenance> = match subject {
            Subject::Actor(actor_id) => {
                provenance!(archive, get_actor, GetActorRequest { actor_id }, actor)
            }
            Subject::Mandate(mandate_id) => {
                provenance!(
                    archive,
                    get_mandate,
                    GetMandateRequest { mandate_id },
                    mandate
                )
            }
            Subject::Topic(topic_id) => {
                provenance!(archive, get_topic, GetTopicRequest { topic_id }, topic)
            }
            Subject::Milestone(milestone_id) => provenance!(
                archive,
                get_milestone,
                GetMilestoneRequest { milestone_id },
                milestone
            ),
            Subject::Source(id) => {
                let source_id = id.to_string();
                provenance!(
                    archive,
                    get_source_record,
                    GetSourceRecordRequest { source_id },
                    source
                )
            }
            Subject::Verifier(verifier) => {
                provenance!(
                    archive,
                    get_verifier,
                    GetVerifierRequest { verifier },
                    verifier
                )
            }
        };
        stands.map(|it| id(&it.record)).transpose()
    }

    async fn statement(&self, statement: ContentId) -> Result<Option<KnownStatement>, CliError> {
        let request = GetStatementRequest {
            statement_id: statement.to_string(),
            at_least_size: self.size(),
            ..GetStatementRequest::default()
        };
        let answer = self.client.catalog().get_statement(request).await;
        let Some(view) = self.client.found(answer)?.and_then(|it| it.statement) else {
            return Ok(None);
        };
        let mut corrections = view.corrections.iter().rev();
        let newest = corrections.find_map(|it| it.provenance.as_ref());
        let newest = newest.map_or(Ok(statement), |it| id(&it.record))?;
        let stands = view.statement.unwrap_or_default();
        Ok(Some(KnownStatement {
            voice: stands.voice,
            said_for: stands.said_for,
            newest,
        }))
    }

    async fn mandates(&self, person: &str) -> Result<Vec<proto::MandateGranted>, CliError> {
        let mut request = ListMandatesRequest {
            person: person.to_owned(),
            at_least_size: self.size(),
            ..ListMandatesRequest::default()
        };
        let mut granted = Vec::new();
        loop {
            let answer = self.client.catalog().list_mandates(request.clone()).await;
            let page = self.client.answered(answer)?;
            granted.extend(page.mandates.into_iter().filter_map(|it| it.definition));
            if page.next_page_token.is_empty() {
                return Ok(granted);
            }
            request.page_token = page.next_page_token;
        }
    }

    async fn source(&self, source: ContentId) -> Result<Option<KnownSource>, CliError> {
        let request = GetSourceRecordRequest {
            source_id: source.to_string(),
            known_at: None,
            known_at_time: None,
            at_least_size: self.size(),
        };
        let answer = self.client.catalog().get_source_record(request).await;
        let found = self.client.found(answer)?.and_then(|it| it.source);
        let archived = found.and_then(|it| it.definition);
        Ok(archived.map(|archived| KnownSource {
            media_type: archived.media_type,
            size_bytes: archived.size_bytes,
            profile: archived.profile,
            text_id: archived.text_id,
        }))
    }

    async fn payload(&self, record: ContentId) -> Result<Option<Bytes>, CliError> {
        let request = GetEntryRequest {
            entry: Some(Entry::RecordId(record.to_string())),
            ..GetEntryRequest::default()
        };
        let answer = self.client.ledger().get_entry(request).await;
        let Some(found) = self.client.found(answer)?.and_then(|it| it.entry) else {
            return Ok(None);
        };
        let entry = proto::Entry::decode(found.encoded);
        let envelope = entry.ok().and_then(|entry| entry.envelope);
        let payload = envelope.map(|envelope| envelope.payload);
        let whole = payload.filter(|payload| ContentId::of(payload) == record);
        whole.map(Some).ok_or(CliError::Incomplete {
            what: "payload of the record",
        })
    }

    async fn upload(
        &self,
        source: ContentId,
        media_type: &str,
        path: &Path,
    ) -> Result<KnownSource, CliError> {
        let quiet = indicatif::ProgressBar::hidden();
        let stored = transfer::upload(&self.client, source, media_type, path, &quiet).await?;
        Ok(KnownSource {
            media_type: media_type.to_owned(),
            size_bytes: stored.size_bytes,
            profile: stored.profile,
            text_id: stored.text_id,
        })
    }
}

fn id(record: &str) -> Result<ContentId, CliError> {
    record.parse().map_err(|_| CliError::Incomplete {
        what: "record id where one is due",
    })
}
