//! Time: nothing is said after it was captured, published or recorded.
//!
//! A day named in a local calendar may begin up to 14 hours before the UTC day and end up to
//! 12 hours after it, so dates without a time of day are given that much room.

use super::field::{content_id, date};
use super::references::accept;
use super::state::{Published, SourceRow, Table, added_words};
use super::{Place, Reason, Refusal, Step, below};
use crate::fold::{FoldError, Tables};
use crate::record::proto::{self, Establishes, record::Kind};
use crate::record::{Date, Interval, Micros, format_instant};

const HOUR: i64 = 3600;
/// How far local days run ahead of UTC.
const AHEAD: i64 = 14 * HOUR;
/// How far local days run behind UTC.
const BEHIND: i64 = 12 * HOUR;

/// When something was said, as a bound for what it may come after.
#[derive(Clone, Copy)]
pub struct Said {
    pub interval: Interval,
    has_time_of_day: bool,
}

impl Said {
    fn at(date: &Date) -> Self {
        Self {
            interval: date.interval(),
            has_time_of_day: date.has_time_of_day(),
        }
    }

    /// The first second at which it can have been said anywhere on Earth.
    const fn first_second(self) -> i64 {
        let ahead = if self.has_time_of_day { 0 } else { AHEAD };
        self.interval.earliest - ahead
    }
}

/// Judges the times that a record gives.
pub fn judge(place: &Place<'_>, kind: &Kind) -> Result<Step, FoldError> {
    let (state, recorded_at) = (place.state, place.recorded_at);
    match kind {
        Kind::StatementRecorded(recorded) => statement(state, recorded, recorded_at),
        Kind::StatementCorrected(corrected) => {
            let Some(whole) = &corrected.corrected else {
                return Ok(Ok(()));
            };
            let within = |refusal: Refusal| refusal.within("corrected");
            accept!(statement(state, whole, recorded_at)?.map_err(within));
            let id = accept!(content_id("statement", &corrected.statement));
            let added = added_words(state, &id)?;
            Ok(not_after_sources(whole, &added).map_err(within))
        }
        Kind::EvidenceAdded(added) => further(place, added),
        Kind::SourceArchived(source) => {
            let captured = source.captured_at.as_ref().and_then(Micros::from_timestamp);
            Ok(captured.map_or(Ok(()), |at| {
                not_in_the_future("capturedAt", at, recorded_at)
            }))
        }
        _ => Ok(Ok(())),
    }
}

/// When a statement was said; without a date of its own, at some time up to the earliest
/// publication of the sources of its words, or else their capture.
pub fn said_at(state: &dyn Tables, statement: &proto::Statement) -> Result<Said, FoldError> {
    if let Ok(said_at) = date("saidAt", &statement.said_at) {
        return Ok(Said::at(&said_at));
    }
    let sources = words(state, statement)?.into_iter();
    Ok(Said {
        interval: Interval::unstated(sources.map(|(_, source)| {
            let published = source.published_at;
            (
                published.map(|published| published.interval.latest),
                source.captured_at.whole_seconds() + 1,
            )
        })),
        has_time_of_day: true,
    })
}

/// The sources of a statement's words, with their places among its evidence.
pub fn words(
    state: &dyn Tables,
    statement: &proto::Statement,
) -> Result<Vec<(usize, SourceRow)>, FoldError> {
    let mut sources = Vec::new();
    for (place, evidence) in statement.evidence.iter().enumerate() {
        if evidence
            .establishes()
            .any(|what| what == Establishes::Words)
            && let Ok(id) = content_id("source", &evidence.source)
            && let Some(source) = Table::Source.get(state, &[id.as_bytes()])?
        {
            sources.push((place, source));
        }
    }
    Ok(sources)
}

fn statement(
    state: &dyn Tables,
    statement: &proto::Statement,
    recorded_at: Micros,
) -> Result<Step, FoldError> {
    let sources = words(state, statement)?.into_iter();
    let sources: Vec<SourceRow> = sources.map(|(_, source)| source).collect();
    let dates = accept!(dates(statement));
    accept!(not_after(&dates, &sources));
    for (field, said) in dates {
        let first = Micros(said.first_second().saturating_mul(1_000_000));
        accept!(not_in_the_future(field, first, recorded_at));
    }
    Ok(Ok(()))
}

/// Judges further evidence for the words of a statement: the version that stands was not said
/// after its source. Where the statement gives no date, further evidence gives it none either:
/// that it was said "at some time up to" a source rests on the statement's own evidence alone,
/// so that what is added later moves no answer.
fn further(place: &Place<'_>, added: &proto::EvidenceAdded) -> Result<Step, FoldError> {
    let passages = proto::Statement {
        evidence: added.evidence.clone(),
        ..proto::Statement::default()
    };
    let sources = words(place.state, &passages)?;
    if sources.is_empty() {
        return Ok(Ok(()));
    }
    let version = accept!(below::standing(place.state, place.below, &added.statement)?);
    for (at, source) in sources {
        let blame = |refusal: Refusal| Refusal {
            message: format!("{} of the statement: {}", refusal.field, refusal.message),
            field: format!("evidence[{at}].source"),
            accepted:
                "a source from after the statement was said; or a correction of its date first"
                    .to_owned(),
            ..refusal
        };
        accept!(not_after_sources(below::said(&version)?, &[source]).map_err(blame));
    }
    Ok(Ok(()))
}

/// The dates that a statement gives, with the fields that they stand in.
fn dates(statement: &proto::Statement) -> Result<Vec<(&'static str, Said)>, Refusal> {
    let fields = [
        ("saidAt", &statement.said_at),
        ("repeatedUntil", &statement.repeated_until),
    ];
    let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
    given
        .map(|(field, value)| Ok((field, Said::at(&date(field, value)?))))
        .collect()
}

fn not_after_sources(statement: &proto::Statement, sources: &[SourceRow]) -> Step {
    not_after(&dates(statement)?, sources)
}

fn not_after(dates: &[(&str, Said)], sources: &[SourceRow]) -> Step {
    for (field, said) in dates {
        for source in sources {
            not_after_source(field, *said, source)?;
        }
    }
    Ok(())
}

fn not_after_source(field: &str, said: Said, source: &SourceRow) -> Step {
    let first = said.first_second();
    if first.saturating_mul(1_000_000) > source.captured_at.0 {
        return Err(Refusal::new(
            Reason::SaidAfterCaptured,
            field,
            format!(
                "its source was captured at {}, before that",
                source.captured_at
            ),
            "a date up to the capture of every source of the words",
        ));
    }
    if let Some(Published {
        interval,
        has_time_of_day,
    }) = source.published_at
    {
        let behind = if has_time_of_day { 0 } else { BEHIND };
        if first - behind >= interval.latest {
            return Err(Refusal::new(
                Reason::SaidAfterPublished,
                field,
                format!(
                    "its source was published before {}",
                    format_instant(interval.latest)
                ),
                "a date up to the publication of every source of the words",
            ));
        }
    }
    Ok(())
}

fn not_in_the_future(field: &str, at: Micros, recorded_at: Micros) -> Step {
    if at > recorded_at {
        return Err(Refusal::new(
            Reason::InTheFuture,
            field,
            format!("it lies after {recorded_at}, when the ledger looked at it"),
            "a time that has come",
        ));
    }
    Ok(())
}
