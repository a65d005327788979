//! What a ledger sends to a witness and what it can get back, after C2SP tlog-witness: the body
//! of `add-checkpoint`, and of the answer 409.
//!
//! ```text
//! old <size>
//! <hash>                    (the consistency proof from that size, 0 to 63 lines)
//!
//! <signed checkpoint>
//! ```
//!
//! The answer 200 has signature lines: [`super::NoteSignature::parse_lines`]. Who is asked and
//! what follows from the answer is not for here.

use std::fmt;
use std::str::{self, FromStr};

use super::decimal;
use super::note::{NOTE_BYTES_MAX, NoteError, SignedNote};
use super::proof::{ConsistencyProof, ProofTooLong};
use super::tree::{Frontier, HashError};

/// The most hashes that may be sent to a witness.
pub const WITNESS_HASHES_MAX: usize = 63;

/// The largest request, in bytes: `old` and a number, 63 hashes of 45 bytes, and the note.
pub const ADD_CHECKPOINT_BYTES_MAX: usize = 32 + WITNESS_HASHES_MAX * 45 + NOTE_BYTES_MAX;

/// The request to cosign a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    old: u64,
    proof: ConsistencyProof,
    note: SignedNote,
}

impl AddCheckpoint {
    /// The request to cosign `note`, whose ledger begins by `proof` with the `old` entries that
    /// the witness saw last.
    pub fn new(
        old: u64,
        proof: ConsistencyProof,
        note: SignedNote,
    ) -> Result<Self, AddCheckpointError> {
        if old > Frontier::SIZE_MAX {
            return Err(AddCheckpointError::Old);
        }
        let found = proof.hashes().len();
        let most = if old == 0 { 0 } else { WITNESS_HASHES_MAX };
        if found > most {
            return Err(ProofTooLong { most, found }.into());
        }
        Ok(Self { old, proof, note })
    }

    /// The size that the witness is believed to have seen last, 0 if it has seen nothing.
    #[must_use]
    pub const fn old(&self) -> u64 {
        self.old
    }

    /// The consistency proof from that size to the checkpoint's.
    #[must_use]
    pub const fn proof(&self) -> &ConsistencyProof {
        &self.proof
    }

    /// The signed checkpoint.
    #[must_use]
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// Reads the body of a request.
    pub fn parse(bytes: &[u8]) -> Result<Self, AddCheckpointError> {
        if bytes.len() > ADD_CHECKPOINT_BYTES_MAX {
            let found = bytes.len();
            return Err(AddCheckpointError::TooLong { found });
        }
        let text = str::from_utf8(bytes).map_err(|_| AddCheckpointError::NotUtf8)?;
        let (head, note) = text
            .split_once("\n\n")
            .ok_or(AddCheckpointError::NoEmptyLine)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old "));
        let old = old.and_then(decimal::parse);
        let old = old.ok_or(AddCheckpointError::Old)?;
        let hashes: Result<Vec<_>, _> = lines
            .enumerate()
            .map(|(place, line)| {
                let error = |error| AddCheckpointError::Hash { place, error };
                line.parse().map_err(error)
            })
            // One more than there can be is enough to refuse.
            .take(WITNESS_HASHES_MAX + 1)
            .collect();
        let proof = ConsistencyProof::new(hashes?)?;
        Self::new(old, proof, SignedNote::parse(note.as_bytes())?)
    }
}

/// The body as it is read by [`AddCheckpoint::parse`].
impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in self.proof.hashes() {
            writeln!(f, "{hash}")?;
        }
        write!(f, "\n{}", self.note)
    }
}

/// Why some bytes are not a request to cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddCheckpointError {
    /// More bytes than any request has.
    #[error("a request to cosign has at most {ADD_CHECKPOINT_BYTES_MAX} bytes, not {found}")]
    TooLong {
        /// How many there are.
        found: usize,
    },
    /// Not UTF-8.
    #[error("a request to cosign is UTF-8, which this is not")]
    NotUtf8,
    /// Nothing parts proof and checkpoint.
    #[error("a request to cosign has an empty line between the proof and the checkpoint")]
    NoEmptyLine,
    /// No old size.
    #[error("a request to cosign begins with \"old <size>\", in decimal without leading zeros")]
    Old,
    /// A line of the proof is no hash.
    #[error("hash {place}: {error}")]
    Hash {
        /// Which, counted from 0.
        place: usize,
        /// What is wrong with it.
        error: HashError,
    },
    /// Too many hashes: from size 0 there are none.
    #[error(transparent)]
    TooManyHashes(#[from] ProofTooLong),
    /// The checkpoint cannot be read.
    #[error("checkpoint: {0}")]
    Note(#[from] NoteError),
}

/// The body of the answer 409 (`text/x.tlog.size`): the size that the witness has seen, from
/// which to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WitnessSize(pub u64);

impl fmt::Display for WitnessSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.0)
    }
}

impl FromStr for WitnessSize {
    type Err = WitnessSizeError;

    fn from_str(text: &str) -> Result<Self, WitnessSizeError> {
        let size = text.strip_suffix('\n').and_then(decimal::parse_any);
        size.map(Self).ok_or(WitnessSizeError)
    }
}

/// The answer holds no size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a witness's size is a number in decimal without leading zeros, and a newline")]
pub struct WitnessSizeError;
