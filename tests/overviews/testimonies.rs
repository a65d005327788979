//! What bears on a position, by where it stands.

use onrecord::record::proto::{Engagement, Polarity, Reading, ReadingBasis};
use onrecord::rpc::proto::{ListTestimoniesRequest, Standing};
use tonic::Code;

use crate::common::records::answered;
use crate::common::{TestArchive, assert_blames};
use crate::{by, list, position, record, said};

fn standing(standing: Standing) -> ListTestimoniesRequest {
    ListTestimoniesRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        standing: standing.into(),
        as_of: "2025-08-12".to_owned(),
        ..ListTestimoniesRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_are_listed_by_where_they_stand_newest_first() {
    let mut archive = TestArchive::new().await;
    let evasion = Reading {
        topic: "meeting".to_owned(),
        engagement: Engagement::Declined.into(),
        ..Reading::default()
    };
    let conduct = Reading {
        basis: ReadingBasis::Conduct.into(),
        ..answered("meeting", Polarity::Opposes)
    };
    let mut all = Vec::new();
    for statement in [
        said("05", Polarity::Open),
        said("1X", Polarity::Supports),
        by("lavrov", "07", evasion),
        by("lavrov", "08", conduct),
        said("09", Polarity::Supports),
    ] {
        all.push(record(&mut archive, statement).await.1);
    }
    let [first, possible, evasion, reported, second] = all[..] else {
        panic!("five statements: {all:?}");
    };
    for (asked, expected) in [
        (
            Standing::Unspecified,
            vec![possible, second, reported, evasion, first],
        ),
        (Standing::Possible, vec![possible]),
        (Standing::Reported, vec![reported]),
        (Standing::Candidates, vec![second, first]),
        (Standing::Evasions, vec![evasion]),
        (Standing::Front, vec![second]),
    ] {
        let found = list!(archive, list_testimonies, standing(asked), testimonies);
        let indexes: Vec<_> = found.iter().map(|it| it.index).collect();
        assert_eq!(indexes, expected, "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_longer_than_the_position_s_own_and_begins_as_it_does() {
    const POSSIBLE: usize = 130;
    let mut archive = TestArchive::new().await;
    for number in 0..POSSIBLE {
        let mut said = said("1X", Polarity::Open);
        said.venue = format!("No. {number}");
        record(&mut archive, said).await;
    }
    let request = ListTestimoniesRequest {
        as_of: "2025-08-12".to_owned(),
        ..standing(Standing::Possible)
    };
    let pages = crate::pages!(archive, list_testimonies, request, 60);
    let lengths: Vec<_> = pages.iter().map(|page| page.testimonies.len()).collect();
    assert_eq!(lengths, [60, 60, 10]);
    assert!(pages.iter().all(|page| page.total == POSSIBLE as u64));
    let now = position(&mut archive, "kremlin", "meeting").await;
    assert_eq!(now.possible_count, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_that_is_none_is_refused() {
    let mut archive = TestArchive::new().await;
    let request = ListTestimoniesRequest {
        standing: 77,
        ..standing(Standing::Front)
    };
    let status = archive.client.positions.list_testimonies(request).await;
    let status = status.unwrap_err();
    assert_blames(
        &status,
        Code::InvalidArgument,
        "INVALID_REQUEST",
        "standing",
    );
}
