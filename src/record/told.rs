//! What a reading says, as the messages of records say it: one way for everything that tells of
//! readings, answers over gRPC as well as bundles. The other way, from messages, is for
//! admission, which refuses what does not fit.

use super::reading::{Basis, Condition, ConditionKind, Engagement, Polarity};
use super::{Slug, proto};

impl From<Polarity> for proto::Polarity {
    fn from(polarity: Polarity) -> Self {
        match polarity {
            Polarity::Supports => Self::Supports,
            Polarity::Open => Self::Open,
            Polarity::Opposes => Self::Opposes,
            Polarity::Mixed => Self::Mixed,
            Polarity::NoPosition => Self::NoPosition,
        }
    }
}

impl From<&Engagement> for proto::Engagement {
    fn from(engagement: &Engagement) -> Self {
        match engagement {
            Engagement::Answered(_) => Self::Answered,
            Engagement::Declined => Self::Declined,
            Engagement::Deflected => Self::Deflected,
        }
    }
}

impl From<Basis> for proto::ReadingBasis {
    fn from(basis: Basis) -> Self {
        match basis {
            Basis::OwnWords => Self::OwnWords,
            Basis::Relayed => Self::Relayed,
            Basis::Ascribed => Self::Ascribed,
            Basis::Conduct => Self::Conduct,
            Basis::Survey => Self::Survey,
        }
    }
}

impl From<ConditionKind> for proto::ConditionKind {
    fn from(kind: ConditionKind) -> Self {
        match kind {
            ConditionKind::OnlyIf => Self::OnlyIf,
            ConditionKind::Unless => Self::Unless,
            ConditionKind::After => Self::After,
        }
    }
}

impl From<&Condition> for proto::Condition {
    fn from(condition: &Condition) -> Self {
        let id = condition.id.as_ref().map(Slug::to_string);
        Self {
            id: id.unwrap_or_default(),
            kind: proto::ConditionKind::from(condition.kind).into(),
            text: condition.text.clone(),
        }
    }
}
