//! `AdminService`: what an operator asks of a running daemon.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_stream::Stream;
use tonic::{Request, Response, Status};

use super::proto::admin_service_server::AdminService;
use super::proto::{
    CreateBackupRequest, CreateBackupResponse, GetStatusRequest, GetStatusResponse,
    ListProjectionsRequest, ListProjectionsResponse, ProjectionStatus, RebuildProjectionRequest,
    RebuildProjectionResponse, VerifyProjectionRequest, VerifyProjectionResponse,
};
use super::views::{View, Views};
use super::{convert, not_offered};
use crate::ledger::{Appender, Clock, Reader};

/// The service.
pub struct Admin {
    views: Views,
    reader: Reader,
    appender: Appender,
    clock: Arc<dyn Clock>,
    started: Instant,
}

impl Admin {
    /// The service of a daemon that starts now.
    pub fn new(views: Views, reader: Reader, appender: Appender, clock: Arc<dyn Clock>) -> Self {
        Self {
            views,
            reader,
            appender,
            clock,
            started: Instant::now(),
        }
    }

    fn projections(&self) -> Vec<ProjectionStatus> {
        self.views.all().map(View::status).into()
    }
}

type Progress<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl AdminService for Admin {
    async fn get_status(
        &self,
        _: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        let poisoned = self.appender.poisoned();
        Ok(Response::new(GetStatusResponse {
            origin: self.reader.origin().to_owned(),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            head: Some(convert::head(&self.reader.head())),
            poisoned: poisoned
                .map(|reason| reason.to_string())
                .unwrap_or_default(),
            projections: self.projections(),
            uptime: Some(duration(self.started.elapsed())),
            time: Some(self.clock.now().to_timestamp()),
        }))
    }

    async fn list_projections(
        &self,
        _: Request<ListProjectionsRequest>,
    ) -> Result<Response<ListProjectionsResponse>, Status> {
        Ok(Response::new(ListProjectionsResponse {
            projections: self.projections(),
        }))
    }

    type RebuildProjectionStream = Progress<RebuildProjectionResponse>;

    async fn rebuild_projection(
        &self,
        _: Request<RebuildProjectionRequest>,
    ) -> Result<Response<Self::RebuildProjectionStream>, Status> {
        Err(not_offered("RebuildProjection"))
    }

    type VerifyProjectionStream = Progress<VerifyProjectionResponse>;

    async fn verify_projection(
        &self,
        _: Request<VerifyProjectionRequest>,
    ) -> Result<Response<Self::VerifyProjectionStream>, Status> {
        Err(not_offered("VerifyProjection"))
    }

    type CreateBackupStream = Progress<CreateBackupResponse>;

    async fn create_backup(
        &self,
        _: Request<CreateBackupRequest>,
    ) -> Result<Response<Self::CreateBackupStream>, Status> {
        Err(not_offered("CreateBackup"))
    }
}

fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}
