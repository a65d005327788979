//! Witnesses, after C2SP tlog-witness: each new checkpoint is sent to those that the archive
//! names, and their cosignatures join the note that is published.
//!
//! The invariant: only a cosignature that verifies, of a witness that the ledger names, joins
//! a note; whatever a witness answers, or does not, publishing goes on. What a witness can do is
//! stop the signing: if it has seen more of this archive than was ever signed here.
//!
//! - `transport`: HTTP
//! - `answer`: what an answer says
//! - `round`: who is asked for what, and when
//! - `worker`: asking one witness, again and again

mod answer;
mod round;
mod transport;
mod worker;

pub use round::{Witness, WitnessStatus};
pub use transport::{Answer, HttpWitness, Transport, TransportError, URL_ACCEPTED, check_url};

pub(super) use answer::Refused;
pub(super) use round::{Cosigning, Errand, Todo};
pub(super) use worker::work;
