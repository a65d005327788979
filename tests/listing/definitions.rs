//! Definitions: every kind, in order of ids, in versions and bases.

use std::collections::BTreeSet;

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::review_published::Target;
use onrecord::record::proto::{
    ActorKind, Authority, MandateEnded, MandateGranted, Role, VerifierRevoked, WithholdingScope,
};
use onrecord::rpc::proto::{
    GetActorRequest, GetMandateRequest, GetMilestoneRequest, GetSourceRecordRequest,
    GetTopicRequest, GetVerifierRequest, LedgerEntry, ListActorsRequest, ListMandatesRequest,
    ListMilestonesRequest, ListSourcesRequest, ListTopicsRequest, ListVerifiersRequest, ReadOrder,
};

use crate::common::archive::TEXT;
use crate::common::records::{actor, mandate, milestone, review, source, topic, withheld};
use crate::common::{Client, Signer, TestArchive};
use crate::{assert_distinct, oracle};

/// Puts more of every kind on record: ids that begin with one another, further versions, and
/// what else is said of definitions.
async fn more(archive: &mut TestArchive) {
    let TestArchive {
        client, steward, ..
    } = archive;
    for text in ["One document.", "Two documents.", "Three documents."] {
        client
            .put_source("text/plain", text.as_bytes())
            .await
            .unwrap();
        client
            .append(steward, Kind::SourceArchived(source(text)))
            .await;
    }
    let mut kinds = vec![
        Kind::SourceWithheld(withheld("Two documents.", WithholdingScope::Bytes)),
        Kind::ReviewPublished(review(Target::Milestone("summit".to_owned()))),
        Kind::ReviewPublished(review(Target::Source(source(TEXT).source))),
    ];
    for id in ["a", "a-b", "ab", "zelenskyy"] {
        kinds.push(Kind::ActorDefined(actor(id, ActorKind::Person)));
        kinds.push(Kind::TopicDefined(topic(id)));
        kinds.push(Kind::MilestoneDefined(milestone(id, "2025")));
        kinds.push(Kind::MandateGranted(mandate(
            id,
            "kremlin",
            Authority::Delegate,
        )));
    }
    kinds.push(Kind::MandateGranted(mandate(
        "a",
        "russia",
        Authority::Spokesperson,
    )));
    for seed in 20..24 {
        kinds.push(Signer::new(seed).enrolled(&[Role::Coder]));
    }
    for kind in kinds {
        client.append(steward, kind).await;
    }
    let revoked = VerifierRevoked {
        verifier: Signer::new(21).id(),
        reason: "The key was lost.".to_owned(),
        untrusted_from: Some(client.head().await.size),
    };
    client.append(steward, Kind::VerifierRevoked(revoked)).await;
}

/// A new version of something, and something new.
async fn grow(archive: &mut TestArchive, number: u64) {
    let steward = Signer::steward();
    let client = &mut archive.client;
    let id = format!("a-{number}");
    let kind = Kind::ActorDefined(actor(&id, ActorKind::Person));
    client.append(&steward, kind).await;
    client
        .append(&steward, Kind::TopicDefined(topic(&id)))
        .await;
    let kind = Kind::MandateGranted(mandate(&id, "kremlin", Authority::Delegate));
    client.append(&steward, kind).await;
    let asked = GetMandateRequest {
        mandate_id: "a-kremlin".to_owned(),
        at_least_size: client.head().await.size,
        ..GetMandateRequest::default()
    };
    let stands = client
        .catalog
        .get_mandate(asked)
        .await
        .unwrap()
        .into_inner();
    let again = MandateGranted {
        role_title: format!("office {number}"),
        replaces: stands.mandate.unwrap().provenance.unwrap().record,
        ..mandate("a", "kremlin", Authority::Delegate)
    };
    client.append(&steward, Kind::MandateGranted(again)).await;
}

/// All pages of a list. Between the first three, `$grow` happens.
macro_rules! all {
    ($client:expr, $method:ident, $request:expr, $items:ident, $grow:expr) => {{
        let mut request = $request;
        let (mut found, mut known, mut pages) = (Vec::new(), None, 0);
        loop {
            let answer = $client.catalog.$method(request.clone()).await.unwrap();
            let answer = answer.into_inner();
            let most = usize::try_from(request.page_size).unwrap();
            assert!(most == 0 || answer.$items.len() <= most);
            let basis = answer.basis.unwrap();
            assert_eq!(basis.projection, "catalog");
            assert_eq!(basis.known_at, *known.get_or_insert(basis.known_at));
            found.extend(answer.$items);
            if answer.next_page_token.is_empty() {
                break (found, known.unwrap());
            }
            request.page_token = answer.next_page_token;
            pages += 1;
            if pages < 3 {
                $grow;
            }
        }
    }};
}

/// The ids of a kind that the entries below `known_at` define, in order.
fn defined(
    ledger: &[LedgerEntry],
    known_at: u64,
    id: impl Fn(&Kind) -> Vec<String>,
) -> Vec<String> {
    let known = &ledger[..usize::try_from(known_at).unwrap()];
    let kinds = known
        .iter()
        .map(|it| it.record.as_ref().unwrap().kind.as_ref().unwrap());
    let ids: BTreeSet<String> = kinds.flat_map(id).collect();
    ids.into_iter().collect()
}

/// Tests that the lists of one kind hold what look-ups by id find: of all ids that the ledger
/// defines, in order or backwards, in pages of several sizes, at the head and at an older basis.
macro_rules! assert_lists {
    ($archive:ident, $list:ident $List:ident $items:ident, $get:ident $Get:ident { $id:ident } $item:ident, $defined:expr) => {{
        let mut number = $archive.client.head().await.size;
        for order in [ReadOrder::Forwards, ReadOrder::Backwards] {
            for (page_size, known_at) in
                [(0, None), (1, None), (3, None), (2, Some(9)), (2, Some(25))]
            {
                let request = $List {
                    page_size,
                    known_at,
                    order: order.into(),
                    ..$List::default()
                };
                let mut client = $archive.client.clone();
                let (found, at) = all!(client, $list, request, $items, {
                    number += 1;
                    grow(&mut $archive, number).await;
                });
                let ledger = oracle::ledger(&mut client).await;
                let mut ids = defined(&ledger, at, $defined);
                if order == ReadOrder::Backwards {
                    ids.reverse();
                }
                assert_distinct(&ids);
                let mut expected = Vec::new();
                for $id in ids {
                    let request = $Get {
                        $id,
                        known_at: Some(at),
                        known_at_time: None,
                        at_least_size: 0,
                    };
                    let answer = client.catalog.$get(request).await.unwrap();
                    expected.push(answer.into_inner().$item.unwrap());
                }
                assert!(known_at.is_some() || expected.len() > 3);
                assert_eq!(found, expected);
            }
        }
    }};
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_is_listed_whole_and_in_order_while_the_ledger_grows() {
    let mut archive = TestArchive::new().await;
    more(&mut archive).await;
    assert_lists!(archive, list_actors ListActorsRequest actors, get_actor GetActorRequest { actor_id } actor,
        |kind| match kind { Kind::ActorDefined(it) => vec![it.actor_id.clone()], _ => vec![] });
    assert_lists!(archive, list_mandates ListMandatesRequest mandates, get_mandate GetMandateRequest { mandate_id } mandate,
        |kind| match kind { Kind::MandateGranted(it) => vec![it.mandate_id.clone()], _ => vec![] });
    assert_lists!(archive, list_topics ListTopicsRequest topics, get_topic GetTopicRequest { topic_id } topic,
        |kind| match kind { Kind::TopicDefined(it) => vec![it.topic_id.clone()], _ => vec![] });
    assert_lists!(archive, list_milestones ListMilestonesRequest milestones, get_milestone GetMilestoneRequest { milestone_id } milestone,
        |kind| match kind { Kind::MilestoneDefined(it) => vec![it.milestone_id.clone()], _ => vec![] });
    assert_lists!(archive, list_sources ListSourcesRequest sources, get_source_record GetSourceRecordRequest { source_id } source,
        |kind| match kind { Kind::SourceArchived(it) => vec![it.source.clone()], _ => vec![] });
    assert_lists!(archive, list_verifiers ListVerifiersRequest verifiers, get_verifier GetVerifierRequest { verifier } verifier,
    |kind| match kind {
        Kind::ArchiveFounded(it) => it.verifiers.iter().map(|it| it.verifier.clone()).collect(),
        Kind::VerifierEnrolled(it) => vec![it.verifier.clone()],
        _ => vec![],
    });
}

async fn mandates(client: &mut Client, request: ListMandatesRequest) -> Vec<(String, String)> {
    let (found, _) = all!(client, list_mandates, request.clone(), mandates, {});
    let definitions = found.into_iter().map(|it| it.definition.unwrap());
    definitions.map(|it| (it.mandate_id, it.end)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn mandates_are_found_by_person_by_organisation_and_by_both_with_the_end_that_stands() {
    let mut archive = TestArchive::new().await;
    more(&mut archive).await;
    let client = &mut archive.client;
    let before = client.head().await.size;
    let asked = GetMandateRequest {
        mandate_id: "a-kremlin".to_owned(),
        at_least_size: before,
        ..GetMandateRequest::default()
    };
    let stands = client
        .catalog
        .get_mandate(asked)
        .await
        .unwrap()
        .into_inner();
    let ended = MandateEnded {
        mandate_id: "a-kremlin".to_owned(),
        end: "2025-08-01".to_owned(),
        reason: "They left.".to_owned(),
        replaces: stands.mandate.unwrap().provenance.unwrap().record,
        ..MandateEnded::default()
    };
    client
        .append(&archive.steward, Kind::MandateEnded(ended))
        .await;
    let request = |person: &str, organization: &str| ListMandatesRequest {
        person: person.to_owned(),
        organization: organization.to_owned(),
        page_size: 1,
        at_least_size: before + 1,
        ..ListMandatesRequest::default()
    };
    let row = |id: &str, end: &str| (id.to_owned(), end.to_owned());
    let ended = row("a-kremlin", "2025-08-01");
    assert_eq!(
        mandates(client, request("a", "")).await,
        [ended.clone(), row("a-russia", "")]
    );
    assert_eq!(mandates(client, request("a", "kremlin")).await, [ended]);
    assert_eq!(
        mandates(client, request("", "russia")).await,
        [row("a-russia", "")]
    );
    assert_eq!(mandates(client, request("", "kremlin")).await.len(), 6);
    assert_eq!(mandates(client, request("lavrov", "russia")).await, []);
    assert_eq!(mandates(client, request("nobody", "")).await, []);
    let earlier = ListMandatesRequest {
        known_at: Some(before),
        order: ReadOrder::Backwards.into(),
        ..request("a", "")
    };
    assert_eq!(
        mandates(client, earlier).await,
        [row("a-russia", ""), row("a-kremlin", "")]
    );
}
