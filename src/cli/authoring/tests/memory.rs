//! An archive in memory that takes every record as it comes, and says what it knows.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use bytes::Bytes;

use crate::cli::authoring::{Archive, AuthoredRecord, KnownSource, KnownStatement, Subject};
use crate::record::proto::record::Kind;
use crate::record::{ContentId, proto};

#[derive(Debug, Default)]
struct State {
    records: Vec<(ContentId, Kind)>,
    payloads: HashMap<ContentId, Bytes>,
    uploads: HashMap<ContentId, String>,
}

/// The archive.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<State>);

/// It cannot be asked.
#[derive(Debug, thiserror::Error)]
#[error("the archive cannot read {0}")]
pub(super) struct Unreadable(String);

impl Memory {
    /// Takes a record; whether it was new.
    pub(super) fn take(&self, record: &AuthoredRecord) -> bool {
        let mut state = self.0.lock().unwrap();
        if state.records.iter().any(|(id, _)| *id == record.record_id) {
            return false;
        }
        let kind = record.record.kind.clone().unwrap();
        state.records.push((record.record_id, kind));
        let payload = record.envelope.payload.clone();
        state.payloads.insert(record.record_id, payload);
        true
    }

    /// How many records it has.
    pub(super) fn size(&self) -> usize {
        self.0.lock().unwrap().records.len()
    }

    /// How many documents were uploaded.
    pub(super) fn uploads(&self) -> usize {
        self.0.lock().unwrap().uploads.len()
    }

    /// The newest record of which `pick` makes something.
    fn newest_of<T>(&self, pick: impl Fn(ContentId, &Kind) -> Option<T>) -> Option<T> {
        let state = self.0.lock().unwrap();
        state
            .records
            .iter()
            .rev()
            .find_map(|(id, kind)| pick(*id, kind))
    }
}

impl Archive for &Memory {
    type Error = Unreadable;

    async fn holds(&self, record: ContentId) -> Result<bool, Unreadable> {
        let state = self.0.lock().unwrap();
        Ok(state.records.iter().any(|(id, _)| *id == record))
    }

    async fn newest(&self, subject: &Subject) -> Result<Option<ContentId>, Unreadable> {
        Ok(self.newest_of(|id, kind| {
            let same = match (subject, kind) {
                (Subject::Actor(id), Kind::ActorDefined(it)) => *id == it.actor_id,
                (Subject::Mandate(id), Kind::MandateGranted(it)) => *id == it.mandate_id,
                (Subject::Mandate(id), Kind::MandateEnded(it)) => *id == it.mandate_id,
                (Subject::Topic(id), Kind::TopicDefined(it)) => *id == it.topic_id,
                (Subject::Milestone(id), Kind::MilestoneDefined(it)) => *id == it.milestone_id,
                (Subject::Source(id), Kind::SourceArchived(it)) => id.to_string() == it.source,
                (Subject::Verifier(id), Kind::VerifierEnrolled(it)) => *id == it.verifier,
                _ => false,
            };
            same.then_some(id)
        }))
    }

    async fn statement(&self, id: ContentId) -> Result<Option<KnownStatement>, Unreadable> {
        Ok(self.newest_of(|record, kind| {
            let statement: &proto::Statement = match kind {
                Kind::StatementRecorded(it) if record == id => it,
                Kind::StatementCorrected(it) if it.statement == id.to_string() => {
                    it.corrected.as_ref()?
                }
                _ => return None,
            };
            Some(KnownStatement {
                voice: statement.voice.clone(),
                said_for: statement.said_for.clone(),
                newest: record,
            })
        }))
    }

    async fn mandates(&self, person: &str) -> Result<Vec<proto::MandateGranted>, Unreadable> {
        let state = self.0.lock().unwrap();
        let mut mandates: Vec<proto::MandateGranted> = Vec::new();
        for (_, kind) in &state.records {
            match kind {
                Kind::MandateGranted(it) if it.person == person => {
                    mandates.retain(|other| other.mandate_id != it.mandate_id);
                    mandates.push(it.clone());
                }
                Kind::MandateEnded(it) => {
                    for other in &mut mandates {
                        if other.mandate_id == it.mandate_id {
                            other.end.clone_from(&it.end);
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(mandates)
    }

    async fn source(&self, id: ContentId) -> Result<Option<KnownSource>, Unreadable> {
        Ok(self.newest_of(|_, kind| match kind {
            Kind::SourceArchived(it) if it.source == id.to_string() => Some(KnownSource {
                media_type: it.media_type.clone(),
                size_bytes: it.size_bytes,
                profile: it.profile.clone(),
                text_id: it.text_id.clone(),
            }),
            _ => None,
        }))
    }

    async fn payload(&self, id: ContentId) -> Result<Option<Bytes>, Unreadable> {
        Ok(self.0.lock().unwrap().payloads.get(&id).cloned())
    }

    async fn upload(
        &self,
        id: ContentId,
        media_type: &str,
        path: &Path,
    ) -> Result<KnownSource, Unreadable> {
        let bytes = std::fs::read(path).map_err(|error| Unreadable(error.to_string()))?;
        assert_eq!(ContentId::of(&bytes), id, "what was hashed is what is sent");
        let mut state = self.0.lock().unwrap();
        state.uploads.insert(id, media_type.to_owned());
        let text = ContentId::of(&[b"text of ", bytes.as_slice()].concat());
        let has_text = media_type == "text/plain";
        Ok(KnownSource {
            media_type: media_type.to_owned(),
            size_bytes: bytes.len() as u64,
            profile: if has_text { "plain-text/1" } else { "" }.to_owned(),
            text_id: if has_text {
                text.to_string()
            } else {
                String::new()
            },
        })
    }
}
