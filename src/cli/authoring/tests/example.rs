//! The example that ships with the project, held to the form and to its own promises.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::memory::Memory;
use crate::cli::authoring::{AuthoredRecord, Draft, Others, Session, read};
use crate::record::proto::record::Kind;
use crate::record::proto::statement::Voice;
use crate::record::{Micros, SigningKey, proto};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/alaska-summit")
}

fn drafts() -> Vec<Draft> {
    read(
        &std::fs::read(directory().join("records.jsonl")).unwrap(),
        &Others::new(),
    )
    .unwrap()
}

/// The example, put through a run on a copy of it.
async fn run() -> Vec<AuthoredRecord> {
    let copy = tempfile::tempdir().unwrap();
    std::fs::create_dir(copy.path().join("sources")).unwrap();
    for file in std::fs::read_dir(directory().join("sources")).unwrap() {
        let file = file.unwrap();
        let to = copy.path().join("sources").join(file.file_name());
        std::fs::copy(file.path(), to).unwrap();
    }
    let archive = Memory::default();
    let keys = [SigningKey::from_seed([7; 32])].into();
    let records = copy.path().join("records.jsonl");
    let mut session = Session::open(&archive, "o".to_owned(), keys, &records, &drafts()).unwrap();
    let mut authored = Vec::new();
    for draft in drafts() {
        session.prepare(&draft, Micros(0)).await.unwrap();
        for record in session.release().unwrap() {
            assert!(archive.take(&record));
            authored.push(record);
        }
    }
    authored
}

fn statements(authored: &[AuthoredRecord]) -> HashMap<&str, &proto::Statement> {
    authored
        .iter()
        .filter_map(|record| match record.record.kind.as_ref()? {
            Kind::StatementRecorded(statement) => Some((record.key.as_deref()?, statement)),
            Kind::StatementCorrected(it) => Some(("corrected", it.corrected.as_ref()?)),
            _ => None,
        })
        .collect()
}

fn evidence(kind: &Kind) -> &[proto::Evidence] {
    match kind {
        Kind::StatementRecorded(it) => &it.evidence,
        Kind::StatementCorrected(it) => it.corrected.as_ref().map_or(&[], |it| &it.evidence),
        Kind::MilestoneDefined(it) => &it.evidence,
        _ => &[],
    }
}

#[tokio::test]
async fn every_quoted_passage_stands_in_its_source_exactly_once() {
    let mut sources = HashMap::new();
    for file in std::fs::read_dir(directory().join("sources")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let id = crate::record::ContentId::of(text.as_bytes()).to_string();
        sources.insert(id, text);
    }
    let mut passages = 0;
    for record in run().await {
        for passage in evidence(record.record.kind.as_ref().unwrap()) {
            for segment in &passage.segments {
                let count = sources[&passage.source].matches(&segment.exact).count();
                assert_eq!(count, 1, "line {}: {}", record.line, segment.exact);
                passages += 1;
            }
        }
    }
    assert!(passages >= 15, "{passages}");
}

#[tokio::test]
async fn every_statement_is_a_paraphrase_with_passages_for_words_and_speaker() {
    let authored = run().await;
    let statements = statements(&authored);
    assert_eq!(statements.len(), 13);
    for (key, statement) in statements {
        assert_eq!(statement.wording(), proto::Wording::Paraphrased, "{key}");
        let mut established = statement.evidence.iter().flat_map(|it| it.establishes());
        assert!(
            established.any(|it| it == proto::Establishes::Words),
            "{key}"
        );
        let mut established = statement.evidence.iter().flat_map(|it| it.establishes());
        assert!(
            established.any(|it| it == proto::Establishes::Speaker),
            "{key}"
        );
        for passage in &statement.evidence {
            assert!(!passage.text_id.is_empty(), "{key}");
        }
    }
}

/// Key, speaker, organisations, topic, engagement, polarity, strength, conditions.
#[tokio::test]
async fn the_readings_are_those_of_the_story() {
    let authored = run().await;
    let mut shown: Vec<String> = Vec::new();
    for (key, statement) in statements(&authored) {
        let speaker = match &statement.voice {
            Some(Voice::Speaker(speaker)) => speaker.as_str(),
            _ => "-",
        };
        let organizations: Vec<_> = statement
            .said_for
            .iter()
            .map(|it| it.actor.as_str())
            .collect();
        for reading in &statement.readings {
            let conditions: Vec<_> = reading.conditions.iter().map(|it| it.id.as_str()).collect();
            shown.push(format!(
                "{key} {speaker} {organizations:?} {} {} {} {} {} {} {conditions:?}",
                statement.said_at,
                reading.topic,
                reading.holder,
                reading
                    .engagement()
                    .as_str_name()
                    .trim_start_matches("ENGAGEMENT_"),
                reading
                    .polarity()
                    .as_str_name()
                    .trim_start_matches("POLARITY_"),
                reading.strength,
            ));
        }
    }
    shown.sort();
    assert_eq!(
        shown,
        [
            r#"corrected putin ["kremlin"] 2025-09-03 leaders-meeting  ANSWERED OPEN 0 ["moscow"]"#,
            "diplomat-08 - [] 2025-08 territory european-capitals ANSWERED OPPOSES 0 []",
            r#"lavrov-0819 lavrov ["kremlin"] 2025-08-19 leaders-meeting  ANSWERED OPEN 0 ["prepared"]"#,
            r#"lavrov-0822 lavrov ["kremlin"] 2025-08-22 leaders-meeting  ANSWERED OPEN 0 ["agenda"]"#,
            r#"putin-0807 putin ["kremlin"] 2025-08-07 leaders-meeting  ANSWERED OPEN 0 ["prepared"]"#,
            r#"putin-0822 putin ["kremlin"] 2025-08-22 leaders-meeting  ANSWERED OPEN 0 ["agenda"]"#,
            r#"putin-0903 putin ["kremlin"] 2025-09-03 leaders-meeting  ANSWERED SUPPORTS 0 []"#,
            r#"trump-0818 trump ["white-house"] 2025-08-18 broker-meeting  ANSWERED SUPPORTS 2 []"#,
            r#"trump-0819 trump ["white-house"] 2025-08-19 broker-meeting  ANSWERED SUPPORTS 1 []"#,
            r#"ushakov-0807 ushakov ["kremlin"] 2025-08-07 leaders-meeting  DECLINED UNSPECIFIED 0 []"#,
            r#"ushakov-0818 ushakov ["kremlin"] 2025-08-18 leaders-meeting  DEFLECTED UNSPECIFIED 0 []"#,
            r#"zelenskyy-0809 zelenskyy ["ukraine-presidency"] 2025-08-09 territory  ANSWERED OPPOSES 3 []"#,
            r#"zelenskyy-0818 zelenskyy ["ukraine-presidency"] 2025-08-18 leaders-meeting  ANSWERED SUPPORTS 2 []"#,
        ]
    );
}

#[tokio::test]
async fn sources_come_by_the_day_of_their_capture_and_the_changes_of_mind_at_the_end() {
    let authored = run().await;
    let captured: Vec<_> = authored
        .iter()
        .filter_map(|record| match record.record.kind.as_ref()? {
            Kind::SourceArchived(source) => source.captured_at.map(|time| time.seconds),
            _ => None,
        })
        .collect();
    assert_eq!(captured.len(), 8);
    assert!(captured.is_sorted());
    let last: Vec<_> = authored
        .iter()
        .rev()
        .take(3)
        .map(|it| it.kind.as_str())
        .collect();
    assert_eq!(
        last,
        [
            "statementRecorded",
            "statementRetracted",
            "statementCorrected"
        ]
    );
}
