//! Subscriptions: from some index on every entry that a filter lets through, first those on
//! record, then each new one as it is recorded.
//!
//! A subscription is a place in the ledger that moves forwards: everything below it has been
//! considered, and what the filter let through has been put on its way, in order and once. At
//! the head it waits for the next; behind it, it reads on. It is the same loop: one that falls
//! behind catches up again. The mark that says "caught up" is sent once.
//!
//! Many subscriptions cost no more reads than one. Those at the head share the frames that the
//! ledger keeps as it publishes them and read nothing. Those that read the past take turns,
//! [`TURNS_MAX`] at a time and first come, first served, so that those who began together stay
//! together and share what one of them has read.
//!
//! Whatever ends a subscription names the index to resume from, so that nothing is missed and
//! nothing comes twice: the [`outbox`] sees to it that this is also true of a client that does
//! not keep up.

mod outbox;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

pub use outbox::Outgoing;
use outbox::{Ended, Outbox};

use super::proto::subscribe_response::Message;
use super::{Failure, Reason, blocking, convert, proto};
use crate::ledger::{DecodedFrame, Head, ReadError, Reader};
use crate::record::{Entry, EntryFilter, subjects};

/// How many subscriptions read the past at a time: enough to keep a disk and two cores busy.
/// The others wait for their turn.
const TURNS_MAX: usize = 4;

/// A turn ends once the entries that it considered have so many bytes, 256 KiB and at most one
/// frame more, or came out of so many frames: some milliseconds of work.
const TURN_BYTES: usize = 256 << 10;

/// See [`TURN_BYTES`].
const TURN_FRAMES_MAX: usize = 64;

/// Bounds of subscriptions.
#[derive(Clone, Copy, Debug)]
pub struct SubscriptionLimits {
    /// How many are open at a time.
    pub open_max: usize,
    /// After how long without a message the client is told that the subscription lives.
    pub heartbeat: Duration,
    /// How long a client may take none of what waits for it.
    pub slow_after: Duration,
}

/// What a client asked to follow.
pub struct Wanted {
    /// The first index to consider; none for what comes after the head.
    pub start: Option<u64>,
    /// Which entries to send.
    pub filter: EntryFilter,
    /// With their records decoded.
    pub decode: bool,
}

/// All subscriptions to one ledger.
pub struct Subscriptions {
    reader: Reader,
    limits: SubscriptionLimits,
    /// A place for each that is open.
    places: Arc<Semaphore>,
    /// A place for each that reads the past.
    turns: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
}

impl Subscriptions {
    /// Subscriptions to a ledger, until `stopping` is true.
    pub fn new(
        reader: Reader,
        limits: SubscriptionLimits,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let open_max = limits.open_max.min(Semaphore::MAX_PERMITS);
        Self {
            reader,
            limits,
            places: Arc::new(Semaphore::new(open_max)),
            turns: Arc::new(Semaphore::new(TURNS_MAX)),
            stopping,
        }
    }

    /// Opens a subscription, which ends when what it sends is dropped.
    pub fn open(&self, wanted: Wanted) -> Result<Outgoing, Failure> {
        let heads = self.reader.watch();
        let size = self.reader.head().size;
        let next = wanted.start.unwrap_or(size);
        if next > size {
            let message = format!("{next} lies beyond the ledger, which has {size} entries");
            let accepted = format!("at most {size}, which is the next entry; or no start");
            return Err(Failure::at(
                Reason::BeyondTheHead,
                "start",
                message,
                accepted,
            ));
        }
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| {
            let message = format!("{} subscriptions are open", self.limits.open_max);
            Failure::new(Reason::Overloaded, message)
        })?;
        let (outbox, outgoing) = outbox::channel(self.limits.slow_after, place);
        let subscription = Subscription {
            reader: self.reader.clone(),
            heads,
            wanted,
            next,
            considered: None,
            caught_up: false,
            heartbeat: self.limits.heartbeat,
            sent_at: Instant::now(),
            outbox,
            turns: Arc::clone(&self.turns),
            stopping: self.stopping.clone(),
        };
        tokio::spawn(subscription.run());
        Ok(outgoing)
    }
}

/// One subscription.
struct Subscription {
    reader: Reader,
    heads: watch::Receiver<Head>,
    wanted: Wanted,
    /// Everything below has been considered, and sent where it is wanted.
    next: u64,
    /// The ledger up to `next`, where a frame ends there.
    considered: Option<Head>,
    caught_up: bool,
    heartbeat: Duration,
    /// When the last message was put on its way.
    sent_at: Instant,
    outbox: Outbox,
    turns: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
}

impl Subscription {
    async fn run(mut self) {
        let mut stopping = self.stopping.clone();
        let ended = tokio::select! {
            biased;
            // An error means that nobody can tell any more: that is a reason to stop, too.
            _ = stopping.wait_for(|stopping| *stopping) => {
                Ended::Failed(Failure::new(Reason::Stopping, "the daemon is stopping"))
            }
            ended = self.follow() => ended,
        };
        match ended {
            Ended::Gone => {}
            Ended::Failed(failure) => self.outbox.end(failure.resume_from(self.next)),
            Ended::Slow => {
                let failure = self.outbox.slow();
                tracing::info!(
                    resume_from = self.next,
                    "a subscriber was dropped that takes no messages"
                );
                self.outbox.end(failure.resume_from(self.next));
            }
        }
    }

    /// Sends what is wanted, for as long as it can.
    async fn follow(&mut self) -> Ended {
        loop {
            let head = *self.heads.borrow_and_update();
            let gone_on = if self.next < head.size {
                self.go_on(head.size).await
            } else {
                self.wait(head).await
            };
            if let Err(ended) = gone_on {
                return ended;
            }
        }
    }

    /// Considers some of the entries below `end`.
    async fn go_on(&mut self, end: u64) -> Result<(), Ended> {
        let stretch = self.read(end).await?;
        for entry in stretch.entries {
            self.next = entry.index;
            let message = convert::ledger_entry(&entry, self.wanted.decode);
            let bytes = entry.encoded.len() * if self.wanted.decode { 2 } else { 1 };
            self.send(Message::Entry(message), bytes).await?;
        }
        self.next = stretch.head.size;
        self.considered = Some(stretch.head);
        if self.sent_at.elapsed() >= self.heartbeat {
            self.send_heartbeat().await?;
        }
        // What is kept is considered without ever waiting.
        tokio::task::consume_budget().await;
        Ok(())
    }

    /// Waits for an entry after the head.
    async fn wait(&mut self, head: Head) -> Result<(), Ended> {
        if !self.caught_up {
            self.caught_up = true;
            self.considered = Some(head);
            self.send(Message::CaughtUp(convert::head(&head)), 0)
                .await?;
        }
        tokio::select! {
            // The reader, and so the sender, lives as long as this.
            _ = self.heads.changed() => Ok(()),
            () = self.outbox.gone() => Err(Ended::Gone),
            () = tokio::time::sleep_until(self.sent_at + self.heartbeat) => {
                self.send_heartbeat().await
            }
        }
    }

    async fn send_heartbeat(&mut self) -> Result<(), Ended> {
        let Some(head) = self.considered else {
            return Ok(());
        };
        self.send(Message::Heartbeat(convert::head(&head)), 0).await
    }

    async fn send(&mut self, message: Message, bytes: usize) -> Result<(), Ended> {
        let response = proto::SubscribeResponse {
            message: Some(message),
        };
        self.outbox.send(response, bytes).await?;
        self.sent_at = Instant::now();
        Ok(())
    }

    /// The wanted entries of the next stretch of the ledger, which lies below `end`.
    async fn read(&self, end: u64) -> Result<Stretch, Ended> {
        if let Some(frame) = self.reader.kept_frame_at(self.next) {
            return Ok(Stretch::of(&frame, self.next, &self.wanted.filter));
        }
        let turns = Arc::clone(&self.turns);
        let turn = tokio::select! {
            turn = turns.acquire_owned() => turn,
            () = self.outbox.gone() => return Err(Ended::Gone),
        };
        let (reader, next, filter) = (self.reader.clone(), self.next, self.wanted.filter.clone());
        let read = blocking(move || {
            let _turn = turn;
            Ok(Stretch::read(&reader, next, end, &filter)?)
        });
        read.await.map_err(Ended::Failed)
    }
}

/// What is wanted of some stretch of the ledger.
struct Stretch {
    entries: Vec<Arc<Entry>>,
    /// The ledger up to its end.
    head: Head,
}

impl Stretch {
    /// From `next` to the end of the frame that holds it.
    fn of(frame: &DecodedFrame, next: u64, filter: &EntryFilter) -> Self {
        let entries = frame.entries.iter();
        let wanted = |entry: &&Arc<Entry>| {
            let matches = || filter.matches(&subjects(entry));
            entry.index >= next && (filter.is_everything() || matches())
        };
        let entries = entries.filter(wanted);
        Self {
            entries: entries.cloned().collect(),
            head: Head {
                size: frame.next_index(),
                root: frame.root_after,
                recorded_at: Some(frame.recorded_at),
            },
        }
    }

    /// From `next`, which lies below `end`, to the end of a turn or of the ledger's `end`
    /// entries.
    fn read(reader: &Reader, next: u64, end: u64, filter: &EntryFilter) -> Result<Self, ReadError> {
        let frame_at = |index| {
            let frame = reader.frame_at(index)?;
            frame.ok_or(ReadError::Missing { index })
        };
        let frame = frame_at(next)?;
        let mut stretch = Self::of(&frame, next, filter);
        let (mut bytes, mut frames) = (bytes(&frame), 1);
        while stretch.head.size < end && bytes < TURN_BYTES && frames < TURN_FRAMES_MAX {
            let frame = frame_at(stretch.head.size)?;
            let more = Self::of(&frame, stretch.head.size, filter);
            stretch.entries.extend(more.entries);
            stretch.head = more.head;
            bytes += self::bytes(&frame);
            frames += 1;
        }
        Ok(stretch)
    }
}

fn bytes(frame: &DecodedFrame) -> usize {
    frame.entries.iter().map(|entry| entry.encoded.len()).sum()
}
