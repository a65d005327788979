//! How far coders agree: Krippendorff's alpha (Krippendorff, Content Analysis, chapter on
//! reliability; "Computing Krippendorff's Alpha-Reliability", 2011) for any number of coders,
//! with missing ratings.
//!
//! Alpha is 1 less the disagreement within units over that between all ratings.
//! Both are computed in integers, so that they are the same on every machine; what is rounded
//! is the one quotient at the end. A unit with a single rating can be paired with nothing and
//! counts nowhere. Where all ratings are equal nothing could disagree, and with fewer than two
//! units nothing tells agreement from sameness: alpha is then not defined, and is not 1.

use std::collections::BTreeMap;

/// A rating, as the number of its value. On an ordinal scale the numbers are in its order.
pub type Value = u8;

/// How far apart two values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scale {
    /// Values are the same, or not.
    Nominal,
    /// Values have an order: two are as far apart as there are ratings between them.
    Ordinal,
}

/// How far ratings agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// The units with two ratings or more.
    pub units: u64,
    /// The ratings of these.
    pub ratings: u64,
    /// Disagreement, if it is defined.
    pub disagreement: Option<Disagreement>,
}

/// The disagreement that was observed over that which chance would bring: the one less alpha,
/// as a fraction in lowest terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// Its numerator.
    pub numerator: u128,
    /// Its denominator; not 0.
    pub denominator: u128,
}

impl Disagreement {
    /// Alpha: at most 1, and below 0 where coders agree less than by chance. Two conversions
    /// and a division, each rounded once as IEEE 754 says, wherever it runs.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "the fraction itself is exact")]
    pub fn alpha(&self) -> f64 {
        1.0 - self.numerator as f64 / self.denominator as f64
    }
}

/// The numbers grew beyond what can be computed exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the ratings are too many, by too many different numbers of coders, to compute exactly")]
pub struct TooLarge;

/// How far the ratings of units agree; each unit is the list of its ratings, in any order.
pub fn agreement<'a>(
    units: impl IntoIterator<Item = &'a [Value]>,
    scale: Scale,
) -> Result<Agreement, TooLarge> {
    let mut tally = Tally::default();
    for unit in units {
        tally.add(unit);
    }
    Ok(Agreement {
        units: tally.units,
        ratings: tally.frequencies.values().sum(),
        disagreement: tally.disagreement(scale)?,
    })
}

/// Two values and the size of a unit: how many ordered pairs of ratings of these values there
/// are in units of that size.
type Pairs = BTreeMap<(Value, Value, u64), u64>;

#[derive(Default)]
struct Tally {
    units: u64,
    frequencies: BTreeMap<Value, u64>,
    pairs: Pairs,
}

impl Tally {
    fn add(&mut self, unit: &[Value]) {
        if unit.len() < 2 {
            return;
        }
        self.units += 1;
        let mut counts: BTreeMap<Value, u64> = BTreeMap::new();
        for value in unit {
            *counts.entry(*value).or_default() += 1;
        }
        for (one, count) in &counts {
            *self.frequencies.entry(*one).or_default() += count;
            for (other, others) in counts.iter().filter(|(other, _)| *other != one) {
                let pair = (*one, *other, unit.len() as u64);
                *self.pairs.entry(pair).or_default() += count * others;
            }
        }
    }

    fn disagreement(&self, scale: Scale) -> Result<Option<Disagreement>, TooLarge> {
        if self.units < 2 || self.frequencies.len() < 2 {
            return Ok(None);
        }
        self.ratio(scale).map(Some).ok_or(TooLarge)
    }

    /// (n - 1) times the sum over units of the distances of their pairs, each divided by the
    /// ratings of its unit less one, over the distances of all pairs.
    fn ratio(&self, scale: Scale) -> Option<Disagreement> {
        let (mut observed, mut common) = (0_u128, 1_u128);
        for (&(one, other, size), &count) in &self.pairs {
            let divisor = u128::from(size - 1);
            let term = u128::from(count).checked_mul(self.distance(scale, one, other)?)?;
            let factor = divisor / gcd(common, divisor);
            observed = observed.checked_mul(factor)?;
            common = common.checked_mul(factor)?;
            observed = observed.checked_add(term.checked_mul(common / divisor)?)?;
        }
        let mut expected = 0_u128;
        for (&one, &count) in &self.frequencies {
            for (&other, &others) in self.frequencies.iter().filter(|(other, _)| **other != one) {
                let pairs = u128::from(count).checked_mul(u128::from(others))?;
                let distance = self.distance(scale, one, other)?;
                expected = expected.checked_add(pairs.checked_mul(distance)?)?;
            }
        }
        let ratings: u128 = self.frequencies.values().copied().map(u128::from).sum();
        reduced([observed, ratings - 1], [common, expected])
    }

    /// Four times the square of how far apart two values are.
    fn distance(&self, scale: Scale, one: Value, other: Value) -> Option<u128> {
        if scale == Scale::Nominal || one == other {
            return Some(if one == other { 0 } else { 4 });
        }
        let range = one.min(other)..=one.max(other);
        let within: u64 = self.frequencies.range(range).map(|(_, count)| count).sum();
        let ends = [one, other].map(|end| self.frequencies.get(&end).copied().unwrap_or(0));
        let twice = 2 * u128::from(within) - u128::from(ends[0]) - u128::from(ends[1]);
        twice.checked_mul(twice)
    }
}

/// The fraction of two products, in lowest terms.
fn reduced(mut above: [u128; 2], mut below: [u128; 2]) -> Option<Disagreement> {
    for numerator in &mut above {
        for denominator in &mut below {
            let common = gcd(*numerator, *denominator);
            if common == 0 {
                return None;
            }
            *numerator /= common;
            *denominator /= common;
        }
    }
    Some(Disagreement {
        numerator: above[0].checked_mul(above[1])?,
        denominator: below[0].checked_mul(below[1])?,
    })
}

const fn gcd(mut one: u128, mut other: u128) -> u128 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}
