"""Lists of what is on record, and overviews of many positions, from a real daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import onrecord
import pytest
from conftest import Daemon
from test_append import DOCUMENT, SOURCE, TOPIC, actor, statement

MEETING = "leaders-meeting"


def test_every_kind_is_listed_whole_and_also_backwards(summit: onrecord.Archive) -> None:
    lists: dict[str, tuple[Callable[..., Iterator[Any]], Callable[[Any], str]]] = {
        "actor_defined": (summit.actors, lambda it: it.definition.actor_id),
        "mandate_granted": (summit.mandates, lambda it: it.definition.mandate_id),
        "topic_defined": (summit.topics, lambda it: it.definition.topic_id),
        "milestone_defined": (summit.milestones, lambda it: it.definition.milestone_id),
        "statement_recorded": (summit.statements, lambda it: it.statement_id),
        "source_archived": (summit.sources, lambda it: it.definition.source),
        "archive_founded": (summit.verifiers, lambda it: it.definition.verifier),
    }
    for kind, (listed, id) in lists.items():
        forwards = [id(it) for it in listed()]
        assert len(forwards) == len(list(summit.entries(kinds=[kind])))
        assert [id(it) for it in listed(backwards=True)] == forwards[::-1]


def test_statements_are_listed_by_who_said_them_how_and_when(summit: onrecord.Archive) -> None:
    ways: list[dict[str, Any]] = [
        {"speaker": "lavrov"},
        {"topic": "territory"},
        {"said_at": date(2025, 8, 22)},
        {"said_for": "ukraine-presidency"},
        {"verifier": next(summit.verifiers()).definition.verifier},
        {"wordings": ["PARAPHRASED"]},
        {"wordings": ["VERBATIM"]},
    ]
    counts = [len(list(summit.statements(**way))) for way in ways]
    everything = len(list(summit.statements()))
    assert counts[-3:] == [everything, everything, 0]
    assert all(0 < count < everything for count in counts[:4])


def test_more_than_a_page_is_listed_whole(archive: onrecord.Archive) -> None:
    archive.append(actor(f"speaker-{place}") for place in range(250))
    listed = [it.definition.actor_id for it in archive.actors()]
    assert listed == sorted(f"speaker-{place}" for place in range(250))


def test_everybody_on_a_topic_and_an_actor_on_all_topics_are_listed(
    summit: onrecord.Archive,
) -> None:
    positions = {it.actor: it for it in summit.positions(MEETING)}
    assert str(positions["kremlin"].stance) == "OPEN {moscow}"
    assert positions["ushakov"].finding == "EVADED"
    assert "for The Kremlin (PRINCIPAL), said 2025-09-03" in repr(positions["kremlin"])
    assert [it.topic for it in summit.positions(actor="zelenskyy")] == [MEETING, "territory"]
    with pytest.raises(onrecord.InvalidQuestion):
        next(summit.positions())


def test_testimonies_are_listed_by_where_they_stand(summit: onrecord.Archive) -> None:
    listed = {
        standing: [it.index for it in summit.testimonies("kremlin", MEETING, standing=standing)]
        for standing in ("", "CANDIDATES", "EVASIONS", "FRONT", "POSSIBLE", "REPORTED")
    }
    assert len(listed[""]) == len(set(listed[""])) == 6
    assert sorted(listed["CANDIDATES"] + listed["EVASIONS"]) == sorted(listed[""])
    assert listed["FRONT"] == listed["CANDIDATES"][:1]
    assert listed["POSSIBLE"] == listed["REPORTED"] == []
    newest = next(summit.testimonies("kremlin", MEETING))
    assert newest.said is not None and "let him come to Moscow" in newest.said.text


def test_changes_around_a_milestone_and_of_knowledge(summit: onrecord.Archive) -> None:
    changes = {it.after.actor: it for it in summit.changes(MEETING, milestone="alaska-summit")}
    kremlin = changes["kremlin"]
    assert (kremlin.kind, kremlin.placement) == ("CONDITIONS_CHANGED", "SINCE")
    whole = summit.compare("kremlin", MEETING, milestone="alaska-summit")
    assert kremlin.conditions_added == whole.conditions_added
    assert kremlin.entries == ()
    corrected = next(summit.entries(kinds=["statement_corrected"])).index
    learned = summit.changes(MEETING, from_known_at=corrected, to_known_at=corrected + 1)
    by_actor = {it.after.actor: it for it in learned}
    assert by_actor.keys() == {"kremlin", "putin", "russia"}
    assert {it.entries for it in by_actor.values()} == {(corrected,)}
    assert f"recorded since [{corrected}]" in repr(by_actor["kremlin"])
    unchanged = summit.changes(
        MEETING, from_known_at=corrected, to_known_at=corrected + 1, changed_only=False
    )
    assert {it.after.actor for it in unchanged} > by_actor.keys()
    new = next(summit.changes(actor="kremlin", from_known_at=2))
    assert (new.before.finding, new.kind) == ("", "FIRST_STATED")
    assert "not on record to OPEN {moscow}" in repr(new)


def test_the_steps_of_a_timeline_are_listed_too(summit: onrecord.Archive) -> None:
    assert list(summit.steps("kremlin", MEETING)) == list(summit.timeline("kremlin", MEETING))


def test_knowledge_is_told_by_a_size_or_by_a_time(summit: onrecord.Archive) -> None:
    corrected = next(summit.entries(kinds=["statement_corrected"]))
    asked = ("kremlin", MEETING)
    by_size = summit.position(*asked, as_of="2025-09-30", known_at=corrected.index + 1)
    # All that was recorded in one commit has one time.
    until = max(it.index for it in summit.entries() if it.recorded_at <= corrected.recorded_at)
    by_time = summit.position(*asked, as_of=date(2025, 9, 30), known_at=corrected.recorded_at)
    assert by_time.basis.known_at == until + 1
    assert str(by_time.stance) == str(by_size.stance) == "OPEN {moscow}"
    assert summit.actor("putin", known_at=corrected.recorded_at).definition.actor_id == "putin"
    assert list(summit.actors(known_at=corrected.recorded_at)) == list(summit.actors())
    before_all_of_it = datetime(2020, 1, 1, tzinfo=timezone.utc)
    assert list(summit.actors(known_at=before_all_of_it)) == []
    change = summit.compare(
        *asked, from_known_at=corrected.index, to_known_at=corrected.recorded_at
    )
    assert str(change.before.stance) == "SUPPORTS"


def test_the_terms_of_two_positions_are_compared(summit: onrecord.Archive) -> None:
    change = summit.compare(
        "kremlin", MEETING, filter={"mandated_only": True}, from_filter={"wordings": ["VERBATIM"]}
    )
    assert (change.before.finding, change.after.finding) == ("NO_RECORD", "STATED")


@pytest.fixture
def turned(archive: onrecord.Archive, tmp_path: Path) -> onrecord.Archive:
    """An archive in which a speaker changes sides and takes a statement back, and a port's two
    voices disagree."""
    (tmp_path / "document.txt").write_text(DOCUMENT)

    def granted(person: str, authority: str) -> dict[str, Any]:
        ids = {"mandateId": f"{person}-port", "person": person, "organization": "port"}
        return {"mandateGranted": {**ids, "roleTitle": "Director", "authority": authority}}

    def said(day: str, polarity: str, **more: Any) -> dict[str, Any]:
        reading = {
            "topic": "harbour",
            "engagement": "ANSWERED",
            "polarity": polarity,
            "strength": 2,
        }
        return statement(saidAt=day, readings=[reading], **more)

    withdrawal = [{"statement": "@before", "kind": "WITHDRAWS"}]
    archive.append(
        [
            actor("speaker"),
            actor("deputy"),
            actor("port", "ORGANIZATION"),
            granted("speaker", "PRINCIPAL"),
            granted("deputy", "DELEGATE"),
            TOPIC,
            SOURCE,
            {"key": "before", **said("2025-08-30", "SUPPORTS")},
            said("2025-08-31", "OPPOSES", refersTo=withdrawal),
            said("2025-09-01", "SUPPORTS", speaker="deputy"),
            {"sourceRead": {"source": "@source", "topics": ["harbour"], "whole": True}},
        ],
        directory=tmp_path,
    )
    return archive


def test_changes_of_side_are_listed(turned: onrecord.Archive) -> None:
    (reversal,) = turned.reversals("harbour", actor="speaker")
    assert (reversal.held.said_at, reversal.took.said_at) == ("2025-08-30", "2025-08-31")
    assert (reversal.between, reversal.certain) == (0, True)
    shown = repr(reversal)
    assert "REVERSED, certain" in shown and "left" not in shown
    assert "said 2025-08-31" in shown and "Verified means" in shown


def test_voices_that_disagree_are_listed(turned: onrecord.Archive) -> None:
    (divergence,) = turned.divergences("harbour")
    assert (divergence.actor, divergence.voice_count) == ("port", 2)
    assert [str(it.stance) for it in divergence.voices] == ["OPPOSES 2", "SUPPORTS 2"]
    assert "speaker, for port (PRINCIPAL)" in repr(divergence)
    assert "deputy, for port (DELEGATE)" in repr(divergence)


def test_statements_about_others_are_listed(turned: onrecord.Archive) -> None:
    (reference,) = turned.references(actor="speaker")
    assert (reference.kind, reference.referring.said_at) == ("WITHDRAWS", "2025-08-31")
    assert turned.entry(reference.referred_statement).index == reference.referred_index
    assert "WITHDRAWS" in repr(reference)


def test_agreement_and_coverage_are_told(turned: onrecord.Archive) -> None:
    (read,) = turned.coverage("harbour", reading="WHOLE")
    assert [it.source for it in turned.coverage("harbour")] == [read.source]
    assert list(turned.coverage("harbour", reading="UNREAD")) == []
    agreement = turned.agreement("harbour", holder="speaker")
    assert (agreement.units, agreement.basis.known_at) == (0, turned.head().size)


def test_projections_are_listed_built_anew_and_verified(daemon: Daemon) -> None:
    with onrecord.connect(daemon.address, key=daemon.key) as archive:
        archive.append(actor("speaker"))
        assert "positions" in [it.name for it in archive.projections()]
        *_, built = archive.rebuild_projection("positions")
        assert built.swapped.cursor.size == 2
        *_, verified = archive.verify_projection("positions")
        assert verified.equal
        with pytest.raises(onrecord.CallError) as error:
            list(archive.rebuild_projection("position"))
        assert error.value.accepted
