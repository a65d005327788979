//! Inclusion and consistency proofs, and what it takes to believe them: RFC 6962 sections 2.1.1
//! and 2.1.2.
//!
//! Invariant: a proof holds for exactly the number of hashes that its sizes ask for, so that
//! there is one proof for one claim. A proof does not carry what it is about; sizes, index and
//! roots come from whoever verifies, who has them from a checkpoint. Making proofs is for
//! [`super::nodes`].

use super::tree::{Frontier, Hash, empty_root, node_hash};

/// The most hashes of an inclusion proof: one for each level below the root of a tree of
/// 2^63 - 1 leaves.
pub const INCLUSION_HASHES_MAX: usize = 63;

/// The most hashes of a consistency proof: one for each level, and the node to start at.
pub const CONSISTENCY_HASHES_MAX: usize = INCLUSION_HASHES_MAX + 1;

/// The hashes that lead from a leaf to a root: the sibling of each node on the way, the leaf's
/// first; at most [`INCLUSION_HASHES_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InclusionProof(Vec<Hash>);

impl InclusionProof {
    /// A proof from outside. Whether it proves anything is for [`Self::verify`] to say.
    pub fn new(hashes: Vec<Hash>) -> Result<Self, ProofTooLong> {
        ProofTooLong::check(&hashes, INCLUSION_HASHES_MAX)?;
        Ok(Self(hashes))
    }

    /// A proof whose length follows from a size that is within bounds.
    pub(super) const fn of_path(hashes: Vec<Hash>) -> Self {
        Self(hashes)
    }

    /// The hashes, from leaf to root.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.0
    }

    /// Whether it proves that `leaf` (a [`super::leaf_hash`]) stands at `index` in the tree of
    /// `size` leaves that has this `root`.
    pub fn verify(
        &self,
        index: u64,
        size: u64,
        leaf: &Hash,
        root: &Hash,
    ) -> Result<(), InclusionError> {
        if size > Frontier::SIZE_MAX {
            return Err(InclusionError::TooLarge { size });
        }
        if index >= size {
            return Err(InclusionError::Index { index, size });
        }
        let way = Way::up_from(index, size - 1);
        let expected = way.length();
        if self.0.len() != expected {
            let found = self.0.len();
            return Err(InclusionError::HashCount { expected, found });
        }
        let computed = way.climb(*leaf, &self.0);
        if computed != *root {
            let given = *root;
            return Err(InclusionError::Root { computed, given });
        }
        Ok(())
    }
}

/// The hashes by which the root of a tree and that of its beginning can both be computed; at
/// most [`CONSISTENCY_HASHES_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsistencyProof(Vec<Hash>);

impl ConsistencyProof {
    /// A proof from outside. Whether it proves anything is for [`Self::verify`] to say.
    pub fn new(hashes: Vec<Hash>) -> Result<Self, ProofTooLong> {
        ProofTooLong::check(&hashes, CONSISTENCY_HASHES_MAX)?;
        Ok(Self(hashes))
    }

    /// A proof whose length follows from sizes that are within bounds.
    pub(super) const fn of_path(hashes: Vec<Hash>) -> Self {
        Self(hashes)
    }

    /// The hashes, in the order of RFC 6962.
    #[must_use]
    pub fn hashes(&self) -> &[Hash] {
        &self.0
    }

    /// Whether it proves that the tree of `new` leaves with root `new_root` begins with the tree
    /// of `old` leaves with root `old_root`.
    ///
    /// The empty tree begins every tree: for `old` = 0 this checks that `old_root` is the
    /// empty tree's and says nothing about `new_root`. If `old` is a power of two, then a
    /// wrong `old_root` shows as [`ConsistencyError::NewRoot`], because the proof starts at it.
    pub fn verify(
        &self,
        old: u64,
        new: u64,
        old_root: &Hash,
        new_root: &Hash,
    ) -> Result<(), ConsistencyError> {
        if new > Frontier::SIZE_MAX {
            return Err(ConsistencyError::TooLarge { size: new });
        }
        if old > new {
            return Err(ConsistencyError::Shrinks { old, new });
        }
        let trivial = old == 0 || old == new;
        if trivial {
            self.expect_length(0)?;
        }
        if old == 0 {
            old_root_is(empty_root(), *old_root)?;
        }
        if old == new && old_root != new_root {
            return Err(ConsistencyError::Fork {
                size: new,
                old_root: *old_root,
                new_root: *new_root,
            });
        }
        if trivial {
            return Ok(());
        }
        self.climb(old, new, old_root, new_root)
    }

    /// Both roots from the last complete subtree of the old tree on, `old` < `new`, not 0.
    fn climb(
        &self,
        old: u64,
        new: u64,
        old_root: &Hash,
        new_root: &Hash,
    ) -> Result<(), ConsistencyError> {
        let level = old.trailing_zeros();
        let way = Way::up_from((old - 1) >> level, (new - 1) >> level);
        // A power of two has no other subtree, and its root is known.
        let starts_at_root = old.is_power_of_two();
        self.expect_length(way.length() + usize::from(!starts_at_root))?;
        let (start, others) = match self.0.split_first() {
            Some((start, others)) if !starts_at_root => (start, others),
            _ => (old_root, &self.0[..]),
        };
        old_root_is(way.climb_left(*start, others), *old_root)?;
        let computed = way.climb(*start, others);
        if computed != *new_root {
            let given = *new_root;
            return Err(ConsistencyError::NewRoot { computed, given });
        }
        Ok(())
    }

    fn expect_length(&self, expected: usize) -> Result<(), ConsistencyError> {
        let found = self.0.len();
        if found != expected {
            return Err(ConsistencyError::HashCount { expected, found });
        }
        Ok(())
    }
}

fn old_root_is(computed: Hash, given: Hash) -> Result<(), ConsistencyError> {
    if computed != given {
        return Err(ConsistencyError::OldRoot { computed, given });
    }
    Ok(())
}

/// The way from a node up to the root: on which side each sibling lies.
///
/// Up to where the way meets that of the tree's last node, every node has a sibling, to the
/// left or to the right of it as its index is odd or even. From there on up it is on the right
/// edge, where only nodes of odd index have one: the others have nothing beside them and stand
/// for themselves on the next level.
struct Way {
    /// The index of the node to start at, on its level.
    index: u64,
    /// How many levels lie below the right edge.
    inner: u32,
}

impl Way {
    /// From the node at `index`, of a level whose last node (perhaps not complete) is at `last`.
    const fn up_from(index: u64, last: u64) -> Self {
        let inner = u64::BITS - (index ^ last).leading_zeros();
        Self { index, inner }
    }

    /// The siblings on the right edge, all of them to the left.
    fn edge(&self) -> u32 {
        self.index.checked_shr(self.inner).unwrap_or(0).count_ones()
    }

    /// How many siblings there are.
    fn length(&self) -> usize {
        (self.inner + self.edge()) as usize
    }

    /// For each sibling, from the lowest: whether it lies to the left.
    fn is_left(&self) -> impl Iterator<Item = bool> {
        let inner = (0..self.inner).map(|level| self.index >> level & 1 == 1);
        inner.chain((0..self.edge()).map(|_| true))
    }

    /// The root, from the hash of the node to start at and all siblings.
    fn climb(&self, start: Hash, siblings: &[Hash]) -> Hash {
        let steps = self.is_left().zip(siblings);
        steps.fold(start, |hash, (is_left, sibling)| {
            if is_left {
                node_hash(sibling, &hash)
            } else {
                node_hash(&hash, sibling)
            }
        })
    }

    /// The root of the tree that ends with the node to start at: of the siblings, those to the
    /// left count.
    fn climb_left(&self, start: Hash, siblings: &[Hash]) -> Hash {
        let steps = self.is_left().zip(siblings).filter(|(is_left, _)| *is_left);
        steps.fold(start, |hash, (_, sibling)| node_hash(sibling, &hash))
    }
}

/// More hashes than any proof has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a proof has at most {most} hashes, not {found}")]
pub struct ProofTooLong {
    /// The most there can be.
    pub most: usize,
    /// How many there are.
    pub found: usize,
}

impl ProofTooLong {
    const fn check(hashes: &[Hash], most: usize) -> Result<(), Self> {
        let found = hashes.len();
        if found > most {
            return Err(Self { most, found });
        }
        Ok(())
    }
}

/// Why an inclusion proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InclusionError {
    /// More leaves than any tree has.
    #[error("a tree of {size} entries is larger than {}", Frontier::SIZE_MAX)]
    TooLarge {
        /// The size given.
        size: u64,
    },
    /// The tree has no such leaf.
    #[error("index {index} is not below the tree's size {size}")]
    Index {
        /// The index given.
        index: u64,
        /// The size given.
        size: u64,
    },
    /// Too few hashes, or too many.
    #[error("the inclusion proof of this index and size has {expected} hashes, not {found}")]
    HashCount {
        /// How many this index and size ask for.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// Another leaf, place or tree.
    #[error("leaf and proof lead to the root {computed}, not to {given}")]
    Root {
        /// Where they lead.
        computed: Hash,
        /// The root given.
        given: Hash,
    },
}

/// Why a consistency proof proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConsistencyError {
    /// More leaves than any tree has.
    #[error("a tree of {size} entries is larger than {}", Frontier::SIZE_MAX)]
    TooLarge {
        /// The new size given.
        size: u64,
    },
    /// A tree does not begin with a larger one.
    #[error("the old size {old} is larger than the new size {new}")]
    Shrinks {
        /// The old size given.
        old: u64,
        /// The new size given.
        new: u64,
    },
    /// Too few hashes, or too many: none are asked for when the sizes are equal or the old one
    /// is 0.
    #[error("the consistency proof between these sizes has {expected} hashes, not {found}")]
    HashCount {
        /// How many these sizes ask for.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// Two roots of one size: somebody showed two ledgers.
    #[error("two trees of size {size} have different roots, {old_root} and {new_root}")]
    Fork {
        /// The size of both.
        size: u64,
        /// The old root given.
        old_root: Hash,
        /// The new root given.
        new_root: Hash,
    },
    /// The proof is about another old tree.
    #[error("the proof leads to the old root {computed}, not to {given}")]
    OldRoot {
        /// Where it leads.
        computed: Hash,
        /// The old root given.
        given: Hash,
    },
    /// The new tree does not begin with the old one, or the proof is about other trees.
    #[error("the proof leads to the new root {computed}, not to {given}")]
    NewRoot {
        /// Where it leads.
        computed: Hash,
        /// The new root given.
        given: Hash,
    },
}
