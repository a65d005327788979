//! W3C Web Annotations, anchored again by somebody else.

use onrecord::record::proto::{
    Establishes, Evidence, Segment, SourceArchived, StatementCorrected, StatementRetracted,
    WithholdingScope, Wording, record::Kind,
};
use onrecord::rpc::proto::GetSourceTextRequest;
use serde_json::{Value, json};

use super::common::archive::{PASSAGE, TEXT, TWICE, for_the_kremlin};
use super::common::client::id_of;
use super::common::records::{evidence, evidence_added, segment, source, statement, withheld};
use super::common::{Client, TestArchive};
use super::rules::{assert_annotation, names};
use super::{Document, archive, export, put, quoted};

/// The annotations of an archive, each of which anchors where it says.
async fn annotations(archive: &mut TestArchive) -> Document {
    let document = export(archive, &["annotations"]);
    let collection = &document.whole;
    assert_eq!(collection["@context"], "http://www.w3.org/ns/anno.jsonld");
    assert_eq!(collection["type"], "AnnotationCollection");
    assert_eq!(collection["total"], document.items.len());
    assert_eq!(collection["first"]["type"], "AnnotationPage");
    assert_eq!(collection["first"]["items"], json!(document.items));
    for annotation in &document.items {
        assert_annotation(annotation);
        for target in annotation["target"].as_array().unwrap() {
            assert_anchors(&mut archive.client, target).await;
        }
    }
    document
}

/// Looks a target up in the text of its source as a stranger would: by its words.
async fn assert_anchors(client: &mut Client, target: &Value) {
    let [quote, position] = [0, 1].map(|place| &target["selector"][place]);
    let identifiers = &target["source"]["schema:identifier"];
    let [source, text_id] = ["BLAKE3-256", "textId"].map(|id| schema(identifiers, id));
    let text = text(client, source, text_id).await;
    let [exact, prefix, suffix] =
        ["exact", "prefix", "suffix"].map(|key| quote[key].as_str().unwrap());
    let whole = format!("{prefix}{exact}{suffix}");
    let starts = text.match_indices(&whole).map(|(at, _)| at + prefix.len());
    let anchors: Vec<_> = starts
        .map(|at| {
            let start = text[..at].chars().count();
            json!([start, start + exact.chars().count()])
        })
        .collect();
    assert_eq!(
        anchors,
        [json!([position["start"], position["end"]])],
        "{quote}"
    );
}

fn schema<'v>(identifiers: &'v Value, id: &str) -> &'v str {
    let mut all = identifiers.as_array().unwrap().iter();
    let found = all.find(|it| it["schema:propertyID"] == id).unwrap();
    found["schema:value"].as_str().unwrap()
}

async fn text(client: &mut Client, source: &str, text_id: &str) -> String {
    let request = GetSourceTextRequest {
        source: source.to_owned(),
        text_id: text_id.to_owned(),
        ..GetSourceTextRequest::default()
    };
    let answer = client.sources.get_source_text(request).await.unwrap();
    answer.into_inner().text
}

/// The words of a target.
fn exact(target: &Value) -> &str {
    target["selector"][0]["exact"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_annotation_ties_a_statement_to_its_passage_in_page_and_copy() {
    let mut archive = archive().await;
    let said = quoted(PASSAGE, Wording::Verbatim);
    put(
        &mut archive.client,
        &archive.attestor,
        Kind::StatementRecorded(said),
    )
    .await;
    let document = annotations(&mut archive).await;
    let [paraphrase, quotation] = &document.items[..] else {
        panic!("two: {}", document.whole);
    };
    let base = "https://archive.example/test";
    let body = &paraphrase["body"];
    assert_eq!(
        body["id"],
        format!("{base}/statement/{}", archive.statement)
    );
    assert_eq!(body["value"], format!("As lavrov put it: {PASSAGE}"));
    assert_eq!(body["language"], "en");
    assert_eq!(body["schema:author"]["schema:name"], "The lavrov");
    let role = &body["schema:sourceOrganization"][0];
    assert_eq!(role["schema:roleName"], json!(["an office"]));
    assert_eq!(names(&body["type"]), ["TextualBody", "schema:Claim"]);
    assert_eq!(
        names(&quotation["body"]["type"]),
        ["TextualBody", "schema:Claim", "schema:Quotation"]
    );
    let target = &paraphrase["target"][0];
    assert_eq!(exact(target), PASSAGE);
    let copy = format!("{base}/source/{}", source(TEXT).source);
    // It was not captured from anywhere.
    assert_eq!(target["source"]["id"], copy);
    assert_eq!(target["state"]["cached"], copy);
    assert_eq!(target["state"]["sourceDate"], "2025-08-20T06:00:00Z");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_segment_of_a_quotation_is_a_target_also_across_lines_and_beyond_the_bmp() {
    let mut archive = archive().await;
    let html = "<h1>Сводка 😀</h1><p>Он сказал:</p><p>«Встреча возможна,\n если её \
        <b>подготовить</b> 😀 как следует».</p><p>Ещё раз: встреча возможна.</p>";
    let stored = archive
        .client
        .put_source("text/html", html.as_bytes())
        .await
        .unwrap();
    let archived = SourceArchived {
        source: stored.source.clone(),
        media_type: "text/html".to_owned(),
        size_bytes: html.len() as u64,
        url: "https://news.example/сводка".to_owned(),
        language: "ru".to_owned(),
        profile: stored.profile,
        text_id: stored.text_id.clone(),
        ..source(html)
    };
    put(
        &mut archive.client,
        &archive.attestor,
        Kind::SourceArchived(archived),
    )
    .await;
    let passage = Evidence {
        source: stored.source,
        text_id: stored.text_id,
        segments: vec![
            segment("Он сказал: «Встреча возможна"),
            segment("подготовить 😀 как"),
            Segment {
                prefix: "Ещё раз:".to_owned(),
                ..segment("встреча")
            },
        ],
        ..evidence(TEXT, PASSAGE)
    };
    let mut said = statement("putin", "2025-08-19", TEXT, PASSAGE);
    said.evidence = vec![passage];
    let id = put(
        &mut archive.client,
        &archive.attestor,
        Kind::StatementRecorded(said),
    )
    .await;
    let document = annotations(&mut archive).await;
    let of = |it: &&Value| it["body"]["id"].as_str().unwrap().ends_with(&id);
    let annotation = document.items.iter().find(of).unwrap();
    let targets = annotation["target"].as_array().unwrap();
    let words: Vec<_> = targets.iter().map(exact).collect();
    assert_eq!(
        words,
        [
            "Он сказал:\n«Встреча возможна",
            "подготовить 😀 как",
            "встреча"
        ]
    );
    for target in targets {
        assert_eq!(target["source"]["id"], "https://news.example/сводка");
        assert_eq!(target["source"]["format"], "text/html");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passage_that_stands_often_is_told_apart_by_as_much_context_as_it_takes() {
    let mut archive = archive().await;
    let line = "He refused no format, he said, and went on to say so once more.\n";
    let text = format!("First. {}Last.", line.repeat(4));
    archive
        .client
        .put_source("text/plain", text.as_bytes())
        .await
        .unwrap();
    put(
        &mut archive.client,
        &archive.attestor,
        Kind::SourceArchived(source(&text)),
    )
    .await;
    let starts: Vec<_> = text.match_indices(TWICE).map(|(at, _)| at).collect();
    assert_eq!(starts.len(), 4);
    for start in &starts {
        let mut said = statement("putin", "2025-08-19", TEXT, PASSAGE);
        said.text = format!("At {start}.");
        said.evidence = vec![evidence(&text, TWICE)];
        said.evidence[0].segments[0].start = Some(u32::try_from(*start).unwrap());
        let kind = Kind::StatementRecorded(said);
        put(&mut archive.client, &archive.attestor, kind).await;
    }
    let document = annotations(&mut archive).await;
    let placed = document.items.iter().skip(1);
    let placed = placed.map(|it| it["target"][0]["selector"][1]["start"].clone());
    assert_eq!(placed.collect::<Value>(), json!(starts));
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_for_the_words_is_annotated_once_each_and_what_is_gone_is_not() {
    let mut archive = archive().await;
    let later = format!("{PASSAGE}, as he said before.");
    archive
        .client
        .put_source("text/plain", later.as_bytes())
        .await
        .unwrap();
    put(
        &mut archive.client,
        &archive.attestor,
        Kind::SourceArchived(source(&later)),
    )
    .await;
    let said = statement("putin", "2025-08-19", TEXT, PASSAGE);
    let retracted = archive.attestor.seal(Kind::StatementRecorded(said));
    let id = id_of(&retracted);
    archive.client.try_append(vec![retracted]).await.unwrap();
    let retraction = Kind::StatementRetracted(StatementRetracted {
        statement: id,
        speaker: "putin".to_owned(),
        reason: "Fabricated.".to_owned(),
        ..StatementRetracted::default()
    });
    put(&mut archive.client, &archive.attestor, retraction).await;
    let added = evidence_added(
        &archive.statement,
        "lavrov",
        &["kremlin"],
        vec![
            Evidence {
                establishes: vec![Establishes::Date.into()],
                ..evidence(&later, "as he said before")
            },
            evidence(&later, PASSAGE),
        ],
    );
    let added = Kind::EvidenceAdded(added);
    let added = put(&mut archive.client, &archive.attestor, added).await;
    let document = annotations(&mut archive).await;
    let name = |record: &str, place| {
        json!(format!(
            "https://archive.example/test/annotation/{record}/{place}"
        ))
    };
    let names = [name(&archive.statement, 1), name(&added, 2)];
    let ids = document.items.iter().map(|it| it["id"].clone());
    assert_eq!(ids.collect::<Vec<_>>(), names);

    let bytes = Kind::SourceWithheld(withheld(TEXT, WithholdingScope::Bytes));
    put(&mut archive.client, &archive.steward, bytes).await;
    let document = annotations(&mut archive).await;
    let cached = |it: &Value| it["target"][0]["state"].get("cached").is_some();
    assert_eq!(
        document.items.iter().map(cached).collect::<Vec<_>>(),
        [false, true]
    );

    let text = Kind::SourceWithheld(withheld(TEXT, WithholdingScope::BytesAndText));
    put(&mut archive.client, &archive.steward, text).await;
    let document = annotations(&mut archive).await;
    assert!(
        document
            .told
            .contains("1 retracted, 0 without enough vouchers, 1 withheld"),
        "{}",
        document.told
    );
    assert_eq!(document.items.len(), 1);
    assert_eq!(document.items[0]["id"], names[1], "it keeps its name");
}

#[tokio::test(flavor = "multi_thread")]
async fn evidence_that_was_added_to_a_version_before_is_not_annotated() {
    let mut archive = archive().await;
    let further = [1, 2].map(|number| format!("{PASSAGE}: copy {number}."));
    for text in &further {
        let stored = archive
            .client
            .put_source("text/plain", text.as_bytes())
            .await;
        stored.unwrap();
        let archived = Kind::SourceArchived(source(text));
        put(&mut archive.client, &archive.attestor, archived).await;
    }
    let id = archive.statement.clone();
    let added = |text: &str| {
        let evidence = vec![evidence(text, PASSAGE)];
        Kind::EvidenceAdded(evidence_added(&id, "lavrov", &["kremlin"], evidence))
    };
    let mut corrected = for_the_kremlin("2025-08-19");
    corrected.text = "Corrected.".to_owned();
    let correction = Kind::StatementCorrected(StatementCorrected {
        statement: id.clone(),
        corrects: id.clone(),
        corrected: Some(corrected),
        reason: "A better paraphrase.".to_owned(),
    });
    let mut sources = Vec::new();
    for kind in [added(&further[0]), correction, added(&further[1])] {
        put(&mut archive.client, &archive.attestor, kind).await;
        let document = annotations(&mut archive).await;
        let of = |it: &Value| {
            let identifiers = &it["target"][0]["source"]["schema:identifier"];
            schema(identifiers, "BLAKE3-256").to_owned()
        };
        sources.push(document.items.iter().map(of).collect::<Vec<_>>());
    }
    let [own, first, second] = [TEXT, &further[0], &further[1]].map(|text| source(text).source);
    let expected = [
        vec![own.clone(), first],
        vec![own.clone()],
        vec![own, second],
    ];
    assert_eq!(sources, expected);
}
