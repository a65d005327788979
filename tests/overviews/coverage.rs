//! Which sources were read for a topic, and which were not.

use onrecord::record::proto::SourceRead;
use onrecord::record::proto::record::Kind;
use onrecord::rpc::proto::{ListCoverageRequest, SourceReading};

use crate::common::TestArchive;
use crate::common::records::source;
use crate::list;

#[tokio::test(flavor = "multi_thread")]
async fn every_source_is_listed_with_how_far_it_was_read_by_then() {
    let mut archive = TestArchive::new().await;
    let [one, other] = ["One document.", "Another document."];
    let mut size = 0;
    for text in [one, other] {
        let bytes = text.as_bytes();
        archive
            .client
            .put_source("text/plain", bytes)
            .await
            .unwrap();
        let archived = Kind::SourceArchived(source(text));
        archive.client.append(&archive.steward, archived).await;
    }
    let mut indexes = Vec::new();
    for (text, whole) in [(one, false), (other, true), (one, true)] {
        let read = Kind::SourceRead(SourceRead {
            source: source(text).source,
            topics: vec!["meeting".to_owned()],
            whole,
        });
        let recorded = archive.client.append(&archive.steward, read).await;
        indexes.push(recorded.index);
        size = recorded.ledger_size;
    }
    archive.size = size;
    let (first, last) = (indexes[0], indexes[2]);
    let request = |reading: SourceReading, known_at| ListCoverageRequest {
        topic: "meeting".to_owned(),
        reading: reading.into(),
        known_at: Some(known_at),
        ..ListCoverageRequest::default()
    };
    let (any, unread) = (SourceReading::Unspecified, SourceReading::Unread);
    for (known_at, part, whole) in [
        (first, 0, 0),
        (first + 1, 1, 0),
        (last, 1, 1),
        (last + 1, 0, 2),
    ] {
        let listed = list!(archive, list_coverage, request(any, known_at), sources);
        assert_eq!(listed.len(), 3);
        assert!(listed.is_sorted_by_key(|it| &it.source));
        let many = |reading| listed.iter().filter(|it| it.reading() == reading).count();
        let counted = [SourceReading::Part, SourceReading::Whole].map(many);
        assert_eq!(counted, [part, whole], "known at {known_at}");
        let missing = list!(archive, list_coverage, request(unread, known_at), sources);
        assert_eq!(missing.len(), 3 - part - whole);
        assert!(missing.iter().all(|it| it.read_index.is_none()));
    }
    let pages = crate::pages!(archive, list_coverage, request(any, last + 1), 2);
    assert!(
        pages
            .iter()
            .all(|page| (page.read, page.read_whole) == (2, 2))
    );
    let read_last = source(one).source;
    let sources = pages.iter().flat_map(|page| &page.sources);
    let found = sources
        .into_iter()
        .find(|it| it.source == read_last)
        .unwrap();
    assert_eq!(found.read_index, Some(last));
}
