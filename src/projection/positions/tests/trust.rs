//! Whose signatures count, and what a reader's filter takes away.

use super::*;
use crate::position::Bases;
use crate::projection::fixtures::{key, source_id};
use crate::projection::positions::{Filter, Part, SourceFilter, Taken, verifier_number};
use crate::record::{Basis, VerifierKey};

fn hex(signer: u8) -> String {
    VerifierKey::check(&key(signer)).unwrap().to_string()
}

fn revoke(script: &mut Script, signer: u8, untrusted_from: Option<u64>) -> u64 {
    script.put(
        &[1],
        Kind::VerifierRevoked(proto::VerifierRevoked {
            verifier: hex(signer),
            untrusted_from,
            ..proto::VerifierRevoked::default()
        }),
    )
}

fn attest(script: &mut Script, signer: u8, record: u64) -> u64 {
    let record = script.id(record).to_string();
    script.put(
        &[1],
        Kind::AttestationAdded(proto::AttestationAdded {
            record,
            verifiers: vec![hex(signer)],
            ..proto::AttestationAdded::default()
        }),
    )
}

fn policy(script: &mut Script, attestations_min: u32) {
    script.put(
        &[1],
        Kind::PolicySet(proto::PolicySet {
            attestations_min,
            admission_rules: 1,
        }),
    );
}

/// The entries that introduced what is heard of the palace.
fn known(script: &Script, known_at: u64) -> Vec<u64> {
    let found = ask(&script.tables(&PositionsFold), "palace", None, known_at);
    found.testimonies.iter().map(|it| it.statement).collect()
}

fn spoken() -> proto::Statement {
    said("aide", &["palace"], "2025-08-15")
}

#[test]
fn what_a_revoked_verifier_signed_too_late_is_gone_from_the_revocation_on_until_vouched_for() {
    let mut script = actors();
    let before = script.put(&[2], Kind::StatementRecorded(spoken()));
    let after = script.put(
        &[2],
        Kind::StatementRecorded(said("aide", &["palace"], "2025-08-16")),
    );
    let revoked = revoke(&mut script, 2, Some(after));
    assert_eq!(known(&script, revoked), [before, after]);
    assert_eq!(known(&script, revoked + 1), [before]);
    let attested = attest(&mut script, 3, after);
    assert_eq!(known(&script, attested), [before]);
    assert_eq!(known(&script, attested + 1), [before, after]);
}

#[test]
fn a_revocation_that_does_not_look_back_takes_nothing_away() {
    let mut script = actors();
    let spoken = script.put(&[2], Kind::StatementRecorded(spoken()));
    revoke(&mut script, 2, None);
    assert_eq!(known(&script, u64::MAX), [spoken]);
}

#[test]
fn a_statement_with_fewer_vouchers_than_its_policy_asked_for_is_not_visible() {
    let mut script = actors();
    policy(&mut script, 2);
    let index = script.put(&[2, 3], Kind::StatementRecorded(spoken()));
    policy(&mut script, 1);
    assert_eq!(known(&script, u64::MAX), [index]);
    revoke(&mut script, 3, Some(index));
    assert!(known(&script, u64::MAX).is_empty());
    attest(&mut script, 4, index);
    assert_eq!(known(&script, u64::MAX), [index]);
}

#[test]
fn what_a_revoked_verifier_corrected_or_retracted_is_undone() {
    let mut script = actors();
    let index = script.record(spoken());
    let id = script.id(index).to_string();
    let corrected = proto::StatementCorrected {
        statement: id.clone(),
        corrected: Some(said("aide", &["palace"], "2025-08-17")),
        ..proto::StatementCorrected::default()
    };
    let correction = script.put(&[2], Kind::StatementCorrected(corrected));
    let retracted = proto::StatementRetracted {
        statement: id,
        ..proto::StatementRetracted::default()
    };
    script.put(&[3], Kind::StatementRetracted(retracted));
    assert_eq!(heard(&script, "palace"), []);
    revoke(&mut script, 3, Some(0));
    assert_eq!(heard(&script, "palace")[0].version, correction);
    revoke(&mut script, 2, Some(0));
    assert_eq!(heard(&script, "palace")[0].version, index);
    assert_eq!(heard(&script, "palace")[0].said_at, day("2025-08-15"));
}

/// A plain statement by key 2, and one by keys 2 and 3 from a wire report that derives from
/// another source.
fn plain_and_wired() -> (Script, [u64; 2]) {
    let mut script = actors();
    script.put(
        &[1],
        Kind::SourceArchived(proto::SourceArchived {
            source: source_id("wire"),
            publisher: "agency".to_owned(),
            role: proto::SourceRole::Wire.into(),
            captured_at: Some(prost_types::Timestamp {
                seconds: CAPTURED,
                nanos: 0,
            }),
            derived_from: vec![proto::DerivedFrom::default()],
            ..proto::SourceArchived::default()
        }),
    );
    let plain = script.put(&[2], Kind::StatementRecorded(spoken()));
    let mut wired = spoken();
    wired.evidence = vec![words("wire")];
    wired.wording = proto::Wording::Verbatim.into();
    let wired = script.put(&[2, 3], Kind::StatementRecorded(wired));
    (script, [plain, wired])
}

/// Which of the two stays, and what took the other away.
fn filtered(script: &Script, change: impl FnOnce(&mut Filter)) -> (Vec<u64>, Taken) {
    let mut terms = Terms::default();
    change(&mut terms.filter);
    let tables = script.tables(&PositionsFold);
    let found = on_terms(&tables, "palace", None, u64::MAX, &terms);
    assert_eq!(found.filtered() + found.testimonies.len() as u64, 2);
    let stay = found.testimonies.iter().map(|it| it.statement);
    (stay.collect(), found.taken)
}

#[test]
fn each_part_of_a_filter_takes_away_what_it_does_not_admit_and_says_so() {
    let (script, [plain, wired]) = plain_and_wired();
    let tables = script.tables(&PositionsFold);
    let number = |signer: u8| verifier_number(&tables, &key(signer)).unwrap().unwrap();
    let stays = |stays: u64, part| (vec![stays], Taken::from([(part, 1)]));
    let left = |change: &dyn Fn(&mut Filter)| filtered(&script, change);
    assert_eq!(
        left(&|it| it.wordings = Some([1].into())),
        stays(wired, Part::Wording)
    );
    assert_eq!(
        left(&|it| it.wordings = Some([0].into())),
        stays(plain, Part::Wording)
    );
    assert_eq!(
        left(&|it| it.only = Some([number(3)].into())),
        stays(wired, Part::Only)
    );
    assert_eq!(
        left(&|it| it.never = [number(2)].into()),
        stays(wired, Part::Never)
    );
    assert_eq!(
        left(&|it| it.attestations_min = 2),
        stays(wired, Part::Attestations)
    );
    let nothing = (vec![], Taken::from([(Part::Mandated, 2)]));
    assert_eq!(left(&|it| it.mandated = true), nothing);
    // Of several parts the first counts.
    let first = |it: &mut Filter| (it.attestations_min, it.wordings) = (3, Some([0].into()));
    let both = Taken::from([(Part::Wording, 1), (Part::Attestations, 1)]);
    assert_eq!(left(&first), (vec![], both));
}

#[test]
fn one_source_must_be_all_that_a_filter_asks_of_sources() {
    let (script, [plain, wired]) = plain_and_wired();
    let left = |change: &dyn Fn(&mut SourceFilter)| filtered(&script, |it| change(&mut it.sources));
    let stays = |stays: u64| (vec![stays], Taken::from([(Part::Sources, 1)]));
    let agency = || Some(["agency".to_owned()].into());
    assert_eq!(left(&|it| it.roles = Some([2].into())), stays(wired));
    assert_eq!(left(&|it| it.publishers = agency()), stays(wired));
    assert_eq!(left(&|it| it.underived = true), stays(plain));
    assert_eq!(left(&|it| it.public_by = Some(CAPTURED)), stays(plain));
    let both = |it: &mut SourceFilter| (it.publishers, it.underived) = (agency(), true);
    assert_eq!(left(&both), (vec![], Taken::from([(Part::Sources, 2)])));
}

#[test]
fn further_evidence_lets_a_statement_through_a_filter_of_sources() {
    let mut script = actors();
    script.source("b", "2025-08-01", CAPTURED);
    let index = script.record(spoken());
    let filter = Filter {
        sources: SourceFilter {
            public_by: Some(day("2025-08-01").latest),
            ..SourceFilter::default()
        },
        ..Filter::default()
    };
    let terms = Terms {
        filter,
        ..Terms::default()
    };
    let evidence = script.add_evidence(index, "b");
    let tables = script.tables(&PositionsFold);
    let count = |known_at| {
        let found = on_terms(&tables, "palace", None, known_at, &terms);
        (found.testimonies.len(), found.filtered())
    };
    assert_eq!(count(evidence), (0, 1));
    assert_eq!(count(evidence + 1), (1, 0));
}

#[test]
fn a_reader_may_count_what_is_relayed_as_the_holders_own_word() {
    let mut script = actors();
    let mut relayed = spoken();
    "head".clone_into(&mut relayed.relayed_by);
    script.record(relayed);
    let mut ascribed = spoken();
    ascribed.readings[0].basis = proto::ReadingBasis::Ascribed.into();
    script.record(ascribed);
    let tables = script.tables(&PositionsFold);
    let admissible = |own| {
        let filter = Filter {
            own,
            ..Filter::default()
        };
        let terms = Terms {
            filter,
            ..Terms::default()
        };
        let found = on_terms(&tables, "palace", None, u64::MAX, &terms).testimonies;
        found
            .iter()
            .map(Testimony::is_admissible)
            .collect::<Vec<_>>()
    };
    assert_eq!(admissible(Bases::OWN_WORDS), [false, false]);
    assert_eq!(
        admissible(Bases::OWN_WORDS.with(Basis::Relayed)),
        [true, false]
    );
    assert_eq!(
        admissible(Bases::OWN_WORDS.with(Basis::Ascribed)),
        [false, true]
    );
}

#[test]
fn the_same_utterance_told_by_several_sources_is_heard_once() {
    let mut script = actors();
    let first = script.record(spoken());
    let same = |script: &Script, of: u64| proto::RefersTo {
        statement: script.id(of).to_string(),
        kind: proto::ReferenceKind::SameUtterance.into(),
    };
    let mut second = spoken();
    second.refers_to = vec![same(&script, first)];
    let second = script.record(second);
    let mut third = spoken();
    third.refers_to = vec![same(&script, second)];
    third.venue = "another source".to_owned();
    let third = script.record(third);
    let found = ask(&script.tables(&PositionsFold), "palace", None, u64::MAX);
    assert_eq!((found.testimonies.len(), found.repeated), (1, 2));
    assert_eq!(known(&script, u64::MAX), [first]);
    script.retract(first);
    assert_eq!(known(&script, u64::MAX), [second]);
    script.retract(second);
    assert_eq!(known(&script, u64::MAX), [third]);
}
