//! The positions' fold: what each kind of entry opens and closes.

use super::reading::Reading;
use super::standing::{self, Coded, Rows, Standing, Utterance};
use super::{CODED, STATEMENTS, dates, definitions};
use crate::fold::{Changes, Fold, FoldError, Tables};
use crate::projection::read::{content_id, date, malformed, optional, slug};
use crate::projection::rows::Key;
use crate::record::proto::record::Kind;
use crate::record::proto::statement::Voice;
use crate::record::{ContentId, Entry, Slug, proto};

/// What bears on positions, derived from the ledger.
#[derive(Clone, Copy, Debug, Default)]
pub struct PositionsFold;

impl Fold for PositionsFold {
    fn name(&self) -> &'static str {
        "positions"
    }

    fn version(&self) -> u32 {
        2
    }

    fn fold(&self, state: &dyn Tables, entry: &Entry) -> Result<Changes, FoldError> {
        match &entry.record.kind {
            Some(Kind::ActorDefined(defined)) => definitions::actor(state, entry, defined),
            Some(Kind::MandateGranted(granted)) => definitions::granted(state, entry, granted),
            Some(Kind::MandateEnded(ended)) => definitions::ended(state, entry, ended),
            Some(Kind::SourceArchived(archived)) => dates::archived(entry, archived),
            Some(Kind::StatementRecorded(statement)) => recorded(state, entry, statement),
            Some(Kind::StatementCorrected(corrected)) => self::corrected(state, entry, corrected),
            Some(Kind::StatementRetracted(retracted)) => self::retracted(state, entry, retracted),
            Some(Kind::ReadingAdded(added)) => read(state, entry, added),
            _ => Ok(Changes::new()),
        }
    }
}

fn recorded(
    state: &dyn Tables,
    entry: &Entry,
    statement: &proto::Statement,
) -> Result<Changes, FoldError> {
    let id = entry.record_id;
    let standing = version(state, entry, entry.index, statement)?;
    let rows = standing::rows(&id, &standing, &[]);
    let mut changes = standing::replace(state, entry.index, Rows::new(), &rows)?;
    let key = standing::key(&id).into_bytes();
    changes.insert(key, Some(STATEMENTS.encode(&standing)?));
    Ok(changes)
}

fn corrected(
    state: &dyn Tables,
    entry: &Entry,
    corrected: &proto::StatementCorrected,
) -> Result<Changes, FoldError> {
    let (id, before) = standing(state, entry, &corrected.statement)?;
    let statement = corrected
        .corrected
        .as_ref()
        .ok_or_else(|| malformed(entry, "no corrected statement"))?;
    let after = version(state, entry, before.introduced, statement)?;
    let coded = coded(state, &id)?;
    let mut changes = standing::replace(
        state,
        entry.index,
        standing::rows(&id, &before, &coded),
        &standing::rows(&id, &after, &coded),
    )?;
    let key = standing::key(&id).into_bytes();
    changes.insert(key, Some(STATEMENTS.encode(&after)?));
    Ok(changes)
}

fn retracted(
    state: &dyn Tables,
    entry: &Entry,
    retracted: &proto::StatementRetracted,
) -> Result<Changes, FoldError> {
    let (id, before) = standing(state, entry, &retracted.statement)?;
    let coded = coded(state, &id)?;
    let rows = standing::rows(&id, &before, &coded);
    let mut changes = standing::replace(state, entry.index, rows, &Rows::new())?;
    for each in &coded {
        changes.insert(coded_key(&id, &each.reading).into_bytes(), None);
    }
    changes.insert(standing::key(&id).into_bytes(), None);
    Ok(changes)
}

fn read(
    state: &dyn Tables,
    entry: &Entry,
    added: &proto::ReadingAdded,
) -> Result<Changes, FoldError> {
    let (id, mut standing) = standing(state, entry, &added.statement)?;
    let reading = added
        .reading
        .as_ref()
        .ok_or_else(|| malformed(entry, "no reading"))?;
    let reading = Reading::of(entry, reading, standing.said.speaker.as_ref())?;
    let key = coded_key(&id, &reading);
    let before: Vec<Coded> = CODED.get(state, &key)?.into_iter().collect();
    let after = Coded {
        given_by: entry.index,
        reading,
    };
    let value = CODED.encode(&after)?;

    // Only readings of this topic and holder are outdated, and all of them are.
    let before = rivals(standing::rows(&id, &standing, &before), &after.reading)?;
    standing.readings.clear();
    let after = standing::rows(&id, &standing, &[after]);
    let mut changes = standing::replace(state, entry.index, before, &after)?;
    changes.insert(key.into_bytes(), Some(value));
    Ok(changes)
}

/// The rows of readings on the same topic and holder.
fn rivals(rows: Rows, reading: &Reading) -> Result<Rows, FoldError> {
    let mut rivals = Rows::new();
    for (place, row) in rows {
        if place.topic == reading.topic && *row.holder()? == reading.holder {
            rivals.insert(place, row);
        }
    }
    Ok(rivals)
}

/// The statement, in the version that `entry` gives.
fn version(
    state: &dyn Tables,
    entry: &Entry,
    introduced: u64,
    statement: &proto::Statement,
) -> Result<Standing, FoldError> {
    let speaker: Option<Slug> = match &statement.voice {
        Some(Voice::Speaker(speaker)) => Some(slug(entry, "speaker", speaker)?),
        Some(Voice::Anonymous(_)) => None,
        None => return Err(malformed(entry, "a statement without speaker")),
    };
    let readings = statement.readings.iter();
    let readings = readings
        .map(|reading| Reading::of(entry, reading, speaker.as_ref()))
        .collect::<Result<_, _>>()?;
    let bodies = statement.said_for.iter();
    let said = Utterance {
        speaker,
        said_for: bodies
            .map(|body| slug(entry, "said_for", &body.actor))
            .collect::<Result<_, _>>()?,
        relayed_by: optional(entry, "relayed_by", &statement.relayed_by)?,
        said_at: dates::said_at(state, entry, statement)?,
        repeated_until: date(entry, "repeated_until", &statement.repeated_until)?
            .map(dates::When::from),
    };
    Ok(Standing {
        introduced,
        version: entry.index,
        said,
        readings,
    })
}

/// The statement that goes by `id`, as it stands.
fn standing(
    state: &dyn Tables,
    entry: &Entry,
    id: &str,
) -> Result<(ContentId, Standing), FoldError> {
    let id = content_id(entry, "statement", id)?;
    let standing = STATEMENTS
        .get(state, &standing::key(&id))?
        .ok_or_else(|| malformed(entry, format!("the statement {id} is not on record")))?;
    Ok((id, standing))
}

/// The statement's readings by coders.
fn coded(state: &dyn Tables, id: &ContentId) -> Result<Vec<Coded>, FoldError> {
    CODED
        .scan(state, &CODED.key().bytes(id.as_bytes()))
        .map(|row| row.map(|(_, coded)| coded))
        .collect()
}

fn coded_key(id: &ContentId, reading: &Reading) -> Key {
    CODED
        .key()
        .bytes(id.as_bytes())
        .slug(&reading.topic)
        .slug(&reading.holder)
}
