//! The commands: exit codes, what people and programs are told, and a daemon's life.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use onrecord::record::ContentId;
use program::{Daemon, onrecord, run};

#[test]
fn a_daemon_that_cannot_be_reached_is_exit_code_3_and_says_what_to_do() {
    // A port that was free a moment ago, and that nobody serves.
    let port = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", port.local_addr().unwrap());
    drop(port);
    for command in [
        &["position", "kremlin", "leaders-meeting"][..],
        &["compare", "kremlin", "leaders-meeting", "--milestone", "m"],
        &["timeline", "kremlin", "leaders-meeting"],
        &["read"],
        &["status"],
        &["source", "get", "00"],
    ] {
        run(onrecord().args(command).args(["--server", &server]))
            .code(3)
            .complains("no daemon answers at")
            .complains("onrecord serve");
    }
}

#[test]
fn what_cannot_be_asked_is_exit_code_2() {
    for command in [
        &["position", "kremlin"][..],
        &["compare", "kremlin", "leaders-meeting"],
        &["compare", "a", "b", "--milestone", "m", "--from", "2025"],
        &["append", "records.jsonl"],
        &["position", "a", "b", "--with-parts", "--no-parts"],
        &["status", "--server", "ftp://127.0.0.1"],
        &["status", "--server", "no address"],
        &["frobnicate"],
    ] {
        run(onrecord().args(command)).code(2);
    }
}

#[test]
fn serve_alone_founds_an_archive_and_says_so_in_one_line_of_standard_output() {
    let daemon = Daemon::start();
    assert!(daemon.home.path().join("onrecord-data").is_dir());
    assert!(
        daemon.ready.starts_with("serving onrecord.invalid/"),
        "{}",
        daemon.ready
    );
    let key = daemon.key();
    let mode = key.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600);
    let told = daemon.stderr();
    assert!(
        told.contains(key.file_name().unwrap().to_str().unwrap()),
        "{told}"
    );

    let (status, rest) = daemon.terminate();
    assert!(status.success(), "{status}");
    assert_eq!(rest, "", "one line and no more");
}

#[test]
fn serve_takes_the_origin_it_is_given_and_a_second_daemon_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let daemon = Daemon::start_in(home, &["--origin", "news.example/archive"]);
    assert!(
        daemon
            .ready
            .contains("serving news.example/archive on http://127.0.0.1:")
    );
    let second = daemon.ask(&["serve", "--listen", "127.0.0.1:0"]).code(1);
    assert_eq!(second.out, "");
    daemon
        .ask(&["status"])
        .code(0)
        .says("news.example/archive")
        .says("takes records");
}

#[test]
fn settings_stand_in_a_file_and_one_that_does_not_exist_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let settings = home.path().join("settings.json");
    let serve = ["serve", "--config", "settings.json"];
    std::fs::write(&settings, r#"{"sourceBytesMax": 5}"#).unwrap();
    run(onrecord().current_dir(home.path()).args(serve))
        .code(2)
        .complains("unknown field");
    std::fs::write(&settings, r#"{"source_bytes_max": 5}"#).unwrap();
    let daemon = Daemon::start_in(home, &["--config", "settings.json"]);
    std::fs::write(daemon.home.path().join("six.txt"), "123456").unwrap();
    daemon
        .ask(&["source", "put", "six.txt"])
        .code(2)
        .complains("SOURCE_TOO_LARGE");
}

#[test]
fn init_founds_an_archive_that_serve_then_serves() {
    let home = tempfile::tempdir().unwrap();
    run(onrecord()
        .current_dir(home.path())
        .args(["init", "--origin", "news.example/archive"]))
    .code(0);
    // Founding again would be another archive.
    run(onrecord().current_dir(home.path()).arg("init")).code(1);
    let daemon = Daemon::start_in(home, &[]);
    assert!(
        daemon.ready.contains("serving news.example/archive on"),
        "{}",
        daemon.ready
    );
}

#[test]
fn keygen_writes_a_key_once_and_tells_its_public_part() {
    let home = tempfile::tempdir().unwrap();
    let keygen = || {
        run(onrecord()
            .current_dir(home.path())
            .args(["keygen", "a.key"]))
    };
    let public = keygen().code(0).out;
    assert_eq!(public.trim().len(), 64, "{public}");
    keygen().code(1).complains("exists already");
    let mode = home
        .path()
        .join("a.key")
        .metadata()
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o7777, 0o600);
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
fn answers_as_json_have_the_names_of_the_protos() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let position = daemon
        .ask(&[
            "position",
            "kremlin",
            "leaders-meeting",
            "--as-of",
            "2025-08-14",
            "--json",
        ])
        .code(0)
        .json();
    assert_eq!(position["position"]["finding"], "FINDING_STATED");
    assert_eq!(position["position"]["stance"]["polarity"], "POLARITY_OPEN");
    assert_eq!(
        position["position"]["stance"]["conditions"][0]["id"],
        "prepared"
    );
    assert_eq!(position["basis"]["asOf"], "2025-08-14T23:59:59Z");

    let timeline = daemon
        .ask(&["timeline", "kremlin", "leaders-meeting", "--json"])
        .code(0)
        .json();
    assert_eq!(timeline["steps"][0]["testimony"]["speaker"], "putin");

    let entries = daemon
        .ask(&["read", "--from", "1", "--limit", "2", "--json"])
        .code(0);
    let entries: Vec<serde_json::Value> = entries
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0]["index"], "1");
    assert_eq!(
        entries[0]["record"]["actorDefined"]["kind"],
        "ACTOR_KIND_STATE"
    );
}

#[test]
fn answers_for_people_show_labels_statements_and_what_verified_means() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    daemon
        .ask(&[
            "position",
            "kremlin",
            "leaders-meeting",
            "--as-of",
            "2025-08-18",
        ])
        .code(0)
        .says("OPEN {prepared}")
        .says("latest evasion: DEFLECTED")
        .says("Yuri Ushakov, for The Kremlin (SPOKESPERSON)")
        .says("Verified means");
    daemon
        .ask(&[
            "timeline",
            "kremlin",
            "leaders-meeting",
            "--milestone",
            "alaska-summit",
        ])
        .code(0)
        .says("2025-08-15──┼── alaska-summit");
    daemon
        .ask(&["read"])
        .code(0)
        .says("archiveFounded")
        .says("statementRetracted");
    daemon
        .ask(&["read", "1"])
        .code(0)
        .says("\"actorId\": \"russia\"");
    // Paraphrases are never shown in quotation marks.
    let position = daemon
        .ask(&["position", "kremlin", "leaders-meeting"])
        .code(0);
    assert!(!position.out.contains('“'), "{}", position.out);
    assert!(!position.out.contains('\u{1b}'), "no colour in a pipe");
}

#[test]
fn what_is_not_on_record_is_exit_code_1_and_a_bad_date_2_each_with_its_reason() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    daemon
        .ask(&["position", "nobody", "leaders-meeting"])
        .code(1)
        .complains("UNKNOWN_ACTOR");
    daemon
        .ask(&["position", "kremlin", "nothing"])
        .code(1)
        .complains("UNKNOWN_TOPIC");
    daemon
        .ask(&[
            "position",
            "kremlin",
            "leaders-meeting",
            "--as-of",
            "2025-08-01/2025-08-15",
        ])
        .code(2)
        .complains("INVALID_DATE")
        .complains("asOf");
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
        .code(1)
        .complains("bad.jsonl: line 1, actorDefined.name")
        .complains("accepted: one of")
        .complains("nothing was sent");
    assert_eq!(size(), before);
}

#[test]
fn a_document_comes_back_byte_for_byte_and_its_text_in_parts() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let digest = program::example().join("sources/digest-0807.txt");
    let put = daemon
        .ask(&["source", "put", digest.to_str().unwrap(), "--json"])
        .code(0)
        .json();
    assert_eq!(put["profile"], "plain-text/1");
    let id = put["source"].as_str().unwrap();
    daemon
        .ask(&["source", "get", id, "--out", "copy.txt"])
        .code(0);
    let copy = std::fs::read(daemon.home.path().join("copy.txt")).unwrap();
    assert_eq!(copy, std::fs::read(&digest).unwrap());
    let whole = daemon.ask(&["source", "text", id]).code(0).out;
    let part = daemon
        .ask(&["source", "text", id, "--start", "3", "--length", "10"])
        .code(0)
        .out;
    let expected: String = whole.chars().skip(3).take(10).collect();
    assert_eq!(part.trim_end_matches('\n'), expected.trim_end_matches('\n'));
    daemon.ask(&["source", "get", &"00".repeat(32)]).code(1);
}

#[test]
fn a_text_is_shown_with_positions_and_a_passage_in_it_by_where_it_stands() {
    let daemon = Daemon::start();
    let key = daemon.key();
    let page = "<title>T</title><p>He refused\u{A0}no format, and he said so twice:\n\
        he <b>refused</b> no format.</p>";
    std::fs::write(daemon.home.path().join("page.html"), page).unwrap();
    std::fs::write(daemon.home.path().join("scan.pdf"), "%PDF").unwrap();
    let source = |key: &str, file: &str, media_type: &str| {
        format!(
            r#"{{"key": "{key}", "sourceArchived": {{"file": "{file}", "mediaType": "{media_type}", "capturedAt": "2025-08-20T06:00:00Z", "role": "SECONDARY"}}}}"#
        )
    };
    let said = |source: &str, exact: &str| {
        format!(
            r#"{{"milestoneDefined": {{"milestoneId": "m", "title": "M", "date": "2025-08-19", "evidence": [{{"source": "@{source}", "establishes": ["DATE"], "segments": [{{"exact": "{exact}"}}]}}]}}}}"#
        )
    };
    let lines = [
        source("page", "page.html", "text/html"),
        source("scan", "scan.pdf", "application/pdf"),
        said("page", "he refuses no format"),
        said("scan", "he refused no format"),
    ];
    std::fs::write(daemon.home.path().join("r.jsonl"), lines.join("\n")).unwrap();
    let id = ContentId::of(page.as_bytes()).to_string();
    // A refused quotation names the command that shows why.
    daemon
        .ask(&["append", "--key", key.to_str().unwrap(), "r.jsonl"])
        .code(1)
        .says("QUOTE_NOT_FOUND")
        .says("he refused no format.")
        .says(&format!("onrecord source text {id} --find"))
        .says("has no text that could be quoted")
        .says("TRANSCRIBES");

    let text = "T\nHe refused no format, and he said so twice: he refused no format.";
    let alone = daemon.ask(&["source", "text", &id]).code(0).out;
    assert_eq!(alone, format!("{text}\n"));
    let led = daemon
        .ask(&["source", "text", &id, "--positions", "--start", "2"])
        .code(0)
        .out;
    assert_eq!(led, format!(" 2  {}\n", &text[2..]));

    let find = |passage: &str| daemon.ask(&["source", "text", &id, "--find", passage]);
    find("said so\u{A0}twice")
        .code(0)
        .says("stands once")
        .says("31–44");
    find("refused no format")
        .code(1)
        .says("at 2 places")
        .says("5–22")
        .says("49–66");
    find("he refuses no format").code(1).says("nearest");
    find("  ").code(2).complains("accepted: a passage");
    let answer = daemon
        .ask(&["source", "text", &id, "--find", "twice", "--json"])
        .code(0)
        .json();
    assert_eq!(answer["places"][0]["start"], 39);
    assert_eq!(answer["places"][0]["end"], 44);
    assert_eq!(answer["textId"], ContentId::of(text.as_bytes()).to_string());
    daemon
        .ask(&["source", "text", &id, "--find", "x", "--plain"])
        .code(2);
}

#[test]
fn a_daemon_killed_and_started_again_answers_how_the_position_changed() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let daemon = Daemon::start_in(daemon.kill(), &[]);
    let compare = [
        "compare",
        "kremlin",
        "leaders-meeting",
        "--milestone",
        "alaska-summit",
    ];
    daemon
        .ask(&compare)
        .code(0)
        .says("CONDITIONS_CHANGED, certain, SINCE alaska-summit")
        .says("conditions {prepared} to {moscow}");
    let answer = daemon
        .ask(&[&compare[..], &["--json"]].concat())
        .code(0)
        .json();
    let comparison = &answer["comparison"];
    assert_eq!(comparison["kind"], "CHANGE_KIND_CONDITIONS_CHANGED");
    assert_eq!(comparison["certain"], true);
    assert_eq!(comparison["conditionsDropped"][0]["id"], "prepared");
    assert_eq!(comparison["conditionsAdded"][0]["id"], "moscow");
}
