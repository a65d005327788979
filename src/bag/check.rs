//! A bag held against the keys that its reader trusts, line by line: the manifests, the checkpoint
//! and its signatures, the tiles and the root, the documents, and every entry's verdict.
//!
//! The invariant: a report holds only if the entries are all those that the checkpoint commits to,
//! in its order, and each of them was let in by the rules. Nothing is founded and the bag is not
//! changed; what admission judges by goes to a scratch directory.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::error::BagError;
use super::import::{Claimed, Read, judge};
use super::reader::BagReader;
use super::{CHECKPOINT, SOURCES};
use crate::audit::SourceTexts;
use crate::bundle::{self, Check, Fault, Report, Trusted};
use crate::documents::TEXT_CACHE_BYTES;
use crate::merkle::NOTE_BYTES_MAX;
use crate::record::ContentId;
use crate::storage::{
    BlobError, BlobReader, BlobStore, BlobWriter, BlockCache, IoFault, LsmTables,
};

/// What the tables of admission may keep in memory of the blocks that were read.
const CACHE_BYTES: u64 = 16 << 20;

/// Checks the bag in `dir`, with tables in the empty directory `scratch`. Nobody who signed a
/// record knows `seed`.
pub fn check(
    dir: &Path,
    scratch: &Path,
    trusted: &Trusted<'_>,
    seed: [u8; 32],
    progress: impl FnMut(u64),
) -> Report {
    let mut report = Report::default();
    if steps(dir, scratch, trusted, seed, progress, &mut report).is_some() {
        report.finish();
    }
    report
}

/// Goes as far as one step can build on the one before.
fn steps(
    dir: &Path,
    scratch: &Path,
    trusted: &Trusted<'_>,
    seed: [u8; 32],
    progress: impl FnMut(u64),
    report: &mut Report,
) -> Option<()> {
    let bag = held(BagReader::open(dir, progress), Check::File, report)?;
    let files = bag.names("").count();
    let text = format!("{files} files are what the bag's manifests say");
    report.yes(Check::File, None, text);

    let claimed = claimed(&bag);
    let (note, claimed) = held(claimed, Check::Checkpoint, report)?;
    let checkpoint = bundle::check_checkpoint(&note, trusted, report)?;

    let read = Read::all(&bag, checkpoint.size(), |entry| {
        report.recorded_at(entry.index, entry.recorded_at);
        Ok(())
    });
    let read = read.and_then(|read| {
        claimed.check(&read.frontier)?;
        read.check_origin(checkpoint.origin().as_str())?;
        Ok(read)
    });
    let read = held(read, Check::Inclusion, report)?;
    let (size, root) = (read.frontier.size(), read.frontier.root());
    let text = format!("the {size} entries give every tile, and the checkpoint's root {root}");
    report.yes(Check::Inclusion, None, text);

    let sources = BagSources(bag);
    let (mut whole, mut withheld) = (0_u64, 0_u64);
    for id in read.named.archived() {
        match sources.verify(id) {
            Ok(()) => whole += 1,
            Err(BagError::DocumentMissing { .. }) if read.named.is_withheld(id) => withheld += 1,
            Err(error) => return held(Err(error), Check::Source, report),
        }
    }
    let text = format!("{whole} documents are the ones on record");
    report.yes(Check::Source, None, text);
    if withheld > 0 {
        let text = format!("{withheld} documents are withheld, and not in the bag");
        report.unchecked_line(Check::Source, None, text);
    }

    let sources = Arc::new(sources);
    let texts = SourceTexts::new(Arc::clone(&sources) as Arc<dyn BlobStore>, TEXT_CACHE_BYTES);
    let state = LsmTables::open(scratch, &BlockCache::of(CACHE_BYTES)).map_err(BagError::from);
    let judged = state.and_then(|state| judge(&sources.0, &read, state.tables, &texts, seed));
    let not_judged = held(judged, Check::Record, report)?;
    let judged = size.saturating_sub(not_judged);
    let text = format!("{judged} entries were let in by the rules, their signatures hold");
    report.yes(Check::Record, None, text);
    if not_judged > 0 {
        let text = format!("{not_judged} entries rest on documents that are withheld");
        report.unchecked_line(Check::Record, None, text);
    }
    Some(())
}

/// What was had, or a line that says why it was not.
fn held<T>(had: Result<T, BagError>, check: Check, report: &mut Report) -> Option<T> {
    had.inspect_err(|error| {
        let reason = error.to_string();
        report.no(check, None, Fault::Archive { reason });
    })
    .ok()
}

/// The checkpoint's note, and what it says.
fn claimed(bag: &BagReader) -> Result<(String, Claimed), BagError> {
    if !bag.has(CHECKPOINT) {
        return Err(BagError::NoCheckpoint);
    }
    let note = bag.read(CHECKPOINT, NOTE_BYTES_MAX)?;
    let note = String::from_utf8(note).map_err(|error| BagError::Checkpoint {
        why: error.to_string(),
    })?;
    Ok((note, Claimed::of(bag)?))
}

/// The documents in a bag, as a store that is only read.
struct BagSources(BagReader);

impl BagSources {
    fn file(&self, id: &ContentId) -> Result<(File, u64), BlobError> {
        let name = format!("{SOURCES}/{id}");
        if !self.0.has(&name) {
            return Err(BlobError::Missing { id: *id });
        }
        let failed = |source| IoFault {
            action: "open the document",
            path: name.clone().into(),
            source,
        };
        let opened = self.0.open_file(&name);
        let file = opened.map_err(|error| failed(io::Error::other(error)))?;
        let size = file.metadata().map_err(failed)?.len();
        Ok((file, size))
    }

    /// Whether the document is there, and what its name says.
    fn verify(&self, id: &ContentId) -> Result<(), BagError> {
        let (file, _) = match self.file(id) {
            Err(BlobError::Missing { id }) => return Err(BagError::DocumentMissing { id }),
            other => other?,
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(file).map_err(|source| {
            BlobError::Io(IoFault {
                action: "read the document",
                path: id.to_string().into(),
                source,
            })
        })?;
        let found = ContentId::from(hasher.finalize());
        if found == *id {
            Ok(())
        } else {
            Err(BagError::OtherDocument { id: *id, found })
        }
    }
}

/// That nothing is written to a bag that is checked.
fn read_only() -> BlobError {
    BlobError::Io(IoFault {
        action: "write to",
        path: SOURCES.into(),
        source: io::ErrorKind::ReadOnlyFilesystem.into(),
    })
}

impl BlobStore for BagSources {
    fn begin(&self, _: u64) -> Result<Box<dyn BlobWriter>, BlobError> {
        Err(read_only())
    }

    fn contains(&self, id: &ContentId) -> Result<bool, BlobError> {
        Ok(self.0.has(&format!("{SOURCES}/{id}")))
    }

    fn open(&self, id: &ContentId) -> Result<BlobReader, BlobError> {
        let (file, size) = self.file(id)?;
        Ok(BlobReader::new(size, file))
    }

    fn remove(&self, _: &ContentId) -> Result<bool, BlobError> {
        Err(read_only())
    }

    fn list_older_than(
        &self,
        _: SystemTime,
        _: Option<&ContentId>,
        _: usize,
    ) -> Result<Vec<ContentId>, BlobError> {
        Ok(Vec::new())
    }

    fn remove_if_older_than(&self, _: &ContentId, _: SystemTime) -> Result<bool, BlobError> {
        Err(read_only())
    }
}
