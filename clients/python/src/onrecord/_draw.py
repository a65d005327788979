"""Answers for people: one sheet of lines, shown as text in a terminal and as HTML in a notebook.

Invariant: what is PARAPHRASED or RETRANSLATED never stands in quotation marks, what is withheld
is said to be, and every sheet ends with its basis and with what "verified" means.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onrecord._answers import Basis, Comparison, Position, Source, Testimony, Timeline
    from onrecord._overviews import Divergence, Reference, Reversal
    from onrecord._watch import Brief, Change

# The most statements of one sort, and the most steps, that are shown; the answer has them all.
_LISTED_MAX = 8
_STEPS_MAX = 200

_WIDTH = 96

_VERIFIED = (
    "Verified means: the passage stands in the archived source, and verifiers signed that the "
    "source attributes it to this speaker. It does not mean that the source tells the truth, nor "
    "that nothing else was said."
)

_FINDINGS = {
    "": "the actor was not on record",
    "NO_VOICE": "a GROUP or POPULATION has no voice of its own",
    "DISPUTED": "coders disagree about what was said",
    "EVADED": "spoke on it, and never answered",
    "UNDATED": "only statements whose date may lie on either side",
    "NO_RECORD": "nothing is on record, which does not mean that nothing was said",
}

_FILTERS = {
    "WORDINGS": "their wording",
    "VERIFIERS": "who must vouch for them",
    "VERIFIERS_EXCLUDED": "who must not vouch alone",
    "ATTESTATIONS_MIN": "how many must vouch for them",
    "SOURCES": "where they are quoted from",
    "MANDATED_ONLY": "the want of a mandate",
}

_WORDINGS = {
    "VERBATIM": "verbatim",
    "TRANSLATED": "as translated in the source",
    "RETRANSLATED": "retranslated for this archive, not the speaker's words",
    "PARAPHRASED": "paraphrased for this archive, not the speaker's words",
}

_STYLES = {
    "title": "font-size:1.15em;font-weight:bold",
    "heading": "font-weight:bold;margin-top:0.6em",
    "strong": "font-weight:bold",
    "plain": "",
    "faint": "opacity:0.65;font-size:0.9em",
}


@dataclass(frozen=True)
class Line:
    """A line: how it stands out, how far in it stands, and what it says."""

    style: str
    indent: int
    text: str


@dataclass
class Sheet:
    """Lines from top to bottom."""

    lines: list[Line] = field(default_factory=list)

    def add(self, style: str, text: str, indent: int = 0) -> None:
        self.lines.append(Line(style, indent, text))

    def text(self) -> str:
        out: list[str] = []
        for line in self.lines:
            if line.style == "heading" and out:
                out.append("")
            if not line.text:
                continue
            lead = "  " * line.indent
            out.append(
                textwrap.fill(line.text, _WIDTH, initial_indent=lead, subsequent_indent=lead)
            )
        return "\n".join(out)

    def html(self) -> str:
        lines = (
            f'<div style="margin-left:{line.indent * 1.2:g}em;{_STYLES[line.style]}">'
            f"{escape(line.text)}</div>"
            for line in self.lines
        )
        return f'<div style="max-width:48em">{"".join(lines)}</div>'


def position(it: Position) -> Sheet:
    """A position: how far the record answers, the stance, and every statement it rests on."""
    sheet = Sheet()
    _title(sheet, it.actor_name, it.topic, it.proposition)
    _position(sheet, it)
    _foot(sheet, it.basis)
    return sheet


def comparison(it: Comparison) -> Sheet:
    """A comparison: what kind of change it is, and the two positions."""
    sheet = Sheet()
    _title(sheet, it.after.actor_name, it.after.topic, it.after.proposition)
    certain = "certain" if it.certain else "not certain"
    placed = f", {it.placement} {it.milestone}" if it.placement else ""
    sheet.add("strong", f"{it.kind}, {certain}{placed}")
    sheet.add("strong", f"{_in_short(it.before)} to {_in_short(it.after)}", 1)
    if it.also:
        sheet.add("plain", f"also {', '.join(it.also)}", 1)
    sheet.add("plain", f"direction {it.direction}", 1)
    if it.entries:
        more = it.entry_count - len(it.entries)
        named = " ".join(f"[{index}]" for index in it.entries)
        sheet.add("plain", f"recorded since {named}{f' and {more} more' if more else ''}", 1)
    learned = it.before.basis.known_at != it.after.basis.known_at
    for title, side in (("before", it.before), ("after", it.after)):
        known = f", known at {side.basis.known_at}" if learned else ""
        sheet.add("heading", f"{title}: as of {side.basis.as_of or 'now'}{known}")
        _position(sheet, side, 1)
    _foot(sheet, it.after.basis)
    return sheet


def timeline(it: Timeline) -> Sheet:
    """A timeline: what was said when, and what that changed."""
    sheet = Sheet()
    _title(sheet, it.actor_name, it.topic, it.proposition)
    if it.truncated:
        sheet.add("plain", "Older steps were left out.")
    if not it.steps:
        nothing = "Nothing definite is on record, which does not mean that nothing was said."
        sheet.add("plain", nothing)
    for step in it.steps[-_STEPS_MAX:]:
        said = step.testimony
        heading = f"{said.said_at or step.since}  {_reading(said)}  {step.kind}"
        sheet.add("heading", heading.rstrip())
        _testimony(sheet, said, (it.actor,), 1)
    _foot(sheet, it.basis)
    return sheet


def change(it: Change) -> Sheet:
    """A change as a record brought it: what kind it is, and the position after it."""
    sheet = Sheet()
    _title(sheet, it.after.actor_name, it.after.topic, it.after.proposition)
    certain = "certain" if it.certain else "not certain"
    sheet.add("strong", f"{it.kind}, {certain}")
    sheet.add("strong", f"{_in_short(it.before)} to {_in_short(it.after)}", 1)
    recorded_at = it.recorded_at.isoformat(timespec="seconds").replace("+00:00", "Z")
    sheet.add("plain", f"by [{it.index}] {it.record_kind}, recorded {recorded_at}", 1)
    sheet.add("heading", "after")
    _position(sheet, it.after, 1)
    _foot(sheet, it.after.basis)
    return sheet


def reversal(it: Reversal) -> Sheet:
    """A change of side: what held the one, what left it, and what took the other."""
    sheet = Sheet()
    _title(sheet, it.actor_name, it.topic, "")
    certain = "certain" if it.certain else "not certain"
    sheet.add("strong", f"REVERSED, {certain}, since {it.since}")
    sides = [("held", it.held), ("left", it.left), ("took", it.took)]
    for title, said in sides if it.between else (sides[0], sides[2]):
        _several(sheet, title, [said], 1, (it.actor,))
    if it.between > 1:
        sheet.add("plain", f"{it.between} statements decided in between")
    _foot(sheet, it.basis)
    return sheet


def divergence(it: Divergence) -> Sheet:
    """Voices that disagree: what each last said."""
    sheet = Sheet()
    _title(sheet, it.actor_name, it.topic, "")
    _several(sheet, f"diverge since {it.since}", it.voices, it.voice_count, (it.actor,))
    _foot(sheet, it.basis)
    return sheet


def reference(it: Reference) -> Sheet:
    """A statement about another: both of them."""
    sheet = Sheet()
    _title(sheet, it.actor_name, it.topic, "")
    _several(sheet, "statement", [it.referring], 1, (it.actor,))
    if it.referred:
        _several(sheet, it.kind, [it.referred], 1, (it.actor,))
    else:
        sheet.add("heading", it.kind)
        sheet.add("plain", f"[{it.referred_index}] {it.referred_statement}", 1)
    _foot(sheet, it.basis)
    return sheet


def _title(sheet: Sheet, actor: str, topic: str, proposition: str) -> None:
    sheet.add("title", f"{actor} on {topic}")
    if proposition:
        sheet.add("plain", proposition)


def _in_short(it: Position | Brief) -> str:
    if it.finding == "DISPUTED" and it.deciding:
        return _reading(it.deciding)
    return str(it.stance) if it.stance else it.finding or "not on record"


def _position(sheet: Sheet, it: Position, indent: int = 0) -> None:
    asked = tuple(it.message.asked)
    if it.stance:
        sheet.add("strong", f"{it.finding}: {it.stance}", indent)
        for condition in it.stance.conditions:
            name = f"{condition.kind} {condition.id}".rstrip()
            sheet.add("plain", f"{name}: {condition.text}", indent + 1)
    else:
        explained = f"{it.finding}: {_FINDINGS.get(it.finding, '')}"
        sheet.add("strong", explained.removeprefix(": "), indent)
    if it.finding == "DISPUTED" and it.deciding:
        for reading in it.deciding.readings:
            by = _coders(it.deciding.message.coders)
            sheet.add("plain", f"{reading}, by {by} (since [{reading.index}])", indent + 1)
    if it.finding == "NO_RECORD":
        read, whole = it.message.sources_read, it.message.sources_read_whole
        looked = f"{read} sources read for this topic, {whole} of them whole"
        none = "no source is on record as read for this topic"
        sheet.add("plain", looked if read else none, indent)
    if it.since:
        sheet.add("plain", f"since {it.since}, last affirmed {it.last_affirmed}", indent)
    if it.previous:
        before = f"{_reading(it.previous)}: {_who(it.previous, asked)}"
        sheet.add("plain", f"before that {before}", indent)
    for warning in it.warnings:
        sheet.add("strong", f"beware: {warning}", indent)
    if it.message.speaks_for:
        bodies = ", ".join(it.message.speaks_for)
        see = f"speaks or spoke for {bodies}: ask there for what is said in office"
        sheet.add("plain", see, indent)
    if it.finding:
        sheet.add("plain", _counts(it), indent)
    if it.deciding:
        _several(sheet, "rests on", [it.deciding], 1, asked, indent)
    others = [said for said in it.front if said != it.deciding]
    _several(sheet, "any of these may be newer", others, len(others), asked, indent)
    if it.latest_evasion:
        _several(sheet, "latest evasion", [it.latest_evasion], 1, asked, indent)
    own = "reported of it" if it.finding == "NO_VOICE" else "reported, not its own word"
    _several(sheet, own, it.reported, it.message.reported_count, asked, indent)
    possible = [said for said in it.possible if said not in it.reported]
    _several(sheet, "possible: said by then, or after", possible, len(possible), asked, indent)


def _coders(number: int) -> str:
    return "one coder" if number == 1 else f"{number} coders each"


def _counts(it: Position) -> str:
    """How many readings and statements count, and how many do not and why."""
    counted = (
        (it.message.possible_count, "possible (their date may lie on either side)"),
        (it.message.reported_count, "only reported"),
        (it.message.same_utterances, "not heard (the same utterance as one that is)"),
        *(
            (count, f"taken away by {_FILTERS.get(part, part)}")
            for part, count in it.filtered.items()
        ),
    )
    parts = [f"{count} {what}" for count, what in counted if count]
    return ", ".join([f"readings: {it.message.considered} considered", *parts])


def _several(
    sheet: Sheet,
    title: str,
    several: Sequence[Testimony],
    count: int,
    asked: Sequence[str],
    indent: int = 0,
) -> None:
    """Some statements, as far as they are listed. `asked` are the actors whose word they are."""
    if not several:
        return
    sheet.add("heading", title, indent)
    for said in several[:_LISTED_MAX]:
        sheet.add("strong", _reading(said), indent + 1)
        _testimony(sheet, said, asked, indent + 1)
    if count > _LISTED_MAX:
        sheet.add("faint", f"and {count - _LISTED_MAX} more", indent + 1)


def _testimony(sheet: Sheet, it: Testimony, asked: Sequence[str], indent: int) -> None:
    sheet.add("plain", f"[{it.index}] {_who(it, asked)}", indent)
    if it.said is None:
        sheet.add("faint", "(what was said was not looked up)", indent)
        return
    text = f"“{it.said.text}”" if it.said.quotable else it.said.text
    sheet.add("plain", text, indent)
    sheet.add("faint", _WORDINGS.get(it.said.wording, "wording unknown"), indent)
    for source in it.said.sources:
        sheet.add("faint", _source(source, it.message.version_index), indent)
    vouching = ", ".join(key[:12] for key in it.said.verifiers)
    sheet.add("faint", f"vouched for by {vouching}", indent)
    for review in it.said.reviews:
        sheet.add("faint", str(review), indent)


def _who(it: Testimony, asked: Sequence[str]) -> str:
    parts = [it.speaker_name]
    if it.said_for:
        # The authority is that to speak for whom was asked, and for nobody else.
        bodies = (
            f"{name} ({it.authority})" if it.authority and slug in asked else name
            for slug, name in zip(it.said_for, it.said_for_names, strict=True)
        )
        parts.append(f"for {' and '.join(bodies)}")
    parts.append(f"said {it.said_at or 'before it was published'}")
    if it.message.repeated_until:
        parts.append(f"repeated until {it.message.repeated_until}")
    if it.message.relayed_by:
        parts.append(f"relayed by {it.message.relayed_by}")
    if it.basis not in ("", "OWN_WORDS"):
        parts.append(it.basis)
    if it.message.version_index != it.message.index:
        parts.append(f"as corrected at [{it.message.version_index}]")
    if it.message.reading_index != it.message.version_index:
        parts.append(f"as read at [{it.message.reading_index}]")
    return ", ".join(parts)


def _reading(it: Testimony) -> str:
    readings = [str(reading) for reading in it.readings]
    return readings[0] if len(readings) == 1 else f"DISPUTED: {' or '.join(readings)}"


def _source(it: Source, index: int) -> str:
    described = ", ".join(part for part in (it.title, it.publisher, it.published_at) if part)
    withheld = {
        "": "",
        "BYTES": " (its bytes are withheld)",
    }.get(it.withheld, f" (withheld: verified at index {index}, not repeatable)")
    return f"source {it.id[:12]}{': ' if described else ''}{described}{withheld}"


def _foot(sheet: Sheet, basis: Basis) -> None:
    as_of = f", as of {basis.as_of}" if basis.as_of else ""
    sheet.add("heading", "")
    sheet.add(
        "faint",
        f"basis: {basis.ledger_size} entries, root {basis.root[:12]}…, {basis.projection}, "
        f"known at {basis.known_at}{as_of}",
    )
    sheet.add("faint", _VERIFIED)


def span(earliest: str, latest: str) -> str:
    """An interval of valid time as a day or a month where it is one."""
    try:
        begin, end = (
            datetime.fromisoformat(it.replace("Z", "+00:00")).astimezone(timezone.utc)
            for it in (earliest, latest)
        )
    except ValueError:  # The years 0000 and 10000 are beyond what a time can say.
        if earliest.startswith("0000"):
            return f"some time before {latest}"
        return f"{earliest} or later"
    if end - begin == timedelta(seconds=1):
        return earliest
    if begin.strftime("%H%M%S") == end.strftime("%H%M%S") == "000000":
        if end - begin == timedelta(days=1):
            return begin.strftime("%Y-%m-%d")
        if begin.day == 1 and (begin + timedelta(days=31)).replace(day=1) == end:
            return begin.strftime("some time in %Y-%m")
    return f"some time from {earliest} to before {latest}"
