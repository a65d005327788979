//! `CatalogService`: what records define, by id and in lists, as it stood at any size of the
//! ledger.

mod definitions;
mod listing;
mod statement;

use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use super::evidence::{self, Evidence};
use super::page::{Asked, Page};
use super::proto::catalog_service_server::CatalogService;
use super::proto::{
    GetActorRequest, GetActorResponse, GetMandateRequest, GetMandateResponse, GetMilestoneRequest,
    GetMilestoneResponse, GetSourceRecordRequest, GetSourceRecordResponse, GetStatementRequest,
    GetStatementResponse, GetTopicRequest, GetTopicResponse, GetVerifierRequest,
    GetVerifierResponse, ListActorsRequest, ListActorsResponse, ListMandatesRequest,
    ListMandatesResponse, ListMilestonesRequest, ListMilestonesResponse, ListSourcesRequest,
    ListSourcesResponse, ListStatementsRequest, ListStatementsResponse, ListTopicsRequest,
    ListTopicsResponse, ListVerifiersRequest, ListVerifiersResponse, Mandate,
};
use super::views::{KnownAt, Views};
use super::{Failure, Reason, blocking, blocking_in_turn, parse};
use crate::fold::Tables;
use crate::ledger::Reader;
use crate::projection::catalog;
use crate::record::{ContentId, Slug, VerifierKey};
use definitions::page;
use listing::{Wanted, given};

/// The most bytes of each of a statement's five lists: corrections, readings beside its own,
/// further evidence, reviews and retractions that do not count. Five times 768 KiB and the
/// statement itself stay below the 4 MiB that clients take by default. The newest ones are told.
const CHANGES_BYTES_MAX: usize = 768 << 10;

/// How many pages are filled at a time: each takes a thread and may read some MB.
const PAGES_MAX: usize = 8;

/// The service.
#[derive(Clone)]
pub struct Catalog {
    views: Views,
    reader: Reader,
    evidence: Evidence,
    pages: Arc<Semaphore>,
}

impl Catalog {
    /// The service over these projections and the ledger that they follow, with the `evidence`
    /// for its answers.
    pub fn new(views: Views, reader: Reader, evidence: Evidence) -> Self {
        Self {
            views,
            reader,
            evidence,
            pages: Arc::new(Semaphore::new(PAGES_MAX)),
        }
    }

    /// What is defined.
    fn definitions(&self) -> &dyn Tables {
        self.views.catalog.tables()
    }

    /// Fills a page once it is its turn; the page's items and the token of the next.
    async fn filled<I, T>(
        &self,
        asked: Asked<I>,
        fill: impl FnOnce(&Self, &Asked<I>) -> Result<Page<I, T>, Failure> + Send + 'static,
    ) -> Result<(Vec<T>, String), Failure>
    where
        I: FromStr + Display + Send + 'static,
        T: Send + 'static,
    {
        let service = self.clone();
        blocking_in_turn(&self.pages, move || {
            let page = fill(&service, &asked)?;
            Ok((page.items, asked.token(page.next.as_ref())))
        })
        .await
    }
}

/// Answers a look-up by id: parses the id, waits for the size asked for, reads.
macro_rules! get {
    ($self:ident, $request:ident, $Response:ident { $message:ident: $id:ident $field:literal $Id:ident }
     or $reason:ident) => {{
        let request = $request.into_inner();
        let id: $Id = parse($field, &request.$id)?;
        let view = &$self.views.catalog;
        let known_at = KnownAt::new("knownAt", request.known_at, request.known_at_time);
        let known = view.known(known_at, request.at_least_size).await?;
        let found = $self.$message(&id, known.known_at)?.ok_or_else(|| {
            let (known_at, size) = (known.known_at, known.size());
            $self
                .views
                .unknown(Reason::$reason, $field, &request.$id, known_at, size)
        })?;
        Ok(Response::new($Response {
            $message: Some(found),
            basis: Some(view.basis(&known, None)),
        }))
    }};
}

/// Answers with a page, which `fill` fills once this projection, and those that it needs
/// besides, can answer.
macro_rules! list {
    ($self:ident, $request:ident, $view:ident $(with $other:ident)*, $Response:ident { $messages:ident }, $fill:expr) => {{
        let view = &$self.views.$view;
        let asked = Asked::read(&$request, $self.reader.origin(), view).await?;
        $($self.views.$other.known(KnownAt::size("knownAt", asked.known_at()), 0).await?;)*
        let basis = view.basis(&asked.known, None);
        let ($messages, next_page_token) = $self.filled(asked, $fill).await?;
        Ok(Response::new($Response {
            $messages,
            next_page_token,
            basis: Some(basis),
        }))
    }};
}

/// As [`list`], of all definitions of a kind: those that the catalog's `look_up` finds by the
/// ids that `ids` names.
macro_rules! list_all {
    ($self:ident, $request:ident, $Response:ident { $messages:ident } from $ids:ident by $look_up:ident) => {{
        let request = $request.into_inner();
        let fill = |catalog: &Self, asked: &Asked<_>| {
            let tables = catalog.definitions();
            let ids = catalog::$ids(tables, asked.start.as_ref(), asked.order);
            page(asked, ids, |id| catalog.$look_up(id, asked.known_at()))
        };
        list!($self, request, catalog, $Response { $messages }, fill)
    }};
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
        get!(self, request, GetMilestoneResponse { milestone: milestone_id "milestoneId" Slug } or UnknownMilestone)
    }

    async fn get_source_record(
        &self,
        request: Request<GetSourceRecordRequest>,
    ) -> Result<Response<GetSourceRecordResponse>, Status> {
        get!(self, request, GetSourceRecordResponse { source: source_id "sourceId" ContentId } or UnknownSource)
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
        let known_at = KnownAt::new("knownAt", request.known_at, request.known_at_time);
        let known = view.known(known_at, request.at_least_size).await?;
        let same = KnownAt::size("knownAt", known.known_at);
        self.views.catalog.known(same, 0).await?;
        self.views.positions.known(same, 0).await?;
        let service = self.clone();
        let found = blocking(move || service.statement(&id, known.known_at)).await?;
        let statement = found.ok_or_else(|| {
            let (text, size) = (&request.statement_id, known.size());
            let reason = Reason::UnknownStatement;
            Failure::unknown(reason, "statementId", text, known.known_at, size)
        })?;
        let mut answer = GetStatementResponse {
            statement: Some(statement),
            basis: Some(view.basis(&known, None)),
            ..GetStatementResponse::default()
        };
        if request.proof {
            let proven = self.evidence.statement(id, known.known_at).await?;
            (answer.bundle, answer.witnessed_at) = (proven.bundle, proven.witnessed_at);
            evidence::fits(&answer)?;
        }
        Ok(Response::new(answer))
    }

    async fn list_actors(
        &self,
        request: Request<ListActorsRequest>,
    ) -> Result<Response<ListActorsResponse>, Status> {
        list_all!(self, request, ListActorsResponse { actors } from actor_ids by actor)
    }

    async fn list_mandates(
        &self,
        request: Request<ListMandatesRequest>,
    ) -> Result<Response<ListMandatesResponse>, Status> {
        let request = request.into_inner();
        let person: Option<Slug> = given("person", &request.person)?;
        let organization: Option<Slug> = given("organization", &request.organization)?;
        let fill = move |catalog: &Self, asked: &Asked<Slug>| {
            let (tables, start) = (catalog.definitions(), asked.start.as_ref());
            let (person, body) = (person.as_ref(), organization.as_ref());
            let ids = catalog::mandate_ids(tables, person, body, start, asked.order);
            page(asked, ids, |id| {
                let found = catalog.mandate(id, asked.known_at())?;
                Ok(found.filter(|mandate| is_between(mandate, person, body)))
            })
        };
        list!(
            self,
            request,
            catalog,
            ListMandatesResponse { mandates },
            fill
        )
    }

    async fn list_topics(
        &self,
        request: Request<ListTopicsRequest>,
    ) -> Result<Response<ListTopicsResponse>, Status> {
        list_all!(self, request, ListTopicsResponse { topics } from topic_ids by topic)
    }

    async fn list_milestones(
        &self,
        request: Request<ListMilestonesRequest>,
    ) -> Result<Response<ListMilestonesResponse>, Status> {
        list_all!(self, request, ListMilestonesResponse { milestones } from milestone_ids by milestone)
    }

    async fn list_statements(
        &self,
        request: Request<ListStatementsRequest>,
    ) -> Result<Response<ListStatementsResponse>, Status> {
        let request = request.into_inner();
        let wanted = Wanted::of(&request)?;
        let fill = move |catalog: &Self, asked: &Asked<u64>| catalog.statements(&wanted, asked);
        list!(
            self,
            request,
            statements with catalog with positions with postings,
            ListStatementsResponse { statements },
            fill
        )
    }

    async fn list_sources(
        &self,
        request: Request<ListSourcesRequest>,
    ) -> Result<Response<ListSourcesResponse>, Status> {
        list_all!(self, request, ListSourcesResponse { sources } from source_ids by source)
    }

    async fn list_verifiers(
        &self,
        request: Request<ListVerifiersRequest>,
    ) -> Result<Response<ListVerifiersResponse>, Status> {
        list_all!(self, request, ListVerifiersResponse { verifiers } from verifier_ids by verifier)
    }
}

/// Whether a mandate is of this person and for this organisation, where they are given.
fn is_between(mandate: &Mandate, person: Option<&Slug>, organization: Option<&Slug>) -> bool {
    mandate.definition.as_ref().is_some_and(|granted| {
        person.is_none_or(|person| granted.person == person.as_str())
            && organization.is_none_or(|body| granted.organization == body.as_str())
    })
}
