//! On whose terms a question is answered: whose reading of the statements, and which of them
//! the reader trusts. The default is the archive's own rule: what most coders read, of
//! everything on record.
//!
//! The parts of a filter are asked in an order, that of [`Part`]; a statement counts as taken
//! away by the first of them that it fails.

use std::collections::{BTreeMap, BTreeSet};

use super::hearing::{Heard, Hearing};
use super::sources::{Library, Version};
use super::verifiers::{self, Number};
use crate::fold::{FoldError, Tables};
use crate::position::Bases;

/// On whose terms.
#[derive(Clone, Debug)]
pub struct Terms {
    /// Whose reading.
    pub choice: Choice,
    /// Which statements.
    pub filter: Filter,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            choice: Choice::Most,
            filter: Filter::default(),
        }
    }
}

impl Terms {
    /// Whether they are the archive's own.
    pub(super) fn are_default(&self) -> bool {
        let Filter {
            wordings,
            only,
            never,
            attestations_min,
            sources,
            mandated,
            own,
        } = &self.filter;
        self.choice == Choice::Most
            && wordings.is_none()
            && only.is_none()
            && never.is_empty()
            && *attestations_min == 0
            && *sources == SourceFilter::default()
            && !mandated
            && *own == Bases::OWN_WORDS
    }
}

/// Whose reading of a statement is heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The one that most coders give.
    Most,
    /// That of the coder who goes by this number; of one who has none, nothing.
    Coder(Option<Number>),
    /// The one that most of those give who coded by the topic's version of this entry.
    Codebook(u64),
}

/// Which statements a reader trusts. What is left open takes nothing away.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Only these wordings: numbers of `Wording`.
    pub wordings: Option<BTreeSet<i32>>,
    /// Only what one of these verifiers vouches for.
    pub only: Option<BTreeSet<Number>>,
    /// Nothing that these alone vouch for, and no reading of theirs as coders.
    pub never: BTreeSet<Number>,
    /// Only what so many verifiers vouch for.
    pub attestations_min: usize,
    /// Only what is quoted from a source like this.
    pub sources: SourceFilter,
    /// Only voices with a mandate to speak for the actor.
    pub mandated: bool,
    /// On which bases a reading counts as the holder's own word. Takes nothing away.
    pub own: Bases,
}

impl Default for Filter {
    fn default() -> Self {
        Self {
            wordings: None,
            only: None,
            never: BTreeSet::new(),
            attestations_min: 0,
            sources: SourceFilter::default(),
            mandated: false,
            own: Bases::OWN_WORDS,
        }
    }
}

/// What a source of the words must be, all of it at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceFilter {
    /// One of these roles: numbers of `SourceRole`.
    pub roles: Option<BTreeSet<i32>>,
    /// By one of these publishers.
    pub publishers: Option<BTreeSet<String>>,
    /// Derived from no other source.
    pub underived: bool,
    /// Public before this second.
    pub public_by: Option<i64>,
}

impl SourceFilter {
    fn admits(&self, source: &Version) -> bool {
        let Self {
            roles,
            publishers,
            underived,
            public_by,
        } = self;
        roles.as_ref().is_none_or(|it| it.contains(&source.role))
            && publishers
                .as_ref()
                .is_none_or(|it| it.contains(&source.publisher))
            && !(*underived && source.derived)
            && public_by.is_none_or(|by| source.public_from <= by)
    }
}

/// A part of a filter. The order is that in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The wording.
    Wording,
    /// Who must vouch for it.
    Only,
    /// Who must not be alone to.
    Never,
    /// How many must.
    Attestations,
    /// Where it is quoted from.
    Sources,
    /// Whether the voice has a mandate.
    Mandated,
}

/// How many statements each part of a filter took away.
pub type Taken = BTreeMap<Part, u64>;

impl Filter {
    /// The first part that takes a statement away, whoever's question it is; none if it stays.
    pub(super) fn takes(
        &self,
        hearing: &Hearing<'_>,
        heard: &Heard<'_>,
        library: &mut Library<'_>,
    ) -> Result<Option<Part>, FoldError> {
        let vouchers = &heard.vouchers;
        let wording = &heard.stands.said.wording;
        if self
            .wordings
            .as_ref()
            .is_some_and(|it| !it.contains(wording))
        {
            return Ok(Some(Part::Wording));
        }
        if self
            .only
            .as_ref()
            .is_some_and(|it| it.is_disjoint(vouchers))
        {
            return Ok(Some(Part::Only));
        }
        if vouchers.is_subset(&self.never) {
            return Ok(Some(Part::Never));
        }
        if vouchers.len() < self.attestations_min {
            return Ok(Some(Part::Attestations));
        }
        if self.sources == SourceFilter::default() {
            return Ok(None);
        }
        for number in hearing.sources(heard) {
            if self.sources.admits(library.source(number)?) {
                return Ok(None);
            }
        }
        Ok(Some(Part::Sources))
    }
}

/// The number that a verifier goes by in [`Terms`]; none if it signed nothing that bears on
/// positions.
pub fn verifier_number(tables: &dyn Tables, key: &[u8; 32]) -> Result<Option<Number>, FoldError> {
    verifiers::of(tables, key)
}
