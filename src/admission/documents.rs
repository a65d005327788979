//! The archived documents, as admission needs them.

use crate::record::ContentId;
use crate::text::SearchText;

/// The bytes and texts of sources, addressed by their hashes: immutable, so that a verdict
/// that rests on them can be given at any time.
pub trait Documents: Sync {
    /// How many bytes the source has; none if they were never uploaded.
    fn size(&self, source: &ContentId) -> Result<Option<u64>, DocumentsError>;

    /// The source's bytes; none if they were never uploaded.
    fn bytes(&self, source: &ContentId) -> Result<Option<Vec<u8>>, DocumentsError>;

    /// The extracted text that has this id; none if it was never kept.
    fn text(&self, text_id: &ContentId) -> Result<Option<SearchText>, DocumentsError>;

    /// Keeps an extracted text and gives its id.
    fn keep_text(&self, text: String) -> Result<ContentId, DocumentsError>;
}

/// Why a document could not be read or kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a document cannot be read: {0}")]
pub struct DocumentsError(pub String);
