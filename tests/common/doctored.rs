//! Ledgers as somebody doctors them who has the disk, the signer's keys and this program's own
//! code: every hash, link, root and note is made right again.
#![allow(dead_code, reason = "each test file uses its part")]

use std::fs;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use onrecord::ledger::frame::{Frame, FrameBody, FrameHash, FrameHeader};
use onrecord::merkle::{Frontier, empty_root, leaf_hash};
use onrecord::record::{Micros, proto};
use onrecord::storage::{
    DataDir, DiskSyncer, FrameLoader, FrameStore as _, FramesOptions, Head, Signed, SignerDir,
    SledFrames, StoredFrame,
};
use prost::Message as _;

use super::program::files;

/// What is done to the entries of a ledger.
pub type Doctoring = fn(&mut Vec<proto::Entry>);

/// Copies a directory and all in it, but for directories that are empty.
pub fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&path, target).unwrap();
    }
}

/// Writes the ledger in `data` anew, one entry a frame. Tables, which are computed again, go.
pub fn doctor(data: &Path, doctoring: Doctoring) {
    let dir = DataDir::open(data).unwrap();
    let mut entries = entries(&dir);
    // A frame an entry: each is later than the one before.
    let last = entries.last().unwrap().recorded_at.unwrap().seconds;
    for entry in &mut entries {
        entry.recorded_at.as_mut().unwrap().seconds = last;
    }
    doctoring(&mut entries);
    for (place, entry) in entries.iter_mut().enumerate() {
        entry.recorded_at.as_mut().unwrap().nanos = i32::try_from(place).unwrap() * 1_000;
    }
    for gone in [
        dir.parts().ledger(),
        dir.parts().admission(),
        dir.parts().projections(),
    ] {
        fs::remove_dir_all(&gone).unwrap();
        fs::create_dir(&gone).unwrap();
    }
    write(&dir, &entries);
}

/// Has the signer at `signer_dir` forget what it signed.
pub fn forget(signer_dir: &Path) {
    let dir = SignerDir::open(signer_dir).unwrap();
    let signed = dir.read_signed().unwrap().unwrap();
    let nothing = Signed {
        size: 0,
        root: *empty_root().as_bytes(),
        ..signed
    };
    dir.write_signed(&nothing).unwrap();
}

fn entries(dir: &DataDir) -> Vec<proto::Entry> {
    let frames = SledFrames::open(&dir.parts().ledger(), &FramesOptions::default()).unwrap();
    let mut entries = Vec::new();
    while (entries.len() as u64) < frames.next_index() {
        for stored in frames.read_from(entries.len() as u64, 64).unwrap() {
            let leaves = Frame::decode(&stored.bytes).unwrap().leaves;
            let decoded = leaves.into_iter().map(proto::Entry::decode);
            entries.extend(decoded.map(Result::unwrap));
        }
    }
    entries
}

fn write(dir: &DataDir, entries: &[proto::Entry]) {
    let mut loader = FrameLoader::begin(&dir.parts().ledger(), Arc::new(DiskSyncer)).unwrap();
    let mut frontier = Frontier::new();
    let mut previous = FrameHash::NONE;
    let count = NonZeroU32::new(1).unwrap();
    for (first_index, entry) in (0..).zip(entries) {
        let leaf = entry.encode_to_vec();
        let mut body = FrameBody::default();
        assert!(body.push(&leaf));
        frontier.push(leaf_hash(&leaf));
        let time = entry.recorded_at.unwrap();
        let bytes = body.seal(&FrameHeader {
            epoch: 1,
            first_index,
            count,
            recorded_at: Micros::from_timestamp(&time).unwrap(),
            previous,
            root_after: frontier.root(),
        });
        previous = FrameHash::of(&bytes);
        let stored = StoredFrame {
            first_index,
            count,
            bytes: Bytes::from(bytes),
        };
        loader.push(&stored).unwrap();
    }
    loader.finish().unwrap();
    let head = Head {
        size: frontier.size(),
        root: *frontier.root().as_bytes(),
    };
    dir.write_head(&head).unwrap();
}
