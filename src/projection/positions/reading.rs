//! Readings as they were recorded, in types that cannot hold an inconsistent one.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::codebooks;
use crate::fold::{FoldError, Tables};
use crate::projection::read::{holder, malformed, optional, slug};
use crate::record::{
    Basis, Condition, ConditionKind, Engagement, Entry, Polarity, Slug, Stance, Strength, proto,
};

/// A reading, with its holder named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reading {
    /// Its place among the readings that its entry gives.
    pub(super) place: u32,
    pub(super) topic: Slug,
    pub(super) holder: Slug,
    /// The entry of the topic's version that it was coded by.
    pub(super) codebook: Option<u64>,
    pub(super) basis: Basis,
    pub(super) engagement: Engagement,
}

impl Reading {
    /// A reading of a statement by `speaker`, as `entry` gives it in this place.
    pub(super) fn of(
        state: &dyn Tables,
        entry: &Entry,
        (place, reading): (u32, &proto::Reading),
        speaker: Option<&Slug>,
    ) -> Result<Self, FoldError> {
        let topic = slug(entry, "topic", &reading.topic)?;
        Ok(Self {
            place,
            holder: holder(entry, reading, speaker)?,
            codebook: codebooks::of(state, entry, reading, &topic)?,
            basis: basis(reading.basis).ok_or_else(|| malformed(entry, "an unknown basis"))?,
            engagement: engagement(entry, reading)?,
            topic,
        })
    }

    /// Whether both read the same: the same basis, engagement and stance, on the same
    /// conditions in whatever order.
    pub(super) fn agrees_with(&self, other: &Self) -> bool {
        self.basis == other.basis
            && match (&self.engagement, &other.engagement) {
                (Engagement::Answered(one), Engagement::Answered(another)) => {
                    one.polarity == another.polarity
                        && one.strength == another.strength
                        && demands(one) == demands(another)
                }
                (one, another) => one == another,
            }
    }
}

/// The conditions of a stance, each by what tells it apart: its id, or else its text.
fn demands(stance: &Stance) -> BTreeSet<(ConditionKind, Option<&Slug>, &str)> {
    stance
        .conditions
        .iter()
        .map(|it| match &it.id {
            Some(id) => (it.kind, Some(id), ""),
            None => (it.kind, None, &it.text[..]),
        })
        .collect()
}

fn basis(number: i32) -> Option<Basis> {
    use proto::ReadingBasis;
    Some(match ReadingBasis::try_from(number).ok()? {
        ReadingBasis::Unspecified | ReadingBasis::OwnWords => Basis::OwnWords,
        ReadingBasis::Relayed => Basis::Relayed,
        ReadingBasis::Ascribed => Basis::Ascribed,
        ReadingBasis::Conduct => Basis::Conduct,
        ReadingBasis::Survey => Basis::Survey,
    })
}

fn engagement(entry: &Entry, reading: &proto::Reading) -> Result<Engagement, FoldError> {
    match proto::Engagement::try_from(reading.engagement) {
        Ok(proto::Engagement::Answered) => stance(entry, reading).map(Engagement::Answered),
        Ok(proto::Engagement::Declined) => Ok(Engagement::Declined),
        Ok(proto::Engagement::Deflected) => Ok(Engagement::Deflected),
        Ok(proto::Engagement::Unspecified) | Err(_) => {
            Err(malformed(entry, "a reading without engagement"))
        }
    }
}

fn stance(entry: &Entry, reading: &proto::Reading) -> Result<Stance, FoldError> {
    let conditions = reading.conditions.iter();
    Ok(Stance {
        polarity: polarity(reading.polarity)
            .ok_or_else(|| malformed(entry, "an answer without polarity"))?,
        strength: match reading.strength {
            0 => None,
            degree => Some(
                Strength::from_degree(degree)
                    .ok_or_else(|| malformed(entry, format!("strength {degree}")))?,
            ),
        },
        conditions: conditions
            .map(|each| condition(entry, each))
            .collect::<Result<_, _>>()?,
    })
}

fn polarity(number: i32) -> Option<Polarity> {
    match proto::Polarity::try_from(number).ok()? {
        proto::Polarity::Unspecified => None,
        proto::Polarity::Supports => Some(Polarity::Supports),
        proto::Polarity::Open => Some(Polarity::Open),
        proto::Polarity::Opposes => Some(Polarity::Opposes),
        proto::Polarity::Mixed => Some(Polarity::Mixed),
        proto::Polarity::NoPosition => Some(Polarity::NoPosition),
    }
}

fn condition(entry: &Entry, condition: &proto::Condition) -> Result<Condition, FoldError> {
    let kind = match proto::ConditionKind::try_from(condition.kind) {
        Ok(proto::ConditionKind::OnlyIf) => ConditionKind::OnlyIf,
        Ok(proto::ConditionKind::Unless) => ConditionKind::Unless,
        Ok(proto::ConditionKind::After) => ConditionKind::After,
        Ok(proto::ConditionKind::Unspecified) | Err(_) => {
            return Err(malformed(entry, "a condition without kind"));
        }
    };
    Ok(Condition {
        id: optional(entry, "condition id", &condition.id)?,
        kind,
        text: condition.text.clone(),
    })
}
