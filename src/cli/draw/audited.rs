//! What an audit has found, for people: a line a check, then what is wrong with entries.

use super::canvas::{Canvas, Sheet, Tint};
use crate::audit::remote::{Outcome, Report};

/// The width of a verdict and of what it is about, with the blanks after them.
const LEAD_WIDTH: usize = 31;

/// Draws a report on the archive at `url`; `read` are the answers that were read, and their bytes.
#[must_use]
pub fn audited(
    canvas: Canvas,
    url: &str,
    report: &Report,
    read: (u64, u64),
    holds: bool,
) -> String {
    let mut sheet = Sheet::new(canvas);
    for line in &report.checks {
        let (mark, tint) = match line.outcome {
            Outcome::Holds => ("yes", Tint::For),
            Outcome::Fails => ("NO", Tint::Against),
            Outcome::Unchecked => ("?", Tint::Between),
        };
        let mark = canvas.paint(tint, &format!("  {mark:<4}"));
        let lead = format!("{mark}{:<25}", line.check);
        sheet.hanging(&lead, LEAD_WIDTH, Tint::Plain, &line.says);
    }
    let lists = [
        (&report.findings, report.findings_count),
        (&report.unjudged, report.unjudged_count),
    ];
    for (told, count) in lists {
        for finding in told {
            sheet.hanging("  - ", 4, Tint::Plain, finding);
        }
        if let Some(more @ 1..) = count.checked_sub(told.len() as u64) {
            sheet.hanging("  - ", 4, Tint::Plain, &format!("and {more} more"));
        }
    }
    if !holds {
        let signed = [
            ("signed before", &report.remembered),
            ("shown by it", &report.checkpoint),
        ];
        for (which, signed) in signed {
            let Some(signed) = signed else { continue };
            sheet.gap();
            sheet.paragraph(0, Tint::Strong, which);
            for line in signed.note.lines() {
                sheet.line(&super::clean(line));
            }
        }
        sheet.gap();
    }
    let (verdict, tint) = if holds {
        ("yes", Tint::For)
    } else {
        ("NO", Tint::Against)
    };
    let more = match report.unchecked() {
        0 => String::new(),
        1 => ", but for one check that could not be made".to_owned(),
        unchecked => format!(", but for {unchecked} checks that could not be made"),
    };
    let (origin, (answers, bytes)) = (&report.origin, read);
    let says = format!("{origin} at {url}: {verdict}{more} ({answers} answers, {bytes} bytes)");
    sheet.paragraph(0, tint, &says);
    sheet.finish()
}
