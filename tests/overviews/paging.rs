//! What the first page fixes for all of them.

use onrecord::record::proto::Polarity;
use onrecord::rpc::proto::{ListComparisonsRequest, ListPositionsRequest, ListTestimoniesRequest};
use tonic::Code;

use crate::common::{TestArchive, assert_blames};
use crate::{pages, record, said};

#[tokio::test(flavor = "multi_thread")]
async fn all_pages_are_of_the_moment_and_the_ledger_that_the_first_was_answered_by() {
    let mut archive = TestArchive::new().await;
    let request = ListPositionsRequest {
        topic: "meeting".to_owned(),
        page_size: 1,
        at_least_size: archive.size,
        ..ListPositionsRequest::default()
    };
    let first = archive
        .client
        .positions
        .list_positions(request.clone())
        .await;
    let first = first.unwrap().into_inner();
    let before = archive.size;
    record(&mut archive, said("10", Polarity::Opposes)).await;
    let request = ListPositionsRequest {
        page_size: 100,
        page_token: first.next_page_token,
        at_least_size: archive.size,
        ..request
    };
    let second = archive.client.positions.list_positions(request).await;
    let second = second.unwrap().into_inner();
    let [one, other] = [first.basis.unwrap(), second.basis.unwrap()];
    assert_eq!((one.known_at, &one.as_of), (before, &other.as_of));
    assert_eq!(other.known_at, before);
    assert_eq!(second.positions.len(), 2);
    assert!(second.positions.iter().all(|it| it.considered == 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ends_of_a_comparison_are_fixed() {
    let mut archive = TestArchive::new().await;
    let request = ListComparisonsRequest {
        topic: "meeting".to_owned(),
        from_as_of: "2025-08-01".to_owned(),
        page_size: 1,
        at_least_size: archive.size,
        ..ListComparisonsRequest::default()
    };
    let first = archive
        .client
        .positions
        .list_comparisons(request.clone())
        .await;
    let first = first.unwrap().into_inner();
    record(&mut archive, said("10", Polarity::Opposes)).await;
    let request = ListComparisonsRequest {
        page_token: first.next_page_token.clone(),
        at_least_size: archive.size,
        ..request
    };
    let second = archive.client.positions.list_comparisons(request).await;
    let second = second.unwrap().into_inner();
    let of = |basis: &Option<onrecord::rpc::proto::Basis>| {
        let basis = basis.as_ref().unwrap();
        (basis.known_at, basis.as_of.clone())
    };
    assert_eq!(of(&first.from_basis), of(&second.from_basis));
    assert_eq!(of(&first.to_basis), of(&second.to_basis));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_question_is_refused() {
    let mut archive = TestArchive::new().await;
    record(&mut archive, said("10", Polarity::Opposes)).await;
    let request = ListTestimoniesRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        ..ListTestimoniesRequest::default()
    };
    let first = pages!(archive, list_testimonies, request, 1).remove(0);
    assert!(!first.next_page_token.is_empty());
    for other in [
        ListTestimoniesRequest {
            actor: "russia".to_owned(),
            ..request.clone()
        },
        ListTestimoniesRequest {
            as_of: "2025-08-20".to_owned(),
            ..request
        },
    ] {
        let other = ListTestimoniesRequest {
            page_token: first.next_page_token.clone(),
            ..other
        };
        let status = archive.client.positions.list_testimonies(other).await;
        let (code, reason) = (Code::InvalidArgument, "INVALID_PAGE_TOKEN");
        assert_blames(&status.unwrap_err(), code, reason, "pageToken");
    }
}
