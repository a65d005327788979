//! Envelopes: how a record is signed, after DSSE (Dead Simple Signing Envelope) with Ed25519.
//!
//! A signature is over the pre-authentication encoding of the payload, byte for byte as it
//! was received. Verification follows ZIP 215, under which batches and single checks agree.
//! Keys that are not canonical, of small order or with a torsion component never become a
//! [`VerifierKey`]: a signature by such a key would prove nothing.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use curve25519_dalek::edwards::CompressedEdwardsY;
use data_encoding::HEXLOWER;
use ed25519_zebra::{Signature, VerificationKeyBytes, batch};

use super::{ContentId, proto};

/// The DSSE payload type of a record.
pub const RECORD_PAYLOAD_TYPE: &str = "application/vnd.onrecord.record.v1+protobuf";

/// The largest payload, in bytes. The rest of [`super::ENTRY_BYTES_MAX`] is left to at most
/// [`SIGNATURES_MAX`] signatures of 100 bytes each, and the entry's own fields.
pub const PAYLOAD_BYTES_MAX: usize = 62_000;

/// The most signatures on one envelope.
pub const SIGNATURES_MAX: usize = 32;

/// The DSSE pre-authentication encoding: what is signed.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut encoded = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    encoded.extend_from_slice(payload);
    encoded
}

/// An Ed25519 public key that is fit to vouch: the id of a verifier. Shown as 64 lower-case
/// hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VerifierKey([u8; 32]);

impl VerifierKey {
    /// Checks a key from outside.
    pub fn check(bytes: &[u8]) -> Result<Self, KeyError> {
        let key: [u8; 32] = bytes
            .try_into()
            .map_err(|_| KeyError::Length(bytes.len()))?;
        let point = CompressedEdwardsY(key)
            .decompress()
            .ok_or(KeyError::NotAPoint)?;
        if point.compress().0 != key {
            return Err(KeyError::NotCanonical);
        }
        if point.is_small_order() || !point.is_torsion_free() {
            return Err(KeyError::Weak);
        }
        Ok(Self(key))
    }

    /// The key, 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether `signature` by this key over `message`, as it stands, holds.
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        verify_message(&self.0, message, signature)
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = HEXLOWER
            .decode(text.as_bytes())
            .map_err(|_| KeyError::NotHex)?;
        Self::check(&bytes)
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

/// Why a key is not fit to vouch. Each says what a key is, so that it can stand for what is
/// accepted too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not lower-case hex.
    #[error("a verifier's public key is 64 lower-case hex digits")]
    NotHex,
    /// Not 32 bytes.
    #[error("a verifier's public key has 32 bytes in 64 hex digits, and this has {0}")]
    Length(usize),
    /// Not on the curve.
    #[error("a verifier's public key is a point on the curve, which this is not")]
    NotAPoint,
    /// Encoded in a second way.
    #[error("a verifier's public key is in its canonical encoding, which this is not")]
    NotCanonical,
    /// Anybody could sign for it, or one signature would hold for several keys.
    #[error("a verifier's public key is of prime order, which this is not")]
    Weak,
}

/// A secret Ed25519 key. It is never kept by a daemon on behalf of a verifier.
pub struct SigningKey {
    secret: ed25519_zebra::SigningKey,
    public: VerifierKey,
}

impl SigningKey {
    /// The key that the 32-byte `seed` stands for (RFC 8032). Every seed gives a fit key: its
    /// point is a multiple of the base point.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let secret = ed25519_zebra::SigningKey::from(seed);
        let public = VerificationKeyBytes::from(&secret);
        Self {
            secret,
            public: VerifierKey(public.into()),
        }
    }

    /// Its public part.
    #[must_use]
    pub const fn public(&self) -> VerifierKey {
        self.public
    }

    /// Signs `payload` under `payload_type`.
    #[must_use]
    pub fn sign(&self, payload_type: &str, payload: &[u8]) -> proto::Signature {
        let signature = self.secret.sign(&pae(payload_type, payload));
        proto::Signature {
            public_key: Bytes::copy_from_slice(self.public.as_bytes()),
            signature: Bytes::copy_from_slice(&signature.to_bytes()),
        }
    }

    /// Signs `message` as it stands. For formats that keep apart by themselves from all else
    /// that the key signs; records go through [`Self::sign`].
    #[must_use]
    pub(crate) fn sign_message(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }

    /// An envelope around `payload` with this key's signature alone.
    #[must_use]
    pub fn seal(&self, payload: Bytes) -> proto::Envelope {
        proto::Envelope {
            signatures: vec![self.sign(RECORD_PAYLOAD_TYPE, &payload)],
            payload,
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(of {})", self.public)
    }
}

/// Whether `signature` by `key` over `payload` as `payload_type` holds. The key is taken as
/// it is: whether it is fit to vouch is for [`VerifierKey::check`] to say.
#[must_use]
pub fn verify(key: &[u8; 32], payload_type: &str, payload: &[u8], signature: &[u8]) -> bool {
    verify_message(key, &pae(payload_type, payload), signature)
}

fn verify_message(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let Ok(signature) = Signature::try_from(signature) else {
        return false;
    };
    ed25519_zebra::VerificationKey::try_from(*key)
        .is_ok_and(|key| key.verify(&signature, message).is_ok())
}

/// One signature of a batch over records.
pub struct Claim<'a> {
    /// The public key on the envelope.
    pub key: [u8; 32],
    /// What was signed: a record's payload.
    pub payload: &'a [u8],
    /// The signature, 64 bytes.
    pub signature: &'a [u8],
}

/// Whether each signature holds, in order: as a batch, which is several times cheaper, and
/// one by one where the batch does not hold. `randomness` (64 bits or more of it per batch,
/// unknown to the signers) weighs the batch.
#[must_use]
pub fn verify_batch(claims: &[Claim<'_>], randomness: impl rand_core::CryptoRng) -> Vec<bool> {
    let mut verifier = batch::Verifier::new();
    let mut well_formed = true;
    for claim in claims {
        match Signature::try_from(claim.signature) {
            Ok(signature) => verifier.queue((
                VerificationKeyBytes::from(claim.key),
                signature,
                &pae(RECORD_PAYLOAD_TYPE, claim.payload),
            )),
            Err(_) => well_formed = false,
        }
    }
    if well_formed && verifier.verify(randomness).is_ok() {
        return vec![true; claims.len()];
    }
    let holds = |claim: &Claim<'_>| {
        verify(
            &claim.key,
            RECORD_PAYLOAD_TYPE,
            claim.payload,
            claim.signature,
        )
    };
    claims.iter().map(holds).collect()
}

/// The id of a record: the hash of its payload.
#[must_use]
pub fn record_id(envelope: &proto::Envelope) -> ContentId {
    ContentId::of(&envelope.payload)
}
