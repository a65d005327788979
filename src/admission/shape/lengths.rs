//! How long the texts of a record may be, in code points, of at most four bytes each.
//!
//! What is quoted and what is stated (a statement's text, the exact words of a segment) have no
//! bound but the record's own. All else is told again in answers that hold many records, each of
//! which has to stay below the 4 MiB that gRPC clients take by default.

/// A text of one line: a name, a title, a venue, a verdict. The longest official names of bodies
/// and the longest headlines have some 250.
pub const LINE_MAX: usize = 500;

/// What a stance depends on, in one clause. A reading has at most 8, and every testimony of an
/// answer repeats them: `8 × 4 × 300` are 9.6 KB. A testimony about which coders disagree has 17
/// readings at most, 200 KB, so that the three which decide a position, precede it or evade it
/// always fit into the 1.5 MiB that a position has, and leave room for 70 others of one reading.
pub const CONDITION_MAX: usize = 300;

/// A proposition: one sentence that one can support or oppose.
pub const PROPOSITION_MAX: usize = 1_000;

/// What stands before or after a passage, to tell it from others: a few sentences.
pub const CONTEXT_MAX: usize = 1_000;

/// Why something was done, by whose authority, or what something is: a long paragraph.
pub const PARAGRAPH_MAX: usize = 2_000;

/// A URL: as long as servers commonly take a request's line (8 KiB).
pub const URL_MAX: usize = 8_000;

/// A note for coders, or a rationale: some four printed pages.
pub const NOTE_MAX: usize = 10_000;
