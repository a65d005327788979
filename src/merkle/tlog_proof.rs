//! Offline proof files, after C2SP tlog-proof: all that shows an entry to be in a ledger, in one
//! text that needs nothing but the entry and the keys.
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64>            (optional)
//! index <n>
//! <hash>                    (the inclusion proof, from leaf to root)
//!
//! <signed checkpoint>
//! ```
//!
//! Invariant: one text for one proof. Nobody signs the extra data, so nothing in it is to be
//! believed.

use std::fmt;
use std::str;

use super::base64;
use super::checkpoint::{Checkpoint, OpenError};
use super::cosignature::{WitnessPolicy, Witnessed};
use super::decimal;
use super::note::{BadSignature, NOTE_BYTES_MAX, NoteError, SignedNote};
use super::note_key::NoteKey;
use super::proof::{INCLUSION_HASHES_MAX, InclusionError, InclusionProof, ProofTooLong};
use super::tree::{HashError, leaf_hash};

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The most extra data, in bytes.
pub const TLOG_PROOF_EXTRA_BYTES_MAX: usize = 65_535;

/// The largest file, in bytes: three lines (the extra data in base64, 4 characters for 3 bytes),
/// 63 hashes of 45 bytes, and the note.
pub const TLOG_PROOF_BYTES_MAX: usize =
    128 + TLOG_PROOF_EXTRA_BYTES_MAX.div_ceil(3) * 4 + INCLUSION_HASHES_MAX * 45 + NOTE_BYTES_MAX;

/// An offline proof file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    extra: Option<Vec<u8>>,
    index: u64,
    proof: InclusionProof,
    note: SignedNote,
}

/// What a proof file has shown about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Where in the ledger it stands.
    pub index: u64,
    /// The checkpoint that commits to it.
    pub checkpoint: Checkpoint,
    /// Which witnesses have seen that checkpoint. Whether they have to is for the caller to say.
    pub witnessed: Witnessed,
}

impl TlogProof {
    /// The proof that an entry stands at `index` of the ledger in the checkpoint `note`.
    #[must_use]
    pub const fn new(index: u64, proof: InclusionProof, note: SignedNote) -> Self {
        Self {
            extra: None,
            index,
            proof,
            note,
        }
    }

    /// The same proof with `extra` data, which is not signed.
    pub fn with_extra(self, extra: Vec<u8>) -> Result<Self, TlogProofError> {
        if extra.is_empty() || extra.len() > TLOG_PROOF_EXTRA_BYTES_MAX {
            return Err(TlogProofError::Extra);
        }
        let extra = Some(extra);
        Ok(Self { extra, ..self })
    }

    /// The extra data, which nobody signed.
    #[must_use]
    pub fn extra(&self) -> Option<&[u8]> {
        self.extra.as_deref()
    }

    /// Where the entry is said to stand.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// The inclusion proof.
    #[must_use]
    pub const fn inclusion(&self) -> &InclusionProof {
        &self.proof
    }

    /// The signed checkpoint.
    #[must_use]
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// Reads a proof file.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        if bytes.len() > TLOG_PROOF_BYTES_MAX {
            let found = bytes.len();
            return Err(TlogProofError::TooLong { found });
        }
        let text = str::from_utf8(bytes).map_err(|_| TlogProofError::NotUtf8)?;
        let (head, note) = text.split_once("\n\n").ok_or(TlogProofError::NoEmptyLine)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(TlogProofError::Header);
        }
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let index = lines.next().and_then(|line| line.strip_prefix("index "));
        let index = index.and_then(decimal::parse);
        let index = index.ok_or(TlogProofError::Index)?;
        let proof = Self::new(
            index,
            hash_lines(lines)?,
            SignedNote::parse(note.as_bytes())?,
        );
        match extra.and_then(|line| line.strip_prefix("extra ")) {
            Some(extra) => {
                let extra = base64::decode(extra).ok_or(TlogProofError::Extra)?;
                proof.with_extra(extra)
            }
            None => Ok(proof),
        }
    }

    /// What this shows about `entry` (its encoded bytes), to someone who knows the ledger's key
    /// and whom it wants as witnesses.
    pub fn verify(
        &self,
        entry: &[u8],
        ledger: &NoteKey,
        policy: &WitnessPolicy,
    ) -> Result<Proven, TlogProofRefusal> {
        let checkpoint = Checkpoint::open(&self.note, ledger)?;
        let (size, root) = (checkpoint.size(), checkpoint.root());
        let leaf = leaf_hash(entry);
        self.proof.verify(self.index, size, &leaf, &root)?;
        Ok(Proven {
            index: self.index,
            checkpoint,
            witnessed: policy.witnessed(&self.note)?,
        })
    }
}

/// The file as it is read by [`TlogProof::parse`].
impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", base64::encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in self.proof.hashes() {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.note)
    }
}

fn hash_lines<'t>(lines: impl Iterator<Item = &'t str>) -> Result<InclusionProof, TlogProofError> {
    let hashes: Result<Vec<_>, _> = lines
        .enumerate()
        .map(|(place, line)| {
            let error = |error| TlogProofError::Hash { place, error };
            line.parse().map_err(error)
        })
        // One more than there can be is enough to refuse.
        .take(INCLUSION_HASHES_MAX + 1)
        .collect();
    Ok(InclusionProof::new(hashes?)?)
}

/// Why some bytes are not a proof file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// More bytes than any proof file has.
    #[error("a proof file has at most {TLOG_PROOF_BYTES_MAX} bytes, not {found}")]
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// Not UTF-8.
    #[error("a proof file is UTF-8, which this is not")]
    NotUtf8,
    /// Nothing parts proof and checkpoint.
    #[error("a proof file has an empty line between the proof and the checkpoint")]
    NoEmptyLine,
    /// Another kind of file.
    #[error("a proof file begins with the line \"{HEADER}\"")]
    Header,
    /// The extra data cannot be read.
    #[error("extra: 1 to {TLOG_PROOF_EXTRA_BYTES_MAX} bytes in standard base64 with padding")]
    Extra,
    /// No index.
    #[error("a line \"index <n>\" comes next, in decimal without leading zeros")]
    Index,
    /// A line of the proof is no hash.
    #[error("hash {place}: {error}")]
    Hash {
        /// Which, counted from 0.
        place: usize,
        /// What is wrong with it.
        error: HashError,
    },
    /// Too many hashes.
    #[error(transparent)]
    TooManyHashes(#[from] ProofTooLong),
    /// The checkpoint cannot be read.
    #[error("checkpoint: {0}")]
    Note(#[from] NoteError),
}

/// Why a proof file shows nothing about an entry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofRefusal {
    /// It is not a checkpoint of the ledger.
    #[error(transparent)]
    Checkpoint(#[from] OpenError),
    /// It is about another entry, or another place.
    #[error(transparent)]
    Inclusion(#[from] InclusionError),
    /// A witness's signature does not hold.
    #[error(transparent)]
    BadCosignature(#[from] BadSignature),
}
