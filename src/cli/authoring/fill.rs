//! What the client fills in: what a record must repeat of its statement, the versions that it
//! builds on, the text that its evidence stands in, and for whom a statement was said.
//!
//! Only what the author left out is filled in, and only then is the archive asked. What is on
//! the line stays as it is, right or wrong: the daemon judges it.

use std::path::PathBuf;

use super::archive::{Archive, KnownStatement};
use super::capacity;
use super::error::{AuthoringError, Problem};
use super::known::{Known, can_be_asked_for, set_replaces, subject};
use super::schema;
use crate::record::envelope::RECORD_PAYLOAD_TYPE;
use crate::record::proto::record::Kind;
use crate::record::proto::statement::Voice;
use crate::record::{ContentId, SigningKey, Slug, proto};

/// Why a line could not be made a record.
#[derive(Debug, thiserror::Error)]
pub(super) enum FillError<E> {
    /// The line is at fault.
    #[error(transparent)]
    Line(#[from] AuthoringError),
    /// The archive could not be asked.
    #[error("the archive could not be asked: {0}")]
    Archive(E),
}

/// Further signatures over the payload of the record `id`.
pub(super) fn attestation(
    id: ContentId,
    payload: &[u8],
    keys: &[SigningKey],
) -> proto::AttestationAdded {
    let sign = |key: &SigningKey| key.sign(RECORD_PAYLOAD_TYPE, payload).signature;
    proto::AttestationAdded {
        record: id.to_string(),
        verifiers: keys.iter().map(|key| key.public().to_string()).collect(),
        signatures: keys.iter().map(sign).collect(),
    }
}

/// Fills in one line's record.
pub(super) struct Filler<'a, A> {
    pub(super) archive: &'a A,
    pub(super) known: &'a mut Known,
    pub(super) line: usize,
    /// The kind's protobuf-JSON name, with which the paths of errors begin.
    pub(super) kind: &'a str,
    /// The file of a source.
    pub(super) file: Option<PathBuf>,
    /// Whether a statement is said to be personal.
    pub(super) personal: bool,
    /// With which the file's records are signed.
    pub(super) keys: &'a [SigningKey],
}

impl<A: Archive> Filler<'_, A> {
    /// Fills in what was left out of `kind`.
    pub(super) async fn fill(&mut self, kind: &mut Kind) -> Result<(), FillError<A::Error>> {
        match kind {
            Kind::SourceArchived(source) => self.source(source).await?,
            Kind::StatementRecorded(statement) => {
                self.evidence("evidence", &mut statement.evidence).await?;
                self.said_for(statement).await?;
            }
            Kind::StatementCorrected(correction) => self.correction(correction).await?,
            Kind::MandateGranted(it) => self.evidence("evidence", &mut it.evidence).await?,
            Kind::MandateEnded(it) => self.evidence("evidence", &mut it.evidence).await?,
            Kind::MilestoneDefined(it) => self.evidence("evidence", &mut it.evidence).await?,
            Kind::EvidenceAdded(it) => {
                self.evidence("evidence", &mut it.evidence).await?;
                self.repeat(&it.statement, &mut it.speaker, &mut it.said_for)
                    .await?;
            }
            Kind::AttestationAdded(it) => self.attestation(it).await?,
            Kind::ReadingAdded(it) => {
                self.repeat(&it.statement, &mut it.speaker, &mut it.said_for)
                    .await?;
            }
            Kind::StatementRetracted(it) => {
                self.repeat(&it.statement, &mut it.speaker, &mut it.said_for)
                    .await?;
            }
            _ => {}
        }
        self.replaces(kind).await
    }

    fn error(&self, path: &str, problem: Problem) -> AuthoringError {
        AuthoringError {
            line: self.line,
            path: format!("{}.{path}", self.kind),
            problem,
        }
    }

    async fn replaces(&self, kind: &mut Kind) -> Result<(), FillError<A::Error>> {
        let Some((subject, "")) = subject(kind).map(|(subject, named)| (subject, named.as_str()))
        else {
            return Ok(());
        };
        if !can_be_asked_for(&subject) {
            return Ok(());
        }
        let newest = self.known.newest(self.archive, &subject).await;
        match (newest.map_err(FillError::Archive)?, kind) {
            (Some(version), kind) => set_replaces(kind, version),
            (None, Kind::MandateEnded(ended)) => {
                let id = ended.mandate_id.clone();
                let suggestion = schema::nearest(&id, self.known.granted());
                let problem = Problem::MandateNotOnRecord { id, suggestion };
                return Err(self.error("mandateId", problem).into());
            }
            _ => {}
        }
        Ok(())
    }

    /// Uploads a source's file; or looks the source up, if the line describes one on record.
    async fn source(&self, source: &mut proto::SourceArchived) -> Result<(), FillError<A::Error>> {
        let missing = || self.error("file", Problem::SourceWithoutFile);
        let id: ContentId = source.source.parse().map_err(|_| missing())?;
        let known = match &self.file {
            Some(file) => {
                let uploaded = self.archive.upload(id, &source.media_type, file).await;
                uploaded.map_err(FillError::Archive)?
            }
            None if source.size_bytes != 0 => return Ok(()),
            None => {
                let known = self.known.source(self.archive, id).await;
                known.map_err(FillError::Archive)?.ok_or_else(missing)?
            }
        };
        if source.size_bytes == 0 {
            source.size_bytes = known.size_bytes;
        }
        if source.profile.is_empty() && source.text_id.is_empty() {
            source.profile = known.profile;
            source.text_id = known.text_id;
        }
        Ok(())
    }

    /// Names the text of each passage's source.
    async fn evidence(
        &self,
        path: &str,
        evidence: &mut [proto::Evidence],
    ) -> Result<(), FillError<A::Error>> {
        for (index, passage) in evidence.iter_mut().enumerate() {
            // What has no source, or none that is an id, is for the daemon to refuse.
            let Ok(id) = passage.source.parse::<ContentId>() else {
                continue;
            };
            if !passage.text_id.is_empty() {
                continue;
            }
            let known = self.known.source(self.archive, id).await;
            let known = known.map_err(FillError::Archive)?.ok_or_else(|| {
                let id = passage.source.clone();
                self.error(
                    &format!("{path}[{index}].source"),
                    Problem::SourceNotOnRecord { id },
                )
            })?;
            if known.text_id.is_empty() {
                let media_type = known.media_type;
                let problem = Problem::SourceWithoutText { media_type };
                let path = format!("{path}[{index}].source");
                return Err(self.error(&path, problem).into());
            }
            passage.text_id = known.text_id;
        }
        Ok(())
    }

    /// Says for whom a statement was said, as the speaker's mandates imply.
    async fn said_for(
        &mut self,
        statement: &mut proto::Statement,
    ) -> Result<(), FillError<A::Error>> {
        let Some(Voice::Speaker(speaker)) = &statement.voice else {
            return Ok(());
        };
        // A name that is none is for the daemon to refuse.
        let unfit = speaker.parse::<Slug>().is_err();
        if unfit || self.personal || !statement.said_for.is_empty() {
            return Ok(());
        }
        let mandates = self.known.mandates(self.archive, speaker).await;
        let mandates = mandates.map_err(FillError::Archive)?;
        statement.said_for = capacity::implied(statement, &mandates).map_err(|problem| {
            let path = match problem {
                Problem::UnfitDate { .. } => "saidAt",
                _ => "saidFor",
            };
            self.error(path, problem)
        })?;
        Ok(())
    }

    /// Builds a correction on the newest version, with the speaker and capacity that cannot be
    /// corrected.
    async fn correction(
        &self,
        correction: &mut proto::StatementCorrected,
    ) -> Result<(), FillError<A::Error>> {
        let corrected = correction.corrected.get_or_insert_default();
        self.evidence("corrected.evidence", &mut corrected.evidence)
            .await?;
        let said_for_left_out = corrected.said_for.is_empty() && !self.personal;
        if !correction.corrects.is_empty() && corrected.voice.is_some() && !said_for_left_out {
            return Ok(());
        }
        let Some(known) = self.statement(&correction.statement).await? else {
            return Ok(());
        };
        if correction.corrects.is_empty() {
            correction.corrects = known.newest.to_string();
        }
        if corrected.voice.is_none() {
            corrected.voice = known.voice;
        }
        if said_for_left_out {
            corrected.said_for = known.said_for;
        }
        Ok(())
    }

    /// Signs the payload of a record that is on record, with every key of this run.
    async fn attestation(
        &self,
        added: &mut proto::AttestationAdded,
    ) -> Result<(), FillError<A::Error>> {
        let Ok(id) = added.record.parse() else {
            return Ok(());
        };
        if !added.verifiers.is_empty() || !added.signatures.is_empty() {
            return Ok(());
        }
        let payload = self.archive.payload(id).await;
        let payload = payload.map_err(FillError::Archive)?.ok_or_else(|| {
            let id = added.record.clone();
            self.error("record", Problem::RecordNotOnRecord { id })
        })?;
        *added = attestation(id, &payload, self.keys);
        Ok(())
    }

    /// Repeats a statement's speaker and the organisations it was said for.
    async fn repeat(
        &self,
        statement: &str,
        speaker: &mut String,
        said_for: &mut Vec<String>,
    ) -> Result<(), FillError<A::Error>> {
        if !speaker.is_empty() && !said_for.is_empty() {
            return Ok(());
        }
        let Some(known) = self.statement(statement).await? else {
            return Ok(());
        };
        if let (true, Some(Voice::Speaker(name))) = (speaker.is_empty(), known.voice) {
            *speaker = name;
        }
        if said_for.is_empty() {
            *said_for = known.said_for.into_iter().map(|it| it.actor).collect();
        }
        Ok(())
    }

    /// The statement that a record is about; none if it names none, which the daemon refuses.
    async fn statement(&self, id: &str) -> Result<Option<KnownStatement>, FillError<A::Error>> {
        let Ok(statement) = id.parse() else {
            return Ok(None);
        };
        let known = self.known.statement(self.archive, statement).await;
        let known = known.map_err(FillError::Archive)?;
        known.map(Some).ok_or_else(|| {
            let id = id.to_owned();
            let problem = Problem::StatementNotOnRecord { id };
            self.error("statement", problem).into()
        })
    }
}
