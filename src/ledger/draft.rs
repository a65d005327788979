//! A frame in the making: records are judged one by one, each at its place in the ledger;
//! those that enter are folded and hashed at once, so that the next is judged by them too.

use std::num::NonZeroU32;
use std::sync::Arc;

use prost::Message as _;

use super::clock::{Clock, ClockJump, ClockWatch};
use super::frame::{FrameBody, FrameHash};
use super::job::{Job, Slot};
use super::outcome::Outcome;
use super::reader::{DecodedFrame, Head, Reader};
use super::state::AdmissionState;
use super::tail::Tail;
use crate::admission::{self, Below, BelowError, Documents, Prepared, Reason, Refusal, Verdict};
use crate::fold::{Changes, Fold as _, FoldError, Overlay};
use crate::merkle::{Frontier, leaf_hash};
use crate::record::{ENTRY_BYTES_MAX, Entry, Micros};

/// The most that an entry adds to its envelope, in bytes: a tag and a length before the
/// envelope, 4; before the timestamp, 2; in it two tags, 10 of seconds and 5 of nanoseconds.
const ENTRY_OVERHEAD_BYTES: usize = 4 + 2 + 2 + 10 + 5;

/// What judging needs besides the state.
pub(super) struct Bench {
    pub clock: Arc<dyn Clock>,
    pub watch: ClockWatch,
    pub documents: Arc<dyn Documents + Send + Sync>,
    /// The entries that are durable.
    pub reader: Reader,
    /// The frame that is on its way to the disk, if one is.
    pub on_its_way: Option<Arc<DecodedFrame>>,
}

/// The entries below the end of a frame in the making.
struct BelowEnd<'a> {
    bench: &'a Bench,
    drafted: &'a [Arc<Entry>],
}

impl Below for BelowEnd<'_> {
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError> {
        let drafted = self.drafted.iter().find(|entry| entry.index == index);
        let sealed = || self.bench.on_its_way.as_ref()?.entry(index);
        if let Some(entry) = drafted.or_else(sealed) {
            return Ok(Arc::clone(entry));
        }
        match self.bench.reader.entry(index) {
            Ok(Some(entry)) => Ok(entry),
            Ok(None) => Err(BelowError(format!("entry {index} is not on record"))),
            Err(error) => Err(BelowError(error.to_string())),
        }
    }
}

/// A frame in the making. See the module.
pub(super) struct Draft {
    /// The frontier and times that it follows, then the frontier after its last entry.
    frontier: Frontier,
    after: Option<Micros>,
    /// The time of all its entries, or why there is none; read with the first record.
    time: Option<Result<Micros, ClockJump>>,
    body: FrameBody,
    entries: Vec<Arc<Entry>>,
    /// What its entries change in the admission state.
    pub changes: Changes,
}

/// A frame that is ready for the disk, and what follows once it is on it.
pub(super) struct Sealed {
    /// How many entries it holds.
    pub count: NonZeroU32,
    /// The head that it leads to.
    pub head: Head,
    /// The frontier of that head.
    pub frontier: Frontier,
    /// Its entries, for readers.
    pub frame: Arc<DecodedFrame>,
    /// What its entries change in the admission state.
    pub changes: Changes,
}

impl Draft {
    /// A frame to follow `tail`.
    pub fn after(tail: &Tail) -> Self {
        Self {
            frontier: tail.frontier.clone(),
            after: tail.recorded_at,
            time: None,
            body: FrameBody::default(),
            entries: Vec::new(),
            changes: Changes::new(),
        }
    }

    /// Whether it holds entries.
    pub const fn has_entries(&self) -> bool {
        !self.entries.is_empty()
    }

    /// The time of its entries, if it has taken one.
    pub fn time(&self) -> Option<Micros> {
        self.time?.ok()
    }

    /// Judges the records of a job, as long as those that enter find room; whether all have
    /// been judged. `state` shows everything that the entries so far say.
    pub fn judge(
        &mut self,
        job: &mut Job,
        state: &mut Overlay<'_>,
        bench: &Bench,
    ) -> Result<bool, FoldError> {
        while let Some(record) = job.records.front() {
            let slot = match record {
                Err(refusal) => Slot::Settled(Outcome::Refused(refusal.clone())),
                Ok(prepared) => match self.verdict(prepared, state, bench)? {
                    Judgement::Settled(outcome) => Slot::Settled(outcome),
                    Judgement::Enters(_) if !self.has_room(prepared) => return Ok(false),
                    Judgement::Enters(time) => match job.records.pop_front() {
                        Some(Ok(prepared)) => {
                            job.slots.push(self.enter(prepared, time, state)?);
                            continue;
                        }
                        // The front is what was judged.
                        _ => return Ok(true),
                    },
                },
            };
            job.records.pop_front();
            job.slots.push(slot);
        }
        Ok(true)
    }

    fn verdict(
        &mut self,
        prepared: &Prepared,
        state: &Overlay<'_>,
        bench: &Bench,
    ) -> Result<Judgement, FoldError> {
        let after = self.after;
        let time = *self.time.get_or_insert_with(|| {
            let read = |last| bench.watch.read(&*bench.clock, last);
            bench.reader.take_time(after, read)
        });
        // What is on record is answered whatever the clock says.
        let at = time.unwrap_or(after.unwrap_or(Micros(0)));
        let index = self.frontier.size();
        let below = BelowEnd {
            bench,
            drafted: &self.entries,
        };
        let verdict = admission::judge(state, &*bench.documents, &below, prepared, index, at)?;
        let outcome = match (verdict, time) {
            (
                Verdict::AlreadyRecorded {
                    index,
                    signatures_on_record,
                },
                _,
            ) => Outcome::AlreadyRecorded {
                index,
                record_id: prepared.record_id,
                signatures_on_record,
            },
            (_, Err(jump)) => Outcome::Refused(clock_jumped(jump)),
            (Verdict::Refuse(refusal), Ok(_)) => Outcome::Refused(refusal),
            (Verdict::Admit, Ok(time)) => {
                let bytes = prepared.envelope.encoded_len() + ENTRY_OVERHEAD_BYTES;
                if bytes <= ENTRY_BYTES_MAX {
                    return Ok(Judgement::Enters(time));
                }
                Outcome::Refused(too_large(bytes))
            }
        };
        Ok(Judgement::Settled(outcome))
    }

    fn has_room(&self, prepared: &Prepared) -> bool {
        self.body
            .has_room(prepared.envelope.encoded_len() + ENTRY_OVERHEAD_BYTES)
    }

    /// Takes a record in, at the end.
    fn enter(
        &mut self,
        prepared: Prepared,
        time: Micros,
        state: &mut Overlay<'_>,
    ) -> Result<Slot, FoldError> {
        let Prepared {
            record_id,
            record,
            envelope,
            ..
        } = prepared;
        let index = self.frontier.size();
        let entry = Entry::new(index, time, record_id, record, envelope);
        state.add(AdmissionState::FOLD.fold(state, &entry)?);
        if !self.body.push(&entry.encoded) {
            return Err(FoldError::Entry {
                index,
                problem: "it is larger than its bound".to_owned(),
            });
        }
        self.frontier.push(leaf_hash(&entry.encoded));
        self.entries.push(Arc::new(entry));
        Ok(Slot::Entered { index, record_id })
    }

    /// The frame of these entries, to follow `tail`, and its bytes; moves `tail` behind it. None
    /// without an entry.
    pub fn seal(self, tail: &mut Tail, epoch: u64) -> Option<(Sealed, Vec<u8>)> {
        let count = self.body.count()?;
        let recorded_at = self.time?.ok()?;
        let root = self.frontier.root();
        let header = tail.header(epoch, count, recorded_at, root);
        let bytes = self.body.seal(&header);
        *tail = Tail {
            frontier: self.frontier.clone(),
            recorded_at: Some(recorded_at),
            previous: FrameHash::of(&bytes),
            epoch,
        };
        let frame = DecodedFrame {
            first_index: header.first_index,
            entries: self.entries,
            root_after: root,
            recorded_at,
        };
        let sealed = Sealed {
            count,
            head: tail.head(),
            frontier: self.frontier,
            frame: Arc::new(frame),
            changes: self.changes,
        };
        Some((sealed, bytes))
    }
}

/// A record at its place.
enum Judgement {
    /// It does not enter.
    Settled(Outcome),
    /// It enters, at this time.
    Enters(Micros),
}

fn clock_jumped(jump: ClockJump) -> Refusal {
    Refusal::new(
        Reason::ClockJumped,
        "",
        jump.to_string(),
        "the same record, once the clock is right again or the daemon was restarted",
    )
}

fn too_large(bytes: usize) -> Refusal {
    Refusal::new(
        Reason::RecordTooLarge,
        "",
        format!("with its signatures the record takes {bytes} bytes"),
        format!("at most {ENTRY_BYTES_MAX}"),
    )
}
