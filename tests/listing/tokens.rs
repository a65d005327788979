//! Tokens: to whom and to what question they belong, and what else of a list is refused.

use onrecord::rpc::proto::{
    ListActorsRequest, ListMandatesRequest, ListStatementsRequest, ListTopicsRequest, ReadOrder,
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::common::{TestArchive, assert_blames};
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
    let text = |text: &str| text.to_owned();
    let others = [
        ListStatementsRequest {
            speaker: text("lavrov"),
            ..mine.clone()
        },
        ListStatementsRequest {
            said_for: text("kremlin"),
            ..mine.clone()
        },
        ListStatementsRequest {
            topic: text("meeting"),
            ..mine.clone()
        },
        ListStatementsRequest {
            said_at: text("2025"),
            ..mine.clone()
        },
        ListStatementsRequest {
            recorded_at: text("2025"),
            ..mine.clone()
        },
        ListStatementsRequest {
            wordings: vec![1],
            ..mine.clone()
        },
        ListStatementsRequest {
            order: ReadOrder::Backwards.into(),
            ..mine.clone()
        },
        ListStatementsRequest {
            known_at: Some(20),
            ..mine.clone()
        },
    ];
    for other in others {
        let refused = catalog.list_statements(other).await.unwrap_err();
        assert_blames(
            &refused,
            Code::InvalidArgument,
            "INVALID_PAGE_TOKEN",
            "pageToken",
        );
        assert!(
            refused.message().contains("another question"),
            "{refused:?}"
        );
    }
    let elsewhere = ListActorsRequest {
        page_token: mine.page_token.clone(),
        page_size: 2,
        ..ListActorsRequest::default()
    };
    let refused = catalog.list_actors(elsewhere).await.unwrap_err();
    assert_blames(
        &refused,
        Code::InvalidArgument,
        "INVALID_PAGE_TOKEN",
        "pageToken",
    );

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
        assert_blames(
            &refused,
            Code::InvalidArgument,
            "INVALID_PAGE_TOKEN",
            "pageToken",
        );
        assert!(refused.message().contains("damaged"), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_a_larger_ledger_is_refused_by_what_lost_its_end() {
    let mut archive = TestArchive::new().await;
    let beyond = archive.size + 1;
    let known = ListTopicsRequest {
        known_at: Some(beyond),
        ..ListTopicsRequest::default()
    };
    let refused = archive.client.catalog.list_topics(known).await.unwrap_err();
    assert_blames(&refused, Code::OutOfRange, "BEYOND_THE_HEAD", "knownAt");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_listed_is_refused_with_the_field_and_what_would_be_accepted() {
    let mut archive = TestArchive::new().await;
    let none = ListStatementsRequest::default;
    let text = |text: &str| text.to_owned();
    for (request, reason, field, accepted) in [
        (
            ListStatementsRequest {
                page_size: -1,
                ..none()
            },
            "INVALID_REQUEST",
            "pageSize",
            "1 to 1000",
        ),
        (
            ListStatementsRequest { order: 7, ..none() },
            "INVALID_REQUEST",
            "order",
            "READ_ORDER_BACKWARDS",
        ),
        (
            ListStatementsRequest {
                speaker: text("No Slug"),
                ..none()
            },
            "INVALID_REQUEST",
            "speaker",
            "a slug",
        ),
        (
            ListStatementsRequest {
                said_for: text("No Slug"),
                ..none()
            },
            "INVALID_REQUEST",
            "saidFor",
            "a slug",
        ),
        (
            ListStatementsRequest {
                topic: text("No Slug"),
                ..none()
            },
            "INVALID_REQUEST",
            "topic",
            "a slug",
        ),
        (
            ListStatementsRequest {
                source: text("ab"),
                ..none()
            },
            "INVALID_REQUEST",
            "source",
            "64",
        ),
        (
            ListStatementsRequest {
                verifier: text("ab"),
                ..none()
            },
            "INVALID_REQUEST",
            "verifier",
            "32 bytes",
        ),
        (
            ListStatementsRequest {
                said_at: text("soon"),
                ..none()
            },
            "INVALID_DATE",
            "saidAt",
            "2025",
        ),
        (
            ListStatementsRequest {
                recorded_at: text("[2025..]"),
                ..none()
            },
            "INVALID_DATE",
            "recordedAt",
            "..",
        ),
        (
            ListStatementsRequest {
                wordings: vec![1, 9],
                ..none()
            },
            "INVALID_REQUEST",
            "wordings[1]",
            "WORDING_VERBATIM",
        ),
        (
            ListStatementsRequest {
                wordings: vec![0],
                ..none()
            },
            "INVALID_REQUEST",
            "wordings[0]",
            "WORDING_VERBATIM",
        ),
    ] {
        let refused = archive
            .client
            .catalog
            .list_statements(request)
            .await
            .unwrap_err();
        assert_blames(&refused, Code::InvalidArgument, reason, field);
        let details = refused.get_error_details();
        let told = &details.bad_request().unwrap().field_violations[0].description;
        let (_, told) = told.split_once("accepted: ").unwrap();
        assert!(told.contains(accepted), "{told}");
    }
    for (request, field) in [
        (
            ListMandatesRequest {
                person: text("No Slug"),
                ..ListMandatesRequest::default()
            },
            "person",
        ),
        (
            ListMandatesRequest {
                organization: text("-"),
                ..ListMandatesRequest::default()
            },
            "organization",
        ),
        (
            ListMandatesRequest {
                page_size: i32::MIN,
                ..ListMandatesRequest::default()
            },
            "pageSize",
        ),
    ] {
        let refused = archive
            .client
            .catalog
            .list_mandates(request)
            .await
            .unwrap_err();
        assert_blames(&refused, Code::InvalidArgument, "INVALID_REQUEST", field);
    }
}
