//! `LedgerService`: entries byte for byte, up to the newest durable head.
#![cfg(feature = "daemon")]

mod common;

use bytes::Bytes;
use common::{Client, TestArchive, assert_blames};
use onrecord::merkle::{Frontier, leaf_hash};
use onrecord::record::proto::record::Kind;
use onrecord::record::{ContentId, Entry, decode};
use onrecord::rpc::proto::get_entry_request::Entry as Which;
use onrecord::rpc::proto::{
    GetEntryRequest, GetHeadRequest, LedgerEntry, ReadEntriesRequest, ReadOrder,
};
use tokio_stream::StreamExt as _;
use tonic::{Code, Status};

async fn read(
    client: &mut Client,
    request: ReadEntriesRequest,
) -> Result<Vec<LedgerEntry>, Status> {
    let mut messages = client.ledger.read_entries(request).await?.into_inner();
    let mut entries = Vec::new();
    while let Some(message) = messages.next().await {
        entries.extend(message?.entries);
    }
    Ok(entries)
}

fn range(start: u64, limit: u64) -> ReadEntriesRequest {
    ReadEntriesRequest {
        start: Some(start),
        limit,
        ..ReadEntriesRequest::default()
    }
}

async fn entry(client: &mut Client, which: Option<Which>) -> Result<LedgerEntry, Status> {
    let request = GetEntryRequest {
        entry: which,
        decode: true,
        proof: false,
    };
    let response = client.ledger.get_entry(request).await?;
    Ok(response.into_inner().entry.unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_entries_read_are_the_leaves_of_the_root_that_the_head_names() {
    let mut archive = TestArchive::new().await;
    let head = archive.client.head().await;
    let entries = read(&mut archive.client, ReadEntriesRequest::default())
        .await
        .unwrap();
    assert_eq!(entries.len() as u64, head.size);
    let mut frontier = Frontier::new();
    for (index, entry) in (0..).zip(&entries) {
        assert_eq!(entry.index, index);
        frontier.push(leaf_hash(&entry.encoded));
        let decoded = Entry::decode(index, entry.encoded.clone()).unwrap();
        assert_eq!(entry.record_id, decoded.record_id.to_string());
        assert_eq!(entry.recorded_at, Some(decoded.recorded_at.to_timestamp()));
        assert_eq!(entry.record, None);
    }
    let root: [u8; 32] = frontier.root().into();
    assert_eq!(head.root, Bytes::copy_from_slice(&root));
    assert_eq!(entries.last().unwrap().recorded_at, head.recorded_at);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_begins_where_it_is_told_to_and_ends_with_its_limit_or_the_ledger() {
    let mut archive = TestArchive::new().await;
    let size = archive.size;
    for (start, limit, expected) in [
        (0, 1, 0..1),
        (2, 3, 2..5),
        (2, 0, 2..size),
        (size - 1, 9, size - 1..size),
        (size, 0, size..size),
        (1, u64::MAX, 1..size),
    ] {
        let entries = read(&mut archive.client, range(start, limit))
            .await
            .unwrap();
        let indexes = entries.iter().map(|entry| entry.index);
        assert!(indexes.eq(expected), "from {start}, {limit}");
    }
    let status = read(&mut archive.client, range(size + 1, 0))
        .await
        .unwrap_err();
    assert_blames(&status, Code::OutOfRange, "BEYOND_THE_HEAD", "start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_range_that_is_read_backwards_begins_at_the_newest_and_ends_with_its_limit_or_entry_0() {
    let mut archive = TestArchive::new().await;
    let size = archive.size;
    for (start, limit, expected) in [
        (None, 0, 0..size),
        (None, 2, size - 2..size),
        (Some(size), 0, 0..size),
        (Some(3), 0, 0..4),
        (Some(3), 2, 2..4),
        (Some(0), 5, 0..1),
    ] {
        let request = ReadEntriesRequest {
            start,
            order: ReadOrder::Backwards.into(),
            ..range(0, limit)
        };
        let entries = read(&mut archive.client, request).await.unwrap();
        let indexes = entries.iter().map(|entry| entry.index);
        assert!(indexes.eq(expected.rev()), "from {start:?}, {limit}");
    }
    let beyond = ReadEntriesRequest {
        order: ReadOrder::Backwards.into(),
        ..range(size + 1, 0)
    };
    let status = read(&mut archive.client, beyond).await.unwrap_err();
    assert_blames(&status, Code::OutOfRange, "BEYOND_THE_HEAD", "start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_range_comes_in_messages_that_clients_take_by_default() {
    let mut archive = TestArchive::new().await;
    let steward = &archive.steward;
    for batch in 0..3 {
        let people = (0..30).map(|number| {
            let person = common::records::bulky(&format!("person-{batch}-{number}"));
            steward.seal(Kind::ActorDefined(person))
        });
        archive.client.try_append(people.collect()).await.unwrap();
    }
    let request = ReadEntriesRequest {
        decode: true,
        ..ReadEntriesRequest::default()
    };
    let entries = read(&mut archive.client, request).await.unwrap();
    assert_eq!(entries.len() as u64, archive.size + 90);
    for entry in entries {
        let decoded = Entry::decode(entry.index, entry.encoded).unwrap();
        assert_eq!(
            entry.record,
            Some(decode(&decoded.envelope.payload).unwrap())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_release_cannot_read_is_refused_by_the_field() {
    let mut archive = TestArchive::new().await;
    let sideways = ReadEntriesRequest {
        order: 9,
        ..range(0, 0)
    };
    let status = read(&mut archive.client, sideways).await.unwrap_err();
    assert_blames(&status, Code::InvalidArgument, "INVALID_REQUEST", "order");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_is_found_by_index_and_by_record_id() {
    let mut archive = TestArchive::new().await;
    let (size, statement) = (archive.size, archive.statement.clone());
    let client = &mut archive.client;
    let by_id = entry(client, Some(Which::RecordId(statement.clone())))
        .await
        .unwrap();
    assert_eq!((by_id.index, &by_id.record_id), (size - 1, &statement));
    assert_eq!(by_id.verifiers, [archive.attestor.id()]);
    let kind = by_id.record.as_ref().unwrap().kind.as_ref();
    assert!(matches!(kind, Some(Kind::StatementRecorded(_))));
    let by_index = entry(client, Some(Which::Index(size - 1))).await.unwrap();
    assert_eq!(by_index, by_id);

    let status = entry(client, Some(Which::Index(size))).await.unwrap_err();
    assert_blames(&status, Code::OutOfRange, "BEYOND_THE_HEAD", "index");
    let nothing = ContentId::of(b"nothing").to_string();
    let status = entry(client, Some(Which::RecordId(nothing)))
        .await
        .unwrap_err();
    assert_blames(&status, Code::NotFound, "UNKNOWN_RECORD", "recordId");
    let status = entry(client, Some(Which::RecordId("no id".to_owned())))
        .await
        .unwrap_err();
    assert_blames(
        &status,
        Code::InvalidArgument,
        "INVALID_REQUEST",
        "recordId",
    );
    let status = entry(client, None).await.unwrap_err();
    assert_blames(&status, Code::InvalidArgument, "INVALID_REQUEST", "index");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_is_waited_for() {
    let mut archive = TestArchive::new().await;
    let at_least_size = archive.size + 1;
    let mut client = archive.client.clone();
    let request = GetHeadRequest { at_least_size };
    let waiting = tokio::spawn(async move { client.ledger.get_head(request).await });
    let actor = common::records::actor("newcomer", onrecord::record::proto::ActorKind::Person);
    archive
        .client
        .append(&archive.steward, Kind::ActorDefined(actor))
        .await;
    let told = waiting.await.unwrap().unwrap().into_inner();
    assert_eq!(told.head.unwrap().size, at_least_size);
    assert_eq!(told.origin, common::records::ORIGIN);
}
