"""Writes tests/golden/python.json: records that protobuf's own Python encoder encoded and
the `cryptography` package signed. The test golden_payloads.rs holds the archive to them.

    pip install ./clients/python
    python tests/python/golden.py > tests/golden/python.json

Of the package it takes the generated classes alone, so that the package is held to it too.
"""

import json
import sys

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp
from onrecord.record.v1 import definitions_pb2 as definitions
from onrecord.record.v1 import evidence_pb2 as evidence
from onrecord.record.v1 import source_pb2 as source
from onrecord.record.v1 import statement_pb2 as statement
from onrecord.record.v1.record_pb2 import Record

PAYLOAD_TYPE = b"application/vnd.onrecord.record.v1+protobuf"


def pae(payload: bytes) -> bytes:
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE, len(payload), payload)


def record(**kind) -> Record:
    return Record(
        origin="golden.example.org",
        signed_at=Timestamp(seconds=1_755_600_000, nanos=123_456_000),
        **kind,
    )


SOURCE = "6b" * 32
RECORDS = {
    "actor": record(
        actor_defined=definitions.ActorDefined(
            actor_id="lavrov",
            kind=definitions.ACTOR_KIND_PERSON,
            names=[
                definitions.LocalizedName(language="ru", name="Сергей Лавров"),
                definitions.LocalizedName(language="en", name="Sergei Lavrov"),
            ],
            external_ids=[definitions.ExternalId(register="wikidata", id="Q58217")],
        )
    ),
    "topic": record(
        topic_defined=definitions.TopicDefined(
            topic_id="leaders-meeting",
            kind=definitions.TOPIC_KIND_POLICY,
            proposition="The presidents of Russia and Ukraine should meet in person.",
        )
    ),
    "source": record(
        source_archived=source.SourceArchived(
            source=SOURCE,
            media_type="text/plain; charset=utf-8",
            size_bytes=300,
            published_at="2025-08-19",
            captured_at=Timestamp(seconds=1_755_669_600),
            role=source.SOURCE_ROLE_SECONDARY,
            profile="plain-text/1",
            text_id=SOURCE,
            derived_from=[
                source.DerivedFrom(
                    derivation=source.DERIVATION_REPORTS, description="a broadcast"
                )
            ],
        )
    ),
    "statement": record(
        statement_recorded=statement.Statement(
            speaker="lavrov",
            said_for=[
                statement.SaidFor(actor="kremlin", basis=statement.CAPACITY_BASIS_IMPLIED)
            ],
            said_at="2025-08-19",
            wording=statement.WORDING_PARAPHRASED,
            language="en",
            spoken_language="ru",
            text="No format is refused … — “prepared with care” 🕊",
            evidence=[
                evidence.Evidence(
                    source=SOURCE,
                    text_id=SOURCE,
                    segments=[evidence.Segment(exact="prepared with care", start=0, end=18)],
                    establishes=[evidence.ESTABLISHES_WORDS, evidence.ESTABLISHES_SPEAKER],
                )
            ],
            readings=[
                statement.Reading(
                    topic="leaders-meeting",
                    engagement=statement.ENGAGEMENT_ANSWERED,
                    polarity=statement.POLARITY_OPEN,
                    conditions=[
                        statement.Condition(
                            id="prepared",
                            kind=statement.CONDITION_KIND_ONLY_IF,
                            text="prepared with extreme care",
                        )
                    ],
                )
            ],
        )
    ),
}


def main() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    golden = []
    for name, message in RECORDS.items():
        payload = message.SerializeToString(deterministic=True)
        golden.append(
            {
                "name": name,
                "record": MessageToDict(message),
                "payload": payload.hex(),
                "public_key": key.public_key().public_bytes_raw().hex(),
                "signature": key.sign(pae(payload)).hex(),
            }
        )
    json.dump(golden, sys.stdout, ensure_ascii=False, indent=1)
    print()


if __name__ == "__main__":
    main()
