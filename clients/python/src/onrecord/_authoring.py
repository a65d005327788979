"""Records as people write them, as dictionaries, made into record messages by the descriptors
of the protos.

The names are those of protobuf-JSON, or of the protos themselves. What the authoring form adds:
enum values without their prefix, `@key` in the fields that hold content ids and in no others,
`key` in a record, `file` in a source, `keyFile` where a public key goes on record, `personal` in
a statement. What Python adds: dates and times of the standard library, and bytes.

Invariant: every name of the dictionary was understood, and every `@key` names a record above.
Whether a well-formed record is fit to enter is for the daemon to say.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timezone
from os import PathLike, fspath
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from onrecord._errors import AuthoringError
from onrecord._request import meant, shown
from onrecord.record.v1 import options_pb2 as options
from onrecord.record.v1.archive_pb2 import CheckpointKeySet, VerifierEnrolled, VerifierRevoked
from onrecord.record.v1.record_pb2 import Record
from onrecord.record.v1.source_pb2 import SourceArchived
from onrecord.record.v1.statement_pb2 import Statement

# What the form adds to the fields of a message.
_ADDED: Mapping[Descriptor, tuple[str, ...]] = {
    Record.DESCRIPTOR: ("key",),
    SourceArchived.DESCRIPTOR: ("file",),
    Statement.DESCRIPTOR: ("personal",),
    CheckpointKeySet.DESCRIPTOR: ("keyFile",),
    VerifierEnrolled.DESCRIPTOR: ("keyFile",),
    VerifierRevoked.DESCRIPTOR: ("keyFile",),
}

_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")

# What the key of a record stands for that came to nothing.
LOST = ""


@dataclass
class Draft:
    """A record as it was written, understood."""

    place: int
    """Which of its call, counted from 0."""
    key: str
    """Its key; empty if it has none."""
    kind: str
    """What it holds, by its name in `Record`: `statement_recorded`."""
    record: Record
    """The record, without origin and time."""
    refers_to: frozenset[str]
    """The keys that it refers to."""
    file: str
    """The file of a source; empty if it names none."""
    key_file: str
    """The file of the key that goes on record; empty if it names none."""
    personal: bool
    """Whether a statement is said to be personal."""

    @property
    def path(self) -> str:
        """The kind's protobuf-JSON name, with which the paths of errors begin."""
        return Record.DESCRIPTOR.fields_by_name[self.kind].json_name


def read(written: Mapping[str, Any], place: int, ids: Mapping[str, str]) -> Draft:
    """Makes a draft of a record. `ids` has what the keys of the records above stand for."""
    walk = _Walk(place, ids)
    message = walk.message(Record.DESCRIPTOR, written, "")
    if len(message) != 1:
        what = "it holds no record" if not message else f"it holds {' and '.join(message)}"
        raise walk.error("", what, f"one of {', '.join(_kinds())}")
    record = Record()
    try:
        json_format.ParseDict(message, record)
    except (json_format.ParseError, TypeError, ValueError, AttributeError) as error:
        raise walk.error(next(iter(message)), str(error), "the types of the protos") from error
    return Draft(
        place=place,
        key=walk.key,
        kind=record.WhichOneof("kind") or "",
        record=record,
        refers_to=frozenset(walk.refers_to),
        file=walk.file,
        key_file=walk.key_file,
        personal=walk.personal,
    )


class _Walk:
    """A way through one record, from names as they were written to those of protobuf-JSON."""

    def __init__(self, place: int, ids: Mapping[str, str]) -> None:
        self.place = place
        self.ids = ids
        self.refers_to: set[str] = set()
        self.key = ""
        self.file = ""
        self.key_file = ""
        self.personal = False

    def error(self, field: str, message: str, accepted: str) -> AuthoringError:
        return AuthoringError(message, place=self.place, field=field, accepted=accepted)

    def message(self, descriptor: Descriptor, written: object, path: str) -> dict[str, Any]:
        if not isinstance(written, Mapping):
            raise self.error(path, f"{shown(written)} does not fit", "a dictionary")
        fields = {name: it for it in descriptor.fields for name in (it.name, it.json_name)}
        message: dict[str, Any] = {}
        for name, value in written.items():
            field = fields.get(name)
            if field is None:
                self.added(descriptor, name, value, path)
                continue
            at = f"{path}.{field.json_name}" if path else field.json_name
            if descriptor is Record.DESCRIPTOR and field.containing_oneof is None:
                raise self.error(at, "the client fills this in when it signs", "a record without")
            if field.json_name in message:
                raise self.error(at, "it stands here under both of its names", "one of them")
            if value is not None:
                message[field.json_name] = self.value(field, value, at)
        if self.personal and descriptor is Statement.DESCRIPTOR and "saidFor" in message:
            said = "a personal statement was said for nobody"
            raise self.error(f"{path}.personal", said, "either personal or saidFor")
        return message

    def value(self, field: FieldDescriptor, written: object, path: str) -> object:
        if not field.is_repeated:
            return self.single(field, written, path)
        if isinstance(written, (str, bytes, Mapping)) or not isinstance(written, Iterable):
            raise self.error(path, f"{shown(written)} does not fit", "a list")
        items = [self.single(field, it, f"{path}[{at}]") for at, it in enumerate(written)]
        if not items and field.name == "said_for" and field.containing_type is Statement.DESCRIPTOR:
            said = "an empty list does not say whether the statement is personal"
            raise self.error(path, said, '"personal": True, or no saidFor')
        return items

    def single(self, field: FieldDescriptor, written: object, path: str) -> object:
        if isinstance(written, datetime):
            return self.time(written, path)
        if isinstance(written, date):
            return written.isoformat()
        if isinstance(written, bytes) and field.type == FieldDescriptor.TYPE_BYTES:
            return base64.b64encode(written).decode()
        if field.enum_type is not None:
            return self.enum(field.enum_type, written, path)
        if field.message_type is not None:
            if field.message_type.file.package == "google.protobuf":
                return self.text(written, path, "a time with an offset, or a datetime")
            return self.message(field.message_type, written, path)
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL and not isinstance(written, bool):
            raise self.error(path, f"{shown(written)} does not fit", "True or False")
        if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
            is_text = field.type == FieldDescriptor.TYPE_STRING
            written = self.text(written, path, "a text" if is_text else "bytes, or their base64")
            if field.GetOptions().Extensions[options.content_id]:
                return self.content_id(written, path)
        return written

    def text(self, written: object, path: str, accepted: str) -> str:
        if not isinstance(written, str):
            raise self.error(path, f"{shown(written)} does not fit", accepted)
        return written

    def time(self, written: datetime, path: str) -> str:
        if written.tzinfo is None:
            said = f"{written.isoformat()} has no time zone"
            raise self.error(path, said, "a datetime with one, such as datetime.timezone.utc")
        try:
            utc = written.astimezone(timezone.utc)
        except OverflowError as error:
            said = f"{written.isoformat()} does not fit"
            raise self.error(path, said, "a time whose year in UTC is 1 to 9999") from error
        return utc.isoformat().replace("+00:00", "Z")

    def enum(self, descriptor: EnumDescriptor, written: object, path: str) -> object:
        if not isinstance(written, str):
            raise self.error(path, f"{shown(written)} does not fit", "the name of a value")
        names = [it.name for it in descriptor.values]
        prefix = names[0].removesuffix("UNSPECIFIED")
        for name in (written, f"{prefix}{written}"):
            if name in names:
                return name
        short = [name.removeprefix(prefix) for name in names[1:]]
        said = f"there is no value {shown(written)}{meant(written, short)}"
        raise self.error(path, said, f"one of {', '.join(short)}")

    def content_id(self, written: str, path: str) -> str:
        if not written.startswith("@"):
            return written
        key = written[1:]
        if key not in self.ids:
            said = f"no record above has the key {shown(key)}{meant(key, self.ids)}"
            raise self.error(path, said, "the key of a record above")
        if self.ids[key] == LOST:
            said = f"the record with the key {shown(key)} was refused"
            raise self.error(path, said, "this record once that one is mended")
        self.refers_to.add(key)
        return self.ids[key]

    def added(self, descriptor: Descriptor, name: object, value: object, path: str) -> None:
        at = f"{path}.{name}" if path else str(name)
        added = _ADDED.get(descriptor, ())
        if name not in added:
            fields = [it.json_name for it in descriptor.fields]
            known = [*(_kinds() if descriptor is Record.DESCRIPTOR else fields), *added]
            said = f"there is no field {shown(name)}{meant(str(name), known)}"
            raise self.error(path, said, f"one of {', '.join(known)}")
        if name == "key":
            if not isinstance(value, str) or not _KEY.fullmatch(value):
                said = f"{shown(value)} cannot be a key"
                raise self.error(at, said, "1 to 64 letters, digits, '.', '_' and '-' (ASCII)")
            if value in self.ids:
                said = f"a record above has the key {shown(value)} already"
                raise self.error(at, said, "a key that no other record has")
            self.key = value
        elif name == "file":
            self.file = self.path(value, at)
        elif name == "keyFile":
            self.key_file = self.path(value, at)
        else:
            if not isinstance(value, bool):
                raise self.error(at, f"{shown(value)} does not fit", "True or False")
            self.personal = value

    def path(self, value: object, at: str) -> str:
        path = fspath(value) if isinstance(value, (str, PathLike)) else None
        if not path or not isinstance(path, str) or "\0" in path:
            raise self.error(at, f"{shown(value)} does not fit", "a path")
        return path


def _kinds() -> list[str]:
    return [it.json_name for it in Record.DESCRIPTOR.oneofs_by_name["kind"].fields]
