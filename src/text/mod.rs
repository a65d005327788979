//! Text: extraction profiles and quotation matching.

use std::sync::Arc;

/// A passage of an extracted text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// First code point.
    pub start: u32,
    /// Code point after the last.
    pub end: u32,
    /// The passage.
    pub text: String,
}

/// A text prepared for searching.
#[derive(Debug)]
pub struct SearchText;

/// Placeholder.
pub type SharedText = Arc<SearchText>;
