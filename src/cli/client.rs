//! The gRPC client that the commands share: one connection, and errors that a person can read.
//!
//! Nothing waits for ever: a connection that falls silent is given up after
//! [`SILENCE_SECONDS`] and [`SILENCE_SECONDS_MAX`] more, whatever call is open on it, and a
//! call has [`ANSWER_SECONDS_MAX`] until its answer begins.

use std::time::Duration;

use tonic::service::interceptor::{InterceptedService, Interceptor};
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request, Response, Status, Streaming};

use super::error::{Answer, CliError};
use crate::rpc::proto::admin_service_client::AdminServiceClient;
use crate::rpc::proto::catalog_service_client::CatalogServiceClient;
use crate::rpc::proto::ledger_service_client::LedgerServiceClient;
use crate::rpc::proto::position_service_client::PositionServiceClient;
use crate::rpc::proto::record_service_client::RecordServiceClient;
use crate::rpc::proto::source_service_client::SourceServiceClient;
use crate::rpc::proto::{
    ComparePositionsRequest, ComparePositionsResponse, CreateBackupRequest, CreateBackupResponse,
    GetHeadRequest, GetHeadResponse, GetPositionRequest, GetPositionResponse, GetTimelineRequest,
    GetTimelineResponse, RebuildProjectionRequest, RebuildProjectionResponse, SubscribeRequest,
    SubscribeResponse, VerifyProjectionRequest, VerifyProjectionResponse, WatchPositionsRequest,
    WatchPositionsResponse,
};

/// Where a daemon is looked for if nothing else is said.
pub const SERVER_DEFAULT: &str = "http://127.0.0.1:7450";

/// How long a connection may take to be made, and then to be made a secret one.
const CONNECT_SECONDS_MAX: u64 = 5;

/// After how many seconds of silence the other side is asked whether it lives.
const SILENCE_SECONDS: u64 = 5;

/// How many seconds it has to say so: a machine that swaps is slow, not gone.
const SILENCE_SECONDS_MAX: u64 = 5;

/// How many seconds a call may take until its answer begins: as long as a daemon waits by
/// default for a full queue, a commit and a projection (30 each), and half a minute more.
const ANSWER_SECONDS_MAX: u64 = 120;

/// The largest answer that is read, in bytes: ten times what daemons keep lists to, since single
/// items and later daemons may need more.
const ANSWER_BYTES_MAX: usize = 40 * 1024 * 1024;

/// A connection to a daemon.
#[derive(Clone, Debug)]
pub struct Client {
    server: String,
    channel: Channel,
}

/// A connection on which every call has its time.
pub type Timed = InterceptedService<Channel, InTime>;

/// Gives a call its time.
#[derive(Clone, Copy, Debug)]
pub struct InTime;

impl Interceptor for InTime {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.set_timeout(Duration::from_secs(ANSWER_SECONDS_MAX));
        Ok(request)
    }
}

macro_rules! services {
    ($($(#[$doc:meta])* $name:ident $service:ident,)+) => {
        $($(#[$doc])*
        #[must_use]
        pub fn $name(&self) -> $service<Timed> {
            $service::with_interceptor(self.channel.clone(), InTime)
                .max_decoding_message_size(ANSWER_BYTES_MAX)
        })+
    };
}

impl Client {
    /// Connects to the daemon at `server`.
    ///
    /// # Errors
    /// If `server` is no address, or nobody answers there.
    pub async fn connect(server: &str) -> Result<Self, CliError> {
        let server = &with_scheme(server);
        let address = || CliError::Address {
            server: server.to_owned(),
        };
        let endpoint = Endpoint::from_shared(server.to_owned()).map_err(|_| address())?;
        let uri = endpoint.uri();
        // A port that is none is no part of what is parsed.
        let whole = uri.authority().is_some_and(|it| {
            let port = it
                .port_u16()
                .map_or_else(String::new, |port| format!(":{port}"));
            !it.host().is_empty() && it.as_str() == format!("{}{port}", it.host())
        });
        let is_tls = match uri.scheme_str() {
            Some("http") if whole => false,
            Some("https") if whole => true,
            _ => return Err(address()),
        };
        let connect_within = Duration::from_secs(CONNECT_SECONDS_MAX);
        let endpoint = if is_tls {
            // By the certificates that browsers trust, and no longer than a connection takes.
            let tls = ClientTlsConfig::new().with_webpki_roots();
            let tls = endpoint.tls_config(tls.timeout(connect_within));
            tls.map_err(|_| address())?
        } else {
            endpoint
        };
        let endpoint = endpoint
            .connect_timeout(connect_within)
            .http2_keep_alive_interval(Duration::from_secs(SILENCE_SECONDS))
            .keep_alive_timeout(Duration::from_secs(SILENCE_SECONDS_MAX))
            .tcp_nodelay(true);
        let channel = endpoint
            .connect()
            .await
            .map_err(|error| CliError::Unreachable {
                server: server.to_owned(),
                reason: root_cause(&error),
            })?;
        Ok(Self {
            server: server.to_owned(),
            channel,
        })
    }

    /// The address that it is connected to.
    #[must_use]
    pub fn server(&self) -> &str {
        &self.server
    }

    /// What a failed call means: the daemon's own answer, or that it is gone.
    #[must_use]
    pub fn failed(&self, status: &Status) -> CliError {
        match std::error::Error::source(status) {
            // A status that the daemon sent has no cause on this side.
            None if status.code() == Code::Cancelled => CliError::Unreachable {
                server: self.server.clone(),
                reason: format!("no answer within {ANSWER_SECONDS_MAX} s"),
            },
            Some(cause) => CliError::Unreachable {
                server: self.server.clone(),
                reason: root_cause(cause),
            },
            None => CliError::Answer(Answer::of(status)),
        }
    }

    /// What a lookup found: nothing, where it is not on record.
    pub fn found<T>(&self, answer: Result<Response<T>, Status>) -> Result<Option<T>, CliError> {
        match answer {
            Ok(answer) => Ok(Some(answer.into_inner())),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(self.failed(&status)),
        }
    }

    /// An actor's position.
    pub async fn position(
        &self,
        request: GetPositionRequest,
    ) -> Result<GetPositionResponse, CliError> {
        let answer = self.positions().get_position(request).await;
        self.answered(answer)
    }

    /// How a position changed.
    pub async fn compare(
        &self,
        request: ComparePositionsRequest,
    ) -> Result<ComparePositionsResponse, CliError> {
        let answer = self.positions().compare_positions(request).await;
        self.answered(answer)
    }

    /// How a position came about.
    pub async fn timeline(
        &self,
        request: GetTimelineRequest,
    ) -> Result<GetTimelineResponse, CliError> {
        let answer = self.positions().get_timeline(request).await;
        self.answered(answer)
    }

    /// Follows the ledger for as long as it takes: the daemon is told of no time, which is one
    /// for the whole stream where a proxy sees to it.
    pub async fn subscribe(
        &self,
        request: SubscribeRequest,
    ) -> Result<Streaming<SubscribeResponse>, CliError> {
        let mut ledger = LedgerServiceClient::new(self.channel.clone())
            .max_decoding_message_size(ANSWER_BYTES_MAX);
        self.begun(ledger.subscribe(request)).await
    }

    /// Rebuilds a projection, for as long as it takes.
    pub async fn rebuild(
        &self,
        request: RebuildProjectionRequest,
    ) -> Result<Streaming<RebuildProjectionResponse>, CliError> {
        let mut admin = AdminServiceClient::new(self.channel.clone());
        self.begun(admin.rebuild_projection(request)).await
    }

    /// Has a backup written, for as long as it takes.
    pub async fn back_up(
        &self,
        request: CreateBackupRequest,
    ) -> Result<Streaming<CreateBackupResponse>, CliError> {
        let mut admin = AdminServiceClient::new(self.channel.clone());
        self.begun(admin.create_backup(request)).await
    }

    /// Verifies a projection, for as long as it takes.
    pub async fn verify(
        &self,
        request: VerifyProjectionRequest,
    ) -> Result<Streaming<VerifyProjectionResponse>, CliError> {
        let mut admin = AdminServiceClient::new(self.channel.clone());
        self.begun(admin.verify_projection(request)).await
    }

    /// Follows positions for as long as it takes.
    pub async fn watch(
        &self,
        request: WatchPositionsRequest,
    ) -> Result<Streaming<WatchPositionsResponse>, CliError> {
        let mut positions = PositionServiceClient::new(self.channel.clone())
            .max_decoding_message_size(ANSWER_BYTES_MAX);
        self.begun(positions.watch_positions(request)).await
    }

    /// A stream that must begin in time, and may go on for as long as it likes.
    async fn begun<T>(
        &self,
        call: impl Future<Output = Result<Response<Streaming<T>>, Status>>,
    ) -> Result<Streaming<T>, CliError> {
        let begun = Duration::from_secs(ANSWER_SECONDS_MAX);
        let begun = tokio::time::timeout(begun, call).await;
        let answer = begun.unwrap_or_else(|_| Err(Status::cancelled("no answer")));
        self.answered(answer)
    }

    /// The ledger's head, and the archive's origin.
    pub async fn head(&self) -> Result<GetHeadResponse, CliError> {
        let answer = self.ledger().get_head(GetHeadRequest::default()).await;
        self.answered(answer)
    }

    /// How much of the ledger was acknowledged: an overview waits for as much.
    pub async fn size(&self) -> Result<u64, CliError> {
        Ok(self.head().await?.head.map_or(0, |head| head.size))
    }

    /// The answer to a call.
    pub fn answered<T>(&self, answer: Result<Response<T>, Status>) -> Result<T, CliError> {
        answer
            .map(Response::into_inner)
            .map_err(|status| self.failed(&status))
    }

    /// Stores and serves documents, which take as long as they are large.
    #[must_use]
    pub fn sources(&self) -> SourceServiceClient<Channel> {
        SourceServiceClient::new(self.channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX)
    }

    services! {
        /// Appends records.
        records RecordServiceClient,
        /// Reads the ledger.
        ledger LedgerServiceClient,
        /// Answers from the statements on record.
        positions PositionServiceClient,
        /// Looks things up.
        catalog CatalogServiceClient,
        /// Tells how the daemon is.
        admin AdminServiceClient,
    }
}

/// The address of a daemon, which speaks plain HTTP/2 where nothing else is said.
fn with_scheme(server: &str) -> String {
    if server.is_empty() || server.contains("://") {
        server.to_owned()
    } else {
        format!("http://{server}")
    }
}

/// The innermost cause of an error: what the system says.
fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}
