use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};

use onrecord::audit::remote::{AuditError, AuditParts, Report, Site, SiteError, audit};
use onrecord::merkle::{NoteKey, WitnessPolicy};

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
    // The full one, which may stand there in its place, was looked for too, and is not due yet.
    let said = check(&report, "entries").1;
    assert!(
        said.ends_with("/tile/entries/002.p/188 is not there"),
        "{said}"
    );

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

/// Audits a site that nobody answers beside, without projections.
fn audited(
    site: &dyn Site,
    keys: &[NoteKey],
    state: &Path,
    write_after_entries: u64,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<Report, AuditError> {
    audit(&AuditParts {
        site,
        archive: Err("nobody is asked".to_owned()),
        sources: None,
        folds: &[],
        state,
        keys,
        witnesses: &WitnessPolicy::nobody(),
        seed: [7; 32],
        write_after_entries,
        progress,
    })
}

/// How many entries a bundle has.
const BUNDLE: u64 = 256;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_checked_is_written_out_now_and_then_so_that_a_kill_costs_little() {
    let (mut archive, key) = archive().await;
    grow(&mut archive, 5_000).await;
    let whole = served(&archive).await;
    let keys = [verifier(&key)];
    let mut torn = whole.clone();
    torn.remove("tile/entries/018");
    let torn = Away(torn);
    let home = tempfile::tempdir().unwrap();
    for (write_after_entries, least) in [(1_000, 3_000), (2_000, 2_000), (1 << 16, 0)] {
        let state = home.path().join(format!("after-{write_after_entries}"));
        let written = AtomicU64::new(0);
        let look = |_, _| {
            written.fetch_max(checked(&state), Ordering::Relaxed);
        };
        let ended = audited(&torn, &keys, &state, write_after_entries, &look);
        assert!(matches!(ended, Err(AuditError::Site(_))), "{ended:?}");
        let written = written.into_inner();
        assert!((least..18 * BUNDLE).contains(&written), "{written}");
        assert_eq!(written == 0, least == 0, "{written}");
        // It goes on where what was there to be read ended.
        assert_eq!(checked(&state), 18 * BUNDLE);
        let whole = Away(whole.clone());
        let report = audited(&whole, &keys, &state, write_after_entries, &|_, _| {}).unwrap();
        assert_eq!(report.checked_before, 18 * BUNDLE, "{report:?}");
        assert_eq!((report.checked, checked(&state)), (5_000, 5_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_from_the_middle_of_an_audit_is_refused_beside_newer_tables() {
    let (mut archive, key) = archive().await;
    grow(&mut archive, 700).await;
    let whole = served(&archive).await;
    let keys = [verifier(&key)];
    let home = tempfile::tempdir().unwrap();
    let state = home.path().join("archive.audit");
    let until = |bundle: &str| {
        let mut torn = whole.clone();
        torn.remove(bundle);
        let ended = audited(&Away(torn), &keys, &state, 1 << 16, &|_, _| {});
        assert!(matches!(ended, Err(AuditError::Site(_))), "{ended:?}");
    };
    until("tile/entries/001");
    let older = fs::read(&state).unwrap();
    until("tile/entries/002.p/188");
    let newer = fs::read(&state).unwrap();
    let checkpoint = |state: &[u8]| {
        let state: serde_json::Value = serde_json::from_slice(state).unwrap();
        state["checkpoint"].clone()
    };
    assert_eq!(checkpoint(&older), checkpoint(&newer));

    let whole = Away(whole);
    let again = || audited(&whole, &keys, &state, 1 << 16, &|_, _| {});
    fs::write(&state, &older).unwrap();
    let refused = again().unwrap_err().to_string();
    assert!(
        refused.contains("512 entries were judged there, and the file beside it is an older one, which remembers 256 "),
        "{refused}"
    );
    assert!(refused.contains("remove it"), "{refused}");
    assert_eq!(fs::read(&state).unwrap(), older);
    // Tables that are older than the file are filled again, and so are those that are gone.
    fs::write(&state, &newer).unwrap();
    fs::remove_dir_all(home.path().join("archive.audit.d")).unwrap();
    let report = again().unwrap();
    assert_eq!((report.checked_before, report.checked), (0, 700));
    assert_eq!(report.unjudged_count, 2, "{report:?}");
}
