//! An archive as a bag, after `BagIt` 1.0 (RFC 8493): files that anybody can keep, copy and verify
//! with common tools, without this program.
//!
//! ```text
//! bagit.txt                 written last: without it there is no bag
//! bag-info.txt              origin, size and root, Payload-Oxum
//! manifest-sha512.txt       every file below data/
//! tagmanifest-sha512.txt    the three above
//! data/README.txt           how to verify all this
//! data/checkpoint           the signed note over size and root, if one was signed
//! data/tile/...             the Merkle tree's tiles, data/tile/entries/... the entries, as C2SP
//!                           tlog-tiles names them: a tile server can serve data/ as it is
//! data/sources/<id>         the documents on record, but those that are withheld
//! ```
//!
//! [`import`] founds a replica: it believes nothing that it has not checked (the manifests, the
//! tiles, every entry with its signatures and verdict, every document, the root), and the replica
//! has no key to sign checkpoints with.
//!
//! - `writer`, `reader`: the bag itself, whatever is in it
//! - `tiles`: tiles and bundles out of entries in order
//! - `ledger`: the entries of a bag, and frames out of them
//! - `import`: the replica

mod error;
mod import;
mod ledger;
mod reader;
mod tiles;
mod writer;

pub use error::BagError;
pub use import::{Replica, import};
pub use reader::BagReader;
pub use tiles::TileWriter;
pub use writer::{BagInfo, BagWriter};

/// Where documents lie in a bag.
pub const SOURCES: &str = "sources";

/// The name of the checkpoint's file in a bag.
pub const CHECKPOINT: &str = "checkpoint";

/// The name of the size in `bag-info.txt`.
pub const INFO_SIZE: &str = "Onrecord-Ledger-Size";

/// The name of the root in `bag-info.txt`.
pub const INFO_ROOT: &str = "Onrecord-Ledger-Root";
