//! The shape of statements, their corrections and retractions, evidence and readings.

use std::collections::BTreeSet;

use super::super::field::{
    at_most, choice, content_id, distinct, language, long_text, malformed, optional_choice,
    optional_content_id, optional_date, optional_slug, optional_text, slug, text,
};
use super::super::{Reason, Refusal};
use super::evidence;
use super::lengths::{CONDITION_MAX, LINE_MAX, NOTE_MAX, PARAGRAPH_MAX};
use crate::record::Slug;
use crate::record::proto::{
    self, DateBasis, Engagement, Establishes, Polarity, ReadingBasis, Wording, statement::Voice,
};

const SAID_FOR_MAX: usize = 8;
const READINGS_MAX: usize = 16;
const REFERS_TO_MAX: usize = 16;
const CONDITIONS_MAX: usize = 8;
const STRENGTH_MAX: u32 = 3;

/// Who spoke, and for whom: what a reading is held against.
struct Capacity {
    speaker: Option<Slug>,
    said_for: Vec<Slug>,
}

pub fn statement(statement: &proto::Statement) -> Result<(), Refusal> {
    let capacity = capacity(statement)?;
    optional_slug("relayedBy", &statement.relayed_by)?;
    dates(statement)?;
    optional_text("venue", &statement.venue, LINE_MAX)?;
    optional_text("document", &statement.document, LINE_MAX)?;
    let wording = choice::<Wording>("wording", statement.wording)?;
    language("language", &statement.language)?;
    if wording == Wording::Verbatim && statement.spoken_language.is_empty() {
        return Err(malformed(
            "spokenLanguage",
            "VERBATIM needs the language that was spoken",
            "a BCP 47 tag such as \"ru\"; or another wording",
        ));
    }
    if !statement.spoken_language.is_empty() {
        language("spokenLanguage", &statement.spoken_language)?;
    }
    if wording == Wording::Verbatim && statement.language != statement.spoken_language {
        return Err(Refusal::new(
            Reason::NotVerbatim,
            "wording",
            format!(
                "the text is in {:?} and the words were spoken in {:?}",
                statement.language, statement.spoken_language
            ),
            "TRANSLATED, if the passage is a translation; RETRANSLATED, if the text is",
        ));
    }
    long_text("text", &statement.text)?;
    evidence(&statement.evidence)?;
    establishes(statement, Establishes::Words)?;
    if capacity.speaker.is_some() {
        establishes(statement, Establishes::Speaker)?;
    }
    readings(&statement.readings, &capacity)?;
    at_most("refersTo", &statement.refers_to, REFERS_TO_MAX)?;
    for (place, other) in statement.refers_to.iter().enumerate() {
        content_id(
            format_args!("refersTo[{place}].statement"),
            &other.statement,
        )?;
        choice::<proto::ReferenceKind>(format_args!("refersTo[{place}].kind"), other.kind)?;
    }
    Ok(())
}

pub fn corrected(corrected: &proto::StatementCorrected) -> Result<(), Refusal> {
    content_id("statement", &corrected.statement)?;
    content_id("corrects", &corrected.corrects)?;
    let Some(whole) = &corrected.corrected else {
        return Err(malformed(
            "corrected",
            "it is missing",
            "the whole statement, corrected",
        ));
    };
    statement(whole).map_err(|refusal| refusal.within("corrected"))?;
    text("reason", &corrected.reason, PARAGRAPH_MAX)
}

pub fn evidence_added(added: &proto::EvidenceAdded) -> Result<(), Refusal> {
    content_id("statement", &added.statement)?;
    repeated_capacity(&added.speaker, &added.said_for)?;
    if added.evidence.is_empty() {
        return Err(malformed(
            "evidence",
            "no passage is given",
            "at least one passage",
        ));
    }
    evidence(&added.evidence)
}

pub fn retracted(retracted: &proto::StatementRetracted) -> Result<(), Refusal> {
    content_id("statement", &retracted.statement)?;
    repeated_capacity(&retracted.speaker, &retracted.said_for)?;
    text("reason", &retracted.reason, PARAGRAPH_MAX)
}

pub fn reading_added(added: &proto::ReadingAdded) -> Result<(), Refusal> {
    content_id("statement", &added.statement)?;
    let capacity = repeated_capacity(&added.speaker, &added.said_for)?;
    let Some(reading) = &added.reading else {
        return Err(malformed("reading", "it is missing", "a reading"));
    };
    self::reading(reading, &capacity).map_err(|refusal| refusal.within("reading"))?;
    optional_text("rationale", &added.rationale, NOTE_MAX)
}

fn capacity(statement: &proto::Statement) -> Result<Capacity, Refusal> {
    let speaker = match &statement.voice {
        None => {
            return Err(malformed(
                "speaker",
                "nobody is named",
                "a speaker, or anonymous with a description and a reason",
            ));
        }
        Some(Voice::Speaker(speaker)) => Some(slug("speaker", speaker)?),
        Some(Voice::Anonymous(anonymous)) => {
            text(
                "anonymous.description",
                &anonymous.description,
                PARAGRAPH_MAX,
            )?;
            choice::<proto::AnonymityReason>("anonymous.reason", anonymous.reason)?;
            None
        }
    };
    at_most("saidFor", &statement.said_for, SAID_FOR_MAX)?;
    let mut said_for = Vec::new();
    for (place, organization) in statement.said_for.iter().enumerate() {
        said_for.push(slug(
            format_args!("saidFor[{place}].actor"),
            &organization.actor,
        )?);
        choice::<proto::CapacityBasis>(format_args!("saidFor[{place}].basis"), organization.basis)?;
    }
    distinct("saidFor", &said_for)?;
    Ok(Capacity { speaker, said_for })
}

fn repeated_capacity(speaker: &str, said_for: &[String]) -> Result<Capacity, Refusal> {
    at_most("saidFor", said_for, SAID_FOR_MAX)?;
    let slugs = said_for
        .iter()
        .enumerate()
        .map(|(place, actor)| slug(format_args!("saidFor[{place}]"), actor));
    Ok(Capacity {
        speaker: optional_slug("speaker", speaker)?,
        said_for: slugs.collect::<Result<_, _>>()?,
    })
}

fn dates(statement: &proto::Statement) -> Result<(), Refusal> {
    let said_at = optional_date("saidAt", &statement.said_at)?;
    let repeated_until = optional_date("repeatedUntil", &statement.repeated_until)?;
    let basis = optional_choice::<DateBasis>("saidAtBasis", statement.said_at_basis)?;
    let refuse = |field: &str, message: String, accepted: &str| {
        Err(Refusal::new(Reason::InvalidDate, field, message, accepted))
    };
    match (&said_at, &repeated_until, basis) {
        (None, Some(_), _) => refuse(
            "saidAt",
            "repeatedUntil is given without saidAt".to_owned(),
            "the first time it was said",
        ),
        (None, _, Some(DateBasis::Stated | DateBasis::Resolved)) => refuse(
            "saidAtBasis",
            "there is no saidAt that could be stated or resolved".to_owned(),
            "a saidAt; or no basis",
        ),
        (Some(said_at), Some(until), _)
            if until.interval().earliest < said_at.interval().earliest =>
        {
            refuse(
                "repeatedUntil",
                format!("{until} lies before saidAt {said_at}"),
                "saidAt, or later",
            )
        }
        _ => Ok(()),
    }
}

fn establishes(statement: &proto::Statement, what: Establishes) -> Result<(), Refusal> {
    let named = |evidence: &proto::Evidence| evidence.establishes().any(|e| e == what);
    if statement.evidence.iter().any(named) {
        return Ok(());
    }
    let name = what.as_str_name().trim_start_matches("ESTABLISHES_");
    Err(malformed(
        "evidence",
        format!("no passage establishes {name}"),
        format!("at least one passage whose establishes names {name}"),
    ))
}

fn readings(readings: &[proto::Reading], capacity: &Capacity) -> Result<(), Refusal> {
    at_most("readings", readings, READINGS_MAX)?;
    let mut seen = BTreeSet::new();
    for (place, reading) in readings.iter().enumerate() {
        let holder = self::reading(reading, capacity)
            .map_err(|refusal| refusal.within(&format!("readings[{place}]")))?;
        if !seen.insert((&reading.topic, holder)) {
            return Err(inconsistent(
                &format!("readings[{place}]"),
                "a second reading of the same topic and holder",
                "one reading a topic and holder",
            ));
        }
    }
    Ok(())
}

/// Checks a reading and gives its holder.
fn reading(reading: &proto::Reading, capacity: &Capacity) -> Result<Slug, Refusal> {
    slug("topic", &reading.topic)?;
    optional_content_id("codebook", &reading.codebook)?;
    let basis = optional_choice("basis", reading.basis)?.unwrap_or(ReadingBasis::OwnWords);
    let holder = holder(reading, capacity, basis)?;
    let engagement = choice::<Engagement>("engagement", reading.engagement)?;
    let polarity = optional_choice::<Polarity>("polarity", reading.polarity)?;
    if reading.strength > STRENGTH_MAX {
        return Err(malformed(
            "strength",
            format!("{} is no strength", reading.strength),
            "1 (hedged), 2 (stated), 3 (committed), or 0 where it was not coded",
        ));
    }
    let bare = reading.strength == 0 && reading.conditions.is_empty();
    match (engagement, polarity) {
        (Engagement::Answered, None) => Err(inconsistent(
            "polarity",
            "an answer without a polarity",
            "one of SUPPORTS, OPEN, OPPOSES, MIXED, NO_POSITION",
        )),
        (Engagement::Answered, Some(Polarity::NoPosition)) if !bare => Err(inconsistent(
            "polarity",
            "NO_POSITION has neither strength nor conditions",
            "another polarity, or neither strength nor conditions",
        )),
        (Engagement::Declined | Engagement::Deflected, _) if polarity.is_some() || !bare => {
            Err(inconsistent(
                "engagement",
                "only ANSWERED carries a polarity, a strength or conditions",
                "ANSWERED, or none of them",
            ))
        }
        _ => Ok(()),
    }?;
    conditions(&reading.conditions)?;
    Ok(holder)
}

fn holder(
    reading: &proto::Reading,
    capacity: &Capacity,
    basis: ReadingBasis,
) -> Result<Slug, Refusal> {
    let named = optional_slug("holder", &reading.holder)?;
    let Some(holder) = named.as_ref().or(capacity.speaker.as_ref()) else {
        return Err(inconsistent(
            "holder",
            "an anonymous statement has no speaker to hold a stance",
            "the actor whose stance it is",
        ));
    };
    let own = capacity.speaker.is_none()
        || capacity.speaker.as_ref() == Some(holder)
        || capacity.said_for.contains(holder);
    if basis == ReadingBasis::OwnWords && !own {
        return Err(inconsistent(
            "holder",
            format!("the words are not {holder}'s own"),
            "the speaker or an organisation that it was said for; or basis ASCRIBED",
        ));
    }
    Ok(holder.clone())
}

fn conditions(conditions: &[proto::Condition]) -> Result<(), Refusal> {
    at_most("conditions", conditions, CONDITIONS_MAX)?;
    let mut seen = BTreeSet::new();
    for (place, condition) in conditions.iter().enumerate() {
        let field = |name: &str| format!("conditions[{place}].{name}");
        optional_slug(field("id"), &condition.id)?;
        choice::<proto::ConditionKind>(field("kind"), condition.kind)?;
        text(field("text"), &condition.text, CONDITION_MAX)?;
        let same = if condition.id.is_empty() {
            &condition.text
        } else {
            &condition.id
        };
        if !seen.insert((condition.id.is_empty(), same, condition.kind)) {
            return Err(inconsistent(
                &format!("conditions[{place}]"),
                "the same condition twice",
                "each condition once",
            ));
        }
    }
    Ok(())
}

fn inconsistent(field: &str, message: impl Into<String>, accepted: &str) -> Refusal {
    Refusal::new(Reason::InconsistentReading, field, message, accepted)
}
