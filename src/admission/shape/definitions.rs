//! The shape of actors, mandates, topics, milestones and sources, and of what becomes of
//! sources.

use super::super::Refusal;
use super::super::field::{
    at_most, choice, content_id, date, distinct, language, malformed, optional_content_id,
    optional_date, optional_slug, optional_text, slug, text, time,
};
use super::evidence;
use super::lengths::{LINE_MAX, NOTE_MAX, PARAGRAPH_MAX, PROPOSITION_MAX, URL_MAX};
use crate::record::proto::{self, ActorKind};
use crate::record::{Date, quoted};

/// The most names, external ids, members, topics or sources in one definition.
const LIST_MAX: usize = 256;

pub fn actor(actor: &proto::ActorDefined) -> Result<(), Refusal> {
    slug("actorId", &actor.actor_id)?;
    let kind = choice::<ActorKind>("kind", actor.kind)?;
    if actor.names.is_empty() {
        return Err(malformed(
            "names",
            "no name is given",
            "at least one name with its language",
        ));
    }
    at_most("names", &actor.names, LIST_MAX)?;
    for (place, name) in actor.names.iter().enumerate() {
        language(format_args!("names[{place}].language"), &name.language)?;
        text(format_args!("names[{place}].name"), &name.name, LINE_MAX)?;
    }
    at_most("externalIds", &actor.external_ids, LIST_MAX)?;
    for (place, external) in actor.external_ids.iter().enumerate() {
        let field = |name: &str| format!("externalIds[{place}].{name}");
        text(field("register"), &external.register, LINE_MAX)?;
        text(field("id"), &external.id, LINE_MAX)?;
    }
    if optional_slug("partOf", &actor.part_of)?.is_some() && kind != ActorKind::Organization {
        return Err(malformed(
            "partOf",
            "only an ORGANIZATION is part of another actor",
            "no partOf",
        ));
    }
    at_most("members", &actor.members, LIST_MAX)?;
    if !actor.members.is_empty() && kind != ActorKind::Group {
        return Err(malformed(
            "members",
            "only a GROUP has members",
            "no members",
        ));
    }
    for (place, member) in actor.members.iter().enumerate() {
        slug(format_args!("members[{place}]"), member)?;
    }
    distinct("members", &actor.members)?;
    optional_content_id("replaces", &actor.replaces)?;
    Ok(())
}

pub fn mandate_granted(mandate: &proto::MandateGranted) -> Result<(), Refusal> {
    slug("mandateId", &mandate.mandate_id)?;
    slug("person", &mandate.person)?;
    slug("organization", &mandate.organization)?;
    text("roleTitle", &mandate.role_title, LINE_MAX)?;
    choice::<proto::Authority>("authority", mandate.authority)?;
    at_most("topics", &mandate.topics, LIST_MAX)?;
    for (place, topic) in mandate.topics.iter().enumerate() {
        slug(format_args!("topics[{place}]"), topic)?;
    }
    distinct("topics", &mandate.topics)?;
    let start = optional_date("start", &mandate.start)?;
    let end = optional_date("end", &mandate.end)?;
    in_order("end", start.as_ref(), end.as_ref())?;
    evidence(&mandate.evidence)?;
    optional_content_id("replaces", &mandate.replaces)?;
    Ok(())
}

pub fn mandate_ended(mandate: &proto::MandateEnded) -> Result<(), Refusal> {
    slug("mandateId", &mandate.mandate_id)?;
    date("end", &mandate.end)?;
    text("reason", &mandate.reason, PARAGRAPH_MAX)?;
    evidence(&mandate.evidence)?;
    content_id("replaces", &mandate.replaces)?;
    Ok(())
}

pub fn topic(topic: &proto::TopicDefined) -> Result<(), Refusal> {
    slug("topicId", &topic.topic_id)?;
    choice::<proto::TopicKind>("kind", topic.kind)?;
    text("proposition", &topic.proposition, PROPOSITION_MAX)?;
    optional_text("note", &topic.note, NOTE_MAX)?;
    optional_content_id("replaces", &topic.replaces)?;
    Ok(())
}

pub fn milestone(milestone: &proto::MilestoneDefined) -> Result<(), Refusal> {
    slug("milestoneId", &milestone.milestone_id)?;
    text("title", &milestone.title, LINE_MAX)?;
    date("date", &milestone.date)?;
    at_most("actors", &milestone.actors, LIST_MAX)?;
    for (place, actor) in milestone.actors.iter().enumerate() {
        slug(format_args!("actors[{place}]"), actor)?;
    }
    distinct("actors", &milestone.actors)?;
    evidence(&milestone.evidence)?;
    optional_content_id("replaces", &milestone.replaces)?;
    Ok(())
}

pub fn source(source: &proto::SourceArchived) -> Result<(), Refusal> {
    content_id("source", &source.source)?;
    media_type(&source.media_type)?;
    for (field, value, max) in [
        ("title", &source.title, LINE_MAX),
        ("author", &source.author, LINE_MAX),
        ("url", &source.url, URL_MAX),
        ("publisher", &source.publisher, LINE_MAX),
    ] {
        optional_text(field, value, max)?;
    }
    if !source.language.is_empty() {
        language("language", &source.language)?;
    }
    optional_date("publishedAt", &source.published_at)?;
    time("capturedAt", source.captured_at.as_ref())?;
    choice::<proto::SourceRole>("role", source.role)?;
    optional_text("profile", &source.profile, LINE_MAX)?;
    if source.profile.is_empty() != source.text_id.is_empty() {
        return Err(malformed(
            "textId",
            "profile and textId go together",
            "both, or neither",
        ));
    }
    optional_content_id("textId", &source.text_id)?;
    at_most("derivedFrom", &source.derived_from, LIST_MAX)?;
    for (place, derived) in source.derived_from.iter().enumerate() {
        let field = |name: &str| format!("derivedFrom[{place}].{name}");
        choice::<proto::Derivation>(field("derivation"), derived.derivation)?;
        let archived = optional_content_id(field("source"), &derived.source)?;
        optional_text(field("description"), &derived.description, PARAGRAPH_MAX)?;
        if archived.is_none() && derived.description.is_empty() {
            return Err(malformed(
                field("source"),
                "the other source is neither named nor described",
                "its id, or a description",
            ));
        }
    }
    optional_content_id("replaces", &source.replaces)?;
    Ok(())
}

pub fn source_withheld(withheld: &proto::SourceWithheld) -> Result<(), Refusal> {
    content_id("source", &withheld.source)?;
    choice::<proto::WithholdingScope>("scope", withheld.scope)?;
    text("reason", &withheld.reason, PARAGRAPH_MAX)?;
    text("authority", &withheld.authority, PARAGRAPH_MAX)
}

pub fn source_read(read: &proto::SourceRead) -> Result<(), Refusal> {
    content_id("source", &read.source)?;
    if read.topics.is_empty() {
        return Err(malformed(
            "topics",
            "no topic is given",
            "the topics that the source was read for",
        ));
    }
    at_most("topics", &read.topics, LIST_MAX)?;
    for (place, topic) in read.topics.iter().enumerate() {
        slug(format_args!("topics[{place}]"), topic)?;
    }
    distinct("topics", &read.topics)
}

/// Checks a media type: a type, a subtype, and parameters that are taken as they are.
pub fn media_type(value: &str) -> Result<(), Refusal> {
    let essence = value.split(';').next().unwrap_or_default().trim();
    let token = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic());
    let fit = essence
        .split_once('/')
        .is_some_and(|(kind, subtype)| token(kind) && token(subtype));
    if !fit || value.len() > 255 || !value.is_ascii() {
        return Err(malformed(
            "mediaType",
            format!("{} is not a media type", quoted(value)),
            "a type and a subtype such as \"text/html\" or \"text/plain; charset=windows-1251\", in at most 255 bytes of ASCII",
        ));
    }
    Ok(())
}

/// Refuses a later date that lies wholly before the earlier one.
fn in_order(field: &str, earlier: Option<&Date>, later: Option<&Date>) -> Result<(), Refusal> {
    match (earlier, later) {
        (Some(earlier), Some(later)) if later.interval().latest <= earlier.interval().earliest => {
            Err(Refusal::new(
                super::super::Reason::InvalidDate,
                field,
                format!("{later} lies before {earlier}"),
                format!("{earlier} or later"),
            ))
        }
        _ => Ok(()),
    }
}
