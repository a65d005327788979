//! What the options of a list name: where nothing is found, whether that is on record at all.
//!
//! A mistyped name finds nothing either, which reads as an answer and is none.

use prost_types::Timestamp;

use super::client::Client;
use super::error::CliError;
use crate::rpc::proto::{
    EntryFilter, GetActorRequest, GetSourceRecordRequest, GetStatementRequest, GetTopicRequest,
    GetVerifierRequest, ListMandatesRequest, ListStatementsRequest,
};

/// What is named, each by the option that names it; empty where the option is not given.
#[derive(Clone, Debug, Default)]
pub(super) struct Mentioned {
    actors: Vec<(&'static str, String)>,
    topic: String,
    source: String,
    statement: String,
    verifier: String,
    known_at: Option<u64>,
    known_at_time: Option<Timestamp>,
    at_least_size: u64,
}

impl From<&ListStatementsRequest> for Mentioned {
    fn from(request: &ListStatementsRequest) -> Self {
        Self {
            actors: vec![
                ("--speaker", request.speaker.clone()),
                ("--for", request.said_for.clone()),
            ],
            topic: request.topic.clone(),
            source: request.source.clone(),
            verifier: request.verifier.clone(),
            known_at: request.known_at,
            known_at_time: request.known_at_time,
            at_least_size: request.at_least_size,
            ..Self::default()
        }
    }
}

impl From<&ListMandatesRequest> for Mentioned {
    fn from(request: &ListMandatesRequest) -> Self {
        Self {
            actors: vec![
                ("--person", request.person.clone()),
                ("--for", request.organization.clone()),
            ],
            known_at: request.known_at,
            known_at_time: request.known_at_time,
            at_least_size: request.at_least_size,
            ..Self::default()
        }
    }
}

impl Mentioned {
    /// What a filter of entries names, in a ledger of `size` entries.
    pub(super) fn by(filter: EntryFilter, size: u64) -> Self {
        Self {
            actors: vec![("--actor", filter.actor)],
            topic: filter.topic,
            source: filter.source,
            statement: filter.statement,
            verifier: filter.verifier,
            at_least_size: size,
            ..Self::default()
        }
    }

    /// Refuses the first name that is not on record, with those that come near.
    pub(super) async fn must_be_on_record(self, client: &Client) -> Result<(), CliError> {
        let mut catalog = client.catalog();
        macro_rules! look_up {
            ($flag:expr, $value:expr, $method:ident, $Request:ident { $id:ident $(, $more:ident)? }, $field:literal) => {
                if !$value.is_empty() {
                    let request = $Request {
                        $id: $value,
                        known_at: self.known_at,
                        known_at_time: self.known_at_time,
                        at_least_size: self.at_least_size,
                        $($more: false,)?
                    };
                    let answer = catalog.$method(request).await;
                    let answer = client.answered(answer).map(drop);
                    answer.map_err(|error| error.typed(&[($field, $flag)]))?;
                }
            };
        }
        for (flag, actor) in self.actors {
            look_up!(
                flag,
                actor,
                get_actor,
                GetActorRequest { actor_id },
                "actorId"
            );
        }
        look_up!(
            "--topic",
            self.topic,
            get_topic,
            GetTopicRequest { topic_id },
            "topicId"
        );
        look_up!(
            "--source",
            self.source,
            get_source_record,
            GetSourceRecordRequest { source_id },
            "sourceId"
        );
        look_up!(
            "--statement",
            self.statement,
            get_statement,
            GetStatementRequest {
                statement_id,
                proof
            },
            "statementId"
        );
        look_up!(
            "--verifier",
            self.verifier,
            get_verifier,
            GetVerifierRequest { verifier },
            "verifier"
        );
        Ok(())
    }
}
