//! An actor's position on a topic, as a bundle tells it: made by the archive and by whoever
//! checks it, from the same tables by the same function.

use super::Views;
use super::compare::{Differs, differ};
use super::proto::{
    self, Finding as Found, Interval as Range, PositionAnswer, PositionQuestion, Stance, Testimony,
};
use super::terms::{self, Unreadable, parsed, terms};
use crate::fold::FoldError;
use crate::position::{Dated, Finding, Page};
use crate::projection::catalog;
use crate::projection::positions::{self, Collected, Subject};
use crate::record::proto as records;
use crate::record::{Date, Interval, Slug, format_instant};

/// The most items in each list of an answer, as the proto promises.
const LIST_MAX: usize = 100;

/// What is asked, read.
pub struct Asked {
    /// Whose position on what.
    pub subject: Subject,
    /// The exclusive end of valid time.
    pub as_of: i64,
}

/// Reads whose position on what is asked for, as of when.
pub fn asked(question: &PositionQuestion) -> Result<Asked, Unreadable> {
    let as_of: Date = parsed("as_of", &question.as_of)?;
    Ok(Asked {
        subject: Subject {
            actor: parsed("actor", &question.actor)?,
            topic: parsed("topic", &question.topic)?,
            with_parts: question.with_parts,
        },
        as_of: as_of.interval().latest,
    })
}

/// The position that is asked for; none if the actor is not on record.
pub fn answer(
    views: &Views<'_>,
    question: &PositionQuestion,
) -> Result<Option<PositionAnswer>, AnswerError> {
    let Asked { subject, as_of } = asked(question)?;
    let known_at = question.known_at;
    let terms = terms(views, question.terms.as_ref(), known_at)?;
    let asked = (as_of, LIST_MAX);
    let Some(answer) = positions::answer(views.positions, &subject, &terms, known_at, asked)?
    else {
        return Ok(None);
    };
    let (collected, position) = (&answer.collected, answer.position());
    let one = |dated: &Dated<'_>| testimony(collected, dated);
    let some = |page: &Page<Dated<'_>>| page.items.iter().map(one).collect();
    let coverage = if position.finding == Finding::NoRecord {
        catalog::coverage(views.catalog, &subject.topic, known_at)?
    } else {
        catalog::Coverage::default()
    };
    Ok(Some(PositionAnswer {
        finding: finding(position.finding).into(),
        deciding: position.deciding.as_ref().map(one),
        front: some(&position.front),
        front_count: position.front.total as u64,
        since: position.since.map(range),
        previous: position.previous.as_ref().map(one),
        latest_evasion: position.latest_evasion.as_ref().map(one),
        voices: position
            .voices
            .items
            .iter()
            .map(|it| one(&it.deciding))
            .collect(),
        voice_count: position.voices.total as u64,
        diverge: position.diverge,
        order_uncertain: position.order_uncertain,
        contradicts_higher_authority: position.contradicts_higher_authority,
        reported: some(&position.reported),
        reported_count: position.reported.total as u64,
        possible: some(&position.possible),
        possible_count: position.possible.total as u64,
        newest: position.newest.map(|newest| range(newest.interval)),
        considered: position.considered as u64,
        filtered: collected.filtered(),
        same_utterances: collected.repeated,
        asked: collected.asked.iter().map(Slug::to_string).collect(),
        speaks_for: collected.speaks_for.iter().map(Slug::to_string).collect(),
        sources_read: coverage.sources,
        sources_read_whole: coverage.whole,
    }))
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// It cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// The tables cannot be read.
    #[error(transparent)]
    Fold(#[from] FoldError),
}

/// The fields in which two answers differ.
pub fn differences(claimed: &PositionAnswer, found: &PositionAnswer) -> Vec<Differs> {
    differ!(
        PositionAnswer {
            finding,
            deciding,
            front,
            front_count,
            since,
            previous,
            latest_evasion,
            voices,
            voice_count,
            diverge,
            order_uncertain,
            contradicts_higher_authority,
            reported,
            reported_count,
            possible,
            possible_count,
            newest,
            considered,
            filtered,
            same_utterances,
            asked,
            speaks_for,
            sources_read,
            sources_read_whole,
        },
        claimed,
        found
    )
}

fn testimony(collected: &Collected, dated: &Dated<'_>) -> Testimony {
    let it = dated.testimony;
    let detail = collected.detail(it);
    Testimony {
        statement: detail.map_or_else(String::new, |detail| detail.statement_id.to_string()),
        index: it.statement,
        version_index: it.version,
        reading_index: it.given_by,
        place: it.place,
        speaker: it
            .speaker
            .as_ref()
            .map_or_else(String::new, Slug::to_string),
        holder: it.holder.to_string(),
        authority: records::Authority::from(it.authority).into(),
        interval: Some(range(dated.interval)),
        definite: dated.definite,
        basis: records::ReadingBasis::from(it.basis).into(),
        engagement: records::Engagement::from(&it.engagement).into(),
        stance: it.engagement.stance().map(|stance| Stance {
            polarity: records::Polarity::from(stance.polarity).into(),
            strength: stance.strength.map_or(0, |it| it.degree().into()),
            conditions: stance
                .conditions
                .iter()
                .map(records::Condition::from)
                .collect(),
        }),
        attestations: detail.map_or(0, |detail| count(detail.attestations)),
        coders: detail.map_or(0, |detail| count(detail.coders)),
        rivals: count(it.rivals.len()),
    }
}

/// A number of verifiers or coders, of whom there are never so many.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn range(interval: Interval) -> Range {
    Range {
        earliest: format_instant(interval.earliest),
        latest: format_instant(interval.latest),
    }
}

const fn finding(finding: Finding) -> Found {
    match finding {
        Finding::NoVoice => Found::NoVoice,
        Finding::Stated => Found::Stated,
        Finding::Disputed => Found::Disputed,
        Finding::Evaded => Found::Evaded,
        Finding::Undated => Found::Undated,
        Finding::NoRecord => Found::NoRecord,
    }
}

/// Who is asked, on whose terms and with what taken away by them, and what decides: in words.
pub fn in_words(question: &PositionQuestion, answer: &PositionAnswer) -> String {
    let finding = proto::Finding::try_from(answer.finding).unwrap_or_default();
    let finding = finding.as_str_name().trim_start_matches("FINDING_");
    let parts = match question.with_parts {
        Some(false) => " without its parts",
        Some(true) => " with its parts",
        None if answer.asked.len() > 1 => " with its parts",
        None => "",
    };
    let terms = question.terms.as_ref().and_then(terms::in_words);
    let terms = terms.map_or_else(String::new, |terms| {
        let taken = answer.filtered;
        format!(", on a reader's own terms ({terms}), by which {taken} statements were taken away")
    });
    let mut words = format!(
        "the position of {}{parts} on {}{terms}, as of {} and as known at {} entries, is {finding}",
        question.actor, question.topic, question.as_of, question.known_at
    );
    if let Some(deciding) = &answer.deciding {
        if let Some(stance) = &deciding.stance {
            let polarity = records::Polarity::try_from(stance.polarity).unwrap_or_default();
            words.push(' ');
            words.push_str(polarity.as_str_name().trim_start_matches("POLARITY_"));
        }
        let statement: String = deciding.statement.chars().take(8).collect();
        let decided = format!(
            ", decided by the statement {statement} of entry {}, of {} readings that bear on it",
            deciding.index, answer.considered
        );
        words.push_str(&decided);
    }
    words
}
