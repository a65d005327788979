//! The story of `onrecord demo`: what a reader must see, and that it comes from the records.
#![cfg(feature = "daemon")]

#[path = "common/program.rs"]
mod program;

use program::{copy_example, onrecord, run};

/// The story as one line, and without what tables draw, so that a label is found however it
/// is wrapped.
fn flat(story: &str) -> String {
    let drawn = |c: char| "│┆─═┌┐└┘├┤╞╡╪┬┴┼━●○".contains(c);
    story
        .replace(drawn, " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

/// The part of a story from the heading that holds `heading` to the next one.
#[track_caller]
fn chapter(story: &str, heading: &str) -> String {
    let chapter = story.split("━━━━").find(|chapter| {
        chapter
            .lines()
            .nth(1)
            .is_some_and(|it| it.contains(heading))
    });
    flat(chapter.unwrap_or_else(|| panic!("no chapter {heading:?} in\n{story}")))
}

/// The part of a chapter from `start` on, up to `end`.
#[track_caller]
fn part<'a>(chapter: &'a str, start: &str, end: &str) -> &'a str {
    let from = chapter
        .find(start)
        .unwrap_or_else(|| panic!("no {start:?} in {chapter}"));
    let rest = &chapter[from..];
    let to = rest[start.len()..].find(end);
    to.map_or(rest, |to| &rest[..start.len() + to])
}

#[track_caller]
fn holds(text: &str, labels: &[&str]) {
    for label in labels {
        assert!(text.contains(label), "no {label:?} in: {text}");
    }
}

#[test]
fn a_reader_sees_every_label_of_the_story() {
    let story = run(onrecord().args(["demo", "--once"])).code(0).out;

    let whole = chapter(&story, "Before and after");
    holds(
        &whole,
        &[
            "CONDITIONS_CHANGED, certain; the later statement: SINCE alaska-summit",
            "OPEN {prepared} to OPEN {moscow}",
            "conditions {prepared} to {moscow}",
        ],
    );

    let steps = chapter(&story, "day by day");
    let basis = "basis:";
    let step = |day: &str| part(&steps, &format!("to {day}"), basis);
    holds(
        step("2025-08-18"),
        &[
            "NOT_RESTATED, certain",
            "OPEN {prepared} to OPEN {prepared}",
            "latest evasion DEFLECTED",
            "Yuri Ushakov, for The Kremlin (SPOKESPERSON), said 2025-08-18",
        ],
    );
    holds(
        step("2025-08-19"),
        &[
            "UNCHANGED, certain; the later statement: SINCE alaska-summit",
            "OPEN {prepared} to OPEN {prepared}",
            "Sergei Lavrov, for The Kremlin (DELEGATE), said 2025-08-19",
        ],
    );
    holds(
        step("2025-08-22"),
        &[
            "CONDITIONS_CHANGED, certain; the later statement: SINCE alaska-summit",
            "OPEN {prepared} to OPEN {agenda}",
            "Sergei Lavrov, for The Kremlin (DELEGATE), said 2025-08-22",
        ],
    );
    holds(
        step("2025-09-03"),
        &[
            "CONDITIONS_CHANGED, certain; the later statement: SINCE alaska-summit",
            "OPEN {prepared} to OPEN {moscow}",
            "Vladimir Putin, for The Kremlin (PRINCIPAL), said 2025-09-03",
        ],
    );

    let timeline = chapter(&story, "come about");
    holds(
        &timeline,
        &[
            "2025-08-07 OPEN {prepared} FIRST_STATED",
            "2025-08-07 DECLINED",
            "alaska-summit: Putin and Trump meet in Anchorage",
            "2025-08-18 DEFLECTED",
            "2025-08-19 OPEN {prepared} UNCHANGED",
            "2025-08-22 OPEN {agenda} CONDITIONS_CHANGED",
            "2025-09-03 OPEN {moscow} CONDITIONS_CHANGED",
        ],
    );

    let claim = chapter(&story, "being arranged");
    holds(
        &claim,
        &[
            "The White House on broker-meeting",
            "SOFTENED, certain",
            "SUPPORTS 2 to SUPPORTS 1",
            "up to 2025-08-18",
            "up to 2025-08-19",
        ],
    );

    let ukraine = chapter(&story, "other side");
    holds(
        part(
            &ukraine,
            "Ukraine's presidency on leaders-meeting",
            "basis:",
        ),
        &[
            "STATED SUPPORTS 2, without conditions",
            "Volodymyr Zelenskyy",
        ],
    );
    holds(
        part(&ukraine, "Ukraine's presidency on territory", "basis:"),
        &["STATED OPPOSES 3", "Volodymyr Zelenskyy"],
    );

    let europe = chapter(&story, "nobody speaks for");
    holds(
        &europe,
        &[
            "European capitals on territory",
            "NO_VOICE",
            "reported of it OPPOSES (possible)",
            "a European diplomat (NAME_WITHHELD)",
            "as of 2025-08-18T23:59:59Z",
        ],
    );
}

#[test]
fn the_correction_and_the_retraction_change_todays_answer_and_not_what_was_known() {
    let story = run(onrecord().args(["demo", "--once"])).code(0).out;
    let kremlin = "The Kremlin on leaders-meeting, as of";

    let corrected = chapter(&story, " corrects ");
    let corrected = part(&corrected, kremlin, "basis:");
    holds(
        corrected,
        &[
            "position SUPPORTS, without conditions OPEN {moscow}",
            "known today",
        ],
    );

    let retracted = chapter(&story, " retracts ");
    let own = "Vladimir Putin on leaders-meeting, as of 2025-08-22";
    holds(
        part(&retracted, own, "basis:"),
        &["position OPEN {agenda} OPEN {prepared}"],
    );
    holds(
        part(&retracted, kremlin, "basis:"),
        &["position OPEN {agenda} OPEN {agenda}", "Sergei Lavrov"],
    );
}

#[test]
fn coders_disputes_revocations_and_second_vouchers_change_what_is_known() {
    let story = run(onrecord().args(["demo", "--once"])).code(0).out;
    let entries: Vec<&str> = story
        .split("━━━━")
        .filter(|it| it.contains("changes?") || it.contains("does that change?"))
        .collect();
    assert_eq!(entries.len(), 4, "{entries:#?}");
    let told = entries.iter().map(|entry| flat(entry)).collect::<Vec<_>>();
    holds(
        &told[0],
        &[
            "a coder reads a statement for themselves",
            "The Kremlin on leaders-meeting, as of 2025-08-22",
            "NO_LONGER_ON_RECORD, not certain",
            "finding STATED DISPUTED",
            "position OPEN {agenda} OPEN {agenda} or OPPOSES 1",
        ],
    );
    holds(&told[1], &["FIRST_STATED", "finding DISPUTED STATED"]);
    holds(
        &told[2],
        &[
            "a verifier is trusted no longer",
            "Russian Foreign Ministry on leaders-meeting",
            "finding STATED NO_RECORD",
        ],
    );
    holds(
        &told[3],
        &[
            "a second newsroom vouches",
            "finding NO_RECORD STATED",
            "vouched for since",
        ],
    );
    let claim = chapter(&story, "being arranged");
    holds(
        &claim,
        &["reviewed by example: Not borne out by 3 September"],
    );
}

#[test]
fn changing_one_polarity_in_a_copy_of_the_records_changes_the_story() {
    let copy = tempfile::tempdir().unwrap();
    copy_example(copy.path());
    let path = copy.path().join("records.jsonl");
    let records = std::fs::read_to_string(&path).unwrap();
    let edited: Vec<String> = records
        .lines()
        .map(|line| {
            if line.contains(r#""key": "lavrov-0819""#) {
                line.replace(r#""polarity": "OPEN""#, r#""polarity": "OPPOSES""#)
            } else {
                line.to_owned()
            }
        })
        .collect();
    let edited = edited.join("\n");
    assert_ne!(edited, records.trim_end());
    std::fs::write(&path, edited).unwrap();

    let directory = copy.path().to_str().unwrap();
    let story = run(onrecord().args(["demo", "--once", "--records", directory]))
        .code(0)
        .out;
    let steps = chapter(&story, "day by day");
    let step = |day: &str| part(&steps, &format!("to {day}"), "basis:");
    holds(
        step("2025-08-19"),
        &[
            "TOOK_SIDE, certain",
            "OPEN {prepared} to OPPOSES {prepared}",
        ],
    );
    let timeline = chapter(&story, "come about");
    holds(
        &timeline,
        &[
            "2025-08-19 OPPOSES {prepared} TOOK_SIDE",
            "2025-08-22 OPEN {agenda} SOFTENED",
        ],
    );
    assert!(!timeline.contains("UNCHANGED"), "{timeline}");
    assert!(
        !path.with_added_extension("signed").exists(),
        "the demo writes nothing beside the records it is shown"
    );
}
