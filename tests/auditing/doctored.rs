//! Archives that sign what they should not: each is caught at the first look.

use onrecord::record::Micros;
use onrecord::record::proto::Entry;
use prost::Message as _;

use super::{Auditor, archive, check, grow, served};
use crate::common::mirror::{Files, Mirror, entries, signed};
use crate::common::records::ORIGIN;
use onrecord::record::SigningKey;

/// What is done to a ledger, and what is said of it.
type Case = (&'static str, fn(&mut Vec<Vec<u8>>), &'static str);

/// Entry `index` with another content.
fn change(entries: &mut [Vec<u8>], index: usize, change: impl FnOnce(&mut Entry)) {
    let mut entry = Entry::decode(&entries[index][..]).unwrap();
    change(&mut entry);
    entries[index] = entry.encode_to_vec();
}

fn altered(entries: &mut [Vec<u8>]) {
    change(entries, 20, |entry| {
        let envelope = entry.envelope.as_mut().unwrap();
        let mut payload = envelope.payload.to_vec();
        // The name ends the record.
        *payload.last_mut().unwrap() ^= 1;
        envelope.payload = payload.into();
    });
}

fn back_dated(entries: &mut [Vec<u8>]) {
    change(entries, 20, |entry| {
        let day = Micros(1_756_684_800_000_000);
        entry.recorded_at = Some(day.to_timestamp());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_that_signs_a_doctored_ledger_is_caught() {
    let (mut archive, key) = archive().await;
    grow(&mut archive, 300).await;
    let whole = entries(&served(&archive).await);
    let cases: [Case; 5] = [
        ("an entry altered", |it| altered(it), "entry 20: "),
        (
            "an entry removed",
            |it| drop(it.remove(10)),
            "is not on record",
        ),
        ("entries reordered", |it| it.swap(1, 13), "entry 1: "),
        (
            "an entry back-dated",
            |it| back_dated(it),
            "names a time before",
        ),
        (
            "an entry twice",
            |it| it.push(it[20].clone()),
            "on record already, as entry 20",
        ),
    ];
    for (what, doctor, finding) in cases {
        let mut doctored = whole.clone();
        doctor(&mut doctored);
        let mirror = Mirror::of(signed(&doctored, ORIGIN, &key));
        let auditor = Auditor::of(&key);
        let report = auditor.audits(&mirror.url, &[]).code(1).json();
        let findings = report["findings"].as_array().unwrap();
        let found = findings
            .iter()
            .any(|it| it.as_str().unwrap().contains(finding));
        assert!(found, "{what}: {report:#}");
        // It stays so, although nothing is new.
        let again = auditor.audits(&mirror.url, &[]).code(1).json();
        assert_eq!(again["findings"], report["findings"], "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_back_dated_behind_the_last_one_of_an_earlier_audit_is_caught() {
    let (mut archive, key) = archive().await;
    grow(&mut archive, 40).await;
    let mut doctored = entries(&served(&archive).await);
    back_dated(&mut doctored);
    let mirror = Mirror::of(signed(&doctored[..20], ORIGIN, &key));
    let auditor = Auditor::of(&key);
    auditor.audits(&mirror.url, &[]).code(0);
    mirror.set(signed(&doctored, ORIGIN, &key));
    let report = auditor.audits(&mirror.url, &[]).code(1).json();
    let finding = report["findings"][0].as_str().unwrap();
    assert!(
        finding.starts_with("entry 20: it names a time before"),
        "{finding}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_served_otherwise_than_it_was_signed_is_caught() {
    let (mut archive, key) = archive().await;
    grow(&mut archive, 600).await;
    let whole = served(&archive).await;
    let flip = |files: &mut Files, path: &str, place: usize| {
        files.get_mut(path).unwrap()[place] ^= 1;
    };
    let places = [
        ("tile/entries/000", 100, "entry 0 is not the one"),
        ("tile/entries/001", 0, "tile/entries/001"),
        ("tile/0/001", 40, "tile/0/001 is not what"),
        ("tile/0/002.p/88", 40, "the right edge"),
        ("tile/1/000.p/2", 40, "the right edge"),
    ];
    for (path, place, says) in places {
        let mut files = whole.clone();
        flip(&mut files, path, place);
        let mirror = Mirror::of(files);
        let report = Auditor::of(&key).audits(&mirror.url, &[]).code(1).json();
        let told = report["checks"].to_string();
        assert!(told.contains(says), "{path}: {report:#}");
    }
    let mut files = whole.clone();
    files.remove("tile/entries/001");
    let mirror = Mirror::of(files);
    let report = Auditor::of(&key).audits(&mirror.url, &[]).code(1).json();
    assert!(check(&report, "entries").1.contains("is not there"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_key_is_no_key_of_the_archive() {
    let (archive, key) = archive().await;
    let files = served(&archive).await;
    let stranger = SigningKey::from_seed([99; 32]);
    let mirror = Mirror::of(files.clone());
    // The auditor's key is not the one that signed.
    let report = Auditor::of(&stranger).audits(&mirror.url, &[]).code(1);
    assert_eq!(check(&report.json(), "checkpoint").0, "FAILS");
    // Somebody else signed what the archive recorded.
    mirror.set(signed(&entries(&files), ORIGIN, &stranger));
    let report = Auditor::of(&key).audits(&mirror.url, &[]).code(1).json();
    assert!(
        check(&report, "checkpoint")
            .1
            .contains("none of the 1 keys")
    );
    // And the auditor believes them, but the ledger does not.
    let report = Auditor::of(&stranger).audits(&mirror.url, &[]).code(1);
    assert!(check(&report.json(), "key").1.contains("is not on record"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_of_another_name_is_told_as_that_and_not_as_a_new_key() {
    let (archive, key) = archive().await;
    let files = served(&archive).await;
    let mirror = Mirror::of(files.clone());
    let auditor = Auditor::of(&key);
    auditor.audits(&mirror.url, &[]).code(0);
    let before = std::fs::read(auditor.state()).unwrap();
    mirror.set(signed(&entries(&files), "other.example", &key));
    let report = auditor.audits(&mirror.url, &[]).code(1).json();
    let (outcome, says) = check(&report, "checkpoint");
    assert_eq!(outcome, "FAILS");
    let expected = format!(
        "it is a checkpoint of \"other.example\", and the keys that are known are of {ORIGIN}: "
    );
    assert!(says.starts_with(&expected), "{says}");
    assert_eq!(std::fs::read(auditor.state()).unwrap(), before);
}
