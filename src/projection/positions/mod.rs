//! What bears on positions: for every actor and topic the statements to be heard, with what is
//! needed to read and weigh them. The weighing itself is [`crate::position`]'s.
//!
//! A reading bears on its holder, and if that is the speaker, on each organisation that the
//! statement was said for. Under each of these pairs of actor and topic lies the history of the
//! statement: one row for every entry that did something to it, written once and never changed.
//! What stands at K follows from the rows of entries below K alone, and from whose signatures
//! are trusted there; so the tables only ever grow, and an answer at K stays the same.
//!
//! - `history.rs` says what entries do to a statement, and where that is kept.
//! - `hearing.rs` is pure: which version stands, who vouches, what most coders read.
//! - `standing.rs` tells how a statement stands, for others who tell of it.
//! - `terms.rs` is what a reader may ask for: whose reading, and which statements to trust.
//! - `question.rs` collects what bears on a question, by those terms: all of it.
//! - `answer.rs` asks for the position at one date: in a long history `index` finds the few
//!   statements that make it, and of a short one all is read (`pair_rows.rs`).
//! - `bearing.rs` names the entries that an answer rests on.
//! - `subjects.rs` walks over the questions that there are on a topic, or about an actor.
//! - `between.rs` tells what was recorded between two states of knowledge, `votes.rs` how
//!   coders read.
//! - `touched.rs` says which positions an entry can have changed.
//!
//! `said_at`, where a statement leaves it out, is "at some time up to" the smallest of the
//! `published_at` of the sources that give its words; if none of them has one, up to the
//! earliest capture; as these sources are on record at that version's entry.
//!
//! Mandates and the relation of parts to wholes stand in tables of their own: which mandates
//! and parts there are is decided at the question's K, not when the statement came in.

mod answer;
mod authority;
mod bearing;
mod between;
mod codebooks;
mod definitions;
mod fold;
mod hearing;
mod history;
mod index;
mod pair_rows;
mod question;
mod reading;
mod same;
mod sources;
mod standing;
mod subjects;
mod terms;
#[cfg(test)]
mod tests;
mod touched;
mod verifiers;
mod votes;

pub use answer::{Answer, AtOnce, answer, answer_at_once};
pub use bearing::{asked, entries_about, statements_on};
pub use between::entries_between;
pub use codebooks::codebook;
pub use fold::{PositionsFold, fold, fold_next};
pub use history::Pair;
pub use index::{Exact, Memory, Shape};
pub use question::{Collected, Detail, Subject, actors_on, collect};
pub use standing::{Standing, Standings};
pub use subjects::{Passed, Scope, Subjects, subjects};
pub use terms::{Choice, Filter, Part, SourceFilter, Taken, Terms, verifier_number};
pub use touched::{TouchedScope, touched};
pub use votes::{Votes, votes};

use super::rows::Table;

/// Actor, topic, statement, entry: what the entry did to a statement that bears on both.
const HEARD: Table = table(b'r', "heard");
/// Actor, topic, entry: the statement that the entry came late to.
const LATE: Table = table(b'y', "late");
/// Actor, topic, entry: how the pair stands there.
const SEALS: Table = table(b's', "seals");
/// Entry, number: a page that the entry wrote of the trees that seals name.
const PAGES: Table = table(b'g', "pages");
/// Actor, topic, date, statement: a copy of its row, if lists of answers go looking for it.
const SHOWN: Table = table(b'j', "shown");
/// Statement, entry: what the entry did to it while it bore on nothing. Read by the fold, and
/// for how it stands.
const UNREAD: Table = table(b'h', "unread");
/// Statement: the last of those entries that did something to it later, and the pairs that it
/// bears on, if it has come to bear on more than at first.
const LATEST: Table = table(b'q', "latest");
/// Record id: the statement that it is about, and its entry.
const RECORDS: Table = table(b'i', "records");
/// Source id: its number, and the dates of its newest version. Read by the fold alone.
const SOURCES: Table = table(b'd', "sources");
/// Number of a source, entry: what that version says of it.
const SOURCE_VERSIONS: Table = table(b'e', "source-versions");
/// Actor: its kind and what it is part of.
const ACTORS: Table = table(b'a', "actors");
/// Whole, part, entry: since when, and until when, the one is part of the other.
const PARTS: Table = table(b'p', "parts");
/// Mandate: its version that stands. Read by the fold alone.
const MANDATES: Table = table(b'm', "mandates");
/// Person, organisation, mandate, entry: the terms on which the one speaks for the other.
const VOICES: Table = table(b'v', "voices");
/// Topic, actor: the entry from which on something bears on both.
const TOPICS: Table = table(b't', "topics");
/// Topic: the entry of its newest version. Read by the fold alone.
const NEWEST_CODEBOOKS: Table = table(b'b', "newest-codebooks");
/// Record id of a topic's version: its entry.
const CODEBOOKS: Table = table(b'c', "codebooks");
/// Public key: the number that the verifier goes by in rows.
const VERIFIERS: Table = table(b'k', "verifiers");
/// Number of a verifier: its public key.
const VERIFIER_KEYS: Table = table(b'n', "verifier-keys");
/// Number of a verifier, entry of its revocation: from which entry on what it signed before
/// does not count.
const UNTRUSTED: Table = table(b'u', "untrusted");
/// Nothing: the entry of the first revocation by which signatures do not count, if there is one.
const FIRST_UNTRUSTED: Table = table(b'z', "first-untrusted");
/// Entry: which positions it can have changed.
const TOUCHED: Table = table(b'x', "touched");
/// Actor, topic: how much was done to the pair since its newest seal. There for every pair that
/// something bears on, or once did.
const TALLIES: Table = table(b'l', "tallies");
/// Part, entry: what the entry made it a part of.
const WHOLES: Table = table(b'w', "wholes");
/// How many verifiers must sign a statement. Read by the fold alone.
const POLICY: Table = table(b'o', "policy");

const fn table(byte: u8, name: &'static str) -> Table {
    Table { byte, name }
}
