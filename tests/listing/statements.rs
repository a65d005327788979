//! Statements by every filter, alone and together.

use onrecord::record::proto::Wording;
use onrecord::record::{ContentId, format_instant};
use onrecord::rpc::proto::{
    GetStatementRequest, ListStatementsRequest, ListStatementsResponse, ReadOrder, StatementView,
};

use crate::common::Client;
use crate::common::archive::TEXT;
use crate::world::{BODIES, OTHER, SPEAKERS, TOPICS, WORDINGS, Writer};
use crate::{Dice, assert_distinct, oracle};

const ORDERS: [ReadOrder; 2] = [ReadOrder::Forwards, ReadOrder::Backwards];

async fn page(client: &mut Client, request: &ListStatementsRequest) -> ListStatementsResponse {
    let answer = client.catalog.list_statements(request.clone()).await;
    answer.unwrap().into_inner()
}

/// All pages of a list. Between the first ten, `writer` writes so many records.
async fn all(
    client: &mut Client,
    request: &ListStatementsRequest,
    mut growing: Option<(&mut Writer, usize)>,
) -> (Vec<StatementView>, u64) {
    let mut request = request.clone();
    let (mut found, mut basis, mut pages) = (Vec::new(), None, 0);
    loop {
        let answer = page(client, &request).await;
        let size = usize::try_from(request.page_size).unwrap();
        assert!(answer.statements.len() <= if size == 0 { 100 } else { size });
        let told = answer.basis.unwrap();
        assert_eq!(told.projection, "statements");
        assert!(told.ledger_size >= told.known_at);
        let known_at = *basis.get_or_insert(told.known_at);
        assert_eq!(told.known_at, known_at);
        found.extend(answer.statements);
        if answer.next_page_token.is_empty() {
            return (found, known_at);
        }
        request.page_token = answer.next_page_token;
        pages += 1;
        if let Some((writer, records)) = growing.as_mut().filter(|_| pages < 10) {
            writer.write(*records).await;
        }
    }
}

fn ids(statements: &[StatementView]) -> Vec<String> {
    let ids = statements.iter().map(|it| it.statement_id.clone());
    ids.collect()
}

/// One condition each: every kind of filter, by values that some statements have and that none
/// has.
fn conditions(recorded: &[i64]) -> Vec<Vec<ListStatementsRequest>> {
    let none = ListStatementsRequest::default;
    let speakers = SPEAKERS.iter().chain(&["capitals", "nobody"]);
    let speakers = speakers.filter(|id| !id.is_empty());
    let text = |id: &&str| (*id).to_owned();
    let key = |seed| crate::common::Signer::new(seed).id();
    let source = |text: &str| ContentId::of(text.as_bytes()).to_string();
    let times = [
        "2025-07-03",
        "2025-07",
        "2024-12-31T23:59:59Z",
        "[2025-08-14..2025-08-31]",
        "[2025-08-06..9999-12-31]",
        "[..2023-12-31]",
        "2031",
        "2025-08-11",
    ];
    let instants = recorded.iter().map(|second| format_instant(*second));
    let instants: Vec<String> = instants.collect();
    let mut recorded: Vec<String> = instants
        .iter()
        .step_by(instants.len() / 4)
        .cloned()
        .collect();
    let ends = instants.windows(instants.len() / 3);
    recorded.extend(
        ends.step_by(7)
            .map(|few| format!("[{}..{}]", few[0], few[few.len() - 1])),
    );
    recorded.extend(["2025".to_owned(), "[2025-09-01..9999-12-31]".to_owned()]);
    let wordings = WORDINGS.iter().map(|one| vec![*one]);
    let wordings = wordings.chain([vec![Wording::Verbatim, Wording::Paraphrased]]);
    vec![
        speakers
            .map(|id| ListStatementsRequest {
                speaker: text(id),
                ..none()
            })
            .collect(),
        BODIES
            .iter()
            .chain(&["putin"])
            .map(|id| ListStatementsRequest {
                said_for: text(id),
                ..none()
            })
            .collect(),
        TOPICS
            .iter()
            .chain(&["nothing"])
            .map(|id| ListStatementsRequest {
                topic: text(id),
                ..none()
            })
            .collect(),
        [TEXT, OTHER, "no document"]
            .iter()
            .map(|it| ListStatementsRequest {
                source: source(it),
                ..none()
            })
            .collect(),
        times
            .iter()
            .map(|at| ListStatementsRequest {
                said_at: text(at),
                ..none()
            })
            .collect(),
        recorded
            .into_iter()
            .map(|recorded_at| ListStatementsRequest {
                recorded_at,
                ..none()
            })
            .collect(),
        (1..=5)
            .map(|seed| ListStatementsRequest {
                verifier: key(seed),
                ..none()
            })
            .collect(),
        wordings
            .map(|some| ListStatementsRequest {
                wordings: some.into_iter().map(i32::from).collect(),
                ..none()
            })
            .collect(),
    ]
}

/// A request that asks for all that several ask for.
fn together(several: &[ListStatementsRequest]) -> ListStatementsRequest {
    use prost::Message as _;
    let mut all = ListStatementsRequest::default();
    for one in several {
        all.merge(one.encode_to_vec().as_slice()).unwrap();
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn every_filter_alone_and_together_finds_what_a_reader_of_the_whole_ledger_finds() {
    let mut writer = Writer::new(1).await;
    writer.write(160).await;
    let mut client = writer.client();
    let mut ledger = oracle::ledger(&mut client).await;
    let seconds = ledger.iter().map(|it| it.recorded_at.unwrap().seconds);
    let conditions = conditions(&seconds.skip(14).collect::<Vec<_>>());
    let mut questions: Vec<_> = conditions.iter().flatten().cloned().collect();
    questions.push(ListStatementsRequest::default());
    let mut dice = Dice(1_000);
    for _ in 0..150 {
        let kinds = dice.some(&conditions);
        let several: Vec<_> = kinds.iter().map(|kind| dice.pick(kind)).collect();
        questions.push(together(&several));
    }
    let (mut several, mut none) = (0, 0);
    for (number, question) in questions.into_iter().enumerate() {
        for order in ORDERS {
            let known_at = (dice.roll(3) == 0).then(|| dice.roll(ledger.len() + 1) as u64);
            let request = ListStatementsRequest {
                page_size: i32::try_from(dice.roll(12)).unwrap(),
                order: order.into(),
                known_at,
                ..question.clone()
            };
            let growing = (number % 8 == 0).then_some((&mut writer, 1));
            let (found, at) = all(&mut client, &request, growing).await;
            assert_eq!(at, known_at.unwrap_or(at));
            if at > ledger.len() as u64 || number % 8 == 0 {
                ledger = oracle::ledger(&mut client).await;
            }
            let expected = oracle::statements(&ledger, at, &request);
            assert_eq!(ids(&found), expected, "{request:?}");
            several += usize::from(expected.len() > 1);
            none += usize::from(expected.is_empty());
        }
    }
    assert!(
        several > 100 && none > 20,
        "{several} of several, {none} of none"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_every_size_hold_each_statement_once_while_the_ledger_grows() {
    let mut writer = Writer::new(2).await;
    writer.write(60).await;
    let mut client = writer.client();
    let filters = [
        ListStatementsRequest::default(),
        ListStatementsRequest {
            topic: "meeting".to_owned(),
            ..ListStatementsRequest::default()
        },
    ];
    for filter in filters {
        for order in ORDERS {
            for page_size in [1, 2, 3, 5, 8, 13, 21, 34, 1_000] {
                let request = ListStatementsRequest {
                    page_size,
                    order: order.into(),
                    ..filter.clone()
                };
                let (found, known_at) = all(&mut client, &request, Some((&mut writer, 1))).await;
                let ledger = oracle::ledger(&mut client).await;
                let ids = ids(&found);
                assert_distinct(&ids);
                assert_eq!(ids, oracle::statements(&ledger, known_at, &request));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_is_asked_for_again_is_the_same_also_in_another_size_or_after_a_restart() {
    let mut writer = Writer::new(3).await;
    writer.write(40).await;
    let mut client = writer.client();
    let mut request = ListStatementsRequest {
        page_size: 4,
        ..ListStatementsRequest::default()
    };
    let first = page(&mut client, &request).await;
    request.page_token = first.next_page_token;
    let second = page(&mut client, &request).await;
    writer.write(20).await;
    assert_eq!(
        page(&mut client, &request).await.statements,
        second.statements
    );
    request.page_size = 2;
    let fewer = page(&mut client, &request).await;
    assert_eq!(fewer.statements, second.statements[..2]);
    drop(client);

    let archive = writer.archive;
    drop(archive.client);
    let daemon = archive.daemon;
    let daemon = tokio::task::spawn_blocking(|| daemon.restart())
        .await
        .unwrap();
    let mut client = daemon.client().await;
    request.page_size = 4;
    assert_eq!(
        page(&mut client, &request).await.statements,
        second.statements
    );
    drop(client);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listed_statement_is_what_asking_for_it_gives() {
    let mut writer = Writer::new(4).await;
    writer.write(150).await;
    let mut client = writer.client();
    let request = ListStatementsRequest::default();
    let (found, known_at) = all(&mut client, &request, None).await;
    assert!(found.len() > 20);
    assert!(found.iter().any(|it| it.retraction.is_some()));
    for listed in found {
        let request = GetStatementRequest {
            statement_id: listed.statement_id.clone(),
            known_at: Some(known_at),
            known_at_time: None,
            at_least_size: 0,
            proof: false,
        };
        let asked = client.catalog.get_statement(request).await.unwrap();
        assert_eq!(asked.into_inner().statement, Some(listed));
    }
}
