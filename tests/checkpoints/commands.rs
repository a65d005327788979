use super::program::{Daemon, onrecord, run};

#[test]
fn the_checkpoint_that_is_printed_is_what_the_archive_continues_from() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    daemon.wait_for_checkpoint();
    let status = daemon.ask(&["status"]).code(0).says("verify with");
    assert!(!status.out.contains("not signed"), "{}", status.out);
    let note = daemon.ask(&["checkpoint"]).code(0).out;
    let json = daemon.ask(&["checkpoint", "--json"]).code(0).json();
    assert!(json["note"].is_string() && json["size"].is_string());
    daemon
        .ask(&["checkpoint", "--witnessed"])
        .code(1)
        .complains("names no witnesses");
    let home = daemon.terminate_in_place();
    std::fs::write(home.path().join("kept"), &note).unwrap();
    std::fs::write(home.path().join("torn"), &note[..note.len() - 9]).unwrap();
    std::fs::remove_dir_all(home.path().join("onrecord-data-signer")).unwrap();

    let daemon = Daemon::start_in(home, &[]);
    daemon.ask(&["status"]).code(0).says("not signed");
    daemon
        .ask(&["checkpoint"])
        .code(1)
        .complains("--continue-from");
    let home = daemon.terminate_in_place();
    for (file, code) in [("missing", 2), ("torn", 2)] {
        run(onrecord().current_dir(home.path()).args([
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--continue-from",
            file,
        ]))
        .code(code)
        .complains(file);
    }
    // The key went with the directory: what nobody can sign is told, and the archive is served.
    let daemon = Daemon::start_in(home, &["--continue-from", "kept"]);
    daemon
        .ask(&["checkpoint"])
        .code(1)
        .complains("none of the archive's 1 checkpoint keys");
}

#[test]
fn a_signer_inside_the_archive_is_refused() {
    let home = tempfile::tempdir().unwrap();
    run(onrecord()
        .current_dir(home.path())
        .args(["init", "--data", "a", "--signer", "a/signer"]))
    .code(2)
    .complains("lies inside the archive");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    run(onrecord()
        .current_dir(home.path())
        .args(["init", "--data", "a", "--signer", "keys/a"]))
    .code(0)
    .complains("keys/a");
    assert!(home.path().join("keys/a/checkpoint.key").exists());
    // Another archive does not take it over.
    let second = ["init", "--data", "b", "--signer", "keys/a"];
    run(onrecord().current_dir(home.path()).args(second))
        .code(1)
        .complains("name another directory with --signer");
}
