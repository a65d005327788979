"""What was signed for which record as it was written, kept in a file, so that the same records
appended again are recorded once.

One JSON object a line, appended and never changed: `{"line": …, "envelope": …}` for what was
signed, `{"line": …, "refused": …}` for what the daemon then refused, which is filled in and
signed afresh. Invariant: what is sent was synced to this file before, and one run at a time has
it (where the system has `flock`, which is wherever the daemon runs). A line that was cut off at
the end, by a crash, was never sent and is passed over.

What was defined otherwise in between is not looked for: a definition that is edited and then
edited back is not given a third version. It is not the `.signed` file of `onrecord append`, whose
lines have other names.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from onrecord._errors import ArgumentError, SignedFileError
from onrecord._request import misfit
from onrecord.record.v1.envelope_pb2 import Envelope

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from onrecord._authoring import Draft

# What line ids begin with, so that no other hash is one.
_DOMAIN = b"onrecord python line 1\n"

_CHUNK_BYTES = 1024 * 1024


def line_id(origin: str, draft: Draft, directory: Path) -> str:
    """What tells a record as it was written from every other: its fields, with what its keys
    stand for and before anything is filled in, and the bytes of its file."""
    hasher = hashlib.sha256(_DOMAIN)
    for part in (
        origin.encode(),
        b"personal" if draft.personal else b"",
        draft.record.SerializeToString(deterministic=True),
    ):
        hasher.update(b"%d\n%s" % (len(part), part))
    if draft.file:
        with (directory / draft.file).open("rb") as file:
            while chunk := file.read(_CHUNK_BYTES):
                hasher.update(chunk)
    return hasher.hexdigest()


class SignedFile:
    """Such a file, opened to be read and added to, and locked against every other run."""

    def __init__(self, path: str | PathLike[str]) -> None:
        if not isinstance(path, (str, PathLike)):
            raise misfit(path, "signed", "a path")
        self._kept: dict[str, Envelope] = {}
        try:
            self._file = Path(path).open("a+b")
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or error
            raise ArgumentError(
                f"{path}: {said}", field="signed", accepted="a file that can be written"
            ) from error
        try:
            self._lock(path)
            self._read(path)
        except BaseException:
            self._file.close()
            raise

    def _lock(self, path: str | PathLike[str]) -> None:
        if sys.platform == "win32":
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SignedFileError(
                f"{path}: another run is appending with it",
                reason="SIGNED_FILE_IN_USE",
                field="signed",
                accepted="this call once that run has ended, or another file",
            ) from error

    def _read(self, path: str | PathLike[str]) -> None:
        self._file.seek(0)
        lines = self._file.read().split(b"\n")
        cut_off = lines.pop()
        for number, line in enumerate(lines, start=1):
            self._take(line, f"{path}, line {number}")
        if cut_off:
            self._file.truncate(self._file.tell() - len(cut_off))
        if not lines:
            _sync_directory(Path(path).parent)

    def _take(self, line: bytes, place: str) -> None:
        try:
            note = json.loads(line)
            if "refused" in note:
                self._kept.pop(note["line"], None)
            else:
                envelope = base64.b64decode(note["envelope"], validate=True)
                self._kept[note["line"]] = Envelope.FromString(envelope)
        except Exception as error:  # Whatever stands there, it is not what was written.
            raise SignedFileError(
                f"{place}: this is not what was kept there: {error}",
                reason="SIGNED_FILE_DAMAGED",
                field="signed",
                accepted="a file that append made, or one that is not there yet",
            ) from error

    def find(self, line: str) -> Envelope | None:
        """What was signed for a line, and not refused."""
        return self._kept.get(line)

    def keep(self, line: str, envelope: Envelope) -> None:
        """Takes note of what was signed for a line."""
        self._kept[line] = envelope
        encoded = base64.b64encode(envelope.SerializeToString(deterministic=True)).decode()
        self._write({"line": line, "envelope": encoded})

    def refused(self, line: str, reason: str) -> None:
        """Takes note that what was signed for a line was refused."""
        self._kept.pop(line, None)
        self._write({"line": line, "refused": reason})

    def _write(self, note: dict[str, str]) -> None:
        self._file.write(json.dumps(note).encode() + b"\n")

    def sync(self) -> None:
        """Makes durable what was noted."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Syncs and closes it."""
        self.sync()
        self._file.close()


def _sync_directory(directory: Path) -> None:
    """Makes durable that a new file is there."""
    if sys.platform == "win32":
        return
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
