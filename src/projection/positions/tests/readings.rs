//! Whose reading of a statement is heard.

use super::*;
use crate::position::Rival;
use crate::projection::fixtures::key;
use crate::projection::positions::{Choice, codebook, verifier_number};
use crate::record::Polarity as Read;

fn reading(polarity: Polarity) -> proto::Reading {
    answer("meeting", "", polarity)
}

/// What is heard at the script's end on the palace: who gave the reading, its polarity, and the
/// entries that gave its rivals.
fn at_end(script: &Script, terms: &Terms) -> Vec<(u64, Option<Read>, Vec<u64>)> {
    let tables = script.tables(&PositionsFold);
    let found = on_terms(&tables, "palace", None, script.entries.len() as u64, terms);
    let given_by = |rival: &Rival| rival.given_by;
    let told = |it: &Testimony| {
        let polarity = it.engagement.stance().map(|it| it.polarity);
        (
            it.given_by,
            polarity,
            it.rivals.iter().map(given_by).collect(),
        )
    };
    found.testimonies.iter().map(told).collect()
}

fn most(script: &Script) -> Vec<(u64, Option<Read>, Vec<u64>)> {
    at_end(script, &Terms::default())
}

#[test]
fn the_reading_that_most_coders_give_is_heard_and_a_tie_is_disputed() {
    let mut script = actors();
    let own = script.record(said("aide", &["palace"], "2025-08-15"));
    let supports = script.read(&[7], own, reading(Polarity::Supports));
    assert_eq!(most(&script), [(own, Some(Read::Open), vec![supports])]);
    script.read(&[8], own, reading(Polarity::Supports));
    assert_eq!(most(&script), [(supports, Some(Read::Supports), vec![])]);
    script.read(&[9], own, reading(Polarity::Open));
    assert_eq!(most(&script), [(own, Some(Read::Open), vec![supports])]);
    // A coder who reads again has one vote all the same.
    script.read(&[8], own, reading(Polarity::Open));
    assert_eq!(most(&script), [(own, Some(Read::Open), vec![])]);
}

#[test]
fn conditions_in_another_order_make_the_same_reading() {
    let on = |ids: [&str; 2]| {
        let condition = |id: &str| proto::Condition {
            id: id.to_owned(),
            kind: proto::ConditionKind::OnlyIf.into(),
            text: format!("in the words of this coder: {id} and {ids:?}"),
        };
        proto::Reading {
            conditions: ids.map(condition).into(),
            ..reading(Polarity::Open)
        }
    };
    let mut script = actors();
    let spoken = statement("aide", &["palace"], "2025-08-15", vec![on(["a", "b"])]);
    let own = script.record(spoken);
    script.read(&[7], own, on(["b", "a"]));
    script.read(&[8], own, on(["b", "c"]));
    assert_eq!(most(&script), [(own, Some(Read::Open), vec![])]);
}

#[test]
fn a_correction_replaces_the_attestors_readings_and_no_others() {
    let mut script = actors();
    let own = script.record(said("aide", &["palace"], "2025-08-15"));
    // Key 1 attests: this is its own reading, replaced.
    let again = script.read(&[1], own, reading(Polarity::Opposes));
    assert_eq!(most(&script), [(again, Some(Read::Opposes), vec![])]);
    let coded = script.read(&[7], own, reading(Polarity::Supports));
    let unread = statement("aide", &["palace"], "2025-08-16", vec![]);
    let corrected = script.correct(own, unread);
    assert_eq!(most(&script), [(coded, Some(Read::Supports), vec![])]);
    let heard = &heard(&script, "palace")[0];
    assert_eq!(heard.version, corrected);
    assert_eq!(heard.said_at, day("2025-08-16"));
    let last = script.read(&[1], own, reading(Polarity::Mixed));
    assert_eq!(most(&script), [(coded, Some(Read::Supports), vec![last])]);
}

#[test]
fn a_statement_comes_to_bear_on_a_holder_whom_only_a_coder_or_a_correction_names() {
    let mut script = actors();
    let own = script.record(said("aide", &[], "2025-08-15"));
    assert_eq!(heard(&script, "public"), []);
    let coded = script.read(&[7], own, answer("meeting", "public", Polarity::Opposes));
    assert_eq!(heard(&script, "public")[0].given_by, coded);
    let mut corrected = said("aide", &[], "2025-08-15");
    corrected.readings[0] = answer("meeting", "head", Polarity::Open);
    let corrected = script.correct(own, corrected);
    assert_eq!(heard(&script, "head")[0].given_by, corrected);
    assert_eq!(heard(&script, "aide"), []);
    script.retract(own);
    assert_eq!(heard(&script, "public"), []);
}

#[test]
fn a_coder_or_a_codebook_can_be_asked_for_alone() {
    let mut script = actors();
    let topic = |script: &mut Script, note: &str| {
        script.put(
            &[1],
            Kind::TopicDefined(proto::TopicDefined {
                topic_id: "meeting".to_owned(),
                note: note.to_owned(),
                ..proto::TopicDefined::default()
            }),
        )
    };
    let first = topic(&mut script, "first");
    let own = script.record(said("aide", &["palace"], "2025-08-15"));
    let second = topic(&mut script, "second");
    let supports = script.read(&[7], own, reading(Polarity::Supports));
    let named = proto::Reading {
        codebook: script.id(first).to_string(),
        ..reading(Polarity::Opposes)
    };
    let opposes = script.read(&[8], own, named);

    let tables = script.tables(&PositionsFold);
    let by = |choice| {
        let terms = Terms {
            choice,
            ..Terms::default()
        };
        at_end(&script, &terms)
    };
    let coder = |number: u8| Choice::Coder(verifier_number(&tables, &key(number)).unwrap());
    let heard = |given_by, polarity| vec![(given_by, Some(polarity), vec![])];
    assert_eq!(by(coder(1)), heard(own, Read::Open));
    assert_eq!(by(coder(7)), heard(supports, Read::Supports));
    assert_eq!(by(coder(8)), heard(opposes, Read::Opposes));
    assert_eq!(by(coder(9)), []);
    let codebook = |index| Choice::Codebook(codebook(&tables, &script.id(index)).unwrap().unwrap());
    assert_eq!(by(codebook(second)), heard(supports, Read::Supports));
    assert_eq!(
        by(codebook(first)),
        [(own, Some(Read::Open), vec![opposes])]
    );

    // What was read by another version replaces nothing where this one is asked for.
    script.read(&[8], own, reading(Polarity::Supports));
    let terms = Terms {
        choice: Choice::Codebook(first),
        ..Terms::default()
    };
    assert_eq!(
        at_end(&script, &terms),
        [(own, Some(Read::Open), vec![opposes])]
    );
}
