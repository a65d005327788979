//! The oracle by itself: small histories with the answers that the rules give.
//!
//! Everything is asked about the office and the meeting; statements are the leader's for the
//! office unless they say otherwise.

use onrecord::record::proto::{Engagement, Polarity, ReadingBasis, SourceRole, Wording};

use super::generator::{After, Archived, Capacity, Judgement, Kept, Step, Version};
use super::hearing::{Filter, Part};
use super::oracle::{Answer, Case, Found, Question};
use super::readings::Choice;
use super::scribe::ledger;
use super::sources::Wanted;
use super::trust::{Known, Line};

/// Bits of the attestors 0, 4 and 5, while all are enrolled.
const A0: u8 = 1;
const A4: u8 = 2;
const A5: u8 = 4;
/// Bits of the coders 0, 1, 2, 4 and 6, likewise.
const C0: u8 = 1;
const C1: u8 = 2;
const C2: u8 = 4;

fn judgement(polarity: Polarity) -> Judgement {
    Judgement {
        topic: false,
        codebook: None,
        holder: None,
        basis: ReadingBasis::OwnWords,
        engagement: Engagement::Answered,
        polarity,
        strength: 2,
        conditions: 0,
    }
}

/// Said on the 15th, verbatim, by the first source.
fn version(readings: Vec<Judgement>) -> Version {
    Version {
        wording: 0,
        said_at: Some(0),
        repeated_until: None,
        relayed: false,
        sources: 1,
        readings,
        refers_to: None,
    }
}

fn says(polarity: Polarity) -> Version {
    version(vec![judgement(polarity)])
}

fn state(version: Version, by: u8) -> Step {
    state_by(0, version, by)
}

fn state_by(speaker: usize, version: Version, by: u8) -> Step {
    let speaker = Some(speaker);
    Step::State(
        Capacity {
            speaker,
            said_for: 2,
        },
        version,
        by,
    )
}

fn read(polarity: Polarity, by: u8) -> Step {
    Step::Read(0, judgement(polarity), After::Nothing, by)
}

fn echo(by: u8) -> Step {
    Step::Read(0, judgement(Polarity::Open), After::Echo(0), by)
}

fn question(filter: Filter, choice: Choice) -> Question<'static> {
    Question {
        actor: "office",
        topic: "meeting",
        with_parts: false,
        filter,
        choice,
    }
}

fn by_coder(coder: u8) -> Question<'static> {
    let coder = Some(coder);
    question(
        Filter::default(),
        Choice {
            coder,
            ..Choice::default()
        },
    )
}

fn filtered(filter: Filter) -> Question<'static> {
    let excluded = filter.verifiers_excluded.clone();
    question(
        filter,
        Choice {
            excluded,
            ..Choice::default()
        },
    )
}

fn plain() -> Question<'static> {
    filtered(Filter::default())
}

fn answer(lines: &[Line], question: &Question) -> Answer {
    let known = Known::new(lines);
    let statements = known.statements();
    let case = Case::new(&known, &statements, question).unwrap();
    case.answer(i64::MAX)
}

fn told(steps: &[Step], question: &Question) -> Answer {
    answer(&ledger(steps).0, question)
}

fn found(steps: &[Step]) -> Found {
    told(steps, &plain()).found
}

fn polarity(answer: &Answer) -> Option<Polarity> {
    answer.stance.as_ref().map(|stance| stance.polarity)
}

/// Where the first step of a history enters the ledger.
fn world() -> usize {
    ledger(&[]).0.len()
}

use Polarity::{Open, Opposes, Supports};

#[test]
fn two_coders_who_differ_dispute_and_a_third_settles_it() {
    let mut steps = vec![state(says(Supports), A0), read(Opposes, C1)];
    let disputed = told(&steps, &plain());
    assert_eq!(disputed.found, Found::Disputed);
    assert_eq!(disputed.stance, None);
    assert_eq!(disputed.alternatives.len(), 2);
    let given_by = disputed.deciding.map(|named| named.given_by);
    assert_eq!(given_by, Some(world()));
    assert_eq!(polarity(&told(&steps, &by_coder(0))), Some(Supports));
    assert_eq!(polarity(&told(&steps, &by_coder(1))), Some(Opposes));
    assert_eq!(told(&steps, &by_coder(2)).found, Found::NoRecord);
    steps.push(read(Opposes, C2));
    let settled = told(&steps, &plain());
    assert_eq!(settled.found, Found::Stated);
    assert_eq!(polarity(&settled), Some(Opposes));
    assert_eq!(
        settled.deciding.map(|named| named.given_by),
        Some(world() + 1)
    );
}

#[test]
fn the_index_answers_on_histories_as_short_as_these() {
    let steps = [(); 4].map(|()| state(says(Supports), A0));
    let lines = ledger(&steps).0;
    let tables = super::subject::tables(&lines);
    let answered = super::subject::answered(&tables, &plain(), lines.len(), i64::MAX);
    assert!(answered.exact.is_some());
}

#[test]
fn readings_that_differ_in_the_words_of_a_condition_are_the_same() {
    let mut with_conditions = judgement(Supports);
    with_conditions.conditions = 0b101;
    let steps = [state(version(vec![with_conditions]), A0), echo(C1)];
    assert_eq!(found(&steps), Found::Stated);
}

#[test]
fn a_coder_has_one_vote_the_newest() {
    let steps = [
        state(says(Supports), A0),
        read(Opposes, C1),
        read(Supports, C1),
    ];
    let stated = told(&steps, &plain());
    assert_eq!(polarity(&stated), Some(Supports));
    assert_eq!(stated.deciding.map(|named| named.given_by), Some(world()));
}

#[test]
fn an_attestors_reading_replaces_the_versions_until_the_next_version() {
    let mut steps = vec![state(says(Supports), A0 | A4), read(Opposes, C0)];
    let replaced = told(&steps, &plain());
    assert_eq!(polarity(&replaced), Some(Opposes));
    // One who signed too is the same voice.
    assert_eq!(polarity(&told(&steps, &by_coder(4))), Some(Opposes));
    steps.push(Step::Correct(0, says(Open), Kept::Other, 1));
    assert_eq!(polarity(&told(&steps, &plain())), Some(Open));
    steps.push(Step::Correct(0, says(Open), Kept::None, 1));
    assert_eq!(found(&steps), Found::NoRecord);
}

#[test]
fn a_steward_who_corrects_is_an_attestor_of_that_version() {
    // Steward 6 is the third who may correct, and the fifth coder.
    let steps = [
        state(says(Supports), A0),
        read(Opposes, 16),
        Step::Correct(0, says(Open), Kept::Other, 4),
    ];
    assert_eq!(found(&steps[..2]), Found::Disputed);
    assert_eq!(polarity(&told(&steps, &plain())), Some(Open));
    assert_eq!(polarity(&told(&steps, &by_coder(6))), Some(Open));
}

#[test]
fn what_is_left_with_too_few_signatures_is_gone_until_another_vouches() {
    let mut steps = vec![state(says(Supports), A0), Step::Revoke(0, Some(world()))];
    assert_eq!(found(&steps), Found::NoRecord);
    steps.push(Step::Attest(0, 1, true));
    assert_eq!(found(&steps), Found::Stated);
    // The attestor's reading stands, though his signature does not.
    assert_eq!(polarity(&told(&steps, &by_coder(0))), Some(Supports));
}

#[test]
fn the_policy_at_the_statements_place_says_how_many_are_enough() {
    let steps = [
        Step::Policy(2),
        state(says(Supports), A0 | A4),
        Step::Policy(1),
        Step::Revoke(0, Some(0)),
        Step::Attest(0, 2, true),
    ];
    assert_eq!(found(&steps[..3]), Found::Stated);
    assert_eq!(found(&steps[..4]), Found::NoRecord);
    assert_eq!(found(&steps), Found::Stated);
}

#[test]
fn a_retraction_that_nobody_trusted_signed_retracts_nothing() {
    let retraction = world() + 1;
    let mut steps = vec![state(says(Supports), A0), Step::Retract(0, 1)];
    assert_eq!(found(&steps), Found::NoRecord);
    steps.push(Step::Revoke(0, Some(retraction)));
    assert_eq!(found(&steps), Found::Stated);
}

#[test]
fn a_correction_that_nobody_trusted_signed_corrects_nothing() {
    let mut steps = vec![
        state(says(Supports), A0),
        Step::Correct(0, says(Opposes), Kept::Other, 1),
        Step::Revoke(0, Some(world() + 1)),
    ];
    assert_eq!(polarity(&told(&steps[..2], &plain())), Some(Opposes));
    let undone = told(&steps, &plain());
    assert_eq!(polarity(&undone), Some(Supports));
    assert_eq!(undone.deciding.map(|named| named.version), Some(world()));
    // Attestor 4 vouches for the correction: the second record that can be vouched for.
    steps.push(Step::Attest(1, 1, false));
    assert_eq!(polarity(&told(&steps, &plain())), Some(Opposes));
}

#[test]
fn a_revoked_verifier_loses_what_was_signed_from_an_entry_on_and_may_come_back() {
    let steps = [
        state(says(Supports), A0),
        Step::Revoke(0, None),
        Step::Enrol(0),
        state(says(Opposes), A0),
        Step::Revoke(0, Some(world() + 3)),
        Step::Enrol(0),
        state(says(Open), A0),
    ];
    assert_eq!(polarity(&told(&steps[..2], &plain())), Some(Supports));
    assert_eq!(polarity(&told(&steps[..4], &plain())), Some(Opposes));
    assert_eq!(polarity(&told(&steps[..5], &plain())), Some(Supports));
    let back = told(&steps, &plain());
    assert_eq!((polarity(&back), back.considered), (Some(Open), 2));
}

#[test]
fn a_statement_counts_under_the_first_part_that_takes_it_away() {
    let mut paraphrased = says(Opposes);
    paraphrased.wording = 3;
    let steps = [
        state(says(Supports), A0),
        state(paraphrased, A0 | A4),
        state_by(4, says(Open), A0 | A4 | A5),
    ];
    let filter = Filter {
        wordings: vec![Wording::Verbatim],
        verifiers_excluded: vec![0],
        mandated: true,
        ..Filter::default()
    };
    let answer = told(&steps, &filtered(filter));
    let taken = [Part::Wordings, Part::VerifiersExcluded, Part::Mandated];
    let taken: Vec<_> = taken.into_iter().map(|part| (part, 1)).collect();
    assert_eq!(answer.taken.into_iter().collect::<Vec<_>>(), taken);
    assert_eq!((answer.found, answer.considered), (Found::NoRecord, 0));
}

#[test]
fn an_excluded_coder_does_not_vote() {
    let steps = [state(says(Supports), A0 | A4), read(Opposes, C1)];
    let without = |verifiers_excluded| {
        filtered(Filter {
            verifiers_excluded,
            ..Filter::default()
        })
    };
    assert_eq!(polarity(&told(&steps, &without(vec![1]))), Some(Supports));
    // The attestor's vote stays.
    assert_eq!(told(&steps, &without(vec![0])).found, Found::Disputed);
}

#[test]
fn a_source_counts_in_its_newest_version_and_by_evidence_that_is_trusted() {
    let primary = filtered(Filter {
        sources: Wanted {
            roles: vec![SourceRole::Primary],
            ..Wanted::default()
        },
        ..Filter::default()
    });
    let archived = |source, role| {
        Step::Archive(Archived {
            source,
            published: None,
            role,
            publisher: 0,
            derived: false,
        })
    };
    // The first source is secondary to begin with, the last primary.
    let mut steps = vec![state(says(Supports), A0)];
    assert_eq!(told(&steps, &primary).taken[&Part::Sources], 1);
    steps.push(Step::Evidence(0, 2, false, A4));
    assert_eq!(told(&steps, &primary).found, Found::NoRecord);
    steps.push(Step::Evidence(0, 2, true, A4));
    assert_eq!(told(&steps, &primary).found, Found::Stated);
    steps.push(archived(2, 1));
    assert_eq!(told(&steps, &primary).found, Found::NoRecord);
    steps.push(archived(0, 0));
    assert_eq!(told(&steps, &primary).found, Found::Stated);
    steps.extend([archived(0, 2), archived(2, 0)]);
    assert_eq!(told(&steps, &primary).found, Found::Stated);
    steps.push(Step::Revoke(4, Some(world() + 2)));
    assert_eq!(told(&steps, &primary).found, Found::NoRecord);
}

#[test]
fn of_the_same_utterance_the_first_that_passes_is_heard() {
    let again = |polarity, of| {
        let mut again = says(polarity);
        again.refers_to = Some((of, true));
        again
    };
    let mut paraphrased = says(Supports);
    paraphrased.wording = 3;
    let steps = [
        state(paraphrased, A0),
        state(again(Opposes, 0), A4),
        state(again(Open, 1), A5),
        Step::Revoke(4, Some(0)),
    ];
    let first = told(&steps[..3], &plain());
    assert_eq!((polarity(&first), first.repeated), (Some(Supports), 2));
    let verbatim = filtered(Filter {
        wordings: vec![Wording::Verbatim],
        ..Filter::default()
    });
    let second = told(&steps[..3], &verbatim);
    assert_eq!((polarity(&second), second.repeated), (Some(Opposes), 1));
    assert_eq!(second.taken[&Part::Wordings], 1);
    // The link in the middle ties the others also when it is gone.
    let tied = told(&steps, &plain());
    assert_eq!((polarity(&tied), tied.repeated), (Some(Supports), 1));
}

#[test]
fn what_is_disputed_is_uncertain_in_order_and_has_no_side() {
    let steps = [
        state(says(Supports), A0),
        read(Opposes, C1),
        state_by(1, says(Supports), A0),
        state_by(4, says(Supports), A0),
    ];
    let alone = told(&steps[..2], &plain());
    assert!(!alone.order_uncertain);
    let answer = told(&steps, &plain());
    assert_eq!(answer.found, Found::Disputed);
    assert!(answer.order_uncertain);
    assert!(!answer.diverge);
    assert!(!answer.contradicts_higher_authority);
    assert_eq!(answer.voices.len(), 3);
    assert_eq!(super::change::end(&answer), None);
}

#[test]
fn one_admissible_answer_among_the_alternatives_makes_a_candidate() {
    let mut ascribed = judgement(Opposes);
    ascribed.basis = ReadingBasis::Ascribed;
    let mut declined = judgement(Opposes);
    declined.engagement = Engagement::Declined;
    let over_basis = |first: &Judgement, second: Judgement| {
        let steps = [
            state(version(vec![first.clone()]), A0),
            Step::Read(0, second, After::Nothing, C1),
        ];
        told(&steps, &plain())
    };
    assert_eq!(
        over_basis(&ascribed, judgement(Supports)).found,
        Found::Disputed
    );
    assert_eq!(over_basis(&ascribed, declined.clone()).found, Found::Evaded);
    let conduct = Judgement {
        basis: ReadingBasis::Conduct,
        ..ascribed.clone()
    };
    let reported = over_basis(&ascribed, conduct);
    assert_eq!(
        (reported.found, reported.reported.len()),
        (Found::NoRecord, 1)
    );
}

#[test]
fn a_codebook_version_is_asked_for_before_votes_are_counted() {
    let by_first = Judgement {
        codebook: Some(0),
        ..judgement(Opposes)
    };
    let steps = [
        state(says(Supports), A0),
        Step::Note(false),
        read(Opposes, C1),
        Step::Read(0, by_first, After::Nothing, C2),
    ];
    let lines = ledger(&steps).0;
    let by = |codebook: &str| {
        let choice = Choice {
            codebook: Some(codebook.to_owned()),
            ..Choice::default()
        };
        answer(&lines, &question(Filter::default(), choice))
    };
    assert_eq!(polarity(&answer(&lines, &plain())), Some(Opposes));
    // The topic is the first that the world defines.
    assert_eq!(by(&lines[1].id).found, Found::Disputed);
    assert_eq!(polarity(&by(&lines[world() + 1].id)), Some(Opposes));
    assert_eq!(by(&lines[2].id).found, Found::NoRecord);
}

#[test]
fn relayed_words_and_other_bases_are_admitted_where_they_are_asked_for() {
    let mut relayed = says(Supports);
    relayed.relayed = true;
    let mut ascribed = judgement(Opposes);
    ascribed.basis = ReadingBasis::Ascribed;
    let steps = [state(relayed, A0), state(version(vec![ascribed]), A0)];
    let with = |bases: &[ReadingBasis]| {
        let bases = bases.to_vec();
        told(
            &steps,
            &filtered(Filter {
                bases,
                ..Filter::default()
            }),
        )
    };
    assert_eq!(with(&[]).reported.len(), 2);
    assert_eq!(polarity(&with(&[ReadingBasis::Relayed])), Some(Supports));
    assert_eq!(polarity(&with(&[ReadingBasis::Ascribed])), Some(Opposes));
}
