//! Having sled let go of frames that were written or read in order.
//!
//! sled's page cache takes no notice of its capacity until a page is asked for: pages fall into
//! 256 shards by number, each notes 64 accesses before it looks at what it holds, and then keeps
//! the page that was accessed last, whatever its size. A leaf of frames is asked for some twenty
//! times while it is filled and perhaps never again, so that the last few thousand frames stay in
//! memory: 390 MB of frames of 60 KB, with any capacity. Asking for a page that often on purpose
//! leaves one leaf a shard at most: 145 MB of such frames, 62 MB of frames of 25 KB, for 7 µs a
//! frame.

use std::collections::VecDeque;

use super::frames::KEY_BYTES;

/// How many accesses a shard notes before it looks at what it holds.
const ACCESSES_NOTED: usize = 64;

/// How many frames a leaf keeps when it splits.
const FRAMES_A_LEAF: usize = 8;

/// A leaf splits once it holds more than 16 frames: one that is so many frames behind the newest
/// takes no more.
const FRAMES_BEHIND: usize = 24;

/// The keys of the newest frames that were passed. See the module.
#[derive(Default)]
pub(super) struct Passed(VecDeque<[u8; KEY_BYTES]>);

impl Passed {
    /// Notes that the frame at `key`, which comes after those before, was written or read, and
    /// lets go of a leaf that is done with.
    pub fn pass(&mut self, db: &sled::Db, key: [u8; KEY_BYTES]) -> sled::Result<()> {
        self.0.push_back(key);
        if self.0.len() < FRAMES_BEHIND {
            return Ok(());
        }
        match self.0.drain(..FRAMES_A_LEAF).next() {
            Some(oldest) => let_go(db, &oldest),
            None => Ok(()),
        }
    }
}

/// Has sled let go of the leaf that holds `key`.
///
/// How many accesses the leaf's shard has noted is not known, but shows: once it looks, another
/// leaf is dropped, or this one, which is then read from the file, so that the same value stands
/// at another address. From there on it takes as many accesses as a shard notes, and not one
/// more, as that would read it again. Where somebody else asks for pages of the shard meanwhile,
/// the leaf may stay, or another one go: both are read from the file when they are wanted.
fn let_go(db: &sled::Db, key: &[u8]) -> sled::Result<()> {
    let Some(mut held) = db.get(key)? else {
        return Ok(());
    };
    for _ in 0..ACCESSES_NOTED {
        let Some(again) = db.get(key)? else {
            return Ok(());
        };
        let is_moved = again.as_ptr() != held.as_ptr();
        held = again;
        if is_moved {
            break;
        }
    }
    for _ in 1..ACCESSES_NOTED {
        db.get(key)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::sled_dir::open_sled;
    use super::*;

    /// Ten leaves in each shard.
    const FRAMES: usize = 20_000;
    /// Of so many frames one is looked at: looking has sled let go too.
    const SAMPLED: usize = 64;

    /// How many of the frames in the sample are still in memory once all have been written.
    fn held(mut each: impl FnMut(&sled::Db, [u8; KEY_BYTES])) -> usize {
        let dir = tempfile::tempdir().unwrap();
        let db = open_sled(dir.path(), 8 << 20, 1 << 20).unwrap();
        let mut sample = Vec::new();
        for number in 0..FRAMES {
            let key = (number as u64).to_be_bytes();
            db.insert(key, vec![7; 600]).unwrap();
            if number % SAMPLED == 0 {
                sample.push((key, db.get(key).unwrap().unwrap()));
            }
            each(&db, key);
        }
        let is_held = |(key, value): &&([u8; KEY_BYTES], sled::IVec)| {
            db.get(key).unwrap().unwrap().as_ptr() == value.as_ptr()
        };
        sample.iter().filter(is_held).count()
    }

    #[test]
    fn one_leaf_a_shard_is_held_at_most() {
        let mut passed = Passed::default();
        let passing = held(|db, key| passed.pass(db, key).unwrap());
        let leaves_max = 256 * (FRAMES_A_LEAF + 1) + FRAMES_BEHIND;
        assert!(
            passing <= leaves_max.div_ceil(SAMPLED),
            "{passing} are held"
        );
        let not_passing = held(|_, _| ());
        assert!(not_passing > passing, "{not_passing} are held anyhow");
    }
}
