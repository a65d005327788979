//! Listing statements: which are wanted, and the pages that hold them.
//!
//! The postings name candidates in the order in which they were recorded, and each is judged as
//! it stands at the list's basis. What one page may cost is bounded: where its share of looks
//! and candidates is used up, it ends early and the next page goes on there.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Catalog;
use super::statement::{Found, said};
use crate::fold::Order;
use crate::projection::catalog;
use crate::projection::positions::Standings;
use crate::projection::postings::{self, Step};
use crate::record::proto::statement::Voice;
use crate::record::proto::{self as records, Establishes, Wording};
use crate::record::{ContentId, Date, Entry, Interval, Micros, Slug, Subject, VerifierKey};
use crate::rpc::page::{Asked, Page, SIZE_MAX};
use crate::rpc::proto::{ListStatementsRequest, StatementView};
use crate::rpc::{Failure, parse};

/// The most statements that are judged for one page: as many as it can have, and as many again
/// that are not wanted, at some 50 µs each.
const CANDIDATES_MAX: usize = 2 * SIZE_MAX;

/// How often one page may look at the postings: at some 10 µs a look, 80 ms.
const LOOKS_MAX: usize = 4 * CANDIDATES_MAX;

/// As how many looks an entry counts that is read to see whether its statement is wanted: some
/// 50 µs, as a candidate. Where one statement has had more evidence added than a page may read,
/// the page ends with it.
const LOOKS_A_READ: usize = 5;

/// Which statements are wanted: those of which all that is given holds.
pub(super) struct Wanted {
    speaker: Option<Slug>,
    said_for: Option<Slug>,
    topic: Option<Slug>,
    source: Option<ContentId>,
    verifier: Option<VerifierKey>,
    said_at: Option<Interval>,
    recorded_at: Option<Interval>,
    /// Of any if there is none.
    wordings: BTreeSet<i32>,
}

impl Wanted {
    /// What a request asks for.
    pub(super) fn of(request: &ListStatementsRequest) -> Result<Self, Failure> {
        Ok(Self {
            speaker: given("speaker", &request.speaker)?,
            said_for: given("saidFor", &request.said_for)?,
            topic: given("topic", &request.topic)?,
            source: given("source", &request.source)?,
            verifier: given("verifier", &request.verifier)?,
            said_at: time("saidAt", &request.said_at)?,
            recorded_at: time("recordedAt", &request.recorded_at)?,
            wordings: wordings(&request.wordings)?,
        })
    }

    /// What the entries that introduce or change such statements are about.
    fn about(&self) -> BTreeSet<Subject> {
        let actors = self.speaker.iter().chain(&self.said_for);
        let actors = actors.cloned().map(Subject::Actor);
        let topic = self.topic.iter().cloned().map(Subject::Topic);
        let source = self.source.iter().copied().map(Subject::Source);
        let verifier = self.verifier.iter();
        let verifier = verifier.map(|key| Subject::Verifier(*key.as_bytes()));
        let others = topic.chain(source).chain(verifier);
        actors.chain(others).collect()
    }

    /// Whether it is wanted by what no correction changes: who said it, and for whom.
    fn fits_capacity(&self, statement: &records::Statement) -> bool {
        let by = |wanted: &Slug| match &statement.voice {
            Some(Voice::Speaker(speaker)) => speaker == wanted.as_str(),
            _ => false,
        };
        let on_behalf = |wanted: &Slug| {
            let mut said_for = statement.said_for.iter();
            said_for.any(|body| body.actor == wanted.as_str())
        };
        self.speaker.as_ref().is_none_or(by) && self.said_for.as_ref().is_none_or(on_behalf)
    }

    /// Whether it is wanted by its wording, in the version that stands.
    fn fits_wording(&self, statement: &records::Statement) -> bool {
        self.wordings.is_empty() || self.wordings.contains(&statement.wording)
    }

    /// Whether it is wanted by the topics of its readings: the statement's own, in the version
    /// that stands, and those of coders that count.
    fn fits_topic(&self, statement: &records::Statement, found: &Found) -> bool {
        self.topic.as_ref().is_none_or(|wanted| {
            let mut own = statement.readings.iter();
            own.any(|reading| reading.topic == wanted.as_str())
                || found.standing.read_on.contains(wanted)
        })
    }
}

impl Catalog {
    /// A page of the statements that are wanted.
    pub(super) fn statements(
        &self,
        wanted: &Wanted,
        asked: &Asked<u64>,
    ) -> Result<Page<u64, StatementView>, Failure> {
        let known_at = asked.known_at();
        let range = self.recorded_in(wanted.recorded_at, known_at)?;
        let postings = self.views.postings.tables();
        let mut search =
            postings::statements(postings, &wanted.about(), wanted.said_at, asked.order);
        let standings = Standings::at(self.views.positions.tables(), known_at)?;
        let mut page = Page::new(asked.size);
        let (mut looks, mut candidates) = (LOOKS_MAX, CANDIDATES_MAX);
        let mut next = first(&range, asked);
        while let Some(at) = next.filter(|at| range.contains(at)) {
            let index = match search.seek(at, &mut looks)? {
                Step::Found(index) if candidates > 0 => index,
                Step::Found(index) | Step::Paused(index) => {
                    page.next = Some(index).filter(|index| range.contains(index));
                    break;
                }
                Step::End => break,
            };
            if !range.contains(&index) {
                break;
            }
            candidates -= 1;
            if let Some((id, found)) =
                self.wanted(wanted, index, &standings, known_at, &mut looks)?
            {
                if page.is_full() {
                    page.next = Some(index);
                    break;
                }
                if !page.add(index, self.whole_statement(&id, &found, known_at)?) {
                    break;
                }
            }
            next = search.beyond(index);
        }
        Ok(page)
    }

    /// The statement that an entry introduced, if it is wanted as it stands.
    fn wanted(
        &self,
        wanted: &Wanted,
        index: u64,
        standings: &Standings<'_>,
        known_at: u64,
        looks: &mut usize,
    ) -> Result<Option<(ContentId, Found)>, Failure> {
        let introduced = self.entry(index)?;
        let id = introduced.record_id;
        if !wanted.fits_capacity(said(&introduced)?)
            || !self.fits_verifier(wanted, &introduced, known_at)?
        {
            return Ok(None);
        }
        let found = self.found(&id, standings, known_at)?;
        let found = found.ok_or_else(|| {
            Failure::defect(format!("entry {index} introduced no statement on record"))
        })?;
        let version = self.entry(found.standing.version)?;
        let statement = said(&version)?;
        let fits = wanted.fits_wording(statement)
            && wanted.fits_topic(statement, &found)
            && self.fits_source(wanted, statement, &found, looks)?
            && self.fits_time(wanted, &version, statement)?;
        Ok(fits.then_some((id, found)))
    }

    /// Whether it is wanted by who vouched for it: who signed the record that introduced it, at
    /// first or later, trusted or not.
    fn fits_verifier(
        &self,
        wanted: &Wanted,
        introduced: &Entry,
        known_at: u64,
    ) -> Result<bool, Failure> {
        let Some(wanted) = &wanted.verifier else {
            return Ok(true);
        };
        let wanted = wanted.as_bytes();
        let mut signatures = introduced.envelope.signatures.iter();
        if signatures.any(|signature| signature.public_key[..] == wanted[..]) {
            return Ok(true);
        }
        let id = &introduced.record_id;
        let added = catalog::attestations(self.definitions(), id, known_at)?;
        Ok(added.iter().any(|(_, verifier)| verifier == wanted))
    }

    /// Whether it is wanted by the sources that it rests on. Every entry that is read for it
    /// takes some of the `looks`.
    fn fits_source(
        &self,
        wanted: &Wanted,
        statement: &records::Statement,
        found: &Found,
        looks: &mut usize,
    ) -> Result<bool, Failure> {
        let Some(wanted) = &wanted.source else {
            return Ok(true);
        };
        let wanted = wanted.to_string();
        let rests = |evidence: &[records::Evidence]| evidence.iter().any(|it| it.source == wanted);
        if rests(&statement.evidence) {
            return Ok(true);
        }
        for index in found.made.evidence.iter().filter(|it| found.counts(**it)) {
            *looks = looks.saturating_sub(LOOKS_A_READ);
            let entry = self.entry(*index)?;
            if let Some(records::record::Kind::EvidenceAdded(added)) = &entry.record.kind
                && rests(&added.evidence)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether it is wanted by when it may have been said.
    fn fits_time(
        &self,
        wanted: &Wanted,
        version: &Entry,
        statement: &records::Statement,
    ) -> Result<bool, Failure> {
        let Some(wanted) = wanted.said_at else {
            return Ok(true);
        };
        let mut said = match recorded_date(version, &statement.said_at)? {
            Some(said_at) => said_at,
            None => self.up_to_publication(version, statement)?,
        };
        if let Some(until) = recorded_date(version, &statement.repeated_until)? {
            said.latest = said.latest.max(until.latest);
        }
        Ok(said.meets(wanted))
    }

    /// When a statement was said that does not say when, by its sources as they stood when
    /// `version` was recorded.
    fn up_to_publication(
        &self,
        version: &Entry,
        statement: &records::Statement,
    ) -> Result<Interval, Failure> {
        let mut sources = Vec::new();
        for evidence in &statement.evidence {
            if !evidence.establishes().any(|it| it == Establishes::Words) {
                continue;
            }
            let source = evidence.source.parse::<ContentId>().ok();
            let archived = source
                .map(|source| catalog::source(self.definitions(), &source, version.index))
                .transpose()?
                .flatten();
            let archived = archived.ok_or_else(|| unread(version, &evidence.source))?;
            let archived = archived.definition;
            let published = recorded_date(version, &archived.published_at)?;
            let captured = archived.captured_at.as_ref();
            let captured = captured.and_then(Micros::from_timestamp);
            let captured = captured.ok_or_else(|| unread(version, "capturedAt"))?;
            let published = published.map(|published| published.latest);
            sources.push((published, captured.whole_seconds() + 1));
        }
        Ok(Interval::unstated(sources))
    }

    /// The indexes below `known_at` of what was recorded in a stretch of time.
    fn recorded_in(&self, time: Option<Interval>, known_at: u64) -> Result<Range<u64>, Failure> {
        let Some(time) = time else {
            return Ok(0..known_at);
        };
        let start = self.first_recorded_at(time.earliest, known_at)?;
        let end = self.first_recorded_at(time.latest, known_at)?;
        Ok(start..end)
    }

    /// The first index that was recorded at this second or later; `known_at` if none below it
    /// was. Times of recording grow from frame to frame.
    fn first_recorded_at(&self, second: i64, known_at: u64) -> Result<u64, Failure> {
        let (mut from, mut to) = (0, known_at);
        while from < to {
            let middle = from + (to - from) / 2;
            let frame = self
                .reader
                .frame_at(middle)?
                .ok_or_else(|| Failure::defect(format!("entry {middle} lies beyond the head")))?;
            if frame.recorded_at.whole_seconds() < second {
                from = frame.next_index().min(to);
            } else {
                to = frame.first_index.max(from);
            }
        }
        Ok(from)
    }
}

/// The index that a page begins to look at.
fn first(range: &Range<u64>, asked: &Asked<u64>) -> Option<u64> {
    match asked.order {
        Order::Ascending => Some(asked.start.unwrap_or(0).max(range.start)),
        Order::Descending => {
            let newest = range.end.checked_sub(1)?;
            Some(asked.start.unwrap_or(newest).min(newest))
        }
    }
}

/// An id, a slug or a key that may be left out.
pub(super) fn given<T: std::str::FromStr<Err: std::fmt::Display>>(
    field: &str,
    text: &str,
) -> Result<Option<T>, Failure> {
    (!text.is_empty()).then(|| parse(field, text)).transpose()
}

/// A time that may be left out.
fn time(field: &str, text: &str) -> Result<Option<Interval>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<Date>() {
        Ok(date) => Ok(Some(date.interval())),
        Err(error) => Err(Failure::date(field, text, &error)),
    }
}

fn wordings(asked: &[i32]) -> Result<BTreeSet<i32>, Failure> {
    for (place, number) in asked.iter().enumerate() {
        if matches!(
            Wording::try_from(*number),
            Ok(Wording::Unspecified) | Err(_)
        ) {
            return Err(Failure::invalid(
                format!("wordings[{place}]"),
                format!("{number} is no wording"),
                "WORDING_VERBATIM, WORDING_TRANSLATED, WORDING_RETRANSLATED or \
                 WORDING_PARAPHRASED",
            ));
        }
    }
    Ok(asked.iter().copied().collect())
}

/// A date on record that may be left out.
fn recorded_date(entry: &Entry, text: &str) -> Result<Option<Interval>, Failure> {
    if text.is_empty() {
        return Ok(None);
    }
    let date: Date = text.parse().map_err(|_| unread(entry, text))?;
    Ok(Some(date.interval()))
}

fn unread(entry: &Entry, what: &str) -> Failure {
    Failure::defect(format!("entry {} is on record with {what:?}", entry.index))
}
