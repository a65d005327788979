//! What is made out of stored nodes: roots, inclusion proofs and consistency proofs of any size
//! that the tree has had, after RFC 6962 sections 2.1, 2.1.1 and 2.1.2.
//!
//! Invariant: nothing is read but complete subtrees, which never change once they are there,
//! and of these at most two for each level of the tree. What is made for one size is therefore
//! the same however far the tree has grown. Where the nodes come from is for a [`HashReader`] to
//! say; whether they are right is for whoever verifies the proof ([`super::proof`]).

use super::proof::{ConsistencyProof, InclusionProof};
use super::tree::{Frontier, Hash, empty_root, node_hash};

/// Where the nodes of a tree are read.
pub trait HashReader {
    /// Why a node cannot be read.
    type Error;

    /// The root of the complete subtree over the 2^`level` leaves from `index` · 2^`level` on.
    /// It is called for subtrees that lie wholly within the size asked for. A reader may keep
    /// what it has read, as the nodes of one proof lie close together.
    fn hash(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// The root of the tree's first `size` leaves.
pub fn root<R: HashReader>(reader: &mut R, size: u64) -> Result<Hash, ProveError<R::Error>> {
    fits(size)?;
    range(reader, 0, size).map_err(ProveError::Read)
}

/// The proof that the leaf at `index` is in the tree of the first `size` leaves: from the leaf
/// to the root, the sibling of each node on the way (PATH in RFC 6962 section 2.1.1).
pub fn inclusion_proof<R: HashReader>(
    reader: &mut R,
    index: u64,
    size: u64,
) -> Result<InclusionProof, ProveError<R::Error>> {
    fits(size)?;
    if index >= size {
        return Err(ProveError::Index { index, size });
    }
    let mut siblings = Vec::new();
    let (mut from, mut to) = (0, size);
    while to - from > 1 {
        let middle = from + split(to - from);
        let sibling = if index < middle {
            let right = range(reader, middle, to);
            to = middle;
            right
        } else {
            let left = range(reader, from, middle);
            from = middle;
            left
        };
        siblings.push(sibling.map_err(ProveError::Read)?);
    }
    siblings.reverse();
    Ok(InclusionProof::of_path(siblings))
}

/// The proof that the tree of the first `old` leaves is the beginning of the tree of the first
/// `new` ones (PROOF in RFC 6962 section 2.1.2). It is empty if they are equal, and if `old` is
/// 0, since every tree begins with the empty one.
pub fn consistency_proof<R: HashReader>(
    reader: &mut R,
    old: u64,
    new: u64,
) -> Result<ConsistencyProof, ProveError<R::Error>> {
    fits(new)?;
    if old > new {
        return Err(ProveError::Shrinks { old, new });
    }
    let mut hashes = Vec::new();
    let (mut from, mut to) = (0, new);
    while old > 0 && old < to {
        let middle = from + split(to - from);
        let other = if old <= middle {
            let right = range(reader, middle, to);
            to = middle;
            right
        } else {
            let left = range(reader, from, middle);
            from = middle;
            left
        };
        hashes.push(other.map_err(ProveError::Read)?);
    }
    // What is left is the old tree's last subtree. If it is all of the old tree, then whoever
    // verifies has its root.
    if from > 0 {
        hashes.push(range(reader, from, to).map_err(ProveError::Read)?);
    }
    hashes.reverse();
    Ok(ConsistencyProof::of_path(hashes))
}

/// Why a root or a proof cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProveError<E> {
    /// More leaves than any tree has.
    #[error("a tree of {size} entries is larger than {}", Frontier::SIZE_MAX)]
    TooLarge {
        /// The size asked for.
        size: u64,
    },
    /// The tree has no such leaf.
    #[error("index {index} is not below the tree's size {size}")]
    Index {
        /// The index asked for.
        index: u64,
        /// The size asked for.
        size: u64,
    },
    /// A tree does not begin with a larger one.
    #[error("the old size {old} is larger than the new size {new}")]
    Shrinks {
        /// The old size asked for.
        old: u64,
        /// The new size asked for.
        new: u64,
    },
    /// A node could not be read.
    #[error("{0}")]
    Read(E),
}

fn fits<E>(size: u64) -> Result<(), ProveError<E>> {
    if size > Frontier::SIZE_MAX {
        return Err(ProveError::TooLarge { size });
    }
    Ok(())
}

/// Where a tree of `size` leaves, two or more, is split: at the largest power of two that is
/// smaller.
const fn split(size: u64) -> u64 {
    1 << (size - 1).ilog2()
}

/// The root over the leaves `from..to`, where `from` is a multiple of the largest power of two
/// that is not larger than their number: so it is for every subtree of an RFC 6962 tree.
fn range<R: HashReader>(reader: &mut R, mut from: u64, to: u64) -> Result<Hash, R::Error> {
    let mut complete = Vec::new();
    while from < to {
        let level = (to - from).ilog2();
        // 0 to 62, as sizes stay below 2^63.
        #[allow(clippy::cast_possible_truncation)]
        complete.push(reader.hash(level as u8, from >> level)?);
        from += 1 << level;
    }
    let smallest_first = complete.into_iter().rev();
    let root = smallest_first.reduce(|right, left| node_hash(&left, &right));
    Ok(root.unwrap_or_else(empty_root))
}
