//! The ledger: the append-only sequence of entries, the only truth of an archive.
//!
//! [`Ledger::open`] recovers what the disk holds and refuses to show a history that lost
//! entries. A [`Reader`] reads up to the newest durable head and waits for more.
//! [`Ledger::start`] gives an [`Appender`], which takes envelopes and answers once they are on
//! record, and the [`Sequencer`] that ends it all cleanly.
//!
//! The invariant of the room: entry *i* was admitted by the entries below *i*; its frame was
//! synced before anybody was told of it; and every frame names the one before and the RFC 6962
//! root over all entries so far. It does not know what an entry says beyond what admission
//! tells it, and it signs nothing.
//!
//! - [`frame`]: entries that commit together, as bytes
//! - `chain`: frames one after the other, past those that are damaged
//! - `tail`: where the next frame goes, and whether it follows the one before
//! - `recovery`, `open_error`: the story of a restart, and why there is none
//! - `reader`, `kept`: reading, and waiting for more
//! - `intake`: the queue, and the pure part of admission
//! - `threads`: starting them all, and ending them
//! - `sequencer`, `draft`, `job`: order, judgement, durability, answers
//! - `state`: what admission judges by
//! - `head`: `HEAD`, beside the database
//! - `clock`, `settled`: when the time is not to be trusted, and when it is past for good
//! - `poison`: why no more is taken

mod chain;
mod clock;
mod draft;
pub mod frame;
mod head;
mod intake;
mod job;
mod kept;
mod open_error;
mod outcome;
mod poison;
mod reader;
mod recovery;
mod sequencer;
mod settled;
mod state;
mod tail;
mod threads;

pub use chain::Chain;
pub use clock::{Clock, DRIFT_MAX, SystemClock};
pub use head::HeadFile;
pub use intake::{Appender, Randomness, Submitted};
pub use open_error::OpenError;
pub use outcome::{AppendError, Outcome};
pub use poison::Poisoned;
pub use reader::{DecodedFrame, Head, ReadError, Reader};
pub use recovery::{AdmissionRecovery, Ledger, Parts, Recovery, compare_with_head, verify_chain};
pub use state::{AdmissionState, AdmissionTables};
pub use tail::BrokenLink;
pub use threads::{Sequencer, Settings, StartError, Surroundings};

#[cfg(test)]
mod tests;
