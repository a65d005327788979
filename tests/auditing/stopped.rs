use std::fs;
use std::path::Path;
use std::process::Stdio;

use onrecord::audit::remote::{AuditError, AuditParts, Site, SiteError, audit};
use onrecord::merkle::WitnessPolicy;

use super::{Auditor, archive, check, grow, served, verifier};
use crate::common::mirror::{Files, Mirror};
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

/// A site whose bundles from one on are not there to be had: as if the network went away.
struct Away(Files);

impl Site for Away {
    fn get(&self, path: &str, _: usize) -> Result<Vec<u8>, SiteError> {
        let away = || SiteError::Away {
            url: path.to_owned(),
            reason: "the line is dead".to_owned(),
        };
        self.0.get(path).cloned().ok_or_else(away)
    }
}

/// How many entries the file says were checked.
fn checked(state: &Path) -> u64 {
    let state: serde_json::Value = serde_json::from_slice(&fs::read(state).unwrap()).unwrap();
    state["checked"].as_u64().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_checked_is_written_out_now_and_then_so_that_a_kill_costs_little() {
    let (mut archive, key) = archive().await;
    grow(&mut archive, 5_000).await;
    let whole = served(&archive).await;
    let keys = [verifier(&key)];
    let witnesses = WitnessPolicy::nobody();
    let audited = |site: &dyn Site, state: &Path, write_after_entries| {
        audit(&AuditParts {
            site,
            archive: Err("nobody is asked".to_owned()),
            sources: None,
            folds: &[],
            state,
            keys: &keys,
            witnesses: &witnesses,
            seed: [7; 32],
            write_after_entries,
            progress: &|_, _| {},
        })
    };
    let mut torn = whole.clone();
    torn.remove("tile/entries/018");
    let torn = Away(torn);
    let home = tempfile::tempdir().unwrap();
    for (write_after_entries, least) in [(1_000, 3_000), (2_000, 2_000), (1 << 16, 0)] {
        let state = home.path().join(format!("after-{write_after_entries}"));
        let ended = audited(&torn, &state, write_after_entries);
        assert!(matches!(ended, Err(AuditError::Site(_))), "{ended:?}");
        let written = checked(&state);
        assert!((least..18 * 256).contains(&written), "{written}");
        assert_eq!(written == 0, least == 0, "{written}");
        // It goes on from there, or from further on.
        let report = audited(&Away(whole.clone()), &state, write_after_entries).unwrap();
        assert!(report.checked_before >= written, "{report:?}");
        assert_eq!((report.checked, checked(&state)), (5_000, 5_000));
    }
}
