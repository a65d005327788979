//! What the room's parts prove together, and trees to prove it on.

mod files;
mod notes;
mod paths;
mod proofs;
mod tiles;
mod witnesses;

use std::convert::Infallible;
use std::sync::LazyLock;

use super::*;
use crate::record::SigningKey;

/// How many leaves the fixed tree has: the example size of the tile specification.
const LEAVES: usize = 70_000;

/// The tree over the numbers from 0 on, as rows of complete subtrees: leaves first.
static ROWS: LazyLock<Vec<Vec<Hash>>> = LazyLock::new(|| {
    let leaves = (0..LEAVES as u64).map(|i| leaf_hash(&entry(i))).collect();
    let mut rows: Vec<Vec<Hash>> = vec![leaves];
    while let Some(row) = rows.last().filter(|row| row.len() > 1) {
        let (pairs, _) = row.as_chunks();
        let above = pairs.iter().map(|[left, right]| node_hash(left, right));
        let above = above.collect();
        rows.push(above);
    }
    rows
});

fn entry(index: u64) -> Vec<u8> {
    index.to_be_bytes().to_vec()
}

fn leaves() -> &'static [Hash] {
    &ROWS[0]
}

/// Reads [`ROWS`], and nothing that lies beyond `size`.
struct Rows {
    size: u64,
}

impl HashReader for Rows {
    type Error = Infallible;

    fn hash(&mut self, level: u8, index: u64) -> Result<Hash, Infallible> {
        assert!((index + 1) << level <= self.size, "beyond the tree");
        Ok(ROWS[usize::from(level)][usize::try_from(index).unwrap()])
    }
}

fn path_of(index: u64, size: u64) -> InclusionProof {
    inclusion_proof(&mut Rows { size }, index, size).unwrap()
}

fn consistency_of(old: u64, new: u64) -> ConsistencyProof {
    consistency_proof(&mut Rows { size: new }, old, new).unwrap()
}

fn root_at(size: u64) -> Hash {
    root(&mut Rows { size }, size).unwrap()
}

fn name(text: &str) -> KeyName {
    text.parse().unwrap()
}

fn secret(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32])
}

const ORIGIN: &str = "archive.example/ledger";

fn ledger_key() -> NoteKey {
    NoteKey::new(name(ORIGIN), NoteKeyType::Log, secret(1).public())
}

fn checkpoint_at(size: u64) -> Checkpoint {
    Checkpoint::new(name(ORIGIN), size, root_at(size)).unwrap()
}

/// The checkpoint at `size`, signed by [`ledger_key`].
fn signed_at(size: u64) -> SignedNote {
    checkpoint_at(size).sign(&secret(1))
}

fn witness_name(seed: u8) -> KeyName {
    name(&format!("witness.example/{seed}"))
}

fn witness_key(seed: u8) -> WitnessKey {
    WitnessKey::new(witness_name(seed), secret(seed).public())
}

fn at(seconds: u64) -> CosignatureTime {
    CosignatureTime::from_unix_seconds(seconds).unwrap()
}

fn cosigned(size: u64, seed: u8, seconds: u64) -> NoteSignature {
    let checkpoint = checkpoint_at(size);
    cosign(&checkpoint, witness_name(seed), &secret(seed), at(seconds))
}

/// `text` with one small change, as a careless or hostile hand would make it.
fn changed(text: &str, change: (u8, usize, u8)) -> Vec<u8> {
    let (kind, place, byte) = change;
    let mut bytes = text.as_bytes().to_vec();
    let place = place % bytes.len();
    match kind % 5 {
        0 => bytes[place] = byte,
        1 => bytes[place] ^= 1 << (byte % 8),
        2 => bytes.insert(place, byte),
        3 => drop(bytes.remove(place)),
        _ => {
            let lines: Vec<&str> = text.split_inclusive('\n').collect();
            let twice = lines[place % lines.len()];
            let from = usize::from(byte) % lines.len();
            let lines = [&lines[..from], &[twice], &lines[from..]].concat();
            bytes = lines.concat().into_bytes();
        }
    }
    bytes
}
