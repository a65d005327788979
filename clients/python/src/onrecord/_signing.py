"""Keys, and signatures over records after DSSE (Dead Simple Signing Envelope) with Ed25519.

Invariant: what is signed is the payload's bytes as they are sent, never a second encoding of
the same record.
"""

from __future__ import annotations

import re
from os import PathLike
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from onrecord._errors import ArgumentError, KeyFileError
from onrecord._request import misfit
from onrecord.record.v1.envelope_pb2 import Envelope, Signature
from onrecord.record.v1.record_pb2 import Record

PAYLOAD_TYPE = b"application/vnd.onrecord.record.v1+protobuf"

# What a checkpoint key signs to show that somebody has it.
CHECKPOINT_KEY_PAYLOAD_TYPE = b"application/vnd.onrecord.checkpoint-key.v1"

# The longest key file that is read: a few comments and one line of 86 bytes.
_FILE_BYTES_MAX = 4096

# The permission bits of everybody but the owner.
_OTHERS = 0o077

_SEED_BYTES = 32
_SEED = re.compile(r"onrecord-ed25519-seed +([0-9a-f]{64})")


class SigningKey:
    """A verifier's secret key. Its `repr` shows the public part alone."""

    def __init__(self, seed: bytes) -> None:
        if not isinstance(seed, bytes) or len(seed) != _SEED_BYTES:
            # What was given may be most of a secret.
            said = "this is not a seed"
            raise ArgumentError(said, field="seed", accepted=f"{_SEED_BYTES} bytes")
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._public = self._key.public_key().public_bytes_raw()

    @classmethod
    def read(cls, path: str | PathLike[str]) -> SigningKey:
        """Reads a key file as `onrecord keygen` makes them. Raises `KeyFileError`."""
        accepted = "a file that `onrecord keygen` made"
        if not isinstance(path, (str, PathLike)):
            raise misfit(path, "key", accepted)
        try:
            with Path(path).open("rb") as file:
                text = file.read(_FILE_BYTES_MAX).decode("utf-8", "replace")
                mode = Path(path).stat().st_mode & 0o7777
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or error
            raise KeyFileError(f"{path}: {said}", accepted=accepted) from error
        lines = [line.strip() for line in text.splitlines()]
        said = [line for line in lines if line and not line.startswith("#")]
        seed = _SEED.fullmatch(said[0]) if len(said) == 1 else None
        if seed is None:
            raise KeyFileError(f"{path} is not a key file", accepted=accepted)
        if mode & _OTHERS:
            raise KeyFileError(
                f"{path} can be read by others (mode {mode:04o})",
                accepted=f"another key; or, if nobody has read it, `chmod 600 {path}`",
            )
        return cls(bytes.fromhex(seed[1]))

    @property
    def public(self) -> str:
        """The verifier: the public key, 64 lower-case hex digits."""
        return self._public.hex()

    def sign(self, payload: bytes) -> Signature:
        """Signs a record's bytes."""
        signature = self._key.sign(pre_authentication_encoding(payload))
        return Signature(public_key=self._public, signature=signature)

    def prove_possession(self, origin: str) -> bytes:
        """Signs, as a new checkpoint key of an archive, that somebody has it."""
        claim = b"%s\n%s" % (origin.encode(), self._public)
        return self._key.sign(pre_authentication_encoding(claim, CHECKPOINT_KEY_PAYLOAD_TYPE))

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public!r})"


def pre_authentication_encoding(payload: bytes, payload_type: bytes = PAYLOAD_TYPE) -> bytes:
    """What a signature is over: DSSE's PAE of the payload type and the payload."""
    return b"DSSEv1 %d %s %d %s" % (len(payload_type), payload_type, len(payload), payload)


def encode(record: Record) -> bytes:
    """A record's canonical bytes: its fields in the order of their tags."""
    return record.SerializeToString(deterministic=True)


def seal(payload: bytes, keys: tuple[SigningKey, ...]) -> Envelope:
    """A record's bytes with a signature by each of `keys`."""
    return Envelope(payload=payload, signatures=[key.sign(payload) for key in keys])
