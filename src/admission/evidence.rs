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
use crate::text::{ExtractError, Profile, QuoteError, Segment, normalise, says_the_same};

/// What a look at the documents and passages that a record rests on has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// What each passage selects, up to the first that is refused for more than a document that
    /// is missing.
    passages: Vec<Result<String, Refusal>>,
    /// What no other record has a say in.
    verdict: Step,
}

impl Looked {
    /// Looks at all that a record rests on.
    pub fn at(kind: &Kind, documents: &dyn Documents) -> Self {
        Self::beyond(kind, documents, &[])
    }

    /// Takes documents and passages to be as the record says, where nobody can look at them: for
    /// a check that tells of it.
    #[must_use]
    pub const fn on_trust() -> Self {
        Self {
            passages: Vec::new(),
            verdict: Ok(()),
        }
    }

    /// Whether documents and passages are as the record says, as far as no other record has a
    /// say in it.
    pub const fn verdict(&self) -> &Result<(), Refusal> {
        &self.verdict
    }

    /// Looks again for what was missing, and only for that.
    fn again(&self, kind: &Kind, documents: &dyn Documents) -> Self {
        Self::beyond(kind, documents, &self.passages)
    }

    fn beyond(kind: &Kind, documents: &dyn Documents, known: &[Result<String, Refusal>]) -> Self {
        let passages = passages(evidence(kind), documents, known);
        let verdict = alone(kind, documents, &passages);
        Self { passages, verdict }
    }

    /// Whether it was refused for a document that was missing.
    fn lacks_a_document(&self) -> bool {
        self.verdict.as_ref().is_err_and(is_missing)
    }
}

/// The passages that a record rests on.
#[must_use]
pub fn evidence(kind: &Kind) -> &[proto::Evidence] {
    match kind {
        Kind::StatementRecorded(recorded) => &recorded.evidence,
        Kind::StatementCorrected(corrected) => {
            let whole = corrected.corrected.as_ref();
            whole.map_or(&[], |whole| &whole.evidence)
        }
        Kind::EvidenceAdded(added) => &added.evidence,
        Kind::MandateGranted(mandate) => &mandate.evidence,
        Kind::MandateEnded(mandate) => &mandate.evidence,
        Kind::MilestoneDefined(milestone) => &milestone.evidence,
        _ => &[],
    }
}

/// Judges what no other record has a say in.
fn alone(kind: &Kind, documents: &dyn Documents, passages: &[Result<String, Refusal>]) -> Step {
    let refused = passages.iter().find_map(|passage| passage.as_ref().err());
    let found = refused.map_or(Ok(()), |refusal| Err(refusal.clone()));
    match kind {
        Kind::SourceArchived(archived) => source(archived, documents),
        Kind::StatementRecorded(recorded) => found.and_then(|()| statement(recorded, passages)),
        Kind::StatementCorrected(corrected) => {
            let whole = corrected.corrected.as_ref();
            let verdict =
                found.and_then(|()| whole.map_or(Ok(()), |whole| statement(whole, passages)));
            verdict.map_err(|refusal| refusal.within("corrected"))
        }
        _ => found,
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

/// Refuses a statement whose text is not what its passages, all of which were found, select.
fn statement(statement: &proto::Statement, passages: &[Result<String, Refusal>]) -> Step {
    if !matches!(statement.wording(), Wording::Verbatim | Wording::Translated) {
        return Ok(());
    }
    let selections = passages.iter().flatten();
    for (place, (evidence, selection)) in statement.evidence.iter().zip(selections).enumerate() {
        let words = evidence
            .establishes()
            .any(|what| what == Establishes::Words);
        if words && !says_the_same(&statement.text, selection) {
            return Err(Refusal::new(
                Reason::TextDiffersFromSelection,
                "text",
                format!(
                    "the text is not the passage that evidence[{place}] selects: {}",
                    difference(&statement.text, selection)
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

/// What each passage selects. What is `known` already is not looked for again, unless its
/// document was missing.
fn passages(
    evidence: &[proto::Evidence],
    documents: &dyn Documents,
    known: &[Result<String, Refusal>],
) -> Vec<Result<String, Refusal>> {
    let mut passages = Vec::with_capacity(evidence.len());
    for (place, evidence) in evidence.iter().enumerate() {
        let passage = match known.get(place) {
            Some(Err(refusal)) if is_missing(refusal) => passage(evidence, documents, place),
            Some(known) => known.clone(),
            None => passage(evidence, documents, place),
        };
        let is_settled = passage.as_ref().is_err_and(|it| !is_missing(it));
        passages.push(passage);
        if is_settled {
            break;
        }
    }
    passages
}

/// What the passage at this place among a record's selects.
fn passage(
    evidence: &proto::Evidence,
    documents: &dyn Documents,
    place: usize,
) -> Result<String, Refusal> {
    let selected = select(evidence, documents);
    selected.map_err(|refusal| refusal.within(&format!("evidence[{place}]")))
}

fn select(evidence: &proto::Evidence, documents: &dyn Documents) -> Result<String, Refusal> {
    let id = content_id("textId", &evidence.text_id)?;
    let text = documents.text(&id).map_err(|error| unreadable(&error))?;
    let text = text.ok_or_else(|| text_missing(&id))?;
    let segments: Vec<Segment<'_>> = evidence.segments.iter().map(segment).collect();
    let selection = text.select(&segments).map_err(refuse)?;
    Ok(selection.text)
}

fn is_missing(refusal: &Refusal) -> bool {
    refusal.reason == Reason::SourceBytesMissing
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

/// Judges evidence by what was found beforehand; anew where nobody looked then, and what was
/// missing: an earlier record of the same batch may have enrolled the signer, or somebody
/// brought the document.
pub fn judge(
    place: &Place<'_>,
    kind: &Kind,
    beforehand: Option<&Looked>,
) -> Result<Step, FoldError> {
    let anew = match beforehand {
        Some(looked) if looked.lacks_a_document() => Some(looked.again(kind, place.documents)),
        Some(_) => None,
        None => Some(Looked::at(kind, place.documents)),
    };
    let Some(looked) = anew.as_ref().or(beforehand) else {
        return Ok(Ok(()));
    };
    accept!(looked.verdict().clone());
    match kind {
        Kind::EvidenceAdded(added) => further(place, added, &looked.passages),
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
    passages: &[Result<String, Refusal>],
) -> Result<Step, FoldError> {
    if !is_of_words(added) {
        return Ok(Ok(()));
    }
    let version = accept!(below::standing(place.state, place.below, &added.statement)?);
    let statement = below::said(&version)?;
    accept!(same_words(statement, added, passages));
    let whole = proto::Statement {
        evidence: added.evidence.clone(),
        ..statement.clone()
    };
    not_translated(place.state, &Kind::StatementRecorded(whole))
}

/// Whether some of this evidence is for the words of its statement.
pub fn is_of_words(added: &proto::EvidenceAdded) -> bool {
    added.evidence.iter().any(establishes_words)
}

fn establishes_words(evidence: &proto::Evidence) -> bool {
    let mut establishes = evidence.establishes();
    establishes.any(|what| what == Establishes::Words)
}

/// Refuses evidence for the words of a statement whose passage says something else.
fn same_words(
    statement: &proto::Statement,
    added: &proto::EvidenceAdded,
    passages: &[Result<String, Refusal>],
) -> Step {
    if !matches!(statement.wording(), Wording::Verbatim | Wording::Translated) {
        return Ok(());
    }
    let selected = passages.iter().flatten();
    for (at, (evidence, text)) in std::iter::zip(&added.evidence, selected).enumerate() {
        if establishes_words(evidence) && !says_the_same(&statement.text, text) {
            return Err(Refusal::new(
                Reason::TextDiffersFromSelection,
                format!("evidence[{at}].segments"),
                format!(
                    "the statement's text is not the passage that this selects: {}",
                    difference(&statement.text, text)
                ),
                "a passage that says what the statement's text says; or one that does not establish WORDS",
            ));
        }
    }
    Ok(())
}

/// The part of a verdict that rests on documents, where all else was judged before: `version` is
/// what the statement said for whose words further evidence was given.
pub fn judge_documents(
    kind: &Kind,
    documents: &dyn Documents,
    version: Option<&proto::Statement>,
) -> Step {
    let looked = Looked::at(kind, documents);
    looked.verdict.clone()?;
    match (kind, version) {
        (Kind::EvidenceAdded(added), Some(statement)) => {
            same_words(statement, added, &looked.passages)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::text::SearchText;

    /// Texts of which some are missing, and which were asked for.
    #[derive(Default)]
    struct Texts {
        kept: Vec<SearchText>,
        asked: Mutex<Vec<ContentId>>,
    }

    impl Documents for Texts {
        fn size(&self, _: &ContentId) -> Result<Option<u64>, DocumentsError> {
            Ok(None)
        }

        fn text_of(
            &self,
            _: &ContentId,
            _: Profile,
            _: &str,
        ) -> Result<Option<ContentId>, TextError> {
            Ok(None)
        }

        fn text(&self, text_id: &ContentId) -> Result<Option<SearchText>, DocumentsError> {
            self.asked.lock().unwrap().push(*text_id);
            let mut kept = self.kept.iter();
            Ok(kept.find(|text| text.text_id() == *text_id).cloned())
        }
    }

    fn quoting(texts: &[&SearchText], exact: &str) -> Kind {
        let evidence = texts.iter().map(|text| proto::Evidence {
            text_id: text.text_id().to_string(),
            segments: vec![proto::Segment {
                exact: exact.to_owned(),
                ..proto::Segment::default()
            }],
            ..proto::Evidence::default()
        });
        Kind::StatementRecorded(proto::Statement {
            evidence: evidence.collect(),
            ..proto::Statement::default()
        })
    }

    #[test]
    fn only_the_passage_whose_text_was_missing_is_looked_for_again() {
        let [first, second, third] = ["one said so", "another said so", "a third said so"]
            .map(|text| SearchText::new(text.to_owned()));
        let kind = quoting(&[&first, &second, &third], "said so");
        let mut texts = Texts {
            kept: vec![first.clone(), third],
            ..Texts::default()
        };
        let before = Looked::at(&kind, &texts);
        assert!(before.lacks_a_document());
        assert_eq!(texts.asked.lock().unwrap().len(), 3);

        texts.kept.push(second.clone());
        texts.asked.lock().unwrap().clear();
        let after = before.again(&kind, &texts);
        assert_eq!(*texts.asked.lock().unwrap(), [second.text_id()]);
        assert_eq!(after, Looked::at(&kind, &texts));
        assert_eq!(after.verdict, Ok(()));
    }

    #[test]
    fn nothing_is_looked_for_beyond_a_passage_that_stands_nowhere() {
        let [first, second] = ["one", "another"].map(|text| SearchText::new(text.to_owned()));
        let texts = Texts {
            kept: vec![first.clone(), second.clone()],
            ..Texts::default()
        };
        let looked = Looked::at(&quoting(&[&first, &second], "nobody said"), &texts);
        let refusal = looked.verdict.unwrap_err();
        assert_eq!(refusal.reason, Reason::QuoteNotFound);
        assert_eq!(refusal.field, "evidence[0].segments[0].exact");
        assert_eq!(*texts.asked.lock().unwrap(), [first.text_id()]);
    }
}
