//! Checkpoints and witnesses, as `onrecord status` shows them.

use super::canvas::{Sheet, Tint, cell};
use super::words::time;
use crate::rpc::proto::{CheckpointStatus, WitnessStatus};

/// Adds how checkpoints are, and a table of the witnesses.
pub(super) fn section(sheet: &mut Sheet, status: &CheckpointStatus) {
    if !status.not_signing.is_empty() {
        let text = format!("not signed: {}", status.not_signing);
        sheet.field("checkpoints", Tint::Against, &text);
    } else if status.size == 0 {
        sheet.field("checkpoints", Tint::Between, "none signed yet");
    }
    if status.size > 0 {
        let text = format!("{} entries, signed {}", status.size, time(status.signed_at));
        sheet.field("checkpoint", Tint::Plain, &text);
    }
    for key in &status.keys {
        sheet.field_to_copy("verify with", Tint::Faint, key);
    }
    let (tint, text) = quorum(status);
    if status.quorum > 0 {
        sheet.field("witnessed", tint, &text);
    }
    if !status.clocks_differ.is_empty() {
        sheet.field("?", Tint::Between, &status.clocks_differ);
    }
    if !status.witnesses.is_empty() {
        sheet.gap();
        witnesses(sheet, &status.witnesses);
    }
}

fn quorum(status: &CheckpointStatus) -> (Tint, String) {
    let quorum = status.quorum;
    if status.witnessed_size == 0 {
        return (
            Tint::Against,
            format!("no checkpoint by a quorum of {quorum}"),
        );
    }
    let text = format!(
        "{} entries, by a quorum of {quorum}, before {}",
        status.witnessed_size,
        time(status.witnessed_at)
    );
    let is_newest = status.witnessed_size == status.size;
    (if is_newest { Tint::For } else { Tint::Between }, text)
}

fn witnesses(sheet: &mut Sheet, witnesses: &[WitnessStatus]) {
    let mut table = sheet.canvas().listed();
    let titles = ["witness", "has seen", "cosigned", "state"];
    table.set_header(titles.map(|title| cell(Tint::Strong, title)));
    for witness in witnesses {
        let (tint, state) = state(witness);
        let cosigned = witness.cosigned_at.map_or_else(
            || "never in this run".to_owned(),
            |cosigned| time(Some(cosigned)),
        );
        table.add_row([
            cell(Tint::Plain, name(&witness.key)),
            cell(Tint::Plain, &witness.size.to_string()),
            cell(Tint::Faint, &cosigned),
            cell(tint, state),
        ]);
    }
    sheet.table(&table);
}

/// What stands before the key id.
fn name(key: &str) -> &str {
    key.split_once('+').map_or(key, |(name, _)| name)
}

fn state(witness: &WitnessStatus) -> (Tint, &str) {
    if !witness.error.is_empty() {
        return (Tint::Against, &witness.error);
    }
    match (witness.named, witness.url.is_empty(), &witness.cosigned_at) {
        (false, ..) => (
            Tint::Between,
            "the archive does not name it; it is not asked",
        ),
        (true, true, _) => (Tint::Against, "the settings say no URL of it"),
        (true, false, Some(_)) => (Tint::For, "cosigns"),
        (true, false, None) => (Tint::Between, "has not answered yet"),
    }
}
