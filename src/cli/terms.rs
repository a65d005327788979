//! On whose terms a position is asked for: the options that `position`, `compare` and `timeline`
//! share.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use prost_types::Timestamp;

use super::{authoring, json};
use crate::record::proto::{ReadingBasis, SourceRole, Wording};
use crate::rpc::proto::PositionFilter;

/// Which statements count, and whose reading of them. What every part took away is told.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Whose trust, whose reading")]
pub(super) struct Terms {
    /// Only this wording: VERBATIM, TRANSLATED, RETRANSLATED, PARAPHRASED. May be given several
    /// times.
    #[arg(long = "wording", value_name = "WORDING", value_parser = wording)]
    wordings: Vec<i32>,
    /// Count readings on this basis as the holder's own word: RELAYED, ASCRIBED, CONDUCT, SURVEY.
    #[arg(long = "basis", value_name = "BASIS", value_parser = basis)]
    bases: Vec<i32>,
    /// Only what so many verifiers vouch for.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        hide_default_value = true,
        allow_negative_numbers = true,
        value_parser = count
    )]
    attestations_min: u32,
    /// Only what this verifier, or another one that is given, vouches for.
    #[arg(long = "verifier", value_name = "KEY")]
    verifiers: Vec<String>,
    /// Nothing that this verifier vouches for alone.
    #[arg(long = "never-verifier", value_name = "KEY")]
    verifiers_excluded: Vec<String>,
    /// Only what is quoted from a source in this role: PRIMARY, WIRE, SECONDARY.
    #[arg(long = "source-role", value_name = "ROLE", value_parser = role)]
    source_roles: Vec<i32>,
    /// Only what is quoted from a source of this publisher.
    #[arg(long = "publisher", value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    publishers: Vec<String>,
    /// Only what is quoted from a source that derives from no other.
    #[arg(long)]
    no_derived: bool,
    /// Only what is quoted from a source that was public by then: what the public could know.
    #[arg(long, value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    published_by: Option<String>,
    /// Only voices with a mandate to speak for the actor.
    #[arg(long)]
    mandated: bool,
    /// As this coder alone reads it, instead of as most do.
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    coder: Option<String>,
    /// As it was coded by this version of the topic, by its record id.
    #[arg(
        long,
        value_name = "ID",
        conflicts_with = "coder",
        value_parser = NonEmptyStringValueParser::new()
    )]
    codebook: Option<String>,
}

impl Terms {
    /// The filter that these options make; none if none is given.
    pub(super) fn filter(&self) -> Option<PositionFilter> {
        let it = self.clone();
        let filter = PositionFilter {
            wordings: it.wordings,
            bases: it.bases,
            attestations_min: it.attestations_min,
            verifiers: it.verifiers,
            verifiers_excluded: it.verifiers_excluded,
            source_roles: it.source_roles,
            publishers: it.publishers,
            derived_excluded: it.no_derived,
            published_by: it.published_by.unwrap_or_default(),
            mandated_only: it.mandated,
            coder: it.coder.unwrap_or_default(),
            codebook: it.codebook.unwrap_or_default(),
        };
        (filter != PositionFilter::default()).then_some(filter)
    }
}

/// What a filter looks like.
const FILTER: &str = r#"a PositionFilter as JSON, such as {"wordings": ["VERBATIM"], "mandatedOnly": true}; {} for the archive's own terms"#;

/// A filter as protobuf-JSON, in which enum values may drop their prefix as in files of records.
pub(super) fn filter(text: &str) -> Result<PositionFilter, String> {
    let descriptor = json::descriptor::<PositionFilter>().map_err(|error| error.to_string())?;
    let message = authoring::message(text, &descriptor).map_err(|error| {
        let problem = &error.problem;
        match error.path.as_str() {
            "" => format!("{problem}; accepted: {FILTER}"),
            path => format!("{path}: {problem}; accepted: {}", problem.accepted()),
        }
    })?;
    message.transcode_to().map_err(|error| error.to_string())
}

/// Transaction time: a size of the ledger, or a time.
#[derive(Clone, Copy, Debug)]
pub(super) enum KnownAt {
    Size(u64),
    Time(Timestamp),
}

impl KnownAt {
    /// Reads a count of entries, or a time.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Ok(size) = text.parse() {
            return Ok(Self::Size(size));
        }
        let time: jiff::Timestamp = text.parse().map_err(|_| {
            "accepted: how many entries of the ledger count, such as 40, or a time with its offset, such as 2025-08-20T06:00:00Z".to_owned()
        })?;
        Ok(Self::Time(Timestamp {
            seconds: time.as_second(),
            nanos: time.subsec_nanosecond(),
        }))
    }

    /// The size, if it is one.
    pub(super) const fn size(known_at: Option<Self>) -> Option<u64> {
        match known_at {
            Some(Self::Size(size)) => Some(size),
            _ => None,
        }
    }

    /// The time, if it is one.
    pub(super) const fn time(known_at: Option<Self>) -> Option<Timestamp> {
        match known_at {
            Some(Self::Time(time)) => Some(time),
            _ => None,
        }
    }
}

impl std::fmt::Display for KnownAt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Size(size) => size.fmt(f),
            Self::Time(time) => match jiff::Timestamp::new(time.seconds, time.nanos) {
                Ok(time) => time.fmt(f),
                Err(_) => write!(f, "{} s", time.seconds),
            },
        }
    }
}

/// Reads the name of an enum's value, with or without its prefix.
pub(super) fn value<E>(
    text: &str,
    prefix: &str,
    from: fn(&str) -> Option<E>,
    accepted: &str,
) -> Result<i32, String>
where
    i32: From<E>,
{
    let name = text.to_ascii_uppercase();
    let name = if name.starts_with(prefix) {
        name
    } else {
        format!("{prefix}{name}")
    };
    match from(&name).map(i32::from) {
        Some(number) if number != 0 => Ok(number),
        _ => Err(format!("accepted: {accepted}")),
    }
}

fn count(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| "accepted: how many, such as 2".to_owned())
}

fn wording(text: &str) -> Result<i32, String> {
    let accepted = "VERBATIM, TRANSLATED, RETRANSLATED, PARAPHRASED";
    value(text, "WORDING_", Wording::from_str_name, accepted)
}

fn basis(text: &str) -> Result<i32, String> {
    let accepted = "OWN_WORDS, RELAYED, ASCRIBED, CONDUCT, SURVEY";
    value(
        text,
        "READING_BASIS_",
        ReadingBasis::from_str_name,
        accepted,
    )
}

fn role(text: &str) -> Result<i32, String> {
    let accepted = "PRIMARY, WIRE, SECONDARY";
    value(text, "SOURCE_ROLE_", SourceRole::from_str_name, accepted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_by_its_name_with_or_without_its_prefix() {
        for text in ["VERBATIM", "verbatim", "WORDING_VERBATIM"] {
            assert_eq!(wording(text), Ok(Wording::Verbatim.into()), "{text}");
        }
        for text in ["", "UNSPECIFIED", "literal"] {
            assert!(wording(text).unwrap_err().contains("PARAPHRASED"), "{text}");
        }
    }

    #[test]
    fn a_bound_in_transaction_time_is_a_size_or_a_time() {
        let size = KnownAt::parse("40").unwrap();
        assert_eq!(KnownAt::size(Some(size)), Some(40));
        let time = KnownAt::parse("2025-08-20T08:00:00.5+02:00").unwrap();
        assert_eq!(KnownAt::size(Some(time)), None);
        let stamp = KnownAt::time(Some(time)).unwrap();
        assert_eq!((stamp.seconds, stamp.nanos), (1_755_669_600, 500_000_000));
        assert_eq!(time.to_string(), "2025-08-20T06:00:00.5Z");
        for text in ["2025-08-20", "-1", "soon"] {
            assert!(
                KnownAt::parse(text).unwrap_err().contains("offset"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_filter_is_read_from_json_and_a_mistake_in_it_is_named() {
        let read = filter(r#"{"wordings": ["WORDING_VERBATIM"], "mandatedOnly": true}"#).unwrap();
        assert_eq!(read.wordings, [i32::from(Wording::Verbatim)]);
        assert!(read.mandated_only);
        assert_eq!(filter("{}").unwrap(), PositionFilter::default());
        let short = filter(r#"{"wordings": ["VERBATIM"], "mandatedOnly": true}"#);
        assert_eq!(short.unwrap(), read);
        let wrong = |text| filter(text).unwrap_err();
        let misspelt = wrong(r#"{"wording": 1}"#);
        assert!(misspelt.contains(r#"there is no key "wording" (did you mean "wordings"?)"#));
        assert!(misspelt.contains("one of wordings, bases,"), "{misspelt}");
        for none in ["{", "[]", "null", "", "{} {}"] {
            let said = wrong(none);
            assert!(said.contains("a PositionFilter as JSON"), "{none}: {said}");
        }
        assert!(wrong(r#"{"wordings": ["LITERAL"]}"#).contains("VERBATIM, TRANSLATED"));
    }
}
