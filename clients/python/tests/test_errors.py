"""Errors carry what the daemon says."""

import onrecord
import pytest
from conftest import Daemon


def test_what_is_not_on_record_is_told_from_what_cannot_be_asked(
    summit: onrecord.Archive,
) -> None:
    with pytest.raises(onrecord.NotOnRecord) as unknown:
        summit.position("kremlinn", "leaders-meeting")
    assert (unknown.value.reason, unknown.value.field) == ("UNKNOWN_ACTOR", "actor")
    assert "kremlinn" in unknown.value.message
    assert "; accepted: " not in unknown.value.message
    with pytest.raises(onrecord.InvalidQuestion) as date:
        summit.position("kremlin", "leaders-meeting", as_of="15/08/2025")
    assert (date.value.reason, date.value.field) == ("INVALID_DATE", "as_of")
    assert "a day (2025-08-15)" in date.value.accepted
    text = str(date.value)
    assert text.startswith("as_of: ") and text.endswith("(INVALID_DATE)")


def test_a_daemon_that_is_not_there_or_goes_away_is_unreachable(daemon: Daemon) -> None:
    with onrecord.connect(f"http://{daemon.address}") as archive:
        daemon.stop()
        with pytest.raises(onrecord.Unreachable, match=daemon.address):
            archive.status()
    with pytest.raises(onrecord.Unreachable, match="no daemon answers") as error:
        onrecord.connect(daemon.address)
    assert "onrecord serve" in error.value.accepted


@pytest.mark.parametrize("address", ["here", "https://127.0.0.1:7450", "127.0.0.1:port", "a:1/b"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(onrecord.AddressError) as error:
        onrecord.connect(address)
    assert error.value.accepted == "HOST:PORT"


def test_the_environment_names_the_daemon_as_it_does_for_the_command_line(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONRECORD_SERVER", f"http://{daemon.address}")
    with onrecord.connect() as archive:
        assert archive.status().origin == archive.origin == "python.example.org"
