//! The testimonies behind a position, and the steps to it: at full length, page by page.

use prost::Message as _;

use super::paging::Asked;
use super::{Evidence, Positions, STEPS_MAX};
use crate::position::{self, Standing, Step, standing, timeline};
use crate::projection::positions::{Subject, Terms};
use crate::rpc::Failure;
use crate::rpc::convert::positions as convert;
use crate::rpc::proto::{self, GetTimelineResponse, ListTestimoniesResponse, TimelineStep};

/// The most bytes of a timeline in one answer, as the proto promises: half of the 4 MiB that
/// clients take by default.
const STEPS_BYTES_MAX: usize = 2 << 20;

impl Positions {
    pub(super) fn testimonies(
        &self,
        asked: &Asked,
        subject: &Subject,
        terms: &Terms,
        chosen: Standing,
    ) -> Result<ListTestimoniesResponse, Failure> {
        let evidence = self.collect(subject, terms, &asked.known)?;
        let question = evidence.question(asked.as_of);
        let found = standing(&evidence.collected.testimonies, question, chosen);
        let (testimonies, next_page_token) = asked.page(found.len(), |number| {
            let dated = found.get(number)?;
            Some(convert::testimony(&evidence.collected, dated))
        });
        Ok(ListTestimoniesResponse {
            testimonies,
            next_page_token,
            basis: Some(self.views.positions.basis(&asked.known, Some(asked.as_of))),
            total: found.len() as u64,
        })
    }

    /// A page of a timeline; in one answer, if pages are not asked for.
    pub(super) fn timeline(
        &self,
        asked: &Asked,
        subject: &Subject,
        terms: &Terms,
        in_pages: bool,
    ) -> Result<GetTimelineResponse, Failure> {
        let evidence = self.collect(subject, terms, &asked.known)?;
        let question = evidence.question(asked.as_of);
        let found = timeline(&evidence.collected.testimonies, question);
        let basis = Some(self.views.positions.basis(&asked.known, Some(asked.as_of)));
        if !in_pages {
            let steps = newest(&evidence, &found);
            return Ok(GetTimelineResponse {
                truncated: steps.len() < found.len(),
                steps,
                basis,
                next_page_token: String::new(),
            });
        }
        let (steps, next_page_token) = asked.page(found.len(), |number| {
            let step = found.get(number)?;
            Some(convert::step(&evidence.collected, step))
        });
        Ok(GetTimelineResponse {
            steps,
            basis,
            truncated: false,
            next_page_token,
        })
    }
}

/// The newest steps that one answer holds, oldest first.
fn newest(evidence: &Evidence, found: &[Step<'_>]) -> Vec<TimelineStep> {
    let (mut steps, mut bytes) = (Vec::new(), 0);
    for step in found.iter().rev().take(STEPS_MAX) {
        let step = convert::step(&evidence.collected, step);
        bytes += step.encoded_len();
        if bytes > STEPS_BYTES_MAX && !steps.is_empty() {
            break;
        }
        steps.push(step);
    }
    steps.reverse();
    steps
}

/// Which testimonies a request chooses.
pub(super) fn chosen(standing: i32) -> Result<position::Standing, Failure> {
    Ok(match proto::Standing::try_from(standing) {
        Ok(proto::Standing::Unspecified) => Standing::Any,
        Ok(proto::Standing::Possible) => Standing::Possible,
        Ok(proto::Standing::Reported) => Standing::Reported,
        Ok(proto::Standing::Candidates) => Standing::Candidate,
        Ok(proto::Standing::Evasions) => Standing::Evasion,
        Ok(proto::Standing::Front) => Standing::Front,
        Err(_) => {
            return Err(Failure::invalid(
                "standing",
                format!("{standing} is no value of the enum"),
                "a value that its proto names",
            ));
        }
    })
}
