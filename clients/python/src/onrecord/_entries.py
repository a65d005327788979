"""Entries of the ledger: a range that is read, and a subscription that outlives the daemon.

Invariant of a subscription: entries come in order and each once, also across a daemon that goes
away. What it resumes from is the index that the daemon's status names, or the one after what
came last.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import grpc

from onrecord._errors import CallError, OnRecordError, Unreachable, of_call
from onrecord.record.v1.envelope_pb2 import Entry as EncodedEntry
from onrecord.record.v1.record_pb2 import Record
from onrecord.v1 import ledger_service_pb2 as ledger

if TYPE_CHECKING:
    from onrecord._archive import Archive

# How long to wait before trying again, the first time; then twice as long each time, up to a
# bound.
_AGAIN_AFTER_SECONDS = 0.1
_AGAIN_AFTER_SECONDS_MAX = 5.0

# How often a daemon that went away is tried by a subscription that is to end: for about a minute.
_TRIES_MAX = 16


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


class Subscription(Iterator[Entry]):
    """Entries from an index on, then each new one as it is recorded. Iterating waits for the
    next; `close`, or the end of a `with`, ends it, from another thread too."""

    def __init__(
        self, archive: Archive, start: int, filter: ledger.EntryFilter, until_caught_up: bool
    ) -> None:
        self._archive = archive
        self._filter = filter
        self._until_caught_up = until_caught_up
        self._closed = threading.Event()
        self._call: Iterator[ledger.SubscribeResponse] | None = None
        self._tries = 0
        self._begun = False
        self.next_index = start
        """The index to subscribe from to go on where this subscription is."""

    def __enter__(self) -> Subscription:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends it."""
        self._closed.set()
        if isinstance(self._call, grpc.Call):
            self._call.cancel()

    def __next__(self) -> Entry:
        while not self._closed.is_set():
            try:
                message = next(self._subscribed())
            except grpc.RpcError as error:
                if self._closed.is_set():
                    break
                self._ended(of_call(error, self._archive.address))
                continue
            except StopIteration:
                # A subscription ends with a status that says why.
                if self._closed.is_set():
                    break
                self._ended(Unreachable("the subscription ended without a word"))
                continue
            self._tries, self._begun = 0, True
            match message.WhichOneof("message"):
                case "entry":
                    self.next_index = message.entry.index + 1
                    return Entry.of(message.entry)
                case "heartbeat":
                    self.next_index = max(self.next_index, message.heartbeat.size)
                case "caught_up":
                    self.next_index = max(self.next_index, message.caught_up.size)
                    if self._until_caught_up:
                        self.close()
        raise StopIteration

    def _subscribed(self) -> Iterator[ledger.SubscribeResponse]:
        if self._call is None:
            request = ledger.SubscribeRequest(
                start=self.next_index, filter=self._filter, decode=True
            )
            with self._archive.failures():
                self._call = self._archive.ledger.Subscribe(request)
        return self._call

    def _ended(self, error: OnRecordError) -> None:
        """Waits before the next try, if another subscription may bring what this one did not."""
        self._call = None
        again = isinstance(error, Unreachable)
        if isinstance(error, CallError):
            self.next_index = error.resume_from or self.next_index
            again = error.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED)
        # Where nothing ever came, there is nothing to go on with.
        if not (again and self._begun) or (self._until_caught_up and self._tries > _TRIES_MAX):
            self._closed.set()
            raise error
        after = _AGAIN_AFTER_SECONDS * 2 ** min(self._tries, _TRIES_MAX)
        self._tries += 1
        self._closed.wait(min(after, _AGAIN_AFTER_SECONDS_MAX))
