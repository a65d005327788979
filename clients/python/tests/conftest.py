"""A real daemon for the tests, on a free port and a data directory of its own.

`ONRECORD` names the binary; without it, the repository's debug build.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onrecord
import pytest

REPOSITORY = Path(__file__).resolve().parents[3]
EXAMPLE = REPOSITORY / "examples" / "alaska-summit"


class Daemon:
    """A daemon that can be stopped and started again where it was."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.key = directory / "steward.key"
        self.listen = "127.0.0.1:0"
        self.binary = os.environ.get("ONRECORD", str(REPOSITORY / "target/debug/onrecord"))
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                self.binary,
                "serve",
                f"--data={self.directory / 'data'}",
                "--origin=python.example.org",
                f"--steward-key={self.key}",
                f"--listen={self.listen}",
            ],
            stdout=subprocess.PIPE,
            stderr=(self.directory / "log").open("a"),
            text=True,
        )
        assert self.process.stdout is not None
        ready = self.process.stdout.readline()
        self.address = self.listen = ready.strip().rpartition("http://")[2]
        assert self.address, (self.directory / "log").read_text()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(30)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A daemon with an empty archive."""
    running = Daemon(tmp_path)
    yield running
    running.stop()


@pytest.fixture
def archive(daemon: Daemon) -> Iterator[onrecord.Archive]:
    """An empty archive, and its steward's key."""
    with onrecord.connect(daemon.address, key=daemon.key) as connected:
        yield connected


def example() -> list[dict[str, Any]]:
    """The records of the example."""
    lines = (EXAMPLE / "records.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines if line]


@pytest.fixture(scope="session")
def example_daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """A daemon with the example's archive, appended by the package."""
    running = Daemon(tmp_path_factory.mktemp("example"))
    with onrecord.connect(running.address, key=running.key) as connected:
        connected.append(example(), directory=EXAMPLE)
    yield running
    running.stop()


@pytest.fixture
def summit(example_daemon: Daemon) -> Iterator[onrecord.Archive]:
    """The example's archive."""
    with onrecord.connect(example_daemon.address) as connected:
        yield connected
