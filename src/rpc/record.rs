//! `RecordService`: records come in, one result goes out for each, in order.
//!
//! A stream is appended in batches that form by themselves: whatever has arrived while the
//! batch before was being sent on its way. Several batches are on their way at a time, and
//! what the ledger has no room for is held back on the connection. A client that goes away
//! takes nothing back: what was sent on its way is recorded or refused all the same, and what
//! was answered stands. A message that cannot be taken ends the stream with its status, after
//! everything before it was answered.

use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use prost::Message as _;
use tokio::sync::{mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use super::evidence::{self, Evidence};
use super::proto::append_result::Outcome;
use super::proto::record_service_server::RecordService;
use super::proto::{
    AppendRequest, AppendResponse, AppendResult, AppendStreamRequest, AppendStreamResponse,
    MissingProof,
};
use super::{Failure, Reason, convert};
use crate::checkpoint::{NotSigning, Notes, Published};
use crate::ledger::{AppendError, Appender, Reader, Submitted};
use crate::record::proto::Envelope;

/// The most records of one call, as the proto promises.
const APPEND_RECORDS_MAX: usize = 1000;

/// A batch of a stream ends at so many records: larger ones verify no faster.
const BATCH_RECORDS_MAX: usize = 256;

/// A batch of a stream ends once it has so many bytes, so that it always fits into the
/// ledger's queue: 1 MiB and one message more.
const BATCH_BYTES: usize = 1 << 20;

/// How many batches of one stream are on their way at a time: one that is prepared, one that
/// is judged, one that is synced, and one to come.
const BATCHES_IN_FLIGHT: usize = 4;

/// How many answers of a stream wait for the client to take them.
const ANSWERS_WAITING: usize = 1024;

/// The service. See the module.
pub struct Records {
    appender: Appender,
    gate: Gate,
    evidence: Evidence,
    stopping: watch::Receiver<bool>,
}

/// Lets no record in that could never be signed as the continuation of what was signed.
#[derive(Clone)]
pub struct Gate {
    /// What the signer says.
    pub published: Published,
    /// The ledger.
    pub reader: Reader,
    /// How long its first word is waited for.
    pub wait_max: Duration,
}

impl Gate {
    /// Fails where records are not to be taken. The first are held back until the signer has
    /// held the ledger against what was signed last; one without entries has nothing to hold.
    async fn pass(&self) -> Result<(), Failure> {
        let is_known = |notes: &Notes| {
            let why = notes.not_signing.as_ref();
            notes.newest.is_some() || why.is_some_and(|why| !is_behind(why))
        };
        let mut notes = self.published.watch();
        if self.reader.head().size > 0 {
            let known = notes.wait_for(is_known);
            let known = tokio::time::timeout(self.wait_max, known).await;
            if !matches!(known, Ok(Ok(_))) {
                let message = "whether the ledger continues what was signed is not known yet";
                return Err(Failure::new(Reason::NotYet, message));
            }
        }
        match self.published.not_signing() {
            Some(why) if why.bars_records() => {
                let message = format!("the archive takes no records: {why}");
                Err(Failure::new(Reason::NotContinued, message))
            }
            _ => Ok(()),
        }
    }
}

/// Whether the tiles are waited for, which the comparison needs.
const fn is_behind(why: &NotSigning) -> bool {
    matches!(why, NotSigning::Behind { .. })
}

impl Records {
    /// The service in front of `appender` and behind `gate`, with the `evidence` for what it
    /// says, until `stopping` is true.
    pub const fn new(
        appender: Appender,
        gate: Gate,
        evidence: Evidence,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            appender,
            gate,
            evidence,
            stopping,
        }
    }

    /// Adds the evidence that what is on record is. Where there is none, that is told beside the
    /// results, which stand.
    async fn prove(&self, answer: &mut AppendResponse) {
        let mut indexes: Vec<u64> = answer.results.iter().filter_map(index_of).collect();
        indexes.sort_unstable();
        indexes.dedup();
        if indexes.is_empty() {
            return;
        }
        let made = self.evidence.records(indexes).await;
        let fits = made.and_then(|proven| {
            answer.bundle = proven.bundle;
            evidence::fits(answer)
        });
        if let Err(failure) = fits {
            answer.bundle = Bytes::new();
            answer.missing_proof = Some(MissingProof {
                reason: failure.reason().name().to_owned(),
                message: failure.message().to_owned(),
            });
        }
    }
}

/// Where a record stands, if it does.
fn index_of(result: &AppendResult) -> Option<u64> {
    match result.outcome.as_ref()? {
        Outcome::Recorded(recorded) => Some(recorded.index),
        Outcome::AlreadyRecorded(recorded) => Some(recorded.index),
        Outcome::Refusal(_) => None,
    }
}

type Answers = Pin<Box<dyn Stream<Item = Result<AppendStreamResponse, Status>> + Send>>;

#[tonic::async_trait]
impl RecordService for Records {
    async fn append(
        &self,
        request: Request<AppendRequest>,
    ) -> Result<Response<AppendResponse>, Status> {
        let AppendRequest { envelopes, proof } = request.into_inner();
        let accepted =
            format!("1 to {APPEND_RECORDS_MAX} envelopes; AppendStream takes any number");
        match envelopes.len() {
            0 => Err(Failure::invalid("envelopes", "there is none", accepted))?,
            1..=APPEND_RECORDS_MAX => {}
            count => Err(Failure::at(
                Reason::BatchTooLarge,
                "envelopes",
                format!("{count} envelopes"),
                accepted,
            ))?,
        }
        self.gate.pass().await?;
        let outcomes = self
            .appender
            .append(envelopes)
            .await
            .map_err(Failure::from)?;
        let results = outcomes.into_iter().map(convert::append_result).collect();
        let mut answer = AppendResponse {
            results,
            ..AppendResponse::default()
        };
        if proof {
            self.prove(&mut answer).await;
        }
        Ok(Response::new(answer))
    }

    type AppendStreamStream = Answers;

    async fn append_stream(
        &self,
        request: Request<Streaming<AppendStreamRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let (in_flight, submitted) = mpsc::channel(BATCHES_IN_FLIGHT);
        let (answers, answered) = mpsc::channel(ANSWERS_WAITING);
        tokio::spawn(submit_all(
            self.appender.clone(),
            self.gate.clone(),
            request.into_inner(),
            in_flight,
            self.stopping.clone(),
        ));
        tokio::spawn(answer_all(submitted, answers));
        Ok(Response::new(Box::pin(ReceiverStream::new(answered))))
    }
}

/// Sends what arrives on its way, batch by batch, until the client ends its side, a message
/// cannot be taken, the daemon stops, or nobody answers any more.
async fn submit_all(
    appender: Appender,
    gate: Gate,
    requests: Streaming<AppendStreamRequest>,
    in_flight: mpsc::Sender<Result<Submitted, Status>>,
    mut stopping: watch::Receiver<bool>,
) {
    let mut arrivals = Arrivals {
        requests,
        failed: None,
    };
    loop {
        let batch = tokio::select! {
            biased;
            _ = stopping.wait_for(|stopping| *stopping) => {
                Err(Failure::from(AppendError::Stopping).into())
            }
            batch = arrivals.next_batch() => batch,
        };
        // A place is taken first: what is on its way is bounded.
        let Ok(place) = in_flight.reserve().await else {
            return;
        };
        let submitted = match batch {
            Ok(Some(batch)) => match gate.pass().await {
                Ok(()) => appender.submit(batch).await.map_err(Failure::from),
                Err(failure) => Err(failure),
            }
            .map_err(Status::from),
            Ok(None) => return,
            Err(status) => Err(status),
        };
        let failed = submitted.is_err();
        place.send(submitted);
        if failed {
            return;
        }
    }
}

/// The client's side of a stream.
struct Arrivals {
    requests: Streaming<AppendStreamRequest>,
    /// Why no more can be taken. Told by the stream once, so it is kept while the batch before
    /// it is sent on its way.
    failed: Option<Status>,
}

impl Arrivals {
    /// The envelopes that have arrived, at least one; none once the client has ended its side.
    async fn next_batch(&mut self) -> Result<Option<Vec<Envelope>>, Status> {
        if let Some(status) = self.failed.take() {
            return Err(status);
        }
        let Some(first) = self.requests.next().await.transpose()? else {
            return Ok(None);
        };
        let first = first.envelope.unwrap_or_default();
        let mut bytes = first.encoded_len();
        let mut batch = vec![first];
        while batch.len() < BATCH_RECORDS_MAX && bytes < BATCH_BYTES {
            // An end is met again by the next call.
            let request = match self.arrived().await {
                Some(Ok(request)) => request,
                Some(Err(status)) => {
                    self.failed = Some(status);
                    break;
                }
                None => break,
            };
            let envelope = request.envelope.unwrap_or_default();
            bytes += envelope.encoded_len();
            batch.push(envelope);
        }
        Ok(Some(batch))
    }

    /// The next message, if it has arrived.
    async fn arrived(&mut self) -> Option<Result<AppendStreamRequest, Status>> {
        std::future::poll_fn(|context| {
            Poll::Ready(match Pin::new(&mut self.requests).poll_next(context) {
                Poll::Ready(next) => next,
                Poll::Pending => None,
            })
        })
        .await
    }
}

/// Answers batches in the order in which they were sent on their way, until one fails, all are
/// answered, or the client has gone.
async fn answer_all(
    mut submitted: mpsc::Receiver<Result<Submitted, Status>>,
    answers: mpsc::Sender<Result<AppendStreamResponse, Status>>,
) {
    while let Some(batch) = submitted.recv().await {
        let outcomes = match batch {
            Ok(batch) => batch
                .outcomes()
                .await
                .map_err(|error| Failure::from(error).into()),
            Err(status) => Err(status),
        };
        let outcomes = match outcomes {
            Ok(outcomes) => outcomes,
            Err(status) => {
                // Nobody is left to be told if this fails.
                let _ = answers.send(Err(status)).await;
                return;
            }
        };
        for outcome in outcomes {
            let result = Some(convert::append_result(outcome));
            if answers
                .send(Ok(AppendStreamResponse { result }))
                .await
                .is_err()
            {
                return;
            }
        }
    }
}
