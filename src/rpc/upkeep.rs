//! Rebuilds and verifications of projections, and backups, as streams that tell how far they
//! are. The work is done elsewhere; a stream that nobody reads any more gives it up.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::proto::{CreateBackupResponse, RebuildProjectionResponse, VerifyProjectionResponse};
use super::views::View;
use super::{Failure, Reason, blocking, convert};
use crate::backup::{Backup, BackupError, BackupStep};
use crate::documents::StoredDocuments;
use crate::ledger::Reader;
use crate::projection::{RebuildError, RebuildStep, Steps, Verdict, VerifyStep};
use crate::storage::FaultKind;

/// How many messages wait for a client. Steps that it has no time for are passed over.
const MESSAGES_WAITING: usize = 1;

/// How far something is, message by message.
pub type Progress<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// What a step becomes.
enum Said<M> {
    More(M),
    Last(M),
    Failed(Failure),
}

/// Rebuilds the projection of `view`.
pub async fn rebuild(
    view: &View,
    stopping: watch::Receiver<bool>,
) -> Result<Progress<RebuildProjectionResponse>, Failure> {
    let projection = view.projection().clone();
    let name = projection.name();
    let steps = blocking(move || projection.rebuild().map_err(|error| refused(name, &error)));
    Ok(stream(steps.await?, stopping, move |step| match step {
        RebuildStep::Folding(building) => Said::More(RebuildProjectionResponse {
            done: building.done,
            total: building.total,
            swapped: None,
        }),
        RebuildStep::Swapped { version, cursor } => Said::Last(RebuildProjectionResponse {
            done: cursor.size,
            total: cursor.size,
            swapped: Some(convert::projection(name, version, &cursor)),
        }),
        RebuildStep::Failed { index, reason } => {
            Said::Failed(failed(name, "was not rebuilt", index, &reason))
        }
        RebuildStep::Stopped => Said::Failed(stopped()),
    }))
}

/// Verifies the projection of `view`.
pub async fn verify(
    view: &View,
    stopping: watch::Receiver<bool>,
) -> Result<Progress<VerifyProjectionResponse>, Failure> {
    let projection = view.projection().clone();
    let name = projection.name();
    let steps = blocking(move || projection.verify().map_err(|error| refused(name, &error)));
    Ok(stream(steps.await?, stopping, move |step| match step {
        VerifyStep::Folding { done, total } => Said::More(VerifyProjectionResponse {
            done,
            total,
            ..VerifyProjectionResponse::default()
        }),
        VerifyStep::Comparing { total, rows } => Said::More(VerifyProjectionResponse {
            done: total,
            total,
            rows,
            ..VerifyProjectionResponse::default()
        }),
        VerifyStep::Ended(verdict) => Said::Last(verdict_message(name, *verdict)),
        VerifyStep::Failed { index, reason } => {
            Said::Failed(failed(name, "was not verified", index, &reason))
        }
        VerifyStep::Stopped => Said::Failed(stopped()),
    }))
}

/// Writes a backup; no other may be under way until `turn` is let go of.
pub async fn back_up(
    directory: PathBuf,
    reader: Reader,
    documents: Arc<StoredDocuments>,
    turn: OwnedSemaphorePermit,
    stopping: watch::Receiver<bool>,
) -> Result<Progress<CreateBackupResponse>, Failure> {
    let steps = blocking(move || {
        let backup = Backup::begin(&directory, reader, documents);
        let written = backup.and_then(Backup::write);
        written.map_err(|error| refused_backup(&error))
    });
    Ok(stream(steps.await?, stopping, move |step| {
        let _turn = &turn;
        match step {
            BackupStep::Copying { done, total } => Said::More(CreateBackupResponse {
                done_bytes: done,
                total_bytes: total,
                head: None,
            }),
            BackupStep::Done { head, bytes } => Said::Last(CreateBackupResponse {
                done_bytes: bytes,
                total_bytes: bytes,
                head: Some(convert::head(&head)),
            }),
            BackupStep::Failed(error) => Said::Failed(failed_backup(&error)),
        }
    }))
}

/// Why a backup does not begin: mostly as something lies where it would go.
fn refused_backup(error: &BackupError) -> Failure {
    match error.kind() {
        FaultKind::FixInput | FaultKind::Operator => Failure::invalid(
            "directory",
            error.to_string(),
            "an empty or absent directory that the daemon may write",
        ),
        _ => failed_backup(error),
    }
}

fn failed_backup(error: &BackupError) -> Failure {
    let message = format!("the backup was not written, and nothing is left of it: {error}");
    Failure::stored(error.kind(), message)
}

fn verdict_message(name: &str, verdict: Verdict) -> VerifyProjectionResponse {
    let size = verdict.stored.size;
    VerifyProjectionResponse {
        done: size,
        total: size,
        equal: verdict.differences.is_empty(),
        differences: verdict.differences,
        rows: verdict.rows,
        stored: Some(convert::projection(name, verdict.version, &verdict.stored)),
        replayed_digest: verdict.replayed.to_string(),
        cut_short: verdict.is_cut_short,
    }
}

/// Tells every step that is news when there is room for it, and the last one in any case.
fn stream<S: Clone + Send + Sync + 'static, M: Send + 'static>(
    mut steps: Steps<S>,
    mut stopping: watch::Receiver<bool>,
    say: impl Fn(S) -> Said<M> + Send + 'static,
) -> Progress<M> {
    let (messages, sent) = mpsc::channel(MESSAGES_WAITING);
    tokio::spawn(async move {
        loop {
            let Ok(place) = messages.reserve().await else {
                return;
            };
            let step = tokio::select! {
                step = steps.next() => step,
                () = messages.closed() => return,
                _ = stopping.wait_for(|stopping| *stopping) => {
                    place.send(Err(stopped().into()));
                    return;
                }
            };
            match step.map(&say) {
                Some(Said::More(message)) => place.send(Ok(message)),
                Some(Said::Last(message)) => {
                    place.send(Ok(message));
                    return;
                }
                Some(Said::Failed(failure)) => {
                    place.send(Err(failure.into()));
                    return;
                }
                None => {
                    place.send(Err(Failure::defect("the work ended without a word").into()));
                    return;
                }
            }
        }
    });
    Box::pin(ReceiverStream::new(sent))
}

fn stopped() -> Failure {
    Failure::new(Reason::Stopping, "the daemon is stopping")
}

fn failed(name: &str, what: &str, index: u64, reason: &str) -> Failure {
    let message =
        format!("the projection {name} {what}, and answers as before; at entry {index}: {reason}");
    Failure::new(Reason::ProjectionFailed, message)
}

fn refused(name: &str, error: &RebuildError) -> Failure {
    let reason = match error {
        RebuildError::UnderWay { .. }
        | RebuildError::OtherVersion { .. }
        | RebuildError::NotBuilt => Reason::ProjectionBusy,
        RebuildError::Stopping => return stopped(),
        RebuildError::Runner(_) => Reason::StorageFailed,
    };
    Failure::new(reason, format!("the projection {name}: {error}"))
}
