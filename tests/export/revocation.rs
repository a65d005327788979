//! What a revocation leaves of a statement: exports, lists and positions show the same version.

use onrecord::record::proto::{
    Role, StatementCorrected, StatementRetracted, VerifierRevoked, record::Kind,
};

use super::common::archive::for_the_kremlin;
use super::common::records::attestation_added;
use super::common::{Signer, TestArchive};
use super::{archive, export, put, run};

const WRONG: &str = "He agreed to everything.";

/// A small archive with a second steward.
async fn two_stewards() -> (TestArchive, Signer) {
    let mut archive = archive().await;
    let second = Signer::new(5);
    let enrolled = second.enrolled(&[Role::Attestor, Role::Steward]);
    put(&mut archive.client, &archive.steward, enrolled).await;
    (archive, second)
}

/// Revokes a verifier, no signature of whose is trusted.
async fn revoke(archive: &mut TestArchive, verifier: &Signer) {
    let revoked = Kind::VerifierRevoked(VerifierRevoked {
        verifier: verifier.id(),
        untrusted_from: Some(0),
        reason: "The key was stolen.".to_owned(),
    });
    put(&mut archive.client, &archive.steward, revoked).await;
}

/// What people are shown: the position, and the list of statements.
fn shown(archive: &TestArchive) -> [String; 2] {
    let position = ["position", "kremlin", "meeting", "--as-of", "2025-08-31"];
    let list = ["list", "statements"];
    [&position[..], &list[..]].map(|arguments| {
        let whole = run(archive, arguments).code(0).out;
        // Lines are broken where the terminal ends.
        whole.split_whitespace().collect::<Vec<_>>().join(" ")
    })
}

/// How often a text stands in the two exports.
fn exported(archive: &TestArchive, text: &str) -> [usize; 2] {
    ["claimreview", "annotations"].map(|format| {
        let document = export(archive, &[format]);
        let told = document.items.iter();
        told.filter(|it| it.to_string().contains(text)).count()
    })
}

/// What the exports say that they left out.
fn left_out(archive: &TestArchive, what: &str) {
    for format in ["claimreview", "annotations"] {
        let told = export(archive, &[format]).told;
        assert!(told.contains(what), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_correction_is_shown_nowhere_as_what_was_said() {
    let (mut archive, second) = two_stewards().await;
    let mut wrong = for_the_kremlin("2025-08-19");
    let right = wrong.text.clone();
    wrong.text = WRONG.to_owned();
    let kind = Kind::StatementCorrected(StatementCorrected {
        statement: archive.statement.clone(),
        corrects: archive.statement.clone(),
        corrected: Some(wrong),
        reason: "It was read wrongly.".to_owned(),
    });
    let correction = put(&mut archive.client, &second, kind).await;
    assert_eq!(exported(&archive, WRONG), [1, 1]);
    for drawn in shown(&archive) {
        assert!(drawn.contains(WRONG), "{drawn}");
    }

    revoke(&mut archive, &second).await;
    assert_eq!(exported(&archive, WRONG), [0, 0]);
    assert_eq!(exported(&archive, &right), [1, 1]);
    assert_eq!(exported(&archive, "correctionIndex"), [0, 0]);
    assert_eq!(exported(&archive, &correction), [0, 0]);
    let [position, list] = shown(&archive);
    for drawn in [&position, &list] {
        assert!(drawn.contains("As lavrov put it:"), "{drawn}");
        assert!(!drawn.contains(WRONG), "{drawn}");
    }
    assert!(
        list.contains("untrusted)") && !list.contains("(as corrected"),
        "{list}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_untrusted_retraction_leaves_no_statement_out() {
    let (mut archive, second) = two_stewards().await;
    let kind = Kind::StatementRetracted(StatementRetracted {
        statement: archive.statement.clone(),
        speaker: "lavrov".to_owned(),
        said_for: vec!["kremlin".to_owned()],
        reason: "It was fabricated.".to_owned(),
    });
    put(&mut archive.client, &second, kind).await;
    left_out(&archive, "1 retracted, 0 without enough vouchers");
    let [position, list] = shown(&archive);
    assert!(position.contains("NO_RECORD"), "{position}");
    assert!(list.contains("(retracted at "), "{list}");

    revoke(&mut archive, &second).await;
    left_out(&archive, "0 retracted, 0 without enough vouchers");
    assert_eq!(exported(&archive, &archive.statement), [1, 1]);
    let [position, list] = shown(&archive);
    assert!(position.contains("As lavrov put it:"), "{position}");
    assert!(!list.contains("(retracted at "), "{list}");
    assert!(list.contains("untrusted)"), "{list}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_without_enough_vouchers_is_counted_until_another_attests_it() {
    let mut archive = archive().await;
    let attestor = Signer::new(2);
    revoke(&mut archive, &attestor).await;
    left_out(&archive, "0 retracted, 1 without enough vouchers");
    assert_eq!(exported(&archive, &archive.statement), [0, 0]);
    let [position, list] = shown(&archive);
    assert!(position.contains("NO_RECORD"), "{position}");
    assert!(list.contains("(vouched for by 0 of 1 needed)"), "{list}");

    let signed = attestor.seal(Kind::StatementRecorded(for_the_kremlin("2025-08-19")));
    let added = Kind::AttestationAdded(attestation_added(&signed, &[&archive.steward]));
    put(&mut archive.client, &archive.steward, added).await;
    left_out(&archive, "0 retracted, 0 without enough vouchers");
    assert_eq!(exported(&archive, &archive.statement), [1, 1]);
    // The annotation is by whoever vouches, and no longer by whoever was revoked.
    let notes = export(&archive, &["annotations"]);
    let creators = notes.items[0]["creator"].to_string();
    assert!(creators.contains(&archive.steward.id()), "{creators}");
    assert!(!creators.contains(&attestor.id()), "{creators}");
    let [position, list] = shown(&archive);
    assert!(position.contains("As lavrov put it:"), "{position}");
    assert!(!list.contains("needed)"), "{list}");
}
