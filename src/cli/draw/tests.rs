//! What people see, fed with answers as a daemon gives them.

mod pictures;

use super::*;
use crate::record::proto::statement::Voice;
use crate::record::proto::{
    ActorDefined, AnonymityReason, AnonymousSpeaker, Authority, Condition, ConditionKind,
    Engagement, Establishes, Evidence, LocalizedName, MilestoneDefined, Polarity, ReadingBasis,
    ReviewPublished, SourceArchived, Statement, TopicDefined, TopicKind, WithholdingScope, Wording,
};
use crate::rpc::proto::{
    Attestation, Basis, ChangeKind, CheckpointStatus, ComparePositionsResponse, Comparison,
    Direction, FilterPart, Filtered, Finding, FurtherEvidence, GetPositionResponse,
    GetStatusResponse, GetTimelineResponse, Head, LedgerEntry, Placement, Position,
    ProjectionStatus, Provenance, Review, RivalReading, Stance, StatementView, Testimony,
    TimeRange, TimelineStep, WitnessStatus,
};

const CANVAS: Canvas = Canvas {
    width: 92,
    colour: false,
};

fn condition(id: &str, text: &str) -> Condition {
    Condition {
        id: id.to_owned(),
        kind: ConditionKind::OnlyIf.into(),
        text: text.to_owned(),
    }
}

fn prepared() -> Stance {
    Stance {
        polarity: Polarity::Open.into(),
        strength: 0,
        conditions: vec![condition(
            "prepared",
            "the conditions for it are created first",
        )],
    }
}

fn moscow() -> Stance {
    Stance {
        conditions: vec![condition("moscow", "Zelenskyy comes to Moscow")],
        ..prepared()
    }
}

fn day(date: &str, next: &str) -> TimeRange {
    TimeRange {
        earliest: format!("{date}T00:00:00Z"),
        latest: format!("{next}T00:00:00Z"),
    }
}

fn said(index: u64, speaker: &str, date: &str, next: &str) -> Testimony {
    Testimony {
        statement: format!("statement-{index}"),
        index,
        version_index: index,
        reading_index: index,
        speaker: speaker.to_owned(),
        holder: speaker.to_owned(),
        said_for: vec!["kremlin".to_owned()],
        authority: Authority::Principal.into(),
        said_at: date.to_owned(),
        interval: Some(day(date, next)),
        basis: ReadingBasis::OwnWords.into(),
        engagement: Engagement::Answered.into(),
        stance: Some(prepared()),
        definite: true,
        ..Testimony::default()
    }
}

fn putin_0807() -> Testimony {
    said(24, "putin", "2025-08-07", "2025-08-08")
}

fn ushakov_0818() -> Testimony {
    Testimony {
        authority: Authority::Spokesperson.into(),
        engagement: Engagement::Deflected.into(),
        stance: None,
        ..said(33, "ushakov", "2025-08-18", "2025-08-19")
    }
}

fn putin_0903() -> Testimony {
    Testimony {
        version_index: 42,
        reading_index: 42,
        stance: Some(moscow()),
        ..said(41, "putin", "2025-09-03", "2025-09-04")
    }
}

fn view(voice: Voice, wording: Wording, text: &str) -> StatementView {
    StatementView {
        statement: Some(Statement {
            voice: Some(voice),
            wording: wording.into(),
            text: text.to_owned(),
            evidence: vec![Evidence {
                source: "5d2f".repeat(16),
                establishes: vec![Establishes::Words.into()],
                ..Evidence::default()
            }],
            ..Statement::default()
        }),
        ..StatementView::default()
    }
}

fn background() -> Background {
    let mut background = Background {
        asked: ["kremlin".to_owned()].into(),
        topic: Some(TopicDefined {
            topic_id: "leaders-meeting".to_owned(),
            kind: TopicKind::Policy.into(),
            proposition: "The presidents should meet in person.".to_owned(),
            ..TopicDefined::default()
        }),
        milestone: Some(MilestoneDefined {
            milestone_id: "alaska-summit".to_owned(),
            title: "Putin and Trump meet in Anchorage".to_owned(),
            date: "2025-08-15".to_owned(),
            ..MilestoneDefined::default()
        }),
        ..Background::default()
    };
    for (slug, name) in [
        ("kremlin", "The Kremlin"),
        ("putin", "Vladimir Putin"),
        ("ushakov", "Yuri Ushakov"),
    ] {
        let names = vec![LocalizedName {
            language: "en".to_owned(),
            name: name.to_owned(),
        }];
        let defined = ActorDefined {
            names,
            ..ActorDefined::default()
        };
        background.actors.insert(slug.to_owned(), defined);
    }
    let speaker = |slug: &str| Voice::Speaker(slug.to_owned());
    for (index, view) in [
        (
            24,
            view(
                speaker("putin"),
                Wording::Paraphrased,
                "Nothing against meeting in principle, but the conditions for it must be created first.",
            ),
        ),
        (
            33,
            view(
                speaker("ushakov"),
                Wording::Verbatim,
                "The level may be raised.",
            ),
        ),
        (
            41,
            view(
                speaker("putin"),
                Wording::Retranslated,
                "If he is ready, let him come to Moscow.",
            ),
        ),
    ] {
        background
            .statements
            .insert(format!("statement-{index}"), view);
    }
    let digest = SourceArchived {
        title: "Press digest".to_owned(),
        publisher: "example".to_owned(),
        published_at: "2025-08-07".to_owned(),
        ..SourceArchived::default()
    };
    background.sources.insert("5d2f".repeat(16), digest);
    background
}

fn basis(as_of: &str) -> Basis {
    Basis {
        ledger_size: 44,
        root: vec![0xab; 32].into(),
        projection: "positions".to_owned(),
        projection_version: 1,
        known_at: 44,
        as_of: format!("{as_of}T23:59:59Z"),
    }
}

fn before() -> Position {
    Position {
        actor: "kremlin".to_owned(),
        topic: "leaders-meeting".to_owned(),
        asked: vec!["kremlin".to_owned()],
        finding: Finding::Stated.into(),
        stance: Some(prepared()),
        deciding: Some(putin_0807()),
        since: Some(day("2025-08-07", "2025-08-08")),
        last_affirmed: Some(day("2025-08-07", "2025-08-08")),
        considered: 2,
        ..Position::default()
    }
}

fn after() -> Position {
    Position {
        stance: Some(moscow()),
        deciding: Some(putin_0903()),
        since: Some(day("2025-09-03", "2025-09-04")),
        last_affirmed: Some(day("2025-09-03", "2025-09-04")),
        previous: Some(putin_0807()),
        considered: 5,
        possible_count: 1,
        ..before()
    }
}

#[test]
fn a_position_shows_its_stance_its_statement_an_evasion_and_its_basis() {
    let answer = GetPositionResponse {
        position: Some(Position {
            latest_evasion: Some(ushakov_0818()),
            diverge: true,
            ..before()
        }),
        basis: Some(basis("2025-08-18")),
        ..GetPositionResponse::default()
    };
    insta::assert_snapshot!(position(CANVAS, &answer, &background()), @r"
    The Kremlin on leaders-meeting
    The presidents should meet in person.

      STATED          OPEN {prepared}
                      ONLY_IF prepared: the conditions for it are created first
      since           2025-08-07
      last affirmed   2025-08-07
      beware          the voices diverge
      readings        2 considered

    rests on
      [24] Vladimir Putin, for The Kremlin (PRINCIPAL), said 2025-08-07
           Nothing against meeting in principle, but the conditions for it must be created
           first.
           paraphrased for this archive, not the speaker's words
           source 5d2f5d2f5d2f: Press digest, example, 2025-08-07

    latest evasion: DEFLECTED
      [33] Yuri Ushakov, for The Kremlin (SPOKESPERSON), said 2025-08-18
           “The level may be raised.”
           verbatim
           source 5d2f5d2f5d2f: Press digest, example, 2025-08-07

    basis: 44 entries, root abababababab…, positions v1, known at 44, as of 2025-08-18T23:59:59Z
    Verified means: the passage stands in the archived source, and verifiers signed that the
    source attributes it to this speaker. It does not mean that the speaker used these words,
    nor that the source tells the truth, nor that nothing else was said.
    ");
}

#[test]
fn a_group_has_no_voice_and_shows_what_is_reported_of_it() {
    let mut background = background();
    let anonymous = AnonymousSpeaker {
        description: "a European diplomat".to_owned(),
        reason: AnonymityReason::NameWithheld.into(),
    };
    let remark = view(
        Voice::Anonymous(anonymous),
        Wording::Paraphrased,
        "If one side is pushed into concessions, it ends up weaker.",
    );
    background
        .statements
        .insert("statement-38".to_owned(), remark);
    let remark = Testimony {
        holder: "european-capitals".to_owned(),
        said_for: Vec::new(),
        authority: Authority::Unspecified.into(),
        definite: false,
        stance: Some(Stance {
            polarity: Polarity::Opposes.into(),
            ..Stance::default()
        }),
        ..said(38, "", "2025-08", "")
    };
    let answer = GetPositionResponse {
        position: Some(Position {
            actor: "european-capitals".to_owned(),
            topic: "leaders-meeting".to_owned(),
            finding: Finding::NoVoice.into(),
            reported: vec![remark],
            reported_count: 1,
            considered: 1,
            ..Position::default()
        }),
        basis: Some(basis("2025-08-18")),
        ..GetPositionResponse::default()
    };
    insta::assert_snapshot!(position(CANVAS, &answer, &background), @r"
    european-capitals on leaders-meeting
    The presidents should meet in person.

      NO_VOICE        a GROUP or POPULATION has no voice of its own
      readings        1 considered, 1 only reported

    reported of it
      OPPOSES (possible)
        [38] a European diplomat (NAME_WITHHELD) (on the stance of european-capitals), said
             2025-08
             If one side is pushed into concessions, it ends up weaker.
             paraphrased for this archive, not the speaker's words
             source 5d2f5d2f5d2f: Press digest, example, 2025-08-07

    basis: 44 entries, root abababababab…, positions v1, known at 44, as of 2025-08-18T23:59:59Z
    Verified means: the passage stands in the archived source, and verifiers signed that the
    source attributes it to this speaker. It does not mean that the speaker used these words,
    nor that the source tells the truth, nor that nothing else was said.
    ");
}

#[test]
fn a_comparison_stands_side_by_side_under_its_kind() {
    let answer = ComparePositionsResponse {
        comparison: Some(Comparison {
            kind: ChangeKind::ConditionsChanged.into(),
            direction: Direction::None.into(),
            certain: true,
            placement: Placement::Since.into(),
            conditions_added: moscow().conditions,
            conditions_dropped: prepared().conditions,
            ..Comparison::default()
        }),
        from: Some(before()),
        from_basis: Some(basis("2025-08-14")),
        to: Some(after()),
        to_basis: Some(basis("2025-11-01")),
    };
    let background = background();
    let sides = Sides {
        titles: ["before alaska-summit", "up to now"],
        from: &background,
        to: &background,
    };
    insta::assert_snapshot!(comparison(CANVAS, &answer, sides), @r"
    The Kremlin on leaders-meeting
    The presidents should meet in person.

    CONDITIONS_CHANGED, certain; the later statement: SINCE alaska-summit
      conditions were exchanged
      OPEN {prepared} to OPEN {moscow}
      conditions {prepared} to {moscow}
      direction NONE

    ┌───────────────┬────────────────────────────────────┬────────────────────────────────────┐
    │               ┆ before alaska-summit               ┆ up to now                          │
    ╞═══════════════╪════════════════════════════════════╪════════════════════════════════════╡
    │ as of         ┆ 2025-08-14T23:59:59Z               ┆ 2025-11-01T23:59:59Z               │
    │ known at      ┆ 44                                 ┆ 44                                 │
    │ finding       ┆ STATED                             ┆ STATED                             │
    │ position      ┆ OPEN {prepared}                    ┆ OPEN {moscow}                      │
    │ conditions    ┆ ONLY_IF prepared: the conditions   ┆ ONLY_IF moscow: Zelenskyy comes to │
    │               ┆ for it are created first           ┆ Moscow                             │
    │ since         ┆ 2025-08-07                         ┆ 2025-09-03                         │
    │ last affirmed ┆ 2025-08-07                         ┆ 2025-09-03                         │
    │ rests on      ┆ [24] Vladimir Putin, for The       ┆ [41] Vladimir Putin, for The       │
    │               ┆ Kremlin (PRINCIPAL), said          ┆ Kremlin (PRINCIPAL), said          │
    │               ┆ 2025-08-07                         ┆ 2025-09-03, as corrected at [42]   │
    │               ┆ Nothing against meeting in         ┆ If he is ready, let him come to    │
    │               ┆ principle, but the conditions for  ┆ Moscow.                            │
    │               ┆ it must be created first.          ┆ retranslated for this archive, not │
    │               ┆ paraphrased for this archive, not  ┆ the speaker's words                │
    │               ┆ the speaker's words                ┆ source 5d2f5d2f5d2f: Press digest, │
    │               ┆ source 5d2f5d2f5d2f: Press digest, ┆ example, 2025-08-07                │
    │               ┆ example, 2025-08-07                ┆                                    │
    │ before that   ┆                                    ┆ OPEN {prepared}: [24] Vladimir     │
    │               ┆                                    ┆ Putin, for The Kremlin             │
    │               ┆                                    ┆ (PRINCIPAL), said 2025-08-07       │
    │ possible      ┆                                    ┆ 1 statement                        │
    └───────────────┴────────────────────────────────────┴────────────────────────────────────┘

    basis: 44 entries, root abababababab…, positions v1, known at 44, as of 2025-11-01T23:59:59Z
    Verified means: the passage stands in the archived source, and verifiers signed that the
    source attributes it to this speaker. It does not mean that the speaker used these words,
    nor that the source tells the truth, nor that nothing else was said.
    ");
}

#[test]
fn a_timeline_runs_downwards_through_its_milestone() {
    let step = |said: Testimony, kind: ChangeKind| TimelineStep {
        from: String::new(),
        testimony: Some(said),
        comparison: Some(Comparison {
            kind: kind.into(),
            ..Comparison::default()
        }),
    };
    let answer = GetTimelineResponse {
        steps: vec![
            step(putin_0807(), ChangeKind::FirstStated),
            step(ushakov_0818(), ChangeKind::Unspecified),
            step(putin_0903(), ChangeKind::ConditionsChanged),
        ],
        basis: Some(basis("2025-11-01")),
        truncated: false,
        next_page_token: String::new(),
    };
    let drawn = timeline(
        CANVAS,
        &answer,
        "kremlin",
        "leaders-meeting",
        background().milestone.as_slice(),
        &background(),
    );
    insta::assert_snapshot!(drawn, @r"
    The Kremlin on leaders-meeting
    The presidents should meet in person.

    2025-08-07  ●  OPEN {prepared}   FIRST_STATED
                │  [24] Vladimir Putin, for The Kremlin (PRINCIPAL), said 2025-08-07
                │  Nothing against meeting in principle, but the conditions for it must be
                │  created first.
                │
    2025-08-15──┼── alaska-summit: Putin and Trump meet in Anchorage
                │
    2025-08-18  ○  DEFLECTED
                │  [33] Yuri Ushakov, for The Kremlin (SPOKESPERSON), said 2025-08-18
                │  “The level may be raised.”
                │
    2025-09-03  ●  OPEN {moscow}   CONDITIONS_CHANGED
                │  [41] Vladimir Putin, for The Kremlin (PRINCIPAL), said 2025-09-03, as
                │  corrected at [42]
                │  If he is ready, let him come to Moscow.
                │

    basis: 44 entries, root abababababab…, positions v1, known at 44, as of 2025-11-01T23:59:59Z
    Verified means: the passage stands in the archived source, and verifiers signed that the
    source attributes it to this speaker. It does not mean that the speaker used these words,
    nor that the source tells the truth, nor that nothing else was said.
    ");
}

#[test]
fn entries_are_listed_with_their_kind_and_what_they_say() {
    let statement = background().statements["statement-24"].statement.clone();
    let listed = [LedgerEntry {
        index: 24,
        record_id: "9c".repeat(32),
        recorded_at: Some(prost_types::Timestamp {
            seconds: 1_756_000_000,
            nanos: 5,
        }),
        record: Some(crate::record::proto::Record {
            kind: statement.map(crate::record::proto::record::Kind::StatementRecorded),
            ..crate::record::proto::Record::default()
        }),
        ..LedgerEntry::default()
    }];
    insta::assert_snapshot!(entries(CANVAS, &listed), @r"
     index   recorded at            kind                what
    ─────────────────────────────────────────────────────────────────────────────────────────
     24      2025-08-24T01:46:40Z   statementRecorded   putin, : Nothing against meeting in
                                                        principle, but the conditions for it
                                                        must be created first.
    ");
}

#[test]
fn an_entry_that_is_about_something_says_about_what() {
    use crate::record::proto::record::Kind;
    use crate::record::proto::{self, Record};

    let described = |kind| {
        super::ledger::describe(&Record {
            kind: Some(kind),
            ..Record::default()
        })
        .1
    };
    let id = "9c".repeat(32);
    let source = |title: &str| {
        described(Kind::SourceArchived(proto::SourceArchived {
            source: id.clone(),
            title: title.to_owned(),
            media_type: "text/plain".to_owned(),
            size_bytes: 7,
            ..proto::SourceArchived::default()
        }))
    };
    assert_eq!(source(""), "9c9c9c9c9c9c (text/plain, 7 bytes)");
    assert_eq!(
        source("A digest"),
        "9c9c9c9c9c9c A digest (text/plain, 7 bytes)"
    );
    let retracted = described(Kind::StatementRetracted(proto::StatementRetracted {
        statement: id.clone(),
        reason: "It was made up.".to_owned(),
        ..proto::StatementRetracted::default()
    }));
    assert_eq!(retracted, "9c9c9c9c9c9c: It was made up.");
}

#[test]
fn a_poisoned_ledger_and_a_projection_behind_stand_out_in_the_status() {
    let answer = GetStatusResponse {
        origin: "news.example/archive".to_owned(),
        release: "0.1.0".to_owned(),
        head: Some(Head {
            size: 44,
            root: vec![0xab; 32].into(),
            recorded_at: None,
        }),
        poisoned: "no space left on device".to_owned(),
        projections: vec![ProjectionStatus {
            name: "positions".to_owned(),
            version: 1,
            cursor: Some(Head {
                size: 40,
                ..Head::default()
            }),
            digest: "77".repeat(32),
            failed: String::new(),
            building: None,
        }],
        uptime: Some(prost_types::Duration {
            seconds: 3_700,
            nanos: 0,
        }),
        time: None,
        checkpoints: None,
    };
    insta::assert_snapshot!(status(CANVAS, "http://127.0.0.1:7450", &answer), @r"
    news.example/archive
      daemon          0.1.0 at http://127.0.0.1:7450
      running for     1 h 1 min
      ledger          takes no more records: no space left on device
      entries         44
      root            abababababababababababababababababababababababababababababababab

     projection   version   has read   digest         state
    ───────────────────────────────────────────────────────────
     positions    1         40         777777777777   4 behind
    ");
}

#[test]
fn why_nothing_is_signed_and_what_each_witness_says_stand_in_the_status() {
    // In one line, so that it can be copied, although it is wider than the canvas.
    let key = "the-national-archive-of-news.example/archive+0a0b0c0d+AQIDAQIDAQIDAQIDAQIDAQIDAQIDAQIDAQIDAQIDAQIDAQID";
    let at = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    let witness = |name: &str, size| WitnessStatus {
        key: format!("{name}+00000000+BAAA"),
        url: format!("https://{name}"),
        named: true,
        size,
        ..WitnessStatus::default()
    };
    let answer = GetStatusResponse {
        origin: "news.example/archive".to_owned(),
        release: "0.1.0".to_owned(),
        checkpoints: Some(CheckpointStatus {
            not_signing: "the ledger is another history".to_owned(),
            size: 44,
            signed_at: at(1_755_000_000),
            keys: vec![key.to_owned()],
            quorum: 2,
            witnessed_size: 40,
            witnessed_at: at(1_755_000_001),
            clocks_differ: "entry 39: recorded later".to_owned(),
            witnesses: vec![
                WitnessStatus {
                    cosigned_at: at(1_755_000_001),
                    ..witness("one.example", 40)
                },
                WitnessStatus {
                    error: "no answer: timeout".to_owned(),
                    ..witness("two.example", 0)
                },
                WitnessStatus {
                    url: String::new(),
                    ..witness("three.example", 0)
                },
                WitnessStatus {
                    named: false,
                    ..witness("four.example", 0)
                },
            ],
        }),
        ..GetStatusResponse::default()
    };
    insta::assert_snapshot!(status(CANVAS, "http://127.0.0.1:7450", &answer), @r"
    news.example/archive
      daemon          0.1.0 at http://127.0.0.1:7450
      ledger          takes records
      checkpoints     not signed: the ledger is another history
      checkpoint      44 entries, signed 2025-08-12T12:00:00Z
      verify with     the-national-archive-of-news.example/archive+0a0b0c0d+AQIDAQIDAQIDAQIDAQIDAQIDAQIDAQIDAQIDAQIDAQIDAQID
      witnessed       40 entries, by a quorum of 2, before 2025-08-12T12:00:01Z
      ?               entry 39: recorded later

     witness         has seen   cosigned               state
    ────────────────────────────────────────────────────────────────────────────────────────────
     one.example     40         2025-08-12T12:00:01Z   cosigns
     two.example     0          never in this run      no answer: timeout
     three.example   0          never in this run      the settings say no URL of it
     four.example    0          never in this run      the archive does not name it; it is not
                                                       asked
    ");
    let barred = GetStatusResponse {
        poisoned: "the ledger is another history".to_owned(),
        ..answer
    };
    let drawn = status(CANVAS, "http://127.0.0.1:7450", &barred);
    assert!(
        drawn.contains("ledger          takes no records: what was signed may not be continued\n"),
        "{drawn}"
    );
}

#[test]
fn what_was_added_to_a_statement_and_what_is_withheld_are_told_beneath_it() {
    let mut background = background();
    let id = "5d2f".repeat(16);
    let scope = WithholdingScope::BytesAndText;
    background.withheld.insert(id.clone(), scope);
    let said = putin_0807();
    let view = background.statements.get_mut(&said.statement).unwrap();
    let at = |index| Provenance {
        index,
        ..Provenance::default()
    };
    view.further_evidence.push(FurtherEvidence {
        untrusted: false,
        evidence: vec![Evidence {
            source: "ab12".repeat(16),
            establishes: vec![Establishes::Words.into()],
            ..Evidence::default()
        }],
        provenance: Some(at(50)),
    });
    let untrusted = FurtherEvidence {
        untrusted: true,
        ..view.further_evidence[0].clone()
    };
    view.further_evidence.push(untrusted);
    view.introduced = Some(Provenance {
        attestations: vec![
            Attestation {
                verifier: "cd34".repeat(16),
                index: 51,
            },
            Attestation {
                verifier: "not a voucher any more".to_owned(),
                index: 53,
            },
        ],
        ..at(24)
    });
    view.vouchers.push("cd34".repeat(16));
    view.reviews.push(Review {
        review: Some(ReviewPublished {
            verdict: "Accurate".to_owned(),
            rating: 5,
            rating_worst: 1,
            rating_best: 5,
            url: "https://reviews.example/1".to_owned(),
            publisher: "Reviews".to_owned(),
            ..ReviewPublished::default()
        }),
        provenance: Some(at(52)),
    });
    let mut sheet = Sheet::new(CANVAS);
    statement::testimony(&mut sheet, 0, &said, &background);
    insta::assert_snapshot!(sheet.finish(), @r"
    [24] Vladimir Putin, for The Kremlin (PRINCIPAL), said 2025-08-07
         Nothing against meeting in principle, but the conditions for it must be created first.
         paraphrased for this archive, not the speaker's words
         source 5d2f5d2f5d2f: Press digest, example, 2025-08-07 (withheld: verified at index 24,
         not repeatable)
         also, since [50], source ab12ab12ab12
         vouched for since [51] by cd34cd34cd34
         reviewed by Reviews: Accurate (5 on a scale from 1 to 5), https://reviews.example/1
    ");
}

#[test]
fn an_authority_is_drawn_over_whom_it_is_about() {
    let drawn = |asked: &str, said: &Testimony| {
        let mut background = background();
        background.asked = [asked.to_owned()].into();
        statement::who_and_when(said, &background)
    };
    let said = putin_0807();
    let for_kremlin = "Vladimir Putin, for The Kremlin (PRINCIPAL), said 2025-08-07";
    assert_eq!(drawn("kremlin", &said), for_kremlin);
    // A part of the state that is asked.
    assert_eq!(drawn("russia", &said), for_kremlin);
    assert_eq!(
        drawn("putin", &said),
        "Vladimir Putin, for The Kremlin, said 2025-08-07"
    );
    let several = Testimony {
        said_for: vec!["kremlin".to_owned(), "party".to_owned()],
        ..said
    };
    assert_eq!(
        drawn("party", &several),
        "Vladimir Putin, for The Kremlin and party (PRINCIPAL), said 2025-08-07"
    );
}

/// The later position, about which coders disagree.
fn disputed() -> Position {
    let rival = RivalReading {
        engagement: Engagement::Deflected.into(),
        ..RivalReading::default()
    };
    Position {
        finding: Finding::Disputed.into(),
        stance: None,
        deciding: Some(Testimony {
            rivals: vec![rival],
            ..putin_0903()
        }),
        ..after()
    }
}

#[test]
fn a_change_to_what_is_not_stated_says_why_it_is_not() {
    let lines = |kind, ends: [&Position; 2]| -> Vec<String> {
        super::comparison::explained(kind, ends).collect()
    };
    let gone = ChangeKind::NoLongerOnRecord;
    assert_eq!(
        lines(gone, [&before(), &disputed()]),
        ["coders disagree about the later position"]
    );
    assert_eq!(
        lines(ChangeKind::FirstStated, [&disputed(), &before()]),
        ["coders disagree about the earlier position"]
    );
    let taken = |part: FilterPart, statements| Filtered {
        part: part.into(),
        statements,
    };
    let mut filtered = Position {
        finding: Finding::NoRecord.into(),
        stance: None,
        deciding: None,
        filtered_by: vec![taken(FilterPart::Wordings, 3)],
        ..after()
    };
    assert_eq!(
        lines(gone, [&before(), &filtered]),
        ["taken away from the later position by the terms: 3 statements (their wording)"]
    );
    filtered
        .filtered_by
        .push(taken(FilterPart::MandatedOnly, 1));
    let answer = ComparePositionsResponse {
        comparison: Some(Comparison {
            kind: gone.into(),
            ..Comparison::default()
        }),
        from: Some(before()),
        to: Some(filtered),
        ..ComparePositionsResponse::default()
    };
    let background = background();
    let sides = Sides {
        titles: ["before", "after"],
        from: &background,
        to: &background,
    };
    let drawn = comparison(CANVAS, &answer, sides);
    assert!(drawn.contains("by the terms: 4 statements"), "{drawn}");
    assert!(drawn.contains("│ taken away "), "{drawn}");
    assert_eq!(lines(ChangeKind::Unchanged, [&before(), &after()]), [""; 0]);
}

#[test]
fn a_timeline_says_where_coders_disagree() {
    let step = |said: Testimony, kind: ChangeKind| TimelineStep {
        from: String::new(),
        testimony: Some(said),
        comparison: Some(Comparison {
            kind: kind.into(),
            ..Comparison::default()
        }),
    };
    let rivals = disputed().deciding.map(|it| it.rivals).unwrap_or_default();
    let steps_of = [
        step(putin_0807(), ChangeKind::FirstStated),
        step(
            Testimony {
                rivals,
                ..said(30, "putin", "2025-08-20", "2025-08-21")
            },
            ChangeKind::NoLongerOnRecord,
        ),
        step(ushakov_0818(), ChangeKind::Unspecified),
        step(putin_0903(), ChangeKind::FirstStated),
    ];
    let mut sheet = Sheet::new(CANVAS);
    steps(&mut sheet, &steps_of, &[], &background());
    let drawn = sheet.finish();
    let later = drawn.find("coders disagree about the later position");
    let earlier = drawn.find("coders disagree about the earlier position");
    assert!(later.is_some() && later < earlier, "{drawn}");
    assert_eq!(drawn.matches("coders disagree").count(), 2, "{drawn}");
}
