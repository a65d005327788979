//! What a restart makes of `HEAD`, the database and the admission state.

use std::sync::Arc;

use super::fixture::{Machine, ORIGIN, actor, actors, founding, long_actor, verify};
use crate::ledger::frame::Frame;
use crate::ledger::{
    AdmissionRecovery, BrokenLink, OpenError, Outcome, ReadError, Reader, compare_with_head,
    verify_chain,
};
use crate::merkle::empty_root;
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
    let expected = matches!(error, OpenError::ShorterThanHead { noted: 4, found: 3 });
    assert!(expected, "{error:?}");
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
fn a_ledger_without_head_is_not_opened_as_it_may_have_lost_its_end() {
    for lost in [0, 1, 3] {
        let machine = archive(3);
        for size in (4 - lost..4).rev() {
            machine.frames().discard_tail(size).unwrap();
        }
        machine.noted.lock().unwrap().take();
        for admission in [
            Arc::clone(&machine.admission),
            Arc::new(MemoryTables::new()),
        ] {
            let machine = Machine {
                admission,
                ..machine.clone()
            };
            let error = machine.open().unwrap_err();
            assert!(
                matches!(error, OpenError::NoHead { found } if found == 4 - lost),
                "{error}"
            );
            assert!(error.to_string().contains("--accept-ledger-as-found"));
            assert_eq!(*machine.noted.lock().unwrap(), None);
        }
    }
}

#[test]
fn a_ledger_that_the_admission_state_has_read_further_is_not_opened() {
    for (held, noted) in [(3, 3), (2, 1), (0, 0)] {
        let machine = archive(3);
        let heads: Vec<_> = (0..=held)
            .map(|size| head_at(&machine.open().unwrap().reader(), size))
            .collect();
        for size in (held..4).rev() {
            machine.frames().discard_tail(size).unwrap();
        }
        *machine.noted.lock().unwrap() = Some(heads[noted]);
        let error = machine.open().unwrap_err();
        assert!(
            matches!(error, OpenError::ShorterThanAdmission { read: 4, found } if found == held),
            "{error}"
        );
        // Nor without a HEAD that would have told.
        machine.noted.lock().unwrap().take();
        machine.open().unwrap_err();
    }
}

/// What `HEAD` would note of the first entries of a ledger of one entry a frame.
fn head_at(reader: &Reader, size: u64) -> storage::Head {
    let last = size.checked_sub(1);
    let frame = last.map(|last| reader.frame_at(last).unwrap().unwrap());
    let root = frame.map_or(empty_root(), |frame| frame.root_after);
    storage::Head {
        size,
        root: root.into(),
    }
}

/// Has `HEAD` stand where it did before entry 0.
fn note_only_that_it_is_begun(machine: &Machine) {
    let reader = machine.open().unwrap().reader();
    *machine.noted.lock().unwrap() = Some(head_at(&reader, 0));
}

#[test]
fn a_chain_is_verified_to_its_end_or_not_at_all() {
    let machine = archive(3);
    let head = verify(&machine.open().unwrap().reader());
    assert_eq!(verify_chain(&machine.frames()).unwrap(), head);
    machine.disk.damage(1, |frame| frame[50] ^= 1);
    assert!(matches!(
        verify_chain(&machine.frames()).unwrap_err(),
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
        note_only_that_it_is_begun(&machine);
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
