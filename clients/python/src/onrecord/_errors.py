"""What can go wrong, as exceptions that carry what the archive says: the reason, the field,
what would be accepted.

Invariant: every exception that this package raises by itself is an `OnRecordError`. One that
the daemon's status became carries that status's details; nothing is parsed out of prose but
what the daemon itself puts behind "; accepted: ".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc

from onrecord import rpc_status_pb2 as rpc_status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from onrecord._append import Recorded
    from onrecord.v1 import record_service_pb2 as records

# What stands between what is wrong with a field and what would be accepted.
_ACCEPTED = "; accepted: "

# The reason where a daemon that may be there did not answer in time.
NO_ANSWER = "NO_ANSWER"

# Where a word begins within a protobuf-JSON name.
_CAPITAL = re.compile(r"(?<=[a-z0-9])[A-Z]")

_DETAILS = "grpc-status-details-bin"


class OnRecordError(Exception):
    """Something was not done, and why."""

    def __init__(
        self, message: str, *, reason: str = "", field: str = "", accepted: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        """What is wrong, for people."""
        self.reason = reason
        """The reason, for programs: `QUOTE_NOT_FOUND`."""
        self.field = field
        """The path to the field at fault; empty where none is."""
        self.accepted = accepted
        """What would be accepted, for people; empty where nothing can be said."""

    def __str__(self) -> str:
        field = f"{self.field}: " if self.field else ""
        accepted = f"{_ACCEPTED}{self.accepted}" if self.accepted else ""
        reason = f" ({self.reason})" if self.reason else ""
        return f"{field}{self.message}{accepted}{reason}"


class Unreachable(OnRecordError):
    """No daemon answers, or it went away during the call."""


class Closed(OnRecordError):
    """The connection was closed before."""


class AddressError(OnRecordError):
    """The address is none."""


class NotTheSource(OnRecordError):
    """What the daemon serves as a source is something else."""


class KeyFileError(OnRecordError):
    """A file holds no key that can be used."""


class ArgumentError(OnRecordError):
    """An argument is of a wrong type or out of range. `field` names it; nothing was asked."""

    def __init__(
        self, message: str, *, reason: str = "NOT_ASKED", field: str = "", accepted: str = ""
    ) -> None:
        super().__init__(message, reason=reason, field=field, accepted=accepted)


class SignedFileError(OnRecordError):
    """The file that keeps what was signed is damaged, or another run has it."""


class AuthoringError(OnRecordError):
    """A record as it was written cannot be made one, and was not sent."""

    def __init__(
        self,
        message: str,
        *,
        place: int = 0,
        reason: str = "NOT_SENT",
        field: str = "",
        accepted: str = "",
    ) -> None:
        super().__init__(message, reason=reason, field=field, accepted=accepted)
        self.place = place
        """Which record of the call, counted from 0."""

    def __str__(self) -> str:
        return f"record {self.place}: {super().__str__()}"


class CallError(OnRecordError):
    """The daemon answered a call with an error."""

    def __init__(
        self,
        message: str,
        *,
        code: grpc.StatusCode,
        reason: str = "",
        field: str = "",
        accepted: str = "",
        retry_after: float | None = None,
        resume_from: int | None = None,
    ) -> None:
        super().__init__(message, reason=reason, field=field, accepted=accepted)
        self.code = code
        """The canonical gRPC code."""
        self.retry_after = retry_after
        """After how many seconds to try again, if the daemon says so."""
        self.resume_from = resume_from
        """The index from which to resume, of a subscription that ended."""


class NotOnRecord(CallError):
    """What was asked for is not on record, or was not yet."""


class InvalidQuestion(CallError):
    """What cannot be asked: a field is missing, malformed or out of range."""


@dataclass(frozen=True)
class Passage:
    """A passage of a source's text."""

    start: int
    """Where it starts, in code points."""
    end: int
    """Where it ends, exclusive."""
    text: str


class Refused(OnRecordError):
    """The daemon did not take a record."""

    def __init__(self, place: int, refusal: records.Refusal) -> None:
        super().__init__(
            refusal.message,
            reason=refusal.reason,
            field=refusal.field,
            accepted=refusal.accepted,
        )
        self.place = place
        """Which record of the call, counted from 0."""
        self.code = refusal.code
        """The canonical gRPC code that fits: `INVALID_ARGUMENT`."""
        self.nearest = tuple(Passage(it.start, it.end, it.text) for it in refusal.nearest)
        """For a quotation that was not found: passages that come near."""
        self.retryable = refusal.retryable
        """Whether the same record may be accepted later, unchanged."""

    def __str__(self) -> str:
        near = "".join(f"\n  near, at {it.start}: {it.text}" for it in self.nearest)
        return f"record {self.place}: {super().__str__()}{near}"


class RecordsRefused(OnRecordError):
    """Some records of a call are not on record. The others are."""

    def __init__(self, results: Sequence[Recorded | Refused | AuthoringError]) -> None:
        self.results = list(results)
        """One for each record of the call, in order."""
        self.refused = [it for it in results if isinstance(it, OnRecordError)]
        """Those that are not on record, and why."""
        first = self.refused[0]
        super().__init__(
            f"{len(self.refused)} of {len(results)} records were refused:\n"
            + "\n".join(str(it) for it in self.refused),
            reason=first.reason,
            field=first.field,
            accepted=first.accepted,
        )

    def __str__(self) -> str:
        return self.message


def unreadable(path: object, field: str, error: OSError) -> ArgumentError:
    """What to raise for a file, named by an argument, that cannot be read."""
    said = f"{path}: {error.strerror or error}"
    return ArgumentError(said, field=field, accepted="a file that can be read")


def of_call(error: grpc.RpcError, address: str) -> OnRecordError:
    """What a failed call means."""
    assert isinstance(error, grpc.Call)  # As grpc has it of all that it raises from calls.
    code = error.code()
    text = error.details() or code.name
    details = _details(error)
    if details is None and code in (
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
    ):
        return Unreachable(
            f"no daemon answers at {address}: {text}",
            reason=NO_ANSWER if code is grpc.StatusCode.DEADLINE_EXCEEDED else "UNREACHABLE",
            accepted="the address of a running daemon (`onrecord serve` starts one)",
        )
    kind: type[CallError] = CallError
    if code is grpc.StatusCode.NOT_FOUND:
        kind = NotOnRecord
    elif code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE):
        kind = InvalidQuestion
    if details is None:
        return kind(text, code=code)
    return kind(**_said(text, details), code=code)


def _details(error: grpc.Call) -> rpc_status.Status | None:
    for name, value in error.trailing_metadata() or ():
        if name == _DETAILS and isinstance(value, bytes):
            return rpc_status.Status.FromString(value)
    return None


def _said(text: str, status: rpc_status.Status) -> dict[str, Any]:
    said: dict[str, Any] = {"message": text}
    for detail in status.details:
        kind = detail.type_url.rpartition("/")[2]
        if kind == "google.rpc.ErrorInfo":
            info = rpc_status.ErrorInfo.FromString(detail.value)
            said["reason"] = info.reason
            resume_from = info.metadata.get("resume_from", "")
            said["resume_from"] = int(resume_from) if resume_from.isdecimal() else None
        elif kind == "google.rpc.BadRequest":
            for violation in rpc_status.BadRequest.FromString(detail.value).field_violations[:1]:
                message, _, accepted = violation.description.partition(_ACCEPTED)
                said.update(field=_argument(violation.field), message=message, accepted=accepted)
        elif kind == "google.rpc.RetryInfo":
            delay = rpc_status.RetryInfo.FromString(detail.value).retry_delay
            said["retry_after"] = delay.ToTimedelta().total_seconds()
    return said


def _argument(field: str) -> str:
    """How a request's field, which the daemon tells by its protobuf-JSON name, is called here."""
    name = _CAPITAL.sub(lambda it: f"_{it[0].lower()}", field)
    return name.removesuffix("_time") if name.endswith("known_at_time") else name
