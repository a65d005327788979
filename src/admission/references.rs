//! References: what a record names is on record, in the version that it names.

use std::fmt::Display;

use super::field::{content_id, date, slug};
use super::signatures::would_lock;
use super::state::{
    ActorRow, MandateRow, RecordRow, SourceRow, StatementRow, Table, TopicRow, VerifierRow,
    mandates, newest_trusted,
};
use super::{Place, Reason, Refusal, Step, attestation, time};
use crate::fold::{FoldError, Tables};
use crate::record::proto::review_published::Target;
use crate::record::proto::{
    self, ActorKind, CapacityBasis, WithholdingScope, record::Kind, statement::Voice,
};
use crate::record::{ContentId, Slug, VerifierKey, format_instant};

/// The furthest that an actor may stand from the actor that it is ultimately part of.
const PART_DEPTH_MAX: usize = 64;

/// Leaves the function with a refusal, or goes on with the value.
macro_rules! accept {
    ($step:expr) => {
        match $step {
            Ok(value) => value,
            Err(refusal) => return Ok(Err(refusal)),
        }
    };
}
pub(super) use accept;

/// Judges what a record names.
pub fn judge(place: &Place<'_>, kind: &Kind) -> Result<Step, FoldError> {
    let (state, index) = (place.state, place.index);
    match kind {
        Kind::VerifierEnrolled(enrolled) => verifier_enrolled(state, enrolled, kind),
        Kind::VerifierRevoked(revoked) => verifier_revoked(state, revoked, kind, index),
        Kind::PolicySet(_) => would_lock(state, kind),
        Kind::ActorDefined(actor) => actor_defined(state, actor),
        Kind::MandateGranted(mandate) => mandate_granted(state, mandate),
        Kind::MandateEnded(ended) => mandate_ended(state, ended),
        Kind::TopicDefined(topic) => topic_defined(state, topic),
        Kind::MilestoneDefined(milestone) => milestone_defined(state, milestone),
        Kind::SourceArchived(source) => source_archived(state, source),
        Kind::StatementRecorded(recorded) => statement(state, recorded, Quoted::Anew),
        Kind::StatementCorrected(corrected) => statement_corrected(state, corrected),
        Kind::StatementRetracted(retracted) => {
            let row = accept!(standing(state, &retracted.statement)?);
            Ok(same_capacity(&row, &retracted.speaker, &retracted.said_for))
        }
        Kind::ReadingAdded(added) => {
            let row = accept!(standing(state, &added.statement)?);
            accept!(same_capacity(&row, &added.speaker, &added.said_for));
            let reading = added
                .reading
                .as_ref()
                .map_or(Ok(Ok(())), |r| reading(state, r))?;
            Ok(reading.map_err(|refusal| refusal.within("reading")))
        }
        Kind::EvidenceAdded(added) => {
            let row = accept!(standing(state, &added.statement)?);
            accept!(same_capacity(&row, &added.speaker, &added.said_for));
            evidence(state, &added.evidence, Quoted::Anew)
        }
        Kind::SourceWithheld(withheld) => Ok(source(state, "source", &withheld.source)?.map(drop)),
        Kind::SourceRead(read) => source_read(state, read),
        Kind::ReviewPublished(review) => reviewed(state, review),
        Kind::AttestationAdded(added) => attestation::judge(state, place.below, added),
        Kind::ArchiveFounded(_) | Kind::CheckpointKeySet(_) | Kind::WitnessPolicySet(_) => {
            Ok(Ok(()))
        }
    }
}

fn source_read(state: &dyn Tables, read: &proto::SourceRead) -> Result<Step, FoldError> {
    accept!(source(state, "source", &read.source)?);
    for (place, topic) in read.topics.iter().enumerate() {
        accept!(self::topic(state, format_args!("topics[{place}]"), topic)?);
    }
    Ok(Ok(()))
}

/// A retracted statement can be reviewed too: that it was may be why.
fn reviewed(state: &dyn Tables, review: &proto::ReviewPublished) -> Result<Step, FoldError> {
    match &review.target {
        Some(Target::Statement(id)) => Ok(recorded(state, id)?.map(drop)),
        Some(Target::Source(id)) => Ok(source(state, "source", id)?.map(drop)),
        Some(Target::Milestone(id)) => {
            let newest: Option<ContentId> = Table::Milestone.get(state, &[id.as_bytes()])?;
            if newest.is_some() {
                return Ok(Ok(()));
            }
            let meant = Table::Milestone.did_you_mean(state, id)?;
            Ok(Err(Refusal::new(
                Reason::UnknownMilestone,
                "milestone",
                format!("the milestone {id:?} is not on record{meant}"),
                "the id of a milestone that is on record, by a milestoneDefined above",
            )))
        }
        None => Ok(Ok(())),
    }
}

fn verifier_enrolled(
    state: &dyn Tables,
    enrolled: &proto::VerifierEnrolled,
    kind: &Kind,
) -> Result<Step, FoldError> {
    let row = verifier(state, &enrolled.verifier)?;
    if row.as_ref().is_some_and(|row| row.revoked) {
        return Ok(Err(Refusal::new(
            Reason::VerifierRevoked,
            "verifier",
            "the key was revoked and stays so",
            "a new key of the verifier's, as `onrecord keygen` makes one",
        )));
    }
    accept!(replaces(
        row.as_ref().map(|row| &row.newest),
        &enrolled.replaces
    ));
    would_lock(state, kind)
}

fn verifier_revoked(
    state: &dyn Tables,
    revoked: &proto::VerifierRevoked,
    kind: &Kind,
    index: u64,
) -> Result<Step, FoldError> {
    let refuse = |reason, field, message: &str, accepted: String| {
        Ok(Err(Refusal::new(reason, field, message, accepted)))
    };
    match verifier(state, &revoked.verifier)? {
        None => refuse(
            Reason::UnknownVerifier,
            "verifier",
            "the key is not enrolled",
            "the key of a verifier who was enrolled".to_owned(),
        ),
        Some(row) if row.revoked => refuse(
            Reason::VerifierRevoked,
            "verifier",
            "the key was revoked before",
            "a key that is not revoked".to_owned(),
        ),
        Some(_) if revoked.untrusted_from.is_some_and(|from| from > index) => refuse(
            Reason::MalformedRecord,
            "untrustedFrom",
            "the index lies beyond the ledger",
            format!("0 to {index}, or none"),
        ),
        Some(_) => would_lock(state, kind),
    }
}

fn verifier(state: &dyn Tables, hex: &str) -> Result<Option<VerifierRow>, FoldError> {
    match hex.parse::<VerifierKey>() {
        Ok(key) => Table::Verifier.get(state, &[key.as_bytes()]),
        Err(_) => Ok(None),
    }
}

fn actor_defined(state: &dyn Tables, defined: &proto::ActorDefined) -> Result<Step, FoldError> {
    let known: Option<ActorRow> = Table::Actor.get(state, &[defined.actor_id.as_bytes()])?;
    accept!(replaces(
        known.as_ref().map(|row| &row.newest),
        &defined.replaces
    ));
    if known.is_some_and(|row| row.kind != defined.kind) {
        return Ok(Err(changed("kind", "the kind of an actor")));
    }
    for (place, member) in defined.members.iter().enumerate() {
        accept!(actor(state, format_args!("members[{place}]"), member, ANY)?);
    }
    if defined.part_of.is_empty() {
        return Ok(Ok(()));
    }
    accept!(actor(state, "partOf", &defined.part_of, BODY)?);
    let mut whole = defined.part_of.clone();
    for _ in 0..PART_DEPTH_MAX {
        if whole == defined.actor_id {
            break;
        }
        let row: Option<ActorRow> = Table::Actor.get(state, &[whole.as_bytes()])?;
        match row.and_then(|row| row.part_of) {
            Some(next) => next.as_str().clone_into(&mut whole),
            None => return Ok(Ok(())),
        }
    }
    Ok(Err(Refusal::new(
        Reason::CircularPart,
        "partOf",
        format!(
            "{} is part of {} already",
            defined.part_of, defined.actor_id
        ),
        format!("an actor that is not part of this one, at most {PART_DEPTH_MAX} levels up"),
    )))
}

fn mandate_granted(state: &dyn Tables, granted: &proto::MandateGranted) -> Result<Step, FoldError> {
    let known: Option<MandateRow> = Table::Mandate.get(state, &[granted.mandate_id.as_bytes()])?;
    accept!(replaces(
        known.as_ref().map(|row| &row.newest),
        &granted.replaces
    ));
    if known.is_some_and(|row| {
        row.person.as_str() != granted.person || row.organization.as_str() != granted.organization
    }) {
        return Ok(Err(changed(
            "person",
            "the person and organisation of a mandate",
        )));
    }
    accept!(actor(
        state,
        "person",
        &granted.person,
        &[ActorKind::Person]
    )?);
    accept!(actor(state, "organization", &granted.organization, BODY)?);
    for (place, topic) in granted.topics.iter().enumerate() {
        accept!(self::topic(state, format_args!("topics[{place}]"), topic)?);
    }
    evidence(state, &granted.evidence, Quoted::by(&granted.replaces))
}

fn mandate_ended(state: &dyn Tables, ended: &proto::MandateEnded) -> Result<Step, FoldError> {
    let known: Option<MandateRow> = Table::Mandate.get(state, &[ended.mandate_id.as_bytes()])?;
    let Some(known) = known else {
        let meant = Table::Mandate.did_you_mean(state, &ended.mandate_id)?;
        return Ok(Err(Refusal::new(
            Reason::UnknownMandate,
            "mandateId",
            format!("the mandate {:?} is not on record{meant}", ended.mandate_id),
            "the id of a mandate that is on record, by a mandateGranted above",
        )));
    };
    accept!(replaces(Some(&known.newest), &ended.replaces));
    let end = accept!(date("end", &ended.end));
    if let Some(start) = known.term.start
        && end.interval().latest <= start.earliest
    {
        return Ok(Err(Refusal::new(
            Reason::InvalidDate,
            "end",
            format!("{end} lies before the mandate's start"),
            format!(
                "{}, when it started, or later",
                format_instant(start.earliest)
            ),
        )));
    }
    evidence(state, &ended.evidence, Quoted::Anew)
}

fn topic_defined(state: &dyn Tables, defined: &proto::TopicDefined) -> Result<Step, FoldError> {
    let known: Option<TopicRow> = Table::Topic.get(state, &[defined.topic_id.as_bytes()])?;
    accept!(replaces(
        known.as_ref().map(|row| &row.newest),
        &defined.replaces
    ));
    let Some(known) = known else {
        return Ok(Ok(()));
    };
    if known.proposition != ContentId::of(defined.proposition.as_bytes()) {
        return Ok(Err(changed("proposition", "the proposition of a topic")));
    }
    if known.kind != defined.kind {
        return Ok(Err(changed("kind", "the kind of a topic")));
    }
    Ok(Ok(()))
}

fn milestone_defined(
    state: &dyn Tables,
    defined: &proto::MilestoneDefined,
) -> Result<Step, FoldError> {
    let id = defined.milestone_id.as_bytes();
    let newest: Option<ContentId> = Table::Milestone.get(state, &[id])?;
    accept!(replaces(newest.as_ref(), &defined.replaces));
    for (place, named) in defined.actors.iter().enumerate() {
        accept!(actor(state, format_args!("actors[{place}]"), named, ANY)?);
    }
    evidence(state, &defined.evidence, Quoted::by(&defined.replaces))
}

fn source_archived(
    state: &dyn Tables,
    archived: &proto::SourceArchived,
) -> Result<Step, FoldError> {
    let known = source(state, "source", &archived.source)?.ok();
    accept!(replaces(
        known.as_ref().map(|row| &row.newest),
        &archived.replaces
    ));
    for (place, derived) in archived.derived_from.iter().enumerate() {
        if !derived.source.is_empty() {
            let field = format_args!("derivedFrom[{place}].source");
            accept!(source(state, field, &derived.source)?);
        }
    }
    Ok(Ok(()))
}

/// Judges what a statement names.
fn statement(
    state: &dyn Tables,
    statement: &proto::Statement,
    quoted: Quoted,
) -> Result<Step, FoldError> {
    if let Some(Voice::Speaker(speaker)) = &statement.voice {
        accept!(actor(state, "speaker", speaker, VOICE)?);
    }
    for (place, organization) in statement.said_for.iter().enumerate() {
        accept!(actor(
            state,
            format_args!("saidFor[{place}].actor"),
            &organization.actor,
            BODY
        )?);
    }
    if !statement.relayed_by.is_empty() {
        accept!(actor(state, "relayedBy", &statement.relayed_by, VOICE)?);
    }
    accept!(evidence(state, &statement.evidence, quoted)?);
    for (place, read) in statement.readings.iter().enumerate() {
        let within = |refusal: Refusal| refusal.within(&format!("readings[{place}]"));
        accept!(reading(state, read)?.map_err(within));
    }
    for (place, other) in statement.refers_to.iter().enumerate() {
        let within = |refusal: Refusal| refusal.within(&format!("refersTo[{place}]"));
        accept!(recorded(state, &other.statement)?.map_err(within));
    }
    implied_mandates(state, statement)
}

fn statement_corrected(
    state: &dyn Tables,
    corrected: &proto::StatementCorrected,
) -> Result<Step, FoldError> {
    let row = accept!(standing(state, &corrected.statement)?);
    let newest = row
        .corrections
        .last()
        .map_or_else(|| corrected.statement.clone(), ContentId::to_string);
    if newest != corrected.corrects {
        let message = "the version named is not the newest";
        return Ok(Err(stale("corrects", message, &newest)));
    }
    let Some(whole) = &corrected.corrected else {
        return Ok(Ok(()));
    };
    let speaker = match &whole.voice {
        Some(Voice::Speaker(speaker)) => speaker.as_str(),
        _ => "",
    };
    let said_for: Vec<String> = whole.said_for.iter().map(|of| of.actor.clone()).collect();
    let within = |refusal: Refusal| refusal.within("corrected");
    accept!(same_capacity(&row, speaker, &said_for).map_err(within));
    Ok(statement(state, whole, Quoted::Again)?.map_err(within))
}

/// Every organisation that a mandate implies must have one that covers the time, and each topic
/// on which the statement is read as the speaker's stance or the organisation's.
fn implied_mandates(state: &dyn Tables, statement: &proto::Statement) -> Result<Step, FoldError> {
    let implied = |of: &&proto::SaidFor| of.basis() == CapacityBasis::Implied;
    let Some(Voice::Speaker(speaker)) = &statement.voice else {
        let place = statement.said_for.iter().position(|of| implied(&of));
        return Ok(place.map_or(Ok(()), |place| {
            Err(no_mandate(
                place,
                "an anonymous speaker has no mandate",
                "basis STATED",
            ))
        }));
    };
    if !statement.said_for.iter().any(|of| implied(&of)) {
        return Ok(Ok(()));
    }
    let speaker = accept!(slug("speaker", speaker));
    let said_at = time::said_at(state, statement)?;
    for (place, of) in statement
        .said_for
        .iter()
        .enumerate()
        .filter(|(_, of)| implied(of))
    {
        let organization = accept!(slug("saidFor", &of.actor));
        let speaks = |mandate: &MandateRow| {
            mandate.authority != proto::Authority::Affiliated as i32
                && mandate.term.covers(said_at.interval)
        };
        let mandates = mandates(state, &speaker, &organization)?;
        let mandates: Vec<_> = mandates.into_iter().filter(speaks).collect();
        let covers = |topic: &str, mandate: &MandateRow| {
            mandate.topics.is_empty() || mandate.topics.iter().any(|t| t.as_str() == topic)
        };
        let theirs = |reading: &&proto::Reading| {
            let holders = ["", speaker.as_str(), organization.as_str()];
            holders.contains(&reading.holder.as_str())
        };
        let mut readings = statement.readings.iter().filter(theirs);
        let uncovered = readings.find(|read| !mandates.iter().any(|m| covers(&read.topic, m)));
        if mandates.is_empty() || uncovered.is_some() {
            let on = uncovered
                .map(|reading| format!(" on {}", reading.topic))
                .unwrap_or_default();
            return Ok(Err(no_mandate(
                place,
                &format!(
                    "no mandate on record lets {speaker} speak for {organization}{on} at that time"
                ),
                "a mandate granted first; or basis STATED, if the source says so",
            )));
        }
    }
    Ok(Ok(()))
}

fn no_mandate(place: usize, message: &str, accepted: &str) -> Refusal {
    let field = format!("saidFor[{place}]");
    Refusal::new(Reason::UnknownMandate, field, message, accepted)
}

fn reading(state: &dyn Tables, reading: &proto::Reading) -> Result<Step, FoldError> {
    accept!(topic(state, "topic", &reading.topic)?);
    if !reading.codebook.is_empty() {
        let codebook = accept!(content_id("codebook", &reading.codebook));
        let parts: [&[u8]; 2] = [reading.topic.as_bytes(), codebook.as_bytes()];
        if Table::Codebook.get::<()>(state, &parts)?.is_none() {
            return Ok(Err(Refusal::new(
                Reason::UnknownTopic,
                "codebook",
                format!("{codebook} is no version of {}", reading.topic),
                "the record id of one of the topic's versions, or none for the newest",
            )));
        }
    }
    if !reading.holder.is_empty() {
        accept!(actor(state, "holder", &reading.holder, ANY)?);
    }
    Ok(Ok(()))
}

/// Whether passages are quoted for the first time.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quoted {
    Anew,
    /// The record is a new version of one that is on record, and must repeat its passages.
    Again,
}

impl Quoted {
    /// By a definition that names the version that it replaces, if there is one.
    const fn by(replaces: &str) -> Self {
        if replaces.is_empty() {
            Self::Anew
        } else {
            Self::Again
        }
    }
}

/// Judges the sources that passages stand in. Nothing new is quoted from a text that is
/// withheld, as nobody could look it up; new versions may repeat what was quoted before. Where
/// the bytes alone are withheld, the text can still be looked up and quoted.
fn evidence(
    state: &dyn Tables,
    all: &[proto::Evidence],
    quoted: Quoted,
) -> Result<Step, FoldError> {
    for (place, evidence) in all.iter().enumerate() {
        let field = |name: &str| format!("evidence[{place}].{name}");
        let source_field = format_args!("evidence[{place}].source");
        let row = accept!(source(state, source_field, &evidence.source)?);
        if quoted == Quoted::Anew && row.withheld_scope() == WithholdingScope::BytesAndText {
            return Ok(Err(Refusal::new(
                Reason::Withheld,
                field("source"),
                "the source's text is withheld, so that nobody could look the passage up",
                "a passage of a source whose text is served",
            )));
        }
        let id = accept!(content_id(source_field, &evidence.source));
        let text_field = format_args!("evidence[{place}].textId");
        let text = accept!(content_id(text_field, &evidence.text_id));
        if Table::Text
            .get::<()>(state, &[id.as_bytes(), text.as_bytes()])?
            .is_none()
        {
            return Ok(Err(Refusal::new(
                Reason::TextIdMismatch,
                field("textId"),
                "the source was archived with another text, or with none",
                "the textId of one of the source's SourceArchived records",
            )));
        }
    }
    Ok(Ok(()))
}

const ANY: &[ActorKind] = &[
    ActorKind::Person,
    ActorKind::Organization,
    ActorKind::State,
    ActorKind::Group,
    ActorKind::Population,
];
const VOICE: &[ActorKind] = &[ActorKind::Person, ActorKind::Organization, ActorKind::State];
const BODY: &[ActorKind] = &[ActorKind::Organization, ActorKind::State];

fn actor(
    state: &dyn Tables,
    field: impl Display,
    id: &str,
    kinds: &[ActorKind],
) -> Result<Step, FoldError> {
    let row: Option<ActorRow> = Table::Actor.get(state, &[id.as_bytes()])?;
    let name = |kind: &ActorKind| kind.as_str_name().trim_start_matches("ACTOR_KIND_");
    let message = match &row {
        Some(row) if row.is_any_of(kinds) => return Ok(Ok(())),
        Some(row) => {
            let kind = ActorKind::try_from(row.kind).unwrap_or_default();
            format!("the actor {id:?} is of kind {}", name(&kind))
        }
        None => {
            let meant = Table::Actor.did_you_mean(state, id)?;
            format!("the actor {id:?} is not on record{meant}")
        }
    };
    let mut accepted = "an actor on record, by an actorDefined above".to_owned();
    if kinds != ANY {
        let names: Vec<_> = kinds.iter().map(name).collect();
        accepted.push_str(", of kind ");
        accepted.push_str(&names.join(" or "));
    }
    Ok(Err(Refusal::new(
        Reason::UnknownActor,
        field,
        message,
        accepted,
    )))
}

fn topic(state: &dyn Tables, field: impl Display, id: &str) -> Result<Step, FoldError> {
    let row: Option<TopicRow> = Table::Topic.get(state, &[id.as_bytes()])?;
    if row.is_some() {
        return Ok(Ok(()));
    }
    let meant = Table::Topic.did_you_mean(state, id)?;
    Ok(Err(Refusal::new(
        Reason::UnknownTopic,
        field,
        format!("the topic {id:?} is not on record{meant}"),
        "the id of a topic that is on record, by a topicDefined above",
    )))
}

/// A source that must be on record.
fn source(
    state: &dyn Tables,
    field: impl Display,
    id: &str,
) -> Result<Result<SourceRow, Refusal>, FoldError> {
    let parsed = accept!(content_id(&field, id));
    let row: Option<SourceRow> = Table::Source.get(state, &[parsed.as_bytes()])?;
    if let Some(row) = row {
        return Ok(Ok(row));
    }
    let is_record = Table::Record
        .get::<RecordRow>(state, &[parsed.as_bytes()])?
        .is_some();
    let (message, accepted) = if is_record {
        (
            format!("{id} is a record, and no source"),
            "the source's own id, the hash of its bytes, which its sourceArchived record names",
        )
    } else {
        (
            format!("the source {id} is not on record"),
            "the source of a sourceArchived record above; uploading it is not enough",
        )
    };
    Ok(Err(Refusal::new(
        Reason::UnknownSource,
        field,
        message,
        accepted,
    )))
}

/// A statement that must be on record.
fn recorded(state: &dyn Tables, id: &str) -> Result<Result<StatementRow, Refusal>, FoldError> {
    let parsed = accept!(content_id("statement", id));
    let row: Option<RecordRow> = Table::Record.get(state, &[parsed.as_bytes()])?;
    let message = match row {
        Some(RecordRow {
            statement: Some(row),
            ..
        }) => return Ok(Ok(row)),
        Some(_) => format!("{id} is a record that introduced no statement"),
        None => format!("the statement {id} is not on record"),
    };
    let accepted = "the record id of the statementRecorded that introduced it";
    Ok(Err(Refusal::new(
        Reason::UnknownStatement,
        "statement",
        message,
        accepted,
    )))
}

/// A statement that must be on record and not retracted.
fn standing(state: &dyn Tables, id: &str) -> Result<Result<StatementRow, Refusal>, FoldError> {
    let row = accept!(recorded(state, id)?);
    if newest_trusted(state, &row.retractions)?.is_some() {
        return Ok(Err(Refusal::new(
            Reason::StatementIsRetracted,
            "statement",
            format!("the statement {id} was retracted"),
            "a statement that stands; record it anew",
        )));
    }
    Ok(Ok(row))
}

fn same_capacity(row: &StatementRow, speaker: &str, said_for: &[String]) -> Step {
    let theirs = row.speaker.as_ref().map_or("", Slug::as_str);
    if theirs != speaker {
        return Err(Refusal::new(
            Reason::CapacityDiffers,
            "speaker",
            match theirs {
                "" => format!("the statement is anonymous, and not by {speaker:?}"),
                theirs => format!("the statement's speaker is {theirs:?}, not {speaker:?}"),
            },
            "the statement's own speaker; a wrong speaker is retracted and recorded anew",
        ));
    }
    if !row
        .said_for
        .iter()
        .map(Slug::as_str)
        .eq(said_for.iter().map(String::as_str))
    {
        let theirs: Vec<_> = row.said_for.iter().map(Slug::as_str).collect();
        return Err(Refusal::new(
            Reason::CapacityDiffers,
            "saidFor",
            match theirs[..] {
                [] => "the statement was said for nobody else".to_owned(),
                _ => format!("the statement was said for {}", theirs.join(", ")),
            },
            "the statement's own list, in its order; a wrong capacity is retracted and recorded anew",
        ));
    }
    Ok(())
}

/// A new version must name the newest one; a first version names none.
fn replaces(newest: Option<&ContentId>, named: &str) -> Step {
    let newest = newest.map(ContentId::to_string).unwrap_or_default();
    if newest == named {
        return Ok(());
    }
    let message = match (newest.is_empty(), named.is_empty()) {
        (true, _) => "it is not on record yet, so that there is nothing to replace",
        (_, true) => "it is on record already, and the version to replace is not named",
        _ => "the version named is not the newest",
    };
    Err(stale("replaces", message, &newest))
}

fn stale(field: &str, message: &str, newest: &str) -> Refusal {
    let accepted = if newest.is_empty() {
        "none: there is no earlier version".to_owned()
    } else {
        format!("{newest}, the record id of the newest version")
    };
    Refusal::new(Reason::StaleVersion, field, message, accepted)
}

fn changed(field: &str, what: &str) -> Refusal {
    Refusal::new(
        Reason::PropositionChanged,
        field,
        format!("{what} never changes"),
        "the value that it has on record; or a new id",
    )
}
