//! Changes of side, and voices that disagree.

use onrecord::record::proto::Polarity;
use onrecord::rpc::proto::{ChangeKind, ListDivergencesRequest, ListReversalsRequest};

use crate::common::TestArchive;
use crate::common::records::answered;
use crate::{by, list, position, record, said};

#[tokio::test(flavor = "multi_thread")]
async fn a_reversal_names_what_held_left_and_took_the_side() {
    let mut archive = TestArchive::new().await;
    let mut indexes = Vec::new();
    for (day, polarity) in [
        ("03", Polarity::Supports),
        ("05", Polarity::Opposes),
        ("07", Polarity::Open),
        ("09", Polarity::Supports),
    ] {
        indexes.push(record(&mut archive, said(day, polarity)).await.1);
    }
    let request = ListReversalsRequest {
        topic: "meeting".to_owned(),
        as_of: "2025-08-12".to_owned(),
        ..ListReversalsRequest::default()
    };
    let listed = list!(archive, list_reversals, request, reversals);
    let told: Vec<_> = listed
        .iter()
        .map(|it| {
            assert_eq!(it.comparison.as_ref().unwrap().kind(), ChangeKind::Reversed);
            let named = [&it.held, &it.left, &it.took].map(|it| it.as_ref().unwrap().index);
            (it.actor.as_str(), it.from.as_str(), named, it.between)
        })
        .collect();
    let of = |actor| {
        [
            (
                actor,
                "2025-08-06T00:00:00Z",
                [indexes[0], indexes[1], indexes[1]],
                0,
            ),
            (
                actor,
                "2025-08-10T00:00:00Z",
                [indexes[1], indexes[2], indexes[3]],
                1,
            ),
        ]
    };
    assert_eq!(told, ["kremlin", "lavrov", "russia"].map(of).concat());
    let one = ListReversalsRequest {
        actor: "kremlin".to_owned(),
        as_of: "2025-08-06".to_owned(),
        ..request
    };
    assert_eq!(list!(archive, list_reversals, one, reversals).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_divergence_tells_each_voice_and_since_when() {
    let mut archive = TestArchive::new().await;
    let head = |day, polarity| by("putin", day, answered("meeting", polarity));
    record(&mut archive, said("02", Polarity::Opposes)).await;
    record(&mut archive, head("03", Polarity::Supports)).await;
    record(&mut archive, head("05", Polarity::Opposes)).await;
    record(&mut archive, head("08", Polarity::Supports)).await;
    let request = ListDivergencesRequest {
        topic: "meeting".to_owned(),
        as_of: "2025-08-12".to_owned(),
        ..ListDivergencesRequest::default()
    };
    let listed = list!(archive, list_divergences, request, divergences);
    let told: Vec<_> = listed
        .iter()
        .map(|it| (it.actor.as_str(), it.since.as_str()))
        .collect();
    let since = "2025-08-09T00:00:00Z";
    assert_eq!(told, [("kremlin", since), ("russia", since)]);
    let voices: Vec<_> = listed[0]
        .voices
        .iter()
        .map(|it| {
            let stance = it.deciding.as_ref().unwrap().stance.as_ref();
            (it.speaker.as_str(), stance.unwrap().polarity())
        })
        .collect();
    assert_eq!(
        voices,
        [("putin", Polarity::Supports), ("lavrov", Polarity::Opposes)]
    );
    assert_eq!(listed[0].voice_count, 2);
    assert!(position(&mut archive, "kremlin", "meeting").await.diverge);
    let agreed = ListDivergencesRequest {
        as_of: "2025-08-06".to_owned(),
        ..request
    };
    assert!(list!(archive, list_divergences, agreed, divergences).is_empty());
}
