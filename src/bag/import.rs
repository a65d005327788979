//! A replica from a bag: every file against the manifests, every tile against the entries, every
//! entry by its signatures and verdict, every document by its id, and the root.

use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::error::BagError;
use super::ledger::{BelowBag, Entries, Framing};
use super::reader::BagReader;
use super::tiles::TileWriter;
use super::writer::at;
use super::{CHECKPOINT, INFO_ROOT, INFO_SIZE, SOURCES};
use crate::audit::{Finding, Replay, ReplayParts, SourceTexts, WRITE_AFTER_ENTRIES};
use crate::backup::Named;
use crate::documents::TEXT_CACHE_BYTES;
use crate::ledger::{Head, verify_chain};
use crate::merkle::{
    Checkpoint, Frontier, KeyName, NOTE_BYTES_MAX, NoteKey, NoteKeyType, SignedNote, TilePath,
};
use crate::record::proto::record::Kind;
use crate::record::{ContentId, Entry, VerifierKey};
use crate::storage::{
    BlobStore, BlockCache, FileBlobs, FrameLoader, FramesOptions, LsmTables, SledFrames,
    UnfinishedDir, Work,
};

/// What the tables of admission may keep in memory of the blocks that were read.
const CACHE_BYTES: u64 = 16 << 20;

/// How much of a document is in memory at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// What was founded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its origin, which is that of the archive.
    pub origin: String,
    /// Its head, which the archive had.
    pub head: Head,
    /// The key that signed the checkpoint in the bag; none without a checkpoint.
    pub signed_by: Option<NoteKey>,
    /// Whether that key was given by whoever imports, and is not merely the ledger's own word.
    pub is_vouched_for: bool,
    /// How many documents it has.
    pub documents: u64,
    /// How many documents are withheld, and not in the bag.
    pub withheld: u64,
    /// How many entries rest on one of those, so that what they quote could not be looked at.
    pub not_judged: u64,
}

/// Who has to have signed for what a bag holds.
#[derive(Clone, Copy, Debug)]
pub enum Vouching<'a> {
    /// One of these keys, which whoever imports has from elsewhere.
    Keys(&'a [NoteKey]),
    /// A key that the bag's own ledger names: whoever made up the ledger made up the key.
    Itself,
    /// Nobody: there need not be a checkpoint.
    Nobody,
}

/// Founds a replica in `data_dir`, which is missing or empty, of the archive in `bag`, if who has
/// to vouch for it does. Nobody who signed a record knows `seed`.
pub fn import(
    bag: &Path,
    data_dir: &Path,
    vouching: Vouching<'_>,
    seed: [u8; 32],
    progress: impl FnMut(u64),
) -> Result<Replica, BagError> {
    let source_dir = bag;
    let bag = BagReader::open(source_dir, progress)?;
    let claimed = Claimed::of(&bag)?;
    let vouched = claimed.vouched(vouching)?;
    let unfinished = UnfinishedDir::begin_apart(data_dir, source_dir, Work::Import)?;
    let Some(dir) = unfinished.dir() else {
        return Err(BagError::Empty);
    };
    dir.mark_replica()?;
    let loader = FrameLoader::begin(&dir.parts().ledger(), dir.syncer())?;
    let mut framing = Framing::new(loader);
    let read = Read::all(&bag, claimed.size, |entry| framing.push(entry))?;
    framing.finish()?;
    claimed.check(&read.frontier)?;
    let signed_by = match (&claimed.note, &vouched) {
        (_, Some(key)) => {
            read.check_origin(key.name())?;
            vouched.clone()
        }
        (Some(note), None) => Some(read.own_signer(note)?),
        (None, None) => None,
    };

    let sources = FileBlobs::open(&dir.parts().sources(), dir.syncer()).map_err(storage)?;
    let (documents, withheld) = copy_documents(&bag, &read.named, &sources)?;
    let state = LsmTables::open(&dir.parts().admission(), &BlockCache::of(CACHE_BYTES))?.tables;
    let texts = SourceTexts::new(
        Arc::new(FileBlobs::to_read(&dir.parts().sources())),
        TEXT_CACHE_BYTES,
    );
    let not_judged = judge(&bag, &read, state, &texts, seed)?;

    let frames = SledFrames::open(&dir.parts().ledger(), &FramesOptions::default())?;
    let head = verify_chain(&frames)?;
    drop(frames);
    dir.write_head(&head.into())?;
    unfinished.finish()?;
    Ok(Replica {
        origin: read.origin,
        head,
        is_vouched_for: vouched.is_some(),
        signed_by,
        documents,
        withheld,
        not_judged,
    })
}

fn storage(fault: crate::storage::IoFault) -> BagError {
    BagError::Blob(fault.into())
}

/// The size and root that a bag says of itself.
pub(super) struct Claimed {
    size: u64,
    root: String,
    named: &'static str,
    note: Option<SignedNote>,
}

impl Claimed {
    pub fn of(bag: &BagReader) -> Result<Self, BagError> {
        if bag.has(CHECKPOINT) {
            let bytes = bag.read(CHECKPOINT, NOTE_BYTES_MAX)?;
            let unfit = |error: &dyn std::fmt::Display| BagError::Checkpoint {
                why: error.to_string(),
            };
            let note = SignedNote::parse(&bytes).map_err(|error| unfit(&error))?;
            let checkpoint: Checkpoint = note.text().parse().map_err(|error| unfit(&error))?;
            return Ok(Self {
                size: checkpoint.size(),
                root: checkpoint.root().to_string(),
                named: "data/checkpoint",
                note: Some(note),
            });
        }
        let said = |name| {
            bag.info(name).ok_or_else(|| BagError::Checkpoint {
                why: format!("there is none, and bag-info.txt has no {name}"),
            })
        };
        let size = said(INFO_SIZE)?.parse();
        Ok(Self {
            size: size.map_err(|_| BagError::Checkpoint {
                why: format!("there is none, and {INFO_SIZE} in bag-info.txt is no number"),
            })?,
            root: said(INFO_ROOT)?.to_owned(),
            named: "bag-info.txt",
            note: None,
        })
    }

    /// The key among those that were asked for that signed the checkpoint.
    fn vouched(&self, vouching: Vouching<'_>) -> Result<Option<NoteKey>, BagError> {
        let keys = match (vouching, &self.note) {
            (Vouching::Nobody, None) | (Vouching::Nobody | Vouching::Itself, Some(_)) => {
                return Ok(None);
            }
            (Vouching::Keys(_) | Vouching::Itself, None) => return Err(BagError::NoCheckpoint),
            (Vouching::Keys(keys), Some(note)) => (keys, note),
        };
        signer(keys.1, keys.0).map(Some)
    }

    pub fn check(&self, frontier: &Frontier) -> Result<(), BagError> {
        let found = frontier.root().to_string();
        if (frontier.size(), &found) == (self.size, &self.root) {
            return Ok(());
        }
        Err(BagError::OtherRoot {
            named: self.named,
            entries: frontier.size(),
            found,
            expected_entries: self.size,
            expected: self.root.clone(),
        })
    }
}

/// Which of the keys signed the checkpoint.
fn signer(note: &SignedNote, keys: &[NoteKey]) -> Result<NoteKey, BagError> {
    let mut why = "no key of the archive signed it".to_owned();
    for key in keys {
        match Checkpoint::open(note, key) {
            Ok(_) => return Ok(key.clone()),
            Err(error) => why = error.to_string(),
        }
    }
    Err(BagError::Checkpoint { why })
}

/// What the entries of a bag say of what else must be in it.
pub(super) struct Read {
    pub origin: String,
    pub frontier: Frontier,
    pub named: Named,
    /// The keys that may sign checkpoints.
    keys: Vec<VerifierKey>,
}

impl Read {
    /// Reads all entries, holds the bag's tiles against them, and hands each on.
    pub fn all(
        bag: &BagReader,
        size: u64,
        mut each: impl FnMut(&Entry) -> Result<(), BagError>,
    ) -> Result<Self, BagError> {
        let mut origin = None;
        let mut named = Named::default();
        let mut keys = Vec::new();
        let mut tiles = TileWriter::default();
        let mut compare = |path: TilePath, expected: &[u8]| {
            let path = path.to_string();
            let found = bag.read(&path, expected.len())?;
            if found == expected {
                return Ok(());
            }
            Err(BagError::OtherTile { path })
        };
        for (index, leaf) in (0..).zip(Entries::new(bag, size)) {
            let leaf = leaf?;
            tiles.push(&leaf, &mut compare)?;
            let entry = Entry::decode(index, leaf);
            let entry = entry.map_err(|error| BagError::Entry { index, error })?;
            match &entry.record.kind {
                Some(Kind::ArchiveFounded(founded)) => {
                    origin.get_or_insert_with(|| entry.record.origin.clone());
                    keys.extend(founded.checkpoint_key.parse::<VerifierKey>());
                }
                Some(Kind::CheckpointKeySet(set)) => {
                    keys.extend(set.checkpoint_key.parse::<VerifierKey>());
                }
                _ => {}
            }
            named.add(&entry);
            each(&entry)?;
        }
        let frontier = tiles.finish(&mut compare)?;
        Ok(Self {
            origin: origin.ok_or(BagError::NotFounded)?,
            frontier,
            named,
            keys,
        })
    }

    /// Whether the checkpoint's name is that of the archive.
    pub fn check_origin(&self, name: &str) -> Result<(), BagError> {
        if name == self.origin {
            return Ok(());
        }
        Err(BagError::Checkpoint {
            why: format!("it is of {name}, and the entries are of {}", self.origin),
        })
    }

    /// Which of the keys that the entries name signed the checkpoint.
    fn own_signer(&self, note: &SignedNote) -> Result<NoteKey, BagError> {
        let name: KeyName = self.origin.parse().map_err(|error| BagError::Checkpoint {
            why: format!("{error}"),
        })?;
        let keys = self.keys.iter();
        let keys = keys.map(|key| NoteKey::new(name.clone(), NoteKeyType::Log, *key));
        signer(note, &keys.collect::<Vec<_>>())
    }
}

/// Copies the documents on record; how many, and how many that are withheld are not in the bag.
fn copy_documents(
    bag: &BagReader,
    named: &Named,
    sources: &dyn BlobStore,
) -> Result<(u64, u64), BagError> {
    let (mut copied, mut withheld) = (0, 0);
    for id in named.archived() {
        let name = format!("{SOURCES}/{id}");
        if !bag.has(&name) {
            if !named.is_withheld(id) {
                return Err(BagError::DocumentMissing { id: *id });
            }
            withheld += 1;
            continue;
        }
        let mut file = bag.open_file(&name)?;
        let mut writer = sources.begin(u64::MAX)?;
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut hasher = blake3::Hasher::new();
        loop {
            let read = file.read(&mut chunk).map_err(at(Path::new(&name)))?;
            let Some(read) = chunk.get(..read).filter(|read| !read.is_empty()) else {
                break;
            };
            hasher.update(read);
            writer.write(read)?;
        }
        let found = ContentId::from(hasher.finalize());
        if found != *id {
            return Err(BagError::OtherDocument { id: *id, found });
        }
        writer.finish()?;
        copied += 1;
    }
    Ok((copied, withheld))
}

/// Repeats every verdict; how many entries could not be judged, as what they rest on is withheld.
pub(super) fn judge(
    bag: &BagReader,
    read: &Read,
    state: LsmTables,
    documents: &SourceTexts,
    seed: [u8; 32],
) -> Result<u64, BagError> {
    let entries = Entries::new(bag, read.frontier.size());
    let below = BelowBag(entries.clone());
    let mut replay = Replay::new(ReplayParts {
        origin: &read.origin,
        state: Arc::new(state),
        documents,
        below: &below,
        seed,
        write_after_entries: WRITE_AFTER_ENTRIES,
    });
    let (mut not_judged, mut count) = (0, 0);
    let mut first: Option<Finding> = None;
    replay.run(entries, |finding| {
        // Every document that is not withheld is there.
        if finding.problem.is_not_judged() {
            not_judged += 1;
        } else {
            count += 1;
            first.get_or_insert(finding);
        }
    })?;
    match first {
        None => Ok(not_judged),
        Some(first) => Err(BagError::Entries {
            count,
            first: Box::new(first),
        }),
    }
}
