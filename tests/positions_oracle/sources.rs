//! Sources as they stand below a `known_at`, and the dates and filters that rest on them.

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{self, Establishes, SourceRole};

use super::calendar::{Span, span};
use super::trust::{Known, Line, Standing};

/// Of what kind the source of a statement's words must be.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub roles: Vec<SourceRole>,
    pub publishers: Vec<String>,
    /// It must not come from another.
    pub underived: bool,
    /// It must be published by the date asked for.
    pub published: bool,
}

impl Wanted {
    pub fn asks_nothing(&self) -> bool {
        self.roles.is_empty() && self.publishers.is_empty() && !self.underived && !self.published
    }

    fn fits(&self, source: &proto::SourceArchived, d: i64) -> bool {
        (self.roles.is_empty() || self.roles.contains(&source.role()))
            && (self.publishers.is_empty() || self.publishers.contains(&source.publisher))
            && (!self.underived || source.derived_from.is_empty())
            && (!self.published || is_public(source) <= d)
    }
}

/// The first second by the end of which it is certainly published, or else captured.
fn is_public(source: &proto::SourceArchived) -> i64 {
    if source.published_at.is_empty() {
        captured(source) + 1
    } else {
        span(&source.published_at).latest
    }
}

fn captured(source: &proto::SourceArchived) -> i64 {
    source.captured_at.as_ref().unwrap().seconds
}

/// Whether one of the sources of a statement's words is as wanted at the exclusive end `d`.
pub fn rests_on(known: &Known, standing: &Standing, wanted: &Wanted, d: i64) -> bool {
    let sources = of_words(known, standing);
    sources.iter().any(|source| wanted.fits(source, d))
}

/// The seconds from which on sources of a statement's words are public.
pub fn publications(known: &Known, standing: &Standing) -> Vec<i64> {
    let sources = of_words(known, standing);
    sources.into_iter().map(is_public).collect()
}

/// The newest versions of the sources of a statement's words, by its own evidence and by what
/// was added.
fn of_words<'a>(known: &Known<'a>, standing: &Standing<'a>) -> Vec<&'a proto::SourceArchived> {
    let mut evidence: Vec<&proto::Evidence> = standing.whole.evidence.iter().collect();
    for (index, line) in known.lines.iter().enumerate() {
        if let Kind::EvidenceAdded(added) = line.kind()
            && added.statement == standing.id
            && !known.trusted[index].is_empty()
        {
            evidence.extend(&added.evidence);
        }
    }
    let mut sources = Vec::new();
    for evidence in evidence {
        if establishes_words(evidence) {
            sources.push(newest(known.lines, &evidence.source).unwrap());
        }
    }
    sources
}

fn establishes_words(evidence: &proto::Evidence) -> bool {
    let mut all = evidence.establishes();
    all.any(|what| what == Establishes::Words)
}

/// A source in its newest version.
fn newest<'a>(lines: &'a [Line], id: &str) -> Option<&'a proto::SourceArchived> {
    lines.iter().rev().find_map(|line| match line.kind() {
        Kind::SourceArchived(source) if source.source == id => Some(source),
        _ => None,
    })
}

/// When it was said; without a date, up to the smallest publication, or else capture, of the
/// sources of its words, as they stood where the version entered the ledger.
pub fn said_at(known: &Known, standing: &Standing) -> Span {
    let whole = standing.whole;
    if !whole.said_at.is_empty() {
        return span(&whole.said_at);
    }
    let below = &known.lines[..standing.version];
    let mut published = Vec::new();
    let mut copied = Vec::new();
    for evidence in &whole.evidence {
        if let Some(source) = newest(below, &evidence.source)
            && establishes_words(evidence)
        {
            if !source.published_at.is_empty() {
                published.push(span(&source.published_at).latest);
            }
            copied.push(captured(source) + 1);
        }
    }
    let latest = *published.iter().min().or(copied.iter().min()).unwrap();
    Span {
        earliest: span("0000").earliest,
        latest,
    }
}
