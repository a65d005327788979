"""Records on their way into a real archive."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onrecord
import pytest
from conftest import Daemon
from onrecord.record.v1 import statement_pb2 as statements

DOCUMENT = "The speaker said on Monday: the harbour should be closed. — «Закрыть гавань»"
QUOTE = "the harbour should be closed"


def actor(slug: str, kind: str = "PERSON", name: str = "") -> dict[str, Any]:
    names = [{"language": "en", "name": name or slug}]
    return {"actorDefined": {"actorId": slug, "kind": kind, "names": names}}


TOPIC = {
    "topicDefined": {
        "topicId": "harbour",
        "kind": "POLICY",
        "proposition": "The harbour should be closed.",
    }
}
SOURCE: dict[str, Any] = {
    "key": "source",
    "sourceArchived": {
        "file": "document.txt",
        "mediaType": "text/plain; charset=utf-8",
        "capturedAt": "2025-09-02T06:00:00Z",
        "role": "SECONDARY",
    },
}


def statement(quote: str = QUOTE, **more: Any) -> dict[str, Any]:
    return {
        "statementRecorded": {
            "speaker": "speaker",
            "saidAt": "2025-09-01",
            "wording": "VERBATIM",
            "language": "en",
            "spokenLanguage": "en",
            "text": quote,
            "evidence": [
                {
                    "source": "@source",
                    "establishes": ["WORDS", "SPEAKER"],
                    "segments": [{"exact": quote}],
                }
            ],
            "readings": [
                {
                    "topic": "harbour",
                    "engagement": "ANSWERED",
                    "polarity": "SUPPORTS",
                    "strength": 2,
                }
            ],
            **more,
        }
    }


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "records"
    place.mkdir()
    (place / "document.txt").write_text(DOCUMENT)
    yield place


def test_a_statement_is_recorded_and_answers_a_question_at_once(
    archive: onrecord.Archive, directory: Path
) -> None:
    records = [actor("speaker"), TOPIC, SOURCE, statement()]
    results = archive.append(records, directory=directory)
    assert [it.index for it in results] == [1, 2, 3, 4]
    assert [it.kind for it in results][-1] == "statement_recorded"
    position = archive.position("speaker", "harbour", as_of="2025-09-30")
    assert position.finding == "STATED"
    assert str(position.stance) == "SUPPORTS 2"
    assert position.deciding is not None
    assert position.deciding.statement == results[-1].record
    assert archive.entry(results[-1].record).index == 4


def test_a_refused_record_says_why_and_keeps_no_other_out(
    archive: onrecord.Archive, directory: Path
) -> None:
    records = [
        actor("speaker"),
        TOPIC,
        SOURCE,
        {"key": "misquoted", **statement("the harbour should stay open")},
        statement(),
        {"statementRetracted": {"statement": "@misquoted", "reason": "It was misquoted."}},
    ]
    with pytest.raises(onrecord.RecordsRefused) as error:
        archive.append(records, directory=directory)
    results = error.value.results
    assert [type(it).__name__ for it in results] == [
        *["Recorded"] * 3,
        "Refused",
        "Recorded",
        "AuthoringError",
    ]
    refused, after = error.value.refused
    assert isinstance(refused, onrecord.Refused)
    assert refused.reason == "QUOTE_NOT_FOUND"
    assert refused.field == "statementRecorded.evidence[0].segments[0].exact"
    assert refused.accepted and refused.message
    assert any(QUOTE in near.text for near in refused.nearest)
    assert not refused.retryable
    assert after.field == "statementRetracted.statement"
    assert "was refused" in after.message
    assert archive.head().size == 5
    assert "2 of 6 records were refused" in str(error.value)


def test_a_record_with_a_mistake_is_refused_by_itself(
    archive: onrecord.Archive, directory: Path
) -> None:
    retracted = {"reason": "It was misquoted."}
    written: list[Any] = [
        {"key": "bad", "actorDefined": {"kind": "PERSN"}},
        actor("speaker"),
        TOPIC,
        SOURCE,
        {"key": "said", **statement()},
        7,
        {"key": "said", **actor("other")},
        {"statementRetracted": {"statement": "@bad", **retracted}},
        {"statementRetracted": {"statement": "@said", **retracted}},
    ]
    with pytest.raises(onrecord.RecordsRefused) as error:
        archive.append(written, directory=directory)
    assert [it.place for it in error.value.refused] == [0, 5, 6, 7]
    fields = [it.field for it in error.value.refused]
    assert fields == ["actorDefined.kind", "", "key", "statementRetracted.statement"]
    assert "was refused" in error.value.refused[-1].message
    assert "record 5: 7 does not fit; accepted: a dictionary" in str(error.value)
    recorded = [it for it in error.value.results if isinstance(it, onrecord.Recorded)]
    assert [it.index for it in recorded] == [1, 2, 3, 4, 5]
    # A mistake in a key that another record has does not take it from that record.
    assert archive.statement(recorded[3].record).retraction.reason == "It was misquoted."
    without_file = {"sourceArchived": {"mediaType": "text/plain", "file": "nothing.txt"}}
    with pytest.raises(onrecord.RecordsRefused, match="No such file"):
        archive.append(without_file)


def test_a_key_file_stands_for_its_public_key(archive: onrecord.Archive, directory: Path) -> None:
    for place, name in enumerate(("newsroom.key", "checkpoint.key")):
        keygen = directory / name
        keygen.write_text(f"onrecord-ed25519-seed {bytes([place] * 32).hex()}\n")
        keygen.chmod(0o600)
    newsroom = onrecord.SigningKey.read(directory / "newsroom.key").public
    enrolled = {"keyFile": "newsroom.key", "name": "Newsroom", "roles": ["ATTESTOR"]}
    archive.append(
        [
            {"verifierEnrolled": enrolled},
            {"verifierRevoked": {"keyFile": Path("newsroom.key"), "reason": "It left."}},
            {"checkpointKeySet": {"keyFile": "checkpoint.key"}},
        ],
        directory=directory,
    )
    assert archive.verifier(newsroom).revocation.reason == "It left."
    (key,) = archive.entries(kinds=["checkpoint_key_set"])
    public = onrecord.SigningKey.read(directory / "checkpoint.key").public
    assert key.record.checkpoint_key_set.checkpoint_key == public
    with pytest.raises(onrecord.RecordsRefused) as error:
        archive.append({"verifierEnrolled": {**enrolled, "keyFile": "document.txt"}})
    (refused,) = error.value.refused
    assert refused.field == "verifierEnrolled.keyFile"
    assert "onrecord keygen" in refused.accepted


def test_what_the_archive_knows_is_filled_in(archive: onrecord.Archive, directory: Path) -> None:
    """For whom it was said, the version that is replaced, what a correction repeats."""
    granted = {
        "mandateId": "speaker-port",
        "person": "speaker",
        "organization": "port",
        "roleTitle": "Director",
        "authority": "PRINCIPAL",
        "start": "2025",
    }
    results = archive.append(
        [
            actor("speaker"),
            actor("speaker", name="A Speaker"),
            actor("port", "ORGANIZATION"),
            {"mandateGranted": granted},
            TOPIC,
            SOURCE,
            {"key": "said", **statement()},
            {
                "statementCorrected": {
                    "statement": "@said",
                    "corrected": {
                        **statement()["statementRecorded"],
                        "venue": "the harbour",
                    },
                    "reason": "The venue was left out.",
                }
            },
            {
                "readingAdded": {
                    "statement": "@said",
                    "reading": {"topic": "harbour", "engagement": "DECLINED"},
                    "rationale": "Read again.",
                }
            },
            {"mandateEnded": {"mandateId": "speaker-port", "end": "2025-12-31", "reason": "Left."}},
        ],
        directory=directory,
    )
    by_kind = {it.kind: archive.entry(it.index).record for it in results}
    assert by_kind["actor_defined"].actor_defined.actor_id == "port"
    assert archive.actor("speaker").definition.replaces == results[0].record
    view = archive.statement(results[6].record)
    assert [it.actor for it in view.statement.said_for] == ["port"]
    assert view.statement.said_for[0].basis == statements.CAPACITY_BASIS_IMPLIED
    assert view.statement.venue == "the harbour"
    corrected = by_kind["statement_corrected"].statement_corrected
    assert corrected.corrects == results[6].record
    assert list(by_kind["reading_added"].reading_added.said_for) == ["port"]
    assert by_kind["mandate_ended"].mandate_ended.replaces == results[3].record
    retitled = {"sourceArchived": SOURCE["sourceArchived"] | {"title": "A document"}}
    (late,) = archive.append(retitled, directory=directory)
    assert archive.entry(late.index).record.source_archived.replaces == results[5].record


def test_whom_a_mandate_covers_only_in_part_is_for_the_author(
    archive: onrecord.Archive, directory: Path
) -> None:
    granted = {
        "mandateId": "speaker-port",
        "person": "speaker",
        "organization": "port",
        "roleTitle": "Director",
        "authority": "PRINCIPAL",
        "start": "2025-09-02",
    }
    records = [
        actor("speaker"),
        actor("port", "ORGANIZATION"),
        {"mandateGranted": granted},
        TOPIC,
        SOURCE,
        statement(saidAt="2025-09"),
        statement(saidAt="2025-09", personal=True),
    ]
    with pytest.raises(onrecord.RecordsRefused) as error:
        archive.append(records, directory=directory)
    (refused,) = error.value.refused
    assert refused.field == "statementRecorded.saidFor"
    assert '"personal": True' in refused.accepted


def test_another_verifier_vouches_for_a_record(
    archive: onrecord.Archive, daemon: Daemon, tmp_path: Path
) -> None:
    newsroom = onrecord.SigningKey(bytes(range(32)))
    enrolled, defined = archive.append(
        [
            {
                "verifierEnrolled": {
                    "verifier": newsroom.public,
                    "name": "Newsroom",
                    "roles": ["ATTESTOR"],
                }
            },
            actor("speaker"),
        ]
    )
    archive.append({"attestationAdded": {"record": defined.record}}, key=newsroom)
    verifiers = archive.actor("speaker").provenance.verifiers
    assert list(verifiers) == [onrecord.SigningKey.read(daemon.key).public, newsroom.public]
    assert archive.verifier(newsroom.public).definition.name == "Newsroom"


def test_without_a_key_nothing_is_appended(daemon: Daemon) -> None:
    with onrecord.connect(daemon.address) as archive:
        with pytest.raises(onrecord.OnRecordError, match="no key to sign with") as error:
            archive.append(actor("speaker"))
    assert error.value.field == "key"


def test_more_records_than_one_call_may_carry_are_appended(archive: onrecord.Archive) -> None:
    results = archive.append(actor(f"speaker-{place}") for place in range(1001))
    assert [it.index for it in results] == list(range(1, 1002))


def harbour() -> list[dict[str, Any]]:
    correction = {
        "statement": "@said",
        "corrected": statement(venue="the harbour")["statementRecorded"],
        "reason": "The venue was left out.",
    }
    return [
        actor("speaker"),
        actor("speaker", name="A Speaker"),
        TOPIC,
        SOURCE,
        {"key": "said", **statement()},
        {"statementCorrected": correction},
    ]


def test_what_was_kept_is_recorded_once_however_often_it_is_appended(
    archive: onrecord.Archive, directory: Path
) -> None:
    signed = directory / "records.signed"
    first = archive.append(harbour(), directory=directory, signed=signed)
    kept = signed.read_bytes()
    again = archive.append(harbour(), directory=directory, signed=signed)
    assert [(it.index, it.record) for it in again] == [(it.index, it.record) for it in first]
    assert [it.already for it in first + again] == [False] * 6 + [True] * 6
    assert signed.read_bytes() == kept
    more = archive.append([*harbour(), actor("other")], directory=directory, signed=signed)
    assert [it.already for it in more] == [True] * 6 + [False]
    # Without the file, everything is recorded anew.
    assert not any(it.already for it in archive.append(harbour(), directory=directory))


def test_a_file_that_changed_is_another_source(archive: onrecord.Archive, directory: Path) -> None:
    signed = directory / "records.signed"
    archive.append(SOURCE, directory=directory, signed=signed)
    (directory / "document.txt").write_text("Another document.")
    (other,) = archive.append(SOURCE, directory=directory, signed=signed)
    assert not other.already


def test_what_was_refused_is_filled_in_afresh(archive: onrecord.Archive, directory: Path) -> None:
    signed = directory / "records.signed"
    ended = {"mandateEnded": {"mandateId": "speaker-port", "end": "2025-12-31", "reason": "Left."}}
    retracted = {"statementRetracted": {"statement": "ab" * 32, "reason": "No."}}
    read = {"sourceRead": {"source": "ab" * 32, "topics": ["harbour"], "whole": True}}
    with pytest.raises(onrecord.RecordsRefused) as error:
        archive.append([ended, retracted, read], signed=signed)
    assert [it.reason for it in error.value.refused] == ["NOT_SENT", "NOT_SENT", "UNKNOWN_SOURCE"]
    source = archive.put_source(DOCUMENT.encode(), "text/plain; charset=utf-8").source
    records = [TOPIC, SOURCE, {"sourceRead": {**read["sourceRead"], "source": source}}]
    with pytest.raises(onrecord.RecordsRefused):
        archive.append(records[2], signed=signed)
    results = archive.append(records, directory=directory, signed=signed)
    assert [it.already for it in results] == [False] * 3
    notes = [json.loads(line) for line in signed.read_text().splitlines()]
    line = notes[-1]["line"]
    assert ["refused" in note for note in notes if note["line"] == line] == [False, True, False]
    assert len({note.get("envelope") for note in notes if note["line"] == line}) == 3


def test_a_line_that_a_crash_cut_off_is_passed_over_and_damage_is_not(
    archive: onrecord.Archive, directory: Path
) -> None:
    signed = directory / "records.signed"
    archive.append([actor("speaker"), actor("other")], signed=signed)
    whole = signed.read_bytes()
    signed.write_bytes(whole[:-20])
    first, second = archive.append([actor("speaker"), actor("other")], signed=signed)
    assert (first.already, second.already) == (True, False)
    assert len(signed.read_bytes().splitlines()) == 2
    signed.write_bytes(b"not what was kept\n" + whole)
    with pytest.raises(onrecord.OnRecordError, match="line 1") as error:
        archive.append(actor("speaker"), signed=signed)
    assert error.value.reason == "SIGNED_FILE_DAMAGED"


def test_a_second_run_with_the_same_file_is_refused(
    archive: onrecord.Archive, daemon: Daemon, directory: Path
) -> None:
    signed = directory / "records.signed"
    refusals: list[onrecord.OnRecordError] = []

    def while_another_appends() -> Iterator[dict[str, Any]]:
        with pytest.raises(onrecord.SignedFileError) as error:
            archive.append(actor("other"), signed=signed)
        refusals.append(error.value)
        yield actor("speaker")

    archive.append(while_another_appends(), signed=signed)
    assert [(it.reason, it.field) for it in refusals] == [("SIGNED_FILE_IN_USE", "signed")]
    assert archive.head().size == 2
    (later,) = archive.append(actor("other"), signed=signed)
    assert not later.already
