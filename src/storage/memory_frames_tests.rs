use super::super::{Fault, PowerCut, Step, Tear};
use super::*;

const ONE: NonZeroU32 = NonZeroU32::MIN;

fn append(frames: &MemoryFrames, bytes: &[u8]) -> AppendOutcome {
    frames.append(frames.next_index(), ONE, bytes)
}

fn contents(frames: &MemoryFrames) -> Vec<Vec<u8>> {
    let frames = frames.read_from(0, usize::MAX).unwrap();
    frames.iter().map(|frame| frame.bytes.to_vec()).collect()
}

/// A disk whose second frame was written, and not synced, when `cut` happened.
fn cut_after_second_write(cut: PowerCut) -> MemoryDisk {
    let disk = MemoryDisk::new();
    disk.inject(Step::Write(2), Fault::Cut(cut));
    let frames = MemoryFrames::open(&disk);
    assert_eq!(append(&frames, b"first"), AppendOutcome::Durable);
    let AppendOutcome::Unknown(poison) = append(&frames, b"second") else {
        panic!("a cut append was answered");
    };
    assert_eq!(poison.cause, PoisonCause::PowerCut);
    assert_eq!(frames.poison(), Some(poison));
    disk
}

#[test]
fn a_power_cut_loses_keeps_or_tears_what_was_not_synced_and_nothing_else() {
    let torn = |tear, at| PowerCut::Torn { tear, at };
    let cases: [(PowerCut, &[&[u8]]); 6] = [
        (PowerCut::Lost, &[b"first"]),
        (PowerCut::Kept, &[b"first", b"second"]),
        (torn(Tear::Prefix, 2), &[b"first", b"se"]),
        (torn(Tear::Zeroed, 4), &[b"first", b"seco\0\0"]),
        (torn(Tear::Flipped, 5), &[b"first", b"secon\x9b"]),
        (torn(Tear::Prefix, 6), &[b"first", b""]),
    ];
    for (cut, left) in cases {
        let disk = cut_after_second_write(cut);
        assert_eq!(contents(&MemoryFrames::open(&disk)), left, "{cut:?}");
    }
}

#[test]
fn a_frame_whose_sync_finished_before_the_cut_is_kept_though_nobody_was_told() {
    let disk = MemoryDisk::new();
    disk.inject(Step::Sync(1), Fault::Cut(PowerCut::Lost));
    let frames = MemoryFrames::open(&disk);
    assert!(matches!(append(&frames, b"a"), AppendOutcome::Unknown(_)));
    assert_eq!(contents(&MemoryFrames::open(&disk)), [b"a"]);
}

#[test]
fn a_handle_from_before_a_power_cut_neither_reads_nor_writes() {
    let disk = MemoryDisk::new();
    let frames = MemoryFrames::open(&disk);
    assert_eq!(frames.poison(), None);
    disk.cut_power(PowerCut::Kept);
    assert!(matches!(append(&frames, b"a"), AppendOutcome::Unknown(_)));
    assert!(matches!(frames.tail(), Err(StoreError::Poisoned(_))));
    assert_eq!(frames.poison().unwrap().cause, PoisonCause::PowerCut);
    assert_eq!((disk.power_cuts(), disk.writes()), (1, 0));
}

#[test]
fn opening_fences_the_handles_of_earlier_epochs() {
    let disk = MemoryDisk::new();
    let older = MemoryFrames::open(&disk);
    assert_eq!(append(&older, b"a"), AppendOutcome::Durable);
    let newer = MemoryFrames::open(&disk);
    assert!(newer.epoch() > older.epoch());
    assert_eq!(append(&older, b"b"), AppendOutcome::Fenced);
    assert!(matches!(older.sync_from(0), Err(StoreError::Fenced)));
    assert_eq!(append(&newer, b"b"), AppendOutcome::Durable);
    assert_eq!(contents(&older), [b"a"]);
    assert_eq!(contents(&newer), [b"a", b"b"]);
}

#[test]
fn a_failed_write_writes_nothing_and_poisons_for_ever() {
    let disk = MemoryDisk::new();
    disk.inject(Step::Write(1), Fault::Fail);
    let frames = MemoryFrames::open(&disk);
    let first = append(&frames, b"a");
    assert!(matches!(&first, AppendOutcome::Unknown(p) if p.cause == PoisonCause::Write));
    assert_eq!(append(&frames, b"a"), first);
    assert_eq!((disk.writes(), disk.syncs()), (1, 0));
    assert!(contents(&frames).is_empty());
}

#[test]
fn a_frame_whose_sync_failed_is_shown_and_then_lost_unless_it_is_written_again() {
    for rewritten in [false, true] {
        let disk = MemoryDisk::new();
        disk.inject(Step::Sync(2), Fault::Fail);
        let frames = MemoryFrames::open(&disk);
        assert_eq!(append(&frames, b"a"), AppendOutcome::Durable);
        let outcome = append(&frames, b"b");
        assert!(matches!(&outcome, AppendOutcome::Unknown(p) if p.cause == PoisonCause::Sync));
        assert_eq!(append(&frames, b"b"), outcome);
        assert_eq!(disk.syncs(), 2, "a failed sync was tried again");

        let frames = MemoryFrames::open(&disk);
        assert_eq!(contents(&frames), [b"a", b"b"]);
        // From past the frame, the sync has nothing to write again.
        frames.sync_from(if rewritten { 1 } else { 2 }).unwrap();
        disk.cut_power(PowerCut::Kept);
        let left = contents(&MemoryFrames::open(&disk));
        assert_eq!(left.len(), if rewritten { 2 } else { 1 });
    }
}

#[test]
fn a_recovery_whose_sync_fails_poisons_its_handle() {
    let disk = MemoryDisk::new();
    disk.inject(Step::Sync(1), Fault::Fail);
    let frames = MemoryFrames::open(&disk);
    assert!(matches!(frames.sync_from(0), Err(StoreError::Poisoned(_))));
    assert!(matches!(append(&frames, b"a"), AppendOutcome::Unknown(_)));
}

#[test]
fn only_the_last_frame_is_discarded_and_durably() {
    let disk = MemoryDisk::new();
    let frames = MemoryFrames::open(&disk);
    for bytes in [b"a", b"b"] {
        assert_eq!(append(&frames, bytes), AppendOutcome::Durable);
    }
    let refused = frames.discard_tail(0);
    assert!(matches!(refused, Err(StoreError::NotTheTail { .. })));
    frames.discard_tail(1).unwrap();
    disk.cut_power(PowerCut::Lost);
    let frames = MemoryFrames::open(&disk);
    assert_eq!(contents(&frames), [b"a"]);
    assert_eq!(frames.next_index(), 1);
}

#[test]
fn a_frame_that_rots_is_read_as_it_rotted() {
    let disk = MemoryDisk::new();
    let frames = MemoryFrames::open(&disk);
    assert_eq!(append(&frames, b"a"), AppendOutcome::Durable);
    assert!(disk.damage(0, Vec::clear));
    assert!(!disk.damage(1, Vec::clear));
    assert_eq!(contents(&frames), [b""]);
}
