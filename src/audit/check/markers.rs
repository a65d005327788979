//! The small files that say what a data directory is: `FORMAT`, `HEAD`, `RESTORED`.

use super::report::{Part, Report};
use crate::storage::{ExaminedDir, Head};

/// Checks the markers; the head that was noted, where it can be read.
pub(super) fn check(dir: &ExaminedDir, report: &mut Report) -> Option<Head> {
    let mut format = Part::new("FORMAT");
    match dir.check_format() {
        Ok(()) => "this release reads it".clone_into(&mut format.looked_at),
        Err(error) => format.find(&error),
    }
    report.add(format);

    let mut head = Part::new("HEAD");
    let noted = match dir.read_head() {
        Ok(Some(noted)) => {
            head.looked_at = format!("{} entries", noted.size);
            Some(noted)
        }
        Ok(None) => {
            head.find(&"it is missing, so that nothing tells whether the ledger has lost its end");
            None
        }
        Err(error) => {
            head.find(&error);
            None
        }
    };
    report.add(head);

    if dir.is_restored() {
        let mut restored = Part::new("RESTORED");
        "it came from elsewhere: no checkpoint is signed before it is told which one it continues from"
            .clone_into(&mut restored.looked_at);
        report.add(restored);
    }
    noted
}
