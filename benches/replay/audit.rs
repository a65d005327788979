//! An archive in memory, and the audit of it from outside: everything but the network.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use onrecord::app;
use onrecord::audit::WRITE_AFTER_ENTRIES;
use onrecord::audit::remote::{AuditParts, Outcome, Site, SiteError, audit};
use onrecord::fold::Fold;
use onrecord::merkle::{
    Checkpoint, Hash, NoteKey, NoteKeyType, TilePath, WitnessPolicy, encode_bundle, leaf_hash,
    new_bundles, new_tiles, root_of,
};
use onrecord::record::SigningKey;

use super::{ORIGIN, Spent, rate};

/// The files of a mirror.
struct Files(HashMap<String, Vec<u8>>);

impl Site for Files {
    fn get(&self, path: &str, _: usize) -> Result<Vec<u8>, SiteError> {
        let found = self.0.get(path).cloned();
        found.ok_or_else(|| SiteError::Missing {
            url: path.to_owned(),
        })
    }
}

/// Audits an archive of these leaves, signed by `key`, with and without its projections.
pub fn measure(leaves: &[Bytes], key: &SigningKey) {
    let files = files(leaves, key);
    let origin = ORIGIN.parse().expect("an origin");
    let keys = [NoteKey::new(origin, NoteKeyType::Log, key.public())];
    let nothing: [Arc<dyn Fold>; 0] = [];
    let all = app::folds();
    for (what, folds) in [
        ("audited, no projections", &nothing[..]),
        ("audited, with all projections", &all[..]),
    ] {
        let home = tempfile::tempdir().expect("a directory");
        let spent = Spent::begin();
        let report = audit(&AuditParts {
            site: &files,
            archive: Err("it is a mirror".to_owned()),
            sources: None,
            folds,
            state: &home.path().join("state"),
            keys: &keys,
            witnesses: &WitnessPolicy::nobody(),
            seed: [7; 32],
            write_after_entries: WRITE_AFTER_ENTRIES,
            progress: &|_, _| {},
        });
        let report = report.expect("it is audited");
        assert_eq!(report.checked, leaves.len() as u64);
        assert!(report.holds(), "{report:?}");
        let looked_at = |it: &&onrecord::audit::remote::Line| it.outcome == Outcome::Holds;
        assert!(report.checks.iter().filter(looked_at).count() > 3);
        println!("{what}: {}", rate(leaves.len() as u64, &spent));
    }
}

fn files(leaves: &[Bytes], key: &SigningKey) -> Files {
    let size = leaves.len() as u64;
    let mut levels: Vec<Vec<Hash>> = vec![leaves.iter().map(|it| leaf_hash(it)).collect()];
    let mut files = HashMap::new();
    let at = |index: u64| usize::try_from(index).expect("it is in memory");
    for id in new_tiles(0, size) {
        let level = usize::from(id.level());
        while levels.len() <= level {
            let below = levels.last().expect("there is level 0");
            levels.push(below.chunks_exact(256).map(root_of).collect());
        }
        let hashes = &levels[level][at(id.index() * 256)..][..usize::from(id.width())];
        let bytes = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        files.insert(TilePath::from(id).to_string(), bytes);
    }
    for id in new_bundles(0, size) {
        let entries = &leaves[at(id.first_entry())..][..usize::from(id.width())];
        let bundle = encode_bundle(entries.iter().map(|it| &it[..])).expect("a bundle");
        files.insert(TilePath::from(id).to_string(), bundle);
    }
    let origin = ORIGIN.parse().expect("an origin");
    let checkpoint = Checkpoint::new(origin, size, root_of(&levels[0])).expect("a checkpoint");
    files.insert(
        "checkpoint".to_owned(),
        checkpoint.sign(key).to_string().into_bytes(),
    );
    Files(files)
}
