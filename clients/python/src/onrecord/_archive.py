"""An archive, asked and added to over gRPC.

Invariant: an archive that has answered "recorded" to this object has read it before it answers a
question of it: what was appended here is waited for (`at_least_size`).

It keeps nothing on disk and caches no answers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

import grpc

from onrecord._answers import Basis, Comparison, Position, Step, Timeline
from onrecord._append import Appending, Recorded
from onrecord._background import Background
from onrecord._catalog import Catalog, pages
from onrecord._entries import Entry, Subscription
from onrecord._errors import AddressError, OnRecordError, of_call
from onrecord._signed import SignedFile
from onrecord._signing import SigningKey
from onrecord.v1 import admin_service_pb2, common_pb2
from onrecord.v1 import ledger_service_pb2 as ledger
from onrecord.v1 import position_service_pb2 as asked
from onrecord.v1 import source_service_pb2 as documents

ADDRESS_DEFAULT = "127.0.0.1:7450"

# How many bytes of a document go into one message: a quarter of what a message may hold.
_CHUNK_BYTES = 256 * 1024

Key = SigningKey | str | PathLike[str]


def connect(
    address: str | None = None, *, key: Key | Iterable[Key] | None = None
) -> Archive:
    """Connects to a daemon.

    `address` is HOST:PORT, with or without `http://`; without it, `ONRECORD_SERVER` or else
    127.0.0.1:7450. `key` is with what `append` signs: a key, a key file, or several.

    Raises `AddressError`, `KeyFileError`, `Unreachable`.
    """
    given = address or os.environ.get("ONRECORD_SERVER") or ADDRESS_DEFAULT
    target = given.removeprefix("http://").rstrip("/")
    host, _, port = target.rpartition(":")
    if not host or not port.isdecimal() or "/" in target:
        raise AddressError(
            f"{given!r} is not a daemon's address", field="address", accepted="HOST:PORT"
        )
    return Archive(target, _keys(key))


def _keys(key: Key | Iterable[Key] | None) -> tuple[SigningKey, ...]:
    if key is None:
        return ()
    several = [key] if isinstance(key, (SigningKey, str, PathLike)) else list(key)
    return tuple(it if isinstance(it, SigningKey) else SigningKey.read(it) for it in several)


class Archive(Catalog):
    """An archive. Ends with `close`, or at the end of a `with`."""

    def __init__(self, address: str, keys: tuple[SigningKey, ...] = ()) -> None:
        super().__init__(address)
        self._keys = keys

    # Positions.

    def position(
        self,
        actor: str,
        topic: str,
        *,
        as_of: str = "",
        known_at: int | None = None,
        with_parts: bool | None = None,
        filter: asked.PositionFilter | None = None,
    ) -> Position:
        """What an actor's stance on a topic was as of a date (EDTF; empty: now), as known when
        the ledger had `known_at` entries."""
        request = asked.GetPositionRequest(
            actor=actor,
            topic=topic,
            as_of=as_of,
            known_at=known_at,
            with_parts=with_parts,
            filter=filter,
            at_least_size=self.waiting_for(known_at),
        )
        answer = self.call(self.positions_service.GetPosition, request)
        background = Background.of(self, answer.basis)
        background.position(answer.position)
        return Position.of(answer.position, answer.basis, background)

    def positions(
        self,
        topic: str,
        *,
        as_of: str = "",
        known_at: int | None = None,
        filter: asked.PositionFilter | None = None,
    ) -> Iterator[Position]:
        """Everybody's position on a topic."""

        def page(token: str) -> asked.ListPositionsResponse:
            request = asked.ListPositionsRequest(
                topic=topic, as_of=as_of, known_at=known_at, filter=filter, page_token=token
            )
            return self.call(self.positions_service.ListPositions, request)

        for answer in pages(page):
            background = Background.of(self, answer.basis)
            for position in answer.positions:
                background.position(position)
                yield Position.of(position, answer.basis, background)

    def compare(
        self,
        actor: str,
        topic: str,
        *,
        milestone: str = "",
        from_as_of: str = "",
        to_as_of: str = "",
        from_known_at: int | None = None,
        to_known_at: int | None = None,
        with_parts: bool | None = None,
        filter: asked.PositionFilter | None = None,
    ) -> Comparison:
        """How a position changed: around a milestone, between two dates, or between what was
        known at two sizes of the ledger."""
        request = asked.ComparePositionsRequest(
            actor=actor,
            topic=topic,
            milestone=milestone,
            from_as_of=from_as_of,
            to_as_of=to_as_of,
            from_known_at=from_known_at,
            to_known_at=to_known_at,
            with_parts=with_parts,
            filter=filter,
            at_least_size=self.size,
        )
        answer = self.call(self.positions_service.ComparePositions, request)
        sides = []
        before = getattr(answer, "from"), answer.from_basis
        for position, basis in (before, (answer.to, answer.to_basis)):
            background = Background.of(self, basis)
            background.position(position)
            sides.append(Position.of(position, basis, background))
        return Comparison.of(answer.comparison, milestone, sides[0], sides[1])

    def timeline(
        self,
        actor: str,
        topic: str,
        *,
        until: str = "",
        known_at: int | None = None,
        with_parts: bool | None = None,
        filter: asked.PositionFilter | None = None,
    ) -> Timeline:
        """How a position came about, step by step."""
        request = asked.GetTimelineRequest(
            actor=actor,
            topic=topic,
            until=until,
            known_at=known_at,
            with_parts=with_parts,
            filter=filter,
            at_least_size=self.waiting_for(known_at),
        )
        answer = self.call(self.positions_service.GetTimeline, request)
        background = Background.of(self, answer.basis)
        background.actor(actor)
        background.topic(topic)
        for step in answer.steps:
            background.testimony(step.testimony)
        found = background.topics.get(topic)
        return Timeline(
            actor_name=background.name(actor),
            topic=topic,
            proposition=found.proposition if found else "",
            steps=tuple(Step.of(step, background) for step in answer.steps),
            truncated=answer.truncated,
            basis=Basis.of(answer.basis),
        )

    # The ledger.

    def head(self) -> common_pb2.Head:
        """The newest durable size and root."""
        return self.call(self.ledger.GetHead, ledger.GetHeadRequest()).head

    def status(self) -> admin_service_pb2.GetStatusResponse:
        """How the daemon is."""
        return self.call(self.admin.GetStatus, admin_service_pb2.GetStatusRequest())

    def entry(self, which: int | str) -> Entry:
        """An entry, by its index or its record id."""
        request = ledger.GetEntryRequest(decode=True)
        if isinstance(which, int):
            request.index = which
        else:
            request.record_id = which
        return Entry.of(self.call(self.ledger.GetEntry, request).entry)

    def entries(
        self,
        start: int | None = None,
        *,
        limit: int = 0,
        backwards: bool = False,
        kinds: Sequence[str] = (),
        actor: str = "",
        topic: str = "",
        statement: str = "",
        source: str = "",
        verifier: str = "",
    ) -> Iterator[Entry]:
        """A range of entries, up to the end that the ledger has when it is begun; `kinds` by
        their names in `Record`: `statement_recorded`."""
        filter = ledger.EntryFilter(
            kinds=kinds,
            actor=actor,
            topic=topic,
            statement=statement,
            source=source,
            verifier=verifier,
        )
        order = ledger.READ_ORDER_BACKWARDS if backwards else ledger.READ_ORDER_FORWARDS
        request = ledger.ReadEntriesRequest(
            start=start, limit=limit, order=order, filter=filter, decode=True
        )
        for answer in self.stream(self.ledger.ReadEntries, request):
            yield from map(Entry.of, answer.entries)

    def follow(
        self,
        start: int | None = None,
        *,
        until_caught_up: bool = False,
        kinds: Sequence[str] = (),
        actor: str = "",
        topic: str = "",
        statement: str = "",
        source: str = "",
        verifier: str = "",
    ) -> Subscription:
        """Entries from `start` on (none: what is recorded from here on), then each new one as it
        is recorded: in order, each once, also across a daemon that goes away."""
        filter = ledger.EntryFilter(
            kinds=kinds,
            actor=actor,
            topic=topic,
            statement=statement,
            source=source,
            verifier=verifier,
        )
        begin = self.head().size if start is None else start
        return Subscription(self, begin, filter, until_caught_up)

    # Documents.

    def put_source(
        self, document: bytes | str | PathLike[str], media_type: str, *, source: str = ""
    ) -> documents.PutSourceResponse:
        """Uploads a document: its bytes, or the file at a path. Bytes alone are not on record:
        a `sourceArchived` record puts them there. With `source`, the id that they must have."""
        if isinstance(document, bytes):
            starts = range(0, len(document), _CHUNK_BYTES)
            parts = (document[at : at + _CHUNK_BYTES] for at in starts)
            return self._put(parts, media_type, source)
        with Path(document).open("rb") as file:
            return self._put(_chunks(file), media_type, source)

    def _put(
        self, chunks: Iterator[bytes], media_type: str, source: str
    ) -> documents.PutSourceResponse:
        def requests() -> Iterator[documents.PutSourceRequest]:
            header = documents.PutSourceHeader(media_type=media_type, source=source)
            yield documents.PutSourceRequest(header=header)
            for chunk in chunks:
                yield documents.PutSourceRequest(chunk=chunk)

        try:
            return self.sources_service.PutSource(requests())
        except grpc.RpcError as error:
            raise of_call(error, self.address) from error

    def get_source(self, source: str) -> bytes:
        """A document's bytes, as the daemon serves them; `onrecord source get` also checks them
        against their id."""
        request = documents.GetSourceRequest(source=source)
        answers = self.stream(self.sources_service.GetSource, request)
        return b"".join(answer.chunk for answer in answers)

    def source_text(self, source: str) -> str:
        """The text of a source that quotations are held against, whole."""
        parts: list[str] = []
        text_id, start = "", 0
        while True:
            request = documents.GetSourceTextRequest(source=source, text_id=text_id, start=start)
            answer = self.call(self.sources_service.GetSourceText, request)
            parts.append(answer.text)
            text_id, start = answer.text_id, start + len(answer.text)
            if start >= answer.length or not answer.text:
                return "".join(parts)

    # Records.

    def append(
        self,
        records: Mapping[str, Any] | Iterable[Mapping[str, Any]],
        *,
        key: Key | Iterable[Key] | None = None,
        directory: str | PathLike[str] = ".",
        signed: str | PathLike[str] | None = None,
    ) -> list[Recorded]:
        """Puts records on record, in order, signed with `key` or the keys of `connect`.

        Each is a dictionary as a line of a file of records is: `key` and `@key`, enum values
        without their prefix, `file` (relative to `directory`), and what the archive knows left
        out.

        `signed` names a file that keeps what was signed: the same records, appended again with
        it, are recorded once, and those that were refused are tried afresh. Without it the same
        call again records everything anew.

        Raises `AuthoringError` for a mistake that is seen before anything is sent, and
        `RecordsRefused`, with a result for each record, if some were refused.
        """
        keys = _keys(key) or self._keys
        if not keys:
            raise OnRecordError(
                "there is no key to sign with",
                field="key",
                accepted="key=, here or for connect: a file that `onrecord keygen` made",
            )
        several = [records] if isinstance(records, Mapping) else records
        kept = SignedFile(signed) if signed is not None else None
        try:
            return Appending(self, keys, Path(directory), kept).run(several)
        finally:
            if kept:
                kept.close()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
