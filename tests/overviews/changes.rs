//! What changed in the world between two dates, and in what is known between two sizes of the
//! ledger.

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{
    ActorKind, Authority, CapacityBasis, Engagement, MandateGranted, Polarity, Reading,
    SourceArchived, SourceRole, StatementRetracted, VerifierRevoked,
};
use onrecord::rpc::proto::{
    ChangeKind, ComparePositionsRequest, Finding, ListComparisonsRequest, Placement, PositionFilter,
};
use tonic::Code;

use crate::common::archive::TEXT;
use crate::common::client::id_of;
use crate::common::records::{actor, answered, mandate, said_for, source, topic};
use crate::common::{TestArchive, assert_blames};
use crate::{by, in_brief, list, record, said};

fn on_the_meeting() -> ListComparisonsRequest {
    ListComparisonsRequest {
        topic: "meeting".to_owned(),
        changed_only: true,
        ..ListComparisonsRequest::default()
    }
}

fn known_since(known_at: u64) -> ListComparisonsRequest {
    ListComparisonsRequest {
        from_known_at: Some(known_at),
        ..on_the_meeting()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_between_two_dates_is_what_single_comparisons_say() {
    let mut archive = TestArchive::new().await;
    record(&mut archive, said("05", Polarity::Opposes)).await;
    record(&mut archive, said("17", Polarity::Supports)).await;
    let request = ListComparisonsRequest {
        milestone: "summit".to_owned(),
        to_as_of: "2025-08-18".to_owned(),
        ..on_the_meeting()
    };
    let listed = list!(archive, list_comparisons, request, comparisons);
    let mut actors = Vec::new();
    for pair in listed {
        let to = pair.to.unwrap();
        let alone = ComparePositionsRequest {
            actor: to.actor.clone(),
            topic: "meeting".to_owned(),
            milestone: "summit".to_owned(),
            to_as_of: "2025-08-18".to_owned(),
            ..ComparePositionsRequest::default()
        };
        let alone = archive.client.positions.compare_positions(alone).await;
        let alone = alone.unwrap().into_inner();
        assert_eq!(pair.comparison, alone.comparison);
        assert_eq!(pair.from, alone.from.map(in_brief));
        assert_eq!(to, in_brief(alone.to.unwrap()));
        let comparison = pair.comparison.unwrap();
        assert_eq!(comparison.kind(), ChangeKind::Reversed);
        assert_eq!(comparison.placement(), Placement::Since);
        assert!(pair.entries.is_empty() && pair.other_causes);
        actors.push(to.actor);
    }
    assert_eq!(actors, ["kremlin", "lavrov", "russia"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_in_what_is_known_names_the_entries_that_changed_it() {
    let mut archive = TestArchive::new().await;
    let before = archive.size;
    let unrelated = Kind::TopicDefined(topic("ceasefire"));
    archive.client.append(&archive.steward, unrelated).await;
    let (id, index) = record(&mut archive, said("19", Polarity::Opposes)).await;
    let ceasefire = answered("ceasefire", Polarity::Supports);
    record(&mut archive, by("putin", "06", ceasefire)).await;
    let listed = list!(archive, list_comparisons, known_since(before), comparisons);
    assert_eq!(listed.len(), 3);
    for pair in &listed {
        assert_eq!(pair.entries, [index], "{:?}", pair.to);
        assert_eq!((pair.entry_count, pair.other_causes), (1, false));
    }
    let of_putin = ListComparisonsRequest {
        topic: String::new(),
        actor: "putin".to_owned(),
        ..known_since(before)
    };
    let listed = list!(archive, list_comparisons, of_putin, comparisons);
    assert_eq!(listed.len(), 1);
    let kind = listed[0].comparison.as_ref().unwrap().kind();
    assert_eq!(kind, ChangeKind::FirstStated);

    let size = archive.size;
    let retracted = Kind::StatementRetracted(StatementRetracted {
        statement: id,
        speaker: "lavrov".to_owned(),
        said_for: vec!["kremlin".to_owned()],
        reason: "a test".to_owned(),
    });
    let recorded = archive.client.append(&archive.attestor, retracted).await;
    archive.size = recorded.ledger_size;
    let listed = list!(archive, list_comparisons, known_since(size), comparisons);
    assert!(listed.iter().all(|pair| pair.entries == [recorded.index]));
    assert_eq!(listed.len(), 3);
    let nothing = list!(
        archive,
        list_comparisons,
        known_since(archive.size),
        comparisons
    );
    assert!(nothing.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn revocations_mandates_and_actors_are_named_where_they_are_the_cause() {
    let mut archive = TestArchive::new().await;
    let before = archive.size;
    let revoked = Kind::VerifierRevoked(VerifierRevoked {
        verifier: archive.attestor.id(),
        reason: "a test".to_owned(),
        untrusted_from: Some(0),
    });
    let recorded = archive.client.append(&archive.steward, revoked).await;
    archive.size = recorded.ledger_size;
    let listed = list!(archive, list_comparisons, known_since(before), comparisons);
    assert_eq!(listed.len(), 3);
    for pair in &listed {
        let kind = pair.comparison.as_ref().unwrap().kind();
        assert_eq!(kind, ChangeKind::NoLongerOnRecord);
        assert_eq!(pair.entries, [recorded.index]);
    }

    let mut archive = TestArchive::new().await;
    let peskov = Kind::ActorDefined(actor("peskov", ActorKind::Person));
    archive.client.append(&archive.steward, peskov).await;
    let reading = answered("meeting", Polarity::Opposes);
    let mut unmandated = by("peskov", "19", reading);
    unmandated.said_for = vec![said_for("kremlin", CapacityBasis::Stated)];
    record(&mut archive, unmandated).await;
    let before = archive.size;
    let granted = Kind::MandateGranted(MandateGranted {
        mandate_id: "peskov-spokesman".to_owned(),
        ..mandate("peskov", "kremlin", Authority::Spokesperson)
    });
    let recorded = archive.client.append(&archive.steward, granted).await;
    archive.size = recorded.ledger_size;
    let listed = list!(archive, list_comparisons, known_since(before), comparisons);
    let changed: Vec<_> = listed
        .iter()
        .map(|it| (it.to.as_ref().unwrap().actor.as_str(), &it.entries[..]))
        .collect();
    let cause = [recorded.index];
    assert_eq!(changed, [("kremlin", &cause[..]), ("russia", &cause[..])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_evaded_where_nothing_was_on_record_has_changed_though_nothing_is_stated() {
    let mut archive = TestArchive::new().await;
    let before = archive.size;
    let evasion = Reading {
        topic: "meeting".to_owned(),
        engagement: Engagement::Declined.into(),
        ..Reading::default()
    };
    let (_, index) = record(&mut archive, by("putin", "10", evasion)).await;
    let of_putin = ListComparisonsRequest {
        actor: "putin".to_owned(),
        ..known_since(before)
    };
    let listed = list!(archive, list_comparisons, of_putin, comparisons);
    let [pair] = &listed[..] else {
        panic!("{listed:?}");
    };
    let kind = pair.comparison.as_ref().unwrap().kind();
    assert_eq!(kind, ChangeKind::NoRecord);
    let findings = [&pair.from, &pair.to].map(|it| it.as_ref().unwrap().finding());
    assert_eq!(findings, [Finding::NoRecord, Finding::Evaded]);
    assert_eq!(pair.entries, [index]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sources_new_version_is_named_where_the_reader_asks_what_is_quoted_from() {
    let mut archive = TestArchive::new().await;
    let before = archive.size;
    let first = Kind::SourceArchived(source(TEXT));
    let edited = Kind::SourceArchived(SourceArchived {
        role: SourceRole::Primary.into(),
        replaces: id_of(&archive.steward.seal(first)),
        ..source(TEXT)
    });
    let recorded = archive.client.append(&archive.steward, edited).await;
    archive.size = recorded.ledger_size;
    let nothing = list!(archive, list_comparisons, known_since(before), comparisons);
    assert!(nothing.is_empty());
    let secondary = PositionFilter {
        source_roles: vec![SourceRole::Secondary.into()],
        ..PositionFilter::default()
    };
    let request = ListComparisonsRequest {
        filter: Some(secondary),
        ..known_since(before)
    };
    let listed = list!(archive, list_comparisons, request, comparisons);
    assert_eq!(listed.len(), 3);
    for pair in &listed {
        let kind = pair.comparison.as_ref().unwrap().kind();
        assert_eq!(kind, ChangeKind::NoLongerOnRecord);
        assert_eq!(pair.entries, [recorded.index]);
        assert!(!pair.other_causes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_no_entry_explains_says_so() {
    let mut archive = TestArchive::new().await;
    let strict = PositionFilter {
        attestations_min: 2,
        ..PositionFilter::default()
    };
    let request = ListComparisonsRequest {
        from_filter: Some(strict),
        ..on_the_meeting()
    };
    let listed = list!(archive, list_comparisons, request, comparisons);
    assert_eq!(listed.len(), 3);
    assert!(
        listed
            .iter()
            .all(|it| it.other_causes && it.entries.is_empty())
    );
    let all = ListComparisonsRequest {
        changed_only: false,
        from_as_of: "2025-08-20".to_owned(),
        to_as_of: "2025-08-21".to_owned(),
        ..on_the_meeting()
    };
    let listed = list!(archive, list_comparisons, all, comparisons);
    assert_eq!(listed.len(), 3);
    assert!(listed.iter().all(|it| !it.other_causes));
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_that_say_nothing_are_refused() {
    let mut archive = TestArchive::new().await;
    let status = archive
        .client
        .positions
        .list_comparisons(on_the_meeting())
        .await;
    let status = status.unwrap_err();
    assert_blames(
        &status,
        Code::InvalidArgument,
        "INVALID_REQUEST",
        "fromAsOf",
    );
}
