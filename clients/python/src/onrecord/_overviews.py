"""Overviews as Python values: changes of side, voices that disagree, statements about others.

Invariant: as of the answers, a value says what the daemon's message says and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from onrecord import _draw
from onrecord._answers import Basis, Shown, Testimony, label, maybe
from onrecord._background import Background
from onrecord.record.v1 import statement_pb2 as statements
from onrecord.v1 import common_pb2 as common
from onrecord.v1 import position_service_pb2 as positions


@dataclass(frozen=True, repr=False)
class Reversal(Shown):
    """A change of side, from one statement that decided to another, by way of those between."""

    actor: str
    """The actor's slug."""
    actor_name: str
    """The actor's name."""
    topic: str
    """The topic's slug."""
    since: str
    """From when on the other side is held, RFC 3339 in UTC."""
    held: Testimony
    """What decided last on the side that was left."""
    left: Testimony
    """What left it."""
    took: Testimony
    """What took the other side; the same as `left` if nothing came in between."""
    between: int
    """How many statements decided in between."""
    certain: bool
    """Whether nothing undated, unordered or disputed could make it another change."""
    basis: Basis
    """On what the answer rests."""
    message: positions.Reversal = field(compare=False)
    """All that the daemon says of it."""

    @classmethod
    def of(cls, it: positions.Reversal, basis: common.Basis, background: Background) -> Reversal:
        background.actor(it.actor)
        held, left, took = (
            Testimony.of(said, background.with_testimony(said))
            for said in (it.held, it.left, it.took)
        )
        return cls(
            actor=it.actor,
            actor_name=background.name(it.actor),
            topic=it.topic,
            since=getattr(it, "from"),
            held=held,
            left=left,
            took=took,
            between=it.between,
            certain=it.comparison.certain,
            basis=Basis.of(basis),
            message=it,
        )

    def _sheet(self) -> _draw.Sheet:
        return _draw.reversal(self)


@dataclass(frozen=True, repr=False)
class Divergence(Shown):
    """An actor whose voices disagree, each by its own newest statements."""

    actor: str
    """The actor's slug."""
    actor_name: str
    """The actor's name."""
    topic: str
    """The topic's slug."""
    since: str
    """The date from which on they have differed without interruption, RFC 3339 in UTC."""
    voices: tuple[Testimony, ...]
    """What decides each voice's own position, highest authority first; at most 100."""
    voice_count: int
    """How many voices there are."""
    basis: Basis
    """On what the answer rests."""
    message: positions.Divergence = field(compare=False)
    """All that the daemon says of it."""

    @classmethod
    def of(
        cls, it: positions.Divergence, basis: common.Basis, background: Background
    ) -> Divergence:
        background.actor(it.actor)
        return cls(
            actor=it.actor,
            actor_name=background.name(it.actor),
            topic=it.topic,
            since=it.since,
            voices=tuple(
                Testimony.of(voice.deciding, background.with_testimony(voice.deciding))
                for voice in it.voices
            ),
            voice_count=it.voice_count,
            basis=Basis.of(basis),
            message=it,
        )

    def _sheet(self) -> _draw.Sheet:
        return _draw.divergence(self)


@dataclass(frozen=True, repr=False)
class Reference(Shown):
    """A statement that is about another one."""

    actor: str
    """The actor's slug."""
    actor_name: str
    """The actor's name."""
    topic: str
    """The topic's slug."""
    kind: str
    """QUALIFIES, WITHDRAWS or DENIES."""
    referring: Testimony
    """The statement that refers."""
    referred: Testimony | None
    """The other, if it bears on the same question and counts there."""
    referred_index: int
    """The ledger index of the record that introduced the other."""
    referred_statement: str
    """The other's statement id."""
    basis: Basis
    """On what the answer rests."""
    message: positions.Reference = field(compare=False)
    """All that the daemon says of it."""

    @classmethod
    def of(cls, it: positions.Reference, basis: common.Basis, background: Background) -> Reference:
        background.actor(it.actor)
        referring = background.with_testimony(it.referring)
        return cls(
            actor=it.actor,
            actor_name=background.name(it.actor),
            topic=it.topic,
            kind=label(statements.ReferenceKind, it.kind),
            referring=Testimony.of(it.referring, referring),
            referred=maybe(it, "referred", Testimony, background.with_testimony(it.referred)),
            referred_index=it.referred_index,
            referred_statement=it.referred_statement,
            basis=Basis.of(basis),
            message=it,
        )

    def _sheet(self) -> _draw.Sheet:
        return _draw.reference(self)
