//! `PositionService`'s overviews: what they list, page by page, against single questions.
#![cfg(feature = "daemon")]

mod agreement;
mod bounds;
mod changes;
#[path = "../common/mod.rs"]
mod common;
mod coverage;
mod paging;
mod positions;
mod references;
mod sides;
mod testimonies;
mod timeline;

use common::TestArchive;
use common::archive::{PASSAGE, TEXT};
use common::records::{answered, said_for, statement};
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{CapacityBasis, Polarity, Reading, ReadingAdded, Statement};
use onrecord::rpc::proto::{GetPositionRequest, Position};

/// What Lavrov said for the Kremlin on a day of August 2025.
fn said(day: &str, polarity: Polarity) -> Statement {
    by("lavrov", day, answered("meeting", polarity))
}

/// What somebody said for the Kremlin on a day of August 2025, and how it reads.
fn by(speaker: &str, day: &str, reading: Reading) -> Statement {
    let mut said = statement(speaker, &format!("2025-08-{day}"), TEXT, PASSAGE);
    said.said_for = vec![said_for("kremlin", CapacityBasis::Implied)];
    said.readings = vec![reading];
    said
}

/// Puts a statement on record; its id and index.
async fn record(archive: &mut TestArchive, said: Statement) -> (String, u64) {
    let kind = Kind::StatementRecorded(said);
    let recorded = archive.client.append(&archive.attestor, kind).await;
    archive.size = recorded.ledger_size;
    (recorded.record, recorded.index)
}

/// Has the coder read a statement of Lavrov's for the Kremlin; the entry's index.
async fn read(archive: &mut TestArchive, statement: &str, reading: Reading) -> u64 {
    let kind = Kind::ReadingAdded(ReadingAdded {
        statement: statement.to_owned(),
        speaker: "lavrov".to_owned(),
        said_for: vec!["kremlin".to_owned()],
        reading: Some(reading),
        rationale: "a test".to_owned(),
    });
    let recorded = archive.client.append(&archive.coder, kind).await;
    archive.size = recorded.ledger_size;
    recorded.index
}

/// The answer to a single question.
async fn position(archive: &mut TestArchive, actor: &str, topic: &str) -> Position {
    let request = GetPositionRequest {
        actor: actor.to_owned(),
        topic: topic.to_owned(),
        at_least_size: archive.size,
        ..GetPositionRequest::default()
    };
    let answer = archive.client.positions.get_position(request).await;
    answer.unwrap().into_inner().position.unwrap()
}

/// A position as overviews tell it.
fn in_brief(position: Position) -> Position {
    Position {
        front: Vec::new(),
        voices: Vec::new(),
        reported: Vec::new(),
        possible: Vec::new(),
        ..position
    }
}

/// All pages of a list: `$method`'s answers to a request, of so many items each.
macro_rules! pages {
    ($archive:expr, $method:ident, $request:expr, $size:expr) => {{
        let mut request = $request.clone();
        (request.page_size, request.at_least_size) = ($size, $archive.size);
        let mut pages = Vec::new();
        loop {
            let answer = $archive.client.positions.$method(request.clone()).await;
            let page = answer.unwrap().into_inner();
            request.page_token.clone_from(&page.next_page_token);
            pages.push(page);
            if request.page_token.is_empty() {
                break pages;
            }
        }
    }};
}
pub(crate) use pages;

/// All items of a list, asked for in pages of one and of many, which must be the same.
macro_rules! list {
    ($archive:expr, $method:ident, $request:expr, $items:ident) => {{
        let pages = $crate::pages!($archive, $method, $request, 100);
        let whole: Vec<_> = pages.into_iter().flat_map(|page| page.$items).collect();
        let pages = $crate::pages!($archive, $method, $request, 1);
        assert!(pages.iter().all(|page| page.$items.len() <= 1));
        let one_by_one: Vec<_> = pages.into_iter().flat_map(|page| page.$items).collect();
        assert_eq!(one_by_one, whole);
        whole
    }};
}
pub(crate) use list;
