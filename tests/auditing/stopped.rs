use std::process::Stdio;

use super::{Auditor, archive, check, grow, served};
use crate::common::mirror::Mirror;
use crate::program::onrecord;

#[tokio::test(flavor = "multi_thread")]
async fn an_audit_that_was_stopped_goes_on_where_it_was() {
    let (mut archive, key) = archive().await;
    grow(&mut archive, 700).await;
    let whole = served(&archive).await;
    let mirror = Mirror::of(whole.clone());
    let auditor = Auditor::of(&key);

    // Killed while it waits.
    let asked = mirror.hold("tile/entries/001");
    let mut child = onrecord()
        .args(["audit", &mirror.url, "--key", &auditor.key.to_string()])
        .arg("--state")
        .arg(auditor.state())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    asked.recv().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    mirror.release();

    // The checkpoint is remembered, whatever was read of it. What is missing then ends the next.
    let mut torn = whole.clone();
    torn.remove("tile/entries/002.p/188");
    mirror.set(torn);
    let report = auditor.audits(&mirror.url, &[]).code(1).json();
    assert!(report["remembered"].is_object(), "{report:#}");
    assert!(check(&report, "entries").1.contains("is not there"));

    // And the one after reads no bundle again that was judged.
    mirror.set(whole);
    mirror.asked();
    let report = auditor.audits(&mirror.url, &[]).code(0).json();
    assert_eq!(report["checkedBefore"], 512);
    assert_eq!(report["checked"], 700);
    let asked = mirror.asked();
    assert!(!asked.contains(&"tile/entries/000".to_owned()), "{asked:?}");
}
