//! Krippendorff's alpha as an independent implementation computes it: `krippendorff` for Python,
//! by `tests/python/agreement.py`.
#![cfg(feature = "daemon")]

use onrecord::position::agreement::{Scale, Value, agreement};
use serde_json::Value as Json;

/// The vectors are rounded to nine digits.
const TOLERANCE: f64 = 1e-9;

fn units(case: &Json) -> Vec<Vec<Value>> {
    let units = case["units"].as_array().unwrap().iter();
    let ratings = |unit: &Json| -> Vec<Value> {
        let ratings = unit.as_array().unwrap().iter();
        ratings
            .map(|it| Value::try_from(it.as_u64().unwrap()).unwrap())
            .collect()
    };
    units.map(ratings).collect()
}

#[test]
fn alpha_is_what_an_independent_implementation_says() {
    let golden: Json = serde_json::from_str(include_str!("golden/agreement.json")).unwrap();
    let cases = golden.as_array().unwrap();
    assert!(cases.len() >= 100, "{} cases", cases.len());
    for case in cases {
        let scale = match case["scale"].as_str() {
            Some("nominal") => Scale::Nominal,
            Some("ordinal") => Scale::Ordinal,
            other => panic!("{other:?} is no scale"),
        };
        let units = units(case);
        let found = agreement(units.iter().map(Vec::as_slice), scale).unwrap();
        let alpha = found.disagreement.unwrap().alpha();
        let expected = case["alpha"].as_f64().unwrap();
        assert!((alpha - expected).abs() < TOLERANCE, "{alpha} for {case}");
    }
}
