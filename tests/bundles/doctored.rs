//! What was changed anywhere is refused, with a line that says what is wrong.

use std::sync::Arc;

use onrecord::bundle::proto::bundle::Question;
use onrecord::bundle::proto::{Bundle, PositionQuestion, SourceText};
use onrecord::bundle::{FORMAT, Fault, NOT_PROVEN, encode};
use onrecord::record::proto::record::Kind;
use onrecord::record::proto::{Polarity, Role, StatementRetracted, VerifierRevoked};
use onrecord::record::{ContentId, Entry, Micros, SigningKey};
use prost::Message as _;

use super::ledger::{Ledger, TEXT, check, lavrov, note_key};
use super::records::{Signer, topic};
use super::whole::eventful;

/// Asserts that a bundle is refused, and why.
#[track_caller]
fn refused(ledger: &Ledger, bundle: &Bundle, why: &str) {
    let report = ledger.check(bundle);
    assert!(!report.holds(), "not refused");
    let fault = report.fault().expect("a line that says no").to_string();
    assert!(fault.contains(why), "{fault:?} does not say {why:?}");
}

fn change(ledger: &Ledger, id: &ContentId, change: impl FnOnce(&mut Bundle)) -> Bundle {
    let mut bundle = ledger.statement(id);
    change(&mut bundle);
    bundle
}

#[test]
fn no_byte_of_a_bundle_can_be_flipped() {
    let (ledger, id) = Ledger::with_statement();
    let mut file = encode(&ledger.statement(&id)).to_vec();
    let keys = [ledger.note_key()];
    assert!(check(&file, &keys).holds());
    for place in 0..file.len() {
        for bit in [0x01, 0x80] {
            file[place] ^= bit;
            let report = check(&file, &keys);
            assert!(!report.holds(), "byte {place} can be changed by {bit:#x}");
            assert!(report.fault().is_some(), "byte {place}: nothing is said");
            file[place] ^= bit;
        }
    }
}

#[test]
fn signatures_by_unknown_keys_are_all_that_may_change() {
    let (ledger, id) = Ledger::with_statement();
    let (checkpoint, note) = ledger.checkpoint();
    let stranger = checkpoint.sign(&SigningKey::from_seed([55; 32]));
    let note = note.with(stranger.signatures().to_vec()).unwrap();
    let bundle = change(&ledger, &id, |bundle| bundle.checkpoint = note.to_string());
    let file = encode(&bundle).to_vec();
    let keys = [ledger.note_key()];
    assert!(check(&file, &keys).holds());
    // The last line of the note is the stranger's.
    let line = note.to_string();
    let line = line.trim_end().rsplit('\n').next().unwrap().as_bytes();
    let start = file.windows(line.len()).position(|window| window == line);
    let strangers = start.unwrap()..start.unwrap() + line.len();
    let mut passed = 0;
    for place in 0..file.len() {
        let mut flipped = file.clone();
        flipped[place] ^= 0x01;
        let holds = check(&flipped, &keys).holds();
        assert!(!holds || strangers.contains(&place), "byte {place}");
        passed += usize::from(holds);
    }
    assert!(passed > 0, "readers pass over what they do not know");
}

#[test]
fn a_file_that_ends_anywhere_is_refused() {
    let (ledger, id) = Ledger::with_statement();
    let file = encode(&ledger.statement(&id));
    for length in 0..file.len() {
        let report = check(&file[..length], &[ledger.note_key()]);
        assert!(report.fault().is_some(), "{length} bytes");
    }
}

#[test]
fn another_file_is_told_in_one_sentence() {
    let keys = [note_key(&SigningKey::from_seed([9; 32]))];
    for file in [
        &b""[..],
        b"%PDF-1.7",
        b"\x0a\x11onrecord-bundle/2",
        TEXT.as_bytes(),
    ] {
        let report = check(file, &keys);
        assert_eq!(report.lines.len(), 1);
        let fault = report.fault().unwrap();
        assert!(matches!(fault, Fault::NotABundle), "{fault}");
        assert!(fault.to_string().contains(FORMAT));
    }
    let bytes = [&[0x0a, 17][..], FORMAT.as_bytes(), b"garbage"].concat();
    let report = check(&bytes, &keys);
    let fault = report.fault().unwrap();
    assert!(matches!(fault, Fault::Malformed(_)), "{fault}");
}

#[test]
fn an_unknown_field_is_refused() {
    let (ledger, id) = Ledger::with_statement();
    let mut file = encode(&ledger.statement(&id)).to_vec();
    // Field 2,000, of length 1.
    file.extend_from_slice(&[0x82, 0x7d, 0x01, 0x00]);
    let report = check(&file, &[ledger.note_key()]);
    let fault = report.fault().unwrap();
    assert!(matches!(fault, Fault::NotCanonical { .. }), "{fault}");
}

#[test]
fn an_entry_that_is_left_out_is_missed_where_the_answer_was_not_made_anew() {
    let (ledger, id) = eventful();
    let whole = ledger.statement(&id);
    for place in 0..whole.entries.len() {
        let mut bundle = whole.clone();
        let dropped = bundle.entries.remove(place);
        let report = ledger.check(&bundle);
        // That a policy was set again, to the same, changes nothing that follows.
        let entry = Entry::decode(dropped.index, dropped.encoded).unwrap();
        let is_idle = matches!(entry.record.kind, Some(Kind::PolicySet(_)));
        assert_eq!(report.holds(), is_idle, "entry {}", dropped.index);
    }
}

#[test]
fn what_speaks_against_an_answer_made_without_it_is_not_missed_and_that_is_said() {
    let retracted = |id: &ContentId| {
        Kind::StatementRetracted(StatementRetracted {
            statement: id.to_string(),
            speaker: "lavrov".to_owned(),
            said_for: vec!["kremlin".to_owned()],
            reason: "It was fabricated.".to_owned(),
        })
    };
    let revoked = |_: &ContentId| {
        Kind::VerifierRevoked(VerifierRevoked {
            verifier: Signer::new(4).id(),
            reason: "The key leaked.".to_owned(),
            untrusted_from: Some(5),
        })
    };
    let retracted: &dyn Fn(&ContentId) -> Kind = &retracted;
    for (against, name) in [(retracted, "retraction"), (&revoked, "revocation")] {
        let (mut ledger, id) = eventful();
        let Some(Question::Statement(before)) = ledger.statement(&id).question else {
            panic!("no statement is asked for");
        };
        ledger.append(against(&id));
        let left_out = ledger.size() - 1;
        let mut bundle = ledger.statement(&id);
        bundle.entries.retain(|it| it.index != left_out);
        refused(&ledger, &bundle, "does not follow");
        let given = bundle.entries.len();
        let Some(Question::Statement(question)) = &mut bundle.question else {
            panic!("no statement is asked for");
        };
        assert!(question.known_at > left_out);
        assert_ne!(question.answer, before.answer, "the {name} changes nothing");
        question.answer = before.answer;
        let report = ledger.check(&bundle);
        assert!(report.holds(), "{:?}", report.fault());
        let said = report.lines.last().unwrap().outcome.to_string();
        let by = format!("by the {given} entries given, ");
        assert!(said.starts_with(&by), "{said}");
        assert!(said.contains("is VISIBLE"), "{said}");
        assert!(NOT_PROVEN.iter().any(|it| it.contains(name)));
    }
}

#[test]
fn swapped_proofs_and_entries_are_refused() {
    let (ledger, id) = Ledger::with_statement();
    let swapped = change(&ledger, &id, |bundle| {
        let hashes = bundle.entries[1].hashes.clone();
        bundle.entries[2].hashes = hashes;
    });
    refused(&ledger, &swapped, "not in the ledger of the checkpoint");
    let swapped = change(&ledger, &id, |bundle| bundle.entries.swap(1, 2));
    refused(&ledger, &swapped, "in the order of their indexes");
    let swapped = change(&ledger, &id, |bundle| {
        let encoded = bundle.entries[1].encoded.clone();
        bundle.entries[2].encoded = encoded;
    });
    refused(&ledger, &swapped, "not in the ledger of the checkpoint");
    let moved = change(&ledger, &id, |bundle| bundle.entries[2].index += 1);
    refused(&ledger, &moved, "not in the ledger of the checkpoint");
    let longer = change(&ledger, &id, |bundle| {
        let hash = bundle.entries[1].hashes[0].clone();
        bundle.entries[1].hashes.push(hash);
    });
    refused(&ledger, &longer, "hashes");
    let short = change(&ledger, &id, |bundle| {
        let hash = bundle.entries[1].hashes[0].slice(1..);
        bundle.entries[1].hashes[0] = hash;
    });
    refused(&ledger, &short, "has 31 bytes");
}

#[test]
fn a_foreign_key_is_refused() {
    let (ledger, id) = Ledger::with_statement();
    let file = encode(&ledger.statement(&id));
    let foreign = note_key(&SigningKey::from_seed([8; 32]));
    let report = check(&file, &[foreign]);
    let fault = report.fault().unwrap().to_string();
    assert!(
        fault.contains("no signature by the ledger's key"),
        "{fault}"
    );
    let report = check(&file, &[]);
    assert!(matches!(report.fault(), Some(Fault::NoKey)));
}

#[test]
fn a_key_that_the_ledger_does_not_record_is_refused() {
    let (mut ledger, id) = Ledger::with_statement();
    ledger.key = SigningKey::from_seed([8; 32]);
    let bundle = ledger.statement(&id);
    refused(&ledger, &bundle, "none that the entries record");
}

#[test]
fn an_altered_text_is_refused() {
    let (ledger, id) = Ledger::with_statement();
    let altered = change(&ledger, &id, |bundle| bundle.texts[0].text.push('!'));
    refused(&ledger, &altered, "hashes to");
    let other = SourceText {
        text_id: ContentId::of(b"another").to_string(),
        source: ContentId::of(b"another").to_string(),
        profile: "plain-text/1".to_owned(),
        text: "another".to_owned(),
    };
    let added = change(&ledger, &id, |bundle| {
        bundle.texts.push(other);
        bundle
            .texts
            .sort_by(|one, two| one.text_id.cmp(&two.text_id));
    });
    refused(&ledger, &added, "no entry archives");
    let altered = change(&ledger, &id, |bundle| {
        let mut bytes = bundle.documents[0].content.to_vec();
        bytes[0] ^= 1;
        bundle.documents[0].content = bytes.into();
    });
    refused(&ledger, &altered, "the document given as");
    let twice = change(&ledger, &id, |bundle| {
        let text = bundle.texts[0].clone();
        bundle.texts.push(text);
    });
    refused(&ledger, &twice, "each once");
}

#[test]
fn a_changed_answer_about_a_statement_is_refused_by_its_field() {
    let (ledger, id) = eventful();
    let answer = |change: &dyn Fn(&mut onrecord::bundle::proto::StatementAnswer)| {
        let mut bundle = ledger.statement(&id);
        let Some(Question::Statement(question)) = &mut bundle.question else {
            panic!("no statement is asked for");
        };
        change(question.answer.as_mut().unwrap());
        bundle
    };
    for (bundle, field) in [
        (answer(&|it| it.version -= 1), "version"),
        (answer(&|it| it.visibility = 2), "visibility"),
        (answer(&|it| it.retraction = Some(3)), "retraction"),
        (answer(&|it| it.corrections.clear()), "corrections"),
        (answer(&|it| it.readings.push(1)), "readings"),
        (answer(&|it| it.vouchers.truncate(1)), "vouchers"),
        (answer(&|it| it.attestations_min = 2), "attestations_min"),
        (answer(&|it| it.reviews.clear()), "reviews"),
    ] {
        let why = format!("does not follow: {field} is given as");
        refused(&ledger, &bundle, &why);
    }
}

fn of_russia(ledger: &Ledger) -> Bundle {
    ledger.position(PositionQuestion {
        actor: "russia".to_owned(),
        topic: "meeting".to_owned(),
        as_of: "2025-08-31T23:59:59Z".to_owned(),
        known_at: ledger.size(),
        ..PositionQuestion::default()
    })
}

#[test]
fn a_changed_position_or_question_is_refused() {
    let (mut ledger, _) = eventful();
    ledger.append(Kind::StatementRecorded(lavrov(
        "2025-08-17",
        Polarity::Opposes,
    )));
    let altered = |change: &dyn Fn(&mut PositionQuestion)| {
        let mut bundle = of_russia(&ledger);
        let Some(Question::Position(question)) = &mut bundle.question else {
            panic!("no position is asked for");
        };
        change(question);
        bundle
    };
    for (bundle, why) in vec![
        (
            altered(&|it| it.answer.as_mut().unwrap().finding = 6),
            "does not follow: finding is given as 6, and is 2",
        ),
        (
            altered(&|it| {
                let deciding = it.answer.as_mut().unwrap().deciding.as_mut().unwrap();
                deciding.stance.as_mut().unwrap().polarity = 3;
            }),
            "does not follow: deciding",
        ),
        (
            altered(&|it| it.answer.as_mut().unwrap().front.clear()),
            "does not follow: front",
        ),
        (
            altered(&|it| it.answer.as_mut().unwrap().considered += 1),
            "does not follow: considered",
        ),
        (altered(&|it| it.answer = None), "no answer"),
        (
            altered(&|it| it.known_at += 100),
            "the checkpoint commits to",
        ),
        (altered(&|it| it.known_at = 3), "does not follow"),
        (
            altered(&|it| "2025-08-17T23:59:59Z".clone_into(&mut it.as_of)),
            "does not follow",
        ),
        (
            altered(&|it| "2025-08-31".clone_into(&mut it.as_of)),
            "as_of cannot be used",
        ),
        (
            altered(&|it| "soon".clone_into(&mut it.as_of)),
            "as_of cannot be used",
        ),
        (
            altered(&|it| "A B".clone_into(&mut it.actor)),
            "actor cannot be used",
        ),
        (
            altered(&|it| "stranger".clone_into(&mut it.actor)),
            "the actor that is asked about",
        ),
        (
            altered(&|it| it.with_parts = Some(false)),
            "does not follow",
        ),
    ] {
        refused(&ledger, &bundle, why);
    }
    let nothing = {
        let mut bundle = of_russia(&ledger);
        bundle.question = None;
        bundle
    };
    refused(&ledger, &nothing, "no question");
}

#[test]
fn a_statement_that_was_left_out_of_a_position_is_missed_where_the_answer_still_counts_it() {
    let (mut ledger, _) = eventful();
    ledger.append(Kind::StatementRecorded(lavrov(
        "2025-08-17",
        Polarity::Opposes,
    )));
    let mut bundle = of_russia(&ledger);
    bundle.entries.pop();
    refused(&ledger, &bundle, "does not follow");
}

#[test]
fn what_the_rules_would_not_have_let_in_is_refused_though_it_is_in_the_ledger() {
    // A stranger's record, let in by an archive that does not keep its own rules.
    let (mut ledger, id) = Ledger::with_statement();
    let stranger = Signer::new(99);
    let envelope = stranger.seal(Kind::TopicDefined(topic("smuggled")));
    let mut bundle = ledger.statement(&id);
    let index = ledger.size();
    let recorded_at = Micros(ledger.entries.last().unwrap().recorded_at.0 + 1);
    let record = onrecord::record::decode(&envelope.payload).unwrap();
    let record_id = ContentId::of(&envelope.payload);
    // Nothing can fold it: the tree alone takes it.
    let entry = Entry::new(index, recorded_at, record_id, record, envelope);
    ledger.smuggle(entry);
    bundle.entries.push(onrecord::bundle::proto::ProvenEntry {
        index,
        ..Default::default()
    });
    ledger.prove(&mut bundle);
    refused(&ledger, &bundle, "UNKNOWN_VERIFIER");
}

#[test]
fn an_entry_with_bytes_that_a_ledger_does_not_write_is_refused_though_it_is_in_the_tree() {
    // A field that no entry has, of length 1; and the time once more, which says the same.
    let unknown: &[u8] = &[0x7a, 0x01, b'x'];
    let (whole, _) = Ledger::with_statement();
    let last = whole.entries.last().unwrap();
    let again = onrecord::record::proto::Entry {
        recorded_at: Some(last.recorded_at.to_timestamp()),
        ..Default::default()
    };
    for beside in [unknown, &again.encode_to_vec()] {
        let (mut ledger, _) = Ledger::with_statement();
        let index = ledger.size();
        let envelope = ledger.steward.seal(Kind::TopicDefined(topic("late")));
        let record = onrecord::record::decode(&envelope.payload).unwrap();
        let record_id = ContentId::of(&envelope.payload);
        let mut entry = Entry::new(index, last.recorded_at, record_id, record, envelope);
        entry.encoded = [&entry.encoded, beside].concat().into();
        ledger.put(entry);
        let bundle = ledger.records(&[index]);
        refused(&ledger, &bundle, "not in its canonical encoding");
    }
}

#[test]
fn a_back_dated_entry_is_refused() {
    let (mut ledger, id) = Ledger::with_statement();
    let last = Arc::clone(ledger.entries.last().unwrap());
    let envelope = ledger.steward.seal(Kind::TopicDefined(topic("late")));
    let record = onrecord::record::decode(&envelope.payload).unwrap();
    let record_id = ContentId::of(&envelope.payload);
    let recorded_at = Micros(last.recorded_at.0 - 1);
    let index = ledger.size();
    ledger.put(Entry::new(index, recorded_at, record_id, record, envelope));
    let mut bundle = ledger.statement(&id);
    bundle.entries.push(onrecord::bundle::proto::ProvenEntry {
        index,
        ..Default::default()
    });
    ledger.prove(&mut bundle);
    refused(&ledger, &bundle, "before an entry below it");
}

#[test]
fn a_record_that_was_not_asked_for_by_its_index_is_not_among_the_answers() {
    let (mut ledger, _) = Ledger::with_statement();
    ledger.append(Signer::new(4).enrolled(&[Role::Coder]));
    let mut bundle = ledger.records(&[1]);
    let Some(Question::Records(question)) = &mut bundle.question else {
        panic!("no record is asked for");
    };
    question.indexes = vec![1, 4];
    refused(&ledger, &bundle, "not among the entries");
    let Some(Question::Records(question)) = &mut bundle.question else {
        panic!("no record is asked for");
    };
    question.indexes.clear();
    refused(&ledger, &bundle, "no record that is asked for");
}

#[test]
fn a_bundle_of_another_origin_than_its_checkpoint_is_refused() {
    let (ledger, id) = Ledger::with_statement();
    let other = change(&ledger, &id, |bundle| bundle.origin.push('x'));
    refused(&ledger, &other, "and its checkpoint of");
    let unsigned = change(&ledger, &id, |bundle| bundle.checkpoint.clear());
    refused(&ledger, &unsigned, "not a signed note");
    let other = change(&ledger, &id, |bundle| bundle.format = String::new());
    let report = check(&other.encode_to_vec(), &[ledger.note_key()]);
    assert!(matches!(report.fault(), Some(Fault::NotABundle)));
}
