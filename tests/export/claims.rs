//! schema.org claims, quotations and reviews.

use onrecord::record::proto::{ActorKind, SourceArchived};
use onrecord::record::proto::{
    AnonymityReason, AnonymousSpeaker, Authority, CapacityBasis, ExternalId, MandateEnded,
    ReviewPublished, StatementCorrected, StatementRetracted, WithholdingScope, Wording,
    record::Kind, review_published::Target, statement::Voice,
};
use serde_json::{Value, json};

use super::common::TestArchive;
use super::common::archive::{PASSAGE, TEXT, for_the_kremlin};
use super::common::records::{
    actor, evidence, mandate, review, said_for, source, statement, withheld,
};
use super::rules::{assert_claim_review, assert_schema_org, names};
use super::{Document, archive, export, identifier, put, quoted};

fn claims(archive: &TestArchive) -> Document {
    let document = export(archive, &["claimreview"]);
    assert_schema_org(&without_context(&document.whole));
    document
}

fn without_context(document: &Value) -> Value {
    let mut members = document.as_object().unwrap().clone();
    assert_eq!(
        members.shift_remove("@context").unwrap(),
        "https://schema.org"
    );
    Value::Object(members)
}

/// The claim of a statement, from the one element that tells of it.
fn claim<'d>(document: &'d Document, statement: &str) -> Option<&'d Value> {
    let items = document.items.iter().map(|element| {
        assert_eq!(element["@type"], "DataFeedItem");
        let first = &element["item"][0];
        first.get("itemReviewed").unwrap_or(first)
    });
    let of =
        |claim: &&Value| identifier(&claim["identifier"], "statement") == Some(&json!(statement));
    let found: Vec<_> = items.filter(of).collect();
    assert!(found.len() <= 1);
    found.first().copied()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_is_a_claim_and_only_the_words_of_a_source_are_a_quotation() {
    let mut archive = archive().await;
    let mut ids = vec![(archive.statement.clone(), Wording::Paraphrased)];
    for wording in [
        Wording::Verbatim,
        Wording::Translated,
        Wording::Retranslated,
    ] {
        let kind = Kind::StatementRecorded(quoted(PASSAGE, wording));
        ids.push((
            put(&mut archive.client, &archive.attestor, kind).await,
            wording,
        ));
    }
    let document = claims(&archive);
    assert_eq!(document.items.len(), ids.len());
    assert_eq!(document.whole["dataFeedElement"], json!(document.items));
    for (id, wording) in ids {
        let claim = claim(&document, &id).unwrap();
        let quotation = matches!(wording, Wording::Verbatim | Wording::Translated);
        let types = names(&claim["@type"]);
        assert!(types.contains(&"Claim"));
        assert_eq!(types.contains(&"Quotation"), quotation, "{wording:?}");
        assert_eq!(claim.get("isBasedOn").is_some(), quotation);
        assert_eq!(claim["text"] == PASSAGE, quotation);
        let original = claim.get("translationOfWork").map(|it| &it["inLanguage"]);
        let translated = wording == Wording::Translated;
        assert_eq!(original, translated.then_some(&json!("ru")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_tells_who_said_it_for_whom_when_where_and_at_which_index() {
    let archive = archive().await;
    let document = claims(&archive);
    let claim = claim(&document, &archive.statement).unwrap();
    let base = "https://archive.example/test";
    let page = format!("{base}/statement/{}", archive.statement);
    assert_eq!(claim["@id"], page);
    assert_eq!(claim["archivedAt"], page);
    let index = identifier(&claim["identifier"], "ledgerIndex");
    assert_eq!(index, Some(&json!(archive.size - 1)));
    assert_eq!(identifier(&claim["identifier"], "correctionIndex"), None);
    assert_eq!(claim["text"], format!("As lavrov put it: {PASSAGE}"));
    assert_eq!(claim["datePublished"], "2025-08-19");
    assert_eq!(claim["keywords"], json!(["meeting"]));
    let author = &claim["author"];
    assert_eq!(author["@type"], "Person");
    assert_eq!(author["name"], "The lavrov");
    assert_eq!(author["jobTitle"], json!(["an office"]));
    let role = &claim["sourceOrganization"][0];
    assert_eq!(role["sourceOrganization"]["name"], "The kremlin");
    assert_eq!(role["roleName"], json!(["an office"]));
    assert_eq!(
        role["description"],
        "implied by a mandate on record; as delegate"
    );
    assert_eq!(
        role["identifier"],
        json!([format!("{base}/mandate/lavrov-kremlin")])
    );
    let appearance = &claim["appearance"][0];
    let archived = &source(TEXT).source;
    assert_eq!(
        identifier(&appearance["identifier"], "BLAKE3-256"),
        Some(&json!(archived))
    );
    assert_eq!(
        appearance["archivedAt"],
        format!("{base}/source/{archived}")
    );
    assert_eq!(appearance["datePublished"], "2025-08-19");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_office_is_named_only_if_a_mandate_was_in_force_when_it_was_said() {
    let mut archive = archive().await;
    let mut former = mandate("putin", "kremlin", Authority::Spokesperson);
    former.mandate_id = "putin-before".to_owned();
    former.role_title = "a former office".to_owned();
    let former = put(
        &mut archive.client,
        &archive.attestor,
        Kind::MandateGranted(former),
    )
    .await;
    let ended = Kind::MandateEnded(MandateEnded {
        mandate_id: "putin-before".to_owned(),
        end: "2025-08-01".to_owned(),
        reason: "Resigned.".to_owned(),
        replaces: former,
        ..MandateEnded::default()
    });
    put(&mut archive.client, &archive.attestor, ended).await;
    let mut said = statement("putin", "2025-08-19", TEXT, PASSAGE);
    // Putin has no mandate of Russia: the source says that he spoke for it.
    said.said_for = vec![
        said_for("kremlin", CapacityBasis::Implied),
        said_for("russia", CapacityBasis::Stated),
    ];
    let id = put(
        &mut archive.client,
        &archive.attestor,
        Kind::StatementRecorded(said),
    )
    .await;
    let document = claims(&archive);
    let claim = claim(&document, &id).unwrap();
    assert_eq!(claim["author"]["jobTitle"], json!(["an office"]));
    let [kremlin, russia] = &claim["sourceOrganization"].as_array().unwrap()[..] else {
        panic!("two: {claim}");
    };
    assert_eq!(
        kremlin["description"],
        "implied by a mandate on record; as principal"
    );
    assert_eq!(kremlin["roleName"], json!(["an office"]));
    assert_eq!(russia["description"], "stated in the source");
    assert_eq!(russia.get("roleName"), None);
    assert_eq!(
        russia["sourceOrganization"]["@type"],
        "GovernmentOrganization"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_correction_stands_and_what_was_retracted_is_left_out() {
    let mut archive = archive().await;
    let said = Kind::StatementRecorded(statement("putin", "2025-08-19", TEXT, PASSAGE));
    let retracted = put(&mut archive.client, &archive.attestor, said).await;
    let mut corrected = for_the_kremlin("2025-08-XX");
    corrected.text = "Corrected.".to_owned();
    let correction = Kind::StatementCorrected(StatementCorrected {
        statement: archive.statement.clone(),
        corrects: archive.statement.clone(),
        corrected: Some(corrected),
        reason: "The day is not known.".to_owned(),
    });
    let correction = archive.client.append(&archive.attestor, correction).await;
    let retraction = Kind::StatementRetracted(StatementRetracted {
        statement: retracted.clone(),
        speaker: "putin".to_owned(),
        reason: "Fabricated.".to_owned(),
        ..StatementRetracted::default()
    });
    put(&mut archive.client, &archive.attestor, retraction).await;

    let document = claims(&archive);
    assert_eq!(document.items.len(), 1);
    assert!(document.told.contains("1 retracted"), "{}", document.told);
    assert!(!document.whole.to_string().contains(&retracted));
    let claim = claim(&document, &archive.statement).unwrap();
    assert_eq!(claim["text"], "Corrected.");
    let index = identifier(&claim["identifier"], "correctionIndex");
    assert_eq!(index, Some(&json!(correction.index)));
    // A masked day is no date of ISO 8601.
    assert_eq!(claim.get("datePublished"), None);
    assert_eq!(claim["temporal"], "2025-08-XX");
    assert!(document.items[0]["dateModified"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_review_of_a_statement_is_a_claim_review_with_its_scale_if_it_has_one() {
    let mut archive = archive().await;
    let said = Kind::StatementRecorded(quoted(PASSAGE, Wording::Verbatim));
    let unreviewed = put(&mut archive.client, &archive.attestor, said).await;
    let of = || Target::Statement(archive.statement.clone());
    let unrated = ReviewPublished {
        verdict: "Lacks context".to_owned(),
        rating: 0,
        rating_worst: 0,
        rating_best: 0,
        url: "https://checks.example/2".to_owned(),
        published_at: "2025-08".to_owned(),
        ..review(of())
    };
    let of_milestone = review(Target::Milestone("summit".to_owned()));
    for review in [review(of()), unrated, of_milestone] {
        let kind = Kind::ReviewPublished(review);
        archive.client.append(&archive.steward, kind).await;
    }
    let document = claims(&archive);
    assert!(
        claim(&document, &unreviewed)
            .unwrap()
            .get("claimReviewed")
            .is_none()
    );

    let reviewed = export(&archive, &["claimreview", "--reviewed"]);
    assert_eq!(reviewed.items.len(), 1);
    let [rated, unrated] = &reviewed.items[0]["item"].as_array().unwrap()[..] else {
        panic!("two reviews: {}", reviewed.whole);
    };
    for review in [rated, unrated] {
        assert_claim_review(review);
        assert_eq!(review["claimReviewed"], review["itemReviewed"]["text"]);
        assert_eq!(review["author"]["name"], "Reviews");
        assert_eq!(review["publisher"]["name"], "Reviews");
    }
    assert_eq!(
        rated["reviewRating"],
        json!({
            "@type": "Rating", "alternateName": "Mostly true",
            "ratingValue": 4, "worstRating": 1, "bestRating": 5,
        })
    );
    assert_eq!(rated["url"], "https://reviews.example/1");
    assert_eq!(rated["datePublished"], "2025-08-25");
    assert_eq!(
        unrated["reviewRating"],
        json!({"@type": "Rating", "alternateName": "Lacks context"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_a_withheld_source_is_not_exported() {
    let mut archive = archive().await;
    let elsewhere = format!("{PASSAGE}.");
    archive
        .client
        .put_source("text/plain", elsewhere.as_bytes())
        .await
        .unwrap();
    let titled = SourceArchived {
        title: "A title".to_owned(),
        ..source(&elsewhere)
    };
    put(
        &mut archive.client,
        &archive.attestor,
        Kind::SourceArchived(titled),
    )
    .await;
    let mut gone = Vec::new();
    for wording in [Wording::Verbatim, Wording::Retranslated] {
        let kind = Kind::StatementRecorded(quoted(PASSAGE, wording));
        gone.push(put(&mut archive.client, &archive.attestor, kind).await);
    }
    let mut both = quoted(PASSAGE, Wording::Translated);
    both.evidence.push(evidence(&elsewhere, PASSAGE));
    let both = put(
        &mut archive.client,
        &archive.attestor,
        Kind::StatementRecorded(both),
    )
    .await;

    let bytes = Kind::SourceWithheld(withheld(TEXT, WithholdingScope::Bytes));
    put(&mut archive.client, &archive.steward, bytes).await;
    let document = claims(&archive);
    assert_eq!(
        document.items.len(),
        4,
        "what is quoted from text that is served stays"
    );
    let appearance = &claim(&document, &gone[0]).unwrap()["appearance"][0];
    assert_eq!(appearance.get("archivedAt"), None);
    assert_eq!(appearance["datePublished"], "2025-08-19");

    let text = Kind::SourceWithheld(withheld(TEXT, WithholdingScope::BytesAndText));
    put(&mut archive.client, &archive.steward, text).await;
    let document = claims(&archive);
    assert!(document.told.contains("2 withheld"), "{}", document.told);
    for id in &gone {
        assert_eq!(claim(&document, id), None);
    }
    // A paraphrase is in the archive's words, and what stands elsewhere too is served there.
    let paraphrase = claim(&document, &archive.statement).unwrap();
    let appearance = paraphrase["appearance"][0].as_object().unwrap();
    assert!(
        appearance.keys().eq(["@type", "@id", "identifier"]),
        "{appearance:?}"
    );
    let both = claim(&document, &both).unwrap();
    assert_eq!(both["text"], PASSAGE);
    assert_eq!(both["appearance"][1]["name"], "A title");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_speaker_without_a_name_is_given_none_and_a_relayer_is_told() {
    let mut archive = archive().await;
    let mut envoy = actor("envoy", ActorKind::Person);
    let external = |register: &str, id: &str| ExternalId {
        register: register.to_owned(),
        id: id.to_owned(),
    };
    envoy.external_ids = vec![external("wikidata", "Q42"), external("isni", "0000")];
    put(
        &mut archive.client,
        &archive.attestor,
        Kind::ActorDefined(envoy),
    )
    .await;
    let mut said = statement("putin", "2025-08-19", TEXT, PASSAGE);
    said.relayed_by = "envoy".to_owned();
    let relayed = put(
        &mut archive.client,
        &archive.attestor,
        Kind::StatementRecorded(said),
    )
    .await;
    let mut said = statement("putin", "2025-08-19", TEXT, PASSAGE);
    said.voice = Some(Voice::Anonymous(AnonymousSpeaker {
        description: "a diplomat".to_owned(),
        reason: AnonymityReason::NameWithheld.into(),
    }));
    let unnamed = put(
        &mut archive.client,
        &archive.attestor,
        Kind::StatementRecorded(said),
    )
    .await;
    let document = claims(&archive);
    let author = &claim(&document, &unnamed).unwrap()["author"];
    assert_eq!(
        *author,
        json!({"@type": "Person", "description": "a diplomat"})
    );
    let role = &claim(&document, &relayed).unwrap()["contributor"];
    assert_eq!(role["roleName"], "relayed by");
    let envoy = &role["contributor"];
    assert_eq!(
        envoy["sameAs"],
        json!(["http://www.wikidata.org/entity/Q42"])
    );
    assert_eq!(
        identifier(&envoy["identifier"], "isni"),
        Some(&json!("0000"))
    );
}
