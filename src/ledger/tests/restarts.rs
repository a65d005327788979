//! What a restart makes of `HEAD`, the database and the admission state.

use std::sync::Arc;

use super::fixture::{Machine, ORIGIN, actor, actors, founding, long_actor, verify};
use crate::ledger::frame::Frame;
use crate::ledger::{
    AdmissionRecovery, BrokenLink, OpenError, Outcome, ReadError, compare_with_head,
};
use crate::storage::{self, FrameStore as _, MemoryDisk, MemoryTables, StoredFrame};

/// An archive of `1 + count` entries, cleanly stopped.
fn archive(count: usize) -> Machine {
    let machine = Machine::new();
    let running = machine.founded();
    for number in 0..count {
        running.record(vec![actor(number)]);
    }
    running.stop();
    machine
}

#[test]
fn a_clean_restart_goes_on_where_the_ledger_ended() {
    let machine = archive(3);
    let ledger = machine.open().unwrap();
    let recovery = ledger.recovery().clone();
    assert_eq!(recovery.noted_size, Some(4));
    assert_eq!(recovery.discarded, None);
    assert_eq!(recovery.admission, AdmissionRecovery::CaughtUp { from: 4 });
    assert_eq!(recovery.to_string(), "the ledger holds 4 entries");
    let running = machine.run(ledger);
    verify(&running.reader);
    assert_eq!(running.record(vec![actor(9)]), [4]);
    assert!(matches!(
        running.append(vec![actor(0)]).unwrap()[..],
        [Outcome::AlreadyRecorded { index: 1, .. }]
    ));
    verify(&running.reader);
    running.stop();
}

#[test]
fn frames_are_written_under_a_later_epoch_than_those_on_record_whatever_was_counted() {
    let machine = archive(0);
    for number in 0..9 {
        let running = machine.start();
        running.record(vec![actor(number)]);
        running.stop();
        // The counter is lost, comes from a backup, or goes on.
        if let Some(counted) = [0, 0, 1, 2].get(number) {
            machine.disk.set_epoch(*counted);
        }
        let anew = Machine {
            admission: Arc::new(MemoryTables::new()),
            ..machine.clone()
        };
        let ledger = anew
            .open()
            .expect("a replay from entry 0 accepts every frame");
        assert_eq!(verify(&ledger.reader()).size, 2 + number as u64);
    }
    let epochs: Vec<u64> = machine
        .frames()
        .read_from(0, 99)
        .unwrap()
        .iter()
        .map(epoch)
        .collect();
    assert!(epochs.is_sorted_by(|a, b| a < b), "{epochs:?}");
}

fn epoch(stored: &StoredFrame) -> u64 {
    Frame::decode(&stored.bytes).unwrap().header.epoch
}

#[test]
fn an_admission_state_of_the_past_catches_up_and_any_other_is_built_again() {
    let machine = archive(5);
    let rows = machine.admission_rows();
    let other = archive(2);

    let mut past = archive(2);
    past.disk = machine.disk.clone();
    past.noted = Arc::clone(&machine.noted);
    let ledger = past.open().unwrap();
    // The two archives agree in none but the founding, whose time is the same.
    assert!(matches!(
        ledger.recovery().admission,
        AdmissionRecovery::CaughtUp { from: 3 }
    ));
    assert_eq!(past.admission_rows(), rows);

    for (tables, why) in [
        (
            Arc::new(MemoryTables::new()) as Arc<dyn storage::ProjectionStore>,
            "it names no entry",
        ),
        (
            {
                let running = other.start();
                running.record(vec![long_actor(7, 70)]);
                running.stop();
                other.admission
            },
            "its first 4 entries are not this ledger's",
        ),
    ] {
        let mut machine = archive(5);
        machine.admission = tables;
        let ledger = machine.open().unwrap();
        let AdmissionRecovery::Rebuilt { why: found } = &ledger.recovery().admission else {
            panic!("{:?}", ledger.recovery());
        };
        assert!(found.starts_with(why), "{found}");
        assert_eq!(machine.admission_rows(), rows);
    }
}

#[test]
fn a_ledger_shorter_than_head_is_not_opened() {
    let machine = archive(3);
    machine.frames().discard_tail(3).unwrap();
    let error = machine.open().unwrap_err();
    assert!(matches!(
        error,
        OpenError::ShorterThanHead { noted: 4, found: 3 }
    ));
    assert_eq!(
        error.to_string(),
        "the ledger has lost entries: its database holds 3, and HEAD noted 4; restore the data directory from a backup that holds at least 4"
    );
    let empty = Machine {
        disk: MemoryDisk::new(),
        ..machine
    };
    assert!(matches!(
        empty.open().unwrap_err(),
        OpenError::ShorterThanHead { noted: 4, found: 0 }
    ));
}

#[test]
fn a_ledger_that_contradicts_head_is_not_opened() {
    let machine = archive(3);
    let longer = Machine::new();
    let running = longer.founded();
    running.record(vec![actor(5)]);
    running.record(actors(6..9));
    running.stop();
    for size in [4, 3, 2] {
        // Of another history of the same length, of a frame's middle, of a longer history.
        let mut noted = machine.noted.lock().unwrap().unwrap();
        noted.size = size;
        *longer.noted.lock().unwrap() = Some(noted);
        let error = longer.open().unwrap_err();
        assert!(
            matches!(error, OpenError::ContradictsHead { size: found, .. } if found == size),
            "{error}"
        );
    }
    let copy = longer.frames();
    let noted = *longer.noted.lock().unwrap();
    assert!(compare_with_head(&copy, noted.as_ref()).is_err());
}

#[test]
fn what_lies_past_head_is_synced_again_before_it_is_shown() {
    let machine = archive(3);
    let noted = machine.noted.lock().unwrap().take();
    let frames = machine.frames();
    let second = frames.read_from(1, 1).unwrap().remove(0);
    let head = crate::ledger::frame::Frame::decode(&second.bytes)
        .unwrap()
        .header;
    *machine.noted.lock().unwrap() = Some(storage::Head {
        size: 2,
        root: head.root_after.into(),
    });
    assert_eq!(
        compare_with_head(&frames, machine.noted.lock().unwrap().as_ref()).unwrap(),
        2
    );
    let syncs = machine.disk.syncs();
    let ledger = machine.open().unwrap();
    assert_eq!(machine.disk.syncs(), syncs + 1);
    assert_eq!(ledger.recovery().noted_size, Some(2));
    assert_eq!(
        ledger.recovery().to_string(),
        "the ledger holds 4 entries, 2 of them past HEAD"
    );
    assert_eq!(*machine.noted.lock().unwrap(), noted);
}

#[test]
fn without_head_the_whole_ledger_is_verified() {
    let machine = archive(3);
    machine.noted.lock().unwrap().take();
    let ledger = machine.open().unwrap();
    assert_eq!(ledger.recovery().noted_size, None);
    assert!(matches!(
        ledger.recovery().admission,
        AdmissionRecovery::Rebuilt { .. }
    ));
    machine.noted.lock().unwrap().take();
    machine.disk.damage(1, |frame| frame[50] ^= 1);
    assert!(matches!(
        machine.open().unwrap_err(),
        OpenError::Read(ReadError::Frame { first_index: 1, .. })
    ));
}

#[test]
fn a_damaged_frame_below_head_is_not_discarded() {
    let machine = archive(3);
    machine.disk.damage(3, |frame| frame.truncate(60));
    assert!(matches!(
        machine.open().unwrap_err(),
        OpenError::Read(ReadError::Frame { first_index: 3, .. })
    ));
    assert_eq!(machine.frames().next_index(), 4);
}

#[test]
fn a_frame_that_does_not_follow_the_one_before_is_not_accepted() {
    use crate::ledger::frame::{Frame, FrameBody, FrameHash, FrameHeader};
    use crate::merkle::Hash;
    use crate::record::Micros;

    type Change = fn(&mut FrameHeader);
    let cases: [(Change, BrokenLink); 4] = [
        (
            |header| header.previous = FrameHash::NONE,
            BrokenLink::Previous,
        ),
        (|header| header.epoch = 0, BrokenLink::Epoch),
        (
            |header| header.root_after = Hash::from([7; 32]),
            BrokenLink::Root,
        ),
        (
            |header| header.recorded_at = Micros(5),
            BrokenLink::RecordedAt,
        ),
    ];
    for (change, expected) in cases {
        let mut machine = archive(3);
        machine.noted.lock().unwrap().take();
        machine.admission = Arc::new(MemoryTables::new());
        machine.disk.damage(3, |bytes| {
            let mut frame = Frame::decode(bytes).unwrap();
            change(&mut frame.header);
            let mut body = FrameBody::default();
            for leaf in &frame.leaves {
                let mut entry =
                    <crate::record::proto::Entry as prost::Message>::decode(leaf.clone()).unwrap();
                entry.recorded_at = Some(frame.header.recorded_at.to_timestamp());
                assert!(body.push(&prost::Message::encode_to_vec(&entry)));
            }
            *bytes = body.seal(&frame.header);
        });
        let error = machine.open().unwrap_err();
        assert!(
            matches!(error, OpenError::Chain { first_index: 3, link } if link == expected),
            "{error}"
        );
    }
}

#[test]
fn another_origin_than_the_archive_s_is_refused() {
    let machine = archive(1);
    let open = |origin: Option<&str>| {
        let mut parts = machine.open().unwrap().parts;
        parts.origin = origin.map(str::to_owned);
        crate::ledger::Ledger::open(parts)
    };
    let error = open(Some("other.example.org")).unwrap_err();
    assert!(matches!(error, OpenError::OtherOrigin { .. }));
    let ledger = open(None).unwrap();
    assert_eq!(ledger.reader().origin(), ORIGIN);
    let empty = Machine::new();
    let mut parts = empty.open().unwrap().parts;
    parts.origin = None;
    assert!(matches!(
        crate::ledger::Ledger::open(parts).unwrap_err(),
        OpenError::NoOrigin
    ));
}

#[test]
fn an_empty_ledger_notes_that_it_is_empty() {
    let machine = Machine::new();
    drop(machine.open().unwrap());
    assert_eq!(machine.noted.lock().unwrap().map(|head| head.size), Some(0));
    let running = machine.start();
    assert_eq!(running.record(vec![founding()]), [0]);
    running.stop();
}
