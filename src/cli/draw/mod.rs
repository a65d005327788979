//! Drawing answers for people: tables, timelines, two positions side by side.
//!
//! Pure: from an answer, and the [`Background`] of what it names, to text. Labels are those of
//! the specification; every figure is the answer's own. What programs read is `--json`, not
//! this.

mod audited;
mod background;
mod canvas;
mod checkpoint;
mod comparison;
mod csv;
mod foot;
mod lanes;
mod ledger;
mod list;
mod overview;
mod position;
mod projection;
mod report;
mod statement;
mod svg;
mod svg_comparison;
mod svg_timeline;
#[cfg(test)]
mod tests;
mod text;
mod timeline;
mod watch;
mod words;

pub use audited::audited;
pub use background::Background;
pub use canvas::{Canvas, Sheet, Tint, cell, clean};
pub use comparison::{
    Sides, comparison, kind_line, kind_tint, position_line, side_by_side, verdict,
};
pub use csv::timeline_csv;
pub use foot::{basis, caveat};
pub use lanes::{Lane, timelines};
pub use ledger::{describe, entries, entry, entry_line, status};
pub use list::{actors, mandates, milestones, sources, statements, topics, verifiers};
pub use overview::{
    agreement, changes, coverage, divergences, positions, references, reversals, testimonies,
};
pub use position::{LISTED_MAX, position, position_body, title};
pub use projection::{projections, rebuilt, verified};
pub use report::{not_proven, report};
pub use statement::{in_brief, reading};
pub use svg_comparison::comparison_svg;
pub use svg_timeline::timeline_svg;
pub use text::{found, text};
pub use timeline::{steps, timeline};
pub use watch::change;
