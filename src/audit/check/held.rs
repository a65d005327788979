//! What is known of a ledger from elsewhere: a checkpoint that somebody kept, and what the signer
//! noted that it signed last. The ledger has to begin with both, so that a history that was
//! rewritten as a whole, with every hash in it right, is seen.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::frames::Opened;
use super::report::{Part, Report};
use crate::merkle::{
    Checkpoint, Frontier, Hash, NoteKey, OpenError, SignedNote, empty_root, leaf_hash,
};
use crate::storage::read_signed;

/// The name of the part for a checkpoint that somebody kept.
const CHECKPOINT: &str = "checkpoint";

/// The name of the part for what the signer noted.
const SIGNER: &str = "signer";

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// A checkpoint that somebody kept.
    pub checkpoint: Option<KeptCheckpoint>,
    /// The signer's directory, of which nothing is changed. It need not be there.
    pub signer_dir: Option<PathBuf>,
}

/// A checkpoint that somebody kept, and whose it must be.
#[derive(Clone, Debug)]
pub struct KeptCheckpoint {
    /// The signed note, as a file has it.
    pub note: Vec<u8>,
    /// The archive's verifier keys, one of which must have signed it.
    pub keys: Vec<NoteKey>,
}

/// What the ledger has to begin with.
pub(super) struct Claim {
    part: &'static str,
    origin: String,
    size: u64,
    root: Hash,
    /// Who says so.
    by: String,
}

/// The roots of the ledger at the sizes that are asked for, computed from its entries.
pub(super) struct Roots {
    frontier: Frontier,
    wanted: BTreeMap<u64, Option<Hash>>,
}

impl Elsewhere {
    /// What the ledger has to begin with; tells of what is no such thing.
    pub(super) fn claims(&self, report: &mut Report) -> Vec<Claim> {
        let mut claims = Vec::new();
        if let Some(kept) = &self.checkpoint {
            match kept.claim() {
                Ok(claim) => claims.push(claim),
                Err(why) => {
                    let mut part = Part::new(CHECKPOINT);
                    part.find(&why);
                    report.add(part);
                }
            }
        }
        if let Some(directory) = &self.signer_dir {
            match read_signed(directory) {
                Ok(Some(signed)) => claims.push(Claim {
                    part: SIGNER,
                    origin: signed.origin,
                    size: signed.size,
                    root: Hash::from(signed.root),
                    by: "as last signed, or about to be".to_owned(),
                }),
                Ok(None) => report.add(Part::absent(
                    SIGNER,
                    &format!("nothing in {} says what was signed", directory.display()),
                )),
                Err(error) => {
                    let mut part = Part::new(SIGNER);
                    part.find(&error);
                    report.add(part);
                }
            }
        }
        claims
    }
}

impl KeptCheckpoint {
    fn claim(&self) -> Result<Claim, String> {
        let note = SignedNote::parse(&self.note);
        let note = note.map_err(|error| format!("it is no signed note: {error}"))?;
        let mut why = String::new();
        for key in &self.keys {
            match Checkpoint::open(&note, key) {
                Ok(checkpoint) => {
                    return Ok(Claim {
                        part: CHECKPOINT,
                        origin: checkpoint.origin().to_string(),
                        size: checkpoint.size(),
                        root: checkpoint.root(),
                        by: format!("signed by {key}"),
                    });
                }
                // Another of the keys may have.
                Err(error @ OpenError::Unsigned { .. }) => why = error.to_string(),
                Err(error) => return Err(format!("it is not to be believed: {error}")),
            }
        }
        Err(format!(
            "it is not to be believed: none of the keys that were given signed it ({why})"
        ))
    }
}

impl Claim {
    /// Whether the ledger begins so.
    pub fn held_against(&self, ledger: Option<&Opened>, roots: &Roots) -> Part {
        let Some(ledger) = ledger else {
            return Part::skipped(self.part, "the ledger cannot be read");
        };
        let mut part = Part::new(self.part);
        let (origin, held) = (ledger.reader.origin(), ledger.reader.head().size);
        let (size, root) = (self.size, self.root);
        part.looked_at = format!("{size} entries with the root {root}, {}", self.by);
        if self.origin != origin {
            part.find(&format!(
                "it is of {}, and the ledger is that of {origin}",
                self.origin
            ));
        } else if let Some(found) = roots.at(size) {
            if found != root {
                part.find(&format!(
                    "its {size} entries have the root {root}, and the first {size} of the ledger have {found}: this is another history"
                ));
            }
        } else if ledger.is_whole {
            part.find(&format!(
                "it commits to {size} entries, and the ledger ends after {held}: its end is missing"
            ));
        } else {
            let why = format!(
                "it commits to {size} entries, and the ledger can be followed for {held} only"
            );
            return Part::skipped(self.part, &why);
        }
        part
    }
}

impl Roots {
    /// The roots that the claims name, none of them computed yet but that of no entries.
    pub fn wanted(claims: &[Claim]) -> Self {
        let sizes = claims.iter().map(|claim| claim.size);
        let known = |size| (size == 0).then(empty_root);
        Self {
            frontier: Frontier::new(),
            wanted: sizes.map(|size| (size, known(size))).collect(),
        }
    }

    /// Takes in the leaf that comes next.
    pub fn push(&mut self, leaf: &[u8]) {
        let last = self.wanted.keys().next_back();
        if last.is_none_or(|last| self.frontier.size() >= *last) {
            return;
        }
        self.frontier.push(leaf_hash(leaf));
        if let Some(root) = self.wanted.get_mut(&self.frontier.size()) {
            *root = Some(self.frontier.root());
        }
    }

    /// The root at a size; none if there were fewer leaves.
    fn at(&self, size: u64) -> Option<Hash> {
        self.wanted.get(&size).copied().flatten()
    }
}
