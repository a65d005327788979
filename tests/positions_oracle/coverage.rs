//! The histories meet every situation that the rules tell apart.

use std::collections::BTreeSet;

use onrecord::record::proto::record::Kind;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;

use super::STEPS_MAX;
use super::asking::{Dice, instants, many_ways, one_way, questions};
use super::calendar::span;
use super::change;
use super::generator::history;
use super::hearing::Part;
use super::oracle::{Answer, Case, Found, Question};
use super::readings::{Choice, readings};
use super::scribe::ledger;
use super::sources::{Wanted, rests_on};
use super::trust::{Known, Line, Standing, signatures};
use super::world::{CODERS, MILESTONES, STEWARDS, TOPICS, verifier};

const WANTED: &str = "NoVoice Stated Disputed Evaded Undated NoRecord \
    FirstStated NotRestated Unchanged Withdrawn Reversed Softened TookSide Shifted Hardened \
    ConditionsAdded ConditionsDropped ConditionsChanged NoLongerOnRecord also \
    Support Opposition Neither Before Since During Unplaced \
    previous run evasion-since wide-front divergence uncertain-order contradiction \
    reports possible-candidates only-affiliated \
    Wordings Verifiers VerifiersExcluded Attestations Sources Mandated two-parts repeated \
    repeated-and-filtered chain-of-utterances tied-through-what-is-gone \
    filter-opens-what-is-repeated filter-settles-dispute filter-makes-dispute bases-admit \
    coder-differs coder-has-none codebook-differs codebook-settles-dispute source-by-date \
    three-ways-disputed dispute-in-wide-front dispute-before-position position-before-dispute \
    dispute-with-evasion dispute-over-basis dispute-by-strength voice-in-dispute \
    possible-dispute dispute-made dispute-settled dispute-settled-by-loss \
    reading-follows-its-coder reading-back-by-loss attestor-reads-again attestor-reading-replaced \
    gone-by-revocation back-by-attestation retraction-undone \
    correction-undone correction-by-steward steward-alone-vouches untrusted-attestor-is-read \
    several-vouchers policy-at-its-place signed-again re-enrolled revoked-without-loss \
    evidence-admits source-version-admits source-version-bars";

/// How many histories are looked through.
const HISTORIES: usize = 128;

#[test]
fn the_histories_meet_every_situation_that_the_rules_tell_apart() {
    let mut runner = TestRunner::deterministic();
    let mut met = Met::default();
    for _ in 0..HISTORIES {
        let strategy = history(STEPS_MAX).prop_flat_map(|steps| {
            proptest::prelude::any::<u32>().prop_map(move |seed| (steps.clone(), seed))
        });
        let (steps, seed) = strategy.new_tree(&mut runner).unwrap().current();
        let (lines, world) = ledger(&steps);
        met.along(&lines, world);
        met.answers(&lines, &mut Dice(seed));
    }
    let missed: Vec<_> = WANTED
        .split_whitespace()
        .filter(|name| !met.0.contains(*name))
        .collect();
    assert!(missed.is_empty(), "the histories never meet {missed:?}");
}

#[derive(Default)]
struct Met(BTreeSet<String>);

impl Met {
    fn meet(&mut self, shows: &[(&str, bool)]) {
        for (name, holds) in shows {
            if *holds {
                self.0.insert((*name).to_owned());
            }
        }
    }

    /// What each line does to the statements and positions that stood before it.
    fn along(&mut self, lines: &[Line], world: usize) {
        let known: Vec<Known> = (0..=lines.len())
            .map(|at| Known::new(&lines[..at]))
            .collect();
        let statements: Vec<Vec<Standing>> = known.iter().map(Known::statements).collect();
        for at in world..lines.len() {
            self.line(lines, at);
            for before in &statements[at] {
                let after = statements[at + 1]
                    .iter()
                    .find(|one| one.index == before.index);
                self.step(lines, [&known[at], &known[at + 1]], before, after.unwrap());
            }
            if matters(&lines[at]) {
                let sides = [at, at + 1].map(|k| (&known[k], &statements[k][..]));
                self.positions(&lines[at], sides);
            }
        }
    }

    fn line(&mut self, lines: &[Line], at: usize) {
        let signs_again = |verifiers: &[String], record: &str| {
            let index = lines.iter().position(|line| line.id == record).unwrap();
            let earlier = signatures(&lines[..at], index);
            let signed = |key: &String| earlier.iter().any(|s| s.verifier == verifier(key));
            verifiers.iter().any(signed)
        };
        self.meet(&match lines[at].kind() {
            Kind::VerifierEnrolled(_) => [("re-enrolled", true)],
            Kind::VerifierRevoked(revoked) => {
                [("revoked-without-loss", revoked.untrusted_from.is_none())]
            }
            Kind::AttestationAdded(added) => {
                [("signed-again", signs_again(&added.verifiers, &added.record))]
            }
            _ => [("", false)],
        });
    }

    /// What a line does to a statement.
    fn step(
        &mut self,
        lines: &[Line],
        [was_known, known]: [&Known; 2],
        before: &Standing,
        after: &Standing,
    ) {
        let line = lines[known.lines.len() - 1].kind();
        let is_revocation = matches!(line, Kind::VerifierRevoked(_));
        let is_retracted = |known: &Known| {
            let mut lines = known.lines.iter().zip(&known.trusted);
            lines.any(|(line, trusted)| {
                matches!(line.kind(), Kind::StatementRetracted(r) if r.statement == before.id)
                    && !trusted.is_empty()
            })
        };
        let replaces_reading = matches!(line, Kind::StatementCorrected(_))
            && after.version > before.version
            && given_by(was_known, before).into_iter().any(|index| {
                index > before.version
                    && lines[index]
                        .signers
                        .iter()
                        .all(|who| before.attestors.contains(who))
                    && !given_by(known, after).contains(&index)
            });
        let was_retracted = is_retracted(was_known);
        let policy = known.attestations_min(after.index);
        let by_steward = after.version != after.index
            && lines[after.version]
                .signers
                .iter()
                .all(|who| STEWARDS.contains(who));
        let untrusted = |who: &&u8| {
            known.trusted[after.index]
                .iter()
                .all(|s| s.verifier != **who)
        };
        self.meet(&[
            (
                "attestor-reading-replaced",
                replaces_reading && after.visible,
            ),
            (
                "gone-by-revocation",
                is_revocation && before.visible && !after.visible,
            ),
            (
                "back-by-attestation",
                matches!(line, Kind::AttestationAdded(_)) && !before.visible && after.visible,
            ),
            (
                "retraction-undone",
                is_revocation && was_retracted && !is_retracted(known) && after.visible,
            ),
            (
                "correction-undone",
                after.version < before.version && after.visible,
            ),
            ("correction-by-steward", by_steward && after.visible),
            (
                "steward-alone-vouches",
                after.visible && after.vouchers.iter().all(|who| STEWARDS.contains(who)),
            ),
            (
                "untrusted-attestor-is-read",
                after.visible
                    && !after.whole.readings.is_empty()
                    && lines[after.index].signers.iter().any(|who| untrusted(&who)),
            ),
            ("several-vouchers", after.vouchers.len() > 2),
            (
                "policy-at-its-place",
                policy != known.attestations_min(known.lines.len()) && policy > 1,
            ),
        ]);
    }

    /// What a line does to positions.
    fn positions(&mut self, line: &Line, sides: [(&Known, &[Standing]); 2]) {
        let is_reading = matches!(line.kind(), Kind::ReadingAdded(_));
        let is_loss = matches!(line.kind(), Kind::VerifierRevoked(_));
        for question in questions() {
            let cases = sides.map(|(known, statements)| {
                let case = Case::new(known, statements, &question).unwrap();
                case.answer(i64::MAX)
            });
            let [before, after] = &cases;
            let same_statement = before.deciding.as_ref().map(|named| named.statement)
                == after.deciding.as_ref().map(|named| named.statement);
            let given = |answer: &Answer| answer.deciding.as_ref().map(|named| named.given_by);
            let (disputed, stated) = (Found::Disputed, Found::Stated);
            let becomes = |from: Found, to: Found| {
                same_statement && before.found == from && after.found == to
            };
            let version = |answer: &Answer| answer.deciding.as_ref().map(|named| named.version);
            let stays = becomes(stated, stated) && version(before) == version(after);
            self.meet(&[
                ("dispute-made", is_reading && becomes(stated, disputed)),
                ("dispute-settled", is_reading && becomes(disputed, stated)),
                (
                    "dispute-settled-by-loss",
                    is_loss && becomes(disputed, stated),
                ),
                (
                    "reading-follows-its-coder",
                    is_reading && stays && given(before) < given(after),
                ),
                (
                    "reading-back-by-loss",
                    is_loss && stays && given(before) > given(after),
                ),
            ]);
            let newest = sides[1].0.lines.len() - 1;
            let attestor = |answer: &Answer| {
                let statement = answer.deciding.as_ref().unwrap().statement;
                let standing = sides[1]
                    .1
                    .iter()
                    .find(|one| one.index == statement)
                    .unwrap();
                line.signers
                    .iter()
                    .any(|who| standing.attestors.contains(who))
            };
            self.meet(&[(
                "attestor-reads-again",
                is_reading && stays && given(after) == Some(newest) && attestor(after),
            )]);
            self.sources(line, sides);
        }
    }

    /// What a line does to which statements have a source that was not derived.
    fn sources(&mut self, line: &Line, sides: [(&Known, &[Standing]); 2]) {
        let wanted = Wanted {
            underived: true,
            ..Default::default()
        };
        for before in sides[0].1 {
            let after = sides[1]
                .1
                .iter()
                .find(|one| one.index == before.index)
                .unwrap();
            let rests = |known: &Known, one: &Standing| rests_on(known, one, &wanted, i64::MAX);
            let (was, is) = (rests(sides[0].0, before), rests(sides[1].0, after));
            let is_source = matches!(line.kind(), Kind::SourceArchived(_));
            let is_evidence = matches!(line.kind(), Kind::EvidenceAdded(_));
            self.meet(&[
                ("evidence-admits", is_evidence && !was && is),
                ("source-version-admits", is_source && !was && is),
                ("source-version-bars", is_source && was && !is),
            ]);
        }
    }

    /// What answers show at the end of the ledger, plainly asked and otherwise.
    fn answers(&mut self, lines: &[Line], dice: &mut Dice) {
        let known = Known::new(lines);
        let statements = known.statements();
        for question in questions() {
            let case = Case::new(&known, &statements, &question).unwrap();
            let mut before: Option<Answer> = None;
            for d in instants(&case) {
                let answer = case.answer(d);
                self.answer(&answer);
                if let Some(before) = &before {
                    self.change(before, &answer);
                }
                before = Some(answer);
            }
            let plain = before.unwrap();
            for otherwise in [one_way, one_way, many_ways] {
                let asked = otherwise(&question, lines, dice);
                let case = Case::new(&known, &statements, &asked).unwrap();
                let answer = case.answer(i64::MAX);
                self.filtered(&asked, &plain, &answer);
                self.change(&plain, &answer);
                let at_first = case.bounds().first().map(|bound| case.answer(*bound));
                let part = Part::Sources;
                let by_date = asked.filter.sources.published
                    && at_first
                        .is_some_and(|first| first.taken.get(&part) > answer.taken.get(&part));
                self.meet(&[("source-by-date", by_date)]);
            }
            for coder in CODERS {
                let mut asked = question.clone();
                asked.choice.coder = Some(coder);
                let case = Case::new(&known, &statements, &asked).unwrap();
                self.filtered(&asked, &plain, &case.answer(i64::MAX));
            }
            self.utterances(&case, &statements);
        }
    }

    fn answer(&mut self, answer: &Answer) {
        self.0.insert(format!("{:?}", answer.found));
        let stated = answer.found == Found::Stated;
        let disputed = answer.found == Found::Disputed;
        let alternatives = &answer.alternatives;
        let stances: BTreeSet<_> = alternatives.iter().map(|one| &one.stance).collect();
        let polarities: BTreeSet<_> = stances
            .iter()
            .filter_map(|s| s.as_ref().map(|s| s.polarity))
            .collect();
        let bases: BTreeSet<_> = alternatives.iter().map(|one| one.basis).collect();
        self.meet(&[
            ("previous", answer.previous.is_some()),
            ("run", answer.since != answer.last_affirmed),
            ("evasion-since", stated && answer.latest_evasion.is_some()),
            ("wide-front", answer.front.len() > 2),
            ("divergence", answer.diverge),
            ("uncertain-order", answer.order_uncertain),
            ("contradiction", answer.contradicts_higher_authority),
            ("reports", answer.reported.len() > 2),
            ("possible-candidates", answer.possible_candidates > 1),
            ("only-affiliated", answer.affiliated > 0),
            ("repeated", answer.repeated > 0),
            ("three-ways-disputed", alternatives.len() > 2),
            ("dispute-in-wide-front", disputed && answer.front.len() > 1),
            ("dispute-with-evasion", disputed && stances.contains(&None)),
            ("dispute-over-basis", disputed && bases.len() > 1),
            (
                "dispute-by-strength",
                disputed && polarities.len() == 1 && stances.len() > 1,
            ),
            (
                "position-before-dispute",
                disputed && answer.previous.is_some(),
            ),
        ]);
        for milestone in MILESTONES.map(span) {
            if let Some(place) = change::place(answer, milestone) {
                self.0.insert(format!("{place:?}"));
            }
        }
    }

    fn change(&mut self, before: &Answer, after: &Answer) {
        let change = change::change(&change::end(before), &change::end(after));
        self.0.insert(format!("{:?}", change.kind));
        self.0.insert(format!("{:?}", change.toward));
        let disputed_before = before.found == Found::Disputed && after.found == Found::Stated;
        self.meet(&[
            ("also", !change.also.is_empty()),
            (
                "dispute-before-position",
                disputed_before && after.previous == before.deciding,
            ),
        ]);
    }

    /// What asking otherwise changes.
    fn filtered(&mut self, asked: &Question, plain: &Answer, answer: &Answer) {
        for part in answer.taken.keys() {
            self.0.insert(format!("{part:?}"));
        }
        let becomes = |from, to| plain.found == from && answer.found == to;
        let (disputed, stated) = (Found::Disputed, Found::Stated);
        let coder = asked.choice.coder.is_some();
        let codebook = asked.choice.codebook.is_some();
        let deciding = |answer: &Answer| answer.deciding.as_ref().map(|named| named.statement);
        let same = deciding(plain) == deciding(answer);
        self.meet(&[
            ("two-parts", answer.taken.len() > 1),
            (
                "repeated-and-filtered",
                answer.repeated > 0 && !answer.taken.is_empty(),
            ),
            (
                "filter-opens-what-is-repeated",
                answer.repeated < plain.repeated && !answer.taken.is_empty(),
            ),
            (
                "filter-settles-dispute",
                same && !coder && becomes(disputed, stated),
            ),
            ("filter-makes-dispute", same && becomes(stated, disputed)),
            (
                "bases-admit",
                !asked.filter.bases.is_empty() && plain.reported.len() > answer.reported.len(),
            ),
            (
                "coder-differs",
                coder && same && plain.stance.is_some() && plain.stance != answer.stance,
            ),
            (
                "coder-has-none",
                coder && plain.deciding.is_some() && answer.considered == 0,
            ),
            (
                "codebook-differs",
                codebook && same && plain.stance != answer.stance,
            ),
            (
                "codebook-settles-dispute",
                codebook && same && becomes(disputed, stated),
            ),
        ]);
    }

    /// What stands about the utterances, and the dispute beside what decides.
    fn utterances(&mut self, case: &Case, statements: &[Standing]) {
        let shows = case.shows(statements);
        self.meet(&[
            ("chain-of-utterances", shows.longest_tie > 2),
            ("tied-through-what-is-gone", shows.tied_through_what_is_gone),
            ("possible-dispute", shows.possible_dispute),
            ("voice-in-dispute", shows.voice_in_dispute),
        ]);
    }
}

/// Whether a line may change which readings and sources stand.
fn matters(line: &Line) -> bool {
    matches!(
        line.kind(),
        Kind::ReadingAdded(_)
            | Kind::VerifierRevoked(_)
            | Kind::StatementCorrected(_)
            | Kind::SourceArchived(_)
            | Kind::EvidenceAdded(_)
    )
}

/// The entries whose readings of a statement stand.
fn given_by(known: &Known, standing: &Standing) -> BTreeSet<usize> {
    let of = |topic: &str| readings(known, standing, topic, &Choice::default());
    let all = TOPICS.into_iter().flat_map(|topic| of(topic).into_values());
    all.flatten().map(|one| one.given_by).collect()
}
