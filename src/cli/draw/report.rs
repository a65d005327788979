//! What an offline check found, line by line.

use super::canvas::{Canvas, Sheet, Tint};
use crate::bundle::{Outcome, Report};

/// The width of a verdict and of what it is about, with the blanks after them.
const LEAD_WIDTH: usize = 18;

/// Draws a report on a file; `holds` is what it comes to.
#[must_use]
pub fn report(canvas: Canvas, file: &str, report: &Report, holds: bool) -> String {
    let mut sheet = Sheet::new(canvas);
    for line in &report.lines {
        let (mark, tint) = match &line.outcome {
            Outcome::Yes(_) => ("yes", Tint::For),
            Outcome::No(_) => ("NO", Tint::Against),
            Outcome::Unchecked(_) => ("?", Tint::Between),
        };
        let mark = canvas.paint(tint, &format!("  {mark:<4}"));
        let lead = format!("{mark}{:<12}", line.check.name());
        let entry = line.entry.map(|index| format!("entry {index}: "));
        let text = format!("{}{}", entry.unwrap_or_default(), line.outcome);
        sheet.hanging(&lead, LEAD_WIDTH, Tint::Plain, &text);
    }
    let (verdict, tint) = if holds {
        ("yes", Tint::For)
    } else {
        ("NO", Tint::Against)
    };
    let more = match report.unchecked() {
        0 => String::new(),
        1 => ", but for one thing that could not be checked".to_owned(),
        unchecked => format!(", but for {unchecked} things that could not be checked"),
    };
    sheet.paragraph(0, tint, &format!("{file}: {verdict}{more}"));
    sheet.finish()
}

/// Draws what no file proves, though it holds.
#[must_use]
pub fn not_proven(canvas: Canvas, not_proven: &[&str]) -> String {
    let mut sheet = Sheet::new(canvas);
    sheet.paragraph(0, Tint::Faint, "A yes does not say");
    for one in not_proven {
        sheet.hanging("  - ", 4, Tint::Faint, one);
    }
    sheet.finish()
}
