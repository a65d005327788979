//! Random histories: what is put on record about a small world, in any order. Every step names
//! what it touches by a number, so that a history stays meaningful when proptest takes steps
//! away.

use onrecord::record::proto::{Authority, Engagement, Polarity, ReadingBasis};
use proptest::prelude::*;

use super::world::{DATES, DAYS, SOURCES, VERIFIERS, WORDINGS};

/// A step of a history. Who signs is one bit each of those who may.
#[derive(Clone, Debug)]
pub enum Step {
    State(Capacity, Version, u8),
    Correct(usize, Version, Kept, u8),
    Read(usize, Judgement, After, u8),
    Retract(usize, u8),
    Grant(Grant),
    End(usize, Option<usize>),
    Move(bool, usize),
    Archive(Archived),
    /// Further evidence from a source: for the words, or for the speaker alone.
    Evidence(usize, usize, bool, u8),
    /// Another codebook version of a topic.
    Note(bool),
    /// So many attestations are needed from here on.
    Policy(u32),
    /// A verifier is revoked; what they signed from some entry on is untrusted.
    Revoke(u8, Option<usize>),
    /// One of those revoked is enrolled again.
    Enrol(usize),
    /// Further signatures over a record that verifiers vouch for: over a statement that is
    /// not visible, if there is one and that is asked for.
    Attest(usize, u8, bool),
}

/// What a correction does with the readings of the version that it corrects.
#[derive(Clone, Copy, Debug)]
pub enum Kept {
    All,
    None,
    Other,
}

/// Whether a reading takes up one that the statement was given before.
#[derive(Clone, Copy, Debug)]
pub enum After {
    Nothing,
    /// It says the same.
    Echo(usize),
    /// It is about the same topic and holder.
    Contest(usize),
}

/// A copy of a source is archived, again but for the first time.
#[derive(Clone, Debug)]
pub struct Archived {
    pub source: usize,
    pub published: Option<usize>,
    pub role: usize,
    pub publisher: usize,
    pub derived: bool,
}

/// Who speaks, and for whom.
#[derive(Clone, Debug)]
pub struct Capacity {
    /// A person, a body, or nobody.
    pub speaker: Option<usize>,
    /// One bit a body.
    pub said_for: u8,
}

/// What a version of a statement says.
#[derive(Clone, Debug)]
pub struct Version {
    pub wording: usize,
    pub said_at: Option<usize>,
    pub repeated_until: Option<usize>,
    pub relayed: bool,
    pub sources: u8,
    pub readings: Vec<Judgement>,
    /// Another statement, and whether it is the same utterance.
    pub refers_to: Option<(usize, bool)>,
}

/// A reading, to be made consistent with its statement.
#[derive(Clone, Debug)]
pub struct Judgement {
    pub topic: bool,
    /// The codebook version by which it was coded, if it names one.
    pub codebook: Option<usize>,
    pub holder: Option<usize>,
    pub basis: ReadingBasis,
    pub engagement: Engagement,
    pub polarity: Polarity,
    pub strength: u32,
    /// One bit a condition.
    pub conditions: u8,
}

/// A mandate, which replaces the one of the same person, body and number.
#[derive(Clone, Debug)]
pub struct Grant {
    pub person: usize,
    pub body: usize,
    pub number: bool,
    pub authority: Authority,
    pub topics: u8,
    pub start: Option<usize>,
    pub end: Option<usize>,
}

/// A history of at most `steps_max` steps.
pub fn history(steps_max: usize) -> impl Strategy<Value = Vec<Step>> {
    proptest::collection::vec(step(), 1..=steps_max)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        14 => (capacity(), version(), any::<u8>()).prop_map(|(c, v, by)| Step::State(c, v, by)),
        3 => (touched(), version(), kept(), signer())
            .prop_map(|(of, v, kept, by)| Step::Correct(of, v, kept, by)),
        9 => (touched(), judgement(), after(), signer())
            .prop_map(|(of, r, after, by)| Step::Read(of, r, after, by)),
        1 => (touched(), signer()).prop_map(|(of, by)| Step::Retract(of, by)),
        2 => grant().prop_map(Step::Grant),
        1 => (any::<usize>(), date()).prop_map(|(of, end)| Step::End(of, end)),
        1 => (any::<bool>(), 0..3_usize).prop_map(|(which, into)| Step::Move(which, into)),
        1 => archived().prop_map(Step::Archive),
        1 => (touched(), 0..SOURCES, any::<bool>(), signer())
            .prop_map(|(of, source, words, by)| Step::Evidence(of, source, words, by)),
        1 => any::<bool>().prop_map(Step::Note),
        1 => (1..4_u32).prop_map(Step::Policy),
        3 => (0..VERIFIERS, proptest::option::weighted(0.8, any::<usize>()))
            .prop_map(|(who, from)| Step::Revoke(who, from)),
        2 => any::<usize>().prop_map(Step::Enrol),
        4 => (touched(), any::<u8>(), any::<bool>())
            .prop_map(|(of, by, gone)| Step::Attest(of, by, gone)),
    ]
}

/// Mostly one of the first, so that some statements are touched often.
fn touched() -> impl Strategy<Value = usize> {
    prop_oneof![
        3 => 0..4_usize,
        1 => any::<usize>(),
    ]
}

/// Mostly one alone.
fn signer() -> impl Strategy<Value = u8> {
    prop_oneof![
        4 => (0..8_u8).prop_map(|bit| 1 << bit),
        1 => any::<u8>(),
    ]
}

fn kept() -> impl Strategy<Value = Kept> {
    prop_oneof![
        2 => Just(Kept::Other),
        1 => Just(Kept::All),
        1 => Just(Kept::None),
    ]
}

fn after() -> impl Strategy<Value = After> {
    prop_oneof![
        2 => Just(After::Nothing),
        3 => any::<usize>().prop_map(After::Echo),
        3 => any::<usize>().prop_map(After::Contest),
    ]
}

fn archived() -> impl Strategy<Value = Archived> {
    (0..SOURCES, date(), 0..3_usize, 0..3_usize, any::<bool>()).prop_map(
        |(source, published, role, publisher, derived)| Archived {
            source,
            published,
            role,
            publisher,
            derived,
        },
    )
}

fn capacity() -> impl Strategy<Value = Capacity> {
    let speaker = prop_oneof![
        8 => (0..5_usize).prop_map(Some),
        2 => (5..8_usize).prop_map(Some),
        1 => Just(None),
    ];
    let said_for = prop_oneof![
        1 => Just(0),
        4 => Just(2),
        1 => Just(4),
        2 => 0..8_u8,
    ];
    (speaker, said_for).prop_map(|(speaker, said_for)| Capacity { speaker, said_for })
}

fn version() -> impl Strategy<Value = Version> {
    let seldom = prop_oneof![
        4 => Just(None),
        1 => (0..DATES.len()).prop_map(Some),
    ];
    let refers_to =
        proptest::option::weighted(0.25, (any::<usize>(), proptest::bool::weighted(0.8)));
    (
        0..WORDINGS.len(),
        date(),
        seldom,
        proptest::bool::weighted(0.125),
        0..8_u8,
        proptest::collection::vec(judgement(), 1..=3),
        refers_to,
    )
        .prop_map(
            |(wording, said_at, repeated_until, relayed, sources, readings, refers_to)| Version {
                wording,
                said_at,
                repeated_until,
                relayed,
                sources,
                readings,
                refers_to,
            },
        )
}

fn date() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![
        4 => (0..DAYS).prop_map(Some),
        4 => (0..DATES.len()).prop_map(Some),
        1 => Just(None),
    ]
}

fn judgement() -> impl Strategy<Value = Judgement> {
    let holder = prop_oneof![
        3 => Just(None),
        2 => (0..9_usize).prop_map(Some),
    ];
    let basis = prop_oneof![
        3 => Just(ReadingBasis::Unspecified),
        4 => Just(ReadingBasis::OwnWords),
        1 => prop_oneof![
            Just(ReadingBasis::Relayed),
            Just(ReadingBasis::Ascribed),
            Just(ReadingBasis::Conduct),
            Just(ReadingBasis::Survey),
        ],
    ];
    let engagement = prop_oneof![
        6 => Just(Engagement::Answered),
        1 => Just(Engagement::Declined),
        1 => Just(Engagement::Deflected),
    ];
    let polarity = prop_oneof![
        4 => Just(Polarity::Supports),
        2 => Just(Polarity::Open),
        2 => Just(Polarity::Opposes),
        1 => Just(Polarity::Mixed),
        1 => Just(Polarity::NoPosition),
    ];
    let conditions = prop_oneof![
        2 => Just(0),
        2 => (0..7_u8).prop_map(|bit| 1 << bit),
        1 => 0..128_u8,
    ];
    let topic = proptest::bool::weighted(0.2);
    let codebook = proptest::option::weighted(0.3, any::<usize>());
    (
        topic,
        codebook,
        holder,
        basis,
        engagement,
        polarity,
        0..4_u32,
        conditions,
    )
        .prop_map(
            |(topic, codebook, holder, basis, engagement, polarity, strength, conditions)| {
                Judgement {
                    topic,
                    codebook,
                    holder,
                    basis,
                    engagement,
                    polarity,
                    strength,
                    conditions,
                }
            },
        )
}

fn grant() -> impl Strategy<Value = Grant> {
    let authority = prop_oneof![
        Just(Authority::Principal),
        Just(Authority::Spokesperson),
        Just(Authority::Delegate),
        Just(Authority::Affiliated),
    ];
    (
        0..5_usize,
        0..3_usize,
        any::<bool>(),
        authority,
        0..4_u8,
        date(),
        date(),
    )
        .prop_map(
            |(person, body, number, authority, topics, start, end)| Grant {
                person,
                body,
                number,
                authority,
                topics,
                start,
                end,
            },
        )
}
