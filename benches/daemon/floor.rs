//! What the machine can do when the daemon adds nothing.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use onrecord::record::envelope::{Claim, verify_batch};
use onrecord::record::proto::Envelope;
use onrecord::storage::{AppendOutcome, DiskSyncer, FrameStore as _, FramesOptions, SledFrames};
use prost::Message as _;
use tonic::codegen::{Body, StdError, http};
use tonic::server::{Grpc, NamedService, UnaryService};
use tonic::transport::server::TcpIncoming;
use tonic::transport::{Channel, Server};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::Fallible;
use crate::daemon::{CONNECTION_WINDOW_BYTES, STREAM_WINDOW_BYTES};
use crate::load::{Rate, in_flight};

/// One core verifying signatures in batches of 256.
pub fn batch_verification(envelopes: &[Envelope]) -> Rate {
    let claim = |envelope: &'_ Envelope| -> Option<([u8; 32], bytes::Bytes, bytes::Bytes)> {
        let signature = envelope.signatures.first()?;
        let key = signature.public_key[..].try_into().ok()?;
        Some((key, envelope.payload.clone(), signature.signature.clone()))
    };
    let owned: Vec<_> = envelopes.iter().filter_map(claim).collect();
    let started = Instant::now();
    for batch in owned.chunks(256) {
        let claims: Vec<_> = batch
            .iter()
            .map(|(key, payload, signature)| Claim {
                key: *key,
                payload,
                signature,
            })
            .collect();
        let holds = verify_batch(&claims, rand_core::UnwrapErr(getrandom::SysRng));
        assert!(holds.iter().all(|holds| *holds), "the signatures hold");
    }
    Rate::of(owned.len(), started.elapsed())
}

/// The median time to write one small frame and sync it.
pub fn synced_frame(envelopes: &[Envelope]) -> Fallible<Duration> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("frames");
    std::fs::create_dir(&path)?;
    SledFrames::create(&path, &DiskSyncer)?;
    let frames = SledFrames::open(&path, &FramesOptions::default())?;
    let mut times = Vec::new();
    for (index, envelope) in (0..).zip(envelopes) {
        let frame = envelope.encode_to_vec();
        let started = Instant::now();
        let outcome = frames.append(index, std::num::NonZeroU32::MIN, &frame);
        times.push(started.elapsed());
        if !matches!(outcome, AppendOutcome::Durable) {
            return Err(format!("the frame store answered {outcome:?}").into());
        }
    }
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .copied()
        .ok_or_else(|| "no frames".into())
}

/// Unary calls that are answered with what they bring.
pub async fn unary_echo<M>(messages: &[M], clients: usize) -> Fallible<Rate>
where
    M: prost::Message + Default + Clone + 'static,
{
    let connections = TcpIncoming::bind("127.0.0.1:0".parse()?)?.with_nodelay(Some(true));
    let address = format!("http://{}", connections.local_addr()?);
    let server = Server::builder()
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .add_service(Echo::<M>(std::marker::PhantomData))
        .serve_with_incoming(connections);
    let server = tokio::spawn(server);
    let channel = crate::daemon::connect(address).await?;
    let rate = in_flight(messages.to_vec(), clients, || {
        let channel = channel.clone();
        move |message| echo(channel.clone(), message)
    })
    .await;
    server.abort();
    rate
}

async fn echo<M>(channel: Channel, message: M) -> Fallible<()>
where
    M: prost::Message + Default + 'static,
{
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await?;
    let codec = ProstCodec::<M, M>::default();
    let path = http::uri::PathAndQuery::from_static("/bench.Echo/Echo");
    grpc.unary(Request::new(message), path, codec).await?;
    Ok(())
}

/// A service of one method, made by hand so that no proto is needed for it.
struct Echo<M>(std::marker::PhantomData<fn() -> M>);

impl<M> Clone for Echo<M> {
    fn clone(&self) -> Self {
        Self(std::marker::PhantomData)
    }
}

impl<M> NamedService for Echo<M> {
    const NAME: &'static str = "bench.Echo";
}

impl<M: Send + 'static> UnaryService<M> for Echo<M> {
    type Response = M;
    type Future = std::future::Ready<Result<Response<M>, Status>>;

    fn call(&mut self, request: Request<M>) -> Self::Future {
        std::future::ready(Ok(Response::new(request.into_inner())))
    }
}

impl<M, B> tonic::codegen::Service<http::Request<B>> for Echo<M>
where
    M: prost::Message + Default + 'static,
    B: Body + Send + 'static,
    B::Error: Into<StdError> + Send + 'static,
{
    type Response = http::Response<tonic::body::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        let echo = self.clone();
        Box::pin(async move {
            let mut grpc = Grpc::new(ProstCodec::<M, M>::default());
            Ok(grpc.unary(echo, request).await)
        })
    }
}
