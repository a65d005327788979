//! `onrecord check`: what is damaged or doctored in a stopped data directory is named, and nothing
//! damaged is called whole.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use std::fs;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use onrecord::app;
use onrecord::audit::{PartState, Report};
use onrecord::ledger::frame::{Frame, FrameBody, FrameHash, FrameHeader};
use onrecord::merkle::{Frontier, leaf_hash};
use onrecord::record::proto;
use onrecord::storage::{
    DataDir, DiskSyncer, FrameLoader, FrameStore as _, FramesOptions, Head, SledFrames, StoredFrame,
};
use program::{Daemon, onrecord, run};
use prost::Message as _;
use tempfile::TempDir;

/// How many bytes are flipped, unless `ONRECORD_FLIPS` says otherwise.
const FLIPS: usize = 60;

const SEED: [u8; 32] = [7; 32];

/// A stopped archive with the example in it.
fn stopped() -> (TempDir, PathBuf) {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let home = daemon.terminate_in_place();
    let data = home.path().join("onrecord-data");
    (home, data)
}

fn check(data: &Path) -> Report {
    let scratch = tempfile::tempdir().unwrap();
    app::check(data, scratch.path(), SEED).unwrap()
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(&path, target).unwrap();
    }
}

fn snapshot(dir: &Path) -> Vec<(PathBuf, blake3::Hash)> {
    let hash = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        (path, blake3::hash(&bytes))
    };
    files(dir).into_iter().map(hash).collect()
}

#[test]
fn a_whole_data_directory_is_called_whole_and_not_a_byte_of_it_is_changed() {
    let (home, data) = stopped();
    let before = snapshot(&data);
    let ended = run(onrecord().current_dir(home.path()).args(["check"]))
        .code(0)
        .says("all of it is what was written");
    let parts = [
        "FORMAT",
        "HEAD",
        "ledger",
        "entries",
        "sources",
        "texts",
        "admission",
        "catalog",
        "positions",
        "postings",
        "statements",
        "tiles",
    ];
    for part in parts {
        let line = ended.out.lines().find(|line| line.contains(part));
        let line = line.unwrap_or_else(|| panic!("no {part} in\n{}", ended.out));
        assert!(line.contains(": whole"), "{line}");
    }
    assert_eq!(snapshot(&data), before);
    // A backup of it is whole, too, without tables and texts.
    let report = check(&data);
    assert!(report.is_whole);
    let restored = home.path().join("again");
    run(onrecord()
        .arg("restore")
        .arg(&data)
        .arg("--data")
        .arg(&restored))
    .code(0);
    let report = run(onrecord()
        .args(["check", "--json", "--data"])
        .arg(&restored))
    .code(0);
    assert_eq!(report.json()["isWhole"], true);
    let states = report.json()["parts"].as_array().unwrap().clone();
    assert!(states.iter().any(|part| part["state"] == "ABSENT"));
}

#[test]
fn a_directory_in_use_and_one_that_is_none_are_not_checked() {
    let daemon = Daemon::start();
    daemon.ask(&["check"]).code(1).complains("in use");
    daemon
        .ask(&["check", "--data", "nowhere"])
        .code(1)
        .complains("holds no archive");
}

#[test]
fn a_byte_that_is_flipped_is_reported_or_does_not_matter() {
    let flips = std::env::var("ONRECORD_FLIPS");
    let flips = flips.map_or(FLIPS, |flips| flips.parse().unwrap());
    let (home, data) = stopped();
    let whole = Arc::new(check(&data));
    assert!(whole.is_whole, "{whole:#?}");
    let threads = 2;
    let workers = (0..threads).map(|thread| {
        let data_copy = home.path().join(format!("copy-{thread}"));
        copy(&data, &data_copy);
        assert_eq!(check(&data_copy).parts, whole.parts);
        let whole = Arc::clone(&whole);
        thread::spawn(move || flip_some(&data_copy, &whole, thread as u64, flips / threads))
    });
    let workers: Vec<_> = workers.collect();
    let reported: usize = workers.into_iter().map(|it| it.join().unwrap()).sum();
    // Most bytes of an almost empty log are free space; half of the flips hit a file each.
    assert!(reported * 4 > flips, "{reported} of {flips} were reported");
}

/// Flips so many bytes, each alone; how many were reported.
fn flip_some(data: &Path, whole: &Report, seed: u64, flips: usize) -> usize {
    let mut random = Random(0x0dd0_5eed ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    // The lock and the count of openings are nothing that is on record.
    let counts = |path: &PathBuf| {
        let path = path.strip_prefix(data).unwrap();
        fs::metadata(data.join(path)).unwrap().len() > 0
            && !["LOCK", "ledger/EPOCH"]
                .iter()
                .any(|it| path.starts_with(it))
    };
    let all: Vec<PathBuf> = files(data).into_iter().filter(counts).collect();
    let total: u64 = all.iter().map(|it| fs::metadata(it).unwrap().len()).sum();
    let mut reported = 0;
    for flip in 0..flips {
        // One byte of all, then one byte of a file among all.
        let (path, at) = if flip % 2 == 0 {
            at_byte(&all, random.below(total))
        } else {
            let file = usize::try_from(random.below(all.len() as u64)).unwrap();
            let path = &all[file];
            (path, random.below(fs::metadata(path).unwrap().len()))
        };
        let bit = 1 << random.below(8);
        let mut bytes = fs::read(path).unwrap();
        let place = usize::try_from(at).unwrap();
        bytes[place] ^= bit;
        fs::write(path, &bytes).unwrap();
        let before = snapshot(data);
        let report = check(data);
        assert_eq!(snapshot(data), before, "{} was changed", path.display());
        if report.is_whole {
            // Every entry, document and row was looked at, as many as without the flip.
            assert_eq!(report.parts, whole.parts, "{} at {at}", path.display());
        } else {
            reported += 1;
        }
        let relative = path.strip_prefix(data).unwrap();
        let matters = ["sources", "texts", "HEAD"];
        if matters.iter().any(|it| relative.starts_with(it)) {
            assert!(!report.is_whole, "{} at {at}", path.display());
        }
        bytes[place] ^= bit;
        fs::write(path, &bytes).unwrap();
    }
    reported
}

/// The file and offset of a byte among those of all files.
fn at_byte(files: &[PathBuf], mut at: u64) -> (&PathBuf, u64) {
    for path in files {
        let length = fs::metadata(path).unwrap().len();
        if at < length {
            return (path, at);
        }
        at -= length;
    }
    unreachable!("the offset lies within the files")
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

#[test]
fn files_that_are_gone_are_named() {
    let (_home, data) = stopped();
    let source = files(&data.join("sources")).pop().unwrap();
    let bytes = fs::read(&source).unwrap();
    fs::remove_file(&source).unwrap();
    let report = check(&data);
    let sources = part(&report, "sources");
    assert_eq!(sources.state, PartState::Damaged);
    let id = blake3::hash(&bytes).to_hex();
    assert!(sources.findings[0].contains(id.as_str()));
    // The records that rest on it could not be judged.
    let entries = part(&report, "entries");
    assert!(entries.findings[0].contains("could not be judged"));
    fs::write(&source, bytes).unwrap();

    fs::remove_file(data.join("HEAD")).unwrap();
    assert_eq!(part(&check(&data), "HEAD").state, PartState::Damaged);
}

/// What somebody with the disk in his hands does to a ledger, and makes all hashes right again.
type Doctoring = fn(&mut Vec<proto::Entry>);

#[test]
fn a_doctored_ledger_whose_hashes_are_all_right_is_caught_by_its_signatures_and_verdicts() {
    let cases: [(&str, Doctoring, &str); 5] = [
        (
            "altered",
            |entries| {
                let envelope = entries[20].envelope.as_mut().unwrap();
                let mut record = proto::Record::decode(envelope.payload.clone()).unwrap();
                record.signed_at.as_mut().unwrap().seconds += 1;
                envelope.payload = Bytes::from(record.encode_to_vec());
            },
            "entry 20: admission does not let it in: BAD_SIGNATURE",
        ),
        (
            "removed",
            |entries| drop(entries.remove(1)),
            "entry 1: admission does not let it in",
        ),
        (
            "reordered",
            |entries| {
                let last = entries.len() - 1;
                entries.swap(1, last);
            },
            "entry 1: admission does not let it in",
        ),
        (
            "doubled",
            |entries| entries.push(entries[5].clone()),
            "its record is on record already, as entry 5",
        ),
        (
            "back-dated",
            |entries| {
                for entry in entries {
                    entry.recorded_at.as_mut().unwrap().seconds -= 20 * 365 * 86_400;
                }
            },
            "IN_THE_FUTURE",
        ),
    ];
    let (home, data) = stopped();
    for (name, doctoring, says) in cases {
        let doctored = home.path().join(name);
        copy(&data, &doctored);
        doctor(&doctored, doctoring);
        let report = check(&doctored);
        assert_eq!(part(&report, "ledger").state, PartState::Whole, "{name}");
        let findings = &part(&report, "entries").findings;
        let found = findings.iter().any(|finding| finding.contains(says));
        assert!(found, "{name}: no {says:?} in {findings:#?}");
        assert!(!report.is_whole);
    }
}

fn part<'r>(report: &'r Report, name: &str) -> &'r onrecord::audit::Part {
    let found = report.parts.iter().find(|part| part.name == name);
    found.unwrap_or_else(|| panic!("no {name} in {report:#?}"))
}

/// Writes the ledger anew, one entry a frame, with every hash, link and root right.
fn doctor(data: &Path, doctoring: Doctoring) {
    let dir = DataDir::open(data).unwrap();
    let frames = SledFrames::open(&dir.ledger(), &FramesOptions::default()).unwrap();
    let mut entries = Vec::new();
    while (entries.len() as u64) < frames.next_index() {
        for stored in frames.read_from(entries.len() as u64, 64).unwrap() {
            let leaves = Frame::decode(&stored.bytes).unwrap().leaves;
            entries.extend(
                leaves
                    .into_iter()
                    .map(|it| proto::Entry::decode(it).unwrap()),
            );
        }
    }
    drop(frames);
    // A frame an entry: each is later than the one before.
    for (place, entry) in entries.iter_mut().enumerate() {
        let time = entry.recorded_at.as_mut().unwrap();
        time.nanos = i32::try_from(place).unwrap() * 1_000;
    }
    let last = entries.last().unwrap().recorded_at.unwrap().seconds;
    for entry in &mut entries {
        entry.recorded_at.as_mut().unwrap().seconds = last;
    }
    doctoring(&mut entries);
    for (place, entry) in entries.iter_mut().enumerate() {
        entry.recorded_at.as_mut().unwrap().nanos = i32::try_from(place).unwrap() * 1_000;
    }
    fs::remove_dir_all(dir.ledger()).unwrap();
    fs::create_dir(dir.ledger()).unwrap();
    let mut loader = FrameLoader::begin(&dir.ledger(), Arc::new(DiskSyncer)).unwrap();
    let mut frontier = Frontier::new();
    let mut previous = FrameHash::NONE;
    let count = NonZeroU32::new(1).unwrap();
    for (first_index, entry) in (0..).zip(&entries) {
        let leaf = entry.encode_to_vec();
        let mut body = FrameBody::default();
        assert!(body.push(&leaf));
        frontier.push(leaf_hash(&leaf));
        let time = entry.recorded_at.unwrap();
        let bytes = body.seal(&FrameHeader {
            epoch: 1,
            first_index,
            count,
            recorded_at: onrecord::record::Micros::from_timestamp(&time).unwrap(),
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
