"""A connection to a daemon: its services, and calls whose failures are this package's errors.

Every call has a bound in time but those that answer in streams, which take as long as they take;
a connection that falls silent is given up all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf.message import Message

from onrecord._errors import Closed, of_call
from onrecord._request import build
from onrecord.v1 import (
    admin_service_pb2_grpc,
    catalog_service_pb2_grpc,
    ledger_service_pb2_grpc,
    position_service_pb2_grpc,
    record_service_pb2_grpc,
    source_service_pb2_grpc,
)
from onrecord.v1 import common_pb2 as common
from onrecord.v1 import ledger_service_pb2 as ledger

if TYPE_CHECKING:
    from typing_extensions import Self

# How long the first connection may take.
_CONNECT_SECONDS_MAX = 5

# How many seconds a call may take: as long as a daemon waits by default for a full queue, a
# commit and a projection (30 each), and half a minute more.
_ANSWER_SECONDS_MAX = 120

# The largest answer that is read: a timeline of 10,000 steps of some 2 KiB each, and as much again.
_ANSWER_BYTES_MAX = 40 * 1024 * 1024

_OPTIONS = (
    ("grpc.max_receive_message_length", _ANSWER_BYTES_MAX),
    # After five seconds of silence the other side is asked whether it lives, and has five more.
    ("grpc.keepalive_time_ms", 5_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    # How long a connection may take to be made.
    ("grpc.min_reconnect_backoff_ms", 5_000),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)

_Asked = TypeVar("_Asked", bound=Message)
_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class Connection:
    """A connection to a daemon. Ends with `close`, or at the end of a `with`."""

    def __init__(self, address: str) -> None:
        self.address = address
        """Where the daemon is."""
        self._channel = grpc.insecure_channel(address, options=_OPTIONS)
        self.positions_service = position_service_pb2_grpc.PositionServiceStub(self._channel)
        self.catalog = catalog_service_pb2_grpc.CatalogServiceStub(self._channel)
        self.ledger = ledger_service_pb2_grpc.LedgerServiceStub(self._channel)
        self.records = record_service_pb2_grpc.RecordServiceStub(self._channel)
        self.sources_service = source_service_pb2_grpc.SourceServiceStub(self._channel)
        self.admin = admin_service_pb2_grpc.AdminServiceStub(self._channel)
        self.size = 0
        """How much of the ledger every answer has read at least."""
        self.origin = ""
        """The archive's name, which goes into every signature."""
        try:
            request = ledger.GetHeadRequest()
            self.origin = self.ledger.GetHead(request, timeout=_CONNECT_SECONDS_MAX).origin
        except grpc.RpcError as error:
            self.close()
            raise of_call(error, address) from error

    def __repr__(self) -> str:
        return f"<onrecord archive {self.origin} at {self.address}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def request(self, kind: type[_Asked], /, **given: object) -> _Asked:
        """A request of the arguments that are not None, whose answer has read what answers to
        this object have, as far as that counts. Raises `ArgumentError`."""
        request = build(kind, given)
        if "at_least_size" in request.DESCRIPTOR.fields_by_name:
            known_at = given.get("known_at")
            counts = min(self.size, known_at) if isinstance(known_at, int) else self.size
            setattr(request, "at_least_size", counts)
        return request

    def call(
        self, method: grpc.UnaryUnaryMultiCallable[_Request, _Response], request: _Request
    ) -> _Response:
        """Calls a method of one of the services, for what has no method of its own here."""
        with self.failures():
            return method(request, timeout=_ANSWER_SECONDS_MAX)

    def stream(
        self,
        method: grpc.UnaryStreamMultiCallable[_Request, _Response],
        request: _Request,
    ) -> Iterator[_Response]:
        """Calls a method that answers in a stream."""
        with self.failures():
            answers = method(request)
        return self._answers(answers)

    def _answers(self, answers: Iterator[_Response]) -> Iterator[_Response]:
        with self.failures():
            yield from answers

    def pages(
        self, method: grpc.UnaryUnaryMultiCallable[_Request, _Response], request: _Request
    ) -> Iterator[_Response]:
        """The pages of a list, each asked for when it is reached."""
        following: Any = request
        while True:
            answer: Any = self.call(method, request)
            yield answer
            following.page_token = answer.next_page_token
            if not following.page_token:
                return

    @contextmanager
    def failures(self) -> Iterator[None]:
        """Makes what grpc raises this package's errors."""
        try:
            yield
        except grpc.RpcError as error:
            raise of_call(error, self.address) from error
        except ValueError as error:
            # What grpc says of a channel that is closed, and of nothing else.
            raise Closed(
                f"this connection to {self.address} was closed",
                reason="CLOSED",
                accepted="another one: onrecord.connect()",
            ) from error

    def head(self) -> common.Head:
        """The newest durable size and root."""
        return self.call(self.ledger.GetHead, ledger.GetHeadRequest()).head

    def grew_to(self, size: int) -> None:
        """Takes note that the ledger has `size` entries: later answers have read as much."""
        self.size = max(self.size, size)
