//! Signed checkpoints and witnesses, of the real daemon over real sockets.
#![cfg(feature = "daemon")]
#![allow(missing_docs)]

#[path = "../common/mod.rs"]
mod common;

mod commands;
mod continuing;
#[path = "../common/program.rs"]
mod program;
mod rotation;
mod signing;
mod witness;
mod witnesses;

use common::Client;
use common::daemon::Home;
use common::records::{ORIGIN, actor};
use onrecord::config::keys;
use onrecord::merkle::{Checkpoint, NoteKey, NoteKeyType, SignedNote};
use onrecord::record::SigningKey;
use onrecord::record::proto::{ActorKind, record::Kind};
use onrecord::rpc::proto::{
    CheckpointStatus, GetCheckpointRequest, GetCheckpointResponse, GetStatusRequest,
};

/// A place whose daemon signs at once.
fn home() -> Home {
    let mut home = Home::new();
    home.config.checkpoint_interval_ms = 1;
    home.config.witness_interval_ms = 1;
    home
}

/// The verifier key of the archive's checkpoints, for which `key` is the secret.
fn verifier(key: &SigningKey) -> NoteKey {
    NoteKey::new(ORIGIN.parse().unwrap(), NoteKeyType::Log, key.public())
}

/// The key that founding made.
fn founding_key(home: &Home) -> SigningKey {
    keys::read(&home.config.signer_dir().join("checkpoint.key")).unwrap()
}

/// What a note says, if the archive's `key` signed it.
fn opened(note: &str, key: &NoteKey) -> Checkpoint {
    let note = SignedNote::parse(note.as_bytes()).unwrap();
    Checkpoint::open(&note, key).unwrap()
}

/// Waits for a checkpoint that `is_it`.
async fn checkpoint_that(
    client: &mut Client,
    is_it: impl Fn(&GetCheckpointResponse) -> bool,
) -> GetCheckpointResponse {
    loop {
        let request = GetCheckpointRequest::default();
        let newest = client.ledger.get_checkpoint(request).await.unwrap();
        let newest = newest.into_inner();
        if is_it(&newest) {
            return newest;
        }
        tokio::task::yield_now().await;
    }
}

/// Waits for a checkpoint of all that was recorded.
async fn checkpoint_of(client: &mut Client, size: u64) -> GetCheckpointResponse {
    checkpoint_that(client, |newest| newest.size >= size).await
}

/// Waits until the status of checkpoints `is_it`.
async fn status_that(
    client: &mut Client,
    is_it: impl Fn(&CheckpointStatus) -> bool,
) -> CheckpointStatus {
    loop {
        let status = client.admin.get_status(GetStatusRequest {}).await.unwrap();
        let status = status.into_inner().checkpoints.unwrap();
        if is_it(&status) {
            return status;
        }
        tokio::task::yield_now().await;
    }
}

/// Puts the `number`-th person on record; the ledger's size then.
async fn record(client: &mut Client, number: usize) -> u64 {
    let person = actor(&format!("person-{number}"), ActorKind::Person);
    let steward = common::Signer::steward();
    let recorded = client.append(&steward, Kind::ActorDefined(person)).await;
    recorded.ledger_size
}
