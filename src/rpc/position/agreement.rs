//! How far coders agree about what was said on a topic.

use super::Positions;
use crate::position::agreement::{Agreement, Scale, Value, agreement};
use crate::projection::catalog;
use crate::projection::positions::{self, Terms, Votes};
use crate::record::{Engagement, Polarity, Slug, Stance, Strength};
use crate::rpc::proto::{Alpha, GetAgreementResponse};
use crate::rpc::views::Known;
use crate::rpc::{Failure, Reason};

/// The most statements, each counted for each holder, that are read for one answer: at some
/// 30 µs each, 3 seconds.
const STATEMENTS_MAX: usize = 100_000;

impl Positions {
    pub(super) fn agreement(
        &self,
        topic: &Slug,
        holder: Option<&Slug>,
        terms: &Terms,
        known: &Known,
    ) -> Result<GetAgreementResponse, Failure> {
        let (known_at, size) = (known.known_at, known.size());
        let definitions = self.views.catalog.tables();
        if catalog::topic(definitions, topic, known_at)?.is_none() {
            let reason = Reason::UnknownTopic;
            return Err(self
                .views
                .unknown(reason, "topic", topic.as_str(), known_at, size));
        }
        if let Some(holder) = holder
            && catalog::actor(definitions, holder, known_at)?.is_none()
        {
            let reason = Reason::UnknownActor;
            return Err(self
                .views
                .unknown(reason, "holder", holder.as_str(), known_at, size));
        }
        let tables = known.tables();
        let votes = positions::votes(tables, topic, holder, terms, known_at, STATEMENTS_MAX)?;
        let votes = votes.ok_or_else(|| {
            Failure::invalid(
                "holder",
                format!("there are more than {STATEMENTS_MAX} statements"),
                "a topic, or a holder of stances on it, with fewer",
            )
        })?;
        Ok(GetAgreementResponse {
            units: votes.units.len() as u64,
            coders: votes.coders as u64,
            readings: votes.units.iter().map(|unit| unit.len() as u64).sum(),
            polarity: Some(alpha(&votes, Scale::Nominal, polarity)?),
            strength: Some(alpha(&votes, Scale::Ordinal, strength)?),
            basis: Some(self.views.positions.basis(known, None)),
        })
    }
}

/// The agreement about what `rate` takes of a stance.
fn alpha(
    votes: &Votes,
    scale: Scale,
    rate: impl Fn(&Stance) -> Option<Value>,
) -> Result<Alpha, Failure> {
    let rated = |unit: &Vec<Engagement>| -> Vec<Value> {
        let stances = unit.iter().filter_map(Engagement::stance);
        stances.filter_map(&rate).collect()
    };
    let units: Vec<Vec<Value>> = votes.units.iter().map(rated).collect();
    let found = agreement(units.iter().map(Vec::as_slice), scale).map_err(|error| {
        Failure::invalid(
            "holder",
            error.to_string(),
            "a holder with fewer statements",
        )
    })?;
    let Agreement {
        units,
        ratings,
        disagreement,
    } = found;
    let digits = |it: Option<u128>| it.map(|it| it.to_string()).unwrap_or_default();
    Ok(Alpha {
        units,
        ratings,
        alpha: disagreement.map(|it| it.alpha()),
        disagreement_numerator: digits(disagreement.map(|it| it.numerator)),
        disagreement_denominator: digits(disagreement.map(|it| it.denominator)),
    })
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every stance has one; not so strength"
)]
const fn polarity(stance: &Stance) -> Option<Value> {
    Some(match stance.polarity {
        Polarity::Supports => 0,
        Polarity::Open => 1,
        Polarity::Opposes => 2,
        Polarity::Mixed => 3,
        Polarity::NoPosition => 4,
    })
}

fn strength(stance: &Stance) -> Option<Value> {
    stance.strength.map(Strength::degree)
}
