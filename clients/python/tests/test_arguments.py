"""Every argument of a wrong type or out of range is told by an error that names it and what is
accepted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import onrecord
import pytest
from conftest import Daemon
from onrecord.record.v1.statement_pb2 import WORDING_VERBATIM
from onrecord.v1 import position_service_pb2 as positions

ASKED = ("kremlin", "leaders-meeting")

KEY = onrecord.SigningKey(bytes(range(32)))

# Asked of anything, as a type checker would tell what is wrong.
Ask = Callable[[Any], object]


@pytest.mark.parametrize(
    ("ask", "field", "accepted"),
    [
        (lambda it: it.position(7, "leaders-meeting"), "actor", "a text"),
        (lambda it: it.position("\ud800", "t"), "actor", "lone surrogates"),
        (lambda it: it.position(*ASKED, as_of=7), "as_of", "an EDTF date or a date"),
        (lambda it: it.position(*ASKED, with_parts="yes"), "with_parts", "True or False"),
        (lambda it: it.position(*ASKED, known_at=-1), "known_at", "a size of the ledger"),
        (lambda it: it.position(*ASKED, known_at=2**64), "known_at", "a size of the ledger"),
        (lambda it: it.position(*ASKED, known_at=True), "known_at", "a size of the ledger"),
        (lambda it: it.position(*ASKED, known_at="5"), "known_at", "or a datetime"),
        (lambda it: it.position(*ASKED, known_at=datetime(2025, 1, 1)), "known_at", "timezone"),
        (lambda it: it.compare(*ASKED, from_known_at=-1), "from_known_at", "a size of the ledger"),
        (lambda it: it.actor("kremlin", known_at=1.5), "known_at", "a size of the ledger"),
        (lambda it: it.actors(known_at=-1), "known_at", "a size of the ledger"),
        (lambda it: it.positions(known_at=-1), "known_at", "a size of the ledger"),
        (lambda it: it.position(*ASKED, filter=7), "filter", "a PositionFilter"),
        (lambda it: it.compare(*ASKED, from_filter=[]), "from_filter", "a PositionFilter"),
        (
            lambda it: it.position(*ASKED, filter={"wording": []}),
            "filter.wording",
            "one of wordings, bases, ",
        ),
        (
            lambda it: it.position(*ASKED, filter={"wordings": "VERBATIM"}),
            "filter.wordings",
            "a list",
        ),
        (
            lambda it: it.position(*ASKED, filter={"wordings": ["VERBATIM", "VERBATM"]}),
            "filter.wordings[1]",
            "one of VERBATIM, TRANSLATED, RETRANSLATED, PARAPHRASED",
        ),
        (
            lambda it: it.position(*ASKED, filter={"attestations_min": -1}),
            "filter.attestations_min",
            "a whole number from 0 to",
        ),
        (
            lambda it: it.position(*ASKED, filter={"mandated_only": 1}),
            "filter.mandated_only",
            "True or False",
        ),
        (lambda it: it.testimonies(*ASKED, standing="FIRST"), "standing", "FRONT"),
        (lambda it: it.coverage("leaders-meeting", reading="ALL"), "reading", "WHOLE"),
        (lambda it: it.statements(wordings=[9]), "wordings[0]", "one of VERBATIM"),
        (lambda it: it.entry(-1), "index", "a whole number"),
        (lambda it: it.entry(1.5), "which", "a record id"),
        (lambda it: it.entries(-1), "start", "a whole number"),
        (lambda it: it.entries(limit="3"), "limit", "a whole number"),
        (lambda it: it.entries(kinds="topic_defined"), "kinds", "a list"),
        (lambda it: it.follow(-1), "start", "a whole number"),
        (lambda it: it.get_source(7), "source", "a text"),
        (lambda it: it.source_text(7), "source", "a text"),
        (lambda it: it.put_source(7, "text/plain"), "document", "the path to a file"),
        (lambda it: it.put_source("nothing.txt", "text/plain"), "document", "can be read"),
        (lambda it: it.append(7, key=KEY), "records", "a dictionary, or several"),
        (lambda it: it.append([], key=7), "key", "the path to a key file"),
        (lambda it: it.append([], key=[7]), "key", "a file that `onrecord keygen` made"),
        (lambda it: it.append([], key=KEY, directory=7), "directory", "a path"),
        (lambda it: it.append([], key=KEY, signed=7), "signed", "a path"),
        (lambda it: it.append([], key=KEY, signed="no/such/place"), "signed", "can be written"),
        (lambda _: onrecord.SigningKey(b"short"), "seed", "32 bytes"),
    ],
)
def test_an_argument_that_does_not_fit_is_told_before_anything_is_asked(
    summit: onrecord.Archive, ask: Ask, field: str, accepted: str
) -> None:
    with pytest.raises(onrecord.ArgumentError) as error:
        ask(summit)
    assert error.value.field == field
    assert accepted in error.value.accepted
    assert error.value.reason == "NOT_ASKED"
    assert str(error.value).startswith(f"{field}: ")


def test_what_only_the_daemon_can_judge_is_told_by_the_daemon(summit: onrecord.Archive) -> None:
    with pytest.raises(onrecord.InvalidQuestion) as absurd:
        summit.position(*ASKED, known_at=10**9)
    assert (absurd.value.reason, absurd.value.field) == ("BEYOND_THE_HEAD", "known_at")
    with pytest.raises(onrecord.InvalidQuestion) as future:
        summit.compare(*ASKED, from_known_at=datetime(9999, 1, 1, tzinfo=timezone.utc))
    assert future.value.field == "from_known_at"
    with pytest.raises(onrecord.InvalidQuestion) as day:
        summit.position(*ASKED, filter={"published_by": "yesterday"})
    assert day.value.field == "filter.published_by"
    with pytest.raises(onrecord.InvalidQuestion) as key:
        summit.position(*ASKED, filter={"verifiers": ["00"]})
    assert key.value.field == "filter.verifiers"


def test_a_filter_is_a_message_or_a_dictionary_with_short_or_whole_names(
    summit: onrecord.Archive,
) -> None:
    filters: list[Any] = [
        positions.PositionFilter(wordings=[WORDING_VERBATIM]),
        {"wordings": ["VERBATIM"]},
        {"wordings": ["WORDING_VERBATIM"]},
        {"wordings": (WORDING_VERBATIM,)},
    ]
    answers = [summit.position(*ASKED, as_of="2025-09-30", filter=it) for it in filters]
    assert answers.count(answers[0]) == len(filters)
    assert answers[0].filtered == {"WORDINGS": 6}
    assert "6 taken away by their wording" in repr(answers[0])


def test_a_closed_archive_says_so(daemon: Daemon) -> None:
    archive = onrecord.connect(daemon.address)
    archive.close()
    asks: list[Callable[[], object]] = [
        archive.head,
        lambda: list(archive.entries()),
        lambda: next(archive.follow(0)),
        lambda: archive.put_source(b"bytes", "text/plain"),
    ]
    for ask in asks:
        with pytest.raises(onrecord.Closed) as error:
            ask()
        assert error.value.reason == "CLOSED"


@pytest.mark.parametrize("address", [7, "127.0.0.1:65536", "127.0.0.1:７４５０", "a b:1"])
def test_what_cannot_be_an_address_is_refused(address: Any) -> None:
    with pytest.raises(onrecord.AddressError):
        onrecord.connect(address)


def test_a_key_file_s_path_may_be_anything_and_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, "a\0b", tmp_path / "nothing"):
        with pytest.raises(onrecord.KeyFileError):
            onrecord.SigningKey.read(path)
