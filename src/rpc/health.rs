//! `grpc.health.v1`: which services answer. The whole, named by the empty string, serves as
//! long as the daemon does; `RecordService` does not once the ledger is poisoned, and what
//! asks a projection does not once that has failed.

use std::time::Duration;

use tonic::server::NamedService as _;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::proto::catalog_service_server::CatalogServiceServer;
use super::proto::ledger_service_server::LedgerServiceServer;
use super::proto::position_service_server::PositionServiceServer;
use super::proto::record_service_server::RecordServiceServer;
use super::views::Views;
use super::{Catalog, Entries, Positions, Records, SERVICES};
use crate::ledger::Appender;

/// How often it is looked at. Callers learn of a poisoned ledger from their calls at once.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Reports every service as serving.
pub async fn report_serving(reporter: &HealthReporter) {
    for name in SERVICES {
        reporter
            .set_service_status(name, ServingStatus::Serving)
            .await;
    }
}

/// Reports nothing as serving: the daemon is stopping.
pub async fn report_stopping(reporter: &HealthReporter) {
    for name in SERVICES.into_iter().chain([""]) {
        reporter
            .set_service_status(name, ServingStatus::NotServing)
            .await;
    }
}

/// Watches what services stand on and reports those that it fails. Never ends by itself.
pub async fn watch(reporter: HealthReporter, appender: Appender, views: Views) {
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        look.tick().await;
        let failed = |name| reporter.set_service_status(name, ServingStatus::NotServing);
        if appender.poisoned().is_some() {
            failed(RecordServiceServer::<Records>::NAME).await;
        }
        if views.positions.has_failed() || views.catalog.has_failed() {
            failed(PositionServiceServer::<Positions>::NAME).await;
        }
        let cataloged = [&views.catalog, &views.postings, &views.statements];
        if cataloged.iter().any(|view| view.has_failed()) {
            failed(CatalogServiceServer::<Catalog>::NAME).await;
        }
        if views.tiles.has_failed() {
            failed(LedgerServiceServer::<Entries>::NAME).await;
        }
    }
}
