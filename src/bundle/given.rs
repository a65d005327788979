//! The texts and documents that a bundle gives beside its entries.
//!
//! What is given has to hash to its id. What is not given cannot be looked at: passages are then
//! taken on trust, and the report says so.

use std::collections::BTreeMap;

use super::proto::Bundle;
use super::{Check, Fault, Report};
use crate::admission::{Documents, DocumentsError, TextError};
use crate::record::proto::record::Kind;
use crate::record::{ContentId, Entry};
use crate::text::{Profile, SearchText};

/// What is given.
pub struct Given<'a> {
    texts: BTreeMap<ContentId, SearchText>,
    documents: BTreeMap<ContentId, &'a [u8]>,
}

impl<'a> Given<'a> {
    /// What `bundle` gives, if all of it is what its ids say and belongs to the entries.
    pub fn of(
        bundle: &'a Bundle,
        entries: &[std::sync::Arc<Entry>],
        report: &mut Report,
    ) -> Option<Self> {
        let archived = Archived::by(entries);
        match given(bundle, &archived) {
            Ok(given) => {
                given.tell(&archived, report);
                Some(given)
            }
            Err(fault) => {
                report.no(Check::Source, None, fault);
                None
            }
        }
    }

    /// Whether a text is given, by its id as records write it.
    pub fn has_text(&self, text_id: &str) -> bool {
        let id = text_id.parse();
        id.is_ok_and(|id: ContentId| self.texts.contains_key(&id))
    }

    /// Whether a document is given, by its id as records write it.
    pub fn has_document(&self, source: &str) -> bool {
        let id = source.parse();
        id.is_ok_and(|id: ContentId| self.documents.contains_key(&id))
    }

    /// Says what is given and what is not.
    fn tell(&self, archived: &Archived, report: &mut Report) {
        for id in self.texts.keys() {
            let text = format!("the text {id} is given whole");
            report.yes(Check::Source, None, text);
        }
        for id in archived.quoted.iter().filter(|id| !self.has_text(id)) {
            let text = format!(
                "the text {id} is not given (it may be withheld): that the passages quoted from it stand there was not checked"
            );
            report.unchecked_line(Check::Source, None, text);
        }
        for id in self.documents.keys() {
            let text = format!("the document {id} is given whole");
            report.yes(Check::Source, None, text);
        }
        let missing = archived.sources.iter().filter(|id| !self.has_document(id));
        let missing = missing.count();
        if missing > 0 {
            let text = format!(
                "the bytes of {missing} of {} documents are not given: that they give the texts recorded of them was not checked",
                archived.sources.len()
            );
            report.unchecked_line(Check::Source, None, text);
        }
    }
}

/// What entries say of sources.
#[derive(Default)]
struct Archived {
    /// Source, text and profile of each version that has a text.
    texts: std::collections::BTreeSet<(String, String, String)>,
    sources: std::collections::BTreeSet<String>,
    /// The texts that passages stand in.
    quoted: std::collections::BTreeSet<String>,
}

impl Archived {
    fn by(entries: &[std::sync::Arc<Entry>]) -> Self {
        let mut archived = Self::default();
        for entry in entries {
            let Some(kind) = &entry.record.kind else {
                continue;
            };
            if let Kind::SourceArchived(source) = kind {
                archived.sources.insert(source.source.clone());
                archived.texts.insert((
                    source.source.clone(),
                    source.text_id.clone(),
                    source.profile.clone(),
                ));
            }
            let quoted = crate::admission::evidence_of(kind).iter();
            archived.quoted.extend(quoted.map(|it| it.text_id.clone()));
        }
        archived
    }
}

fn given<'a>(bundle: &'a Bundle, archived: &Archived) -> Result<Given<'a>, Fault> {
    let mut given = Given {
        texts: BTreeMap::new(),
        documents: BTreeMap::new(),
    };
    for text in &bundle.texts {
        let what = "text";
        let found = ContentId::of(text.text.as_bytes());
        same(what, &text.text_id, found)?;
        let last = given.texts.last_key_value().map(|(id, _)| *id);
        in_order(what, last, found)?;
        let (text_id, source_id, profile) = (
            text.text_id.clone(),
            text.source.clone(),
            text.profile.clone(),
        );
        if !archived
            .texts
            .contains(&(source_id.clone(), text_id.clone(), profile.clone()))
        {
            return Err(Fault::OtherText {
                text_id,
                source_id,
                profile,
            });
        }
        given
            .texts
            .insert(found, SearchText::new(text.text.clone()));
    }
    for document in &bundle.documents {
        let what = "document";
        let found = ContentId::of(&document.content);
        same(what, &document.source, found)?;
        let last = given.documents.last_key_value().map(|(id, _)| *id);
        in_order(what, last, found)?;
        if !archived.sources.contains(&document.source) {
            let id = document.source.clone();
            return Err(Fault::Unused { what, id });
        }
        given.documents.insert(found, &document.content);
    }
    Ok(given)
}

fn same(what: &'static str, id: &str, found: ContentId) -> Result<(), Fault> {
    if found.to_string() == id {
        return Ok(());
    }
    let id = id.to_owned();
    Err(Fault::OtherContent { what, id, found })
}

fn in_order(what: &'static str, last: Option<ContentId>, id: ContentId) -> Result<(), Fault> {
    if last.is_none_or(|last| last < id) {
        return Ok(());
    }
    let id = id.to_string();
    Err(Fault::ContentOrder { what, id })
}

impl Documents for Given<'_> {
    fn size(&self, source: &ContentId) -> Result<Option<u64>, DocumentsError> {
        Ok(self.documents.get(source).map(|it| it.len() as u64))
    }

    fn text_of(
        &self,
        source: &ContentId,
        profile: Profile,
        media_type: &str,
    ) -> Result<Option<ContentId>, TextError> {
        let Some(document) = self.documents.get(source) else {
            return Ok(None);
        };
        let extracted = profile.extract(document, media_type)?;
        Ok(Some(ContentId::of(extracted.text.as_bytes())))
    }

    fn text(&self, text_id: &ContentId) -> Result<Option<SearchText>, DocumentsError> {
        Ok(self.texts.get(text_id).cloned())
    }
}
