//! Which statements an export holds, of which ledger, and where it goes.

use data_encoding::BASE64;
use onrecord::record::proto::{
    Polarity, ReadingAdded, ReferenceKind, RefersTo, StatementCorrected, record::Kind,
};
use serde_json::json;

use super::common::archive::{PASSAGE, TEXT, for_the_kremlin};
use super::common::client::id_of;
use super::common::records::{answered, statement, topic};
use super::{Document, archive, export, identifier, put, try_export};

/// The statements of a document, in its order.
fn ids(document: &Document) -> Vec<&str> {
    let claims = document.items.iter().map(|element| &element["item"][0]);
    let ids = claims.map(|claim| identifier(&claim["identifier"], "statement"));
    ids.map(|id| id.unwrap().as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_names_the_size_and_root_of_its_ledger_and_holds_nothing_beyond() {
    let mut archive = archive().await;
    let head = archive.client.head().await;
    let (size, root) = (json!(head.size), json!(BASE64.encode(&head.root)));
    let claims = export(&archive, &["claimreview"]).whole;
    assert_eq!(identifier(&claims["identifier"], "ledgerSize"), Some(&size));
    assert_eq!(identifier(&claims["identifier"], "ledgerRoot"), Some(&root));
    let recorded_at = head.recorded_at.unwrap().to_string();
    assert_eq!(claims["dateModified"], recorded_at);
    let notes = export(&archive, &["annotations"]).whole;
    assert_eq!(notes["modified"], recorded_at);
    let values: Vec<_> = notes["schema:identifier"]
        .as_array()
        .unwrap()
        .iter()
        .collect();
    assert_eq!(values[0]["schema:value"], size);
    assert_eq!(values[1]["schema:value"], root);
    // The same ledger gives the same document.
    assert_eq!(export(&archive, &["claimreview"]).whole, claims);
    let said = statement("putin", "2025-08-19", TEXT, PASSAGE);
    put(
        &mut archive.client,
        &archive.attestor,
        Kind::StatementRecorded(said),
    )
    .await;
    let more = export(&archive, &["claimreview"]);
    assert_eq!(
        identifier(&more.whole["identifier"], "ledgerSize"),
        Some(&json!(head.size + 1))
    );
    assert_eq!(more.items.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_come_in_the_order_of_the_ledger_page_after_page() {
    let mut archive = archive().await;
    let mut expected = vec![archive.statement.clone()];
    let mut envelopes = Vec::new();
    for number in 0..150 {
        let mut said = statement("putin", "2025-08-19", TEXT, PASSAGE);
        said.text = format!("Number {number}.");
        said.readings = vec![answered("meeting", Polarity::Open)];
        let envelope = archive.attestor.seal(Kind::StatementRecorded(said));
        expected.push(id_of(&envelope));
        envelopes.push(envelope);
    }
    archive.client.try_append(envelopes).await.unwrap();
    assert_eq!(ids(&export(&archive, &["claimreview"])), expected);
    let by_topic = export(&archive, &["claimreview", "--topic", "meeting"]);
    assert_eq!(ids(&by_topic), expected);
    let by_speaker = export(&archive, &["claimreview", "--speaker", "putin"]);
    assert_eq!(ids(&by_speaker), expected[1..]);
    assert_eq!(
        export(&archive, &["annotations"]).items.len(),
        expected.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_is_asked_of_statements_as_they_stand_and_each_comes_once() {
    let mut archive = archive().await;
    put(
        &mut archive.client,
        &archive.attestor,
        Kind::TopicDefined(topic("truce")),
    )
    .await;
    // Neither is read on it at first, and the second refers to the first.
    let first = statement("putin", "2025-08-18", TEXT, PASSAGE);
    let first = put(
        &mut archive.client,
        &archive.attestor,
        Kind::StatementRecorded(first),
    )
    .await;
    let mut second = statement("putin", "2025-08-19", TEXT, PASSAGE);
    second.readings = vec![answered("truce", Polarity::Open)];
    second.refers_to = vec![RefersTo {
        statement: first.clone(),
        kind: ReferenceKind::Qualifies.into(),
    }];
    let second = put(
        &mut archive.client,
        &archive.attestor,
        Kind::StatementRecorded(second),
    )
    .await;
    for polarity in [Polarity::Supports, Polarity::Opposes] {
        let read = Kind::ReadingAdded(ReadingAdded {
            statement: first.clone(),
            speaker: "putin".to_owned(),
            reading: Some(answered("truce", polarity)),
            rationale: "It says so.".to_owned(),
            ..ReadingAdded::default()
        });
        put(&mut archive.client, &archive.coder, read).await;
    }
    let truce = export(&archive, &["claimreview", "--topic", "truce"]);
    assert_eq!(
        ids(&truce),
        [&second, &first],
        "in the order in which they came to it"
    );
    let none = export(
        &archive,
        &["claimreview", "--topic", "truce", "--speaker", "lavrov"],
    );
    assert_eq!(ids(&none), [""; 0]);

    // A correction drops a topic.
    assert_eq!(
        ids(&export(&archive, &["claimreview", "--topic", "meeting"])),
        [&archive.statement]
    );
    let mut corrected = for_the_kremlin("2025-08-19");
    corrected.readings = vec![answered("truce", Polarity::Open)];
    let correction = Kind::StatementCorrected(StatementCorrected {
        statement: archive.statement.clone(),
        corrects: archive.statement.clone(),
        corrected: Some(corrected),
        reason: "It was about the truce.".to_owned(),
    });
    put(&mut archive.client, &archive.attestor, correction).await;
    let meeting = export(&archive, &["claimreview", "--topic", "meeting"]);
    assert_eq!(ids(&meeting), [""; 0]);
    let truce = export(&archive, &["claimreview", "--topic", "truce"]);
    assert_eq!(ids(&truce), [&second, &first, &archive.statement]);
}

#[tokio::test(flavor = "multi_thread")]
async fn statements_can_be_named_and_what_is_not_on_record_is_no_empty_document() {
    let mut archive = archive().await;
    let said = statement("putin", "2025-08-19", TEXT, PASSAGE);
    let said = put(
        &mut archive.client,
        &archive.attestor,
        Kind::StatementRecorded(said),
    )
    .await;
    let named = [
        "--statement",
        &said,
        "--statement",
        &said,
        "--statement",
        &archive.statement,
    ];
    let named = export(&archive, &[&["claimreview"], &named[..]].concat());
    assert_eq!(ids(&named), [&said, &archive.statement]);
    let absent = "0".repeat(64);
    let base = ["claimreview", "--base", "onrecord.example"];
    try_export(&archive, &base).code(2).complains("accepted: ");
    for (arguments, code) in [
        (["--speaker", "nobody"], 1),
        (["--topic", "nothing"], 1),
        (["--statement", &absent], 1),
        (["--statement", "short"], 2),
        (["--speaker", "No Slug"], 2),
    ] {
        for format in ["claimreview", "annotations"] {
            let ended = try_export(&archive, &[format, arguments[0], arguments[1]]).code(code);
            assert_eq!(ended.out, "");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_holds_what_standard_output_would_and_ids_begin_as_they_are_told_to() {
    let archive = archive().await;
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("claims.jsonld");
    let path = file.to_str().unwrap();
    let claims = ["claimreview", "--base", "https://onrecord.example/"];
    let printed = try_export(&archive, &claims).code(0).out;
    assert!(printed.contains(&format!(
        "\"https://onrecord.example/statement/{}\"",
        archive.statement
    )));
    let written = try_export(&archive, &[&claims[..], &["--output", path]].concat()).code(0);
    assert_eq!(written.out, "");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), printed);

    // One that fails leaves nothing, and what was there stays.
    let absent = "0".repeat(64);
    let failing = ["annotations", "--statement", &absent, "--output", path];
    try_export(&archive, &failing).code(1);
    assert_eq!(std::fs::read_to_string(&file).unwrap(), printed);
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 1);
    let nowhere = home.path().join("missing/claims.jsonld");
    try_export(&archive, &["claimreview", "-o", nowhere.to_str().unwrap()])
        .code(1)
        .complains("cannot write");
}
