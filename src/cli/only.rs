//! Which entries a command shows: the conditions that `read` and `tail` share.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use crate::rpc::proto::EntryFilter;

/// Which entries; all conditions given must hold.
#[derive(Args, Clone, Debug)]
pub(super) struct Only {
    /// Only records of this kind, such as `statementRecorded`; may be given several times.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Only what bears on this actor.
    #[arg(long, value_name = "ACTOR", value_parser = NonEmptyStringValueParser::new())]
    actor: Option<String>,
    /// Only what bears on this topic.
    #[arg(long, value_name = "TOPIC", value_parser = NonEmptyStringValueParser::new())]
    topic: Option<String>,
    /// Only what is about this statement.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    statement: Option<String>,
    /// Only what rests on this source.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    source: Option<String>,
    /// Only what this verifier signed.
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    verifier: Option<String>,
}

/// A kind as the ledger's methods take it: `statement_recorded`. It is printed as records write
/// it.
fn kind(text: &str) -> String {
    let mut kind = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_uppercase() && kind.ends_with(|last: char| last.is_ascii_lowercase()) {
            kind.push('_');
        }
        kind.push(letter);
    }
    kind.to_ascii_lowercase()
}

impl Only {
    /// The filter that these conditions make.
    pub(super) fn filter(&self) -> EntryFilter {
        let Self {
            kinds,
            actor,
            topic,
            statement,
            source,
            verifier,
        } = self.clone();
        EntryFilter {
            kinds: kinds.iter().map(|it| kind(it)).collect(),
            actor: actor.unwrap_or_default(),
            topic: topic.unwrap_or_default(),
            statement: statement.unwrap_or_default(),
            source: source.unwrap_or_default(),
            verifier: verifier.unwrap_or_default(),
        }
    }
}
