//! The load: how records and questions are sent, and what is timed.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use onrecord::record::proto::Envelope;
use onrecord::rpc::proto::admin_service_client::AdminServiceClient;
use onrecord::rpc::proto::append_result::Outcome;
use onrecord::rpc::proto::position_service_client::PositionServiceClient;
use onrecord::rpc::proto::record_service_client::RecordServiceClient;
use onrecord::rpc::proto::{
    AppendRequest, AppendResult, AppendStreamRequest, Finding, GetPositionRequest,
    RebuildProjectionRequest,
};
use tonic::transport::Channel;

use crate::Fallible;
use crate::daemon::Daemon;

/// So many in so much time.
#[derive(Clone, Copy)]
pub struct Rate {
    count: usize,
    time: Duration,
}

impl Rate {
    /// `count` in `time`.
    pub const fn of(count: usize, time: Duration) -> Self {
        Self { count, time }
    }

    /// How many a second.
    pub fn per_second(self) -> f64 {
        self.count as f64 / self.time.as_secs_f64()
    }
}

/// Calls with so many in flight, each client taking the next message when it is answered.
pub async fn in_flight<M, F, C, R>(messages: Vec<M>, clients: usize, client: F) -> Fallible<Rate>
where
    M: Clone + Send + Sync + 'static,
    F: Fn() -> C,
    C: Fn(M) -> R + Send + 'static,
    R: Future<Output = Fallible<()>> + Send + 'static,
{
    let messages = Arc::new(messages);
    let next = Arc::new(AtomicUsize::new(0));
    let started = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (messages, next, call) = (Arc::clone(&messages), Arc::clone(&next), client());
        tasks.spawn(async move {
            while let Some(message) = messages.get(next.fetch_add(1, Ordering::Relaxed)) {
                call(message.clone()).await?;
            }
            Fallible::Ok(())
        });
    }
    while let Some(task) = tasks.join_next().await {
        task??;
    }
    Ok(Rate::of(messages.len(), started.elapsed()))
}

/// The median time of one append with nothing else going on.
pub async fn one_at_a_time(daemon: &Daemon, envelopes: Vec<Envelope>) -> Fallible<Duration> {
    let mut client = RecordServiceClient::new(daemon.connect().await?);
    let mut times = Vec::new();
    for envelope in envelopes {
        let started = Instant::now();
        let response = client
            .append(AppendRequest {
                envelopes: vec![envelope],
                proof: false,
            })
            .await?;
        times.push(started.elapsed());
        for result in response.into_inner().results {
            recorded(result)?;
        }
    }
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .copied()
        .ok_or_else(|| "no appends".into())
}

/// Unary appends from many clients.
pub async fn unary_appends(
    daemon: &Daemon,
    envelopes: Vec<Envelope>,
    clients: usize,
) -> Fallible<Rate> {
    let channel = daemon.connect().await?;
    in_flight(envelopes, clients, || {
        let client = RecordServiceClient::new(channel.clone());
        move |envelope| append(client.clone(), envelope)
    })
    .await
}

async fn append(mut client: RecordServiceClient<Channel>, envelope: Envelope) -> Fallible<()> {
    let response = client
        .append(AppendRequest {
            envelopes: vec![envelope],
            proof: false,
        })
        .await?;
    response
        .into_inner()
        .results
        .into_iter()
        .try_for_each(recorded)
}

/// Records over one stream: the time from the first to the last answer.
pub async fn stream(daemon: &Daemon, envelopes: Vec<Envelope>) -> Fallible<Duration> {
    let mut client = RecordServiceClient::new(daemon.connect().await?);
    let count = envelopes.len();
    let started = Instant::now();
    let requests = envelopes.into_iter().map(|envelope| AppendStreamRequest {
        envelope: Some(envelope),
    });
    let mut answers = client
        .append_stream(tokio_stream::iter(requests))
        .await?
        .into_inner();
    let mut answered = 0;
    while let Some(answer) = answers.message().await? {
        recorded(answer.result.unwrap_or_default())?;
        answered += 1;
    }
    if answered != count {
        return Err(format!("{answered} of {count} records were answered").into());
    }
    Ok(started.elapsed())
}

/// Questions from many clients.
pub async fn positions(
    daemon: &Daemon,
    questions: Vec<GetPositionRequest>,
    clients: usize,
) -> Fallible<Rate> {
    let channel = daemon.connect().await?;
    in_flight(questions, clients, || {
        let client = PositionServiceClient::new(channel.clone());
        move |question| ask(client.clone(), question)
    })
    .await
}

async fn ask(
    mut client: PositionServiceClient<Channel>,
    question: GetPositionRequest,
) -> Fallible<()> {
    let answer = client.get_position(question).await?.into_inner();
    let position = answer.position.unwrap_or_default();
    if position.finding() == Finding::Unspecified {
        return Err("an answer without a finding".into());
    }
    Ok(())
}

fn recorded(result: AppendResult) -> Fallible<()> {
    match result.outcome {
        Some(Outcome::Recorded(_)) => Ok(()),
        other => Err(format!("not recorded: {other:?}").into()),
    }
}

/// The time of one rebuild, until it answers.
pub async fn rebuild(daemon: &Daemon, name: &str) -> Fallible<Duration> {
    let mut admin = AdminServiceClient::new(daemon.connect().await?);
    let request = RebuildProjectionRequest {
        name: name.to_owned(),
    };
    let started = Instant::now();
    let mut steps = admin.rebuild_projection(request).await?.into_inner();
    while let Some(step) = steps.message().await? {
        if step.swapped.is_some() {
            return Ok(started.elapsed());
        }
    }
    Err("it was not swapped in".into())
}
