//! What one page may hold and cost.

use onrecord::record::proto::{Wording, record::Kind};
use onrecord::rpc::proto::{ListActorsRequest, ListStatementsRequest, ReadOrder};
use prost::Message as _;

use crate::assert_distinct;
use crate::common::TestArchive;
use crate::common::archive::{PASSAGE, TEXT};
use crate::common::records::{actor, statement};
use onrecord::record::proto::{ActorKind, Statement};

/// What Lavrov said, as an attestor words it, with so many bytes about the venue.
fn said(number: usize, wording: Wording, text_bytes: usize) -> Kind {
    let mut said = Statement {
        venue: format!("No. {number}"),
        wording: wording.into(),
        text: format!("He spoke. {}", "a".repeat(text_bytes)),
        ..statement("lavrov", "2025-08-10", TEXT, PASSAGE)
    };
    if wording == Wording::Verbatim {
        PASSAGE.clone_into(&mut said.text);
        said.language.clone_into(&mut said.spoken_language);
    }
    Kind::StatementRecorded(said)
}

async fn append(archive: &mut TestArchive, kinds: impl Iterator<Item = Kind>) {
    let envelopes: Vec<_> = kinds.map(|kind| archive.attestor.seal(kind)).collect();
    for few in envelopes.chunks(50) {
        for result in archive.client.try_append(few.to_vec()).await.unwrap() {
            archive.size = crate::common::client::recorded(result.outcome.unwrap()).index + 1;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_ends_early_where_it_looked_at_as_many_as_it_may_and_the_next_goes_on() {
    const OTHERS: usize = 2_100;
    let mut archive = TestArchive::new().await;
    append(&mut archive, std::iter::once(said(0, Wording::Verbatim, 0))).await;
    append(
        &mut archive,
        (1..OTHERS).map(|number| said(number, Wording::Paraphrased, 0)),
    )
    .await;
    append(
        &mut archive,
        std::iter::once(said(OTHERS, Wording::Verbatim, 0)),
    )
    .await;
    for order in [ReadOrder::Forwards, ReadOrder::Backwards] {
        let mut request = ListStatementsRequest {
            speaker: "lavrov".to_owned(),
            wordings: vec![Wording::Verbatim.into()],
            order: order.into(),
            at_least_size: archive.size,
            ..ListStatementsRequest::default()
        };
        let mut pages = Vec::new();
        loop {
            let answer = archive
                .client
                .catalog
                .list_statements(request.clone())
                .await;
            let page = answer.unwrap().into_inner();
            pages.push(page.statements.len());
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                break;
            }
        }
        assert_eq!(pages, [1, 1], "{order:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_never_larger_than_clients_take_by_default() {
    const STATEMENTS: usize = 120;
    let mut archive = TestArchive::new().await;
    let long = |number| said(number, Wording::Paraphrased, 50_000);
    append(&mut archive, (0..STATEMENTS).map(long)).await;
    let mut request = ListStatementsRequest {
        page_size: 1_000,
        at_least_size: archive.size,
        ..ListStatementsRequest::default()
    };
    let (mut ids, mut pages) = (Vec::new(), 0);
    loop {
        let answer = archive
            .client
            .catalog
            .list_statements(request.clone())
            .await;
        let page = answer.unwrap().into_inner();
        assert!(page.encoded_len() < 4 << 20);
        ids.extend(page.statements.into_iter().map(|it| it.statement_id));
        pages += 1;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!(ids.len(), STATEMENTS + 1);
    assert_distinct(&ids);
    assert_eq!(pages, 3, "6 MB in pages of 2 MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_a_hundred_items_unless_told_and_a_thousand_at_most() {
    let mut archive = TestArchive::new().await;
    let people = (0..1_100)
        .map(|number| Kind::ActorDefined(actor(&format!("person-{number}"), ActorKind::Person)));
    append(&mut archive, people).await;
    for (page_size, expected) in [(0, 100), (1, 1), (1_000, 1_000), (i32::MAX, 1_000)] {
        let request = ListActorsRequest {
            page_size,
            at_least_size: archive.size,
            ..ListActorsRequest::default()
        };
        let page = archive.client.catalog.list_actors(request).await.unwrap();
        let page = page.into_inner();
        assert_eq!(page.actors.len(), expected);
        assert!(!page.next_page_token.is_empty());
    }
}
