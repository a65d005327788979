use onrecord::record::proto::{Entry, record::Kind};
use prost::Message as _;

use super::{Auditor, archive, check, grow, served, those};
use crate::common::Signer;
use crate::common::archive::{PASSAGE, TEXT, for_the_kremlin};
use crate::common::mirror::{Mirror, entries, signed};
use crate::common::records::{ORIGIN, evidence, evidence_added};

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_of_tiles_alone_holds_but_for_what_nobody_there_can_answer() {
    let (mut archive, key) = archive().await;
    grow(&mut archive, 300).await;
    let mirror = Mirror::of(served(&archive).await);
    let auditor = Auditor::of(&key);
    let report = auditor.audits(&mirror.url, &[]).code(0).json();
    assert_eq!(those(&report, "FAILS"), Vec::<String>::new());
    assert_eq!(
        those(&report, "UNCHECKED"),
        ["sources", "projections", "documents"]
    );
    // The source, and the statement that quotes it.
    assert_eq!(report["unjudgedCount"], 2);
    let judged = check(&report, "entries").1;
    assert!(judged.ends_with(", but for the verdicts on 2"), "{judged}");
    auditor.audits(&mirror.url, &["--strict"]).code(1);

    // With the document at hand, by whatever name, all entries are judged.
    let auditor = Auditor::of(&key);
    let folder = auditor.home.path().join("documents/of/mine");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("copy.bin"), TEXT).unwrap();
    let folder = auditor.home.path().join("documents");
    let report = auditor.audits(&mirror.url, &["--sources", folder.to_str().unwrap()]);
    let report = report.code(0).json();
    assert_eq!(those(&report, "UNCHECKED"), ["projections"]);
    let (outcome, judged) = check(&report, "entries");
    assert_eq!(outcome, "HOLDS");
    assert!(judged.ends_with("verdicts and times"), "{judged}");
}

/// A folder of the auditor's with the one document of these archives in it.
fn documents(auditor: &Auditor) -> String {
    let folder = auditor.home.path().join("documents");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("copy.bin"), TEXT).unwrap();
    folder.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_document_is_judged_by_the_first_audit_that_has_it() {
    let (mut archive, key) = archive().await;
    let statement = archive.statement.clone();
    let added = evidence_added(
        &statement,
        "lavrov",
        &["kremlin"],
        vec![evidence(TEXT, PASSAGE)],
    );
    let added = archive
        .client
        .append(&archive.attestor, Kind::EvidenceAdded(added))
        .await;
    archive.size = added.ledger_size;
    let mirror = Mirror::of(served(&archive).await);
    let auditor = Auditor::of(&key);
    let first = auditor.audits(&mirror.url, &[]).code(0).json();
    // The source, the statement that quotes it, and the further evidence.
    assert_eq!(first["unjudgedCount"], 3, "{first:#}");
    let waits = "judged by a later audit to which the documents are given";
    assert!(check(&first, "documents").1.contains(waits));
    let again = auditor.audits(&mirror.url, &[]).code(0).json();
    assert_eq!(again["unjudged"], first["unjudged"]);

    let folder = documents(&auditor);
    let given = ["--sources", &folder[..]];
    let judged = auditor.audits(&mirror.url, &given).code(0).json();
    assert_eq!(check(&judged, "waiting").0, "HOLDS");
    assert!(check(&judged, "waiting").1.starts_with("3 entries"));
    assert_eq!(judged["unjudgedCount"], 0);
    assert_eq!(those(&judged, "UNCHECKED"), ["projections"]);
    // It stays so, with and without the document.
    let after = auditor.audits(&mirror.url, &[]).code(0).json();
    assert_eq!(after["unjudgedCount"], 0);
    assert_eq!(those(&after, "UNCHECKED"), ["projections"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_for_a_document_that_does_not_say_it_is_found_then_and_for_good() {
    let (mut archive, key) = archive().await;
    grow(&mut archive, 40).await;
    let mut doctored = entries(&served(&archive).await);
    // Signed by the archive's own people, and in no document.
    let mut forged = for_the_kremlin("2025-08-19");
    forged.evidence = vec![evidence(TEXT, "This he never said")];
    let envelope = archive.attestor.seal(Kind::StatementRecorded(forged));
    let last = Entry::decode(&doctored[39][..]).unwrap();
    let forged = Entry {
        recorded_at: last.recorded_at,
        envelope: Some(envelope),
    };
    doctored.push(forged.encode_to_vec());
    // What fails beside its documents is found without them.
    let by_nobody = Signer::new(77).seal(Kind::StatementRecorded(for_the_kremlin("2025-08-18")));
    let by_nobody = Entry {
        envelope: Some(by_nobody),
        ..last
    };
    let mirror = Mirror::of(signed(&doctored, ORIGIN, &key));
    let auditor = Auditor::of(&key);
    let first = auditor.audits(&mirror.url, &[]).code(0).json();
    assert_eq!(first["unjudgedCount"], 3, "{first:#}");
    let folder = documents(&auditor);
    let given = ["--sources", &folder[..]];
    let judged = auditor.audits(&mirror.url, &given).code(1).json();
    assert_eq!(check(&judged, "waiting").0, "FAILS");
    let finding = judged["findings"][0].as_str().unwrap();
    assert!(finding.starts_with("entry 40: "), "{finding}");
    assert!(finding.contains("QUOTE_NOT_FOUND"), "{finding}");
    assert_eq!(judged["unjudgedCount"], 0);
    let after = auditor.audits(&mirror.url, &[]).code(1).json();
    assert_eq!(after["findings"], judged["findings"]);

    doctored.push(by_nobody.encode_to_vec());
    mirror.set(signed(&doctored, ORIGIN, &key));
    let next = auditor.audits(&mirror.url, &[]).code(1).json();
    let finding = next["findings"][1].as_str().unwrap();
    assert!(finding.contains("UNKNOWN_VERIFIER"), "{finding}");
    assert_eq!(next["unjudgedCount"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_that_is_older_than_its_tables_is_refused_as_what_was_found_since_is_lost() {
    let (mut archive, key) = archive().await;
    let all = entries(&served(&archive).await);
    grow(&mut archive, 40).await;
    let mirror = Mirror::of(signed(&all[..5], ORIGIN, &key));
    let auditor = Auditor::of(&key);
    auditor.audits(&mirror.url, &[]).code(0);
    let older = std::fs::read(auditor.state()).unwrap();
    mirror.set(signed(&all, ORIGIN, &key));
    let newer = auditor.audits(&mirror.url, &[]).code(0).json();
    assert_eq!(newer["unjudgedCount"], 2, "{newer:#}");

    std::fs::write(auditor.state(), &older).unwrap();
    mirror.set(served(&archive).await);
    // It goes on being so: the checkpoint is not remembered either.
    for _ in 0..2 {
        let refused = auditor.audits(&mirror.url, &[]);
        refused.code(1).complains("is an older one");
        assert_eq!(std::fs::read(auditor.state()).unwrap(), older);
    }
    // Without the tables all is judged again.
    std::fs::remove_dir_all(auditor.home.path().join("archive.audit.d")).unwrap();
    let anew = auditor.audits(&mirror.url, &[]).code(0).json();
    assert_eq!(anew["unjudgedCount"], 2, "{anew:#}");
}
