//! A ledger that was doctored by somebody capable: `check` (with a checkpoint that was kept), `audit`
//! (with its memory) and `verify` catch it, each in its own way, through the real program. The
//! doctored archive is served by a daemon, and signed with the archive's own key.
#![cfg(feature = "daemon")]

#[path = "common/doctored.rs"]
mod doctored;
#[path = "common/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use doctored::{Doctoring, copy, doctor, forget};
use onrecord::bundle;
use onrecord::merkle::{Checkpoint, CosignatureTime, NoteKey, SignedNote, WitnessKey, cosign};
use onrecord::record::SigningKey;
use onrecord::record::proto;
use program::{Daemon, Ended, onrecord, run};
use prost::Message as _;
use tempfile::TempDir;

/// The position that bundles are made of.
const ASKED: [&str; 5] = [
    "position",
    "kremlin",
    "leaders-meeting",
    "--as-of",
    "2025-08-20",
];

/// An archive as it was, and what people kept of it.
struct Kept {
    home: TempDir,
    key: NoteKey,
}

impl Kept {
    /// Founds an archive, has an auditor and others look at it, and stops it.
    fn of_the_example() -> Self {
        let daemon = Daemon::start();
        daemon.append_example().code(0);
        daemon.wait_for_checkpoint();
        let note = daemon.ask(&["checkpoint"]).code(0).out;
        fs::write(daemon.home.path().join("kept.txt"), note).unwrap();
        let key: NoteKey = daemon.verifier_key().parse().unwrap();
        audit(&daemon, &key).code(0);
        export(&daemon, &key, &[]).code(0);
        let mut asked = vec!["bundle"];
        asked.extend(ASKED);
        asked.extend(["--output", "answer.bundle"]);
        daemon.ask(&asked).code(0);
        let home = daemon.terminate_in_place();
        Self { home, key }
    }

    fn checkpoint(&self) -> PathBuf {
        self.home.path().join("kept.txt")
    }

    /// A copy of everything, whose ledger is doctored, and which the signer signs as if it had
    /// never signed anything.
    fn doctored(&self, doctoring: Doctoring) -> TempDir {
        let home = tempfile::tempdir().unwrap();
        for entry in fs::read_dir(self.home.path()).unwrap() {
            let (from, to) = {
                let from = entry.unwrap().path();
                let to = home.path().join(from.file_name().unwrap());
                (from, to)
            };
            if from.is_dir() {
                copy(&from, &to);
            } else {
                fs::copy(from, to).unwrap();
            }
        }
        fs::remove_dir_all(home.path().join("bag")).unwrap();
        doctor(&home.path().join("onrecord-data"), doctoring);
        forget(&home.path().join("onrecord-data-signer"));
        home
    }

    /// `check`, against the checkpoint that was kept.
    fn check(&self, home: &Path) -> Ended {
        run(onrecord()
            .current_dir(home)
            .args(["check", "--checkpoint"])
            .arg(self.checkpoint())
            .args(["--key", &self.key.to_string()]))
    }
}

/// `audit`, with the memory of whoever audited the archive before.
fn audit(daemon: &Daemon, key: &NoteKey) -> Ended {
    let key = key.to_string();
    daemon.ask(&[
        "audit",
        &daemon.server,
        "--state",
        "archive.audit",
        "--key",
        &key,
    ])
}

/// `verify`, of the archive as it is exported.
fn export(daemon: &Daemon, key: &NoteKey, witness: &[&str]) -> Ended {
    daemon.ask(&["export", "archive", "bag"]).code(0);
    let key = key.to_string();
    daemon.ask(&[&["verify", "bag", "--key", &key], witness].concat())
}

/// What was said, as if the lines had no end.
fn unwrapped(mut ended: Ended) -> Ended {
    let words: Vec<&str> = ended.out.split_whitespace().collect();
    ended.out = words.join(" ");
    ended
}

struct Case {
    name: &'static str,
    doctoring: Doctoring,
    /// What is found in the entries, by whoever judges them again.
    finding: &'static str,
    /// What is told of the history, by an auditor who saw the one before.
    history: &'static str,
    /// What is told of it against the checkpoint that was kept.
    held: &'static str,
}

const CASES: [Case; 5] = [
    Case {
        name: "an entry altered",
        doctoring: |entries| {
            let envelope = entries[20].envelope.as_mut().unwrap();
            let mut record = proto::Record::decode(envelope.payload.clone()).unwrap();
            record.signed_at.as_mut().unwrap().seconds += 1;
            envelope.payload = Bytes::from(record.encode_to_vec());
        },
        finding: "entry 20: admission does not let it in: BAD_SIGNATURE",
        history: "fork: ",
        held: "this is another history",
    },
    Case {
        name: "an entry removed",
        doctoring: |entries| drop(entries.remove(1)),
        finding: "admission does not let it in",
        history: "fork: ",
        held: "its end is missing",
    },
    Case {
        name: "entries reordered",
        doctoring: |entries| {
            let last = entries.len() - 1;
            entries.swap(1, last);
        },
        finding: "entry 1: admission does not let it in",
        history: "fork: ",
        held: "this is another history",
    },
    Case {
        name: "an entry doubled",
        doctoring: |entries| entries.push(entries[5].clone()),
        finding: "its record is on record already, as entry 5",
        history: "rewritten: ",
        held: "this is another history",
    },
    Case {
        name: "entries back-dated",
        doctoring: |entries| {
            for entry in entries {
                entry.recorded_at.as_mut().unwrap().seconds -= 20 * 365 * 86_400;
            }
        },
        finding: "IN_THE_FUTURE",
        history: "fork: ",
        held: "this is another history",
    },
];

#[test]
fn what_was_doctored_and_signed_anew_is_caught_by_check_audit_and_verify() {
    let kept = Kept::of_the_example();
    kept.check(kept.home.path()).code(0);
    for case in CASES {
        println!("{}", case.name);
        let home = kept.doctored(case.doctoring);
        let daemon = Daemon::start_in(home, &[]);
        daemon.wait_for_checkpoint();
        // The auditor remembers what the archive signed before.
        audit(&daemon, &kept.key).code(1).says(case.history);
        // Whoever verifies all of it needs no memory.
        unwrapped(export(&daemon, &kept.key, &[]).code(1)).says(case.finding);
        let home = daemon.terminate_in_place();
        // The directory by itself shows it, and that it is not what was signed.
        kept.check(home.path())
            .code(1)
            .says("ledger: whole")
            .says("entries: DAMAGED")
            .says(case.finding)
            .says("checkpoint: DAMAGED")
            .says(case.held);
    }
}

#[test]
fn a_fork_after_a_restore_is_caught_by_check_and_audit_and_by_verify_with_a_witness() {
    let kept = Kept::of_the_example();
    let witness = SigningKey::from_seed([21; 32]);
    let name = "witness.example";
    // The witness cosigned what the archive signed first, and never anything that does not
    // begin with it.
    let answer = kept.home.path().join("answer.bundle");
    let mut bundle = bundle::decode(&fs::read(&answer).unwrap()).unwrap();
    let note = SignedNote::parse(bundle.checkpoint.as_bytes()).unwrap();
    let checkpoint = Checkpoint::open(&note, &kept.key).unwrap();
    let time = CosignatureTime::from_unix_seconds(1_800_000_000).unwrap();
    let line = cosign(&checkpoint, name.parse().unwrap(), &witness, time);
    bundle.checkpoint = note.with(vec![line]).unwrap().to_string();
    fs::write(&answer, bundle::encode(&bundle)).unwrap();
    let witness = WitnessKey::new(name.parse().unwrap(), witness.public());
    let (key, witness) = (kept.key.to_string(), witness.note_key().to_string());
    let verify = |home: &Path, witness: &[&str]| {
        run(onrecord()
            .current_dir(home)
            .args(["verify", "answer.bundle", "--key", &key])
            .args(witness))
    };
    let witnessed = ["--witness", &witness[..]];
    verify(kept.home.path(), &witnessed).code(0);

    // A state of before, and then other entries: each of them is as an archive takes it.
    let home = kept.doctored(|entries| entries.truncate(entries.len() - 5));
    fs::remove_file(home.path().join("answer.bundle")).unwrap();
    let daemon = Daemon::start_in(home, &[]);
    daemon.append_example().code(0);
    daemon.wait_for_checkpoint();
    audit(&daemon, &kept.key).code(1).says("fork: ");
    let mut asked = vec!["bundle"];
    asked.extend(ASKED);
    asked.extend(["--output", "answer.bundle"]);
    daemon.ask(&asked).code(0);
    // By itself everything agrees: it takes somebody who has seen the other history.
    verify(daemon.home.path(), &[]).code(0);
    unwrapped(verify(daemon.home.path(), &witnessed).code(1))
        .says("cosigned by 0 of the trusted witnesses; 1 are asked for");
    export(&daemon, &kept.key, &[]).code(0);
    let home = daemon.terminate_in_place();
    run(onrecord().current_dir(home.path()).arg("check")).code(0);
    kept.check(home.path())
        .code(1)
        .says("entries: whole")
        .says("this is another history");
    // So does what the archive's own signer noted, where that was not doctored, too.
    let signer = kept.home.path().join("onrecord-data-signer");
    run(onrecord()
        .current_dir(home.path())
        .arg("check")
        .arg("--signer")
        .arg(signer))
    .code(1)
    .says("signer: DAMAGED");
}
