//! Krippendorff's alpha by hand and by its definition; `tests/golden_agreement.rs` holds it to
//! an independent implementation.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::position::agreement::{Agreement, Disagreement, Scale, Value, agreement};

fn alpha(units: &[&[Value]], scale: Scale) -> Option<f64> {
    let agreement = agreement(units.iter().copied(), scale).unwrap();
    agreement.disagreement.map(|it| it.alpha())
}

fn is_near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[test]
fn ratings_that_are_all_equal_leave_alpha_undefined() {
    assert_eq!(alpha(&[&[1, 1], &[1, 1, 1]], Scale::Nominal), None);
    assert_eq!(alpha(&[&[1, 1], &[1, 1], &[2]], Scale::Ordinal), None);
}

#[test]
fn fewer_than_two_units_that_can_be_paired_leave_alpha_undefined() {
    assert_eq!(alpha(&[], Scale::Nominal), None);
    assert_eq!(alpha(&[&[1, 2, 2]], Scale::Nominal), None);
    let lonely: &[&[Value]] = &[&[1, 2], &[1], &[], &[2]];
    let found = agreement(lonely.iter().copied(), Scale::Nominal).unwrap();
    let counted = Agreement {
        units: 1,
        ratings: 2,
        disagreement: None,
    };
    assert_eq!(found, counted);
}

#[test]
fn alpha_is_1_where_coders_agree_and_below_0_where_they_do_less_than_by_chance() {
    assert_eq!(alpha(&[&[1, 1], &[2, 2, 2]], Scale::Ordinal), Some(1.0));
    // Of 4 ratings, two of each value: 3 * 4 / 8 of the disagreement of chance.
    let opposed = agreement([&[1, 2][..], &[2, 1][..]], Scale::Nominal).unwrap();
    let disagreement = Disagreement {
        numerator: 3,
        denominator: 2,
    };
    assert_eq!(opposed.disagreement, Some(disagreement));
    assert!(is_near(disagreement.alpha(), -0.5));
}

/// By the definition: every pair of ratings, in floating point.
fn slow(units: &[Vec<Value>], scale: Scale) -> f64 {
    let units: Vec<_> = units.iter().filter(|unit| unit.len() > 1).collect();
    let all: Vec<Value> = units.iter().flat_map(|unit| unit.iter().copied()).collect();
    let many = |value| -> f64 {
        let alike = all.iter().map(|it| f64::from(u8::from(*it == value)));
        alike.sum()
    };
    let distance = |one: Value, other: Value| match scale {
        Scale::Nominal => f64::from(u8::from(one != other)),
        Scale::Ordinal => {
            let between: f64 = (one.min(other)..=one.max(other)).map(many).sum();
            (between - f64::midpoint(many(one), many(other))).powi(2)
        }
    };
    let sum = |ratings: &[Value]| -> f64 {
        let pairs = ratings
            .iter()
            .flat_map(|one| ratings.iter().map(move |other| (*one, *other)));
        pairs.map(|(one, other)| distance(one, other)).sum()
    };
    let length = |ratings: &[Value]| f64::from(u32::try_from(ratings.len()).unwrap());
    let observed: f64 = units
        .iter()
        .map(|unit| sum(unit) / (length(unit) - 1.0))
        .sum();
    1.0 - observed * (length(&all) - 1.0) / sum(&all)
}

proptest! {
    #[test]
    fn alpha_is_its_definition_whatever_the_order(
        units in vec(vec(1..6_u8, 0..7), 0..20), ordinal in any::<bool>(),
    ) {
        let scale = if ordinal { Scale::Ordinal } else { Scale::Nominal };
        let found = agreement(units.iter().map(Vec::as_slice), scale).unwrap();
        let mut turned = units.clone();
        turned.reverse();
        for unit in &mut turned {
            unit.reverse();
        }
        prop_assert_eq!(agreement(turned.iter().map(Vec::as_slice), scale).unwrap(), found);
        let paired: Vec<_> = units.iter().filter(|unit| unit.len() > 1).flatten().collect();
        let defined = found.units > 1 && paired.iter().any(|it| **it != *paired[0]);
        prop_assert_eq!(found.disagreement.is_some(), defined);
        if let Some(disagreement) = found.disagreement {
            let expected = slow(&units, scale);
            prop_assert!(is_near(disagreement.alpha(), expected), "{} for {expected}", disagreement.alpha());
        }
    }
}
