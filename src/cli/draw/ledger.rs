//! Entries of the ledger, and how the daemon is.

use data_encoding::HEXLOWER;

use super::canvas::{Canvas, Sheet, Tint, cell};
use super::words::{Label as _, short, time};
use super::{checkpoint, projection};
use crate::admission::kind_name;
use crate::record::proto::record::Kind;
use crate::record::proto::review_published::Target;
use crate::record::proto::statement::Voice;
use crate::record::proto::{
    LocalizedName, MandateGranted, Record, ReviewPublished, SourceArchived, Statement,
    WithholdingScope,
};
use crate::rpc::proto::{GetStatusResponse, LedgerEntry};

/// The most characters of a statement that a list shows.
const SHOWN_CHARS_MAX: usize = 120;

/// The width of an index in a list that goes on.
const INDEX_WIDTH: usize = 8;

/// The width of a kind in a list that goes on: that of the longest name.
const KIND_WIDTH: usize = 18;

/// Draws entries as a list.
#[must_use]
pub fn entries(canvas: Canvas, entries: &[LedgerEntry]) -> String {
    let mut sheet = Sheet::new(canvas);
    let mut table = canvas.listed();
    table.set_header(
        ["index", "recorded at", "kind", "what"].map(|title| cell(Tint::Strong, title)),
    );
    for entry in entries {
        let (kind, what) = entry.record.as_ref().map_or(("?", String::new()), describe);
        table.add_row([
            cell(Tint::Strong, &entry.index.to_string()),
            cell(Tint::Faint, &time(entry.recorded_at)),
            cell(Tint::Plain, kind),
            cell(Tint::Plain, &what),
        ]);
    }
    sheet.table(&table);
    sheet.finish()
}

/// Draws one entry as a line of a list that goes on.
#[must_use]
pub fn entry_line(canvas: Canvas, entry: &LedgerEntry) -> String {
    let (kind, what) = entry.record.as_ref().map_or(("?", String::new()), describe);
    let what = what.replace('\n', " ");
    format!(
        "{}  {}  {}  {}",
        canvas.paint(Tint::Strong, &format!("{:>INDEX_WIDTH$}", entry.index)),
        canvas.paint(Tint::Faint, &time(entry.recorded_at)),
        canvas.paint(Tint::Plain, &format!("{kind:KIND_WIDTH$}")),
        canvas.paint(Tint::Plain, &what)
    )
}

/// Draws one entry whole; `record` is its record as JSON.
#[must_use]
pub fn entry(canvas: Canvas, entry: &LedgerEntry, record: &str) -> String {
    let mut sheet = Sheet::new(canvas);
    let kind = entry
        .record
        .as_ref()
        .map_or("?", |record| describe(record).0);
    sheet.heading(&format!("entry {}: {kind}", entry.index));
    sheet.field("record id", Tint::Plain, &entry.record_id);
    sheet.field("recorded at", Tint::Plain, &time(entry.recorded_at));
    for verifier in &entry.verifiers {
        sheet.field("signed by", Tint::Plain, verifier);
    }
    sheet.gap();
    for line in record.lines() {
        sheet.line(&canvas.paint(Tint::Plain, line));
    }
    sheet.finish()
}

/// The kind of a record by its protobuf-JSON name, and what it says in a few words.
#[must_use]
pub fn describe(record: &Record) -> (&'static str, String) {
    let Some(kind) = &record.kind else {
        return ("?", String::new());
    };
    (kind_name(kind), what(record, kind))
}

/// What a record says, in a few words.
fn what(record: &Record, kind: &Kind) -> String {
    match kind {
        Kind::ArchiveFounded(it) => match it.verifiers.len() {
            1 => format!("{}, 1 verifier", record.origin),
            several => format!("{}, {several} verifiers", record.origin),
        },
        Kind::VerifierEnrolled(it) => it.name.clone(),
        Kind::VerifierRevoked(it) => it.reason.clone(),
        Kind::PolicySet(it) => format!("{} attestations a statement", it.attestations_min),
        Kind::CheckpointKeySet(it) => it.checkpoint_key.clone(),
        Kind::WitnessPolicySet(it) => {
            format!("{} of {} witnesses", it.quorum, it.witness_keys.len())
        }
        Kind::ActorDefined(it) => {
            let (name, kind) = (name(&it.names), it.kind().label());
            format!("{}: {name} ({kind})", it.actor_id)
        }
        Kind::MandateGranted(it) => mandate(it),
        Kind::MandateEnded(it) => format!("{}, {}", it.mandate_id, it.end),
        Kind::TopicDefined(it) => format!("{}: {}", it.topic_id, it.proposition),
        Kind::MilestoneDefined(it) => format!("{}, {}: {}", it.milestone_id, it.date, it.title),
        Kind::SourceArchived(it) => source(it),
        Kind::SourceWithheld(it) => format!(
            "{}, {}: {} ({})",
            short(&it.source),
            scope(it.scope()),
            it.reason,
            it.authority
        ),
        Kind::SourceRead(it) => {
            let part = if it.whole { "whole" } else { "in part" };
            format!("{}, {part}: {}", short(&it.source), it.topics.join(", "))
        }
        Kind::StatementRecorded(it) => statement(it),
        Kind::EvidenceAdded(it) => {
            format!("{}: {} passages", short(&it.statement), it.evidence.len())
        }
        Kind::ReadingAdded(it) => about(&it.statement, &it.rationale),
        Kind::StatementCorrected(it) => about(&it.statement, &it.reason),
        Kind::StatementRetracted(it) => about(&it.statement, &it.reason),
        Kind::AttestationAdded(it) => {
            format!("{}: {} signatures", short(&it.record), it.verifiers.len())
        }
        Kind::ReviewPublished(it) => {
            format!("{}: {} ({})", it.publisher, it.verdict, reviewed(it))
        }
    }
}

const fn scope(scope: WithholdingScope) -> &'static str {
    match scope {
        WithholdingScope::Unspecified => "?",
        WithholdingScope::Bytes => "bytes",
        WithholdingScope::BytesAndText => "bytes and text",
    }
}

fn reviewed(review: &ReviewPublished) -> &str {
    match &review.target {
        Some(Target::Statement(id) | Target::Source(id)) => short(id),
        Some(Target::Milestone(slug)) => slug,
        None => "?",
    }
}

/// What is said about a statement, and about which.
fn about(statement: &str, said: &str) -> String {
    match said {
        "" => short(statement).to_owned(),
        said => format!("{}: {said}", short(statement)),
    }
}

pub(super) fn name(names: &[LocalizedName]) -> &str {
    let english = names.iter().find(|name| name.language == "en");
    let name = english.or_else(|| names.first());
    name.map_or("", |name| name.name.as_str())
}

fn mandate(mandate: &MandateGranted) -> String {
    format!(
        "{} for {} ({}), {}",
        mandate.person,
        mandate.organization,
        mandate.authority().label(),
        mandate.role_title
    )
}

fn source(source: &SourceArchived) -> String {
    let names = [&source.title, &source.url];
    let called = names.into_iter().find(|name| !name.is_empty());
    let called = called.map_or_else(String::new, |name| format!(" {name}"));
    format!(
        "{}{called} ({}, {} bytes)",
        short(&source.source),
        source.media_type,
        source.size_bytes
    )
}

/// A statement in a list: its text cut short, and never in quotation marks.
fn statement(statement: &Statement) -> String {
    let text = shortened(&statement.text);
    format!("{}, {}: {text}", who(statement), statement.said_at)
}

/// Who said something: the speaker's slug, or what the source says of them.
pub(super) fn who(statement: &Statement) -> &str {
    match &statement.voice {
        Some(Voice::Speaker(speaker)) => speaker,
        Some(Voice::Anonymous(anonymous)) => &anonymous.description,
        None => "?",
    }
}

/// As much of a text as a list shows.
pub(super) fn shortened(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// Draws how the daemon is.
#[must_use]
pub fn status(canvas: Canvas, server: &str, status: &GetStatusResponse) -> String {
    let mut sheet = Sheet::new(canvas);
    sheet.heading(&status.origin);
    sheet.field(
        "daemon",
        Tint::Plain,
        &format!("{} at {server}", status.release),
    );
    if let Some(uptime) = &status.uptime {
        sheet.field("running for", Tint::Plain, &duration(uptime.seconds));
    }
    let checkpoints = status.checkpoints.as_ref();
    if status.poisoned.is_empty() {
        sheet.field("ledger", Tint::For, "takes records");
    } else if checkpoints.is_some_and(|it| it.not_signing == status.poisoned) {
        let text = "takes no records: what was signed may not be continued";
        sheet.field("ledger", Tint::Against, text);
    } else {
        let text = format!("takes no more records: {}", status.poisoned);
        sheet.field("ledger", Tint::Against, &text);
    }
    if let Some(head) = &status.head {
        sheet.field("entries", Tint::Plain, &head.size.to_string());
        sheet.field("root", Tint::Plain, &HEXLOWER.encode(&head.root));
        if head.recorded_at.is_some() {
            sheet.field("newest", Tint::Plain, &time(head.recorded_at));
        }
    }
    if let Some(checkpoints) = &status.checkpoints {
        checkpoint::section(&mut sheet, checkpoints);
    }
    if !status.projections.is_empty() {
        sheet.gap();
        let size = status.head.as_ref().map_or(0, |head| head.size);
        projection::table(&mut sheet, &status.projections, size);
    }
    sheet.finish()
}

fn duration(seconds: i64) -> String {
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let (days, hours) = (hours / 24, hours % 24);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, minutes) => format!("{minutes} min {seconds} s"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
