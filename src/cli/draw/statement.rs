//! A statement as it bears on an answer: who said it and for whom, when, what, where that
//! stands and at which index.
//!
//! Words stand in quotation marks only where the text is the passage itself; what was
//! paraphrased or retranslated for the archive never does.

use super::background::Background;
use super::canvas::{Sheet, Tint};
use super::words::{Label as _, conditions, short, stance, wording};
use crate::record::proto::statement::Voice;
use crate::record::proto::{
    AnonymityReason, Authority, Engagement, Evidence, ReadingBasis, ReviewPublished,
    SourceArchived, Statement, WithholdingScope,
};
use crate::rpc::proto::{Stance, Testimony};

/// Draws a statement in a few lines.
pub fn testimony(sheet: &mut Sheet, indent: usize, said: &Testimony, background: &Background) {
    let index = format!("[{}] ", said.index);
    let width = indent + index.len();
    let lead = format!("{}{index}", " ".repeat(indent));
    let lead = sheet.canvas().paint(Tint::Strong, &lead);
    sheet.hanging(&lead, width, Tint::Plain, &who_and_when(said, background));
    let Some(statement) = statement(said, background) else {
        let missing = "(what was said could not be looked up)";
        sheet.paragraph(width, Tint::Faint, missing);
        return;
    };
    sheet.paragraph(width, Tint::Plain, &words(statement));
    for line in beneath(said, statement, background) {
        sheet.paragraph(width, Tint::Faint, &line);
    }
}

/// The same in one paragraph, without its sources.
#[must_use]
pub fn in_brief(said: &Testimony, background: &Background) -> String {
    let who = format!("[{}] {}", said.index, who_and_when(said, background));
    match statement(said, background) {
        Some(statement) => format!("{who}: {}", words(statement)),
        None => who,
    }
}

/// The same as one text, for a cell of a table.
#[must_use]
pub fn testimony_in_cell(said: &Testimony, background: &Background) -> String {
    let mut lines = vec![format!(
        "[{}] {}",
        said.index,
        who_and_when(said, background)
    )];
    if let Some(statement) = statement(said, background) {
        lines.push(words(statement));
        lines.extend(beneath(said, statement, background));
    }
    lines.join("\n")
}

/// How it reads: a stance, or the evasion; where coders disagree, each of their readings.
#[must_use]
pub fn reading(said: &Testimony) -> String {
    let mut readings = readings(said);
    if readings.len() == 1 {
        return readings.remove(0);
    }
    format!("DISPUTED: {}", readings.join(" or "))
}

/// Each reading that as many coders give.
#[must_use]
pub fn readings(said: &Testimony) -> Vec<String> {
    let read = |engagement: Engagement, taken: Option<&Stance>| match taken {
        Some(taken) if engagement == Engagement::Answered => stance(taken),
        _ => engagement.label().to_owned(),
    };
    let rivals = said.rivals.iter();
    let rivals = rivals.map(|it| read(it.engagement(), it.stance.as_ref()));
    std::iter::once(read(said.engagement(), said.stance.as_ref()))
        .chain(rivals)
        .collect()
}

/// Who said it, for whom, when, and what sets it apart.
#[must_use]
pub fn who_and_when(said: &Testimony, background: &Background) -> String {
    let mut parts = vec![speaker(said, background)];
    parts.extend(capacity(said, background));
    parts.push(format!("said {}", date(said)));
    if !said.repeated_until.is_empty() {
        parts.push(format!("repeated until {}", said.repeated_until));
    }
    if !said.relayed_by.is_empty() {
        let by = background.name(&said.relayed_by);
        parts.push(format!("relayed by {by}"));
    }
    if !matches!(
        said.basis(),
        ReadingBasis::OwnWords | ReadingBasis::Unspecified
    ) {
        parts.push(said.basis().label().to_owned());
    }
    if said.version_index != said.index {
        parts.push(format!("as corrected at [{}]", said.version_index));
    }
    if said.reading_index != said.version_index {
        parts.push(format!("as read at [{}]", said.reading_index));
    }
    parts.join(", ")
}

fn date(said: &Testimony) -> &str {
    match said.said_at.as_str() {
        "" => "before it was published",
        said_at => said_at,
    }
}

fn speaker(said: &Testimony, background: &Background) -> String {
    let name = if said.speaker.is_empty() {
        anonymous(said, background)
    } else {
        background.name(&said.speaker).to_owned()
    };
    if said.holder.is_empty() || said.holder == said.speaker {
        return name;
    }
    format!(
        "{name} (on the stance of {})",
        background.name(&said.holder)
    )
}

fn anonymous(said: &Testimony, background: &Background) -> String {
    let voice = statement(said, background).and_then(|statement| statement.voice.as_ref());
    let Some(Voice::Anonymous(anonymous)) = voice else {
        return "Anonymous".to_owned();
    };
    let reason = match anonymous.reason() {
        AnonymityReason::Unspecified => "anonymous",
        AnonymityReason::NameWithheld => "NAME_WITHHELD",
        AnonymityReason::UnnamedAuthor => "UNNAMED_AUTHOR",
        AnonymityReason::Unidentified => "UNIDENTIFIED",
        AnonymityReason::Collective => "COLLECTIVE",
    };
    format!("{} ({reason})", anonymous.description)
}

/// The organisations that it was said for, with the authority to speak for those of them that it
/// is about: a testimony's authority is over whoever was asked, so that of a person who is asked
/// is over that person's own word.
fn capacity(said: &Testimony, background: &Background) -> Option<String> {
    let asked = |slug: &String| background.asked.contains(slug);
    let by_name = asked(&said.speaker) || said.said_for.iter().any(asked);
    let one = said.said_for.len() == 1;
    let capacity = |slug: &String| {
        let name = background.name(slug);
        // Where neither was asked by name, a part of who was spoke.
        let is_about = !asked(&said.speaker) && (asked(slug) || (one && !by_name));
        match said.authority() {
            authority if is_about && authority != Authority::Unspecified => {
                format!("{name} ({})", authority.label())
            }
            _ => name.to_owned(),
        }
    };
    let organisations: Vec<String> = said.said_for.iter().map(capacity).collect();
    (!organisations.is_empty()).then(|| format!("for {}", organisations.join(" and ")))
}

fn statement<'a>(said: &Testimony, background: &'a Background) -> Option<&'a Statement> {
    background
        .statements
        .get(&said.statement)?
        .statement
        .as_ref()
}

/// What was said: in quotation marks only where the text is the passage itself.
#[must_use]
pub fn words(statement: &Statement) -> String {
    match wording(statement.wording()) {
        (_, true) => format!("“{}”", statement.text),
        (_, false) => statement.text.clone(),
    }
}

/// How the text relates to what was spoken, the sources it stands in, and what was added.
fn beneath(said: &Testimony, statement: &Statement, background: &Background) -> Vec<String> {
    let (how, _) = wording(statement.wording());
    let mut lines = vec![how.to_owned()];
    lines.extend(found_in(
        &statement.evidence,
        said.version_index,
        background,
    ));
    let Some(view) = background.statements.get(&said.statement) else {
        return lines;
    };
    for further in view.further_evidence.iter().filter(|it| !it.untrusted) {
        let index = further.provenance.as_ref().map_or(0, |it| it.index);
        let found = found_in(&further.evidence, index, background);
        lines.extend(found.map(|line| format!("also, since [{index}], {line}")));
    }
    let introduced = view.introduced.iter();
    let added = introduced.flat_map(|it| &it.attestations);
    for attestation in added.filter(|it| view.vouchers.contains(&it.verifier)) {
        let verifier = short(&attestation.verifier);
        lines.push(format!(
            "vouched for since [{}] by {verifier}",
            attestation.index
        ));
    }
    lines.extend(
        view.reviews
            .iter()
            .filter_map(|it| it.review.as_ref())
            .map(reviewed),
    );
    lines
}

/// The sources that passages establishing the words stand in. What can no longer be looked up
/// was checked when it entered, at `index`.
fn found_in<'a>(
    evidence: &'a [Evidence],
    index: u64,
    background: &'a Background,
) -> impl Iterator<Item = String> + 'a {
    let sources = background.sources_of(evidence).into_iter();
    sources.map(move |(id, source)| {
        let described = source.map(described).unwrap_or_default();
        let withheld = match background.withheld.get(id) {
            None | Some(WithholdingScope::Unspecified) => String::new(),
            Some(WithholdingScope::Bytes) => " (its bytes are withheld)".to_owned(),
            Some(WithholdingScope::BytesAndText) => {
                format!(" (withheld: verified at index {index}, not repeatable)")
            }
        };
        format!("source {}{described}{withheld}", short(id))
    })
}

fn reviewed(review: &ReviewPublished) -> String {
    let rating = match (review.rating, review.rating_worst, review.rating_best) {
        (0, 0, 0) => String::new(),
        (rating, worst, best) => format!(" ({rating} on a scale from {worst} to {best})"),
    };
    let (publisher, verdict) = (&review.publisher, &review.verdict);
    format!("reviewed by {publisher}: {verdict}{rating}, {}", review.url)
}

fn described(source: &SourceArchived) -> String {
    let parts = [&source.title, &source.publisher, &source.published_at];
    let parts: Vec<&str> = parts
        .into_iter()
        .map(String::as_str)
        .filter(|part| !part.is_empty())
        .collect();
    match parts.as_slice() {
        [] => String::new(),
        parts => format!(": {}", parts.join(", ")),
    }
}

/// One line about a statement where there is no room for its words.
#[must_use]
pub fn in_short(said: &Testimony, background: &Background) -> String {
    format!(
        "{}: [{}] {}",
        reading(said),
        said.index,
        who_and_when(said, background)
    )
}

/// The conditions of a stance, or that it has none.
#[must_use]
pub fn conditions_of(said: Option<&Stance>) -> String {
    conditions(said.map_or(&[][..], |stance| &stance.conditions))
}
