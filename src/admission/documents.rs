//! The archived documents, as admission needs them.

use crate::record::ContentId;
use crate::text::{ExtractError, Profile, SearchText};

/// The bytes and texts of sources, addressed by their hashes: immutable, so that a verdict
/// that rests on them can be given at any time.
pub trait Documents: Sync {
    /// How many bytes the source has; none if they were never uploaded.
    fn size(&self, source: &ContentId) -> Result<Option<u64>, DocumentsError>;

    /// The id of the text that `profile` gives of the source, read as `media_type`; keeps the
    /// text. None if the source was never uploaded.
    fn text_of(
        &self,
        source: &ContentId,
        profile: Profile,
        media_type: &str,
    ) -> Result<Option<ContentId>, TextError>;

    /// The extracted text that has this id; none if it was never kept.
    fn text(&self, text_id: &ContentId) -> Result<Option<SearchText>, DocumentsError>;
}

/// Why a document could not be read or kept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a document cannot be read: {0}")]
pub struct DocumentsError(pub String);

/// Why a source gives no text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// A document could not be read or kept.
    #[error(transparent)]
    Documents(#[from] DocumentsError),
    /// The profile gives none.
    #[error(transparent)]
    Extract(#[from] ExtractError),
}
