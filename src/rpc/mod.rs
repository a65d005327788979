//! The archive over gRPC: one file a service, conversions in `convert`, errors to status in
//! `status`.
//!
//! A service parses what is asked into types that cannot be wrong, lets the rooms below
//! answer, and turns the answer into messages. It decides nothing about records, positions or
//! durability, and keeps no state but bounds on what is under way. What reads few rows runs on
//! the runtime's threads; scans, files and extraction run on those for blocking work.

pub mod proto;

mod admin;
mod backup_place;
mod catalog;
mod checkpoints;
mod convert;
mod evidence;
mod filter;
pub mod health;
mod ledger;
mod page;
mod position;
mod proofs;
mod reading;
mod record;
mod source;
mod status;
mod subscription;
mod upkeep;
mod views;

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic_health::server::HealthReporter;

pub use status::{DOMAIN, Failure, RESUME_FROM, Reason};
pub use subscription::SubscriptionLimits;
pub use views::{KnownAt, View, Views};

use crate::checkpoint::Checkpoints;
use crate::documents::StoredDocuments;
use crate::ledger::{AdmissionTables, Appender, Clock, Reader};
use crate::projection::tiles::Tiles;
use crate::record::quoted;
use admin::Admin;
use catalog::Catalog;
use evidence::Evidence;
use ledger::{Entries, Proving};
use position::Positions;
use proofs::Proofs;
use proto::admin_service_server::AdminServiceServer;
use proto::catalog_service_server::CatalogServiceServer;
use proto::ledger_service_server::LedgerServiceServer;
use proto::position_service_server::PositionServiceServer;
use proto::record_service_server::RecordServiceServer;
use proto::source_service_server::SourceServiceServer;
use record::{Gate, Records};
use source::Sources;
use subscription::Subscriptions;

/// The names of the archive's services.
const SERVICES: [&str; 6] = [
    AdminServiceServer::<Admin>::NAME,
    CatalogServiceServer::<Catalog>::NAME,
    LedgerServiceServer::<Entries>::NAME,
    PositionServiceServer::<Positions>::NAME,
    RecordServiceServer::<Records>::NAME,
    SourceServiceServer::<Sources>::NAME,
];

/// The largest message that is sent, in bytes: what clients take by default. Every answer is
/// bounded below it by what makes it; this is where one that is not would fail.
const ANSWER_BYTES_MAX: usize = 4 << 20;

/// Bounds of the services.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The largest message that is taken, in bytes.
    pub message_bytes_max: usize,
    /// The largest document that is taken, in bytes.
    pub source_bytes_max: u64,
    /// How long one upload may take.
    pub upload_max: Duration,
    /// How long a call may wait for `at_least_size`.
    pub wait_max: Duration,
    /// Bounds of subscriptions.
    pub subscriptions: SubscriptionLimits,
}

/// What the services stand on.
pub struct Parts {
    /// The ledger, for reading.
    pub reader: Reader,
    /// The ledger, for appending.
    pub appender: Appender,
    /// Admission's state, which knows the index of every record.
    pub records: AdmissionTables,
    /// The archived documents.
    pub documents: Arc<StoredDocuments>,
    /// The projections.
    pub views: Views,
    /// The hashes of the ledger's tree.
    pub tiles: Tiles,
    /// Its checkpoints.
    pub checkpoints: Checkpoints,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Below which directory backups are written, for whoever asks; wherever the daemon may, for
    /// those on its own machine, if none.
    pub backup_dir: Option<PathBuf>,
    /// Becomes true when the daemon stops: streams that could go on for ever end then.
    pub stopping: watch::Receiver<bool>,
}

/// All services, with health and reflection; health is told through the reporter.
pub fn routes(parts: Parts, limits: Limits) -> Result<(Routes, HealthReporter), ReflectionError> {
    let Parts {
        reader,
        appender,
        records,
        documents,
        views,
        tiles,
        checkpoints,
        clock,
        backup_dir,
        stopping,
    } = parts;
    let (reporter, health) = tonic_health::server::health_reporter();
    let described = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let unserved = |error: tonic_reflection::server::Error| ReflectionError(error.to_string());
    let reflection = described().build_v1().map_err(unserved)?;
    // The name that older clients ask for.
    let alpha = described().build_v1alpha().map_err(unserved)?;

    let most = limits.message_bytes_max;
    let admin = Admin::new(
        views.clone(),
        reader.clone(),
        appender.clone(),
        Arc::clone(&documents),
        checkpoints.clone(),
        Arc::clone(&clock),
        stopping.clone(),
    )
    .with_backups_below(backup_dir);
    let evidence = Evidence::new(
        views.clone(),
        reader.clone(),
        records.clone(),
        tiles.clone(),
        checkpoints.published().clone(),
        limits.wait_max,
    );
    let catalog = Catalog::new(views.clone(), reader.clone(), evidence.clone());
    let position_reader = reader.clone();
    let subscriptions = Subscriptions::new(reader.clone(), limits.subscriptions, stopping.clone());
    let gate = Gate {
        published: checkpoints.published().clone(),
        reader: reader.clone(),
        wait_max: limits.wait_max,
    };
    let proofs = Proofs::new(
        reader.clone(),
        views.tiles.clone(),
        tiles,
        checkpoints.published().clone(),
    );
    let entries = Entries::new(
        reader,
        records.clone(),
        views.postings.clone(),
        Proving {
            proofs,
            evidence: evidence.clone(),
            checkpoints: checkpoints.clone(),
        },
        subscriptions.clone(),
        limits.wait_max,
    );
    let sources = Sources::new(documents, views.catalog.clone(), records, &limits);
    let records = Records::new(appender, gate, evidence.clone(), stopping);
    let positions = Positions::new(views, position_reader, clock, evidence, subscriptions);
    macro_rules! bounded {
        ($server:expr) => {
            $server
                .max_decoding_message_size(most)
                .max_encoding_message_size(ANSWER_BYTES_MAX)
        };
    }
    let routes = Routes::new(health)
        .add_service(reflection)
        .add_service(alpha)
        .add_service(bounded!(AdminServiceServer::new(admin)))
        .add_service(bounded!(CatalogServiceServer::new(catalog)))
        .add_service(bounded!(LedgerServiceServer::new(entries)))
        .add_service(bounded!(PositionServiceServer::new(positions)))
        .add_service(bounded!(RecordServiceServer::new(records)))
        .add_service(bounded!(SourceServiceServer::new(sources)));
    Ok((routes.prepare(), reporter))
}

/// The protos' descriptors are not what reflection can serve.
#[derive(Debug, thiserror::Error)]
#[error("reflection cannot serve the protos: {0}")]
pub struct ReflectionError(String);

/// Reads an id, a slug or a key that a request must give.
fn parse<T: FromStr>(field: &str, text: &str) -> Result<T, Failure>
where
    T::Err: std::fmt::Display,
{
    text.parse().map_err(|error: T::Err| {
        let message = format!("{} cannot be used", quoted(text));
        Failure::invalid(field, message, error.to_string())
    })
}

/// Does work that blocks where it holds nobody up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Failure::defect(format!("work was not done: {error}"))),
    }
}

/// As [`blocking`], once there is one of `places` for it, which it keeps until it is done,
/// whether or not anybody still waits for it.
async fn blocking_in_turn<T: Send + 'static>(
    places: &Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.map_err(|_| Failure::new(Reason::Stopping, "the daemon is stopping"))?;
    blocking(move || {
        let _place = place;
        work()
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn no_more_work_is_done_at_a_time_than_there_are_places_for() {
        const PLACES: usize = 4;
        let places = Arc::new(Semaphore::new(PLACES));
        let (under_way, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        // Nobody goes on until as many as may be are under way.
        let all = Arc::new(Barrier::new(PLACES));
        let mut done = tokio::task::JoinSet::new();
        for _ in 0..PLACES * 8 {
            let [under_way, most] = [&under_way, &most].map(Arc::clone);
            let (places, all) = (Arc::clone(&places), Arc::clone(&all));
            done.spawn(async move {
                let work = move || {
                    let now = under_way.fetch_add(1, Ordering::SeqCst) + 1;
                    most.fetch_max(now, Ordering::SeqCst);
                    all.wait();
                    under_way.fetch_sub(1, Ordering::SeqCst);
                    Ok(())
                };
                blocking_in_turn(&places, work).await.unwrap();
            });
        }
        done.join_all().await;
        assert_eq!(most.load(Ordering::SeqCst), PLACES);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_keeps_its_place_until_it_is_done() {
        let places = Arc::new(Semaphore::new(1));
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let (end, may_end) = std::sync::mpsc::channel::<()>();
        let work = move || {
            let _ = begun.send(());
            let _ = may_end.recv();
            Ok(())
        };
        tokio::select! {
            _ = blocking_in_turn(&places, work) => panic!("it may not end yet"),
            begun = has_begun => begun.unwrap(),
        }
        assert_eq!(places.available_permits(), 0);
        drop(end);
        drop(places.acquire().await.unwrap());
    }
}
