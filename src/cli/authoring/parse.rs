//! A line of JSON as it was written: nothing merged, nothing dropped, nothing reordered.
//!
//! The invariant of [`Json`] is that an object keeps every key that its text has, repeated
//! ones too, in their order (RFC 8259 leaves open what a repeated key means, so it must stay
//! visible to be refused). It knows nothing of records: which keys are meant is the business
//! of the conversion. A [`Path`] says where in a line one is, in the notation that refusals
//! by the daemon use too: `statementRecorded.evidence[0].segments[1].exact`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number; integers up to 64 bits are exact.
    Number(Number),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Json>),
    /// An object: all its members, repeated keys among them.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// What is there, to be said to people: "a number".
    pub(super) const fn what(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// The string, if it is one.
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The members, none if it is no object.
    pub(super) fn members(&self) -> &[(String, Json)] {
        match self {
            Self::Object(members) => members,
            _ => &[],
        }
    }
}

/// Parses one line. Depth is bounded by the parser (128 levels).
pub(super) fn parse(line: &str) -> Result<Json, serde_json::Error> {
    serde_json::from_str(line)
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Json, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("a number too large"))?;
        Ok(Json::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(member) = members.next_entry()? {
            object.push(member);
        }
        Ok(Json::Object(object))
    }
}

/// Where in a line one is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Path<'a> {
    /// The line itself.
    Root,
    /// A member of an object.
    Key(&'a Path<'a>, &'a str),
    /// An item of an array, counted from 0.
    Item(&'a Path<'a>, usize),
}

impl<'a> Path<'a> {
    /// The member `name` of what stands here.
    pub(super) const fn key(&'a self, name: &'a str) -> Self {
        Self::Key(self, name)
    }

    /// The item at `index` of what stands here.
    pub(super) const fn item(&'a self, index: usize) -> Self {
        Self::Item(self, index)
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Key(Path::Root, name) => f.write_str(name),
            Self::Key(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_key_stays_visible_in_its_place() {
        let parsed = parse(r#"{"b": 1, "a": {"c": null, "c": [true, -2, 1.5]}, "b": "x"}"#);
        let number = |text: &str| Json::Number(text.parse().unwrap());
        let inner = vec![
            ("c".to_owned(), Json::Null),
            (
                "c".to_owned(),
                Json::Array(vec![Json::Bool(true), number("-2"), number("1.5")]),
            ),
        ];
        let expected = Json::Object(vec![
            ("b".to_owned(), number("1")),
            ("a".to_owned(), Json::Object(inner)),
            ("b".to_owned(), Json::String("x".to_owned())),
        ]);
        assert_eq!(parsed.unwrap(), expected);
    }

    #[test]
    fn nesting_without_end_is_an_error_and_no_overflow() {
        assert!(parse(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn a_path_reads_as_refusals_write_it() {
        let root = Path::Root;
        let record = root.key("statementRecorded");
        let evidence = record.key("evidence");
        let first = evidence.item(0);
        assert_eq!(
            first.key("source").to_string(),
            "statementRecorded.evidence[0].source"
        );
        assert_eq!(root.to_string(), "");
    }
}
