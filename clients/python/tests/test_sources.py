"""Documents up and down."""

from pathlib import Path

import onrecord
import pytest


def test_a_document_of_many_chunks_comes_back_as_it_was(
    archive: onrecord.Archive, tmp_path: Path
) -> None:
    document = "Гавань закрыта. ".encode() * 50_000
    file = tmp_path / "document.txt"
    file.write_bytes(document)
    stored = archive.put_source(file, "text/plain; charset=utf-8")
    assert stored.size_bytes == len(document)
    assert archive.put_source(document, "text/plain").source == stored.source
    archived = {
        "source": stored.source,
        "sizeBytes": stored.size_bytes,
        "mediaType": "text/plain; charset=utf-8",
        "profile": stored.profile,
        "textId": stored.text_id,
        "capturedAt": "2025-09-02T06:00:00Z",
        "role": "SECONDARY",
    }
    archive.append({"sourceArchived": archived})
    assert archive.get_source(stored.source) == document
    assert archive.source_text(stored.source) == document.decode().rstrip()


def test_bytes_of_another_id_and_documents_that_are_not_there_are_refused(
    archive: onrecord.Archive,
) -> None:
    with pytest.raises(onrecord.InvalidQuestion) as mismatch:
        archive.put_source(b"some bytes", "text/plain", source="ab" * 32)
    assert mismatch.value.reason == "SOURCE_ID_MISMATCH"
    with pytest.raises(onrecord.NotOnRecord) as missing:
        archive.get_source("ab" * 32)
    assert missing.value.reason == "SOURCE_BYTES_MISSING"
    with pytest.raises(onrecord.InvalidQuestion) as malformed:
        archive.get_source("no id")
    assert malformed.value.field == "source"
    assert malformed.value.accepted
