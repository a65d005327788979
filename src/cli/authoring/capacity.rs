//! For whom a statement was said, where its author leaves that to the mandates.
//!
//! A mandate implies that the speaker spoke for the organisation if it lets them speak
//! (PRINCIPAL, SPOKESPERSON or DELEGATE), is in force for the whole of `said_at` and covers all
//! topics of the statement's readings. One that reaches only a part of either decides nothing:
//! then the author must, because a statement that is silently taken for personal would be
//! missing from the organisation's positions.

use std::collections::BTreeMap;

use super::error::Problem;
use crate::record::{self, Date, DateError, Interval, Term, proto};

/// How far a mandate covers something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Cover {
    None,
    Part(&'static str),
    Whole,
}

/// The organisations that a statement was said for by the speaker's `mandates`, in the order
/// of their slugs.
pub(super) fn implied(
    statement: &proto::Statement,
    mandates: &[proto::MandateGranted],
) -> Result<Vec<proto::SaidFor>, Problem> {
    if mandates.iter().all(|mandate| !speaks(mandate)) {
        return Ok(Vec::new());
    }
    let said_at = interval(&statement.said_at)?.unwrap_or(Interval::ALL);
    let mut organizations: BTreeMap<&str, (Cover, &proto::MandateGranted)> = BTreeMap::new();
    for mandate in mandates.iter().filter(|mandate| speaks(mandate)) {
        let cover = in_force(mandate, said_at)?.min(topics(mandate, statement));
        let widest = organizations
            .entry(&mandate.organization)
            .or_insert((cover, mandate));
        if cover > widest.0 {
            *widest = (cover, mandate);
        }
    }
    let mut said_for = Vec::new();
    for (organization, (cover, mandate)) in organizations {
        match cover {
            Cover::None => {}
            Cover::Whole => said_for.push(proto::SaidFor {
                actor: organization.to_owned(),
                basis: proto::CapacityBasis::Implied.into(),
            }),
            Cover::Part(part) => {
                return Err(Problem::CapacityUnclear {
                    mandate: mandate.mandate_id.clone(),
                    organization: organization.to_owned(),
                    part,
                });
            }
        }
    }
    Ok(said_for)
}

fn speaks(mandate: &proto::MandateGranted) -> bool {
    use proto::Authority::{Delegate, Principal, Spokesperson};
    matches!(mandate.authority(), Principal | Spokesperson | Delegate)
}

/// From the first second of its start to the last of its end; what is left out is unbounded.
fn in_force(mandate: &proto::MandateGranted, said_at: Interval) -> Result<Cover, Problem> {
    let term = Term {
        start: interval(&mandate.start)?,
        end: interval(&mandate.end)?,
    };
    Ok(match term.cover(said_at) {
        record::Cover::Whole => Cover::Whole,
        record::Cover::Part => Cover::Part("a part of the time at which it may have been said"),
        record::Cover::None => Cover::None,
    })
}

/// As far as the statement is read as the speaker's stance, or the organisation's.
fn topics(mandate: &proto::MandateGranted, statement: &proto::Statement) -> Cover {
    let theirs = |reading: &&proto::Reading| {
        let holders = ["", &mandate.person, &mandate.organization];
        holders.contains(&reading.holder.as_str())
    };
    let readings: Vec<_> = statement.readings.iter().filter(theirs).collect();
    let covered = |reading: &&&proto::Reading| mandate.topics.contains(&reading.topic);
    let all = readings.len();
    match readings.iter().filter(covered).count() {
        _ if mandate.topics.is_empty() => Cover::Whole,
        _ if all == 0 => Cover::Part("certain topics, and the statement has no readings"),
        0 => Cover::None,
        some if some == all => Cover::Whole,
        _ => Cover::Part("some topics of its readings and not others"),
    }
}

/// The interval of a date; none if it is left out.
fn interval(text: &str) -> Result<Option<Interval>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let date: Result<Date, DateError> = text.parse();
    date.map(|date| Some(date.interval()))
        .map_err(|error| Problem::UnfitDate {
            value: text.to_owned(),
            error,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::Authority;

    fn mandate(id: &str, organization: &str, authority: Authority) -> proto::MandateGranted {
        proto::MandateGranted {
            mandate_id: id.to_owned(),
            person: "lavrov".to_owned(),
            organization: organization.to_owned(),
            authority: authority.into(),
            ..Default::default()
        }
    }

    fn statement(said_at: &str, topics: &[&str]) -> proto::Statement {
        let reading = |topic: &&str| proto::Reading {
            topic: (*topic).to_owned(),
            ..Default::default()
        };
        proto::Statement {
            said_at: said_at.to_owned(),
            readings: topics.iter().map(reading).collect(),
            ..Default::default()
        }
    }

    fn names(said_for: Result<Vec<proto::SaidFor>, Problem>) -> Vec<String> {
        said_for.unwrap().into_iter().map(|one| one.actor).collect()
    }

    #[test]
    fn every_organisation_that_a_speaking_mandate_covers_is_implied_in_order() {
        let mandates = [
            mandate("a", "ministry", Authority::Principal),
            mandate("b", "kremlin", Authority::Delegate),
            mandate("c", "institute", Authority::Affiliated),
        ];
        let said_for = implied(&statement("2025-08-19", &["t"]), &mandates);
        assert_eq!(names(said_for), ["kremlin", "ministry"]);
    }

    #[test]
    fn a_mandate_outside_its_time_or_its_topics_implies_nothing() {
        let mut before = mandate("a", "kremlin", Authority::Principal);
        before.end = "2025-08-18".to_owned();
        let mut elsewhere = mandate("b", "kremlin", Authority::Principal);
        elsewhere.topics = vec!["other".to_owned()];
        let said_for = implied(&statement("2025-08-19", &["t"]), &[before, elsewhere]);
        assert_eq!(names(said_for), Vec::<String>::new());
    }

    #[test]
    fn the_first_and_the_last_day_in_office_count() {
        let mut office = mandate("a", "kremlin", Authority::Principal);
        office.start = "2025-08-19".to_owned();
        office.end = "2025-08-19".to_owned();
        let said_for = implied(&statement("2025-08-19", &[]), &[office]);
        assert_eq!(names(said_for), ["kremlin"]);
    }

    #[test]
    fn a_mandate_that_covers_only_a_part_is_for_the_author_to_decide() {
        let mut late = mandate("a", "kremlin", Authority::Principal);
        late.start = "2025-08-10".to_owned();
        let mut limited = mandate("a", "kremlin", Authority::Delegate);
        limited.topics = vec!["t".to_owned()];
        for (mandate, statement) in [
            (&late, statement("2025-08", &["t"])),
            (&late, statement("", &["t"])),
            (&limited, statement("2025-08-19", &["t", "u"])),
            (&limited, statement("2025-08-19", &[])),
        ] {
            let unclear = implied(&statement, std::slice::from_ref(mandate));
            assert!(
                matches!(unclear, Err(Problem::CapacityUnclear { .. })),
                "{unclear:?}"
            );
        }
        let whole = mandate("b", "kremlin", Authority::Spokesperson);
        let said_for = implied(&statement("2025-08", &["t"]), &[late, whole]);
        assert_eq!(names(said_for), ["kremlin"]);
    }

    #[test]
    fn an_unfit_date_is_refused_only_where_it_decides() {
        let unfit = statement("2025-08-19T00:30:00", &[]);
        assert_eq!(implied(&unfit, &[]), Ok(Vec::new()));
        let mandates = [mandate("a", "kremlin", Authority::Principal)];
        assert!(matches!(
            implied(&unfit, &mandates),
            Err(Problem::UnfitDate { .. })
        ));
    }
}
