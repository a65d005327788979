//! The words for what an answer says: the labels of the specification as they are, and times
//! as people write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::canvas::Tint;
use crate::record::proto::{
    ActorKind, Authority, Condition, ConditionKind, Engagement, Polarity, ReadingBasis,
    ReferenceKind, Role, TopicKind, Wording,
};
use crate::rpc::proto::{
    ChangeKind, Direction, FilterPart, Filtered, Finding, Placement, SourceReading, Stance,
    TimeRange,
};

/// An enum value's name as the archive's documents write it: without the enum's own name.
pub trait Label {
    /// The label.
    fn label(&self) -> &'static str;
}

macro_rules! labels {
    ($($name:ident $prefix:literal,)+) => {
        $(impl Label for $name {
            fn label(&self) -> &'static str {
                let name = self.as_str_name();
                name.strip_prefix($prefix).unwrap_or(name)
            }
        })+
    };
}

labels! {
    ActorKind "ACTOR_KIND_",
    Authority "AUTHORITY_",
    ChangeKind "CHANGE_KIND_",
    ConditionKind "CONDITION_KIND_",
    Direction "DIRECTION_",
    Engagement "ENGAGEMENT_",
    Finding "FINDING_",
    Placement "PLACEMENT_",
    Polarity "POLARITY_",
    ReadingBasis "READING_BASIS_",
    ReferenceKind "REFERENCE_KIND_",
    Role "ROLE_",
    SourceReading "SOURCE_READING_",
    TopicKind "TOPIC_KIND_",
    Wording "WORDING_",
}

/// A stance in one line: `SUPPORTS 2`, `OPEN {prepared}`.
#[must_use]
pub fn stance(stance: &Stance) -> String {
    let mut parts = vec![stance.polarity().label().to_owned()];
    if stance.strength != 0 {
        parts.push(stance.strength.to_string());
    }
    if !stance.conditions.is_empty() {
        parts.push(conditions(&stance.conditions));
    }
    parts.join(" ")
}

/// A stance in one line that says so if it has no conditions.
#[must_use]
pub fn stance_in_full(answer: &Stance) -> String {
    let mut text = stance(answer);
    if answer.conditions.is_empty() && answer.polarity() != Polarity::NoPosition {
        text.push_str(", without conditions");
    }
    text
}

/// Conditions as a set of their names: `{agenda, UNLESS attacked}`. One that has no name
/// stands there in its words.
#[must_use]
pub fn conditions(conditions: &[Condition]) -> String {
    let name = |condition: &Condition| {
        let name = if condition.id.is_empty() {
            &condition.text
        } else {
            &condition.id
        };
        match condition.kind() {
            ConditionKind::OnlyIf => name.clone(),
            kind => format!("{} {name}", kind.label()),
        }
    };
    let names: Vec<String> = conditions.iter().map(name).collect();
    format!("{{{}}}", names.join(", "))
}

/// A condition in its words: `ONLY_IF prepared: it must be prepared`.
#[must_use]
pub fn condition(condition: &Condition) -> String {
    let kind = condition.kind().label();
    if condition.id.is_empty() {
        format!("{kind}: {}", condition.text)
    } else {
        format!("{kind} {}: {}", condition.id, condition.text)
    }
}

/// How a strength reads.
#[must_use]
pub const fn strength(strength: u32) -> &'static str {
    match strength {
        1 => "hedged",
        2 => "stated",
        3 => "committed, demanded or a red line",
        _ => "not coded",
    }
}

/// How a stance stands out.
#[must_use]
pub const fn tint(polarity: Polarity) -> Tint {
    match polarity {
        Polarity::Supports => Tint::For,
        Polarity::Opposes => Tint::Against,
        Polarity::Open | Polarity::Mixed => Tint::Between,
        Polarity::NoPosition | Polarity::Unspecified => Tint::Strong,
    }
}

/// What a finding means.
#[must_use]
pub const fn finding(finding: Finding) -> &'static str {
    match finding {
        Finding::NoVoice => "a GROUP or POPULATION has no voice of its own",
        Finding::Stated => "there is a position",
        Finding::Disputed => "coders disagree about what was said",
        Finding::Evaded => "spoke on it, and never answered",
        Finding::Undated => "only statements whose date may lie on either side",
        Finding::NoRecord => "nothing is on record, which does not mean that nothing was said",
        Finding::Unspecified => "the answer does not say",
    }
}

/// What a part of a filter asks.
#[must_use]
pub const fn filter_part(part: FilterPart) -> &'static str {
    match part {
        FilterPart::Wordings => "their wording",
        FilterPart::Verifiers => "who must vouch for them",
        FilterPart::VerifiersExcluded => "who must not vouch alone",
        FilterPart::AttestationsMin => "how many must vouch for them",
        FilterPart::Sources => "where they are quoted from",
        FilterPart::MandatedOnly => "the want of a mandate",
        FilterPart::Unspecified => "a filter",
    }
}

/// What a filter took away, with the parts that took it; none if it took nothing.
#[must_use]
pub fn taken_away(by: &[Filtered]) -> Option<String> {
    let total = by
        .iter()
        .map(|it| it.statements)
        .fold(0, u64::saturating_add);
    let part = |it: &Filtered| match by {
        [_] => filter_part(it.part()).to_owned(),
        _ => format!("{} by {}", it.statements, filter_part(it.part())),
    };
    let parts: Vec<String> = by.iter().map(part).collect();
    (total != 0).then(|| format!("{} ({})", counted(total, "statement"), parts.join(", ")))
}

/// So many of something.
#[must_use]
pub fn counted(number: u64, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// That an end of a comparison is not stated for want of agreement.
#[must_use]
pub fn coders_disagree(which: &str) -> String {
    format!("coders disagree about the {which} position")
}

/// What a kind of change means.
#[must_use]
pub const fn change(kind: ChangeKind) -> &'static str {
    match kind {
        ChangeKind::NoRecord => "neither end is stated",
        ChangeKind::NoLongerOnRecord => "stated before, not stated after",
        ChangeKind::FirstStated => "stated only after",
        ChangeKind::NotRestated => "the same statement decides both",
        ChangeKind::Unchanged => "said again, the same",
        ChangeKind::Withdrawn => "from a stance to having no position",
        ChangeKind::Reversed => "from one side to the other",
        ChangeKind::Softened => "a side given up for OPEN or MIXED, or held with less strength",
        ChangeKind::TookSide => "from OPEN or MIXED to a side",
        ChangeKind::Shifted => "between OPEN and MIXED",
        ChangeKind::Hardened => "the same side with more strength",
        ChangeKind::ConditionsAdded => "conditions were added",
        ChangeKind::ConditionsDropped => "conditions were dropped",
        ChangeKind::ConditionsChanged => "conditions were exchanged",
        ChangeKind::Unspecified => "changes nothing",
    }
}

/// How a statement's text relates to the words spoken, and whether it may stand in quotation
/// marks: only where it is the passage itself.
#[must_use]
pub const fn wording(wording: Wording) -> (&'static str, bool) {
    match wording {
        Wording::Verbatim => ("verbatim", true),
        Wording::Translated => ("as translated in the source", true),
        Wording::Retranslated => (
            "retranslated for this archive, not the speaker's words",
            false,
        ),
        Wording::Paraphrased => (
            "paraphrased for this archive, not the speaker's words",
            false,
        ),
        Wording::Unspecified => ("wording unknown", false),
    }
}

/// An interval of valid time as a day, a month or a year where it is one.
#[must_use]
pub fn range(range: &TimeRange) -> String {
    let (Some(from), Some(to)) = (civil(&range.earliest), civil(&range.latest)) else {
        // The year 10000 is beyond what a time can say.
        return format!("{} or later", range.earliest);
    };
    let day = from.date();
    let whole = |end: Result<Date, jiff::Error>| {
        from == day.at(0, 0, 0, 0) && end.is_ok_and(|end| to == end.at(0, 0, 0, 0))
    };
    if whole(day.tomorrow()) {
        day.to_string()
    } else if day.day() == 1 && whole(day.checked_add(jiff::Span::new().months(1))) {
        day.strftime("some time in %Y-%m").to_string()
    } else if day.day_of_year() == 1 && whole(day.checked_add(jiff::Span::new().years(1))) {
        day.strftime("some time in %Y").to_string()
    } else if from.date().year() == 0 {
        format!("some time before {}", range.latest)
    } else if from
        .checked_add(jiff::Span::new().seconds(1))
        .is_ok_and(|end| end == to)
    {
        range.earliest.clone()
    } else {
        format!(
            "some time from {} to before {}",
            range.earliest, range.latest
        )
    }
}

fn civil(instant: &str) -> Option<DateTime> {
    let instant: Timestamp = instant.parse().ok()?;
    Some(instant.to_zoned(TimeZone::UTC).datetime())
}

/// The seconds since 1970 of an RFC 3339 time.
#[must_use]
pub fn seconds(instant: &str) -> Option<i64> {
    instant
        .parse()
        .ok()
        .map(|instant: Timestamp| instant.as_second())
}

/// A time of the ledger: RFC 3339 in UTC, to the second.
#[must_use]
pub fn time(time: Option<prost_types::Timestamp>) -> String {
    let instant = time.and_then(|time| Timestamp::new(time.seconds, 0).ok());
    instant.map_or_else(|| "unknown".to_owned(), |instant| instant.to_string())
}

/// The beginning of a hash or id, enough to tell it from others by eye.
#[must_use]
pub fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn between(earliest: &str, latest: &str) -> String {
        range(&TimeRange {
            earliest: earliest.to_owned(),
            latest: latest.to_owned(),
        })
    }

    #[test]
    fn an_interval_that_is_a_day_a_month_or_a_year_is_called_so() {
        let midnight = "T00:00:00Z";
        for (earliest, latest, expected) in [
            ("2025-08-07", "2025-08-08", "2025-08-07"),
            ("2025-12-01", "2026-01-01", "some time in 2025-12"),
            ("2024-01-01", "2025-01-01", "some time in 2024"),
            (
                "0000-01-01",
                "2025-08-19",
                "some time before 2025-08-19T00:00:00Z",
            ),
            (
                "2025-08-01",
                "2025-08-16",
                "some time from 2025-08-01T00:00:00Z to before 2025-08-16T00:00:00Z",
            ),
        ] {
            let earliest = format!("{earliest}{midnight}");
            let latest = format!("{latest}{midnight}");
            assert_eq!(between(&earliest, &latest), expected);
        }
        let second = between("2025-08-18T21:30:00Z", "2025-08-18T21:30:01Z");
        assert_eq!(second, "2025-08-18T21:30:00Z");
    }

    #[test]
    fn conditions_are_a_set_of_names_and_only_the_kind_only_if_goes_without_saying() {
        let made = |id: &str, kind: ConditionKind, text: &str| Condition {
            id: id.to_owned(),
            kind: kind.into(),
            text: text.to_owned(),
        };
        let stance = Stance {
            polarity: Polarity::Open.into(),
            strength: 2,
            conditions: vec![
                made("prepared", ConditionKind::OnlyIf, "it is prepared"),
                made("", ConditionKind::Unless, "attacked"),
            ],
        };
        assert_eq!(super::stance(&stance), "OPEN 2 {prepared, UNLESS attacked}");
        assert_eq!(
            condition(&stance.conditions[0]),
            "ONLY_IF prepared: it is prepared"
        );
    }

    #[test]
    fn only_the_passage_itself_may_stand_in_quotation_marks() {
        let quoted = |kind| wording(kind).1;
        assert!(quoted(Wording::Verbatim) && quoted(Wording::Translated));
        assert!(!quoted(Wording::Paraphrased) && !quoted(Wording::Retranslated));
    }
}
