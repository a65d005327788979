use ct_merkle::RootHash;
use ct_merkle::mem_backed_tree::MemoryBackedTree;
use proptest::prelude::*;
use sha2::Sha256;

use super::*;

/// PATH(m, D) of RFC 6962 section 2.1.1, word for word.
fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if m < k {
        (path(m, left), root_of(right))
    } else {
        (path(m - k, right), root_of(left))
    };
    path.push(sibling);
    path
}

/// SUBPROOF(m, D, b) of RFC 6962 section 2.1.2, word for word.
fn subproof(m: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if known { vec![] } else { vec![root_of(leaves)] };
    }
    let k = leaves.len().next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut proof, other) = if m <= k {
        (subproof(m, left, known), root_of(right))
    } else {
        (subproof(m - k, right, false), root_of(left))
    };
    proof.push(other);
    proof
}

fn by_the_rfc(index: u64, size: u64) -> Vec<Hash> {
    let (index, size) = (
        usize::try_from(index).unwrap(),
        usize::try_from(size).unwrap(),
    );
    path(index, &leaves()[..size])
}

fn consistency_by_the_rfc(old: u64, new: u64) -> Vec<Hash> {
    let (old, new) = (usize::try_from(old).unwrap(), usize::try_from(new).unwrap());
    subproof(old, &leaves()[..new], true)
}

fn bytes_of(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// Every proof that differs from `hashes` in one bit, one hash more or less, or two hashes that
/// have changed places.
fn mutations(hashes: &[Hash]) -> Vec<Vec<Hash>> {
    let mut all = Vec::new();
    for place in 0..hashes.len() {
        for bit in 0..256 {
            let mut bytes = *hashes[place].as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut flipped = hashes.to_vec();
            flipped[place] = bytes.into();
            all.push(flipped);
        }
        let mut dropped = hashes.to_vec();
        dropped.remove(place);
        all.push(dropped);
        for other in place + 1..hashes.len() {
            let mut swapped = hashes.to_vec();
            swapped.swap(place, other);
            all.push(swapped);
        }
    }
    for place in 0..=hashes.len() {
        let mut added = hashes.to_vec();
        added.insert(place, leaves()[place]);
        all.push(added);
    }
    all
}

/// A tree of any size whose leaves are all alike: a complete subtree's root is told by its level.
struct Alike;

impl HashReader for Alike {
    type Error = Infallible;

    fn hash(&mut self, level: u8, _: u64) -> Result<Hash, Infallible> {
        Ok(ALIKE[usize::from(level)])
    }
}

static ALIKE: LazyLock<Vec<Hash>> = LazyLock::new(|| {
    let above = |hash: &Hash| Some(node_hash(hash, hash));
    std::iter::successors(Some(leaves()[0]), above)
        .take(63)
        .collect()
});

#[test]
fn every_proof_of_a_small_tree_is_that_of_the_rfc_and_is_believed() {
    for size in 1..=66 {
        for index in 0..size {
            let proof = path_of(index, size);
            assert_eq!(proof.hashes(), by_the_rfc(index, size), "{index} in {size}");
            let leaf = leaf_hash(&entry(index));
            assert_eq!(proof.verify(index, size, &leaf, &root_at(size)), Ok(()));
        }
        for old in 1..=size {
            let proof = consistency_of(old, size);
            let expected = consistency_by_the_rfc(old, size);
            assert_eq!(proof.hashes(), expected, "{old} to {size}");
            let verdict = proof.verify(old, size, &root_at(old), &root_at(size));
            assert_eq!(verdict, Ok(()), "{old} to {size}");
        }
    }
}

#[test]
fn proofs_are_those_of_ct_merkle_at_every_size_up_to_a_thousand() {
    let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
    let mut old_roots: Vec<RootHash<Sha256>> = vec![tree.root()];
    for size in 1..=1000_u64 {
        tree.push(entry(size - 1));
        let theirs = tree.root();
        old_roots.push(tree.root());
        let root = root_at(size);
        assert_eq!(root.as_bytes()[..], theirs.as_bytes()[..]);
        // Three places that move through all the tree as it grows.
        for step in [1, 7, 389] {
            let index = size * step % 1009 % size;
            let ours = path_of(index, size);
            let place = usize::try_from(index).unwrap();
            let proof = tree.prove_inclusion(place);
            assert_eq!(
                bytes_of(ours.hashes()),
                proof.as_bytes(),
                "{index} in {size}"
            );
            assert!(
                theirs
                    .verify_inclusion(&entry(index), index, &proof)
                    .is_ok()
            );
            let leaf = leaf_hash(&entry(index));
            assert_eq!(ours.verify(index, size, &leaf, &root), Ok(()));

            let old = index.max(1);
            let ours = consistency_of(old, size);
            let added = usize::try_from(size - old).unwrap();
            let proof = tree.prove_consistency(added);
            if old < size {
                assert_eq!(bytes_of(ours.hashes()), proof.as_bytes(), "{old} to {size}");
                let old_root = &old_roots[usize::try_from(old).unwrap()];
                assert!(theirs.verify_consistency(old_root, &proof).is_ok());
            }
            assert_eq!(ours.verify(old, size, &root_at(old), &root), Ok(()));
        }
    }
}

#[test]
fn every_bit_and_every_hash_of_a_proof_counts() {
    for (index, size) in [(0, 2), (0, 7), (6, 7), (5, 8), (4, 13), (12, 13), (13, 21)] {
        let (leaf, root) = (leaf_hash(&entry(index)), root_at(size));
        for mutation in mutations(path_of(index, size).hashes()) {
            let proof = InclusionProof::new(mutation).unwrap();
            assert!(proof.verify(index, size, &leaf, &root).is_err());
        }
    }
    for (old, new) in [
        (0, 5),
        (1, 2),
        (2, 5),
        (3, 7),
        (4, 8),
        (6, 13),
        (7, 7),
        (13, 21),
    ] {
        let (old_root, new_root) = (root_at(old), root_at(new));
        for mutation in mutations(consistency_of(old, new).hashes()) {
            let proof = ConsistencyProof::new(mutation).unwrap();
            assert!(proof.verify(old, new, &old_root, &new_root).is_err());
        }
    }
}

#[test]
fn each_way_of_an_inclusion_proof_to_be_wrong_is_named() {
    let (proof, leaf, root) = (path_of(4, 7), leaf_hash(&entry(4)), root_at(7));
    let verify = |index, size| proof.verify(index, size, &leaf, &root);
    assert_eq!(verify(4, 7), Ok(()));
    assert_eq!(
        verify(7, 7),
        Err(InclusionError::Index { index: 7, size: 7 })
    );
    assert_eq!(
        verify(0, 0),
        Err(InclusionError::Index { index: 0, size: 0 })
    );
    let size = 1 << 63;
    assert_eq!(verify(4, size), Err(InclusionError::TooLarge { size }));
    let (expected, found) = (2, 3);
    assert_eq!(
        verify(6, 7),
        Err(InclusionError::HashCount { expected, found })
    );
    let (expected, found) = (4, 3);
    assert_eq!(
        verify(4, 9),
        Err(InclusionError::HashCount { expected, found })
    );
    let (computed, given) = (root, root_at(6));
    let refusal = proof.verify(4, 7, &leaf, &given);
    assert_eq!(refusal, Err(InclusionError::Root { computed, given }));
    assert!(matches!(verify(5, 7), Err(InclusionError::Root { .. })));
    let other = leaf_hash(&entry(5));
    let refusal = proof.verify(4, 7, &other, &root);
    assert!(matches!(refusal, Err(InclusionError::Root { .. })));
}

#[test]
fn each_way_of_a_consistency_proof_to_be_wrong_is_named() {
    let (proof, old_root, new_root) = (consistency_of(3, 7), root_at(3), root_at(7));
    let verify = |old, new| proof.verify(old, new, &old_root, &new_root);
    assert_eq!(verify(3, 7), Ok(()));
    let (old, new) = (8, 7);
    assert_eq!(verify(8, 7), Err(ConsistencyError::Shrinks { old, new }));
    let size = 1 << 63;
    assert_eq!(verify(3, size), Err(ConsistencyError::TooLarge { size }));
    let found = 4;
    for (old, new, expected) in [(0, 7, 0), (7, 7, 0), (4, 7, 1), (3, 9, 5)] {
        let refusal = verify(old, new);
        assert_eq!(
            refusal,
            Err(ConsistencyError::HashCount { expected, found })
        );
    }
    let (computed, given) = (old_root, root_at(2));
    let refusal = proof.verify(3, 7, &given, &new_root);
    assert_eq!(refusal, Err(ConsistencyError::OldRoot { computed, given }));
    let (computed, given) = (new_root, root_at(6));
    let refusal = proof.verify(3, 7, &old_root, &given);
    assert_eq!(refusal, Err(ConsistencyError::NewRoot { computed, given }));

    let none = ConsistencyProof::new(Vec::new()).unwrap();
    assert_eq!(none.verify(7, 7, &new_root, &new_root), Ok(()));
    let refusal = none.verify(7, 7, &old_root, &new_root);
    let size = 7;
    assert_eq!(
        refusal,
        Err(ConsistencyError::Fork {
            size,
            old_root,
            new_root
        })
    );
    assert_eq!(none.verify(0, 7, &empty_root(), &new_root), Ok(()));
    assert_eq!(none.verify(0, 0, &empty_root(), &empty_root()), Ok(()));
    let (computed, given) = (empty_root(), old_root);
    let refusal = none.verify(0, 7, &old_root, &new_root);
    assert_eq!(refusal, Err(ConsistencyError::OldRoot { computed, given }));

    // The proof of a power of two starts at the old root itself.
    let refusal = consistency_of(4, 7).verify(4, 7, &root_at(3), &new_root);
    assert!(matches!(refusal, Err(ConsistencyError::NewRoot { .. })));
}

#[test]
fn proofs_that_no_tree_can_give_are_not_made() {
    let mut rows = Rows { size: 7 };
    let (index, size) = (7, 7);
    let refusal = inclusion_proof(&mut rows, 7, 7);
    assert_eq!(refusal, Err(ProveError::Index { index, size }));
    let (old, new) = (8, 7);
    let refusal = consistency_proof(&mut rows, 8, 7);
    assert_eq!(refusal, Err(ProveError::Shrinks { old, new }));
    let size = 1 << 63;
    assert_eq!(root(&mut rows, size), Err(ProveError::TooLarge { size }));
    let refusal = inclusion_proof(&mut rows, 7, size);
    assert_eq!(refusal, Err(ProveError::TooLarge { size }));
    let refusal = consistency_proof(&mut rows, 7, size);
    assert_eq!(refusal, Err(ProveError::TooLarge { size }));
    assert!(consistency_of(0, 7).hashes().is_empty());
    assert_eq!(root_at(0), empty_root());
}

#[test]
fn proofs_from_outside_have_as_many_hashes_as_the_largest_tree_asks_for_and_no_more() {
    let hash = leaves()[0];
    assert!(InclusionProof::new(vec![hash; 63]).is_ok());
    let (most, found) = (63, 64);
    let refusal = InclusionProof::new(vec![hash; 64]);
    assert_eq!(refusal, Err(ProofTooLong { most, found }));
    assert!(ConsistencyProof::new(vec![hash; 64]).is_ok());
    let (most, found) = (64, 65);
    let refusal = ConsistencyProof::new(vec![hash; 65]);
    assert_eq!(refusal, Err(ProofTooLong { most, found }));

    let size = Frontier::SIZE_MAX;
    let longest = inclusion_proof(&mut Alike, 0, size).unwrap();
    assert_eq!(longest.hashes().len(), INCLUSION_HASHES_MAX);
    let longest = consistency_proof(&mut Alike, 1 + (1 << 61), size).unwrap();
    assert_eq!(longest.hashes().len(), CONSISTENCY_HASHES_MAX);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_leaf_of_any_tree_is_proven(size in 1..=LEAVES as u64, at in any::<u64>()) {
        let index = at % size;
        let proof = path_of(index, size);
        let leaf = leaf_hash(&entry(index));
        prop_assert_eq!(proof.verify(index, size, &leaf, &root_at(size)), Ok(()));
        let elsewhere = (index + 1) % size;
        if elsewhere != index {
            prop_assert!(proof.verify(elsewhere, size, &leaf, &root_at(size)).is_err());
        }
    }

    #[test]
    fn any_tree_is_proven_to_begin_with_any_smaller_one(
        new in 0..=LEAVES as u64, at in any::<u64>()
    ) {
        let old = at % (new + 1);
        let proof = consistency_of(old, new);
        prop_assert_eq!(proof.verify(old, new, &root_at(old), &root_at(new)), Ok(()));
        // A tree that lost its last entry, and one that another ledger has in its place.
        if old > 1 {
            prop_assert!(proof.verify(old, new, &root_at(old - 1), &root_at(new)).is_err());
        }
        if old > 0 && old < new {
            prop_assert!(proof.verify(old, new, &root_at(old), &root_at(new - 1)).is_err());
        }
    }

    #[test]
    fn trees_of_any_size_that_can_be_counted_are_proven(
        size in 1..=Frontier::SIZE_MAX, shift in 0..63_u32, at in any::<u64>()
    ) {
        let size = (size >> shift).max(1);
        let (index, old) = (at % size, at % size + 1);
        let of_size = |size| root(&mut Alike, size).unwrap();
        let proof = inclusion_proof(&mut Alike, index, size).unwrap();
        let root = of_size(size);
        prop_assert_eq!(proof.verify(index, size, &leaves()[0], &root), Ok(()));
        let proof = consistency_proof(&mut Alike, old, size).unwrap();
        prop_assert_eq!(proof.verify(old, size, &of_size(old), &root), Ok(()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn proofs_in_larger_trees_are_those_of_the_rfc(size in 1..3000_u64, at in any::<u64>()) {
        let index = at % size;
        let proof = path_of(index, size);
        prop_assert_eq!(proof.hashes(), by_the_rfc(index, size));
        let proof = consistency_of(index + 1, size);
        prop_assert_eq!(proof.hashes(), consistency_by_the_rfc(index + 1, size));
    }

    #[test]
    fn hashes_from_outside_never_panic_and_prove_nothing(
        (old, new) in any::<(u64, u64)>(), (a, b) in (0..63_u32, 0..63_u32), count in 0..64_usize
    ) {
        let (old, new) = (old >> a, new >> b);
        let hashes = vec![leaves()[3]; count.min(63)];
        let proof = InclusionProof::new(hashes.clone()).unwrap();
        let (leaf, root) = (leaves()[1], leaves()[2]);
        prop_assert!(proof.verify(old, new, &leaf, &root).is_err());
        let proof = ConsistencyProof::new(hashes).unwrap();
        prop_assert!(proof.verify(old, new, &leaf, &root).is_err());
    }
}
