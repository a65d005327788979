//! `CatalogService`: what records define, by id, as it stood at any size of the ledger.

use prost::Message as _;
use tonic::{Request, Response, Status};

use super::proto::catalog_service_server::CatalogService;
use super::proto::{
    CoderReading, FurtherEvidence, GetActorRequest, GetActorResponse, GetMandateRequest,
    GetMandateResponse, GetMilestoneRequest, GetMilestoneResponse, GetSourceRecordRequest,
    GetSourceRecordResponse, GetStatementRequest, GetStatementResponse, GetTopicRequest,
    GetTopicResponse, GetVerifierRequest, GetVerifierResponse, ListActorsRequest,
    ListActorsResponse, ListMandatesRequest, ListMandatesResponse, ListMilestonesRequest,
    ListMilestonesResponse, ListSourcesRequest, ListSourcesResponse, ListStatementsRequest,
    ListStatementsResponse, ListTopicsRequest, ListTopicsResponse, ListVerifiersRequest,
    ListVerifiersResponse, Provenance, Review, StatementChange, StatementView,
};
use super::views::Views;
use super::{Failure, Reason, blocking, convert, not_offered, parse};
use crate::ledger::Reader;
use crate::projection::{catalog, statements};
use crate::record::proto::{self as records, record::Kind};
use crate::record::{ContentId, Entry, Slug, VerifierKey};

/// The most bytes of each of a statement's four lists: corrections, readings beside its own,
/// further evidence and reviews. Four times 960 KiB and the statement itself stay below the
/// 4 MiB that clients take by default. The newest ones are told.
const CHANGES_BYTES_MAX: usize = 960 << 10;

/// The service.
#[derive(Clone)]
pub struct Catalog {
    views: Views,
    reader: Reader,
}

impl Catalog {
    /// The service over these projections and the ledger that they follow.
    pub const fn new(views: Views, reader: Reader) -> Self {
        Self { views, reader }
    }

    fn statement(&self, id: &ContentId, known_at: u64) -> Result<StatementView, Failure> {
        let vouched = |entry: &Entry| self.vouched(entry, known_at);
        let found = statements::view(self.views.statements.tables(), id, known_at)?;
        let found = found.ok_or_else(|| {
            let text = id.to_string();
            let size = self.views.statements.size();
            Failure::unknown(
                Reason::UnknownStatement,
                "statementId",
                &text,
                known_at,
                size,
            )
        })?;
        let introduced = self.entry(found.introduced)?;
        let version = self.entry(found.version())?;
        let statement = match version.record.kind.clone() {
            Some(Kind::StatementRecorded(statement)) => Some(statement),
            Some(Kind::StatementCorrected(corrected)) => corrected.corrected,
            _ => None,
        };
        let retraction = found
            .retraction
            .map(|index| self.entry(index))
            .transpose()?;
        Ok(StatementView {
            statement_id: convert::id(id),
            statement: Some(statement.ok_or_else(|| not_about(&version, id))?),
            introduced: Some(vouched(&introduced)?),
            corrections: self.newest(&found.corrections, |it| change(it, id, vouched(it)?))?,
            retraction: retraction
                .map(|it| change(&it, id, vouched(&it)?))
                .transpose()?,
            readings: self.newest(&found.readings, |it| reading(it, id, vouched(it)?))?,
            further_evidence: self
                .newest(&found.evidence, |it| further_evidence(it, id, vouched(it)?))?,
            reviews: self.newest(&found.reviews, |it| review(it, id, vouched(it)?))?,
        })
    }

    fn withholding(
        &self,
        id: &ContentId,
        known_at: u64,
    ) -> Result<Option<catalog::Defined<records::SourceWithheld>>, Failure> {
        let tables = self.views.catalog.tables();
        Ok(catalog::withholding(tables, id, known_at)?)
    }

    fn source_reviews(&self, id: &ContentId, known_at: u64) -> Result<Vec<Review>, Failure> {
        let tables = self.views.catalog.tables();
        newest_reviews(catalog::source_reviews(tables, id, known_at))
    }

    fn milestone_reviews(&self, id: &Slug, known_at: u64) -> Result<Vec<Review>, Failure> {
        let tables = self.views.catalog.tables();
        newest_reviews(catalog::milestone_reviews(tables, id, known_at))
    }

    /// Where an entry stands, and who vouched for it, at first or later.
    fn vouched(&self, entry: &Entry, known_at: u64) -> Result<Provenance, Failure> {
        let tables = self.views.catalog.tables();
        let added = catalog::attestations(tables, &entry.record_id, known_at)?;
        Ok(convert::vouched(entry, &added))
    }

    /// What the newest of some entries say, oldest first, within the bound on their bytes.
    fn newest<T: prost::Message>(
        &self,
        indexes: &[u64],
        say: impl Fn(&Entry) -> Result<T, Failure>,
    ) -> Result<Vec<T>, Failure> {
        let (mut said, mut bytes) = (Vec::new(), 0);
        for index in indexes.iter().rev() {
            let one = say(&*self.entry(*index)?)?;
            bytes += one.encoded_len();
            if bytes > CHANGES_BYTES_MAX {
                break;
            }
            said.push(one);
        }
        said.reverse();
        Ok(said)
    }

    fn entry(&self, index: u64) -> Result<std::sync::Arc<Entry>, Failure> {
        let entry = self.reader.entry(index)?;
        entry.ok_or_else(|| Failure::defect(format!("entry {index} lies beyond the head")))
    }
}

/// A correction or a retraction.
fn change(
    entry: &Entry,
    id: &ContentId,
    provenance: Provenance,
) -> Result<StatementChange, Failure> {
    let Some(
        Kind::StatementCorrected(records::StatementCorrected { reason, .. })
        | Kind::StatementRetracted(records::StatementRetracted { reason, .. }),
    ) = &entry.record.kind
    else {
        return Err(not_about(entry, id));
    };
    Ok(StatementChange {
        provenance: Some(provenance),
        reason: reason.clone(),
    })
}

/// A reading by a coder.
fn reading(entry: &Entry, id: &ContentId, provenance: Provenance) -> Result<CoderReading, Failure> {
    let Some(Kind::ReadingAdded(added)) = &entry.record.kind else {
        return Err(not_about(entry, id));
    };
    Ok(CoderReading {
        reading: added.reading.clone(),
        rationale: added.rationale.clone(),
        provenance: Some(provenance),
    })
}

/// Evidence that was added.
fn further_evidence(
    entry: &Entry,
    id: &ContentId,
    provenance: Provenance,
) -> Result<FurtherEvidence, Failure> {
    let Some(Kind::EvidenceAdded(added)) = &entry.record.kind else {
        return Err(not_about(entry, id));
    };
    Ok(FurtherEvidence {
        evidence: added.evidence.clone(),
        provenance: Some(provenance),
    })
}

/// A review of a statement.
fn review(entry: &Entry, id: &ContentId, provenance: Provenance) -> Result<Review, Failure> {
    let Some(Kind::ReviewPublished(review)) = &entry.record.kind else {
        return Err(not_about(entry, id));
    };
    Ok(Review {
        review: Some(review.clone()),
        provenance: Some(provenance),
    })
}

/// The newest reviews, oldest first, within the bound on their bytes.
fn newest_reviews(newest_first: catalog::Reviews<'_>) -> Result<Vec<Review>, Failure> {
    let (mut said, mut bytes) = (Vec::new(), 0);
    for review in newest_first {
        let review = convert::review(review?);
        bytes += review.encoded_len();
        if bytes > CHANGES_BYTES_MAX {
            break;
        }
        said.push(review);
    }
    said.reverse();
    Ok(said)
}

fn not_about(entry: &Entry, id: &ContentId) -> Failure {
    Failure::defect(format!(
        "entry {} does not say of the statement {id} what the projection says that it does",
        entry.index
    ))
}

/// Answers a look-up by id in the catalog: parses the id, waits for the size asked for, reads.
macro_rules! get {
    ($self:ident, $request:ident, $Response:ident { $message:ident: $id:ident $field:literal $Id:ident }
     or $reason:ident $(with $extra:ident)*) => {{
        let request = $request.into_inner();
        let id: $Id = parse($field, &request.$id)?;
        let view = &$self.views.catalog;
        let known = view
            .known("knownAt", request.known_at, request.at_least_size)
            .await?;
        let found = catalog::$message(view.tables(), key!($Id, id), known.known_at);
        let found = found.map_err(Failure::from)?.ok_or_else(|| {
            let (known_at, size) = (known.known_at, known.size());
            $self.views.unknown(Reason::$reason, $field, &request.$id, known_at, size)
        })?;
        Ok(Response::new($Response {
            $message: Some(convert::$message(found $(, $self.$extra(&id, known.known_at)?)*)),
            basis: Some(view.basis(&known, None)),
        }))
    }};
}

/// The form in which the catalog takes an id.
macro_rules! key {
    (VerifierKey, $id:ident) => {
        $id.as_bytes()
    };
    ($Id:ident, $id:ident) => {
        &$id
    };
}

#[tonic::async_trait]
impl CatalogService for Catalog {
    async fn get_actor(
        &self,
        request: Request<GetActorRequest>,
    ) -> Result<Response<GetActorResponse>, Status> {
        get!(self, request, GetActorResponse { actor: actor_id "actorId" Slug } or UnknownActor)
    }

    async fn get_mandate(
        &self,
        request: Request<GetMandateRequest>,
    ) -> Result<Response<GetMandateResponse>, Status> {
        get!(self, request, GetMandateResponse { mandate: mandate_id "mandateId" Slug } or UnknownMandate)
    }

    async fn get_topic(
        &self,
        request: Request<GetTopicRequest>,
    ) -> Result<Response<GetTopicResponse>, Status> {
        get!(self, request, GetTopicResponse { topic: topic_id "topicId" Slug } or UnknownTopic)
    }

    async fn get_milestone(
        &self,
        request: Request<GetMilestoneRequest>,
    ) -> Result<Response<GetMilestoneResponse>, Status> {
        get!(self, request, GetMilestoneResponse { milestone: milestone_id "milestoneId" Slug } or UnknownMilestone with milestone_reviews)
    }

    async fn get_source_record(
        &self,
        request: Request<GetSourceRecordRequest>,
    ) -> Result<Response<GetSourceRecordResponse>, Status> {
        get!(self, request, GetSourceRecordResponse { source: source_id "sourceId" ContentId } or UnknownSource with withholding with source_reviews)
    }

    async fn get_verifier(
        &self,
        request: Request<GetVerifierRequest>,
    ) -> Result<Response<GetVerifierResponse>, Status> {
        get!(self, request, GetVerifierResponse { verifier: verifier "verifier" VerifierKey } or UnknownVerifier)
    }

    async fn get_statement(
        &self,
        request: Request<GetStatementRequest>,
    ) -> Result<Response<GetStatementResponse>, Status> {
        let request = request.into_inner();
        let id: ContentId = parse("statementId", &request.statement_id)?;
        let view = &self.views.statements;
        let known = view
            .known("knownAt", request.known_at, request.at_least_size)
            .await?;
        let same = Some(known.known_at);
        self.views.catalog.known("knownAt", same, 0).await?;
        let service = self.clone();
        let statement = blocking(move || service.statement(&id, known.known_at)).await?;
        Ok(Response::new(GetStatementResponse {
            statement: Some(statement),
            basis: Some(view.basis(&known, None)),
        }))
    }

    async fn list_actors(
        &self,
        _: Request<ListActorsRequest>,
    ) -> Result<Response<ListActorsResponse>, Status> {
        Err(not_offered("ListActors"))
    }

    async fn list_mandates(
        &self,
        _: Request<ListMandatesRequest>,
    ) -> Result<Response<ListMandatesResponse>, Status> {
        Err(not_offered("ListMandates"))
    }

    async fn list_topics(
        &self,
        _: Request<ListTopicsRequest>,
    ) -> Result<Response<ListTopicsResponse>, Status> {
        Err(not_offered("ListTopics"))
    }

    async fn list_milestones(
        &self,
        _: Request<ListMilestonesRequest>,
    ) -> Result<Response<ListMilestonesResponse>, Status> {
        Err(not_offered("ListMilestones"))
    }

    async fn list_statements(
        &self,
        _: Request<ListStatementsRequest>,
    ) -> Result<Response<ListStatementsResponse>, Status> {
        Err(not_offered("ListStatements"))
    }

    async fn list_sources(
        &self,
        _: Request<ListSourcesRequest>,
    ) -> Result<Response<ListSourcesResponse>, Status> {
        Err(not_offered("ListSources"))
    }

    async fn list_verifiers(
        &self,
        _: Request<ListVerifiersRequest>,
    ) -> Result<Response<ListVerifiersResponse>, Status> {
        Err(not_offered("ListVerifiers"))
    }
}
