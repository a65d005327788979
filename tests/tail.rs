//! `onrecord tail` and `onrecord watch`: the real program follows the real daemon.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use program::{Daemon, Ended, Port, onrecord, run};

/// A `tail` or `watch` that runs.
struct Tail {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Tail {
    fn start(daemon: &Daemon, arguments: &[&str]) -> Self {
        let mut child = onrecord()
            .args(arguments)
            .args(["--json", "--server", &daemon.server])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    /// The next message that it prints.
    fn entry(&mut self) -> serde_json::Value {
        let mut line = String::new();
        self.out.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no entry: {line:?}"))
    }

    fn index(&mut self) -> u64 {
        let entry = self.entry();
        // Protobuf-JSON leaves 0 out.
        let index = entry.get("index").map_or("0", |it| it.as_str().unwrap());
        index.parse().unwrap()
    }

    /// Ends it as Ctrl-C does.
    fn interrupt(mut self) -> Ended {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-INT", &id]).status().unwrap();
        assert!(sent.success());
        let (mut out, mut err) = (String::new(), String::new());
        self.out.read_to_string(&mut out).unwrap();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut err).unwrap();
        let code = self.child.wait().unwrap().code();
        Ended { code, out, err }
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Appends the definition of a person.
fn append(daemon: &Daemon, id: &str) {
    let line = format!(
        r#"{{"actorDefined": {{"actorId": "{id}", "kind": "PERSON", "names": [{{"language": "en", "name": "A. Person"}}]}}}}"#
    );
    let file = daemon.home.path().join(format!("{id}.jsonl"));
    std::fs::write(&file, line).unwrap();
    let key = daemon.key();
    daemon
        .ask(&[
            "append",
            "--key",
            key.to_str().unwrap(),
            file.to_str().unwrap(),
        ])
        .code(0);
}

#[test]
fn what_is_on_record_is_shown_as_read_shows_it_and_the_mark_ends_it() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let tail = |more: &[&str]| {
        let arguments = [&["tail", "--from", "0", "--until-caught-up"], more].concat();
        daemon.ask(&arguments).code(0)
    };
    let read = daemon.ask(&["read", "--limit", "0", "--json"]).code(0);
    assert_eq!(tail(&["--json"]).out, read.out);
    let drawn = tail(&[]);
    assert_eq!(drawn.out.lines().count(), read.out.lines().count());
    assert!(drawn.out.starts_with("       0  "), "{}", drawn.out);
    drawn.says("archiveFounded").says("milestoneDefined");

    let topics = tail(&["--kind", "topic_defined", "--json"]).out;
    assert_eq!(
        topics.lines().count(),
        read.out.matches("topicDefined").count()
    );
    assert!(topics.lines().all(|line| line.contains("topicDefined")));
    let none = tail(&[
        "--kind",
        "topic_defined",
        "--kind",
        "actor_defined",
        "--topic",
        "leaders-meeting",
        "--actor",
        "lavrov",
    ]);
    assert_eq!(none.out, "");
    let nothing = ["tail", "--until-caught-up", "--from", "0", "--source"];
    let nothing = daemon.ask(&[&nothing[..], &[&"00".repeat(32)]].concat());
    nothing.code(1).complains("is not on record");
    assert_eq!(daemon.ask(&["tail", "--until-caught-up"]).code(0).out, "");
}

#[test]
fn what_cannot_be_followed_is_told_and_not_tried_again() {
    let daemon = Daemon::start();
    daemon
        .ask(&["tail", "--from", "1000"])
        .code(2)
        .complains("BEYOND_THE_HEAD");
    daemon
        .ask(&["tail", "--kind", "speech"])
        .code(2)
        .complains("statement_recorded");
    run(onrecord().args(["tail", "--server", "no address"])).code(2);
}

#[test]
fn a_tail_goes_on_where_it_was_after_the_daemon_was_killed_and_stopped_and_ctrl_c_ends_it() {
    let port = Port::held();
    let daemon = Daemon::start_at(&port.address, tempfile::tempdir().unwrap(), &[]);
    let mut tail = Tail::start(&daemon, &["tail", "--from", "0"]);
    assert_eq!(tail.index(), 0);
    append(&daemon, "one");
    assert_eq!(tail.index(), 1);

    let daemon = Daemon::start_at(&port.address, daemon.kill(), &[]);
    append(&daemon, "two");
    assert_eq!(tail.index(), 2);

    let daemon = Daemon::start_at(&port.address, daemon.terminate_in_place(), &[]);
    append(&daemon, "three");
    let entry = tail.entry();
    assert_eq!(entry["record"]["actorDefined"]["actorId"], "three");
    assert_eq!(entry["index"], "3");

    let ended = tail.interrupt().code(0);
    assert_eq!(ended.out, "");
    let tried = ended.err.matches("trying again, from index").count();
    assert_eq!(tried, 2, "once a restart: {}", ended.err);
    assert!(ended.err.contains("from index 2") && ended.err.contains("from index 3"));
}

/// Appends another reading of a statement.
fn append_reading(daemon: &Daemon, of: &serde_json::Value, polarity: &str) {
    let reading = serde_json::json!({
        "topic": "leaders-meeting", "engagement": "ANSWERED", "polarity": polarity,
    });
    let line = serde_json::json!({"readingAdded": {
        "statement": of["statement"], "speaker": of["speaker"], "saidFor": of["saidFor"],
        "reading": reading, "rationale": "Heard again.",
    }});
    let file = daemon.home.path().join("reading.jsonl");
    std::fs::write(&file, line.to_string()).unwrap();
    let (key, file) = (daemon.key(), file.to_str().unwrap().to_owned());
    let key = key.to_str().unwrap();
    daemon.ask(&["append", "--key", key, &file]).code(0);
}

#[test]
fn changes_on_record_are_shown_with_what_brought_them() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let watch = |more: &[&str]| {
        let arguments = [&["watch", "--from", "0", "--until-caught-up"], more].concat();
        daemon.ask(&arguments).code(0)
    };
    let drawn = watch(&["kremlin", "--topic", "leaders-meeting"]);
    drawn
        .says("kremlin on leaders-meeting")
        .says("FIRST_STATED, certain")
        .says("NO_RECORD to ")
        .says("by statement_recorded, ");
    let all = watch(&["--json"]).out;
    let of_kremlin = watch(&["kremlin", "--json"]).out;
    let kept: Vec<&str> = all
        .lines()
        .filter(|line| line.contains(r#""position":{"actor":"kremlin""#))
        .collect();
    assert_eq!(of_kremlin.lines().collect::<Vec<_>>().len(), kept.len());
    assert!(!kept.is_empty() && kept.len() < all.lines().count());
    assert_eq!(daemon.ask(&["watch", "--until-caught-up"]).code(0).out, "");
    daemon
        .ask(&["watch", "nobody"])
        .code(1)
        .complains("UNKNOWN_ACTOR");
}

#[test]
fn a_watch_goes_on_where_it_was_after_the_daemon_was_stopped() {
    let port = Port::held();
    let daemon = Daemon::start_at(&port.address, tempfile::tempdir().unwrap(), &[]);
    daemon.append_example().code(0);
    let watched = [
        "watch",
        "kremlin",
        "--topic",
        "leaders-meeting",
        "--from",
        "0",
    ];
    let ended = [&watched[..], &["--until-caught-up", "--json"]].concat();
    let all = daemon.ask(&ended).code(0).out;
    let newest: serde_json::Value = serde_json::from_str(all.lines().last().unwrap()).unwrap();
    let mut watch = Tail::start(&daemon, &watched);
    for line in all.lines() {
        let expected: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(watch.entry()["record"], expected["record"]);
    }
    let daemon = Daemon::start_at(&port.address, daemon.terminate_in_place(), &[]);
    append_reading(&daemon, &newest["position"]["deciding"], "SUPPORTS");
    let change = watch.entry();
    assert_eq!(change["recordKind"], "reading_added");
    let index: u64 = change["index"].as_str().unwrap().parse().unwrap();
    let last: u64 = newest["index"].as_str().unwrap().parse().unwrap();
    assert!(index > last);
    let ended = watch.interrupt().code(0);
    assert_eq!(ended.out, "");
    assert!(
        ended.err.contains("trying again, from index"),
        "{}",
        ended.err
    );
}
