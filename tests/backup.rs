//! A backup made while the daemon serves, and what is restored from it, through the real program.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use onrecord::rpc::proto::CreateBackupRequest;
use onrecord::rpc::proto::admin_service_client::AdminServiceClient;
use onrecord::storage::DataDir;
use program::{Daemon, Ended, files, onrecord, run};

/// What the example asks of it, on any daemon.
fn position(daemon: &Daemon) -> String {
    wait_for_projections(daemon);
    let asked = [
        "position",
        "kremlin",
        "leaders-meeting",
        "--as-of",
        "2025-08-20",
        "--json",
    ];
    daemon.ask(&asked).code(0).out
}

/// Waits until every projection has read all that is on record.
fn wait_for_projections(daemon: &Daemon) {
    loop {
        let status = daemon.ask(&["status", "--json"]).json();
        let all = status["projections"].as_array().unwrap();
        let size = &status["head"]["size"];
        if all.iter().all(|it| it["cursor"]["size"] == *size) {
            return;
        }
        std::thread::yield_now();
    }
}

fn restore(backup: &Path, data: &Path) -> Ended {
    run(onrecord()
        .arg("restore")
        .arg(backup)
        .arg("--data")
        .arg(data))
}

/// The id of a stored document, which its path says.
fn id_of(path: &Path) -> String {
    let name = |path: &Path| path.file_name().unwrap().display().to_string();
    format!("{}{}", name(path.parent().unwrap()), name(path))
}

#[test]
fn what_is_restored_from_a_backup_answers_as_the_archive_did() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let before = position(&daemon);
    let head = daemon.ask(&["status", "--json"]).json()["head"].clone();
    daemon
        .ask(&["backup", "copy"])
        .code(0)
        .says(&format!("wrote {} entries", head["size"].as_str().unwrap()))
        .says("synced");
    // What is recorded from here on is not in it.
    let backup = daemon.home.path().join("copy");
    assert!(backup.join("RESTORED").exists());
    let secret = |path: &PathBuf| path.extension().is_some_and(|it| it == "key");
    assert!(!files(&backup).iter().any(secret), "no key is in it");

    let home = tempfile::tempdir().unwrap();
    let restored = restore(&backup, &home.path().join("onrecord-data")).code(0);
    assert!(restored.out.contains("--continue-from"), "{}", restored.out);
    let again = Daemon::start_in(home, &[]);
    let found = again.ask(&["status", "--json"]).json()["head"].clone();
    assert_eq!(found, head);
    assert_eq!(position(&again), before);
    let text = |daemon: &Daemon| {
        let id = id_of(&files(&backup.join("sources"))[0]);
        daemon.ask(&["source", "text", &id]).code(0).out
    };
    assert_eq!(text(&again), text(&daemon), "texts are extracted again");
    assert!(again.home.path().join("onrecord-data/RESTORED").exists());
    // What it took could not be signed before it is known what it continues.
    fs::copy(daemon.key(), again.home.path().join("steward.key")).unwrap();
    again.append_example().code(1).complains("--continue-from");
    let found = again.ask(&["status", "--json"]).json()["head"].clone();
    assert_eq!(found, head);
}

#[test]
fn a_directory_that_is_not_empty_is_refused() {
    let daemon = Daemon::start();
    let home = daemon.home.path();
    fs::create_dir(home.join("full")).unwrap();
    fs::write(home.join("full/letter"), b"mine").unwrap();
    daemon
        .ask(&["backup", "full"])
        .code(2)
        .complains("is not empty");
    daemon
        .ask(&["backup", "onrecord-data"])
        .code(2)
        .complains("holds an archive already");
    assert_eq!(fs::read(home.join("full/letter")).unwrap(), b"mine");

    daemon.ask(&["backup", "copy"]).code(0);
    daemon
        .ask(&["backup", "copy"])
        .code(2)
        .complains("holds an archive already");
    restore(&home.join("copy"), &home.join("full"))
        .code(1)
        .complains("is not empty");
    restore(&home.join("nothing"), &home.join("new"))
        .code(1)
        .complains("nothing does not exist; name the directory of an archive");
    restore(&home.join("full"), &home.join("new"))
        .code(1)
        .complains(
            "full holds no archive: there is no FORMAT in it; name the directory of an archive",
        );
    assert!(!home.join("new").exists());
}

#[test]
fn a_backup_that_is_not_whole_is_not_restored_and_says_what_is_wrong() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    daemon.ask(&["backup", "copy"]).code(0);
    let home = daemon.home.path();
    let (backup, target) = (home.join("copy"), home.join("new"));
    let refused = |says: &str| {
        restore(&backup, &target).code(1).complains(says);
        assert!(!target.exists(), "nothing is left");
    };
    let spoilt = |path: &Path, says: &str| {
        let whole = fs::read(path).unwrap();
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
        refused(says);
        fs::write(path, whole).unwrap();
    };
    let document = files(&backup.join("sources")).pop().unwrap();
    let id = id_of(&document);
    spoilt(&document, &format!("the document {id} is damaged"));
    spoilt(&backup.join("HEAD"), "HEAD is damaged");
    spoilt(&backup.join("FORMAT"), "");
    let whole = fs::read(&document).unwrap();
    fs::remove_file(&document).unwrap();
    refused(&format!("no document {id}"));
    fs::write(&document, whole).unwrap();

    // A frame of the ledger, wherever it lies in the log.
    let log = backup.join("ledger/frames/db");
    let whole = fs::read(&log).unwrap();
    let at = whole
        .windows(8)
        .position(|window| window == b"onrecfrm")
        .unwrap();
    let mut bytes = whole.clone();
    bytes[at + 100] ^= 1;
    fs::write(&log, bytes).unwrap();
    refused("");
    fs::write(&log, whole).unwrap();
    restore(&backup, &target).code(0);
}

#[tokio::test]
async fn a_backup_that_is_given_up_leaves_a_whole_one_or_nothing() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let channel = tonic::transport::Endpoint::from_shared(daemon.server.clone()).unwrap();
    let mut admin = AdminServiceClient::new(channel.connect().await.unwrap());
    for number in 0..20 {
        let directory = daemon.home.path().join(format!("copy-{number}"));
        let request = CreateBackupRequest {
            directory: directory.display().to_string(),
        };
        let answers = loop {
            match admin.create_backup(request.clone()).await {
                Ok(answers) => break answers,
                // The one before has not ended yet.
                Err(status) if status.message().contains("another backup") => {
                    tokio::task::yield_now().await;
                }
                Err(status) => panic!("{status}"),
            }
        };
        drop(answers);
        // Its lock is held for as long as anything is written.
        while directory.exists() && !is_whole(&directory) {
            tokio::task::yield_now().await;
        }
        if directory.exists() {
            let target = daemon.home.path().join(format!("restored-{number}"));
            restore(&directory, &target).code(0);
        }
    }
    let relative = CreateBackupRequest {
        directory: "copy".to_owned(),
    };
    let status = admin.create_backup(relative).await.unwrap_err();
    assert!(status.message().contains("from / on"), "{status}");
}

/// Whether it says that it is an archive, and nobody writes to it any more.
fn is_whole(directory: &Path) -> bool {
    directory.join("FORMAT").exists() && DataDir::open(directory).is_ok()
}

#[test]
fn with_a_directory_for_backups_they_are_written_there_and_nowhere_else() {
    let home = tempfile::tempdir().unwrap();
    let backups = home.path().join("backups");
    fs::create_dir(&backups).unwrap();
    let settings = serde_json::json!({ "backup_dir": backups });
    fs::write(home.path().join("settings.json"), settings.to_string()).unwrap();
    let daemon = Daemon::start_in(home, &["--config", "settings.json"]);
    daemon
        .ask(&["backup", "copy"])
        .code(2)
        .complains("does not lie where backups may be written")
        .complains("a directory below");
    assert!(!daemon.home.path().join("copy").exists());
    daemon.ask(&["backup", "backups/of/may"]).code(0);
    assert!(backups.join("of/may/FORMAT").exists());
}

#[test]
fn what_a_killed_restore_left_is_told_as_that() {
    let daemon = Daemon::start();
    daemon.ask(&["backup", "copy"]).code(0);
    let home = daemon.home.path();
    let (backup, target) = (home.join("copy"), home.join("new"));
    assert!(!backup.join("UNFINISHED").exists());
    // A pipe that nobody writes to keeps it from going on, until it is killed.
    let held = backup.join("ledger/frames/held");
    let made = Command::new("mkfifo").arg(&held).status().unwrap();
    assert!(made.success());
    let mut killed = onrecord()
        .arg("restore")
        .arg(&backup)
        .arg("--data")
        .arg(&target)
        .spawn()
        .unwrap();
    while !target.join("ledger/EPOCH").exists() {
        assert!(killed.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    restore(&backup, &target).code(1).complains("is in use");
    killed.kill().unwrap();
    killed.wait().unwrap();
    fs::remove_file(&held).unwrap();
    let says = "holds what a restore left that was cut short, and is no archive; remove it, and begin again";
    restore(&backup, &target).code(1).complains(says);
    let serve = |arguments: &[&str]| run(onrecord().args(arguments).arg("--data").arg(&target));
    serve(&["serve", "--listen", "127.0.0.1:0"])
        .code(1)
        .complains(says);
    serve(&["check"]).code(1).says(says);
    assert!(target.join("UNFINISHED").exists(), "nothing is taken away");
    fs::remove_dir_all(&target).unwrap();
    restore(&backup, &target).code(0);
    assert!(!target.join("UNFINISHED").exists());
}
