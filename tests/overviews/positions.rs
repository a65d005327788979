//! Everybody on a topic, and an actor on all topics.

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{ActorKind, Polarity};
use onrecord::rpc::proto::ListPositionsRequest;
use tonic::Code;

use crate::common::records::{actor, answered, part_of, topic};
use crate::common::{TestArchive, assert_blames};
use crate::{by, in_brief, list, position, record, said};

fn on(topic: &str) -> ListPositionsRequest {
    ListPositionsRequest {
        topic: topic.to_owned(),
        ..ListPositionsRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_on_a_topic_has_the_position_that_they_have_when_asked() {
    let mut archive = TestArchive::new().await;
    for kind in [
        Kind::TopicDefined(topic("ceasefire")),
        Kind::ActorDefined(actor("ukraine", ActorKind::State)),
        Kind::ActorDefined(part_of("office", "ukraine")),
        Kind::ActorDefined(part_of("ministry", "kremlin")),
    ] {
        archive.client.append(&archive.steward, kind).await;
    }
    record(&mut archive, said("05", Polarity::Opposes)).await;
    let ceasefire = answered("ceasefire", Polarity::Supports);
    record(&mut archive, by("putin", "06", ceasefire)).await;
    for (asked, expected) in [
        ("meeting", &["kremlin", "lavrov", "russia"][..]),
        ("ceasefire", &["kremlin", "putin", "russia"][..]),
    ] {
        let listed = list!(archive, list_positions, on(asked), positions);
        let actors: Vec<_> = listed.iter().map(|it| it.actor.clone()).collect();
        assert_eq!(actors, expected);
        for listed in listed {
            let alone = position(&mut archive, &listed.actor, asked).await;
            assert_eq!(listed, in_brief(alone));
        }
    }
    let without = ListPositionsRequest {
        with_parts: Some(false),
        ..on("meeting")
    };
    let listed = list!(archive, list_positions, without, positions);
    let actors: Vec<_> = listed.iter().map(|it| it.actor.clone()).collect();
    assert_eq!(actors, ["kremlin", "lavrov"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_actor_is_listed_on_every_topic_that_bears_on_it_or_its_parts() {
    let mut archive = TestArchive::new().await;
    for id in ["a-meeting", "ceasefire", "silence"] {
        let kind = Kind::TopicDefined(topic(id));
        archive.client.append(&archive.steward, kind).await;
    }
    let before = archive.size;
    for topic in ["ceasefire", "a-meeting"] {
        let reading = answered(topic, Polarity::Supports);
        record(&mut archive, by("putin", "06", reading)).await;
    }
    let by_actor = |actor: &str| ListPositionsRequest {
        actor: actor.to_owned(),
        ..ListPositionsRequest::default()
    };
    for (actor, expected) in [
        ("russia", &["a-meeting", "ceasefire", "meeting"][..]),
        ("kremlin", &["a-meeting", "ceasefire", "meeting"][..]),
        ("putin", &["a-meeting", "ceasefire"][..]),
        ("capitals", &[][..]),
    ] {
        let listed = list!(archive, list_positions, by_actor(actor), positions);
        let topics: Vec<_> = listed.iter().map(|it| it.topic.clone()).collect();
        assert_eq!(topics, expected, "{actor}");
        for listed in listed {
            let alone = position(&mut archive, actor, &listed.topic).await;
            assert_eq!(listed, in_brief(alone));
        }
    }
    let then = ListPositionsRequest {
        known_at: Some(before),
        ..by_actor("russia")
    };
    let listed = list!(archive, list_positions, then, positions);
    assert_eq!(listed.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_names_nothing_on_record_is_refused() {
    let mut archive = TestArchive::new().await;
    let of = |actor: &str| ListPositionsRequest {
        actor: actor.to_owned(),
        ..ListPositionsRequest::default()
    };
    for (request, code, reason, field) in [
        (on(""), Code::InvalidArgument, "INVALID_REQUEST", "topic"),
        (
            on("No Slug"),
            Code::InvalidArgument,
            "INVALID_REQUEST",
            "topic",
        ),
        (on("nothing"), Code::NotFound, "UNKNOWN_TOPIC", "topic"),
        (of("nobody"), Code::NotFound, "UNKNOWN_ACTOR", "actor"),
    ] {
        let status = archive.client.positions.list_positions(request).await;
        assert_blames(&status.unwrap_err(), code, reason, field);
    }
}
