//! Every document and text against its id, and every document on record against what is there.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use super::report::{Part, Report};
use crate::audit::documents::id_of;
use crate::backup::Named;
use crate::record::ContentId;
use crate::storage::{BlobError, BlobStore};

/// How many documents are listed at a time.
const IDS_AT_ONCE: usize = 1_024;

/// Later than anything was stored: the year 4147.
const LATER: Duration = Duration::from_secs(1 << 36);

/// Checks the sources; those that are on record must be there, unless they are withheld.
pub(super) fn check_sources(store: &dyn BlobStore, named: Option<&Named>, report: &mut Report) {
    let mut part = Part::new("sources");
    let found = check_all(store, &mut part);
    let on_record = named.map_or(0, |named| named.archived().count());
    if let Some(named) = named {
        for id in named.archived().filter(|id| !found.contains(*id)) {
            if !named.is_withheld(id) {
                part.find(&BlobError::Missing { id: *id });
            }
        }
    }
    part.looked_at = format!("{} documents, {on_record} on record", found.len());
    report.add(part);
}

/// Checks the extracted texts that are kept.
pub(super) fn check_texts(store: &dyn BlobStore, report: &mut Report) {
    let mut part = Part::new("texts");
    let found = check_all(store, &mut part);
    part.looked_at = format!("{} texts", found.len());
    report.add(part);
}

/// Holds everything in a store against its id; the ids.
fn check_all(store: &dyn BlobStore, part: &mut Part) -> BTreeSet<ContentId> {
    let later = SystemTime::UNIX_EPOCH + LATER;
    let mut found = BTreeSet::new();
    let mut after = None;
    loop {
        let ids = match store.list_older_than(later, after.as_ref(), IDS_AT_ONCE) {
            Ok(ids) => ids,
            Err(error) => {
                part.find(&error);
                return found;
            }
        };
        let Some(last) = ids.last() else {
            return found;
        };
        after = Some(*last);
        for id in ids {
            if let Err(error) = check_one(store, &id) {
                part.find(&error);
            }
            found.insert(id);
        }
    }
}

fn check_one(store: &dyn BlobStore, id: &ContentId) -> Result<(), String> {
    let reader = store.open(id).map_err(|error| error.to_string())?;
    match id_of(reader) {
        Ok(found) if found == *id => Ok(()),
        Ok(found) => Err(BlobError::Damaged {
            expected: *id,
            found,
        }
        .to_string()),
        Err(error) => Err(format!("the document {id} cannot be read: {error}")),
    }
}
