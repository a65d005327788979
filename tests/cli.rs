//! The commands: exit codes, what people and programs are told, and a daemon's life.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;

use onrecord::record::ContentId;
use program::{Daemon, Port, onrecord, run};

#[test]
fn a_daemon_that_cannot_be_reached_is_exit_code_3_and_says_what_to_do() {
    let nobody = Port::held();
    let server = nobody.server();
    for command in [
        &["position", "kremlin", "leaders-meeting"][..],
        &["compare", "kremlin", "leaders-meeting", "--milestone", "m"],
        &["timeline", "kremlin", "leaders-meeting"],
        &["list", "actors"],
        &["read"],
        &["tail", "--from", "0"],
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
fn a_daemon_that_accepts_and_never_answers_is_exit_code_3() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", silent.local_addr().unwrap());
    run(onrecord().args(["status", "--server", &server]))
        .code(3)
        .complains("no daemon answers at");
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
        &["status", "--server", ""],
        &["status", "--server", "http://127.0.0.1:99999"],
        &["position", "a", "b", "--as-of", ""],
        &["position", "a", "b", "--known-at", "2024-01-01"],
        &["position", "a", "b", "--coder", ""],
        &["position", "a", "b", "--codebook", ""],
        &["position", "a", "b", "--published-by", ""],
        &["position", "a", "b", "--publisher", ""],
        &["tail", "--actor", ""],
        &["read", "--topic", ""],
        &["read", "--statement", ""],
        &["serve", "--listen", "7450"],
        &["append", "--key", "missing.key", "missing.jsonl"],
        &["demo", "--once", "--records", "missing"],
        &["frobnicate"],
    ] {
        run(onrecord().args(command)).code(2);
    }
}

#[test]
fn a_number_that_is_none_is_refused_by_its_option_with_what_would_be_accepted() {
    for number in ["-3", "soon", "99999999999999999999"] {
        for command in ["watch", "tail", "read"] {
            run(onrecord().args([command, "--from", number]))
                .code(2)
                .complains("'--from <INDEX>': accepted: the index of an entry");
        }
        for command in [&["read"][..], &["positions", "a"], &["list", "actors"]] {
            run(onrecord().args(command).args(["--limit", number]))
                .code(2)
                .complains("'--limit <N>': accepted: how many");
        }
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
fn a_founding_that_fails_leaves_no_key_behind() {
    let home = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    std::fs::write(
        home.path().join("low.json"),
        r#"{"upload_expiry_seconds": 1}"#,
    )
    .unwrap();
    for (arguments, code, complaint) in [
        (
            &["init", "--origin", "http://example.org"][..],
            2,
            "a scheme",
        ),
        (
            &["init", "--steward-key", "onrecord-data/steward.key"],
            2,
            "outside of the data directory",
        ),
        (
            &[
                "init",
                "--data",
                "vol",
                "--steward-key",
                "./vol/../vol/s.key",
            ],
            2,
            "outside of the data directory",
        ),
        (
            &["serve", "--config", "low.json"],
            2,
            "upload_expiry_seconds",
        ),
        (&["serve", "--config", "missing.json"], 2, "missing.json"),
        (&["serve", "--listen", &taken], 1, "cannot listen on"),
    ] {
        run(onrecord().current_dir(home.path()).args(arguments))
            .code(code)
            .complains(complaint);
        let left: Vec<_> = std::fs::read_dir(home.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != "low.json")
            .collect();
        assert!(left.is_empty(), "{arguments:?} left {left:?}");
    }
    // The place for a key is made, for its owner alone.
    run(onrecord().current_dir(home.path()).args([
        "init",
        "--steward-key",
        "keys/mine/steward.key",
    ]))
    .code(0);
    let keys = home.path().join("keys").metadata().unwrap();
    assert_eq!(keys.permissions().mode() & 0o777, 0o700);
    // Nothing can be made below a file.
    run(onrecord().current_dir(home.path()).args([
        "init",
        "--data",
        "other",
        "--steward-key",
        "low.json/steward.key",
    ]))
    .code(1)
    .complains("--steward-key FILE")
    .complains("onrecord init");
}

#[test]
fn what_an_existing_archive_cannot_be_is_refused_and_a_key_for_it_is_not_looked_at() {
    let home = tempfile::tempdir().unwrap();
    run(onrecord()
        .current_dir(home.path())
        .args(["init", "--origin", "news.example/archive"]))
    .code(0);
    run(onrecord().current_dir(home.path()).args([
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--origin",
        "other.example",
    ]))
    .code(2)
    .complains("news.example/archive, not other.example");
    let daemon = Daemon::start_in(home, &["--steward-key", "nothing.key"]);
    assert!(
        daemon
            .stderr()
            .contains("counts only when an archive is founded")
    );
    assert!(!daemon.stderr().contains("HEAD"), "{}", daemon.stderr());
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
    let founded = daemon.ask(&["read", "0", "--json"]).code(0).json();
    assert_eq!(founded["entry"]["index"], "0");
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
    // His authority over his own word is none over the organisation.
    daemon
        .ask(&["position", "lavrov", "leaders-meeting"])
        .code(0)
        .says("Sergei Lavrov, for The Kremlin, said 2025-08-22");
    daemon
        .ask(&["testimonies", "lavrov", "leaders-meeting"])
        .code(0)
        .says("lavrov, for kremlin, said 2025-08-22");
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
        .ask(&["read", "--limit", "2"])
        .code(0)
        .complains("2 entries shown, of a ledger of ")
        .complains("go on with --from 2, or --limit 0");
    daemon
        .ask(&["read", "--limit", "0"])
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
    let topic = daemon
        .ask(&["position", "kremlin", "nothing"])
        .code(1)
        .complains("UNKNOWN_TOPIC");
    assert!(!topic.err.contains("known-at"), "{}", topic.err);
    daemon
        .ask(&["position", "kremlin", "leaders-meeting", "--known-at", "1"])
        .code(1)
        .complains("among the first 1 entries")
        .complains("a later --known-at");
    let milestone = [
        "timeline",
        "kremlin",
        "leaders-meeting",
        "--milestone",
        "nope",
    ];
    for json in [&[][..], &["--json"]] {
        daemon
            .ask(&[&milestone[..], json].concat())
            .code(1)
            .complains("UNKNOWN_MILESTONE");
    }
    let size = daemon.ask(&["status", "--json"]).code(0).json()["head"]["size"].clone();
    let size: u64 = size.as_str().unwrap().parse().unwrap();
    daemon
        .ask(&["read", "-1"])
        .code(2)
        .complains("INDEX: \"-1\" is neither an index nor a record id");
    daemon
        .ask(&["read", &size.to_string()])
        .code(2)
        .complains(&format!("at most {}", size - 1));
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
        .complains("--as-of");
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
    daemon
        .ask(&["source", "get", id, "--out", "missing/copy.txt"])
        .code(1)
        .complains("cannot write missing/copy.txt: No such file");
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
        .says("so it cannot be quoted")
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
        .says("CONDITIONS_CHANGED, certain; the later statement: SINCE alaska-summit")
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
