//! A statement as it stands, with everything that an export tells of it looked up.

use std::sync::Arc;

use super::snapshot::Snapshot;
use crate::cli::error::CliError;
use crate::record::proto::statement::Voice;
use crate::record::proto::{
    ActorDefined, Authority, CapacityBasis, Establishes, Evidence, MandateGranted, SourceWithheld,
    Statement, WithholdingScope, Wording,
};
use crate::record::{Date, Interval, Term};
use crate::rpc::proto::{Provenance, Source, StatementView};

/// A statement.
pub struct Exported {
    /// As the daemon tells it.
    pub view: StatementView,
    /// The version that stands.
    pub statement: Statement,
    /// Who said it, unless anonymous.
    pub speaker: Option<Arc<ActorDefined>>,
    /// Who relayed it.
    pub relayed_by: Option<Arc<ActorDefined>>,
    /// For whom it was said.
    pub capacities: Vec<Capacity>,
    /// The evidence for its words.
    pub words: Vec<Words>,
}

/// An organisation that a statement was said for.
pub struct Capacity {
    /// The organisation.
    pub organization: Arc<ActorDefined>,
    /// How that is known.
    pub basis: CapacityBasis,
    /// The speaker's mandates that were in force and cover what was said, as far as they are
    /// on record.
    pub mandates: Vec<MandateGranted>,
}

/// Evidence that establishes words, and its source.
pub struct Words {
    /// The record that holds it.
    pub record: String,
    /// Its place among the evidence there, from 1.
    pub place: usize,
    /// The passages.
    pub evidence: Evidence,
    /// The source.
    pub source: Arc<Source>,
}

impl Exported {
    /// Looks up what a statement names.
    pub async fn gather(view: StatementView, archive: &mut Snapshot) -> Result<Self, CliError> {
        let statement = view.statement.clone();
        let statement = statement.ok_or(CliError::Incomplete { what: "statement" })?;
        let (mut speaker, mut mandates) = (None, Arc::default());
        if let Some(Voice::Speaker(slug)) = &statement.voice {
            speaker = Some(archive.actor(slug).await?);
            if !statement.said_for.is_empty() {
                mandates = archive.mandates(slug).await?;
            }
        }
        let relayed_by = match statement.relayed_by.as_str() {
            "" => None,
            slug => Some(archive.actor(slug).await?),
        };
        let mut capacities = Vec::with_capacity(statement.said_for.len());
        for said_for in &statement.said_for {
            let theirs = mandates
                .iter()
                .filter(|it| it.organization == said_for.actor);
            capacities.push(Capacity {
                organization: archive.actor(&said_for.actor).await?,
                basis: said_for.basis(),
                mandates: theirs
                    .filter(|it| covers(it, &statement))
                    .cloned()
                    .collect(),
            });
        }
        let mut words = Vec::new();
        for (record, place, evidence) in evidence_for_words(&statement, &view) {
            words.push(Words {
                record: record.to_owned(),
                place,
                source: archive.source(&evidence.source).await?,
                evidence: evidence.clone(),
            });
        }
        Ok(Self {
            view,
            statement,
            speaker,
            relayed_by,
            capacities,
            words,
        })
    }

    /// Whether its text is the words of a source, so that it may stand in quotation marks.
    pub fn is_quotation(&self) -> bool {
        matches!(
            self.statement.wording(),
            Wording::Verbatim | Wording::Translated
        )
    }

    /// Whether its text may be shown: not if it renders withheld text and no other. A
    /// paraphrase is in the archive's own words.
    pub fn may_be_shown(&self) -> bool {
        self.statement.wording() == Wording::Paraphrased
            || !self.words.iter().all(Words::text_is_withheld)
    }

    /// The index of the record that gave the version that stands.
    pub fn version_index(&self) -> u64 {
        self.view.version.as_ref().map_or(0, |it| it.index)
    }

    /// The correction that gave the version that stands, if one did.
    pub fn correction(&self) -> Option<&Provenance> {
        correction(&self.view)
    }
}

impl Words {
    /// Whether the source's text is served no longer.
    pub fn text_is_withheld(&self) -> bool {
        self.withheld() == Some(WithholdingScope::BytesAndText)
    }

    /// Whether the source's bytes are served no longer.
    pub fn bytes_are_withheld(&self) -> bool {
        self.withheld().is_some()
    }

    fn withheld(&self) -> Option<WithholdingScope> {
        self.source.withholding.as_ref().map(SourceWithheld::scope)
    }
}

fn correction(view: &StatementView) -> Option<&Provenance> {
    let version = view.version.as_ref()?;
    (Some(version) != view.introduced.as_ref()).then_some(version)
}

/// The evidence for the words of the version that stands, its own and what was added to it and
/// to no other version: the record that holds it, its place there, and the evidence.
fn evidence_for_words<'a>(
    statement: &'a Statement,
    view: &'a StatementView,
) -> impl Iterator<Item = (&'a str, usize, &'a Evidence)> {
    let corrected = correction(view);
    let version = corrected.map_or(&view.statement_id, |it| &it.record);
    let own = (1..).zip(&statement.evidence);
    let own = own.map(|(place, evidence)| (version.as_str(), place, evidence));
    let added = view.further_evidence.iter().filter(|it| !it.untrusted);
    let added = added.filter_map(|further| {
        let provenance = further.provenance.as_ref()?;
        Some((provenance, &further.evidence))
    });
    // What was added after a correction that does not count was held against that one's text.
    let since = corrected.map_or(0, |it| it.index);
    let corrections = view.corrections.iter();
    let corrections = corrections.filter_map(|it| Some(it.provenance.as_ref()?.index));
    let until = corrections.filter(|it| *it > since).min();
    let held = since..until.unwrap_or(u64::MAX);
    let added = added.filter(move |(provenance, _)| held.contains(&provenance.index));
    let added = added.flat_map(|(provenance, evidence)| {
        let evidence = (1..).zip(evidence);
        evidence.map(|(place, evidence)| (provenance.record.as_str(), place, evidence))
    });
    let establishes = |it: &Evidence| it.establishes().any(|what| what == Establishes::Words);
    own.chain(added)
        .filter(move |(_, _, evidence)| establishes(evidence))
}

/// Whether a mandate lets a person speak, was in force whenever a statement may have been said,
/// and covers a topic of it.
fn covers(mandate: &MandateGranted, statement: &Statement) -> bool {
    let speaks = matches!(
        mandate.authority(),
        Authority::Principal | Authority::Spokesperson | Authority::Delegate
    );
    let term = Term {
        start: interval(&mandate.start),
        end: interval(&mandate.end),
    };
    let said_at = interval(&statement.said_at).unwrap_or(Interval::ALL);
    let mut topics = statement.readings.iter().map(|reading| &reading.topic);
    let topical = mandate.topics.is_empty() || topics.any(|it| mandate.topics.contains(it));
    speaks && term.covers(said_at) && topical
}

/// The interval of a date on record; none if it is left out.
fn interval(text: &str) -> Option<Interval> {
    text.parse().ok().map(|date: Date| date.interval())
}
