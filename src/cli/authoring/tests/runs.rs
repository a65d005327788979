//! Whole runs over a file: what is filled in, what is kept, what a second run does.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::memory::Memory;
use crate::cli::authoring::{
    AuthoredRecord, Note, Others, PrepareError, Session, SignedError, SignedFile, read,
    signed_under,
};
use crate::record::proto::record::Kind;
use crate::record::{ContentId, Micros, SigningKey, proto};

const ORIGIN: &str = "example.org/archive";

/// A source, a mandate, a statement with a reading of it, a correction and a retraction.
const FILE: &str = r#"{"key": "office", "mandateGranted": {"mandateId": "putin-kremlin", "person": "putin", "organization": "kremlin", "authority": "PRINCIPAL"}}
{"key": "digest", "sourceArchived": {"file": "digest.txt", "mediaType": "text/plain", "capturedAt": "2025-08-20T06:00:00Z", "role": "SECONDARY"}}
{"key": "said", "statementRecorded": {"speaker": "putin", "saidAt": "2025-08-19", "wording": "PARAPHRASED", "text": "one", "evidence": [{"source": "@digest", "segments": [{"exact": "digest"}]}]}}
{"readingAdded": {"statement": "@said", "reading": {"topic": "leaders-meeting", "engagement": "DECLINED"}}}
{"statementCorrected": {"statement": "@said", "corrected": {"text": "two", "evidence": [{"source": "@digest"}]}, "reason": "r"}}
{"statementCorrected": {"statement": "@said", "corrected": {"text": "three"}, "reason": "r"}}
{"statementRetracted": {"statement": "@said", "reason": "r"}}
"#;

/// A file of records in a directory of its own.
struct Place {
    directory: TempDir,
}

impl Place {
    fn with(text: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("digest.txt"), "a digest").unwrap();
        let place = Self { directory };
        place.write(text);
        place
    }

    fn write(&self, text: &str) {
        fs::write(self.records(), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn records(&self) -> PathBuf {
        self.path("records.jsonl")
    }

    fn signed(&self) -> PathBuf {
        self.path("records.jsonl.signed")
    }

    fn session<'a>(&self, archive: &'a Memory, seed: u8) -> Session<&'a Memory> {
        let keys = [SigningKey::from_seed([seed; 32])].into();
        let drafts = read(&fs::read(self.records()).unwrap(), &Others::new()).unwrap();
        Session::open(archive, ORIGIN.to_owned(), keys, &self.records(), &drafts).unwrap()
    }

    /// Runs the file as at `signed_at` seconds: each line is sent before the next is prepared,
    /// and refused if `refuses` says so.
    async fn run_but(
        &self,
        archive: &Memory,
        signed_at: i64,
        refuses: impl Fn(&AuthoredRecord) -> bool,
    ) -> Vec<AuthoredRecord> {
        let mut session = self.session(archive, 1);
        let mut sent = Vec::new();
        for draft in read(&fs::read(self.records()).unwrap(), &Others::new()).unwrap() {
            let signed_at = Micros(signed_at * 1_000_000);
            session.prepare(&draft, signed_at).await.unwrap();
            for record in session.release().unwrap() {
                if refuses(&record) {
                    session.refused(&record, "NO").unwrap();
                } else {
                    archive.take(&record);
                }
                sent.push(record);
            }
        }
        sent
    }

    async fn run(&self, archive: &Memory, signed_at: i64) -> Vec<AuthoredRecord> {
        self.run_but(archive, signed_at, |_| false).await
    }

    /// Prepares the file line by line and gives what is said of each that fails.
    async fn failures(&self, archive: &Memory) -> Vec<String> {
        let mut session = self.session(archive, 1);
        let mut failures = Vec::new();
        for draft in read(&fs::read(self.records()).unwrap(), &Others::new()).unwrap() {
            match session.prepare(&draft, Micros(0)).await {
                Ok(()) => {}
                Err(PrepareError::Line(error)) => failures.push(error.to_string()),
                Err(error) => panic!("{error}"),
            }
        }
        failures
    }
}

fn envelopes(records: &[AuthoredRecord]) -> Vec<&proto::Envelope> {
    records.iter().map(|record| &record.envelope).collect()
}

fn statement(record: &AuthoredRecord) -> &proto::Statement {
    match &record.record.kind {
        Some(Kind::StatementRecorded(statement)) => statement,
        other => panic!("not a statement: {other:?}"),
    }
}

#[tokio::test]
async fn the_same_file_gives_the_same_bytes_wherever_it_is_run() {
    let (one, other) = (Place::with(FILE), Place::with(FILE));
    let first = one.run(&Memory::default(), 5).await;
    let second = other.run(&Memory::default(), 5).await;
    assert_eq!(envelopes(&first), envelopes(&second));
    assert_eq!(
        fs::read(one.signed()).unwrap(),
        fs::read(other.signed()).unwrap()
    );
}

#[tokio::test]
async fn what_is_handed_out_is_a_whole_record_signed_by_the_key() {
    let archive = Memory::default();
    let key = SigningKey::from_seed([1; 32]);
    for record in Place::with(FILE).run(&archive, 5).await {
        let decoded = crate::record::decode(&record.envelope.payload).unwrap();
        assert_eq!(decoded, record.record);
        assert_eq!(decoded.origin, ORIGIN);
        assert_eq!(decoded.signed_at, Some(Micros(5_000_000).to_timestamp()));
        let payload = record.envelope.payload.clone();
        assert_eq!(record.envelope, key.seal(payload));
    }
}

#[tokio::test]
async fn a_record_is_filled_in_from_the_lines_above_it() {
    let records = Place::with(FILE).run(&Memory::default(), 5).await;
    let said = records[2].record_id.to_string();
    let statement = statement(&records[2]);
    assert_eq!(statement.said_for.len(), 1);
    assert_eq!(statement.said_for[0].actor, "kremlin");
    assert_eq!(statement.said_for[0].basis(), proto::CapacityBasis::Implied);

    let Some(Kind::SourceArchived(source)) = &records[1].record.kind else {
        panic!("a source");
    };
    assert_eq!(source.size_bytes, 8);
    assert_eq!(source.profile, "plain-text/1");
    assert_eq!(statement.evidence[0].source, source.source);
    assert_eq!(statement.evidence[0].text_id, source.text_id);

    let Some(Kind::ReadingAdded(reading)) = &records[3].record.kind else {
        panic!("a reading");
    };
    assert_eq!(reading.statement, said);
    assert_eq!(reading.speaker, "putin");
    assert_eq!(reading.said_for, ["kremlin"]);

    let Some(Kind::StatementCorrected(first)) = &records[4].record.kind else {
        panic!("a correction");
    };
    assert_eq!(first.corrects, said);
    let corrected = first.corrected.as_ref().unwrap();
    assert_eq!(corrected.voice, statement.voice);
    assert_eq!(corrected.said_for, statement.said_for);
    assert_eq!(corrected.evidence[0].text_id, source.text_id);

    let Some(Kind::StatementCorrected(second)) = &records[5].record.kind else {
        panic!("a correction");
    };
    assert_eq!(second.corrects, records[4].record_id.to_string());

    let Some(Kind::StatementRetracted(retraction)) = &records[6].record.kind else {
        panic!("a retraction");
    };
    assert_eq!(retraction.speaker, "putin");
    assert_eq!(retraction.said_for, ["kremlin"]);
}

#[tokio::test]
async fn lines_may_be_prepared_together_before_any_of_them_is_sent() {
    let (alone, together) = (Memory::default(), Memory::default());
    let one_by_one = Place::with(FILE).run(&alone, 5).await;
    let drafts = read(FILE.as_bytes(), &Others::new()).unwrap();
    let place = Place::with(FILE);
    let mut session = place.session(&together, 1);
    for draft in &drafts {
        session.prepare(draft, Micros(5_000_000)).await.unwrap();
    }
    let batch = session.release().unwrap();
    assert_eq!(envelopes(&batch), envelopes(&one_by_one));
    assert_eq!(session.release().unwrap(), []);
}

#[tokio::test]
async fn a_file_run_twice_sends_the_same_and_records_nothing_twice() {
    let (place, archive) = (Place::with(FILE), Memory::default());
    let first = place.run(&archive, 5).await;
    assert!(first.iter().all(|record| !record.kept));
    let (size, journal) = (archive.size(), fs::read(place.signed()).unwrap());
    let second = place.run(&archive, 99).await;
    assert_eq!(envelopes(&first), envelopes(&second));
    assert!(second.iter().all(|record| record.kept));
    assert_eq!(archive.size(), size);
    assert_eq!(fs::read(place.signed()).unwrap(), journal);
}

#[tokio::test]
async fn a_line_that_says_the_same_in_another_way_is_the_same_line() {
    let (place, archive) = (Place::with(FILE), Memory::default());
    let first = place.run(&archive, 5).await;
    let rewritten = FILE
        .replace("@said", "@what-was-said")
        .replace(r#""key": "said""#, r#""key": "what-was-said""#)
        .replace(r#""text": "one", "#, "")
        .replace(r#""saidAt":"#, r#""text":   "one", "said_at":"#)
        .replace("PARAPHRASED", "WORDING_PARAPHRASED");
    place.write(&format!("\n{rewritten}"));
    let second = place.run(&archive, 99).await;
    assert_eq!(envelopes(&first), envelopes(&second));
    assert_eq!(archive.size(), 7);
}

#[tokio::test]
async fn an_edited_line_is_a_new_record_and_so_is_every_line_that_refers_to_it() {
    let (place, archive) = (Place::with(FILE), Memory::default());
    let first = place.run(&archive, 5).await;
    place.write(&FILE.replace("one", "another"));
    let second = place.run(&archive, 99).await;
    let same: Vec<bool> = std::iter::zip(&first, &second)
        .map(|(first, second)| first.record_id == second.record_id)
        .collect();
    assert_eq!(same, [true, true, false, false, false, false, false]);
    let Some(Kind::StatementRetracted(retraction)) = &second[6].record.kind else {
        panic!("a retraction");
    };
    assert_eq!(retraction.statement, second[2].record_id.to_string());
}

#[tokio::test]
async fn an_edited_definition_replaces_the_newest_version_of_whoever_made_it() {
    let topic = |note: &str| format!(r#"{{"topicDefined": {{"topicId": "t", "note": "{note}"}}}}"#);
    let replaces = |record: &AuthoredRecord| match &record.record.kind {
        Some(Kind::TopicDefined(topic)) => topic.replaces.clone(),
        other => panic!("not a topic: {other:?}"),
    };
    let archive = Memory::default();
    let elsewhere = Place::with(&topic("theirs"));
    let place = Place::with(&topic("ours"));
    let first = place.run(&archive, 5).await.remove(0);
    assert_eq!(replaces(&first), "");
    let theirs = elsewhere.run(&archive, 6).await.remove(0);
    assert_eq!(replaces(&theirs), first.record_id.to_string());

    // An unchanged line is sent again as it was; a line below builds on what stands.
    place.write(&format!(
        "{}\n{}\n{}",
        topic("ours"),
        topic("newer"),
        topic("newest")
    ));
    let second = place.run(&archive, 7).await;
    assert_eq!(second[0].envelope, first.envelope);
    assert_eq!(replaces(&second[1]), theirs.record_id.to_string());
    assert_eq!(replaces(&second[2]), second[1].record_id.to_string());
}

#[tokio::test]
async fn a_definition_edited_and_put_back_takes_effect_again_and_is_recorded_once() {
    let topic = |note: &str| format!(r#"{{"topicDefined": {{"topicId": "t", "note": "{note}"}}}}"#);
    let (place, archive) = (Place::with(&topic("one")), Memory::default());
    let first = place.run(&archive, 5).await.remove(0);
    place.write(&topic("two"));
    let second = place.run(&archive, 6).await.remove(0);
    place.write(&topic("one"));
    // Cut short before it was sent.
    place.run_but(&Memory::default(), 7, |_| false).await;
    let third = place.run(&archive, 8).await.remove(0);
    let Some(Kind::TopicDefined(again)) = &third.record.kind else {
        panic!("a topic");
    };
    assert_eq!(
        (&again.note[..], &again.replaces),
        ("one", &second.record_id.to_string())
    );
    assert_ne!(third.record_id, first.record_id);
    let fourth = place.run(&archive, 9).await.remove(0);
    assert_eq!(fourth.envelope, third.envelope);
    assert_eq!(archive.size(), 3);
    place.write(&topic("two"));
    place.run(&archive, 10).await;
    assert_eq!(archive.size(), 4);
}

#[tokio::test]
async fn a_file_that_defines_the_same_several_times_records_each_once() {
    let topic = |note: &str| format!(r#"{{"topicDefined": {{"topicId": "t", "note": "{note}"}}}}"#);
    let text = ["one", "two", "one"].map(topic).join("\n");
    let (place, archive) = (Place::with(&text), Memory::default());
    let first = place.run(&archive, 5).await;
    assert_eq!(archive.size(), 3);
    let Some(Kind::TopicDefined(last)) = &first[2].record.kind else {
        panic!("a topic");
    };
    assert_eq!(last.replaces, first[1].record_id.to_string());
    place.run(&archive, 6).await;
    assert_eq!(archive.size(), 3);
}

#[tokio::test]
async fn an_edited_line_with_a_key_and_a_file_without_its_journal_are_told() {
    let (place, archive) = (Place::with(FILE), Memory::default());
    let told = |records: &[AuthoredRecord]| -> Vec<(usize, bool)> {
        let edited = |note: &Note| matches!(note, Note::Edited { .. });
        let notes = |it: &AuthoredRecord| {
            it.notes
                .iter()
                .map(|note| (it.line, edited(note)))
                .collect::<Vec<_>>()
        };
        records.iter().flat_map(notes).collect()
    };
    assert_eq!(told(&place.run(&archive, 5).await), []);
    place.write(&FILE.replace("one", "another"));
    assert_eq!(told(&place.run(&archive, 6).await), [(3, true)]);
    assert_eq!(told(&place.run(&archive, 7).await), []);

    let copy = Place::with(FILE);
    assert_eq!(told(&copy.run(&archive, 8).await), [(1, false)]);
}

#[cfg(unix)]
#[test]
fn a_file_named_by_a_link_has_its_journal_where_it_lies() {
    let place = Place::with("");
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.jsonl");
    std::os::unix::fs::symlink(place.records(), &link).unwrap();
    drop(SignedFile::beside(&link).unwrap());
    assert!(place.signed().exists());
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn what_was_signed_and_never_sent_is_sent_by_the_next_run_as_it_is() {
    let (place, archive) = (Place::with(FILE), Memory::default());
    let first = place.run_but(&Memory::default(), 5, |_| false).await;
    let second = place.run(&archive, 99).await;
    assert_eq!(envelopes(&first), envelopes(&second));
    assert_eq!(archive.size(), 7);
    assert_eq!(
        archive.uploads(),
        1,
        "an archive without the source gets its bytes again"
    );
}

#[tokio::test]
async fn a_refused_line_is_filled_in_afresh_by_the_next_run() {
    let said =
        r#"{"statementRecorded": {"speaker": "putin", "saidAt": "2025-08-19", "text": "x"}}"#;
    let (place, archive) = (Place::with(said), Memory::default());
    let first = place.run_but(&archive, 5, |_| true).await.remove(0);
    assert!(statement(&first).said_for.is_empty());
    let office = FILE.lines().next().unwrap();
    Place::with(office).run(&archive, 6).await;
    let second = place.run(&archive, 7).await.remove(0);
    assert_eq!(statement(&second).said_for.len(), 1);
    assert!(!second.kept);
    let third = place.run(&archive, 8).await.remove(0);
    assert_eq!(third.envelope, second.envelope);
    assert!(third.kept);
}

#[tokio::test]
async fn a_refused_line_that_would_say_the_same_again_keeps_its_bytes() {
    let (place, archive) = (Place::with(FILE), Memory::default());
    let refused = |record: &AuthoredRecord| record.kind == "mandateGranted";
    let first = place.run_but(&archive, 5, refused).await;
    assert!(
        statement(&first[2]).said_for.is_empty(),
        "a refused mandate implies nothing"
    );
    let second = place.run(&archive, 99).await;
    assert_eq!(envelopes(&first), envelopes(&second));
    assert_eq!(archive.size(), 7);
    // What the refusal noted is over: nothing is filled in again.
    let third = place.run(&archive, 100).await;
    assert_eq!(envelopes(&second), envelopes(&third));
    assert_eq!(archive.size(), 7);
}

#[tokio::test]
async fn a_record_on_record_that_a_later_run_was_refused_is_sent_again_as_it_is() {
    let topic = r#"{"topicDefined": {"topicId": "t", "note": "n"}}"#;
    let (place, archive) = (Place::with(topic), Memory::default());
    let first = place.run(&archive, 5).await;
    // As a run is whose keys the daemon does not take.
    let refused = place.run_but(&archive, 6, |_| true).await;
    assert_eq!(envelopes(&refused), envelopes(&first));
    let third = place.run(&archive, 7).await;
    assert_eq!(envelopes(&third), envelopes(&first));
    assert_eq!(archive.size(), 1);
}

#[tokio::test]
async fn another_key_signs_the_same_bytes() {
    let (place, archive) = (Place::with(FILE), Memory::default());
    let first = place.run(&archive, 5).await;
    let mut session = place.session(&archive, 2);
    for draft in read(FILE.as_bytes(), &Others::new()).unwrap() {
        session.prepare(&draft, Micros(99)).await.unwrap();
    }
    let second = session.release().unwrap();
    for (first, second) in std::iter::zip(&first, &second) {
        assert_eq!(first.record_id, second.record_id);
        assert_ne!(first.envelope.signatures, second.envelope.signatures);
    }
}

#[tokio::test]
async fn changed_bytes_of_a_source_are_another_source() {
    let (place, archive) = (Place::with(FILE), Memory::default());
    let first = place.run(&archive, 5).await;
    fs::write(place.path("digest.txt"), "another digest").unwrap();
    let second = place.run(&archive, 6).await;
    assert_ne!(first[1].record_id, second[1].record_id);
    assert_ne!(
        statement(&first[2]).evidence[0].source,
        statement(&second[2]).evidence[0].source
    );
}

#[tokio::test]
async fn a_source_described_again_is_a_new_version_and_needs_no_file() {
    let (place, archive) = (Place::with(FILE), Memory::default());
    let first = place.run(&archive, 5).await;
    let Some(Kind::SourceArchived(source)) = &first[1].record.kind else {
        panic!("a source");
    };
    let id = &source.source;
    place.write(&format!(
        r#"{{"sourceArchived": {{"source": "{id}", "title": "A digest"}}}}"#
    ));
    let second = place.run(&archive, 6).await.remove(0);
    let Some(Kind::SourceArchived(again)) = &second.record.kind else {
        panic!("a source");
    };
    assert_eq!(again.replaces, first[1].record_id.to_string());
    assert_eq!(again.text_id, source.text_id);
    assert_eq!(again.size_bytes, 8);
}

#[tokio::test]
async fn a_personal_statement_was_said_for_nobody_and_an_ended_mandate_implies_nothing() {
    let office = FILE.lines().next().unwrap();
    let text = format!(
        r#"{office}
{{"statementRecorded": {{"speaker": "putin", "saidAt": "2025-08-19", "personal": true}}}}
{{"mandateEnded": {{"mandateId": "putin-kremlin", "end": "2025-08-20"}}}}
{{"statementRecorded": {{"speaker": "putin", "saidAt": "2025-08-20"}}}}
{{"statementRecorded": {{"speaker": "putin", "saidAt": "2025-08-21"}}}}
{{"statementRecorded": {{"anonymous": {{"description": "a man"}}, "saidAt": "2025-08-19"}}}}"#
    );
    let records = Place::with(&text).run(&Memory::default(), 5).await;
    let counts: Vec<_> = [1, 3, 4, 5]
        .iter()
        .map(|at| statement(&records[*at]).said_for.len())
        .collect();
    assert_eq!(counts, [0, 1, 0, 0]);
    let Some(Kind::MandateEnded(ended)) = &records[2].record.kind else {
        panic!("an end");
    };
    assert_eq!(ended.replaces, records[0].record_id.to_string());
}

#[tokio::test]
async fn what_cannot_be_filled_in_is_said_with_line_and_path() {
    let id = "ab".repeat(32);
    let text = format!(
        r#"{{"key": "gone", "sourceArchived": {{"file": "no-such.txt"}}}}
{{"statementRecorded": {{"evidence": [{{}}, {{"source": "@gone"}}]}}}}
{{"sourceArchived": {{"file": "/etc/hostname"}}}}
{{"sourceArchived": {{"title": "t"}}}}
{{"sourceArchived": {{"file": "digest.txt", "source": "{id}"}}}}
{{"statementRecorded": {{"evidence": [{{"source": "{id}"}}]}}}}
{{"statementRetracted": {{"statement": "{id}"}}}}
{{"mandateGranted": {{"mandateId": "late", "person": "p", "organization": "o", "authority": "DELEGATE", "start": "2025-08-10"}}}}
{{"statementRecorded": {{"speaker": "p", "saidAt": "2025-08"}}}}
{{"statementRecorded": {{"speaker": "p", "saidAt": "2025-08-19T10:00:00"}}}}
{{"mandateEnded": {{"mandateId": "latte", "end": "2025-08-19"}}}}
{{"key": "scan", "sourceArchived": {{"file": "digest.txt", "mediaType": "application/pdf"}}}}
{{"statementRecorded": {{"evidence": [{{"source": "@scan"}}]}}}}"#
    );
    let place = Place::with(&text);
    let failures = place.failures(&Memory::default()).await;
    let found = crate::record::ContentId::of(b"a digest");
    let expected = [
        "line 1, sourceArchived.file: the file \"no-such.txt\" cannot be read: No such file or directory (os error 2); accepted: a file that can be read; the path is relative to the place of the file of records".to_owned(),
        "line 2, statementRecorded.evidence[1].source: line 1, which has the key \"gone\", could not be prepared; accepted: this line once line 1 is mended".to_owned(),
        "line 3, sourceArchived.file: the path \"/etc/hostname\" is absolute; accepted: a path relative to the place of the file of records".to_owned(),
        "line 4, sourceArchived.file: the line gives neither a file nor a source on record; accepted: file; or the source id of bytes that are on record or, with sizeBytes, uploaded".to_owned(),
        format!("line 5, sourceArchived.file: the file has the id {found}; accepted: a line without source, or the id of the file"),
        format!("line 6, statementRecorded.evidence[0].source: the source {id} is not on record, so its text cannot be named; accepted: a source of a line above, one on record, or textId given"),
        format!("line 7, statementRetracted.statement: the statement {id} is not on record, so what must be repeated of it is not known; accepted: a statement of a line above or on record"),
        "line 9, statementRecorded.saidFor: whether the mandate \"late\" covers the statement cannot be decided: it covers a part of the time at which it may have been said; accepted: saidFor in so many words ([{\"actor\": \"o\", \"basis\": \"STATED\"}]), or \"personal\": true".to_owned(),
    ];
    for (failure, expected) in std::iter::zip(&failures, &expected) {
        assert_eq!(failure, expected);
    }
    let [.., date, mandate, text] = failures.as_slice() else {
        panic!("failures");
    };
    assert!(
        date.starts_with(
            "line 10, statementRecorded.saidAt: \"2025-08-19T10:00:00\": the time of day has no offset"
        ),
        "{date}"
    );
    assert_eq!(
        mandate,
        "line 11, mandateEnded.mandateId: the mandate \"latte\" is not on record (did you mean \"late\"?); accepted: the mandateId of a mandate of a line above or on record"
    );
    assert_eq!(
        text,
        "line 13, statementRecorded.evidence[0].source: the source has no text (application/pdf), so it cannot be quoted; accepted: a source of media type text/plain, text/html or application/xhtml+xml, such as one that TRANSCRIBES it"
    );
    assert_eq!(failures.len(), expected.len() + 3);
}

#[tokio::test]
async fn a_journal_torn_in_its_last_line_loses_that_line_alone() {
    let (place, archive) = (Place::with(FILE), Memory::default());
    let first = place.run(&archive, 5).await;
    let journal = fs::read(place.signed()).unwrap();
    let lines: Vec<&[u8]> = journal.split_inclusive(|byte| *byte == b'\n').collect();
    let last = lines[lines.len() - 1].len();
    for torn in [1, last / 2, last - 1] {
        fs::write(place.signed(), &journal[..journal.len() - torn]).unwrap();
        let again = place.run(&archive, 99).await;
        let kept: Vec<bool> = again.iter().map(|record| record.kept).collect();
        assert_eq!(kept, [true, true, true, true, true, true, false], "{torn}");
        assert_eq!(envelopes(&again)[..6], envelopes(&first)[..6]);
        let whole = fs::read(place.signed()).unwrap();
        assert!(
            whole.starts_with(&journal[..journal.len() - last]),
            "{torn}"
        );
        assert!(whole.ends_with(b"\"}\n"), "{torn}");
    }
}

#[tokio::test]
async fn a_journal_damaged_before_its_last_line_is_refused() {
    let place = Place::with(FILE);
    place.run(&Memory::default(), 5).await;
    let journal = fs::read_to_string(place.signed()).unwrap();
    // A digit of the second line's record id, so that it is not the hash of its envelope.
    let second = journal.lines().nth(1).unwrap();
    let at = second.find("\"record\":\"").unwrap() + "\"record\":\"".len();
    let mut damaged = second.to_owned();
    let digit = if damaged[at..].starts_with('0') {
        "1"
    } else {
        "0"
    };
    damaged.replace_range(at..=at, digit);
    fs::write(place.signed(), journal.replace(second, &damaged)).unwrap();
    let refused = SignedFile::beside(&place.records()).unwrap_err();
    assert!(
        matches!(refused, SignedError::Damaged { line: 2, .. }),
        "{refused}"
    );
}

#[test]
fn a_journal_in_use_is_not_written_by_two_runs() {
    let place = Place::with("");
    let first = SignedFile::beside(&place.records()).unwrap();
    let second = SignedFile::beside(&place.records()).unwrap_err();
    assert!(matches!(second, SignedError::InUse { .. }), "{second}");
    drop(first);
    SignedFile::beside(&place.records()).unwrap();
}

#[test]
fn a_journal_stands_beside_a_file_named_without_its_directory() {
    assert_eq!(Path::new("records.jsonl").parent(), Some(Path::new("")));
    let place = Place::with("");
    let journal = SignedFile::beside(&place.records()).unwrap();
    assert!(place.signed().exists());
    drop(journal);
}

#[tokio::test]
async fn the_client_signs_what_is_on_record_for_an_attestation_and_repeats_for_further_evidence() {
    let place = Place::with(FILE);
    let archive = Memory::default();
    let recorded = place.run(&archive, 5).await;
    let said = &recorded[2];
    place.write(&format!(
        "{{\"attestationAdded\": {{\"record\": \"{0}\"}}}}\n{{\"evidenceAdded\": {{\"statement\": \"{0}\", \"evidence\": [{{\"source\": \"{1}\", \"segments\": [{{\"exact\": \"digest\"}}]}}]}}}}\n",
        said.record_id,
        statement(said).evidence[0].source,
    ));
    let added = place.run(&archive, 6).await;
    let Some(Kind::AttestationAdded(attestation)) = &added[0].record.kind else {
        panic!("{added:?}");
    };
    let key = SigningKey::from_seed([1; 32]);
    assert_eq!(attestation.verifiers, [key.public().to_string()]);
    let payload_type = crate::record::envelope::RECORD_PAYLOAD_TYPE;
    let signature = key.sign(payload_type, &said.envelope.payload).signature;
    assert_eq!(attestation.signatures, [signature]);
    let Some(Kind::EvidenceAdded(evidence)) = &added[1].record.kind else {
        panic!("{added:?}");
    };
    assert_eq!(evidence.speaker, "putin");
    assert_eq!(evidence.said_for, ["kremlin"]);
    let text_id = &statement(said).evidence[0].text_id;
    assert_eq!(&evidence.evidence[0].text_id, text_id);
}

#[tokio::test]
async fn what_is_not_on_record_cannot_be_attested() {
    let id = "ab".repeat(32);
    let place = Place::with(&format!(
        "{{\"attestationAdded\": {{\"record\": \"{id}\"}}}}\n"
    ));
    let failures = place.failures(&Memory::default()).await;
    assert_eq!(
        failures,
        [format!(
            "line 1, attestationAdded.record: the record {id} is not on record, so it cannot be signed; accepted: a record that is on record before this run"
        )]
    );
}

#[tokio::test]
async fn a_new_checkpoint_key_signs_for_itself_from_its_file() {
    let line = r#"{"checkpointKeySet": {"keyFile": "new.key"}}"#;
    let place = Place::with(line);
    let archive = Memory::default();
    let failures = place.failures(&archive).await;
    assert!(
        failures[0].contains("checkpointKeySet.keyFile"),
        "{failures:?}"
    );
    crate::config::keys::write_new(&place.path("new.key"), [9; 32], "checkpoints").unwrap();
    let records = place.run(&archive, 5).await;
    let Some(Kind::CheckpointKeySet(set)) = &records[0].record.kind else {
        panic!("{records:?}");
    };
    let key = SigningKey::from_seed([9; 32]);
    assert_eq!(set.checkpoint_key, key.public().to_string());
    let proof = crate::admission::prove_possession(&key, ORIGIN);
    assert_eq!(set.proof_of_possession, proof);
    let again = place.run(&archive, 6).await;
    assert_eq!(envelopes(&again), envelopes(&records));
}

#[tokio::test]
async fn lines_of_another_file_are_referred_to_by_what_was_signed_for_them() {
    let place = Place::with(FILE);
    let sent = place.run(&Memory::default(), 1).await;
    let ids = signed_under(&place.records()).unwrap();
    assert_eq!(ids["said"], sent[2].record_id);
    assert_eq!(ids["digest"], ContentId::of(b"a digest"));
    let line = r#"{"statementRetracted": {"statement": "@said", "reason": "r"}}"#;
    let drafts = read(line.as_bytes(), &ids).unwrap();
    let message = format!("{:?}", drafts[0].message);
    assert!(message.contains(&ids["said"].to_string()), "{message}");
    assert!(read(line.as_bytes(), &Others::new()).is_err());
    // A line of the file's own that has the key comes first.
    let own = format!(
        "{}\n{line}",
        r#"{"key": "said", "verifierRevoked": {"reason": "r"}}"#
    );
    assert!(read(own.as_bytes(), &ids).is_err());
}
