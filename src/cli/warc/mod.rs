//! Web archives: WARC 1.0 and 1.1 (ISO 28500), plain or compressed record by record.
//!
//! [`Archive`] finds the records of a file and gives each one's head and block to whoever asks;
//! [`RecordHead`] reads a head; [`take`] makes of a block the bytes that are archived, into a
//! sink; [`Captures`] knows which response a revisit repeats; [`UrlPattern`] says which URLs are
//! asked for. Nothing here opens a file or speaks to a daemon.
//!
//! **What is archived of a response**: the payload as a browser would have seen it, that is, the
//! HTTP message's body with its transfer coding (`chunked`) and its content codings (`gzip`,
//! `deflate`, `br`) undone. A body in any other coding is passed over: bytes that nobody can
//! read as text cannot be quoted. Some archivers undo a coding and leave the header that tells
//! of it: a body that does not begin as its coding does (a chunk's size, the first bytes of
//! gzip) is taken as it is. Of a `resource`, the block is archived.
//!
//! **What is checked**: block and payload digests, where the record gives them in an algorithm
//! that is known. Payload digests are taken before content codings are undone; either with or
//! without the chunks' framing, since the standard asks for the one and many tools write the
//! other.
//!
//! **Memory** is bounded by a head (64 KiB), the windows of the decoders, and a capture's name
//! for each response that a revisit could repeat. Time is linear in what the file holds once it
//! is decompressed; of a body that is compressed within, no more than the bound on a payload
//! is.
//!
//! A reader of our own: the `warc` crate keeps no offsets, ends at the first bad record, and
//! checks no digests, which is most of what is done here.

mod archive;
mod captures;
mod digest;
mod fault;
mod fields;
mod http;
mod payload;
mod record;
mod resume;
mod url;

pub use archive::{Archive, Found, Framing};
pub use captures::{Captures, Original};
pub use fault::Fault;
pub use fields::Fields;
pub use payload::{Payload, take};
pub use record::{RecordHead, RecordKind};
pub use url::{UrlPattern, host};
