"""The README's Python does what it says, as it stands there."""

import re
from pathlib import Path
from typing import Any

import onrecord
import pytest
from conftest import REPOSITORY, Daemon

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(readme: str) -> list[str]:
    return BLOCK.findall((REPOSITORY / readme).read_text())


def test_the_notebook_of_the_readme_asks_the_example_s_archive_and_adds_to_another(
    example_daemon: Daemon, daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asking, adding = blocks("README.md")
    names: dict[str, Any] = {}
    monkeypatch.setenv("ONRECORD_SERVER", example_daemon.address)
    exec(asking, names)
    assert str(names["before"].stance) == "OPEN {prepared}"
    assert str(names["after"].stance) == "OPEN {moscow}"
    assert daemon.key == tmp_path / "steward.key"
    monkeypatch.chdir(tmp_path)
    with onrecord.connect(daemon.address) as archive:
        names["archive"] = archive
        exec(adding, names)
        exec(adding, names)
        assert archive.head().size == 2
        assert archive.topic("meeting-in-moscow").definition.topic_id == "meeting-in-moscow"
    assert names["entry"].kind == "topic_defined"


def test_the_package_s_own_readme_shows_the_same(
    example_daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONRECORD_SERVER", example_daemon.address)
    (asking,) = blocks("clients/python/README.md")
    names: dict[str, Any] = {}
    exec(asking, names)
    assert str(names["after"].stance) == "OPEN {moscow}"
