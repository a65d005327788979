//! On whose terms a question is asked: a request's filter, read.

use std::collections::BTreeSet;

use crate::projection::catalog;
use crate::projection::positions::{self, Choice, Filter, SourceFilter, Terms};
use crate::record::proto::{ReadingBasis, SourceRole, Wording};
use crate::record::{Basis, ContentId, VerifierKey};
use crate::rpc::proto::PositionFilter;
use crate::rpc::views::{Known, Views};
use crate::rpc::{Failure, Reason, parse};

/// The most values that a part of a filter may list: more than there are roles and wordings, and
/// than anybody types.
const VALUES_MAX: usize = 1_000;

/// Reads a filter that stands at `field` of a request. `known` is that of the position asked
/// for.
pub fn terms(
    views: &Views,
    field: &str,
    filter: Option<&PositionFilter>,
    known: &Known,
) -> Result<Terms, Failure> {
    let Some(filter) = filter else {
        return Ok(Terms::default());
    };
    let reader = Reader {
        views,
        field,
        known,
    };
    let mut own = Filter::default().own;
    for basis in reader.known_values("bases", &filter.bases, basis)? {
        own = own.with(basis);
    }
    Ok(Terms {
        choice: reader.choice(filter)?,
        filter: Filter {
            wordings: some(reader.known_values("wordings", &filter.wordings, named::<Wording>)?),
            only: some(reader.verifiers("verifiers", &filter.verifiers)?),
            never: reader.verifiers("verifiersExcluded", &filter.verifiers_excluded)?,
            attestations_min: filter.attestations_min as usize,
            sources: SourceFilter {
                roles: some(
                    reader.known_values("sourceRoles", &filter.source_roles, |it| {
                        named::<SourceRole>(it)
                    })?,
                ),
                publishers: some(reader.publishers(&filter.publishers)?),
                underived: filter.derived_excluded,
                public_by: reader.date("publishedBy", &filter.published_by)?,
            },
            mandated: filter.mandated_only,
            own,
        },
    })
}

/// A list that is not given leaves its part of the filter open.
fn some<T>(values: BTreeSet<T>) -> Option<BTreeSet<T>> {
    (!values.is_empty()).then_some(values)
}

/// The number of an enum's value that is not its zero.
fn named<E: TryFrom<i32>>(number: i32) -> Option<i32> {
    (number != 0 && E::try_from(number).is_ok()).then_some(number)
}

fn basis(number: i32) -> Option<Basis> {
    Some(match ReadingBasis::try_from(number).ok()? {
        ReadingBasis::Unspecified => return None,
        ReadingBasis::OwnWords => Basis::OwnWords,
        ReadingBasis::Relayed => Basis::Relayed,
        ReadingBasis::Ascribed => Basis::Ascribed,
        ReadingBasis::Conduct => Basis::Conduct,
        ReadingBasis::Survey => Basis::Survey,
    })
}

/// Reads the parts of a filter.
struct Reader<'a> {
    views: &'a Views,
    field: &'a str,
    known: &'a Known,
}

impl Reader<'_> {
    fn field(&self, part: &str) -> String {
        format!("{}.{part}", self.field)
    }

    fn bounded<T>(&self, part: &str, values: &[T]) -> Result<(), Failure> {
        if values.len() <= VALUES_MAX {
            return Ok(());
        }
        Err(Failure::invalid(
            self.field(part),
            format!("{} values are given", values.len()),
            format!("at most {VALUES_MAX}"),
        ))
    }

    /// The values of an enum, each by its number.
    fn known_values<T: Ord>(
        &self,
        part: &str,
        numbers: &[i32],
        read: impl Fn(i32) -> Option<T>,
    ) -> Result<BTreeSet<T>, Failure> {
        self.bounded(part, numbers)?;
        let one = |number: &i32| {
            read(*number).ok_or_else(|| {
                Failure::invalid(
                    self.field(part),
                    format!("{number} is no value of the enum"),
                    "a value that its proto names, other than the unspecified one",
                )
            })
        };
        numbers.iter().map(one).collect()
    }

    fn publishers(&self, publishers: &[String]) -> Result<BTreeSet<String>, Failure> {
        self.bounded("publishers", publishers)?;
        Ok(publishers.iter().cloned().collect())
    }

    /// The numbers of verifiers who signed something; the others cannot vouch for anything.
    fn verifiers(&self, part: &str, keys: &[String]) -> Result<BTreeSet<u32>, Failure> {
        self.bounded(part, keys)?;
        let numbers = keys.iter().map(|key| self.verifier(part, key));
        let numbers: Vec<Option<u32>> = numbers.collect::<Result<_, _>>()?;
        // A list of strangers lets nothing through; an empty one would let everything.
        let strangers = !keys.is_empty() && numbers.iter().all(Option::is_none);
        let numbers: BTreeSet<u32> = numbers.into_iter().flatten().collect();
        Ok(if strangers {
            BTreeSet::from([u32::MAX])
        } else {
            numbers
        })
    }

    fn verifier(&self, part: &str, key: &str) -> Result<Option<u32>, Failure> {
        let field = self.field(part);
        let verifier: VerifierKey = parse(&field, key)?;
        let known_at = self.known.known_at;
        let enrolled =
            catalog::verifier(self.views.catalog.tables(), verifier.as_bytes(), known_at)?;
        if enrolled.is_none() {
            let size = self.known.size();
            return Err(Failure::unknown(
                Reason::UnknownVerifier,
                &field,
                key,
                known_at,
                size,
            ));
        }
        let tables = self.known.tables();
        Ok(positions::verifier_number(tables, verifier.as_bytes())?)
    }

    fn choice(&self, filter: &PositionFilter) -> Result<Choice, Failure> {
        match (&filter.coder[..], &filter.codebook[..]) {
            ("", "") => Ok(Choice::Most),
            (coder, "") => Ok(Choice::Coder(self.verifier("coder", coder)?)),
            ("", codebook) => self.codebook(codebook),
            _ => Err(Failure::invalid(
                self.field("codebook"),
                "both a coder and a codebook are given",
                "one of the two",
            )),
        }
    }

    fn codebook(&self, id: &str) -> Result<Choice, Failure> {
        let field = self.field("codebook");
        let codebook: ContentId = parse(&field, id)?;
        let known_at = self.known.known_at;
        let index = positions::codebook(self.known.tables(), &codebook)?;
        let index = index.filter(|index| *index < known_at).ok_or_else(|| {
            let size = self.known.size();
            Failure::unknown(Reason::UnknownTopic, &field, id, known_at, size)
        })?;
        Ok(Choice::Codebook(index))
    }

    /// The exclusive end of a date.
    fn date(&self, part: &str, text: &str) -> Result<Option<i64>, Failure> {
        if text.is_empty() {
            return Ok(None);
        }
        Ok(Some(super::date(&self.field(part), text)?.latest))
    }
}
