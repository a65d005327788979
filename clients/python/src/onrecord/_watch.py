"""Changes of positions as records arrive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from onrecord import _draw
from onrecord._answers import Position, Shown, Stance, Testimony, label, maybe
from onrecord._background import Background
from onrecord._following import Following
from onrecord.v1 import position_service_pb2 as asked

if TYPE_CHECKING:
    from onrecord._positions import Positions


@dataclass(frozen=True)
class Brief:
    """A position in brief."""

    finding: str
    """How far the record answers."""
    stance: Stance | None
    """The stance, if one is STATED."""
    deciding: Testimony | None
    """The statement that decides."""

    @classmethod
    def of(cls, it: asked.PositionBrief, background: Background) -> Brief:
        deciding = maybe(it, "deciding", Testimony, background.with_testimony(it.deciding))
        return cls(label(asked.Finding, it.finding), maybe(it, "stance", Stance), deciding)


@dataclass(frozen=True, repr=False)
class Change(Shown):
    """A change of a position, and the entry that brought it."""

    index: int
    """The ledger index of the entry that brought it."""
    record: str
    """The id of its record."""
    record_kind: str
    """What it records, by its name in `Record`: `statement_retracted`."""
    recorded_at: datetime
    """When the ledger took it."""
    kind: str
    """What kind of change it is: REVERSED, SOFTENED, HARDENED, UNCHANGED, …"""
    certain: bool
    """Whether nothing undated, unordered or disputed could make it another."""
    before: Brief
    """The position before the entry."""
    after: Position
    """The position after it; its lists hold 10 statements at most."""
    message: asked.WatchPositionsResponse = field(compare=False)
    """All that the daemon says of it."""

    @classmethod
    def of(cls, it: asked.WatchPositionsResponse, archive: Positions) -> Change:
        background = Background.of(archive, it.basis)
        background.position(it.position)
        return cls(
            index=it.index,
            record=it.record,
            record_kind=it.record_kind,
            recorded_at=it.recorded_at.ToDatetime(timezone.utc),
            kind=label(asked.ChangeKind, it.comparison.kind),
            certain=it.comparison.certain,
            before=Brief.of(it.before, background),
            after=Position.of(it.position, it.basis, background),
            message=it,
        )

    def _sheet(self) -> _draw.Sheet:
        return _draw.change(self)


class Watch(Following[Change]):
    """Changes of positions that entries from an index on bring, as they bring them."""

    def __init__(
        self, archive: Positions, request: asked.WatchPositionsRequest, until_caught_up: bool
    ) -> None:
        super().__init__(archive, request.start, until_caught_up)
        self._positions = archive
        self._request = request
        self._last = request.start
        self._whose: tuple[str, str] | None = None
        if request.HasField("after"):
            self._whose = (request.after.actor, request.after.topic)

    @property
    def after(self) -> tuple[str, str] | None:
        """Up to whose position, by actor and topic, the changes of the entry at `next_index`
        have come; none if that entry has brought nothing yet. To go on where this is, give both
        to another watch."""
        return self._whose if self._last == self.next_index else None

    def _begin(self) -> Iterator[asked.WatchPositionsResponse]:
        self._request.start = self.next_index
        self._request.ClearField("after")
        if self.after:
            actor, topic = self.after
            self._request.after.CopyFrom(asked.WatchedPosition(actor=actor, topic=topic))
        return self._positions.positions_service.WatchPositions(self._request)

    def _take(self, message: asked.WatchPositionsResponse) -> Change | None:
        if message.HasField("caught_up"):
            self._caught_up(message.caught_up.size)
        elif message.HasField("heartbeat"):
            self._considered(message.heartbeat.size)
        else:
            change = Change.of(message, self._positions)
            self.next_index = self._last = message.index
            self._whose = (message.position.actor, message.position.topic)
            return change
        return None
