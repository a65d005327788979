"""Positions: what actors' stances on topics were, how they changed, and what they rest on.

Every question takes `known_at`, a size of the ledger or a `datetime` with a time zone, and a
`filter`, a `PositionFilter` or a dictionary of its fields. What comes in lists is asked for page
by page as it is iterated, all pages on the basis of the first. A list is of a topic, of an actor,
or of both.
"""

from __future__ import annotations

from collections.abc import Iterator

from onrecord._answers import Basis, Comparison, Position, Step, Testimony, Timeline
from onrecord._background import Background
from onrecord._catalog import Catalog
from onrecord._overviews import Divergence, Reference, Reversal
from onrecord._request import Date, Filter, KnownAt, misfit
from onrecord._watch import Watch
from onrecord.v1 import common_pb2 as common
from onrecord.v1 import position_service_pb2 as asked

# How many steps a page of a timeline has at most: as many as the other lists have in a page.
_STEPS_PAGE = 100


class Positions(Catalog):
    """The part of an archive that answers from what was said."""

    def position(
        self,
        actor: str,
        topic: str,
        *,
        as_of: Date = "",
        known_at: KnownAt | None = None,
        with_parts: bool | None = None,
        filter: Filter | None = None,
    ) -> Position:
        """What an actor's stance on a topic was as of a date (EDTF; empty: now), as known when
        the ledger had `known_at` entries, or at that time."""
        request = self.request(
            asked.GetPositionRequest,
            actor=actor,
            topic=topic,
            as_of=as_of,
            known_at=known_at,
            with_parts=with_parts,
            filter=filter,
        )
        answer = self.call(self.positions_service.GetPosition, request)
        return self._position(answer.position, answer.basis)

    def positions(
        self,
        topic: str = "",
        *,
        actor: str = "",
        as_of: Date = "",
        known_at: KnownAt | None = None,
        with_parts: bool | None = None,
        filter: Filter | None = None,
    ) -> Iterator[Position]:
        """Everybody's position on a topic, or an actor's on all topics, in brief: without
        `front`, `voices`, `reported` and `possible`."""
        request = self.request(
            asked.ListPositionsRequest,
            topic=topic,
            actor=actor,
            as_of=as_of,
            known_at=known_at,
            with_parts=with_parts,
            filter=filter,
        )
        answers = self.pages(self.positions_service.ListPositions, request)
        return (self._position(it, answer.basis) for answer in answers for it in answer.positions)

    def compare(
        self,
        actor: str,
        topic: str,
        *,
        milestone: str = "",
        from_as_of: Date = "",
        to_as_of: Date = "",
        from_known_at: KnownAt | None = None,
        to_known_at: KnownAt | None = None,
        with_parts: bool | None = None,
        filter: Filter | None = None,
        from_filter: Filter | None = None,
    ) -> Comparison:
        """How a position changed: around a milestone, between two dates, between two states of
        knowledge, or between two filters, of which `from_filter` is the earlier position's."""
        request = self.request(
            asked.ComparePositionsRequest,
            actor=actor,
            topic=topic,
            milestone=milestone,
            from_as_of=from_as_of,
            to_as_of=to_as_of,
            from_known_at=from_known_at,
            to_known_at=to_known_at,
            with_parts=with_parts,
            filter=filter,
            from_filter=from_filter,
        )
        answer = self.call(self.positions_service.ComparePositions, request)
        before = self._position(getattr(answer, "from"), answer.from_basis)
        after = self._position(answer.to, answer.to_basis)
        return Comparison.of(answer.comparison, milestone, before, after)

    def changes(
        self,
        topic: str = "",
        *,
        actor: str = "",
        milestone: str = "",
        from_as_of: Date = "",
        to_as_of: Date = "",
        from_known_at: KnownAt | None = None,
        to_known_at: KnownAt | None = None,
        with_parts: bool | None = None,
        filter: Filter | None = None,
        from_filter: Filter | None = None,
        changed_only: bool = True,
    ) -> Iterator[Comparison]:
        """Which positions differ, as `compare` compares one, with both positions in brief.
        Between two states of knowledge each names the `entries` that made them differ."""
        request = self.request(
            asked.ListComparisonsRequest,
            topic=topic,
            actor=actor,
            milestone=milestone,
            from_as_of=from_as_of,
            to_as_of=to_as_of,
            from_known_at=from_known_at,
            to_known_at=to_known_at,
            with_parts=with_parts,
            filter=filter,
            from_filter=from_filter,
            changed_only=changed_only,
        )
        answers = self.pages(self.positions_service.ListComparisons, request)
        return (
            Comparison.compared(
                it,
                milestone,
                self._position(getattr(it, "from"), answer.from_basis),
                self._position(it.to, answer.to_basis),
            )
            for answer in answers
            for it in answer.comparisons
        )

    def timeline(
        self,
        actor: str,
        topic: str,
        *,
        until: Date = "",
        known_at: KnownAt | None = None,
        with_parts: bool | None = None,
        filter: Filter | None = None,
    ) -> Timeline:
        """How a position came about, step by step: the newest steps, as many as one answer
        holds; `steps` has all."""
        request = self.request(
            asked.GetTimelineRequest,
            actor=actor,
            topic=topic,
            until=until,
            known_at=known_at,
            with_parts=with_parts,
            filter=filter,
        )
        answer = self.call(self.positions_service.GetTimeline, request)
        background = Background.of(self, answer.basis)
        background.actor(actor)
        background.topic(topic)
        found = background.topics.get(topic)
        return Timeline(
            actor=actor,
            actor_name=background.name(actor),
            topic=topic,
            proposition=found.proposition if found else "",
            steps=tuple(Step.of(step, background) for step in answer.steps),
            truncated=answer.truncated,
            basis=Basis.of(answer.basis),
        )

    def steps(
        self,
        actor: str,
        topic: str,
        *,
        until: Date = "",
        known_at: KnownAt | None = None,
        with_parts: bool | None = None,
        filter: Filter | None = None,
    ) -> Iterator[Step]:
        """All steps of a timeline, oldest first."""
        request = self.request(
            asked.GetTimelineRequest,
            actor=actor,
            topic=topic,
            until=until,
            known_at=known_at,
            with_parts=with_parts,
            filter=filter,
            page_size=_STEPS_PAGE,
        )
        answers = self.pages(self.positions_service.GetTimeline, request)
        return (
            Step.of(it, background)
            for answer in answers
            for background in (Background.of(self, answer.basis),)
            for it in answer.steps
        )

    def testimonies(
        self,
        actor: str,
        topic: str,
        *,
        standing: str = "",
        as_of: Date = "",
        known_at: KnownAt | None = None,
        with_parts: bool | None = None,
        filter: Filter | None = None,
    ) -> Iterator[Testimony]:
        """What bears on an actor's position on a topic, newest first: all, or what stands there
        as POSSIBLE, REPORTED, CANDIDATES, EVASIONS or FRONT."""
        request = self.request(
            asked.ListTestimoniesRequest,
            actor=actor,
            topic=topic,
            standing=standing or None,
            as_of=as_of,
            known_at=known_at,
            with_parts=with_parts,
            filter=filter,
        )
        answers = self.pages(self.positions_service.ListTestimonies, request)
        return (
            Testimony.of(it, background.with_testimony(it))
            for answer in answers
            for background in (Background.of(self, answer.basis),)
            for it in answer.testimonies
        )

    def reversals(
        self,
        topic: str = "",
        *,
        actor: str = "",
        as_of: Date = "",
        known_at: KnownAt | None = None,
        with_parts: bool | None = None,
        filter: Filter | None = None,
    ) -> Iterator[Reversal]:
        """Changes of side, from SUPPORTS to OPPOSES or back, oldest first."""
        request = self.request(
            asked.ListReversalsRequest,
            topic=topic,
            actor=actor,
            as_of=as_of,
            known_at=known_at,
            with_parts=with_parts,
            filter=filter,
        )
        answers = self.pages(self.positions_service.ListReversals, request)
        return (
            Reversal.of(it, answer.basis, Background.of(self, answer.basis))
            for answer in answers
            for it in answer.reversals
        )

    def divergences(
        self,
        topic: str = "",
        *,
        actor: str = "",
        as_of: Date = "",
        known_at: KnownAt | None = None,
        with_parts: bool | None = None,
        filter: Filter | None = None,
    ) -> Iterator[Divergence]:
        """Actors whose voices disagree."""
        request = self.request(
            asked.ListDivergencesRequest,
            topic=topic,
            actor=actor,
            as_of=as_of,
            known_at=known_at,
            with_parts=with_parts,
            filter=filter,
        )
        answers = self.pages(self.positions_service.ListDivergences, request)
        return (
            Divergence.of(it, answer.basis, Background.of(self, answer.basis))
            for answer in answers
            for it in answer.divergences
        )

    def references(
        self,
        topic: str = "",
        *,
        actor: str = "",
        as_of: Date = "",
        known_at: KnownAt | None = None,
        with_parts: bool | None = None,
        filter: Filter | None = None,
    ) -> Iterator[Reference]:
        """Statements that qualify, withdraw or deny others."""
        request = self.request(
            asked.ListReferencesRequest,
            topic=topic,
            actor=actor,
            as_of=as_of,
            known_at=known_at,
            with_parts=with_parts,
            filter=filter,
        )
        answers = self.pages(self.positions_service.ListReferences, request)
        return (
            Reference.of(it, answer.basis, Background.of(self, answer.basis))
            for answer in answers
            for it in answer.references
        )

    def agreement(
        self,
        topic: str,
        *,
        holder: str = "",
        known_at: KnownAt | None = None,
        filter: Filter | None = None,
    ) -> asked.GetAgreementResponse:
        """How far coders agree about what was said on a topic, as Krippendorff's alpha."""
        request = self.request(
            asked.GetAgreementRequest, topic=topic, holder=holder, known_at=known_at, filter=filter
        )
        return self.call(self.positions_service.GetAgreement, request)

    def coverage(
        self, topic: str, *, reading: str = "", known_at: KnownAt | None = None
    ) -> Iterator[asked.SourceCoverage]:
        """How far each source was read for a topic: all sources, or those UNREAD, or read in
        PART or WHOLE."""
        request = self.request(
            asked.ListCoverageRequest, topic=topic, reading=reading or None, known_at=known_at
        )
        answers = self.pages(self.positions_service.ListCoverage, request)
        return (it for answer in answers for it in answer.sources)

    def watch(
        self,
        topic: str = "",
        *,
        actor: str = "",
        start: int | None = None,
        after: tuple[str, str] | None = None,
        until_caught_up: bool = False,
        as_of: Date = "",
        with_parts: bool | None = None,
        filter: Filter | None = None,
    ) -> Watch:
        """Changes of positions that entries from `start` on bring (none: what is recorded from
        here on), as they bring them: in order, each once, also across a daemon that goes away.

        With `after`, an actor and a topic, those that the entry at `start` brings up to theirs
        are left out: `next_index` and `after` of a watch are where another goes on."""
        watched = None
        if after is not None:
            if not isinstance(after, tuple) or len(after) != 2:
                raise misfit(after, "after", "an actor and a topic")
            watched = {"actor": after[0], "topic": after[1]}
        request = self.request(
            asked.WatchPositionsRequest,
            topic=topic,
            actor=actor,
            start=self.head().size if start is None else start,
            after=watched,
            as_of=as_of,
            with_parts=with_parts,
            filter=filter,
        )
        return Watch(self, request, until_caught_up)

    def _position(self, position: asked.Position, basis: common.Basis) -> Position:
        background = Background.of(self, basis)
        background.position(position)
        return Position.of(position, basis, background)
