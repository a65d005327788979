//! Signed notes, after C2SP signed-note: a text, an empty line, and signature lines.
//!
//! ```text
//! text, one line or more
//!
//! — key name base64(key id ‖ signature)
//! ```
//!
//! Invariant: a [`SignedNote`] is well-formed, so that its text and its parsing agree; whether
//! its signatures hold is for [`SignedNote::signers`] to say, and until then nothing in the
//! text is to be believed. What the text means is for [`super::Checkpoint`].

use std::fmt;
use std::str::{self, FromStr};

use super::base64;
use super::cosignature::{self, CosignatureTime};
use super::note_key::{KeyName, KeyNameError, NoteKey, NoteKeyId, NoteKeyType};

/// The most signatures on one note. Every reader accepts 16.
pub const NOTE_SIGNATURES_MAX: usize = 100;

/// The largest note, in bytes: 100 signatures of 5,000 bytes (a name of 255 bytes, and a
/// post-quantum signature of 3,500 in base64), and 12,000 for a text of a few lines.
pub const NOTE_BYTES_MAX: usize = NOTE_SIGNATURES_MAX * 5_000 + 12_000;

/// What a signature line starts with: an em dash and a space.
const LINE_START: &str = "\u{2014} ";

/// The length of a key id.
const KEY_ID_BYTES: usize = 4;

/// A signature line of a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteSignature {
    name: KeyName,
    key_id: NoteKeyId,
    signature: Vec<u8>,
}

impl NoteSignature {
    /// A signature that was made by `key`.
    pub(super) fn by(key: &NoteKey, signature: Vec<u8>) -> Self {
        Self {
            name: key.key_name().clone(),
            key_id: key.id(),
            signature,
        }
    }

    /// The name of the key that is said to have signed.
    #[must_use]
    pub const fn name(&self) -> &KeyName {
        &self.name
    }

    /// The id of the key that is said to have signed.
    #[must_use]
    pub const fn key_id(&self) -> NoteKeyId {
        self.key_id
    }

    /// The signature, in the form of its key's type: at least one byte.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Signature lines, each ended by a newline: what a witness answers.
    pub fn parse_lines(bytes: &[u8]) -> Result<Vec<Self>, NoteError> {
        parse_signatures(checked_text(bytes)?)
    }
}

/// The line without its newline.
impl fmt::Display for NoteSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = base64::encode(&[&self.key_id.0, &self.signature[..]].concat());
        write!(f, "{LINE_START}{} {encoded}", self.name)
    }
}

impl FromStr for NoteSignature {
    type Err = SignatureLineError;

    fn from_str(line: &str) -> Result<Self, SignatureLineError> {
        let (name, encoded) = line
            .strip_prefix(LINE_START)
            .and_then(|rest| rest.split_once(' '))
            .ok_or(SignatureLineError::Form)?;
        let decoded = base64::decode(encoded).ok_or(SignatureLineError::Base64)?;
        match decoded.split_first_chunk::<KEY_ID_BYTES>() {
            Some((key_id, signature)) if !signature.is_empty() => Ok(Self {
                name: name.parse()?,
                key_id: NoteKeyId(*key_id),
                signature: signature.to_vec(),
            }),
            _ => Err(SignatureLineError::Short {
                found: decoded.len(),
            }),
        }
    }
}

/// A well-formed note: a text and at least one signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<NoteSignature>,
}

impl SignedNote {
    /// The note of `text`, which ends in a newline, with `signatures` over it.
    pub fn new(text: String, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        checked_text(text.as_bytes())?;
        if !text.ends_with('\n') {
            return Err(NoteError::Unterminated);
        }
        Self { text, signatures }.bounded()
    }

    /// The note of a checkpoint's `text`, which is well-formed and short.
    pub(super) fn of_checkpoint(text: String, signature: NoteSignature) -> Self {
        Self {
            text,
            signatures: vec![signature],
        }
    }

    /// Reads a note.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let note = checked_text(bytes)?;
        let (text, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::NoEmptyLine)?;
        Ok(Self {
            text: format!("{text}\n"),
            signatures: parse_signatures(signatures)?,
        })
    }

    /// The note with `signatures` behind those it has.
    pub fn with(mut self, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        self.signatures.extend(signatures);
        self.bounded()
    }

    /// The text, with the newline that ends it: what is signed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in order; at least one.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// Which of `keys` signed: one answer for each signature by one of them, in the note's
    /// order, and possibly none. Signatures by other keys say nothing. A signature that names
    /// one of `keys` and does not hold makes the whole note invalid.
    pub fn signers<'k>(&self, keys: &'k [NoteKey]) -> Result<Vec<NoteSigner<'k>>, BadSignature> {
        let mut signers = Vec::new();
        for signature in &self.signatures {
            let named =
                |key: &&NoteKey| *key.key_name() == signature.name && key.id() == signature.key_id;
            // Key ids are short, so that two known keys could share name and id.
            let mut known = keys.iter().filter(named).peekable();
            if known.peek().is_none() {
                continue;
            }
            let holds = |key| NoteSigner::check(key, &self.text, &signature.signature);
            signers.push(known.find_map(holds).ok_or_else(|| BadSignature {
                name: signature.name.clone(),
                key_id: signature.key_id,
            })?);
        }
        Ok(signers)
    }

    fn bounded(self) -> Result<Self, NoteError> {
        match self.signatures.len() {
            0 => return Err(NoteError::NoSignature),
            found if found > NOTE_SIGNATURES_MAX => {
                return Err(NoteError::TooManySignatures { found });
            }
            _ => {}
        }
        let bytes = self.to_string().len();
        if bytes > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { bytes });
        }
        Ok(self)
    }
}

/// The note as it is read by [`SignedNote::parse`].
impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        let mut lines = self.signatures.iter();
        lines.try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

/// A known key that signed a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoteSigner<'k> {
    /// The key.
    pub key: &'k NoteKey,
    /// When it signed, by its own word. Only cosignatures say so.
    pub time: Option<CosignatureTime>,
}

impl<'k> NoteSigner<'k> {
    /// `key` as signer of `text`, if `signature` holds.
    fn check(key: &'k NoteKey, text: &str, signature: &[u8]) -> Option<Self> {
        let time = match key.key_type() {
            NoteKeyType::Log => {
                let holds = key.key().verify(text.as_bytes(), signature);
                holds.then_some(None)?
            }
            NoteKeyType::Cosignature => Some(cosignature::verify(key.key(), text, signature)?),
        };
        Some(Self { key, time })
    }
}

/// Bytes that may stand in a note.
fn checked_text(bytes: &[u8]) -> Result<&str, NoteError> {
    if bytes.len() > NOTE_BYTES_MAX {
        return Err(NoteError::TooLong { bytes: bytes.len() });
    }
    let text = str::from_utf8(bytes).map_err(|_| NoteError::NotUtf8)?;
    match text.find(|c: char| c.is_control() && c != '\n') {
        Some(at) => Err(NoteError::Control { at }),
        None => Ok(text),
    }
}

fn parse_signatures(lines: &str) -> Result<Vec<NoteSignature>, NoteError> {
    if lines.is_empty() {
        return Err(NoteError::NoSignature);
    }
    let lines = lines.strip_suffix('\n').ok_or(NoteError::Unterminated)?;
    let found = lines.split('\n').count();
    if found > NOTE_SIGNATURES_MAX {
        return Err(NoteError::TooManySignatures { found });
    }
    let lines = lines.split('\n').enumerate();
    let parsed = lines.map(|(place, line)| {
        let error = |error| NoteError::Signature { place, error };
        line.parse().map_err(error)
    });
    parsed.collect()
}

/// Why some bytes are not a signed note.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More bytes than any note has.
    #[error("a note has at most {NOTE_BYTES_MAX} bytes, not {bytes}")]
    TooLong {
        /// How many there are.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("a note is UTF-8, which this is not")]
    NotUtf8,
    /// A character that cannot stand in a note.
    #[error("a note has no control characters but newlines; there is one at byte {at}")]
    Control {
        /// Where it stands.
        at: usize,
    },
    /// Nothing parts text and signatures.
    #[error("a note has an empty line between its text and its signatures")]
    NoEmptyLine,
    /// The last line, of the text or of all, is not ended.
    #[error("each line of a note ends in a newline, which the last one does not")]
    Unterminated,
    /// There is no signature.
    #[error("a note has at least one signature")]
    NoSignature,
    /// More signatures than any note has.
    #[error("a note has at most {NOTE_SIGNATURES_MAX} signatures, not {found}")]
    TooManySignatures {
        /// How many there are.
        found: usize,
    },
    /// A signature line that cannot be read.
    #[error("signature {place}: {error}")]
    Signature {
        /// Which, counted from 0.
        place: usize,
        /// What is wrong with it.
        error: SignatureLineError,
    },
}

/// Why a line is not a signature line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureLineError {
    /// Not dash, name and signature.
    #[error("a signature line is \"{LINE_START}<key name> <base64>\"")]
    Form,
    /// No name that a key can have.
    #[error("{0}")]
    Name(#[from] KeyNameError),
    /// No base64.
    #[error("the signature is not in standard base64 with padding")]
    Base64,
    /// No room for a signature.
    #[error("the base64 holds {KEY_ID_BYTES} bytes of key id and a signature, not {found} bytes")]
    Short {
        /// How many bytes it holds.
        found: usize,
    },
}

/// A signature that names a known key and is not by it: the note is invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature by {name} (key id {key_id}) does not hold")]
pub struct BadSignature {
    /// The name of the key.
    pub name: KeyName,
    /// The id of the key.
    pub key_id: NoteKeyId,
}
