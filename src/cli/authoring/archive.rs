//! What the authoring form asks of an archive, for the client to answer over gRPC.
//!
//! Answers are as of the archive's head: what it has acknowledged, it must also know here, or
//! versions would be filled in that are no longer the newest.

use std::future::Future;
use std::path::Path;

use bytes::Bytes;

use crate::record::{ContentId, proto};

/// Something that has versions, and records that name the version they replace.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An actor, by its slug.
    Actor(String),
    /// A mandate, by its slug. That it was ended is a version of it too.
    Mandate(String),
    /// A topic, by its slug.
    Topic(String),
    /// A milestone, by its slug.
    Milestone(String),
    /// An archived source, by its source id.
    Source(ContentId),
    /// A verifier, by its key in hex.
    Verifier(String),
}

/// What records about a statement repeat of it or build on.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownStatement {
    /// Who said it.
    pub voice: Option<proto::statement::Voice>,
    /// For whom it was said.
    pub said_for: Vec<proto::SaidFor>,
    /// The record id of its newest version: its newest correction, or else the statement id.
    pub newest: ContentId,
}

/// What is known of a source's bytes and text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownSource {
    /// Its media type.
    pub media_type: String,
    /// How many bytes.
    pub size_bytes: u64,
    /// The extraction profile; empty if it has no text.
    pub profile: String,
    /// The text id; empty if it has no text.
    pub text_id: String,
}

/// The archive that records are written for.
pub trait Archive: Sync {
    /// Why it could not be asked. That something is not on record is an answer, not an error.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Whether the record with this id is on record (`GetEntry`).
    fn holds(&self, record: ContentId) -> impl Future<Output = Result<bool, Self::Error>> + Send;

    /// The record id of the newest version of `subject` (`CatalogService`: the provenance of
    /// the definition).
    fn newest(
        &self,
        subject: &Subject,
    ) -> impl Future<Output = Result<Option<ContentId>, Self::Error>> + Send;

    /// The statement with this id (`GetStatement`), also if it was retracted.
    fn statement(
        &self,
        id: ContentId,
    ) -> impl Future<Output = Result<Option<KnownStatement>, Self::Error>> + Send;

    /// All mandates of a person, each in its newest version with the end that stands
    /// (`ListMandates`).
    fn mandates(
        &self,
        person: &str,
    ) -> impl Future<Output = Result<Vec<proto::MandateGranted>, Self::Error>> + Send;

    /// The newest record of a source (`GetSourceRecord`).
    fn source(
        &self,
        id: ContentId,
    ) -> impl Future<Output = Result<Option<KnownSource>, Self::Error>> + Send;

    /// The payload of the record with this id, as it was signed (`GetEntry`).
    fn payload(
        &self,
        id: ContentId,
    ) -> impl Future<Output = Result<Option<Bytes>, Self::Error>> + Send;

    /// Uploads the file at `path`, whose bytes have the id `id` (`PutSource`).
    fn upload(
        &self,
        id: ContentId,
        media_type: &str,
        path: &Path,
    ) -> impl Future<Output = Result<KnownSource, Self::Error>> + Send;
}
