//! What fails poisons the ledger: it says why, answers nobody falsely, and goes on reading.

use std::ops::Bound;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::fixture::{
    Gate, Machine, Running, actor, actors, deadline, eventually, founding, verify,
};
use crate::admission::Reason;
use crate::fold::{Changes, Order, Scan, Tables, TablesError};
use crate::ledger::{AppendError, Outcome, Poisoned};
use crate::storage::{
    AppendOutcome, Fault, FrameStore, MemoryTables, Poison, PoisonCause, ProjectionStore, Step,
    TableError,
};

/// What the ledger says once it is poisoned, now and to later calls; it must go on reading.
fn poisoned(running: &Running, failing: Result<Vec<Outcome>, AppendError>) -> Poisoned {
    let Err(AppendError::Poisoned { reason }) = failing else {
        panic!("{failing:?}");
    };
    let Err(AppendError::Poisoned { reason: later }) = running.append(vec![actor(70)]) else {
        panic!("a poisoned ledger took a record");
    };
    assert_eq!(later, reason);
    assert_eq!(running.appender.poisoned(), Some(reason.clone()));
    verify(&running.reader);
    reason
}

#[test]
fn a_failed_write_or_sync_poisons_the_ledger_and_is_not_tried_again() {
    // One write and one sync for opening, one of each for the founding.
    for (step, cause) in [
        (Step::Write(3), PoisonCause::Write),
        (Step::Sync(3), PoisonCause::Sync),
    ] {
        let machine = Machine::new();
        machine.disk.inject(step, Fault::Fail);
        let running = machine.founded();
        let reason = poisoned(&running, running.append(vec![actor(1)]));
        assert!(matches!(reason, Poisoned::Store(Poison { cause: found, .. }) if found == cause));
        assert_eq!(machine.disk.writes(), 3);
        assert_eq!(running.reader.head().size, 1);
        running.stop();
    }
}

#[test]
fn a_full_disk_poisons_the_ledger_and_says_so() {
    let machine = Machine::new();
    machine.founded().stop();
    let running = machine.start_instead(|_, _, _, _| {
        AppendOutcome::Unknown(Poison {
            cause: PoisonCause::DiskFull,
            detail: "no space left on device".to_owned(),
        })
    });
    let reason = poisoned(&running, running.append(vec![actor(1)]));
    assert_eq!(
        reason.to_string(),
        "the disk is full: no space left on device; mend it and restart the daemon"
    );
    running.stop();
}

#[test]
fn everybody_who_waits_is_told_when_the_ledger_is_poisoned() {
    let machine = Machine::new();
    machine.founded().stop();
    let gate = Arc::new(Gate::default());
    let closed = Arc::clone(&gate);
    let running = machine.start_instead(move |_, _, _, _| {
        closed.pass();
        AppendOutcome::Fenced
    });
    let waiting: Vec<_> = (0..30)
        .map(|number| running.appender.try_submit(vec![actor(number)]).unwrap())
        .collect();
    gate.open();
    for waiting in waiting {
        let outcome = running.runtime.block_on(waiting.outcomes());
        assert!(matches!(
            outcome,
            Err(AppendError::Poisoned {
                reason: Poisoned::Fenced
            })
        ));
    }
    running.stop();
}

#[test]
fn a_commit_that_does_not_finish_in_time_poisons_the_ledger() {
    let mut machine = Machine::new();
    machine.founded().stop();
    machine.settings.commit_bound = Duration::from_millis(20);
    let gate = Arc::new(Gate::default());
    let closed = Arc::clone(&gate);
    let running = machine.start_instead(move |frames, first_index, count, frame| {
        closed.pass();
        frames.append(first_index, count, frame)
    });
    let reason = poisoned(&running, running.append(vec![actor(1)]));
    assert_eq!(
        reason,
        Poisoned::TimedOut {
            bound: Duration::from_millis(20)
        }
    );
    gate.open();
    running.stop();
    // It came through after all: what nobody was told of is there after a restart.
    let running = machine.start();
    assert_eq!(verify(&running.reader).size, 2);
    running.stop();
}

#[test]
fn an_older_writer_is_fenced_by_a_newer_one() {
    let machine = Machine::new();
    let older = machine.founded();
    let newer = machine.start();
    assert_eq!(newer.record(vec![actor(1)]), [1]);
    let reason = poisoned(&older, older.append(vec![actor(2)]));
    assert_eq!(reason, Poisoned::Fenced);
    assert_eq!(newer.record(vec![actor(2)]), [2]);
    newer.stop();
    older.stop();
}

#[test]
fn frames_that_this_writer_did_not_write_poison_the_ledger() {
    let machine = Machine::new();
    machine.founded().stop();
    let running = machine.start_instead(|frames, first_index, count, frame| {
        frames.append(first_index + 1, count, frame)
    });
    let reason = poisoned(&running, running.append(vec![actor(1)]));
    assert_eq!(
        reason,
        Poisoned::Conflict {
            expected: 1,
            found: 1
        }
    );
    running.stop();
}

#[test]
fn a_poisoned_database_is_leaked_and_a_healthy_one_is_closed() {
    for healthy in [true, false] {
        let machine = Machine::new();
        machine.founded().stop();
        let frames: Arc<dyn FrameStore> = Arc::new(machine.frames());
        let watched = Arc::downgrade(&frames);
        let running = machine.run(machine.open_on(frames).unwrap());
        if !healthy {
            let newer = machine.frames();
            poisoned(&running, running.append(vec![actor(1)]));
            drop(newer);
        }
        let Running {
            sequencer, reader, ..
        } = running;
        assert!(sequencer.stop(deadline()));
        drop(reader);
        assert_eq!(watched.upgrade().is_none(), healthy);
    }
}

#[test]
fn a_panic_in_the_commit_poisons_the_ledger() {
    let machine = Machine::new();
    machine.founded().stop();
    let running = machine.start_instead(|_, _, _, _| panic!("as if by a defect"));
    let reason = poisoned(&running, running.append(vec![actor(1)]));
    assert_eq!(
        reason,
        Poisoned::Panicked {
            thread: "ledger-committer"
        }
    );
    running.stop();
}

/// Tables that fail, or panic, from some batch on.
struct Failing {
    tables: MemoryTables,
    left: Mutex<usize>,
    panics: bool,
}

impl Tables for Failing {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TablesError> {
        self.tables.get(key)
    }

    fn rows(&self, start: Bound<&[u8]>, order: Order) -> Scan<'_> {
        self.tables.rows(start, order)
    }
}

impl ProjectionStore for Failing {
    fn apply(&self, changes: Changes) -> Result<(), TableError> {
        let mut left = self.left.lock().unwrap();
        match left.checked_sub(1) {
            Some(fewer) => *left = fewer,
            None if self.panics => {
                drop(left);
                panic!("as if by a defect")
            }
            None => return Err(TableError::Broken),
        }
        self.tables.apply(changes)
    }

    fn clear(&self) -> Result<(), TableError> {
        self.tables.clear()
    }

    fn persist(&self) -> Result<(), TableError> {
        self.tables.persist()
    }

    fn bytes_on_disk(&self) -> u64 {
        self.tables.bytes_on_disk()
    }
}

/// A ledger that was founded, whose admission tables fail at the second frame from here on.
fn failing_tables(panics: bool) -> (Machine, Running) {
    let mut machine = Machine::new();
    machine.founded().stop();
    let tables = MemoryTables::new();
    let rows = machine.admission_rows();
    let changes = rows.into_iter().map(|(key, value)| (key, Some(value)));
    tables.apply(changes.collect()).unwrap();
    machine.admission = Arc::new(Failing {
        tables,
        left: Mutex::new(1),
        panics,
    });
    let running = machine.start();
    assert_eq!(running.record(vec![actor(1)]), [1]);
    (machine, running)
}

#[test]
fn an_admission_state_that_fails_poisons_after_what_is_durable_was_acknowledged() {
    let (machine, running) = failing_tables(false);
    assert_eq!(running.record(vec![actor(2)]), [2]);
    eventually(|| running.appender.poisoned().is_some());
    let reason = poisoned(&running, running.append(vec![actor(3)]));
    assert!(matches!(reason, Poisoned::AdmissionState { .. }));
    assert_eq!(running.reader.head().size, 3);
    running.stop();
    drop(machine);
}

#[test]
fn a_panic_in_the_sequencer_poisons_the_ledger_and_hangs_nobody() {
    let (_machine, running) = failing_tables(true);
    let reason = poisoned(&running, running.append(vec![actor(2)]));
    assert_eq!(
        reason,
        Poisoned::Panicked {
            thread: "ledger-sequencer"
        }
    );
    running.stop();
}

#[test]
fn a_damaged_row_poisons_and_the_next_start_builds_the_state_again() {
    let machine = Machine::new();
    machine.founded().stop();
    let running = machine.start();
    let rows = machine.admission_rows().into_iter();
    let damaged = rows
        .filter(|(key, _)| key.first() != Some(&0))
        .map(|(key, _)| (key, Some(vec![255])));
    machine.admission.apply(damaged.collect()).unwrap();
    let reason = poisoned(&running, running.append(vec![actor(1)]));
    assert!(matches!(reason, Poisoned::AdmissionState { .. }));
    running.stop();
    let running = machine.start();
    assert_eq!(running.record(vec![actor(1)]), [1]);
    running.stop();
}

#[test]
fn a_head_that_cannot_be_noted_poisons_the_ledger() {
    let mut machine = Machine::new();
    machine.founded().stop();
    machine.head_broken = true;
    let running = machine.start();
    assert_eq!(running.record(vec![actor(1)]), [1]);
    eventually(|| running.appender.poisoned().is_some());
    let reason = poisoned(&running, running.append(vec![actor(2)]));
    assert!(matches!(reason, Poisoned::Head { .. }));
    assert!(running.sequencer.stop(deadline()));
}

#[test]
fn a_clock_that_was_set_is_not_written_into_history() {
    let machine = Machine::new();
    let running = machine.founded();
    let minute = 60_000_000;
    for jump in [-minute, minute] {
        machine.clock.set_by(jump);
        let outcomes = running
            .append(vec![founding(), actor(1), actor(2)])
            .unwrap();
        assert!(matches!(
            outcomes[0],
            Outcome::AlreadyRecorded { index: 0, .. }
        ));
        for outcome in &outcomes[1..] {
            let Outcome::Refused(refusal) = outcome else {
                panic!("{outcome:?}");
            };
            assert_eq!(refusal.reason, Reason::ClockJumped);
        }
        assert_eq!(running.reader.head().size, 1);
        assert_eq!(running.appender.poisoned(), None);
        machine.clock.set_by(-jump);
    }
    machine.clock.pass(60_000_000);
    assert_eq!(running.record(actors(1..3)), [1, 2]);
    running.stop();
}

#[test]
fn a_clock_that_is_behind_the_ledger_at_the_start_is_not_believed_until_it_has_caught_up() {
    let machine = Machine::new();
    machine.founded().stop();
    machine.clock.set_by(-3_000_000);
    let running = machine.start();
    let outcomes = running.append(vec![actor(1)]).unwrap();
    assert!(
        matches!(&outcomes[..], [Outcome::Refused(refusal)] if refusal.reason == Reason::ClockJumped)
    );
    machine.clock.pass(4_000_000);
    assert_eq!(running.record(vec![actor(1)]), [1]);
    running.stop();
}
