//! Projections: how they are, and what came of work on them.

use super::canvas::{Canvas, Sheet, Tint, cell};
use super::words::short;
use crate::rpc::proto::{ProjectionStatus, VerifyProjectionResponse};

/// Draws projections, of a ledger of `size` entries.
#[must_use]
pub fn projections(canvas: Canvas, projections: &[ProjectionStatus], size: u64) -> String {
    let mut sheet = Sheet::new(canvas);
    table(&mut sheet, projections, size);
    sheet.finish()
}

/// Adds a table of projections, of a ledger of `size` entries.
pub(super) fn table(sheet: &mut Sheet, projections: &[ProjectionStatus], size: u64) {
    let mut table = sheet.canvas().listed();
    let titles = ["projection", "version", "has read", "digest", "state"];
    table.set_header(titles.map(|title| cell(Tint::Strong, title)));
    for projection in projections {
        let (tint, state) = state(projection, size);
        table.add_row([
            cell(Tint::Plain, &projection.name),
            cell(Tint::Plain, &projection.version.to_string()),
            cell(Tint::Plain, &read(projection).to_string()),
            cell(Tint::Faint, short(&projection.digest)),
            cell(tint, &state),
        ]);
    }
    sheet.table(&table);
}

fn state(projection: &ProjectionStatus, size: u64) -> (Tint, String) {
    if !projection.failed.is_empty() {
        return (Tint::Against, format!("stopped: {}", projection.failed));
    }
    if let Some(build) = &projection.building {
        let text = format!(
            "version {} is being built: {} of {}",
            build.version, build.done, build.total
        );
        return (Tint::Between, text);
    }
    match size.saturating_sub(read(projection)) {
        0 => (Tint::For, "up to date".to_owned()),
        behind => (Tint::Between, format!("{behind} behind")),
    }
}

fn read(projection: &ProjectionStatus) -> u64 {
    projection.cursor.as_ref().map_or(0, |cursor| cursor.size)
}

/// Draws a projection that was rebuilt.
#[must_use]
pub fn rebuilt(canvas: Canvas, projection: &ProjectionStatus) -> String {
    let mut sheet = Sheet::new(canvas);
    let text = format!("{} was rebuilt and answers", projection.name);
    sheet.field("projection", Tint::For, &text);
    state_of(&mut sheet, projection);
    sheet.finish()
}

/// Draws what a verification found.
#[must_use]
pub fn verified(canvas: Canvas, verdict: &VerifyProjectionResponse) -> String {
    let mut sheet = Sheet::new(canvas);
    let stored = verdict.stored.clone().unwrap_or_default();
    let (tint, text) = if verdict.equal {
        (Tint::For, "is what the ledger gives")
    } else {
        (Tint::Against, "is not what the ledger gives")
    };
    sheet.field("projection", tint, &format!("{} {text}", stored.name));
    state_of(&mut sheet, &stored);
    sheet.field("rows compared", Tint::Plain, &verdict.rows.to_string());
    if verdict.replayed_digest != stored.digest {
        sheet.field("by the replay", Tint::Against, &verdict.replayed_digest);
    }
    for difference in &verdict.differences {
        sheet.field("differs", Tint::Against, difference);
    }
    if verdict.cut_short {
        sheet.field("", Tint::Faint, "what lies behind was not compared");
    }
    if !verdict.equal {
        let mend = format!("onrecord rebuild {}", stored.name);
        sheet.field("mend it", Tint::Plain, &mend);
    }
    sheet.finish()
}

fn state_of(sheet: &mut Sheet, projection: &ProjectionStatus) {
    sheet.field("version", Tint::Plain, &projection.version.to_string());
    sheet.field("has read", Tint::Plain, &read(projection).to_string());
    sheet.field("digest", Tint::Plain, &projection.digest);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rpc::proto::{Head, ProjectionBuild};

    const CANVAS: Canvas = Canvas {
        width: 90,
        colour: false,
    };

    fn projection() -> ProjectionStatus {
        ProjectionStatus {
            name: "catalog".to_owned(),
            version: 2,
            cursor: Some(Head {
                size: 40,
                ..Head::default()
            }),
            digest: "77".repeat(32),
            ..ProjectionStatus::default()
        }
    }

    #[test]
    fn each_projection_is_shown_with_how_it_is() {
        let building = ProjectionStatus {
            name: "positions".to_owned(),
            version: 1,
            building: Some(ProjectionBuild {
                version: 2,
                done: 10,
                total: 44,
            }),
            ..projection()
        };
        let failed = ProjectionStatus {
            name: "statements".to_owned(),
            failed: "entry 41: a row does not decode".to_owned(),
            ..projection()
        };
        let drawn = projections(CANVAS, &[projection(), building, failed], 44);
        insta::assert_snapshot!(drawn, @r"
         projection   version   has read   digest         state
        ─────────────────────────────────────────────────────────────────────────────────────
         catalog      2         40         777777777777   4 behind
         positions    1         40         777777777777   version 2 is being built: 10 of 44
         statements   2         40         777777777777   stopped: entry 41: a row does not
                                                          decode
        ");
    }

    #[test]
    fn a_verdict_names_what_differs_and_how_to_mend_it() {
        let equal = VerifyProjectionResponse {
            equal: true,
            rows: 120,
            stored: Some(projection()),
            replayed_digest: projection().digest,
            ..VerifyProjectionResponse::default()
        };
        insta::assert_snapshot!(verified(CANVAS, &equal), @r"
        projection      catalog is what the ledger gives
        version         2
        has read        40
        digest          7777777777777777777777777777777777777777777777777777777777777777
        rows compared   120
        ");
        let other = VerifyProjectionResponse {
            equal: false,
            replayed_digest: "88".repeat(32),
            differences: vec!["row a/kremlin/17 (key 61) is not stored".to_owned()],
            cut_short: true,
            ..equal
        };
        insta::assert_snapshot!(verified(CANVAS, &other), @r"
        projection      catalog is not what the ledger gives
        version         2
        has read        40
        digest          7777777777777777777777777777777777777777777777777777777777777777
        rows compared   120
        by the replay   8888888888888888888888888888888888888888888888888888888888888888
        differs         row a/kremlin/17 (key 61) is not stored
                        what lies behind was not compared
        mend it         onrecord rebuild catalog
        ");
        insta::assert_snapshot!(rebuilt(CANVAS, &projection()), @r"
        projection      catalog was rebuilt and answers
        version         2
        has read        40
        digest          7777777777777777777777777777777777777777777777777777777777777777
        ");
    }
}
