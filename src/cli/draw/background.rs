//! What an answer names without telling: who the actors are, what was said, where it stands.

use std::collections::{BTreeMap, BTreeSet};

use crate::record::proto::{
    ActorDefined, Establishes, Evidence, MilestoneDefined, SourceArchived, TopicDefined,
    WithholdingScope,
};
use crate::rpc::proto::StatementView;

/// Names, statements and sources by their ids, all as known at one moment.
#[derive(Clone, Debug, Default)]
pub struct Background {
    /// Whose position it is, and which parts speak too, by their slugs.
    pub asked: BTreeSet<String>,
    /// Actors by slug.
    pub actors: BTreeMap<String, ActorDefined>,
    /// The topic asked about.
    pub topic: Option<TopicDefined>,
    /// The milestone measured from.
    pub milestone: Option<MilestoneDefined>,
    /// Statements by statement id.
    pub statements: BTreeMap<String, StatementView>,
    /// Sources by source id.
    pub sources: BTreeMap<String, SourceArchived>,
    /// How much is withheld of those of which something is, by source id.
    pub withheld: BTreeMap<String, WithholdingScope>,
}

impl Background {
    /// What is known where `actor` was asked and nothing was looked up.
    #[must_use]
    pub fn of(actor: &str) -> Self {
        Self {
            asked: BTreeSet::from([actor.to_owned()]),
            ..Self::default()
        }
    }

    /// The actor's name: the English one, or else the first; the slug if it is not known.
    #[must_use]
    pub fn name<'a>(&'a self, actor: &'a str) -> &'a str {
        let Some(defined) = self.actors.get(actor) else {
            return actor;
        };
        let english = |name: &&crate::record::proto::LocalizedName| name.language == "en";
        let names = &defined.names;
        let name = names.iter().find(english).or_else(|| names.first());
        name.map_or(actor, |name| name.name.as_str())
    }

    /// The sources that a statement's words stand in, each once.
    #[must_use]
    pub fn sources_of<'a>(
        &'a self,
        evidence: &'a [Evidence],
    ) -> Vec<(&'a str, Option<&'a SourceArchived>)> {
        let mut found: Vec<(&str, Option<&SourceArchived>)> = Vec::new();
        for passage in evidence {
            let id = passage.source.as_str();
            let words = passage.establishes().any(|what| what == Establishes::Words);
            if words && found.iter().all(|(known, _)| *known != id) {
                found.push((id, self.sources.get(id)));
            }
        }
        found
    }
}
