//! The shape of further signatures, and of reviews.

use super::super::Refusal;
use super::super::field::{at_most, content_id, date, distinct, key, malformed, slug, text};
use super::lengths::{LINE_MAX, URL_MAX};
use crate::record::envelope::SIGNATURES_MAX;
use crate::record::proto::{self, review_published::Target};

/// The length of an Ed25519 signature.
const SIGNATURE_BYTES: usize = 64;

pub fn attestation_added(added: &proto::AttestationAdded) -> Result<(), Refusal> {
    content_id("record", &added.record)?;
    if added.verifiers.is_empty() {
        return Err(malformed(
            "verifiers",
            "nobody is named",
            "the key of each verifier whose signature is added",
        ));
    }
    at_most("verifiers", &added.verifiers, SIGNATURES_MAX)?;
    for (place, verifier) in added.verifiers.iter().enumerate() {
        key(format_args!("verifiers[{place}]"), verifier)?;
    }
    distinct("verifiers", &added.verifiers)?;
    if added.signatures.len() != added.verifiers.len() {
        return Err(malformed(
            "signatures",
            format!(
                "{} signatures by {} verifiers",
                added.signatures.len(),
                added.verifiers.len()
            ),
            "one signature a verifier, in the same order",
        ));
    }
    for (place, signature) in added.signatures.iter().enumerate() {
        if signature.len() != SIGNATURE_BYTES {
            return Err(malformed(
                format_args!("signatures[{place}]"),
                format!("a signature of {} bytes", signature.len()),
                format!("an Ed25519 signature of {SIGNATURE_BYTES} bytes"),
            ));
        }
    }
    Ok(())
}

pub fn review_published(review: &proto::ReviewPublished) -> Result<(), Refusal> {
    match &review.target {
        Some(Target::Statement(id)) => drop(content_id("statement", id)?),
        Some(Target::Source(id)) => drop(content_id("source", id)?),
        Some(Target::Milestone(id)) => drop(slug("milestone", id)?),
        None => {
            return Err(malformed(
                "statement",
                "nothing is named that was reviewed",
                "a statement, a source or a milestone",
            ));
        }
    }
    text("verdict", &review.verdict, LINE_MAX)?;
    rating(review)?;
    text("url", &review.url, URL_MAX)?;
    text("publisher", &review.publisher, LINE_MAX)?;
    date("publishedAt", &review.published_at)?;
    Ok(())
}

/// A rating lies on its scale, which may run either way; three zeros say that there is none.
fn rating(review: &proto::ReviewPublished) -> Result<(), Refusal> {
    let (worst, best) = (review.rating_worst, review.rating_best);
    if (review.rating, worst, best) == (0, 0, 0) {
        return Ok(());
    }
    let scale = worst.min(best)..=worst.max(best);
    if worst == best || !scale.contains(&review.rating) {
        return Err(malformed(
            "rating",
            format!("{} on a scale from {worst} to {best}", review.rating),
            "a rating from ratingWorst to ratingBest, which differ; or none of the three",
        ));
    }
    Ok(())
}
