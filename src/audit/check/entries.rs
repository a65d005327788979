//! Every entry: its signatures and its verdict again, with the documents as they lie there.

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use super::CACHE_BYTES;
use super::frames::Opened;
use super::held::Roots;
use super::report::{Part, PartState, Report};
use crate::admission::{Below, BelowError};
use crate::audit::documents::SourceTexts;
use crate::audit::replay::{Replay, ReplayParts, WRITE_AFTER_ENTRIES};
use crate::backup::Named;
use crate::documents::TEXT_CACHE_BYTES;
use crate::ledger::{ReadError, Reader};
use crate::record::Entry;
use crate::storage::{BlobStore, BlockCache, LsmTables};

/// Checks the entries, as far as the chain of frames is unbroken; the documents that they name.
pub(super) fn check(
    ledger: &Opened,
    sources: Arc<dyn BlobStore>,
    scratch: &Path,
    seed: [u8; 32],
    roots: &mut Roots,
    report: &mut Report,
) -> Named {
    let mut part = Part::new("entries");
    let mut named = Named::default();
    let reader = &ledger.reader;
    let state = match LsmTables::open(&scratch.join("replayed"), &BlockCache::of(CACHE_BYTES)) {
        Ok(opened) => opened.tables,
        Err(error) => {
            part.find(&error);
            report.add(part);
            return named;
        }
    };
    let documents = SourceTexts::new(sources, TEXT_CACHE_BYTES);
    let below = BelowHead(reader);
    let mut replay = Replay::new(ReplayParts {
        origin: reader.origin(),
        state: Arc::new(state),
        documents: &documents,
        below: &below,
        seed,
        write_after_entries: WRITE_AFTER_ENTRIES,
    });
    let entries = Entries {
        reader,
        next: 0,
        frame: Vec::new().into_iter(),
        named: &mut named,
        roots,
    };
    let ended = replay.run(entries, |finding| part.find(&finding));
    if let Err(error) = ended {
        part.find(&error);
    }
    let judged = replay.frontier().size();
    part.looked_at = format!("{judged} entries, their signatures and verdicts");
    if !ledger.is_whole {
        if part.state == PartState::Whole {
            part.state = PartState::Skipped;
        }
        let size = reader.head().size;
        let looked_at = &part.looked_at;
        part.looked_at = format!("{looked_at}; those from {size} on could not be judged");
    }
    report.add(part);
    named
}

/// The leaves of a ledger in order; notes on the way which documents they name, and the roots that
/// are asked for.
struct Entries<'a> {
    reader: &'a Reader,
    next: u64,
    frame: std::vec::IntoIter<Arc<Entry>>,
    named: &'a mut Named,
    roots: &'a mut Roots,
}

impl Iterator for Entries<'_> {
    type Item = Result<Bytes, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        let entry = match self.frame.next() {
            Some(entry) => entry,
            None => match self.reader.frame_at(self.next) {
                Ok(frame) => {
                    self.frame = frame?.entries.clone().into_iter();
                    self.frame.next()?
                }
                Err(error) => return Some(Err(error)),
            },
        };
        self.next = entry.index + 1;
        self.named.add(&entry);
        self.roots.push(&entry.encoded);
        Some(Ok(entry.encoded.clone()))
    }
}

/// The entries of a ledger, wherever admission looks back.
struct BelowHead<'a>(&'a Reader);

impl Below for BelowHead<'_> {
    fn entry(&self, index: u64) -> Result<Arc<Entry>, BelowError> {
        match self.0.entry(index) {
            Ok(Some(entry)) => Ok(entry),
            Ok(None) => Err(BelowError(format!("entry {index} is not on record"))),
            Err(error) => Err(BelowError(error.to_string())),
        }
    }
}
