"""A client made from the protos alone: encodes, signs, appends and queries.

    python3 -m venv /tmp/client && /tmp/client/bin/pip install grpcio-tools cryptography
    mkdir -p /tmp/client/generated
    /tmp/client/bin/python -m grpc_tools.protoc -Iproto --python_out=/tmp/client/generated \\
        --grpc_python_out=/tmp/client/generated \\
        proto/onrecord/record/v1/*.proto proto/onrecord/v1/*.proto
    PYTHONPATH=/tmp/client/generated /tmp/client/bin/python tests/python/client.py HOST:PORT KEYFILE

HOST:PORT without http://; KEYFILE is the steward's. `.ci/clients` does all of it.
Exits 0 if the archive answers as it should.
"""

import re
import sys
from pathlib import Path

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.timestamp_pb2 import Timestamp
from onrecord.record.v1 import definitions_pb2 as definitions
from onrecord.record.v1 import evidence_pb2 as evidence
from onrecord.record.v1 import source_pb2 as source
from onrecord.record.v1 import statement_pb2 as statement
from onrecord.record.v1.envelope_pb2 import Envelope, Signature
from onrecord.record.v1.record_pb2 import Record
from onrecord.v1 import ledger_service_pb2 as ledger
from onrecord.v1 import ledger_service_pb2_grpc as ledger_grpc
from onrecord.v1 import position_service_pb2 as position
from onrecord.v1 import position_service_pb2_grpc as position_grpc
from onrecord.v1 import record_service_pb2 as records
from onrecord.v1 import record_service_pb2_grpc as records_grpc
from onrecord.v1 import source_service_pb2 as sources
from onrecord.v1 import source_service_pb2_grpc as sources_grpc

PAYLOAD_TYPE = b"application/vnd.onrecord.record.v1+protobuf"
DOCUMENT = "The speaker said on Monday: the harbour should be closed. — «Закрыть гавань»".encode()


class Client:
    def __init__(self, address: str, key_file: str) -> None:
        channel = grpc.insecure_channel(address)
        self.records = records_grpc.RecordServiceStub(channel)
        self.sources = sources_grpc.SourceServiceStub(channel)
        self.ledger = ledger_grpc.LedgerServiceStub(channel)
        self.positions = position_grpc.PositionServiceStub(channel)
        seed = re.findall(r"\b[0-9a-f]{64}\b", Path(key_file).read_text())[-1]
        self.key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed))
        self.origin = self.ledger.GetHead(ledger.GetHeadRequest()).origin

    def seal(self, **kind) -> Envelope:
        now = Timestamp()
        now.GetCurrentTime()
        now.nanos -= now.nanos % 1000
        record = Record(origin=self.origin, signed_at=now, **kind)
        payload = record.SerializeToString(deterministic=True)
        pae = b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE, len(payload), payload)
        signature = Signature(
            public_key=self.key.public_key().public_bytes_raw(), signature=self.key.sign(pae)
        )
        return Envelope(payload=payload, signatures=[signature])

    def append(self, **kind) -> records.AppendResult:
        request = records.AppendRequest(envelopes=[self.seal(**kind)])
        return self.records.Append(request).results[0]

    def put(self, document: bytes) -> sources.PutSourceResponse:
        header = sources.PutSourceHeader(media_type="text/plain; charset=utf-8")
        parts = [
            sources.PutSourceRequest(header=header),
            sources.PutSourceRequest(chunk=document[:30]),
            sources.PutSourceRequest(chunk=document[30:]),
        ]
        return self.sources.PutSource(iter(parts))


def main() -> None:
    client = Client(sys.argv[1], sys.argv[2])
    stored = client.put(DOCUMENT)
    captured = Timestamp()
    captured.FromJsonString("2025-09-02T06:00:00Z")
    name = definitions.LocalizedName(language="en", name="A speaker")
    for kind in (
        {
            "actor_defined": definitions.ActorDefined(
                actor_id="python-speaker", kind=definitions.ACTOR_KIND_PERSON, names=[name]
            )
        },
        {
            "topic_defined": definitions.TopicDefined(
                topic_id="python-harbour",
                kind=definitions.TOPIC_KIND_POLICY,
                proposition="The harbour should be closed.",
            )
        },
        {
            "source_archived": source.SourceArchived(
                source=stored.source,
                media_type="text/plain; charset=utf-8",
                size_bytes=stored.size_bytes,
                captured_at=captured,
                role=source.SOURCE_ROLE_SECONDARY,
                profile=stored.profile,
                text_id=stored.text_id,
            )
        },
    ):
        result = client.append(**kind)
        assert result.WhichOneof("outcome") == "recorded", result

    said = statement.Statement(
        speaker="python-speaker",
        said_at="2025-09-01",
        wording=statement.WORDING_VERBATIM,
        language="en",
        spoken_language="en",
        text="the harbour should be closed",
        evidence=[
            evidence.Evidence(
                source=stored.source,
                text_id=stored.text_id,
                segments=[evidence.Segment(exact="the harbour should be closed")],
                establishes=[evidence.ESTABLISHES_WORDS, evidence.ESTABLISHES_SPEAKER],
            )
        ],
        readings=[
            statement.Reading(
                topic="python-harbour",
                engagement=statement.ENGAGEMENT_ANSWERED,
                polarity=statement.POLARITY_SUPPORTS,
                strength=2,
            )
        ],
    )
    recorded = client.append(statement_recorded=said)
    assert recorded.WhichOneof("outcome") == "recorded", recorded

    said.evidence[0].segments[0].exact = "the harbour should stay open"
    refused = client.append(statement_recorded=said)
    assert refused.refusal.reason == "QUOTE_NOT_FOUND", refused
    assert refused.refusal.nearest, refused

    question = position.GetPositionRequest(
        actor="python-speaker",
        topic="python-harbour",
        as_of="2025-09-30",
        at_least_size=recorded.recorded.ledger_size,
    )
    answer = client.positions.GetPosition(question)
    assert answer.position.finding == position.FINDING_STATED, answer
    assert answer.position.stance.polarity == statement.POLARITY_SUPPORTS, answer
    assert answer.position.deciding.statement == recorded.recorded.record, answer
    print("the Python client encodes, signs, appends and queries")


if __name__ == "__main__":
    main()
