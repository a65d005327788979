//! Leaves that are no entries: each is told, counts, and changes nothing in the state but its end.

use std::sync::Arc;

use super::*;
use crate::admission::{DocumentsError, TextError};
use crate::audit::SourceTexts;
use crate::record::{ContentId, SigningKey};
use crate::storage::{MemoryBlobs, MemoryTables};
use crate::text::{Profile, SearchText};

struct Nothing;

impl Below for Nothing {
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError> {
        Err(BelowError(format!("entry {index} is not looked at")))
    }
}

/// What a follower was told.
#[derive(Debug, Default, PartialEq, Eq)]
struct Heard {
    found: usize,
    /// The ends of the batches.
    entered: Vec<u64>,
    written: Vec<u64>,
    /// Takes no more findings after so many.
    found_max: Option<usize>,
    /// Has no more than so many entries in the state.
    written_max: Option<u64>,
}

impl Follower<&'static str> for Heard {
    fn found(&mut self, _: Finding) -> Result<(), ReplayError<&'static str>> {
        self.found += 1;
        Ok(())
    }

    fn told(&mut self) -> Result<(), ReplayError<&'static str>> {
        match self.found_max {
            Some(most) if self.found > most => Err(ReplayError::Source("full")),
            _ => Ok(()),
        }
    }

    fn entered(
        &mut self,
        _: Vec<Arc<Entry>>,
        frontier: &Frontier,
    ) -> Result<(), ReplayError<&'static str>> {
        self.entered.push(frontier.size());
        Ok(())
    }

    fn writing(&mut self, size: u64) -> Result<(), ReplayError<&'static str>> {
        if self.written_max.is_some_and(|most| size > most) {
            return Err(ReplayError::Source("full"));
        }
        self.written.push(size);
        Ok(())
    }
}

/// Replays `count` leaves of so many bytes, behind which the source fails; how it ended, and of
/// how many entries the state is that was written out.
fn replay(
    (count, bytes): (usize, usize),
    write_after_entries: u64,
    heard: &mut Heard,
) -> (String, Option<u64>) {
    let state = Arc::new(MemoryTables::new());
    let documents = SourceTexts::new(Arc::new(MemoryBlobs::new()), 1 << 20);
    let mut replay = Replay::new(ReplayParts {
        origin: "example.org/replay",
        state: Arc::clone(&state) as _,
        documents: &documents,
        below: &Nothing,
        seed: [7; 32],
        write_after_entries,
    });
    let leaves = std::iter::repeat_n(Ok(Bytes::from(vec![0; bytes])), count);
    let ended = replay.run_with(leaves.chain([Err("away")]), heard);
    let cursor = AdmissionState::new(state).cursor().unwrap();
    (
        ended.unwrap_err().to_string(),
        cursor.map(|cursor| cursor.size()),
    )
}

#[test]
fn the_state_is_written_out_now_and_then_and_where_the_leaves_end() {
    for (write_after, written) in [
        (1, vec![2_048, 4_096, 5_000]),
        (2_049, vec![4_096, 5_000]),
        (1 << 16, vec![5_000]),
    ] {
        let mut heard = Heard::default();
        let ended = replay((5_000, 3), write_after, &mut heard);
        assert_eq!(ended, ("away".to_owned(), Some(5_000)));
        assert_eq!(heard.entered, [2_048, 4_096, 5_000]);
        assert_eq!((heard.found, heard.written), (5_000, written));
    }
}

#[test]
fn large_entries_go_in_smaller_batches() {
    let mut heard = Heard::default();
    replay((300, 1 << 16), 1 << 16, &mut heard);
    assert_eq!(heard.entered, [128, 256, 300]);
}

#[test]
fn what_could_not_be_told_is_not_in_the_state() {
    for (write_after, written) in [(1, Some(2_048)), (1 << 16, None)] {
        let mut heard = Heard {
            found_max: Some(3_000),
            ..Heard::default()
        };
        let ended = replay((5_000, 3), write_after, &mut heard);
        assert_eq!(ended, ("full".to_owned(), written));
    }
}

#[test]
fn what_is_about_to_be_written_is_told_before_the_state_holds_it() {
    for (written_max, written) in [(4_999, Some(4_096)), (4_095, Some(2_048)), (1, None)] {
        let mut heard = Heard {
            written_max: Some(written_max),
            ..Heard::default()
        };
        let ended = replay((5_000, 3), 1, &mut heard);
        assert_eq!(ended, ("full".to_owned(), written));
    }
}

#[test]
fn the_state_is_written_out_early_once_its_changes_take_many_bytes() {
    for (bytes, written) in [
        (WRITE_AFTER_BYTES, vec![2_048, 5_000]),
        (WRITE_AFTER_BYTES / 2, vec![5_000]),
    ] {
        let documents = SourceTexts::new(Arc::new(MemoryBlobs::new()), 1 << 20);
        let mut replay = Replay::new(ReplayParts {
            origin: "example.org/replay",
            state: Arc::new(MemoryTables::new()),
            documents: &documents,
            below: &Nothing,
            seed: [7; 32],
            write_after_entries: WRITE_AFTER_ENTRIES,
        });
        for number in 0..bytes >> 16 {
            let row = (number.to_be_bytes().to_vec(), Some(vec![0; 1 << 16]));
            replay.changes.add([row].into_iter().collect());
        }
        let mut heard = Heard::default();
        let leaves = std::iter::repeat_n(Ok(Bytes::from_static(&[0])), 5_000);
        replay.run_with(leaves, &mut heard).unwrap();
        assert_eq!(heard.written, written);
    }
}

/// Documents at the sight of which the code that prepares entries panics.
struct Poisonous;

impl Documents for Poisonous {
    fn size(&self, _: &ContentId) -> Result<Option<u64>, DocumentsError> {
        panic!("it is tested that nobody waits for what panicked")
    }

    fn text_of(&self, _: &ContentId, _: Profile, _: &str) -> Result<Option<ContentId>, TextError> {
        Ok(None)
    }

    fn text(&self, _: &ContentId) -> Result<Option<SearchText>, DocumentsError> {
        Ok(None)
    }
}

#[test]
fn nobody_waits_for_entries_that_could_not_be_prepared() {
    const ORIGIN: &str = "example.org/replay";
    let record = proto::Record {
        origin: ORIGIN.to_owned(),
        signed_at: Some(Micros(0).to_timestamp()),
        kind: Some(proto::record::Kind::SourceArchived(proto::SourceArchived {
            source: ContentId::of(b"a document").to_string(),
            media_type: "text/plain".to_owned(),
            size_bytes: 10,
            captured_at: Some(Micros(0).to_timestamp()),
            role: proto::SourceRole::Secondary.into(),
            ..proto::SourceArchived::default()
        })),
    };
    let envelope = SigningKey::from_seed([1; 32]).seal(record.encode_to_vec().into());
    let id = ContentId::of(&envelope.payload);
    let leaf = Entry::new(0, Micros(0), id, record, envelope).encoded;
    let mut replay = Replay::new(ReplayParts {
        origin: ORIGIN,
        state: Arc::new(MemoryTables::new()),
        documents: &Poisonous,
        below: &Nothing,
        seed: [7; 32],
        write_after_entries: WRITE_AFTER_ENTRIES,
    });
    // More than one batch, so that there are threads that go on.
    let leaves = std::iter::once(leaf).chain(std::iter::repeat_n(Bytes::new(), 5_000));
    let ended = replay.run(leaves.map(Ok::<_, &str>), |_| {});
    assert!(matches!(ended, Err(ReplayError::Panicked)), "{ended:?}");
}
