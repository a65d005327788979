//! Readings as they were recorded, in types that cannot hold an inconsistent one.

use serde::{Deserialize, Serialize};

use crate::fold::FoldError;
use crate::projection::read::{holder, malformed, optional, slug};
use crate::record::{
    Basis, Condition, ConditionKind, Engagement, Entry, Polarity, Slug, Stance, Strength, proto,
};

/// A reading, with its holder named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Reading {
    pub(super) topic: Slug,
    pub(super) holder: Slug,
    pub(super) basis: Basis,
    pub(super) engagement: Engagement,
}

impl Reading {
    /// A reading of a statement by `speaker`, as `entry` gives it.
    pub(super) fn of(
        entry: &Entry,
        reading: &proto::Reading,
        speaker: Option<&Slug>,
    ) -> Result<Self, FoldError> {
        Ok(Self {
            topic: slug(entry, "topic", &reading.topic)?,
            holder: holder(entry, reading, speaker)?,
            basis: basis(reading.basis).ok_or_else(|| malformed(entry, "an unknown basis"))?,
            engagement: engagement(entry, reading)?,
        })
    }

    /// Whether both read the statement for the same topic and holder, so that one supersedes
    /// the other.
    pub(super) fn is_rival(&self, other: &Self) -> bool {
        self.topic == other.topic && self.holder == other.holder
    }
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
