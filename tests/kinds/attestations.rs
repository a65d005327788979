//! Further signatures over records that are on record.

use onrecord::admission::prove_possession;
use onrecord::record::proto::{
    CheckpointKeySet, Role, StatementRetracted, WitnessPolicySet, record::Kind,
};
use onrecord::rpc::proto::append_result::Outcome;
use onrecord::rpc::proto::{Attestation, GetTopicRequest};

use super::common::archive::for_the_kremlin;
use super::common::client::countersign;
use super::common::records::{ORIGIN, attestation_added, topic, witness};
use super::common::{Signer, TestArchive};
use super::view;

#[tokio::test(flavor = "multi_thread")]
async fn a_second_newsroom_vouches_for_a_statement_and_stands_in_its_provenance() {
    let mut archive = TestArchive::new().await;
    let (newsroom, steward) = (Signer::new(4), &archive.steward);
    archive
        .client
        .append(steward, newsroom.enrolled(&[Role::Attestor]))
        .await;
    let signed = archive
        .attestor
        .seal(Kind::StatementRecorded(for_the_kremlin("2025-08-19")));
    let both = countersign(signed.clone(), &newsroom.key);
    let on_record = |outcome| match outcome {
        Outcome::AlreadyRecorded(it) => it.signatures_on_record,
        other => panic!("{other:?}"),
    };
    assert!(!on_record(
        archive.client.append_envelope(both.clone()).await
    ));
    let added = Kind::AttestationAdded(attestation_added(&signed, &[&newsroom]));
    let at = archive.client.append(&newsroom, added).await;
    assert!(on_record(archive.client.append_envelope(both).await));

    let id = archive.statement.clone();
    let verifiers = [archive.attestor.id(), newsroom.id()];
    let before = view(&mut archive, &id, at.index).await.introduced.unwrap();
    assert_eq!(before.verifiers, verifiers[..1]);
    assert_eq!(before.attestations, []);
    let after = view(&mut archive, &id, at.index + 1)
        .await
        .introduced
        .unwrap();
    assert_eq!(after.verifiers, verifiers);
    let attestation = Attestation {
        verifier: newsroom.id(),
        index: at.index,
    };
    assert_eq!(after.attestations, [attestation]);

    // Vouching is not having said so first.
    let retraction = Kind::StatementRetracted(StatementRetracted {
        statement: id,
        speaker: "lavrov".to_owned(),
        said_for: vec!["kremlin".to_owned()],
        reason: "It was fabricated.".to_owned(),
    });
    let refusal = archive.client.refused(newsroom.seal(retraction)).await;
    assert_eq!(refusal.reason, "NOT_YOURS_TO_CORRECT");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_and_a_further_signature_over_it_enter_in_one_batch() {
    let mut archive = TestArchive::new().await;
    let (attestor, steward) = (&archive.attestor, &archive.steward);
    let defined = attestor.seal(Kind::TopicDefined(topic("weather")));
    let added = attestation_added(&defined, &[steward]);
    let added = attestor.seal(Kind::AttestationAdded(added));
    let results = archive
        .client
        .try_append(vec![defined, added])
        .await
        .unwrap();
    let size = archive.size + 2;
    for result in results {
        assert!(
            matches!(result.outcome, Some(Outcome::Recorded(_))),
            "{result:?}"
        );
    }
    let request = GetTopicRequest {
        topic_id: "weather".to_owned(),
        at_least_size: size,
        ..GetTopicRequest::default()
    };
    let found = archive.client.catalog.get_topic(request).await.unwrap();
    let provenance = found.into_inner().topic.unwrap().provenance.unwrap();
    assert_eq!(
        provenance.verifiers,
        [archive.attestor.id(), archive.steward.id()]
    );
    assert_eq!(provenance.attestations[0].index, size - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_added_after_a_restart_too() {
    let archive = TestArchive::new().await;
    let TestArchive {
        client,
        daemon,
        steward,
        attestor,
        ..
    } = archive;
    drop(client);
    let daemon = daemon.restart();
    let mut client = daemon.client().await;
    let signed = attestor.seal(Kind::StatementRecorded(for_the_kremlin("2025-08-19")));
    let added = Kind::AttestationAdded(attestation_added(&signed, &[&steward]));
    client.append(&attestor, added.clone()).await;
    let again = attestation_added(&signed, &[&steward, &attestor]);
    let again = Kind::AttestationAdded(again);
    let refusal = client.refused(steward.seal(again)).await;
    assert_eq!(refusal.reason, "ALREADY_ATTESTED");
    assert_eq!(refusal.field, "attestationAdded.verifiers[0]");
    drop(client);
    drop(daemon);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_key_that_signs_for_itself_and_a_witness_policy_are_recorded() {
    let mut archive = TestArchive::new().await;
    let new = Signer::new(11);
    let steward = &archive.steward;
    let set = Kind::CheckpointKeySet(CheckpointKeySet {
        checkpoint_key: new.id(),
        proof_of_possession: prove_possession(&new.key, ORIGIN),
    });
    archive.client.append(steward, set).await;
    let witnesses = |quorum, names: &[&str]| {
        let keys = (21..).zip(names).map(|(seed, name)| {
            let key = Signer::new(seed);
            witness(name, key.key.public().as_bytes())
        });
        Kind::WitnessPolicySet(WitnessPolicySet {
            witness_keys: keys.collect(),
            quorum,
        })
    };
    for kind in [witnesses(2, &["one", "two", "three"]), witnesses(0, &[])] {
        archive.client.append(steward, kind).await;
    }
}
