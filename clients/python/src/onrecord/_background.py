"""What an answer names without telling: who the actors are, what was said, where it stands.

Everything is looked up as the answer's own basis knew it, so that a position as of an old ledger
size shows the words that stood then.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from onrecord._errors import NotOnRecord
from onrecord.record.v1 import definitions_pb2 as definitions
from onrecord.record.v1.evidence_pb2 import ESTABLISHES_WORDS, Evidence
from onrecord.v1 import catalog_service_pb2 as catalog
from onrecord.v1 import common_pb2 as common
from onrecord.v1 import position_service_pb2 as positions

if TYPE_CHECKING:
    from onrecord._catalog import Catalog

# The most statements of one sort whose words are looked up.
LISTED_MAX = 8


@dataclass
class Background:
    """Names, statements and sources by their ids, all as known at one moment."""

    archive: Catalog
    known_at: int
    actors: dict[str, definitions.ActorDefined] = field(default_factory=dict)
    topics: dict[str, definitions.TopicDefined] = field(default_factory=dict)
    statements: dict[str, catalog.StatementView] = field(default_factory=dict)
    sources: dict[str, catalog.Source] = field(default_factory=dict)

    @classmethod
    def of(cls, archive: Catalog, basis: common.Basis) -> Background:
        """What `basis` knew. Nothing is looked up yet."""
        archive.grew_to(basis.ledger_size)
        return cls(archive, basis.known_at)

    def name(self, actor: str) -> str:
        """The actor's name: the English one, or else the first; the slug if it is not known."""
        names = self.actors[actor].names if actor in self.actors else []
        english = [it.name for it in names if it.language == "en"]
        return (english or [it.name for it in names] or [actor])[0]

    def position(self, position: positions.Position) -> None:
        """Looks up what a position names, as far as it is shown."""
        self.actor(position.actor, *position.asked, *position.speaks_for)
        self.topic(position.topic)
        for name in ("deciding", "previous", "latest_evasion"):
            if position.HasField(name):
                self.testimony(getattr(position, name))
        for several in (position.front, position.reported, position.possible):
            for said in several[:LISTED_MAX]:
                self.testimony(said)
        for voice in position.voices:
            self.testimony(voice.deciding)

    def testimony(self, said: positions.Testimony) -> None:
        """Looks up what a testimony names."""
        self.actor(said.speaker, said.holder, said.relayed_by, *said.said_for)
        if not said.statement or said.statement in self.statements:
            return
        try:
            view = self.archive.statement(said.statement, known_at=self.known_at)
        except NotOnRecord:
            return
        self.statements[said.statement] = view
        for passage in words_of(view):
            self.source(passage.source)

    def with_testimony(self, said: positions.Testimony) -> Background:
        """This, with what a testimony names."""
        self.testimony(said)
        return self

    def actor(self, *slugs: str) -> None:
        """Looks actors up."""
        for slug in slugs:
            if slug and slug not in self.actors:
                try:
                    found = self.archive.actor(slug, known_at=self.known_at)
                except NotOnRecord:
                    continue
                self.actors[slug] = found.definition

    def topic(self, slug: str) -> None:
        """Looks a topic up."""
        if slug and slug not in self.topics:
            try:
                found = self.archive.topic(slug, known_at=self.known_at)
            except NotOnRecord:
                return
            self.topics[slug] = found.definition

    def source(self, id: str) -> None:
        """Looks a source up."""
        if id not in self.sources:
            try:
                self.sources[id] = self.archive.source(id, known_at=self.known_at)
            except NotOnRecord:
                return


def words_of(view: catalog.StatementView) -> Iterable[Evidence]:
    """The passages in which a statement's words stand."""
    for passage in view.statement.evidence:
        if ESTABLISHES_WORDS in passage.establishes:
            yield passage
    for further in (it for it in view.further_evidence if not it.untrusted):
        for passage in further.evidence:
            if ESTABLISHES_WORDS in passage.establishes:
                yield passage
