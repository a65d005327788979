//! Signing, one checkpoint after the other.
//!
//! The invariant: of two checkpoints that were ever signed, the larger begins with the smaller.
//! So what is about to be signed is first held against what was signed last, by hashes that are
//! stored apart from the frames; then noted and synced, apart from the ledger; and only then
//! signed and shown. A note that cannot be written ends the signing: nobody knows what the disk
//! holds. When the ledger has grown is for `thread` to see.

use std::sync::Arc;

use super::home::{SignerHome, root_of};
use super::not_signing::NotSigning;
use super::published::PublishedNote;
use super::tree::{Tree, TreeError};
use crate::admission::checkpoint_keys;
use crate::fold::Tables;
use crate::ledger::Head;
use crate::merkle::{Checkpoint, KeyName, NoteKey, NoteKeyType, SignedNote};
use crate::record::{Micros, SigningKey};
use crate::storage::Signed;

/// How many of the archive's keys sign at once: two while one takes over from another, and as
/// many again.
const KEYS_SIGNING_MAX: usize = 4;

/// Signs the checkpoints of one archive.
pub(super) struct Signer {
    origin: KeyName,
    home: Arc<dyn SignerHome>,
    tree: Arc<dyn Tree>,
    records: Arc<dyn Tables + Send + Sync>,
    signed: Signed,
}

impl Signer {
    /// A signer for the archive `origin`, which goes on from what is noted at its home.
    pub fn open(
        origin: &str,
        home: Arc<dyn SignerHome>,
        tree: Arc<dyn Tree>,
        records: Arc<dyn Tables + Send + Sync>,
    ) -> Result<Self, NotSigning> {
        let signed = noted(&*home, origin)?.ok_or_else(|| NotSigning::NothingNoted {
            detail: "there is no file `signed` in the signer's directory".to_owned(),
        })?;
        Ok(Self {
            origin: origin.parse().map_err(NotSigning::Origin)?,
            home,
            tree,
            records,
            signed,
        })
    }

    /// Whether the ledger at `head` begins with what was signed, as far as that is known at once:
    /// that it has fewer entries is, and where the tiles have read all of it, that it has others.
    pub fn is_continued(&self, head: &Head) -> Result<(), NotSigning> {
        match extends(&*self.tree, &self.signed, head) {
            Err(why) if !why.may_pass() => Err(why),
            _ => Ok(()),
        }
    }

    /// Signs the ledger at `head`, which is durable.
    pub fn sign(&mut self, head: &Head, now: Micros) -> Result<PublishedNote, NotSigning> {
        extends(&*self.tree, &self.signed, head)?;
        let keys = self.keys(head.size)?;
        let checkpoint = Checkpoint::new(self.origin.clone(), head.size, head.root);
        let checkpoint = checkpoint.map_err(|error| unreadable(&error))?;
        let next = Signed {
            origin: self.signed.origin.clone(),
            size: head.size,
            root: head.root.into(),
        };
        if next != self.signed {
            self.home.note(&next).map_err(|error| NotSigning::Unnoted {
                detail: error.to_string(),
            })?;
            self.signed = next;
        }
        let note = signed_by(&checkpoint, &keys)?;
        let key =
            |key: &SigningKey| NoteKey::new(self.origin.clone(), NoteKeyType::Log, key.public());
        Ok(PublishedNote {
            note: note.to_string(),
            size: head.size,
            root: head.root,
            recorded_at: head.recorded_at,
            signed_at: now,
            witnessed_at: None,
            keys: keys.iter().map(key).collect(),
        })
    }

    /// The keys that the first `size` entries set and whose secrets are at hand, the newest
    /// first.
    fn keys(&self, size: u64) -> Result<Vec<SigningKey>, NotSigning> {
        let recorded = checkpoint_keys(&*self.records, size).map_err(|error| unreadable(&error))?;
        let (mut keys, unusable) = self.home.keys().map_err(|error| unreadable(&error))?;
        let place = |key: &SigningKey| recorded.iter().position(|it| *it == key.public());
        keys.retain(|key| place(key).is_some());
        keys.sort_by_key(|key| std::cmp::Reverse(place(key)));
        keys.dedup_by_key(|key| key.public());
        keys.truncate(KEYS_SIGNING_MAX);
        if keys.is_empty() {
            let detail = match unusable.join("; ") {
                unusable if unusable.is_empty() => unusable,
                unusable => format!(" ({unusable})"),
            };
            return Err(NotSigning::NoKey {
                recorded: recorded.len(),
                detail,
            });
        }
        Ok(keys)
    }
}

/// What is noted at `home`, if it is of the archive `origin`.
pub(super) fn noted(home: &dyn SignerHome, origin: &str) -> Result<Option<Signed>, NotSigning> {
    let signed = home.signed().map_err(|error| NotSigning::NothingNoted {
        detail: error.to_string(),
    })?;
    match signed {
        Some(signed) if signed.origin != origin => Err(NotSigning::OtherOrigin {
            origin: origin.to_owned(),
            found: signed.origin,
        }),
        signed => Ok(signed),
    }
}

/// Whether the ledger at `head` has as many entries as were signed.
const fn reaches(signed: &Signed, head: &Head) -> Result<(), NotSigning> {
    if head.size < signed.size {
        return Err(NotSigning::Shorter {
            signed: signed.size,
            found: head.size,
        });
    }
    Ok(())
}

/// Whether the ledger at `head` begins with what was signed.
pub(super) fn extends(tree: &dyn Tree, signed: &Signed, head: &Head) -> Result<(), NotSigning> {
    reaches(signed, head)?;
    let read = tree.size();
    if read < head.size {
        return Err(NotSigning::Behind {
            read,
            size: head.size,
        });
    }
    let unreadable = |error: TreeError| unreadable(&error);
    let tiles = tree.root(head.size).map_err(unreadable)?;
    if tiles != head.root {
        return Err(NotSigning::TilesDiffer {
            size: head.size,
            ledger: head.root,
            tiles,
        });
    }
    let found = tree.root(signed.size).map_err(unreadable)?;
    if found != root_of(signed) {
        return Err(NotSigning::Forked {
            size: signed.size,
            signed: root_of(signed),
            found,
        });
    }
    Ok(())
}

/// The note in which all of `keys`, at least one, sign `checkpoint`.
fn signed_by(checkpoint: &Checkpoint, keys: &[SigningKey]) -> Result<SignedNote, NotSigning> {
    let notes = keys.iter().map(|key| Ok(checkpoint.sign(key)));
    let joined = notes.reduce(|note: Result<SignedNote, _>, other| {
        let other: SignedNote = other?;
        note?.with(other.signatures().to_vec())
    });
    match joined {
        Some(note) => note.map_err(|error| unreadable(&error)),
        None => Err(NotSigning::Ended),
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> NotSigning {
    NotSigning::Unreadable {
        detail: error.to_string(),
    }
}
