//! What bears on a question: the statements on an actor's, and its parts', position on a topic,
//! as they stood once the entries below `known_at` were known, read and trusted on the reader's
//! terms.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::authority::{Mandates, organizations};
use super::definitions::Actor;
use super::hearing::{Coder, Coders, Given, Heard, Hearing};
use super::history::Changed;
use super::pair_rows::{Histories, PairRows};
use super::same::Ties;
use super::sources::Library;
use super::terms::{Part, Taken, Terms};
use super::verifiers::{self, Trust};
use super::{ACTORS, PARTS, TOPICS};
use crate::fold::{FoldError, Tables};
use crate::position::{Authority, Bases, Rival, Testimony};
use crate::projection::rows::{Parts, visible};
use crate::record::proto::ActorKind;
use crate::record::{ContentId, Slug};

/// Whose position on what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The actor.
    pub actor: Slug,
    /// The topic.
    pub topic: Slug,
    /// Whether the actor's parts speak too. Left open, a state's do, and nobody else's.
    pub with_parts: Option<bool>,
}

/// What bears on a question, in the order of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collected {
    /// What the actor is.
    pub kind: ActorKind,
    /// For a person, the organisations that they speak for, in order: whom to ask instead,
    /// because a person does not inherit what is said for an office. Mandates that have ended
    /// count.
    pub speaks_for: Vec<Slug>,
    /// Who is asked: the actor, then its parts in order, if they speak too.
    pub asked: Vec<Slug>,
    /// How statements are read on the question, each reading once.
    pub testimonies: Vec<Testimony>,
    /// What else is to be told of each, in the same order.
    details: Vec<Detail>,
    /// How many statements each part of the filter took away.
    pub taken: Taken,
    /// How many statements are not heard, being the same utterance as one that is.
    pub repeated: u64,
}

/// What is told of a testimony without being weighed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The statement's id.
    pub statement_id: ContentId,
    /// The organisations it was said for.
    pub said_for: Vec<Slug>,
    /// When it was said, as recorded (EDTF); empty if it does not say.
    pub said_at: String,
    /// When it was last said, as recorded (EDTF), if it was said over a time.
    pub repeated_until: Option<String>,
    /// The actor who relays it, if one does.
    pub relayed_by: Option<Slug>,
    /// How its text relates to the words spoken: a number of `Wording`.
    pub wording: i32,
    /// How many verifiers vouch for it.
    pub attestations: usize,
    /// How many coders gave the reading; of a disputed one, each of the rivals.
    pub coders: usize,
    /// The coders other than whoever attested the statement, by reading: that of the testimony
    /// first, then its rivals in order.
    pub coded_by: Vec<Vec<[u8; 32]>>,
    /// The statements that it qualifies, withdraws or denies: a number of `ReferenceKind`, and
    /// the entry that introduced the other.
    pub about: Vec<(i32, u64)>,
}

impl Collected {
    /// Whether the actor can speak.
    #[must_use]
    pub fn has_voice(&self) -> bool {
        has_voice(self.kind)
    }

    /// What else is to be told of one of the testimonies.
    #[must_use]
    pub fn detail(&self, testimony: &Testimony) -> Option<&Detail> {
        self.details.get(self.place(order(testimony))?)
    }

    /// The testimony that is a reading by this entry, in this place, of this statement.
    pub(super) fn testimony(&self, reading: (u64, u64, u32)) -> Option<&Testimony> {
        self.testimonies.get(self.place(reading)?)
    }

    fn place(&self, reading: (u64, u64, u32)) -> Option<usize> {
        let found = self.testimonies.binary_search_by_key(&reading, order);
        found.ok()
    }

    /// How many statements the filter took away.
    #[must_use]
    pub fn filtered(&self) -> u64 {
        self.taken.values().sum()
    }
}

/// Whether an actor of a kind can speak.
pub(super) const fn has_voice(kind: ActorKind) -> bool {
    !matches!(kind, ActorKind::Group | ActorKind::Population)
}

/// The order of the ledger: the statement, and who gave the reading in which place.
pub(super) fn order(testimony: &Testimony) -> (u64, u64, u32) {
    (testimony.statement, testimony.given_by, testimony.place)
}

/// What bears on a question at `known_at`, on these terms; none if the actor is not on record.
pub fn collect(
    tables: &dyn Tables,
    subject: &Subject,
    terms: &Terms,
    known_at: u64,
) -> Result<Option<Collected>, FoldError> {
    let Some(bench) = Bench::new(tables, subject, terms, known_at)? else {
        return Ok(None);
    };
    bench.collect().map(Some)
}

/// What was done below `known_at` to every statement that bears on one of these actors and the
/// topic. What was said for several of them stands under each, with the readings that bear on
/// it, and is put together.
pub(super) fn histories(
    tables: &dyn Tables,
    asked: &[Slug],
    topic: &Slug,
    known_at: u64,
) -> Result<Histories, FoldError> {
    let mut histories = Histories::new();
    for body in asked {
        PairRows::new(tables, body, topic, known_at).note_all(&mut histories)?;
    }
    Ok(histories)
}

/// Hears of statements with the same utterance the first alone. Gives how many the others are.
fn drop_repeated(heard: &mut Vec<(Testimony, Detail)>, ties: &mut Ties) -> u64 {
    if ties.is_empty() {
        return 0;
    }
    let mut first: BTreeMap<u64, u64> = BTreeMap::new();
    let mut repeated = BTreeSet::new();
    heard.sort_by_key(|(testimony, _)| testimony.statement);
    heard.retain(|(testimony, _)| {
        let utterance = ties.smallest(testimony.statement);
        let first = first.entry(utterance).or_insert(testimony.statement);
        let is_first = *first == testimony.statement;
        if !is_first {
            repeated.insert(testimony.statement);
        }
        is_first
    });
    repeated.len() as u64
}

/// What one question needs to hear statements.
pub(super) struct Bench<'a> {
    pub(super) tables: &'a dyn Tables,
    pub(super) topic: &'a Slug,
    pub(super) kind: ActorKind,
    speaks_for: Vec<Slug>,
    pub(super) asked: Vec<Slug>,
    pub(super) known_at: u64,
    pub(super) terms: &'a Terms,
    pub(super) trust: Trust,
    library: Library<'a>,
    pub(super) mandates: Mandates<'a>,
    taken: Taken,
}

impl<'a> Bench<'a> {
    /// None if the actor is not on record at `known_at`.
    pub(super) fn new(
        tables: &'a dyn Tables,
        subject: &'a Subject,
        terms: &'a Terms,
        known_at: u64,
    ) -> Result<Option<Self>, FoldError> {
        let Some((kind, is_mandated)) = on_record(tables, &subject.actor, known_at)? else {
            return Ok(None);
        };
        let mut asked = vec![subject.actor.clone()];
        if subject.with_parts.unwrap_or(kind == ActorKind::State) {
            asked.extend(parts(tables, &subject.actor, known_at)?);
        }
        // Most never had a mandate, and need not be looked for among those who did.
        let speaks_for = if kind == ActorKind::Person && is_mandated {
            organizations(tables, &subject.actor, known_at)?
        } else {
            Vec::new()
        };
        Ok(Some(Self {
            tables,
            topic: &subject.topic,
            kind,
            speaks_for,
            asked,
            known_at,
            terms,
            trust: Trust::at(tables, known_at)?,
            library: Library::new(tables, known_at),
            mandates: Mandates::new(tables, known_at),
            taken: Taken::new(),
        }))
    }

    /// Everything that bears on the question.
    pub(super) fn collect(self) -> Result<Collected, FoldError> {
        let histories = histories(self.tables, &self.asked, self.topic, self.known_at)?;
        self.collect_from(&histories)
    }

    /// What these histories tell, of all statements that bear on the question.
    pub(super) fn collect_from(mut self, histories: &Histories) -> Result<Collected, FoldError> {
        let mut ties = Ties::default();
        let mut heard = Vec::new();
        for (statement, changed) in histories {
            heard.extend(self.hear(*statement, changed, &mut ties)?);
        }
        let repeated = drop_repeated(&mut heard, &mut ties);
        Ok(self.collected(heard, repeated))
    }

    /// What was collected, in the order of the ledger.
    pub(super) fn collected(self, mut heard: Vec<(Testimony, Detail)>, repeated: u64) -> Collected {
        heard.sort_by_key(|(testimony, _)| order(testimony));
        let (testimonies, details) = heard.into_iter().unzip();
        Collected {
            kind: self.kind,
            speaks_for: self.speaks_for,
            asked: self.asked,
            testimonies,
            details,
            taken: self.taken,
            repeated,
        }
    }

    /// How a statement is read on the question. Notes what takes it away, and what it is tied
    /// to.
    pub(super) fn hear(
        &mut self,
        statement: u64,
        changed: &Changed,
        ties: &mut Ties,
    ) -> Result<Vec<(Testimony, Detail)>, FoldError> {
        let hearing = Hearing {
            changed,
            trust: &self.trust,
            known_at: self.known_at,
        };
        let Some((_, version)) = hearing.version().filter(|_| hearing.bears()) else {
            return Ok(Vec::new());
        };
        for other in &version.said.same {
            ties.tie(statement, *other);
        }
        let Some(heard) = hearing.heard() else {
            return Ok(Vec::new());
        };
        let coders = Coders {
            choice: self.terms.choice,
            never: &self.terms.filter.never,
        };
        let readings = hearing.readings(&heard, &coders);
        if readings.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(part) = self
            .terms
            .filter
            .takes(&hearing, &heard, &mut self.library)?
        {
            *self.taken.entry(part).or_default() += 1;
            return Ok(Vec::new());
        }
        let mut testimonies = Vec::with_capacity(readings.len());
        let mut unmandated = false;
        for (holder, given) in readings {
            let said = &heard.stands.said;
            let authority = self
                .mandates
                .authority(said, holder, self.topic, &self.asked)?;
            if self.terms.filter.mandated && authority <= Authority::None {
                unmandated = true;
                continue;
            }
            let own = self.terms.filter.own;
            if let Some(testimony) = testimony(statement, &heard, holder, authority, &given, own) {
                testimonies.push((testimony, self.detail(&heard, &given)?));
            }
        }
        if unmandated {
            *self.taken.entry(Part::Mandated).or_default() += 1;
        }
        Ok(testimonies)
    }

    fn detail(&self, heard: &Heard<'_>, given: &[Given<'_>]) -> Result<Detail, FoldError> {
        let said = &heard.stands.said;
        Ok(Detail {
            statement_id: heard.id,
            said_for: said.said_for.clone(),
            said_at: said.said_at.text.clone(),
            repeated_until: said.repeated_until.as_ref().map(|when| when.text.clone()),
            relayed_by: said.relayed_by.clone(),
            wording: said.wording,
            attestations: heard.vouchers.len(),
            coders: given.first().map_or(0, |given| given.coders.len()),
            coded_by: given
                .iter()
                .map(|given| self.keys(given))
                .collect::<Result<_, _>>()?,
            about: said.about.clone(),
        })
    }

    /// The keys of the coders who give a reading, but for whoever attested the statement.
    fn keys(&self, given: &Given<'_>) -> Result<Vec<[u8; 32]>, FoldError> {
        let coders = given.coders.iter().filter_map(|coder| match coder {
            Coder::Attestor => None,
            Coder::Other(number) => Some(verifiers::key(self.tables, *number)),
        });
        coders.collect()
    }
}

/// A statement as it is read for a holder; none without a reading.
pub(super) fn testimony(
    statement: u64,
    heard: &Heard<'_>,
    holder: &Slug,
    authority: Authority,
    given: &[Given<'_>],
    own: Bases,
) -> Option<Testimony> {
    let (first, rivals) = given.split_first()?;
    let said = &heard.stands.said;
    let rival = |it: &Given<'_>| Rival {
        given_by: it.entry,
        place: it.reading.place,
        basis: it.reading.basis,
        engagement: it.reading.engagement.clone(),
    };
    Some(Testimony {
        statement,
        version: heard.version,
        given_by: first.entry,
        place: first.reading.place,
        speaker: said.speaker.clone(),
        holder: holder.clone(),
        authority,
        said_at: said.said_at.interval,
        repeated_until: said.repeated_until.as_ref().map(|when| when.interval),
        basis: first.reading.basis,
        relayed: said.relayed_by.is_some(),
        engagement: first.reading.engagement.clone(),
        rivals: rivals.iter().map(rival).collect(),
        own,
    })
}

/// The actors on whom and `topic` something bears or once bore, in order.
pub fn actors_on<'a>(
    tables: &'a dyn Tables,
    topic: &Slug,
    known_at: u64,
) -> impl Iterator<Item = Result<Slug, FoldError>> + use<'a> {
    let rows = TOPICS.scan::<u64>(tables, &TOPICS.key().slug(topic));
    rows.filter_map(move |row| match row {
        Ok((key, since)) if since < known_at => Some(Parts::new(TOPICS, &key).slug()),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

/// What an actor is; none if it is not on record.
pub(super) fn kind(
    tables: &dyn Tables,
    actor: &Slug,
    known_at: u64,
) -> Result<Option<ActorKind>, FoldError> {
    let on_record = on_record(tables, actor, known_at)?;
    Ok(on_record.map(|(kind, _)| kind))
}

/// What an actor is, and whether it ever had a mandate; none if it is not on record.
fn on_record(
    tables: &dyn Tables,
    actor: &Slug,
    known_at: u64,
) -> Result<Option<(ActorKind, bool)>, FoldError> {
    let actor: Option<Actor> = ACTORS.get(tables, &ACTORS.key().slug(actor))?;
    let actor = actor.filter(|actor| actor.introduced < known_at);
    let Some(actor) = actor else {
        return Ok(None);
    };
    let kind = ActorKind::try_from(actor.kind).map_err(|_| ACTORS.damaged())?;
    Ok(Some((kind, actor.mandated)))
}

/// The parts of `whole`, and their parts, in order. Each is visited once, so that even a
/// circle of parts has an end.
pub(super) fn parts(
    tables: &dyn Tables,
    whole: &Slug,
    known_at: u64,
) -> Result<BTreeSet<Slug>, FoldError> {
    let mut found = BTreeSet::new();
    let mut open = VecDeque::from([whole.clone()]);
    while let Some(next) = open.pop_front() {
        for row in PARTS.scan::<Option<u64>>(tables, &PARTS.key().slug(&next)) {
            let (key, until) = row?;
            let mut key = Parts::new(PARTS, &key);
            let (part, since) = (key.slug()?, key.index()?);
            let stands = visible(since, until, known_at);
            if stands && part != *whole && found.insert(part.clone()) {
                open.push_back(part);
            }
        }
    }
    Ok(found)
}
