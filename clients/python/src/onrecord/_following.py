"""What comes as the ledger grows, and outlives the daemon: entries, and changes of positions.

Invariant: what is followed comes in order and each once, also across a daemon that goes away.
What it resumes from is the index that the daemon's status names, or where what came last stands.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import grpc

from onrecord._errors import CallError, OnRecordError, Unreachable, of_call

if TYPE_CHECKING:
    from typing_extensions import Self

    from onrecord._connection import Connection

# How long to wait before trying again, the first time; then twice as long each time, up to a
# bound.
_AGAIN_AFTER_SECONDS = 0.1
_AGAIN_AFTER_SECONDS_MAX = 5.0

# How often a daemon that went away is tried by what is to end: for about a minute.
_TRIES_MAX = 16

_Followed = TypeVar("_Followed")


class Following(Iterator[_Followed], Generic[_Followed]):
    """Something that is followed from an index of the ledger on. Iterating waits for the next;
    `close`, or the end of a `with`, ends it, from another thread too."""

    def __init__(self, archive: Connection, start: int, until_caught_up: bool) -> None:
        self._archive = archive
        self._until_caught_up = until_caught_up
        self._closed = threading.Event()
        self._call: Iterator[Any] | None = None
        self._tries = 0
        self._begun = False
        self.next_index = start
        """The index to follow from to go on where this is."""

    @abstractmethod
    def _begin(self) -> Iterator[Any]:
        """Calls the daemon, to follow from `next_index` on."""

    @abstractmethod
    def _take(self, message: Any) -> _Followed | None:
        """Takes a message: what it brings, if anything; or how far the daemon has come. What
        fails has not been taken, and comes again."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends it."""
        self._closed.set()
        if isinstance(self._call, grpc.Call):
            self._call.cancel()

    def __next__(self) -> _Followed:
        while not self._closed.is_set():
            try:
                message = next(self._followed())
            except grpc.RpcError as error:
                if self._closed.is_set():
                    break
                self._ended(of_call(error, self._archive.address))
                continue
            except StopIteration:
                # What is followed ends with a status that says why.
                if self._closed.is_set():
                    break
                self._ended(Unreachable("the stream ended without a word"))
                continue
            self._begun = True
            try:
                followed = self._take(message)
            except OnRecordError as error:
                # The daemon went away before what the message names was looked up.
                self._ended(error)
                continue
            self._tries = 0
            if followed is not None:
                return followed
        raise StopIteration

    def _caught_up(self, size: int) -> None:
        self._considered(size)
        if self._until_caught_up:
            self.close()

    def _considered(self, size: int) -> None:
        self.next_index = max(self.next_index, size)

    def _followed(self) -> Iterator[Any]:
        if self._call is None:
            with self._archive.failures():
                self._call = self._begin()
        return self._call

    def _ended(self, error: OnRecordError) -> None:
        """Waits before the next try, if another call may bring what this one did not."""
        if isinstance(self._call, grpc.Call):
            self._call.cancel()
        self._call = None
        again = isinstance(error, Unreachable)
        if isinstance(error, CallError):
            if error.resume_from is not None:
                self.next_index = error.resume_from
            again = error.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED)
        # Where nothing ever came, there is nothing to go on with.
        if not (again and self._begun) or (self._until_caught_up and self._tries > _TRIES_MAX):
            self._closed.set()
            raise error
        after = _AGAIN_AFTER_SECONDS * 2 ** min(self._tries, _TRIES_MAX)
        self._tries += 1
        self._closed.wait(min(after, _AGAIN_AFTER_SECONDS_MAX))
