//! Why bytes are not a frame.

use super::{FORMAT, FRAME_BODY_BYTES, HEADER_BYTES};

/// Why bytes are not a frame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Shorter than a header.
    #[error("{bytes} bytes are no frame: a header alone has {HEADER_BYTES}")]
    Short {
        /// How many bytes there are.
        bytes: usize,
    },
    /// Something else begins here.
    #[error("the bytes do not begin as a frame does")]
    NotAFrame,
    /// Written by another release.
    #[error("the frame has format {format}; this release reads format {FORMAT}")]
    Format {
        /// Its format number.
        format: u16,
    },
    /// The header's bytes changed.
    #[error("the frame's header is not what was written")]
    Header,
    /// The body's bytes changed.
    #[error("the frame's body is not what was written")]
    Body,
    /// The body was cut short, or something follows it.
    #[error("the frame's body has {found} bytes, where {expected} were written")]
    Length {
        /// What the header says.
        expected: u32,
        /// What is there.
        found: usize,
    },
    /// The body is not stored in a way that this release knows.
    #[error("the frame's body is stored in the unknown way {encoding}, or not as it says")]
    Encoding {
        /// The number of the way.
        encoding: u16,
    },
    /// The body would be larger than any that is written.
    #[error("the frame's body would have {bytes} bytes, more than {FRAME_BODY_BYTES}")]
    BodyTooLarge {
        /// What the header says.
        bytes: u32,
    },
    /// The body does not decompress to what the header says.
    #[error("the frame's body does not decompress")]
    Compression,
    /// No entry.
    #[error("the frame holds no entry")]
    Empty,
    /// The body does not fall into the entries that the header counts.
    #[error("the frame's body does not hold {expected} entries")]
    Count {
        /// What the header says.
        expected: u32,
    },
    /// Its entries would lie past the largest ledger.
    #[error("the frame at index {first_index} lies past the end of any ledger")]
    PastTheEnd {
        /// The index of its first entry.
        first_index: u64,
    },
}

impl FrameError {
    /// Whether a write that did not finish explains it.
    pub(in super::super) const fn is_tear(&self) -> bool {
        matches!(
            self,
            Self::Short { .. } | Self::Header | Self::Body | Self::Length { .. }
        )
    }
}
