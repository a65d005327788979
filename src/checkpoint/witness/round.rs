//! Who is asked to cosign what, and when: a state that is moved by hand.
//!
//! Checkpoints come faster than some witnesses answer, and a quorum has to cosign the same one.
//! So witnesses are asked in rounds: a round is about one checkpoint, and the next begins, with
//! the newest that is published then, once a quorum has cosigned or everybody has answered who
//! is not late from before. A witness that failed waits, each time twice as long, up to a
//! bound, and holds nobody up meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use super::answer::{Refused, moment};
use crate::checkpoint::published::PublishedNote;
use crate::merkle::{CosignatureTime, NoteSignature, SignedNote, WitnessKey, WitnessPolicy};
use crate::record::Micros;

/// How long a witness that failed once is left alone.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// How long one that fails again and again is left alone at most.
const AGAIN_AFTER_MAX: Duration = Duration::from_mins(5);

/// How many signatures a note has at most: what every reader of signed notes accepts.
const NOTE_SIGNATURES_ALL_READ: usize = 16;

/// A witness that can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// Its key.
    pub key: WitnessKey,
    /// Where it is.
    pub url: String,
}

/// How a witness is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WitnessStatus {
    /// Its verifier key, with its name.
    pub key: WitnessKey,
    /// Where it is asked; none if the settings do not say.
    pub url: Option<String>,
    /// Whether the archive's newest policy names it.
    pub is_named: bool,
    /// The size of the newest checkpoint that it is known to have seen; 0 for none.
    pub size: u64,
    /// When it cosigned last, by its own clock.
    pub cosigned_at: Option<Micros>,
    /// Why it did not cosign when it was asked last; none if it did, or was never asked.
    pub error: Option<String>,
}

/// The witnesses, and the round that is under way.
#[derive(Debug)]
pub struct Cosigning {
    seats: Vec<Seat>,
    policy: WitnessPolicy,
    round: Option<Round>,
    /// How often a witness is asked at most.
    pace: Duration,
}

#[derive(Debug)]
struct Seat {
    witness: Witness,
    is_named: bool,
    size: u64,
    cosigned_at: Option<CosignatureTime>,
    error: Option<String>,
    failures: u32,
    /// When it may be asked again, by the clock of this run.
    not_before: Duration,
    /// The size of the checkpoint that it cosigned last in this run.
    done: u64,
}

#[derive(Debug)]
struct Round {
    note: SignedNote,
    published: PublishedNote,
    /// Who has not answered.
    awaited: BTreeSet<usize>,
}

/// A checkpoint that a witness is to be asked to cosign.
#[derive(Clone, Debug)]
pub struct Errand {
    /// The note, with the signatures that it has.
    pub note: SignedNote,
    /// Its size.
    pub size: u64,
    /// What the witness is believed to have seen last.
    pub old: u64,
    /// When it was begun.
    begun: Duration,
}

/// What a witness's thread is to do.
#[derive(Clone, Debug)]
pub enum Todo {
    /// Ask it.
    Ask(Box<Errand>),
    /// Look again at this time, or once there is news.
    At(Duration),
    /// Look again once there is news.
    Later,
}

impl Cosigning {
    /// Nobody has been asked yet. Each of `witnesses` is asked once in `pace` at most.
    pub fn new(witnesses: Vec<Witness>, pace: Duration) -> Self {
        let seat = |witness| Seat {
            witness,
            is_named: false,
            size: 0,
            cosigned_at: None,
            error: None,
            failures: 0,
            not_before: Duration::ZERO,
            done: 0,
        };
        Self {
            seats: witnesses.into_iter().map(seat).collect(),
            policy: WitnessPolicy::nobody(),
            round: None,
            pace,
        }
    }

    /// Who has to cosign in this round.
    pub const fn policy(&self) -> &WitnessPolicy {
        &self.policy
    }

    /// Whether the next round is due, as `newest` is what is published.
    pub fn is_due(&self, newest: &PublishedNote) -> bool {
        self.round.as_ref().is_none_or(|round| {
            let is_over = round.awaited.is_empty() || round.published.witnessed_at.is_some();
            is_over && round.published.size < newest.size
        })
    }

    /// Begins the next round, about `newest`, under `policy`.
    pub fn begin(&mut self, newest: &PublishedNote, policy: WitnessPolicy, now: Duration) {
        let Ok(note) = SignedNote::parse(newest.note.as_bytes()) else {
            // The signer makes notes that can be read.
            return;
        };
        let mut awaited = BTreeSet::new();
        for (place, seat) in self.seats.iter_mut().enumerate() {
            seat.is_named = policy.keys().contains(seat.witness.key.note_key());
            let is_late = seat.failures > 0 && now < seat.not_before;
            if seat.is_named && !is_late {
                awaited.insert(place);
            }
        }
        self.policy = policy;
        self.round = Some(Round {
            note,
            published: newest.clone(),
            awaited,
        });
    }

    /// What the thread of the witness at `seat` is to do.
    pub fn todo(&self, seat: usize, now: Duration) -> Todo {
        let (Some(seat), Some(round)) = (self.seats.get(seat), &self.round) else {
            return Todo::Later;
        };
        let size = round.published.size;
        if !seat.is_named || size <= seat.done || size < seat.size {
            return Todo::Later;
        }
        if now < seat.not_before {
            return Todo::At(seat.not_before);
        }
        Todo::Ask(Box::new(Errand {
            note: round.note.clone(),
            size,
            old: seat.size,
            begun: now,
        }))
    }

    /// The witness is known to have seen `size` entries.
    pub fn has_seen(&mut self, seat: usize, size: u64) {
        if let Some(seat) = self.seats.get_mut(seat) {
            seat.size = size;
        }
    }

    /// Takes what came of an errand; the note as it is to be published from here on, if a
    /// cosignature joined it.
    pub fn done(
        &mut self,
        place: usize,
        errand: &Errand,
        outcome: Result<(NoteSignature, CosignatureTime), Refused>,
        now: Duration,
    ) -> Option<PublishedNote> {
        let seat = self.seats.get_mut(place)?;
        let round = self.round.as_mut()?;
        let (signature, time) = match outcome {
            Ok(cosigned) => cosigned,
            Err(refused) => {
                let doubled = AGAIN_AFTER.saturating_mul(1 << seat.failures.min(16));
                seat.not_before = now + doubled.min(AGAIN_AFTER_MAX);
                seat.failures = seat.failures.saturating_add(1);
                seat.error = Some(refused.to_string());
                round.awaited.remove(&place);
                return None;
            }
        };
        seat.not_before = errand.begun + self.pace;
        seat.failures = 0;
        seat.error = None;
        seat.size = errand.size;
        seat.done = errand.size;
        seat.cosigned_at = Some(time);
        if round.published.size != errand.size {
            // It was late: the round that it answered is over.
            return None;
        }
        round.awaited.remove(&place);
        if round.note.signatures().len() >= NOTE_SIGNATURES_ALL_READ {
            return None;
        }
        let joined = round.note.clone().with(vec![signature]).ok()?;
        let witnessed = self.policy.witnessed(&joined).ok()?;
        round.note = joined;
        round.published.note = round.note.to_string();
        round.published.witnessed_at = witnessed.time.and_then(moment);
        Some(round.published.clone())
    }

    /// How each witness is: those that can be asked, and those that `policy` names and that
    /// cannot.
    pub fn status(&self, policy: &WitnessPolicy) -> Vec<WitnessStatus> {
        let asked = self.seats.iter().map(|seat| WitnessStatus {
            key: seat.witness.key.clone(),
            url: Some(seat.witness.url.clone()),
            is_named: policy.keys().contains(seat.witness.key.note_key()),
            size: seat.size,
            cosigned_at: seat.cosigned_at.and_then(moment),
            error: seat.error.clone(),
        });
        let has_seat = |key: &&crate::merkle::NoteKey| {
            let mut seats = self.seats.iter();
            seats.any(|seat| seat.witness.key.note_key() == *key)
        };
        let unknown = policy.keys().iter().filter(|key| !has_seat(key));
        let unknown = unknown.map(|key| WitnessStatus {
            key: WitnessKey::new(key.key_name().clone(), *key.key()),
            url: None,
            is_named: true,
            size: 0,
            cosigned_at: None,
            error: None,
        });
        asked.chain(unknown).collect()
    }
}
