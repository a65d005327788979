//! The Merkle tree as others see it: tiles and entries over HTTP, from which the whole tree is
//! computed again, and proofs over gRPC, which the pure functions verify.
#![cfg(feature = "daemon")]

mod common;

use common::daemon::{Daemon, Home};
use common::http::{self, Answer};
use common::records::actor;
use common::stores::{Frames, Gate, InMemory};
use common::{Client, Signer, assert_blames};
use onrecord::merkle::{
    BundleId, Checkpoint, ConsistencyProof, Hash, InclusionProof, NoteKey, SignedNote, TileId,
    TilePath, decode_bundle, leaf_hash, new_bundles, new_tiles, root_of,
};
use onrecord::record::proto::{ActorKind, Envelope, record::Kind};
use onrecord::rpc::proto::get_inclusion_proof_request::Entry as Of;
use onrecord::rpc::proto::{
    GetConsistencyProofRequest, GetInclusionProofRequest, Head, LedgerEntry, ReadEntriesRequest,
    RebuildProjectionRequest,
};
use onrecord::storage::FrameStore as _;
use prost::bytes::Bytes;
use tokio_stream::StreamExt as _;
use tonic::Code;

/// More than two tiles, and one of the second level.
const ENTRIES: u64 = 600;

/// How many records are appended at a time: bundles and tiles end within frames.
const BATCH: u64 = 47;

const IMMUTABLE: &str = "public, max-age=31536000, immutable";

fn person(number: u64) -> Envelope {
    let id = format!("person-{number}");
    Signer::steward().seal(Kind::ActorDefined(actor(&id, ActorKind::Person)))
}

/// Appends records until the ledger has `size` entries.
async fn grow(client: &mut Client, size: u64) -> Head {
    let mut from = client.head().await.size;
    while from < size {
        let to = (from + BATCH).min(size);
        let answers = client.try_append((from..to).map(person).collect()).await;
        assert_eq!(answers.unwrap().len() as u64, to - from);
        from = to;
    }
    client.head().await
}

fn path(path: impl Into<TilePath>) -> String {
    format!("/{}", path.into())
}

/// What is at a path that is there.
fn fetch(daemon: &Daemon, path: &str) -> Vec<u8> {
    let answer = http::get(daemon.address, path);
    assert_eq!(answer.status, 200, "{path}: {answer:?}");
    answer.body
}

/// The leaf hashes of the first `size` entries, from the bundles.
fn leaves(daemon: &Daemon, size: u64) -> Vec<Hash> {
    let mut leaves = Vec::new();
    for id in new_bundles(0, size) {
        let bundle = fetch(daemon, &path(id));
        let entries = decode_bundle(&bundle, id.width()).unwrap();
        leaves.extend(entries.into_iter().map(leaf_hash));
    }
    leaves
}

/// What a tile holds by its definition.
fn by_definition(id: TileId, leaves: &[Hash]) -> Vec<u8> {
    let span = 256_usize.pow(u32::from(id.level()));
    let first = usize::try_from(id.index()).unwrap() * 256;
    (first..first + usize::from(id.width()))
        .flat_map(|hash| *root_of(&leaves[hash * span..(hash + 1) * span]).as_bytes())
        .collect()
}

async fn entries(client: &mut Client) -> Vec<LedgerEntry> {
    let request = ReadEntriesRequest::default();
    let mut answers = client
        .ledger
        .read_entries(request)
        .await
        .unwrap()
        .into_inner();
    let mut entries = Vec::new();
    while let Some(answer) = answers.next().await {
        entries.extend(answer.unwrap().entries);
    }
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_tree_is_computed_again_from_tiles_and_bundles_alone() {
    let daemon = Daemon::founded();
    let mut client = daemon.client().await;
    let head = grow(&mut client, ENTRIES).await;
    let leaves = leaves(&daemon, head.size);
    assert_eq!(leaves.len() as u64, ENTRIES);
    assert_eq!(root_of(&leaves).as_bytes()[..], head.root[..]);

    let ids: Vec<TileId> = new_tiles(0, head.size).collect();
    assert_eq!(ids.len(), 4, "two full tiles, a partial one, and one above");
    for id in ids {
        let tile = fetch(&daemon, &path(id));
        assert_eq!(tile, by_definition(id, &leaves), "{id:?}");
    }
    // Bundles hold the entries as gRPC gives them, across the frames that they came in.
    let entries = entries(&mut client).await;
    let bundle = fetch(&daemon, "/tile/entries/001");
    let framed = decode_bundle(&bundle, 256).unwrap();
    let given = entries[256..512].iter().map(|entry| &entry.encoded[..]);
    assert!(given.eq(framed));
}

#[tokio::test(flavor = "multi_thread")]
async fn partial_tiles_of_every_earlier_size_stay_as_they_were_also_after_restart_and_rebuild() {
    let daemon = Daemon::founded();
    let mut client = daemon.client().await;
    let mut then = Vec::new();
    for size in [1, 2, 255, 256, 257, 300, 513] {
        grow(&mut client, size).await;
        for id in new_tiles(0, size) {
            then.push((path(id), http::get(daemon.address, &path(id))));
        }
        for id in new_bundles(0, size) {
            then.push((path(id), http::get(daemon.address, &path(id))));
        }
    }
    let is_same = |daemon: &Daemon| {
        for (path, then) in &then {
            let now = http::get(daemon.address, path);
            assert_eq!((then.status, now.status), (200, 200), "{path}");
            assert_eq!(then.body, now.body, "{path}");
            assert_eq!(then.header("etag"), now.header("etag"), "{path}");
        }
    };
    is_same(&daemon);
    drop(client);
    let daemon = daemon.restart();
    is_same(&daemon);
    let request = RebuildProjectionRequest {
        name: "tiles".to_owned(),
    };
    let mut client = daemon.client().await;
    let steps = client.admin.rebuild_projection(request).await.unwrap();
    let steps: Vec<_> = steps.into_inner().collect().await;
    let last = steps.last().unwrap().as_ref().unwrap();
    assert_eq!(last.swapped.as_ref().unwrap().name, "tiles");
    is_same(&daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_say_their_type_and_that_they_never_change_and_are_not_sent_twice() {
    let daemon = Daemon::founded();
    let mut client = daemon.client().await;
    grow(&mut client, ENTRIES).await;
    let address = daemon.address;
    for path in [
        "/tile/0/000",
        "/tile/0/002.p/88",
        "/tile/1/000.p/2",
        "/tile/entries/000",
        "/tile/entries/002.p/88",
        "/tile/entries/002.p/1",
    ] {
        let answer = http::get(address, path);
        assert_eq!(answer.status, 200, "{path}");
        let said = |answer: &Answer, header| answer.header(header).map(str::to_owned);
        let media_type = said(&answer, "content-type");
        assert_eq!(media_type.as_deref(), Some("application/octet-stream"));
        assert_eq!(said(&answer, "cache-control").as_deref(), Some(IMMUTABLE));
        let etag = said(&answer, "etag").unwrap();

        let head = http::request(address, "HEAD", path, &[]);
        assert_eq!(head.status, 200);
        for header in ["content-type", "cache-control", "etag", "content-length"] {
            assert_eq!(
                said(&head, header),
                said(&answer, header),
                "{path}: {header}"
            );
        }
        let known = http::request(address, "GET", path, &[("If-None-Match", &etag)]);
        assert_eq!(known.status, 304, "{path}");
        assert_eq!(said(&known, "etag").as_ref(), Some(&etag));
        assert_eq!(said(&known, "cache-control").as_deref(), Some(IMMUTABLE));
        // Neither claims a length that the body which is not sent does not have.
        let head = http::request(address, "HEAD", path, &[("If-None-Match", &etag)]);
        for known in [known, head] {
            assert_eq!(known.status, 304, "{path}");
            for header in ["content-length", "transfer-encoding"] {
                assert_eq!(said(&known, header), None, "{path}: {header}");
            }
        }
        let other = http::request(address, "GET", path, &[("If-None-Match", "\"other\"")]);
        assert_eq!((other.status, other.body), (200, answer.body));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_404_that_says_so_and_what_does_not_read_a_405() {
    let daemon = Daemon::founded();
    let mut client = daemon.client().await;
    grow(&mut client, 300).await;
    let address = daemon.address;
    for (path, told) in [
        // Not yet.
        ("/tile/0/001", "300 entries"),
        ("/tile/0/001.p/45", "300 entries"),
        ("/tile/0/002.p/1", "300 entries"),
        ("/tile/1/000.p/2", "300 entries"),
        ("/tile/1/000", "300 entries"),
        ("/tile/8/000.p/1", "300 entries"),
        ("/tile/63/000.p/1", "300 entries"),
        ("/tile/entries/001.p/45", "300 entries"),
        ("/tile/entries/x001/000", "300 entries"),
        // Never.
        ("/tile/64/000", "level"),
        ("/tile/-1/000", "level"),
        ("/tile/00/000", "level"),
        ("/tile/data/000", "level"),
        ("/tile/0/1", "three digits"),
        ("/tile/0/x000/001", "three digits"),
        ("/tile/0/001/000", "three digits"),
        ("/tile/0/000/", "three digits"),
        ("/tile/0/000.p/0", "1 to 255"),
        ("/tile/0/000.p/256", "1 to 255"),
        ("/tile/0/000.p/01", "1 to 255"),
        ("/tile/0/000.p/", "1 to 255"),
        ("/tile/0/%30%30%30", "three digits"),
        ("/tile/0", "tile/<level>/<index>"),
        ("/tile/", "/checkpoint"),
        ("/tiles", "/checkpoint"),
        ("/checkpoint/", "/checkpoint"),
        ("//checkpoint", "/checkpoint"),
        ("/index.html", "/checkpoint"),
    ] {
        let answer = http::get(address, path);
        assert_eq!(answer.status, 404, "{path}: {answer:?}");
        assert!(answer.text().contains(told), "{path}: {}", answer.text());
        assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("grpc-status"), None, "{path}");
        let head = http::request(address, "HEAD", path, &[]);
        assert_eq!(head.status, 404, "{path}");
    }
    for path in ["/", "/checkpoint", "/tile/0/000", "/tile/entries/000"] {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            let answer = http::request(address, method, path, &[("Content-Length", "0")]);
            assert_eq!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), Some("GET,HEAD"), "{method} {path}");
            assert!(answer.text().contains("GET and HEAD"), "{method} {path}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_checkpoint_commits_to_what_the_tiles_below_it_hold() {
    let mut home = Home::new();
    home.config.checkpoint_interval_ms = 1;
    let daemon = home.found().start();
    let mut client = daemon.client().await;
    let size = grow(&mut client, 300).await.size;
    let page = http::get(daemon.address, "/");
    let key = verifier_key(&page);
    // It comes in its own time.
    let (checkpoint, answer) = loop {
        let answer = http::get(daemon.address, "/checkpoint");
        if answer.status == 200 {
            let note = SignedNote::parse(&answer.body).unwrap();
            let checkpoint = Checkpoint::open(&note, &key).unwrap();
            if checkpoint.size() == size {
                break (checkpoint, answer);
            }
        }
    };
    assert_eq!(
        answer.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert_eq!(answer.header("cache-control"), Some("public, max-age=1"));
    assert_eq!(checkpoint.origin().as_str(), common::records::ORIGIN);
    assert_eq!(checkpoint.root(), root_of(&leaves(&daemon, size)));
    let etag = answer.header("etag").unwrap();
    let known = http::request(
        daemon.address,
        "GET",
        "/checkpoint",
        &[("If-None-Match", etag)],
    );
    assert_eq!(known.status, 304);
    let head = http::request(daemon.address, "HEAD", "/checkpoint", &[]);
    assert_eq!((head.status, head.header("etag")), (200, Some(etag)));
    // A proof for whoever has the checkpoint need not name its size.
    let proof = client.ledger.get_inclusion_proof(inclusion(7, 0)).await;
    assert_eq!(proof.unwrap().into_inner().size, size);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_checkpoint_of_a_run_is_waited_for_where_one_may_come() {
    let daemon = Daemon::founded();
    assert_eq!(http::get(daemon.address, "/checkpoint").status, 200);
    let unsigned = InMemory::founded().start();
    let answer = http::get(unsigned.address, "/checkpoint");
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("onrecord status"), "{answer:?}");
}

/// The key under which the archive was founded, as the page for people shows it.
fn verifier_key(page: &Answer) -> NoteKey {
    let key = page.text().split_once("<pre>").unwrap().1;
    key.split_once("</pre>").unwrap().0.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_port_answers_each_in_its_own_language() {
    let daemon = Daemon::founded();
    let page = http::get(daemon.address, "/");
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    for told in [
        common::records::ORIGIN,
        "holds 1 entries",
        "onrecord audit",
        "href=\"/checkpoint\"",
    ] {
        assert!(page.text().contains(told), "{told}: {}", page.text());
    }
    assert_eq!(verifier_key(&page).name(), common::records::ORIGIN);
    let mut client = daemon.client().await;
    assert_eq!(client.head().await.size, 1);

    // A service, and a method, that nobody has.
    for path in [
        "/onrecord.v1.NoService/Get",
        "/onrecord.v1.LedgerService/Nothing",
    ] {
        let mut grpc = tonic::client::Grpc::new(client.channel.clone());
        grpc.ready().await.unwrap();
        let codec = tonic_prost::ProstCodec::<(), ()>::default();
        let answer = grpc
            .unary(tonic::Request::new(()), path.parse().unwrap(), codec)
            .await;
        assert_eq!(answer.unwrap_err().code(), Code::Unimplemented, "{path}");
        let grpc = [
            ("Content-Type", "application/grpc"),
            ("Content-Length", "0"),
        ];
        let answer = http::request(daemon.address, "POST", path, &grpc);
        assert_eq!(
            (answer.status, answer.header("grpc-status")),
            (200, Some("12"))
        );
    }
}

/// Asks for the inclusion proof of an entry, given by index.
fn inclusion(index: u64, size: u64) -> GetInclusionProofRequest {
    GetInclusionProofRequest {
        entry: Some(Of::Index(index)),
        size,
    }
}

fn hashes(hashes: Vec<Bytes>) -> Vec<Hash> {
    let hash = |bytes: Bytes| Hash::from(<[u8; 32]>::try_from(&bytes[..]).unwrap());
    hashes.into_iter().map(hash).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_of_any_entry_and_any_sizes_verify() {
    let daemon = Daemon::founded();
    let mut client = daemon.client().await;
    let size = grow(&mut client, ENTRIES).await.size;
    let entries = entries(&mut client).await;
    let leaves: Vec<Hash> = entries.iter().map(|it| leaf_hash(&it.encoded)).collect();
    let root = |size: u64| root_of(&leaves[..usize::try_from(size).unwrap()]);
    // A step that comes by every residue.
    for number in 0..300_u64 {
        let new = 1 + number * 337 % size;
        let (index, old) = (number * 7919 % new, number * 6151 % (new + 1));
        let proof = client
            .ledger
            .get_inclusion_proof(inclusion(index, new))
            .await;
        let proof = proof.unwrap().into_inner();
        assert_eq!((proof.index, proof.size), (index, new));
        let leaf = &leaves[usize::try_from(index).unwrap()];
        let proof = InclusionProof::new(hashes(proof.hashes)).unwrap();
        assert_eq!(proof.verify(index, new, leaf, &root(new)), Ok(()));

        let request = GetConsistencyProofRequest {
            old_size: old,
            size: new,
        };
        let proof = client.ledger.get_consistency_proof(request).await;
        let proof = proof.unwrap().into_inner();
        assert_eq!((proof.old_size, proof.size), (old, new));
        let proof = ConsistencyProof::new(hashes(proof.hashes)).unwrap();
        assert_eq!(proof.verify(old, new, &root(old), &root(new)), Ok(()));
    }
    // By record id.
    let request = GetInclusionProofRequest {
        entry: Some(Of::RecordId(entries[321].record_id.clone())),
        size,
    };
    let proof = client.ledger.get_inclusion_proof(request).await;
    let proof = proof.unwrap().into_inner();
    assert_eq!(proof.index, 321);
    let proof = InclusionProof::new(hashes(proof.hashes)).unwrap();
    assert_eq!(proof.verify(321, size, &leaves[321], &root(size)), Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn proofs_that_cannot_be_made_are_refused_with_the_field_to_mend() {
    let daemon = Daemon::founded();
    let mut client = daemon.client().await;
    grow(&mut client, 10).await;
    let of = |entry, size| GetInclusionProofRequest { entry, size };
    let unknown = Some(Of::RecordId("ab".repeat(32)));
    let malformed = Some(Of::RecordId("person-1".to_owned()));
    for (request, code, reason, field) in [
        (
            of(None, 0),
            Code::InvalidArgument,
            "INVALID_REQUEST",
            "index",
        ),
        (
            of(malformed, 0),
            Code::InvalidArgument,
            "INVALID_REQUEST",
            "recordId",
        ),
        (of(unknown, 0), Code::NotFound, "UNKNOWN_RECORD", "recordId"),
        (
            inclusion(10, 10),
            Code::OutOfRange,
            "BEYOND_THE_HEAD",
            "index",
        ),
        (
            inclusion(u64::MAX, 10),
            Code::OutOfRange,
            "BEYOND_THE_HEAD",
            "index",
        ),
        (
            inclusion(1, 11),
            Code::OutOfRange,
            "BEYOND_THE_HEAD",
            "size",
        ),
        (
            inclusion(1, u64::MAX),
            Code::OutOfRange,
            "BEYOND_THE_HEAD",
            "size",
        ),
        (
            inclusion(5, 5),
            Code::InvalidArgument,
            "INVALID_REQUEST",
            "size",
        ),
    ] {
        let refused = client.ledger.get_inclusion_proof(request).await;
        assert_blames(&refused.unwrap_err(), code, reason, field);
    }
    for (old_size, size, code, reason, field) in [
        (6, 5, Code::InvalidArgument, "INVALID_REQUEST", "oldSize"),
        (
            u64::MAX,
            5,
            Code::InvalidArgument,
            "INVALID_REQUEST",
            "oldSize",
        ),
        (5, 11, Code::OutOfRange, "BEYOND_THE_HEAD", "size"),
    ] {
        let request = GetConsistencyProofRequest { old_size, size };
        let refused = client.ledger.get_consistency_proof(request).await;
        assert_blames(&refused.unwrap_err(), code, reason, field);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tiles_are_served_while_the_sequencer_waits_for_its_disk() {
    let archive = InMemory::founded();
    let gate = Gate::default();
    let closed = gate.clone();
    let frames = Frames::on(&archive.disk).appending(move |memory, index, count, frame| {
        closed.pass();
        memory.append(index, count, frame)
    });
    let daemon = archive.start_with_frames(frames);
    let mut client = daemon.client().await;
    let appending = tokio::spawn(async move { client.append_envelope(person(1)).await });
    let waiting = gate.clone();
    let arrived = tokio::task::spawn_blocking(move || waiting.wait_for_somebody());
    arrived.await.unwrap();

    let leaf = fetch(&daemon, "/tile/0/000.p/1");
    let bundle = fetch(&daemon, "/tile/entries/000.p/1");
    let founded = decode_bundle(&bundle, 1).unwrap()[0];
    assert_eq!(leaf, leaf_hash(founded).as_bytes());
    // What is not durable is not shown.
    let next = TileId::new(0, 0, 2).unwrap();
    let bundle = BundleId::new(0, 2).unwrap();
    assert_eq!(http::get(daemon.address, &path(next)).status, 404);
    assert_eq!(http::get(daemon.address, &path(bundle)).status, 404);
    gate.open();
    appending.await.unwrap();
    assert_eq!(fetch(&daemon, &path(next)).len(), 2 * 32);
    let bundle = fetch(&daemon, &path(bundle));
    assert_eq!(decode_bundle(&bundle, 2).unwrap()[0], founded);
}
