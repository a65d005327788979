//! The overviews, as people type them.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use program::{Daemon, Ended};
use serde_json::Value;

/// What an overview says of the example, drawn and as JSON.
fn asked(daemon: &Daemon, command: &[&str]) -> (Ended, Vec<Value>) {
    let drawn = daemon.ask(command).code(0);
    let json = daemon.ask(&[command, &["--json"]].concat()).code(0);
    let pages = json
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap());
    (drawn, pages.collect())
}

fn slugs(pages: &[Value], items: &str, field: &str) -> Vec<String> {
    let items = pages
        .iter()
        .flat_map(|page| page[items].as_array().unwrap());
    items
        .map(|it| it[field].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_example_is_told_at_a_glance() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let everybody = [
        "kremlin",
        "lavrov",
        "putin",
        "russia",
        "ukraine",
        "ukraine-presidency",
        "ushakov",
        "zelenskyy",
    ];
    let (drawn, pages) = asked(&daemon, &["positions", "leaders-meeting"]);
    assert_eq!(slugs(&pages, "positions", "actor"), everybody);
    drawn.says("OPEN {moscow}").says("EVADED").says("basis: ");

    let (_, pages) = asked(&daemon, &["positions", "leaders-meeting", "--limit", "3"]);
    assert_eq!(slugs(&pages, "positions", "actor"), everybody[..3]);
    let cut = daemon.ask(&["positions", "leaders-meeting", "--limit", "3"]);
    cut.code(0).complains("the first 3 are shown");

    let (drawn, _) = asked(
        &daemon,
        &["changes", "leaders-meeting", "--milestone", "alaska-summit"],
    );
    drawn
        .says("CONDITIONS_CHANGED, certain; the later statement: SINCE the milestone")
        .says("FIRST_STATED");
    let known = [
        "changes",
        "leaders-meeting",
        "--from-known-at",
        "40",
        "--to-known-at",
        "46",
    ];
    let (drawn, pages) = asked(&daemon, &known);
    drawn.says("recorded since  [43] [44] [45]");
    for pair in pages[0]["comparisons"].as_array().unwrap() {
        assert_eq!(pair["otherCauses"], false, "{pair}");
        assert_ne!(pair["entryCount"], "0", "{pair}");
    }

    let evasions = [
        "testimonies",
        "kremlin",
        "leaders-meeting",
        "--standing",
        "evasions",
    ];
    let (drawn, pages) = asked(&daemon, &evasions);
    assert_eq!(slugs(&pages, "testimonies", "speaker"), ["ushakov"; 2]);
    drawn.says("DEFLECTED").says("DECLINED");

    let (drawn, _) = asked(
        &daemon,
        &["coverage", "leaders-meeting", "--reading", "unread"],
    );
    drawn
        .says("Press digest, 19 August 2025")
        .says("0 sources read for the topic");
    let agreement = daemon.ask(&["agreement", "leaders-meeting"]);
    agreement.code(0).says("alpha is not defined");
    for nothing in ["reversals", "divergences", "references"] {
        let (drawn, _) = asked(&daemon, &[nothing, "leaders-meeting"]);
        drawn.says("nothing such is on record");
    }
    let standing = daemon.ask(&[
        "testimonies",
        "kremlin",
        "leaders-meeting",
        "--standing",
        "high",
    ]);
    standing.code(2).complains("POSSIBLE, REPORTED, CANDIDATES");
}
