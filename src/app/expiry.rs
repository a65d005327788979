//! Uploads that no record ever names expire: looked for now and then, while the daemon serves.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::documents::{Document, StoredDocuments};
use crate::fold::FoldError;
use crate::ledger::Reader;
use crate::projection::catalog;
use crate::rpc::{KnownAt, View};
use crate::storage::BlobError;

/// The longest time between two looks.
const LOOK_EVERY_MAX: Duration = Duration::from_hours(1);

/// Removes uploads older than `expiry` that are not on record. Never ends by itself.
pub async fn expire_uploads(
    documents: Arc<StoredDocuments>,
    reader: Reader,
    catalog: View,
    expiry: Duration,
) {
    let mut look = tokio::time::interval(expiry.min(LOOK_EVERY_MAX));
    loop {
        look.tick().await;
        documents.begin_expiry();
        let size = reader.head().size;
        let known = match catalog.known(KnownAt::size("", size), size).await {
            Ok(known) => known.known_at,
            Err(failure) => {
                tracing::warn!(?failure, "no upload expires until the catalog is read");
                continue;
            }
        };
        let (documents, catalog) = (Arc::clone(&documents), catalog.clone());
        let removed = tokio::task::spawn_blocking(move || {
            // At the start, so that no upload has to wait for it.
            documents.count_unnamed()?;
            let before = SystemTime::now()
                .checked_sub(expiry)
                .unwrap_or(SystemTime::UNIX_EPOCH);
            documents.expire(before, |document| is_on_record(&catalog, document, known))
        });
        match removed.await {
            Ok(Ok(0)) => {}
            Ok(Ok(removed)) => tracing::info!(removed, "uploads that no record names expired"),
            Ok(Err(error)) => tracing::warn!(%error, "uploads could not expire"),
            Err(error) => tracing::warn!(%error, "uploads could not expire"),
        }
    }
}

fn is_on_record(catalog: &View, document: Document, known_at: u64) -> Result<bool, ExpiryError> {
    let tables = catalog.tables();
    Ok(match document {
        Document::Source(id) => catalog::source(tables, &id, known_at)?.is_some(),
        Document::Text(id) => catalog::first_with_text(tables, &id, known_at)?.is_some(),
    })
}

/// Why uploads did not expire.
#[derive(Debug, thiserror::Error)]
enum ExpiryError {
    #[error(transparent)]
    Blob(#[from] BlobError),
    #[error(transparent)]
    Catalog(#[from] FoldError),
}
