"""Records as people write them: what is understood, and what is refused with what to write."""

from datetime import date, datetime, timedelta, timezone
from typing import Any

import onrecord
import pytest
from onrecord import _authoring, _capacity
from onrecord.record.v1 import definitions_pb2 as definitions
from onrecord.record.v1 import statement_pb2 as statements

WEST = timezone(timedelta(hours=-3))

ABOVE = {"digest": "ab" * 32}


def test_short_enum_names_both_spellings_dates_and_references_are_understood() -> None:
    draft = _authoring.read(
        {
            "key": "said",
            "statement_recorded": {
                "speaker": "lavrov",
                "saidAt": date(2025, 8, 19),
                "wording": "PARAPHRASED",
                "evidence": [{"source": "@digest", "establishes": ["WORDS", "ESTABLISHES_DATE"]}],
                "personal": True,
                "text": "@digest is no reference here",
            },
        },
        0,
        ABOVE,
    )
    said = draft.record.statement_recorded
    assert (draft.key, draft.kind, draft.personal) == ("said", "statement_recorded", True)
    assert draft.refers_to == {"digest"}
    assert said.said_at == "2025-08-19"
    assert said.wording == statements.WORDING_PARAPHRASED
    assert said.evidence[0].source == ABOVE["digest"]
    assert list(said.evidence[0].establishes) == [1, 3]
    assert said.text == "@digest is no reference here"


def test_times_of_the_standard_library_are_written_in_utc() -> None:
    moscow = timezone(timedelta(hours=3))
    written = {"sourceArchived": {"capturedAt": datetime(2025, 8, 20, 9, tzinfo=moscow)}}
    source = _authoring.read(written, 0, {}).record.source_archived
    assert source.captured_at.ToJsonString() == "2025-08-20T06:00:00Z"


@pytest.mark.parametrize(
    ("written", "field", "message", "accepted"),
    [
        ({}, "", "it holds no record", "statementRecorded"),
        ({"actorDefined": {}, "topicDefined": {}}, "", "actorDefined and topicDefined", "one of"),
        ({"actorDefind": {}}, "", "did you mean 'actorDefined'?", "actorDefined"),
        ({"actorDefined": {"kin": "PERSON"}}, "actorDefined", "did you mean 'kind'?", "names"),
        (
            {"actorDefined": {"kind": "PERSN"}},
            "actorDefined.kind",
            "did you mean 'PERSON'?",
            "one of PERSON, ORGANIZATION, STATE, GROUP, POPULATION",
        ),
        ({"actorDefined": {"names": "x"}}, "actorDefined.names", "'x' does not fit", "a list"),
        ({"actorDefined": []}, "actorDefined", "[] does not fit", "a dictionary"),
        ({"actorDefined": {"actorId": 7}}, "actorDefined.actorId", "7 does not fit", "a text"),
        ({"sourceArchived": {"sizeBytes": -1}}, "sourceArchived", "sizeBytes", "types"),
        ({"sourceArchived": {"capturedAt": 7}}, "sourceArchived.capturedAt", "7", "a datetime"),
        ({"sourceRead": {"whole": "yes"}}, "sourceRead.whole", "'yes' does not fit", "True"),
        (
            {"sourceArchived": {"capturedAt": datetime.max.replace(tzinfo=WEST)}},
            "sourceArchived.capturedAt",
            "9999-12-31",
            "a time whose year",
        ),
        ({"actorDefined": {"actor_id": "a", "actorId": "a"}}, "actorDefined.actorId", "both", "one"),
        ({"origin": "x", "actorDefined": {}}, "origin", "fills this in", "without"),
        ({"key": "no blank", "actorDefined": {}}, "key", "cannot be a key", "letters"),
        ({"key": "digest", "actorDefined": {}}, "key", "already", "no other record"),
        (
            {"sourceRead": {"source": "@digset"}},
            "sourceRead.source",
            "did you mean 'digest'?",
            "the key of a record above",
        ),
        ({"sourceRead": {"file": "x"}}, "sourceRead", "there is no field 'file'", "topics"),
        ({"statementRecorded": {"saidFor": []}}, "statementRecorded.saidFor", "personal", "True"),
        (
            {"statementRecorded": {"personal": True, "saidFor": [{"actor": "kremlin"}]}},
            "statementRecorded.personal",
            "said for nobody",
            "either",
        ),
        (
            {"sourceArchived": {"capturedAt": datetime(2025, 8, 20)}},
            "sourceArchived.capturedAt",
            "has no time zone",
            "timezone",
        ),
    ],
)
def test_a_mistake_is_told_with_its_field_and_what_would_be_accepted(
    written: dict[str, Any], field: str, message: str, accepted: str
) -> None:
    with pytest.raises(onrecord.AuthoringError) as error:
        _authoring.read(written, 3, ABOVE)
    assert error.value.place == 3
    assert error.value.reason == "NOT_SENT"
    assert error.value.field == field
    assert message in error.value.message
    assert accepted in error.value.accepted
    assert str(error.value).startswith("record 3: ")


def mandate(id: str, organization: str, **more: Any) -> definitions.MandateGranted:
    more.setdefault("authority", definitions.AUTHORITY_PRINCIPAL)
    return definitions.MandateGranted(
        mandate_id=id, person="lavrov", organization=organization, **more
    )


def implied(said_at: str, topics: list[str], *mandates: definitions.MandateGranted) -> list[str]:
    readings = [statements.Reading(topic=topic) for topic in topics]
    statement = statements.Statement(said_at=said_at, readings=readings)
    return [it.actor for it in _capacity.implied(statement, mandates)]


def test_every_organisation_that_a_speaking_mandate_covers_is_implied_in_order() -> None:
    affiliated = mandate("c", "institute", authority=definitions.AUTHORITY_AFFILIATED)
    both = mandate("a", "ministry"), mandate("b", "kremlin")
    assert implied("2025-08-19", ["t"], *both, affiliated) == ["kremlin", "ministry"]


@pytest.mark.parametrize(
    "said_at", ["2025-08-19", "2025-08-19T23:59:59Z", "2025-08-20T02:59:59+03:00"]
)
def test_the_first_and_the_last_day_in_office_count(said_at: str) -> None:
    assert implied(said_at, [], mandate("a", "k", start="2025-08-19", end="2025-08-19")) == ["k"]


@pytest.mark.parametrize(
    ("said_at", "bounds"),
    [
        ("2025-08-19", {"end": "2025-08-18"}),
        ("2025-08-20", {"end": "2025-08-19"}),
        ("2025-07", {"start": "2025-08"}),
        ("[..2024-12-31]", {"start": "2025"}),
        ("2025-08-20T00:00:00Z", {"end": "2025-08-19"}),
    ],
)
def test_a_mandate_outside_its_time_implies_nothing(said_at: str, bounds: dict[str, str]) -> None:
    assert implied(said_at, ["t"], mandate("a", "kremlin", **bounds)) == []


def test_a_mandate_for_other_topics_implies_nothing() -> None:
    assert implied("2025-08-19", ["t"], mandate("a", "kremlin", topics=["u"])) == []
    assert implied("2025-08-19", ["t"], mandate("a", "kremlin", topics=["t"])) == ["kremlin"]


@pytest.mark.parametrize(
    ("said_at", "topics", "more"),
    [
        ("2025-08", ["t"], {"start": "2025-08-10"}),
        ("2025-08-XX", ["t"], {"start": "2025-08-10"}),
        ("", ["t"], {"start": "2025-08-10"}),
        ("[2025-08-01..2025-08-15]", ["t"], {"start": "2025-08-10"}),
        ("19XX", ["t"], {"start": "2025-08-10"}),
        ("not a date", ["t"], {"start": "2025-08-10"}),
        ("2025-08-19", ["t", "u"], {"topics": ["t"]}),
        ("2025-08-19", [], {"topics": ["t"]}),
    ],
)
def test_a_mandate_that_covers_a_part_or_cannot_be_told_is_for_the_author(
    said_at: str, topics: list[str], more: dict[str, Any]
) -> None:
    with pytest.raises(_capacity.Unclear, match="'a'"):
        implied(said_at, topics, mandate("a", "kremlin", **more))
    whole = mandate("b", "kremlin")
    assert implied(said_at, topics, mandate("a", "kremlin", **more), whole) == ["kremlin"]
