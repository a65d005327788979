//! Archives that show another history than they showed before: whoever ever audited them has
//! both checkpoints.

use super::{Auditor, archive, check, grow, served};
use crate::common::mirror::{Mirror, entries, signed};
use crate::common::records::ORIGIN;

type Case = (&'static str, fn(&mut Vec<Vec<u8>>), &'static str);

#[tokio::test(flavor = "multi_thread")]
async fn another_history_than_before_is_caught_with_both_checkpoints_as_evidence() {
    let (mut archive, key) = archive().await;
    grow(&mut archive, 300).await;
    let before = served(&archive).await;
    grow(&mut archive, 340).await;
    let after = entries(&served(&archive).await);
    let cases: [Case; 5] = [
        ("a shrunken ledger", |it| it.truncate(280), "shrunken: "),
        (
            "a shrunken ledger that is another",
            |it| {
                it.truncate(281);
                it.remove(200);
            },
            "fork: ",
        ),
        (
            "a fork of the same size",
            |it| {
                it.truncate(301);
                it.remove(299);
            },
            "fork: ",
        ),
        (
            "a fork after a restore",
            |it| drop(it.drain(290..310)),
            "rewritten: ",
        ),
        ("an entry removed", |it| drop(it.remove(150)), "rewritten: "),
    ];
    for (what, rewrite, says) in cases {
        let mirror = Mirror::of(before.clone());
        let auditor = Auditor::of(&key);
        let honest = auditor.audits(&mirror.url, &[]).code(0).json();
        let mut other = after.clone();
        rewrite(&mut other);
        let other = signed(&other, ORIGIN, &key);
        mirror.set(other.clone());
        let report = auditor.audits(&mirror.url, &[]).code(1).json();
        let (outcome, told) = check(&report, "history");
        assert_eq!(outcome, "FAILS", "{what}");
        assert!(told.starts_with(says), "{what}: {told}");
        assert_eq!(report["remembered"], honest["checkpoint"], "{what}");
        let shown = report["checkpoint"]["note"].as_str().unwrap();
        assert_eq!(shown.as_bytes(), other["checkpoint"], "{what}");
        // Nothing of it was believed: the honest history goes on.
        mirror.set(before.clone());
        auditor.audits(&mirror.url, &[]).code(0);
    }
}
