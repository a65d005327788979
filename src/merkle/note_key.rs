//! Verifier keys of signed notes, as people write them: `name+hash+key` after C2SP signed-note.
//!
//! `hash` is the key id: the first four bytes of SHA-256(name, 0x0A, type, public key), as
//! eight lower-case hex digits; `key` is the base64 of type and public key. Names may be
//! followed by any base64, so that only the first two `+` separate.

use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use sha2::{Digest as _, Sha256};

use crate::record::{KeyError, VerifierKey};

/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 255;

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKeyType {
    /// Notes of its own (type 0x01).
    Log,
    /// Cosignatures with a time (type 0x04).
    Cosignature,
}

/// A verifier key whose key id is right and whose public key is fit to vouch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteKey {
    name: String,
    key_type: NoteKeyType,
    key: VerifierKey,
}

impl NoteKey {
    /// Whose key it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    #[must_use]
    pub const fn key_type(&self) -> NoteKeyType {
        self.key_type
    }

    /// The public key.
    #[must_use]
    pub const fn key(&self) -> &VerifierKey {
        &self.key
    }
}

impl FromStr for NoteKey {
    type Err = NoteKeyError;

    fn from_str(text: &str) -> Result<Self, NoteKeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(NoteKeyError::Form);
        };
        let unfit = |c: char| c.is_whitespace() || c.is_control();
        if name.is_empty() || name.len() > NAME_BYTES_MAX || name.contains(unfit) {
            return Err(NoteKeyError::Name);
        }
        let encoded = BASE64.decode(encoded.as_bytes());
        let encoded = encoded.map_err(|_| NoteKeyError::Form)?;
        let (key_type, key) = match encoded.split_first() {
            Some((1, key)) => (NoteKeyType::Log, key),
            Some((4, key)) => (NoteKeyType::Cosignature, key),
            Some((&byte, _)) => return Err(NoteKeyError::Type(byte)),
            None => return Err(NoteKeyError::Form),
        };
        let expected = key_id(name, &encoded);
        if id != expected {
            return Err(NoteKeyError::KeyId { expected });
        }
        Ok(Self {
            name: name.to_owned(),
            key_type,
            key: VerifierKey::check(key).map_err(NoteKeyError::Weak)?,
        })
    }
}

/// The key id of a name, and of a type with its public key.
fn key_id(name: &str, encoded: &[u8]) -> String {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update(b"\n")
        .chain_update(encoded)
        .finalize();
    HEXLOWER.encode(hash.get(..4).unwrap_or_default())
}

/// Why a text is no verifier key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteKeyError {
    /// Not three parts, or the last is no base64.
    #[error("a verifier key is name+hash+key, the key in base64")]
    Form,
    /// The name cannot stand in a signed note.
    #[error("the name has 1 to {NAME_BYTES_MAX} bytes without white space and control characters")]
    Name,
    /// A type of signature that is not known.
    #[error("the signature type {0:#04x} is not known")]
    Type(u8),
    /// The key id belongs to another name or key.
    #[error("the key id of this name and key is {expected}")]
    KeyId {
        /// The right one.
        expected: String,
    },
    /// The public key is not fit to vouch.
    #[error("{0}")]
    Weak(KeyError),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vector of the signed-note specification.
    const EXAMPLE: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

    #[test]
    fn the_example_of_the_specification_is_read() {
        let key: NoteKey = EXAMPLE.parse().unwrap();
        assert_eq!(key.name(), "example.com/foo");
        assert_eq!(key.key_type(), NoteKeyType::Log);
        assert!(key.key().to_string().starts_with("e932791ae6e7a840"));
    }

    #[test]
    fn each_part_that_is_wrong_is_named() {
        let parse = |text: &str| text.parse::<NoteKey>().unwrap_err();
        let (head, _) = EXAMPLE.rsplit_once('+').unwrap();
        assert_eq!(parse("example.com/foo"), NoteKeyError::Form);
        assert_eq!(parse(&format!("{head}+A*")), NoteKeyError::Form);
        assert_eq!(parse(&format!("{head}+")), NoteKeyError::Form);
        assert_eq!(parse(&EXAMPLE.replace("/foo", " foo")), NoteKeyError::Name);
        assert_eq!(parse(EXAMPLE.split_at(15).1), NoteKeyError::Name);
        assert_eq!(parse(&format!("{head}+Bg==")), NoteKeyError::Type(6));
        let expected = "530d903a".to_owned();
        let wrong = parse(&EXAMPLE.replace("530d", "530e"));
        assert_eq!(wrong, NoteKeyError::KeyId { expected });
        let weak = [&[4_u8, 1][..], &[0; 31]].concat();
        let weak = format!("w+{}+{}", key_id("w", &weak), BASE64.encode(&weak));
        assert_eq!(parse(&weak), NoteKeyError::Weak(KeyError::Weak));
    }
}
