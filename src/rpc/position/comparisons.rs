//! How positions differ between two dates, or between two states of knowledge, for everybody
//! on a topic or an actor on all topics.

use super::paging::{Asked, Share, readings};
use super::{Evidence, Positions, Span};
use crate::position::{ChangeKind, Comparison, Decision, Position, compare, placement};
use crate::projection::positions::{self, Scope, SourceFilter, Subject, Terms};
use crate::rpc::Failure;
use crate::rpc::convert::positions as convert;
use crate::rpc::proto;
use crate::rpc::views::Known;

/// The most entries that are named for one pair, as the proto promises.
const ENTRIES_MAX: usize = 100;

/// What the two ends are asked for on.
pub(super) struct Ends {
    pub(super) span: Span,
    pub(super) from: Terms,
    pub(super) to: Terms,
    pub(super) changed_only: bool,
}

impl Ends {
    fn asks_about_sources(&self) -> bool {
        let open = SourceFilter::default();
        [&self.from, &self.to]
            .iter()
            .any(|terms| terms.filter.sources != open)
    }
}

impl Positions {
    pub(super) fn comparisons(
        &self,
        asked: &Asked,
        scope: &Scope,
        ends: &Ends,
    ) -> Result<(Vec<proto::ComparedPositions>, String), Failure> {
        self.fill(asked, scope, |subject, range| {
            let from = Evidence::collect(subject, &ends.from, &asked.from_known)?;
            let to = Evidence::collect(subject, &ends.to, &asked.known)?;
            let heard = [&from, &to].into_iter().flatten();
            let readings = heard.map(|it| readings(&it.collected)).sum();
            let mut items = Vec::new();
            if range.start == 0 {
                items.extend(self.compared(asked, subject, ends, [from, to])?);
            }
            Ok(Share { items, readings })
        })
    }

    fn compared(
        &self,
        asked: &Asked,
        subject: &Subject,
        ends: &Ends,
        [from, to]: [Option<Evidence>; 2],
    ) -> Result<Option<proto::ComparedPositions>, Failure> {
        let before = from.as_ref().map(|it| it.in_brief(ends.span.from));
        let after = to.as_ref().map(|it| it.in_brief(ends.span.to));
        let decisions = [&before, &after].map(|it| decision(it.as_ref()));
        let comparison = compare(&decisions[0], &decisions[1]);
        let findings = [&before, &after].map(|it| it.as_ref().map(|it| it.finding));
        let changed = is_change(&comparison) || findings[0] != findings[1];
        if ends.changed_only && !changed {
            return Ok(None);
        }
        let milestone = ends.span.milestone;
        let placed = milestone.and_then(|it| placement(&decisions[1], it));
        let entries = if changed {
            entries(subject, ends, [&asked.from_known, &asked.known])?
        } else {
            Vec::new()
        };
        let message = |evidence: Option<&Evidence>, position: Option<&Position<'_>>| {
            if let (Some(evidence), Some(position)) = (evidence, position) {
                return evidence.message(position, &self.views);
            }
            Ok(proto::Position {
                actor: subject.actor.to_string(),
                topic: subject.topic.to_string(),
                ..proto::Position::default()
            })
        };
        Ok(Some(proto::ComparedPositions {
            comparison: Some(convert::comparison(&comparison, placed)),
            from: Some(message(from.as_ref(), before.as_ref())?),
            to: Some(message(to.as_ref(), after.as_ref())?),
            entry_count: entries.len() as u64,
            other_causes: changed && entries.is_empty(),
            entries: entries.into_iter().take(ENTRIES_MAX).collect(),
        }))
    }
}

/// The entries between what is known at both ends that bear on a question.
fn entries(subject: &Subject, ends: &Ends, [from, to]: [&Known; 2]) -> Result<Vec<u64>, Failure> {
    let range = from.known_at.min(to.known_at)..from.known_at.max(to.known_at);
    if range.is_empty() {
        return Ok(Vec::new());
    }
    let tables = from.newer(to).tables();
    let by_source = ends.asks_about_sources();
    let entries = positions::entries_between(tables, subject, by_source, range)?;
    Ok(entries.into_iter().collect())
}

/// One end of a comparison; nothing, and that for sure, if the actor was not on record.
fn decision<'a>(position: Option<&Position<'a>>) -> Decision<'a> {
    position.map_or(
        Decision {
            deciding: None,
            certain: true,
        },
        Position::decision,
    )
}

/// Whether the positions differ in what they state.
fn is_change(comparison: &Comparison<'_>) -> bool {
    !matches!(
        comparison.kind,
        ChangeKind::NoRecord | ChangeKind::NotRestated | ChangeKind::Unchanged
    )
}
