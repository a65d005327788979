"""Changes of positions as records bring them, also across a daemon that goes away."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import onrecord
import pytest
from conftest import Daemon
from test_append import DOCUMENT, SOURCE, TOPIC, actor, statement

MEETING = "leaders-meeting"


def test_a_change_names_the_entry_that_brought_it_and_both_positions(
    summit: onrecord.Archive,
) -> None:
    changes = list(summit.watch(MEETING, actor="kremlin", start=0, until_caught_up=True))
    (corrected,) = summit.entries(kinds=["statement_corrected"])
    (change,) = [it for it in changes if it.index == corrected.index]
    assert (change.record, change.record_kind) == (corrected.record_id, "statement_corrected")
    assert change.recorded_at == corrected.recorded_at
    assert (change.kind, change.certain) == ("SOFTENED", True)
    assert (str(change.before.stance), str(change.after.stance)) == ("SUPPORTS", "OPEN {moscow}")
    shown = repr(change)
    assert "SUPPORTS to OPEN {moscow}" in shown
    assert f"by [{corrected.index}] statement_corrected, recorded 20" in shown
    assert "Verified means" in shown
    last = changes[-1].after
    assert str(last.stance) == str(summit.position("kremlin", MEETING).stance)


def test_a_watch_goes_on_where_another_one_was(summit: onrecord.Archive) -> None:
    changes = list(summit.watch(start=0, until_caught_up=True))
    whose = [(it.index, it.after.actor, it.after.topic) for it in changes]
    assert whose == sorted(set(whose))
    with summit.watch(start=0, until_caught_up=True) as watch:
        first = [next(watch), next(watch)]
    rest = summit.watch(start=watch.next_index, after=watch.after, until_caught_up=True)
    assert [*first, *rest] == changes
    nothing_kept = {"wordings": ["VERBATIM"]}
    assert list(summit.watch(start=0, filter=nothing_kept, until_caught_up=True)) == []


@pytest.mark.parametrize("end", [Daemon.stop, Daemon.kill])
def test_a_watch_goes_on_when_the_daemon_comes_back(
    daemon: Daemon, tmp_path: Path, end: Callable[[Daemon], None]
) -> None:
    (tmp_path / "document.txt").write_text(DOCUMENT)
    with onrecord.connect(daemon.address, key=daemon.key) as archive:
        archive.append([actor("speaker"), TOPIC, SOURCE], directory=tmp_path)
        with archive.watch("harbour") as watch:
            (said,) = archive.append(with_source(archive))
            first = next(watch)
            assert (first.index, first.before.finding) == (said.index, "NO_RECORD")
            end(daemon)
            daemon.start()
            # By another connection, as the first one may still be about to find out.
            with onrecord.connect(daemon.address, key=daemon.key) as other:
                retracted = {"statement": said.record, "reason": "It was misquoted."}
                (taken_back,) = other.append({"statementRetracted": retracted})
            second = next(watch)
            assert (second.index, second.after.finding) == (taken_back.index, "NO_RECORD")
            assert watch.after == ("speaker", "harbour")


def with_source(archive: onrecord.Archive) -> dict[str, Any]:
    """The statement, from the source that is on record."""
    said = statement()
    source = next(archive.sources()).definition.source
    said["statementRecorded"]["evidence"][0]["source"] = source
    return said


def test_what_cannot_be_watched_is_told(summit: onrecord.Archive) -> None:
    with pytest.raises(onrecord.ArgumentError) as error:
        summit.watch(start=-1)
    assert error.value.field == "start"
    with pytest.raises(onrecord.InvalidQuestion) as beyond:
        next(summit.watch(start=1000))
    assert beyond.value.accepted
