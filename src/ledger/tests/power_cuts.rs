//! The power is cut after every single write and sync of a scripted run, and what was not
//! synced is lost, kept, or torn: nothing acknowledged is lost, and nothing shown is
//! contradicted.

use std::sync::Arc;

use super::fixture::{Machine, Running, actors, founding, long_actor, verify};
use crate::ledger::{AppendError, Head, Outcome};
use crate::record::proto;
use crate::record::{ContentId, envelope::record_id};
use crate::storage::{Fault, MemoryTables, PowerCut, Step, Tear};

/// The batches of the script. The last but one spans two frames.
fn script() -> Vec<Vec<proto::Envelope>> {
    vec![
        vec![founding()],
        actors(0..1),
        actors(1..5),
        (5..8).map(|number| long_actor(number, 50_000)).collect(),
        actors(8..10),
    ]
}

/// What somebody outside has seen.
#[derive(Default)]
struct Witnessed {
    acknowledged: Vec<(u64, ContentId)>,
    heads: Vec<Head>,
}

/// Appends the script until it fails, and notes what is acknowledged and shown.
fn perform(running: &Running, seen: &mut Witnessed) -> Result<(), AppendError> {
    for batch in script() {
        for outcome in running.append(batch)? {
            match outcome {
                Outcome::Recorded {
                    index,
                    record_id,
                    ledger_size,
                    root,
                    recorded_at,
                } => {
                    seen.acknowledged.push((index, record_id));
                    seen.heads.push(Head {
                        size: ledger_size,
                        root,
                        recorded_at: Some(recorded_at),
                    });
                }
                Outcome::AlreadyRecorded {
                    index, record_id, ..
                } => seen.acknowledged.push((index, record_id)),
                Outcome::Refused(refusal) => panic!("{refusal}"),
            }
        }
        seen.heads.push(running.reader.head());
    }
    Ok(())
}

/// That a ledger holds what was acknowledged, and goes on from every head that was shown.
fn check(running: &Running, seen: &Witnessed) {
    verify(&running.reader);
    for (index, record_id) in &seen.acknowledged {
        let entry = running.reader.entry(*index).unwrap();
        assert_eq!(entry.map(|entry| entry.record_id), Some(*record_id));
    }
    for head in &seen.heads {
        let Some(last) = head.size.checked_sub(1) else {
            continue;
        };
        let frame = running.reader.frame_at(last).unwrap().unwrap();
        assert_eq!(
            (
                frame.next_index(),
                frame.root_after,
                Some(frame.recorded_at)
            ),
            (head.size, head.root, head.recorded_at)
        );
    }
}

/// What a cut right after `step` may leave: after a sync there is nothing to be torn.
fn cuts(step: Step) -> Vec<PowerCut> {
    if matches!(step, Step::Sync(_)) {
        return vec![PowerCut::Lost];
    }
    let tears = [Tear::Prefix, Tear::Zeroed, Tear::Flipped];
    let torn = tears
        .into_iter()
        .flat_map(|tear| [0, 9, 150, 400].map(|at| PowerCut::Torn { tear, at }));
    let whole = [PowerCut::Lost, PowerCut::Kept];
    whole.into_iter().chain(torn).collect()
}

/// The steps of a run without faults.
fn steps() -> Vec<Step> {
    let machine = Machine::new();
    let running = machine.start();
    perform(&running, &mut Witnessed::default()).unwrap();
    running.stop();
    let writes = (1..=machine.disk.writes()).map(Step::Write);
    let syncs = (1..=machine.disk.syncs()).map(Step::Sync);
    let steps: Vec<Step> = writes.chain(syncs).collect();
    assert!(steps.len() >= 14, "{steps:?}");
    steps
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_shown_is_contradicted_at_any_power_cut() {
    for step in steps() {
        for (number, cut) in cuts(step).into_iter().enumerate() {
            let mut machine = Machine::new();
            let mut seen = Witnessed::default();
            machine.disk.inject(step, Fault::Cut(cut));

            if let Ok(ledger) = machine.open() {
                let running = machine.run(ledger);
                assert!(perform(&running, &mut seen).is_err(), "{step:?} {cut:?}");
                assert!(
                    running.sequencer.stop(super::fixture::deadline())
                        || machine.disk.power_cuts() > 0
                );
            }
            assert_eq!(machine.disk.power_cuts(), 1);

            // Tables on a disk may be believed or not after a cut.
            if number % 2 == 0 {
                machine.admission = Arc::new(MemoryTables::new());
            }
            let running = machine.start();
            check(&running, &seen);
            seen.heads.push(running.reader.head());

            // What recovery has shown stands at once.
            drop(running);
            machine.disk.cut_power(PowerCut::Lost);
            let running = machine.start();
            check(&running, &seen);

            perform(&running, &mut seen).unwrap();
            check(&running, &seen);
            let expected: Vec<ContentId> = script().iter().flatten().map(record_id).collect();
            let recorded = (0..running.reader.head().size)
                .map(|index| running.reader.entry(index).unwrap().unwrap().record_id)
                .collect::<Vec<_>>();
            assert_eq!(recorded, expected, "{step:?} {cut:?}");
            running.stop();
        }
    }
}

#[test]
fn a_power_cut_during_recovery_is_recovered_from() {
    for first in [Step::Write(4), Step::Sync(4)] {
        for second in [Step::Write(5), Step::Sync(5), Step::Write(6), Step::Sync(6)] {
            for cut in cuts(first) {
                let machine = Machine::new();
                let mut seen = Witnessed::default();
                machine.disk.inject(first, Fault::Cut(cut));
                machine.disk.inject(second, Fault::Cut(cut));
                let running = machine.start();
                perform(&running, &mut seen).unwrap_err();
                drop(running);
                if let Ok(ledger) = machine.open() {
                    let running = machine.run(ledger);
                    check(&running, &seen);
                    seen.heads.push(running.reader.head());
                    perform(&running, &mut seen).unwrap_err();
                }
                assert_eq!(machine.disk.power_cuts(), 2, "{first:?} {second:?} {cut:?}");
                let running = machine.start();
                check(&running, &seen);
                perform(&running, &mut seen).unwrap();
                check(&running, &seen);
                running.stop();
            }
        }
    }
}

#[test]
fn a_frame_whose_sync_failed_is_on_the_disk_before_a_restart_shows_it() {
    let machine = Machine::new();
    let mut seen = Witnessed::default();
    machine.disk.inject(Step::Sync(4), Fault::Fail);
    let running = machine.start();
    perform(&running, &mut seen).unwrap_err();
    let shown = running.reader.head();
    drop(running);

    let running = machine.start();
    check(&running, &seen);
    seen.heads.push(running.reader.head());
    assert!(running.reader.head().size > shown.size);
    drop(running);

    machine.disk.cut_power(PowerCut::Lost);
    let running = machine.start();
    check(&running, &seen);
    running.stop();
}
