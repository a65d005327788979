"""What is signed is byte for byte what the archive's golden file holds, and keys are kept."""

import json
from pathlib import Path
from typing import Any

import onrecord
import pytest
from conftest import REPOSITORY, Daemon
from google.protobuf.json_format import ParseDict
from onrecord import _signing
from onrecord.record.v1.record_pb2 import Record

GOLDEN = json.loads((REPOSITORY / "tests/golden/python.json").read_text())
SEED = bytes(range(32))


@pytest.mark.parametrize("golden", GOLDEN, ids=[it["name"] for it in GOLDEN])
def test_payloads_and_signatures_are_those_of_the_golden_file(golden: dict[str, Any]) -> None:
    record = Record()
    ParseDict(golden["record"], record)
    payload = _signing.encode(record)
    assert payload.hex() == golden["payload"]
    signature = onrecord.SigningKey(SEED).sign(payload)
    assert signature.public_key.hex() == golden["public_key"]
    assert signature.signature.hex() == golden["signature"]


def test_the_daemon_s_own_key_file_is_read_and_its_secret_is_not_shown(daemon: Daemon) -> None:
    key = onrecord.SigningKey.read(daemon.key)
    text = daemon.key.read_text()
    assert key.public in text
    assert key.public in repr(key)
    seed = text.split()[-1]
    assert seed not in repr(key)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        SEED.hex(),
        f"onrecord-ed25519-seed {SEED.hex()[2:]}\n",
        f"onrecord-ed25519-seed {SEED.hex().upper()}\n",
        f"another-label {SEED.hex()}\n",
        f"onrecord-ed25519-seed {SEED.hex()}\n" * 2,
    ],
)
def test_what_is_no_key_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "some.key"
    file.write_text(text)
    file.chmod(0o600)
    with pytest.raises(onrecord.KeyFileError, match="is not a key file") as error:
        onrecord.SigningKey.read(file)
    assert "onrecord keygen" in error.value.accepted


def test_a_key_file_that_others_may_read_or_that_is_missing_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "some.key"
    file.write_text(f"onrecord-ed25519-seed {SEED.hex()}\n")
    file.chmod(0o640)
    with pytest.raises(onrecord.KeyFileError, match="can be read by others"):
        onrecord.SigningKey.read(file)
    file.chmod(0o600)
    assert onrecord.SigningKey.read(file).public == onrecord.SigningKey(SEED).public
    with pytest.raises(onrecord.KeyFileError, match="No such file"):
        onrecord.SigningKey.read(tmp_path / "nothing.key")
