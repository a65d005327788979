"""onrecord keeps public speech on record: who said what, when, in what capacity, found in which
archived document, vouched for by whose key. This package asks an archive and adds to it.

    import onrecord
    archive = onrecord.connect("127.0.0.1:7450")
    before, after = archive.compare("kremlin", "leaders-meeting", milestone="alaska-summit")

`Archive` has all that can be asked. Messages of the protos are in `onrecord.v1` and
`onrecord.record.v1`.
"""

from onrecord._answers import (
    Basis,
    Comparison,
    Condition,
    Position,
    Review,
    Said,
    Source,
    Span,
    Stance,
    Step,
    Testimony,
    Timeline,
)
from onrecord._append import Recorded
from onrecord._archive import Archive, connect
from onrecord._entries import Entry, Subscription
from onrecord._errors import (
    AddressError,
    AuthoringError,
    CallError,
    InvalidQuestion,
    KeyFileError,
    NotOnRecord,
    OnRecordError,
    Passage,
    RecordsRefused,
    Refused,
    Unreachable,
)
from onrecord._signing import SigningKey

__all__ = [
    "AddressError",
    "Archive",
    "AuthoringError",
    "Basis",
    "CallError",
    "Comparison",
    "Condition",
    "Entry",
    "InvalidQuestion",
    "KeyFileError",
    "NotOnRecord",
    "OnRecordError",
    "Passage",
    "Position",
    "Recorded",
    "RecordsRefused",
    "Refused",
    "Review",
    "Said",
    "SigningKey",
    "Source",
    "Span",
    "Stance",
    "Step",
    "Subscription",
    "Testimony",
    "Timeline",
    "Unreachable",
    "connect",
]
