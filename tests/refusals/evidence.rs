//! What a record rests on: documents, passages, times.

use onrecord::admission::Reason;
use onrecord::record::ContentId;
use onrecord::record::proto::{
    Derivation, DerivedFrom, SourceArchived, Statement, Wording, record::Kind,
};

use super::{Case, Scene};
use crate::common::archive::{PASSAGE, TWICE, TestArchive, for_the_kremlin};
use crate::common::client::{id_of, recorded};
use crate::common::records::{at, evidence, segment, source};

/// 2999-01-01T00:00:00Z.
const FAR_AHEAD: i64 = 32_472_144_000;

/// The same source, published on 1 August 2025 as a translation of another.
pub fn translating(archived: SourceArchived) -> SourceArchived {
    SourceArchived {
        published_at: "2025-08-01".to_owned(),
        derived_from: vec![DerivedFrom {
            derivation: Derivation::Translates.into(),
            source: String::new(),
            description: "The original, which nobody archived.".to_owned(),
        }],
        ..archived
    }
}

/// Archives a source and a report of it, and then the source again, as a translation. The
/// report's text.
pub async fn report_of_a_translation(archive: &mut TestArchive) -> &'static str {
    let (original, report) = ("What the agency sent.", "What the paper made of it.");
    for text in [original, report] {
        let sent = archive.client.put_source("text/plain", text.as_bytes());
        sent.await.unwrap();
    }
    let first = archive.steward.seal(Kind::SourceArchived(source(original)));
    let reporting = SourceArchived {
        derived_from: vec![DerivedFrom {
            derivation: Derivation::Reports.into(),
            source: ContentId::of(original.as_bytes()).to_string(),
            description: String::new(),
        }],
        ..source(report)
    };
    let again = SourceArchived {
        replaces: id_of(&first),
        ..translating(source(original))
    };
    for envelope in [
        first,
        archive.steward.seal(Kind::SourceArchived(reporting)),
        archive.steward.seal(Kind::SourceArchived(again)),
    ] {
        recorded(archive.client.append_envelope(envelope).await);
    }
    report
}

pub fn cases(scene: &Scene) -> Vec<Case> {
    let mut cases = sources(scene);
    cases.extend(passages(scene));
    cases.extend(times(scene));
    cases
}

fn sources(scene: &Scene) -> Vec<Case> {
    let case = |reason, field, archived: SourceArchived, change: &dyn Fn(&mut SourceArchived)| {
        let mut archived = archived;
        change(&mut archived);
        Case {
            reason,
            field,
            envelope: scene.archive.attestor.seal(Kind::SourceArchived(archived)),
        }
    };
    let uploaded = || source(scene.uploaded);
    let huge = SourceArchived {
        source: ContentId::of(&scene.huge).to_string(),
        size_bytes: scene.huge.len() as u64,
        ..uploaded()
    };
    vec![
        case(
            Reason::SourceBytesMissing,
            "sourceArchived.source",
            source("This was never uploaded."),
            &|_| {},
        ),
        case(
            Reason::SizeMismatch,
            "sourceArchived.sizeBytes",
            uploaded(),
            &|archived| archived.size_bytes += 1,
        ),
        case(
            Reason::UnknownProfile,
            "sourceArchived.profile",
            uploaded(),
            &|archived| archived.profile = "plain-text/9".to_owned(),
        ),
        case(
            Reason::TextIdMismatch,
            "sourceArchived.textId",
            uploaded(),
            &|archived| archived.text_id = ContentId::of(b"another text").to_string(),
        ),
        case(Reason::TextTooLarge, "sourceArchived.source", huge, &|_| {}),
        case(
            Reason::InTheFuture,
            "sourceArchived.capturedAt",
            uploaded(),
            &|archived| archived.captured_at = Some(at(FAR_AHEAD)),
        ),
    ]
}

fn said(
    scene: &Scene,
    reason: Reason,
    field: &'static str,
    change: &dyn Fn(&mut Statement),
) -> Case {
    let mut statement = for_the_kremlin("2025-08-19");
    statement.venue = "elsewhere".to_owned();
    change(&mut statement);
    Case {
        reason,
        field,
        envelope: scene
            .archive
            .attestor
            .seal(Kind::StatementRecorded(statement)),
    }
}

fn passages(scene: &Scene) -> Vec<Case> {
    let exact = "statementRecorded.evidence[0].segments[0].exact";
    let start = "statementRecorded.evidence[0].segments[0].start";
    let case = |reason, field, change: &dyn Fn(&mut Statement)| said(scene, reason, field, change);
    let segments = |statement: &mut Statement, passages: &[&str]| {
        statement.evidence[0].segments = passages.iter().map(|exact| segment(exact)).collect();
    };
    vec![
        case(Reason::QuoteNotFound, exact, &|said| {
            segments(said, &["he promised a meeting"]);
        }),
        case(
            Reason::QuoteNotFound,
            "statementRecorded.evidence[0].segments[1].exact",
            &|said| segments(said, &[PASSAGE, "The minister spoke"]),
        ),
        case(Reason::QuoteAmbiguous, exact, &|said| {
            segments(said, &[TWICE]);
        }),
        case(Reason::PositionMismatch, start, &|said| {
            said.evidence[0].segments[0].start = Some(3);
        }),
        case(
            Reason::TextDiffersFromSelection,
            "statementRecorded.text",
            &|said| said.wording = Wording::Translated.into(),
        ),
        case(
            Reason::NotVerbatim,
            "statementRecorded.evidence[0].source",
            &|said| verbatim(said, scene.translation),
        ),
        case(
            Reason::NotVerbatim,
            "statementRecorded.evidence[0].source",
            &|said| verbatim(said, scene.report),
        ),
    ]
}

fn times(scene: &Scene) -> Vec<Case> {
    let case = |reason, field, said_at: &str, repeated_until: &str| {
        said(scene, reason, field, &|said| {
            said.said_at = said_at.to_owned();
            said.repeated_until = repeated_until.to_owned();
        })
    };
    vec![
        case(
            Reason::SaidAfterCaptured,
            "statementRecorded.saidAt",
            "2025-08-22",
            "",
        ),
        case(
            Reason::SaidAfterCaptured,
            "statementRecorded.saidAt",
            "2025-08-20T06:00:01Z",
            "",
        ),
        case(
            Reason::SaidAfterCaptured,
            "statementRecorded.repeatedUntil",
            "2025-08-19",
            "2025-08-22",
        ),
        said(
            scene,
            Reason::SaidAfterPublished,
            "statementRecorded.saidAt",
            &|said| {
                said.said_at = "2025-08-10".to_owned();
                said.evidence = vec![evidence(scene.translation, scene.translation)];
            },
        ),
    ]
}

/// Quotes all of a source as the speaker's own words.
fn verbatim(said: &mut Statement, text: &str) {
    said.wording = Wording::Verbatim.into();
    said.spoken_language = "en".to_owned();
    said.text = text.to_owned();
    said.evidence = vec![evidence(text, text)];
}
