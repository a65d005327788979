"""How calls are made, against a daemon of the test's own that answers as it is told: what comes in
pages, and what is sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, NoReturn

import blake3
import grpc
import onrecord
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from onrecord import rpc_status_pb2 as rpc_status
from onrecord.v1 import catalog_service_pb2 as catalog
from onrecord.v1 import catalog_service_pb2_grpc as catalog_grpc
from onrecord.v1 import common_pb2 as common
from onrecord.v1 import ledger_service_pb2 as ledger
from onrecord.v1 import ledger_service_pb2_grpc as ledger_grpc
from onrecord.v1 import position_service_pb2 as positions
from onrecord.v1 import position_service_pb2_grpc as positions_grpc
from onrecord.v1 import record_service_pb2 as records
from onrecord.v1 import record_service_pb2_grpc as records_grpc
from onrecord.v1 import source_service_pb2 as documents
from onrecord.v1 import source_service_pb2_grpc as documents_grpc

KEY = onrecord.SigningKey(bytes(range(32)))


def fail(context: grpc.ServicerContext, code: grpc.StatusCode, *details: Message) -> NoReturn:
    """Fails a call as the daemon does, with details."""
    said = [
        AnyMessage(
            type_url=f"type.googleapis.com/google.rpc.{detail.DESCRIPTOR.name}",
            value=detail.SerializeToString(),
        )
        for detail in details
    ]
    status = rpc_status.Status(code=code.value[0], message="as it was told", details=said)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, "as it was told")


def overloaded(context: grpc.ServicerContext) -> NoReturn:
    fail(
        context,
        grpc.StatusCode.UNAVAILABLE,
        rpc_status.ErrorInfo(reason="OVERLOADED"),
        rpc_status.RetryInfo(retry_delay=Duration(nanos=1_000_000)),
    )


class Ledger(ledger_grpc.LedgerServiceServicer):
    """A ledger of five entries, of which each subscription brings one and ends."""

    def __init__(self) -> None:
        self.starts: list[int] = []

    def GetHead(self, request: Any, context: Any) -> ledger.GetHeadResponse:
        return ledger.GetHeadResponse(origin="told.example.org", head=common.Head(size=5))

    def Subscribe(
        self, request: ledger.SubscribeRequest, context: grpc.ServicerContext
    ) -> Iterator[ledger.SubscribeResponse]:
        self.starts.append(request.start)
        if request.start >= 5:
            yield ledger.SubscribeResponse(caught_up=common.Head(size=5))
            return
        yield ledger.SubscribeResponse(entry=ledger.LedgerEntry(index=request.start))
        # The one after it was considered, and is not wanted by the filter.
        fail(
            context,
            grpc.StatusCode.ABORTED,
            rpc_status.ErrorInfo(
                reason="SLOW_CLIENT", metadata={"resume_from": str(request.start + 2)}
            ),
        )


class Catalog(catalog_grpc.CatalogServiceServicer):
    """Three pages of mandates, and nothing else."""

    def __init__(self) -> None:
        self.asked: list[catalog.ListMandatesRequest] = []

    def ListMandates(
        self, request: catalog.ListMandatesRequest, context: Any
    ) -> catalog.ListMandatesResponse:
        self.asked.append(request)
        page = int(request.page_token or 0)
        mandate = catalog.Mandate()
        mandate.definition.mandate_id = f"mandate-{page}"
        mandates = [] if page == 1 else [mandate]
        following = str(page + 1) if page < 2 else ""
        return catalog.ListMandatesResponse(mandates=mandates, next_page_token=following)

    def GetActor(self, request: Any, context: grpc.ServicerContext) -> NoReturn:
        fail(context, grpc.StatusCode.NOT_FOUND)

    def GetTopic(self, request: Any, context: grpc.ServicerContext) -> NoReturn:
        fail(context, grpc.StatusCode.NOT_FOUND)


class Records(records_grpc.RecordServiceServicer):
    """Takes records once it was asked often enough."""

    def __init__(self, refusals: int, refuse: Callable[[grpc.ServicerContext], NoReturn]) -> None:
        self.refusals = refusals
        self.refuse = refuse
        self.payloads: list[bytes] = []

    def Append(
        self, request: records.AppendRequest, context: grpc.ServicerContext
    ) -> records.AppendResponse:
        self.payloads.append(request.envelopes[0].payload)
        if len(self.payloads) <= self.refusals:
            self.refuse(context)
        already = records.AlreadyRecorded(index=7, record="ab" * 32)
        return records.AppendResponse(results=[records.AppendResult(already_recorded=already)])


class Watched(positions_grpc.PositionServiceServicer):
    """An entry at 3 that changes three positions, of which each watch brings one and is cut off
    without a status of the daemon's."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, str]] = []

    def WatchPositions(
        self, request: positions.WatchPositionsRequest, context: grpc.ServicerContext
    ) -> Iterator[positions.WatchPositionsResponse]:
        self.asked.append((request.start, request.after.actor))
        left = [it for it in ("a", "b", "c") if it > request.after.actor]
        if request.start > 3 or not left:
            yield positions.WatchPositionsResponse(caught_up=common.Head(size=5))
            return
        position = positions.Position(actor=left[0], topic="harbour")
        yield positions.WatchPositionsResponse(index=3, position=position)
        context.abort(grpc.StatusCode.UNAVAILABLE, "cut off")


class Sources(documents_grpc.SourceServiceServicer):
    """Serves the same document for every source."""

    def GetSource(
        self, request: documents.GetSourceRequest, context: Any
    ) -> Iterator[documents.GetSourceResponse]:
        for chunk in (b"a ", b"document"):
            yield documents.GetSourceResponse(chunk=chunk)


@contextmanager
def told(
    ledger: Ledger,
    catalog: Catalog | None = None,
    records: Records | None = None,
    sources: Sources | None = None,
    watched: Watched | None = None,
) -> Iterator[onrecord.Archive]:
    server = grpc.server(ThreadPoolExecutor(4))
    ledger_grpc.add_LedgerServiceServicer_to_server(ledger, server)
    if catalog:
        catalog_grpc.add_CatalogServiceServicer_to_server(catalog, server)
    if records:
        records_grpc.add_RecordServiceServicer_to_server(records, server)
    if watched:
        positions_grpc.add_PositionServiceServicer_to_server(watched, server)
    if sources:
        documents_grpc.add_SourceServiceServicer_to_server(sources, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with onrecord.connect(f"127.0.0.1:{port}", key=KEY) as archive:
        yield archive
    server.stop(None)


def read() -> dict[str, Any]:
    """A record of which nothing is filled in."""
    return {"sourceRead": {"source": "ab" * 32, "topics": ["harbour"], "whole": True}}


def test_a_list_is_asked_for_page_by_page_also_across_an_empty_one() -> None:
    service = Catalog()
    with told(Ledger(), catalog=service) as archive:
        mandates = archive.mandates(person="lavrov", known_at=4)
        assert next(mandates).definition.mandate_id == "mandate-0"
        assert len(service.asked) == 1
        assert [it.definition.mandate_id for it in mandates] == ["mandate-2"]
    assert [it.page_token for it in service.asked] == ["", "1", "2"]
    assert {(it.person, it.known_at) for it in service.asked} == {("lavrov", 4)}


def test_what_an_overloaded_daemon_did_not_take_is_sent_again_byte_for_byte() -> None:
    service = Records(3, overloaded)
    with told(Ledger(), records=service) as archive:
        (result,) = archive.append(read())
    assert len(service.payloads) == 4
    assert len(set(service.payloads)) == 1
    assert (result.index, result.already, result.kind) == (7, True, "source_read")


def test_a_daemon_that_stays_overloaded_is_not_asked_for_ever() -> None:
    service = Records(100, overloaded)
    with told(Ledger(), records=service) as archive:
        with pytest.raises(onrecord.CallError) as error:
            archive.append(read())
    assert error.value.reason == "OVERLOADED"
    assert error.value.retry_after == 0.001
    assert len(service.payloads) == 16


def test_what_cannot_be_mended_by_waiting_is_not_sent_again() -> None:
    def poisoned(context: grpc.ServicerContext) -> NoReturn:
        info = rpc_status.ErrorInfo(reason="LEDGER_POISONED")
        fail(context, grpc.StatusCode.FAILED_PRECONDITION, info)

    service = Records(100, poisoned)
    with told(Ledger(), records=service) as archive:
        with pytest.raises(onrecord.CallError) as error:
            archive.append(read())
    assert error.value.reason == "LEDGER_POISONED"
    assert len(service.payloads) == 1


def test_a_daemon_that_takes_too_long_is_not_asked_again() -> None:
    def silent(context: grpc.ServicerContext) -> NoReturn:
        # As grpc says it itself when the time is over: without details.
        context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "")

    service = Records(100, silent)
    with told(Ledger(), records=service) as archive:
        with pytest.raises(onrecord.Unreachable) as error:
            archive.append(read())
    assert error.value.reason == "NO_ANSWER"
    assert len(service.payloads) == 1


def test_a_subscription_resumes_from_the_index_that_the_status_names() -> None:
    service = Ledger()
    with told(service) as archive:
        entries = list(archive.follow(0, until_caught_up=True))
    assert [it.index for it in entries] == [0, 2, 4]
    assert service.starts == [0, 2, 4, 6]


def test_bytes_that_are_not_the_source_are_told_where_blake3_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with told(Ledger(), sources=Sources()) as archive:
        source = blake3.blake3(b"a document").hexdigest()
        assert archive.get_source(source) == b"a document"
        with pytest.raises(onrecord.NotTheSource) as error:
            archive.get_source("ab" * 32)
        assert error.value.reason == "SOURCE_ID_MISMATCH"
        assert source in error.value.message
        monkeypatch.setattr("onrecord._archive.blake3", None)
        assert archive.get_source("ab" * 32) == b"a document"


def test_a_watch_that_is_cut_off_goes_on_within_the_entry() -> None:
    service = Watched()
    with told(Ledger(), catalog=Catalog(), watched=service) as archive:
        with archive.watch(start=0, until_caught_up=True) as watch:
            places = [(it.after.actor, watch.next_index, watch.after) for it in watch]
        assert places == [(it, 3, (it, "harbour")) for it in ("a", "b", "c")]
        assert (watch.next_index, watch.after) == (5, None)
    assert service.asked == [(0, ""), (3, "a"), (3, "b"), (3, "c")]
