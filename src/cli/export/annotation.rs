//! Passages as W3C Web Annotations (Recommendation of 23 February 2017), which other tools can
//! anchor in the page or in its archived copy.
//!
//! Pure: from a statement and the text that it quotes to JSON-LD. The context is that of the
//! model alone; it defines the prefix `schema`, under which the body is the claim of
//! [`super::claim`] as well.
//!
//! Each segment of a quotation is a target, because what lies between two was left out. Its two
//! selectors say the same: `exact` is the extracted text to the letter, line ends included;
//! `prefix` and `suffix` are as long as it takes to tell the passage from others, up to a bound
//! beyond which the position does. A state names the archived copy.

use std::ops::Range;

use serde_json::{Map, Value, json};

use super::VERIFIED_MEANS;
use super::claim::{self, object, property, text};
use super::names::Names;
use super::snapshot::{Snapshot, Text};
use super::statement::{Exported, Words};
use crate::cli::error::CliError;
use crate::record::proto::SourceArchived;
use crate::text::Segment;

/// How much of the text before and after a passage is told at first, in code points, then
/// twice as much while the passage stands elsewhere too: 32, 64 and so on.
const CONTEXT_CHARS: u32 = 32;

/// How much of it is told at most.
const CONTEXT_CHARS_MAX: u32 = 512;

/// What begins the document, up to its first annotation.
pub fn opening(archive: &Snapshot, names: &Names) -> String {
    let id = names.annotations(archive.size());
    let collection = json!({
        "@context": "http://www.w3.org/ns/anno.jsonld",
        "id": id,
        "type": "AnnotationCollection",
        "label": format!("Passages on record: {}", archive.origin()),
        "modified": archive.recorded_at(),
        "schema:description": VERIFIED_MEANS,
        "schema:identifier": prefixed(claim::head(archive)),
    });
    let collection = collection.to_string();
    let members = collection.strip_suffix('}').unwrap_or(&collection);
    let page = json!({"id": format!("{id}/1"), "type": "AnnotationPage", "startIndex": 0});
    let page = page.to_string();
    let page = page.strip_suffix('}').unwrap_or(&page);
    format!("{members},\"first\":{page},\"items\":[")
}

/// What ends a document of so many annotations.
pub fn closing(total: u64) -> String {
    format!("]}},\"total\":{total}}}")
}

/// The annotation of the passages of a piece of evidence.
pub fn of(
    statement: &Exported,
    words: &Words,
    text: &Text,
    names: &Names,
) -> Result<Value, CliError> {
    let view = &statement.view;
    let introduced = view.introduced.clone().unwrap_or_default();
    let creators = view.vouchers.iter().map(|key| names.verifier(key));
    let ranges = ranges(words, text)?;
    let targets: Option<Vec<_>> = ranges
        .iter()
        .map(|range| target(words, range, text, names))
        .collect();
    Ok(object([
        ("id", json!(names.annotation(&words.record, words.place))),
        ("type", json!("Annotation")),
        ("motivation", json!("describing")),
        ("created", claim::text(introduced.recorded_at)),
        ("creator", creators.collect()),
        ("body", body(statement, names)),
        ("target", json!(targets.ok_or(NOT_THERE)?)),
    ]))
}

/// The text is the one that its id names, and the daemon found the passage in it.
const NOT_THERE: CliError = CliError::Incomplete {
    what: "text that holds the passage on record",
};

/// Where the segments stand.
fn ranges(words: &Words, text: &Text) -> Result<Vec<Range<u32>>, CliError> {
    let segments = words.evidence.segments.iter();
    let segments: Vec<_> = segments
        .map(|segment| Segment {
            exact: &segment.exact,
            prefix: &segment.prefix,
            suffix: &segment.suffix,
            start: segment.start,
            end: segment.end,
        })
        .collect();
    let selection = text.search.select(&segments).map_err(|_| NOT_THERE)?;
    Ok(selection.ranges)
}

/// What of a claim is said otherwise here: by `value`, by `language`, and by the targets.
const SAID_OTHERWISE: [&str; 3] = ["schema:text", "schema:inLanguage", "schema:appearance"];

/// The statement: its text, and what schema.org can say of it.
fn body(statement: &Exported, names: &Names) -> Value {
    let said = &statement.statement;
    let mut body = Map::new();
    if let Value::Object(members) = prefixed(claim::claim(statement, names)) {
        body = members;
        body.retain(|key, _| !SAID_OTHERWISE.contains(&key.as_str()));
    }
    let types = match body.get("type") {
        Some(Value::Array(types)) => types.clone(),
        types => types.cloned().into_iter().collect(),
    };
    let types = [vec![json!("TextualBody")], types].concat();
    body.insert("type".to_owned(), json!(types));
    body.insert("value".to_owned(), json!(said.text));
    body.insert("format".to_owned(), json!("text/plain"));
    if !said.language.is_empty() {
        body.insert("language".to_owned(), json!(said.language));
    }
    Value::Object(body)
}

/// A segment in its source; none if it lies beyond the text.
fn target(words: &Words, range: &Range<u32>, text: &Text, names: &Names) -> Option<Value> {
    let archived = words.source.definition.clone().unwrap_or_default();
    let quote = Quote::of(range, text)?;
    Some(json!({
        "type": "SpecificResource",
        "source": source(words, &archived, names),
        "state": state(words, &archived, names),
        "selector": [
            {
                "type": "TextQuoteSelector",
                "exact": quote.exact,
                "prefix": quote.prefix,
                "suffix": quote.suffix,
            },
            {"type": "TextPositionSelector", "start": range.start, "end": range.end},
        ],
    }))
}

/// The page where it was captured, if it was; else the archived document itself.
fn source(words: &Words, archived: &SourceArchived, names: &Names) -> Value {
    let id = &words.evidence.source;
    let page = match archived.url.as_str() {
        "" => names.source(id),
        url => url.to_owned(),
    };
    let identifiers = json!([
        property("BLAKE3-256", id.as_str()),
        property("textId", words.evidence.text_id.as_str()),
    ]);
    object([
        ("id", json!(page)),
        ("type", json!("Text")),
        ("format", text(Some(&archived.media_type))),
        ("language", text(Some(&archived.language))),
        ("schema:identifier", prefixed(identifiers)),
        ("schema:name", text(Some(&archived.title))),
    ])
}

/// When the page was as it is archived, and the copy if that is served.
fn state(words: &Words, archived: &SourceArchived, names: &Names) -> Value {
    let copy = names.source(&words.evidence.source);
    let withheld = words.bytes_are_withheld();
    object([
        ("type", json!("TimeState")),
        ("sourceDate", text(archived.captured_at)),
        ("cached", if withheld { Value::Null } else { json!(copy) }),
    ])
}

/// A passage and what stands around it, to the letter.
struct Quote<'t> {
    exact: &'t str,
    prefix: &'t str,
    suffix: &'t str,
}

impl<'t> Quote<'t> {
    fn of(range: &Range<u32>, text: &'t Text) -> Option<Self> {
        let mut length = CONTEXT_CHARS;
        loop {
            let quote = Self::with_context(range, length, text)?;
            if length >= CONTEXT_CHARS_MAX || quote.stands_once(&text.plain) {
                return Some(quote);
            }
            length *= 2;
        }
    }

    fn with_context(range: &Range<u32>, length: u32, text: &'t Text) -> Option<Self> {
        let bytes = text.search.byte_range(range)?;
        let from = range.start.saturating_sub(length);
        let before = text.search.byte_range(&(from..range.start))?;
        let plain = text.plain.as_str();
        let suffix = plain.get(bytes.end..)?;
        let end = suffix.char_indices().nth(length as usize);
        let end = end.map_or(suffix.len(), |(end, _)| end);
        Some(Self {
            exact: plain.get(bytes)?,
            prefix: plain.get(before)?,
            suffix: suffix.get(..end)?,
        })
    }

    fn stands_once(&self, text: &str) -> bool {
        let whole = [self.prefix, self.exact, self.suffix].concat();
        let finder = memchr::memmem::Finder::new(&whole);
        let first = finder.find(text.as_bytes());
        let beyond = first.and_then(|first| text.as_bytes().get(first + 1..));
        beyond.is_some_and(|beyond| finder.find(beyond).is_none())
    }
}

/// JSON-LD of schema.org's own context in that of the annotation model.
fn prefixed(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let members = members.into_iter().map(|(key, value)| match key.as_str() {
                "@id" => ("id".to_owned(), value),
                "@type" => ("type".to_owned(), prefixed_type(value)),
                _ => (format!("schema:{key}"), prefixed(value)),
            });
            Value::Object(members.collect())
        }
        Value::Array(values) => values.into_iter().map(prefixed).collect(),
        value => value,
    }
}

fn prefixed_type(value: Value) -> Value {
    match value {
        Value::String(name) => json!(format!("schema:{name}")),
        Value::Array(names) => names.into_iter().map(prefixed_type).collect(),
        value => value,
    }
}
