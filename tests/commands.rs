//! Every command keeps the manners that scripts rely on: where it takes the daemon's address
//! from, `--json`, exit codes, and its place in completions and manual pages.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use std::collections::BTreeSet;

use clap::CommandFactory as _;
use onrecord::cli::Cli;
use program::{Daemon, Ended, Port, onrecord, run};
use serde_json::Value;

/// How a command answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// Asks a daemon and shows data, with `--json` as JSON.
    Data,
    /// Asks a daemon, and answers in a form of its own: a document as it is archived, or in a
    /// format of others.
    Document,
    /// Asks nobody and shows data, with `--json` as JSON.
    Alone,
    /// Asks nobody, and shows what is no data.
    Nobody,
}

/// A command, what it answers yes to, and what no.
struct Row {
    command: &'static str,
    answers: Answers,
    yes: &'static str,
    no: &'static str,
}

/// What stands for something that a test's archive makes up: see [`Scene`].
const COMMANDS: &[Row] = &[
    row(
        "append",
        Answers::Data,
        "--key KEY example/records.jsonl",
        "--key KEY refused.jsonl",
    ),
    row("source put", Answers::Data, "a.txt", ""),
    row("source get", Answers::Document, "SOURCE", "ABSENT"),
    row("source text", Answers::Data, "SOURCE", "ABSENT"),
    row("source import", Answers::Data, "a.warc", "damaged.warc"),
    row(
        "position",
        Answers::Data,
        "kremlin leaders-meeting",
        "nobody leaders-meeting",
    ),
    row(
        "compare",
        Answers::Data,
        "kremlin leaders-meeting --milestone alaska-summit",
        "kremlin leaders-meeting --milestone nothing",
    ),
    row(
        "timeline",
        Answers::Data,
        "kremlin leaders-meeting",
        "kremlin nothing",
    ),
    row(
        "testimonies",
        Answers::Data,
        "kremlin leaders-meeting",
        "kremlin nothing",
    ),
    row("positions", Answers::Data, "leaders-meeting", "nothing"),
    row(
        "changes",
        Answers::Data,
        "leaders-meeting --milestone alaska-summit",
        "nothing --from 2025-08-01",
    ),
    row("reversals", Answers::Data, "leaders-meeting", "nothing"),
    row("divergences", Answers::Data, "leaders-meeting", "nothing"),
    row("references", Answers::Data, "leaders-meeting", "nothing"),
    row("agreement", Answers::Data, "leaders-meeting", "nothing"),
    row("coverage", Answers::Data, "leaders-meeting", "nothing"),
    row("list actors", Answers::Data, "", ""),
    row("list mandates", Answers::Data, "--person lavrov", ""),
    row("list topics", Answers::Data, "", ""),
    row("list milestones", Answers::Data, "", ""),
    row(
        "list statements",
        Answers::Data,
        "--topic leaders-meeting",
        "",
    ),
    row("list sources", Answers::Data, "", ""),
    row("list verifiers", Answers::Data, "", ""),
    row("read", Answers::Data, "0", "ABSENT"),
    row("tail", Answers::Data, "--from 0 --until-caught-up", ""),
    row(
        "watch",
        Answers::Data,
        "--from 0 --until-caught-up",
        "nobody --from 0 --until-caught-up",
    ),
    row("status", Answers::Data, "", ""),
    row("checkpoint", Answers::Data, "", "--witnessed"),
    row("projections", Answers::Data, "", ""),
    row("rebuild", Answers::Data, "catalog", "nothing"),
    row("verify-projection", Answers::Data, "catalog", "nothing"),
    row(
        "export claimreview",
        Answers::Document,
        "",
        "--speaker nobody",
    ),
    row(
        "export annotations",
        Answers::Document,
        "",
        "--topic nothing",
    ),
    row(
        "bundle statement",
        Answers::Document,
        "STATEMENT --output s.bundle --force",
        "ABSENT --output s.bundle --force",
    ),
    row(
        "bundle position",
        Answers::Document,
        "kremlin leaders-meeting --output p.bundle --force",
        "nobody leaders-meeting --output p.bundle --force",
    ),
    row(
        "proof",
        Answers::Document,
        "0 --output first --force",
        "ABSENT --output first --force",
    ),
    row(
        "verify",
        Answers::Alone,
        "whole.tlog-proof --key VKEY",
        "a.txt --key VKEY",
    ),
    row("backup", Answers::Data, "FRESH", ""),
    row(
        "restore",
        Answers::Alone,
        "kept --data FRESH",
        "kept --data kept",
    ),
    row("check", Answers::Alone, "--data kept", "--data example"),
    row(
        "audit",
        Answers::Alone,
        "URL --state seen --key VKEY",
        "URL --state other --key example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ),
    row("export archive", Answers::Document, "FRESH", "bag"),
    row(
        "import archive",
        Answers::Alone,
        "bag --key VKEY --data FRESH",
        "bag --key VKEY --data kept",
    ),
    row("keygen", Answers::Alone, "new.key", "a.txt"),
    row(
        "init",
        Answers::Nobody,
        "--data founded",
        "--data onrecord-data",
    ),
    row("completions", Answers::Nobody, "fish", ""),
    row("man", Answers::Nobody, "", "--output a.txt"),
    // Serves until it is told to stop, and so does the daemon that tells a story.
    row("serve", Answers::Nobody, "", "--data a.txt"),
    row("demo", Answers::Nobody, "", ""),
];

const fn row(command: &'static str, answers: Answers, yes: &'static str, no: &'static str) -> Row {
    Row {
        command,
        answers,
        yes,
        no,
    }
}

impl Row {
    fn asks_a_daemon(&self) -> bool {
        matches!(self.answers, Answers::Data | Answers::Document)
    }

    fn takes_json(&self) -> bool {
        matches!(self.answers, Answers::Data | Answers::Alone)
    }

    fn definition(&self) -> clap::Command {
        let mut command = Cli::command();
        for name in self.command.split(' ') {
            let found = command.find_subcommand(name).cloned();
            command = found.unwrap_or_else(|| panic!("no command {}", self.command));
        }
        command
    }
}

/// An archive with the example in it, and files to give to commands.
struct Scene {
    daemon: Daemon,
    key: String,
    source: String,
    statement: String,
    /// The archive's verifier key.
    verifier_key: String,
    /// Where nobody serves.
    nowhere: Port,
}

impl Scene {
    fn new() -> Self {
        let daemon = Daemon::start();
        daemon.append_example().code(0);
        let at = |name: &str| daemon.home.path().join(name);
        std::fs::write(at("a.txt"), "A text.").unwrap();
        let refused = r#"{"statementRetracted": {"statement": "ABSENT", "reason": "None."}}"#;
        let refused = refused.replace("ABSENT", &absent());
        std::fs::write(at("refused.jsonl"), refused).unwrap();
        std::fs::write(at("a.warc"), warc("HTTP/1.1 200 OK")).unwrap();
        std::fs::write(at("damaged.warc"), warc("not HTTP")).unwrap();
        let first = [
            "read",
            "--kind",
            "source_archived",
            "--limit",
            "1",
            "--json",
        ];
        let first = daemon.ask(&first).code(0).json();
        let source = first["record"]["sourceArchived"]["source"].as_str();
        let statements = ["list", "statements", "--json"];
        let statements = daemon.ask(&statements).code(0).json();
        let statement = statements["statements"][0]["statementId"].as_str();
        daemon.ask(&["proof", "0", "--output", "whole"]).code(0);
        for (command, directory) in [("backup", "kept"), ("export archive", "bag")] {
            let words = command.split(' ').chain([directory]).collect::<Vec<_>>();
            daemon.ask(&words).code(0);
        }
        Self {
            key: daemon.key().to_str().unwrap().to_owned(),
            source: source.unwrap().to_owned(),
            statement: statement.unwrap().to_owned(),
            verifier_key: daemon.verifier_key(),
            nowhere: Port::held(),
            daemon,
        }
    }

    /// Runs a command against the daemon, or where `server` says.
    fn run(&self, row: &Row, arguments: &str, more: &[&str], server: &str) -> Ended {
        let fill = |word: &str| match word {
            "KEY" => self.key.clone(),
            "SOURCE" => self.source.clone(),
            "STATEMENT" => self.statement.clone(),
            "URL" => self.daemon.server.clone(),
            "VKEY" => self.verifier_key.clone(),
            "ABSENT" => absent(),
            "FRESH" => {
                let home = self.daemon.home.path();
                let fresh = tempfile::tempdir_in(home).unwrap().keep();
                fresh.to_str().unwrap().to_owned()
            }
            word => word.to_owned(),
        };
        run(onrecord()
            .current_dir(self.daemon.home.path())
            .env("ONRECORD_SERVER", server)
            .args(row.command.split(' '))
            .args(arguments.split_whitespace().map(fill))
            .args(more))
    }
}

fn absent() -> String {
    "0".repeat(64)
}

/// A web archive of one response.
fn warc(status: &str) -> String {
    let http = format!("{status}\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi");
    format!(
        "WARC/1.0\r\nWARC-Type: response\r\n\
         WARC-Record-ID: <urn:uuid:12345678-1234-1234-1234-123456789012>\r\n\
         WARC-Date: 2025-08-20T06:00:00Z\r\nWARC-Target-URI: https://news.example/a\r\n\
         Content-Type: application/http; msgtype=response\r\nContent-Length: {}\r\n\r\n{http}\r\n\r\n",
        http.len()
    )
}

/// The commands that do something: those without further ones.
fn leaves(command: &clap::Command, path: &str, found: &mut BTreeSet<String>) {
    for one in command.get_subcommands() {
        let path = format!("{path} {}", one.get_name());
        let path = path.trim_start();
        if one.has_subcommands() {
            leaves(one, path, found);
        } else {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn every_command_stands_in_the_table_and_takes_what_its_answers_ask_for() {
    let mut found = BTreeSet::new();
    leaves(&Cli::command(), "", &mut found);
    let listed: BTreeSet<_> = COMMANDS.iter().map(|row| row.command.to_owned()).collect();
    assert_eq!(found, listed);
    for row in COMMANDS {
        let definition = row.definition();
        let argument = |name: &str| {
            let mut arguments = definition.get_arguments();
            arguments.find(|it| it.get_long() == Some(name))
        };
        assert_eq!(
            argument("json").is_some(),
            row.takes_json(),
            "{}",
            row.command
        );
        let server = argument("server");
        assert_eq!(server.is_some(), row.asks_a_daemon(), "{}", row.command);
        let variable = server.and_then(clap::Arg::get_env);
        assert!(server.is_none() || variable.is_some_and(|it| it == "ONRECORD_SERVER"));
    }
}

#[test]
fn yes_is_exit_code_0_no_is_1_and_what_takes_json_gives_json() {
    let scene = Scene::new();
    let ran = |row: &&Row| !["serve", "demo"].contains(&row.command);
    for row in COMMANDS.iter().filter(ran) {
        let json: &[&str] = if row.takes_json() { &["--json"] } else { &[] };
        let answer = scene.run(row, row.yes, json, &scene.daemon.server).code(0);
        if row.takes_json() {
            let values = serde_json::Deserializer::from_str(&answer.out).into_iter::<Value>();
            let values: Result<Vec<_>, _> = values.collect();
            let values = values.unwrap_or_else(|error| panic!("{}: {error}", row.command));
            assert!(!values.is_empty(), "{} says nothing", row.command);
            assert!(values.iter().all(Value::is_object), "{}", row.command);
        }
    }
    for row in COMMANDS.iter().filter(|row| !row.no.is_empty()) {
        scene.run(row, row.no, &[], &scene.daemon.server).code(1);
    }
}

#[test]
fn what_cannot_be_asked_is_exit_code_2_and_who_cannot_be_reached_3() {
    let scene = Scene::new();
    for row in COMMANDS {
        scene
            .run(row, row.yes, &["--frobnicate"], &scene.daemon.server)
            .code(2);
        if !row.asks_a_daemon() {
            continue;
        }
        let (here, nowhere) = (&scene.daemon.server[..], &scene.nowhere.server()[..]);
        scene
            .run(row, row.yes, &["--server", "no address"], here)
            .code(2);
        scene.run(row, row.yes, &[], "no address").code(2);
        for (variable, option) in [(nowhere, &[][..]), (here, &["--server", nowhere])] {
            let ended = scene.run(row, row.yes, option, variable).code(3);
            let ended = ended.complains("no daemon answers at");
            assert_eq!(ended.out, "", "{}", row.command);
        }
        // What is typed counts for more than the environment.
        scene
            .run(row, row.yes, &["--server", here], nowhere)
            .code(0);
    }
}

#[test]
fn completions_and_manual_pages_name_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(onrecord().args(["completions", shell])).code(0).out;
        for row in COMMANDS {
            for name in row.command.split(' ') {
                assert!(script.contains(name), "{name} is not completed by {shell}");
            }
        }
    }
    run(onrecord().args(["completions", "cmd"])).code(2);
    let page = run(onrecord().arg("man")).code(0).out;
    assert!(page.contains(".TH onrecord 1"), "{page}");
    let home = tempfile::tempdir().unwrap();
    let pages = home.path().join("share/man1");
    run(onrecord().arg("man").arg("--output").arg(&pages)).code(0);
    assert!(std::fs::read(pages.join("onrecord.1")).unwrap() == page.as_bytes());
    for row in COMMANDS {
        let name = row.command.replace(' ', "-");
        let first = row.command.split(' ').next().unwrap();
        let first = first.replace('-', "\\-");
        assert!(page.contains(&format!("onrecord\\-{first}(1)")), "{first}");
        let page = std::fs::read_to_string(pages.join(format!("onrecord-{name}.1"))).unwrap();
        let about = row.definition().get_about().unwrap().to_string();
        let about = about.split_whitespace().next().unwrap();
        assert!(page.contains(about), "{name}: {page}");
    }
}
