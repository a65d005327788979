//! Checkpoints, after C2SP tlog-checkpoint: the signed note that commits to a ledger's size and
//! Merkle root. Its text has three lines: origin, size in decimal, root in base64.
//!
//! Invariant: a [`Checkpoint`] has one text, and a text stands for one checkpoint; there are
//! no extension lines, since nobody could audit them. The signing key's name is the origin.
//! That two signed checkpoints never contradict each other is for whoever signs to see to.

use std::fmt;
use std::str::FromStr;

use super::decimal;
use super::note::{BadSignature, NoteSignature, SignedNote};
use super::note_key::{KeyName, KeyNameError, NoteKey, NoteKeyType};
use super::tree::{Frontier, Hash, HashError, empty_root};
use crate::record::SigningKey;

/// How many lines a checkpoint has.
const LINES: usize = 3;

/// What a ledger is, in three lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: KeyName,
    size: u64,
    root: Hash,
}

impl Checkpoint {
    /// The checkpoint of the ledger `origin` at `size` entries with Merkle root `root`.
    pub fn new(origin: KeyName, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        if size > Frontier::SIZE_MAX {
            return Err(CheckpointError::Size);
        }
        if size == 0 && root != empty_root() {
            return Err(CheckpointError::EmptyRoot { root });
        }
        Ok(Self { origin, size, root })
    }

    /// Which ledger it is about.
    #[must_use]
    pub const fn origin(&self) -> &KeyName {
        &self.origin
    }

    /// The number of entries.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The Merkle root over all entries.
    #[must_use]
    pub const fn root(&self) -> Hash {
        self.root
    }

    /// The note in which `key` signs this, under the origin's name.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> SignedNote {
        let text = self.to_string();
        let signature = key.sign_message(text.as_bytes()).to_vec();
        let key = NoteKey::new(self.origin.clone(), NoteKeyType::Log, key.public());
        SignedNote::of_checkpoint(text, NoteSignature::by(&key, signature))
    }

    /// The checkpoint in `note`, if the ledger's own key signed it. The key's name is the origin
    /// that is expected.
    pub fn open(note: &SignedNote, key: &NoteKey) -> Result<Self, OpenError> {
        let keys = std::slice::from_ref(key);
        let signed = !note.signers(keys)?.is_empty();
        if !signed || key.key_type() != NoteKeyType::Log {
            return Err(OpenError::Unsigned {
                key: Box::new(key.clone()),
            });
        }
        let checkpoint: Self = note.text().parse()?;
        if checkpoint.origin != *key.key_name() {
            return Err(OpenError::Origin {
                expected: key.key_name().clone(),
                found: checkpoint.origin,
            });
        }
        Ok(checkpoint)
    }
}

/// The note's text, with the newline at the end.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, self.root)
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let lines = text.strip_suffix('\n');
        let lines = lines.ok_or(CheckpointError::Unterminated)?;
        let mut parts = lines.split('\n');
        let (Some(origin), Some(size), Some(root), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            let found = lines.split('\n').count();
            return Err(CheckpointError::Lines { found });
        };
        let size = decimal::parse(size).ok_or(CheckpointError::Size)?;
        Self::new(origin.parse()?, size, root.parse()?)
    }
}

/// Why a text is not a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// More lines or fewer.
    #[error("a checkpoint has {LINES} lines (origin, size, root), not {found}")]
    Lines {
        /// How many there are.
        found: usize,
    },
    /// The last line is not ended.
    #[error("each line of a checkpoint ends in a newline, which the last one does not")]
    Unterminated,
    /// No name of a ledger.
    #[error("origin: {0}")]
    Origin(#[from] KeyNameError),
    /// No number of entries.
    #[error(
        "size: a number of entries in decimal without leading zeros, at most {}",
        Frontier::SIZE_MAX
    )]
    Size,
    /// No hash.
    #[error("root: {0}")]
    Root(#[from] HashError),
    /// There is only one empty tree.
    #[error(
        "root: the root of a ledger without entries is {}, not {root}",
        empty_root()
    )]
    EmptyRoot {
        /// The root given.
        root: Hash,
    },
}

/// Why a note is not a checkpoint of the ledger that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// A signature does not hold.
    #[error(transparent)]
    BadSignature(#[from] BadSignature),
    /// The ledger did not sign it.
    #[error("there is no signature by the ledger's key {key}")]
    Unsigned {
        /// The key that should have signed.
        key: Box<NoteKey>,
    },
    /// It is signed, and is not a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// It is about another ledger.
    #[error("the checkpoint is about {found}, not about {expected}")]
    Origin {
        /// The origin expected.
        expected: KeyName,
        /// The origin found.
        found: KeyName,
    },
}
