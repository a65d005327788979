"""What is on record, as it stands: by id, and in lists.

Answers are messages of `onrecord.v1.catalog_service_pb2`. Each lookup raises `NotOnRecord`, and
takes `known_at`: only entries below this index count, or those recorded by a time. Lists are in
order of ids, that of statements in the order in which they were recorded, or the other way round
(`backwards`); they are asked for page by page as they are iterated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from onrecord._connection import Connection
from onrecord._request import Date, KnownAt
from onrecord.v1 import catalog_service_pb2 as catalog
from onrecord.v1.ledger_service_pb2 import READ_ORDER_BACKWARDS


class Catalog(Connection):
    """The part of an archive that looks things up."""

    def actor(self, actor_id: str, *, known_at: KnownAt | None = None) -> catalog.Actor:
        """An actor."""
        request = self.request(catalog.GetActorRequest, actor_id=actor_id, known_at=known_at)
        return self.call(self.catalog.GetActor, request).actor

    def mandate(self, mandate_id: str, *, known_at: KnownAt | None = None) -> catalog.Mandate:
        """A mandate."""
        request = self.request(catalog.GetMandateRequest, mandate_id=mandate_id, known_at=known_at)
        return self.call(self.catalog.GetMandate, request).mandate

    def topic(self, topic_id: str, *, known_at: KnownAt | None = None) -> catalog.Topic:
        """A topic."""
        request = self.request(catalog.GetTopicRequest, topic_id=topic_id, known_at=known_at)
        return self.call(self.catalog.GetTopic, request).topic

    def milestone(self, milestone_id: str, *, known_at: KnownAt | None = None) -> catalog.Milestone:
        """A milestone."""
        request = self.request(
            catalog.GetMilestoneRequest, milestone_id=milestone_id, known_at=known_at
        )
        return self.call(self.catalog.GetMilestone, request).milestone

    def statement(
        self, statement_id: str, *, known_at: KnownAt | None = None
    ) -> catalog.StatementView:
        """A statement, with its corrections and readings."""
        request = self.request(
            catalog.GetStatementRequest, statement_id=statement_id, known_at=known_at
        )
        return self.call(self.catalog.GetStatement, request).statement

    def source(self, source_id: str, *, known_at: KnownAt | None = None) -> catalog.Source:
        """An archived source's record; `get_source` has its bytes."""
        request = self.request(
            catalog.GetSourceRecordRequest, source_id=source_id, known_at=known_at
        )
        return self.call(self.catalog.GetSourceRecord, request).source

    def verifier(self, verifier: str, *, known_at: KnownAt | None = None) -> catalog.Verifier:
        """A verifier, by its public key in hex."""
        request = self.request(catalog.GetVerifierRequest, verifier=verifier, known_at=known_at)
        return self.call(self.catalog.GetVerifier, request).verifier

    def actors(
        self,
        *,
        known_at: KnownAt | None = None,
        backwards: bool = False,
    ) -> Iterator[catalog.Actor]:
        """All actors."""
        request = self.request(
            catalog.ListActorsRequest,
            known_at=known_at,
            order=_order(backwards),
        )
        answers = self.pages(self.catalog.ListActors, request)
        return (it for answer in answers for it in answer.actors)

    def mandates(
        self,
        *,
        person: str = "",
        organization: str = "",
        known_at: KnownAt | None = None,
        backwards: bool = False,
    ) -> Iterator[catalog.Mandate]:
        """All mandates, or a person's, or an organisation's."""
        request = self.request(
            catalog.ListMandatesRequest,
            person=person,
            organization=organization,
            known_at=known_at,
            order=_order(backwards),
        )
        answers = self.pages(self.catalog.ListMandates, request)
        return (it for answer in answers for it in answer.mandates)

    def topics(
        self,
        *,
        known_at: KnownAt | None = None,
        backwards: bool = False,
    ) -> Iterator[catalog.Topic]:
        """All topics."""
        request = self.request(
            catalog.ListTopicsRequest,
            known_at=known_at,
            order=_order(backwards),
        )
        answers = self.pages(self.catalog.ListTopics, request)
        return (it for answer in answers for it in answer.topics)

    def milestones(
        self,
        *,
        known_at: KnownAt | None = None,
        backwards: bool = False,
    ) -> Iterator[catalog.Milestone]:
        """All milestones."""
        request = self.request(
            catalog.ListMilestonesRequest,
            known_at=known_at,
            order=_order(backwards),
        )
        answers = self.pages(self.catalog.ListMilestones, request)
        return (it for answer in answers for it in answer.milestones)

    def statements(
        self,
        *,
        speaker: str = "",
        said_for: str = "",
        topic: str = "",
        source: str = "",
        said_at: Date = "",
        recorded_at: Date = "",
        verifier: str = "",
        wordings: Sequence[str] = (),
        known_at: KnownAt | None = None,
        backwards: bool = False,
    ) -> Iterator[catalog.StatementView]:
        """Statements: all, or those by a speaker, for an organisation, on a topic, from a source,
        vouched for by a verifier, in some wordings (`["VERBATIM"]`), said or recorded within a
        date."""
        request = self.request(
            catalog.ListStatementsRequest,
            speaker=speaker,
            said_for=said_for,
            topic=topic,
            source=source,
            said_at=said_at,
            recorded_at=recorded_at,
            verifier=verifier,
            wordings=wordings,
            known_at=known_at,
            order=_order(backwards),
        )
        answers = self.pages(self.catalog.ListStatements, request)
        return (it for answer in answers for it in answer.statements)

    def sources(
        self,
        *,
        known_at: KnownAt | None = None,
        backwards: bool = False,
    ) -> Iterator[catalog.Source]:
        """All sources."""
        request = self.request(
            catalog.ListSourcesRequest,
            known_at=known_at,
            order=_order(backwards),
        )
        answers = self.pages(self.catalog.ListSources, request)
        return (it for answer in answers for it in answer.sources)

    def verifiers(
        self,
        *,
        known_at: KnownAt | None = None,
        backwards: bool = False,
    ) -> Iterator[catalog.Verifier]:
        """All verifiers."""
        request = self.request(
            catalog.ListVerifiersRequest,
            known_at=known_at,
            order=_order(backwards),
        )
        answers = self.pages(self.catalog.ListVerifiers, request)
        return (it for answer in answers for it in answer.verifiers)


def _order(backwards: bool) -> int | None:
    return READ_ORDER_BACKWARDS if backwards else None
