//! The authoring form: records as people write them, in JSON Lines, made into records that are
//! signed and ready to be sent.
//!
//! The way of a line: `parse` keeps everything that stands on it; `convert` makes a message
//! of it by the descriptors of the protos and refuses what it does not understand; [`read`]
//! does both for a whole file, so that a mistake anywhere keeps everything from being sent.
//! Then a [`Session`] takes the lines in their order: replaces `@key`s by the ids they stand
//! for, uploads a source's file, fills in what the author left to the client (`fill`), signs,
//! keeps what it signed beside the file (`signed`), and hands it out.
//!
//! The invariant: an unchanged line is the same record, byte for byte, however often the file
//! is run, so that the archive records it once.
//!
//! It does not speak to a daemon: what must be asked of one is behind [`Archive`]. It does not
//! judge records either: whether they are fit to enter is decided by admission alone.

mod archive;
mod capacity;
mod convert;
mod draft;
mod error;
mod fill;
mod known;
mod parse;
mod scalar;
mod schema;
mod session;
mod signed;
#[cfg(test)]
mod tests;

pub use archive::{Archive, KnownSource, KnownStatement, Subject};
pub use convert::{Others, message};
pub use draft::{Draft, read};
pub use error::{AuthoringError, FILE_BYTES_MAX, LINE_BYTES_MAX, NOT_SENT, Problem};
pub use session::{AuthoredRecord, Note, PrepareError, Session};
pub use signed::{SIGNED_SUFFIX, SignedError, SignedFile, signed_under};
