//! From archived bytes to a text that can be quoted, and from a quotation to its place in it.
//!
//! Two things are defined here, each to the letter, because records rest on them for good:
//! an **extraction profile** ([`Profile`]) turns a source's bytes into one normalised text,
//! and **matching** ([`SearchText::select`]) finds the segments of a quotation in that text.
//!
//! **Invariant**: both are pure functions. The same bytes, media type and profile give the
//! same text, hence the same text id, on every machine and in every later release; the same
//! text and segments give the same selection or the same refusal. A profile never changes:
//! what would give another text is another profile. All of it takes time linear in its input.
//!
//! It is not a search engine: nothing is found approximately. Passages that resemble a
//! segment are only ever shown to explain a refusal.
//!
//! Standards: WHATWG HTML (tokens, `meta`), Encoding (labels, decoding) and MIME Sniffing
//! (media types), Unicode (`White_Space`, line breaks of UAX #14, NFC of UAX #15), W3C Web
//! Annotation (`TextQuoteSelector`, `TextPositionSelector`).

mod charset;
mod html;
mod nearest;
mod normal;
mod plain;
mod profile;
mod quote;
mod runs;
mod search;

pub use nearest::{PASSAGE_CHARS_MAX, PASSAGES_MAX, Unlike};
pub use normal::normalise;
pub use profile::{ExtractError, Extracted, Profile, TEXT_BYTES_MAX, UnknownProfile};
pub use quote::{
    Found, OMISSION, PLACES_MAX, Part, Place, QuoteError, Segment, Selection, says_the_same,
};
pub use search::{Passage, SearchText};
