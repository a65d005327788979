//! How texts came from their sources, as the entries say that were checked: what it takes to
//! extract a text again for a statement that quotes it later.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::documents::{Document, DocumentsOnRecord, Extraction};
use crate::fold::{Changes, Fold, FoldError, Tables};
use crate::record::proto::record::Kind;
use crate::record::{ContentId, Entry};
use crate::storage::LsmTables;

/// What a row's key begins with; the text's id follows.
const TEXT: &[u8] = b"X";

#[derive(Serialize, Deserialize)]
struct Row {
    source: String,
    profile: String,
    media_type: String,
}

/// A row for each text that a source was archived with.
#[derive(Debug)]
pub(super) struct TextsFold;

impl Fold for TextsFold {
    fn name(&self) -> &'static str {
        "texts"
    }

    fn version(&self) -> u32 {
        1
    }

    fn fold(&self, _: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError> {
        let mut changes = Changes::new();
        if let Some(Kind::SourceArchived(archived)) = &entry.record.kind
            && let Ok(text_id) = archived.text_id.parse::<ContentId>()
        {
            let row = Row {
                source: archived.source.clone(),
                profile: archived.profile.clone(),
                media_type: archived.media_type.clone(),
            };
            let row = postcard::to_stdvec(&row).map_err(|_| FoldError::Row { table: "texts" })?;
            changes.insert(key(&text_id), Some(row));
        }
        Ok(changes)
    }
}

/// The rows of [`TextsFold`], to be asked.
pub(super) struct EarlierTexts(pub Arc<LsmTables>);

impl DocumentsOnRecord for EarlierTexts {
    fn of_text(&self, text_id: &ContentId) -> Option<Extraction> {
        let row = self.0.get(&key(text_id)).ok()??;
        let row: Row = postcard::from_bytes(&row).ok()?;
        Some(Extraction {
            source: row.source.parse().ok()?,
            profile: row.profile.parse().ok()?,
            media_type: row.media_type,
        })
    }

    fn names(&self, _: &Document) -> bool {
        true
    }

    fn size(&self) -> u64 {
        0
    }
}

fn key(text_id: &ContentId) -> Vec<u8> {
    [TEXT, text_id.as_bytes()].concat()
}
