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
    Reading,
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
    ArgumentError,
    AuthoringError,
    CallError,
    Closed,
    InvalidQuestion,
    KeyFileError,
    NotOnRecord,
    NotTheSource,
    OnRecordError,
    Passage,
    RecordsRefused,
    Refused,
    SignedFileError,
    Unreachable,
)
from onrecord._overviews import Divergence, Reference, Reversal
from onrecord._signing import SigningKey
from onrecord._watch import Brief, Change, Watch

__all__ = [
    "AddressError",
    "Archive",
    "ArgumentError",
    "AuthoringError",
    "Basis",
    "Brief",
    "CallError",
    "Change",
    "Closed",
    "Comparison",
    "Condition",
    "Divergence",
    "Entry",
    "InvalidQuestion",
    "KeyFileError",
    "NotOnRecord",
    "NotTheSource",
    "OnRecordError",
    "Passage",
    "Position",
    "Reading",
    "Recorded",
    "RecordsRefused",
    "Reference",
    "Refused",
    "Reversal",
    "Review",
    "Said",
    "SignedFileError",
    "SigningKey",
    "Source",
    "Span",
    "Stance",
    "Step",
    "Subscription",
    "Testimony",
    "Timeline",
    "Unreachable",
    "Watch",
    "connect",
]
