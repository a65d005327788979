//! What stands as it was made is confirmed, and what could not be looked at is told.

use onrecord::bundle::proto::PositionQuestion;
use onrecord::bundle::proto::Terms;
use onrecord::bundle::proto::bundle::Question;
use onrecord::bundle::{Check, Outcome, Report, Trusted, check, encode};
use onrecord::merkle::{CosignatureTime, WitnessKey, WitnessPolicy, cosign};
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{
    ActorKind, CheckpointKeySet, MandateEnded, Polarity, PolicySet, ReadingAdded, Role, SourceRead,
    StatementCorrected, StatementRetracted, TopicDefined, VerifierRevoked,
    review_published::Target,
};
use onrecord::record::{ContentId, SigningKey};

use super::ledger::{Ledger, PASSAGE, TEXT, lavrov};
use super::records::{
    Signer, actor, answered, attestation_added, evidence, evidence_added, review, topic,
};

fn assert_whole(report: &Report) {
    assert!(report.holds(), "{:?}", report.fault());
}

fn asked(actor: &str, known_at: u64) -> PositionQuestion {
    PositionQuestion {
        actor: actor.to_owned(),
        topic: "meeting".to_owned(),
        as_of: "2025-08-31T23:59:59Z".to_owned(),
        known_at,
        ..PositionQuestion::default()
    }
}

/// A ledger in which everything was done to a statement that can be.
pub fn eventful() -> (Ledger, ContentId) {
    let (mut ledger, id) = Ledger::with_statement();
    let statement = id.to_string();
    let said_for = vec!["kremlin".to_owned()];
    let other = Signer::new(4);
    ledger.append(other.enrolled(&[Role::Attestor, Role::Coder]));
    let introduced = ledger.entries.last().unwrap().index - 1;
    let envelope = ledger.entries[usize::try_from(introduced).unwrap()]
        .envelope
        .clone();
    ledger.append(Kind::AttestationAdded(attestation_added(
        &envelope,
        &[&other],
    )));
    let reading = |rationale: &str| {
        Kind::ReadingAdded(ReadingAdded {
            statement: statement.clone(),
            speaker: "lavrov".to_owned(),
            said_for: said_for.clone(),
            reading: Some(answered("meeting", Polarity::Supports)),
            rationale: rationale.to_owned(),
        })
    };
    let coded = ledger.coder.seal(reading("It asks for it."));
    ledger.append_envelope(coded);
    ledger.append_envelope(other.seal(reading("It is for it.")));
    let longer = format!("{TEXT}\nNo format is refused.");
    ledger.archive(&longer);
    let added = vec![evidence(&longer, PASSAGE)];
    let added = evidence_added(&statement, "lavrov", &["kremlin"], added);
    ledger.append(Kind::EvidenceAdded(added));
    let mut corrected = lavrov("2025-08-18", Polarity::Open);
    "Moscow".clone_into(&mut corrected.venue);
    ledger.append(Kind::StatementCorrected(StatementCorrected {
        statement: statement.clone(),
        corrects: statement.clone(),
        corrected: Some(corrected),
        reason: "The day was wrong.".to_owned(),
    }));
    ledger.append(Kind::ReviewPublished(review(Target::Statement(statement))));
    ledger.append(Kind::PolicySet(PolicySet {
        attestations_min: 1,
        admission_rules: 1,
    }));
    (ledger, id)
}

#[test]
fn a_statement_is_confirmed_with_nothing_but_the_archives_key() {
    let (ledger, id) = Ledger::with_statement();
    let bundle = ledger.statement(&id);
    // What has nothing to do with it is not in it.
    assert!(bundle.entries.len() < ledger.entries.len());
    let report = ledger.check(&bundle);
    assert_whole(&report);
    // That there are no witnesses is all that is left to be said.
    assert_eq!(report.unchecked(), 1);
    let answer = report.lines.last().unwrap();
    assert_eq!(answer.check, Check::Answer);
    assert!(
        answer.outcome.to_string().contains(PASSAGE),
        "{}",
        answer.outcome
    );
}

#[test]
fn a_statement_to_which_everything_was_done_is_confirmed_at_every_size() {
    let (ledger, id) = eventful();
    let report = ledger.check(&ledger.statement(&id));
    assert_whole(&report);
    let introduced = ledger
        .entries
        .iter()
        .find(|it| it.record_id == id)
        .unwrap()
        .index;
    for index in introduced..ledger.size() {
        let report = ledger.check(&ledger.records(&[index]));
        assert_whole(&report);
    }
}

#[test]
fn a_retracted_statement_is_confirmed_as_retracted() {
    let (mut ledger, id) = eventful();
    ledger.append(Kind::StatementRetracted(StatementRetracted {
        statement: id.to_string(),
        speaker: "lavrov".to_owned(),
        said_for: vec!["kremlin".to_owned()],
        reason: "It was fabricated.".to_owned(),
    }));
    let report = ledger.check(&ledger.statement(&id));
    assert_whole(&report);
    let said = report.lines.last().unwrap().outcome.to_string();
    assert!(said.contains("RETRACTED"), "{said}");
}

#[test]
fn positions_follow_from_the_entries_whoever_is_asked_and_as_known_at_any_size() {
    let (mut ledger, _) = eventful();
    ledger.append(Kind::StatementRecorded(lavrov(
        "2025-08-17",
        Polarity::Opposes,
    )));
    ledger.append(Kind::MandateEnded(MandateEnded {
        mandate_id: "lavrov-kremlin".to_owned(),
        end: "2026-01-01".to_owned(),
        reason: "He left.".to_owned(),
        replaces: mandate_record(&ledger),
        ..MandateEnded::default()
    }));
    for known_at in 10..=ledger.size() {
        for actor in ["russia", "kremlin", "lavrov", "nobody"] {
            let report = ledger.check(&ledger.position(asked(actor, known_at)));
            assert_whole(&report);
        }
    }
}

fn mandate_record(ledger: &Ledger) -> String {
    let granted = ledger
        .entries
        .iter()
        .find(|entry| matches!(entry.record.kind, Some(Kind::MandateGranted(_))));
    granted.unwrap().record_id.to_string()
}

#[test]
fn a_position_is_confirmed_on_the_readers_own_terms() {
    let (ledger, _) = eventful();
    let key = |signer: &Signer| signer.id();
    let codebook = ledger
        .entries
        .iter()
        .find_map(|entry| match &entry.record.kind {
            Some(Kind::TopicDefined(TopicDefined { topic_id, .. })) if topic_id == "meeting" => {
                Some(entry.record_id.to_string())
            }
            _ => None,
        });
    for terms in [
        Terms {
            attestations_min: 2,
            ..Terms::default()
        },
        Terms {
            attestations_min: 3,
            ..Terms::default()
        },
        Terms {
            verifiers: vec![key(&ledger.steward)],
            ..Terms::default()
        },
        Terms {
            verifiers: vec![key(&Signer::new(77))],
            ..Terms::default()
        },
        Terms {
            verifiers_excluded: vec![key(&ledger.coder)],
            ..Terms::default()
        },
        Terms {
            coder: key(&ledger.coder),
            ..Terms::default()
        },
        Terms {
            codebook: codebook.unwrap(),
            ..Terms::default()
        },
        Terms {
            published_by: "2025-08-01".to_owned(),
            ..Terms::default()
        },
        Terms {
            mandated_only: true,
            derived_excluded: true,
            ..Terms::default()
        },
        Terms {
            wordings: vec![1],
            ..Terms::default()
        },
        Terms {
            source_roles: vec![3],
            publishers: vec!["X".to_owned()],
            ..Terms::default()
        },
        Terms {
            bases: vec![2],
            ..Terms::default()
        },
    ] {
        let question = PositionQuestion {
            terms: Some(terms),
            ..asked("russia", ledger.size())
        };
        let report = ledger.check(&ledger.position(question));
        assert_whole(&report);
        let said = report.lines.last().unwrap().outcome.to_string();
        assert!(said.contains("on a reader's own terms ("), "{said}");
    }
}

#[test]
fn a_position_is_told_with_its_terms_its_parts_and_what_they_took_away() {
    let (mut ledger, _) = eventful();
    ledger.append(Kind::StatementRecorded(lavrov(
        "2025-08-17",
        Polarity::Opposes,
    )));
    let said = |terms: Option<Terms>, with_parts| {
        let question = PositionQuestion {
            terms,
            with_parts,
            ..asked("russia", ledger.size())
        };
        let bundle = ledger.position(question);
        let Some(Question::Position(asked)) = &bundle.question else {
            panic!("no position is asked for");
        };
        let filtered = asked.answer.as_ref().unwrap().filtered;
        let report = ledger.check(&bundle);
        assert_whole(&report);
        let said = report.lines.last().unwrap().outcome.to_string();
        (said, filtered)
    };
    // Nine strangers, of whom eight are named.
    let strangers: Vec<String> = (60..69).map(|seed| Signer::new(seed).id()).collect();
    let last = strangers[8].clone();
    let terms = Terms {
        wordings: vec![1],
        attestations_min: 2,
        verifiers_excluded: strangers,
        ..Terms::default()
    };
    let (on_terms, filtered) = said(Some(terms), Some(true));
    assert_ne!(filtered, 0);
    for words in [
        "the position of russia with its parts on meeting, on a reader's own terms (only VERBATIM;",
        "; only what at least 2 verifiers vouch for; nothing by ",
        &format!(" and 1 more), by which {filtered} statements were taken away, as of "),
    ] {
        assert!(on_terms.contains(words), "{words:?} is not in {on_terms}");
    }
    assert!(!on_terms.contains(&last), "{on_terms}");
    for own in [None, Some(Terms::default())] {
        let (alone, _) = said(own, Some(false));
        let words = "the position of russia without its parts on meeting, as of ";
        assert!(alone.contains(words), "{alone}");
    }
}

#[test]
fn silence_is_confirmed_with_who_looked() {
    let (mut ledger, _) = Ledger::with_statement();
    ledger.append(Kind::SourceRead(SourceRead {
        source: ContentId::of(TEXT.as_bytes()).to_string(),
        topics: vec!["price".to_owned(), "meeting".to_owned()],
        whole: true,
    }));
    let question = PositionQuestion {
        topic: "price".to_owned(),
        ..asked("kremlin", ledger.size())
    };
    let bundle = ledger.position(question);
    let Some(Question::Position(question)) = &bundle.question else {
        panic!("no position is asked for");
    };
    assert_eq!(question.answer.as_ref().unwrap().sources_read, 1);
    assert_whole(&ledger.check(&bundle));
}

#[test]
fn a_revoked_verifier_counts_as_the_revocation_says() {
    let (mut ledger, id) = eventful();
    let other = Signer::new(4);
    ledger.append(Kind::VerifierRevoked(VerifierRevoked {
        verifier: other.id(),
        reason: "The key leaked.".to_owned(),
        untrusted_from: Some(5),
    }));
    assert_whole(&ledger.check(&ledger.statement(&id)));
    assert_whole(&ledger.check(&ledger.position(asked("russia", ledger.size()))));
}

#[test]
fn a_new_checkpoint_key_is_told_and_checkpoints_by_it_are_taken() {
    let (mut ledger, id) = Ledger::with_statement();
    let new = SigningKey::from_seed([10; 32]);
    ledger.append(Kind::CheckpointKeySet(CheckpointKeySet {
        checkpoint_key: new.public().to_string(),
        proof_of_possession: onrecord::admission::prove_possession(&new, super::records::ORIGIN),
    }));
    ledger.key = new;
    let report = ledger.check(&ledger.statement(&id));
    assert_whole(&report);
    let told = |line: &&onrecord::bundle::Line| line.check == Check::Checkpoint;
    assert_eq!(report.lines.iter().filter(told).count(), 3);
}

#[test]
fn passages_of_texts_that_are_not_given_are_not_passed() {
    let (ledger, id) = Ledger::with_statement();
    let mut bundle = ledger.statement(&id);
    bundle.texts.clear();
    bundle.documents.clear();
    let report = ledger.check(&bundle);
    assert_whole(&report);
    let unchecked: Vec<String> = report
        .lines
        .iter()
        .filter(|line| matches!(line.outcome, Outcome::Unchecked(_)))
        .map(|line| line.outcome.to_string())
        .collect();
    let text_id = ContentId::of(TEXT.as_bytes()).to_string();
    assert_eq!(unchecked.len(), 3, "{unchecked:?}");
    assert!(unchecked[1].contains(&text_id), "{unchecked:?}");
    assert!(unchecked[2].contains("1 of 1 documents"), "{unchecked:?}");
}

#[test]
fn a_time_later_than_its_witnesses_saw_it_is_told_of() {
    let (ledger, id) = Ledger::with_statement();
    let newest = ledger.entries.last().unwrap().recorded_at;
    let newest = u64::try_from(newest.0 / 1_000_000).unwrap();
    let (checkpoint, _) = ledger.checkpoint();
    let witness = SigningKey::from_seed([21; 32]);
    let name = || "w1.example".parse().unwrap();
    let keys = [ledger.note_key()];
    let key = WitnessKey::new(name(), witness.public());
    let witnesses = &WitnessPolicy::new(vec![key], 1).unwrap();
    for (time, is_told) in [(newest - 60, false), (newest - 61, true), (1, true)] {
        let time = CosignatureTime::from_unix_seconds(time).unwrap();
        let line = cosign(&checkpoint, name(), &witness, time);
        let mut bundle = ledger.statement(&id);
        let note = ledger.checkpoint().1.with(vec![line]).unwrap();
        bundle.checkpoint = note.to_string();
        let keys = &keys;
        let report = check(&encode(&bundle), &Trusted { keys, witnesses });
        assert!(report.holds());
        let told = report.lines.iter().filter(|it| match &it.outcome {
            Outcome::Unchecked(text) => text.contains("one of the clocks is wrong"),
            _ => false,
        });
        assert_eq!(told.count(), usize::from(is_told), "{report:?}");
    }
}

#[test]
fn a_quorum_of_witnesses_bounds_the_time_from_above() {
    let (ledger, id) = Ledger::with_statement();
    let keys = [21, 22, 23].map(|seed| SigningKey::from_seed([seed; 32]));
    let names = ["w1.example", "w2.example", "w3.example"];
    let (checkpoint, mut note) = ledger.checkpoint();
    for (place, key) in keys.iter().enumerate().take(2) {
        let time = CosignatureTime::from_unix_seconds(1_800_000_000 + place as u64).unwrap();
        let line = cosign(&checkpoint, names[place].parse().unwrap(), key, time);
        note = note.with(vec![line]).unwrap();
    }
    let mut bundle = ledger.statement(&id);
    bundle.checkpoint = note.to_string();
    let witnesses = |quorum| {
        let key = |(key, name): (&SigningKey, &&str)| {
            WitnessKey::new(name.parse().unwrap(), key.public())
        };
        WitnessPolicy::new(keys.iter().zip(&names).map(key).collect(), quorum).unwrap()
    };
    let keys = [ledger.note_key()];
    let checked = |quorum| {
        let witnesses = &witnesses(quorum);
        check(
            &encode(&bundle),
            &Trusted {
                keys: &keys,
                witnesses,
            },
        )
    };
    let report = checked(2);
    assert_whole(&report);
    assert_eq!(report.recorded_by, Some(1_800_000_001));
    assert_eq!(report.unchecked(), 0);
    let report = checked(3);
    assert!(!report.holds());
    let fault = report.fault().unwrap().to_string();
    assert_eq!(
        fault,
        "cosigned by 2 of the trusted witnesses; 3 are asked for"
    );
}

#[test]
fn an_actor_of_many_versions_is_confirmed_with_all_of_them() {
    let (mut ledger, id) = Ledger::with_statement();
    let lavrov = ledger
        .entries
        .iter()
        .find(|entry| match &entry.record.kind {
            Some(Kind::ActorDefined(defined)) => defined.actor_id == "lavrov",
            _ => false,
        });
    let replaces = lavrov.unwrap().record_id.to_string();
    let mut again = actor("lavrov", ActorKind::Person);
    again.names[0].name = "Sergey Lavrov".to_owned();
    again.replaces = replaces;
    ledger.append(Kind::ActorDefined(again));
    ledger.append(Kind::TopicDefined(topic("another")));
    assert_whole(&ledger.check(&ledger.statement(&id)));
}
