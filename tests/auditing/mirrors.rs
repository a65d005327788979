use super::{Auditor, archive, check, grow, served, those};
use crate::common::archive::TEXT;
use crate::common::mirror::Mirror;

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
    assert_eq!(check(&report, "entries").0, "HOLDS");
}
