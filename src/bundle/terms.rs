//! On whose terms a bundle's question is asked.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::Views;
use super::position::AnswerError;
use super::proto::Terms;
use crate::projection::positions::{self, Choice, Filter, SourceFilter};
use crate::record::proto::{ReadingBasis, SourceRole, Wording};
use crate::record::{Basis, ContentId, Date, VerifierKey};

/// A part of a question cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Unreadable {
    /// Which part.
    pub field: &'static str,
    /// Why not.
    pub problem: String,
}

/// Reads an id, a slug, a date or a key.
pub fn parsed<T: FromStr<Err: std::fmt::Display>>(
    field: &'static str,
    text: &str,
) -> Result<T, Unreadable> {
    text.parse().map_err(|error: T::Err| Unreadable {
        field,
        problem: error.to_string(),
    })
}

/// Reads terms; without any, they are the archive's own.
pub fn terms(
    views: &Views<'_>,
    terms: Option<&Terms>,
    known_at: u64,
) -> Result<positions::Terms, AnswerError> {
    let Some(terms) = terms else {
        return Ok(positions::Terms::default());
    };
    let mut own = Filter::default().own;
    for number in &terms.bases {
        own = own.with(basis(*number)?);
    }
    let public_by = match &terms.published_by[..] {
        "" => None,
        text => Some(parsed::<Date>("published_by", text)?.interval().latest),
    };
    let publishers: BTreeSet<String> = terms.publishers.iter().cloned().collect();
    Ok(positions::Terms {
        choice: choice(views, terms, known_at)?,
        filter: Filter {
            wordings: some(numbers::<Wording>("wordings", &terms.wordings)?),
            only: some(verifiers(views, "verifiers", &terms.verifiers)?),
            never: verifiers(views, "verifiers_excluded", &terms.verifiers_excluded)?,
            attestations_min: terms.attestations_min as usize,
            sources: SourceFilter {
                roles: some(numbers::<SourceRole>("source_roles", &terms.source_roles)?),
                publishers: some(publishers),
                underived: terms.derived_excluded,
                public_by,
            },
            mandated: terms.mandated_only,
            own,
        },
    })
}

/// A list that is not given takes nothing away.
fn some<T>(values: BTreeSet<T>) -> Option<BTreeSet<T>> {
    (!values.is_empty()).then_some(values)
}

fn numbers<E: TryFrom<i32>>(
    field: &'static str,
    numbers: &[i32],
) -> Result<BTreeSet<i32>, Unreadable> {
    let named = |number: &i32| {
        if *number != 0 && E::try_from(*number).is_ok() {
            return Ok(*number);
        }
        let problem = format!("{number} is no value of the enum");
        Err(Unreadable { field, problem })
    };
    numbers.iter().map(named).collect()
}

fn basis(number: i32) -> Result<Basis, Unreadable> {
    Ok(match ReadingBasis::try_from(number) {
        Ok(ReadingBasis::OwnWords) => Basis::OwnWords,
        Ok(ReadingBasis::Relayed) => Basis::Relayed,
        Ok(ReadingBasis::Ascribed) => Basis::Ascribed,
        Ok(ReadingBasis::Conduct) => Basis::Conduct,
        Ok(ReadingBasis::Survey) => Basis::Survey,
        Ok(ReadingBasis::Unspecified) | Err(_) => {
            return Err(Unreadable {
                field: "bases",
                problem: format!("{number} is no value of the enum"),
            });
        }
    })
}

/// The numbers of verifiers who signed something; the others cannot vouch for anything.
fn verifiers(
    views: &Views<'_>,
    field: &'static str,
    keys: &[String],
) -> Result<BTreeSet<u32>, AnswerError> {
    let mut numbers = BTreeSet::new();
    for key in keys {
        numbers.extend(verifier(views, field, key)?);
    }
    // A list of strangers lets nothing through; an empty one would let everything.
    if numbers.is_empty() && !keys.is_empty() {
        numbers.insert(u32::MAX);
    }
    Ok(numbers)
}

fn verifier(views: &Views<'_>, field: &'static str, key: &str) -> Result<Option<u32>, AnswerError> {
    let key: VerifierKey = parsed(field, key)?;
    Ok(positions::verifier_number(views.positions, key.as_bytes())?)
}

fn choice(views: &Views<'_>, terms: &Terms, known_at: u64) -> Result<Choice, AnswerError> {
    let unreadable = |problem: &str| Unreadable {
        field: "codebook",
        problem: problem.to_owned(),
    };
    match (&terms.coder[..], &terms.codebook[..]) {
        ("", "") => Ok(Choice::Most),
        (coder, "") => Ok(Choice::Coder(verifier(views, "coder", coder)?)),
        ("", codebook) => {
            let id: ContentId = parsed("codebook", codebook)?;
            let index = positions::codebook(views.positions, &id)?;
            let index = index.filter(|index| *index < known_at);
            let index = index.ok_or_else(|| unreadable("no version of a topic has this id"))?;
            Ok(Choice::Codebook(index))
        }
        _ => Err(unreadable("both a coder and a codebook are given").into()),
    }
}
