//! `LedgerService`: the entries as they stand, byte for byte, up to the newest durable head.

use std::time::Duration;

use bytes::Bytes;
use tonic::{Request, Response, Status};

use super::evidence::{self, Evidence};
use super::filter::entry_filter;
use super::proofs::Proofs;
use super::proto::get_entry_request::Entry as Which;
use super::proto::get_inclusion_proof_request::Entry as Of;
use super::proto::ledger_service_server::LedgerService;
use super::proto::{
    GetCheckpointRequest, GetCheckpointResponse, GetConsistencyProofRequest,
    GetConsistencyProofResponse, GetEntryRequest, GetEntryResponse, GetHeadRequest,
    GetHeadResponse, GetInclusionProofRequest, GetInclusionProofResponse, LedgerEntry,
    ReadEntriesRequest, SubscribeRequest, SubscribeResponse,
};
use super::reading::{Messages, Range, Reading};
use super::subscription::{Outgoing, Subscriptions, Wanted};
use super::views::{KnownAt, View};
use super::{Failure, Reason, blocking, checkpoints, convert, parse};
use crate::admission;
use crate::checkpoint::Checkpoints;
use crate::ledger::{AdmissionTables, Reader};
use crate::merkle::Hash;
use crate::record::ContentId;

/// What shows that entries are on record.
pub struct Proving {
    /// That they stand where they do.
    pub proofs: Proofs,
    /// That they were admitted.
    pub evidence: Evidence,
    /// What the archive signed of it.
    pub checkpoints: Checkpoints,
}

/// The service.
pub struct Entries {
    reader: Reader,
    /// Where the index of a record stands.
    records: AdmissionTables,
    /// Which entries are about what.
    postings: View,
    proving: Proving,
    subscriptions: Subscriptions,
    wait_max: Duration,
}

impl Entries {
    /// The service over a ledger, which finds records by id in admission's state.
    pub const fn new(
        reader: Reader,
        records: AdmissionTables,
        postings: View,
        proving: Proving,
        subscriptions: Subscriptions,
        wait_max: Duration,
    ) -> Self {
        Self {
            reader,
            records,
            postings,
            proving,
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

    /// An entry as a message: at once if it is kept, or else read and decoded where that holds
    /// nobody up.
    async fn entry(&self, index: u64, decode: bool) -> Result<LedgerEntry, Failure> {
        let kept = self.reader.kept_frame_at(index);
        if let Some(entry) = kept.as_ref().and_then(|frame| frame.entry(index)) {
            return Ok(convert::ledger_entry(entry, decode));
        }
        let reader = self.reader.clone();
        let read = blocking(move || {
            let entry = reader.entry(index)?;
            let entry = entry.ok_or_else(|| beyond("index", index, reader.head().size))?;
            Ok(convert::ledger_entry(&entry, decode))
        });
        read.await
    }
}

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
        let mut answer = GetEntryResponse {
            entry: Some(self.entry(index, request.decode).await?),
            ..GetEntryResponse::default()
        };
        if request.proof {
            let proven = self.proving.evidence.records(vec![index]).await?;
            (answer.bundle, answer.witnessed_at) = (proven.bundle, proven.witnessed_at);
            evidence::fits(&answer)?;
        }
        Ok(Response::new(answer))
    }

    type ReadEntriesStream = Messages;

    async fn read_entries(
        &self,
        request: Request<ReadEntriesRequest>,
    ) -> Result<Response<Messages>, Status> {
        let range = Range::of(request.into_inner(), self.reader.head().size)?;
        if !range.is_whole() {
            let size = range.size();
            self.postings
                .known(KnownAt::size("start", size), size)
                .await?;
        }
        let reading = Reading::new(self.reader.clone(), self.postings.clone(), range);
        Ok(Response::new(reading.stream()))
    }

    type SubscribeStream = Outgoing<SubscribeResponse>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Outgoing<SubscribeResponse>>, Status> {
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
        request: Request<GetCheckpointRequest>,
    ) -> Result<Response<GetCheckpointResponse>, Status> {
        let witnessed = request.get_ref().witnessed;
        let published =
            checkpoints::published(&self.proving.checkpoints, witnessed, self.wait_max).await?;
        Ok(Response::new(convert::checkpoint(&published)))
    }

    async fn get_inclusion_proof(
        &self,
        request: Request<GetInclusionProofRequest>,
    ) -> Result<Response<GetInclusionProofResponse>, Status> {
        let request = request.into_inner();
        let (field, index) = match &request.entry {
            Some(Of::Index(index)) => ("index", *index),
            Some(Of::RecordId(record_id)) => ("recordId", self.index_of(record_id)?),
            None => Err(Failure::invalid(
                "index",
                "no entry is named",
                "an index, or a recordId",
            ))?,
        };
        let size = self.proving.proofs.size("size", request.size)?;
        let proof = self.proving.proofs.inclusion(field, index, size).await?;
        Ok(Response::new(GetInclusionProofResponse {
            index,
            size,
            hashes: hashes(proof.hashes()),
        }))
    }

    async fn get_consistency_proof(
        &self,
        request: Request<GetConsistencyProofRequest>,
    ) -> Result<Response<GetConsistencyProofResponse>, Status> {
        let GetConsistencyProofRequest { old_size, size } = request.into_inner();
        let size = self.proving.proofs.size("size", size)?;
        let proof = self.proving.proofs.consistency(old_size, size).await?;
        Ok(Response::new(GetConsistencyProofResponse {
            old_size,
            size,
            hashes: hashes(proof.hashes()),
        }))
    }
}

/// A proof's hashes, as a message has them.
fn hashes(hashes: &[Hash]) -> Vec<Bytes> {
    let bytes = |hash: &Hash| Bytes::copy_from_slice(hash.as_bytes());
    hashes.iter().map(bytes).collect()
}

pub(super) fn beyond(field: &str, index: u64, size: u64) -> Failure {
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
