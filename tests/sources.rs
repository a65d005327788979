//! `SourceService`: documents in and out, within bounds, under the hash of their bytes.
#![cfg(feature = "daemon")]

mod common;

use common::archive::{TEXT, for_the_kremlin};
use common::client::recorded;
use common::daemon::{Daemon, Home};
use common::records::{actor, source};
use common::{Client, Signer, TestArchive, assert_blames, assert_status};
use onrecord::record::ContentId;
use onrecord::record::proto::{ActorKind, SourceArchived, record::Kind};
use onrecord::rpc::proto::put_source_request::Part;
use onrecord::rpc::proto::{
    GetSourceRequest, GetSourceTextRequest, PutSourceHeader, PutSourceRequest, PutSourceResponse,
};
use onrecord::storage::DataDir;
use tokio_stream::StreamExt as _;
use tonic::{Code, Status};

const BYTES_MAX: usize = 3 << 20;

/// A daemon that takes documents of 3 MiB.
async fn small() -> TestArchive {
    let mut home = Home::new();
    home.config.source_bytes_max = BYTES_MAX as u64;
    TestArchive::on(home.found().start()).await
}

async fn download(client: &mut Client, source: &str) -> Result<Vec<u8>, Status> {
    let request = GetSourceRequest {
        source: source.to_owned(),
    };
    let mut chunks = client.sources.get_source(request).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?.chunk;
        assert!(chunk.len() <= 64 << 10);
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

async fn put_parts(client: &mut Client, parts: Vec<Part>) -> Result<PutSourceResponse, Status> {
    let requests: Vec<_> = parts
        .into_iter()
        .map(|part| PutSourceRequest { part: Some(part) })
        .collect();
    let response = client
        .sources
        .put_source(tokio_stream::iter(requests))
        .await?;
    Ok(response.into_inner())
}

fn header(media_type: &str) -> Part {
    Part::Header(PutSourceHeader {
        media_type: media_type.to_owned(),
        source: String::new(),
    })
}

async fn text(
    client: &mut Client,
    source: &str,
    text_id: &str,
    start: u32,
    length_max: u32,
) -> Result<onrecord::rpc::proto::GetSourceTextResponse, Status> {
    let request = GetSourceTextRequest {
        source: source.to_owned(),
        text_id: text_id.to_owned(),
        start,
        length_max,
    };
    Ok(client.sources.get_source_text(request).await?.into_inner())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_comes_back_byte_for_byte_under_the_hash_of_its_bytes() {
    let mut archive = small().await;
    let bytes: Vec<u8> = (0..=250).cycle().take(BYTES_MAX).collect();
    for bytes in [&bytes[..], &bytes[..1], &[]] {
        let id = ContentId::of(bytes).to_string();
        let client = &mut archive.client;
        let stored = client
            .put_source_as("application/pdf", &id, bytes)
            .await
            .unwrap();
        assert_eq!(
            (&stored.source, stored.size_bytes),
            (&id, bytes.len() as u64)
        );
        assert_eq!((&stored.profile[..], &stored.text_id[..]), ("", ""));
        assert_eq!(download(client, &id).await.unwrap(), bytes);
        let again = client.put_source("application/pdf", bytes).await.unwrap();
        assert_eq!(again, stored);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_over_the_limit_is_refused_and_leaves_nothing() {
    let mut archive = small().await;
    let bytes = vec![7; BYTES_MAX + 1];
    let status = archive
        .client
        .put_source("text/plain", &bytes)
        .await
        .unwrap_err();
    assert_blames(&status, Code::InvalidArgument, "SOURCE_TOO_LARGE", "chunk");
    let id = ContentId::of(&bytes).to_string();
    let status = download(&mut archive.client, &id).await.unwrap_err();
    assert_blames(&status, Code::NotFound, "SOURCE_BYTES_MISSING", "source");
    let incoming = archive.daemon.data_dir().join("sources/incoming");
    assert_eq!(std::fs::read_dir(incoming).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_hash_to_another_id_are_refused_and_not_stored_under_either() {
    let mut archive = small().await;
    let [claimed, actual] = [&b"claimed"[..], b"actual"].map(|b| ContentId::of(b).to_string());
    let client = &mut archive.client;
    let status = client
        .put_source_as("text/plain", &claimed, b"actual")
        .await
        .unwrap_err();
    assert_blames(
        &status,
        Code::InvalidArgument,
        "SOURCE_ID_MISMATCH",
        "header.source",
    );
    for id in [claimed, actual] {
        assert!(download(client, &id).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_begins_with_its_one_header_and_goes_on_in_chunks_of_a_mebibyte() {
    let mut archive = small().await;
    let chunk = |size: usize| Part::Chunk(vec![b'a'; size].into());
    for (parts, field) in [
        (vec![], "header"),
        (vec![chunk(1)], "header"),
        (vec![header("")], "header.mediaType"),
        (
            vec![header("text/plain"), chunk(1), header("text/plain")],
            "header",
        ),
        (vec![header("text/plain"), chunk((1 << 20) + 1)], "chunk"),
        (
            vec![Part::Header(PutSourceHeader {
                media_type: "text/plain".to_owned(),
                source: "no id".to_owned(),
            })],
            "header.source",
        ),
    ] {
        let status = put_parts(&mut archive.client, parts).await.unwrap_err();
        assert_blames(&status, Code::InvalidArgument, "INVALID_REQUEST", field);
    }
    let parts = vec![header("text/plain"), chunk(1 << 20), chunk(0), chunk(3)];
    let stored = put_parts(&mut archive.client, parts).await.unwrap();
    assert_eq!(stored.size_bytes, (1 << 20) + 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_names_its_source_and_breaks_off_leaves_nothing() {
    let mut archive = small().await;
    let (parts, sent) = tokio::sync::mpsc::channel(4);
    let mut client = archive.daemon.client().await;
    let upload = tokio::spawn(async move {
        let sent = tokio_stream::wrappers::ReceiverStream::new(sent);
        client.sources.put_source(sent).await
    });
    let whole = ContentId::of(b"aaaaaaaaa and more").to_string();
    let header = Part::Header(PutSourceHeader {
        media_type: "text/plain".to_owned(),
        source: whole.clone(),
    });
    for part in [header, Part::Chunk(vec![b'a'; 9].into())] {
        parts
            .send(PutSourceRequest { part: Some(part) })
            .await
            .unwrap();
    }
    let incoming = archive.daemon.data_dir().join("sources/incoming");
    let files = || std::fs::read_dir(&incoming).unwrap().count();
    let until = async |count: usize| {
        while files() != count {
            tokio::task::yield_now().await;
        }
    };
    let bound = std::time::Duration::from_secs(30);
    tokio::time::timeout(bound, until(1))
        .await
        .expect("the upload has begun");
    upload.abort();
    drop(parts);
    tokio::time::timeout(bound, until(0))
        .await
        .expect("nothing is left");
    for id in [whole, ContentId::of(b"aaaaaaaaa").to_string()] {
        assert!(download(&mut archive.client, &id).await.is_err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_answered_with_its_text_s_id_profile_and_malformed_bytes() {
    let mut archive = small().await;
    let bytes = b"caf\xC3\xA9\r\n  and \xFF more";
    let stored = archive
        .client
        .put_source("text/plain; charset=utf-8", bytes)
        .await
        .unwrap();
    assert_eq!(stored.profile, "plain-text/1");
    assert_eq!(stored.malformed, 1);
    let text = "café\nand \u{FFFD} more";
    assert_eq!(stored.text_id, ContentId::of(text.as_bytes()).to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_that_is_too_large_is_refused_where_the_media_type_asks_for_one() {
    let mut archive = TestArchive::new().await;
    let bytes = vec![b'a'; onrecord::text::TEXT_BYTES_MAX + 1];
    let status = archive
        .client
        .put_source("text/plain", &bytes)
        .await
        .unwrap_err();
    assert_blames(&status, Code::InvalidArgument, "TEXT_TOO_LARGE", "chunk");
    let stored = archive
        .client
        .put_source("application/octet-stream", &bytes)
        .await
        .unwrap();
    assert_eq!(stored.text_id, "");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_text_of_a_source_on_record_is_read_by_code_points() {
    let mut archive = small().await;
    let id = ContentId::of(TEXT.as_bytes()).to_string();
    let client = &mut archive.client;
    let whole = text(client, &id, "", 0, 0).await.unwrap();
    assert_eq!((&whole.text[..], &whole.text_id), (TEXT, &id));
    assert_eq!((&whole.profile[..], whole.start), ("plain-text/1", 0));
    assert_eq!(whole.length as usize, TEXT.chars().count());
    let part = text(client, &id, &id, 4, 8).await.unwrap();
    assert_eq!((&part.text[..], part.start), ("minister", 4));
    let end = text(client, &id, "", whole.length, 0).await.unwrap();
    assert_eq!(end.text, "");
    let status = text(client, &id, "", whole.length + 1, 0)
        .await
        .unwrap_err();
    assert_blames(&status, Code::OutOfRange, "BEYOND_THE_TEXT", "start");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_text_is_only_told_of_a_source_on_record_that_has_it() {
    let mut archive = small().await;
    let client = &mut archive.client;
    let uploaded = client.put_source("text/plain", b"uploaded").await.unwrap();
    let status = text(client, &uploaded.source, "", 0, 0).await.unwrap_err();
    assert_blames(&status, Code::NotFound, "UNKNOWN_SOURCE", "source");

    let on_record = ContentId::of(TEXT.as_bytes()).to_string();
    let status = text(client, &on_record, &uploaded.text_id, 0, 0)
        .await
        .unwrap_err();
    assert_blames(&status, Code::NotFound, "NO_TEXT", "textId");
    let status = text(client, "no id", "", 0, 0).await.unwrap_err();
    assert_blames(&status, Code::InvalidArgument, "INVALID_REQUEST", "source");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_s_text_is_told_by_its_id_and_without_one_the_newest_version_s() {
    let mut archive = small().await;
    let id = ContentId::of(TEXT.as_bytes()).to_string();
    let request = onrecord::rpc::proto::GetSourceRecordRequest {
        source_id: id.clone(),
        at_least_size: archive.size,
        known_at: None,
        known_at_time: None,
    };
    let found = archive
        .client
        .catalog
        .get_source_record(request)
        .await
        .unwrap();
    let first = found
        .into_inner()
        .source
        .unwrap()
        .provenance
        .unwrap()
        .record;
    let without_text = SourceArchived {
        profile: String::new(),
        text_id: String::new(),
        replaces: first,
        ..source(TEXT)
    };
    let client = &mut archive.client;
    let answer = client
        .append(&archive.steward, Kind::SourceArchived(without_text))
        .await;
    let request = onrecord::rpc::proto::GetSourceRecordRequest {
        source_id: id.clone(),
        at_least_size: answer.ledger_size,
        known_at: None,
        known_at_time: None,
    };
    client.catalog.get_source_record(request).await.unwrap();
    let status = text(client, &id, "", 0, 0).await.unwrap_err();
    assert_blames(&status, Code::NotFound, "NO_TEXT", "textId");
    assert_eq!(text(client, &id, &id, 0, 3).await.unwrap().text, "The");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_document_ends_in_an_error_and_not_in_other_bytes() {
    let mut archive = small().await;
    let bytes = vec![b'x'; 200_000];
    let stored = archive
        .client
        .put_source("application/pdf", &bytes)
        .await
        .unwrap();
    let (shard, rest) = stored.source.split_at(2);
    let path = archive
        .daemon
        .data_dir()
        .join("sources")
        .join(shard)
        .join(rest);
    let mut damaged = bytes;
    damaged[150_000] ^= 1;
    std::fs::write(path, damaged).unwrap();
    let status = download(&mut archive.client, &stored.source)
        .await
        .unwrap_err();
    assert_status(&status, Code::DataLoss, "DATA_DAMAGED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_text_of_a_source_on_record_is_read_and_quoted_again() {
    let TestArchive {
        client,
        mut daemon,
        attestor,
        ..
    } = small().await;
    drop(client);
    let text_id = ContentId::of(TEXT.as_bytes()).to_string();
    let (shard, rest) = text_id.split_at(2);
    for bytes in [None, Some("another text")] {
        // What was read may be kept in memory.
        daemon = daemon.restart();
        let mut client = daemon.client().await;
        let path = daemon.data_dir().join("texts").join(shard).join(rest);
        match bytes {
            None => std::fs::remove_file(&path).unwrap(),
            Some(bytes) => std::fs::write(&path, bytes).unwrap(),
        }
        let said = Kind::StatementRecorded(for_the_kremlin(match bytes {
            None => "2025-08-18",
            Some(_) => "2025-08-17",
        }));
        let envelope = attestor.seal(said);
        recorded(client.append_envelope(envelope).await);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), TEXT);
        std::fs::remove_file(&path).unwrap();
        let part = text(&mut client, &text_id, "", 0, 0).await.unwrap();
        assert_eq!(part.text, TEXT);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_no_record_names_have_a_bound_and_a_record_makes_room_again() {
    let mut home = Home::new();
    home.config.source_bytes_max = 1 << 20;
    home.config.unnamed_bytes_max = 2 << 20;
    let mut archive = TestArchive::on(home.found().start()).await;
    let documents: Vec<String> = ["one", "another", "a third"]
        .map(|text| text.repeat((1 << 20) / text.len()))
        .to_vec();
    let put = async |client: &mut Client, text: &String| {
        let stored = client.put_source("application/pdf", text.as_bytes()).await;
        stored.map(|stored| stored.source)
    };
    put(&mut archive.client, &documents[0]).await.unwrap();
    let status = put(&mut archive.client, &documents[1]).await.unwrap_err();
    assert_status(&status, Code::ResourceExhausted, "UPLOADS_FULL");

    // A daemon that starts counts what it finds.
    let TestArchive {
        client,
        daemon,
        steward,
        ..
    } = archive;
    drop(client);
    let daemon = daemon.restart();
    let mut client = daemon.client().await;
    let status = put(&mut client, &documents[1]).await.unwrap_err();
    assert_status(&status, Code::ResourceExhausted, "UPLOADS_FULL");
    let incoming = daemon.data_dir().join("sources/incoming");
    assert_eq!(std::fs::read_dir(incoming).unwrap().count(), 0);

    let archived = SourceArchived {
        media_type: "application/pdf".to_owned(),
        profile: String::new(),
        text_id: String::new(),
        ..source(&documents[0])
    };
    client
        .append(&steward, Kind::SourceArchived(archived))
        .await;
    put(&mut client, &documents[1]).await.unwrap();
    let status = put(&mut client, &documents[2]).await.unwrap_err();
    assert_status(&status, Code::ResourceExhausted, "UPLOADS_FULL");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_catalog_has_not_read_yet_is_waited_for() {
    // Document and text fill the room for what no record names.
    let document = format!("It is said{}", " again".repeat(200_000));
    let archived = source(&document);
    let rooms = [None, Some(2 * archived.size_bytes)];
    // For each, a catalog of before what follows.
    let mut home = Daemon::founded().stop();
    let projections = DataDir::open(&home.data_dir())
        .unwrap()
        .parts()
        .projections();
    for place in 0..rooms.len() {
        let older = projections.with_extension(place.to_string());
        std::fs::rename(&projections, older).unwrap();
        std::fs::create_dir(&projections).unwrap();
        home = home.start().stop();
    }
    let daemon = home.start();
    let mut client = daemon.client().await;
    client.define_people(5_000).await;
    let bytes = document.as_bytes();
    client.put_source("text/plain", bytes).await.unwrap();
    let record = Kind::SourceArchived(archived.clone());
    client.append(&Signer::steward(), record).await;
    drop(client);
    let mut home = daemon.stop();

    for (place, room) in rooms.into_iter().enumerate() {
        let older = projections.with_extension(place.to_string());
        std::fs::remove_dir_all(&projections).unwrap();
        std::fs::rename(older, &projections).unwrap();
        if let Some(most) = room {
            home.config.source_bytes_max = 1 << 20;
            home.config.unnamed_bytes_max = most;
        }
        let daemon = home.start();
        let mut client = daemon.client().await;
        if room.is_none() {
            let part = text(&mut client, &archived.source, "", 0, 10)
                .await
                .unwrap();
            assert_eq!(part.text, "It is said");
        } else {
            let bytes = vec![7; 128 << 10];
            client.put_source("application/pdf", &bytes).await.unwrap();
        }
        drop(client);
        home = daemon.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_leave_the_ledger_its_share_of_the_disk() {
    let mut home = Home::new();
    home.config.disk_reserve_bytes = u64::MAX;
    let daemon = home.found().start();
    let mut client = daemon.client().await;
    let status = client.put_source("text/plain", b"more").await.unwrap_err();
    assert_status(&status, Code::ResourceExhausted, "DISK_FULL");
    let lavrov = Kind::ActorDefined(actor("lavrov", ActorKind::Person));
    client.append(&Signer::steward(), lavrov).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_goes_on_for_ever_is_given_up() {
    let mut home = Home::new();
    home.config.upload_seconds_max = 1;
    let daemon = home.found().start();
    let mut client = daemon.client().await;
    let parts = [
        header("text/plain"),
        Part::Chunk(b"the beginning".to_vec().into()),
    ];
    let parts = parts.map(|part| PutSourceRequest { part: Some(part) });
    let endless = tokio_stream::iter(parts).chain(tokio_stream::pending());
    let status = client.sources.put_source(endless).await.unwrap_err();
    assert_status(&status, Code::Unavailable, "NOT_YET");
    let incoming = daemon.data_dir().join("sources/incoming");
    while std::fs::read_dir(&incoming).unwrap().count() > 0 {
        tokio::task::yield_now().await;
    }
}
