//! On whose terms a position is asked for: whose reading, whose trust, and as known when, over
//! the wire.
#![cfg(feature = "daemon")]

mod common;

use common::{Signer, TestArchive, assert_blames};
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{
    Engagement, Polarity, Reading, ReadingAdded, ReadingBasis, SourceRole, Wording,
};
use onrecord::rpc::proto::get_entry_request::Entry;
use onrecord::rpc::proto::{
    ChangeKind, ComparePositionsRequest, FilterPart, Finding, GetEntryRequest, GetPositionRequest,
    GetPositionResponse, Position, PositionFilter,
};
use prost_types::Timestamp;
use tonic::{Code, Status};

fn kremlin(size: u64) -> GetPositionRequest {
    GetPositionRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        at_least_size: size,
        ..GetPositionRequest::default()
    }
}

fn filtered(size: u64, change: impl FnOnce(&mut PositionFilter)) -> GetPositionRequest {
    let mut filter = PositionFilter::default();
    change(&mut filter);
    GetPositionRequest {
        filter: Some(filter),
        ..kremlin(size)
    }
}

async fn ask(
    archive: &mut TestArchive,
    request: GetPositionRequest,
) -> Result<GetPositionResponse, Status> {
    let response = archive.client.positions.get_position(request).await?;
    Ok(response.into_inner())
}

async fn position(archive: &mut TestArchive, request: GetPositionRequest) -> Position {
    ask(archive, request).await.unwrap().position.unwrap()
}

/// Has the coder read the archive's statement otherwise.
async fn dissent(archive: &mut TestArchive) -> u64 {
    let reading = Kind::ReadingAdded(ReadingAdded {
        statement: archive.statement.clone(),
        speaker: "lavrov".to_owned(),
        said_for: vec!["kremlin".to_owned()],
        reading: Some(Reading {
            topic: "meeting".to_owned(),
            engagement: Engagement::Answered.into(),
            polarity: Polarity::Opposes.into(),
            ..Reading::default()
        }),
        rationale: "a test".to_owned(),
    });
    let appended = archive.client.append(&archive.coder, reading).await;
    appended.ledger_size
}

#[tokio::test(flavor = "multi_thread")]
async fn coders_who_disagree_leave_the_position_disputed_with_all_readings() {
    let mut archive = TestArchive::new().await;
    let before = archive.size;
    let size = dissent(&mut archive).await;
    let disputed = position(&mut archive, kremlin(size)).await;
    assert_eq!(disputed.finding(), Finding::Disputed);
    assert_eq!(disputed.stance, None);
    let deciding = disputed.deciding.unwrap();
    assert_eq!(deciding.rivals.len(), 1);
    let rival = &deciding.rivals[0];
    assert_eq!(rival.reading_index, size - 1);
    assert_eq!(rival.stance.as_ref().unwrap().polarity(), Polarity::Opposes);
    let coder = archive.coder.id();
    assert_eq!(rival.coded_by, std::slice::from_ref(&coder));
    assert_eq!((deciding.coders, deciding.attestations), (1, 1));

    let alone = filtered(size, |it| it.coder = coder);
    let alone = position(&mut archive, alone).await;
    assert_eq!(alone.finding(), Finding::Stated);
    assert_eq!(alone.stance.unwrap().polarity(), Polarity::Opposes);

    let request = ComparePositionsRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        from_known_at: Some(before),
        at_least_size: size,
        ..ComparePositionsRequest::default()
    };
    let answer = archive.client.positions.compare_positions(request).await;
    let comparison = answer.unwrap().into_inner().comparison.unwrap();
    assert_eq!(comparison.kind(), ChangeKind::NoLongerOnRecord);
    assert!(!comparison.certain);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_each_part_of_a_filter_takes_away_is_told() {
    let mut archive = TestArchive::new().await;
    let size = archive.size;
    let stranger = archive.coder.id();
    let attestor = archive.attestor.id();
    let primary = vec![SourceRole::Primary.into()];
    for (request, part) in [
        (
            filtered(size, |it| it.wordings = vec![Wording::Verbatim.into()]),
            FilterPart::Wordings,
        ),
        (
            filtered(size, |it| it.verifiers = vec![stranger]),
            FilterPart::Verifiers,
        ),
        (
            filtered(size, |it| it.verifiers_excluded = vec![attestor]),
            FilterPart::VerifiersExcluded,
        ),
        (
            filtered(size, |it| it.attestations_min = 2),
            FilterPart::AttestationsMin,
        ),
        (
            filtered(size, |it| it.source_roles = primary),
            FilterPart::Sources,
        ),
        (
            filtered(size, |it| it.published_by = "2025-08-01".to_owned()),
            FilterPart::Sources,
        ),
    ] {
        let position = position(&mut archive, request).await;
        assert_eq!(position.finding(), Finding::NoRecord, "{part:?}");
        assert_eq!(position.filtered, 1, "{part:?}");
        let told: Vec<_> = position
            .filtered_by
            .iter()
            .map(|it| (it.part(), it.statements))
            .collect();
        assert_eq!(told, [(part, 1)]);
    }
    let everything = filtered(size, |it| {
        it.wordings = vec![Wording::Paraphrased.into()];
        it.mandated_only = true;
    });
    let position = position(&mut archive, everything).await;
    assert_eq!(position.finding(), Finding::Stated);
    assert!(position.filtered_by.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_whose_values_mean_nothing_is_refused_by_its_field() {
    let mut archive = TestArchive::new().await;
    let size = archive.size;
    let invalid = (Code::InvalidArgument, "INVALID_REQUEST");
    let unenrolled = Signer::new(99).id();
    for (request, (code, reason), field) in [
        (
            filtered(size, |it| it.wordings = vec![0]),
            invalid,
            "filter.wordings",
        ),
        (
            filtered(size, |it| it.wordings = vec![77]),
            invalid,
            "filter.wordings",
        ),
        (
            filtered(size, |it| it.bases = vec![77]),
            invalid,
            "filter.bases",
        ),
        (
            filtered(size, |it| it.source_roles = vec![77]),
            invalid,
            "filter.sourceRoles",
        ),
        (
            filtered(size, |it| it.verifiers = vec!["nobody".to_owned()]),
            invalid,
            "filter.verifiers",
        ),
        (
            filtered(size, |it| it.verifiers_excluded = vec![unenrolled]),
            (Code::NotFound, "UNKNOWN_VERIFIER"),
            "filter.verifiersExcluded",
        ),
        (
            filtered(size, |it| it.published_by = "then".to_owned()),
            (Code::InvalidArgument, "INVALID_DATE"),
            "filter.publishedBy",
        ),
        (
            filtered(size, |it| it.codebook = "00".repeat(32)),
            (Code::NotFound, "UNKNOWN_TOPIC"),
            "filter.codebook",
        ),
        (
            filtered(size, |it| {
                it.codebook = "00".repeat(32);
                it.coder = "00".repeat(32);
            }),
            invalid,
            "filter.codebook",
        ),
        (
            filtered(size, |it| it.publishers = vec![String::from("a"); 1001]),
            invalid,
            "filter.publishers",
        ),
    ] {
        let status = ask(&mut archive, request).await.unwrap_err();
        assert_blames(&status, code, reason, field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_readers_terms_are_compared() {
    let mut archive = TestArchive::new().await;
    let relayed = PositionFilter {
        bases: vec![ReadingBasis::Relayed.into()],
        attestations_min: 2,
        ..PositionFilter::default()
    };
    let request = ComparePositionsRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        from_filter: Some(relayed),
        at_least_size: archive.size,
        ..ComparePositionsRequest::default()
    };
    let answer = archive.client.positions.compare_positions(request).await;
    let answer = answer.unwrap().into_inner();
    assert_eq!(answer.comparison.unwrap().kind(), ChangeKind::FirstStated);
    assert_eq!(answer.from.unwrap().filtered, 1);
    assert_eq!(answer.to.unwrap().filtered, 0);
    assert_eq!(
        answer.from_basis.unwrap().known_at,
        answer.to_basis.unwrap().known_at
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_of_knowing_stands_for_the_entries_recorded_by_then() {
    let mut archive = TestArchive::new().await;
    let size = dissent(&mut archive).await;
    let request = GetEntryRequest {
        entry: Some(Entry::Index(size - 1)),
        ..GetEntryRequest::default()
    };
    let entry = archive.client.ledger.get_entry(request).await.unwrap();
    let recorded = entry.into_inner().entry.unwrap().recorded_at.unwrap();
    let just_before = Timestamp {
        seconds: recorded.seconds - i64::from(recorded.nanos < 1000),
        nanos: (recorded.nanos + 1_000_000_000 - 1000) % 1_000_000_000,
    };
    let known = |time| GetPositionRequest {
        known_at_time: Some(time),
        ..kremlin(0)
    };
    for (time, known_at, finding) in [
        (recorded, size, Finding::Disputed),
        (just_before, size - 1, Finding::Stated),
    ] {
        let answer = ask(&mut archive, known(time)).await.unwrap();
        assert_eq!(answer.basis.unwrap().known_at, known_at);
        assert_eq!(answer.position.unwrap().finding(), finding);
    }
    let ahead = Timestamp {
        seconds: recorded.seconds + 86_400 * 365,
        nanos: 0,
    };
    let both = GetPositionRequest {
        known_at: Some(1),
        ..known(recorded)
    };
    for request in [known(ahead), both] {
        let status = ask(&mut archive, request).await.unwrap_err();
        assert_blames(
            &status,
            Code::InvalidArgument,
            "INVALID_REQUEST",
            "knownAtTime",
        );
    }
}
