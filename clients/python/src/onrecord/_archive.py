"""An archive, asked and added to over gRPC.

Invariant: an archive that has answered "recorded" to this object has read it before it answers a
question of it: what was appended here is waited for (`at_least_size`).

It keeps nothing on disk and caches no answers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO

from onrecord._append import Appending, Recorded
from onrecord._entries import Entry, Subscription
from onrecord._errors import AddressError, NotTheSource, OnRecordError, unreadable
from onrecord._positions import Positions
from onrecord._request import misfit
from onrecord._signed import SignedFile
from onrecord._signing import SigningKey
from onrecord.v1 import admin_service_pb2 as admin
from onrecord.v1 import ledger_service_pb2 as ledger
from onrecord.v1 import source_service_pb2 as documents

try:
    import blake3
except ImportError:  # It is the extra `verify`.
    blake3 = None  # type: ignore[assignment]

ADDRESS_DEFAULT = "127.0.0.1:7450"

_ADDRESS = re.compile(r"[^\s/]+:[0-9]{1,5}")
_PORT_MAX = 2**16 - 1

# How many bytes of a document go into one message: a quarter of what a message may hold.
_CHUNK_BYTES = 256 * 1024

Key = SigningKey | str | PathLike[str]


def connect(address: str | None = None, *, key: Key | Iterable[Key] | None = None) -> Archive:
    """Connects to a daemon.

    `address` is HOST:PORT, with or without `http://`; without it, `ONRECORD_SERVER` or else
    127.0.0.1:7450. `key` is with what `append` signs: a key, a key file, or several.

    Raises `AddressError`, `KeyFileError`, `Unreachable`.
    """
    given = address or os.environ.get("ONRECORD_SERVER") or ADDRESS_DEFAULT
    target = given.removeprefix("http://").rstrip("/") if isinstance(given, str) else ""
    if not _ADDRESS.fullmatch(target) or int(target.rpartition(":")[2]) > _PORT_MAX:
        raise AddressError(
            f"{given!r} is not a daemon's address", field="address", accepted="HOST:PORT"
        )
    return Archive(target, _keys(key))


def _keys(key: Key | Iterable[Key] | None) -> tuple[SigningKey, ...]:
    if key is None:
        return ()
    several = [key] if isinstance(key, (SigningKey, str, PathLike)) else key
    if isinstance(several, bytes) or not isinstance(several, Iterable):
        raise misfit(key, "key", "a SigningKey, the path to a key file, or several of these")
    return tuple(it if isinstance(it, SigningKey) else SigningKey.read(it) for it in several)


class Archive(Positions):
    """An archive. Ends with `close`, or at the end of a `with`."""

    def __init__(self, address: str, keys: tuple[SigningKey, ...] = ()) -> None:
        super().__init__(address)
        self._keys = keys

    # The ledger.

    def status(self) -> admin.GetStatusResponse:
        """How the daemon is."""
        return self.call(self.admin.GetStatus, admin.GetStatusRequest())

    def entry(self, which: int | str) -> Entry:
        """An entry, by its index or its record id."""
        if not isinstance(which, (int, str)):
            raise misfit(which, "which", "an index, or a record id")
        by = "record_id" if isinstance(which, str) else "index"
        request = self.request(ledger.GetEntryRequest, decode=True, **{by: which})
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
        filter = self.request(
            ledger.EntryFilter,
            kinds=kinds,
            actor=actor,
            topic=topic,
            statement=statement,
            source=source,
            verifier=verifier,
        )
        request = self.request(
            ledger.ReadEntriesRequest,
            start=start,
            limit=limit,
            order=ledger.READ_ORDER_BACKWARDS if backwards else ledger.READ_ORDER_FORWARDS,
            filter=filter,
            decode=True,
        )
        answers = self.stream(self.ledger.ReadEntries, request)
        return (Entry.of(it) for answer in answers for it in answer.entries)

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
        filter = self.request(
            ledger.EntryFilter,
            kinds=kinds,
            actor=actor,
            topic=topic,
            statement=statement,
            source=source,
            verifier=verifier,
        )
        begin = self.request(
            ledger.SubscribeRequest, start=self.head().size if start is None else start
        )
        return Subscription(self, begin.start, filter, until_caught_up)

    # Projections.

    def projections(self) -> list[admin.ProjectionStatus]:
        """What answers questions, and how far each has read."""
        answer = self.call(self.admin.ListProjections, admin.ListProjectionsRequest())
        return list(answer.projections)

    def rebuild_projection(self, name: str) -> Iterator[admin.RebuildProjectionResponse]:
        """Builds a projection anew from the ledger, and swaps it in; iterate to see how far it
        is. The last answer has `swapped`."""
        request = self.request(admin.RebuildProjectionRequest, name=name)
        return self.stream(self.admin.RebuildProjection, request)

    def verify_projection(self, name: str) -> Iterator[admin.VerifyProjectionResponse]:
        """Replays the ledger and compares it with what is stored; iterate to see how far it is.
        The last answer says whether they are `equal`."""
        request = self.request(admin.VerifyProjectionRequest, name=name)
        return self.stream(self.admin.VerifyProjection, request)

    # Documents.

    def put_source(
        self, document: bytes | str | PathLike[str], media_type: str, *, source: str = ""
    ) -> documents.PutSourceResponse:
        """Uploads a document: its bytes, or the file at a path. Bytes alone are not on record:
        a `sourceArchived` record puts them there. With `source`, the id that they must have."""
        header = self.request(documents.PutSourceHeader, media_type=media_type, source=source)
        if isinstance(document, bytes):
            starts = range(0, len(document), _CHUNK_BYTES)
            return self._put((document[at : at + _CHUNK_BYTES] for at in starts), header)
        try:
            file = Path(document).open("rb")
        except OSError as error:
            raise unreadable(document, "document", error) from error
        except (TypeError, ValueError) as error:
            raise misfit(document, "document", "bytes, or the path to a file") from error
        with file:
            try:
                return self._put(_chunks(file), header)
            except OSError as error:
                raise unreadable(document, "document", error) from error

    def _put(
        self, chunks: Iterator[bytes], header: documents.PutSourceHeader
    ) -> documents.PutSourceResponse:
        def requests() -> Iterator[documents.PutSourceRequest]:
            yield documents.PutSourceRequest(header=header)
            for chunk in chunks:
                yield documents.PutSourceRequest(chunk=chunk)

        with self.failures():
            return self.sources_service.PutSource(requests())

    def get_source(self, source: str) -> bytes:
        """A document's bytes. They are checked against their id if the package `blake3` is
        installed, as it is with `onrecord[verify]`; without it they are as the daemon serves
        them, which `onrecord source get` checks. Raises `NotTheSource`."""
        request = self.request(documents.GetSourceRequest, source=source)
        hasher = blake3.blake3() if blake3 else None
        parts: list[bytes] = []
        for answer in self.stream(self.sources_service.GetSource, request):
            parts.append(answer.chunk)
            if hasher:
                hasher.update(answer.chunk)
        if hasher and hasher.hexdigest() != source:
            raise NotTheSource(
                f"the bytes that came have the id {hasher.hexdigest()}",
                reason="SOURCE_ID_MISMATCH",
                field="source",
                accepted=f"the bytes with the id {source}",
            )
        return b"".join(parts)

    def source_text(self, source: str) -> str:
        """The text of a source that quotations are held against, whole."""
        parts: list[str] = []
        text_id, start = "", 0
        while True:
            request = self.request(
                documents.GetSourceTextRequest, source=source, text_id=text_id, start=start
            )
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

        A record that cannot be understood, or that the daemon refuses, keeps out those alone
        that refer to it. Raises `RecordsRefused`, with a result for each record, if some are not
        on record.
        """
        keys = _keys(key) or self._keys
        if not keys:
            raise OnRecordError(
                "there is no key to sign with",
                field="key",
                accepted="key=, here or for connect: a file that `onrecord keygen` made",
            )
        several = [records] if isinstance(records, Mapping) else records
        if isinstance(several, (str, bytes)) or not isinstance(several, Iterable):
            raise misfit(records, "records", "a dictionary, or several")
        if not isinstance(directory, (str, PathLike)):
            raise misfit(directory, "directory", "a path")
        kept = SignedFile(signed) if signed is not None else None
        try:
            return Appending(self, keys, Path(directory), kept).run(several)
        finally:
            if kept:
                kept.close()


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK_BYTES):
        yield chunk
