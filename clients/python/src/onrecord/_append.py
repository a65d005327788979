"""The way of records into an archive: understood, uploaded, filled in, signed and sent in order,
a result for each.

A record that is refused keeps no other out. A batch that got no answer is sent again as it is,
the same bytes, which the archive records once. Beyond the call, what was signed is kept only
where the caller names a file for it (`_signed`): without one, the same records appended by
another call are signed and recorded anew.
"""

from __future__ import annotations

import time
from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc

from onrecord import _authoring, _capacity, _signing
from onrecord._authoring import Draft
from onrecord._errors import (
    NO_ANSWER,
    ArgumentError,
    AuthoringError,
    CallError,
    KeyFileError,
    NotOnRecord,
    RecordsRefused,
    Refused,
    Unreachable,
    unreadable,
)
from onrecord._signed import SignedFile, line_id
from onrecord._signing import SigningKey
from onrecord.record.v1 import envelope_pb2 as envelopes
from onrecord.record.v1.definitions_pb2 import MandateGranted
from onrecord.record.v1.evidence_pb2 import Evidence
from onrecord.record.v1.statement_pb2 import SaidFor, Statement
from onrecord.v1 import common_pb2 as common
from onrecord.v1 import record_service_pb2 as records

if TYPE_CHECKING:
    from onrecord._archive import Archive

# How many records go into one call at most, and how many bytes of payloads: a message may have
# 4 MiB.
_BATCH_RECORDS_MAX = 1000
_BATCH_BYTES_MAX = 2 * 1024 * 1024

# How often a batch is sent again: at a second or so, a quarter of a minute.
_ATTEMPTS_MAX = 16

# After how many seconds, where the daemon does not say.
_AGAIN_AFTER_SECONDS = 1.0

# What stands for the id of a record above, until it has one.
_NOT_YET = "0" * 64

# What has versions: the field that names it, and how the version that stands is looked up.
_VERSIONED: Mapping[str, tuple[str, Callable[[Archive, str], common.Provenance]]] = {
    "actor_defined": ("actor_id", lambda archive, id: archive.actor(id).provenance),
    "mandate_granted": ("mandate_id", lambda archive, id: archive.mandate(id).provenance),
    "mandate_ended": ("mandate_id", lambda archive, id: archive.mandate(id).provenance),
    "topic_defined": ("topic_id", lambda archive, id: archive.topic(id).provenance),
    "milestone_defined": ("milestone_id", lambda archive, id: archive.milestone(id).provenance),
    "source_archived": ("source", lambda archive, id: archive.source(id).provenance),
    "verifier_enrolled": ("verifier", lambda archive, id: archive.verifier(id).provenance),
}


@dataclass(frozen=True)
class Recorded:
    """A record that is on record."""

    index: int
    """Its ledger index."""
    record: str
    """Its record id; of a statement, the statement id."""
    kind: str
    """What it holds, by its name in `Record`: `statement_recorded`."""
    key: str = ""
    """The key that it was written with."""
    already: bool = False
    """Whether it was on record before."""


Result = Recorded | Refused | AuthoringError


@dataclass
class _Sealed:
    draft: Draft
    envelope: envelopes.Envelope
    line: str
    """What it is kept by; empty where nothing is."""


class Appending:
    """One call's records on their way."""

    def __init__(
        self,
        archive: Archive,
        keys: tuple[SigningKey, ...],
        directory: Path,
        signed: SignedFile | None,
    ) -> None:
        self.archive = archive
        self.keys = keys
        self.directory = directory
        self.signed = signed
        self.results: dict[int, Result] = {}
        self.ids: dict[str, str] = {}
        self.waiting: list[_Sealed] = []
        self.texts: dict[str, str] = {}
        self.mandates: dict[str, MandateGranted] = {}
        self.mandates_read = 0

    def run(self, written: Iterable[Mapping[str, Any]]) -> list[Recorded]:
        """Puts records on record. Raises `RecordsRefused` at the end if some are not."""
        all_of_it = list(written)
        for place, one in enumerate(all_of_it):
            try:
                self.prepare(one, place)
            except AuthoringError as error:
                self.results[place] = error
                self.lost(one)
        self.send()
        results = [self.results[place] for place in range(len(all_of_it))]
        recorded = [it for it in results if isinstance(it, Recorded)]
        if len(recorded) < len(results):
            raise RecordsRefused(results)
        return recorded

    def lost(self, written: object) -> None:
        """Takes note that nothing can refer to a record, unless another one has its key."""
        key = written.get("key") if isinstance(written, Mapping) else None
        waiting = {it.draft.key for it in self.waiting}
        if isinstance(key, str) and key not in waiting and key not in self.ids:
            self.ids[key] = _authoring.LOST

    def prepare(self, written: Mapping[str, Any], place: int) -> None:
        """Fills a record in and signs it; sends those before it if it builds on them."""
        waiting = {it.draft.key for it in self.waiting} - self.ids.keys() - {""}
        above = ChainMap(dict.fromkeys(waiting, _NOT_YET), self.ids)
        draft = _authoring.read(written, place, above)
        if not draft.refers_to.isdisjoint(waiting):
            self.send()
            draft = _authoring.read(written, place, self.ids)
        self.key_file(draft)
        # Filling in may send what waits.
        sealed = self.sealed(draft)
        self.waiting.append(sealed)
        if draft.kind == "source_archived" and draft.key:
            # A source's key stands for the id of its bytes, which is known already.
            self.ids[draft.key] = draft.record.source_archived.source
        bytes_waiting = sum(len(it.envelope.payload) for it in self.waiting)
        if len(self.waiting) == _BATCH_RECORDS_MAX or bytes_waiting > _BATCH_BYTES_MAX:
            self.send()

    def sealed(self, draft: Draft) -> _Sealed:
        """What was signed for a record before; or what is signed once it is filled in."""
        line = ""
        if self.signed:
            try:
                line = line_id(self.archive.origin, draft, self.directory)
            except OSError as error:
                fault = unreadable(self.directory / draft.file, "file", error)
                raise self.error(draft, "file", fault.message, fault.accepted) from error
            if kept := self.signed.find(line):
                if draft.file:
                    # Bytes that no record on record names expire.
                    self.source(draft)
                draft.record.ParseFromString(kept.payload)
                return _Sealed(draft, kept, line)
        self.fill(draft)
        draft.record.origin = self.archive.origin
        draft.record.signed_at.FromDatetime(datetime.now(timezone.utc))
        envelope = _signing.seal(_signing.encode(draft.record), self.keys)
        if self.signed:
            self.signed.keep(line, envelope)
        return _Sealed(draft, envelope, line)

    def send(self) -> None:
        """Sends what waits, and takes note of what became of each."""
        batch, self.waiting = self.waiting, []
        if not batch:
            return
        if self.signed:
            self.signed.sync()
        request = records.AppendRequest(envelopes=[it.envelope for it in batch])
        answer = self.call(request)
        for it, result in zip(batch, answer.results, strict=True):
            settled = self.settled(it.draft, result)
            self.results[it.draft.place] = settled
            if self.signed and isinstance(settled, Refused):
                self.signed.refused(it.line, settled.reason)

    def call(self, request: records.AppendRequest) -> records.AppendResponse:
        """Sends a batch, again while the daemon says to come back later or is not there."""
        for _ in range(_ATTEMPTS_MAX - 1):
            try:
                return self.archive.call(self.archive.records.Append, request)
            except Unreachable as error:
                if error.reason == NO_ANSWER:
                    raise
                after = _AGAIN_AFTER_SECONDS
            except CallError as error:
                if error.code is not grpc.StatusCode.UNAVAILABLE:
                    raise
                after = error.retry_after or _AGAIN_AFTER_SECONDS
            time.sleep(after)
        return self.archive.call(self.archive.records.Append, request)

    def settled(self, draft: Draft, result: records.AppendResult) -> Result:
        if result.WhichOneof("outcome") == "refusal":
            if draft.key:
                self.ids[draft.key] = _authoring.LOST
            return Refused(draft.place, result.refusal)
        already = result.WhichOneof("outcome") == "already_recorded"
        found = result.already_recorded if already else result.recorded
        self.archive.grew_to(result.recorded.ledger_size or found.index + 1)
        if draft.key and draft.kind != "source_archived":
            self.ids[draft.key] = found.record
        return Recorded(found.index, found.record, draft.kind, draft.key, already)

    # What the client fills in. Only what was left out, and only then is the archive asked.

    def fill(self, draft: Draft) -> None:
        body = getattr(draft.record, draft.kind)
        match draft.kind:
            case "source_archived":
                self.source(draft)
            case "statement_recorded":
                self.evidence(draft, body.evidence, "evidence")
                self.said_for(draft, body)
            case "statement_corrected":
                self.evidence(draft, body.corrected.evidence, "corrected.evidence")
                self.correction(draft)
            case "evidence_added" | "reading_added" | "statement_retracted":
                if draft.kind == "evidence_added":
                    self.evidence(draft, body.evidence, "evidence")
                self.repeat(draft)
            case "mandate_granted" | "mandate_ended" | "milestone_defined":
                self.evidence(draft, body.evidence, "evidence")
            case "attestation_added":
                self.attestation(draft)
        self.replaces(draft)

    def error(self, draft: Draft, field: str, message: str, accepted: str) -> AuthoringError:
        path = f"{draft.path}.{field}"
        return AuthoringError(message, place=draft.place, field=path, accepted=accepted)

    def key_file(self, draft: Draft) -> None:
        """Takes a public key from a key file; has a new checkpoint key sign for itself."""
        if not draft.key_file:
            return
        try:
            key = SigningKey.read(self.directory / draft.key_file)
        except KeyFileError as error:
            raise self.error(draft, "keyFile", error.message, error.accepted) from error
        if draft.kind == "checkpoint_key_set":
            checkpoint_key = draft.record.checkpoint_key_set
            checkpoint_key.checkpoint_key = key.public
            checkpoint_key.proof_of_possession = key.prove_possession(self.archive.origin)
        else:
            getattr(draft.record, draft.kind).verifier = key.public

    def replaces(self, draft: Draft) -> None:
        if draft.kind not in _VERSIONED:
            return
        body = getattr(draft.record, draft.kind)
        field, look_up = _VERSIONED[draft.kind]
        id = getattr(body, field)
        if body.replaces or not id:
            return
        for other in self.waiting:
            named, _ = _VERSIONED.get(other.draft.kind, ("", None))
            if (
                named == field
                and getattr(getattr(other.draft.record, other.draft.kind), field) == id
            ):
                self.send()
                break
        try:
            body.replaces = look_up(self.archive, id).record
        except NotOnRecord as error:
            if draft.kind == "mandate_ended":
                accepted = "the mandate of a record above or on record"
                raise self.error(draft, "mandateId", error.message, accepted) from error

    def source(self, draft: Draft) -> None:
        source = draft.record.source_archived
        if draft.file:
            path = self.directory / draft.file
            try:
                stored = self.archive.put_source(path, source.media_type, source=source.source)
            except ArgumentError as error:
                raise self.error(draft, "file", error.message, error.accepted) from error
            except CallError as error:
                if error.code is grpc.StatusCode.UNAVAILABLE:
                    raise
                said = f"the file was not taken: {error.message}"
                raise self.error(draft, "file", said, error.accepted) from error
            source.source = stored.source
            source.size_bytes = source.size_bytes or stored.size_bytes
            if not source.profile and not source.text_id:
                source.profile, source.text_id = stored.profile, stored.text_id
        elif not source.size_bytes:
            try:
                known = self.archive.source(source.source).definition
            except (NotOnRecord, CallError) as error:
                said = "it gives neither a file nor a source on record"
                raise self.error(draft, "file", said, "file, or the id of a source") from error
            source.size_bytes = known.size_bytes
            if not source.profile and not source.text_id:
                source.profile, source.text_id = known.profile, known.text_id
        self.texts[source.source] = source.text_id

    def evidence(self, draft: Draft, evidence: Iterable[Evidence], path: str) -> None:
        """Names the text of each passage's source."""
        for at, passage in enumerate(evidence):
            if passage.text_id or not passage.source:
                continue
            field = f"{path}[{at}].source"
            if passage.source not in self.texts:
                accepted = "a source of a record above, or one on record"
                try:
                    text = self.archive.source(passage.source).definition.text_id
                except CallError as error:
                    raise self.error(draft, field, error.message, accepted) from error
                self.texts[passage.source] = text
            if not self.texts[passage.source]:
                accepted = "a source of a media type that has text"
                raise self.error(draft, field, "the source has no text to quote", accepted)
            passage.text_id = self.texts[passage.source]

    def said_for(self, draft: Draft, statement: Statement) -> None:
        if not statement.speaker or statement.said_for or draft.personal:
            return
        try:
            said_for = _capacity.implied(statement, self.mandates_of(statement.speaker))
        except _capacity.Unclear as error:
            accepted = (
                f'saidFor in so many words ([{{"actor": "{error.organization}", '
                '"basis": "STATED"}]), or "personal": True'
            )
            raise self.error(draft, "saidFor", str(error), accepted) from error
        statement.said_for.extend(said_for)

    def mandates_of(self, person: str) -> list[MandateGranted]:
        """A person's mandates, each in its newest version with the end that stands; read off the
        ledger, where they stand in the order that counts."""
        kinds = ("mandate_granted", "mandate_ended")
        if any(it.draft.kind in kinds for it in self.waiting):
            self.send()
        size = max(self.archive.head().size, self.archive.size)
        if self.mandates_read < size:
            for entry in self.archive.entries(self.mandates_read, kinds=kinds):
                granted, ended = entry.record.mandate_granted, entry.record.mandate_ended
                if entry.kind == "mandate_granted":
                    self.mandates[granted.mandate_id] = granted
                elif ended.mandate_id in self.mandates:
                    self.mandates[ended.mandate_id].end = ended.end
            self.mandates_read = size
        return [it for it in self.mandates.values() if it.person == person]

    def known(self, draft: Draft, id: str) -> tuple[Statement, str]:
        """A statement that a record is about, and the record id of its newest version."""
        try:
            view = self.archive.statement(id)
        except CallError as error:
            accepted = "a statement of a record above, or one on record"
            raise self.error(draft, "statement", error.message, accepted) from error
        corrections = [it.provenance.record for it in view.corrections]
        return view.statement, (corrections or [id])[-1]

    def correction(self, draft: Draft) -> None:
        """Builds a correction on the newest version, with the speaker and capacity that cannot
        be corrected."""
        correction = draft.record.statement_corrected
        corrected = correction.corrected
        said_for_left_out = not corrected.said_for and not draft.personal
        voiced = corrected.WhichOneof("voice") is not None
        if correction.corrects and voiced and not said_for_left_out:
            return
        if any(it.draft.kind.startswith("statement") for it in self.waiting):
            self.send()
        stands, newest = self.known(draft, correction.statement)
        correction.corrects = correction.corrects or newest
        if not voiced:
            corrected.speaker = stands.speaker
            if stands.HasField("anonymous"):
                corrected.anonymous.CopyFrom(stands.anonymous)
        if said_for_left_out:
            repeated = [SaidFor(actor=it.actor, basis=it.basis) for it in stands.said_for]
            corrected.said_for.extend(repeated)

    def repeat(self, draft: Draft) -> None:
        """Repeats a statement's speaker and the organisations it was said for."""
        body = getattr(draft.record, draft.kind)
        if body.speaker and body.said_for:
            return
        stands, _ = self.known(draft, body.statement)
        body.speaker = body.speaker or stands.speaker
        if not body.said_for:
            body.said_for.extend(it.actor for it in stands.said_for)

    def attestation(self, draft: Draft) -> None:
        """Signs the payload of a record that is on record, with every key of the call."""
        added = draft.record.attestation_added
        if added.verifiers or added.signatures:
            return
        try:
            payload = self.archive.entry(added.record).payload
        except CallError as error:
            accepted = "a record that is on record"
            raise self.error(draft, "record", error.message, accepted) from error
        for key in self.keys:
            added.verifiers.append(key.public)
            added.signatures.append(key.sign(payload).signature)
