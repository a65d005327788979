//! The archive as a bag, and a replica of it, through the real program.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use std::fs;
use std::path::Path;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use onrecord::bag::TileWriter;
use onrecord::merkle::{
    Checkpoint, CosignatureTime, SignedNote, WitnessKey, cosign, decode_bundle,
};
use onrecord::record::SigningKey;
use program::{Daemon, Ended, files, onrecord, run};
use sha2::{Digest as _, Sha512};

fn import(bag: &Path, data: &Path, vouching: &[&str]) -> Ended {
    run(onrecord()
        .args(["import", "archive"])
        .arg(bag)
        .arg("--data")
        .arg(data)
        .args(vouching))
}

fn head(daemon: &Daemon) -> serde_json::Value {
    daemon.ask(&["status", "--json"]).json()["head"].clone()
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
    daemon.wait_for_checkpoint();
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
    let key = daemon.verifier_key();
    let vouching = ["--key", &key];
    import(&bag, &data, &[]).code(2).complains("--without-key");
    import(&bag, &bag.join("in"), &vouching)
        .code(1)
        .complains("which it is to be made from");
    import(&bag, &data, &vouching)
        .code(0)
        .says("signed by the key that you gave")
        .says(&key)
        .says("no key to sign checkpoints with");
    import(&bag, &data, &vouching)
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
    let unsigned = replica.home.path().join("unsigned");
    for refused in [&vouching[..], &["--without-key"]] {
        import(&again, &unsigned, refused)
            .code(1)
            .complains("the bag has no checkpoint");
    }
    import(&again, &unsigned, &["--without-checkpoint"])
        .code(0)
        .says("nobody vouches for that");
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
    daemon.wait_for_checkpoint();
    daemon.ask(&["export", "archive", "bag"]).code(0);
    let bag = daemon.home.path().join("bag");
    let target = daemon.home.path().join("replica");
    let key = daemon.verifier_key();
    let vouching = ["--key", &key];
    let refused = |says: &str| {
        import(&bag, &target, &vouching).code(1).complains(says);
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

    // A file that nobody vouches for, wherever it lies in the payload.
    for beside in ["data/notes.txt", "data/sources/deep/er/notes.txt"] {
        fs::write(&document, &whole).unwrap();
        let path = bag.join(beside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, b"read me").unwrap();
        refused(&format!("{beside} is listed in no manifest"));
        verify(&bag, &key)
            .code(1)
            .says(&format!("{beside} is listed in no manifest"));
        fs::remove_file(&path).unwrap();
    }
    fs::remove_file(&document).unwrap();

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
        ("\n47\n", "\n46\n", "does not hold"),
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
    import(&bag, &target, &["--without-key"])
        .code(0)
        .says("nobody vouches for that")
        .says(&key);
}

#[test]
fn what_is_no_bag_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let target = home.path().join("replica");
    let vouching = ["--without-checkpoint"];
    import(home.path(), &target, &vouching).code(1).complains(
        "is no bag: it has no bagit.txt; name a directory that `onrecord export archive` wrote",
    );
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
        import(&bag, &target, &vouching)
            .code(1)
            .complains("has a line");
    }
    assert!(!target.exists());
}

fn verify(bag: &Path, key: &str) -> Ended {
    run(onrecord()
        .arg("verify")
        .arg(bag)
        .args(["--key", key, "--json"]))
}

/// Writes another history into a bag, with tiles, root, checkpoint text and manifests that fit it.
fn rewrite(bag: &Path, entries: &[Bytes]) {
    let data = bag.join("data");
    fs::remove_dir_all(data.join("tile")).unwrap();
    let mut write = |path: onrecord::merkle::TilePath, bytes: &[u8]| {
        let path = data.join(path.to_string());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
        Ok(())
    };
    let mut tiles = TileWriter::default();
    for entry in entries {
        tiles.push(entry, &mut write).unwrap();
    }
    let frontier = tiles.finish(&mut write).unwrap();
    let checkpoint = data.join("checkpoint");
    let note = fs::read_to_string(&checkpoint).unwrap();
    let mut lines: Vec<String> = note.lines().map(ToOwned::to_owned).collect();
    lines[1] = frontier.size().to_string();
    lines[2] = frontier.root().to_string();
    fs::write(&checkpoint, lines.join("\n") + "\n").unwrap();
    seal(bag);
}

#[test]
fn a_history_that_was_doctored_whole_is_refused_by_whoever_has_the_key() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    daemon.wait_for_checkpoint();
    daemon.ask(&["export", "archive", "bag"]).code(0);
    let bag = daemon.home.path().join("bag");
    let key = daemon.verifier_key();
    let whole = verify(&bag, &key).code(0).json();
    let lines = whole["files"][0]["lines"].as_array().unwrap();
    for check in ["file", "checkpoint", "inclusion", "source", "record"] {
        let is_yes = |it: &&serde_json::Value| it["check"] == check && it["verdict"] == "yes";
        assert!(lines.iter().any(|it| is_yes(&it)), "{check}: {lines:?}");
    }
    let other = Daemon::start();
    let stranger = other.verifier_key();
    assert_eq!(
        verify(&bag, &stranger).code(1).json()["files"][0]["verdict"],
        "no"
    );
    let target = daemon.home.path().join("replica");
    import(&bag, &target, &["--key", &stranger]).code(1);

    let path = bag.join("data/tile/entries/000.p/47");
    let bundle = Bytes::from(fs::read(path).unwrap());
    let entries = decode_bundle(&bundle, 47).unwrap();
    let entries: Vec<Bytes> = entries.into_iter().map(|it| bundle.slice_ref(it)).collect();
    let mut swapped = entries.clone();
    swapped.swap(45, 46);
    let mut without = entries.clone();
    without.remove(20);
    let cut = entries[..46].to_vec();
    for doctored in [swapped, without, cut] {
        rewrite(&bag, &doctored);
        let found = verify(&bag, &key).code(1).json();
        let lines = found["files"][0]["lines"].as_array().unwrap();
        let last = lines.last().unwrap();
        assert_eq!(
            (&last["check"], &last["verdict"]),
            (&"checkpoint".into(), &"no".into())
        );
        import(&bag, &target, &["--key", &key])
            .code(1)
            .complains("is no checkpoint of this archive");
        assert!(!target.exists());
    }
    rewrite(&bag, &entries);
    verify(&bag, &key).code(0);
}

#[test]
fn entries_that_were_recorded_after_the_witnesses_saw_them_are_told_of() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    daemon.wait_for_checkpoint();
    daemon.ask(&["export", "archive", "bag"]).code(0);
    let bag = daemon.home.path().join("bag");
    let key = daemon.verifier_key();
    let path = bag.join("data/checkpoint");
    let note = SignedNote::parse(&fs::read(&path).unwrap()).unwrap();
    let checkpoint = Checkpoint::open(&note, &key.parse().unwrap()).unwrap();
    let secret = SigningKey::from_seed([41; 32]);
    let witness = WitnessKey::new("one.example".parse().unwrap(), secret.public());
    let told = |seconds| {
        let time = CosignatureTime::from_unix_seconds(seconds).unwrap();
        let line = cosign(&checkpoint, "one.example".parse().unwrap(), &secret, time);
        let note = note.clone().with(vec![line]).unwrap();
        fs::write(&path, note.to_string()).unwrap();
        seal(&bag);
        let witness = witness.note_key().to_string();
        let verified = run(onrecord().arg("verify").arg(&bag).args([
            "--key",
            &key,
            "--json",
            "--witness",
            &witness,
        ]));
        let verified = verified.code(0).json();
        let lines = verified["files"][0]["lines"].as_array().unwrap();
        let says = lines
            .iter()
            .map(|line| line["says"].as_str().unwrap().to_owned());
        says.filter(|says| says.contains("later than the witnesses say"))
            .count()
    };
    // Long before and long after, by the archive's clock.
    assert_eq!(told(1_500_000_000), 1);
    assert_eq!(told(4_000_000_000), 0);
}
