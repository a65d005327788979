//! Evidence: every passage stands in its source's text, and the statement says what the
//! passage says.
//!
//! Documents are immutable, so this needs no ledger and is done beforehand, in parallel, for
//! whatever looks as if it could enter.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use super::documents::{Documents, DocumentsError, TextError};
use super::field::content_id;
use super::references::accept;
use super::state::{SourceRow, Table};
use super::{Place, Reason, Refusal, Step, below, time};
use crate::fold::{FoldError, Tables};
use crate::record::proto::{self, Establishes, Wording, record::Kind};
use crate::record::{ContentId, quoted};
use crate::text::{
    ExtractError, Profile, QuoteError, Segment, Selection, normalise, says_the_same,
};

/// Judges the documents and passages that a record rests on. Gives what the passages of added
/// evidence select, which only the ledger's state says what to hold against.
pub fn check(kind: &Kind, documents: &dyn Documents) -> Result<Vec<String>, Refusal> {
    if let Kind::EvidenceAdded(added) = kind {
        let selections = passages(&added.evidence, documents)?;
        return Ok(selections.into_iter().map(|it| it.text).collect());
    }
    alone(kind, documents).map(|()| Vec::new())
}

/// Judges what no other record has a say in.
fn alone(kind: &Kind, documents: &dyn Documents) -> Step {
    match kind {
        Kind::SourceArchived(archived) => source(archived, documents),
        Kind::StatementRecorded(recorded) => statement(recorded, documents),
        Kind::StatementCorrected(corrected) => {
            let whole = corrected.corrected.as_ref();
            let verdict = whole.map_or(Ok(()), |whole| statement(whole, documents));
            verdict.map_err(|refusal| refusal.within("corrected"))
        }
        Kind::MandateGranted(mandate) => passages(&mandate.evidence, documents).map(drop),
        Kind::MandateEnded(mandate) => passages(&mandate.evidence, documents).map(drop),
        Kind::MilestoneDefined(milestone) => passages(&milestone.evidence, documents).map(drop),
        _ => Ok(()),
    }
}

/// Refuses text that claims to be verbatim and rests on a translation.
pub fn not_translated(state: &dyn Tables, kind: &Kind) -> Result<Step, FoldError> {
    let (statement, parent) = match kind {
        Kind::StatementRecorded(statement) => (Some(statement), ""),
        Kind::StatementCorrected(corrected) => (corrected.corrected.as_ref(), "corrected"),
        _ => (None, ""),
    };
    let Some(statement) = statement.filter(|statement| statement.wording() == Wording::Verbatim)
    else {
        return Ok(Ok(()));
    };
    for (place, source) in time::words(state, statement)? {
        let message = match chain(state, source)? {
            Chain::Spoken => continue,
            Chain::Translated => "the source is a translation, or was made from one",
            Chain::TooLong => "the source was made from too many others to look at them all",
        };
        let refusal = Refusal::new(
            Reason::NotVerbatim,
            format!("evidence[{place}].source"),
            message,
            "a source in the words spoken; or wording TRANSLATED",
        );
        return Ok(Err(refusal.within(parent)));
    }
    Ok(Ok(()))
}

/// What the sources on record say that a source came from, as their newest versions have it.
enum Chain {
    /// None of them is a translation.
    Spoken,
    Translated,
    /// More than [`CHAIN_MAX`].
    TooLong,
}

/// How many sources are looked at for translations: more than any document was made from.
const CHAIN_MAX: usize = 256;

/// Follows a source to all that it came from. What is archived again later may turn out to be
/// a translation, so the chain is followed each time.
fn chain(state: &dyn Tables, source: SourceRow) -> Result<Chain, FoldError> {
    let mut seen = BTreeSet::new();
    let mut open = vec![source];
    while let Some(source) = open.pop() {
        if source.translates {
            return Ok(Chain::Translated);
        }
        for id in source.derived_from {
            if !seen.insert(id) {
                continue;
            }
            if seen.len() > CHAIN_MAX {
                return Ok(Chain::TooLong);
            }
            open.extend(Table::Source.get::<SourceRow>(state, &[id.as_bytes()])?);
        }
    }
    Ok(Chain::Spoken)
}

fn source(archived: &proto::SourceArchived, documents: &dyn Documents) -> Step {
    let id = content_id("source", &archived.source)?;
    let size = documents.size(&id).map_err(|error| unreadable(&error))?;
    match size {
        None => return Err(bytes_missing("source", &id)),
        Some(size) if size != archived.size_bytes => {
            return Err(Refusal::new(
                Reason::SizeMismatch,
                "sizeBytes",
                format!("the source has {size} bytes, not {}", archived.size_bytes),
                size.to_string(),
            ));
        }
        Some(_) => {}
    }
    if archived.profile.is_empty() {
        return Ok(());
    }
    let profile = Profile::from_str(&archived.profile).map_err(|_| {
        Refusal::new(
            Reason::UnknownProfile,
            "profile",
            format!(
                "{} is no profile of this release",
                quoted(&archived.profile)
            ),
            format!("{} or {}", Profile::PlainText1, Profile::HtmlText1),
        )
    })?;
    let stated = content_id("textId", &archived.text_id)?;
    let found = match documents.text_of(&id, profile, &archived.media_type) {
        Ok(found) => found.ok_or_else(|| bytes_missing("source", &id))?,
        Err(TextError::Documents(error)) => return Err(unreadable(&error)),
        Err(TextError::Extract(error @ ExtractError::TooLarge { bytes_max })) => {
            return Err(Refusal::new(
                Reason::TextTooLarge,
                "source",
                error.to_string(),
                format!("a text of at most {bytes_max} bytes; or no profile and no textId"),
            ));
        }
    };
    if found != stated {
        return Err(Refusal::new(
            Reason::TextIdMismatch,
            "textId",
            format!("{profile} as {:?} gives another text", archived.media_type),
            found.to_string(),
        ));
    }
    Ok(())
}

fn statement(statement: &proto::Statement, documents: &dyn Documents) -> Step {
    let selections = passages(&statement.evidence, documents)?;
    if !matches!(statement.wording(), Wording::Verbatim | Wording::Translated) {
        return Ok(());
    }
    for (place, (evidence, selection)) in statement.evidence.iter().zip(selections).enumerate() {
        let words = evidence
            .establishes()
            .any(|what| what == Establishes::Words);
        if words && !says_the_same(&statement.text, &selection.text) {
            return Err(Refusal::new(
                Reason::TextDiffersFromSelection,
                "text",
                format!(
                    "the text is not the passage that evidence[{place}] selects: {}",
                    difference(&statement.text, &selection.text)
                ),
                "the selected passage, with \" […] \" between segments; or wording PARAPHRASED",
            ));
        }
    }
    Ok(())
}

/// How many code points that are the same are shown before those that differ.
const SAME_SHOWN: usize = 16;

/// Where a statement's text and the passage that it claims to be part.
fn difference(text: &str, passage: &str) -> String {
    let [text, passage] = [text, passage].map(|it| normalise(it).replace('\n', " "));
    let pairs = std::iter::zip(text.chars(), passage.chars());
    let same = pairs.take_while(|(one, other)| one == other).count();
    let shown = |it: &str| {
        let start = same.saturating_sub(SAME_SHOWN);
        quoted(&it.chars().skip(start).collect::<String>())
    };
    format!(
        "they differ at code point {same}, where the text has {} and the passage {}",
        shown(&text),
        shown(&passage)
    )
}

fn passages(
    evidence: &[proto::Evidence],
    documents: &dyn Documents,
) -> Result<Vec<Selection>, Refusal> {
    let select = |(place, evidence)| {
        passage(evidence, documents)
            .map_err(|refusal: Refusal| refusal.within(&format!("evidence[{place}]")))
    };
    evidence.iter().enumerate().map(select).collect()
}

fn passage(evidence: &proto::Evidence, documents: &dyn Documents) -> Result<Selection, Refusal> {
    let id = content_id("textId", &evidence.text_id)?;
    let text = documents.text(&id).map_err(|error| unreadable(&error))?;
    let text = text.ok_or_else(|| text_missing(&id))?;
    let segments: Vec<Segment<'_>> = evidence.segments.iter().map(segment).collect();
    text.select(&segments).map_err(refuse)
}

fn segment(segment: &proto::Segment) -> Segment<'_> {
    Segment {
        exact: &segment.exact,
        prefix: &segment.prefix,
        suffix: &segment.suffix,
        start: segment.start,
        end: segment.end,
    }
}

/// Says why a quotation selects nothing, and what is near.
fn refuse(error: QuoteError) -> Refusal {
    let message = error.to_string();
    let (reason, place, accepted, nearest) = match error {
        QuoteError::Empty { segment } => (
            Reason::MalformedRecord,
            format!("segments[{segment}].exact"),
            "text with more than white space",
            Vec::new(),
        ),
        QuoteError::NotFound {
            segment,
            earlier,
            nearest,
        } => (
            Reason::QuoteNotFound,
            format!("segments[{segment}].exact"),
            if earlier.is_some() {
                "segments in the order of the text, not overlapping"
            } else {
                "a passage exactly as the source has it"
            },
            nearest,
        ),
        QuoteError::OtherContext { segment, nearest } => (
            Reason::QuoteNotFound,
            format!("segments[{segment}]"),
            "the prefix and suffix that stand right before and after the passage; or none",
            nearest,
        ),
        QuoteError::Ambiguous {
            segment, passages, ..
        } => (
            Reason::QuoteAmbiguous,
            format!("segments[{segment}].exact"),
            "a longer passage; or a prefix, suffix or start that settles which",
            passages,
        ),
        QuoteError::PositionMismatch {
            segment, nearest, ..
        } => (
            Reason::PositionMismatch,
            format!("segments[{segment}].start"),
            "the position of the passage in code points of the extracted text; or none",
            nearest,
        ),
        QuoteError::OutOfOrder { segment, .. } => (
            Reason::PositionMismatch,
            format!("segments[{segment}].start"),
            "segments in the order of the text, not overlapping",
            Vec::new(),
        ),
    };
    Refusal {
        nearest,
        ..Refusal::new(reason, place, message, accepted)
    }
}

fn bytes_missing(field: &str, id: &ContentId) -> Refusal {
    Refusal::new(
        Reason::SourceBytesMissing,
        field,
        format!("nothing with the id {id} was uploaded"),
        "a document uploaded with PutSource first",
    )
}

fn text_missing(id: &ContentId) -> Refusal {
    Refusal::new(
        Reason::SourceBytesMissing,
        "textId",
        format!("no uploaded source gave the text {id}"),
        "the textId that PutSource answered for the source's media type",
    )
}

fn unreadable(error: &DocumentsError) -> Refusal {
    Refusal::new(
        Reason::DocumentUnreadable,
        "",
        error.to_string(),
        "the same record, once the daemon can read its documents",
    )
}

/// Judges evidence by what was found beforehand; anew where nobody looked then, or where a
/// document was missing: an earlier record of the same batch may have enrolled the signer, or
/// brought the document.
pub fn judge(
    place: &Place<'_>,
    kind: &Kind,
    beforehand: Option<&Result<Vec<String>, Refusal>>,
) -> Result<Step, FoldError> {
    let verdict = match beforehand {
        Some(Err(refusal)) if refusal.reason == Reason::SourceBytesMissing => {
            check(kind, place.documents)
        }
        Some(verdict) => verdict.clone(),
        None => check(kind, place.documents),
    };
    let selected = accept!(verdict);
    match kind {
        Kind::EvidenceAdded(added) => further(place, added, &selected),
        _ => not_translated(place.state, kind),
    }
}

/// Judges further evidence for the words of a statement by the rules of its own: each passage
/// that establishes WORDS says what the version that stands says, if its text claims to be the
/// passage, and is no translation, if it claims to be verbatim. Otherwise a source with other
/// words would be shown as having these. A passage in other words is evidence of something
/// else (SPEAKER, DATE, and so on), or of a statement of its own that is the same utterance.
/// A later correction of the text does not undo what was added: it shows where it stands, and
/// was held against the version that stood there.
fn further(
    place: &Place<'_>,
    added: &proto::EvidenceAdded,
    selected: &[String],
) -> Result<Step, FoldError> {
    let of_words = |evidence: &proto::Evidence| {
        let mut establishes = evidence.establishes();
        establishes.any(|what| what == Establishes::Words)
    };
    if !added.evidence.iter().any(of_words) {
        return Ok(Ok(()));
    }
    let statement = accept!(below::standing(place.state, place.below, &added.statement)?);
    if matches!(statement.wording(), Wording::Verbatim | Wording::Translated) {
        for (at, (evidence, text)) in std::iter::zip(&added.evidence, selected).enumerate() {
            if of_words(evidence) && !says_the_same(&statement.text, text) {
                return Ok(Err(Refusal::new(
                    Reason::TextDiffersFromSelection,
                    format!("evidence[{at}].segments"),
                    format!(
                        "the statement's text is not the passage that this selects: {}",
                        difference(&statement.text, text)
                    ),
                    "a passage that says what the statement's text says; or one that does not establish WORDS",
                )));
            }
        }
    }
    let whole = proto::Statement {
        evidence: added.evidence.clone(),
        ..statement
    };
    not_translated(place.state, &Kind::StatementRecorded(whole))
}
