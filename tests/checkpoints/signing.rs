use onrecord::merkle::{ConsistencyProof, Hash};
use onrecord::rpc::proto::{GetCheckpointRequest, GetConsistencyProofRequest};

use super::common::{Client, assert_status};
use super::{checkpoint_of, founding_key, home, opened, record, status_that, verifier};

#[tokio::test(flavor = "multi_thread")]
async fn every_checkpoint_is_signed_by_the_founding_key_and_begins_with_those_before() {
    let home = home().found();
    let key = verifier(&founding_key(&home));
    let daemon = home.start();
    let mut client = daemon.client().await;
    let mut before = opened(&checkpoint_of(&mut client, 1).await.note, &key);
    for number in 0..5 {
        let size = record(&mut client, number).await;
        let answer = checkpoint_of(&mut client, size).await;
        let checkpoint = opened(&answer.note, &key);
        assert_eq!((answer.size, checkpoint.size()), (size, size));
        assert_eq!(answer.root, checkpoint.root().as_bytes()[..]);
        assert!(answer.signed_at.is_some() && answer.witnessed_at.is_none());
        let head = client.head().await;
        assert_eq!((head.size, head.root), (size, answer.root));
        assert_extends(
            &mut client,
            (before.size(), before.root()),
            (size, checkpoint.root()),
        )
        .await;
        before = checkpoint;
    }
    let status = status_that(&mut client, |_| true).await;
    assert_eq!((status.size, &status.not_signing[..]), (before.size(), ""));
    assert_eq!(status.keys, [key.to_string()]);
    assert_eq!((status.quorum, status.witnesses), (0, vec![]));
}

async fn assert_extends(client: &mut Client, old: (u64, Hash), new: (u64, Hash)) {
    let request = GetConsistencyProofRequest {
        old_size: old.0,
        size: new.0,
    };
    let proof = client.ledger.get_consistency_proof(request).await.unwrap();
    let hashes = proof.into_inner().hashes.into_iter();
    let hashes = hashes.map(|hash| <[u8; 32]>::try_from(&hash[..]).unwrap().into());
    let proof = ConsistencyProof::new(hashes.collect()).unwrap();
    proof.verify(old.0, new.0, &old.1, &new.1).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_the_same_checkpoint_is_shown_and_the_next_goes_on_from_it() {
    let home = home().found();
    let key = verifier(&founding_key(&home));
    let mut daemon = home.start();
    let mut size = 1;
    for number in 0..3 {
        let mut client = daemon.client().await;
        size = record(&mut client, number).await;
        let before = checkpoint_of(&mut client, size).await;
        drop(client);
        daemon = daemon.restart();
        let mut client = daemon.client().await;
        let after = checkpoint_of(&mut client, 1).await;
        assert_eq!(after.note, before.note);
    }
    let mut client = daemon.client().await;
    let next = record(&mut client, 3).await;
    assert_eq!(next, size + 1);
    assert_eq!(
        opened(&checkpoint_of(&mut client, next).await.note, &key).size(),
        next
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_witnessed_checkpoint_that_nobody_is_to_witness_is_refused_with_the_reason() {
    let daemon = home().found().start();
    let mut client = daemon.client().await;
    let request = GetCheckpointRequest { witnessed: true };
    let status = client.ledger.get_checkpoint(request).await.unwrap_err();
    assert_status(&status, tonic::Code::FailedPrecondition, "NO_CHECKPOINT");
    assert!(status.message().contains("names no witnesses"), "{status}");
}
