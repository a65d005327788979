//! Which sources were read for a topic, and which were not: how far silence can be told from
//! nobody having looked.

use super::Positions;
use crate::fold::Order;
use crate::projection::catalog;
use crate::record::{ContentId, Slug};
use crate::rpc::page::{Opened, Page, SIZE_MAX};
use crate::rpc::proto::{ListCoverageRequest, ListCoverageResponse, SourceCoverage, SourceReading};
use crate::rpc::views::{Known, KnownAt};
use crate::rpc::{Failure, Reason};

/// The most sources that are looked at for one page: as many as it can have, and as many again
/// that are not wanted.
const LOOKS_MAX: usize = 2 * SIZE_MAX;

impl Positions {
    /// Reads what a page of sources is asked for, and waits until it can be answered.
    pub(super) async fn sources_asked(
        &self,
        request: &ListCoverageRequest,
    ) -> Result<(Opened<ContentId>, Known), Failure> {
        let opened = Opened::read(request, self.reader.origin())?;
        let known_at = match &opened.resumed {
            Some((known_at, _)) => KnownAt::size("pageToken", *known_at),
            None => KnownAt::new("knownAt", request.known_at, request.known_at_time),
        };
        let view = &self.views.catalog;
        let known = view.known(known_at, request.at_least_size).await?;
        Ok((opened, known))
    }

    pub(super) fn coverage(
        &self,
        opened: &Opened<ContentId>,
        topic: &Slug,
        wanted: Option<SourceReading>,
        known: &Known,
    ) -> Result<ListCoverageResponse, Failure> {
        let tables = known.tables();
        let known_at = known.known_at;
        if catalog::topic(tables, topic, known_at)?.is_none() {
            let (reason, id) = (Reason::UnknownTopic, topic.as_str());
            return Err(self
                .views
                .unknown(reason, "topic", id, known_at, known.size()));
        }
        let mut page = Page::new(opened.size);
        let start = opened.resumed.as_ref().map(|(_, start)| start);
        for (looked, id) in catalog::source_ids(tables, start, Order::Ascending).enumerate() {
            let id = id?;
            if looked >= LOOKS_MAX {
                page.next = Some(id);
                break;
            }
            let reading = catalog::read_for(tables, topic, &id, known_at)?;
            if wanted.is_some_and(|wanted| wanted != how_far(reading)) {
                continue;
            }
            let Some(source) = catalog::source(tables, &id, known_at)? else {
                continue;
            };
            let archived = source.definition;
            let item = SourceCoverage {
                source: id.to_string(),
                index: source.provenance.index,
                title: archived.title,
                publisher: archived.publisher,
                published_at: archived.published_at,
                reading: how_far(reading).into(),
                read_index: reading.map(|(index, _)| index),
            };
            if !page.add(id, item) {
                break;
            }
        }
        let coverage = catalog::coverage(tables, topic, known_at)?;
        Ok(ListCoverageResponse {
            next_page_token: opened.token(known_at, page.next.as_ref()),
            sources: page.items,
            basis: Some(self.views.catalog.basis(known, None)),
            read: coverage.sources,
            read_whole: coverage.whole,
        })
    }
}

const fn how_far(reading: Option<(u64, bool)>) -> SourceReading {
    match reading {
        None => SourceReading::Unread,
        Some((_, false)) => SourceReading::Part,
        Some((_, true)) => SourceReading::Whole,
    }
}

/// Which sources a request wants; none for all.
pub(super) fn wanted(reading: i32) -> Result<Option<SourceReading>, Failure> {
    match SourceReading::try_from(reading) {
        Ok(SourceReading::Unspecified) => Ok(None),
        Ok(reading) => Ok(Some(reading)),
        Err(_) => Err(Failure::invalid(
            "reading",
            format!("{reading} is no value of the enum"),
            "a value that its proto names",
        )),
    }
}
