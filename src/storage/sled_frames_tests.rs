use std::fs;
use std::os::unix::fs::FileExt;

use super::super::frames::PoisonCause;
use super::super::{FaultKind, MemoryDisk, MemoryFrames, RecordingSyncer};
use super::*;

const ONE: NonZeroU32 = NonZeroU32::MIN;

struct Fixture {
    _root: tempfile::TempDir,
    dir: PathBuf,
    syncer: Arc<RecordingSyncer>,
}

impl Fixture {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("ledger");
        fs::create_dir(&dir).unwrap();
        let syncer = Arc::new(RecordingSyncer::below(root.path()));
        Self {
            _root: root,
            dir,
            syncer,
        }
    }

    fn created() -> Self {
        let fixture = Self::new();
        SledFrames::create(&fixture.dir, &*fixture.syncer).unwrap();
        fixture.syncer.take();
        fixture
    }

    fn options(&self) -> FramesOptions {
        FramesOptions {
            syncer: self.syncer.clone(),
            ..FramesOptions::default()
        }
    }

    fn open(&self) -> SledFrames {
        SledFrames::open(&self.dir, &self.options()).unwrap()
    }

    /// A copy of the ledger as it is on disk now, as a crash of the process would leave it.
    fn crashed(&self) -> Fixture {
        let crashed = Self::new();
        copy_tree(&self.dir, &crashed.dir);
        crashed
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_tree(&path, &to);
        } else {
            fs::copy(&path, &to).unwrap();
        }
    }
}

/// Every file below `dir` with its bytes.
fn bytes_below(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(bytes_below(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            files.push((path, bytes));
        }
    }
    files.sort();
    files
}

/// The n-th frame of these tests: of n % 3 + 1 entries.
fn frame(n: u32) -> (NonZeroU32, Vec<u8>) {
    let count = ONE.saturating_add(n % 3);
    (count, format!("frame {n} ").repeat(20).into_bytes())
}

fn fill(frames: &dyn FrameStore, numbers: std::ops::Range<u32>) {
    for n in numbers {
        let (count, bytes) = frame(n);
        let outcome = frames.append(frames.next_index(), count, &bytes);
        assert_eq!(outcome, AppendOutcome::Durable);
    }
}

fn all(frames: &dyn FrameStore) -> Vec<StoredFrame> {
    let mut all: Vec<StoredFrame> = Vec::new();
    loop {
        let next = all.last().map_or(0, StoredFrame::next_index);
        let page = frames.read_from(next, 7).unwrap();
        if page.is_empty() {
            return all;
        }
        all.extend(page);
    }
}

#[test]
fn creation_syncs_every_file_and_directory_and_then_renames() {
    let fixture = Fixture::new();
    assert!(!SledFrames::exists(&fixture.dir));
    SledFrames::create(&fixture.dir, &*fixture.syncer).unwrap();
    assert_eq!(
        fixture.syncer.take(),
        [
            "sync_file ledger/EPOCH.new",
            "rename ledger/EPOCH.new ledger/EPOCH",
            "sync_dir ledger",
            "flush",
            "sync_dir ledger/frames.creating/blobs",
            "sync_file ledger/frames.creating/conf",
            "sync_file ledger/frames.creating/db",
            "sync_dir ledger/frames.creating",
            "rename ledger/frames.creating ledger/frames",
            "sync_dir ledger",
        ]
    );
    assert!(SledFrames::exists(&fixture.dir));
}

#[test]
fn a_creation_that_fails_at_any_sync_can_be_done_again() {
    for call in [
        "sync_file ledger/EPOCH",
        "flush",
        "sync_dir ledger/frames.creating/blobs",
        "sync_file ledger/frames.creating/conf",
        "sync_file ledger/frames.creating/db",
        "sync_dir ledger/frames.creating",
        "rename ledger/frames.creating",
    ] {
        let fixture = Fixture::new();
        fixture.syncer.fail(call, io::ErrorKind::StorageFull);
        let error = SledFrames::create(&fixture.dir, &*fixture.syncer).unwrap_err();
        assert_eq!(error.kind(), FaultKind::DiskFull, "{call}");
        assert!(!SledFrames::exists(&fixture.dir));
        fixture.syncer.heal();
        SledFrames::create(&fixture.dir, &*fixture.syncer).unwrap();
        fill(&fixture.open(), 0..3);
    }
}

#[test]
fn a_ledger_is_not_created_over() {
    let fixture = Fixture::created();
    let error = SledFrames::create(&fixture.dir, &*fixture.syncer).unwrap_err();
    assert!(matches!(error, OpenError::AlreadyExists { .. }));
}

#[test]
fn opening_syncs_what_it_finds_and_what_it_did_before_it_returns() {
    let fixture = Fixture::created();
    let frames = fixture.open();
    assert_eq!(
        fixture.syncer.take(),
        [
            "sync_data ledger/frames/db",
            "flush",
            "sync_data ledger/frames/db",
            "sync_dir ledger/frames",
            "sync_file ledger/EPOCH.new",
            "rename ledger/EPOCH.new ledger/EPOCH",
            "sync_dir ledger",
        ]
    );
    drop(frames);
    assert_eq!(fixture.syncer.take(), Vec::<String>::new());
}

#[test]
fn opening_fails_when_one_of_its_syncs_fails() {
    for call in ["sync_data", "sync_dir", "sync_file", "rename"] {
        let fixture = Fixture::created();
        fixture.syncer.fail(call, io::ErrorKind::Other);
        SledFrames::open(&fixture.dir, &fixture.options()).unwrap_err();
    }
}

#[test]
fn an_append_is_answered_only_after_a_flush_and_then_an_fdatasync() {
    let fixture = Fixture::created();
    let frames = fixture.open();
    for n in 0..20 {
        fixture.syncer.take();
        fill(&frames, n..n + 1);
        assert_eq!(
            fixture.syncer.take(),
            ["flush", "sync_data ledger/frames/db"]
        );
    }
}

#[test]
fn an_append_whose_flush_or_sync_fails_is_not_durable_and_poisons_for_ever() {
    for (call, cause) in [
        ("flush", PoisonCause::Write),
        ("sync_data", PoisonCause::Sync),
    ] {
        let fixture = Fixture::created();
        let frames = fixture.open();
        fill(&frames, 0..3);
        let next = frames.next_index();
        fixture.syncer.take();
        fixture.syncer.fail(call, io::ErrorKind::Other);
        let outcome = frames.append(next, ONE, b"unlucky");
        assert!(matches!(&outcome, AppendOutcome::Unknown(p) if p.cause == cause));
        let calls = fixture.syncer.take();
        let tries = calls.iter().filter(|made| made.starts_with(call)).count();
        assert_eq!(tries, 1, "tried again: {calls:?}");

        fixture.syncer.heal();
        assert_eq!(frames.append(next, ONE, b"unlucky"), outcome);
        assert_eq!(frames.append(next, ONE, b"another"), outcome);
        assert!(matches!(frames.sync_from(0), Err(StoreError::Poisoned(_))));
        let calls = fixture.syncer.take();
        assert!(calls.is_empty(), "synced again after a failure: {calls:?}");
        assert_eq!(frames.next_index(), next);
        // What was acknowledged is still read, and nothing else.
        assert_eq!(all(&frames).len(), 3);
        assert_eq!(frames.tail().unwrap().unwrap().next_index(), next);
    }
}

#[test]
fn a_full_disk_is_told_apart() {
    for call in ["flush", "sync_data"] {
        let fixture = Fixture::created();
        let frames = fixture.open();
        fixture.syncer.fail(call, io::ErrorKind::StorageFull);
        assert!(matches!(
            frames.append(0, ONE, b"x"),
            AppendOutcome::Unknown(p) if p.cause == PoisonCause::DiskFull
        ));
        let error = frames.sync_from(0).unwrap_err();
        assert_eq!(error.kind(), FaultKind::DiskFull);
    }
}

#[test]
fn a_poisoned_store_that_is_dropped_keeps_its_database_open() {
    let fixture = Fixture::created();
    let frames = fixture.open();
    fixture.syncer.fail("sync_data", io::ErrorKind::Other);
    assert!(matches!(
        frames.append(0, ONE, b"x"),
        AppendOutcome::Unknown(_)
    ));
    drop(frames);
    fixture.syncer.heal();
    let error = SledFrames::open(&fixture.dir, &fixture.options()).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }));
    // What the next process would find.
    let frames = fixture.crashed().open();
    assert_eq!(all(&frames).len(), 1);
}

#[test]
fn frames_must_follow_each_other() {
    let fixture = Fixture::created();
    let frames = fixture.open();
    let conflict = |expected| AppendOutcome::Conflict { expected };
    assert_eq!(frames.append(1, ONE, b"x"), conflict(0));
    let four = ONE.saturating_add(3);
    assert_eq!(frames.append(0, four, b"x"), AppendOutcome::Durable);
    for index in [0, 3, 5, u64::MAX] {
        assert_eq!(frames.append(index, ONE, b"x"), conflict(4));
    }
    assert_eq!(all(&frames).len(), 1);
    assert_eq!(frames.append(4, ONE, b"x"), AppendOutcome::Durable);
}

#[test]
fn sled_and_its_twin_read_alike_from_every_index() {
    let fixture = Fixture::created();
    let sled = fixture.open();
    let twin = MemoryFrames::open(&MemoryDisk::new());
    assert_eq!(sled.tail().unwrap(), None);
    assert_eq!(sled.read_from(0, 10).unwrap(), []);
    for frames in [&sled as &dyn FrameStore, &twin] {
        fill(frames, 0..40);
    }
    assert_eq!(sled.tail().unwrap(), twin.tail().unwrap());
    let end = sled.next_index();
    assert_eq!(end, twin.next_index());
    let stored = all(&twin);
    for index in 0..end + 2 {
        for frames_max in [0, 1, 5, usize::MAX] {
            let read = sled.read_from(index, frames_max).unwrap();
            assert_eq!(read, twin.read_from(index, frames_max).unwrap());
            let from = stored.iter().filter(|frame| frame.next_index() > index);
            let expected: Vec<_> = from.take(frames_max).cloned().collect();
            assert_eq!(read, expected);
        }
    }
}

#[test]
fn a_read_returns_a_bounded_number_of_frames() {
    let fixture = Fixture::created();
    let frames = fixture.open();
    let past = u32::try_from(FRAMES_READ_MAX).unwrap() + 3;
    fill(&frames, 0..past);
    let read = frames.read_from(0, usize::MAX).unwrap();
    assert_eq!(read.len(), FRAMES_READ_MAX);
}

#[test]
fn a_missing_frame_is_a_gap_and_a_strange_value_is_no_frame() {
    let fixture = Fixture::created();
    let frames = fixture.open();
    fill(&frames, 0..9);
    let middle = frames.read_from(0, 9).unwrap()[4].clone();
    let (expected, found) = (middle.first_index, middle.next_index());
    let db = frames.db().unwrap();
    db.remove(expected.to_be_bytes()).unwrap();
    for from in [0, expected - 1, expected] {
        match frames.read_from(from, 9) {
            Err(StoreError::Gap {
                expected: e,
                found: f,
            }) => assert_eq!((e, f), (expected, found)),
            other => panic!("{other:?}"),
        }
    }
    for strange in [&b"123"[..], b"\0\0\0\0no entries"] {
        db.insert(expected.to_be_bytes(), strange).unwrap();
        assert!(matches!(
            frames.read_from(0, 9),
            Err(StoreError::NotAFrame { first_index }) if first_index == expected
        ));
    }
}

#[test]
fn the_last_frame_can_be_discarded_durably_and_no_other() {
    let fixture = Fixture::created();
    let frames = fixture.open();
    fill(&frames, 0..5);
    let tail = frames.tail().unwrap().unwrap().first_index;
    let refused = frames.discard_tail(0);
    assert!(matches!(refused, Err(StoreError::NotTheTail { .. })));
    fixture.syncer.take();
    frames.discard_tail(tail).unwrap();
    assert_eq!(
        fixture.syncer.take(),
        ["flush", "sync_data ledger/frames/db"]
    );
    assert_eq!(frames.next_index(), tail);
    fill(&frames, 4..5);
    assert_eq!(all(&frames).len(), 5);
}

#[test]
fn the_largest_frames_never_leave_the_log() {
    let fixture = Fixture::created();
    let frames = fixture.open();
    // No two alike, and a different key order of magnitude on the way.
    let frame = |n: u8| (0..FRAME_BYTES_MAX).map(move |at| n ^ (at % 251).to_le_bytes()[0]);
    for n in 0..120 {
        let bytes: Vec<u8> = frame(n).collect();
        let count = NonZeroU32::new(1 + u32::from(n) * 40_000).unwrap();
        let outcome = frames.append(frames.next_index(), count, &bytes);
        assert_eq!(outcome, AppendOutcome::Durable);
        assert_eq!(frames.blob_files().unwrap(), 0);
    }
    let too_large = vec![0; FRAME_BYTES_MAX + 1];
    assert_eq!(
        frames.append(frames.next_index(), ONE, &too_large),
        AppendOutcome::TooLarge {
            bytes: FRAME_BYTES_MAX + 1,
            bytes_max: FRAME_BYTES_MAX
        }
    );
    drop(frames);
    let frames = fixture.open();
    assert_eq!(frames.blob_files().unwrap(), 0);
    let stored = all(&frames);
    assert_eq!(stored.len(), 120);
    for (n, stored) in (0..).zip(stored) {
        assert!(stored.bytes.iter().copied().eq(frame(n)));
    }
}

#[test]
fn a_file_in_blobs_stops_the_ledger_from_opening() {
    let fixture = Fixture::created();
    fs::write(fixture.dir.join("frames/blobs/77"), b"x").unwrap();
    let error = SledFrames::open(&fixture.dir, &fixture.options()).unwrap_err();
    assert!(matches!(error, OpenError::Blobs { files: 1, .. }));
}

#[test]
fn everything_acknowledged_is_there_after_a_clean_stop_and_after_a_crash() {
    let fixture = Fixture::created();
    let mut frames = fixture.open();
    let mut kept = vec![];
    for round in 0..4 {
        fill(&frames, round * 25..(round + 1) * 25);
        let crashed = fixture.crashed();
        let after_crash = crashed.open();
        assert_eq!(all(&after_crash), all(&frames));
        assert_eq!(after_crash.next_index(), frames.next_index());
        fill(&after_crash, (round + 1) * 25..(round + 1) * 25 + 1);
        kept.push(after_crash);
        let before = all(&frames);
        drop(frames);
        frames = fixture.open();
        assert_eq!(all(&frames), before);
    }
    assert_eq!(all(&frames).len(), 100);
}

#[test]
fn every_open_claims_a_later_epoch_and_one_that_is_lost_is_claimed_above_what_is_shown() {
    let fixture = Fixture::created();
    for epoch in 1..4 {
        assert_eq!(fixture.open().epoch(), epoch);
    }
    let path = fixture.dir.join("EPOCH");
    for damage in [Some(&b""[..]), Some(b"many\n"), Some(b"\xff"), None] {
        match damage {
            Some(bytes) => fs::write(&path, bytes).unwrap(),
            None => fs::remove_file(&path).unwrap(),
        }
        let frames = fixture.open();
        assert_eq!(frames.epoch(), 1);
        frames.claim_above(3).unwrap();
        assert_eq!(frames.epoch(), 4);
        fixture.syncer.take();
        frames.claim_above(3).unwrap();
        assert_eq!(fixture.syncer.take(), [""; 0], "it lies above already");
        drop(frames);
        assert_eq!(fixture.open().epoch(), 5);
    }
    let frames = fixture.open();
    fixture.syncer.fail("sync_file", io::ErrorKind::StorageFull);
    frames.claim_above(100).unwrap_err();
    assert_eq!(frames.epoch(), 6, "it is claimed durably or not at all");
}

#[test]
fn a_ledger_in_use_is_refused() {
    let fixture = Fixture::created();
    let frames = fixture.open();
    for result in [
        SledFrames::open(&fixture.dir, &fixture.options()),
        SledFrames::open_copy(&fixture.dir, &fixture.options()),
    ] {
        assert!(matches!(result, Err(OpenError::Locked { .. })));
    }
    fill(&frames, 0..2);
}

#[test]
fn a_ledger_that_is_gone_is_not_made_anew() {
    let fixture = Fixture::new();
    let open = || SledFrames::open(&fixture.dir, &fixture.options());
    assert!(matches!(open(), Err(OpenError::Missing { .. })));
    SledFrames::create(&fixture.dir, &*fixture.syncer).unwrap();
    fs::remove_file(fixture.dir.join("frames/db")).unwrap();
    assert!(matches!(open(), Err(OpenError::Missing { .. })));
}

#[test]
fn a_snapshot_that_was_never_finished_does_not_stop_an_open() {
    let fixture = Fixture::created();
    fill(&fixture.open(), 0..5);
    let half = fixture.dir.join("frames/snap.FFFFFFFFFFFFFFF0.generating");
    fs::write(&half, b"half").unwrap();
    assert_eq!(all(&fixture.open()).len(), 5);
    assert!(!half.exists());
}

#[test]
fn a_copy_shows_the_frames_takes_none_and_leaves_the_original_as_it_is() {
    let fixture = Fixture::created();
    let frames = fixture.open();
    fill(&frames, 0..30);
    // As a crash leaves it: sled would blank the end of the log.
    let crashed = fixture.crashed();
    let before = bytes_below(&crashed.dir);
    let copy = SledFrames::open_copy(&crashed.dir, &crashed.options()).unwrap();
    assert_eq!(all(&copy), all(&frames));
    assert_eq!(copy.epoch(), frames.epoch());
    let next = copy.next_index();
    assert_eq!(copy.append(next, ONE, b"x"), AppendOutcome::Fenced);
    assert!(matches!(copy.sync_from(0), Err(StoreError::Fenced)));
    drop(copy);
    assert_eq!(bytes_below(&crashed.dir), before);
}

#[test]
fn no_flipped_byte_panics_an_open_or_shows_a_frame_that_was_never_written() {
    let fixture = Fixture::created();
    fill(&fixture.open(), 0..12);
    let frames = fixture.open();
    fill(&frames, 12..24);
    let written = all(&frames);
    let log = fixture.dir.join("frames/db");
    let bytes = fs::read(&log).unwrap();
    let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() as u64;
    for at in (0..24).map(|n| n * used / 24 + n % 7) {
        let damaged = fixture.crashed();
        let file = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(damaged.dir.join("frames/db"))
            .unwrap();
        let mut byte = [0];
        file.read_exact_at(&mut byte, at).unwrap();
        file.write_all_at(&[byte[0] ^ 0x10], at).unwrap();
        drop(file);
        let before = bytes_below(&damaged.dir);
        if let Ok(copy) = SledFrames::open_copy(&damaged.dir, &damaged.options()) {
            let shown = copy.read_from(0, usize::MAX).unwrap_or_default();
            assert!(shown.iter().all(|frame| written.contains(frame)), "at {at}");
        }
        assert_eq!(bytes_below(&damaged.dir), before, "at {at}");
        // The original may lose frames; it must not panic either.
        let _ = SledFrames::open(&damaged.dir, &damaged.options());
    }
}

#[test]
fn a_copy_that_does_not_open_in_time_is_told_as_damage_and_left_behind() {
    let (hold, wait) = std::sync::mpsc::channel::<()>();
    let dir = Path::new("ledger");
    let stuck = open_within(Duration::from_millis(1), dir, move || {
        let _ = wait.recv();
        Ok(())
    });
    let error = stuck.unwrap_err();
    assert_eq!(error.kind(), FaultKind::Damaged);
    assert!(error.to_string().contains("does not open within 0 seconds"));
    drop(hold);
    open_within(Duration::from_mins(1), dir, || Ok(())).unwrap();
    // A gigabyte is waited for by minutes, and the smallest log by one.
    assert_eq!(open_bound(0), Duration::from_mins(1));
    assert_eq!(open_bound(1 << 30), Duration::from_secs(60 + 256));
}
