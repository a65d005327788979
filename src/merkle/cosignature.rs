//! Cosignatures by witnesses, after C2SP tlog-cosignature (type 0x04), and the quorum of them
//! that makes a checkpoint witnessed.
//!
//! A cosignature says: as of this time, this is the largest tree of the ledger that I have seen,
//! and it begins with all those that I saw before. What is signed is `cosignature/v1`, a line
//! `time <unix seconds>`, and the checkpoint's text; what stands in the note is the time as u64
//! big-endian and the signature.
//!
//! Invariant: a [`WitnessPolicy`] counts no key and no name twice. The times are the witnesses'
//! own word; [`Witnessed::time`] is as good as the most honest member of the quorum's.

use std::num::NonZeroU64;
use std::str::FromStr;

use super::checkpoint::Checkpoint;
use super::note::{BadSignature, NoteSignature, SignedNote};
use super::note_key::{KeyName, NoteKey, NoteKeyError, NoteKeyType};
use super::tree::Frontier;
use crate::record::{SigningKey, VerifierKey};

/// The most witnesses of a policy: as many signatures as every reader of signed notes accepts
/// (16), less the ledger's own.
pub const WITNESSES_MAX: usize = 15;

/// When a witness cosigned: seconds since the epoch, 1 to 2^63 - 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CosignatureTime(NonZeroU64);

impl CosignatureTime {
    /// The time `seconds` after the epoch, if it can stand in a cosignature.
    #[must_use]
    pub fn from_unix_seconds(seconds: u64) -> Option<Self> {
        let fit = NonZeroU64::new(seconds).filter(|it| it.get() <= Frontier::SIZE_MAX);
        fit.map(Self)
    }

    /// Seconds since the epoch.
    #[must_use]
    pub const fn unix_seconds(self) -> u64 {
        self.0.get()
    }
}

/// The cosignature of the witness `name` on `checkpoint`. Whether the ledger signed it, and
/// whether it begins with all that the witness has seen, is checked before.
#[must_use]
pub fn cosign(
    checkpoint: &Checkpoint,
    name: KeyName,
    key: &SigningKey,
    time: CosignatureTime,
) -> NoteSignature {
    let seconds = time.unix_seconds();
    let signature = key.sign_message(&message(seconds, &checkpoint.to_string()));
    let key = NoteKey::new(name, NoteKeyType::Cosignature, key.public());
    NoteSignature::by(&key, [&seconds.to_be_bytes(), &signature[..]].concat())
}

/// When `key` cosigned the checkpoint whose text is `text`, if `signature` (with its time)
/// holds.
pub(super) fn verify(key: &VerifierKey, text: &str, signature: &[u8]) -> Option<CosignatureTime> {
    let (seconds, signature) = signature.split_first_chunk()?;
    let seconds = u64::from_be_bytes(*seconds);
    let time = CosignatureTime::from_unix_seconds(seconds)?;
    let holds = key.verify(&message(seconds, text), signature);
    holds.then_some(time)
}

fn message(seconds: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

/// A verifier key that makes cosignatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessKey(NoteKey);

impl WitnessKey {
    /// The key of the witness `name`.
    #[must_use]
    pub fn new(name: KeyName, key: VerifierKey) -> Self {
        Self(NoteKey::new(name, NoteKeyType::Cosignature, key))
    }

    /// As a verifier key of signed notes.
    #[must_use]
    pub const fn note_key(&self) -> &NoteKey {
        &self.0
    }
}

impl TryFrom<NoteKey> for WitnessKey {
    type Error = WitnessKeyError;

    fn try_from(key: NoteKey) -> Result<Self, WitnessKeyError> {
        match key.key_type() {
            NoteKeyType::Cosignature => Ok(Self(key)),
            NoteKeyType::Log => Err(WitnessKeyError::Log),
        }
    }
}

impl FromStr for WitnessKey {
    type Err = WitnessKeyError;

    fn from_str(text: &str) -> Result<Self, WitnessKeyError> {
        text.parse::<NoteKey>()?.try_into()
    }
}

/// Why a text is no key of a witness.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessKeyError {
    /// No verifier key at all.
    #[error(transparent)]
    NoteKey(#[from] NoteKeyError),
    /// A ledger's key.
    #[error("a witness's key makes cosignatures (type 0x04); this one signs notes (type 0x01)")]
    Log,
}

/// Who may cosign, and how many of them it takes. Without keys and with a quorum of 0, nobody
/// has to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessPolicy {
    /// The witnesses' keys: each is a [`WitnessKey`].
    keys: Vec<NoteKey>,
    quorum: usize,
}

impl WitnessPolicy {
    /// The policy that `quorum` of `keys` have to cosign.
    pub fn new(keys: Vec<WitnessKey>, quorum: usize) -> Result<Self, WitnessPolicyError> {
        let keys: Vec<NoteKey> = keys.into_iter().map(|key| key.0).collect();
        let found = keys.len();
        if found > WITNESSES_MAX {
            return Err(WitnessPolicyError::TooMany { found });
        }
        let mut rest = keys.as_slice();
        while let [key, others @ ..] = rest {
            let same =
                |other: &NoteKey| other.key_name() == key.key_name() || other.key() == key.key();
            if others.iter().any(same) {
                let name = key.key_name().clone();
                return Err(WitnessPolicyError::Twice { name });
            }
            rest = others;
        }
        let least = usize::from(found > 0);
        if !(least..=found).contains(&quorum) {
            return Err(WitnessPolicyError::Quorum { quorum, found });
        }
        Ok(Self { keys, quorum })
    }

    /// Nobody has to cosign.
    #[must_use]
    pub const fn nobody() -> Self {
        Self {
            keys: Vec::new(),
            quorum: 0,
        }
    }

    /// The witnesses' keys.
    #[must_use]
    pub fn keys(&self) -> &[NoteKey] {
        &self.keys
    }

    /// How many have to cosign.
    #[must_use]
    pub const fn quorum(&self) -> usize {
        self.quorum
    }

    /// Which witnesses cosigned `note`, and since when a quorum of them has. That the note is
    /// the ledger's checkpoint is for [`Checkpoint::open`] to say.
    pub fn witnessed(&self, note: &SignedNote) -> Result<Witnessed, BadSignature> {
        let mut by: Vec<CosignedBy> = Vec::new();
        for signer in note.signers(&self.keys)? {
            let Some(time) = signer.time else { continue };
            let name = signer.key.key_name();
            match by.iter_mut().find(|it| it.name == *name) {
                // A witness may cosign one checkpoint again: it has been seen since the first.
                Some(earlier) => earlier.time = earlier.time.min(time),
                None => by.push(CosignedBy {
                    name: name.clone(),
                    time,
                }),
            }
        }
        by.sort_by(|a, b| (a.time, &a.name).cmp(&(b.time, &b.name)));
        let last = self.quorum.checked_sub(1);
        let time = last.and_then(|last| by.get(last)).map(|it| it.time);
        let is_quorum = by.len() >= self.quorum;
        Ok(Witnessed {
            by,
            is_quorum,
            time,
        })
    }
}

/// Why keys and a quorum are not a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WitnessPolicyError {
    /// Readers of notes need not accept so many.
    #[error("a policy has at most {WITNESSES_MAX} witnesses, not {found}")]
    TooMany {
        /// How many there are.
        found: usize,
    },
    /// One witness would count as two.
    #[error("the name or the key of the witness {name} stands there twice")]
    Twice {
        /// Whose it is.
        name: KeyName,
    },
    /// Nobody or everybody and more.
    #[error("a quorum of {quorum} among {found} witnesses; it is 1 to their number, 0 without any")]
    Quorum {
        /// The quorum given.
        quorum: usize,
        /// How many witnesses there are.
        found: usize,
    },
}

/// What the witnesses of a policy say about a note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witnessed {
    /// Who cosigned, each with its earliest time, from the earliest on.
    pub by: Vec<CosignedBy>,
    /// Whether as many cosigned as the policy asks for.
    pub is_quorum: bool,
    /// The earliest time by which a quorum had seen it. There is none without a quorum, and
    /// none if the policy asks nobody.
    pub time: Option<CosignatureTime>,
}

/// A witness that cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CosignedBy {
    /// Its name.
    pub name: KeyName,
    /// When, by its own word.
    pub time: CosignatureTime,
}
