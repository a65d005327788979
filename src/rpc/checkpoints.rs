//! Checkpoints, for the services: which one is shown, and how the signer and the witnesses are.

use std::sync::Arc;
use std::time::Duration;

use super::proto::{CheckpointStatus, WitnessStatus};
use super::{Failure, Reason};
use crate::bundle::clocks_differ;
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
        clocks_differ: witnessed.and_then(odd).unwrap_or_default(),
    }
}

/// What is odd about the time by which a quorum had seen a checkpoint.
fn odd(note: &PublishedNote) -> Option<String> {
    let by = note.witnessed_at?.whole_seconds();
    let odd = clocks_differ(note.recorded_at?, by)?;
    Some(format!("entry {}: {odd}", note.size.checked_sub(1)?))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::empty_root;

    #[test]
    fn a_time_of_the_witnesses_before_that_of_the_last_entry_is_told_of() {
        let of = |recorded_at: Option<i64>, witnessed_at: Option<i64>| {
            odd(&PublishedNote {
                note: String::new(),
                size: 7,
                root: empty_root(),
                recorded_at: recorded_at.map(|it| Micros(it * 1_000_000)),
                signed_at: Micros(0),
                witnessed_at: witnessed_at.map(|it| Micros(it * 1_000_000)),
                keys: Vec::new(),
            })
        };
        // As between clocks that agree, but for a minute.
        for fine in [
            (None, Some(0)),
            (Some(500), None),
            (Some(500), Some(600)),
            (Some(500), Some(440)),
        ] {
            assert_eq!(of(fine.0, fine.1), None, "{fine:?}");
        }
        let odd = of(Some(500), Some(439)).unwrap();
        let says = "entry 6: recorded at 1970-01-01T00:08:20.000000Z, which is later than the witnesses say";
        assert!(odd.starts_with(says), "{odd}");
    }
}
