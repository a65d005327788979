//! What a witness's answer says: pure.

use crate::merkle::{
    BadSignature, CosignatureTime, NoteError, NoteSignature, SignedNote, WitnessKey, WitnessSize,
};
use crate::record::Micros;

use super::transport::{Answer, TransportError};
use crate::checkpoint::tree::TreeError;

/// How much of an answer that refuses is shown, in characters.
const DETAIL_CHARS_MAX: usize = 200;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// The witness cosigned.
    Cosigned(NoteSignature, CosignatureTime),
    /// It has seen another size, from which to try again.
    Seen(u64),
}

/// Why a witness did not cosign.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It did not answer.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// The proof that it needs cannot be made.
    #[error("the proof cannot be made: {0}")]
    Proof(#[from] TreeError),
    /// The request cannot be made.
    #[error("the request cannot be made: {0}")]
    Request(#[from] crate::merkle::AddCheckpointError),
    /// 404.
    #[error("it does not know this archive (404); have whoever runs it add the origin and key{0}")]
    UnknownOrigin(Detail),
    /// 403.
    #[error("it knows none of the keys that signed (403); have whoever runs it add them{0}")]
    UnknownKey(Detail),
    /// 422.
    #[error("it says that the consistency proof does not hold (422){0}")]
    Inconsistent(Detail),
    /// 409 without a size.
    #[error("it answered 409 without its own size{0}")]
    NoSize(Detail),
    /// 409 with the size that was sent.
    #[error("it answered 409 with the very size that it was sent, {0}")]
    SameSize(u64),
    /// 409 with one size after the other.
    #[error("it answered 409 again, and has seen {0} entries now")]
    Again(u64),
    /// It has seen a newer checkpoint of this archive than the one that it was sent.
    #[error("it has seen {0} entries already, and waits for a larger checkpoint")]
    Newer(u64),
    /// Another status.
    #[error("it answered {0}{1}")]
    Status(u16, Detail),
    /// 200, and no signature lines.
    #[error("its answer holds no signature lines: {0}")]
    Garbage(NoteError),
    /// A line under its name that does not hold.
    #[error("its cosignature does not hold: {0}")]
    BadSignature(#[from] BadSignature),
    /// No line of its.
    #[error("its answer holds no signature by {0}")]
    NotSigned(String),
    /// A time that is none.
    #[error("its cosignature names a time that no calendar has: {0} seconds after 1970")]
    Time(u64),
}

/// The beginning of an answer's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail(String);

impl Detail {
    fn of(answer: &Answer) -> Self {
        let text = String::from_utf8_lossy(&answer.body);
        let shown = |c: char| if c.is_control() { ' ' } else { c };
        let text: String = text
            .trim()
            .chars()
            .take(DETAIL_CHARS_MAX)
            .map(shown)
            .collect();
        Self(text)
    }
}

impl std::fmt::Display for Detail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, ": {:?}", self.0)
    }
}

/// What `answer` to the request to cosign `note` says, if it is by the witness `key`.
pub fn read(answer: &Answer, note: &SignedNote, key: &WitnessKey) -> Result<Said, Refused> {
    match answer.status {
        200 => cosignature(&answer.body, note, key),
        409 => {
            let size = std::str::from_utf8(&answer.body).ok();
            let size = size.and_then(|text| text.parse::<WitnessSize>().ok());
            match size {
                Some(WitnessSize(size)) => Ok(Said::Seen(size)),
                None => Err(Refused::NoSize(Detail::of(answer))),
            }
        }
        404 => Err(Refused::UnknownOrigin(Detail::of(answer))),
        403 => Err(Refused::UnknownKey(Detail::of(answer))),
        422 => Err(Refused::Inconsistent(Detail::of(answer))),
        status => Err(Refused::Status(status, Detail::of(answer))),
    }
}

/// The first of the lines that is the witness's; it has to hold. Others say nothing.
fn cosignature(body: &[u8], note: &SignedNote, key: &WitnessKey) -> Result<Said, Refused> {
    let key = key.note_key();
    let lines = NoteSignature::parse_lines(body).map_err(Refused::Garbage)?;
    let own = |line: &NoteSignature| line.name() == key.key_name() && line.key_id() == key.id();
    let missing = || Refused::NotSigned(key.to_string());
    let line = lines.into_iter().find(own).ok_or_else(missing)?;
    let alone = SignedNote::new(note.text().to_owned(), vec![line.clone()]);
    let alone = alone.map_err(Refused::Garbage)?;
    let signers = alone.signers(std::slice::from_ref(key))?;
    let time = signers.first().and_then(|signer| signer.time);
    let time = time.ok_or_else(missing)?;
    match moment(time) {
        Some(_) => Ok(Said::Cosigned(line, time)),
        None => Err(Refused::Time(time.unix_seconds())),
    }
}

/// The time of a cosignature as an instant; none after the year 9999.
pub fn moment(time: CosignatureTime) -> Option<Micros> {
    let seconds = i64::try_from(time.unix_seconds()).ok()?;
    Micros::from_timestamp(&prost_types::Timestamp { seconds, nanos: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::{Checkpoint, Hash, cosign};
    use crate::record::SigningKey;

    fn checkpoint(size: u64) -> Checkpoint {
        let origin = "archive.example.org".parse().unwrap();
        Checkpoint::new(origin, size, Hash::from([9; 32])).unwrap()
    }

    fn note(size: u64) -> SignedNote {
        checkpoint(size).sign(&SigningKey::from_seed([2; 32]))
    }

    fn key(seed: u8) -> WitnessKey {
        let public = SigningKey::from_seed([seed; 32]).public();
        WitnessKey::new("witness.example".parse().unwrap(), public)
    }

    fn line(of: u64, seed: u8, seconds: u64) -> String {
        let time = CosignatureTime::from_unix_seconds(seconds).unwrap();
        let key = SigningKey::from_seed([seed; 32]);
        let line = cosign(
            &checkpoint(of),
            "witness.example".parse().unwrap(),
            &key,
            time,
        );
        format!("{line}\n")
    }

    fn said(status: u16, body: impl AsRef<[u8]>) -> Result<Said, Refused> {
        let body = body.as_ref().to_vec();
        read(&Answer { status, body }, &note(7), &key(5))
    }

    #[test]
    fn a_cosignature_that_holds_is_taken_whatever_stands_beside_it() {
        let others = format!("{}{}", line(7, 6, 1), line(7, 5, 1_700_000_000));
        let Ok(Said::Cosigned(_, time)) = said(200, others) else {
            panic!("not taken");
        };
        assert_eq!(time.unix_seconds(), 1_700_000_000);
    }

    #[test]
    fn a_cosignature_that_does_not_hold_is_never_taken() {
        // Of another checkpoint, and so not of this one.
        let lie = said(200, line(8, 5, 1_700_000_000));
        assert!(matches!(lie, Err(Refused::BadSignature(_))), "{lie:?}");
        let other = said(200, line(7, 6, 1_700_000_000));
        assert!(matches!(other, Err(Refused::NotSigned(_))), "{other:?}");
        let never = said(200, line(7, 5, 1 << 60));
        assert!(matches!(never, Err(Refused::Time(_))), "{never:?}");
    }

    #[test]
    fn every_answer_that_is_no_cosignature_says_what_it_is() {
        let text = |said: Result<Said, Refused>| said.unwrap_err().to_string();
        assert_eq!(said(409, "12\n").unwrap(), Said::Seen(12));
        for (status, body, part) in [
            (409, &b"012\n"[..], "without its own size: \"012\""),
            (409, b"", "without its own size"),
            (404, b"who?\x1b[2J", "does not know this archive (404)"),
            (403, b"", "knows none of the keys"),
            (422, b"", "does not hold (422)"),
            (500, b"oops", "it answered 500: \"oops\""),
            (302, b"", "it answered 302"),
            (200, b"", "no signature lines"),
            (200, b"<html>", "no signature lines"),
            (200, b"\xff\xfe\n", "no signature lines"),
        ] {
            let found = text(said(status, body));
            assert!(found.contains(part), "{status}: {found}");
            assert!(!found.contains('\x1b'));
        }
    }
}
