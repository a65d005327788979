//! Files of records: what people are told of them, and that nothing is recorded twice.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use program::{Daemon, Ended, onrecord, run};

/// Writes a file of records beside the archive and appends it.
fn append(daemon: &Daemon, name: &str, text: &str) -> Ended {
    std::fs::write(daemon.home.path().join(name), text).unwrap();
    let key = daemon.key();
    daemon.ask(&["append", "--key", key.to_str().unwrap(), name])
}

fn actor(id: &str, name: &str) -> String {
    format!(
        r#"{{"actorDefined": {{"actorId": "{id}", "kind": "PERSON", "names": [{{"language": "en", "name": "{name}"}}]}}}}"#
    )
}

/// How many entries the ledger has.
fn size(daemon: &Daemon) -> String {
    let status = daemon.ask(&["status", "--json"]).code(0).json();
    status["head"]["size"].as_str().unwrap().to_owned()
}

const SOURCE: &str = r#"{"key": "d", "sourceArchived": {"file": "d.txt", "mediaType": "text/plain", "capturedAt": "2025-08-20T06:00:00Z", "role": "SECONDARY"}}"#;

/// What `a` said on a day, in some words of `d.txt`.
fn said(day: &str, exact: &str) -> String {
    format!(
        r#"{{"key": "said", "statementRecorded": {{"speaker": "a", "saidAt": "{day}", "wording": "PARAPHRASED", "language": "en", "text": "He is ready.", "evidence": [{{"source": "@d", "establishes": ["WORDS", "SPEAKER"], "segments": [{{"exact": "{exact}"}}]}}]}}}}"#
    )
}

fn write_source(daemon: &Daemon) {
    let path = daemon.home.path().join("d.txt");
    std::fs::write(path, "On Monday he said that he was ready to talk.\n").unwrap();
}

#[test]
fn a_definition_put_back_takes_effect_again() {
    let daemon = Daemon::start();
    for name in ["Ada", "Adele", "Ada"] {
        append(&daemon, "r.jsonl", &actor("a", name))
            .code(0)
            .complains("1 recorded");
    }
    daemon.ask(&["read", "3"]).code(0).says("\"Ada\"");
    append(&daemon, "r.jsonl", &actor("a", "Ada"))
        .code(0)
        .complains("0 recorded, 1 already");
}

#[test]
fn an_edited_line_and_a_copy_without_its_journal_are_told_on_standard_error() {
    let daemon = Daemon::start();
    write_source(&daemon);
    let text = |day: &str| [&actor("a", "A"), SOURCE, &said(day, "ready to talk")].join("\n");
    let first = append(&daemon, "r.jsonl", &text("2025-08-18")).code(0);
    assert!(!first.err.contains("note:"), "{}", first.err);
    append(&daemon, "r.jsonl", &text("2025-08-19"))
        .code(0)
        .complains("r.jsonl:3  note:")
        .complains("statementCorrected");
    append(&daemon, "copy.jsonl", &text("2025-08-19"))
        .code(0)
        .complains("copy.jsonl:1  note:")
        .complains("copy.jsonl.signed");
    // A link is no copy.
    let before = size(&daemon);
    std::os::unix::fs::symlink("r.jsonl", daemon.home.path().join("link.jsonl")).unwrap();
    let key = daemon.key();
    daemon
        .ask(&["append", "--key", key.to_str().unwrap(), "link.jsonl"])
        .code(0)
        .complains("0 recorded, 3 already");
    assert_eq!(size(&daemon), before);
}

#[test]
fn what_a_look_up_refuses_is_told_with_its_field_and_what_is_accepted() {
    let daemon = Daemon::start();
    append(&daemon, "r.jsonl", &actor("Ada Quill", "Ada"))
        .code(1)
        .says("at              actorDefined.actorId")
        .says("accepted ");
}

#[test]
fn an_end_before_a_mandate_s_start_is_refused() {
    let daemon = Daemon::start();
    let office = r#"{"actorDefined": {"actorId": "o", "kind": "ORGANIZATION", "names": [{"language": "en", "name": "O"}]}}"#;
    let granted = r#"{"mandateGranted": {"mandateId": "m", "person": "a", "organization": "o", "roleTitle": "r", "authority": "PRINCIPAL", "start": "2025-08-10"}}"#;
    let ended = r#"{"mandateEnded": {"mandateId": "m", "end": "2025-08-09", "reason": "r"}}"#;
    let text = [&actor("a", "A"), office, granted, ended].join("\n");
    append(&daemon, "r.jsonl", &text)
        .code(1)
        .says("r.jsonl:4  refused: INVALID_DATE")
        .says("mandateEnded.end")
        .says("2025-08-10T00:00:00Z, when it started, or later");
}

#[test]
fn many_mistakes_are_told_in_part_and_json_in_many_lines_gets_a_hint() {
    let daemon = Daemon::start();
    let pretty = actor("a", "A").replace(", ", ",\n") + &"\n]".repeat(30);
    let told = append(&daemon, "r.jsonl", &pretty)
        .code(2)
        .complains(" more")
        .complains("whole on one line");
    assert!(told.err.lines().count() < 30, "{}", told.err);
}

#[test]
fn the_kind_that_founds_an_archive_is_not_offered() {
    let daemon = Daemon::start();
    let refused = append(&daemon, "r.jsonl", "{\"actorDefind\": {}}")
        .code(2)
        .complains("did you mean \"actorDefined\"");
    assert!(!refused.err.contains("archiveFounded"), "{}", refused.err);
}

#[test]
fn results_as_json_name_file_line_and_key() {
    let daemon = Daemon::start();
    write_source(&daemon);
    let text = format!("{}\n\n{SOURCE}\n", actor("a", "A"));
    std::fs::write(daemon.home.path().join("r.jsonl"), text).unwrap();
    let key = daemon.key();
    let told = daemon
        .ask(&[
            "append",
            "--json",
            "--key",
            key.to_str().unwrap(),
            "r.jsonl",
        ])
        .code(0);
    let told: Vec<serde_json::Value> = told
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [first, second] = &told[..] else {
        panic!("{told:?}");
    };
    assert_eq!(
        (&first["file"], &first["line"]),
        (&"r.jsonl".into(), &1.into())
    );
    assert!(first["key"].is_null());
    assert_eq!((&second["line"], &second["key"]), (&3.into(), &"d".into()));
    assert_eq!(second["result"]["recorded"]["index"], "2");
    daemon
        .ask(&["append", "--key", key.to_str().unwrap(), "-"])
        .code(2)
        .complains("standard input is not read");
}

#[test]
fn a_line_below_a_refused_one_names_that_line() {
    let daemon = Daemon::start();
    write_source(&daemon);
    let taken_back = r#"{"statementRetracted": {"statement": "@said", "reason": "r"}}"#;
    let text = [
        &actor("a", "A"),
        SOURCE,
        &said("2025-08-18", "ready to walk"),
        taken_back,
    ]
    .join("\n");
    append(&daemon, "r.jsonl", &text)
        .code(1)
        .says("r.jsonl:4  refused: UNKNOWN_STATEMENT")
        .says("line 3 (said), which was refused")
        .says("this line once line 3 is mended");
}

#[test]
fn a_key_given_twice_and_more_keys_than_a_record_takes_are_usage_and_send_nothing() {
    let daemon = Daemon::start();
    let key = daemon.key();
    let key = key.to_str().unwrap();
    daemon.append_example().code(0);
    daemon
        .ask(&[
            "append",
            "--key",
            key,
            "--key",
            key,
            "example/records.jsonl",
        ])
        .code(2)
        .complains("given twice");
    let keys = ["--key", key].repeat(33);
    let append = [&["append"], &keys[..], &["example/records.jsonl"]].concat();
    daemon.ask(&append).code(2).complains("at most 32 keys");
    daemon
        .append_example()
        .code(0)
        .complains("0 recorded,")
        .complains("0 refused");
}

#[test]
fn a_reader_that_has_seen_enough_keeps_no_line_out() {
    let daemon = Daemon::start();
    // More lines than a pipe holds.
    let actors: Vec<String> = (0..1000).map(|n| actor(&format!("a{n}"), "A")).collect();
    std::fs::write(daemon.home.path().join("actors.jsonl"), actors.join("\n")).unwrap();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let key = daemon.key();
    let mut append = onrecord();
    append
        .args(["append", "--key", key.to_str().unwrap(), "actors.jsonl"])
        .env("ONRECORD_SERVER", &daemon.server)
        .current_dir(daemon.home.path())
        .stdout(writer)
        .stderr(std::process::Stdio::piped());
    run(&mut append)
        .code(0)
        .complains("1000 recorded, 0 already");
}

#[test]
fn a_run_that_is_cut_short_says_how_far_it_came() {
    let daemon = Daemon::start();
    let actor = r#"{"actorDefined": {"actorId": "a", "kind": "PERSON", "names": [{"language": "en", "name": "A"}]}}"#;
    for name in ["one.jsonl", "two.jsonl"] {
        std::fs::write(daemon.home.path().join(name), actor).unwrap();
    }
    // Nothing can be kept there.
    std::fs::create_dir(daemon.home.path().join("two.jsonl.signed")).unwrap();
    let key = daemon.key();
    let key = key.to_str().unwrap();
    daemon
        .ask(&["append", "--key", key, "one.jsonl", "two.jsonl"])
        .code(1)
        .complains("1 recorded, 0 already on record, 0 refused")
        .complains("two.jsonl.signed");
}

#[test]
fn the_example_is_recorded_once_however_often_it_is_appended() {
    let daemon = Daemon::start();
    let first = daemon.append_example().code(0);
    let lines = first.out.lines().count();
    assert!(
        first
            .err
            .contains(&format!("{lines} recorded, 0 already on record, 0 refused"))
    );
    let size = || daemon.ask(&["status", "--json"]).code(0).json()["head"]["size"].clone();
    let before = size();
    daemon
        .append_example()
        .code(0)
        .complains(&format!("0 recorded, {lines} already on record, 0 refused"));
    assert_eq!(size(), before);
}

#[test]
fn a_refused_line_keeps_no_other_out_and_is_told_with_file_line_and_nearest_passage() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let key = daemon.key();
    let key = key.to_str().unwrap();
    let path = daemon.home.path().join("example/more.jsonl");
    let statement = r#"{"statementRecorded": {"speaker": "zelenskyy", "saidAt": "2025-08-18", "wording": "PARAPHRASED", "language": "en", "text": "He is ready.", "evidence": [{"source": "@d", "establishes": ["WORDS", "SPEAKER"], "segments": [{"exact": "PASSAGE"}]}]}}"#;
    let source = r#"{"key": "d", "sourceArchived": {"file": "more.txt", "mediaType": "text/plain", "capturedAt": "2025-08-20T06:00:00Z", "role": "SECONDARY"}}"#;
    std::fs::write(
        daemon.home.path().join("example/more.txt"),
        "On Monday Volodymyr Zelenskyy said in Washington that he was ready to talk.\n",
    )
    .unwrap();
    let wrong = statement.replace("PASSAGE", "he was ready to walk");
    let right = statement.replace("PASSAGE", "he was ready to talk");
    std::fs::write(&path, format!("{source}\n{wrong}\n{right}\n")).unwrap();
    let ended = daemon
        .ask(&["append", "--key", key, "example/more.jsonl"])
        .code(1)
        .says("example/more.jsonl:2  refused: QUOTE_NOT_FOUND")
        .says("nearest")
        .says("ready to talk")
        .complains("2 recorded, 0 already on record, 1 refused");
    assert!(
        ended.out.contains("example/more.jsonl:3  ["),
        "{}",
        ended.out
    );
    // The mandates that earlier files put on record say for whom he spoke.
    let newest = daemon.ask(&["read", "--json", "--limit", "0"]).code(0).out;
    let newest: serde_json::Value = serde_json::from_str(newest.lines().last().unwrap()).unwrap();
    let said_for = &newest["record"]["statementRecorded"]["saidFor"];
    assert_eq!(said_for[0]["actor"], "ukraine-presidency", "{newest}");
}

#[test]
fn a_file_with_a_mistake_is_not_sent_and_the_mistake_is_told_with_its_line_and_path() {
    let daemon = Daemon::start();
    let key = daemon.key();
    std::fs::write(
        daemon.home.path().join("bad.jsonl"),
        "{\"actorDefined\": {\"actorId\": \"a\", \"kind\": \"PERSON\", \"name\": \"A\"}}\n",
    )
    .unwrap();
    let size = || daemon.ask(&["status", "--json"]).code(0).json()["head"]["size"].clone();
    let before = size();
    daemon
        .ask(&["append", "--key", key.to_str().unwrap(), "bad.jsonl"])
        .code(2)
        .complains("bad.jsonl: line 1, actorDefined.name")
        .complains("accepted: one of")
        .complains("nothing was sent");
    assert_eq!(size(), before);
}

#[test]
fn a_second_key_is_told_that_its_signature_is_not_on_record_and_adds_it_if_asked() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let steward = daemon.key();
    let steward = steward.to_str().unwrap();
    let made = daemon.ask(&["keygen", "example/newsroom.key"]).code(0).out;
    let verifier = made
        .split_whitespace()
        .find(|word| word.len() == 64)
        .unwrap_or_else(|| panic!("no key in {made:?}"));
    let enrolled = format!(
        r#"{{"verifierEnrolled": {{"verifier": "{verifier}", "name": "A newsroom", "roles": ["ATTESTOR", "CODER"]}}}}"#
    );
    std::fs::write(daemon.home.path().join("enrol.jsonl"), enrolled).unwrap();
    daemon
        .ask(&["append", "--key", steward, "enrol.jsonl"])
        .code(0);
    let key = "example/newsroom.key";
    let lines = daemon
        .ask(&["append", "--key", key, "example/records.jsonl"])
        .code(0)
        .says("already on record, without this signature")
        .complains("run it again with --attest to add them")
        .out
        .lines()
        .count();
    let attest = ["append", "--attest", "--key", key, "example/records.jsonl"];
    daemon
        .ask(&attest)
        .code(0)
        .says("signature added at [")
        .complains(&format!("{lines} signatures added"));
    let again = daemon.ask(&attest).code(0);
    assert!(!again.err.contains("added"), "{}", again.err);
    assert!(
        !again.out.contains("without this signature"),
        "{}",
        again.out
    );
}

#[test]
fn further_kinds_are_written_with_short_names_and_drawn() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let key = daemon.key();
    let key = key.to_str().unwrap();
    daemon.ask(&["keygen", "checkpoints.key"]).code(0);
    let source = r#"{"key": "s", "sourceArchived": {"file": "s.txt", "mediaType": "text/plain", "capturedAt": "2025-08-20T06:00:00Z", "role": "WIRE"}}
{"sourceRead": {"source": "@s", "topics": ["leaders-meeting"], "whole": true}}
{"reviewPublished": {"source": "@s", "verdict": "Accurate", "url": "https://reviews.example/1", "publisher": "Reviews", "publishedAt": "2025-08-21"}}
{"sourceWithheld": {"source": "@s", "scope": "BYTES_AND_TEXT", "reason": "Asked for.", "authority": "A court"}}
{"checkpointKeySet": {"keyFile": "checkpoints.key"}}
{"witnessPolicySet": {}}
"#;
    std::fs::write(daemon.home.path().join("s.txt"), "A report.").unwrap();
    std::fs::write(daemon.home.path().join("kinds.jsonl"), source).unwrap();
    let appended = daemon.ask(&["append", "--key", key, "kinds.jsonl"]).code(0);
    assert!(
        appended.err.contains("6 recorded, 0 already"),
        "{}",
        appended.err
    );
    daemon
        .ask(&["read", "--limit", "0"])
        .code(0)
        .says("sourceRead")
        .says("whole:")
        .says("Reviews: Accurate")
        .says("bytes and text: Asked")
        .says("0 of 0 witnesses");
    let appended = daemon.ask(&["append", "--key", key, "kinds.jsonl"]).code(0);
    assert!(
        appended.err.contains("0 recorded, 6 already"),
        "{}",
        appended.err
    );
}
