//! On whose terms a bundle's question is asked.

use std::collections::BTreeSet;
use std::str::FromStr;

use super::Views;
use super::position::AnswerError;
use super::proto::Terms;
use crate::projection::positions::{self, Choice, Filter, SourceFilter};
use crate::record::proto::{ReadingBasis, SourceRole, Wording};
use crate::record::{Basis, ContentId, Date, VerifierKey, quoted};

/// How many values of a list are said in words, of the up to 1,000 that it has; the others are
/// counted.
const SAID_MAX: usize = 8;

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

/// Terms in words, as far as they differ from the archive's own; none if they do not.
pub fn in_words(terms: &Terms) -> Option<String> {
    let Terms {
        wordings,
        bases,
        attestations_min,
        verifiers,
        verifiers_excluded,
        source_roles,
        publishers,
        derived_excluded,
        published_by,
        mandated_only,
        coder,
        codebook,
    } = terms;
    let wording = |it: &i32| Wording::try_from(*it).map_or("", |it| it.as_str_name());
    let basis = |it: &i32| ReadingBasis::try_from(*it).map_or("", |it| it.as_str_name());
    let role = |it: &i32| SourceRole::try_from(*it).map_or("", |it| it.as_str_name());
    let named = |it: &String| quoted(it);
    let said = [
        list("only", wordings, |it| {
            wording(it).trim_start_matches("WORDING_").to_owned()
        }),
        list("own word also by", bases, |it| {
            basis(it).trim_start_matches("READING_BASIS_").to_owned()
        }),
        (*attestations_min > 0)
            .then(|| format!("only what at least {attestations_min} verifiers vouch for")),
        list("only what is vouched for by one of", verifiers, named),
        list("nothing by", verifiers_excluded, named),
        list("only from sources that are", source_roles, |it| {
            role(it).trim_start_matches("SOURCE_ROLE_").to_owned()
        }),
        list("only from what was published by", publishers, named),
        derived_excluded.then(|| "no derived sources".to_owned()),
        one("only from what was public by", published_by),
        mandated_only.then(|| "only voices with a mandate".to_owned()),
        one("only readings of the coder", coder),
        one("only readings by the codebook", codebook),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join("; "))
}

/// What a list asks for; nothing if it is empty.
fn list<T>(what: &str, values: &[T], word: impl Fn(&T) -> String) -> Option<String> {
    if values.is_empty() {
        return None;
    }
    let words: Vec<String> = values.iter().take(SAID_MAX).map(word).collect();
    let words = words.join(", ");
    Some(match values.len().saturating_sub(SAID_MAX) {
        0 => format!("{what} {words}"),
        unsaid => format!("{what} {words} and {unsaid} more"),
    })
}

/// What a single value asks for; nothing if it is not given.
fn one(what: &str, value: &str) -> Option<String> {
    (!value.is_empty()).then(|| format!("{what} {}", quoted(value)))
}
