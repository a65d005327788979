"""Entries as they are recorded, also across a daemon that goes away."""

import threading
from collections.abc import Callable

import onrecord
import pytest
from conftest import Daemon
from test_append import actor


def test_a_subscription_that_ends_brings_everything_once_and_in_order(
    summit: onrecord.Archive,
) -> None:
    entries = list(summit.follow(0, until_caught_up=True))
    assert [it.index for it in entries] == list(range(summit.head().size))
    assert entries[0].kind == "archive_founded"
    assert [it.encoded for it in entries] == [it.encoded for it in summit.entries()]
    backwards = list(summit.entries(backwards=True, limit=3))
    assert backwards == entries[: -4 : -1]


def test_filters_are_the_daemon_s(summit: onrecord.Archive) -> None:
    followed = summit.follow(0, kinds=["statement_recorded"], actor="putin", until_caught_up=True)
    speakers = {it.record.statement_recorded.speaker for it in followed}
    assert "putin" in speakers
    assert {it.kind for it in summit.entries(kinds=["topic_defined"])} == {"topic_defined"}


@pytest.mark.parametrize("end", [Daemon.stop, Daemon.kill])
def test_a_subscription_goes_on_at_the_next_index_when_the_daemon_comes_back(
    daemon: Daemon, end: Callable[[Daemon], None]
) -> None:
    with onrecord.connect(daemon.address, key=daemon.key) as archive:
        archive.append([actor("first"), actor("second")])
        with archive.follow(1) as followed:
            assert next(followed).record.actor_defined.actor_id == "first"
            assert next(followed).record.actor_defined.actor_id == "second"
            end(daemon)
            daemon.start()
            # By another connection, as the first one may still be about to find out.
            with onrecord.connect(daemon.address, key=daemon.key) as other:
                other.append([actor("third")])
            third = next(followed)
            assert (third.index, third.record.actor_defined.actor_id) == (3, "third")
            assert followed.next_index == 4


def test_a_subscription_from_now_on_brings_what_is_recorded_after_it_began(
    archive: onrecord.Archive,
) -> None:
    archive.append(actor("before"))
    followed = archive.follow()
    archive.append(actor("after"))
    assert next(followed).record.actor_defined.actor_id == "after"
    followed.close()
    assert list(followed) == []


def test_a_subscription_is_closed_while_it_waits(archive: onrecord.Archive) -> None:
    followed = archive.follow(0)
    assert next(followed).index == 0
    rest: list[onrecord.Entry] = []
    reader = threading.Thread(target=lambda: rest.extend(followed))
    reader.start()
    followed.close()
    reader.join(30)
    assert not reader.is_alive()
    assert rest == []


def test_an_index_beyond_the_ledger_is_refused_rather_than_waited_for(
    archive: onrecord.Archive,
) -> None:
    with pytest.raises(onrecord.InvalidQuestion) as error:
        next(archive.follow(1000))
    assert error.value.reason == "BEYOND_THE_HEAD"
