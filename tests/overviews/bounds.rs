//! No answer is larger than clients take by default, and none leaves anything out in silence.

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{
    ActorKind, CapacityBasis, Condition, ConditionKind, Polarity, Reading, ReadingAdded,
    ReadingBasis, Role, Statement,
};
use onrecord::rpc::proto::{
    ComparePositionsRequest, GetPositionRequest, GetTimelineRequest, ListTestimoniesRequest,
    Position, Standing,
};
use prost::Message as _;

use crate::common::client::{id_of, recorded};
use crate::common::records::{actor, answered, part_of, said_for};
use crate::common::{Signer, TestArchive};
use crate::{by, pages};

/// What clients take by default.
const CLIENT_BYTES_MAX: usize = 4 << 20;

const PEOPLE: usize = 100;
const BODIES: usize = 1_100;
const CODERS: u8 = 20;

/// The longest stance there is, unlike that of any other number.
fn longest(number: usize, polarity: Polarity) -> Reading {
    let condition = |place: usize| Condition {
        id: String::new(),
        kind: ConditionKind::OnlyIf.into(),
        // Letters of four bytes each.
        text: format!("{number:04}.{place} {}", "𐌰".repeat(293)),
    };
    Reading {
        conditions: (0..8).map(condition).collect(),
        ..answered("meeting", polarity)
    }
}

/// What a person says: twice on one day, once perhaps later, and what they only do.
fn statements(number: usize) -> [Statement; 4] {
    let speaker = format!("person-{number}");
    let reading = |place: usize| longest(number * 4 + place, Polarity::Open);
    let conduct = Reading {
        basis: ReadingBasis::Conduct.into(),
        ..reading(3)
    };
    [
        ("11", reading(0)),
        ("11", reading(1)),
        ("1X", reading(2)),
        ("09", conduct),
    ]
    .map(|(day, reading)| Statement {
        // Nobody needs a mandate where the source says for whom it was said.
        said_for: vec![said_for("kremlin", CapacityBasis::Stated)],
        ..by(&speaker, day, reading)
    })
}

async fn append(archive: &mut TestArchive, signer: &Signer, kinds: impl Iterator<Item = Kind>) {
    let envelopes: Vec<_> = kinds.map(|kind| signer.seal(kind)).collect();
    for few in envelopes.chunks(100) {
        for result in archive.client.try_append(few.to_vec()).await.unwrap() {
            archive.size = recorded(result.outcome.unwrap()).index + 1;
        }
    }
}

/// An archive with much to say on one question: a statement of the highest authority that all
/// coders read otherwise, the longest stances of many people, and many parts of the state.
async fn much() -> TestArchive {
    let mut archive = TestArchive::new().await;
    let [steward, attestor] = [Signer::steward(), Signer::new(2)];
    let coders: Vec<Signer> = (10..10 + CODERS).map(Signer::new).collect();
    let people = (0..PEOPLE)
        .map(|number| Kind::ActorDefined(actor(&format!("person-{number}"), ActorKind::Person)));
    let bodies =
        (0..BODIES).map(|number| Kind::ActorDefined(part_of(&format!("body-{number}"), "russia")));
    let enrolled = coders.iter().map(|coder| coder.enrolled(&[Role::Coder]));
    append(&mut archive, &steward, people.chain(bodies).chain(enrolled)).await;

    let disputed = Kind::StatementRecorded(by("lavrov", "11", longest(9_999, Polarity::Mixed)));
    let disputed_id = id_of(&attestor.seal(disputed.clone()));
    let others = (0..PEOPLE).flat_map(statements);
    let all = std::iter::once(disputed).chain(others.map(Kind::StatementRecorded));
    append(&mut archive, &attestor, all).await;
    for (number, coder) in (9_000..).zip(&coders) {
        let reading = Kind::ReadingAdded(ReadingAdded {
            statement: disputed_id.clone(),
            speaker: "lavrov".to_owned(),
            said_for: vec!["kremlin".to_owned()],
            reading: Some(longest(number, Polarity::Opposes)),
            rationale: "a test".to_owned(),
        });
        append(&mut archive, coder, std::iter::once(reading)).await;
    }
    archive
}

/// That the lists are as long as there is room for, and all else is whole.
fn assert_cut(position: &Position) {
    assert!(
        position.encoded_len() <= 3 << 19,
        "{}",
        position.encoded_len()
    );
    let counts = [
        position.front_count,
        position.voice_count,
        position.reported_count,
        position.possible_count,
    ];
    let people = PEOPLE as u64;
    assert_eq!(counts, [2 * people + 1, people + 1, people, people]);
    let listed = [
        position.front.len(),
        position.voices.len(),
        position.reported.len(),
        position.possible.len(),
    ];
    let [shortest, longest] = [listed.iter().min(), listed.iter().max()].map(|it| *it.unwrap());
    assert!(shortest >= 15 && longest <= shortest + 1, "{listed:?}");

    let deciding = position.deciding.as_ref().unwrap();
    assert_eq!(deciding.speaker, "lavrov");
    assert_eq!(
        (deciding.rivals.len(), deciding.rival_count),
        (16, CODERS.into())
    );
    assert_eq!(deciding.stance.as_ref().unwrap().conditions.len(), 8);
    assert_eq!(position.front[0], *deciding);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_answers_are_ones_that_clients_take_by_default_and_tell_what_they_leave_out() {
    let mut archive = much().await;
    let as_of = "2025-08-12".to_owned();
    for (actor, asked, listed) in [("kremlin", 1, 1), ("russia", BODIES as u64 + 2, 1_000)] {
        let request = GetPositionRequest {
            actor: actor.to_owned(),
            topic: "meeting".to_owned(),
            as_of: as_of.clone(),
            at_least_size: archive.size,
            ..GetPositionRequest::default()
        };
        let answer = archive.client.positions.get_position(request).await;
        let position = answer.unwrap().into_inner().position.unwrap();
        assert_cut(&position);
        assert_eq!(
            (position.asked_count, position.asked.len()),
            (asked, listed)
        );

        let request = ComparePositionsRequest {
            actor: actor.to_owned(),
            topic: "meeting".to_owned(),
            from_as_of: as_of.clone(),
            to_as_of: as_of.clone(),
            ..ComparePositionsRequest::default()
        };
        let answer = archive.client.positions.compare_positions(request).await;
        let answer = answer.unwrap().into_inner();
        assert!(answer.encoded_len() < CLIENT_BYTES_MAX);
        assert_eq!(answer.from, answer.to);
        assert_eq!(answer.to, Some(position));
    }

    let timeline = GetTimelineRequest {
        actor: "kremlin".to_owned(),
        topic: "meeting".to_owned(),
        until: as_of.clone(),
        ..GetTimelineRequest::default()
    };
    let answer = archive.client.positions.get_timeline(timeline).await;
    let timeline = answer.unwrap().into_inner();
    assert!(timeline.encoded_len() < CLIENT_BYTES_MAX);
    let deciding = timeline.steps.last().unwrap().testimony.as_ref().unwrap();
    assert_eq!(deciding.speaker, "lavrov");

    for (standing, total) in [
        (Standing::Unspecified, 4 * PEOPLE + 1),
        (Standing::Front, 2 * PEOPLE + 1),
        (Standing::Possible, PEOPLE),
        (Standing::Reported, PEOPLE),
    ] {
        let request = ListTestimoniesRequest {
            actor: "kremlin".to_owned(),
            topic: "meeting".to_owned(),
            standing: standing.into(),
            as_of: as_of.clone(),
            ..ListTestimoniesRequest::default()
        };
        let pages = pages!(archive, list_testimonies, request, 1_000);
        assert!(
            pages
                .iter()
                .all(|page| page.encoded_len() < CLIENT_BYTES_MAX)
        );
        assert!(pages.iter().all(|page| page.total == total as u64));
        let listed: usize = pages.iter().map(|page| page.testimonies.len()).sum();
        assert_eq!(listed, total, "{standing:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_coders_of_one_reading_are_named_and_all_are_counted() {
    let mut archive = TestArchive::new().await;
    let steward = Signer::steward();
    let coders: Vec<Signer> = (10..10 + CODERS).map(Signer::new).collect();
    let enrolled = coders.iter().map(|coder| coder.enrolled(&[Role::Coder]));
    append(&mut archive, &steward, enrolled).await;
    for (number, coder) in coders.iter().enumerate() {
        let reading = Kind::ReadingAdded(ReadingAdded {
            statement: archive.statement.clone(),
            speaker: "lavrov".to_owned(),
            said_for: vec!["kremlin".to_owned()],
            reading: Some(answered("meeting", Polarity::Opposes)),
            rationale: format!("coder {number}"),
        });
        append(&mut archive, coder, std::iter::once(reading)).await;
    }
    let deciding = crate::position(&mut archive, "kremlin", "meeting")
        .await
        .deciding
        .unwrap();
    assert_eq!(deciding.stance.unwrap().polarity(), Polarity::Opposes);
    assert_eq!((deciding.coders, deciding.coded_by_count), (20, 20));
    assert_eq!(deciding.coded_by.len(), 16);
}
