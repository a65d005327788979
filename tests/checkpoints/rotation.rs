use onrecord::admission::prove_possession;
use onrecord::config::keys;
use onrecord::merkle::{NoteSignature, SignedNote};
use onrecord::record::proto::{CheckpointKeySet, record::Kind};

use super::common::Signer;
use super::common::records::ORIGIN;
use super::{checkpoint_of, founding_key, home, opened, record, status_that, verifier};

fn signatures(note: &str) -> usize {
    let note = SignedNote::parse(note.as_bytes()).unwrap();
    note.signatures().iter().map(NoteSignature::key_id).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_keys_sign_while_one_takes_over_and_the_new_one_alone_after_that() {
    let home = home().found();
    let signer_dir = home.config.signer_dir();
    let old_key = founding_key(&home);
    let new_key = keys::write_new(&signer_dir.join("next.key"), [77; 32], "checkpoints").unwrap();
    let daemon = home.start();
    let mut client = daemon.client().await;
    // A secret that no record names signs nothing.
    assert_eq!(signatures(&checkpoint_of(&mut client, 1).await.note), 1);

    let set = Kind::CheckpointKeySet(CheckpointKeySet {
        checkpoint_key: new_key.public().to_string(),
        proof_of_possession: prove_possession(&new_key, ORIGIN),
    });
    let size = client.append(&Signer::steward(), set).await.ledger_size;
    let both = checkpoint_of(&mut client, size).await;
    assert_eq!(signatures(&both.note), 2);
    for key in [&old_key, &new_key] {
        assert_eq!(opened(&both.note, &verifier(key)).size(), size);
    }

    // Taken away under the running daemon.
    std::fs::remove_file(signer_dir.join("checkpoint.key")).unwrap();
    let size = record(&mut client, 1).await;
    let alone = checkpoint_of(&mut client, size).await;
    assert_eq!(signatures(&alone.note), 1);
    assert_eq!(opened(&alone.note, &verifier(&new_key)).size(), size);
    drop(client);
    let daemon = daemon.restart();
    let mut client = daemon.client().await;
    assert_eq!(checkpoint_of(&mut client, size).await.note, alone.note);

    // Without any secret the daemon serves, says why it does not sign, and goes on once there
    // is one again.
    let away = signer_dir.join("next.away");
    std::fs::rename(signer_dir.join("next.key"), &away).unwrap();
    let size = record(&mut client, 2).await;
    let status = status_that(&mut client, |status| !status.not_signing.is_empty()).await;
    assert!(
        status.not_signing.contains("none of the archive's 2"),
        "{status:?}"
    );
    std::fs::rename(&away, signer_dir.join("next.key")).unwrap();
    checkpoint_of(&mut client, size).await;
    let status = status_that(&mut client, |_| true).await;
    assert_eq!(status.not_signing, "");
}
