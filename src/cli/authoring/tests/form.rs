//! What a line may say, and what is said of lines that say something else.

use crate::cli::authoring::{Draft, FILE_BYTES_MAX, LINE_BYTES_MAX, Others, read};
use crate::record::proto;
use crate::record::proto::record::Kind;

/// All kinds of records.
const KINDS: &str = "verifierEnrolled, verifierRevoked, policySet, checkpointKeySet, witnessPolicySet, actorDefined, mandateGranted, mandateEnded, topicDefined, milestoneDefined, sourceArchived, sourceWithheld, sourceRead, statementRecorded, evidenceAdded, readingAdded, statementCorrected, statementRetracted, attestationAdded, reviewPublished";

/// One statement with everything that it needs, but for what `more` adds or replaces.
fn statement(more: &str) -> String {
    format!(r#"{{"statementRecorded": {{"speaker": "lavrov", "text": "…"{more}}}}}"#)
}

fn kinds(text: &str) -> Vec<Kind> {
    read(text.as_bytes(), &Others::new())
        .unwrap()
        .iter()
        .map(|draft| draft.message.transcode_to::<proto::Record>().unwrap())
        .map(|record| record.kind.unwrap())
        .collect()
}

fn kind(line: &str) -> Kind {
    let mut kinds = kinds(line);
    assert_eq!(kinds.len(), 1);
    kinds.remove(0)
}

fn errors(text: &str) -> Vec<String> {
    let errors = read(text.as_bytes(), &Others::new()).unwrap_err();
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn the_lines_of_the_documentation_are_read() {
    let text = r#"
{"actorDefined": {"actorId": "kremlin", "kind": "ORGANIZATION", "partOf": "russia", "names": [{"language": "en", "name": "The Kremlin"}]}}
{"key": "digest-0819", "sourceArchived": {"file": "sources/digest-0819.txt", "mediaType": "text/plain", "url": "https://example.org/0819", "publisher": "example", "publishedAt": "2025-08-19", "capturedAt": "2025-08-20T06:00:00Z", "role": "SECONDARY"}}

{"key": "lavrov-0819", "statementRecorded": {"speaker": "lavrov", "saidFor": [{"actor": "kremlin", "basis": "IMPLIED"}], "saidAt": "2025-08-19", "wording": "PARAPHRASED", "language": "en", "spokenLanguage": "ru", "text": "…", "evidence": [{"source": "@digest-0819", "establishes": ["WORDS", "SPEAKER"], "segments": [{"exact": "…"}]}], "readings": [{"topic": "leaders-meeting", "engagement": "ANSWERED", "polarity": "OPEN", "conditions": [{"id": "prepared", "kind": "ONLY_IF", "text": "prepared with extreme care"}]}]}}
{"statementRetracted": {"statement": "@lavrov-0819", "reason": "…"}}
"#;
    let drafts = read(text.as_bytes(), &Others::new()).unwrap();
    let places: Vec<_> = drafts
        .iter()
        .map(
            |Draft {
                 line, key, kind, ..
             }| (*line, key.as_deref(), kind.as_str()),
        )
        .collect();
    assert_eq!(
        places,
        [
            (2, None, "actorDefined"),
            (3, Some("digest-0819"), "sourceArchived"),
            (5, Some("lavrov-0819"), "statementRecorded"),
            (6, None, "statementRetracted"),
        ]
    );
    let Kind::StatementRecorded(statement) = kinds(text).remove(2) else {
        panic!("the third line is a statement");
    };
    assert_eq!(statement.wording(), proto::Wording::Paraphrased);
    assert_eq!(statement.said_for[0].basis(), proto::CapacityBasis::Implied);
    let evidence: Vec<_> = statement.evidence[0].establishes().collect();
    assert_eq!(
        evidence,
        [proto::Establishes::Words, proto::Establishes::Speaker]
    );
    assert_eq!(statement.readings[0].polarity(), proto::Polarity::Open);
    assert_eq!(statement.readings[0].conditions[0].id, "prepared");
}

#[test]
fn names_of_json_and_of_the_proto_and_short_and_long_values_mean_the_same() {
    let forms = [
        r#"{"statementRecorded": {"speaker": "a", "saidAt": "2025", "wording": "PARAPHRASED"}}"#,
        r#"{"statement_recorded": {"speaker": "a", "said_at": "2025", "wording": "WORDING_PARAPHRASED"}}"#,
        r#"{"statementRecorded": {"wording": 4, "said_at": "2025", "venue": null, "speaker": "a"}}"#,
    ];
    let [first, second, third] = forms.map(kind);
    assert_eq!(first, second);
    assert_eq!(first, third);
}

#[test]
fn a_timestamp_is_an_rfc_3339_time_with_any_offset() {
    for time in ["2025-08-20T06:00:00.25Z", "2025-08-20T09:00:00.25+03:00"] {
        let Kind::SourceArchived(source) = kind(&format!(
            r#"{{"sourceArchived": {{"capturedAt": "{time}"}}}}"#
        )) else {
            panic!("the line is a source");
        };
        let captured_at = source.captured_at.unwrap();
        assert_eq!(captured_at.seconds, 1_755_669_600);
        assert_eq!(captured_at.nanos, 250_000_000);
    }
}

#[test]
fn a_number_that_is_given_is_kept_apart_from_one_left_out() {
    let evidence = |segment: &str| {
        let line = statement(&format!(r#", "evidence": [{{"segments": [{segment}]}}]"#));
        let Kind::StatementRecorded(statement) = kind(&line) else {
            panic!("the line is a statement");
        };
        statement.evidence[0].segments[0].start
    };
    assert_eq!(evidence(r#"{"exact": "x", "start": 0}"#), Some(0));
    assert_eq!(evidence(r#"{"exact": "x"}"#), None);
}

#[test]
fn an_at_sign_is_a_reference_only_where_a_content_id_stands() {
    let Kind::StatementRecorded(statement) = kind(&statement(r#", "venue": "@somebody""#)) else {
        panic!("the line is a statement");
    };
    assert_eq!(statement.venue, "@somebody");
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_passed_over() {
    let text = "\u{feff}{\"policySet\": {}}\r\n\r\n{\"policySet\": {}}\r\n";
    assert_eq!(kinds(text).len(), 2);
}

/// Holds each line against what is said of it.
fn hold<const N: usize>(cases: [(String, &str); N]) {
    for (line, said) in cases {
        assert_eq!(errors(&line), [said.replace("KINDS", KINDS)], "{line}");
    }
}

#[test]
fn a_key_that_does_not_belong_is_refused_with_its_path_and_those_that_do() {
    hold([
        (
            "{\"policySet\": {}".to_owned(),
            "line 1: not JSON: EOF while parsing an object, at column 16; accepted: one JSON object, whole, on one line",
        ),
        (
            "[]".to_owned(),
            "line 1: an array does not fit; accepted: an object",
        ),
        (
            r#"{"key": "x"}"#.to_owned(),
            "line 1: the line holds no record; accepted: one of KINDS",
        ),
        (
            r#"{"policySet": {}, "topicDefined": {}}"#.to_owned(),
            "line 1, topicDefined: it cannot stand beside \"policySet\"; accepted: one of KINDS",
        ),
        (
            r#"{"policySet": {"attestations": 1}}"#.to_owned(),
            "line 1, policySet.attestations: there is no key \"attestations\" (did you mean \"attestationsMin\"?); accepted: one of attestationsMin, admissionRules",
        ),
        (
            statement(r#", "readings": [{"topic": "t", "mood": "OPEN"}]"#),
            "line 1, statementRecorded.readings[0].mood: there is no key \"mood\"; accepted: one of topic, codebook, holder, basis, engagement, polarity, strength, conditions",
        ),
        (
            r#"{"statementRetracted": {}, "seen": "2025"}"#.to_owned(),
            "line 1, seen: there is no key \"seen\"; accepted: one of KINDS, key",
        ),
        (
            statement(r#", "text": "again""#),
            "line 1, statementRecorded.text: the key stands here twice; accepted: each key once",
        ),
        (
            statement(r#", "saidAt": "2025", "said_at": null"#),
            "line 1, statementRecorded.saidAt: the key stands here twice; accepted: each key once",
        ),
        (
            r#"{"key": "a", "policySet": {}, "key": "a"}"#.to_owned(),
            "line 1, key: the key stands here twice; accepted: each key once",
        ),
        (
            r#"{"origin": "o", "policySet": {}}"#.to_owned(),
            "line 1, origin: the client fills this in when it signs; accepted: a line without it",
        ),
        (
            r#"{"policySet": {}, "signed_at": "2025-08-20T06:00:00Z"}"#.to_owned(),
            "line 1, signedAt: the client fills this in when it signs; accepted: a line without it",
        ),
        (
            statement(r#", "anonymous": {"description": "d"}"#),
            "line 1, statementRecorded.anonymous: it cannot stand beside \"speaker\"; accepted: one of speaker, anonymous",
        ),
    ]);
}

#[test]
fn a_value_that_does_not_fit_is_refused_with_its_path_and_what_would() {
    hold([
        (
            statement(r#", "saidAt": 2025"#),
            "line 1, statementRecorded.saidAt: 2025 does not fit; accepted: a string",
        ),
        (
            statement(r#", "readings": {}"#),
            "line 1, statementRecorded.readings: an object does not fit; accepted: an array",
        ),
        (
            statement(r#", "readings": [null]"#),
            "line 1, statementRecorded.readings[0]: null does not fit; accepted: an object",
        ),
        (
            r#"{"policySet": {"attestationsMin": -1}}"#.to_owned(),
            "line 1, policySet.attestationsMin: -1 does not fit; accepted: a whole number from 0 to 4294967295",
        ),
        (
            statement(r#", "wording": "PARAPHRASE""#),
            "line 1, statementRecorded.wording: there is no value \"PARAPHRASE\" (did you mean \"PARAPHRASED\"?); accepted: one of VERBATIM, TRANSLATED, RETRANSLATED, PARAPHRASED",
        ),
        (
            statement(r#", "wording": 9"#),
            "line 1, statementRecorded.wording: there is no value \"9\"; accepted: one of VERBATIM, TRANSLATED, RETRANSLATED, PARAPHRASED",
        ),
        (
            statement(r#", "evidence": [{"establishes": ["WORDS", true]}]"#),
            "line 1, statementRecorded.evidence[0].establishes[1]: true or false does not fit; accepted: the name of a value, as a string",
        ),
        (
            r#"{"sourceArchived": {"capturedAt": "2025-08-20"}}"#.to_owned(),
            "line 1, sourceArchived.capturedAt: \"2025-08-20\" does not fit; accepted: a time with Z or an offset (RFC 3339), such as 2025-08-20T06:00:00Z",
        ),
        (
            statement(r#", "evidence": [{"source": "digest"}]"#),
            "line 1, statementRecorded.evidence[0].source: \"digest\" is no content id; accepted: 64 lower-case hex digits, or @ and the key of a line above",
        ),
        (
            statement(r#", "evidence": [{"source": "@digest"}]"#),
            "line 1, statementRecorded.evidence[0].source: no line has the key \"digest\"; accepted: the key of a line above",
        ),
        (
            r#"{"key": "a b", "policySet": {}}"#.to_owned(),
            "line 1, key: \"a b\" cannot be a line's key; accepted: 1 to 64 letters, digits, '.', '_' and '-' (ASCII)",
        ),
        (
            r#"{"key": 7, "policySet": {}}"#.to_owned(),
            "line 1, key: 7 does not fit; accepted: a string",
        ),
        (
            statement(r#", "file": "a.txt""#),
            "line 1, statementRecorded.file: there is no key \"file\"; accepted: one of saidFor, relayedBy, saidAt, saidAtBasis, repeatedUntil, venue, document, wording, language, spokenLanguage, text, evidence, readings, refersTo, speaker, anonymous, personal",
        ),
        (
            statement(r#", "saidFor": []"#),
            "line 1, statementRecorded.saidFor: an empty list does not say whether the statement is personal; accepted: \"personal\": true, or no saidFor, which is then filled in from the mandates",
        ),
        (
            statement(r#", "saidFor": [{"actor": "kremlin"}], "personal": true"#),
            "line 1, statementRecorded.personal: a personal statement was said for nobody; accepted: either personal or saidFor",
        ),
        (
            r#"{"checkpointKeySet": {"proofOfPossession": "a*"}}"#.to_owned(),
            "line 1, checkpointKeySet.proofOfPossession: \"a*\" does not fit; accepted: base64",
        ),
    ]);
}

#[test]
fn a_reference_must_name_a_line_above_and_of_the_kind_that_the_field_takes() {
    let text = r#"{"key": "digest-0819", "sourceArchived": {"file": "a.txt"}}
{"key": "one", "statementRecorded": {"evidence": [{"source": "@digest-0918"}]}}
{"key": "two", "statementRecorded": {"evidence": [{"source": "@one"}]}}
{"statementRetracted": {"statement": "@digest-0819"}}
{"statementRetracted": {"statement": "@three"}}
{"key": "three", "statementRecorded": {"refersTo": [{"statement": "@three"}]}}
{"key": "one", "policySet": {}}
{"sourceArchived": {"file": "a.txt", "replaces": "@digest-0819"}}"#;
    assert_eq!(
        errors(text),
        [
            "line 2, statementRecorded.evidence[0].source: no line has the key \"digest-0918\" (did you mean \"digest-0819\"?); accepted: the key of a line above",
            "line 3, statementRecorded.evidence[0].source: the key \"one\" names a line of kind statementRecorded; accepted: the key of a line of kind sourceArchived",
            "line 4, statementRetracted.statement: the key \"digest-0819\" names a line of kind sourceArchived; accepted: the key of a line of kind statementRecorded",
            "line 5, statementRetracted.statement: the key \"three\" stands on line 6, not above; accepted: the key of a line above",
            "line 6, statementRecorded.refersTo[0].statement: the key \"three\" stands on line 6, not above; accepted: the key of a line above",
            "line 7, key: line 2 has the key \"one\" already; accepted: a key that no other line has",
            "line 8, sourceArchived.replaces: the key \"digest-0819\" names a line of kind sourceArchived; accepted: a record id; left out, the client fills in the newest version's",
        ]
    );
}

#[test]
fn bytes_that_are_no_text_and_lines_and_files_beyond_their_bounds_are_refused() {
    let said = |file: &[u8]| {
        read(file, &Others::new())
            .unwrap_err()
            .remove(0)
            .to_string()
    };
    assert_eq!(
        said(b"\n{\"key\": \"\xff\"}"),
        "line 2: the line is not UTF-8; accepted: text in UTF-8"
    );
    let long = statement(&format!(r#", "venue": "{}""#, "x".repeat(LINE_BYTES_MAX)));
    let bytes = long.len();
    assert_eq!(
        said(long.as_bytes()),
        format!("line 1: the line has {bytes} bytes; accepted: at most 1048576 bytes")
    );
    assert_eq!(
        said(&vec![b'\n'; FILE_BYTES_MAX + 1]),
        "line 1: the file has 33554433 bytes; accepted: at most 33554432 bytes; split the file"
    );
}

#[test]
fn a_value_is_repeated_only_up_to_a_bound() {
    let line = statement(&format!(r#", "wording": "{}""#, "é".repeat(500)));
    let said = errors(&line).remove(0);
    assert!(said.contains(&format!("\"{}…\"", "é".repeat(80))), "{said}");
}
