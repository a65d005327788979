//! `onrecord timeline` and `onrecord compare` as pictures and tables: the real program asks the
//! real daemon.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use program::{Daemon, run};
use roxmltree::Document;

#[test]
fn timelines_and_comparisons_are_drawn_into_files() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let path = |name: &str| daemon.home.path().join(name).to_str().unwrap().to_owned();
    let (svg, csv, both) = (path("a.svg"), path("a.csv"), path("b.svg"));

    let timeline = [
        "timeline",
        "kremlin",
        "leaders-meeting",
        "--milestone",
        "alaska-summit",
    ];
    let files = [
        "--against",
        "ukraine-presidency",
        "--svg",
        &svg,
        "--csv",
        &csv,
    ];
    let drawn = daemon.ask(&[&timeline[..], &files].concat()).code(0);
    assert_eq!(drawn.out, "");
    let text = std::fs::read_to_string(&svg).unwrap();
    let picture = Document::parse(&text).unwrap();
    let texts: Vec<&str> = picture.descendants().filter_map(|it| it.text()).collect();
    for text in ["The Kremlin", "Ukraine's presidency", "supports", "open"] {
        assert!(texts.contains(&text), "{text} in {texts:?}");
    }
    assert!(
        texts
            .iter()
            .any(|it| it.contains("Putin and Trump meet in Anchorage"))
    );

    let table = std::fs::read_to_string(&csv).unwrap();
    let json = daemon
        .ask(&[&timeline[..3], &["--json"]].concat())
        .code(0)
        .json();
    let rows = table.matches("\r\nkremlin,leaders-meeting,").count();
    assert_eq!(rows, json["steps"].as_array().unwrap().len());
    assert!(table.contains("\r\nukraine-presidency,leaders-meeting,"));

    let comparison = [
        "compare",
        "kremlin",
        "leaders-meeting",
        "--milestone",
        "alaska-summit",
    ];
    daemon
        .ask(&[&comparison[..], &["--svg", &both]].concat())
        .code(0);
    let text = std::fs::read_to_string(&both).unwrap();
    Document::parse(&text).unwrap();
    assert!(text.contains("before alaska-summit") && text.contains("CONDITIONS_CHANGED"));

    daemon
        .ask(&[&timeline[..], &["--svg", "one.svg", "--csv", "one.svg"]].concat())
        .code(2)
        .complains("--svg and --csv name the same file; accepted: a file for each");
    assert!(!daemon.home.path().join("one.svg").exists());

    let again = path("again.svg");
    let until = ["--until", "2025-10", "--known-at", "47", "--svg"];
    for file in [&svg, &again] {
        daemon
            .ask(&[&timeline[..], &until, &[file]].concat())
            .code(0);
    }
    assert_eq!(std::fs::read(&svg).unwrap(), std::fs::read(&again).unwrap());
}

#[test]
fn several_actors_are_drawn_side_by_side_in_the_terminal() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    daemon
        .ask(&[
            "timeline",
            "kremlin",
            "leaders-meeting",
            "--against",
            "ukraine-presidency",
            "--milestone",
            "alaska-summit",
        ])
        .code(0)
        .says("┆ The Kremlin ")
        .says("┆ Ukraine's presidency ")
        .says("alaska-summit: Putin and Trump meet")
        .says("SUPPORTS 2");
    daemon
        .ask(&[
            "timeline",
            "kremlin",
            "leaders-meeting",
            "--against",
            "nobody",
        ])
        .code(1)
        .complains("UNKNOWN_ACTOR");
    let nowhere = ["--svg", "/nonexistent/a.svg"];
    daemon
        .ask(&[&["timeline", "kremlin", "leaders-meeting"][..], &nowhere].concat())
        .code(1)
        .complains("cannot write");
    run(program::onrecord().args(["timeline", "a", "b", "--svg", "x", "--json"])).code(2);
}
