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

mod line;
mod outbox;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};

pub use line::{Follow, Line, follow};
pub use outbox::{Ended, Outgoing};

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

/// All subscriptions to one ledger, to its entries and to what follows from them. Clones are the
/// same.
#[derive(Clone)]
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
    pub fn open(&self, wanted: Wanted) -> Result<Outgoing<proto::SubscribeResponse>, Failure> {
        let heads = self.reader.watch();
        let next = self.beginning(wanted.start)?;
        let (line, outgoing) = self.line()?;
        let subscription = Subscription {
            reader: self.reader.clone(),
            heads,
            wanted,
            next,
            considered: None,
            caught_up: false,
            line,
            turns: Arc::clone(&self.turns),
        };
        tokio::spawn(follow(subscription, self.stopping.clone()));
        Ok(outgoing)
    }

    /// The first index to consider: `start`, which is none beyond the ledger, or without one the
    /// next that will be.
    pub fn beginning(&self, start: Option<u64>) -> Result<u64, Failure> {
        let size = self.reader.head().size;
        let next = start.unwrap_or(size);
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
        Ok(next)
    }

    /// A line to one subscriber more, if there is a place for it.
    pub fn line<T>(&self) -> Result<(Line<T>, Outgoing<T>), Failure> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| {
            let message = format!("{} subscriptions are open", self.limits.open_max);
            Failure::new(Reason::Overloaded, message)
        })?;
        let (outbox, outgoing) = outbox::channel(self.limits.slow_after, place);
        Ok((Line::new(outbox, self.limits.heartbeat), outgoing))
    }

    /// The ledger that is followed.
    pub const fn ledger(&self) -> &Reader {
        &self.reader
    }

    /// Becomes true when subscriptions are to end.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.clone()
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
    line: Line<proto::SubscribeResponse>,
    turns: Arc<Semaphore>,
}

impl Follow for Subscription {
    type Message = proto::SubscribeResponse;

    /// Considers some of the entries below the head, or waits for one.
    async fn go_on(&mut self) -> Result<(), Ended> {
        let head = *self.heads.borrow_and_update();
        if self.next < head.size {
            self.consider(head.size).await
        } else {
            self.wait(head).await
        }
    }

    fn next(&self) -> u64 {
        self.next
    }

    fn into_line(self) -> Line<proto::SubscribeResponse> {
        self.line
    }
}

impl Subscription {
    /// Considers some of the entries below `end`.
    async fn consider(&mut self, end: u64) -> Result<(), Ended> {
        let stretch = self.read(end).await?;
        for entry in stretch.entries {
            self.next = entry.index;
            let message = convert::ledger_entry(&entry, self.wanted.decode);
            let bytes = entry.encoded.len() * if self.wanted.decode { 2 } else { 1 };
            self.send(Message::Entry(message), bytes).await?;
        }
        self.next = stretch.head.size;
        self.considered = Some(stretch.head);
        if self.line.is_silent() {
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
            () = self.line.gone() => Err(Ended::Gone),
            () = self.line.silence() => self.send_heartbeat().await,
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
        self.line.send(response, bytes).await
    }

    /// The wanted entries of the next stretch of the ledger, which lies below `end`.
    async fn read(&self, end: u64) -> Result<Stretch, Ended> {
        if let Some(frame) = self.reader.kept_frame_at(self.next) {
            return Ok(Stretch::of(&frame, self.next, &self.wanted.filter));
        }
        let turns = Arc::clone(&self.turns);
        let turn = tokio::select! {
            turn = turns.acquire_owned() => turn,
            () = self.line.gone() => return Err(Ended::Gone),
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
