//! A block: up to [`BLOCK_LENGTH`] indexes, ascending, each as its distance from the one
//! before, in seven bits a byte (LEB128).
//!
//! The first byte says whether the subject has sealed blocks. The distances are never 0.

/// The most indexes in a block. A row of the open block is hashed with every entry that adds
/// to it: 64 distances of one or two bytes cost less than the row's key and the entry itself,
/// and a sealed row every 64 entries costs next to nothing.
pub const BLOCK_LENGTH: usize = 64;

/// Whether sealed blocks of the subject come before this one.
const FIRST: u8 = 0;
const FURTHER: u8 = 1;

/// A block, encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Block {
    bytes: Vec<u8>,
    length: usize,
    first: u64,
    last: u64,
}

impl Block {
    /// A block that holds one index, for a subject without or with sealed blocks.
    pub(super) fn begin(index: u64, sealed_before: bool) -> Self {
        let mut bytes = vec![if sealed_before { FURTHER } else { FIRST }];
        push_number(&mut bytes, index);
        Self {
            bytes,
            length: 1,
            first: index,
            last: index,
        }
    }

    /// Reads a block; none if it is none.
    pub(super) fn decode(bytes: Vec<u8>) -> Option<Self> {
        let (mut length, mut first, mut last) = (0, 0, 0);
        for index in Indexes::of(&bytes)? {
            last = index?;
            first = if length == 0 { last } else { first };
            length += 1;
        }
        (1..=BLOCK_LENGTH).contains(&length).then_some(Self {
            bytes,
            length,
            first,
            last,
        })
    }

    /// Adds an index beyond its last; false if it is full, or the index is not beyond.
    pub(super) fn push(&mut self, index: u64) -> bool {
        if self.length >= BLOCK_LENGTH || index <= self.last {
            return false;
        }
        push_number(&mut self.bytes, index - self.last);
        self.length += 1;
        self.last = index;
        true
    }

    /// Its smallest index.
    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    /// Its largest index.
    pub(super) const fn last(&self) -> u64 {
        self.last
    }

    /// Whether sealed blocks of the subject come before it.
    pub(super) fn has_sealed_before(&self) -> bool {
        self.bytes.first() == Some(&FURTHER)
    }

    /// All its indexes, ascending.
    pub(super) fn indexes(&self) -> Vec<u64> {
        let indexes = Indexes::of(&self.bytes).into_iter().flatten();
        indexes.flatten().collect()
    }

    /// The row's value.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// The indexes of a block as they are decoded; none where they do not decode.
struct Indexes<'a> {
    rest: &'a [u8],
    last: Option<u64>,
}

impl<'a> Indexes<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let (flag, rest) = bytes.split_first()?;
        (*flag <= FURTHER).then_some(Self { rest, last: None })
    }

    fn next_index(&mut self) -> Option<u64> {
        let number = take_number(&mut self.rest)?;
        let index = match self.last {
            None => number,
            Some(last) => last.checked_add(number).filter(|index| *index > last)?,
        };
        self.last = Some(index);
        Some(index)
    }
}

impl Iterator for Indexes<'_> {
    type Item = Option<u64>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let index = self.next_index();
        if index.is_none() {
            self.rest = &[];
        }
        Some(index)
    }
}

fn push_number(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        if number < 0x80 {
            bytes.push(low);
            return;
        }
        bytes.push(low | 0x80);
        number >>= 7;
    }
}

/// Takes a number off the front; none if there is none, or it has more than 64 bits.
fn take_number(bytes: &mut &[u8]) -> Option<u64> {
    let (mut number, mut shift) = (0_u64, 0);
    loop {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        if shift > 63 || bits << shift >> shift != bits {
            return None;
        }
        number |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
        shift += 7;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn index() -> impl Strategy<Value = u64> {
        (0..64_u32, any::<u64>()).prop_map(|(shift, number)| number >> shift)
    }

    proptest! {
        #[test]
        fn a_block_is_read_back_as_it_was_built(
            indexes in prop::collection::btree_set(index(), 1..=BLOCK_LENGTH),
            sealed_before: bool,
        ) {
            let indexes: Vec<u64> = indexes.into_iter().collect();
            let mut block = Block::begin(indexes[0], sealed_before);
            for index in &indexes[1..] {
                prop_assert!(block.push(*index));
            }
            let read = Block::decode(block.clone().into_bytes()).unwrap();
            prop_assert_eq!(&read, &block);
            prop_assert_eq!(read.first(), indexes[0]);
            prop_assert_eq!(Some(&read.last()), indexes.last());
            prop_assert_eq!(read.has_sealed_before(), sealed_before);
            prop_assert_eq!(read.indexes(), indexes);
        }

        #[test]
        fn no_bytes_make_reading_a_block_panic_and_what_is_read_ascends(
            bytes in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            if let Some(block) = Block::decode(bytes) {
                let indexes = block.indexes();
                let ascending: BTreeSet<u64> = indexes.iter().copied().collect();
                prop_assert!(ascending.into_iter().eq(indexes));
            }
        }
    }

    #[test]
    fn a_full_block_and_an_index_that_is_not_beyond_the_last_are_refused() {
        let mut block = Block::begin(5, false);
        assert!(!block.push(5));
        assert!(!block.push(4));
        for index in 6..69 {
            assert!(block.push(index));
        }
        assert!(!block.push(69));
        assert_eq!(block.indexes().len(), BLOCK_LENGTH);
    }
}
