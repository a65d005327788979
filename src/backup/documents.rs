//! Documents from one store into another, hashed on the way.

use std::io::Read as _;

use super::error::{BackupError, DOCUMENTS_NAMED_MAX};
use super::named::Named;
use crate::record::ContentId;
use crate::storage::{BlobError, BlobStore, IoFault};

/// How much of a document is in memory at a time.
const CHUNK_BYTES: usize = 256 << 10;

/// Copies one document; its size. Nothing is left in `to` of one that is damaged.
pub fn copy_document(
    id: &ContentId,
    from: &dyn BlobStore,
    to: &dyn BlobStore,
) -> Result<u64, BlobError> {
    let mut reader = from.open(id)?;
    let mut writer = to.begin(u64::MAX)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    let mut hasher = blake3::Hasher::new();
    loop {
        let read = reader.read(&mut chunk).map_err(|source| IoFault {
            action: "read the document",
            path: id.to_string().into(),
            source,
        })?;
        let Some(read) = chunk.get(..read).filter(|read| !read.is_empty()) else {
            break;
        };
        hasher.update(read);
        writer.write(read)?;
        bytes += read.len() as u64;
    }
    let found = ContentId::from(hasher.finalize());
    if found != *id {
        return Err(BlobError::Damaged {
            expected: *id,
            found,
        });
    }
    writer.finish()?;
    Ok(bytes)
}

/// Copies all documents that are named, telling `progress` of the bytes of each; whether to go on
/// is its answer. Those that are missing or damaged are counted, and the first of them told, once
/// all have been looked at. A document that is withheld may be missing.
pub(super) fn copy_named(
    named: &Named,
    from: &dyn BlobStore,
    to: &dyn BlobStore,
    mut progress: impl FnMut(u64) -> bool,
) -> Result<Copied, BackupError> {
    let mut copied = Copied::default();
    let mut told = Vec::new();
    let mut damaged = 0;
    for id in named.archived() {
        match copy_document(id, from, to) {
            Ok(bytes) => {
                copied.documents += 1;
                copied.bytes += bytes;
                if !progress(bytes) {
                    return Err(BackupError::GivenUp);
                }
            }
            Err(BlobError::Missing { .. }) if named.is_withheld(id) => copied.erased += 1,
            Err(error @ (BlobError::Missing { .. } | BlobError::Damaged { .. })) => {
                damaged += 1;
                if told.len() < DOCUMENTS_NAMED_MAX {
                    told.push(error.to_string());
                }
            }
            Err(error) => return Err(BackupError::Document { id: *id, error }),
        }
    }
    match damaged {
        0 => Ok(copied),
        count => Err(BackupError::Documents { count, told }),
    }
}

/// What was copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Copied {
    /// How many documents.
    pub documents: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many that are withheld are not kept any more.
    pub erased: u64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::proto::{Envelope, Record, SourceArchived, SourceWithheld, record::Kind};
    use crate::record::{Entry, Micros};
    use crate::storage::MemoryBlobs;

    fn entry(kind: Kind) -> Entry {
        let record = Record {
            kind: Some(kind),
            ..Record::default()
        };
        Entry::new(
            0,
            Micros(1),
            ContentId::of(b""),
            record,
            Envelope::default(),
        )
    }

    fn archived(id: &ContentId) -> Entry {
        entry(Kind::SourceArchived(SourceArchived {
            source: id.to_string(),
            ..SourceArchived::default()
        }))
    }

    #[test]
    fn only_what_is_named_is_copied_and_only_what_is_withheld_may_be_missing() {
        let from = MemoryBlobs::new();
        let put = |bytes: &[u8]| {
            let mut writer = from.begin(100).unwrap();
            writer.write(bytes).unwrap();
            writer.finish().unwrap()
        };
        let (one, other) = (put(b"one"), put(b"another"));
        let (erased, lost) = (ContentId::of(b"erased"), ContentId::of(b"lost"));
        let mut named = Named::default();
        named.add(&archived(&one));
        named.add(&archived(&erased));
        named.add(&entry(Kind::SourceWithheld(SourceWithheld {
            source: erased.to_string(),
            ..SourceWithheld::default()
        })));
        let to = MemoryBlobs::new();
        let copied = copy_named(&named, &from, &to, |_| true).unwrap();
        assert_eq!((copied.documents, copied.bytes, copied.erased), (1, 3, 1));
        assert!(to.contains(&one).unwrap() && !to.contains(&other).unwrap());

        named.add(&archived(&lost));
        let refused = copy_named(&named, &from, &to, |_| true).unwrap_err();
        let said = refused.to_string();
        assert!(said.contains(&lost.to_string()), "{said}");
        let given_up = copy_named(&named, &from, &to, |_| false).unwrap_err();
        assert!(matches!(given_up, BackupError::GivenUp));
    }
}
