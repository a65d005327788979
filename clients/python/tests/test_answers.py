"""Answers as values, and as people see them."""

import html
import re
from pathlib import Path

import onrecord
import pytest
from conftest import Daemon
from test_append import DOCUMENT, QUOTE, SOURCE, TOPIC, actor, statement


def test_a_comparison_unpacks_into_the_two_positions(summit: onrecord.Archive) -> None:
    change = summit.compare("kremlin", "leaders-meeting", milestone="alaska-summit")
    before, after = change
    assert (change.kind, change.certain, change.placement) == ("CONDITIONS_CHANGED", True, "SINCE")
    assert [it.id for it in change.conditions_added] == ["moscow"]
    assert [it.id for it in change.conditions_dropped] == ["prepared"]
    assert (str(before.stance), str(after.stance)) == ("OPEN {prepared}", "OPEN {moscow}")
    assert after.actor_name == "The Kremlin"
    assert before.basis.as_of == "2025-08-14T23:59:59Z"
    assert "CONDITIONS_CHANGED, certain, SINCE alaska-summit" in repr(change)


def test_a_position_names_the_statements_it_rests_on_with_their_words(
    summit: onrecord.Archive,
) -> None:
    position = summit.position("kremlin", "leaders-meeting", as_of="2025-08-19")
    assert position.finding == "STATED"
    assert str(position.since) == "2025-08-07"
    deciding = position.deciding
    assert deciding is not None and deciding.said is not None
    assert (deciding.speaker_name, deciding.authority) == ("Sergei Lavrov", "DELEGATE")
    assert deciding.said_for_names == ("The Kremlin",)
    assert deciding.said.wording == "PARAPHRASED"
    assert not deciding.said.quotable
    assert deciding.said.sources[0].title == "Press digest, 19 August 2025"
    again = summit.position(
        "kremlin",
        "leaders-meeting",
        as_of=position.basis.as_of,
        known_at=position.basis.known_at,
    )
    assert again == position


def test_what_was_known_earlier_is_shown_as_it_was_known(summit: onrecord.Archive) -> None:
    """The statement at 43 is corrected at 44: read as SUPPORTS first, as OPEN then."""
    corrected = next(iter(summit.entries(kinds=["statement_corrected"])))
    asked, day = ("kremlin", "leaders-meeting"), "2025-09-30"
    before = summit.position(*asked, as_of=day, known_at=corrected.index)
    after = summit.position(*asked, as_of=day)
    assert (str(before.stance), str(after.stance)) == ("SUPPORTS", "OPEN {moscow}")
    assert "as corrected at" not in repr(before)
    assert f"as corrected at [{corrected.index}]" in repr(after)


@pytest.mark.parametrize("as_html", [False, True])
def test_paraphrases_are_never_shown_in_quotation_marks(
    summit: onrecord.Archive, as_html: bool
) -> None:
    """In the example all statements are paraphrases."""
    answers: list[onrecord.Position | onrecord.Comparison | onrecord.Timeline] = [
        summit.compare("kremlin", "leaders-meeting", milestone="alaska-summit"),
        summit.timeline("kremlin", "leaders-meeting"),
        summit.position("european-capitals", "territory"),
    ]
    for answer in answers:
        shown = text_of(answer._repr_html_()) if as_html else repr(answer)
        shown = " ".join(shown.split())
        assert "paraphrased for this archive, not the speaker's words" in shown
        assert "Verified means" in shown
        assert "if he is ready" in shown or "ends up weaker" in shown
        assert not set(shown) & set("“”„«»\"")


def text_of(page: str) -> str:
    """What a browser would show."""
    return html.unescape(re.sub("<[^>]*>", " ", page))


def test_a_timeline_is_a_sequence_of_steps(summit: onrecord.Archive) -> None:
    steps = summit.timeline("kremlin", "leaders-meeting")
    assert [step.kind for step in steps] == [
        "FIRST_STATED",
        "",
        "",
        "UNCHANGED",
        "CONDITIONS_CHANGED",
        "CONDITIONS_CHANGED",
    ]
    assert [step.testimony.engagement for step in steps[1:3]] == ["DECLINED", "DEFLECTED"]
    assert len(steps) == 6


def test_nothing_on_record_is_not_shown_as_nothing_said(summit: onrecord.Archive) -> None:
    position = summit.position("white-house", "territory")
    assert position.finding == "NO_RECORD"
    assert position.stance is None
    assert "does not mean that nothing was said" in repr(position)
    assert "no source is on record as read for this topic" in repr(position)


def test_a_group_s_words_are_reported_and_an_anonymous_speaker_described(
    summit: onrecord.Archive,
) -> None:
    position = summit.position("european-capitals", "territory")
    assert position.finding == "NO_VOICE"
    assert position.reported[0].speaker == ""
    assert position.reported[0].speaker_name == "a European diplomat"
    assert "reported of it" in repr(position)


def test_verbatim_words_stand_in_quotation_marks_and_html_is_escaped(
    archive: onrecord.Archive, tmp_path: Path
) -> None:
    (tmp_path / "document.txt").write_text(DOCUMENT)
    name = "<script>alert(1)</script>"
    archive.append([actor("speaker", name=name), TOPIC, SOURCE, statement()], directory=tmp_path)
    position = archive.position("speaker", "harbour")
    assert f"“{QUOTE}”" in repr(position)
    page = position._repr_html_()
    assert f"“{QUOTE}”" in text_of(page)
    assert name not in page
    assert name in text_of(page)


def test_withheld_sources_are_said_to_be(archive: onrecord.Archive, tmp_path: Path) -> None:
    (tmp_path / "document.txt").write_text(DOCUMENT)
    withheld = {"source": "@source", "reason": "An order.", "authority": "A court."}
    archive.append(
        [
            actor("speaker"),
            TOPIC,
            SOURCE,
            {"key": "said", **statement()},
            {"sourceWithheld": {"scope": "BYTES_AND_TEXT", **withheld}},
        ],
        directory=tmp_path,
    )
    position = archive.position("speaker", "harbour")
    assert position.deciding is not None and position.deciding.said is not None
    (source,) = position.deciding.said.sources
    assert source.withheld == "BYTES_AND_TEXT"
    assert "withheld: verified at index 4, not repeatable" in " ".join(repr(position).split())
    with pytest.raises(onrecord.CallError) as error:
        archive.get_source(source.id)
    assert error.value.reason == "WITHHELD"


def test_who_vouches_and_what_was_published_about_it_stand_beneath_a_statement(
    archive: onrecord.Archive, daemon: Daemon, tmp_path: Path
) -> None:
    (tmp_path / "document.txt").write_text(DOCUMENT)
    review = {
        "statement": "@said",
        "verdict": "Mostly true",
        "url": "https://example.org/review",
        "publisher": "A publisher",
        "publishedAt": "2025-09-20",
    }
    archive.append(
        [
            actor("speaker"),
            TOPIC,
            SOURCE,
            {"key": "said", **statement()},
            {"reviewPublished": review},
        ],
        directory=tmp_path,
    )
    position = archive.position("speaker", "harbour")
    assert position.deciding is not None and position.deciding.said is not None
    steward = onrecord.SigningKey.read(daemon.key).public
    assert position.deciding.said.verifiers == (steward,)
    shown = repr(position)
    assert f"vouched for by {steward[:12]}" in shown
    assert "reviewed by A publisher: Mostly true, https://example.org/review" in shown


def test_the_authority_is_shown_for_whom_was_asked_alone(summit: onrecord.Archive) -> None:
    """Of a person's own word it is PRINCIPAL, whatever their office."""
    lavrov = summit.position("lavrov", "leaders-meeting")
    assert lavrov.deciding is not None and lavrov.deciding.authority == "PRINCIPAL"
    assert "Sergei Lavrov, for The Kremlin, said" in repr(lavrov)
    assert "PRINCIPAL" not in repr(lavrov)
    assert "PRINCIPAL" not in repr(summit.timeline("lavrov", "leaders-meeting"))
    for slug in ("kremlin", "russia"):
        kremlin = repr(summit.position(slug, "leaders-meeting", as_of="2025-08-22"))
        assert "Sergei Lavrov, for The Kremlin (DELEGATE), said 2025-08-22" in kremlin


def test_disputed_readings_are_all_shown(archive: onrecord.Archive, tmp_path: Path) -> None:
    (tmp_path / "document.txt").write_text(DOCUMENT)
    coder = onrecord.SigningKey(bytes(range(32)))
    enrolled = {"verifier": coder.public, "name": "A coder", "roles": ["CODER"]}
    *_, said = archive.append(
        [{"verifierEnrolled": enrolled}, actor("speaker"), TOPIC, SOURCE, statement()],
        directory=tmp_path,
    )
    reading = {"topic": "harbour", "engagement": "ANSWERED", "polarity": "OPPOSES", "strength": 3}
    added = {"statement": said.record, "reading": reading, "rationale": "Read again."}
    (read,) = archive.append({"readingAdded": added}, key=coder)
    position = archive.position("speaker", "harbour")
    assert (position.finding, position.stance) == ("DISPUTED", None)
    assert position.deciding is not None
    assert [(str(it), it.index) for it in position.deciding.readings] == [
        ("SUPPORTS 2", said.index),
        ("OPPOSES 3", read.index),
    ]
    assert position.deciding.readings[1].coders == (coder.public,)
    shown = repr(position)
    assert f"SUPPORTS 2, by one coder (since [{said.index}])" in shown
    assert f"OPPOSES 3, by one coder (since [{read.index}])" in shown
    assert "DISPUTED: SUPPORTS 2 or OPPOSES 3" in shown
    assert "DISPUTED: SUPPORTS 2 or OPPOSES 3" in repr(archive.timeline("speaker", "harbour"))
    assert archive.agreement("harbour").units == 1


def test_an_archive_is_shown_by_its_name_and_address(
    summit: onrecord.Archive, example_daemon: Daemon
) -> None:
    assert summit.origin == "python.example.org"
    assert repr(summit) == f"<onrecord archive python.example.org at {example_daemon.address}>"


def test_the_words_shown_are_those_of_the_version_that_is_trusted(
    archive: onrecord.Archive, tmp_path: Path
) -> None:
    (tmp_path / "document.txt").write_text(DOCUMENT)
    second = onrecord.SigningKey(bytes(range(32)))
    roles = ["ATTESTOR", "STEWARD"]
    enrolled = {"verifier": second.public, "name": "A second steward", "roles": roles}
    *_, said = archive.append(
        [{"verifierEnrolled": enrolled}, actor("speaker"), TOPIC, SOURCE, statement()],
        directory=tmp_path,
    )
    wrong = statement(wording="PARAPHRASED", text="He agreed.")["statementRecorded"]
    wrong["evidence"][0]["source"] = archive.statement(said.record).statement.evidence[0].source
    correction = {"statement": said.record, "corrected": wrong, "reason": "Read wrongly."}
    (corrected,) = archive.append(
        {"statementCorrected": correction}, key=second, directory=tmp_path
    )
    asked = ("speaker", "harbour")
    before = archive.position(*asked).deciding
    assert before is not None and before.said is not None
    assert before.said.text == "He agreed."
    assert second.public in before.said.verifiers
    revoked = {
        "verifier": second.public,
        "untrustedFrom": corrected.index,
        "reason": "The key was stolen.",
    }
    archive.append({"verifierRevoked": revoked})
    after = archive.position(*asked).deciding
    assert after is not None and after.said is not None
    assert after.said.text == QUOTE
    assert second.public not in after.said.verifiers
    assert archive.position(*asked, known_at=corrected.index + 1).deciding == before
