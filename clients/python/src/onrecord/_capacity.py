"""For whom a statement was said, where its author leaves that to the speaker's mandates.

A mandate implies that the speaker spoke for the organisation if it lets them speak, is in force
for the whole of `said_at` and covers all topics of the statement's readings. One that reaches
only a part of either decides nothing, and neither does a date that this module cannot read:
then the author must, because a statement that is silently taken for personal would be missing
from the organisation's positions.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone

from onrecord.record.v1 import definitions_pb2 as definitions
from onrecord.record.v1 import statement_pb2 as statements

_SPEAKING = (
    definitions.AUTHORITY_PRINCIPAL,
    definitions.AUTHORITY_SPOKESPERSON,
    definitions.AUTHORITY_DELEGATE,
)

_DAYS = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d|XX))?)?")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")
_EVER = (datetime.min.replace(tzinfo=timezone.utc), datetime.max.replace(tzinfo=timezone.utc))

Span = tuple[datetime, datetime]


class Unclear(Exception):
    """Whether a mandate covers a statement cannot be decided."""

    def __init__(self, mandate: definitions.MandateGranted) -> None:
        super().__init__(f"whether the mandate {mandate.mandate_id!r} covers it cannot be decided")
        self.organization = mandate.organization


def implied(
    statement: statements.Statement, mandates: Iterable[definitions.MandateGranted]
) -> list[statements.SaidFor]:
    """The organisations that a statement was said for by the speaker's `mandates`, in the order
    of their slugs. Raises `Unclear`."""
    whole: set[str] = set()
    unclear: list[definitions.MandateGranted] = []
    for mandate in mandates:
        if mandate.authority not in _SPEAKING:
            continue
        covers = (_in_force(mandate, statement), _topics(mandate, statement))
        if all(covers):
            whole.add(mandate.organization)
        elif False not in covers:
            unclear.append(mandate)
    for mandate in unclear:
        if mandate.organization not in whole:
            raise Unclear(mandate)
    basis = statements.CAPACITY_BASIS_IMPLIED
    return [statements.SaidFor(actor=it, basis=basis) for it in sorted(whole)]


def _in_force(
    mandate: definitions.MandateGranted, statement: statements.Statement
) -> bool | None:
    """Whether it is in force at the time of the statement; none if at a part of it, or unknown."""
    if not mandate.start and not mandate.end:
        return True
    spans = [span(it) if it else _EVER for it in (mandate.start, mandate.end, statement.said_at)]
    start, end, said = spans
    if start is None or end is None or said is None:
        return None
    if start[0] <= said[0] and said[1] <= end[1]:
        return True
    return None if start[0] < said[1] and said[0] < end[1] else False


def _topics(mandate: definitions.MandateGranted, statement: statements.Statement) -> bool | None:
    """Whether it covers the topics that are read as the speaker's stance or the organisation's;
    none if some, or if there are none."""
    if not mandate.topics:
        return True
    holders = ("", mandate.person, mandate.organization)
    covered = [it.topic in mandate.topics for it in statement.readings if it.holder in holders]
    if covered and all(covered):
        return True
    return False if covered and not any(covered) else None


def span(date: str) -> Span | None:
    """From the first second that a date may mean to the first after it; none for a form that is
    not read here (masked years, the year 0000), or no date."""
    try:
        if date.startswith("[") and date.endswith("]"):
            first, dots, last = date[1:-1].partition("..")
            start, end = span(first) if first else _EVER, span(last)
            return (start[0], end[1]) if dots and start and end else None
        if _TIME.fullmatch(date):
            moment = datetime.fromisoformat(date.replace("Z", "+00:00"))
            return moment, moment + timedelta(seconds=1)
        days = _DAYS.fullmatch(date)
        if not days:
            return None
        year, month, day = int(days[1]), days[2], days[3]
        first_month, last_month = (int(month), int(month)) if month else (1, 12)
        whole = day in (None, "XX")
        first_day = 1 if whole else int(day)
        last_day = calendar.monthrange(year, last_month)[1] if whole else first_day
        begin = datetime(year, first_month, first_day, tzinfo=timezone.utc)
        last_of_all = datetime(year, last_month, last_day, tzinfo=timezone.utc)
        return begin, last_of_all + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
