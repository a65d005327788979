//! Tokens: to whom and to what question they belong, and what else of a list is refused.

use onrecord::app::{self, World};
use onrecord::record::proto::record::Kind;
use onrecord::rpc::proto::{
    ListActorsRequest, ListMandatesRequest, ListStatementsRequest, ListTopicsRequest, ReadOrder,
};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::common::daemon::Home;
use crate::common::records::topic;
use crate::common::{Signer, TestArchive, assert_blames};
use crate::world::Writer;

fn two() -> ListStatementsRequest {
    ListStatementsRequest {
        page_size: 2,
        ..ListStatementsRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_leads_on_in_its_own_list_and_in_no_other() {
    let mut writer = Writer::new(5).await;
    writer.write(30).await;
    let catalog = &mut writer.archive.client.catalog;
    let first = catalog.list_statements(two()).await.unwrap().into_inner();
    let mine = ListStatementsRequest {
        page_token: first.next_page_token,
        ..two()
    };
    catalog.list_statements(mine.clone()).await.unwrap();
    let others: [fn(&mut ListStatementsRequest); 9] = [
        |it| it.speaker = "lavrov".to_owned(),
        |it| it.said_for = "kremlin".to_owned(),
        |it| it.topic = "meeting".to_owned(),
        |it| it.verifier = Signer::steward().id(),
        |it| it.said_at = "2025".to_owned(),
        |it| it.recorded_at = "2025".to_owned(),
        |it| it.wordings = vec![1],
        |it| it.order = ReadOrder::Backwards.into(),
        |it| it.known_at = Some(20),
    ];
    for change in others {
        let mut other = mine.clone();
        change(&mut other);
        let refused = catalog.list_statements(other).await.unwrap_err();
        assert_unusable(&refused, "another question");
    }
    let elsewhere = ListActorsRequest {
        page_token: mine.page_token.clone(),
        page_size: 2,
        ..ListActorsRequest::default()
    };
    let refused = catalog.list_actors(elsewhere).await.unwrap_err();
    assert_unusable(&refused, "another question");

    let token = mine.page_token.clone();
    let (begin, end) = token.split_at(token.len() / 2);
    for damaged in [
        format!("{begin}{}", end.to_uppercase()),
        format!("{token}A"),
        format!("{token}="),
        begin.to_owned(),
        "0".to_owned(),
        "A".repeat(100_000),
    ] {
        let damaged = ListStatementsRequest {
            page_token: damaged,
            ..mine.clone()
        };
        let refused = catalog.list_statements(damaged).await.unwrap_err();
        assert_unusable(&refused, "damaged");
    }
}

/// That a token is refused for this reason.
#[track_caller]
fn assert_unusable(refused: &Status, why: &str) {
    let code = Code::InvalidArgument;
    assert_blames(refused, code, "INVALID_PAGE_TOKEN", "pageToken");
    assert!(refused.message().contains(why), "{refused:?}");
}

/// The token of the second of two topics.
async fn of_topics(archive: &mut TestArchive) -> ListTopicsRequest {
    let second = Kind::TopicDefined(topic("price"));
    archive.client.append(&archive.steward, second).await;
    let mut request = ListTopicsRequest {
        page_size: 1,
        at_least_size: archive.client.head().await.size,
        ..ListTopicsRequest::default()
    };
    let first = archive.client.catalog.list_topics(request.clone()).await;
    request.page_token = first.unwrap().into_inner().next_page_token;
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_archive_is_refused() {
    let mut archive = TestArchive::new().await;
    let mut request = of_topics(&mut archive).await;
    request.at_least_size = 0;
    let home = Home::new();
    let found = || {
        let steward = Signer::steward();
        app::found(&home.config, "other.example", &steward.key, World::real())
    };
    std::thread::scope(|scope| scope.spawn(found).join().unwrap()).unwrap();
    let daemon = home.start();
    let mut other = daemon.client().await;
    let refused = other.catalog.list_topics(request).await.unwrap_err();
    assert_unusable(&refused, "not given out by this archive");
    drop(other);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_a_larger_ledger_is_refused_by_one_that_lost_its_end() {
    let (mut whole, mut shorter) = (TestArchive::new().await, TestArchive::new().await);
    let mut request = of_topics(&mut whole).await;
    request.at_least_size = 0;
    let catalog = &mut shorter.client.catalog;
    let refused = catalog.list_topics(request).await.unwrap_err();
    assert_blames(&refused, Code::OutOfRange, "BEYOND_THE_HEAD", "pageToken");
    let known = ListTopicsRequest {
        known_at: Some(shorter.size + 1),
        ..ListTopicsRequest::default()
    };
    let refused = catalog.list_topics(known).await.unwrap_err();
    assert_blames(&refused, Code::OutOfRange, "BEYOND_THE_HEAD", "knownAt");
}

/// Makes a request one that cannot be answered.
type Spoil<R> = fn(&mut R);

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_listed_is_refused_with_the_field_and_what_would_be_accepted() {
    let mut archive = TestArchive::new().await;
    let (request, date) = ("INVALID_REQUEST", "INVALID_DATE");
    let spoilt: [(Spoil<ListStatementsRequest>, &str, &str, &str); 11] = [
        (|it| it.page_size = -1, request, "pageSize", "1 to 1000"),
        (|it| it.order = 7, request, "order", "READ_ORDER_BACKWARDS"),
        (
            |it| it.speaker = "No Slug".to_owned(),
            request,
            "speaker",
            "a slug",
        ),
        (
            |it| it.said_for = "No Slug".to_owned(),
            request,
            "saidFor",
            "a slug",
        ),
        (
            |it| it.topic = "No Slug".to_owned(),
            request,
            "topic",
            "a slug",
        ),
        (|it| it.source = "ab".to_owned(), request, "source", "64"),
        (
            |it| it.verifier = "ab".to_owned(),
            request,
            "verifier",
            "32 bytes",
        ),
        (|it| it.said_at = "soon".to_owned(), date, "saidAt", "2025"),
        (
            |it| it.recorded_at = "[2025..]".to_owned(),
            date,
            "recordedAt",
            "..",
        ),
        (
            |it| it.wordings = vec![1, 9],
            request,
            "wordings[1]",
            "WORDING_VERBATIM",
        ),
        (
            |it| it.wordings = vec![0],
            request,
            "wordings[0]",
            "WORDING_VERBATIM",
        ),
    ];
    for (spoil, reason, field, accepted) in spoilt {
        let mut asked = ListStatementsRequest::default();
        spoil(&mut asked);
        let refused = archive.client.catalog.list_statements(asked).await;
        let refused = refused.unwrap_err();
        assert_blames(&refused, Code::InvalidArgument, reason, field);
        let details = refused.get_error_details();
        let told = &details.bad_request().unwrap().field_violations[0].description;
        let (_, told) = told.split_once("accepted: ").unwrap();
        assert!(told.contains(accepted), "{told}");
    }
    let spoilt: [(Spoil<ListMandatesRequest>, &str); 3] = [
        (|it| it.person = "No Slug".to_owned(), "person"),
        (|it| it.organization = "-".to_owned(), "organization"),
        (|it| it.page_size = i32::MIN, "pageSize"),
    ];
    for (spoil, field) in spoilt {
        let mut asked = ListMandatesRequest::default();
        spoil(&mut asked);
        let refused = archive.client.catalog.list_mandates(asked).await;
        let refused = refused.unwrap_err();
        assert_blames(&refused, Code::InvalidArgument, request, field);
    }
}
