//! `onrecord bundle`, `onrecord proof` and `onrecord verify`, on the example archive: by the real
//! program, and with no daemon where nobody is asked.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use std::fs;
use std::path::Path;

use program::{Daemon, Ended, onrecord, run};

/// Verifies without any daemon to ask.
fn verify(home: &Path, arguments: &[&str]) -> Ended {
    run(onrecord()
        .arg("verify")
        .args(arguments)
        .env("ONRECORD_SERVER", "http://127.0.0.1:1")
        .current_dir(home))
}

fn example() -> (Daemon, String) {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    // A checkpoint that commits to all of it.
    daemon.ask(&["proof", "0", "--output", "first"]).code(0);
    let key = daemon.verifier_key();
    (daemon, key)
}

/// The statements' ids.
fn statements(daemon: &Daemon) -> Vec<String> {
    let listed = daemon.ask(&["list", "statements", "--json"]).code(0);
    let listed = listed.json();
    let id = |it: &serde_json::Value| it["statementId"].as_str().unwrap().to_owned();
    let listed = listed["statements"].as_array().unwrap().iter();
    listed.map(id).collect()
}

#[test]
fn every_statement_and_position_of_the_example_is_verified_offline() {
    let (daemon, key) = example();
    let statements = statements(&daemon);
    assert!(statements.len() > 10);
    let mut files = Vec::new();
    for (number, id) in statements.iter().enumerate() {
        let file = format!("s{number}.bundle");
        daemon
            .ask(&["bundle", "statement", id, "--documents", "--output", &file])
            .code(0)
            .says("onrecord verify");
        files.push(file);
    }
    for actor in [
        "kremlin",
        "russia",
        "putin",
        "ukraine",
        "white-house",
        "zelenskyy",
    ] {
        for as_of in ["2025-08-14", "2025-08-25"] {
            let file = format!("{actor}-{as_of}.bundle");
            daemon
                .ask(&[
                    "bundle",
                    "position",
                    actor,
                    "leaders-meeting",
                    "--as-of",
                    as_of,
                    "--documents",
                    "--output",
                    &file,
                ])
                .code(0);
            files.push(file);
        }
    }
    let home = daemon.terminate_in_place();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let verified = verify(
        home.path(),
        &[&files[..], &["--key", &key, "--json"]].concat(),
    );
    let verified = verified.code(0).json();
    for file in verified["files"].as_array().unwrap() {
        assert_eq!(file["verdict"], "yes", "{file}");
        // That nobody named witnesses.
        assert_eq!(file["unchecked"], 1, "{file}");
    }
    assert!(
        verified["notProven"][0]
            .as_str()
            .unwrap()
            .contains("left out")
    );
}

#[test]
fn a_verdict_is_drawn_line_by_line_for_people() {
    let (daemon, key) = example();
    let id = statements(&daemon).remove(0);
    daemon
        .ask(&["bundle", "statement", &id, "--output", "one.bundle"])
        .code(0);
    let verified = verify(daemon.home.path(), &["one.bundle", "--key", &key]);
    verified
        .code(0)
        .says("one.bundle: yes, but for 2 things that could not be checked")
        .says("the checkpoint of onrecord.invalid/")
        .says("no witnesses were named")
        .says("entry 0: archiveFounded recorded at")
        .says("A yes does not say");
    // What was not looked at can be asked to count as a no.
    let verified = verify(
        daemon.home.path(),
        &["one.bundle", "--key", &key, "--strict"],
    );
    let verified = verified.code(1).says("one.bundle: NO");
    // What a yes does not say is nothing to whoever reads a no.
    assert!(!verified.out.contains("A yes does not say"));
    daemon
        .ask(&["bundle", "statement", &id, "--output", "one.bundle"])
        .code(1)
        .complains("--force");
    daemon
        .ask(&[
            "bundle",
            "statement",
            &id,
            "--output",
            "one.bundle",
            "--force",
            "--no-texts",
        ])
        .code(0);
    verify(daemon.home.path(), &["one.bundle", "--key", &key])
        .code(0)
        .says("was not checked");
}

#[test]
fn a_proof_of_an_entry_is_verified_with_its_bytes() {
    let (daemon, key) = example();
    let home = daemon.home.path();
    daemon
        .ask(&["proof", "7"])
        .code(0)
        .says("entry-7.tlog-proof");
    let record = daemon.ask(&["read", "7", "--json"]).code(0).json();
    let record = record["entry"]["recordId"].as_str().unwrap().to_owned();
    daemon.ask(&["proof", &record, "--output", "by-id"]).code(0);
    // Also where the whole name of the proof is given.
    daemon
        .ask(&["proof", "7", "--output", "whole.1.tlog-proof"])
        .code(0)
        .says("whole.1.tlog-proof: entry 7, whose bytes are in whole.1.entry\n");
    let [first, others @ ..] = ["entry-7.entry", "by-id.entry", "whole.1.entry"]
        .map(|it| fs::read(home.join(it)).unwrap());
    assert_eq!(others, [&first[..]; 2]);
    verify(
        home,
        &[
            "entry-7.tlog-proof",
            "by-id.tlog-proof",
            "whole.1.tlog-proof",
            "first.tlog-proof",
            "--key",
            &key,
        ],
    )
    .code(0)
    .says("entry-7.tlog-proof: yes")
    .says("an evidence bundle does");
    let mut altered = first;
    *altered.last_mut().unwrap() ^= 1;
    fs::write(home.join("entry-7.entry"), altered).unwrap();
    verify(home, &["entry-7.tlog-proof", "--key", &key])
        .code(1)
        .says("entry-7.tlog-proof: NO")
        .says("not in the ledger of the checkpoint");
    fs::remove_file(home.join("entry-7.entry")).unwrap();
    verify(home, &["entry-7.tlog-proof", "--key", &key])
        .code(2)
        .complains("entry-7.entry");
}

#[test]
fn what_was_changed_is_a_no_and_what_cannot_be_asked_is_usage() {
    let (daemon, key) = example();
    let home = daemon.home.path();
    let id = statements(&daemon).remove(0);
    daemon
        .ask(&["bundle", "statement", &id, "--output", "one.bundle"])
        .code(0);
    let whole = fs::read(home.join("one.bundle")).unwrap();
    fs::write(home.join("short.bundle"), &whole[..whole.len() / 2]).unwrap();
    let mut flipped = whole;
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    fs::write(home.join("flipped.bundle"), flipped).unwrap();
    fs::write(home.join("letter.txt"), "Dear Sir").unwrap();
    for (file, says) in [
        ("short.bundle", "truncated or damaged"),
        ("flipped.bundle", "NO"),
        ("letter.txt", "not an evidence bundle"),
    ] {
        verify(home, &[file, "--key", &key]).code(1).says(says);
    }
    // A bundle that holds does not make up for one that does not.
    verify(home, &["one.bundle", "letter.txt", "--key", &key]).code(1);
    // Nor does one that is missing keep the others from being checked.
    verify(home, &["missing.bundle", "one.bundle", "--key", &key])
        .code(2)
        .complains("missing.bundle")
        .says("it cannot be read")
        .says("one.bundle: yes");
    verify(home, &[".", "--key", &key])
        .code(1)
        .says("it has no bagit.txt");
    let foreign = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    verify(home, &["one.bundle", "--key", foreign])
        .code(1)
        .says("not the trusted archive's");
    for usage in [
        &["one.bundle"][..],
        &["one.bundle", "--key", "no key"],
        &["first.entry", "--key", &key],
        &["one.bundle", "--key", &key, "--quorum", "1"],
        &["one.bundle", "--key", &key, "--witness", &key],
        &["--key", &key],
    ] {
        verify(home, usage).code(2);
    }
    daemon
        .ask(&[
            "bundle",
            "statement",
            &"0".repeat(64),
            "--output",
            "none.bundle",
        ])
        .code(1)
        .complains("not on record");
    daemon
        .ask(&[
            "bundle",
            "position",
            "kremlin",
            "no-topic",
            "--output",
            "none.bundle",
        ])
        .code(1)
        .complains("not on record");
    daemon
        .ask(&["proof", "1000000"])
        .code(2)
        .complains("beyond the ledger");
    daemon
        .ask(&["proof", "99999999999999999999"])
        .code(2)
        .complains("\"99999999999999999999\" is neither an index nor a record id; accepted: an index, such as 7, or a record id, 64 lower-case hex digits");
    assert!(!home.join("none.bundle").exists());
}

#[test]
fn a_proof_of_one_entry_never_passes_strictly_and_says_what_it_does_not_show() {
    let (daemon, key) = example();
    daemon.ask(&["proof", "5", "--output", "five"]).code(0);
    let proof = "five.tlog-proof";
    let home = daemon.home.path();
    verify(home, &[proof, "--key", &key])
        .code(0)
        .says("an evidence bundle does");
    verify(home, &[proof, "--key", &key, "--strict"]).code(1);
    let help = run(onrecord().args(["verify", "--help"])).code(0).out;
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("A .tlog-proof never passes so"), "{help}");
}

#[test]
fn what_is_proven_and_what_is_not_is_told_on_one_page() {
    let page = include_str!("../docs/PROOF.md");
    let words: Vec<&str> = page.split_whitespace().collect();
    assert!(words.len() <= 900, "{} words", words.len());
    let page = words.join(" ");
    for claim in [
        "**Verified is not true.**",
        "**a bundle does not show it.**",
        "**Take the key from elsewhere than the file.**",
        "it cannot see a history rewritten whole",
        "proves an order only",
        "## What is not proven",
    ] {
        assert!(page.contains(claim), "{claim}");
    }
}
