//! Random histories: what is put on record about a small world, in any order. Every step names
//! what it touches by a number, so that a history stays meaningful when proptest takes steps
//! away.

use onrecord::record::proto::{Authority, Engagement, Polarity, ReadingBasis};
use proptest::prelude::*;

use super::world::{DATES, DAYS};

/// A step of a history.
#[derive(Clone, Debug)]
pub enum Step {
    State(Capacity, Wording),
    Correct(usize, Wording, bool),
    Read(usize, Judgement, u8),
    Retract(usize),
    Grant(Grant),
    End(usize, Option<usize>),
    Move(bool, usize),
    Archive(usize, Option<usize>),
    /// Further evidence for the words of a statement, from a source.
    Evidence(usize, usize),
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
pub struct Wording {
    pub said_at: Option<usize>,
    pub repeated_until: Option<usize>,
    pub relayed: bool,
    pub sources: u8,
    pub readings: Vec<Judgement>,
}

/// A reading, to be made consistent with its statement.
#[derive(Clone, Debug)]
pub struct Judgement {
    pub topic: bool,
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
        12 => (capacity(), wording()).prop_map(|(c, w)| Step::State(c, w)),
        3 => (any::<usize>(), wording(), any::<bool>())
            .prop_map(|(of, w, by)| Step::Correct(of, w, by)),
        3 => (any::<usize>(), judgement(), 0..3_u8).prop_map(|(of, r, by)| Step::Read(of, r, by)),
        1 => any::<usize>().prop_map(Step::Retract),
        3 => grant().prop_map(Step::Grant),
        1 => (any::<usize>(), date()).prop_map(|(of, end)| Step::End(of, end)),
        1 => (any::<bool>(), 0..3_usize).prop_map(|(which, into)| Step::Move(which, into)),
        1 => (0..3_usize, date()).prop_map(|(source, published)| Step::Archive(source, published)),
        1 => (any::<usize>(), 0..3_usize).prop_map(|(of, source)| Step::Evidence(of, source)),
    ]
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

fn wording() -> impl Strategy<Value = Wording> {
    let seldom = prop_oneof![
        4 => Just(None),
        1 => (0..DATES.len()).prop_map(Some),
    ];
    let readings = proptest::collection::vec(judgement(), 1..=3);
    (date(), seldom, 0..8_u8, 0..8_u8, readings).prop_map(
        |(said_at, repeated_until, relayed, sources, readings)| Wording {
            said_at,
            repeated_until,
            relayed: relayed == 7,
            sources,
            readings,
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
        2 => (0..6_u8).prop_map(|bit| 1 << bit),
        1 => 0..64_u8,
    ];
    let topic = proptest::bool::weighted(0.2);
    (
        topic,
        holder,
        basis,
        engagement,
        polarity,
        0..4_u32,
        conditions,
    )
        .prop_map(
            |(topic, holder, basis, engagement, polarity, strength, conditions)| Judgement {
                topic,
                holder,
                basis,
                engagement,
                polarity,
                strength,
                conditions,
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
