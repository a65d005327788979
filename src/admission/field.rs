//! Checks of single fields, shared by all kinds. Each refusal names the field relative to
//! the message that holds it; [`Refusal::within`] puts the path together.

use std::fmt::Display;
use std::str::FromStr;

use unicode_normalization::{UnicodeNormalization as _, is_nfc};

use super::{Reason, Refusal};
use crate::record::proto;
use crate::record::{ContentId, Date, Micros, Slug, VerifierKey, quoted};

/// How many code points are shown of where a text is wrong.
const NEAR_CHARS: usize = 2;

/// A slug that must be given.
pub fn slug(field: impl Display, value: &str) -> Result<Slug, Refusal> {
    Slug::from_str(value).map_err(|error| {
        Refusal::new(
            Reason::InvalidSlug,
            field,
            format!("{} is not a slug", quoted(value)),
            error.to_string(),
        )
    })
}

/// A slug that may be left out.
pub fn optional_slug(field: impl Display, value: &str) -> Result<Option<Slug>, Refusal> {
    (!value.is_empty()).then(|| slug(field, value)).transpose()
}

/// A content id that must be given.
pub fn content_id(field: impl Display, value: &str) -> Result<ContentId, Refusal> {
    ContentId::from_str(value).map_err(|error| {
        malformed(
            field,
            format!("{} is not an id", quoted(value)),
            error.to_string(),
        )
    })
}

/// A content id that may be left out.
pub fn optional_content_id(field: impl Display, value: &str) -> Result<Option<ContentId>, Refusal> {
    (!value.is_empty())
        .then(|| content_id(field, value))
        .transpose()
}

/// A key that is fit to vouch.
pub fn key(field: impl Display, value: &str) -> Result<VerifierKey, Refusal> {
    VerifierKey::from_str(value).map_err(|error| {
        Refusal::new(
            Reason::WeakKey,
            field,
            error.to_string(),
            "an Ed25519 public key of prime order in its canonical encoding, as 64 lower-case hex digits",
        )
    })
}

/// A date that must be given.
pub fn date(field: impl Display, value: &str) -> Result<Date, Refusal> {
    Date::from_str(value).map_err(|error| {
        Refusal::new(
            Reason::InvalidDate,
            field,
            format!("{}: {error}", quoted(value)),
            error.accepted(),
        )
    })
}

/// A date that may be left out.
pub fn optional_date(field: impl Display, value: &str) -> Result<Option<Date>, Refusal> {
    (!value.is_empty()).then(|| date(field, value)).transpose()
}

/// A timestamp that must be given.
pub fn time(
    field: impl Display,
    value: Option<&prost_types::Timestamp>,
) -> Result<Micros, Refusal> {
    let accepted = "a time in the years 1 to 9999, with whole microseconds";
    let value = value.ok_or_else(|| malformed(&field, "it is missing", accepted))?;
    Micros::from_timestamp(value).ok_or_else(|| malformed(field, "it is out of range", accepted))
}

/// A text that must be given, of at most `max` code points: in NFC, without control characters
/// but line feed and tab.
pub fn text(field: impl Display, value: &str, max: usize) -> Result<(), Refusal> {
    given(&field, value)?;
    optional_text(field, value, max)
}

/// A text that may be left out.
pub fn optional_text(field: impl Display, value: &str, max: usize) -> Result<(), Refusal> {
    // A text has no more code points than bytes.
    if value.len() > max {
        let length = value.chars().count();
        if length > max {
            return Err(Refusal::new(
                Reason::RecordTooLarge,
                field,
                format!("the text has {length} code points"),
                format!("at most {max} code points"),
            ));
        }
    }
    fit(field, value)
}

/// A text that must be given and is as long as the record has room for.
pub fn long_text(field: impl Display, value: &str) -> Result<(), Refusal> {
    given(&field, value)?;
    fit(field, value)
}

fn given(field: impl Display, value: &str) -> Result<(), Refusal> {
    if value.is_empty() {
        return Err(malformed(field, "it is empty", "some text"));
    }
    Ok(())
}

fn fit(field: impl Display, value: &str) -> Result<(), Refusal> {
    // All of ASCII is in NFC.
    if value
        .bytes()
        .all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t'))
    {
        return Ok(());
    }
    let control = |c: &char| c.is_control() && !matches!(c, '\n' | '\t');
    if let Some(control) = value.chars().find(control) {
        return Err(malformed(
            field,
            format!(
                "it holds the control character U+{:04X}",
                u32::from(control)
            ),
            "text without control characters but line feed and tab",
        ));
    }
    if !is_nfc(value) {
        return Err(not_nfc(field, value));
    }
    Ok(())
}

/// Says where a text leaves its normal form.
fn not_nfc(field: impl Display, value: &str) -> Refusal {
    let differs = std::iter::zip(value.chars(), value.nfc()).position(|(is, c)| is != c);
    let place = differs.unwrap_or_default();
    let shown: String = value.chars().skip(place).take(NEAR_CHARS).collect();
    Refusal::new(
        Reason::NotNfc,
        field,
        format!(
            "the text is not in normalisation form C from code point {place} on: {}",
            shown.escape_unicode()
        ),
        "the same text in Unicode normalisation form C (NFC)",
    )
}

/// A BCP 47 language tag that must be given.
pub fn language(field: impl Display, value: &str) -> Result<(), Refusal> {
    let subtag =
        |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
    let primary = value.split('-').next().unwrap_or_default();
    if value.len() > 35
        || !(2..=8).contains(&primary.len())
        || !primary.bytes().all(|b| b.is_ascii_alphabetic())
        || !value.split('-').all(subtag)
    {
        return Err(malformed(
            field,
            format!("{} is not a language tag", quoted(value)),
            "a BCP 47 tag such as \"en\", \"ru\" or \"zh-Hant\"",
        ));
    }
    Ok(())
}

/// A list of at most `max` items.
pub fn at_most<T>(field: impl Display, items: &[T], max: usize) -> Result<(), Refusal> {
    if items.len() > max {
        return Err(Refusal::new(
            Reason::RecordTooLarge,
            field,
            format!("the list has {} items", items.len()),
            format!("at most {max} items"),
        ));
    }
    Ok(())
}

/// A list whose items all differ.
pub fn distinct<T: Ord>(
    field: impl Display,
    items: impl IntoIterator<Item = T>,
) -> Result<(), Refusal> {
    let mut seen = std::collections::BTreeSet::new();
    for (place, item) in items.into_iter().enumerate() {
        if !seen.insert(item) {
            return Err(malformed(
                format_args!("{field}[{place}]"),
                "it stands in the list twice",
                "each item once",
            ));
        }
    }
    Ok(())
}

/// An enum value that must be named.
pub fn choice<E: Choice>(field: impl Display, value: i32) -> Result<E, Refusal> {
    match E::try_from(value) {
        Ok(choice) if value != 0 => Ok(choice),
        Ok(_) => Err(malformed(field, "it is not given", E::accepted())),
        Err(_) => Err(malformed(
            field,
            format!("{value} has no meaning"),
            E::accepted(),
        )),
    }
}

/// An enum value that may be left out.
pub fn optional_choice<E: Choice>(field: impl Display, value: i32) -> Result<Option<E>, Refusal> {
    (value != 0).then(|| choice(field, value)).transpose()
}

/// A refusal of a field that is missing, out of range or out of shape.
pub fn malformed(
    field: impl Display,
    message: impl Into<String>,
    accepted: impl Into<String>,
) -> Refusal {
    Refusal::new(Reason::MalformedRecord, field, message, accepted)
}

/// A protobuf enum of the record messages.
pub trait Choice: TryFrom<i32> + Copy {
    /// The value's name in the proto.
    fn name(self) -> &'static str;

    /// The names that would be accepted, without their prefix.
    fn accepted() -> String {
        let name = |number| Self::try_from(number).ok().map(Self::name);
        let prefix = name(0).unwrap_or_default().trim_end_matches("UNSPECIFIED");
        let short = |name: &'static str| name.strip_prefix(prefix).unwrap_or(name);
        let names: Vec<_> = (1..).map_while(name).map(short).collect();
        format!("one of {}", names.join(", "))
    }
}

macro_rules! choices {
    ($($name:ident)+) => {
        $(impl Choice for proto::$name {
            fn name(self) -> &'static str {
                self.as_str_name()
            }
        })+
    };
}

choices! {
    ActorKind AnonymityReason Authority CapacityBasis ConditionKind DateBasis Derivation
    Engagement Establishes Polarity ReadingBasis ReferenceKind Role SourceRole TopicKind WithholdingScope Wording
}
