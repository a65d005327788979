use onrecord::config;
use onrecord::merkle::{Checkpoint, Hash, NoteKey, SignedNote, WitnessPolicy, WitnessSize};
use onrecord::record::proto::{WitnessPolicySet, record::Kind};
use onrecord::rpc::proto::get_entry_request::Entry as Which;
use onrecord::rpc::proto::{CheckpointStatus, GetCheckpointRequest, GetEntryRequest};

use super::common::daemon::{Daemon, Home};
use super::common::{Client, Signer, assert_status};
use super::continuing::{assert_not_recording, continuing};
use super::program::Port;
use super::witness::{Memory, Reply, TestWitness};
use super::{checkpoint_of, checkpoint_that, founding_key, home, record, status_that, verifier};

/// A daemon whose archive names these witnesses, all of which it can ask.
async fn daemon(home: Home, witnesses: &[&TestWitness], quorum: u32) -> (Daemon, Client) {
    let daemon = with(home, witnesses);
    let mut client = daemon.client().await;
    let keys = witnesses.iter().map(|it| it.key().note_key().to_string());
    let set = Kind::WitnessPolicySet(WitnessPolicySet {
        witness_keys: keys.collect(),
        quorum,
    });
    client.append(&Signer::steward(), set).await;
    // From here on a checkpoint can be witnessed.
    status_that(&mut client, |it| it.quorum == quorum).await;
    (daemon, client)
}

fn with(mut home: Home, witnesses: &[&TestWitness]) -> Daemon {
    home.config.witnesses = witnesses.iter().map(|it| it.setting()).collect();
    home.start()
}

fn place() -> (Home, NoteKey) {
    let home = home().found();
    let key = verifier(&founding_key(&home));
    (home, key)
}

/// Whose cosignatures stand in a note, all of which hold.
fn cosigners(note: &str, witnesses: &[&TestWitness]) -> usize {
    let note = SignedNote::parse(note.as_bytes()).unwrap();
    let keys = witnesses.iter().map(|it| it.key()).collect();
    let policy = WitnessPolicy::new(keys, 1).unwrap();
    policy.witnessed(&note).unwrap().by.len()
}

async fn witnessed(client: &mut Client, size: u64) -> onrecord::rpc::proto::GetCheckpointResponse {
    loop {
        let request = GetCheckpointRequest { witnessed: true };
        let answer = client.ledger.get_checkpoint(request).await.unwrap();
        let answer = answer.into_inner();
        if answer.size >= size {
            return answer;
        }
        tokio::task::yield_now().await;
    }
}

fn errors(status: &CheckpointStatus) -> Vec<&str> {
    status.witnesses.iter().map(|it| &it.error[..]).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn honest_witnesses_cosign_every_checkpoint_and_their_times_bound_it() {
    let (home, log) = place();
    let [one, two] = [31, 32].map(|seed| TestWitness::honest(seed, log.clone()));
    let (daemon, mut client) = daemon(home, &[&one, &two], 2).await;
    for number in 0..3 {
        let size = record(&mut client, number).await;
        let found = witnessed(&mut client, size).await;
        assert_eq!(cosigners(&found.note, &[&one, &two]), 2);
        // By then both had seen it: the later of the two times.
        assert_eq!(found.witnessed_at.unwrap().seconds, 1_756_700_032);
        let newest = checkpoint_that(&mut client, |it| it.witnessed_at.is_some()).await;
        assert_eq!(newest.note, found.note);
        let request = GetEntryRequest {
            entry: Some(Which::Index(size - 1)),
            proof: true,
            ..GetEntryRequest::default()
        };
        let proven = client.ledger.get_entry(request).await.unwrap();
        assert_eq!(proven.into_inner().witnessed_at, found.witnessed_at);
    }
    assert_eq!((one.size(), two.size()), (5, 5));
    let status = status_that(&mut client, |it| it.witnessed_size == 5).await;
    assert_eq!((status.quorum, errors(&status)), (2, vec!["", ""]));
    assert!(status.witnesses.iter().all(|it| it.named && it.size == 5));
    // Their clocks are long behind the archive's, which is told.
    let odd = &status.clocks_differ;
    assert!(odd.starts_with("entry 4: recorded at "), "{odd}");

    // After a restart they are asked from the size that they say, and cosign the same again.
    drop(client);
    let daemon = daemon.restart();
    let mut client = daemon.client().await;
    let again = witnessed(&mut client, 5).await;
    assert_eq!(cosigners(&again.note, &[&one, &two]), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cosignature_that_does_not_hold_is_never_published() {
    let (home, log) = place();
    let honest = TestWitness::honest(31, log.clone());
    // It cosigns another root, under its own name.
    let liar = TestWitness::start(32, log, |memory, request| {
        let checkpoint: Checkpoint = request.note().text().parse().unwrap();
        let other = Checkpoint::new(
            checkpoint.origin().clone(),
            checkpoint.size(),
            Hash::from([9; 32]),
        );
        Reply::Answer(200, memory.line(&other.unwrap()))
    });
    let (_daemon, mut client) = daemon(home, &[&honest, &liar], 2).await;
    let size = record(&mut client, 0).await;
    let status = status_that(&mut client, |status| {
        status.size >= size && status.witnesses.iter().any(|it| !it.error.is_empty())
    })
    .await;
    assert!(errors(&status)[1].contains("does not hold"), "{status:?}");
    let newest = checkpoint_that(&mut client, |it| it.note.contains("witness-31")).await;
    assert!(!newest.note.contains("witness-32"), "{}", newest.note);
    assert_eq!((status.quorum, status.witnessed_size), (2, 0));
    let request = GetCheckpointRequest { witnessed: true };
    let none = client.ledger.get_checkpoint(request).await.unwrap_err();
    assert_status(&none, tonic::Code::Unavailable, "NOT_YET");
}

#[tokio::test(flavor = "multi_thread")]
async fn publishing_and_cosigning_go_on_while_a_witness_stalls_or_is_away() {
    let (home, log) = place();
    let honest = TestWitness::honest(31, log.clone());
    let stalled = TestWitness::start(32, log.clone(), |_, _| Reply::Stall);
    let away = TestWitness::honest(33, log);
    let key = away.key();
    let nobody = Port::held();
    let setting = config::Witness {
        url: nobody.server(),
        ..away.setting()
    };
    let mut home = home;
    home.config.witnesses = vec![honest.setting(), stalled.setting(), setting];
    let daemon = home.start();
    let mut client = daemon.client().await;
    let keys = [honest.key(), stalled.key(), key];
    let set = Kind::WitnessPolicySet(WitnessPolicySet {
        witness_keys: keys.iter().map(|it| it.note_key().to_string()).collect(),
        quorum: 1,
    });
    client.append(&Signer::steward(), set).await;
    status_that(&mut client, |it| it.quorum == 1).await;
    for number in 0..5 {
        let size = record(&mut client, number).await;
        assert_eq!(checkpoint_of(&mut client, size).await.size, size);
        assert_eq!(witnessed(&mut client, size).await.size, size);
    }
    let status = status_that(&mut client, |it| !it.witnesses[2].error.is_empty()).await;
    assert!(errors(&status)[2].contains("no answer"), "{status:?}");
    assert_eq!(status.not_signing, "");
    // The daemon does not wait for the one that stalls.
    drop(client);
    daemon.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_is_told_of_and_the_witness_is_asked_again() {
    let (home, log) = place();
    let witness = TestWitness::start(31, log, |_, _| Reply::Answer(200, b"\xff<html>".to_vec()));
    let (_daemon, mut client) = daemon(home, &[&witness], 1).await;
    let told = status_that(&mut client, |it| !errors(it).concat().is_empty()).await;
    assert!(errors(&told)[0].contains("no signature lines"), "{told:?}");
    assert_eq!(told.not_signing, "");
    witness.becomes(Memory::honest);
    let size = client.head().await.size;
    let found = witnessed(&mut client, size).await;
    assert_eq!(cosigners(&found.note, &[&witness]), 1);
    let status = status_that(&mut client, |it| it.witnessed_size == size).await;
    assert_eq!(errors(&status), [""]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_has_seen_less_is_caught_up_from_there() {
    let (home, log) = place();
    let witness = TestWitness::honest(31, log);
    let (_daemon, mut client) = daemon(home, &[&witness], 1).await;
    let mut first = None;
    for number in 0..4 {
        let size = record(&mut client, number).await;
        let note = witnessed(&mut client, size).await;
        let root: [u8; 32] = note.root[..].try_into().unwrap();
        first.get_or_insert((size, root.into()));
    }
    {
        // It was put back to what it knew before.
        let mut memory = witness.memory.lock().unwrap();
        (memory.size, memory.root) = first.unwrap();
    }
    let size = record(&mut client, 4).await;
    witnessed(&mut client, size).await;
    assert_eq!(witness.size(), size);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_has_seen_more_than_was_ever_signed_stops_the_signing() {
    let (home, log) = place();
    let witness = TestWitness::honest(31, log);
    let (daemon, mut client) = daemon(home, &[&witness], 1).await;
    let size = record(&mut client, 0).await;
    let last = witnessed(&mut client, size).await;
    witness.becomes(|_, _| Reply::Answer(409, WitnessSize(1_000).to_string().into_bytes()));
    record(&mut client, 1).await;
    let status = status_that(&mut client, |it| !it.not_signing.is_empty()).await;
    assert!(
        status
            .not_signing
            .contains("witness-31.example says that it has seen a checkpoint of 1000"),
        "{status:?}"
    );
    assert_eq!(status.witnesses[0].size, 1_000);
    // Nothing is signed or recorded any more; what was signed is still shown.
    assert_not_recording(&mut client, "1000").await;
    let newest = checkpoint_of(&mut client, 1).await;
    assert_eq!(newest.size, status.size);
    assert!(newest.size >= last.size);
    drop(client);
    // A new start knows of it before it asks anybody, and so does one after that.
    witness.becomes(Memory::honest);
    let home = daemon.restart().stop();
    let daemon = home.start();
    let mut client = daemon.client().await;
    assert_not_recording(&mut client, "1000").await;
    let status = status_that(&mut client, |it| it.not_signing.contains("1000")).await;
    assert_eq!(status.size, 0);
    drop(client);
    // Without that witness in the settings it goes on, and with it again, too.
    let mut home = daemon.stop();
    let asked = std::mem::take(&mut home.config.witnesses);
    let daemon = home.start();
    let mut client = daemon.client().await;
    let size = record(&mut client, 2).await;
    checkpoint_of(&mut client, size).await;
    drop(client);
    let mut home = daemon.stop();
    home.config.witnesses = asked;
    let daemon = home.start();
    let mut client = daemon.client().await;
    witnessed(&mut client, size).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_number_that_a_witness_can_name_stops_the_signing_until_it_is_continued() {
    let (home, log) = place();
    let witness = TestWitness::honest(31, log);
    let (daemon, mut client) = daemon(home, &[&witness], 1).await;
    let size = record(&mut client, 0).await;
    let note = witnessed(&mut client, size).await.note;
    witness.becomes(|_, _| Reply::Answer(409, format!("{}\n", u64::MAX).into_bytes()));
    record(&mut client, 1).await;
    let seen = u64::MAX.to_string();
    status_that(&mut client, |it| it.not_signing.contains(&seen)).await;
    drop(client);
    witness.becomes(Memory::honest);
    let daemon = continuing(daemon.stop(), &note);
    let mut client = daemon.client().await;
    let size = record(&mut client, 2).await;
    witnessed(&mut client, size).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_from_the_witness_s_own_size_that_does_not_hold_stops_the_signing() {
    let (home, log) = place();
    let witness = TestWitness::honest(31, log);
    let (daemon, mut client) = daemon(home, &[&witness], 1).await;
    let size = record(&mut client, 0).await;
    witnessed(&mut client, size).await;
    // It has seen another history as long.
    witness.memory.lock().unwrap().root = Hash::from([9; 32]);
    record(&mut client, 1).await;
    let status = status_that(&mut client, |it| {
        !it.not_signing.is_empty() && !errors(it).concat().is_empty()
    })
    .await;
    let said = "witness-31.example says that the";
    assert!(status.not_signing.contains(said), "{status:?}");
    assert!(errors(&status)[0].contains("does not hold (422)"));
    drop(client);
    let daemon = daemon.restart();
    let mut client = daemon.client().await;
    assert_not_recording(&mut client, said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witness_that_the_archive_does_not_name_is_not_asked() {
    let (home, log) = place();
    let [named, other] = [31, 32].map(|seed| TestWitness::honest(seed, log.clone()));
    let daemon = with(home, &[&named, &other]);
    let mut client = daemon.client().await;
    let unreached = TestWitness::honest(33, log).key();
    let set = Kind::WitnessPolicySet(WitnessPolicySet {
        witness_keys: vec![
            named.key().note_key().to_string(),
            unreached.note_key().to_string(),
        ],
        quorum: 1,
    });
    let size = client.append(&Signer::steward(), set).await.ledger_size;
    status_that(&mut client, |it| it.quorum == 1).await;
    witnessed(&mut client, size).await;
    assert_eq!(other.size(), 0);
    let status = status_that(&mut client, |it| it.witnesses.len() == 3).await;
    let told = status.witnesses.iter();
    let told: Vec<_> = told.map(|it| (it.named, it.url.is_empty())).collect();
    assert_eq!(told, [(true, false), (false, false), (true, true)]);
}
