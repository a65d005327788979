//! Verifier keys of signed notes, as people write them: `name+hash+key` after C2SP signed-note.
//!
//! `hash` is the key id: the first four bytes of SHA-256(name, 0x0A, type, public key), as
//! eight lower-case hex digits; `key` is the base64 of type and public key. Names may be
//! followed by any base64, so that only the first two `+` separate.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use super::base64;
use crate::record::{KeyError, VerifierKey};

/// The longest name, in bytes: what a length of one byte can say, as in cosignatures to come.
pub const KEY_NAME_BYTES_MAX: usize = 255;

/// The name of a key in signed notes, and so the origin of a ledger: 1 to
/// [`KEY_NAME_BYTES_MAX`] bytes without Unicode white space, control characters and `+`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyName(String);

impl KeyName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for KeyName {
    type Err = KeyNameError;

    fn from_str(text: &str) -> Result<Self, KeyNameError> {
        let unfit = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if text.is_empty() || text.len() > KEY_NAME_BYTES_MAX || text.contains(unfit) {
            return Err(KeyNameError);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name cannot stand in a signed note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key name has 1 to {KEY_NAME_BYTES_MAX} bytes without white space, control characters and \"+\""
)]
pub struct KeyNameError;

/// What a key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKeyType {
    /// Notes of its own (type 0x01).
    Log,
    /// Cosignatures with a time (type 0x04).
    Cosignature,
}

impl NoteKeyType {
    /// The byte that stands for it.
    const fn byte(self) -> u8 {
        match self {
            Self::Log => 0x01,
            Self::Cosignature => 0x04,
        }
    }
}

/// The key id: a short hash that tells which key signed a line, and no more than that. Shown
/// as eight lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct NoteKeyId(pub [u8; 4]);

impl fmt::Display for NoteKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for NoteKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NoteKeyId({self})")
    }
}

/// A verifier key whose key id is right and whose public key is fit to vouch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteKey {
    name: KeyName,
    key_type: NoteKeyType,
    key: VerifierKey,
    id: NoteKeyId,
}

impl NoteKey {
    /// The verifier key of `name` for `key`.
    #[must_use]
    pub fn new(name: KeyName, key_type: NoteKeyType, key: VerifierKey) -> Self {
        let id = key_id(name.as_str(), &encoded(key_type, &key));
        Self {
            name,
            key_type,
            key,
            id,
        }
    }

    /// Whose key it is.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name.as_str()
    }

    /// Whose key it is, as a name in signed notes.
    #[must_use]
    pub const fn key_name(&self) -> &KeyName {
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

    /// The key id on its signatures.
    #[must_use]
    pub const fn id(&self) -> NoteKeyId {
        self.id
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
        let name: KeyName = name.parse().map_err(NoteKeyError::Name)?;
        let encoded = base64::decode(encoded).ok_or(NoteKeyError::Form)?;
        let (key_type, key) = match encoded.split_first() {
            Some((0x01, key)) => (NoteKeyType::Log, key),
            Some((0x04, key)) => (NoteKeyType::Cosignature, key),
            Some((&byte, _)) => return Err(NoteKeyError::Type(byte)),
            None => return Err(NoteKeyError::Form),
        };
        let expected = key_id(name.as_str(), &encoded);
        if id != expected.to_string() {
            return Err(NoteKeyError::KeyId { expected });
        }
        let key = VerifierKey::check(key).map_err(NoteKeyError::Weak)?;
        Ok(Self::new(name, key_type, key))
    }
}

/// The text that is read by [`NoteKey::from_str`].
impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = base64::encode(&encoded(self.key_type, &self.key));
        write!(f, "{}+{}+{encoded}", self.name, self.id)
    }
}

/// Type and public key as they are hashed and written.
fn encoded(key_type: NoteKeyType, key: &VerifierKey) -> Vec<u8> {
    [&[key_type.byte()], &key.as_bytes()[..]].concat()
}

/// The key id of a name, and of a type with its public key.
fn key_id(name: &str, encoded: &[u8]) -> NoteKeyId {
    let hash = Sha256::new()
        .chain_update(name)
        .chain_update(b"\n")
        .chain_update(encoded)
        .finalize();
    let [a, b, c, d, ..] = hash.0;
    NoteKeyId([a, b, c, d])
}

/// Why a text is no verifier key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteKeyError {
    /// Not three parts, or the last is no base64.
    #[error("a verifier key is name+hash+key, the key in base64")]
    Form,
    /// The name cannot stand in a signed note.
    #[error("{0}")]
    Name(KeyNameError),
    /// A type of signature that is not known.
    #[error("the signature type {0:#04x} is not known")]
    Type(u8),
    /// The key id belongs to another name or key.
    #[error("the key id of this name and key is {expected}")]
    KeyId {
        /// The right one.
        expected: NoteKeyId,
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
        assert_eq!(key.to_string(), EXAMPLE);
        let key = NoteKey::new(key.key_name().clone(), key.key_type(), *key.key());
        assert_eq!(key.to_string(), EXAMPLE);
    }

    #[test]
    fn each_part_that_is_wrong_is_named() {
        let parse = |text: &str| text.parse::<NoteKey>().unwrap_err();
        let (head, _) = EXAMPLE.rsplit_once('+').unwrap();
        assert_eq!(parse("example.com/foo"), NoteKeyError::Form);
        assert_eq!(parse(&format!("{head}+A*")), NoteKeyError::Form);
        assert_eq!(parse(&format!("{head}+")), NoteKeyError::Form);
        assert_eq!(
            parse(&EXAMPLE.replace("/foo", " foo")),
            NoteKeyError::Name(KeyNameError)
        );
        assert_eq!(
            parse(EXAMPLE.split_at(15).1),
            NoteKeyError::Name(KeyNameError)
        );
        assert_eq!(parse(&format!("{head}+Bg==")), NoteKeyError::Type(6));
        let expected = NoteKeyId([0x53, 0x0d, 0x90, 0x3a]);
        let wrong = parse(&EXAMPLE.replace("530d", "530e"));
        assert_eq!(wrong, NoteKeyError::KeyId { expected });
        let weak = [&[4_u8, 1][..], &[0; 31]].concat();
        let weak = format!("w+{}+{}", key_id("w", &weak), base64::encode(&weak));
        assert_eq!(parse(&weak), NoteKeyError::Weak(KeyError::Weak));
    }
}
