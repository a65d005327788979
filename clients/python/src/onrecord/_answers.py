"""Answers as Python values: a position, a comparison, a timeline, and the testimonies that they
rest on, each with the words, as far as the archive serves them.

Invariant: a value says what the daemon's message says and decides nothing. Labels are those of
the specification without their prefix: `STATED`, `SUPPORTS`. `message` is the whole message.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, overload

from onrecord import _draw
from onrecord._background import Background, words_of
from onrecord.record.v1 import definitions_pb2 as definitions
from onrecord.record.v1 import source_pb2 as sources
from onrecord.record.v1 import statement_pb2 as statements
from onrecord.v1 import common_pb2 as common
from onrecord.v1 import position_service_pb2 as positions


def label(enum: Any, value: int) -> str:
    """An enum value's name without the enum's own; empty for UNSPECIFIED, the number for one
    that a later daemon knows. `enum` is one of the generated modules'."""
    names: dict[int, str] = {number: name for name, number in enum.items()}
    prefix = names[0].removesuffix("UNSPECIFIED")
    return names.get(value, str(value)).removeprefix(prefix) if value else ""


@dataclass(frozen=True)
class Basis:
    """On what an answer rests. The same question with `known_at` and `as_of` given back gets the
    same answer for ever."""

    ledger_size: int
    """How much of the ledger had been read."""
    root: str
    """The Merkle root over that much, in hex."""
    projection: str
    """The projection that answered, with its version."""
    known_at: int
    """Only entries below this index count."""
    as_of: str
    """The last second that counts, RFC 3339; empty where the question has none."""

    @classmethod
    def of(cls, basis: common.Basis) -> Basis:
        projection = f"{basis.projection} v{basis.projection_version}"
        return cls(basis.ledger_size, basis.root.hex(), projection, basis.known_at, basis.as_of)


@dataclass(frozen=True)
class Condition:
    """What a stance depends on."""

    kind: str
    """ONLY_IF, UNLESS or AFTER."""
    id: str
    """Its name within the topic; may be empty."""
    text: str
    """In words."""

    @classmethod
    def of(cls, condition: statements.Condition) -> Condition:
        return cls(label(statements.ConditionKind, condition.kind), condition.id, condition.text)

    def __str__(self) -> str:
        name = self.id or self.text
        return name if self.kind == "ONLY_IF" else f"{self.kind} {name}"


@dataclass(frozen=True)
class Stance:
    """A stance on a topic's proposition. As text: `OPEN {prepared}`."""

    polarity: str
    """SUPPORTS, OPEN, OPPOSES, MIXED or NO_POSITION."""
    strength: int
    """1 hedged, 2 stated, 3 committed, demanded or a red line; 0 not coded."""
    conditions: tuple[Condition, ...]
    """What it depends on."""

    @classmethod
    def of(cls, stance: positions.Stance) -> Stance:
        polarity = label(statements.Polarity, stance.polarity)
        return cls(polarity, stance.strength, tuple(map(Condition.of, stance.conditions)))

    def __str__(self) -> str:
        strength = f" {self.strength}" if self.strength else ""
        conditions = f" {{{', '.join(map(str, self.conditions))}}}" if self.conditions else ""
        return f"{self.polarity}{strength}{conditions}"


@dataclass(frozen=True)
class Span:
    """A half-open interval of valid time, as RFC 3339 times in UTC."""

    earliest: str
    """The first second in it; the year 0000 stands for any time before."""
    latest: str
    """The first second after it."""

    @classmethod
    def of(cls, span: positions.TimeRange) -> Span:
        return cls(span.earliest, span.latest)

    def __str__(self) -> str:
        return _draw.span(self.earliest, self.latest)


@dataclass(frozen=True)
class Source:
    """An archived document that words stand in."""

    id: str
    title: str
    publisher: str
    published_at: str
    url: str
    withheld: str
    """BYTES or BYTES_AND_TEXT, if it is served no longer; else empty."""

    @classmethod
    def of(cls, id: str, background: Background) -> Source:
        found = background.sources.get(id)
        if found is None:
            return cls(id, "", "", "", "", "")
        it = found.definition
        withheld = label(sources.WithholdingScope, found.withholding.scope)
        return cls(id, it.title, it.publisher, it.published_at, it.url, withheld)


@dataclass(frozen=True)
class Review:
    """A published review of a statement."""

    publisher: str
    verdict: str
    """In the publisher's words."""
    url: str

    def __str__(self) -> str:
        return f"reviewed by {self.publisher}: {self.verdict}, {self.url}"


@dataclass(frozen=True)
class Said:
    """The words of a statement, as the version that stands has them."""

    text: str
    """What was said. Put it in quotation marks only if `quotable`."""
    wording: str
    """VERBATIM, TRANSLATED, RETRANSLATED or PARAPHRASED."""
    language: str
    """BCP 47 tag of the text's language."""
    anonymous: str
    """What the source says of a speaker without a name; else empty."""
    sources: tuple[Source, ...]
    """Where the words stand."""
    verifiers: tuple[str, ...]
    """The keys of those who vouch for the statement."""
    reviews: tuple[Review, ...]
    """What was published about it."""

    @property
    def quotable(self) -> bool:
        """Whether the text is the passage itself, so that quotation marks are true."""
        return self.wording in ("VERBATIM", "TRANSLATED")

    @classmethod
    def of(cls, statement: str, background: Background) -> Said | None:
        view = background.statements.get(statement)
        if view is None:
            return None
        it = view.statement
        ids = dict.fromkeys(passage.source for passage in words_of(view))
        return cls(
            text=it.text,
            wording=label(statements.Wording, it.wording),
            language=it.language,
            anonymous=it.anonymous.description,
            sources=tuple(Source.of(id, background) for id in ids),
            verifiers=tuple(view.vouchers),
            reviews=tuple(
                Review(found.review.publisher, found.review.verdict, found.review.url)
                for found in view.reviews
            ),
        )


@dataclass(frozen=True)
class Testimony:
    """One reading of one statement, as far as it bears on the question."""

    statement: str
    """The statement id."""
    index: int
    """The ledger index of the record that introduced the statement."""
    speaker: str
    """The speaker's slug; empty if anonymous."""
    speaker_name: str
    """Their name, or what the source says of them."""
    said_for: tuple[str, ...]
    """The slugs of the organisations it was said for."""
    said_for_names: tuple[str, ...]
    """Their names."""
    said_at: str
    """When it was said, as recorded (EDTF)."""
    stance: Stance | None
    """The stance, if the topic was answered; the first of `readings` if coders disagree."""
    engagement: str
    """ANSWERED, DECLINED or DEFLECTED."""
    definite: bool
    """Whether it was certainly said by the date asked for."""
    said: Said | None
    """The words; none where they were not looked up."""
    message: positions.Testimony = field(repr=False, compare=False)
    """All that the daemon says of it."""

    @classmethod
    def of(cls, it: positions.Testimony, background: Background) -> Testimony:
        said = Said.of(it.statement, background)
        name = background.name(it.speaker) if it.speaker else ""
        return cls(
            statement=it.statement,
            index=it.index,
            speaker=it.speaker,
            speaker_name=name or (said.anonymous if said else "") or "anonymous",
            said_for=tuple(it.said_for),
            said_for_names=tuple(background.name(slug) for slug in it.said_for),
            said_at=it.said_at,
            stance=Stance.of(it.stance) if it.HasField("stance") else None,
            engagement=label(statements.Engagement, it.engagement),
            definite=it.definite,
            said=said,
            message=it,
        )

    @property
    def basis(self) -> str:
        """On what the reading rests: OWN_WORDS, RELAYED, ASCRIBED, CONDUCT or SURVEY."""
        return label(statements.ReadingBasis, self.message.basis)

    @property
    def readings(self) -> tuple[Reading, ...]:
        """How it is read: once; or, where coders disagree, each reading that as many give."""
        rivals = (Reading.of(it) for it in self.message.rivals)
        return (Reading.of(self.message), *rivals)

    @property
    def authority(self) -> str:
        """How far the speaker's word is that of the actor who was asked, which of a person's own
        word is PRINCIPAL whatever their office: PRINCIPAL, SPOKESPERSON, DELEGATE, AFFILIATED;
        empty if no mandate is on record."""
        return label(definitions.Authority, self.message.authority)


@dataclass(frozen=True)
class Reading:
    """How some coders read a statement."""

    index: int
    """The ledger index of the entry that gave the reading first."""
    engagement: str
    """ANSWERED, DECLINED or DEFLECTED."""
    stance: Stance | None
    """The stance, if the topic was answered."""
    coders: tuple[str, ...]
    """The public keys of its coders, but for whoever attested the statement."""

    @classmethod
    def of(cls, it: positions.Testimony | positions.RivalReading) -> Reading:
        engagement = label(statements.Engagement, it.engagement)
        return cls(it.reading_index, engagement, maybe(it, "stance", Stance), tuple(it.coded_by))

    def __str__(self) -> str:
        answered = self.stance and self.engagement == "ANSWERED"
        return str(self.stance) if answered else self.engagement


def maybe(message: Any, name: str, make: type[Any], *more: Any) -> Any:
    return make.of(getattr(message, name), *more) if message.HasField(name) else None


class Shown:
    """Something that is shown as the statements it rests on, in a terminal and in a notebook."""

    def _sheet(self) -> _draw.Sheet:
        raise NotImplementedError

    def __repr__(self) -> str:
        return self._sheet().text()

    def _repr_html_(self) -> str:
        return self._sheet().html()


@dataclass(frozen=True, repr=False)
class Position(Shown):
    """What an actor's stance on a topic was, and the statements that it rests on."""

    actor: str
    """The actor's slug."""
    actor_name: str
    """The actor's name."""
    topic: str
    """The topic's slug."""
    proposition: str
    """What can be supported or opposed."""
    finding: str
    """How far the record answers: STATED, DISPUTED, EVADED, UNDATED, NO_RECORD or NO_VOICE; empty
    of a position in `changes` whose actor was not on record."""
    stance: Stance | None
    """The stance, if one is STATED."""
    deciding: Testimony | None
    """The statement that decides."""
    front: tuple[Testimony, ...]
    """The statements any of which may be the newest."""
    since: Span | None
    """When it was first said in the unbroken run up to the deciding statement."""
    last_affirmed: Span | None
    """When it was last affirmed."""
    previous: Testimony | None
    """What decided before that run."""
    latest_evasion: Testimony | None
    """The newest evasion, if it is newer than the position."""
    voices: tuple[Testimony, ...]
    """What decides each speaker's own position."""
    reported: tuple[Testimony, ...]
    """What bears on the question but is not the actor's own word. Newest first."""
    possible: tuple[Testimony, ...]
    """Statements whose date may lie on either side. Newest first."""
    basis: Basis
    """On what the answer rests."""
    message: positions.Position = field(compare=False)
    """All that the daemon says."""

    @classmethod
    def of(cls, it: positions.Position, basis: common.Basis, background: Background) -> Position:
        def testimonies(several: Sequence[positions.Testimony]) -> tuple[Testimony, ...]:
            return tuple(Testimony.of(said, background) for said in several)

        topic = background.topics.get(it.topic)
        return cls(
            actor=it.actor,
            actor_name=background.name(it.actor),
            topic=it.topic,
            proposition=topic.proposition if topic else "",
            finding=label(positions.Finding, it.finding),
            stance=maybe(it, "stance", Stance),
            deciding=maybe(it, "deciding", Testimony, background),
            front=testimonies(it.front),
            since=maybe(it, "since", Span),
            last_affirmed=maybe(it, "last_affirmed", Span),
            previous=maybe(it, "previous", Testimony, background),
            latest_evasion=maybe(it, "latest_evasion", Testimony, background),
            voices=testimonies([voice.deciding for voice in it.voices]),
            reported=testimonies(it.reported),
            possible=testimonies(it.possible),
            basis=Basis.of(basis),
            message=it,
        )

    @property
    def warnings(self) -> tuple[str, ...]:
        """What makes the position less than plain."""
        said = {
            "the voices diverge": self.message.diverge,
            "which of several statements is the newest is uncertain, and they differ": (
                self.message.order_uncertain
            ),
            "a voice of higher authority last said otherwise": (
                self.message.contradicts_higher_authority
            ),
        }
        return tuple(text for text, holds in said.items() if holds)

    @property
    def filtered(self) -> dict[str, int]:
        """How many statements each part of the filter took away: WORDINGS, VERIFIERS,
        VERIFIERS_EXCLUDED, ATTESTATIONS_MIN, SOURCES, MANDATED_ONLY."""
        taken = self.message.filtered_by
        return {label(positions.FilterPart, it.part): it.statements for it in taken}

    def _sheet(self) -> _draw.Sheet:
        return _draw.position(self)


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """How a position changed. Unpacks into the two: `before, after = archive.compare(...)`."""

    kind: str
    """What kind of change it is: REVERSED, SOFTENED, HARDENED, UNCHANGED, …"""
    also: tuple[str, ...]
    """What else it is."""
    certain: bool
    """Whether nothing undated, unordered or disputed could make it another."""
    direction: str
    """NONE, TOWARD_SUPPORT or TOWARD_OPPOSITION."""
    placement: str
    """Where the later deciding statement stands about the milestone: BEFORE, SINCE, DURING,
    UNPLACED; empty without one."""
    milestone: str
    """The milestone's slug; empty without one."""
    conditions_added: tuple[Condition, ...]
    """Conditions that only the later position has."""
    conditions_dropped: tuple[Condition, ...]
    """Conditions that only the earlier position has."""
    before: Position
    """The earlier position."""
    after: Position
    """The later position."""
    message: positions.Comparison = field(compare=False)
    """All that the daemon says of the change."""
    entries: tuple[int, ...] = ()
    """Of `changes` between two states of knowledge: the entries in between that bear on it; the
    first 100."""
    entry_count: int = 0
    """How many there are."""
    other_causes: bool = False
    """The positions differ and no entry is named."""

    @classmethod
    def compared(
        cls, it: positions.ComparedPositions, milestone: str, before: Position, after: Position
    ) -> Comparison:
        comparison = cls.of(it.comparison, milestone, before, after)
        return replace(
            comparison,
            entries=tuple(it.entries),
            entry_count=it.entry_count,
            other_causes=it.other_causes,
        )

    @classmethod
    def of(
        cls, it: positions.Comparison, milestone: str, before: Position, after: Position
    ) -> Comparison:
        return cls(
            kind=label(positions.ChangeKind, it.kind),
            also=tuple(label(positions.ChangeKind, kind) for kind in it.also),
            certain=it.certain,
            direction=label(positions.Direction, it.direction),
            placement=label(positions.Placement, it.placement),
            milestone=milestone,
            conditions_added=tuple(map(Condition.of, it.conditions_added)),
            conditions_dropped=tuple(map(Condition.of, it.conditions_dropped)),
            before=before,
            after=after,
            message=it,
        )

    def __iter__(self) -> Iterator[Position]:
        return iter((self.before, self.after))

    def _sheet(self) -> _draw.Sheet:
        return _draw.comparison(self)


@dataclass(frozen=True)
class Step:
    """A step of a timeline."""

    since: str
    """From when on the position holds, RFC 3339 in UTC."""
    testimony: Testimony
    """The statement that decides from then on, or that evades."""
    kind: str
    """How it differs from the position before; empty for an evasion, which changes nothing."""
    message: positions.TimelineStep = field(repr=False, compare=False)
    """All that the daemon says of it."""

    @classmethod
    def of(cls, it: positions.TimelineStep, background: Background) -> Step:
        kind = label(positions.ChangeKind, it.comparison.kind)
        said = Testimony.of(it.testimony, background.with_testimony(it.testimony))
        return cls(getattr(it, "from"), said, kind, it)


@dataclass(frozen=True, repr=False)
class Timeline(Shown, Sequence[Step]):
    """How a position came about: a sequence of steps, oldest first."""

    actor: str
    """The actor's slug."""
    actor_name: str
    """The actor's name."""
    topic: str
    """The topic's slug."""
    proposition: str
    """What can be supported or opposed."""
    steps: tuple[Step, ...]
    """The steps."""
    truncated: bool
    """Whether older steps were left out."""
    basis: Basis
    """On what the answer rests."""

    @overload
    def __getitem__(self, at: int) -> Step: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Step]: ...
    def __getitem__(self, at: int | slice) -> Step | Sequence[Step]:
        return self.steps[at]

    def __len__(self) -> int:
        return len(self.steps)

    def _sheet(self) -> _draw.Sheet:
        return _draw.timeline(self)
