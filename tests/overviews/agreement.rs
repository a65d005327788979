//! How far coders agree, over the wire.

use onrecord::record::proto::{Engagement, Polarity, Reading};
use onrecord::rpc::proto::{GetAgreementRequest, GetAgreementResponse, PositionFilter};
use tonic::Code;

use crate::common::records::answered;
use crate::common::{TestArchive, assert_blames};
use crate::{by, read, record};

fn strong(polarity: Polarity, strength: u32) -> Reading {
    Reading {
        strength,
        ..answered("meeting", polarity)
    }
}

async fn agreement(archive: &mut TestArchive, filter: PositionFilter) -> GetAgreementResponse {
    let request = GetAgreementRequest {
        topic: "meeting".to_owned(),
        filter: Some(filter),
        at_least_size: archive.size,
        ..GetAgreementRequest::default()
    };
    let answer = archive.client.positions.get_agreement(request).await;
    answer.unwrap().into_inner()
}

#[tokio::test(flavor = "multi_thread")]
async fn alpha_is_of_the_coders_readings_and_undefined_where_nothing_could_disagree() {
    let mut archive = TestArchive::new().await;
    let alone = agreement(&mut archive, PositionFilter::default()).await;
    assert_eq!((alone.units, alone.coders, alone.readings), (0, 0, 0));
    assert_eq!(alone.polarity.unwrap().alpha, None);
    for (day, attestor, coder) in [
        (
            "01",
            strong(Polarity::Supports, 2),
            strong(Polarity::Supports, 2),
        ),
        (
            "02",
            strong(Polarity::Opposes, 2),
            strong(Polarity::Opposes, 2),
        ),
        (
            "03",
            strong(Polarity::Supports, 2),
            strong(Polarity::Opposes, 2),
        ),
    ] {
        let (id, _) = record(&mut archive, by("lavrov", day, attestor)).await;
        read(&mut archive, &id, coder).await;
    }
    let evasion = Reading {
        topic: "meeting".to_owned(),
        engagement: Engagement::Declined.into(),
        ..Reading::default()
    };
    let (id, _) = record(&mut archive, by("lavrov", "04", evasion)).await;
    read(&mut archive, &id, strong(Polarity::Supports, 1)).await;

    let found = agreement(&mut archive, PositionFilter::default()).await;
    assert_eq!((found.units, found.coders, found.readings), (4, 2, 8));
    let polarity = found.polarity.unwrap();
    assert_eq!((polarity.units, polarity.ratings), (3, 6));
    // Two ordered pairs of 6 disagree; by chance 18 of 30.
    assert_eq!(
        (
            &polarity.disagreement_numerator[..],
            &polarity.disagreement_denominator[..]
        ),
        ("5", "9")
    );
    assert!((polarity.alpha.unwrap() - 4.0 / 9.0).abs() < 1e-12);
    let strength = found.strength.unwrap();
    assert_eq!(
        (strength.units, strength.ratings, strength.alpha),
        (3, 6, None)
    );

    let coder = archive.coder.id();
    let without = PositionFilter {
        verifiers_excluded: vec![coder],
        ..PositionFilter::default()
    };
    let found = agreement(&mut archive, without).await;
    assert_eq!((found.units, found.coders), (0, 0));
    let nobody = GetAgreementRequest {
        topic: "meeting".to_owned(),
        holder: "putin".to_owned(),
        ..GetAgreementRequest::default()
    };
    let answer = archive.client.positions.get_agreement(nobody).await;
    assert_eq!(answer.unwrap().into_inner().units, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_not_on_record_has_no_agreement() {
    let mut archive = TestArchive::new().await;
    let request = GetAgreementRequest {
        topic: "nothing".to_owned(),
        ..GetAgreementRequest::default()
    };
    let status = archive.client.positions.get_agreement(request).await;
    assert_blames(
        &status.unwrap_err(),
        Code::NotFound,
        "UNKNOWN_TOPIC",
        "topic",
    );
}
