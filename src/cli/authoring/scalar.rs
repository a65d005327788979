//! Single values of the protobuf-JSON mapping: strings, numbers, booleans, bytes, enum values
//! and timestamps.
//!
//! Follows the `ProtoJSON` format (<https://protobuf.dev/programming-guides/json/>): integers may
//! be written as strings, bytes in either alphabet of base64 with padding or without, a
//! `Timestamp` as an RFC 3339 time. Enum values may also drop their prefix.

use data_encoding::{BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD};
use prost_reflect::{DynamicMessage, EnumDescriptor, Kind, MessageDescriptor, Value};

use super::error::Problem;
use super::parse::Json;
use super::schema;
use crate::record::quoted;

/// The largest integer that a JSON number with a fraction or an exponent holds exactly: 2^53.
const FLOAT_INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

/// 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, in seconds: what a `Timestamp` may hold.
const TIMESTAMP_SECONDS: std::ops::RangeInclusive<i128> = -62_135_596_800..=253_402_300_799;

const NANOS_PER_SECOND: i128 = 1_000_000_000;

/// The full name of the message that stands for an instant.
pub(super) const TIMESTAMP: &str = "google.protobuf.Timestamp";

/// The value of a field that is no message.
pub(super) fn scalar(kind: &Kind, json: &Json) -> Result<Value, Problem> {
    let wrong = |expected: &str| wrong_type(json, expected);
    match kind {
        Kind::String => match json {
            Json::String(text) => Ok(Value::String(text.clone())),
            _ => Err(wrong("a string")),
        },
        Kind::Bool => match json {
            Json::Bool(value) => Ok(Value::Bool(*value)),
            _ => Err(wrong("true or false")),
        },
        Kind::Bytes => match json {
            Json::String(text) => base64(text)
                .map(|bytes| Value::Bytes(bytes.into()))
                .ok_or_else(|| wrong("base64")),
            _ => Err(wrong("a string of base64")),
        },
        Kind::Uint32 | Kind::Fixed32 => integer(json)
            .and_then(|number| u32::try_from(number).ok())
            .map(Value::U32)
            .ok_or_else(|| wrong("a whole number from 0 to 4294967295")),
        Kind::Uint64 | Kind::Fixed64 => integer(json)
            .and_then(|number| u64::try_from(number).ok())
            .map(Value::U64)
            .ok_or_else(|| wrong("a whole number from 0 to 18446744073709551615")),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => integer(json)
            .and_then(|number| i32::try_from(number).ok())
            .map(Value::I32)
            .ok_or_else(|| wrong("a whole number of 32 bits")),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => integer(json)
            .and_then(|number| i64::try_from(number).ok())
            .map(Value::I64)
            .ok_or_else(|| wrong("a whole number of 64 bits")),
        Kind::Enum(values) => enum_value(values, json),
        // Records hold no floats, and messages are not scalars.
        Kind::Float | Kind::Double | Kind::Message(_) => Err(wrong("a value that records hold")),
    }
}

/// The refusal of what stands there in place of `expected`.
pub(super) fn wrong_type(json: &Json, expected: &str) -> Problem {
    let found = match json {
        Json::String(text) => quoted(text),
        Json::Number(number) => number.to_string(),
        other => other.what().to_owned(),
    };
    Problem::WrongType {
        found,
        expected: expected.to_owned(),
    }
}

fn integer(json: &Json) -> Option<i128> {
    match json {
        Json::String(text) => text.parse().ok(),
        Json::Number(number) => number
            .as_i128()
            .or_else(|| whole(number.as_f64()?)?.parse().ok()),
        _ => None,
    }
}

/// The digits of a number such as `1e3` or `2.0`, if it is whole and exact.
fn whole(number: f64) -> Option<String> {
    let exact = number.fract() == 0.0 && number.abs() <= FLOAT_INTEGER_MAX;
    exact.then(|| format!("{number:.0}"))
}

fn base64(text: &str) -> Option<Vec<u8>> {
    [BASE64, BASE64_NOPAD, BASE64URL, BASE64URL_NOPAD]
        .iter()
        .find_map(|alphabet| alphabet.decode(text.as_bytes()).ok())
}

fn enum_value(values: &EnumDescriptor, json: &Json) -> Result<Value, Problem> {
    let number = match json {
        Json::String(name) => schema::enum_number(values, name),
        Json::Number(_) => integer(json)
            .and_then(|number| i32::try_from(number).ok())
            .filter(|number| values.get_value(*number).is_some()),
        _ => return Err(wrong_type(json, "the name of a value, as a string")),
    };
    number.map(Value::EnumNumber).ok_or_else(|| {
        let accepted = schema::enum_names(values);
        let value = match json {
            Json::Number(number) => number.to_string(),
            other => other.as_str().unwrap_or_default().to_owned(),
        };
        Problem::UnknownValue {
            suggestion: schema::nearest(&value, accepted.iter().map(String::as_str)),
            value,
            accepted,
        }
    })
}

/// A `Timestamp` from an RFC 3339 time.
pub(super) fn timestamp(
    message: MessageDescriptor,
    json: &Json,
) -> Result<DynamicMessage, Problem> {
    const EXPECTED: &str = "a time with Z or an offset (RFC 3339), such as 2025-08-20T06:00:00Z";
    let nanos = json
        .as_str()
        .filter(|text| is_rfc3339(text))
        .and_then(|text| text.parse::<jiff::Timestamp>().ok())
        .map(jiff::Timestamp::as_nanosecond);
    let parts = nanos.and_then(|nanos| {
        let seconds = nanos.div_euclid(NANOS_PER_SECOND);
        let rest = i32::try_from(nanos.rem_euclid(NANOS_PER_SECOND)).ok()?;
        TIMESTAMP_SECONDS.contains(&seconds).then_some(())?;
        Some((i64::try_from(seconds).ok()?, rest))
    });
    let (seconds, nanos) = parts.ok_or_else(|| wrong_type(json, EXPECTED))?;
    let mut timestamp = DynamicMessage::new(message);
    for (name, value) in [
        ("seconds", Value::I64(seconds)),
        ("nanos", Value::I32(nanos)),
    ] {
        timestamp
            .try_set_field_by_name(name, value)
            .map_err(|_| wrong_type(json, EXPECTED))?;
    }
    Ok(timestamp)
}

/// Whether the text has the shape of RFC 3339: the parser that reads it takes more (times
/// without seconds, zones by name), and takes second 60 for 59.
fn is_rfc3339(text: &str) -> bool {
    const SHAPE: &[u8] = b"0000-00-00T00:00:00";
    const OFFSET: &[u8] = b"+00:00";
    let bytes = text.as_bytes();
    let Some((time, rest)) = bytes.split_at_checked(SHAPE.len()) else {
        return false;
    };
    let digits = rest.strip_prefix(b".").map_or(0, |rest| {
        rest.iter().take_while(|b| b.is_ascii_digit()).count()
    });
    let offset = match (rest.first(), digits) {
        (Some(b'.'), 1..=9) => rest.get(1 + digits..).unwrap_or_default(),
        (Some(b'.'), _) => return false,
        _ => rest,
    };
    let zone = match offset.split_first() {
        Some((b'-', rest)) => fits(b"00:00", rest),
        _ => offset == b"Z" || fits(OFFSET, offset),
    };
    fits(SHAPE, time) && !time.ends_with(b"60") && zone
}

/// Whether `bytes` has digits where `shape` has them, and is `shape` elsewhere.
fn fits(shape: &[u8], bytes: &[u8]) -> bool {
    shape.len() == bytes.len()
        && std::iter::zip(shape, bytes).all(|(shape, byte)| match shape {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        })
}

#[cfg(test)]
mod tests {
    use super::super::parse::parse;
    use super::*;

    fn json(text: &str) -> Json {
        parse(text).unwrap()
    }

    #[test]
    fn integers_are_numbers_or_strings_and_never_rounded() {
        for (text, number) in [
            ("0", 0),
            ("7", 7),
            (r#""18446744073709551615""#, u64::MAX),
            ("18446744073709551615", u64::MAX),
            ("2.0", 2),
            ("1e3", 1000),
        ] {
            assert_eq!(
                scalar(&Kind::Uint64, &json(text)),
                Ok(Value::U64(number)),
                "{text}"
            );
        }
        for text in [
            "-1",
            "1.5",
            "1e300",
            "\"1.5\"",
            "true",
            "\"\"",
            "18446744073709551616",
        ] {
            assert!(scalar(&Kind::Uint64, &json(text)).is_err(), "{text}");
        }
        assert_eq!(scalar(&Kind::Int32, &json("-1")), Ok(Value::I32(-1)));
        assert!(scalar(&Kind::Uint32, &json("4294967296")).is_err());
    }

    #[test]
    fn bytes_are_base64_of_either_alphabet_padded_or_not() {
        let bytes = Value::Bytes(vec![0xfb, 0xff].into());
        for text in ["\"+/8=\"", "\"+/8\"", "\"-_8=\"", "\"-_8\""] {
            assert_eq!(
                scalar(&Kind::Bytes, &json(text)),
                Ok(bytes.clone()),
                "{text}"
            );
        }
        assert!(scalar(&Kind::Bytes, &json("\"+/8*\"")).is_err());
    }

    #[test]
    fn a_time_is_rfc_3339_to_the_letter() {
        for fit in [
            "2025-08-20T06:00:00Z",
            "2025-08-20T06:00:00.5Z",
            "2025-08-20T06:00:00.123456789+03:00",
            "1969-12-31T23:59:59.999999-23:59",
        ] {
            assert!(is_rfc3339(fit), "{fit}");
        }
        for unfit in [
            "",
            "2025-08-20",
            "2025-08-20T06:00:00",
            "2025-08-20T06:00Z",
            "2025-08-20 06:00:00Z",
            "2025-08-20t06:00:00z",
            "2025-08-20T06:00:60Z",
            "2025-08-20T06:00:00.Z",
            "2025-08-20T06:00:00+03",
            "2025-08-20T06:00:00+03:00[Europe/Moscow]",
            "2025-08-20T06:00:00é",
        ] {
            assert!(!is_rfc3339(unfit), "{unfit}");
        }
    }
}
