//! Saying which checkpoint an archive continues: what somebody does once after a restore, or
//! where the signer's directory was lost.
//!
//! The checkpoint has to be one that this archive signed, and the ledger has to begin with it,
//! as it has to begin with what is noted to be signed, if that is known. Then the larger of the
//! two is noted, and signing goes on from there. It is the word of whoever gives it that no
//! larger one was signed: nothing here can know.

use super::home::SignerHome;
use super::not_signing::NotSigning;
use super::signer::{extends, noted};
use super::tree::Tree;
use crate::admission::checkpoint_keys;
use crate::fold::{FoldError, Tables};
use crate::ledger::Head;
use crate::merkle::{BadSignature, KeyName};
use crate::merkle::{Checkpoint, CheckpointError, KeyNameError, NoteKey, NoteKeyType, SignedNote};
use crate::storage::{Signed, SignerDirError};

/// Why an archive does not continue a checkpoint.
#[derive(Debug, thiserror::Error)]
pub enum ContinueError {
    /// The archive's origin cannot name a key.
    #[error("the origin cannot stand in a signed note: {0}")]
    Origin(#[from] KeyNameError),
    /// A signature under the archive's name does not hold.
    #[error("the checkpoint to continue from is not to be trusted: {0}")]
    BadSignature(#[from] BadSignature),
    /// None of the archive's keys signed it.
    #[error(
        "the checkpoint to continue from is signed by none of the keys that the ledger of {origin} names; give one that this archive signed"
    )]
    Unsigned {
        /// The archive.
        origin: KeyName,
    },
    /// It is signed, and is not a checkpoint.
    #[error("the note to continue from is no checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// It is about another archive.
    #[error("the checkpoint to continue from is about {found}, and this archive is {origin}")]
    OtherOrigin {
        /// This archive.
        origin: KeyName,
        /// The one that it is about.
        found: KeyName,
    },
    /// The ledger does not begin with it, or with what is noted to be signed.
    #[error("the archive does not continue there: {0}")]
    NotExtended(NotSigning),
    /// What the ledger says of its keys cannot be read.
    #[error(transparent)]
    Records(#[from] FoldError),
    /// It cannot be noted.
    #[error("what was signed cannot be noted: {0}")]
    Home(#[from] SignerDirError),
}

/// The checkpoint in `note`, if this archive signed it: the keys are those that its first
/// `size` entries set.
pub fn own_checkpoint(
    note: &SignedNote,
    origin: &str,
    records: &dyn Tables,
    size: u64,
) -> Result<Checkpoint, ContinueError> {
    let origin: KeyName = origin.parse()?;
    let keys = checkpoint_keys(records, size)?.into_iter();
    let keys: Vec<NoteKey> = keys
        .map(|key| NoteKey::new(origin.clone(), NoteKeyType::Log, key))
        .collect();
    let checkpoint: Checkpoint = note.text().parse()?;
    if *checkpoint.origin() != origin {
        return Err(ContinueError::OtherOrigin {
            origin,
            found: checkpoint.origin().clone(),
        });
    }
    if note.signers(&keys)?.is_empty() {
        return Err(ContinueError::Unsigned { origin });
    }
    Ok(checkpoint)
}

/// Has the signer at `home` continue from `checkpoint`, which this archive signed. The tree
/// covers the ledger up to `head`.
pub fn continue_from(
    checkpoint: &Checkpoint,
    head: &Head,
    tree: &dyn Tree,
    home: &dyn SignerHome,
) -> Result<(), ContinueError> {
    let origin = checkpoint.origin().as_str();
    let given = Signed {
        origin: origin.to_owned(),
        size: checkpoint.size(),
        root: checkpoint.root().into(),
    };
    extends(tree, &given, head).map_err(ContinueError::NotExtended)?;
    let last = match noted(home, origin) {
        // What cannot be read says nothing; what is another archive's is not written over.
        Err(NotSigning::NothingNoted { .. }) => None,
        noted => noted.map_err(ContinueError::NotExtended)?,
    };
    if let Some(last) = &last {
        extends(tree, last, head).map_err(ContinueError::NotExtended)?;
    }
    match last {
        Some(last) if last.size >= given.size => {}
        _ => home.note(&given)?,
    }
    home.clear_suspicion()?;
    Ok(())
}
