//! `onrecord audit`, the real program, against real daemons and mirrors of what they serve.
#![cfg(feature = "daemon")]
#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../common/program.rs"]
mod program;

mod doctored;
mod honest;
mod keys;
mod mirrors;
mod rewritten;
mod stopped;

use std::path::PathBuf;

use common::TestArchive;
use common::daemon::Home;
use common::mirror::{Files, copied, size_of};
use common::records::{ORIGIN, actor};
use onrecord::config::keys as key_files;
use onrecord::merkle::{NoteKey, NoteKeyType};
use onrecord::record::SigningKey;
use onrecord::record::proto::{ActorKind, record::Kind};
use program::{Ended, onrecord, run};
use serde_json::Value;
use tempfile::TempDir;

/// An auditor with a memory.
struct Auditor {
    home: TempDir,
    key: NoteKey,
}

impl Auditor {
    fn of(key: &SigningKey) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            key: verifier(key),
        }
    }

    fn state(&self) -> PathBuf {
        self.home.path().join("archive.audit")
    }

    /// Audits the archive at `url` with further arguments.
    fn audits(&self, url: &str, arguments: &[&str]) -> Ended {
        let key = self.key.to_string();
        run(onrecord()
            .current_dir(self.home.path())
            .args(["audit", url, "--json", "--key", &key])
            .args(["--state", "archive.audit"])
            .args(arguments))
    }
}

fn verifier(key: &SigningKey) -> NoteKey {
    NoteKey::new(ORIGIN.parse().unwrap(), NoteKeyType::Log, key.public())
}

/// An archive whose daemon signs at once, and the key that signs.
async fn archive() -> (TestArchive, SigningKey) {
    let mut home = Home::new();
    home.config.checkpoint_interval_ms = 1;
    let home = home.found();
    let key = key_files::read(&home.config.signer_dir().join("checkpoint.key")).unwrap();
    (TestArchive::on(home.start()).await, key)
}

/// Puts people on record, until there are `size` entries.
async fn grow(archive: &mut TestArchive, size: u64) {
    let people = (archive.size..size).map(|number| {
        let person = actor(&format!("person-{number}"), ActorKind::Person);
        archive.steward.seal(Kind::ActorDefined(person))
    });
    let people: Vec<_> = people.collect();
    for batch in people.chunks(100) {
        let answers = archive.client.try_append(batch.to_vec()).await.unwrap();
        for answer in answers {
            common::client::recorded(answer.outcome.unwrap());
        }
    }
    archive.size = size;
}

/// What an archive serves over HTTP, once it has signed all of it and its projections have read it.
async fn served(archive: &TestArchive) -> Files {
    archive.client.clone().until_read(archive.size).await;
    loop {
        let files = {
            let address = archive.daemon.address;
            tokio::task::spawn_blocking(move || {
                let note = common::http::get(address, "/checkpoint");
                (note.status == 200).then(|| copied(address))
            })
        };
        if let Some(files) = files.await.unwrap()
            && size_of(&files["checkpoint"]) >= archive.size
        {
            return files;
        }
    }
}

fn url(archive: &TestArchive) -> String {
    format!("http://{}", archive.daemon.address)
}

/// The outcome of a check, and what it says; of the first that goes by the name.
#[track_caller]
fn check<'r>(report: &'r Value, name: &str) -> (&'r str, &'r str) {
    let checks = report["checks"].as_array().unwrap();
    let found = checks.iter().find(|it| it["check"] == name);
    let found = found.unwrap_or_else(|| panic!("no {name} in {report:#}"));
    (
        found["outcome"].as_str().unwrap(),
        found["says"].as_str().unwrap(),
    )
}

/// The checks that came out so.
fn those(report: &Value, outcome: &str) -> Vec<String> {
    let checks = report["checks"].as_array().unwrap().iter();
    let such = checks.filter(|it| it["outcome"] == outcome);
    such.map(|it| it["check"].as_str().unwrap().to_owned())
        .collect()
}
