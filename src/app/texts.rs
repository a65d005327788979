//! Which documents are on record, and how texts were extracted, for when one was lost: the
//! catalog knows the entry that names a text, and the ledger has the record.

use std::fmt::Display;

use crate::documents::{Document, DocumentsOnRecord, Extraction};
use crate::ledger::Reader;
use crate::projection::{Projection, catalog};
use crate::record::ContentId;
use crate::record::proto::record::Kind;

/// See the module.
pub(super) struct TextsOnRecord {
    catalog: Projection,
    reader: Reader,
}

impl TextsOnRecord {
    /// Those that `catalog` has read of in the ledger of `reader`.
    pub(super) const fn new(catalog: Projection, reader: Reader) -> Self {
        Self { catalog, reader }
    }
}

impl DocumentsOnRecord for TextsOnRecord {
    fn of_text(&self, text_id: &ContentId) -> Option<Extraction> {
        let unreadable = |error: &dyn Display| {
            tracing::warn!(%text_id, %error, "how a lost text was extracted cannot be read");
        };
        let first = catalog::first_with_text(self.catalog.tables(), text_id, u64::MAX);
        let index = first.inspect_err(|error| unreadable(error)).ok()??;
        let entry = self.reader.entry(index);
        let entry = entry.inspect_err(|error| unreadable(error)).ok()??;
        let Some(Kind::SourceArchived(archived)) = &entry.record.kind else {
            return None;
        };
        Some(Extraction {
            source: archived.source.parse().ok()?,
            profile: archived.profile.parse().ok()?,
            media_type: archived.media_type.clone(),
        })
    }

    fn names(&self, document: &Document) -> bool {
        let tables = self.catalog.tables();
        let named = match document {
            Document::Source(id) => catalog::source(tables, id, u64::MAX).map(|it| it.is_some()),
            Document::Text(id) => {
                catalog::first_with_text(tables, id, u64::MAX).map(|it| it.is_some())
            }
        };
        named.unwrap_or_else(|error| {
            tracing::warn!(?document, %error, "whether a document is on record cannot be read");
            false
        })
    }

    fn size(&self) -> u64 {
        self.catalog.cursor().size
    }
}
