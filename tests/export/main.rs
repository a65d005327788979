//! `onrecord export`: the real program against a real daemon, judged by the formats' rules.
#![cfg(feature = "daemon")]
#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/program.rs"]
mod program;

mod annotations;
mod claims;
mod revocation;
mod rules;
mod which;

use std::process::Stdio;
use std::sync::{Mutex, PoisonError};

use common::archive::TEXT;
use common::daemon::Home;
use common::records::statement;
use common::{Client, Signer, TestArchive};
use onrecord::record::proto::{Statement, Wording, record::Kind};
use program::{Ended, onrecord};
use serde_json::Value;

/// The document that an export writes.
struct Document {
    whole: Value,
    /// What it tells on standard error.
    told: String,
    /// Its items, each from a line of its own.
    items: Vec<Value>,
}

/// Exports as `arguments` say; it must succeed.
fn export(archive: &TestArchive, arguments: &[&str]) -> Document {
    let ended = try_export(archive, arguments).code(0);
    let lines: Vec<_> = ended.out.lines().collect();
    let [_, items @ .., _] = &lines[..] else {
        panic!("not an opening, items and a closing: {}", ended.out);
    };
    let item = |line: &&str| serde_json::from_str(line.trim_end_matches(',')).unwrap();
    Document {
        whole: ended.json(),
        items: items.iter().map(item).collect(),
        told: ended.err,
    }
}

fn try_export(archive: &TestArchive, arguments: &[&str]) -> Ended {
    run(archive, &[&["export"], arguments].concat())
}

/// Runs the program against the archive.
fn run(archive: &TestArchive, arguments: &[&str]) -> Ended {
    let server = format!("http://{}", archive.daemon.address);
    let mut command = onrecord();
    command
        .args(arguments)
        .args(["--server", &server])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let program = alone(|| command.spawn()).unwrap();
    Ended::of(program.wait_with_output().unwrap())
}

/// A small archive.
async fn archive() -> TestArchive {
    let daemon = alone(|| Home::new().found().start());
    TestArchive::on(daemon).await
}

/// Does something while no other test of this process does. A program that is being started
/// holds all open files of its parent for a moment, and with them the locks of data directories
/// that a daemon has just left and is about to open again.
fn alone<T>(act: impl FnOnce() -> T) -> T {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    act()
}

/// Puts something on record; its record id.
async fn put(client: &mut Client, signer: &Signer, kind: Kind) -> String {
    client.append(signer, kind).await.record
}

/// What Putin said, quoted from the archive's source.
fn quoted(exact: &str, wording: Wording) -> Statement {
    let spoken = if wording == Wording::Verbatim {
        "en"
    } else {
        "ru"
    };
    let text = match wording {
        Wording::Verbatim | Wording::Translated => exact.to_owned(),
        _ => format!("{} of what the source says", wording.as_str_name()),
    };
    Statement {
        wording: wording.into(),
        spoken_language: spoken.to_owned(),
        text,
        ..statement("putin", "2025-08-19", TEXT, exact)
    }
}

/// The value of a schema.org property among identifiers.
fn identifier<'v>(identifiers: &'v Value, id: &str) -> Option<&'v Value> {
    let mut found = identifiers.as_array()?.iter();
    let found = found.find(|property| property["propertyID"] == id)?;
    Some(&found["value"])
}
