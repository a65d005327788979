//! Why something in a bundle does not hold.

use crate::admission::Refusal;
use crate::merkle::{
    BadSignature, InclusionError, NoteError, OpenError, ProofTooLong, TlogProofError,
};
use crate::record::{ContentId, EntryError};

/// What is wrong with a bundle.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Fault {
    /// It does not begin as bundles do.
    #[error(
        "this file is not an evidence bundle: those begin with {:?}",
        super::FORMAT
    )]
    NotABundle,
    /// It is larger than bundles are.
    #[error("the file has {bytes} bytes; a bundle has at most {bytes_max}")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        bytes_max: usize,
    },
    /// It has more entries than bundles have.
    #[error("the file has {found} entries; a bundle has at most {most}")]
    TooManyEntries {
        /// How many it has.
        found: usize,
        /// How many it may have.
        most: usize,
    },
    /// It cannot be decoded.
    #[error("the file is truncated or damaged: {0}")]
    Malformed(#[from] prost::DecodeError),
    /// It is not as an encoder writes it.
    #[error("the file was changed: byte {offset} is not as whoever makes bundles writes it")]
    NotCanonical {
        /// The first byte that differs.
        offset: usize,
    },
    /// A proof file is none.
    #[error("not a proof file: {0}")]
    Proof(#[from] TlogProofError),
    /// A signature on an entry does not hold.
    #[error("the signature by {key} does not hold over the entry's record")]
    Signature {
        /// The key that it names.
        key: String,
    },
    /// A part of it is missing.
    #[error("the bundle has no {what}")]
    Missing {
        /// What is missing.
        what: &'static str,
    },
    /// The checkpoint is no signed note.
    #[error("the checkpoint is not a signed note: {0}")]
    Note(#[from] NoteError),
    /// The checkpoint is not signed by the key that is trusted.
    #[error("the checkpoint is not the trusted archive's: {0}")]
    Checkpoint(#[from] OpenError),
    /// No key of an archive is trusted.
    #[error("no archive's key was given; a checkpoint is held against at least one")]
    NoKey,
    /// The bundle names another archive than its checkpoint.
    #[error("the bundle is of {named:?}, and its checkpoint of {signed:?}")]
    OtherOrigin {
        /// What the bundle names.
        named: String,
        /// What the checkpoint names.
        signed: String,
    },
    /// A cosignature does not hold.
    #[error("a cosignature does not hold: {0}")]
    Cosignature(BadSignature),
    /// Fewer witnesses cosigned than were asked for.
    #[error("cosigned by {found} of the trusted witnesses; {quorum} are asked for")]
    Quorum {
        /// How many cosigned.
        found: usize,
        /// How many are asked for.
        quorum: usize,
    },
    /// The trusted key is none that the ledger names.
    #[error("the checkpoint's key is none that the entries record as the archive's")]
    UnrecordedKey,
    /// The entries are not in order.
    #[error("entries stand in the order of their indexes, each once; this one does not")]
    Order,
    /// The first entry is not entry 0.
    #[error("the first entry is not entry 0, which founds the archive and names who may sign")]
    NotFounded,
    /// A hash has another length.
    #[error("a hash of the proof has {found} bytes, not 32")]
    HashLength {
        /// How many bytes it has.
        found: usize,
    },
    /// The proof is longer than any.
    #[error(transparent)]
    ProofTooLong(#[from] ProofTooLong),
    /// The entry does not stand in the ledger.
    #[error("the entry is not in the ledger of the checkpoint: {0}")]
    Inclusion(#[from] InclusionError),
    /// The entry cannot be decoded.
    #[error("{0}")]
    Entry(#[from] EntryError),
    /// The entry is not as a ledger writes it.
    #[error("the entry is not in its canonical encoding")]
    EntryNotCanonical,
    /// The entry's time is before that of an entry below it.
    #[error("it was recorded before an entry below it")]
    BackInTime,
    /// The rules refuse the record at its place.
    #[error("the rules of admission refuse it there: {0}")]
    Refused(Box<Refusal>),
    /// The record is the same as one below it.
    #[error("the same record stands at index {0} already")]
    Twice(u64),
    /// What it rests on is not in the bundle.
    #[error("what it rests on is not in the bundle, or damaged: {0}")]
    Unfounded(String),
    /// Something given beside the entries is not what its id says.
    #[error("the {what} given as {id} hashes to {found}")]
    OtherContent {
        /// What it is: a text or a document.
        what: &'static str,
        /// The id that it is given under.
        id: String,
        /// The id that it has.
        found: ContentId,
    },
    /// Something is given twice, or out of order.
    #[error("the {what}s are in the order of their ids, each once; {id} is not")]
    ContentOrder {
        /// What it is: a text or a document.
        what: &'static str,
        /// The id that it is given under.
        id: String,
    },
    /// Something is given that nothing in the bundle rests on.
    #[error("nothing in the bundle rests on the {what} {id}")]
    Unused {
        /// What it is: a text or a document.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// A text is not described as its source's record does.
    #[error("no entry archives the source {source_id} with the text {text_id} by {profile}")]
    OtherText {
        /// The text.
        text_id: String,
        /// The source that it is said to be of.
        source_id: String,
        /// The profile that is said to give it.
        profile: String,
    },
    /// What is asked cannot be read.
    #[error("the question's {field} cannot be used: {problem}")]
    Question {
        /// Which part of it.
        field: &'static str,
        /// Why not.
        problem: String,
    },
    /// What is asked about is not on record, as far as the entries go.
    #[error("the {what} that is asked about is not among the entries")]
    NotAmong {
        /// What is asked about.
        what: &'static str,
    },
    /// The checkpoint does not reach as far as the question.
    #[error("the question counts {known_at} entries, and the checkpoint commits to {size}")]
    BeyondCheckpoint {
        /// How many the question counts.
        known_at: u64,
        /// How many the checkpoint commits to.
        size: u64,
    },
    /// The answer does not follow.
    #[error("the answer does not follow: {field} is given as {claimed}, and is {found}")]
    Answer {
        /// Which part of the answer.
        field: &'static str,
        /// What the bundle says.
        claimed: String,
        /// What follows from the entries.
        found: String,
    },
}
