//! `onrecord list`, as people type it.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use program::Daemon;
use serde_json::Value;

/// A daemon with the example on record.
fn example() -> Daemon {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    daemon
}

/// The items of all pages of a list as JSON, one page a line.
fn items(daemon: &Daemon, command: &[&str], field: &str) -> Vec<Value> {
    let ended = daemon
        .ask(&[&["list"], command, &["--json"]].concat())
        .code(0);
    let pages = ended
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    pages
        .flat_map(|page| {
            assert!(page["basis"]["knownAt"].is_string(), "{page}");
            page[field].as_array().unwrap().clone()
        })
        .collect()
}

#[test]
fn every_kind_is_listed_for_people_with_the_basis_beneath() {
    let daemon = example();
    for (kind, said) in [
        ("actors", "kremlin"),
        ("mandates", "putin"),
        ("topics", "leaders-meeting"),
        ("milestones", "alaska-summit"),
        ("statements", "Verified means"),
        ("sources", "text/"),
        ("verifiers", "STEWARD"),
    ] {
        daemon
            .ask(&["list", kind])
            .code(0)
            .says(said)
            .says("basis: ");
    }
}

#[test]
fn filters_narrow_what_is_listed_and_a_limit_says_that_there_is_more() {
    let daemon = example();
    let all = items(&daemon, &["statements", "--limit", "0"], "statements");
    let of_putin = items(&daemon, &["statements", "--speaker", "putin"], "statements");
    assert!(!of_putin.is_empty() && of_putin.len() < all.len());
    for view in &of_putin {
        assert_eq!(view["statement"]["speaker"], "putin");
    }
    let backwards = ["statements", "--limit", "0", "--backwards"];
    let mut backwards = items(&daemon, &backwards, "statements");
    backwards.reverse();
    assert_eq!(backwards, all);
    let both = [
        "statements",
        "--for",
        "kremlin",
        "--topic",
        "leaders-meeting",
        "--said",
        "2025",
    ];
    for view in items(&daemon, &both, "statements") {
        let said_for = view["statement"]["saidFor"].as_array().unwrap();
        assert!(said_for.iter().any(|body| body["actor"] == "kremlin"));
    }
    let quoted = [
        "statements",
        "--wording",
        "verbatim",
        "--wording",
        "TRANSLATED",
    ];
    for view in items(&daemon, &quoted, "statements") {
        let wording = view["statement"]["wording"].as_str().unwrap();
        assert!(["WORDING_VERBATIM", "WORDING_TRANSLATED"].contains(&wording));
    }
    let mandates = items(&daemon, &["mandates", "--person", "putin"], "mandates");
    assert!(
        mandates
            .iter()
            .all(|it| it["definition"]["person"] == "putin")
    );
    assert!(!mandates.is_empty());
    daemon
        .ask(&["list", "statements", "--limit", "1"])
        .code(0)
        .complains("the first 1 is shown; --limit 0 shows all");
    daemon
        .ask(&["list", "statements", "--speaker", "nobody"])
        .code(0)
        .says("nothing such is on record");
    let before = items(&daemon, &["statements", "--known-at", "1"], "statements");
    assert_eq!(before, [Value::Null; 0]);
}

#[test]
fn what_cannot_be_listed_is_exit_code_2_with_its_reason() {
    let daemon = Daemon::start();
    for (arguments, reason) in [
        (&["statements", "--said", "soon"][..], "INVALID_DATE"),
        (&["statements", "--speaker", "No Slug"], "INVALID_REQUEST"),
        (&["statements", "--wording", "LOUD"], "VERBATIM, TRANSLATED"),
        (&["statements", "--speaker", ""], "a value is required"),
        (&["topics", "--known-at", "99"], "BEYOND_THE_HEAD"),
        (&["everything"], "unrecognized subcommand"),
    ] {
        let command = [&["list"], arguments].concat();
        daemon.ask(&command).code(2).complains(reason);
    }
}
