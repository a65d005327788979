//! Order, answers, batches, and the bounds of the queue.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::fixture::{
    Gate, Machine, ORIGIN, Running, actor, actors, deadline, eventually, founding, long_actor,
    verify,
};
use crate::admission::Reason;
use crate::ledger::{AppendError, Outcome};
use crate::record::{ContentId, proto};
use crate::storage::FrameStore as _;

fn reasons(outcomes: &[Outcome]) -> Vec<Option<Reason>> {
    let reason = |outcome: &Outcome| match outcome {
        Outcome::Refused(refusal) => Some(refusal.reason),
        _ => None,
    };
    outcomes.iter().map(reason).collect()
}

fn recorded_ids(running: &Running) -> Vec<ContentId> {
    let size = running.reader.head().size;
    let id = |index| running.reader.entry(index).unwrap().unwrap().record_id;
    (0..size).map(id).collect()
}

#[test]
fn an_empty_ledger_takes_only_the_record_that_founds_it() {
    let machine = Machine::new();
    let running = machine.start();
    assert_eq!(running.reader.origin(), ORIGIN);
    let refused = running.append(vec![actor(1)]).unwrap();
    assert_eq!(reasons(&refused), [Some(Reason::NotFounded)]);
    assert_eq!(running.reader.head().size, 0);
    assert_eq!(running.record(vec![founding(), actor(1)]), [0, 1]);
    running.stop();
}

#[test]
fn an_answer_names_the_place_the_time_and_the_head_of_its_durable_write() {
    let machine = Machine::new();
    let running = machine.founded();
    let outcomes = running.append(vec![actor(1), actor(2)]).unwrap();
    let head = verify(&running.reader);
    for (index, outcome) in (1..).zip(outcomes) {
        let entry = running.reader.entry(index).unwrap().unwrap();
        assert_eq!(
            outcome,
            Outcome::Recorded {
                index,
                record_id: entry.record_id,
                recorded_at: entry.recorded_at,
                ledger_size: head.size,
                root: head.root,
            }
        );
    }
    running.stop();
}

#[test]
fn a_bad_record_in_a_batch_is_refused_by_itself_and_the_others_enter() {
    let machine = Machine::new();
    let running = machine.founded();
    let mut forged = actor(2);
    let mut signature = forged.signatures[0].signature.to_vec();
    signature[5] ^= 1;
    forged.signatures[0].signature = signature.into();
    let nonsense = proto::Envelope {
        payload: vec![255; 3].into(),
        signatures: actor(1).signatures,
    };
    let outcomes = running
        .append(vec![
            actor(1),
            forged,
            actor(3),
            nonsense,
            founding(),
            actor(3),
        ])
        .unwrap();
    assert_eq!(
        reasons(&outcomes),
        [
            None,
            Some(Reason::BadSignature),
            None,
            Some(Reason::MalformedRecord),
            None,
            None
        ]
    );
    assert!(matches!(
        outcomes[4],
        Outcome::AlreadyRecorded { index: 0, .. }
    ));
    assert!(matches!(
        outcomes[5],
        Outcome::AlreadyRecorded { index: 2, .. }
    ));
    assert_eq!(verify(&running.reader).size, 3);
    running.stop();
}

#[test]
fn appending_again_records_nothing_twice_and_writes_no_frame() {
    let machine = Machine::new();
    let running = machine.founded();
    running.record(actors(0..5));
    let writes = machine.disk.writes();
    let outcomes = running.append(actors(0..5)).unwrap();
    for (index, outcome) in (1..).zip(outcomes) {
        let Outcome::AlreadyRecorded {
            index: found,
            signatures_on_record,
            ..
        } = outcome
        else {
            panic!("{outcome:?}");
        };
        assert_eq!((found, signatures_on_record), (index, true));
    }
    assert_eq!(machine.disk.writes(), writes);
    running.stop();
}

#[test]
fn a_record_is_judged_by_those_before_it_in_the_same_frame() {
    let machine = Machine::new();
    let running = machine.start();
    let redefined = long_actor(1, 20);
    let outcomes = running
        .append(vec![founding(), actor(1), redefined, actor(1)])
        .unwrap();
    assert_eq!(
        reasons(&outcomes),
        [None, None, Some(Reason::StaleVersion), None]
    );
    assert!(matches!(
        outcomes[3],
        Outcome::AlreadyRecorded { index: 1, .. }
    ));
    assert_eq!(
        running.reader.frame_at(0).unwrap().unwrap().entries.len(),
        2
    );
    running.stop();
}

#[test]
fn a_batch_larger_than_a_frame_spans_several_and_keeps_its_order() {
    let machine = Machine::new();
    let running = machine.founded();
    let batch: Vec<_> = (0..7).map(|number| long_actor(number, 55_000)).collect();
    let frames = machine.disk.writes();
    assert_eq!(running.record(batch), (1..8).collect::<Vec<_>>());
    assert_eq!(machine.disk.writes() - frames, 4);
    verify(&running.reader);
    running.stop();
}

#[test]
fn what_one_caller_submits_stays_in_order_while_many_append_at_once() {
    let machine = Machine::new();
    let running = machine.founded();
    let submit = |caller: usize| {
        let appender = running.appender.clone();
        async move {
            let mut submitted = Vec::new();
            for chunk in 0..10_usize {
                let first = caller * 1_000 + chunk * 7;
                submitted.push(appender.submit(actors(first..first + 7)).await.unwrap());
            }
            let mut indexes = Vec::new();
            for submitted in submitted {
                for outcome in submitted.outcomes().await.unwrap() {
                    let Outcome::Recorded { index, .. } = outcome else {
                        panic!("{outcome:?}");
                    };
                    indexes.push(index);
                }
            }
            indexes
        }
    };
    let callers: Vec<Vec<u64>> = running.runtime.block_on(async {
        let tasks: Vec<_> = (0..8).map(|caller| tokio::spawn(submit(caller))).collect();
        let mut callers = Vec::new();
        for task in tasks {
            callers.push(task.await.unwrap());
        }
        callers
    });
    for indexes in &callers {
        assert!(indexes.is_sorted());
    }
    let all: BTreeSet<u64> = callers.into_iter().flatten().collect();
    assert_eq!(all, (1..561).collect());
    assert_eq!(verify(&running.reader).size, 561);
    let ids: BTreeSet<_> = recorded_ids(&running).into_iter().collect();
    assert_eq!(ids.len(), 561);
    running.stop();
}

#[test]
fn a_full_queue_is_answered_with_a_delay_and_a_stream_waits_for_room() {
    let mut machine = Machine::new();
    machine.settings.queue_records_max = 4;
    machine.founded().stop();
    let gate = Arc::new(Gate::default());
    let closed = Arc::clone(&gate);
    let running = machine.start_instead(move |frames, first_index, count, frame| {
        closed.pass();
        frames.append(first_index, count, frame)
    });
    let first = running.appender.try_submit(actors(0..4)).unwrap();
    let full = running.appender.try_submit(vec![actor(5)]).unwrap_err();
    assert!(
        matches!(full, AppendError::Overloaded { retry_after } if retry_after > Duration::ZERO)
    );
    running.runtime.block_on(async {
        let appender = running.appender.clone();
        let waiting = tokio::spawn(async move { appender.append_waiting(actors(5..9)).await });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        gate.open();
        assert_eq!(first.outcomes().await.unwrap().len(), 4);
        assert_eq!(waiting.await.unwrap().unwrap().len(), 4);
    });
    let too_much = running.append(actors(0..5)).unwrap_err();
    assert!(matches!(too_much, AppendError::TooMuch { records: 5, .. }));
    running.stop();
}

#[test]
fn an_empty_batch_is_answered_with_nothing() {
    let machine = Machine::new();
    let running = machine.start();
    assert_eq!(running.append(Vec::new()).unwrap(), []);
    running.stop();
}

#[test]
fn stopping_brings_what_is_queued_to_an_end_and_notes_the_head() {
    let machine = Machine::new();
    let running = machine.founded();
    let submitted: Vec<_> = (0..20)
        .map(|number| running.appender.try_submit(vec![actor(number)]).unwrap())
        .collect();
    let Running {
        sequencer,
        appender,
        reader,
        runtime,
    } = running;
    assert!(sequencer.stop(deadline()));
    for submitted in submitted {
        let outcomes = runtime.block_on(submitted.outcomes()).unwrap();
        assert!(matches!(outcomes[..], [Outcome::Recorded { .. }]));
    }
    let head = verify(&reader);
    assert_eq!(head.size, 21);
    assert_eq!(*machine.noted.lock().unwrap(), Some(head.into()));
    let late = runtime.block_on(appender.append(vec![actor(99)]));
    assert!(matches!(late, Err(AppendError::Stopping)));
}

#[test]
fn the_head_is_noted_while_the_ledger_runs() {
    let machine = Machine::new();
    let running = machine.founded();
    running.record(actors(0..3));
    let head = running.reader.head();
    eventually(|| *machine.noted.lock().unwrap() == Some(head.into()));
    running.stop();
}

#[test]
fn a_call_that_nobody_waits_for_any_more_is_recorded_all_the_same() {
    let machine = Machine::new();
    let running = machine.founded();
    drop(running.appender.try_submit(vec![actor(1)]).unwrap());
    let head = running.runtime.block_on(running.reader.wait_for_size(2));
    assert_eq!(head.size, 2);
    running.stop();
}

#[test]
fn a_thread_that_waits_for_the_ledger_to_grow_is_woken_by_growth_and_by_its_stop() {
    let machine = Machine::new();
    let running = machine.founded();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let first = running.reader.wait_beyond_blocking(1, &stop);
            let second = running.reader.wait_beyond_blocking(2, &stop);
            (first, second)
        });
        running.record(vec![actor(1)]);
        let head = running.reader.head();
        stop.store(true, Ordering::Release);
        running.reader.wake();
        let (first, second) = waiting.join().unwrap();
        // Its stop may have been set before it looked for the first time.
        assert!(first.is_none_or(|first| first == head));
        assert_eq!(second, None);
    });
    running.stop();
}

#[test]
fn a_reader_sees_no_further_than_the_published_head() {
    let machine = Machine::new();
    let running = machine.founded();
    assert!(running.reader.entry(0).unwrap().is_some());
    assert!(running.reader.entry(1).unwrap().is_none());
    assert!(running.reader.frame_at(u64::MAX).unwrap().is_none());
    running.stop();
}
