//! `AdminService`: what an operator asks of a running daemon.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, watch};
use tonic::{Request, Response, Status};

use super::backup_place::Asked;
use super::proto::admin_service_server::AdminService;
use super::proto::{
    CreateBackupRequest, CreateBackupResponse, GetStatusRequest, GetStatusResponse,
    ListProjectionsRequest, ListProjectionsResponse, ProjectionStatus, RebuildProjectionRequest,
    RebuildProjectionResponse, VerifyProjectionRequest, VerifyProjectionResponse,
};
use super::upkeep::{self, Progress};
use super::views::{View, Views};
use super::{Failure, Reason, checkpoints, convert};
use crate::checkpoint::Checkpoints;
use crate::documents::StoredDocuments;
use crate::ledger::{Appender, Clock, Reader};

/// The service.
pub struct Admin {
    views: Views,
    reader: Reader,
    appender: Appender,
    documents: Arc<StoredDocuments>,
    checkpoints: Checkpoints,
    clock: Arc<dyn Clock>,
    /// Below which directory backups are written; none if nothing says.
    backup_dir: Option<PathBuf>,
    /// Free while no backup is under way.
    backup: Arc<Semaphore>,
    started: Instant,
    stopping: watch::Receiver<bool>,
}

impl Admin {
    /// The service of a daemon that starts now.
    pub fn new(
        views: Views,
        reader: Reader,
        appender: Appender,
        documents: Arc<StoredDocuments>,
        checkpoints: Checkpoints,
        clock: Arc<dyn Clock>,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        Self {
            views,
            reader,
            appender,
            documents,
            checkpoints,
            clock,
            backup_dir: None,
            backup: Arc::new(Semaphore::new(1)),
            started: Instant::now(),
            stopping,
        }
    }

    /// Has backups written below this directory alone, whoever asks for them.
    #[must_use]
    pub fn with_backups_below(self, backup_dir: Option<PathBuf>) -> Self {
        Self { backup_dir, ..self }
    }

    fn projections(&self) -> Vec<ProjectionStatus> {
        self.views.all().map(View::status).into()
    }

    /// The projection that goes by `name`.
    fn projection(&self, name: &str) -> Result<&View, Failure> {
        let all = self.views.all();
        let found = all.iter().find(|view| view.projection().name() == name);
        found.copied().ok_or_else(|| {
            let names = all.map(|view| view.projection().name());
            Failure::at(
                Reason::UnknownProjection,
                "name",
                format!("there is no projection {name:?}"),
                names.join(", "),
            )
        })
    }
}

#[tonic::async_trait]
impl AdminService for Admin {
    async fn get_status(
        &self,
        _: Request<GetStatusRequest>,
    ) -> Result<Response<GetStatusResponse>, Status> {
        let checkpoints = self.checkpoints.status();
        let poisoned = self.appender.poisoned().map(|reason| reason.to_string());
        let barred = checkpoints.notes.not_signing.as_ref();
        let barred = barred.filter(|why| why.bars_records());
        Ok(Response::new(GetStatusResponse {
            origin: self.reader.origin().to_owned(),
            release: env!("CARGO_PKG_VERSION").to_owned(),
            head: Some(convert::head(&self.reader.head())),
            poisoned: poisoned
                .or_else(|| barred.map(ToString::to_string))
                .unwrap_or_default(),
            projections: self.projections(),
            uptime: Some(duration(self.started.elapsed())),
            time: Some(self.clock.now().to_timestamp()),
            checkpoints: Some(checkpoints::status(checkpoints)),
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
        request: Request<RebuildProjectionRequest>,
    ) -> Result<Response<Self::RebuildProjectionStream>, Status> {
        let view = self.projection(&request.get_ref().name)?;
        let progress = upkeep::rebuild(view, self.stopping.clone()).await?;
        Ok(Response::new(progress))
    }

    type VerifyProjectionStream = Progress<VerifyProjectionResponse>;

    async fn verify_projection(
        &self,
        request: Request<VerifyProjectionRequest>,
    ) -> Result<Response<Self::VerifyProjectionStream>, Status> {
        let view = self.projection(&request.get_ref().name)?;
        let progress = upkeep::verify(view, self.stopping.clone()).await?;
        Ok(Response::new(progress))
    }

    type CreateBackupStream = Progress<CreateBackupResponse>;

    async fn create_backup(
        &self,
        request: Request<CreateBackupRequest>,
    ) -> Result<Response<Self::CreateBackupStream>, Status> {
        let asked = Asked::of(&request);
        let backup_dir = self.backup_dir.clone();
        let place = super::blocking(move || asked.place(backup_dir.as_deref()));
        let directory = place.await?;
        let turn = Arc::clone(&self.backup).try_acquire_owned();
        let turn =
            turn.map_err(|_| Failure::new(Reason::BackupUnderWay, "another backup is under way"))?;
        let (reader, documents) = (self.reader.clone(), Arc::clone(&self.documents));
        let progress = upkeep::back_up(directory, reader, documents, turn, self.stopping.clone());
        Ok(Response::new(progress.await?))
    }
}

fn duration(duration: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(duration.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(duration.subsec_nanos()).unwrap_or(0),
    }
}
