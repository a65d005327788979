//! What somebody does wrong first, and what the real program tells them: where it is, what is
//! wrong, and what would be accepted.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use std::fmt::Write as _;
use std::path::Path;

use program::{Daemon, Ended, Port, onrecord, run};

/// What was typed and what came of it, one mistake after the other.
struct Transcript {
    text: String,
    /// What differs from run to run, and what stands for it.
    redacted: Vec<(String, &'static str)>,
}

impl Transcript {
    fn new(daemon: &Daemon) -> Self {
        let home = daemon.home.path().display().to_string();
        let key = daemon.key();
        let key = key.file_name().unwrap().to_str().unwrap().to_owned();
        Self {
            text: String::new(),
            redacted: vec![
                (daemon.server.clone(), "http://SERVER"),
                (home, "HOME"),
                (key, "steward.key"),
            ],
        }
    }

    /// Notes a mistake: what it is, the lines of a file if it lies in one, and what the program
    /// said to it.
    fn note(&mut self, mistake: &str, lines: &[&str], typed: &[&str], ended: &Ended) {
        let mut told = format!("== {mistake}\n");
        for line in lines {
            writeln!(told, "| {line}").unwrap();
        }
        writeln!(told, "$ onrecord {}", typed.join(" ")).unwrap();
        told.push_str(&ended.out);
        told.push_str(&ended.err);
        writeln!(told, "exit code {}\n", ended.code.unwrap()).unwrap();
        for (varies, instead) in &self.redacted {
            told = told.replace(varies, instead);
        }
        self.text.push_str(&without_ids(&told));
    }
}

/// Ids hold the time of signing, processes have numbers, and so have a system's errors.
fn without_ids(text: &str) -> String {
    let mut rest = text;
    let mut said = String::with_capacity(text.len());
    while let Some(at) = rest.find(|c: char| c.is_ascii_hexdigit()) {
        let (before, from) = rest.split_at(at);
        let end = from.find(|c: char| !c.is_ascii_hexdigit());
        let (digits, after) = from.split_at(end.unwrap_or(from.len()));
        said.push_str(before);
        said.push_str(if digits.len() == 64 { "ID" } else { digits });
        rest = after;
    }
    said.push_str(rest);
    without(&without(&said, " (os error "), " (process ")
}

/// A text without what stands in brackets that begin so.
fn without(text: &str, bracket: &str) -> String {
    let mut parts = text.split(bracket);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole.push_str(part.split_once(')').map_or(part, |(_, after)| after));
    }
    whole
}

const PAGE: &str = "<p>He said: \u{ab}We refuse no format of a meeting.\u{bb} \
    Any contact must be prepared with extreme care, he added. Any contact counts.</p>";

const ACTOR: &str = r#"{"actorDefined": {"actorId": "lavrov", "kind": "PERSON", "names": [{"language": "en", "name": "Sergei Lavrov"}]}}"#;
const TOPIC: &str = r#"{"topicDefined": {"topicId": "leaders-meeting", "kind": "POLICY", "proposition": "The presidents should meet in person."}}"#;
const SOURCE: &str = r#"{"key": "page", "sourceArchived": {"file": "page.html", "mediaType": "text/html", "publishedAt": "2025-08-19", "capturedAt": "2025-08-20T06:00:00Z", "role": "SECONDARY"}}"#;
const SAID: &str = r#"{"key": "said", "statementRecorded": {"speaker": "lavrov", "saidAt": "2025-08-19", "wording": "TRANSLATED", "language": "en", "text": "We refuse no format of a meeting.", "evidence": [{"source": "@page", "establishes": ["WORDS", "SPEAKER"], "segments": [{"exact": "We refuse no format of a meeting."}]}], "readings": [{"topic": "leaders-meeting", "engagement": "ANSWERED", "polarity": "OPEN"}]}}"#;

/// A first archive, and the mistakes made on it.
struct Desk {
    daemon: Daemon,
    transcript: Transcript,
    files: usize,
}

impl Desk {
    fn new() -> Self {
        let daemon = Daemon::start();
        let transcript = Transcript::new(&daemon);
        let mut desk = Self {
            daemon,
            transcript,
            files: 0,
        };
        desk.write("page.html", PAGE);
        desk.write("records.jsonl", &[ACTOR, TOPIC, SOURCE, SAID].join("\n"));
        desk.append("records.jsonl").code(0);
        desk
    }

    fn write(&mut self, name: &str, text: &str) {
        std::fs::write(self.daemon.home.path().join(name), text).unwrap();
    }

    fn append(&self, name: &str) -> Ended {
        let key = self.daemon.key();
        let key = key.file_name().unwrap().to_str().unwrap();
        self.daemon.ask(&["append", "--key", key, name])
    }

    /// Types a command that is wrong.
    fn types(&mut self, mistake: &str, typed: &[&str], code: i32) {
        let ended = self.daemon.ask(typed).code(code);
        self.transcript.note(mistake, &[], typed, &ended);
    }

    /// Appends a file of its own with something wrong in it.
    fn appends(&mut self, mistake: &str, lines: &[&str], code: i32) {
        self.files += 1;
        let name = format!("{}.jsonl", self.files);
        self.write(&name, &lines.join("\n"));
        let ended = self.append(&name).code(code);
        let typed = ["append", "--key", "steward.key", &name];
        self.transcript.note(mistake, lines, &typed, &ended);
    }

    /// Appends the first statement with something of it replaced; the source is on record.
    fn says(&mut self, mistake: &str, right: &str, wrong: &str, code: i32) {
        assert!(SAID.contains(right), "{right}");
        let id = onrecord::record::ContentId::of(PAGE.as_bytes()).to_string();
        let line = SAID.replacen(right, wrong, 1).replace("@page", &id);
        self.appends(mistake, &[&line], code);
    }
}

#[test]
fn what_newcomers_do_wrong_is_told_so_that_they_can_mend_it() {
    let mut desk = Desk::new();
    in_files(&mut desk);
    in_statements(&mut desk);
    in_questions(&mut desk);
    in_keys_and_daemons(&mut desk);
    insta::assert_snapshot!(desk.transcript.text);
}

/// What is found before anything is sent.
fn in_files(desk: &mut Desk) {
    desk.appends(
        "a comma too many",
        &[r#"{"actorDefined": {"actorId": "ada",}}"#],
        2,
    );
    desk.appends(
        "a record in many lines",
        &["{", r#"  "actorDefined": {}"#, "}"],
        2,
    );
    desk.says(
        "a key that does not exist",
        r#""speaker""#,
        r#""speeker""#,
        2,
    );
    desk.says(
        "a value that does not exist",
        "TRANSLATED",
        "TRANSLATION",
        2,
    );
    desk.says(
        "a date as it is written elsewhere",
        "2025-08-19",
        "19.08.2025",
        1,
    );
    let dangling = SAID.replace("@page", "@pages");
    desk.appends("a key of no line", &[SOURCE, &dangling], 2);
    let missing = SOURCE.replace("page.html", "pages.html");
    desk.appends("a document that is not there", &[&missing], 1);
    let nonsense = SOURCE.replace("text/html", "text");
    desk.appends("a media type that is none", &[&nonsense], 1);
    desk.write("other.html", "<p>Another page.");
    let nearly = SOURCE
        .replace("text/html", "text/htm")
        .replace("page.html", "other.html");
    desk.appends("a media type that is nearly one", &[&nearly], 0);
    desk.appends(
        "a name where a slug belongs",
        &[&ACTOR.replace(r#""lavrov""#, r#""Sergei Lavrov""#)],
        1,
    );
    let verifier =
        r#"{"verifierEnrolled": {"verifier": "abc", "name": "Ada", "roles": ["CODER"]}}"#;
    desk.appends("a verifier that is no key", &[verifier], 1);
    let key_file = verifier.replace(r#""verifier": "abc""#, r#""keyFile": "ada.key""#);
    desk.appends("a verifier whose key is not there", &[&key_file], 1);
    desk.appends(
        "an archive founded again",
        &[r#"{"archiveFounded": {}}"#],
        2,
    );
    let refer = [
        "append",
        "--key",
        "me.key",
        "--refer",
        "nofile.jsonl",
        "1.jsonl",
    ];
    desk.types("lines of a file that was never appended", &refer, 2);
    desk.types(
        "a document that is not there",
        &["source", "put", "nofile"],
        2,
    );
}

/// What the daemon refuses, or the client asks about.
fn in_statements(desk: &mut Desk) {
    let exact = r#""exact": "We refuse no format of a meeting.""#;
    desk.says(
        "words that the page does not have",
        exact,
        r#""exact": "We do not refuse any format of meeting""#,
        1,
    );
    desk.says(
        "words that it has twice",
        exact,
        r#""exact": "Any contact""#,
        1,
    );
    desk.says(
        "a text that is not the passage",
        r#""text": "We refuse no format of a meeting.""#,
        r#""text": "We refuse no form of a meeting.""#,
        1,
    );
    desk.says(
        "a letter of another alphabet",
        exact,
        "\"exact\": \"We refuse n\u{43e} format of a meeting.\"",
        1,
    );
    desk.says("a speaker by name", "lavrov", "Lavrov", 1);
    desk.says("a speaker nobody defined", "lavrov", "lavrof", 1);
    desk.says(
        "a topic nobody defined",
        "leaders-meeting",
        "leader-meeting",
        1,
    );
    desk.says(
        "a reading that contradicts itself",
        "ANSWERED",
        "DECLINED",
        1,
    );
    desk.says("said after it was captured", "2025-08-19", "2025-08-29", 1);
    let edited = SAID.replace("2025-08-19", "2025-08-18");
    let lines = [ACTOR, TOPIC, SOURCE, &edited];
    desk.write("records.jsonl", &lines.join("\n"));
    let ended = desk.append("records.jsonl").code(0);
    let typed = ["append", "--key", "steward.key", "records.jsonl"];
    desk.transcript
        .note("a recorded line edited", &[&edited], &typed, &ended);
}

fn in_questions(desk: &mut Desk) {
    let position = |more: &[&'static str]| [&["position", "lavrov"], more].concat();
    desk.types(
        "a topic that does not exist",
        &position(&["leader-meeting"]),
        1,
    );
    let as_of = position(&["leaders-meeting", "--as-of", "15.08.2025"]);
    desk.types("a date as it is written elsewhere", &as_of, 2);
    let beyond = position(&["leaders-meeting", "--known-at", "999"]);
    desk.types("more of the ledger than there is", &beyond, 2);
    let filters = [
        ("a filter that is none", "{"),
        (
            "a part of a filter that does not exist",
            r#"{"wording": []}"#,
        ),
    ];
    for (mistake, filter) in filters {
        let typed = [
            "compare",
            "lavrov",
            "leaders-meeting",
            "--from-filter",
            filter,
        ];
        desk.types(mistake, &typed, 2);
    }
    let backwards = ["--from-known-at", "7", "--to-known-at", "2"];
    let backwards = [&["compare", "lavrov", "leaders-meeting"], &backwards[..]].concat();
    desk.types("the later ledger first", &backwards, 2);
    desk.types(
        "less than nothing",
        &position(&["leaders-meeting", "--known-at", "-1"]),
        2,
    );
    for (mistake, option, value) in [
        ("a number in words", "--attestations-min", "many"),
        ("a date in words", "--published-by", "yesterday"),
        ("a verifier by name", "--verifier", "steward"),
    ] {
        desk.types(mistake, &position(&["leaders-meeting", option, value]), 2);
    }
    nowhere(desk);
    desk.types(
        "a date in words",
        &["list", "statements", "--said", "yesterday"],
        2,
    );
    desk.types("a name for an entry", &["read", "lavrov"], 2);
    desk.types(
        "more of the ledger than there is",
        &["read", "--from", "999"],
        2,
    );
    desk.types("no source", &["source", "text", "0123456789ab"], 1);
    desk.types("a name for an id", &["source", "text", "page.html"], 2);
    desk.types(
        "a kind that does not exist",
        &["tail", "--kind", "statement"],
        2,
    );
}

/// Mistyped names, which find nothing, and are not on record.
fn nowhere(desk: &mut Desk) {
    let nobody: [&[&str]; 9] = [
        &["list", "statements", "--speaker", "lavrow"],
        &["list", "statements", "--for", "nobody"],
        &["list", "statements", "--topic", "leader-meeting"],
        &["list", "statements", "--source", &"0".repeat(64)],
        &["list", "mandates", "--person", "lavrow"],
        &["read", "--actor", "nobody"],
        &[
            "tail",
            "--from",
            "0",
            "--actor",
            "nobody",
            "--until-caught-up",
        ],
        &[
            "timeline",
            "lavrov",
            "leaders-meeting",
            "--milestone",
            "summit",
        ],
        &["export", "annotations", "--speaker", "lavrow"],
    ];
    for typed in nobody {
        desk.types("a name that is not on record", typed, 1);
    }
}

fn in_keys_and_daemons(desk: &mut Desk) {
    let ada = ACTOR.replace("lavrov", "ada");
    desk.write("ada.jsonl", &ada);
    desk.types(
        "a key that is no key",
        &["append", "--key", "page.html", "ada.jsonl"],
        2,
    );
    desk.types(
        "a key that is not there",
        &["append", "--key", "me.key", "ada.jsonl"],
        2,
    );
    desk.daemon.ask(&["keygen", "mine.key"]).code(0);
    let unknown = ["append", "--key", "mine.key", "ada.jsonl"];
    desk.types("a key that nobody enrolled", &unknown, 1);
    desk.types("a second daemon", &["serve", "--listen", "127.0.0.1:0"], 1);

    let nobody = Port::held();
    let server = nobody.server();
    desk.transcript
        .redacted
        .push((server.clone(), "http://NOBODY"));
    let typed = ["status", "--server", &server];
    let ended = run(onrecord().args(typed).current_dir(Path::new("/"))).code(3);
    desk.transcript.note("no daemon", &[], &typed, &ended);
}

#[test]
fn an_empty_list_of_what_is_on_record_is_an_answer() {
    let desk = Desk::new();
    let ask = |typed: &[&str]| desk.daemon.ask(typed).code(0);
    ask(&["list", "mandates", "--person", "lavrov"]).says("nothing such is on record");
    let none = [
        "list",
        "statements",
        "--speaker",
        "lavrov",
        "--said",
        "1999",
    ];
    ask(&none).says("nothing such is on record");
    ask(&[
        "tail",
        "--from",
        "4",
        "--topic",
        "leaders-meeting",
        "--until-caught-up",
    ]);
    // Kinds are taken as they are printed.
    for kind in ["statementRecorded", "statement_recorded"] {
        ask(&["read", "--kind", kind]).says("We refuse no format");
    }
    let one = ["list", "statements", "--limit", "1"];
    ask(&one).says("lavrov");
}

#[test]
fn a_server_goes_without_its_scheme_and_an_empty_one_is_named() {
    let desk = Desk::new();
    let bare = desk.daemon.server.trim_start_matches("http://");
    desk.daemon.ask(&["status", "--server", bare]).code(0);
    let empty = run(onrecord().arg("status").env("ONRECORD_SERVER", "")).code(2);
    empty.complains("--server or ONRECORD_SERVER is there and empty");
}

#[test]
fn a_source_goes_by_the_beginning_of_its_id_and_no_file_is_written_over_unasked() {
    let desk = Desk::new();
    let id = onrecord::record::ContentId::of(PAGE.as_bytes()).to_string();
    let begins = &id[..12];
    let ask = |typed: &[&str]| desk.daemon.ask(typed);
    ask(&["source", "text", begins]).code(0).says("no format");
    ask(&["source", "text", &id[..7]])
        .code(2)
        .complains("accepted: the first 8 digits of its id, or more of them");
    let get = ["source", "get", begins, "--out", "copy.html"];
    ask(&get).code(0);
    let copy = desk.daemon.home.path().join("copy.html");
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), PAGE);
    std::fs::write(&copy, "mine").unwrap();
    ask(&get).code(1).complains("write over it with --force");
    ask(&["export", "annotations", "--output", "copy.html"])
        .code(1)
        .complains("copy.html is there already");
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), "mine");
    ask(&[&get[..], &["--force"]].concat()).code(0);
    assert_eq!(std::fs::read_to_string(&copy).unwrap(), PAGE);
}

#[test]
fn a_journal_that_lost_something_or_is_of_another_archive_is_told() {
    let desk = Desk::new();
    let home = desk.daemon.home.path();
    let journal = home.join("records.jsonl.signed");
    let intact = std::fs::read_to_string(&journal).unwrap();
    let with = |text: &str| {
        std::fs::write(&journal, text).unwrap();
        desk.append("records.jsonl")
    };
    let malformed = with(&format!("{intact}not what was written\n")).code(1);
    malformed.complains("records.jsonl.signed, line 5: not what was written");
    let torn = with(&intact[..intact.len() - 10]).code(0);
    torn.says("[5] statementRecorded")
        .complains("was torn and is cut off");
    let emptied = with("").code(0);
    emptied.complains("is there and empty: if this file was recorded before");
    with(&intact)
        .code(0)
        .complains("0 recorded, 4 already on record");

    let other = Daemon::start_in(tempfile::tempdir().unwrap(), &["--origin", "other.example"]);
    for file in ["page.html", "records.jsonl", "records.jsonl.signed"] {
        std::fs::copy(home.join(file), other.home.path().join(file)).unwrap();
    }
    let key = other.key();
    let ended = other.ask(&["append", "--key", key.to_str().unwrap(), "records.jsonl"]);
    let ended = ended
        .code(0)
        .complains("holds what was signed for the archive");
    assert!(!ended.err.contains("with another content"), "{}", ended.err);
}
