//! What a revocation leaves of a statement: told by the same rule as positions.

use onrecord::record::proto::{
    Polarity, ReadingAdded, Role, Statement, StatementCorrected, StatementRetracted,
    VerifierRevoked, record::Kind,
};
use onrecord::rpc::proto::{ListStatementsRequest, StatementView, Visibility};

use super::common::archive::{TEXT, for_the_kremlin};
use super::common::client::id_of;
use super::common::records::{answered, attestation_added, evidence, evidence_added, topic};
use super::common::{Signer, TestArchive};
use super::{position, view};

/// An archive in which a second steward is enrolled.
async fn two_stewards() -> (TestArchive, Signer) {
    let mut archive = TestArchive::new().await;
    let second = Signer::new(5);
    let roles = [Role::Attestor, Role::Coder, Role::Steward];
    let steward = &archive.steward;
    archive
        .client
        .append(steward, second.enrolled(&roles))
        .await;
    (archive, second)
}

/// Revokes a verifier, whose signatures from an entry on are not trusted; the size of the
/// ledger then.
async fn revoke(archive: &mut TestArchive, verifier: &Signer, untrusted_from: u64) -> u64 {
    let revoked = Kind::VerifierRevoked(VerifierRevoked {
        verifier: verifier.id(),
        untrusted_from: Some(untrusted_from),
        reason: "The key was stolen.".to_owned(),
    });
    archive.client.append(&archive.steward, revoked).await.index + 1
}

fn corrected(archive: &TestArchive, corrects: &str, statement: Statement) -> Kind {
    Kind::StatementCorrected(StatementCorrected {
        statement: archive.statement.clone(),
        corrects: corrects.to_owned(),
        corrected: Some(statement),
        reason: "It was read wrongly.".to_owned(),
    })
}

fn retracted(archive: &TestArchive, reason: &str) -> Kind {
    Kind::StatementRetracted(StatementRetracted {
        statement: archive.statement.clone(),
        speaker: "lavrov".to_owned(),
        said_for: vec!["kremlin".to_owned()],
        reason: reason.to_owned(),
    })
}

fn read(archive: &TestArchive, topic: &str, polarity: Polarity) -> Kind {
    Kind::ReadingAdded(ReadingAdded {
        statement: archive.statement.clone(),
        speaker: "lavrov".to_owned(),
        said_for: vec!["kremlin".to_owned()],
        reading: Some(answered(topic, polarity)),
        rationale: "It says so.".to_owned(),
    })
}

/// The statements that a list gives at a size of the ledger.
async fn listed(
    archive: &mut TestArchive,
    known_at: u64,
    wanted: ListStatementsRequest,
) -> Vec<StatementView> {
    let request = ListStatementsRequest {
        known_at: Some(known_at),
        at_least_size: known_at,
        ..wanted
    };
    let answer = archive.client.catalog.list_statements(request).await;
    answer.unwrap().into_inner().statements
}

fn on(topic: &str) -> ListStatementsRequest {
    ListStatementsRequest {
        topic: topic.to_owned(),
        ..ListStatementsRequest::default()
    }
}

/// The statement of the archive: as it is got by its id, as it is listed too.
async fn told(archive: &mut TestArchive, known_at: u64) -> StatementView {
    let id = archive.statement.clone();
    let got = view(archive, &id, known_at).await;
    let all = listed(archive, known_at, ListStatementsRequest::default()).await;
    assert_eq!(all, std::slice::from_ref(&got));
    got
}

/// The version that the Kremlin's position rests on; none if it rests on nothing.
async fn version(archive: &mut TestArchive, known_at: u64) -> Option<u64> {
    let answer = position(archive, "kremlin", "2025-08-31", known_at).await;
    let deciding = answer.position.unwrap().deciding;
    deciding.map(|deciding| deciding.version_index)
}

fn text(view: &StatementView) -> &str {
    &view.statement.as_ref().unwrap().text
}

fn at(view: &StatementView) -> u64 {
    view.version.as_ref().unwrap().index
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_that_nobody_trusted_signed_leaves_the_version_before() {
    let (mut archive, second) = two_stewards().await;
    let truce = Kind::TopicDefined(topic("truce"));
    archive.client.append(&archive.steward, truce).await;
    let mut other = for_the_kremlin("2025-08-19");
    other.text = "He agreed to a truce.".to_owned();
    other.readings.push(answered("truce", Polarity::Supports));
    let kind = corrected(&archive, &archive.statement, other);
    let correction = second.seal(kind);
    let outcome = archive.client.append_envelope(correction.clone()).await;
    let corrected_at = super::common::client::recorded(outcome).index;
    let introduced = archive.size - 1;

    let before = told(&mut archive, corrected_at + 1).await;
    assert_eq!(text(&before), "He agreed to a truce.");
    assert_eq!(at(&before), corrected_at);
    assert_eq!(
        version(&mut archive, corrected_at + 1).await,
        Some(corrected_at)
    );
    assert!(!before.corrections[0].untrusted);
    assert_eq!(before.vouchers.len(), 2);

    let size = revoke(&mut archive, &second, corrected_at).await;
    let after = told(&mut archive, size).await;
    assert_eq!(text(&after), for_the_kremlin("2025-08-19").text);
    assert_eq!(at(&after), introduced);
    assert_eq!(version(&mut archive, size).await, Some(introduced));
    assert!(after.corrections[0].untrusted);
    assert_eq!(after.vouchers, [archive.attestor.id()]);
    assert_eq!(after.visibility(), Visibility::Visible);
    assert_eq!(listed(&mut archive, size - 1, on("truce")).await.len(), 1);
    assert_eq!(listed(&mut archive, size, on("truce")).await, []);
    assert_eq!(listed(&mut archive, size, on("meeting")).await.len(), 1);
    // What was known before stays.
    assert_eq!(told(&mut archive, corrected_at + 1).await, before);

    // Another's signature over it puts the correction in force again.
    let added = Kind::AttestationAdded(attestation_added(&correction, &[&archive.steward]));
    let attested = archive.client.append(&archive.steward, added).await.index;
    let again = told(&mut archive, attested + 1).await;
    assert_eq!(at(&again), corrected_at);
    assert!(!again.corrections[0].untrusted);
    assert_eq!(
        version(&mut archive, attested + 1).await,
        Some(corrected_at)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_correction_names_the_newest_though_it_does_not_stand() {
    let (mut archive, second) = two_stewards().await;
    let kind = corrected(&archive, &archive.statement, for_the_kremlin("2025-08-17"));
    let untrusted = archive.client.append(&second, kind).await;
    revoke(&mut archive, &second, untrusted.index).await;
    let kind = corrected(&archive, &archive.statement, for_the_kremlin("2025-08-18"));
    let refusal = archive.client.refused(archive.steward.seal(kind)).await;
    assert_eq!(refusal.field, "statementCorrected.corrects");
    let kind = corrected(&archive, &untrusted.record, for_the_kremlin("2025-08-18"));
    let at = archive.client.append(&archive.steward, kind).await.index;
    let told = told(&mut archive, at + 1).await;
    assert_eq!(told.statement.unwrap().said_at, "2025-08-18");
    let untrusted: Vec<bool> = told.corrections.iter().map(|it| it.untrusted).collect();
    assert_eq!(untrusted, [true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retraction_that_nobody_trusted_signed_is_undone_and_the_statement_open_again() {
    let (mut archive, second) = two_stewards().await;
    let retraction = second.seal(retracted(&archive, "It was fabricated."));
    let outcome = archive.client.append_envelope(retraction.clone()).await;
    let retracted_at = super::common::client::recorded(outcome).index;
    let before = told(&mut archive, retracted_at + 1).await;
    assert_eq!(before.visibility(), Visibility::Retracted);
    assert!(before.retraction.is_some() && before.untrusted_retractions.is_empty());
    assert_eq!(version(&mut archive, retracted_at + 1).await, None);
    let reading = read(&archive, "meeting", Polarity::Supports);
    let refusal = archive
        .client
        .refused(archive.coder.seal(reading.clone()))
        .await;
    assert_eq!(refusal.reason, "STATEMENT_IS_RETRACTED");

    let size = revoke(&mut archive, &second, retracted_at).await;
    let after = told(&mut archive, size).await;
    assert_eq!(after.visibility(), Visibility::Visible);
    assert_eq!(after.retraction, None);
    let [undone] = &after.untrusted_retractions[..] else {
        panic!("{after:?}");
    };
    assert!(undone.untrusted);
    assert_eq!(undone.provenance.as_ref().unwrap().index, retracted_at);
    assert_eq!(version(&mut archive, size).await, Some(archive.size - 1));
    archive.client.append(&archive.coder, reading.clone()).await;
    let kind = corrected(&archive, &archive.statement, for_the_kremlin("2025-08-18"));
    let corrected_at = archive.client.append(&archive.attestor, kind).await.index;
    let more = told(&mut archive, corrected_at + 1).await;
    assert_eq!((at(&more), more.readings.len()), (corrected_at, 1));

    // Another's signature over it puts the retraction in force again, for whoever writes too.
    let added = Kind::AttestationAdded(attestation_added(&retraction, &[&archive.steward]));
    let attested = archive.client.append(&archive.steward, added).await.index;
    let again = told(&mut archive, attested + 1).await;
    assert_eq!(again.visibility(), Visibility::Retracted);
    assert_eq!(
        again.retraction.unwrap().provenance.unwrap().index,
        retracted_at
    );
    assert_eq!(again.untrusted_retractions, []);
    let other = read(&archive, "meeting", Polarity::Opposes);
    let refusal = archive.client.refused(archive.coder.seal(other)).await;
    assert_eq!(refusal.reason, "STATEMENT_IS_RETRACTED");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_retracted_again_tells_both_retractions() {
    let (mut archive, second) = two_stewards().await;
    let first = archive
        .client
        .append(&second, retracted(&archive, "I do not like it."))
        .await
        .index;
    revoke(&mut archive, &second, first).await;
    let again = archive
        .client
        .append(&archive.attestor, retracted(&archive, "It was fabricated."))
        .await
        .index;
    let told = told(&mut archive, again + 1).await;
    assert_eq!(told.retraction.unwrap().provenance.unwrap().index, again);
    let undone = told.untrusted_retractions[0].provenance.as_ref().unwrap();
    assert_eq!(undone.index, first);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_left_without_a_voucher_comes_back_once_another_attests_it() {
    let mut archive = TestArchive::new().await;
    let attestor = Signer::new(2);
    let introduced = archive.size - 1;
    let size = revoke(&mut archive, &attestor, introduced).await;
    let left = told(&mut archive, size).await;
    assert_eq!(left.visibility(), Visibility::TooFewVouchers);
    assert_eq!((left.vouchers.len(), left.attestations_min), (0, 1));
    assert_eq!(version(&mut archive, size).await, None);
    let signed = attestor.seal(Kind::StatementRecorded(for_the_kremlin("2025-08-19")));
    assert_eq!(id_of(&signed), archive.statement);
    let added = Kind::AttestationAdded(attestation_added(&signed, &[&archive.steward]));
    let attested = archive.client.append(&archive.steward, added).await.index;
    let back = told(&mut archive, attested + 1).await;
    assert_eq!(back.visibility(), Visibility::Visible);
    assert_eq!(back.vouchers, [archive.steward.id()]);
    assert_eq!(version(&mut archive, attested + 1).await, Some(introduced));
}

#[tokio::test(flavor = "multi_thread")]
async fn readings_and_evidence_that_do_not_count_are_marked_and_found_by_no_filter() {
    let (mut archive, second) = two_stewards().await;
    let truce = Kind::TopicDefined(topic("truce"));
    archive.client.append(&archive.steward, truce).await;
    // The coder's earlier reading is trusted, and stands beside the later one.
    let early = read(&archive, "truce", Polarity::Open);
    let early = archive.client.append(&second, early).await.index;
    let late = read(&archive, "truce", Polarity::Supports);
    let late = archive.client.append(&second, late).await.index;
    let rain = Kind::TopicDefined(topic("rain"));
    archive.client.append(&archive.steward, rain).await;
    let rain = read(&archive, "rain", Polarity::Supports);
    let rain = archive.client.append(&second, rain).await.index;
    let passage = vec![evidence(TEXT, "The minister spoke on Tuesday")];
    let added = evidence_added(&archive.statement, "lavrov", &["kremlin"], passage);
    archive
        .client
        .append(&second, Kind::EvidenceAdded(added))
        .await;
    let read_at = |view: &StatementView| -> Vec<(u64, bool)> {
        let index = |it: &onrecord::rpc::proto::CoderReading| {
            (it.provenance.as_ref().unwrap().index, it.untrusted)
        };
        view.readings.iter().map(index).collect()
    };
    let size = archive.client.head().await.size;
    assert_eq!(
        read_at(&told(&mut archive, size).await),
        [(late, false), (rain, false)]
    );
    assert_eq!(listed(&mut archive, size, on("rain")).await.len(), 1);
    let size = revoke(&mut archive, &second, late).await;
    let told_now = told(&mut archive, size).await;
    assert_eq!(
        read_at(&told_now),
        [(early, false), (late, true), (rain, true)]
    );
    assert!(told_now.further_evidence[0].untrusted);
    assert_eq!(listed(&mut archive, size, on("truce")).await.len(), 1);
    assert_eq!(listed(&mut archive, size, on("rain")).await, []);
}
