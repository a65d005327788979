//! Who signs: keys of the archive that take over from each other, and witnesses.

use onrecord::admission::prove_possession;
use onrecord::config::keys;
use onrecord::merkle::{Checkpoint, CosignatureTime, SignedNote, WitnessKey, cosign};
use onrecord::record::SigningKey;
use onrecord::record::proto::{CheckpointKeySet, record::Kind};

use super::{Auditor, archive, check, grow, served, those, url, verifier};
use crate::common::mirror::{Files, Mirror};
use crate::common::records::ORIGIN;
use crate::program::{onrecord, run};

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_take_over_are_followed_by_whoever_saw_both_sign() {
    let (mut archive, old_key) = archive().await;
    served(&archive).await;
    let [follower, sleeper] = [Auditor::of(&old_key), Auditor::of(&old_key)];
    let audits = |auditor: &Auditor, url: &str| {
        // Without a key: those that are remembered.
        run(onrecord()
            .args(["audit", url, "--json", "--state"])
            .arg(auditor.state()))
    };
    let url = url(&archive);
    for auditor in [&follower, &sleeper] {
        auditor.audits(&url, &[]).code(0);
    }

    let signer_dir = archive.daemon.config.signer_dir();
    let new_key = keys::write_new(&signer_dir.join("next.key"), [77; 32], "checkpoints").unwrap();
    let set = Kind::CheckpointKeySet(CheckpointKeySet {
        checkpoint_key: new_key.public().to_string(),
        proof_of_possession: prove_possession(&new_key, ORIGIN),
    });
    archive.size = archive
        .client
        .append(&archive.steward, set)
        .await
        .ledger_size;
    served(&archive).await;
    let report = audits(&follower, &url).code(0).json();
    assert!(check(&report, "key").1.contains("one of 2 on record"));

    std::fs::remove_file(signer_dir.join("checkpoint.key")).unwrap();
    let size = archive.size + 1;
    grow(&mut archive, size).await;
    served(&archive).await;
    let report = audits(&follower, &url).code(0).json();
    let signed_by = verifier(&new_key).to_string();
    assert!(check(&report, "checkpoint").1.contains(&signed_by));

    let report = audits(&sleeper, &url).code(1).json();
    assert!(check(&report, "checkpoint").1.contains("--key"));
    run(onrecord()
        .args(["audit", &url, "--key", &signed_by, "--state"])
        .arg(sleeper.state()))
    .code(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_counts_as_witnessed_if_as_many_cosigned_as_must() {
    let (archive, key) = archive().await;
    let files = served(&archive).await;
    let note = SignedNote::parse(&files["checkpoint"]).unwrap();
    let checkpoint = Checkpoint::open(&note, &verifier(&key)).unwrap();
    let witnesses = [("one.example", 41), ("two.example", 42)];
    let keys = witnesses.map(|(name, seed)| {
        let key = SigningKey::from_seed([seed; 32]);
        let witness = WitnessKey::new(name.parse().unwrap(), key.public());
        (key, name, witness.note_key().to_string())
    });
    let (secret, name, _) = &keys[0];
    let cosigned = |seconds| {
        let time = CosignatureTime::from_unix_seconds(seconds).unwrap();
        let cosignature = cosign(&checkpoint, name.parse().unwrap(), secret, time);
        let mut cosigned: Files = files.clone();
        let note = note.clone().with(vec![cosignature]).unwrap();
        cosigned.insert("checkpoint".to_owned(), note.to_string().into_bytes());
        cosigned
    };
    let mirror = Mirror::of(cosigned(4_000_000_000));
    let named = ["--witness", &keys[0].2, "--witness", &keys[1].2];
    let auditor = Auditor::of(&key);
    let one = auditor.audits(&mirror.url, &[&named[..], &["--quorum", "1"]].concat());
    let one = one.code(0).json();
    assert_eq!(one["witnessedAt"], 4_000_000_000_u64);
    assert!(!those(&one, "UNCHECKED").contains(&"clocks".to_owned()));
    let both = auditor.audits(&mirror.url, &named).code(1).json();
    assert_eq!(check(&both, "witnesses").0, "FAILS");
    auditor
        .audits(&mirror.url, &["--quorum", "1"])
        .code(2)
        .complains("--witness");
    // Long before any entry was recorded, by the archive's clock.
    mirror.set(cosigned(1_500_000_000));
    let early = auditor.audits(&mirror.url, &[&named[..], &["--quorum", "1"]].concat());
    let early = early.code(0).json();
    let (outcome, says) = check(&early, "clocks");
    assert_eq!(outcome, "UNCHECKED");
    let last = format!("entry {}: recorded at ", checkpoint.size() - 1);
    assert!(says.starts_with(&last), "{says}");
    assert!(says.contains("later than the witnesses say"), "{says}");
}
