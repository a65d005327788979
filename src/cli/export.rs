//! `onrecord export claimreview|annotations`: statements on record in the formats of others.
//!
//! The archive as it is at one head: size and root are read first and named in the document,
//! and everything in it is asked for as it was known there. Statements come in the order of the
//! ledger, each as positions hear it: in the version that stands, and not at all once it is
//! retracted or lacks vouchers. What is withheld is left out likewise. At no time is more in memory than a page of entries, a
//! statement, one text and lookups up to a bound.
//!
//! Not a backup: nothing here can be imported again. A document that was cut off does not end,
//! so that no reader takes it for whole; a file appears only once it is.

mod annotation;
mod archive;
mod claim;
mod document;
mod names;
mod snapshot;
mod statement;
mod walk;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use indicatif::ProgressBar;

use super::Server;
use super::error::CliError;
use crate::rpc::proto::Visibility;
use document::Document;
use names::Names;
use snapshot::Snapshot;
use statement::Exported;
use walk::Walk;

/// What every export says of what it holds.
const VERIFIED_MEANS: &str = "On record means: the passage stands in the archived source, and \
    verifiers signed that the source attributes it to this speaker. It does not mean that the \
    speaker used these words, nor that the source tells the truth, nor that nothing else was \
    said.";

/// Statements in other people's formats (schema.org claims, W3C Web Annotations), or the whole
/// archive as a bag.
#[derive(Args, Debug)]
pub struct Export {
    #[command(subcommand)]
    command: ExportCommand,
}

#[derive(Debug, Subcommand)]
enum ExportCommand {
    #[command(name = "claimreview")]
    ClaimReview(ClaimReview),
    Annotations(Annotations),
    Archive(archive::Archive),
}

/// Statements as schema.org Claims, with the reviews of them.
#[derive(Args, Debug)]
#[command(long_about = CLAIM_REVIEW)]
struct ClaimReview {
    /// Only statements that were reviewed.
    #[arg(long)]
    reviewed: bool,
    #[command(flatten)]
    which: Which,
}

const CLAIM_REVIEW: &str = "\
Statements as schema.org Claims, with the reviews of them as ClaimReviews.

One JSON-LD document, a schema.org DataFeed, as aggregators of ClaimReview read them: each line \
between the first and the last holds one statement, that is, its ClaimReviews with the Claim as \
itemReviewed, or the Claim alone where nobody reviewed it. A statement whose wording is VERBATIM \
or TRANSLATED is a Quotation too; what is PARAPHRASED or RETRANSLATED never is. The document \
names the size and root of the ledger that it was made at.

The newest correction stands that a trusted signature is on. Left out are statements that were \
retracted, those that a revocation left without enough vouchers, those that quote or translate \
withheld text alone, and reviews of sources and milestones, which review no claim.";

/// The passages that statements rest on, as W3C Web Annotations.
#[derive(Args, Debug)]
#[command(long_about = ANNOTATIONS)]
struct Annotations {
    #[command(flatten)]
    which: Which,
}

const ANNOTATIONS: &str = "\
The passages that statements rest on, as W3C Web Annotations.

One JSON-LD document, an AnnotationCollection with one page: each line between the first and the \
last holds one annotation, of one piece of evidence that establishes a statement's words. Its \
body is the statement, its targets are the passages: the URL where the source was captured, the \
archived copy and the source id, a TextQuoteSelector, and a TextPositionSelector that counts \
code points of the archived text (`onrecord source text`). The document names the size and root \
of the ledger that it was made at.

The newest correction stands that a trusted signature is on. Left out are statements that were \
retracted, those that a revocation left without enough vouchers, and passages of withheld text.";

/// Which statements, named how, to where.
#[derive(Args, Debug)]
struct Which {
    /// Only what this actor said.
    #[arg(long, value_name = "ACTOR", value_parser = NonEmptyStringValueParser::new())]
    speaker: Option<String>,
    /// Only statements that are read as a stance on this topic.
    #[arg(long, value_name = "TOPIC", value_parser = NonEmptyStringValueParser::new())]
    topic: Option<String>,
    /// Only this statement; may be given several times.
    #[arg(long = "statement", value_name = "ID")]
    statements: Vec<String>,
    /// What the ids in the document begin with, where statement/ID and source/ID are served.
    /// https:// and the archive's origin, if left out.
    #[arg(long, value_name = "URL", value_parser = base)]
    base: Option<String>,
    /// Where to write it. Standard output, if left out.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long, requires = "output")]
    force: bool,
    #[command(flatten)]
    server: Server,
}

/// What ids may begin with.
fn base(text: &str) -> Result<String, String> {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|it| text.strip_prefix(it));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        _ => Err("accepted: a URL that begins with https:// or http://".to_owned()),
    }
}

impl Export {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        match self.command {
            ExportCommand::ClaimReview(command) => command.run().await,
            ExportCommand::Annotations(command) => command.run().await,
            ExportCommand::Archive(command) => command.run().await,
        }
    }
}

impl ClaimReview {
    async fn run(self) -> Result<ExitCode, CliError> {
        let mut export = self.which.begin(claim::opening).await?;
        while let Some(statement) = export.next().await? {
            let reviewed = !statement.view.reviews.is_empty();
            if self.reviewed && !reviewed {
                continue;
            }
            match claim::element(&statement, &export.names) {
                Some(element) => export.document.item(&element)?,
                None => export.left_out.withheld += 1,
            }
        }
        export.end(claim::CLOSING, "statements")
    }
}

impl Annotations {
    async fn run(self) -> Result<ExitCode, CliError> {
        let mut export = self.which.begin(annotation::opening).await?;
        while let Some(statement) = export.next().await? {
            for words in &statement.words {
                let text = if words.text_is_withheld() {
                    None
                } else {
                    export.snapshot.text(&words.evidence).await?
                };
                let Some(text) = text else {
                    export.left_out.withheld += 1;
                    continue;
                };
                let annotation = annotation::of(&statement, words, &text, &export.names)?;
                export.document.item(&annotation)?;
            }
        }
        let closing = annotation::closing(export.document.items());
        export.end(&closing, "annotations")
    }
}

/// What was not exported, and why.
#[derive(Default)]
struct LeftOut {
    retracted: u64,
    /// Fewer vouch for it than the policy asked for.
    unvouched: u64,
    withheld: u64,
}

/// An export under way.
struct Exporting {
    snapshot: Snapshot,
    names: Names,
    walk: Walk,
    document: Document,
    progress: ProgressBar,
    left_out: LeftOut,
}

impl Which {
    /// Takes note of the ledger's head and begins the document.
    async fn begin(self, opening: fn(&Snapshot, &Names) -> String) -> Result<Exporting, CliError> {
        if let Some(path) = &self.output {
            super::transfer::must_be_free(path, self.force)?;
        }
        let mut snapshot = Snapshot::take(self.server.connect().await?).await?;
        let names = Names::new(self.base, snapshot.origin());
        let walk = Walk::new(self.speaker, self.topic, self.statements, &mut snapshot).await?;
        // Among the lines of a document on a terminal it would be lost.
        let quiet = self.output.is_none() && std::io::stdout().is_terminal();
        let progress = if quiet {
            ProgressBar::hidden()
        } else {
            ProgressBar::new(snapshot.size())
        };
        let document = Document::open(self.output, opening(&snapshot, &names))?;
        Ok(Exporting {
            snapshot,
            names,
            walk,
            document,
            progress,
            left_out: LeftOut::default(),
        })
    }
}

impl Exporting {
    /// The next statement that stands and is wanted.
    async fn next(&mut self) -> Result<Option<Exported>, CliError> {
        while let Some(id) = self.walk.next(&mut self.snapshot).await? {
            self.progress.set_position(self.walk.reached());
            let view = self.snapshot.statement(&id).await?;
            if !self.walk.wants(&view) {
                continue;
            }
            match view.visibility() {
                Visibility::Retracted => self.left_out.retracted += 1,
                Visibility::TooFewVouchers => self.left_out.unvouched += 1,
                Visibility::Visible => {
                    return Exported::gather(view, &mut self.snapshot).await.map(Some);
                }
                Visibility::Unspecified => {
                    return Err(CliError::Incomplete { what: "visibility" });
                }
            }
        }
        Ok(None)
    }

    fn end(self, closing: &str, what: &str) -> Result<ExitCode, CliError> {
        let items = self.document.items();
        self.document.close(closing)?;
        self.progress.finish_and_clear();
        eprintln!(
            "{items} {what} of a ledger of {} entries; left out: {} retracted, {} without enough \
             vouchers, {} withheld",
            self.snapshot.size(),
            self.left_out.retracted,
            self.left_out.unvouched,
            self.left_out.withheld
        );
        Ok(ExitCode::SUCCESS)
    }
}
