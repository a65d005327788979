//! From a parsed line to a record message, by the descriptors of the protos.
//!
//! Follows the `ProtoJSON` format, with what the authoring form adds: enum values without their
//! prefix, `@key` in the fields that hold content ids and in no others, `file` in a source,
//! `keyFile` in a checkpoint key's record and `personal` in a statement. The invariant of what comes out: every key of the line was
//! understood, and every `@key` in it names a line above. The `@key`s still stand in it,
//! because what they stand for is known only once the lines above are signed.
//!
//! It is not the judge of a record: a slug, a date or a reading that is unfit is for the
//! daemon to refuse.

use std::collections::{HashMap, HashSet};

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

use super::draft::parse_line;
use super::error::{AuthoringError, Problem};
use super::parse::{Json, Path};
use super::scalar::{TIMESTAMP, scalar, timestamp, wrong_type};
use super::schema;
use crate::record::ContentId;

/// The line that has a key.
#[derive(Clone, Debug)]
pub(super) struct Keyed {
    /// Its number.
    pub(super) line: usize,
    /// The kind of record that it holds, by its protobuf-JSON name; empty if it holds none.
    pub(super) kind: String,
}

/// The keys of all lines of a file.
pub(super) type Keys = HashMap<String, Keyed>;

/// What the keys of other files' lines stand for.
pub type Others = HashMap<String, ContentId>;

/// What a line says besides its record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Extras {
    /// The file of a source, as the line gives it.
    pub(super) file: Option<String>,
    /// The key file of a new checkpoint key or of a verifier, as the line gives it.
    pub(super) key_file: Option<String>,
    /// Whether a statement is said to be personal.
    pub(super) personal: bool,
}

/// Converts a line. `keys` are those of the whole file, `others` those of other files.
pub(super) fn convert(
    json: &Json,
    line: usize,
    keys: &Keys,
    others: &Others,
) -> Result<(DynamicMessage, Extras), AuthoringError> {
    let mut walk = Walk {
        line,
        keys,
        others,
        extras: Extras::default(),
    };
    let record = walk.message(&schema::record(), json, &Path::Root)?;
    if record.fields().next().is_none() {
        let accepted = schema::kinds();
        return Err(walk.error(&Path::Root, Problem::NoKind { accepted }));
    }
    Ok((record, walk.extras))
}

/// Reads one object, in the form of a file of records, as the message that `descriptor`
/// describes: without references to lines, as there are none.
///
/// # Errors
/// If it is none.
pub fn message(
    text: &str,
    descriptor: &MessageDescriptor,
) -> Result<DynamicMessage, AuthoringError> {
    let line = 1;
    let json = parse_line(line, text.trim().as_bytes())?;
    let mut walk = Walk {
        line,
        keys: &Keys::new(),
        others: &Others::new(),
        extras: Extras::default(),
    };
    walk.message(descriptor, &json, &Path::Root)
}

/// The keys that the form adds to a message's fields, by the message's name.
fn added_keys(message: &MessageDescriptor) -> &'static [&'static str] {
    match message.name() {
        "Record" => &["key"],
        "SourceArchived" => &["file"],
        "CheckpointKeySet" | "VerifierEnrolled" | "VerifierRevoked" => &["keyFile"],
        "Statement" => &["personal"],
        _ => &[],
    }
}

/// The fields of a message that the client alone fills in.
fn is_clients(field: &FieldDescriptor) -> bool {
    field.parent_message().name() == "Record" && field.containing_oneof().is_none()
}

struct Walk<'a> {
    line: usize,
    keys: &'a Keys,
    others: &'a Others,
    extras: Extras,
}

impl Walk<'_> {
    fn error(&self, path: &Path<'_>, problem: Problem) -> AuthoringError {
        AuthoringError {
            line: self.line,
            path: path.to_string(),
            problem,
        }
    }

    fn message(
        &mut self,
        descriptor: &MessageDescriptor,
        json: &Json,
        path: &Path<'_>,
    ) -> Result<DynamicMessage, AuthoringError> {
        if descriptor.full_name() == TIMESTAMP {
            return timestamp(descriptor.clone(), json)
                .map_err(|problem| self.error(path, problem));
        }
        let Json::Object(members) = json else {
            return Err(self.error(path, wrong_type(json, "an object")));
        };
        let mut message = DynamicMessage::new(descriptor.clone());
        let mut seen = HashSet::new();
        for (name, value) in members {
            let field = schema::field(descriptor, name);
            let known = field
                .as_ref()
                .map_or(name.as_str(), FieldDescriptor::json_name);
            let path = path.key(known);
            if !seen.insert(known.to_owned()) {
                return Err(self.error(&path, Problem::RepeatedKey));
            }
            match &field {
                Some(field) => self.member(&mut message, field, value, &path)?,
                None => self.added(descriptor, name, value, &path)?,
            }
        }
        self.said_for(descriptor, &message, path)?;
        Ok(message)
    }

    /// Sets one field of a message.
    fn member(
        &mut self,
        message: &mut DynamicMessage,
        field: &FieldDescriptor,
        json: &Json,
        path: &Path<'_>,
    ) -> Result<(), AuthoringError> {
        if field.json_name() == schema::FOUNDING {
            let accepted = schema::kinds();
            return Err(self.error(path, Problem::AlreadyFounded { accepted }));
        }
        if is_clients(field) {
            return Err(self.error(path, Problem::FilledIn));
        }
        if *json == Json::Null {
            return Ok(());
        }
        if let Some(oneof) = field.containing_oneof()
            && let Some(other) = oneof.fields().find(|other| message.has_field(other))
        {
            let problem = Problem::NotTogether {
                other: other.json_name().to_owned(),
                accepted: match field.parent_message().name() {
                    "Record" => schema::kinds(),
                    _ => schema::json_names(oneof.fields()),
                },
            };
            return Err(self.error(path, problem));
        }
        let value = self.value(field, json, path)?;
        message
            .try_set_field(field, value)
            .map_err(|_| self.error(path, wrong_type(json, "a value that records hold")))
    }

    fn value(
        &mut self,
        field: &FieldDescriptor,
        json: &Json,
        path: &Path<'_>,
    ) -> Result<Value, AuthoringError> {
        if !field.is_list() {
            return self.single(field, json, path);
        }
        let Json::Array(items) = json else {
            return Err(self.error(path, wrong_type(json, "an array")));
        };
        if items.is_empty() && is_said_for(field) {
            return Err(self.error(path, Problem::EmptySaidFor));
        }
        let items = items.iter().enumerate();
        let values: Result<_, _> = items
            .map(|(index, item)| self.single(field, item, &path.item(index)))
            .collect();
        values.map(Value::List)
    }

    fn single(
        &mut self,
        field: &FieldDescriptor,
        json: &Json,
        path: &Path<'_>,
    ) -> Result<Value, AuthoringError> {
        let kind = field.kind();
        if let Kind::Message(descriptor) = &kind {
            return self.message(descriptor, json, path).map(Value::Message);
        }
        let value = scalar(&kind, json).map_err(|problem| self.error(path, problem))?;
        if let Some(text) = value.as_str()
            && schema::holds_content_id(field)
        {
            if let Some(id) = self.of_another_file(text) {
                return Ok(Value::String(id.to_string()));
            }
            self.content_id(field, text)
                .map_err(|problem| self.error(path, problem))?;
        }
        Ok(value)
    }

    /// Checks what stands in a field that holds a content id; nothing at all is left out.
    /// What a key stands for that another file's line has, and none of this one's.
    fn of_another_file(&self, text: &str) -> Option<&ContentId> {
        let key = text.strip_prefix('@')?;
        let own = self.keys.contains_key(key);
        self.others.get(key).filter(|_| !own)
    }

    fn content_id(&self, field: &FieldDescriptor, text: &str) -> Result<(), Problem> {
        let Some(key) = text.strip_prefix('@') else {
            if text.is_empty() || text.parse::<ContentId>().is_ok() {
                return Ok(());
            }
            let value = text.to_owned();
            return Err(Problem::NotAnId { value });
        };
        let key = key.to_owned();
        let Some(keyed) = self.keys.get(&key) else {
            let above = self.keys.iter().filter(|(_, keyed)| keyed.line < self.line);
            let mut above: Vec<&str> = above.map(|(key, _)| key.as_str()).collect();
            above.sort_unstable();
            let suggestion = schema::nearest(&key, above);
            return Err(Problem::DanglingKey { key, suggestion });
        };
        if keyed.line >= self.line {
            let line = keyed.line;
            return Err(Problem::KeyNotAbove { key, line });
        }
        match unfit_kind(field, &keyed.kind) {
            None => Ok(()),
            Some(expected) => Err(Problem::KeyOfOtherKind {
                key,
                kind: keyed.kind.clone(),
                expected,
            }),
        }
    }

    /// Takes a key that is no field.
    fn added(
        &mut self,
        descriptor: &MessageDescriptor,
        name: &str,
        json: &Json,
        path: &Path<'_>,
    ) -> Result<(), AuthoringError> {
        let added = added_keys(descriptor);
        let taken = match (added.contains(&name), name) {
            (true, "file") => scalar(&Kind::String, json).map(|value| {
                self.extras.file = value.as_str().map(str::to_owned);
            }),
            (true, "keyFile") => scalar(&Kind::String, json).map(|value| {
                self.extras.key_file = value.as_str().map(str::to_owned);
            }),
            (true, "personal") => scalar(&Kind::Bool, json).map(|value| {
                self.extras.personal = value.as_bool().unwrap_or_default();
            }),
            // The key itself was read when the keys of all lines were.
            (true, _) => Ok(()),
            (false, _) => Err(unknown_key(descriptor, name)),
        };
        taken.map_err(|problem| self.error(path, problem))
    }

    /// A personal statement was said for nobody.
    fn said_for(
        &self,
        descriptor: &MessageDescriptor,
        message: &DynamicMessage,
        path: &Path<'_>,
    ) -> Result<(), AuthoringError> {
        let contradicts = self.extras.personal
            && descriptor
                .fields()
                .any(|field| is_said_for(&field) && message.has_field(&field));
        if contradicts {
            return Err(self.error(&path.key("personal"), Problem::PersonalSaidFor));
        }
        Ok(())
    }
}

/// Whether the field is a statement's `said_for`.
fn is_said_for(field: &FieldDescriptor) -> bool {
    field.name() == "said_for" && field.parent_message().name() == "Statement"
}

fn unknown_key(descriptor: &MessageDescriptor, name: &str) -> Problem {
    let mut accepted = match descriptor.name() {
        "Record" => schema::kinds(),
        _ => schema::json_names(descriptor.fields()),
    };
    accepted.extend(added_keys(descriptor).iter().map(|&key| key.to_owned()));
    Problem::UnknownKey {
        suggestion: schema::nearest(name, accepted.iter().map(String::as_str)),
        name: name.to_owned(),
        accepted,
    }
}

/// What the field takes, if a line of `kind` is not that: a key that stands for an id of
/// another sort would be refused by the daemon as unknown, which does not tell the author why.
fn unfit_kind(field: &FieldDescriptor, kind: &str) -> Option<&'static str> {
    let (fits, expected) = match field.name() {
        "source" => (
            kind == "sourceArchived",
            "the key of a line of kind sourceArchived",
        ),
        "statement" => (
            kind == "statementRecorded",
            "the key of a line of kind statementRecorded",
        ),
        "codebook" => (
            kind == "topicDefined",
            "the key of a line of kind topicDefined",
        ),
        "record" => (
            kind != "sourceArchived",
            "a record id; the key of a source stands for its source id",
        ),
        // The key of a source stands for the source id, which is no record's.
        _ => (
            kind != "sourceArchived",
            "a record id; left out, the client fills in the newest version's",
        ),
    };
    (!fits).then_some(expected)
}
