//! Asking one witness, on a thread of its own: a witness that stalls holds no other up.

use super::answer::{Refused, Said, read};
use super::round::Errand;
use super::transport::Transport;
use crate::checkpoint::shared::Shared;
use crate::merkle::{AddCheckpoint, CosignatureTime, NoteSignature, WitnessKey};

/// Asks the witness at `seat` for whatever there is to ask, until the signer is told to stop.
pub fn work(shared: &Shared, seat: usize, key: &WitnessKey, transport: &dyn Transport) {
    while let Some(errand) = shared.errand(seat) {
        let Some(outcome) = ask(shared, seat, key, transport, &errand) else {
            return;
        };
        if let Err(refused) = &outcome {
            let name = key.note_key().name();
            tracing::warn!(witness = name, size = errand.size, %refused, "not cosigned");
        }
        shared.done(seat, &errand, outcome);
    }
}

/// Asks, and asks again from the size that the witness says it has seen; none if there is
/// nothing to prove from any more, as the signer stops.
fn ask(
    shared: &Shared,
    seat: usize,
    key: &WitnessKey,
    transport: &dyn Transport,
    errand: &Errand,
) -> Option<Result<(NoteSignature, CosignatureTime), Refused>> {
    let seen = match ask_from(shared, key, transport, errand, errand.old)? {
        Ok(Said::Cosigned(line, time)) => return Some(Ok((line, time))),
        Ok(Said::Seen(seen)) => seen,
        Err(refused) => return Some(Err(refused)),
    };
    if let Err(refused) = judge(shared, seat, key, errand, seen) {
        return Some(Err(refused));
    }
    if seen == errand.old {
        return Some(Err(Refused::SameSize(seen)));
    }
    Some(match ask_from(shared, key, transport, errand, seen)? {
        Ok(Said::Cosigned(line, time)) => Ok((line, time)),
        Ok(Said::Seen(seen)) => {
            judge(shared, seat, key, errand, seen).and(Err(Refused::Again(seen)))
        }
        Err(refused) => Err(refused),
    })
}

/// Asks once.
fn ask_from(
    shared: &Shared,
    key: &WitnessKey,
    transport: &dyn Transport,
    errand: &Errand,
    old: u64,
) -> Option<Result<Said, Refused>> {
    let request = request(shared, errand, old)?;
    // The tree is not held while the witness takes its time.
    let asked = request.and_then(|request| {
        let answer = transport.add_checkpoint(&request.to_string())?;
        read(&answer, &errand.note, key)
    });
    // The size is the witness's own word, in this run, unless it is nothing.
    if old > 0 && matches!(asked, Err(Refused::Inconsistent(_))) {
        shared.suspect(key.note_key(), old, errand.size);
    }
    Some(asked)
}

fn request(shared: &Shared, errand: &Errand, old: u64) -> Option<Result<AddCheckpoint, Refused>> {
    let sources = shared.sources()?;
    let proof = sources.tree.consistency_proof(old, errand.size);
    let request = proof.map_err(Refused::Proof);
    Some(request.and_then(|proof| Ok(AddCheckpoint::new(old, proof, errand.note.clone())?)))
}

/// What it means that a witness has seen `seen` entries: more than were ever signed here, and
/// nothing is signed any more.
fn judge(
    shared: &Shared,
    seat: usize,
    key: &WitnessKey,
    errand: &Errand,
    seen: u64,
) -> Result<(), Refused> {
    shared.has_seen(seat, seen);
    // Read after the answer: a witness can know no checkpoint that is not published by then.
    let signed = shared.published.newest().map_or(0, |note| note.size);
    if seen > signed {
        shared.suspect(key.note_key(), seen, signed);
    }
    if seen > errand.size {
        return Err(Refused::Newer(seen));
    }
    Ok(())
}
