//! A file of records, checked as a whole: every line parsed, every key found, every error
//! reported, before anything is uploaded, signed or sent.

use prost_reflect::DynamicMessage;

use super::convert::{Extras, Keyed, Keys, Others, convert};
use super::error::{AuthoringError, FILE_BYTES_MAX, LINE_BYTES_MAX, Problem};
use super::parse::{Json, Path, parse};
use super::scalar::wrong_type;
use super::schema;

/// The longest key of a line, in bytes.
const KEY_BYTES_MAX: usize = 64;

/// A line of the file: a record that still refers to other lines by their keys, and still
/// lacks what the client fills in.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The line, counted from 1.
    pub line: usize,
    /// The line's key, if it has one.
    pub key: Option<String>,
    /// What it holds, by its protobuf-JSON name: "statementRecorded".
    pub kind: String,
    /// The record, `@key`s and all.
    pub(super) message: DynamicMessage,
    /// What the line says besides.
    pub(super) extras: Extras,
}

/// Reads a file of records: JSON Lines, blank lines allowed. Its lines may refer to those of
/// `others`.
///
/// # Errors
/// All lines that have an error, each with its first.
pub fn read(file: &[u8], others: &Others) -> Result<Vec<Draft>, Vec<AuthoringError>> {
    if file.len() > FILE_BYTES_MAX {
        let bytes = file.len();
        return Err(vec![error(1, &Path::Root, Problem::FileTooLarge { bytes })]);
    }
    let mut errors = Vec::new();
    let mut keys = Keys::new();
    let mut lines = Vec::new();
    for (line, text) in lines_of(file) {
        let parsed = parse_line(line, text).and_then(|json| {
            let key = key_of(line, &json, &mut keys)?;
            Ok((line, key, json))
        });
        match parsed {
            Ok(parsed) => lines.push(parsed),
            Err(error) => errors.push(error),
        }
    }
    let mut drafts = Vec::with_capacity(lines.len());
    for (line, key, json) in lines {
        match convert(&json, line, &keys, others) {
            Ok((message, extras)) => drafts.push(Draft {
                line,
                key,
                kind: kind_of(&json),
                message,
                extras,
            }),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        return Ok(drafts);
    }
    errors.sort_by_key(|error| error.line);
    Err(errors)
}

fn error(line: usize, path: &Path<'_>, problem: Problem) -> AuthoringError {
    AuthoringError {
        line,
        path: path.to_string(),
        problem,
    }
}

/// The lines that are not blank, with their numbers. A byte order mark, as some editors write
/// it, is passed over.
fn lines_of(file: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let file = file.strip_prefix("\u{feff}".as_bytes()).unwrap_or(file);
    file.split(|byte| *byte == b'\n')
        .enumerate()
        .map(|(index, line)| (index + 1, line.trim_ascii()))
        .filter(|(_, line)| !line.is_empty())
}

/// Parses one line, which must be an object.
pub(super) fn parse_line(line: usize, text: &[u8]) -> Result<Json, AuthoringError> {
    let error = |problem| error(line, &Path::Root, problem);
    if text.len() > LINE_BYTES_MAX {
        let bytes = text.len();
        return Err(error(Problem::LineTooLong { bytes }));
    }
    let text = std::str::from_utf8(text).map_err(|_| error(Problem::NotUtf8))?;
    let json = parse(text).map_err(|failure| {
        let place = format!(" at line {} column {}", failure.line(), failure.column());
        let message = failure.to_string();
        error(Problem::NotJson {
            reason: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
            column: failure.column(),
        })
    })?;
    match json {
        Json::Object(_) => Ok(json),
        other => Err(error(wrong_type(&other, "an object"))),
    }
}

/// The key of a line, noted among `keys`. That it stands only once in the line is checked when
/// the line is converted.
fn key_of(line: usize, json: &Json, keys: &mut Keys) -> Result<Option<String>, AuthoringError> {
    let Some((_, value)) = json.members().iter().find(|(name, _)| name == "key") else {
        return Ok(None);
    };
    let root = Path::Root;
    let path = root.key("key");
    let Some(key) = value.as_str() else {
        return Err(error(line, &path, wrong_type(value, "a string")));
    };
    let key = key.to_owned();
    if !is_fit(&key) {
        return Err(error(line, &path, Problem::UnfitKey { key }));
    }
    if let Some(keyed) = keys.get(&key) {
        let first = keyed.line;
        return Err(error(
            line,
            &path,
            Problem::RepeatedLineKey { key, line: first },
        ));
    }
    let kind = kind_of(json);
    keys.insert(key.clone(), Keyed { line, kind });
    Ok(Some(key))
}

fn is_fit(key: &str) -> bool {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(fit)
}

/// The kind of record that a line holds, by its protobuf-JSON name; empty if it holds none.
fn kind_of(json: &Json) -> String {
    let record = schema::record();
    json.members()
        .iter()
        .filter(|(_, value)| *value != Json::Null)
        .filter_map(|(name, _)| schema::field(&record, name))
        .find(|field| field.containing_oneof().is_some())
        .map_or_else(String::new, |field| field.json_name().to_owned())
}
