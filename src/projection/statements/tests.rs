use proptest::prelude::*;

use super::{StatementView, StatementsFold, view};
use crate::fold::MemoryTables;
use crate::projection::fixtures::{Script, answer, history, slug, speaker, statement};
use crate::record::ContentId;
use crate::record::proto::record::Kind;
use crate::record::proto::review_published::Target;
use crate::record::proto::{Polarity, Reading};

fn reading(topic: &str) -> Reading {
    answer(topic, "", Polarity::Open)
}

fn at(tables: &MemoryTables, id: &ContentId, known_at: u64) -> Option<StatementView> {
    view(tables, id, known_at).unwrap()
}

#[test]
fn a_statement_is_what_was_made_of_it_by_each_entry_below_the_basis() {
    let mut script = Script::default();
    let introduced = script.record(statement("head", &[], "2025", vec![reading("meeting")]));
    let first = script.read(&[7], introduced, reading("meeting"));
    let other = script.read(&[8], introduced, reading("meeting"));
    let corrected = script.correct(introduced, statement("head", &[], "2024", vec![]));
    let again = script.read(&[7], introduced, reading("meeting"));
    let elsewhere = script.read(&[7], introduced, reading("price"));
    let retracted = script.retract(introduced);
    let tables = script.tables(&StatementsFold);
    let id = script.id(introduced);

    assert_eq!(at(&tables, &id, introduced), None);
    let mut expected = StatementView {
        introduced,
        corrections: vec![],
        retractions: vec![],
        readings: vec![],
        evidence: vec![],
        reviews: vec![],
    };
    assert_eq!(at(&tables, &id, first), Some(expected.clone()));
    expected.readings = vec![first];
    assert_eq!(at(&tables, &id, other), Some(expected.clone()));
    expected.readings = vec![first, other];
    assert_eq!(at(&tables, &id, corrected), Some(expected.clone()));
    expected.corrections = vec![corrected];
    assert_eq!(at(&tables, &id, again), Some(expected.clone()));
    expected.readings = vec![other, again];
    assert_eq!(at(&tables, &id, elsewhere), Some(expected.clone()));
    expected.readings = vec![other, again, elsewhere];
    assert_eq!(at(&tables, &id, retracted), Some(expected.clone()));
    expected.retractions = vec![retracted];
    assert_eq!(at(&tables, &id, retracted + 1), Some(expected.clone()));
    assert_eq!(at(&tables, &id, u64::MAX), Some(expected));
    assert_eq!(at(&tables, &ContentId::of(b"another"), u64::MAX), None);
}

#[test]
fn a_reading_by_two_coders_stands_until_both_have_read_again() {
    let mut script = Script::default();
    let introduced = script.record(statement("head", &[], "2025", vec![]));
    let both = script.read(&[7, 8], introduced, reading("meeting"));
    let one = script.read(&[7], introduced, reading("meeting"));
    let two = script.read(&[8], introduced, reading("meeting"));
    let tables = script.tables(&StatementsFold);
    let id = script.id(introduced);
    let readings = |known_at| at(&tables, &id, known_at).unwrap().readings;
    assert_eq!(readings(two), [both, one]);
    assert_eq!(readings(two + 1), [one, two]);
}

#[test]
fn a_plain_statement_takes_one_row() {
    let mut script = Script::default();
    script.record(statement(
        "head",
        &["palace"],
        "2025",
        vec![reading("meeting")],
    ));
    assert_eq!(script.tables(&StatementsFold).all().count(), 1);
}

/// The same by reading the ledger from its beginning.
fn oracle(script: &Script, introduced: u64, known_at: u64) -> StatementView {
    let id = script.id(introduced).to_string();
    let spoke = speaker(&script.statement(introduced));
    let mut found = StatementView {
        introduced,
        corrections: vec![],
        retractions: vec![],
        readings: vec![],
        evidence: vec![],
        reviews: vec![],
    };
    let mut read: Vec<(u64, [u8; 32], String, String)> = vec![];
    for entry in script.entries.iter().filter(|entry| entry.index < known_at) {
        match &entry.record.kind {
            Some(Kind::StatementCorrected(it)) if it.statement == id => {
                found.corrections.push(entry.index);
            }
            Some(Kind::StatementRetracted(it)) if it.statement == id => {
                found.retractions.push(entry.index);
            }
            Some(Kind::EvidenceAdded(it)) if it.statement == id => {
                found.evidence.push(entry.index);
            }
            Some(Kind::ReviewPublished(it)) if it.target == Some(Target::Statement(id.clone())) => {
                found.reviews.push(entry.index);
            }
            Some(Kind::ReadingAdded(it)) if it.statement == id => {
                let reading = it.reading.as_ref().unwrap();
                let holder = [&reading.holder, &spoke][usize::from(reading.holder.is_empty())];
                let coder = entry.envelope.signatures[0].public_key[..]
                    .try_into()
                    .unwrap();
                let what = (coder, reading.topic.clone(), holder.clone());
                read.retain(|(_, c, t, h)| (*c, t.clone(), h.clone()) != what);
                read.push((entry.index, what.0, what.1, what.2));
            }
            _ => {}
        }
    }
    found.readings = read.into_iter().map(|(index, ..)| index).collect();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_statement_at_every_basis_is_what_a_reader_of_the_ledger_makes_of_it(
        script in history(),
    ) {
        let tables = script.tables(&StatementsFold);
        for entry in &script.entries {
            if !matches!(entry.record.kind, Some(Kind::StatementRecorded(_))) {
                continue;
            }
            for known_at in 0..=script.entries.len() as u64 {
                let expected = (entry.index < known_at)
                    .then(|| oracle(&script, entry.index, known_at));
                prop_assert_eq!(at(&tables, &entry.record_id, known_at), expected);
            }
        }
    }
}

#[test]
fn an_id_that_cannot_be_read_stops_the_fold_at_its_entry() {
    use crate::fold::{Fold, FoldError};
    let mut script = Script::default();
    let introduced = script.record(statement("head", &[], "2025", vec![]));
    script.retract(introduced);
    let entry = &mut script.entries[1];
    if let Some(Kind::StatementRetracted(retracted)) = &mut entry.record.kind {
        retracted.statement = slug("no-id").to_string();
    }
    let error = StatementsFold
        .fold(&MemoryTables::default(), entry)
        .unwrap_err();
    assert!(
        matches!(error, FoldError::Entry { index: 1, .. }),
        "{error}"
    );
}
