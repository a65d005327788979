//! What is defined, as messages, by id; and the pages that list it.

use prost::Message;

use super::{CHANGES_BYTES_MAX, Catalog};
use crate::fold::FoldError;
use crate::projection::catalog;
use crate::record::{ContentId, Slug, VerifierKey};
use crate::rpc::page::{Asked, Page, SIZE_MAX};
use crate::rpc::proto::{Actor, Mandate, Milestone, Review, Source, Topic, Verifier};
use crate::rpc::{Failure, convert};

/// The most ids that are looked at for one page: as many as it can have, and as many again that
/// do not stand, at some 20 µs each.
const LOOKS_MAX: usize = 2 * SIZE_MAX;

impl Catalog {
    pub(super) fn actor(&self, id: &Slug, known_at: u64) -> Result<Option<Actor>, Failure> {
        let found = catalog::actor(self.definitions(), id, known_at)?;
        Ok(found.map(convert::actor))
    }

    pub(super) fn mandate(&self, id: &Slug, known_at: u64) -> Result<Option<Mandate>, Failure> {
        let found = catalog::mandate(self.definitions(), id, known_at)?;
        Ok(found.map(convert::mandate))
    }

    pub(super) fn topic(&self, id: &Slug, known_at: u64) -> Result<Option<Topic>, Failure> {
        let found = catalog::topic(self.definitions(), id, known_at)?;
        Ok(found.map(convert::topic))
    }

    pub(super) fn milestone(&self, id: &Slug, known_at: u64) -> Result<Option<Milestone>, Failure> {
        let tables = self.definitions();
        let Some(found) = catalog::milestone(tables, id, known_at)? else {
            return Ok(None);
        };
        let reviews = newest_reviews(catalog::milestone_reviews(tables, id, known_at))?;
        Ok(Some(convert::milestone(found, reviews)))
    }

    pub(super) fn source(&self, id: &ContentId, known_at: u64) -> Result<Option<Source>, Failure> {
        let tables = self.definitions();
        let Some(found) = catalog::source(tables, id, known_at)? else {
            return Ok(None);
        };
        let withheld = catalog::withholding(tables, id, known_at)?;
        let reviews = newest_reviews(catalog::source_reviews(tables, id, known_at))?;
        Ok(Some(convert::source(found, withheld, reviews)))
    }

    pub(super) fn verifier(
        &self,
        key: &VerifierKey,
        known_at: u64,
    ) -> Result<Option<Verifier>, Failure> {
        let found = catalog::verifier(self.definitions(), key.as_bytes(), known_at)?;
        Ok(found.map(convert::verifier))
    }
}

/// Fills a page with what `look_up` finds of these ids.
pub(super) fn page<I, T: Message>(
    asked: &Asked<I>,
    ids: impl Iterator<Item = Result<I, FoldError>>,
    look_up: impl Fn(&I) -> Result<Option<T>, Failure>,
) -> Result<Page<I, T>, Failure> {
    let mut page = Page::new(asked.size);
    for (looked, id) in ids.enumerate() {
        let id = id?;
        if looked >= LOOKS_MAX {
            page.next = Some(id);
            break;
        }
        if let Some(item) = look_up(&id)?
            && !page.add(id, item)
        {
            break;
        }
    }
    Ok(page)
}

/// The newest reviews, oldest first, within the bound on their bytes.
fn newest_reviews(newest_first: catalog::Reviews<'_>) -> Result<Vec<Review>, Failure> {
    let (mut said, mut bytes) = (Vec::new(), 0);
    for review in newest_first {
        let review = convert::review(review?);
        bytes += review.encoded_len();
        if bytes > CHANGES_BYTES_MAX {
            break;
        }
        said.push(review);
    }
    said.reverse();
    Ok(said)
}
