//! Which readings of a statement stand: who coded what, by which codebook version, and what
//! most coders give.

use std::collections::{BTreeMap, BTreeSet};

use onrecord::record::proto::record::Kind;
use onrecord::record::proto::statement::Voice;
use onrecord::record::proto::{self, Engagement, Polarity, ReadingBasis};

use super::trust::{Known, Standing};

/// Whose readings are asked for.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only this coder's.
    pub coder: Option<u8>,
    /// Only those coded by this version of the topic, given by its record id.
    pub codebook: Option<String>,
    /// Not these coders', unless they are the attestor's.
    pub excluded: Vec<u8>,
}

/// A stance: polarity, strength (0: not coded), conditions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stance {
    pub polarity: Polarity,
    pub strength: u32,
    pub conditions: Vec<Demand>,
}

/// A condition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Demand {
    pub id: String,
    pub kind: i32,
    pub text: String,
}

/// What coders give of a topic and holder: one reading, or several that as many give.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alternative {
    /// The index of the entry that gave the reading, and its place there.
    pub given_by: usize,
    pub place: usize,
    pub basis: ReadingBasis,
    pub engagement: Engagement,
    /// If it was answered.
    pub stance: Option<Stance>,
}

/// Who gives a reading: the attestor, or another coder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Coder {
    Attestor,
    Other(u8),
}

struct Given<'a> {
    coder: Coder,
    index: usize,
    place: usize,
    reading: &'a proto::Reading,
}

/// The readings of a statement on a topic, by holder: of each the alternatives, the first first.
pub fn readings(
    known: &Known,
    standing: &Standing,
    topic: &str,
    choice: &Choice,
) -> BTreeMap<String, Vec<Alternative>> {
    let mut given = given(known, standing);
    given.retain(|one| one.reading.topic == topic && is_coded_by(known, one, choice));
    let holder_of = |one: &Given| holder(standing.whole, one.reading).to_owned();
    let holders: BTreeSet<String> = given.iter().map(holder_of).collect();
    let mut standing_readings = BTreeMap::new();
    for holder in holders {
        let of_holder: Vec<&Given> = given
            .iter()
            .filter(|one| holder_of(one) == holder)
            .collect();
        let votes = votes(&of_holder, standing, choice);
        if !votes.is_empty() {
            standing_readings.insert(holder, most(&votes));
        }
    }
    standing_readings
}

/// Everything that counts as given: by the version that stands, by coders, and by attestors
/// after that version.
fn given<'a>(known: &Known<'a>, standing: &Standing<'a>) -> Vec<Given<'a>> {
    let mut given = Vec::new();
    for (place, reading) in standing.whole.readings.iter().enumerate() {
        given.push(Given {
            coder: Coder::Attestor,
            index: standing.version,
            place,
            reading,
        });
    }
    for (index, line) in known.lines.iter().enumerate() {
        let Kind::ReadingAdded(added) = line.kind() else {
            continue;
        };
        if added.statement != standing.id {
            continue;
        }
        let reading = added.reading.as_ref().unwrap();
        for signature in &known.trusted[index] {
            let is_attestor = standing.attestors.contains(&signature.verifier);
            if signature.index != index || is_attestor && index < standing.version {
                continue;
            }
            given.push(Given {
                coder: if is_attestor {
                    Coder::Attestor
                } else {
                    Coder::Other(signature.verifier)
                },
                index,
                place: 0,
                reading,
            });
        }
    }
    given
}

/// Whether a reading was coded by the codebook version asked for: the one that it names, or
/// else the newest below its entry.
fn is_coded_by(known: &Known, given: &Given, choice: &Choice) -> bool {
    let Some(wanted) = &choice.codebook else {
        return true;
    };
    let reading = given.reading;
    if !reading.codebook.is_empty() {
        return reading.codebook == *wanted;
    }
    let below = known.lines[..given.index].iter().rev();
    let mut versions = below.filter(
        |line| matches!(line.kind(), Kind::TopicDefined(topic) if topic.topic_id == reading.topic),
    );
    versions.next().is_some_and(|newest| newest.id == *wanted)
}

/// The newest reading of each coder who is asked.
fn votes<'a, 'b>(
    given: &'b [&'b Given<'a>],
    standing: &Standing,
    choice: &Choice,
) -> Vec<&'b Given<'a>> {
    let coders: BTreeSet<Coder> = given.iter().map(|one| one.coder).collect();
    let mut votes = Vec::new();
    for coder in coders {
        let is_asked = match (coder, choice.coder) {
            (_, None) => true,
            (Coder::Attestor, Some(asked)) => standing.attestors.contains(&asked),
            (Coder::Other(other), Some(asked)) => other == asked,
        };
        let is_excluded = matches!(coder, Coder::Other(other) if choice.excluded.contains(&other));
        if is_asked && !is_excluded {
            let theirs = given.iter().filter(|one| one.coder == coder);
            let newest = theirs.max_by_key(|one| (one.index, one.place));
            votes.extend(newest.copied());
        }
    }
    votes
}

/// The readings that most votes are for: of those that say the same, the first given.
fn most(votes: &[&Given]) -> Vec<Alternative> {
    let mut groups: Vec<Vec<&Given>> = Vec::new();
    for vote in votes {
        match groups.iter_mut().find(|group| same(group[0], vote)) {
            Some(group) => group.push(vote),
            None => groups.push(vec![vote]),
        }
    }
    let most = groups.iter().map(Vec::len).max().unwrap();
    let mut alternatives = Vec::new();
    for group in groups.iter().filter(|group| group.len() == most) {
        let first = group.iter().min_by_key(|one| (one.index, one.place));
        alternatives.push(alternative(first.unwrap()));
    }
    alternatives.sort_by_key(|one| (one.given_by, one.place));
    alternatives
}

/// Whether two readings say the same.
fn same(a: &Given, b: &Given) -> bool {
    let demands = |reading: &proto::Reading| -> BTreeSet<(i32, bool, String)> {
        let demand = |condition: &proto::Condition| {
            let has_id = !condition.id.is_empty();
            let name = if has_id {
                &condition.id
            } else {
                &condition.text
            };
            (condition.kind, has_id, name.clone())
        };
        reading.conditions.iter().map(demand).collect()
    };
    let (a, b) = (a.reading, b.reading);
    basis(a) == basis(b)
        && a.engagement == b.engagement
        && a.polarity == b.polarity
        && a.strength == b.strength
        && demands(a) == demands(b)
}

fn alternative(given: &Given) -> Alternative {
    let reading = given.reading;
    let engagement = reading.engagement();
    let demand = |condition: &proto::Condition| Demand {
        id: condition.id.clone(),
        kind: condition.kind,
        text: condition.text.clone(),
    };
    Alternative {
        given_by: given.index,
        place: given.place,
        basis: basis(reading),
        engagement,
        stance: (engagement == Engagement::Answered).then(|| Stance {
            polarity: reading.polarity(),
            strength: reading.strength,
            conditions: reading.conditions.iter().map(demand).collect(),
        }),
    }
}

fn basis(reading: &proto::Reading) -> ReadingBasis {
    match reading.basis() {
        ReadingBasis::Unspecified => ReadingBasis::OwnWords,
        named => named,
    }
}

pub fn speaker(statement: &proto::Statement) -> Option<&str> {
    match statement.voice.as_ref().unwrap() {
        Voice::Speaker(speaker) => Some(speaker),
        Voice::Anonymous(_) => None,
    }
}

/// Whose stance a reading is: the speaker's, unless it names another.
pub fn holder<'a>(statement: &'a proto::Statement, reading: &'a proto::Reading) -> &'a str {
    if reading.holder.is_empty() {
        speaker(statement).unwrap()
    } else {
        &reading.holder
    }
}
