use std::sync::Arc;
use std::time::Duration;

use super::fixture::{LeafTree, ORIGIN, founded, key, records};
use crate::checkpoint::shared::{Shared, Sources};
use crate::checkpoint::witness::{Cosigning, Errand, Refused, Todo, Witness};
use crate::checkpoint::{PublishedNote, Status};
use crate::ledger::SystemClock;
use crate::merkle::{
    Checkpoint, CosignatureTime, Hash, NoteSignature, SignedNote, WitnessKey, WitnessPolicy, cosign,
};
use crate::record::Micros;
use crate::record::proto::{WitnessPolicySet, record::Kind};

const PACE: Duration = Duration::from_secs(1);

fn witness(seed: u8) -> Witness {
    let name = format!("w{seed}.example").parse().unwrap();
    Witness {
        key: WitnessKey::new(name, key(seed).public()),
        url: format!("https://w{seed}.example"),
    }
}

fn policy(seeds: &[u8], quorum: usize) -> WitnessPolicy {
    let keys = seeds.iter().map(|seed| witness(*seed).key).collect();
    WitnessPolicy::new(keys, quorum).unwrap()
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint::new(ORIGIN.parse().unwrap(), size, Hash::from([7; 32])).unwrap()
}

fn published(size: u64) -> PublishedNote {
    PublishedNote {
        note: checkpoint(size).sign(&key(2)).to_string(),
        size,
        root: Hash::from([7; 32]),
        recorded_at: Some(Micros(1)),
        signed_at: Micros(1),
        witnessed_at: None,
        keys: Vec::new(),
    }
}

fn line(seed: u8, size: u64, seconds: u64) -> (NoteSignature, CosignatureTime) {
    let time = CosignatureTime::from_unix_seconds(seconds).unwrap();
    let name = format!("w{seed}.example").parse().unwrap();
    (cosign(&checkpoint(size), name, &key(seed), time), time)
}

fn errand(cosigning: &Cosigning, seat: usize, now: Duration) -> Errand {
    match cosigning.todo(seat, now) {
        Todo::Ask(errand) => *errand,
        other => panic!("not to be asked: {other:?}"),
    }
}

fn is_idle(cosigning: &Cosigning, seat: usize, now: Duration) -> bool {
    matches!(cosigning.todo(seat, now), Todo::Later)
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Three witnesses, of which two have to cosign, in a round about 5 entries.
fn begun() -> Cosigning {
    let mut cosigning = Cosigning::new([11, 12, 13].map(witness).to_vec(), PACE);
    assert!(is_idle(&cosigning, 0, seconds(0)));
    assert!(cosigning.is_due(&published(5)));
    cosigning.begin(&published(5), policy(&[11, 12, 13], 2), seconds(0));
    cosigning
}

#[test]
fn a_quorum_makes_a_checkpoint_witnessed_by_the_time_of_its_last_member() {
    let mut cosigning = begun();
    let asked = [0, 1, 2].map(|seat| errand(&cosigning, seat, seconds(0)));
    assert!(asked.iter().all(|it| (it.size, it.old) == (5, 0)));
    let one = cosigning.done(0, &asked[0], Ok(line(11, 5, 100)), seconds(0));
    let one = one.unwrap();
    assert_eq!(one.witnessed_at, None);
    assert!(!cosigning.is_due(&published(6)));
    let two = cosigning.done(1, &asked[1], Ok(line(12, 5, 90)), seconds(0));
    let two = two.unwrap();
    assert_eq!(two.witnessed_at, Some(Micros(100_000_000)));
    let note = SignedNote::parse(two.note.as_bytes()).unwrap();
    assert_eq!(note.signatures().len(), 3);
    let three = cosigning.done(2, &asked[2], Ok(line(13, 5, 95)), seconds(0));
    // Two of three had seen it by then.
    assert_eq!(three.unwrap().witnessed_at, Some(Micros(95_000_000)));
}

#[test]
fn the_next_round_begins_once_a_quorum_has_cosigned_and_a_late_answer_disturbs_nobody() {
    let mut cosigning = begun();
    let asked = [0, 1, 2].map(|seat| errand(&cosigning, seat, seconds(0)));
    cosigning.done(0, &asked[0], Ok(line(11, 5, 100)), seconds(0));
    assert!(!cosigning.is_due(&published(9)));
    cosigning.done(1, &asked[1], Ok(line(12, 5, 100)), seconds(0));
    assert!(cosigning.is_due(&published(9)) && !cosigning.is_due(&published(5)));
    cosigning.begin(&published(9), policy(&[11, 12, 13], 2), seconds(1));
    let late = cosigning.done(2, &asked[2], Ok(line(13, 5, 101)), seconds(1));
    assert_eq!(late, None);
    // What it cosigned late is where the next proof begins.
    let next = errand(&cosigning, 2, seconds(1));
    assert_eq!((next.old, next.size), (5, 9));
}

#[test]
fn a_witness_that_is_away_holds_nobody_up_and_is_asked_ever_less_often() {
    let mut cosigning = begun();
    let mut now = seconds(0);
    let away = || Err(Refused::NotSigned("a key".to_owned()));
    let asked = [0, 1].map(|seat| errand(&cosigning, seat, now));
    cosigning.done(0, &asked[0], Ok(line(11, 5, 100)), now);
    cosigning.done(1, &asked[1], away(), now);
    let third = errand(&cosigning, 2, now);
    cosigning.done(2, &third, away(), now);
    // Everybody has answered: there is no quorum, and the round is over.
    assert!(cosigning.is_due(&published(6)));

    let mut waits = Vec::new();
    for size in 6..20 {
        cosigning.begin(&published(size), policy(&[11, 12, 13], 2), now);
        let Todo::At(time) = cosigning.todo(1, now) else {
            panic!("a witness that failed is asked again at once");
        };
        waits.push(time.saturating_sub(now).as_secs());
        now = time;
        let again = errand(&cosigning, 1, now);
        cosigning.done(1, &again, away(), now);
    }
    assert_eq!(waits[..5], [1, 2, 4, 8, 16]);
    assert_eq!(waits[9..], [300; 5]);
    let status = cosigning.status(cosigning.policy());
    assert!(status[1].error.as_deref().unwrap().contains("a key"));

    // It comes back: its next failure counts as the first.
    let again = errand(&cosigning, 1, now + seconds(300));
    let joined = cosigning.done(1, &again, Ok(line(12, again.size, 200)), now);
    assert!(joined.is_some());
    let status = cosigning.status(cosigning.policy());
    assert_eq!(status[1].error, None);
    assert_eq!(status[1].size, again.size);
}

#[test]
fn a_witness_is_asked_no_more_often_than_its_pace() {
    let mut cosigning = Cosigning::new(vec![witness(11)], PACE);
    cosigning.begin(&published(1), policy(&[11], 1), seconds(10));
    let asked = errand(&cosigning, 0, seconds(10));
    cosigning.done(0, &asked, Ok(line(11, 1, 100)), seconds(10));
    assert!(is_idle(&cosigning, 0, seconds(10)));
    cosigning.begin(&published(2), policy(&[11], 1), seconds(10));
    assert!(matches!(cosigning.todo(0, seconds(10)), Todo::At(at) if at == seconds(11)));
    assert_eq!(errand(&cosigning, 0, seconds(11)).old, 1);
}

#[test]
fn only_witnesses_that_the_archive_names_are_asked_and_each_is_in_the_status() {
    let mut cosigning = Cosigning::new([11, 12].map(witness).to_vec(), PACE);
    cosigning.begin(&published(1), policy(&[12, 13], 1), seconds(0));
    assert!(is_idle(&cosigning, 0, seconds(0)));
    assert_eq!(errand(&cosigning, 1, seconds(0)).size, 1);
    let status = cosigning.status(cosigning.policy());
    let told: Vec<_> = status
        .iter()
        .map(|it| (it.key.note_key().name(), it.is_named, it.url.is_some()))
        .collect();
    assert_eq!(
        told,
        [
            ("w11.example", false, true),
            ("w12.example", true, true),
            ("w13.example", true, false)
        ]
    );
    // Once nobody is named, nobody is asked.
    let asked = errand(&cosigning, 1, seconds(0));
    cosigning.done(1, &asked, Ok(line(12, 1, 100)), seconds(0));
    cosigning.begin(&published(2), WitnessPolicy::nobody(), seconds(5));
    assert!(is_idle(&cosigning, 1, seconds(5)));
    assert_eq!(cosigning.policy().quorum(), 0);
}

#[test]
fn who_is_named_counts_from_the_moment_that_it_is_on_record() {
    let named = |seed| {
        Kind::WitnessPolicySet(WitnessPolicySet {
            witness_keys: vec![witness(seed).key.note_key().to_string()],
            quorum: 1,
        })
    };
    let sources = |kinds| Sources {
        tree: Arc::new(LeafTree::default()),
        records: records(kinds),
        home: None,
    };
    let told = |status: &Status| {
        let witnesses = status.witnesses.iter();
        let named: Vec<bool> = witnesses.map(|it| it.is_named).collect();
        (status.quorum, named)
    };
    // Before the first checkpoint of a run.
    let cosigning = Cosigning::new([11, 12].map(witness).to_vec(), PACE);
    let kinds = vec![founded(2), named(11)];
    let clock = Arc::new(SystemClock::start());
    let shared = Shared::new(sources(kinds), Arc::clone(&clock) as _, cosigning);
    assert_eq!(told(&shared.status()), (1, vec![true, false]));
    // And before one of after the last that was named.
    let mut cosigning = Cosigning::new([11, 12].map(witness).to_vec(), PACE);
    cosigning.begin(&published(2), policy(&[11], 1), seconds(0));
    let kinds = vec![founded(2), named(11), named(12)];
    let shared = Shared::new(sources(kinds), clock, cosigning);
    assert_eq!(told(&shared.status()), (1, vec![false, true]));
    // A signer that stops lets go of what it reads, and tells what it did.
    shared.stop();
    assert_eq!(told(&shared.status()), (1, vec![true, false]));
}

#[test]
fn a_witness_that_has_seen_more_is_not_sent_less() {
    let mut cosigning = begun();
    cosigning.has_seen(0, 8);
    assert!(is_idle(&cosigning, 0, seconds(0)));
    cosigning.begin(&published(8), policy(&[11, 12, 13], 2), seconds(0));
    assert_eq!(errand(&cosigning, 0, seconds(0)).old, 8);
}
