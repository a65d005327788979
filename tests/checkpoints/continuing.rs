use std::fs;
use std::path::Path;

use onrecord::app::World;
use onrecord::merkle::{Checkpoint, Hash, SignedNote};
use onrecord::record::proto::{ActorKind, record::Kind};
use onrecord::rpc::proto::{AppendStreamRequest, GetCheckpointRequest, GetStatusRequest};
use onrecord::storage::{DataDir, RESTORED};

use super::common::daemon::{Daemon, Home};
use super::common::records::{ORIGIN, actor};
use super::common::{Client, Signer, assert_status};
use super::{checkpoint_of, founding_key, home, opened, record, status_that, verifier};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// A daemon that is told which checkpoint it continues.
pub fn continuing(home: Home, note: &str) -> Daemon {
    home.start_in(World {
        continue_from: Some(SignedNote::parse(note.as_bytes()).unwrap()),
        ..World::real()
    })
}

/// The archive is served, nothing is signed, and everybody is told why.
async fn assert_not_signing(client: &mut Client, why: &str) {
    let status = status_that(client, |status| !status.not_signing.is_empty()).await;
    assert!(status.not_signing.contains(why), "{}", status.not_signing);
    let request = GetCheckpointRequest::default();
    let refused = client.ledger.get_checkpoint(request).await.unwrap_err();
    assert_status(&refused, tonic::Code::FailedPrecondition, "NO_CHECKPOINT");
    assert!(refused.message().contains(why), "{refused}");
}

/// Records are taken all the same.
async fn assert_recording(client: &mut Client) {
    let before = client.head().await.size;
    let number = usize::try_from(before).unwrap();
    assert_eq!(record(client, 900 + number).await, before + 1);
}

/// No record is taken, in a call or a stream, and everybody is told why.
pub async fn assert_not_recording(client: &mut Client, why: &str) {
    let before = client.head().await.size;
    let person = actor("person-900", ActorKind::Person);
    let envelope = Signer::steward().seal(Kind::ActorDefined(person));
    let refused = client.try_append(vec![envelope.clone()]).await;
    let refused = refused.unwrap_err();
    assert_status(&refused, tonic::Code::FailedPrecondition, "NOT_CONTINUED");
    assert!(refused.message().contains(why), "{refused}");
    let request = AppendStreamRequest {
        envelope: Some(envelope),
    };
    let answers = client.records.append_stream(tokio_stream::once(request));
    let refused = answers.await.unwrap().into_inner().message().await;
    assert_status(
        &refused.unwrap_err(),
        tonic::Code::FailedPrecondition,
        "NOT_CONTINUED",
    );
    let status = client.admin.get_status(GetStatusRequest {}).await;
    let told = status.unwrap().into_inner().poisoned;
    assert!(told.contains(why), "{told}");
    assert_eq!(client.head().await.size, before);
}

/// An archive with a few records, which signed `note`.
async fn stopped(numbers: std::ops::Range<usize>) -> (Home, String) {
    let daemon = home().found().start();
    let mut client = daemon.client().await;
    let mut size = 1;
    for number in numbers {
        size = record(&mut client, number).await;
    }
    let note = checkpoint_of(&mut client, size).await.note;
    drop(client);
    (daemon.stop(), note)
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_says_what_was_signed_nothing_is_signed_until_somebody_says() {
    let (home, note) = stopped(0..3).await;
    let key = verifier(&founding_key(&home));
    fs::remove_file(home.config.signer_dir().join("signed")).unwrap();
    let daemon = home.start();
    let mut client = daemon.client().await;
    assert_not_signing(&mut client, "--continue-from").await;
    assert_recording(&mut client).await;
    drop(client);
    let daemon = continuing(daemon.stop(), &note);
    let mut client = daemon.client().await;
    // The founding, three records, and the one that was taken meanwhile.
    assert_eq!(
        opened(&checkpoint_of(&mut client, 5).await.note, &key).size(),
        5
    );
    drop(client);
    // Said once, it holds.
    let daemon = daemon.restart();
    let mut client = daemon.client().await;
    checkpoint_of(&mut client, 5).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_archive_does_not_sign_until_it_is_told_what_it_continues() {
    let (home, note) = stopped(0..2).await;
    DataDir::open(&home.data_dir())
        .unwrap()
        .mark_restored()
        .unwrap();
    let mark = home.data_dir().join(RESTORED);
    let daemon = home.start();
    let mut client = daemon.client().await;
    assert_not_recording(&mut client, "restored from a backup").await;
    assert_not_signing(&mut client, "restored from a backup").await;
    drop(client);
    assert!(mark.exists());
    let daemon = continuing(daemon.stop(), &note);
    assert!(!mark.exists());
    let mut client = daemon.client().await;
    let size = record(&mut client, 2).await;
    assert_eq!(checkpoint_of(&mut client, size).await.size, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_says_what_it_is_and_takes_no_records() {
    let (home, _) = stopped(0..2).await;
    DataDir::open(&home.data_dir())
        .unwrap()
        .mark_replica()
        .unwrap();
    let daemon = home.start();
    let mut client = daemon.client().await;
    let why = format!("a replica of {ORIGIN}");
    assert_not_recording(&mut client, &why).await;
    assert_not_signing(&mut client, &why).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_put_back_to_an_earlier_state_is_not_signed_and_a_fork_of_it_neither() {
    let (home, earlier) = stopped(0..2).await;
    let aside = home.directory.path().join("aside");
    copy(&home.data_dir(), &aside);
    let daemon = home.start();
    let mut client = daemon.client().await;
    for number in 2..4 {
        record(&mut client, number).await;
    }
    let newest = checkpoint_of(&mut client, 5).await.note;
    drop(client);
    let home = daemon.stop();
    fs::remove_dir_all(home.data_dir()).unwrap();
    copy(&aside, &home.data_dir());

    let daemon = home.start();
    let mut client = daemon.client().await;
    assert_not_recording(&mut client, "entries are missing").await;
    assert_not_signing(&mut client, "entries are missing").await;
    drop(client);
    // One that it does begin with does not help: more was signed.
    let home = refused(daemon.stop(), &earlier, "entries are missing");
    let home = refused(home, &newest, "entries are missing");
    // Where nothing says what was signed, it grows past that, into another history.
    let signed = home.config.signer_dir().join("signed");
    let noted = fs::read(&signed).unwrap();
    fs::remove_file(&signed).unwrap();
    let daemon = home.start();
    let mut client = daemon.client().await;
    for number in 10..13 {
        record(&mut client, number).await;
    }
    drop(client);
    let home = daemon.stop();
    fs::write(&signed, noted).unwrap();
    let daemon = home.start();
    let mut client = daemon.client().await;
    assert_not_recording(&mut client, "another history").await;
    assert_not_signing(&mut client, "another history").await;
    drop(client);
    let home = refused(daemon.stop(), &newest, "another history");
    fs::remove_file(home.config.signer_dir().join("signed")).unwrap();
    refused(home, &newest, "another history");
}

/// A start that is refused for the checkpoint that it is to continue.
fn refused(home: Home, note: &str, why: &str) -> Home {
    let world = World {
        continue_from: Some(SignedNote::parse(note.as_bytes()).unwrap()),
        ..World::real()
    };
    let config = home.config.clone();
    let run = std::thread::spawn(move || {
        onrecord::app::run(&config, world, |_| {}, std::future::pending::<()>())
    });
    let error = run.join().unwrap().unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
    // What a refused start opened is let go of by its threads, a moment later.
    while onrecord::app::Stores::open(&home.config).is_err() {
        std::thread::yield_now();
    }
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_is_not_of_this_archive_and_ledger_is_refused() {
    let (home, note) = stopped(0..2).await;
    let key = founding_key(&home);
    let signed = |origin: &str, size, root, key| {
        let checkpoint = Checkpoint::new(origin.parse().unwrap(), size, root).unwrap();
        checkpoint.sign(key).to_string()
    };
    let root = opened(&note, &verifier(&key)).root();
    let other = Hash::from([3; 32]);
    let mut home = home;
    for (note, why) in [
        (
            signed("other.example", 3, root, &key),
            "is about other.example",
        ),
        (
            signed(ORIGIN, 3, root, &Signer::new(9).key),
            "signed by none of the keys",
        ),
        (signed(ORIGIN, 30, root, &key), "the ledger holds 3"),
        (signed(ORIGIN, 3, other, &key), "another history"),
        (signed(ORIGIN, 2, root, &key), "another history"),
    ] {
        home = refused(home, &note, why);
    }
    // None of it left a trace.
    let daemon = home.start();
    let mut client = daemon.client().await;
    assert_eq!(checkpoint_of(&mut client, 3).await.note, note);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signer_s_directory_that_another_daemon_holds_is_left_alone() {
    let (home, _) = stopped(0..1).await;
    let mut copied = super::home();
    copied.config.signer_dir = Some(home.config.signer_dir());
    copy(&home.data_dir(), &copied.data_dir());
    let first = home.start();
    let second = copied.start();
    let mut client = second.client().await;
    assert_not_signing(&mut client, "in use by a running daemon").await;
    let mut client = first.client().await;
    checkpoint_of(&mut client, 2).await;
}
