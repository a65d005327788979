//! The archive as a bag, and a replica of it, through the real program.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use std::fs;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use program::{Daemon, Ended, onrecord, run};
use sha2::{Digest as _, Sha512};

fn import(bag: &Path, data: &Path) -> Ended {
    run(onrecord()
        .args(["import", "archive"])
        .arg(bag)
        .arg("--data")
        .arg(data))
}

fn head(daemon: &Daemon) -> serde_json::Value {
    daemon.ask(&["status", "--json"]).json()["head"].clone()
}

/// Waits until the newest checkpoint commits to all that is on record.
fn wait_for_checkpoint(daemon: &Daemon) {
    loop {
        let status = daemon.ask(&["status", "--json"]).json();
        if status["checkpoints"]["size"] == status["head"]["size"] {
            return;
        }
        std::thread::yield_now();
    }
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

/// The files below a directory, by name.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Makes the manifests right again, as somebody does who changed a file on purpose.
fn seal(bag: &Path) {
    let line = |path: &Path| {
        let hash = HEXLOWER.encode(&Sha512::digest(fs::read(path).unwrap()));
        format!("{hash}  {}\n", path.strip_prefix(bag).unwrap().display())
    };
    let payload = files(&bag.join("data"));
    let bytes: u64 = payload
        .iter()
        .map(|it| fs::metadata(it).unwrap().len())
        .sum();
    let manifest: String = payload.iter().map(|it| line(it)).collect();
    fs::write(bag.join("manifest-sha512.txt"), manifest).unwrap();
    let info = fs::read_to_string(bag.join("bag-info.txt")).unwrap();
    let kept = info.lines().filter(|it| !it.starts_with("Payload-Oxum"));
    let oxum = format!("Payload-Oxum: {bytes}.{}", payload.len());
    let info: Vec<&str> = kept.chain([&oxum[..]]).collect();
    fs::write(bag.join("bag-info.txt"), info.join("\n") + "\n").unwrap();
    let tags = ["bag-info.txt", "bagit.txt", "manifest-sha512.txt"];
    let tags: String = tags.iter().map(|it| line(&bag.join(it))).collect();
    fs::write(bag.join("tagmanifest-sha512.txt"), tags).unwrap();
}

#[test]
fn a_replica_has_the_root_of_the_archive_and_answers_as_it_does() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    wait_for_checkpoint(&daemon);
    daemon
        .ask(&["export", "archive", "bag"])
        .code(0)
        .says("data/README.txt");
    daemon
        .ask(&["export", "archive", "bag"])
        .code(1)
        .complains("is not empty");
    let bag = daemon.home.path().join("bag");
    for name in ["bagit.txt", "data/README.txt", "data/tile/entries/000.p/47"] {
        assert!(bag.join(name).exists(), "{name}");
    }
    // Every document lies under its id.
    for document in files(&bag.join("data/sources")) {
        let id = blake3::hash(&fs::read(&document).unwrap()).to_hex();
        assert_eq!(document.file_name().unwrap(), id.as_str());
    }

    let home = tempfile::tempdir().unwrap();
    let data = home.path().join("onrecord-data");
    import(&bag, &data)
        .code(0)
        .says("a checkpoint that a key of the archive signed says the same")
        .says("no key to sign checkpoints with");
    import(&bag, &data)
        .code(1)
        .complains("holds an archive already");
    run(onrecord().args(["check", "--data"]).arg(&data)).code(0);
    let replica = Daemon::start_in(home, &[]);
    assert_eq!(head(&replica), head(&daemon));
    let ask = [
        "position",
        "kremlin",
        "leaders-meeting",
        "--as-of",
        "2025-09-10",
        "--json",
    ];
    let position = |daemon: &Daemon| {
        wait_for_projections(daemon);
        daemon.ask(&ask).code(0).out
    };
    assert_eq!(position(&replica), position(&daemon));
    // A bag of the replica is a bag of the archive, but that nobody signs for it.
    replica
        .ask(&["export", "archive", "bag"])
        .code(0)
        .says("no checkpoint vouches for");
    let again = replica.home.path().join("bag");
    let payload = |bag: &Path| {
        let data = bag.join("data");
        let files = files(&data).into_iter();
        let files = files.filter(|it| !it.ends_with("checkpoint") && !it.ends_with("README.txt"));
        let named = files.map(|it| {
            let name = it.strip_prefix(&data).unwrap().to_owned();
            (name, fs::read(&it).unwrap())
        });
        named.collect::<Vec<_>>()
    };
    assert!(payload(&again) == payload(&bag));
}

#[test]
fn a_bag_that_was_changed_founds_nothing_and_the_file_is_named() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    wait_for_checkpoint(&daemon);
    daemon.ask(&["export", "archive", "bag"]).code(0);
    let bag = daemon.home.path().join("bag");
    let target = daemon.home.path().join("replica");
    let refused = |says: &str| {
        import(&bag, &target).code(1).complains(says);
        assert!(!target.exists(), "nothing is left");
    };
    let all = files(&bag);
    for path in &all {
        let whole = fs::read(path).unwrap();
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(path, bytes).unwrap();
        let name = path.strip_prefix(&bag).unwrap().display().to_string();
        let is_payload = name.starts_with("data/");
        refused(if is_payload { &name } else { "" });
        fs::write(path, &whole).unwrap();
    }
    let document = files(&bag.join("data/sources")).pop().unwrap();
    let whole = fs::read(&document).unwrap();
    fs::remove_file(&document).unwrap();
    refused("is missing");

    // With the manifests made right, what it says of the ledger catches it.
    seal(&bag);
    refused("which is on record, is not in the bag");
    fs::write(&document, b"forged").unwrap();
    seal(&bag);
    refused("hashes to");
    fs::write(&document, whole).unwrap();

    let checkpoint = bag.join("data/checkpoint");
    let whole = fs::read_to_string(&checkpoint).unwrap();
    for (from, to, says) in [
        ("\n47\n", "\n46\n", "000.p/46"),
        ("— ", "— x", "there is no signature by the ledger's key"),
    ] {
        fs::write(&checkpoint, whole.replace(from, to)).unwrap();
        seal(&bag);
        refused(says);
    }
    fs::write(&checkpoint, whole).unwrap();

    let tile = bag.join("data/tile/0/000.p/47");
    let whole = fs::read(&tile).unwrap();
    let mut bytes = whole.clone();
    bytes[33] ^= 1;
    fs::write(&tile, bytes).unwrap();
    seal(&bag);
    refused("is not the tile that the entries give");
    fs::write(&tile, whole).unwrap();

    let bundle = bag.join("data/tile/entries/000.p/47");
    let whole = fs::read(&bundle).unwrap();
    let mut bytes = whole.clone();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    seal(&bag);
    refused("");
    fs::write(&bundle, whole).unwrap();
    seal(&bag);
    import(&bag, &target).code(0);
}

#[test]
fn what_is_no_bag_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("replica");
    import(home.path(), &target)
        .code(1)
        .complains("it has no bagit.txt");
    let bag = home.path().join("bag");
    fs::create_dir(&bag).unwrap();
    fs::write(
        bag.join("bagit.txt"),
        "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
    )
    .unwrap();
    fs::write(bag.join("tagmanifest-sha512.txt"), "").unwrap();
    for line in ["x", "00  data/x", "00  data/../../etc/passwd"] {
        fs::write(bag.join("manifest-sha512.txt"), line).unwrap();
        import(&bag, &target).code(1).complains("has a line");
    }
    assert!(!target.exists());
}
