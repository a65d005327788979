//! What bears on positions: for every actor and topic the readings to be heard, with what is
//! needed to weigh them. The weighing itself is [`crate::position`]'s.
//!
//! A reading bears on its holder, and if that is the speaker, on each organisation that the
//! statement was said for. Under each of these stands one row, which holds all that the rules
//! ask of the statement, so that a question reads the rows of its own actor and topic and no
//! others. A row stands from the entry that opened it to the one that closed it:
//!
//! - A correction closes the rows of the version that it replaces and opens its own, at the
//!   corrected date. Coders' readings stay, and are reopened under the new version.
//! - A retraction closes all rows of the statement.
//! - Of several readings of one statement, topic and holder the newest by ledger index stands,
//!   whoever gave it; readings that a version brings count as given at its index. A coder's
//!   reading that a correction outdated stands again when a later correction drops what
//!   outdated it.
//!
//! `said_at`, where a statement leaves it out, is "at some time up to" the smallest of the
//! `published_at` of the sources that give its words; if none of them has one, up to the
//! earliest capture; as these sources are on record at that version's entry.
//!
//! Mandates and the relation of parts to wholes stand in tables of their own: which mandates
//! and parts there are is decided at the question's K, not when the statement came in.

mod authority;
mod dates;
mod definitions;
mod fold;
mod question;
mod reading;
mod standing;
#[cfg(test)]
mod tests;

pub use fold::PositionsFold;
pub use question::{Collected, Detail, actors_on, collect, speaks_for};

use super::rows::Table;

/// Actor, topic, statement, version, reading, place: what bears on the actor and topic.
const READINGS: Table = table(b'r', "readings");
/// Statement id: its version that stands. Read by the fold alone.
const STATEMENTS: Table = table(b's', "statements");
/// Statement id, topic, holder: the newest reading by a coder. Read by the fold alone.
const CODED: Table = table(b'c', "coded");
/// Source id: the dates of its newest version. Read by the fold alone.
const SOURCES: Table = table(b'd', "sources");
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

const fn table(byte: u8, name: &'static str) -> Table {
    Table { byte, name }
}
