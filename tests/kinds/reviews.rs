//! Reviews, and how far somebody looked.

use onrecord::record::ContentId;
use onrecord::record::proto::{SourceRead, record::Kind, review_published::Target};
use onrecord::rpc::proto::{Finding, GetMilestoneRequest, GetSourceRecordRequest};

use super::common::TestArchive;
use super::common::archive::TEXT;
use super::common::records::review;
use super::{position, view};

#[tokio::test(flavor = "multi_thread")]
async fn a_review_stands_with_the_statement_source_or_milestone_that_it_is_of() {
    let mut archive = TestArchive::new().await;
    let (statement, source) = (archive.statement.clone(), ContentId::of(TEXT.as_bytes()));
    let targets = [
        Target::Statement(statement.clone()),
        Target::Source(source.to_string()),
        Target::Milestone("summit".to_owned()),
    ];
    let mut size = 0;
    for target in &targets {
        let kind = Kind::ReviewPublished(review(target.clone()));
        size = archive.client.append(&archive.steward, kind).await.index + 1;
    }
    let catalog = &mut archive.client.catalog;
    let of_source = GetSourceRecordRequest {
        source_id: source.to_string(),
        at_least_size: size,
        ..GetSourceRecordRequest::default()
    };
    let of_source = catalog
        .get_source_record(of_source)
        .await
        .unwrap()
        .into_inner();
    let of_milestone = GetMilestoneRequest {
        milestone_id: "summit".to_owned(),
        at_least_size: size,
        ..GetMilestoneRequest::default()
    };
    let of_milestone = catalog
        .get_milestone(of_milestone)
        .await
        .unwrap()
        .into_inner();
    let of_statement = view(&mut archive, &statement, size).await;
    let lists = [
        of_statement.reviews,
        of_source.source.unwrap().reviews,
        of_milestone.milestone.unwrap().reviews,
    ];
    for ((target, reviews), index) in targets.into_iter().zip(lists).zip(size - 3..) {
        assert_eq!(reviews.len(), 1);
        assert_eq!(reviews[0].review, Some(review(target)));
        assert_eq!(reviews[0].provenance.as_ref().unwrap().index, index);
    }
    assert!(
        view(&mut archive, &statement, size - 3)
            .await
            .reviews
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_on_record_is_told_with_the_sources_that_were_read() {
    let mut archive = TestArchive::new().await;
    let read = Kind::SourceRead(SourceRead {
        source: ContentId::of(TEXT.as_bytes()).to_string(),
        topics: vec!["meeting".to_owned()],
        whole: true,
    });
    let at = archive.client.append(&archive.coder, read).await;
    let counted = |answer: onrecord::rpc::proto::GetPositionResponse| {
        let position = answer.position.unwrap();
        (
            position.finding(),
            position.sources_read,
            position.sources_read_whole,
        )
    };
    for (actor, known_at, expected) in [
        ("putin", at.index, (Finding::NoRecord, 0, 0)),
        ("putin", at.index + 1, (Finding::NoRecord, 1, 1)),
        ("kremlin", at.index + 1, (Finding::Stated, 0, 0)),
    ] {
        let answer = position(&mut archive, actor, "2025-08-31", known_at).await;
        assert_eq!(counted(answer), expected, "{actor} at {known_at}");
    }
    // Before anything was said, too.
    let answer = position(&mut archive, "kremlin", "2025-08-01", at.index + 1).await;
    assert_eq!(counted(answer), (Finding::NoRecord, 1, 1));
}
