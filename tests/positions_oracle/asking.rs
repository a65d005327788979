//! What is asked of a history: everybody on everything, plainly and by whose reading and whose
//! trust the dice say.

use std::collections::BTreeSet;

use onrecord::record::proto::ReadingBasis;
use onrecord::record::proto::record::Kind;

use super::hearing::Filter;
use super::oracle::{Case, Question};
use super::readings::Choice;
use super::trust::Line;
use super::world::{
    BODIES, CODERS, GROUP, PERSONS, PUBLISHERS, ROLES, TOPICS, VERIFIERS, WORDINGS,
};

/// Picks that follow from one number, so that what is asked of a history shrinks as one.
#[derive(Clone, Debug)]
pub struct Dice(pub u32);

impl Dice {
    /// One of the first `count` numbers: by a linear congruential generator, whose upper bits
    /// are the good ones.
    pub fn roll(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) as usize % count
    }

    /// Some of a few, at least one.
    fn some<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        let bits = 1 + self.roll((1 << of.len()) - 1);
        let places = (0..of.len()).filter(|place| bits & (1 << place) != 0);
        places.map(|place| of[place].clone()).collect()
    }
}

/// Everybody on everything; bodies with and without their parts.
pub fn questions() -> Vec<Question<'static>> {
    let mut questions = Vec::new();
    let actors = BODIES.iter().chain(&PERSONS).chain([&GROUP]);
    for actor in actors {
        for topic in TOPICS {
            for with_parts in [false, true] {
                if BODIES.contains(actor) || !with_parts {
                    questions.push(Question {
                        actor,
                        topic,
                        with_parts,
                        filter: Filter::default(),
                        choice: Choice::default(),
                    });
                }
            }
        }
    }
    questions
}

/// The ways in which a question can be narrowed, or widened.
const WAYS: usize = 12;

/// One way to put the question otherwise.
pub fn one_way<'a>(question: &Question<'a>, lines: &[Line], dice: &mut Dice) -> Question<'a> {
    let mut question = question.clone();
    let way = dice.roll(WAYS);
    ask(&mut question, way, lines, dice);
    question
}

/// Several at once. One asks for a coder or for a codebook version, not for both.
pub fn many_ways<'a>(question: &Question<'a>, lines: &[Line], dice: &mut Dice) -> Question<'a> {
    let mut question = question.clone();
    for way in 0..WAYS {
        if dice.roll(4) == 0 {
            ask(&mut question, way, lines, dice);
        }
    }
    if question.choice.codebook.is_some() {
        question.choice.coder = None;
    }
    question
}

fn ask(question: &mut Question, way: usize, lines: &[Line], dice: &mut Dice) {
    let filter = &mut question.filter;
    let verifiers: Vec<u8> = (0..VERIFIERS).collect();
    match way {
        0 => filter.wordings = dice.some(&WORDINGS),
        1 => filter.verifiers = dice.some(&verifiers),
        2 => {
            filter.verifiers_excluded = dice.some(&verifiers);
            question
                .choice
                .excluded
                .clone_from(&filter.verifiers_excluded);
        }
        3 => filter.attestations_min = 1 + dice.roll(3),
        4 => filter.sources.roles = dice.some(&ROLES),
        5 => {
            let publishers = dice.some(&PUBLISHERS[1..]);
            filter.sources.publishers = publishers.into_iter().map(str::to_owned).collect();
        }
        6 => filter.sources.underived = true,
        7 => filter.sources.published = true,
        8 => filter.mandated = true,
        9 => {
            filter.bases = dice.some(&[
                ReadingBasis::OwnWords,
                ReadingBasis::Relayed,
                ReadingBasis::Ascribed,
                ReadingBasis::Conduct,
                ReadingBasis::Survey,
            ]);
        }
        10 => question.choice.coder = Some(CODERS[dice.roll(CODERS.len())]),
        _ => {
            let is_of_topic = |line: &&Line| matches!(line.kind(), Kind::TopicDefined(topic) if topic.topic_id == question.topic);
            let versions: Vec<&Line> = lines.iter().filter(is_of_topic).collect();
            if !versions.is_empty() {
                question.choice.codebook = Some(versions[dice.roll(versions.len())].id.clone());
            }
        }
    }
}

/// Every second at which an answer can change, with the seconds beside it.
pub fn instants(case: &Case) -> BTreeSet<i64> {
    let mut instants = BTreeSet::from([i64::MIN, i64::MAX]);
    for bound in case.bounds() {
        instants.extend([bound - 1, bound, bound + 1]);
    }
    instants
}
