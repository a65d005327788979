//! Ledgers as long as one likes: statements at a steady pace, a third of which arrive days to
//! years late; of a hundred entries, five correct a statement and one retracts one, whichever
//! of all that came before.
//!
//! Something is said on each pair once in so many seconds, so that the time that a ledger spans
//! grows with it, and not how many statements share a day: those of a day or month all belong
//! to the answer, as any of them may be the newest.

use bytes::Bytes;
use onrecord::projection::positions::Subject;
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::statement::Voice;
use onrecord::record::{ContentId, Entry, Micros, SigningKey, Slug, format_instant, proto};
use prost::Message as _;

use crate::Fallible;
use crate::dice::Dice;

/// 1900-01-01T00:00:00Z: from when on things are said.
pub const START: i64 = -2_208_988_800;
/// How late something may arrive at most: a day, doubled so many times. 11 years.
const DELAY_DOUBLINGS: u64 = 12;
const DAY_SECONDS: u64 = 86_400;

/// Of what kind a ledger is.
pub struct Shape {
    /// For people.
    pub name: &'static str,
    /// Over which actors and topics it is spread.
    pub pairs: Pairs,
    /// Once in how many seconds something is said on each pair.
    pub pace: u64,
    /// Whether one stance is held throughout.
    pub is_held: bool,
    /// Whether what is said is also the stance of whoever says it, one of
    /// [`PEOPLE`]: a statement bears on two pairs then.
    pub is_own: bool,
}

/// Over how many pairs of actor and topic a ledger is spread.
pub enum Pairs {
    /// So many, however large it is.
    Fixed(u64),
    /// As many as give each so many entries.
    Each(u64),
}

/// How many topics each actor speaks on, where there are several.
const TOPICS: u64 = 10;
/// How many people there are whose stances are their own as well.
const PEOPLE: u64 = 1_000;

impl Pairs {
    /// How many there are in a ledger of so many entries.
    pub fn count(&self, size: u64) -> u64 {
        match self {
            Self::Fixed(count) => *count,
            Self::Each(entries) => (size / entries).max(1),
        }
    }
}

/// A pair, by number.
pub fn subject(number: u64) -> Fallible<Subject> {
    Ok(Subject {
        actor: actor(number).parse::<Slug>()?,
        topic: topic(number).parse::<Slug>()?,
        with_parts: None,
    })
}

fn actor(pair: u64) -> String {
    format!("ministry-{}", pair / TOPICS)
}

fn topic(pair: u64) -> String {
    format!("topic-{}", pair % TOPICS)
}

/// A ledger in the making.
pub struct Ledger<'a> {
    shape: &'a Shape,
    pairs: u64,
    dice: Dice,
    key: Bytes,
    next: u64,
    /// Definitions that everything else rests on, the last first.
    definitions: Vec<Kind>,
    /// By arrival, the last first: when each statement is said, in seconds from the start.
    said: Vec<u64>,
    /// The statements on record: pair, second and id.
    recorded: Vec<(u64, u64, ContentId)>,
}

impl<'a> Ledger<'a> {
    /// For so many entries.
    pub fn new(shape: &'a Shape, size: u64) -> Self {
        let pairs = shape.pairs.count(size);
        let mut dice = Dice::new(size);
        let pace = (shape.pace / pairs).max(1);
        let mut arrivals: Vec<(u64, u64)> = (0..size)
            .map(|number| {
                let said = number * pace + dice.below(pace);
                let delay = if dice.happens(33) {
                    DAY_SECONDS << dice.below(DELAY_DOUBLINGS)
                } else {
                    0
                };
                (said + delay, said)
            })
            .collect();
        arrivals.sort_unstable_by_key(|arrival| std::cmp::Reverse(*arrival));
        let mut definitions: Vec<Kind> = (0..pairs.div_ceil(TOPICS)).flat_map(body).collect();
        definitions.push(source());
        definitions.extend((0..TOPICS).map(defined));
        definitions.push(Kind::PolicySet(proto::PolicySet {
            attestations_min: 1,
            admission_rules: 1,
        }));
        Self {
            shape,
            pairs,
            dice,
            key: Bytes::copy_from_slice(SigningKey::from_seed([1; 32]).public().as_bytes()),
            next: 0,
            definitions,
            said: arrivals.into_iter().map(|(_, said)| said).collect(),
            recorded: Vec::new(),
        }
    }

    /// What it takes in memory, nearly.
    pub fn bytes(&self) -> usize {
        size_of_val(&self.said[..]) + size_of_val(&self.recorded[..])
    }

    /// Over how many seconds things are said.
    pub fn span(&self) -> i64 {
        let last = self.said.iter().max().copied();
        last.unwrap_or(0).cast_signed()
    }

    /// The entry that comes next.
    pub fn next_entry(&mut self) -> Entry {
        let definition = self.definitions.pop();
        let kind = definition.unwrap_or_else(|| self.something());
        let statement = matches!(kind, Kind::StatementRecorded(_));
        let entry = self.entry(kind);
        if let (true, Some(last)) = (statement, self.recorded.last_mut()) {
            last.2 = entry.record_id;
        }
        self.next += 1;
        entry
    }

    /// A statement, or what becomes of one.
    fn something(&mut self) -> Kind {
        let which = self.dice.below(100);
        let known = self.dice.below(self.recorded.len() as u64);
        let known = usize::try_from(known).unwrap_or(usize::MAX);
        match (which, self.recorded.get(known).copied()) {
            (0..5, Some((pair, said, id))) => Kind::StatementCorrected(proto::StatementCorrected {
                statement: id.to_string(),
                corrected: Some(self.statement(pair, said)),
                ..proto::StatementCorrected::default()
            }),
            (5, Some((_, _, id))) => {
                self.recorded.swap_remove(known);
                Kind::StatementRetracted(proto::StatementRetracted {
                    statement: id.to_string(),
                    ..proto::StatementRetracted::default()
                })
            }
            _ => {
                let pair = self.dice.below(self.pairs);
                let said = self.said.pop().unwrap_or_default();
                let statement = self.statement(pair, said);
                self.recorded.push((pair, said, ContentId::of(&[])));
                Kind::StatementRecorded(statement)
            }
        }
    }

    /// What is said on a pair at a second.
    fn statement(&mut self, pair: u64, said: u64) -> proto::Statement {
        let actor = actor(pair);
        let speaker = match self.dice.below(10) {
            _ if self.shape.is_own => format!("person-{}", self.dice.below(PEOPLE)),
            0..5 => format!("head-of-{actor}"),
            5..9 => format!("aide-of-{actor}"),
            _ => actor.clone(),
        };
        let holder = if self.shape.is_own {
            String::new()
        } else {
            actor.clone()
        };
        let instant = format_instant(START + said.cast_signed());
        let said_at = match self.dice.below(100) {
            0..75 => instant,
            75..95 => instant.chars().take("2025-08-15".len()).collect(),
            95..98 => instant.chars().take("2025-08".len()).collect(),
            _ => format!("[..{}]", instant.chars().take(10).collect::<String>()),
        };
        proto::Statement {
            said_for: vec![proto::SaidFor {
                actor: actor.clone(),
                basis: proto::CapacityBasis::Stated.into(),
            }],
            said_at,
            evidence: vec![proto::Evidence {
                source: ContentId::of(b"source").to_string(),
                establishes: vec![proto::Establishes::Words.into()],
                ..proto::Evidence::default()
            }],
            readings: vec![self.reading(holder, topic(pair))],
            voice: Some(Voice::Speaker(speaker)),
            ..proto::Statement::default()
        }
    }

    /// How it is read: of a hundred, four decline, and six are not the actor's own words.
    fn reading(&mut self, holder: String, topic: String) -> proto::Reading {
        let mut reading = proto::Reading {
            topic,
            holder,
            engagement: proto::Engagement::Answered.into(),
            basis: proto::ReadingBasis::OwnWords.into(),
            ..proto::Reading::default()
        };
        let judged = self.dice.below(100);
        match judged {
            0..4 => {
                reading.engagement = proto::Engagement::Declined.into();
                return reading;
            }
            4..10 => reading.basis = proto::ReadingBasis::Ascribed.into(),
            _ => {}
        }
        let polarity = match self.dice.below(10) {
            _ if self.shape.is_held => proto::Polarity::Supports,
            0..7 => proto::Polarity::Supports,
            7..9 => proto::Polarity::Opposes,
            _ => proto::Polarity::Open,
        };
        reading.polarity = polarity.into();
        reading.strength = 2;
        reading
    }

    fn entry(&self, kind: Kind) -> Entry {
        let record = proto::Record {
            origin: "bench.example/archive".to_owned(),
            signed_at: Some(Micros(self.next.cast_signed()).to_timestamp()),
            kind: Some(kind),
        };
        let payload = Bytes::from(record.encode_to_vec());
        let id = ContentId::of(&payload);
        let envelope = proto::Envelope {
            payload,
            signatures: vec![proto::Signature {
                public_key: self.key.clone(),
                signature: Bytes::from_static(&[0; 64]),
            }],
        };
        Entry::new(
            self.next,
            Micros(self.next.cast_signed()),
            id,
            record,
            envelope,
        )
    }
}

/// A body, and who speaks for it.
fn body(number: u64) -> Vec<Kind> {
    let organization = actor(number * TOPICS);
    let grant = |role: &str, authority: proto::Authority| {
        Kind::MandateGranted(proto::MandateGranted {
            mandate_id: format!("{role}-of-{organization}"),
            person: format!("{role}-of-{organization}"),
            organization: organization.clone(),
            authority: authority.into(),
            ..proto::MandateGranted::default()
        })
    };
    let [head, aide] = [
        grant("head", proto::Authority::Principal),
        grant("aide", proto::Authority::Spokesperson),
    ];
    let actor = Kind::ActorDefined(proto::ActorDefined {
        actor_id: organization.clone(),
        kind: proto::ActorKind::Organization.into(),
        ..proto::ActorDefined::default()
    });
    vec![aide, head, actor]
}

fn defined(number: u64) -> Kind {
    Kind::TopicDefined(proto::TopicDefined {
        topic_id: topic(number),
        ..proto::TopicDefined::default()
    })
}

fn source() -> Kind {
    Kind::SourceArchived(proto::SourceArchived {
        source: ContentId::of(b"source").to_string(),
        captured_at: Some(Micros(1_756_684_800_000_000).to_timestamp()),
        ..proto::SourceArchived::default()
    })
}
