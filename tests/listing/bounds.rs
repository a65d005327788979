//! What one page may hold and cost.

use onrecord::record::proto::{Wording, record::Kind};
use onrecord::rpc::proto::{ListActorsRequest, ListStatementsRequest, ReadOrder};
use prost::Message as _;

use crate::assert_distinct;
use crate::common::TestArchive;
use crate::common::archive::{PASSAGE, TEXT};
use crate::common::client::id_of;
use crate::common::records::{actor, evidence, evidence_added, segment, source, statement};
use onrecord::record::ContentId;
use onrecord::record::proto::{ActorKind, Evidence, Segment, Statement};

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

/// So many passages of the source, all of them different, and where they start.
fn passages(number: usize) -> Vec<(u32, &'static str)> {
    let is_letter = |at: usize| TEXT.as_bytes()[at].is_ascii_alphabetic();
    let all =
        (0..TEXT.len()).flat_map(|start| (start + 10..TEXT.len()).map(move |end| (start, end)));
    let passages = all
        .filter(|(start, end)| is_letter(*start) && is_letter(end - 1))
        .map(|(start, end)| (u32::try_from(start).unwrap(), &TEXT[start..end]));
    let passages: Vec<_> = passages.take(number).collect();
    assert_eq!(passages.len(), number);
    passages
}

#[tokio::test(flavor = "multi_thread")]
async fn added_evidence_that_is_read_counts_for_a_page_and_the_next_goes_on() {
    const STATEMENTS: usize = 30;
    const ADDED: usize = 90;
    const OTHER: &str = "Another source has nothing of the kind.";
    let mut archive = TestArchive::new().await;
    archive
        .client
        .put_source("text/plain", OTHER.as_bytes())
        .await
        .unwrap();
    let other = Kind::SourceArchived(source(OTHER));
    archive.client.append(&archive.steward, other).await;
    let statements: Vec<Kind> = (0..STATEMENTS)
        .map(|number| said(number, Wording::Paraphrased, 0))
        .collect();
    let ids: Vec<String> = statements
        .iter()
        .map(|kind| id_of(&archive.attestor.seal(kind.clone())))
        .collect();
    append(&mut archive, statements.into_iter()).await;
    let passages = passages(ADDED - 1);
    for id in &ids {
        // Only the last of it is from the source asked for.
        let added = |place: usize| {
            let added = match passages.get(place) {
                Some((start, exact)) => Evidence {
                    segments: vec![Segment {
                        start: Some(*start),
                        ..segment(exact)
                    }],
                    ..evidence(TEXT, exact)
                },
                None => evidence(OTHER, "nothing of the kind"),
            };
            Kind::EvidenceAdded(evidence_added(id, "lavrov", &[], vec![added]))
        };
        append(&mut archive, (0..ADDED).map(added)).await;
    }
    let mut request = ListStatementsRequest {
        source: ContentId::of(OTHER.as_bytes()).to_string(),
        at_least_size: archive.size,
        ..ListStatementsRequest::default()
    };
    let mut found = Vec::new();
    let mut pages = 0;
    loop {
        let answer = archive
            .client
            .catalog
            .list_statements(request.clone())
            .await;
        let page = answer.unwrap().into_inner();
        found.extend(page.statements.into_iter().map(|it| it.statement_id));
        pages += 1;
        request.page_token = page.next_page_token;
        if request.page_token.is_empty() {
            break;
        }
    }
    assert_eq!((found, pages), (ids, 2));
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
