use super::{
    CatalogFold, Coverage, Ids, actor, actor_ids, attestations, checkpoint_key, coverage,
    first_with_text, mandate, mandate_ids, milestone, milestone_reviews, policy, source,
    source_ids, source_reviews, topic, verifier, verifier_ids, withholding, witness_policy,
};
use crate::fold::{Fold, FoldError, MemoryTables, Order};
use crate::projection::fixtures::{CAPTURED, Script, key, slug, source_id};
use crate::projection::{Provenance, fixtures};
use crate::record::proto::record::Kind;
use crate::record::proto::review_published::Target;
use crate::record::{Micros, proto};
use data_encoding::HEXLOWER;

fn enrolled(signer: u8, name: &str) -> proto::VerifierEnrolled {
    proto::VerifierEnrolled {
        verifier: HEXLOWER.encode(&key(signer)),
        name: name.to_owned(),
        ..proto::VerifierEnrolled::default()
    }
}

fn topic_noted(note: &str) -> Kind {
    Kind::TopicDefined(proto::TopicDefined {
        topic_id: "meeting".to_owned(),
        note: note.to_owned(),
        ..proto::TopicDefined::default()
    })
}

#[test]
fn each_basis_sees_the_newest_version_below_it() {
    let mut script = Script::default();
    script.put(&[1], topic_noted("first"));
    script.actor("head", proto::ActorKind::Person, "");
    script.put(&[2, 3], topic_noted("second"));
    let tables = script.tables(&CatalogFold);
    let note = |known_at| {
        let found = topic(&tables, &slug("meeting"), known_at).unwrap();
        found.map(|found| (found.definition.note, found.provenance.index))
    };
    assert_eq!(note(0), None);
    assert_eq!(note(1), Some(("first".to_owned(), 0)));
    assert_eq!(note(2), Some(("first".to_owned(), 0)));
    assert_eq!(note(3), Some(("second".to_owned(), 2)));
    assert_eq!(note(u64::MAX), Some(("second".to_owned(), 2)));
    let found = topic(&tables, &slug("meeting"), 3).unwrap().unwrap();
    let expected = Provenance {
        index: 2,
        record_id: script.id(2),
        recorded_at: Micros(2000),
        verifiers: vec![key(2), key(3)],
        attestations: Vec::new(),
    };
    assert_eq!(found.provenance, expected);
    assert_eq!(topic(&tables, &slug("meet"), 3).unwrap(), None);
}

#[test]
fn definitions_of_every_kind_are_found_by_their_ids() {
    let mut script = Script::default();
    script.actor("head", proto::ActorKind::Person, "");
    script.put(
        &[1],
        Kind::MilestoneDefined(proto::MilestoneDefined {
            milestone_id: "summit".to_owned(),
            date: "2025-08-15".to_owned(),
            ..proto::MilestoneDefined::default()
        }),
    );
    script.source("a", "2025-08-25", CAPTURED);
    let tables = script.tables(&CatalogFold);
    let end = u64::MAX;
    let head = actor(&tables, &slug("head"), end).unwrap().unwrap();
    assert_eq!(head.definition.kind(), proto::ActorKind::Person);
    let summit = milestone(&tables, &slug("summit"), end).unwrap().unwrap();
    assert_eq!(summit.definition.date, "2025-08-15");
    let id = source_id("a").parse().unwrap();
    let digest = source(&tables, &id, end).unwrap().unwrap();
    assert_eq!(digest.definition.published_at, "2025-08-25");
    assert_eq!(actor(&tables, &slug("summit"), end).unwrap(), None);
}

#[test]
fn a_mandate_that_has_ended_is_a_version_with_the_end() {
    let mut script = Script::default();
    let authority = proto::Authority::Spokesperson;
    script.mandate("aide", "palace", authority, &["meeting"], ("2020", ""));
    script.end_mandate("aide-palace", "2025-08-31");
    let tables = script.tables(&CatalogFold);
    let at = |known_at| mandate(&tables, &slug("aide-palace"), known_at).unwrap();
    let granted = at(1).unwrap();
    let ended = at(2).unwrap();
    assert_eq!(granted.definition.end, "");
    assert_eq!(ended.provenance.index, 1);
    let expected = proto::MandateGranted {
        end: "2025-08-31".to_owned(),
        ..granted.definition
    };
    assert_eq!(ended.definition, expected);
}

#[test]
fn the_founding_enrols_its_verifiers_and_sets_the_policy() {
    let mut script = Script::default();
    let policy_of = |attestations_min| proto::PolicySet {
        attestations_min,
        admission_rules: 1,
    };
    script.put(
        &[1],
        Kind::ArchiveFounded(proto::ArchiveFounded {
            verifiers: vec![enrolled(1, "one"), enrolled(2, "two")],
            policy: Some(policy_of(1)),
            ..proto::ArchiveFounded::default()
        }),
    );
    script.put(&[1], Kind::VerifierEnrolled(enrolled(2, "renamed")));
    script.put(&[1], Kind::PolicySet(policy_of(2)));
    let tables = script.tables(&CatalogFold);
    let name = |signer, known_at| {
        let found = verifier(&tables, &key(signer), known_at).unwrap();
        found.map(|found| found.enrolment.definition.name)
    };
    assert_eq!(name(1, 1).as_deref(), Some("one"));
    assert_eq!(name(2, 1).as_deref(), Some("two"));
    assert_eq!(name(2, 2).as_deref(), Some("renamed"));
    assert_eq!(name(3, 2), None);
    let attestations = |known_at| {
        let found = policy(&tables, known_at).unwrap();
        found.map(|found| found.definition.attestations_min)
    };
    assert_eq!(
        [0, 1, 2, 3].map(attestations),
        [None, Some(1), Some(1), Some(2)]
    );
}

#[test]
fn a_revocation_stands_beside_the_enrolment_that_it_follows() {
    let mut script = Script::default();
    script.put(&[1], Kind::VerifierEnrolled(enrolled(2, "two")));
    script.put(
        &[1],
        Kind::VerifierRevoked(proto::VerifierRevoked {
            verifier: HEXLOWER.encode(&key(2)),
            reason: "lost".to_owned(),
            untrusted_from: None,
        }),
    );
    script.put(&[1], Kind::VerifierEnrolled(enrolled(2, "again")));
    let tables = script.tables(&CatalogFold);
    let revoked = |known_at| {
        let found = verifier(&tables, &key(2), known_at).unwrap().unwrap();
        found.revocation.map(|revoked| revoked.provenance.index)
    };
    assert_eq!([1, 2, 3].map(revoked), [None, Some(1), None]);
}

#[test]
fn the_end_of_a_mandate_that_is_not_on_record_stops_the_fold_at_its_entry() {
    let mut script = Script::default();
    script.actor("head", proto::ActorKind::Person, "");
    script.end_mandate("head-state", "2025");
    let error = CatalogFold
        .fold(&MemoryTables::default(), &script.entries[1])
        .unwrap_err();
    assert!(
        matches!(error, FoldError::Entry { index: 1, .. }),
        "{error}"
    );
}

#[test]
fn a_damaged_row_is_an_error_and_names_its_table() {
    let mut script = Script::default();
    script.put(&[1], topic_noted("first"));
    let mut tables = script.tables(&CatalogFold);
    let damaged = tables
        .all()
        .map(|(key, value)| (key.to_vec(), Some(value[1..].to_vec())));
    let damaged = damaged.collect();
    tables.apply(damaged);
    let error = topic(&tables, &fixtures::slug("meeting"), 1).unwrap_err();
    assert!(
        matches!(error, FoldError::Row { table: "topics" }),
        "{error}"
    );
}

#[test]
fn a_text_is_on_record_from_the_first_entry_on_that_names_it() {
    let text_id = source_id("text").parse().unwrap();
    let archived = |text_id: &str| {
        Kind::SourceArchived(proto::SourceArchived {
            source: source_id("a"),
            text_id: text_id.to_owned(),
            ..proto::SourceArchived::default()
        })
    };
    let mut script = Script::default();
    script.put(&[1], archived(""));
    script.put(&[1], archived(&source_id("text")));
    script.put(&[1], archived(""));
    let tables = script.tables(&CatalogFold);
    let known: Vec<_> = (0..5)
        .map(|known_at| first_with_text(&tables, &text_id, known_at).unwrap())
        .collect();
    assert_eq!(known, [None, None, Some(1), Some(1), Some(1)]);
    let other = source_id("other").parse().unwrap();
    assert_eq!(first_with_text(&tables, &other, 5).unwrap(), None);
}

#[test]
fn a_source_that_was_read_counts_once_and_as_whole_once_all_of_it_was_read() {
    let read = |name: &str, topics: &[&str], whole| {
        Kind::SourceRead(proto::SourceRead {
            source: source_id(name),
            topics: topics.iter().map(ToString::to_string).collect(),
            whole,
        })
    };
    let mut script = Script::default();
    script.put(&[7], read("a", &["meeting", "price"], false));
    script.put(&[7], read("a", &["meeting"], false));
    script.put(&[8], read("b", &["meeting"], true));
    script.put(&[8], read("a", &["meeting"], true));
    script.put(&[8], read("b", &["meeting"], false));
    let tables = script.tables(&CatalogFold);
    let counted = |topic: &str, known_at| {
        let Coverage { sources, whole } = coverage(&tables, &slug(topic), known_at).unwrap();
        (sources, whole)
    };
    let meeting: Vec<_> = (0..6)
        .map(|known_at| counted("meeting", known_at))
        .collect();
    assert_eq!(meeting, [(0, 0), (1, 0), (1, 0), (2, 1), (2, 2), (2, 2)]);
    assert_eq!(counted("price", 6), (1, 0));
    assert_eq!(counted("meet", 6), (0, 0));
}

#[test]
fn signatures_that_were_added_stand_in_the_provenance_from_their_entry_on() {
    let mut script = Script::default();
    script.put(&[1], topic_noted("first"));
    let record = script.id(0).to_string();
    for signers in [&[2, 3][..], &[4]] {
        script.put(
            &[1],
            Kind::AttestationAdded(proto::AttestationAdded {
                record: record.clone(),
                verifiers: signers
                    .iter()
                    .map(|it| HEXLOWER.encode(&key(*it)))
                    .collect(),
                signatures: Vec::new(),
            }),
        );
    }
    let tables = script.tables(&CatalogFold);
    let at = |known_at| {
        topic(&tables, &slug("meeting"), known_at)
            .unwrap()
            .unwrap()
            .provenance
    };
    assert_eq!(at(1).verifiers, [key(1)]);
    assert_eq!(at(2).verifiers, [key(1), key(2), key(3)]);
    assert_eq!(at(2).attestations, [(1, key(2)), (1, key(3))]);
    assert_eq!(at(3).verifiers, [key(1), key(2), key(3), key(4)]);
    assert_eq!(attestations(&tables, &script.id(1), 3).unwrap(), []);
}

#[test]
fn the_widest_withholding_stands_and_reviews_are_read_from_the_newest_on() {
    let withheld = |scope: proto::WithholdingScope| {
        Kind::SourceWithheld(proto::SourceWithheld {
            source: source_id("a"),
            scope: scope.into(),
            ..proto::SourceWithheld::default()
        })
    };
    let mut script = Script::default();
    script.source("a", "2025-08-25", CAPTURED);
    for scope in [
        proto::WithholdingScope::Bytes,
        proto::WithholdingScope::BytesAndText,
        proto::WithholdingScope::Bytes,
    ] {
        script.put(&[1], withheld(scope));
    }
    script.review(Target::Source(source_id("a")));
    script.review(Target::Milestone("summit".to_owned()));
    script.review(Target::Source(source_id("a")));
    let tables = script.tables(&CatalogFold);
    let id = source_id("a").parse().unwrap();
    let first = |known_at| {
        let found = withholding(&tables, &id, known_at).unwrap();
        found.map(|found| found.provenance.index)
    };
    assert_eq!([1, 2, 3, 4].map(first), [None, Some(1), Some(2), Some(2)]);
    let reviews = |known_at| -> Vec<u64> {
        let reviews = source_reviews(&tables, &id, known_at);
        reviews.map(|it| it.unwrap().provenance.index).collect()
    };
    assert_eq!(reviews(7), [6, 4]);
    assert_eq!(reviews(6), [4]);
    assert_eq!(milestone_reviews(&tables, &slug("summit"), 7).count(), 1);
}

#[test]
fn promises_about_checkpoints_have_versions() {
    let mut script = Script::default();
    let founded = proto::ArchiveFounded {
        checkpoint_key: "first".to_owned(),
        ..proto::ArchiveFounded::default()
    };
    script.put(&[1], Kind::ArchiveFounded(founded));
    let set = proto::CheckpointKeySet {
        checkpoint_key: "second".to_owned(),
        ..proto::CheckpointKeySet::default()
    };
    script.put(&[1], Kind::CheckpointKeySet(set));
    let witnesses = proto::WitnessPolicySet {
        quorum: 2,
        ..proto::WitnessPolicySet::default()
    };
    script.put(&[1], Kind::WitnessPolicySet(witnesses));
    let tables = script.tables(&CatalogFold);
    let key = |known_at| {
        let found = checkpoint_key(&tables, known_at).unwrap();
        found.map(|found| found.definition.checkpoint_key)
    };
    let [none, first, second] = [0, 1, 2].map(key);
    assert_eq!(none, None);
    assert_eq!(first.as_deref(), Some("first"));
    assert_eq!(second.as_deref(), Some("second"));
    let quorum = |known_at| {
        let found = witness_policy(&tables, known_at).unwrap();
        found.map(|found| found.definition.quorum)
    };
    assert_eq!([quorum(2), quorum(3)], [None, Some(2)]);
}

/// All ids of a walk.
fn all<I>(ids: Ids<'_, I>) -> Vec<String>
where
    I: std::fmt::Display,
{
    ids.map(|id| id.unwrap().to_string()).collect()
}

#[test]
fn ids_come_once_in_order_from_any_of_them_on_however_many_versions_they_have() {
    let mut script = Script::default();
    for id in ["ab", "a", "z", "a-b", "a", "a-b", "m", "a"] {
        script.actor(id, proto::ActorKind::Person, "");
    }
    // Rows of other tables lie on both sides.
    script.put(&[1], topic_noted("a note"));
    script.mandate("a", "ab", proto::Authority::Delegate, &[], ("", ""));
    let tables = script.tables(&CatalogFold);
    let mut sorted = vec!["a", "a-b", "ab", "m", "z"];
    for order in [Order::Ascending, Order::Descending] {
        assert_eq!(all(actor_ids(&tables, None, order)), sorted);
        for (place, from) in sorted.iter().enumerate() {
            let rest = all(actor_ids(&tables, Some(&slug(from)), order));
            assert_eq!(rest, sorted[place..]);
        }
        sorted.reverse();
    }
    // From an id that is none.
    let from = |order| all(actor_ids(&tables, Some(&slug("b")), order));
    assert_eq!(from(Order::Ascending), ["m", "z"]);
    assert_eq!(from(Order::Descending), ["ab", "a-b", "a"]);
    assert_eq!(
        actor_ids(&MemoryTables::default(), None, Order::Descending).count(),
        0
    );
}

#[test]
fn sources_and_verifiers_are_walked_by_their_bytes() {
    let mut script = Script::default();
    let mut sources = ["a", "b", "c", "d"].map(source_id);
    for name in ["a", "b", "c", "d", "b"] {
        script.source(name, "", CAPTURED);
    }
    let mut verifiers = [1, 2, 3, 4].map(|signer| HEXLOWER.encode(&key(signer)));
    for signer in 1..=4 {
        script.put(&[1], Kind::VerifierEnrolled(enrolled(signer, "a verifier")));
    }
    let tables = script.tables(&CatalogFold);
    sources.sort();
    verifiers.sort();
    for order in [Order::Ascending, Order::Descending] {
        assert_eq!(all(source_ids(&tables, None, order)), sources);
        assert_eq!(all(verifier_ids(&tables, None, order)), verifiers);
        let third = sources[2].parse().unwrap();
        assert_eq!(all(source_ids(&tables, Some(&third), order)), sources[2..]);
        sources.reverse();
        verifiers.reverse();
    }
}

#[test]
fn mandates_are_walked_by_person_or_organisation() {
    let mut script = Script::default();
    let none = ("", "");
    for (person, body) in [
        ("a", "x"),
        ("a-b", "x"),
        ("a", "y"),
        ("a", "x"),
        ("b", "x-y"),
    ] {
        script.mandate(person, body, proto::Authority::Delegate, &[], none);
    }
    script.end_mandate("a-x", "2025");
    let tables = script.tables(&CatalogFold);
    let found = |person: &str, body: &str, order| {
        let given = |id: &str| (!id.is_empty()).then(|| slug(id));
        let (person, body) = (given(person), given(body));
        all(mandate_ids(
            &tables,
            person.as_ref(),
            body.as_ref(),
            None,
            order,
        ))
    };
    let (up, down) = (Order::Ascending, Order::Descending);
    assert_eq!(found("a", "", up), ["a-x", "a-y"]);
    assert_eq!(found("a", "", down), ["a-y", "a-x"]);
    assert_eq!(found("", "x", up), ["a-b-x", "a-x"]);
    assert_eq!(found("", "x-y", down), ["b-x-y"]);
    assert_eq!(found("nobody", "", up), [""; 0]);
    assert_eq!(found("", "", up), ["a-b-x", "a-x", "a-y", "b-x-y"]);
}
