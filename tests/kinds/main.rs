//! Records that stand beside others: what they add, over a real socket.
#![cfg(feature = "daemon")]
#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod attestations;
mod evidence;
mod reviews;
mod revocation;
mod withholding;

use common::TestArchive;
use onrecord::rpc::proto::{
    GetPositionRequest, GetPositionResponse, GetStatementRequest, StatementView,
};

/// A statement, as it was known.
async fn view(archive: &mut TestArchive, id: &str, known_at: u64) -> StatementView {
    let request = GetStatementRequest {
        statement_id: id.to_owned(),
        known_at: Some(known_at),
        known_at_time: None,
        at_least_size: known_at,
        proof: false,
    };
    let answer = archive.client.catalog.get_statement(request).await.unwrap();
    answer.into_inner().statement.unwrap()
}

/// A position on the meeting, as it was known.
async fn position(
    archive: &mut TestArchive,
    actor: &str,
    as_of: &str,
    known_at: u64,
) -> GetPositionResponse {
    let request = GetPositionRequest {
        actor: actor.to_owned(),
        topic: "meeting".to_owned(),
        as_of: as_of.to_owned(),
        known_at: Some(known_at),
        known_at_time: None,
        at_least_size: known_at,
        ..GetPositionRequest::default()
    };
    let answer = archive
        .client
        .positions
        .get_position(request)
        .await
        .unwrap();
    answer.into_inner()
}
