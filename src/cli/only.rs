//! Which entries a command shows: the conditions that `read` and `tail` share.

use clap::Args;

use crate::rpc::proto::EntryFilter;

/// Which entries; all conditions given must hold.
#[derive(Args, Clone, Debug)]
pub(super) struct Only {
    /// Only records of this kind, such as `statementRecorded`; may be given several times.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// Only what bears on this actor.
    #[arg(
        long,
        value_name = "ACTOR",
        default_value = "",
        hide_default_value = true
    )]
    actor: String,
    /// Only what bears on this topic.
    #[arg(
        long,
        value_name = "TOPIC",
        default_value = "",
        hide_default_value = true
    )]
    topic: String,
    /// Only what is about this statement.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    statement: String,
    /// Only what rests on this source.
    #[arg(long, value_name = "ID", default_value = "", hide_default_value = true)]
    source: String,
    /// Only what this verifier signed.
    #[arg(
        long,
        value_name = "KEY",
        default_value = "",
        hide_default_value = true
    )]
    verifier: String,
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
            actor,
            topic,
            statement,
            source,
            verifier,
        }
    }
}
