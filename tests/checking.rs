//! `onrecord check`: what is damaged or doctored in a stopped data directory is named, and nothing
//! damaged is called whole.
#![cfg(feature = "daemon")]

#[path = "common/doctored.rs"]
mod doctored;
#[path = "common/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use doctored::copy;
use onrecord::app;
use onrecord::audit::{Elsewhere, KeptCheckpoint, PartState, Report};
use onrecord::merkle::{Checkpoint, Hash, NoteKey, NoteKeyType, root_of};
use onrecord::record::SigningKey;
use onrecord::storage::{Signed, SignerDir};
use program::{Daemon, files, onrecord, run};
use tempfile::TempDir;

/// How many bytes are flipped, unless `ONRECORD_FLIPS` says otherwise.
const FLIPS: usize = 60;

const SEED: [u8; 32] = [7; 32];

/// A stopped archive with the example in it.
fn stopped() -> (TempDir, PathBuf) {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let home = daemon.terminate_in_place();
    let data = home.path().join("onrecord-data");
    (home, data)
}

fn check(data: &Path) -> Report {
    let scratch = tempfile::tempdir().unwrap();
    app::check(data, &Elsewhere::default(), scratch.path(), SEED).unwrap()
}

fn snapshot(dir: &Path) -> Vec<(PathBuf, blake3::Hash)> {
    let hash = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        (path, blake3::hash(&bytes))
    };
    files(dir).into_iter().map(hash).collect()
}

#[test]
fn a_whole_data_directory_is_called_whole_and_not_a_byte_of_it_is_changed() {
    let (home, data) = stopped();
    let before = snapshot(&data);
    let ended = run(onrecord().current_dir(home.path()).args(["check"]))
        .code(0)
        .says("a history that was rewritten whole cannot be seen");
    let parts = [
        "FORMAT",
        "HEAD",
        "ledger",
        "entries",
        "sources",
        "texts",
        "admission",
        "catalog",
        "positions",
        "postings",
        "statements",
        "tiles",
    ];
    for part in parts {
        let line = ended.out.lines().find(|line| line.contains(part));
        let line = line.unwrap_or_else(|| panic!("no {part} in\n{}", ended.out));
        assert!(line.contains(": whole"), "{line}");
    }
    assert_eq!(snapshot(&data), before);
    // A backup of it is whole, too, without tables and texts.
    let report = check(&data);
    assert!(report.is_whole);
    let restored = home.path().join("again");
    run(onrecord()
        .arg("restore")
        .arg(&data)
        .arg("--data")
        .arg(&restored))
    .code(0);
    let report = run(onrecord()
        .args(["check", "--json", "--data"])
        .arg(&restored))
    .code(0);
    assert_eq!(report.json()["isWhole"], true);
    let states = report.json()["parts"].as_array().unwrap().clone();
    assert!(states.iter().any(|part| part["state"] == "ABSENT"));
}

#[test]
fn a_directory_in_use_and_one_that_is_none_are_not_checked() {
    let daemon = Daemon::start();
    daemon.ask(&["check"]).code(1).complains("in use");
    daemon
        .ask(&["check", "--data", "nowhere"])
        .code(1)
        .complains("nowhere does not exist; name the directory of an archive");
    fs::create_dir(daemon.home.path().join("empty")).unwrap();
    let checked = daemon.ask(&["check", "--data", "empty"]);
    checked
        .code(1)
        .says("empty holds no archive: there is no FORMAT in it; name the directory");
}

#[test]
fn a_byte_that_is_flipped_is_reported_or_does_not_matter() {
    let flips = std::env::var("ONRECORD_FLIPS");
    let flips = flips.map_or(FLIPS, |flips| flips.parse().unwrap());
    let (home, data) = stopped();
    let whole = Arc::new(check(&data));
    assert!(whole.is_whole, "{whole:#?}");
    let threads = 2;
    let workers = (0..threads).map(|thread| {
        let data_copy = home.path().join(format!("copy-{thread}"));
        copy(&data, &data_copy);
        assert_eq!(check(&data_copy).parts, whole.parts);
        let whole = Arc::clone(&whole);
        thread::spawn(move || flip_some(&data_copy, &whole, thread as u64, flips / threads))
    });
    let workers: Vec<_> = workers.collect();
    let reported: usize = workers.into_iter().map(|it| it.join().unwrap()).sum();
    // Most bytes of an almost empty log are free space; half of the flips hit a file each.
    assert!(reported * 4 > flips, "{reported} of {flips} were reported");
}

/// Flips so many bytes, each alone; how many were reported.
fn flip_some(data: &Path, whole: &Report, seed: u64, flips: usize) -> usize {
    let mut random = Random(0x0dd0_5eed ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    // The lock and the count of openings are nothing that is on record.
    let counts = |path: &PathBuf| {
        let path = path.strip_prefix(data).unwrap();
        fs::metadata(data.join(path)).unwrap().len() > 0
            && !["LOCK", "ledger/EPOCH"]
                .iter()
                .any(|it| path.starts_with(it))
    };
    let all: Vec<PathBuf> = files(data).into_iter().filter(counts).collect();
    let total: u64 = all.iter().map(|it| fs::metadata(it).unwrap().len()).sum();
    let mut reported = 0;
    for flip in 0..flips {
        // One byte of all, then one byte of a file among all.
        let (path, at) = if flip % 2 == 0 {
            at_byte(&all, random.below(total))
        } else {
            let file = usize::try_from(random.below(all.len() as u64)).unwrap();
            let path = &all[file];
            (path, random.below(fs::metadata(path).unwrap().len()))
        };
        let bit = 1 << random.below(8);
        let mut bytes = fs::read(path).unwrap();
        let place = usize::try_from(at).unwrap();
        bytes[place] ^= bit;
        fs::write(path, &bytes).unwrap();
        let before = snapshot(data);
        let report = check(data);
        assert_eq!(snapshot(data), before, "{} was changed", path.display());
        if report.is_whole {
            // Every entry, document and row was looked at, as many as without the flip.
            assert_eq!(report.parts, whole.parts, "{} at {at}", path.display());
        } else {
            reported += 1;
        }
        let relative = path.strip_prefix(data).unwrap();
        let matters = ["sources", "texts", "HEAD"];
        if matters.iter().any(|it| relative.starts_with(it)) {
            assert!(!report.is_whole, "{} at {at}", path.display());
        }
        bytes[place] ^= bit;
        fs::write(path, &bytes).unwrap();
    }
    reported
}

/// The file and offset of a byte among those of all files.
fn at_byte(files: &[PathBuf], mut at: u64) -> (&PathBuf, u64) {
    for path in files {
        let length = fs::metadata(path).unwrap().len();
        if at < length {
            return (path, at);
        }
        at -= length;
    }
    unreachable!("the offset lies within the files")
}

/// splitmix64.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % end
    }
}

#[test]
fn files_that_are_gone_are_named() {
    let (_home, data) = stopped();
    let source = files(&data.join("sources")).pop().unwrap();
    let bytes = fs::read(&source).unwrap();
    fs::remove_file(&source).unwrap();
    let report = check(&data);
    let sources = part(&report, "sources");
    assert_eq!(sources.state, PartState::Damaged);
    let id = blake3::hash(&bytes).to_hex();
    assert!(sources.findings[0].contains(id.as_str()));
    // The records that rest on it could not be judged.
    let entries = part(&report, "entries");
    assert!(entries.findings[0].contains("could not be judged"));
    fs::write(&source, bytes).unwrap();

    fs::remove_file(data.join("HEAD")).unwrap();
    assert_eq!(part(&check(&data), "HEAD").state, PartState::Damaged);
}

fn part<'r>(report: &'r Report, name: &str) -> &'r onrecord::audit::Part {
    let found = report.parts.iter().find(|part| part.name == name);
    found.unwrap_or_else(|| panic!("no {name} in {report:#?}"))
}

/// A checkpoint of that many entries under a root, signed as nobody did.
fn kept(origin: &str, size: u64, root: Hash, key: &SigningKey) -> Vec<u8> {
    let checkpoint = Checkpoint::new(origin.parse().unwrap(), size, root).unwrap();
    checkpoint.sign(key).to_string().into_bytes()
}

fn note_key(origin: &str, key: &SigningKey) -> NoteKey {
    NoteKey::new(origin.parse().unwrap(), NoteKeyType::Log, key.public())
}

#[test]
fn a_ledger_is_held_against_a_checkpoint_that_was_kept() {
    let daemon = Daemon::start();
    let early = daemon.ask(&["checkpoint"]).code(0).out;
    daemon.append_example().code(0);
    let status = daemon.ask(&["status", "--json"]).json();
    let key = daemon.verifier_key();
    let origin = status["origin"].as_str().unwrap().to_owned();
    let home = daemon.terminate_in_place();
    let file = |name: &str, bytes: &[u8]| {
        let path = home.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    };
    let check = |checkpoint: &Path, keys: &[&str]| {
        let mut command = onrecord();
        command.current_dir(home.path()).arg("check");
        command.arg("--checkpoint").arg(checkpoint);
        for key in keys {
            command.args(["--key", key]);
        }
        run(&mut command)
    };
    // One of an earlier size, by one of several keys.
    let stranger = SigningKey::from_seed([9; 32]);
    let other = note_key(&origin, &stranger).to_string();
    let early = file("early", early.as_bytes());
    check(&early, &[&other, &key])
        .code(0)
        .says("checkpoint: whole (1 entries with the root ")
        .says(&format!("signed by {key}"))
        .says("signer: whole (")
        .says("begins with all that the checkpoint commits to");

    let root = root_of(&[]);
    let of = |origin: &str, size| kept(origin, size, root, &stranger);
    let elsewhere = "elsewhere.example";
    let foreign = note_key(elsewhere, &stranger).to_string();
    let cases: [(&str, Vec<u8>, &str, &str); 6] = [
        (
            "other-root",
            of(&origin, 3),
            &other,
            "this is another history",
        ),
        ("beyond", of(&origin, 9_999), &other, "its end is missing"),
        (
            "foreign",
            of(elsewhere, 3),
            &foreign,
            "it is of elsewhere.example, and the ledger is that of",
        ),
        (
            "foreign-key",
            of(&origin, 3),
            &key,
            "none of the keys that were given signed it",
        ),
        (
            "no-note",
            b"three entries".to_vec(),
            &key,
            "it is no signed note",
        ),
        (
            "bad-signature",
            String::from_utf8(of(&origin, 3))
                .unwrap()
                .replacen("\n3\n", "\n4\n", 1)
                .into(),
            &other,
            "it is not to be believed: ",
        ),
    ];
    for (name, note, key, says) in cases {
        let note = file(name, &note);
        check(&note, &[key])
            .code(1)
            .says("checkpoint: DAMAGED")
            .says(says)
            .says("which show it together");
    }
    check(&early, &[]).code(2).complains("--key");
    run(onrecord().args(["check", "--key", &key]))
        .code(2)
        .complains("--checkpoint");
    check(&home.path().join("nowhere"), &[&key]).code(2);
}

#[test]
fn a_ledger_is_held_against_what_the_signer_noted() {
    let (home, _) = stopped();
    let noted_in = home.path().join("onrecord-data-signer");
    let dir = SignerDir::open(&noted_in).unwrap();
    let signed = dir.read_signed().unwrap().unwrap();
    let alone = || run(onrecord().current_dir(home.path()).arg("check"));
    alone().code(0).says("with --checkpoint and --key");
    for (noted, says) in [
        (
            Signed {
                root: [7; 32],
                ..signed.clone()
            },
            "this is another history",
        ),
        (
            Signed {
                size: 9_999,
                ..signed.clone()
            },
            "its end is missing",
        ),
        (
            Signed {
                origin: "elsewhere.example".to_owned(),
                ..signed.clone()
            },
            "it is of elsewhere.example",
        ),
    ] {
        dir.write_signed(&noted).unwrap();
        alone().code(1).says("signer: DAMAGED").says(says);
    }
    fs::write(noted_in.join("signed"), "torn").unwrap();
    alone().code(1).says("signed is damaged");
    dir.write_signed(&signed).unwrap();
    let moved = home.path().join("keys");
    fs::rename(&noted_in, &moved).unwrap();
    alone().code(0).says("signer: absent");
    let named = run(onrecord()
        .current_dir(home.path())
        .args(["check", "--signer", "keys"]));
    named.code(0).says("signer: whole");
    // Where somebody names one, nothing is taken for looked at that is not there.
    let misnamed = run(onrecord()
        .current_dir(home.path())
        .args(["check", "--signer", "kyes"]));
    let misnamed = misnamed.code(1).says("signer: not checked");
    misnamed
        .says("nothing in kyes says what was signed; name the directory with the file `signed`");
}

#[test]
fn what_cannot_be_followed_as_far_as_a_checkpoint_is_not_called_whole() {
    let (home, data) = stopped();
    let key = SigningKey::from_seed([9; 32]);
    fs::write(data.join("ledger/frames/db"), b"nothing of it is left").unwrap();
    let origin = "elsewhere.example";
    let elsewhere = Elsewhere {
        checkpoint: Some(KeptCheckpoint {
            note: kept(origin, 3, root_of(&[]), &key),
            keys: vec![note_key(origin, &key)],
        }),
        ..Elsewhere::default()
    };
    let report = app::check(&data, &elsewhere, &home.path().join("scratch"), SEED);
    let report = report.unwrap();
    assert_eq!(part(&report, "checkpoint").state, PartState::Skipped);
    assert!(!report.is_whole);
}
