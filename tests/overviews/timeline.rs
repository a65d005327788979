//! A timeline in pages.

use onrecord::record::proto::{Condition, Polarity};
use onrecord::rpc::proto::GetTimelineRequest;
use prost::Message as _;

use crate::common::TestArchive;
use crate::common::records::only_if;
use crate::{list, record, said};

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_of_a_timeline_are_the_timeline() {
    let mut archive = TestArchive::new().await;
    for (day, polarity) in [
        ("03", Polarity::Supports),
        ("05", Polarity::Opposes),
        ("07", Polarity::Open),
    ] {
        record(&mut archive, said(day, polarity)).await;
    }
    let request = GetTimelineRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        at_least_size: archive.size,
        ..GetTimelineRequest::default()
    };
    let answer = archive.client.positions.get_timeline(request.clone()).await;
    let whole = answer.unwrap().into_inner();
    assert!(!whole.truncated && whole.next_page_token.is_empty());
    assert_eq!(whole.steps.len(), 4);
    let in_pages = list!(archive, get_timeline, request, steps);
    assert_eq!(in_pages, whole.steps);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_answer_has_the_newest_steps_that_fit_and_the_pages_have_all() {
    const STEPS: usize = 120;
    let mut archive = TestArchive::new().await;
    let condition = |number: usize, of: usize| Condition {
        text: "😀".repeat(300),
        ..only_if(&format!("condition-{}-{of}", number % 2))
    };
    for number in 0..STEPS {
        let minute = format!("10T{:02}:{:02}:00Z", number / 60, number % 60);
        let mut said = said(&minute, Polarity::Open);
        said.readings[0].conditions = (0..8).map(|of| condition(number, of)).collect();
        record(&mut archive, said).await;
    }
    let request = GetTimelineRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        at_least_size: archive.size,
        ..GetTimelineRequest::default()
    };
    let answer = archive.client.positions.get_timeline(request.clone()).await;
    let cut = answer.unwrap().into_inner();
    let pages = crate::pages!(archive, get_timeline, request, 1_000);
    let all: Vec<_> = pages.iter().flat_map(|page| &page.steps).collect();
    assert!(pages.iter().all(|page| !page.truncated));
    assert_eq!(all.len(), STEPS + 1);
    assert!(cut.truncated && cut.steps.len() < all.len());
    assert!(pages.len() > 1 && cut.encoded_len() < 4 << 20);
    let newest: Vec<_> = all[all.len() - cut.steps.len()..].to_vec();
    assert_eq!(cut.steps.iter().collect::<Vec<_>>(), newest);
}
