//! `LedgerService`: the entries as they stand, byte for byte, up to the newest durable head.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::filter::entry_filter;
use super::proto::get_entry_request::Entry as Which;
use super::proto::ledger_service_server::LedgerService;
use super::proto::{
    EntryFilter, GetCheckpointRequest, GetCheckpointResponse, GetConsistencyProofRequest,
    GetConsistencyProofResponse, GetEntryRequest, GetEntryResponse, GetHeadRequest,
    GetHeadResponse, GetInclusionProofRequest, GetInclusionProofResponse, ReadEntriesRequest,
    ReadEntriesResponse, ReadOrder, SubscribeRequest,
};
use super::subscription::{Outgoing, Subscriptions, Wanted};
use super::{Failure, Reason, blocking, convert, not_offered, parse};
use crate::admission;
use crate::ledger::{AdmissionTables, Reader};
use crate::record::{ContentId, Entry};

/// A message of entries ends once it has so many bytes: 1 MiB, and at most one frame more,
/// which leaves it below the 4 MiB that clients take by default, also with records decoded:
/// `2 × (1 MiB + 123,326)`.
const MESSAGE_BYTES: usize = 1 << 20;

/// How many messages of one stream wait for the client to take them.
const MESSAGES_WAITING: usize = 2;

/// The service.
pub struct Entries {
    reader: Reader,
    /// Where the index of a record stands.
    records: AdmissionTables,
    subscriptions: Subscriptions,
    wait_max: Duration,
}

impl Entries {
    /// The service over a ledger, which finds records by id in admission's state.
    pub const fn new(
        reader: Reader,
        records: AdmissionTables,
        subscriptions: Subscriptions,
        wait_max: Duration,
    ) -> Self {
        Self {
            reader,
            records,
            subscriptions,
            wait_max,
        }
    }

    /// The index of a record that is on record.
    fn index_of(&self, record_id: &str) -> Result<u64, Failure> {
        let id: ContentId = parse("recordId", record_id)?;
        // The state runs ahead of the head by a frame.
        let size = self.reader.head().size;
        let index = admission::index_of(&self.records, &id)?;
        index.filter(|index| *index < size).ok_or_else(|| {
            Failure::unknown(Reason::UnknownRecord, "recordId", record_id, size, size)
        })
    }

    fn entry(&self, index: u64) -> Result<Arc<Entry>, Failure> {
        let entry = self.reader.entry(index)?;
        entry.ok_or_else(|| beyond("index", index, self.reader.head().size))
    }
}

type Messages = Pin<Box<dyn Stream<Item = Result<ReadEntriesResponse, Status>> + Send>>;

#[tonic::async_trait]
impl LedgerService for Entries {
    async fn get_head(
        &self,
        request: Request<GetHeadRequest>,
    ) -> Result<Response<GetHeadResponse>, Status> {
        let size = request.into_inner().at_least_size;
        let grown = tokio::time::timeout(self.wait_max, self.reader.wait_for_size(size)).await;
        let head = grown.map_err(|_| not_that_large(size, self.reader.head().size))?;
        Ok(Response::new(GetHeadResponse {
            head: Some(convert::head(&head)),
            origin: self.reader.origin().to_owned(),
        }))
    }

    async fn get_entry(
        &self,
        request: Request<GetEntryRequest>,
    ) -> Result<Response<GetEntryResponse>, Status> {
        let request = request.into_inner();
        let index = match &request.entry {
            Some(Which::Index(index)) => *index,
            Some(Which::RecordId(record_id)) => self.index_of(record_id)?,
            None => Err(Failure::invalid(
                "index",
                "no entry is named",
                "an index, or a recordId",
            ))?,
        };
        let entry = self.entry(index)?;
        Ok(Response::new(GetEntryResponse {
            entry: Some(convert::ledger_entry(&entry, request.decode)),
        }))
    }

    type ReadEntriesStream = Messages;

    async fn read_entries(
        &self,
        request: Request<ReadEntriesRequest>,
    ) -> Result<Response<Messages>, Status> {
        let request = request.into_inner();
        let size = self.reader.head().size;
        let start = range_start(&request, size)?;
        let end = match request.limit {
            0 => size,
            limit => start.saturating_add(limit).min(size),
        };
        let (messages, sent) = mpsc::channel(MESSAGES_WAITING);
        let reader = self.reader.clone();
        tokio::spawn(send_range(reader, start, end, request.decode, messages));
        Ok(Response::new(Box::pin(ReceiverStream::new(sent))))
    }

    type SubscribeStream = Outgoing;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Outgoing>, Status> {
        let request = request.into_inner();
        let outgoing = self.subscriptions.open(Wanted {
            start: request.start,
            filter: entry_filter(request.filter)?,
            decode: request.decode,
        })?;
        Ok(Response::new(outgoing))
    }

    async fn get_checkpoint(
        &self,
        _: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        Err(not_offered("GetCheckpoint"))
    }

    async fn get_inclusion_proof(
        &self,
        _: Request<GetInclusionProofRequest>,
    ) -> Result<Response<GetInclusionProofResponse>, Status> {
        Err(not_offered("GetInclusionProof"))
    }

    async fn get_consistency_proof(
        &self,
        _: Request<GetConsistencyProofRequest>,
    ) -> Result<Response<GetConsistencyProofResponse>, Status> {
        Err(not_offered("GetConsistencyProof"))
    }
}

/// Where a range begins that this release can read: forwards and unfiltered.
fn range_start(request: &ReadEntriesRequest, size: u64) -> Result<u64, Failure> {
    match ReadOrder::try_from(request.order) {
        Ok(ReadOrder::Unspecified | ReadOrder::Forwards) => {}
        Ok(ReadOrder::Backwards) => {
            return Err(Failure::unimplemented(
                "order",
                "this release reads forwards only",
            ));
        }
        Err(_) => {
            let message = format!("{} has no meaning", request.order);
            return Err(Failure::invalid("order", message, "READ_ORDER_FORWARDS"));
        }
    }
    let unfiltered = EntryFilter::default();
    if request.filter.as_ref().unwrap_or(&unfiltered) != &unfiltered {
        return Err(Failure::unimplemented(
            "filter",
            "this release reads all entries of a range",
        ));
    }
    let start = request.start.unwrap_or(0);
    if start > size {
        return Err(beyond("start", start, size));
    }
    Ok(start)
}

/// Sends the entries of a range, message by message, as fast as the client takes them.
async fn send_range(
    reader: Reader,
    mut start: u64,
    end: u64,
    decode: bool,
    messages: mpsc::Sender<Result<ReadEntriesResponse, Status>>,
) {
    while start < end {
        // No thread is held while a slow client takes its time.
        let Ok(place) = messages.reserve().await else {
            return;
        };
        let reader = reader.clone();
        let read = blocking(move || read_message(&reader, start, end, decode)).await;
        match read {
            Ok(message) => {
                start += message.entries.len() as u64;
                place.send(Ok(message));
            }
            Err(failure) => {
                place.send(Err(failure.into()));
                return;
            }
        }
    }
}

/// The next entries of a range: at least one.
fn read_message(
    reader: &Reader,
    start: u64,
    end: u64,
    decode: bool,
) -> Result<ReadEntriesResponse, Failure> {
    let mut entries = Vec::new();
    let (mut next, mut bytes) = (start, 0);
    while next < end && bytes < MESSAGE_BYTES {
        let frame = reader.frame_at(next)?;
        let frame = frame.ok_or_else(|| beyond("start", next, reader.head().size))?;
        for index in next..frame.next_index().min(end) {
            let entry = frame
                .entry(index)
                .ok_or_else(|| Failure::defect(format!("entry {index} is not in its frame")))?;
            bytes += entry.encoded.len();
            entries.push(convert::ledger_entry(entry, decode));
        }
        next = frame.next_index();
    }
    Ok(ReadEntriesResponse { entries })
}

fn beyond(field: &str, index: u64, size: u64) -> Failure {
    Failure::at(
        Reason::BeyondTheHead,
        field,
        format!("{index} lies beyond the ledger, which has {size} entries"),
        format!("at most {}", size.saturating_sub(1)),
    )
}

fn not_that_large(size: u64, found: u64) -> Failure {
    Failure::at(
        Reason::NotYet,
        "atLeastSize",
        format!("the ledger has {found} entries and did not grow to {size} in time"),
        "the same call again, or a smaller size",
    )
}
