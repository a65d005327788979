//! Reading a range of the ledger, forwards or backwards, whole or by what entries are about.
//!
//! The answer is that of the ledger as it was when the call began: what is recorded meanwhile
//! is not part of it. Where everything is wanted, frame follows frame; otherwise the postings
//! name the entries and no other is read. A range is read in turns of bounded work, as fast as
//! the client takes the messages, and no thread is held while it does not.

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::filter::entry_filter;
use super::ledger::beyond;
use super::proto::{ReadEntriesRequest, ReadEntriesResponse, ReadOrder};
use super::views::View;
use super::{Failure, blocking, convert};
use crate::fold::Order;
use crate::ledger::{DecodedFrame, Reader};
use crate::projection::postings::{self, Step};
use crate::record::{Entry, EntryFilter};

/// A message of entries ends once it has so many bytes: 1 MiB, and at most one entry more,
/// which leaves it below the 4 MiB that clients take by default, also with records decoded:
/// `2 × (1 MiB + 65,535)`.
const MESSAGE_BYTES: usize = 1 << 20;

/// A turn ends once it has read so many frames: 256 of at most 120 KB, some 50 ms of decoding
/// where each holds a single entry that is wanted.
const TURN_FRAMES_MAX: usize = 256;

/// A turn ends once it has looked so often at the postings: at some 10 µs a look, 20 ms.
const TURN_LOOKS_MAX: usize = 2_048;

/// How many messages of one stream wait for the client to take them.
const MESSAGES_WAITING: usize = 2;

/// What is sent to the client.
pub type Messages = Pin<Box<dyn Stream<Item = Result<ReadEntriesResponse, Status>> + Send>>;

/// What is to be read.
pub struct Range {
    order: Order,
    filter: EntryFilter,
    decode: bool,
    /// How many entries the ledger had when the call began.
    size: u64,
    /// The next index to consider; none at the end.
    next: Option<u64>,
    /// How many entries may still be sent.
    left: u64,
}

impl Range {
    /// What a request asks for, of a ledger of this size.
    pub fn of(request: ReadEntriesRequest, size: u64) -> Result<Self, Failure> {
        let order = order(request.order)?;
        if let Some(start) = request.start.filter(|start| *start > size) {
            return Err(beyond("start", start, size));
        }
        let newest = size.checked_sub(1);
        let next = match order {
            Order::Ascending => Some(request.start.unwrap_or(0)),
            Order::Descending => newest.min(request.start.or(newest)),
        };
        Ok(Self {
            order,
            filter: entry_filter(request.filter)?,
            decode: request.decode,
            size,
            next: next.filter(|next| *next < size),
            left: match request.limit {
                0 => u64::MAX,
                limit => limit,
            },
        })
    }

    /// Whether all entries of the range are wanted.
    pub fn is_whole(&self) -> bool {
        self.filter.is_everything()
    }

    /// How many entries the ledger had when the call began.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Whether nothing is left to read.
    const fn is_done(&self) -> bool {
        self.left == 0 || self.next.is_none()
    }

    /// Goes on to `index`, if the range reaches as far.
    fn go_to(&mut self, index: Option<u64>) {
        self.next = index.filter(|index| *index < self.size);
    }

    /// Goes on beyond `index`, whose entry is sent.
    fn pass(&mut self, index: u64) {
        self.left = self.left.saturating_sub(1);
        self.go_to(match self.order {
            Order::Ascending => index.checked_add(1),
            Order::Descending => index.checked_sub(1),
        });
    }
}

/// The order that a request names.
pub fn order(number: i32) -> Result<Order, Failure> {
    match ReadOrder::try_from(number) {
        Ok(ReadOrder::Unspecified | ReadOrder::Forwards) => Ok(Order::Ascending),
        Ok(ReadOrder::Backwards) => Ok(Order::Descending),
        Err(_) => Err(Failure::invalid(
            "order",
            format!("{number} has no meaning"),
            "READ_ORDER_FORWARDS or READ_ORDER_BACKWARDS",
        )),
    }
}

/// A range as it is read.
pub struct Reading {
    reader: Reader,
    postings: View,
    range: Range,
}

impl Reading {
    /// The reading of a range.
    pub const fn new(reader: Reader, postings: View, range: Range) -> Self {
        Self {
            reader,
            postings,
            range,
        }
    }

    /// Reads the range, which ends when what is sent is dropped.
    pub fn stream(self) -> Messages {
        let (messages, sent) = mpsc::channel(MESSAGES_WAITING);
        tokio::spawn(self.send(messages));
        Box::pin(ReceiverStream::new(sent))
    }

    async fn send(mut self, messages: mpsc::Sender<Result<ReadEntriesResponse, Status>>) {
        while !self.range.is_done() {
            let Ok(place) = messages.reserve().await else {
                return;
            };
            let turn = blocking(move || {
                let entries = self.turn()?;
                Ok((self, entries))
            });
            match turn.await {
                Ok((reading, entries)) => {
                    self = reading;
                    if !entries.is_empty() {
                        place.send(Ok(ReadEntriesResponse { entries }));
                    }
                }
                Err(failure) => {
                    place.send(Err(failure.into()));
                    return;
                }
            }
        }
    }

    /// The next entries of the range: none where none were found in so much work.
    fn turn(&mut self) -> Result<Vec<super::proto::LedgerEntry>, Failure> {
        let Self {
            reader,
            postings,
            range,
        } = self;
        let mut search = postings::entries(postings.tables(), &range.filter, range.order);
        let mut frames = Frames::new(reader);
        let (mut entries, mut bytes, mut looks) = (Vec::new(), 0, TURN_LOOKS_MAX);
        while let Some(next) = range.next
            && range.left > 0
            && bytes < MESSAGE_BYTES
            && frames.read <= TURN_FRAMES_MAX
        {
            let step = match &mut search {
                Some(search) => search.seek(next, &mut looks)?,
                None => Step::Found(next),
            };
            match step {
                Step::Found(index) if index < range.size => {
                    let entry = frames.entry(index)?;
                    bytes += entry.encoded.len();
                    entries.push(convert::ledger_entry(&entry, range.decode));
                    range.pass(index);
                }
                Step::Paused(index) => {
                    range.go_to(Some(index));
                    break;
                }
                Step::Found(_) | Step::End => range.go_to(None),
            }
        }
        Ok(entries)
    }
}

/// The frames of one turn: entries that lie side by side are decoded once.
struct Frames<'r> {
    reader: &'r Reader,
    last: Option<Arc<DecodedFrame>>,
    /// How many were read.
    read: usize,
}

impl<'r> Frames<'r> {
    const fn new(reader: &'r Reader) -> Self {
        Self {
            reader,
            last: None,
            read: 0,
        }
    }

    fn entry(&mut self, index: u64) -> Result<Arc<Entry>, Failure> {
        let held = self.last.as_ref().and_then(|frame| frame.entry(index));
        if let Some(entry) = held {
            return Ok(Arc::clone(entry));
        }
        self.read += 1;
        self.last = self.reader.frame_at(index)?;
        let entry = self.last.as_ref().and_then(|frame| frame.entry(index));
        let entry = entry.ok_or_else(|| Failure::defect(format!("entry {index} is not read")))?;
        Ok(Arc::clone(entry))
    }
}
