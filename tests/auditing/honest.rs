use super::{Auditor, archive, check, grow, served, those, url};
use crate::common::records::ORIGIN;
use crate::program::{Port, onrecord, run};

const PROJECTIONS: [&str; 5] = ["catalog", "positions", "postings", "statements", "tiles"];

#[tokio::test(flavor = "multi_thread")]
async fn an_honest_archive_holds_and_after_growth_only_what_is_new_is_read() {
    let (mut archive, key) = archive().await;
    grow(&mut archive, 700).await;
    served(&archive).await;
    let auditor = Auditor::of(&key);
    let written = auditor.home.path().join("report.json");
    let first = auditor.audits(&url(&archive), &["--report", written.to_str().unwrap()]);
    let first = first.code(0).json();
    assert_eq!(first["origin"], ORIGIN);
    assert_eq!(first["checked"], 700);
    assert_eq!(those(&first, "UNCHECKED"), Vec::<String>::new());
    for projection in PROJECTIONS {
        let name = format!("projection {projection}");
        assert_eq!(check(&first, &name).0, "HOLDS");
        assert!(check(&first, &name).1.contains("700 entries"));
    }
    let written: serde_json::Value =
        serde_json::from_slice(&std::fs::read(written).unwrap()).unwrap();
    assert_eq!(written, first);

    // Nothing new: the checkpoint, and the edge of the tree.
    let second = auditor.audits(&url(&archive), &["--strict"]).code(0).json();
    assert_eq!(second["checkedBefore"], 700);
    assert_eq!(second["remembered"], first["checkpoint"]);
    assert!(second["bytesRead"].as_u64().unwrap() < 20_000, "{second:#}");

    grow(&mut archive, 720).await;
    served(&archive).await;
    let third = auditor.audits(&url(&archive), &["--strict"]).code(0).json();
    assert_eq!(third["checkedBefore"], 700);
    assert_eq!(third["checked"], 720);
    let (read, whole) = (&third["bytesRead"], &first["bytesRead"]);
    assert!(
        read.as_u64().unwrap() * 2 < whole.as_u64().unwrap(),
        "{read} of {whole}"
    );
    assert!(check(&third, "history").1.contains("begin with the 700"));
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_of_the_auditor_that_were_lost_are_filled_again() {
    let (mut archive, key) = archive().await;
    grow(&mut archive, 300).await;
    served(&archive).await;
    let auditor = Auditor::of(&key);
    auditor.audits(&url(&archive), &["--strict"]).code(0);
    let tables = auditor.home.path().join("archive.audit.d");
    let found = std::fs::read_dir(&tables).unwrap();
    let mut found = found.map(|it| it.unwrap().path());
    let positions = found.find(|it| it.to_string_lossy().contains("/positions-"));
    std::fs::remove_dir_all(positions.unwrap()).unwrap();
    grow(&mut archive, 320).await;
    served(&archive).await;
    let again = auditor.audits(&url(&archive), &["--strict"]).code(0).json();
    assert_eq!(again["checkedBefore"], 300);
    assert_eq!(check(&again, "projection positions").0, "HOLDS");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_from_elsewhere_nothing_is_believed_and_nobody_there_is_told() {
    let (archive, key) = archive().await;
    let auditor = Auditor::of(&key);
    let state = auditor.state();
    let audit = |url: &str| run(onrecord().args(["audit", url, "--state"]).arg(&state));
    audit(&url(&archive))
        .code(2)
        .complains("from somebody you trust");
    assert!(!state.exists());
    audit("ftp://archive.example")
        .code(2)
        .complains("http or https");
    let nobody = Port::held();
    auditor
        .audits(&nobody.server(), &[])
        .code(3)
        .complains("does not answer");
}
