//! Checkpoints, for the services: which one is shown, and how the signer and the witnesses are.

use std::sync::Arc;
use std::time::Duration;

use super::proto::{CheckpointStatus, WitnessStatus};
use super::{Failure, Reason};
use crate::checkpoint::{Checkpoints, Notes, Published, PublishedNote, Status, witness};
use crate::record::Micros;

/// The newest checkpoint, or the newest that a quorum has cosigned. The first of a run is waited
/// for as long as one may come.
pub async fn published(
    checkpoints: &Checkpoints,
    witnessed: bool,
    wait_max: Duration,
) -> Result<Arc<PublishedNote>, Failure> {
    let which = |notes: &Notes| {
        let which = if witnessed {
            &notes.witnessed
        } else {
            &notes.newest
        };
        which.clone()
    };
    let shown = checkpoints.published().notes();
    if witnessed && shown.witnessed.is_none() && checkpoints.status().quorum == 0 {
        return Err(none("the archive names no witnesses that would cosign"));
    }
    let mut notes = checkpoints.published().watch();
    let told = notes.wait_for(|notes| which(notes).is_some() || notes.has_ended());
    let told = tokio::time::timeout(wait_max, told).await;
    let told = told
        .ok()
        .and_then(Result::ok)
        .map_or(shown, |notes| notes.clone());
    match (which(&told), told.not_signing) {
        (Some(note), _) => Ok(note),
        (None, Some(why)) => Err(none(&format!("no checkpoint is signed: {why}"))),
        (None, None) => {
            let which = if witnessed {
                "cosigned by a quorum"
            } else {
                "signed"
            };
            let message = format!("no checkpoint was {which} in time");
            Err(Failure::new(Reason::NotYet, message))
        }
    }
}

/// A checkpoint that commits to `size` entries or more, which is waited for as long as one may
/// come.
pub async fn of_size(
    published: &Published,
    size: u64,
    wait_max: Duration,
) -> Result<Arc<PublishedNote>, Failure> {
    let of_size = |notes: &Notes| notes.newest.clone().filter(|note| note.size >= size);
    let mut notes = published.watch();
    let told = notes.wait_for(|notes| of_size(notes).is_some() || notes.has_ended());
    let told = tokio::time::timeout(wait_max, told).await;
    let told = told.ok().and_then(Result::ok);
    let told = told.map_or_else(|| published.notes(), |notes| notes.clone());
    match (of_size(&told), told.not_signing) {
        (Some(note), _) => Ok(note),
        (None, Some(why)) => Err(none(&format!("no checkpoint is signed: {why}"))),
        (None, None) => {
            let message = format!("no checkpoint that commits to {size} entries came in time");
            Err(Failure::new(Reason::NotYet, message))
        }
    }
}

fn none(why: &str) -> Failure {
    Failure::new(Reason::NoCheckpoint, why)
}

/// How checkpoints are, as a message.
pub fn status(status: Status) -> CheckpointStatus {
    let Notes {
        newest,
        witnessed,
        not_signing,
    } = status.notes;
    let (newest, witnessed) = (newest.as_deref(), witnessed.as_deref());
    let keys = newest.map_or(&[][..], |note| &note.keys);
    CheckpointStatus {
        not_signing: not_signing.map(|why| why.to_string()).unwrap_or_default(),
        size: newest.map_or(0, |note| note.size),
        signed_at: newest.map(|note| note.signed_at.to_timestamp()),
        keys: keys.iter().map(ToString::to_string).collect(),
        quorum: u32::try_from(status.quorum).unwrap_or(u32::MAX),
        witnessed_size: witnessed.map_or(0, |note| note.size),
        witnessed_at: witnessed
            .and_then(|note| note.witnessed_at)
            .map(Micros::to_timestamp),
        witnesses: status.witnesses.into_iter().map(witness).collect(),
    }
}

fn witness(witness: witness::WitnessStatus) -> WitnessStatus {
    WitnessStatus {
        key: witness.key.note_key().to_string(),
        url: witness.url.unwrap_or_default(),
        named: witness.is_named,
        size: witness.size,
        cosigned_at: witness.cosigned_at.map(Micros::to_timestamp),
        error: witness.error.unwrap_or_default(),
    }
}
