//! Further evidence for a statement.

use onrecord::record::proto::{
    CapacityBasis, Establishes, Polarity, SourceArchived, StatementCorrected, Wording, record::Kind,
};
use onrecord::rpc::proto::append_result::Outcome;

use super::common::TestArchive;
use super::common::archive::{PASSAGE, TEXT, for_the_kremlin};
use super::common::client::{id_of, recorded};
use super::common::records::{answered, evidence, evidence_added, said_for, source, statement};
use super::{position, view};

/// Another report, of 10 August.
const EARLIER: &str = "Any contact at the top must be prepared with extreme care, they wrote.";

async fn archive_earlier(archive: &mut TestArchive) {
    let uploaded = archive.client.put_source("text/plain", EARLIER.as_bytes());
    uploaded.await.unwrap();
    let source = SourceArchived {
        published_at: "2025-08-10".to_owned(),
        ..source(EARLIER)
    };
    let steward = &archive.steward;
    archive
        .client
        .append(steward, Kind::SourceArchived(source))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn further_evidence_stands_with_its_statement_from_its_entry_on() {
    let mut archive = TestArchive::new().await;
    let mut passage = evidence(TEXT, "The minister spoke on Tuesday");
    passage.establishes = vec![Establishes::Date.into()];
    let id = archive.statement.clone();
    let added = evidence_added(&id, "lavrov", &["kremlin"], vec![passage.clone()]);
    let attestor = &archive.attestor;
    let at = archive
        .client
        .append(attestor, Kind::EvidenceAdded(added))
        .await;
    let before = view(&mut archive, &id, at.index).await;
    assert!(before.further_evidence.is_empty());
    let after = view(&mut archive, &id, at.index + 1).await;
    let [further] = &after.further_evidence[..] else {
        panic!("{after:?}");
    };
    assert_eq!(further.evidence, [passage]);
    assert_eq!(further.provenance.as_ref().unwrap().index, at.index);
    assert_eq!(after.statement, before.statement);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verbatim_statement_takes_another_source_that_has_its_words() {
    let mut archive = TestArchive::new().await;
    archive_earlier(&mut archive).await;
    let mut said = statement("putin", "2025-08-07", TEXT, PASSAGE);
    said.wording = Wording::Verbatim.into();
    said.spoken_language = "en".to_owned();
    said.text = PASSAGE.to_owned();
    let said = archive.attestor.seal(Kind::StatementRecorded(said));
    let added = evidence_added(
        &id_of(&said),
        "putin",
        &[],
        vec![evidence(EARLIER, PASSAGE)],
    );
    let added = archive.attestor.seal(Kind::EvidenceAdded(added));
    // In one batch: the version that stands is read off the frame in the making.
    let results = archive.client.try_append(vec![said, added]).await.unwrap();
    for result in results {
        recorded(result.outcome.unwrap());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn further_evidence_is_held_against_the_version_that_stands() {
    let mut archive = TestArchive::new().await;
    archive_earlier(&mut archive).await;
    let id = archive.statement.clone();
    let words = vec![evidence(EARLIER, PASSAGE)];
    let added = Kind::EvidenceAdded(evidence_added(&id, "lavrov", &["kremlin"], words));
    let refused = archive
        .client
        .refused(archive.attestor.seal(added.clone()))
        .await;
    assert_eq!(refused.reason, "SAID_AFTER_PUBLISHED", "{refused:?}");
    let mut corrected = for_the_kremlin("2025-08-08");
    corrected.said_for = vec![said_for("kremlin", CapacityBasis::Implied)];
    let correction = Kind::StatementCorrected(StatementCorrected {
        statement: id.clone(),
        corrects: id.clone(),
        corrected: Some(corrected),
        reason: "The day was wrong.".to_owned(),
    });
    let attestor = &archive.attestor;
    archive.client.append(attestor, correction).await;
    let outcome = archive.client.append_envelope(attestor.seal(added)).await;
    assert!(matches!(outcome, Outcome::Recorded(_)), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn further_evidence_does_not_move_a_statement_that_gives_no_date() {
    let mut archive = TestArchive::new().await;
    archive_earlier(&mut archive).await;
    let mut said = statement("putin", "", TEXT, PASSAGE);
    said.readings = vec![answered("meeting", Polarity::Supports)];
    let said = archive.attestor.seal(Kind::StatementRecorded(said));
    let at = recorded(archive.client.append_envelope(said.clone()).await);
    let before = position(&mut archive, "putin", "2025-08-31", at.index + 1).await;
    let words = vec![evidence(EARLIER, PASSAGE)];
    let added = Kind::EvidenceAdded(evidence_added(&id_of(&said), "putin", &[], words));
    let attestor = &archive.attestor;
    let at = archive.client.append(attestor, added).await;
    let after = position(&mut archive, "putin", "2025-08-31", at.index + 1).await;
    assert_eq!(before.position, after.position);
    let interval = after.position.unwrap().last_affirmed.unwrap();
    assert_eq!(interval.latest, "2025-08-20T00:00:00Z");
}
