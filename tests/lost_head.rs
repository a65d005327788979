//! The real program over an archive whose `HEAD` is gone: it says what to do, and what it says
//! works.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use program::{Daemon, onrecord, run};

#[test]
fn an_archive_without_head_is_served_only_as_it_is_found_and_only_when_told() {
    let daemon = Daemon::start();
    daemon.append_example().code(0);
    let home = daemon.kill();
    std::fs::remove_file(home.path().join("onrecord-data/HEAD")).unwrap();
    run(onrecord()
        .current_dir(home.path())
        .args(["serve", "--listen", "127.0.0.1:0"]))
    .code(1)
    .complains("HEAD is missing")
    .complains("--accept-ledger-as-found");
    let daemon = Daemon::start_in(home, &["--accept-ledger-as-found"]);
    let told = daemon.stderr();
    assert!(told.contains("accepted the ledger as found"), "{told}");
    // From here on HEAD vouches for it.
    let daemon = Daemon::start_in(daemon.kill(), &[]);
    daemon.append_example().code(0);
}
