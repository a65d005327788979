//! What is read from the store, and what is not because it is kept.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::fixture::{Instead, Machine, actors};
use crate::storage::FrameStore as _;

const THREADS: usize = 8;

#[test]
fn a_frame_that_many_ask_for_at_once_is_read_once() {
    let machine = Machine::new();
    let running = machine.founded();
    running.record(actors(0..3));
    running.stop();

    let [asking, read] = [(); 2].map(|()| Arc::new(AtomicUsize::new(0)));
    let (asked, counted) = (Arc::clone(&asking), Arc::clone(&read));
    let store = Instead {
        frames: machine.frames(),
        append: |frames: &crate::storage::MemoryFrames, index, count, frame: &[u8]| {
            frames.append(index, count, frame)
        },
        before_read: Box::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
            // Recovery reads while nobody asks. Everybody else is on the way in by then.
            while asked.load(Ordering::SeqCst) % THREADS != 0 {
                thread::yield_now();
            }
            (0..1_000).for_each(|_| thread::yield_now());
        }),
    };
    let ledger = machine.open_on(Arc::new(store)).unwrap();
    let reader = ledger.reader();
    let before = read.load(Ordering::SeqCst);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                asking.fetch_add(1, Ordering::SeqCst);
                let frame = reader.frame_at(1).unwrap().unwrap();
                assert!(frame.entry(1).is_some());
            });
        }
    });
    assert_eq!(read.load(Ordering::SeqCst) - before, 1);
    assert!(reader.kept_frame_at(1).is_some());
    assert!(reader.kept_frame_at(0).is_none());
    assert!(reader.kept_frame_at(4).is_none());
}
