//! The tree hash of RFC 6962 section 2.1, and the frontier that keeps it up to date one entry
//! at a time.
//!
//! Invariant of the frontier: it holds one hash for each bit that is set in its size, the
//! root of a complete subtree of that many leaves, from the largest (leftmost) to the
//! smallest. That is all it takes to add a leaf or to compute the root, in time and space
//! logarithmic in the size. It cannot prove anything about a leaf that it has taken in: for
//! that one needs the hashes below.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::base64;

/// What a leaf's hash starts with, so that a leaf can never pass for a node.
const LEAF_PREFIX: [u8; 1] = [0x00];
/// What the hash of an inner node starts with.
const NODE_PREFIX: [u8; 1] = [0x01];

/// A SHA-256 hash in the tree: of a leaf, of a node, or the root. Shown in standard base64
/// with padding, as in a checkpoint.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hash([u8; 32]);

impl Hash {
    /// The raw 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Hash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl From<Hash> for [u8; 32] {
    fn from(hash: Hash) -> Self {
        hash.0
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base64::encode(&self.0))
    }
}

impl FromStr for Hash {
    type Err = HashError;

    fn from_str(text: &str) -> Result<Self, HashError> {
        let bytes = base64::decode(text).ok_or(HashError)?;
        let bytes: [u8; 32] = bytes.try_into().map_err(|_| HashError)?;
        Ok(Self(bytes))
    }
}

/// The text is not a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash is 32 bytes in standard base64: 44 characters, the last of them \"=\"")]
pub struct HashError;

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The root of the tree without leaves: SHA-256 of nothing.
#[must_use]
pub fn empty_root() -> Hash {
    Hash(Sha256::digest([]).into())
}

/// The hash of a leaf: SHA-256(0x00 ‖ entry), over the entry's encoded bytes.
#[must_use]
pub fn leaf_hash(entry: &[u8]) -> Hash {
    let hasher = Sha256::new().chain_update(LEAF_PREFIX);
    Hash(hasher.chain_update(entry).finalize().into())
}

/// The hash of the node above `left` and `right`: SHA-256(0x01 ‖ left ‖ right).
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let hasher = Sha256::new().chain_update(NODE_PREFIX);
    Hash(
        hasher
            .chain_update(left.0)
            .chain_update(right.0)
            .finalize()
            .into(),
    )
}

/// The root over `leaves`, which are leaf hashes in order: the recursive definition of the
/// RFC word for word, which splits at the largest power of two smaller than their number.
/// It hashes the whole tree each time; [`Frontier`] is for a tree that grows.
#[must_use]
pub fn root_of(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(1 << (leaves.len() - 1).ilog2());
            node_hash(&root_of(left), &root_of(right))
        }
    }
}

/// The right edge of a growing tree (also called its compact range): the size, and the root
/// of each complete subtree that the tree falls into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    /// The number of leaves.
    size: u64,
    /// One hash for each bit set in `size`, the largest subtree first.
    hashes: Vec<Hash>,
}

impl Frontier {
    /// The largest size that [`Frontier::from_parts`] takes: 2^63 - 1, what the ecosystem's
    /// tools hold in a signed integer. Another 2^63 leaves could be pushed before the size
    /// ran over, which no machine lives to see.
    pub const SIZE_MAX: u64 = u64::MAX >> 1;

    /// The frontier of the tree without leaves.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            size: 0,
            hashes: Vec::new(),
        }
    }

    /// The frontier of `size` leaves whose complete subtrees have these roots, the largest
    /// first: what [`Frontier::size`] and [`Frontier::hashes`] gave.
    pub fn from_parts(size: u64, hashes: Vec<Hash>) -> Result<Self, FrontierError> {
        if size > Self::SIZE_MAX {
            return Err(FrontierError::TooLarge { size });
        }
        let expected = size.count_ones();
        if u32::try_from(hashes.len()) != Ok(expected) {
            return Err(FrontierError::HashCount {
                size,
                expected,
                found: hashes.len(),
            });
        }
        Ok(Self { size, hashes })
    }

    /// Adds one leaf, given by its [`leaf_hash`].
    pub fn push(&mut self, leaf: Hash) {
        // As in a binary counter: each trailing one is a subtree that the new leaf completes
        // into one of twice its size.
        let completed = self.size.trailing_ones() as usize;
        let kept = self.hashes.len().saturating_sub(completed);
        let root = self
            .hashes
            .drain(kept..)
            .rev()
            .fold(leaf, |right, left| node_hash(&left, &right));
        self.hashes.push(root);
        self.size += 1;
    }

    /// The number of leaves.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The root over all leaves.
    #[must_use]
    pub fn root(&self) -> Hash {
        let smallest_first = self.hashes.iter().rev().copied();
        smallest_first
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(empty_root)
    }

    /// The roots of the complete subtrees, the largest first; at most 64.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.hashes
    }
}

/// Why a size and some hashes are not a frontier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrontierError {
    /// More leaves than any ledger holds.
    #[error("a tree of {size} entries is larger than {}", Frontier::SIZE_MAX)]
    TooLarge {
        /// The size given.
        size: u64,
    },
    /// A tree of this size falls into another number of complete subtrees.
    #[error("the frontier of {size} entries has {expected} hashes, not {found}")]
    HashCount {
        /// The size given.
        size: u64,
        /// The number of complete subtrees of a tree of that size.
        expected: u32,
        /// The number of hashes given.
        found: usize,
    },
}

#[cfg(test)]
mod tests {
    use ct_merkle::mem_backed_tree::MemoryBackedTree;
    use proptest::prelude::*;

    use super::*;

    const WORDS: &str = "one two three four five six seven eit nain ten ileven twelf threeten \
                         fourten fivten";

    fn grown(entries: &[Vec<u8>]) -> Frontier {
        let mut frontier = Frontier::new();
        for entry in entries {
            frontier.push(leaf_hash(entry));
        }
        frontier
    }

    /// The root after every push, from the empty tree on, as an independent crate has it.
    fn roots_by_ct_merkle(entries: &[Vec<u8>]) -> Vec<Hash> {
        let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        let mut roots = vec![Hash((*tree.root().as_bytes()).into())];
        for entry in entries {
            tree.push(entry.clone());
            roots.push(Hash((*tree.root().as_bytes()).into()));
        }
        roots
    }

    #[test]
    fn the_published_vectors_give_the_published_roots() {
        let leaves: Vec<Hash> = WORDS.split(' ').map(|w| leaf_hash(w.as_bytes())).collect();
        let vectors = [
            (0, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
            (1, "0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek="),
            (15, "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="),
        ];
        for (size, root) in vectors {
            let mut frontier = Frontier::new();
            for leaf in &leaves[..size] {
                frontier.push(*leaf);
            }
            assert_eq!(frontier.root().to_string(), root);
            assert_eq!(root_of(&leaves[..size]).to_string(), root);
        }
        assert_eq!(leaves.len(), 15);
    }

    #[test]
    fn an_entry_that_spells_out_a_node_does_not_hash_like_it() {
        let (left, right) = (leaf_hash(b"left"), leaf_hash(b"right"));
        let spelt = [left.0, right.0].concat();
        assert_ne!(leaf_hash(&spelt), node_hash(&left, &right));
        assert_ne!(node_hash(&left, &right), node_hash(&right, &left));
    }

    #[test]
    fn an_empty_entry_is_not_an_empty_tree() {
        assert_ne!(grown(&[Vec::new()]).root(), empty_root());
    }

    #[test]
    fn a_frontier_with_another_number_of_hashes_than_its_size_has_bits_is_refused() {
        let hash = leaf_hash(b"entry");
        for (size, count) in [
            (0, 1),
            (1, 0),
            (1, 2),
            (6, 1),
            (7, 4),
            (Frontier::SIZE_MAX, 64),
        ] {
            let refusal = Frontier::from_parts(size, vec![hash; count]);
            let expected = size.count_ones();
            let found = count;
            assert_eq!(
                refusal,
                Err(FrontierError::HashCount {
                    size,
                    expected,
                    found
                })
            );
        }
    }

    #[test]
    fn the_largest_frontier_takes_another_leaf_and_a_larger_one_is_refused() {
        let hashes = vec![leaf_hash(b"entry"); 63];
        let mut frontier = Frontier::from_parts(Frontier::SIZE_MAX, hashes).unwrap();
        frontier.push(leaf_hash(b"last"));
        assert_eq!((frontier.size(), frontier.hashes().len()), (1 << 63, 1));
        assert_eq!(
            Frontier::from_parts(1 << 63, frontier.hashes().to_vec()),
            Err(FrontierError::TooLarge { size: 1 << 63 })
        );
    }

    #[test]
    fn every_size_up_to_a_few_levels_agrees_with_the_definition_and_with_ct_merkle() {
        let entries: Vec<Vec<u8>> = (0..=260_u32).map(|i| i.to_be_bytes().to_vec()).collect();
        let leaves: Vec<Hash> = entries.iter().map(|e| leaf_hash(e)).collect();
        let expected = roots_by_ct_merkle(&entries);
        let mut frontier = Frontier::new();
        for size in 0..=entries.len() {
            assert_eq!(frontier.size(), size as u64);
            assert_eq!(frontier.root(), expected[size], "size {size}");
            assert_eq!(root_of(&leaves[..size]), expected[size], "size {size}");
            if let Some(leaf) = leaves.get(size) {
                frontier.push(*leaf);
            }
        }
    }

    proptest! {
        #[test]
        fn frontier_definition_and_ct_merkle_agree_on_any_entries(
            entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..80), 0..70)
        ) {
            let leaves: Vec<Hash> = entries.iter().map(|e| leaf_hash(e)).collect();
            let frontier = grown(&entries);
            prop_assert_eq!(frontier.root(), root_of(&leaves));
            prop_assert_eq!(Some(frontier.root()), roots_by_ct_merkle(&entries).pop());
        }

        #[test]
        fn a_frontier_stopped_and_taken_up_again_grows_on_as_if_it_had_not_stopped(
            before in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..70),
            after in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..70),
        ) {
            let stopped = grown(&before);
            let parts = (stopped.size(), stopped.hashes().to_vec());
            let mut again = Frontier::from_parts(parts.0, parts.1).unwrap();
            prop_assert_eq!(&again, &stopped);
            for entry in &after {
                again.push(leaf_hash(entry));
            }
            prop_assert_eq!(again, grown(&[before, after].concat()));
        }

        #[test]
        fn each_hash_of_a_frontier_is_the_root_of_its_complete_subtree(
            entries in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..9), 0..70)
        ) {
            let leaves: Vec<Hash> = entries.iter().map(|e| leaf_hash(e)).collect();
            let mut rest = leaves.as_slice();
            let frontier = grown(&entries);
            for hash in frontier.hashes() {
                let (subtree, after) = rest.split_at(1 << rest.len().ilog2());
                prop_assert_eq!(*hash, root_of(subtree));
                rest = after;
            }
            prop_assert!(rest.is_empty());
        }
    }
}
