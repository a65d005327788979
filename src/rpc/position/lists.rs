//! What positions on a topic, or of an actor, have to tell: positions in brief, reversals,
//! divergences and references, page by page.

use std::collections::BTreeMap;
use std::ops::Range;

use prost::Message as _;

use super::paging::{Asked, Share, readings};
use super::{Evidence, LIST_MAX, Positions};
use crate::position::{Dated, Reversal, diverging_since, reversals};
use crate::projection::positions::{Scope, Subject, Terms};
use crate::record::format_instant;
use crate::rpc::Failure;
use crate::rpc::convert::positions as convert;
use crate::rpc::proto;

/// The most bytes of the voices of one divergence.
const VOICES_BYTES_MAX: usize = 1 << 20;

/// A page's items, and the token of the next.
type Filled<T> = Result<(Vec<T>, String), Failure>;

impl Positions {
    /// As [`Positions::fill`], with what `tell` has to tell of the evidence on each question.
    fn tell<T: prost::Message>(
        &self,
        asked: &Asked,
        scope: &Scope,
        terms: &Terms,
        tell: impl Fn(&Evidence, Range<usize>) -> Result<Vec<T>, Failure>,
    ) -> Filled<T> {
        self.fill(asked, scope, |subject: &Subject, range| {
            let evidence = self.collect(subject, terms, &asked.known)?;
            Ok(Share {
                items: tell(&evidence, range)?,
                readings: readings(&evidence.collected),
            })
        })
    }

    pub(super) fn positions(
        &self,
        asked: &Asked,
        scope: &Scope,
        terms: &Terms,
    ) -> Filled<proto::Position> {
        self.tell(asked, scope, terms, |evidence, range| {
            if range.start > 0 {
                return Ok(Vec::new());
            }
            let position = evidence.in_brief(asked.as_of);
            Ok(vec![evidence.message(&position, &self.views)?])
        })
    }

    pub(super) fn reversals(
        &self,
        asked: &Asked,
        scope: &Scope,
        terms: &Terms,
    ) -> Filled<proto::Reversal> {
        self.tell(asked, scope, terms, |evidence, range| {
            let collected = &evidence.collected;
            let found = reversals(&collected.testimonies, evidence.question(asked.as_of));
            let on_page = found.iter().skip(range.start).take(range.len());
            let one = |dated: &Dated<'_>| Some(convert::testimony(collected, dated));
            let reversal = |it: &Reversal<'_>| proto::Reversal {
                actor: evidence.subject.actor.to_string(),
                topic: evidence.subject.topic.to_string(),
                from: format_instant(it.at),
                held: one(&it.held),
                left: one(&it.left),
                took: one(&it.took),
                between: it.between as u64,
                comparison: Some(convert::comparison(&it.comparison, None)),
            };
            Ok(on_page.map(reversal).collect())
        })
    }

    pub(super) fn divergences(
        &self,
        asked: &Asked,
        scope: &Scope,
        terms: &Terms,
    ) -> Filled<proto::Divergence> {
        self.tell(asked, scope, terms, |evidence, range| {
            let question = evidence.question(asked.as_of);
            let since = diverging_since(&evidence.collected.testimonies, question);
            let Some(since) = since.filter(|_| range.start == 0) else {
                return Ok(Vec::new());
            };
            Ok(vec![divergence(evidence, asked.as_of, since)])
        })
    }

    pub(super) fn references(
        &self,
        asked: &Asked,
        scope: &Scope,
        terms: &Terms,
    ) -> Filled<proto::Reference> {
        self.tell(asked, scope, terms, |evidence, range| {
            let found = references(evidence, asked.as_of);
            let on_page = found.into_iter().skip(range.start).take(range.len());
            on_page
                .map(|mut reference| {
                    let id = self.statement_id(reference.referred_index)?;
                    reference.referred_statement = id;
                    Ok(reference)
                })
                .collect()
        })
    }

    /// The id of the statement that an entry introduced.
    fn statement_id(&self, index: u64) -> Result<String, Failure> {
        let entry = self.reader.entry(index)?;
        let missing = || Failure::defect(format!("entry {index} lies beyond the head"));
        Ok(entry.ok_or_else(missing)?.record_id.to_string())
    }
}

fn divergence(evidence: &Evidence, as_of: i64, since: i64) -> proto::Divergence {
    let position = evidence.position(as_of);
    let mut divergence = proto::Divergence {
        actor: evidence.subject.actor.to_string(),
        topic: evidence.subject.topic.to_string(),
        since: format_instant(since),
        voices: Vec::with_capacity(position.voices.items.len().min(LIST_MAX)),
        voice_count: position.voices.total as u64,
    };
    let mut bytes = 0;
    for voice in &position.voices.items {
        let voice = convert::voice(&evidence.collected, voice);
        bytes += voice.encoded_len();
        if bytes > VOICES_BYTES_MAX && !divergence.voices.is_empty() {
            break;
        }
        divergence.voices.push(voice);
    }
    divergence
}

/// The references of what was certainly or possibly said by a date, in the order of the ledger;
/// each once, however many readings the statement has. Without the other's id.
fn references(evidence: &Evidence, as_of: i64) -> Vec<proto::Reference> {
    let collected = &evidence.collected;
    let mut said = BTreeMap::new();
    for dated in collected.testimonies.iter().filter_map(|it| it.at(as_of)) {
        said.entry(dated.testimony.statement).or_insert(dated);
    }
    let mut found = Vec::new();
    for dated in said.values() {
        let about = collected.detail(dated.testimony).map(|it| &it.about[..]);
        for (kind, other) in about.unwrap_or_default() {
            let referred = said.get(other);
            found.push(proto::Reference {
                actor: evidence.subject.actor.to_string(),
                topic: evidence.subject.topic.to_string(),
                kind: *kind,
                referring: Some(convert::testimony(collected, dated)),
                referred_index: *other,
                referred_statement: String::new(),
                referred: referred.map(|it| convert::testimony(collected, it)),
            });
        }
    }
    found
}
