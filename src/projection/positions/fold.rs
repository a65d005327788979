//! The positions' fold: what each kind of entry adds.

use super::codebooks;
use super::history::{Change, History, Utterance, Version};
use super::index::{self, Done, Memory, Shape, Told};
use super::reading::Reading;
use super::sources::{self, When, Words};
use super::{RECORDS, definitions, verifiers};
use crate::fold::{self, Changes, Fold, FoldError, Tables};
use crate::projection::read::{content_id, date, malformed, optional, slug};
use crate::record::proto::record::Kind;
use crate::record::proto::statement::Voice;
use crate::record::{ContentId, Entry, Slug, VerifierKey, proto};

/// What bears on positions, derived from the ledger.
#[derive(Clone, Copy, Debug, Default)]
pub struct PositionsFold;

impl Fold for PositionsFold {
    fn name(&self) -> &'static str {
        "positions"
    }

    fn version(&self) -> u32 {
        6
    }

    fn fold(&self, state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError> {
        fold(state, entry, &Shape::STANDARD)
    }

    fn memory(&self) -> fold::Memory {
        Box::new(Memory::default())
    }

    fn fold_next(
        &self,
        memory: &mut fold::Memory,
        state: &dyn Tables,
        entry: &Entry,
    ) -> Result<Changes, FoldError> {
        match memory.downcast_mut() {
            Some(memory) => fold_next(memory, state, entry, &Shape::STANDARD),
            None => self.fold(state, entry),
        }
    }
}

/// What `entry` changes, with an index of this shape: as [`PositionsFold`] has it, with the
/// standard one.
pub fn fold(state: &dyn Tables, entry: &Entry, shape: &Shape) -> Result<Changes, FoldError> {
    fold_next(&mut Memory::default(), state, entry, shape)
}

/// As [`fold`](fn@fold), of an entry that comes next after those that `memory` has seen.
pub fn fold_next(
    memory: &mut Memory,
    state: &dyn Tables,
    entry: &Entry,
    shape: &Shape,
) -> Result<Changes, FoldError> {
    let mut doing = Doing { memory, done: None };
    let mut changes = changes(state, entry, &mut doing)?;
    let done = doing.done;
    index::seal(memory, state, entry, shape, &mut changes)?;
    if let Some(done) = done {
        memory.note(&done, &changes)?;
    }
    Ok(changes)
}

/// What is known of what entries did, and what the entry at hand does, to a statement.
struct Doing<'m> {
    memory: &'m Memory,
    done: Option<Done>,
}

/// What an entry changes but for seals.
fn changes(state: &dyn Tables, entry: &Entry, doing: &mut Doing<'_>) -> Result<Changes, FoldError> {
    match &entry.record.kind {
        Some(Kind::ArchiveFounded(founded)) => {
            verifiers::policy(founded.policy.unwrap_or_default())
        }
        Some(Kind::PolicySet(policy)) => verifiers::policy(*policy),
        Some(Kind::VerifierRevoked(revoked)) => verifiers::revoked(state, entry, revoked),
        Some(Kind::ActorDefined(defined)) => definitions::actor(state, entry, defined),
        Some(Kind::MandateGranted(granted)) => definitions::granted(state, entry, granted),
        Some(Kind::MandateEnded(ended)) => definitions::ended(state, entry, ended),
        Some(Kind::TopicDefined(defined)) => codebooks::defined(entry, defined),
        Some(Kind::SourceArchived(archived)) => sources::archived(state, entry, archived),
        Some(Kind::StatementRecorded(statement)) => recorded(state, entry, statement, doing),
        Some(Kind::StatementCorrected(it)) => corrected(state, entry, it, doing),
        Some(Kind::StatementRetracted(it)) => {
            changed(state, entry, &it.statement, doing, |_, signers| {
                Ok(Change::Retracted { signers })
            })
        }
        Some(Kind::EvidenceAdded(it)) => {
            changed(state, entry, &it.statement, doing, |_, signers| {
                let sources = sources::further(state, entry, &it.evidence)?;
                Ok(Change::Evidenced { signers, sources })
            })
        }
        Some(Kind::ReadingAdded(added)) => read(state, entry, added, doing),
        Some(Kind::AttestationAdded(added)) => attested(state, entry, added, doing),
        _ => Ok(Changes::new()),
    }
}

fn recorded(
    state: &dyn Tables,
    entry: &Entry,
    statement: &proto::Statement,
    doing: &mut Doing<'_>,
) -> Result<Changes, FoldError> {
    let mut changes = Changes::new();
    let signers = verifiers::signed(state, entry, &mut changes)?;
    let change = Change::Recorded {
        id: entry.record_id,
        attestations_min: verifiers::attestations_min(state)?,
        version: version(state, entry, statement, signers)?,
    };
    let history = History::new(state, entry.index);
    let is_alike = history.add(entry.index, &change, doing.memory, &mut changes)?;
    doing.done = Some(if is_alike {
        Done::Recorded(Told::of(entry.index, change))
    } else {
        Done::Changed {
            statement: entry.index,
            entry: entry.index,
        }
    });
    about(entry, entry.index, &mut changes)?;
    Ok(changes)
}

fn corrected(
    state: &dyn Tables,
    entry: &Entry,
    corrected: &proto::StatementCorrected,
    doing: &mut Doing<'_>,
) -> Result<Changes, FoldError> {
    let statement = corrected.corrected.as_ref();
    let statement = statement.ok_or_else(|| malformed(entry, "no corrected statement"))?;
    changed(state, entry, &corrected.statement, doing, |_, signers| {
        version(state, entry, statement, signers).map(Change::Corrected)
    })
}

fn read(
    state: &dyn Tables,
    entry: &Entry,
    added: &proto::ReadingAdded,
    doing: &mut Doing<'_>,
) -> Result<Changes, FoldError> {
    let reading = added.reading.as_ref();
    let reading = reading.ok_or_else(|| malformed(entry, "no reading"))?;
    changed(state, entry, &added.statement, doing, |history, coders| {
        let reading = Reading::of(state, entry, (0, reading), history.speaker())?;
        Ok(Change::Read { coders, reading })
    })
}

/// What an entry does to a statement on record, by its history and by who signed the entry.
fn changed(
    state: &dyn Tables,
    entry: &Entry,
    id: &str,
    doing: &mut Doing<'_>,
    change: impl FnOnce(&History<'_>, Vec<verifiers::Number>) -> Result<Change, FoldError>,
) -> Result<Changes, FoldError> {
    let id = content_id(entry, "statement", id)?;
    let (statement, _) = subject(state, &id)?
        .ok_or_else(|| malformed(entry, format!("the statement {id} is not on record")))?;
    let history = History::load(state, statement)?;
    let mut changes = Changes::new();
    let signers = verifiers::signed(state, entry, &mut changes)?;
    let change = change(&history, signers)?;
    history.add(entry.index, &change, doing.memory, &mut changes)?;
    doing.done = Some(Done::Changed {
        statement,
        entry: entry.index,
    });
    about(entry, statement, &mut changes)?;
    Ok(changes)
}

/// Adds signatures to what an entry did to a statement; to anything else they do not bear on
/// positions.
fn attested(
    state: &dyn Tables,
    entry: &Entry,
    added: &proto::AttestationAdded,
    doing: &mut Doing<'_>,
) -> Result<Changes, FoldError> {
    let record = content_id(entry, "record", &added.record)?;
    let Some((statement, signed)) = subject(state, &record)? else {
        return Ok(Changes::new());
    };
    let key = |text: &String| -> Result<[u8; 32], FoldError> {
        let key: Result<VerifierKey, _> = text.parse();
        let key = key.map_err(|_| malformed(entry, format!("the key {text} cannot be read")))?;
        Ok(*key.as_bytes())
    };
    let keys: Vec<[u8; 32]> = added.verifiers.iter().map(key).collect::<Result<_, _>>()?;
    let mut changes = Changes::new();
    let change = Change::Attested {
        entry: signed,
        verifiers: verifiers::numbered(state, &keys, &mut changes)?,
    };
    let history = History::load(state, statement)?;
    history.add(entry.index, &change, doing.memory, &mut changes)?;
    doing.done = Some(Done::Changed {
        statement,
        entry: entry.index,
    });
    Ok(changes)
}

/// The statement that a record is about, by the entry that introduced it, and the record's own
/// entry.
fn subject(state: &dyn Tables, record: &ContentId) -> Result<Option<(u64, u64)>, FoldError> {
    RECORDS.get(state, &RECORDS.key().bytes(record.as_bytes()))
}

/// Keeps which statement an entry's record is about.
fn about(entry: &Entry, statement: u64, changes: &mut Changes) -> Result<(), FoldError> {
    let key = RECORDS.key().bytes(entry.record_id.as_bytes());
    let value = RECORDS.encode(&(statement, entry.index))?;
    changes.insert(key.into_bytes(), Some(value));
    Ok(())
}

/// The statement, in the version that `entry` gives.
fn version(
    state: &dyn Tables,
    entry: &Entry,
    statement: &proto::Statement,
    signers: Vec<verifiers::Number>,
) -> Result<Version, FoldError> {
    let speaker: Option<Slug> = match &statement.voice {
        Some(Voice::Speaker(speaker)) => Some(slug(entry, "speaker", speaker)?),
        Some(Voice::Anonymous(_)) => None,
        None => return Err(malformed(entry, "a statement without speaker")),
    };
    let readings = (0..).zip(&statement.readings);
    let readings = readings
        .map(|reading| Reading::of(state, entry, reading, speaker.as_ref()))
        .collect::<Result<_, _>>()?;
    let bodies = statement.said_for.iter();
    let Words { sources, said_at } = sources::words(state, entry, statement)?;
    let (same, about) = references(state, entry, statement)?;
    let said = Utterance {
        speaker,
        said_for: bodies
            .map(|body| slug(entry, "said_for", &body.actor))
            .collect::<Result<_, _>>()?,
        relayed_by: optional(entry, "relayed_by", &statement.relayed_by)?,
        said_at,
        repeated_until: date(entry, "repeated_until", &statement.repeated_until)?.map(When::from),
        wording: statement.wording,
        sources,
        same,
        about,
    };
    Ok(Version {
        signers,
        said,
        readings,
    })
}

/// The statements that are the same utterance as one, and those that it qualifies, withdraws or
/// denies, with how.
type References = (Vec<u64>, Vec<(i32, u64)>);

fn references(
    state: &dyn Tables,
    entry: &Entry,
    statement: &proto::Statement,
) -> Result<References, FoldError> {
    use proto::ReferenceKind::{Denies, Qualifies, SameUtterance, Withdraws};
    let (mut same, mut about) = References::default();
    for reference in &statement.refers_to {
        let kind = reference.kind();
        if !matches!(kind, SameUtterance | Qualifies | Withdraws | Denies) {
            continue;
        }
        let id = content_id(entry, "refers_to", &reference.statement)?;
        let (other, _) = subject(state, &id)?
            .ok_or_else(|| malformed(entry, format!("the statement {id} is not on record")))?;
        if kind == SameUtterance {
            same.push(other);
        } else {
            about.push((kind.into(), other));
        }
    }
    Ok((same, about))
}
