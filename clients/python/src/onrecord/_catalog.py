"""What is on record, as it stands: by id, and in lists.

Answers are messages of `onrecord.v1.catalog_service_pb2`. Each lookup raises `NotOnRecord`, and
takes `known_at`: only entries below this index count. Lists are asked for page by page as they
are iterated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from onrecord._connection import Connection
from onrecord.v1 import catalog_service_pb2 as catalog

_Page = TypeVar("_Page")


class Catalog(Connection):
    """The part of an archive that looks things up."""

    def actor(self, actor_id: str, *, known_at: int | None = None) -> catalog.Actor:
        """An actor."""
        request = catalog.GetActorRequest(
            actor_id=actor_id, known_at=known_at, at_least_size=self.waiting_for(known_at)
        )
        return self.call(self.catalog.GetActor, request).actor

    def mandate(self, mandate_id: str, *, known_at: int | None = None) -> catalog.Mandate:
        """A mandate."""
        request = catalog.GetMandateRequest(
            mandate_id=mandate_id, known_at=known_at, at_least_size=self.waiting_for(known_at)
        )
        return self.call(self.catalog.GetMandate, request).mandate

    def topic(self, topic_id: str, *, known_at: int | None = None) -> catalog.Topic:
        """A topic."""
        request = catalog.GetTopicRequest(
            topic_id=topic_id, known_at=known_at, at_least_size=self.waiting_for(known_at)
        )
        return self.call(self.catalog.GetTopic, request).topic

    def milestone(self, milestone_id: str, *, known_at: int | None = None) -> catalog.Milestone:
        """A milestone."""
        request = catalog.GetMilestoneRequest(
            milestone_id=milestone_id, known_at=known_at, at_least_size=self.waiting_for(known_at)
        )
        return self.call(self.catalog.GetMilestone, request).milestone

    def statement(
        self, statement_id: str, *, known_at: int | None = None
    ) -> catalog.StatementView:
        """A statement, with its corrections and readings."""
        request = catalog.GetStatementRequest(
            statement_id=statement_id, known_at=known_at, at_least_size=self.waiting_for(known_at)
        )
        return self.call(self.catalog.GetStatement, request).statement

    def source(self, source_id: str, *, known_at: int | None = None) -> catalog.Source:
        """An archived source's record; `get_source` has its bytes."""
        request = catalog.GetSourceRecordRequest(
            source_id=source_id, known_at=known_at, at_least_size=self.waiting_for(known_at)
        )
        return self.call(self.catalog.GetSourceRecord, request).source

    def verifier(self, verifier: str, *, known_at: int | None = None) -> catalog.Verifier:
        """A verifier, by its public key in hex."""
        request = catalog.GetVerifierRequest(
            verifier=verifier, known_at=known_at, at_least_size=self.waiting_for(known_at)
        )
        return self.call(self.catalog.GetVerifier, request).verifier

    def actors(self, *, known_at: int | None = None) -> Iterator[catalog.Actor]:
        """All actors."""

        def page(token: str) -> catalog.ListActorsResponse:
            request = catalog.ListActorsRequest(known_at=known_at, page_token=token)
            return self.call(self.catalog.ListActors, request)

        return (it for answer in pages(page) for it in answer.actors)

    def mandates(
        self, *, person: str = "", organization: str = "", known_at: int | None = None
    ) -> Iterator[catalog.Mandate]:
        """All mandates, or a person's, or an organisation's."""

        def page(token: str) -> catalog.ListMandatesResponse:
            request = catalog.ListMandatesRequest(
                known_at=known_at, person=person, organization=organization, page_token=token
            )
            return self.call(self.catalog.ListMandates, request)

        return (it for answer in pages(page) for it in answer.mandates)

    def topics(self, *, known_at: int | None = None) -> Iterator[catalog.Topic]:
        """All topics."""

        def page(token: str) -> catalog.ListTopicsResponse:
            request = catalog.ListTopicsRequest(known_at=known_at, page_token=token)
            return self.call(self.catalog.ListTopics, request)

        return (it for answer in pages(page) for it in answer.topics)

    def milestones(self, *, known_at: int | None = None) -> Iterator[catalog.Milestone]:
        """All milestones."""

        def page(token: str) -> catalog.ListMilestonesResponse:
            request = catalog.ListMilestonesRequest(known_at=known_at, page_token=token)
            return self.call(self.catalog.ListMilestones, request)

        return (it for answer in pages(page) for it in answer.milestones)

    def statements(
        self,
        *,
        speaker: str = "",
        said_for: str = "",
        topic: str = "",
        source: str = "",
        known_at: int | None = None,
    ) -> Iterator[catalog.StatementView]:
        """Statements: all, or those by a speaker, for an organisation, on a topic, from a
        source."""

        def page(token: str) -> catalog.ListStatementsResponse:
            request = catalog.ListStatementsRequest(
                known_at=known_at,
                speaker=speaker,
                said_for=said_for,
                topic=topic,
                source=source,
                page_token=token,
            )
            return self.call(self.catalog.ListStatements, request)

        return (it for answer in pages(page) for it in answer.statements)

    def sources(self, *, known_at: int | None = None) -> Iterator[catalog.Source]:
        """All sources."""

        def page(token: str) -> catalog.ListSourcesResponse:
            request = catalog.ListSourcesRequest(known_at=known_at, page_token=token)
            return self.call(self.catalog.ListSources, request)

        return (it for answer in pages(page) for it in answer.sources)

    def verifiers(self, *, known_at: int | None = None) -> Iterator[catalog.Verifier]:
        """All verifiers."""

        def page(token: str) -> catalog.ListVerifiersResponse:
            request = catalog.ListVerifiersRequest(known_at=known_at, page_token=token)
            return self.call(self.catalog.ListVerifiers, request)

        return (it for answer in pages(page) for it in answer.verifiers)


def pages(page: Callable[[str], _Page]) -> Iterator[_Page]:
    """The pages of a list, each asked for when it is reached."""
    token = ""
    while True:
        answer: Any = page(token)
        yield answer
        token = answer.next_page_token
        if not token:
            return
