//! What can be put on record.

mod canonical;
mod date;
mod entry;
pub mod envelope;
mod id;
mod instant;
mod interval;
mod kind;
pub mod near;
pub mod proto;
mod reading;
mod shown;
mod subject;
mod told;

pub use canonical::{MalformedRecord, decode};
pub use date::{Date, DateError, format_instant};
pub use entry::{ENTRY_BYTES_MAX, Entry, EntryError};
pub use envelope::{KeyError, SigningKey, VerifierKey};
pub use id::{ContentId, IdError, Slug};
pub use instant::Micros;
pub use interval::{Cover, Interval, Term};
pub use kind::{RecordKind, UnknownKind};
pub use reading::{Basis, Condition, ConditionKind, Engagement, Polarity, Stance, Strength};
pub use shown::quoted;
pub use subject::{EntryFilter, Subject, subjects};
