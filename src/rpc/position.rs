//! `PositionService`: what is asked is parsed, what bears on it is collected from the
//! projection at one size of the ledger, and the pure rules of [`crate::position`] answer.
//!
//! A date asked for stands for the exclusive end of valid time. "Now" is read off the clock
//! once a question and echoed in the basis, so that the same question can be asked again.

mod agreement;
mod comparisons;
mod coverage;
mod lists;
mod paging;
mod terms;
mod testimonies;
mod watch;

use std::sync::Arc;

use tokio::sync::Semaphore;
use tonic::{Request, Response, Status};

use super::convert::positions::{self as convert, Asked};
use super::evidence::{self, Evidence as Bundles};
use super::proto::position_service_server::PositionService;
use super::proto::{
    ComparePositionsRequest, ComparePositionsResponse, GetAgreementRequest, GetAgreementResponse,
    GetPositionRequest, GetPositionResponse, GetTimelineRequest, GetTimelineResponse,
    ListComparisonsRequest, ListComparisonsResponse, ListCoverageRequest, ListCoverageResponse,
    ListDivergencesRequest, ListDivergencesResponse, ListPositionsRequest, ListPositionsResponse,
    ListReferencesRequest, ListReferencesResponse, ListReversalsRequest, ListReversalsResponse,
    ListTestimoniesRequest, ListTestimoniesResponse, WatchPositionsRequest, WatchPositionsResponse,
};
use super::subscription::{Outgoing, Subscriptions};
use super::views::{Known, KnownAt, Views};
use super::{Failure, Reason, blocking, parse, proto};
use crate::ledger::{Clock, Reader};
use crate::position::{Finding, Position, Question, compare, placement, position};
use crate::projection::catalog;
use crate::projection::positions::{self, AtOnce, Collected, Exact, Subject, Terms};
use crate::record::{Date, Interval, Slug, format_instant};
use comparisons::Ends;
use paging::scope;
use terms::terms;

/// The most testimonies in each list of an answer, as the proto promises.
const LIST_MAX: usize = 100;

/// The most steps of a timeline, as the proto promises.
const STEPS_MAX: usize = 10_000;

/// How many pages are filled at a time: each takes a thread, and a second or two.
const PAGES_MAX: usize = 8;

/// The service. See the module.
#[derive(Clone)]
pub struct Positions {
    views: Views,
    reader: Reader,
    clock: Arc<dyn Clock>,
    pages: Arc<Semaphore>,
    bundles: Bundles,
    subscriptions: Subscriptions,
}

/// The actor's readings on the topic as they were known.
struct Evidence {
    subject: Subject,
    known: Known,
    collected: Collected,
    /// What is not to be told from what was collected, where that is a part: what makes the
    /// position at one date.
    exact: Option<Exact>,
}

impl Positions {
    /// The service over these projections of this ledger, with `clock` for "now" and `bundles`
    /// of evidence; watches are `subscriptions`.
    pub fn new(
        views: Views,
        reader: Reader,
        clock: Arc<dyn Clock>,
        bundles: Bundles,
        subscriptions: Subscriptions,
    ) -> Self {
        Self {
            views,
            reader,
            clock,
            pages: Arc::new(Semaphore::new(PAGES_MAX)),
            bundles,
            subscriptions,
        }
    }

    /// The exclusive end of valid time that a date stands for; without a date, the end of the
    /// present second.
    fn end_of(&self, field: &str, date: &str) -> Result<i64, Failure> {
        if date.is_empty() {
            return Ok(self.clock.now().whole_seconds() + 1);
        }
        Ok(self::date(field, date)?.latest)
    }

    /// By how much of the ledger a question is answered: one size for all that it reads.
    async fn known(&self, known_at: KnownAt<'_>, at_least_size: u64) -> Result<Known, Failure> {
        let field = known_at.field;
        let known = self.views.positions.known(known_at, at_least_size).await?;
        let same = KnownAt::size(field, known.known_at);
        self.views.catalog.known(same, 0).await?;
        Ok(known)
    }

    fn collect(
        &self,
        subject: &Subject,
        terms: &Terms,
        known: &Known,
    ) -> Result<Evidence, Failure> {
        let evidence = Evidence::collect(subject, terms, known)?;
        self.on_record(subject, known, evidence)
    }

    /// As much of what was known as makes the position at a date.
    fn answer(
        &self,
        subject: &Subject,
        terms: &Terms,
        known: &Known,
        as_of: i64,
    ) -> Result<Evidence, Failure> {
        let asked = (as_of, LIST_MAX);
        let answer = positions::answer(known.tables(), subject, terms, known.known_at, asked)?;
        let evidence = answer.map(|it| Evidence::of(subject, known, it.collected, it.exact));
        self.on_record(subject, known, evidence)
    }

    /// The same on the archive's own terms; nothing where that takes long.
    fn answer_at_once(
        &self,
        subject: &Subject,
        known: &Known,
        as_of: i64,
    ) -> Result<Option<Evidence>, Failure> {
        let (tables, terms) = (known.tables(), Terms::default());
        let asked = (as_of, LIST_MAX);
        let answer =
            match positions::answer_at_once(tables, subject, &terms, known.known_at, asked)? {
                AtOnce::Answered(answer) => Some(answer),
                AtOnce::Unknown => None,
                AtOnce::Long => return Ok(None),
            };
        let evidence = answer.map(|it| Evidence::of(subject, known, it.collected, it.exact));
        self.on_record(subject, known, evidence).map(Some)
    }

    /// Refuses an actor or a topic that was not on record. What bears on a topic names it, so
    /// that only silence needs a look.
    fn on_record(
        &self,
        subject: &Subject,
        known: &Known,
        evidence: Option<Evidence>,
    ) -> Result<Evidence, Failure> {
        let Subject { actor, topic, .. } = subject;
        let (known_at, size) = (known.known_at, known.size());
        let unknown = |reason, field, id: &Slug| {
            self.views
                .unknown(reason, field, id.as_str(), known_at, size)
        };
        let evidence = evidence.ok_or_else(|| unknown(Reason::UnknownActor, "actor", actor))?;
        if evidence.collected.testimonies.is_empty()
            && evidence.collected.taken.is_empty()
            && catalog::topic(self.views.catalog.tables(), topic, known_at)?.is_none()
        {
            return Err(unknown(Reason::UnknownTopic, "topic", topic));
        }
        Ok(evidence)
    }

    /// Between which dates two positions are compared, and around which milestone; `to` is the
    /// end of the later one.
    fn span(&self, ends: &Compared<'_>, to: i64, known: &Known) -> Result<Span, Failure> {
        if ends.milestone.is_empty() {
            return span_of_dates(ends, to);
        }
        if !ends.from_as_of.is_empty() {
            return Err(Failure::invalid(
                "fromAsOf",
                "the milestone says from when",
                "a milestone, or a fromAsOf",
            ));
        }
        let milestone = self.milestone(ends.milestone, known)?;
        let from = milestone.earliest;
        if to < from {
            let field = if ends.to_as_of.is_empty() {
                "milestone"
            } else {
                "toAsOf"
            };
            return Err(Failure::invalid(
                field,
                format!(
                    "the milestone begins at {}, after the later position's date",
                    format_instant(from)
                ),
                "a later date than the milestone's beginning",
            ));
        }
        Ok(Span {
            from,
            to,
            milestone: Some(milestone),
        })
    }

    fn milestone(&self, id: &str, known: &Known) -> Result<Interval, Failure> {
        let slug: Slug = parse("milestone", id)?;
        let (known_at, size) = (known.known_at, known.size());
        let milestone = catalog::milestone(self.views.catalog.tables(), &slug, known_at)?;
        let milestone = milestone.ok_or_else(|| {
            self.views
                .unknown(Reason::UnknownMilestone, "milestone", id, known_at, size)
        })?;
        date("milestone", &milestone.definition.date)
    }

    fn get(
        &self,
        request: &GetPositionRequest,
        subject: &Subject,
        as_of: i64,
        known: &Known,
    ) -> Result<GetPositionResponse, Failure> {
        let terms = terms(&self.views, "filter", request.filter.as_ref(), known)?;
        self.got(&self.answer(subject, &terms, known, as_of)?, as_of)
    }

    fn got(&self, evidence: &Evidence, as_of: i64) -> Result<GetPositionResponse, Failure> {
        let position = evidence.position(as_of);
        Ok(GetPositionResponse {
            position: Some(evidence.message(&position, &self.views)?),
            basis: Some(self.views.positions.basis(&evidence.known, Some(as_of))),
            ..GetPositionResponse::default()
        })
    }

    fn compare(
        &self,
        request: &ComparePositionsRequest,
        subject: &Subject,
        [from, to]: &[Known; 2],
    ) -> Result<ComparePositionsResponse, Failure> {
        let until = self.end_of("toAsOf", &request.to_as_of)?;
        let span = self.span(&compared!(request), until, to)?;
        let later = terms(&self.views, "filter", request.filter.as_ref(), to)?;
        let earlier = match &request.from_filter {
            None => later.clone(),
            filter => terms(&self.views, "fromFilter", filter.as_ref(), from)?,
        };
        let [from, to] = [
            self.answer(subject, &earlier, from, span.from)?,
            self.answer(subject, &later, to, span.to)?,
        ];
        let [before, after] = [from.position(span.from), to.position(span.to)];
        let (earlier, later) = (before.decision(), after.decision());
        let placed = span
            .milestone
            .and_then(|milestone| placement(&later, milestone));
        let comparison = compare(&earlier, &later);
        Ok(ComparePositionsResponse {
            comparison: Some(convert::comparison(&comparison, placed)),
            from: Some(from.message(&before, &self.views)?),
            from_basis: Some(self.views.positions.basis(&from.known, Some(span.from))),
            to: Some(to.message(&after, &self.views)?),
            to_basis: Some(self.views.positions.basis(&to.known, Some(span.to))),
        })
    }
}

impl Evidence {
    /// What was known; none if the actor was not on record.
    fn collect(subject: &Subject, terms: &Terms, known: &Known) -> Result<Option<Self>, Failure> {
        let collected = positions::collect(known.tables(), subject, terms, known.known_at)?;
        Ok(collected.map(|it| Self::of(subject, known, it, None)))
    }

    fn of(subject: &Subject, known: &Known, collected: Collected, exact: Option<Exact>) -> Self {
        Self {
            subject: subject.clone(),
            known: known.clone(),
            collected,
            exact,
        }
    }

    fn question(&self, as_of: i64) -> Question {
        Question {
            as_of,
            has_voice: self.collected.has_voice(),
        }
    }

    /// The position at a date: where a part was read, at the one that it was read for.
    fn position(&self, as_of: i64) -> Position<'_> {
        let mut position = position(&self.collected.testimonies, self.question(as_of), LIST_MAX);
        if let Some(exact) = &self.exact {
            exact.complete(&mut position, &self.collected);
        }
        position
    }

    /// The position, without the lists in it.
    fn in_brief(&self, as_of: i64) -> Position<'_> {
        position(&self.collected.testimonies, self.question(as_of), 0)
    }

    fn message(&self, position: &Position<'_>, views: &Views) -> Result<proto::Position, Failure> {
        let topic = &self.subject.topic;
        let coverage = if position.finding == Finding::NoRecord {
            catalog::coverage(views.catalog.tables(), topic, self.known.known_at)?
        } else {
            catalog::Coverage::default()
        };
        let asked = Asked {
            actor: &self.subject.actor,
            topic,
            coverage,
        };
        Ok(convert::position(&asked, &self.collected, position))
    }
}

/// Between which ends of valid time two positions are compared.
struct Span {
    from: i64,
    to: i64,
    milestone: Option<Interval>,
}

/// What a request says about the ends of a comparison.
struct Compared<'a> {
    milestone: &'a str,
    from_as_of: &'a str,
    to_as_of: &'a str,
    /// Whether the ends differ in what is known, or on whose terms.
    otherwise: bool,
}

macro_rules! compared {
    ($request:expr) => {
        Compared {
            milestone: &$request.milestone,
            from_as_of: &$request.from_as_of,
            to_as_of: &$request.to_as_of,
            otherwise: $request.from_known_at.is_some()
                || $request.from_known_at_time.is_some()
                || $request.from_filter.is_some(),
        }
    };
}
use compared;

/// Without a milestone: two dates, or one date at two sizes of the ledger or on two readers'
/// terms.
fn span_of_dates(ends: &Compared<'_>, to: i64) -> Result<Span, Failure> {
    if ends.from_as_of.is_empty() && !ends.otherwise {
        return Err(Failure::invalid(
            "fromAsOf",
            "nothing says what the later position is compared with",
            "a milestone, a fromAsOf, a fromKnownAt or a fromFilter",
        ));
    }
    let from = match ends.from_as_of {
        "" => to,
        text => date("fromAsOf", text)?.latest,
    };
    if from > to {
        return Err(Failure::invalid(
            "fromAsOf",
            "the earlier position's date lies after the later one's",
            "the earlier date as fromAsOf, the later one as toAsOf",
        ));
    }
    Ok(Span {
        from,
        to,
        milestone: None,
    })
}

/// Refuses what is known at the earlier position if that is more than at the later one, and was
/// asked for.
fn in_order(from: u64, to: u64, bounded: bool) -> Result<(), Failure> {
    if !bounded || from <= to {
        return Ok(());
    }
    Err(Failure::invalid(
        "fromKnownAt",
        format!("the earlier position is known at {from} entries, the later one at {to}"),
        "the smaller size or earlier time as fromKnownAt, the other as toKnownAt",
    ))
}

fn date(field: &str, text: &str) -> Result<Interval, Failure> {
    let date: Date = text
        .parse()
        .map_err(|error| Failure::date(field, text, &error))?;
    Ok(date.interval())
}

fn subject(actor: &str, topic: &str, with_parts: Option<bool>) -> Result<Subject, Failure> {
    Ok(Subject {
        actor: parse("actor", actor)?,
        topic: parse("topic", topic)?,
        with_parts,
    })
}

/// Answers with a page of what the positions in a scope have to tell.
macro_rules! list {
    ($self:ident, $request:ident, $Response:ident { $items:ident } by $fill:ident) => {{
        let request = $request.into_inner();
        let scope = scope(&request.actor, &request.topic, request.with_parts)?;
        let known_at = KnownAt::new("knownAt", request.known_at, request.known_at_time);
        let as_of = ("asOf", &request.as_of[..]);
        let asked = $self.asked(&request, as_of, known_at, None).await?;
        let terms = terms(
            &$self.views,
            "filter",
            request.filter.as_ref(),
            &asked.known,
        )?;
        let basis = $self.views.positions.basis(&asked.known, Some(asked.as_of));
        let filled = $self.in_turn(move |service| service.$fill(&asked, &scope, &terms));
        let ($items, next_page_token) = filled.await?;
        Ok(Response::new($Response {
            $items,
            next_page_token,
            basis: Some(basis),
        }))
    }};
}

#[tonic::async_trait]
impl PositionService for Positions {
    async fn get_position(
        &self,
        request: Request<GetPositionRequest>,
    ) -> Result<Response<GetPositionResponse>, Status> {
        let request = request.into_inner();
        let subject = subject(&request.actor, &request.topic, request.with_parts)?;
        let as_of = self.end_of("asOf", &request.as_of)?;
        let known_at = KnownAt::new("knownAt", request.known_at, request.known_at_time);
        let known = self.known(known_at, request.at_least_size).await?;
        // What is not read whole is read as fast as a hop to another thread.
        if request.filter.is_none()
            && !request.proof
            && let Some(evidence) = self.answer_at_once(&subject, &known, as_of)?
        {
            return Ok(Response::new(self.got(&evidence, as_of)?));
        }
        let service = self.clone();
        let proven = request
            .proof
            .then(|| (subject.clone(), request.filter.clone()));
        let known_at = known.known_at;
        let answer = blocking(move || service.get(&request, &subject, as_of, &known));
        let mut answer = answer.await?;
        if let Some((subject, filter)) = proven {
            let proven = self.bundles.position(subject, as_of, known_at, filter);
            let proven = proven.await?;
            (answer.bundle, answer.witnessed_at) = (proven.bundle, proven.witnessed_at);
            evidence::fits(&answer)?;
        }
        Ok(Response::new(answer))
    }

    async fn compare_positions(
        &self,
        request: Request<ComparePositionsRequest>,
    ) -> Result<Response<ComparePositionsResponse>, Status> {
        let request = request.into_inner();
        let subject = subject(&request.actor, &request.topic, request.with_parts)?;
        let size = request.at_least_size;
        let known_at = KnownAt::new("toKnownAt", request.to_known_at, request.to_known_at_time);
        let open = known_at.is_open();
        let to = self.known(known_at, size).await?;
        let known_at = KnownAt::new(
            "fromKnownAt",
            request.from_known_at,
            request.from_known_at_time,
        );
        let bounded = !known_at.is_open();
        // Without a bound of its own, the earlier position is known as the later one is, even
        // if the projection reads on in between.
        let from = if known_at.is_open() && open {
            to.clone()
        } else {
            let from = self.known(known_at, size).await?;
            in_order(from.known_at, to.known_at, bounded)?;
            from
        };
        let service = self.clone();
        let answer = blocking(move || service.compare(&request, &subject, &[from, to]));
        Ok(Response::new(answer.await?))
    }

    async fn get_timeline(
        &self,
        request: Request<GetTimelineRequest>,
    ) -> Result<Response<GetTimelineResponse>, Status> {
        let request = request.into_inner();
        let subject = subject(&request.actor, &request.topic, request.with_parts)?;
        let in_pages = request.page_size != 0 || !request.page_token.is_empty();
        let known_at = KnownAt::new("knownAt", request.known_at, request.known_at_time);
        let until = ("until", &request.until[..]);
        let asked = self.asked(&request, until, known_at, None).await?;
        let terms = terms(&self.views, "filter", request.filter.as_ref(), &asked.known)?;
        let answer =
            self.in_turn(move |service| service.timeline(&asked, &subject, &terms, in_pages));
        Ok(Response::new(answer.await?))
    }

    async fn list_testimonies(
        &self,
        request: Request<ListTestimoniesRequest>,
    ) -> Result<Response<ListTestimoniesResponse>, Status> {
        let request = request.into_inner();
        let subject = subject(&request.actor, &request.topic, request.with_parts)?;
        let chosen = testimonies::chosen(request.standing)?;
        let known_at = KnownAt::new("knownAt", request.known_at, request.known_at_time);
        let as_of = ("asOf", &request.as_of[..]);
        let asked = self.asked(&request, as_of, known_at, None).await?;
        let terms = terms(&self.views, "filter", request.filter.as_ref(), &asked.known)?;
        let answer =
            self.in_turn(move |service| service.testimonies(&asked, &subject, &terms, chosen));
        Ok(Response::new(answer.await?))
    }

    async fn list_positions(
        &self,
        request: Request<ListPositionsRequest>,
    ) -> Result<Response<ListPositionsResponse>, Status> {
        list!(self, request, ListPositionsResponse { positions } by positions)
    }

    async fn list_comparisons(
        &self,
        request: Request<ListComparisonsRequest>,
    ) -> Result<Response<ListComparisonsResponse>, Status> {
        let request = request.into_inner();
        let scope = scope(&request.actor, &request.topic, request.with_parts)?;
        let to = KnownAt::new("toKnownAt", request.to_known_at, request.to_known_at_time);
        let from = KnownAt::new(
            "fromKnownAt",
            request.from_known_at,
            request.from_known_at_time,
        );
        let as_of = ("toAsOf", &request.to_as_of[..]);
        let asked = self.asked(&request, as_of, to, Some(from)).await?;
        let span = self.span(&compared!(request), asked.as_of, &asked.known)?;
        let later = terms(&self.views, "filter", request.filter.as_ref(), &asked.known)?;
        let earlier = match &request.from_filter {
            None => later.clone(),
            filter => terms(
                &self.views,
                "fromFilter",
                filter.as_ref(),
                &asked.from_known,
            )?,
        };
        let view = &self.views.positions;
        let from_basis = Some(view.basis(&asked.from_known, Some(span.from)));
        let to_basis = Some(view.basis(&asked.known, Some(span.to)));
        let ends = Ends {
            span,
            from: earlier,
            to: later,
            changed_only: request.changed_only,
        };
        let filled = self.in_turn(move |service| service.comparisons(&asked, &scope, &ends));
        let (comparisons, next_page_token) = filled.await?;
        Ok(Response::new(ListComparisonsResponse {
            comparisons,
            next_page_token,
            from_basis,
            to_basis,
        }))
    }

    async fn list_reversals(
        &self,
        request: Request<ListReversalsRequest>,
    ) -> Result<Response<ListReversalsResponse>, Status> {
        list!(self, request, ListReversalsResponse { reversals } by reversals)
    }

    async fn list_divergences(
        &self,
        request: Request<ListDivergencesRequest>,
    ) -> Result<Response<ListDivergencesResponse>, Status> {
        list!(self, request, ListDivergencesResponse { divergences } by divergences)
    }

    async fn list_references(
        &self,
        request: Request<ListReferencesRequest>,
    ) -> Result<Response<ListReferencesResponse>, Status> {
        list!(self, request, ListReferencesResponse { references } by references)
    }

    async fn get_agreement(
        &self,
        request: Request<GetAgreementRequest>,
    ) -> Result<Response<GetAgreementResponse>, Status> {
        let request = request.into_inner();
        let topic: Slug = parse("topic", &request.topic)?;
        let holder = &request.holder;
        let holder: Option<Slug> = (!holder.is_empty())
            .then(|| parse("holder", holder))
            .transpose()?;
        let known_at = KnownAt::new("knownAt", request.known_at, request.known_at_time);
        let known = self.known(known_at, request.at_least_size).await?;
        let terms = terms(&self.views, "filter", request.filter.as_ref(), &known)?;
        let answer =
            self.in_turn(move |service| service.agreement(&topic, holder.as_ref(), &terms, &known));
        Ok(Response::new(answer.await?))
    }

    async fn list_coverage(
        &self,
        request: Request<ListCoverageRequest>,
    ) -> Result<Response<ListCoverageResponse>, Status> {
        let request = request.into_inner();
        let topic: Slug = parse("topic", &request.topic)?;
        let wanted = coverage::wanted(request.reading)?;
        let (opened, known) = self.sources_asked(&request).await?;
        let answer = self.in_turn(move |service| service.coverage(&opened, &topic, wanted, &known));
        Ok(Response::new(answer.await?))
    }

    type WatchPositionsStream = Outgoing<WatchPositionsResponse>;

    async fn watch_positions(
        &self,
        request: Request<WatchPositionsRequest>,
    ) -> Result<Response<Outgoing<WatchPositionsResponse>>, Status> {
        let outgoing = watch::open(self.clone(), request.into_inner()).await?;
        Ok(Response::new(outgoing))
    }
}
