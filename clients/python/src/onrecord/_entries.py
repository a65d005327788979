"""Entries of the ledger: a range that is read, and a subscription that outlives the daemon."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from onrecord._following import Following
from onrecord.record.v1.envelope_pb2 import Entry as EncodedEntry
from onrecord.record.v1.record_pb2 import Record
from onrecord.v1 import ledger_service_pb2 as ledger

if TYPE_CHECKING:
    from onrecord._connection import Connection


@dataclass(frozen=True)
class Entry:
    """An entry as it stands in the ledger."""

    index: int
    """Its index."""
    record_id: str
    """The id of its record."""
    recorded_at: datetime
    """When the ledger took it."""
    verifiers: tuple[str, ...]
    """The keys of the verifiers who signed it."""
    kind: str
    """What its record holds, by its name in `Record`: `statement_recorded`."""
    record: Record = field(repr=False)
    """Its record."""
    encoded: bytes = field(repr=False)
    """The encoded entry: the Merkle leaf, byte for byte."""

    @classmethod
    def of(cls, it: ledger.LedgerEntry) -> Entry:
        return cls(
            index=it.index,
            record_id=it.record_id,
            recorded_at=it.recorded_at.ToDatetime(timezone.utc),
            verifiers=tuple(it.verifiers),
            kind=it.record.WhichOneof("kind") or "",
            record=it.record,
            encoded=it.encoded,
        )

    @property
    def payload(self) -> bytes:
        """The record's bytes, as they were signed."""
        return EncodedEntry.FromString(self.encoded).envelope.payload


class Subscription(Following[Entry]):
    """Entries from an index on, then each new one as it is recorded."""

    def __init__(
        self, archive: Connection, start: int, filter: ledger.EntryFilter, until_caught_up: bool
    ) -> None:
        super().__init__(archive, start, until_caught_up)
        self._filter = filter

    def _begin(self) -> Iterator[ledger.SubscribeResponse]:
        request = ledger.SubscribeRequest(start=self.next_index, filter=self._filter, decode=True)
        return self._archive.ledger.Subscribe(request)

    def _take(self, message: ledger.SubscribeResponse) -> Entry | None:
        match message.WhichOneof("message"):
            case "entry":
                self.next_index = message.entry.index + 1
                return Entry.of(message.entry)
            case "heartbeat":
                self._considered(message.heartbeat.size)
            case "caught_up":
                self._caught_up(message.caught_up.size)
        return None
