//! What a witness says that forbids to sign on: that it has seen more than was signed here, or
//! that what it has seen is not what the ledger begins with.
//!
//! The invariant: once noted at the signer's home, it stops the signing of every run, until
//! somebody says which checkpoint the archive continues, or no longer asks that witness. It is
//! the word of the witness: nothing here proves it.

use super::home::SignerHome;
use super::not_signing::NotSigning;
use crate::merkle::NoteKey;
use crate::storage::Suspicion;

/// Why nothing is signed after what `witness` said.
pub(super) fn told(witness: &NoteKey, suspicion: &Suspicion) -> NotSigning {
    let Suspicion { seen, signed, .. } = *suspicion;
    let witness = witness.key_name().clone();
    if seen > signed {
        NotSigning::WitnessAhead {
            witness,
            seen,
            signed,
        }
    } else {
        NotSigning::WitnessDisagrees {
            witness,
            seen,
            signed,
        }
    }
}

/// Fails if a suspicion is noted at `home` and its witness is one of those that are `asked`.
/// One whose witness is not asked any more is dropped.
pub(super) fn unsuspected<'a>(
    home: &dyn SignerHome,
    asked: impl IntoIterator<Item = &'a NoteKey>,
) -> Result<(), NotSigning> {
    let unusable = |error: crate::storage::SignerDirError| NotSigning::Home {
        detail: error.to_string(),
    };
    let Some(suspicion) = home.suspicion().map_err(unusable)? else {
        return Ok(());
    };
    let mut asked = asked.into_iter();
    match asked.find(|key| key.to_string() == suspicion.witness) {
        Some(witness) => Err(told(witness, &suspicion)),
        None => home.clear_suspicion().map_err(unusable),
    }
}
