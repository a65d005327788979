"""Requests made of arguments, by the descriptors of the protos.

What Python adds to a message: enum values by their names, with or without the enum's own; a
dictionary for a message; a `datetime` for a point of transaction time, and dates of the standard
library for valid time.

Invariant: an argument that does not fit is an `ArgumentError` that names it and what is accepted.
Whether a well-formed question can be answered is for the daemon to say.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone
from typing import Any, TypeVar

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from onrecord._errors import ArgumentError
from onrecord.v1 import position_service_pb2 as positions

KnownAt = int | datetime
"""Transaction time: how many entries of the ledger count, or when they were recorded."""

Date = str | date
"""Valid time: an EDTF date, or one of the standard library."""

Filter = positions.PositionFilter | Mapping[str, Any]
"""On whose terms: a message, or a dictionary of its fields: `{"wordings": ["VERBATIM"]}`."""

_Message = TypeVar("_Message", bound=Message)

# The fields of requests that hold valid time.
_DATES = frozenset(
    ("as_of", "from_as_of", "to_as_of", "until", "published_by", "said_at", "recorded_at")
)

# The fields that hold sizes of the ledger, and that a time can stand for.
_SIZES = frozenset(("known_at", "from_known_at", "to_known_at"))

_INTEGERS_MAX = {
    FieldDescriptor.CPPTYPE_UINT64: 2**64 - 1,
    FieldDescriptor.CPPTYPE_UINT32: 2**32 - 1,
    FieldDescriptor.CPPTYPE_INT32: 2**31 - 1,
}

# The most characters of a value that an error repeats.
_SHOWN_CHARS_MAX = 80


def build(kind: type[_Message], given: Mapping[str, object], path: str = "") -> _Message:
    """A message of the arguments that are not None, each for the field of its name. Raises
    `ArgumentError`, with the path to the argument."""
    message = kind()
    fields: dict[str, Any] = {it.name: it for it in message.DESCRIPTOR.fields}
    for name, value in given.items():
        at = f"{path}.{name}" if path else str(name)
        if name not in fields:
            said = f"there is no {shown(name)}{meant(str(name), fields)}"
            raise ArgumentError(said, field=at, accepted=f"one of {', '.join(fields)}")
        if value is not None:
            _set(message, fields[name], value, at)
    return message


def _set(message: Message, field: FieldDescriptor, value: object, path: str) -> None:
    if field.is_repeated:
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise misfit(value, path, "a list")
        items = [_single(field, it, f"{path}[{at}]") for at, it in enumerate(value)]
        getattr(message, field.name).extend(items)
    elif field.name in _SIZES and isinstance(value, datetime):
        # Its other form is a field beside it.
        getattr(message, f"{field.name}_time").FromDatetime(_zoned(value, path))
    else:
        fitting = _single(field, value, path)
        if isinstance(fitting, Message):
            getattr(message, field.name).CopyFrom(fitting)
        else:
            setattr(message, field.name, fitting)


def _single(field: FieldDescriptor, value: object, path: str) -> Any:
    if field.message_type is not None:
        kind = GetMessageClass(field.message_type)
        if isinstance(value, kind):
            return value
        if isinstance(value, Mapping):
            return build(kind, value, path)
        raise misfit(value, path, f"a dictionary or a {field.message_type.name}")
    if field.enum_type is not None:
        return _enum(field.enum_type, value, path)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        if not isinstance(value, bool):
            raise misfit(value, path, "True or False")
        return value
    if field.cpp_type in _INTEGERS_MAX:
        return _integer(field, value, path)
    return _text(field, value, path)


def _integer(field: FieldDescriptor, value: object, path: str) -> int:
    largest = _INTEGERS_MAX[field.cpp_type]
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest:
        return value
    if field.name in _SIZES:
        raise misfit(value, path, "a size of the ledger, 0 or more, or a datetime with a time zone")
    raise misfit(value, path, f"a whole number from 0 to {largest}")


def _text(field: FieldDescriptor, value: object, path: str) -> str:
    valid_time = field.name in _DATES
    if valid_time and isinstance(value, datetime):
        moment = _zoned(value, path).replace(microsecond=0)
        return moment.isoformat().replace("+00:00", "Z")
    if valid_time and isinstance(value, date):
        return value.isoformat()
    if not isinstance(value, str):
        raise misfit(value, path, "an EDTF date or a date" if valid_time else "a text")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise misfit(value, path, "a text without lone surrogates") from None
    return value


def _enum(descriptor: EnumDescriptor, value: object, path: str) -> int:
    prefix = descriptor.values[0].name.removesuffix("UNSPECIFIED")
    numbers = {it.name.removeprefix(prefix): it.number for it in descriptor.values[1:]}
    accepted = f"one of {', '.join(numbers)}"
    if isinstance(value, int) and not isinstance(value, bool):
        if value in numbers.values():
            return value
    elif isinstance(value, str):
        name = value.removeprefix(prefix)
        if name in numbers:
            return numbers[name]
        said = f"there is no value {shown(value)}{meant(name.upper(), numbers)}"
        raise ArgumentError(said, field=path, accepted=accepted)
    raise misfit(value, path, accepted)


def _zoned(moment: datetime, path: str) -> datetime:
    if moment.tzinfo is None:
        said = f"{moment.isoformat()} has no time zone"
        accepted = "a datetime with one, such as datetime.timezone.utc"
        raise ArgumentError(said, field=path, accepted=accepted)
    try:
        return moment.astimezone(timezone.utc)
    except OverflowError:
        raise misfit(moment, path, "a datetime whose year in UTC is 1 to 9999") from None


def misfit(value: object, path: str, accepted: str) -> ArgumentError:
    """What to raise for a value of a wrong type or out of range."""
    return ArgumentError(f"{shown(value)} does not fit", field=path, accepted=accepted)


def shown(value: object) -> str:
    """A value as an error repeats it."""
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS_MAX else f"{text[:_SHOWN_CHARS_MAX]}…"


def meant(name: str, known: Iterable[str]) -> str:
    """What a name may have been meant to be, in brackets; empty if nothing is near."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
