//! `onrecord list`: what is on record, kind by kind.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use prost::{Message, Name};

use super::draw::{self, Canvas, Sheet};
use super::error::CliError;
use super::terms::KnownAt;
use super::{Asking, json, output};
use crate::record::proto::Wording;
use crate::rpc::proto::{
    Basis, ListActorsRequest, ListActorsResponse, ListMandatesRequest, ListMandatesResponse,
    ListMilestonesRequest, ListMilestonesResponse, ListSourcesRequest, ListSourcesResponse,
    ListStatementsRequest, ListStatementsResponse, ListTopicsRequest, ListTopicsResponse,
    ListVerifiersRequest, ListVerifiersResponse, ReadOrder,
};

/// How many a list shows if nothing else is said.
const LIMIT_DEFAULT: u64 = 50;

/// How many are asked for at a time, and drawn into one table: its columns fit these.
const PAGE_SIZE: u64 = 200;

/// What is on record?
#[derive(Args, Debug)]
pub struct List {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Those who can speak, or be spoken about.
    Actors(Paging),
    /// Who speaks for whom.
    Mandates(Mandates),
    /// The propositions that statements are read on.
    Topics(Paging),
    /// The dated occurrences to compare around.
    Milestones(Paging),
    /// What was said, in the order in which it was recorded.
    Statements(Box<Statements>),
    /// The archived documents.
    Sources(Paging),
    /// The keys that vouch.
    Verifiers(Paging),
}

/// How much of a list is shown.
#[derive(Args, Debug)]
struct Paging {
    /// Show the last first.
    #[arg(long)]
    backwards: bool,
    /// How many to show at most; 0: all.
    #[arg(long, value_name = "N", default_value_t = LIMIT_DEFAULT)]
    limit: u64,
    /// As known when: only the first N entries of the ledger count, or those recorded by a time.
    /// All, if left out.
    #[arg(long, value_name = "N|TIME", value_parser = KnownAt::parse)]
    known_at: Option<KnownAt>,
    #[command(flatten)]
    asking: Asking,
}

/// Which mandates.
#[derive(Args, Debug)]
struct Mandates {
    /// Only this person's.
    #[arg(long, value_name = "ACTOR", value_parser = NonEmptyStringValueParser::new())]
    person: Option<String>,
    /// Only those to speak for this organisation.
    #[arg(long = "for", value_name = "ACTOR", value_parser = NonEmptyStringValueParser::new())]
    organization: Option<String>,
    #[command(flatten)]
    paging: Paging,
}

/// Which statements; all conditions given must hold.
#[derive(Args, Debug)]
struct Statements {
    /// Only by this speaker.
    #[arg(long, value_name = "ACTOR", value_parser = NonEmptyStringValueParser::new())]
    speaker: Option<String>,
    /// Only what was said for this organisation.
    #[arg(long = "for", value_name = "ACTOR", value_parser = NonEmptyStringValueParser::new())]
    said_for: Option<String>,
    /// Only what is read on this topic.
    #[arg(long, value_name = "TOPIC", value_parser = NonEmptyStringValueParser::new())]
    topic: Option<String>,
    /// Only what rests on this source.
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    source: Option<String>,
    /// Only what may have been said then: 2025-08-15, 2025-08, [2025-08-01..2025-08-15].
    #[arg(long = "said", value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    said_at: Option<String>,
    /// Only what was recorded then; dates as above.
    #[arg(long = "recorded", value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    recorded_at: Option<String>,
    /// Only what this verifier vouches for.
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    verifier: Option<String>,
    /// Only of this wording, such as `VERBATIM`; may be given several times.
    #[arg(long = "wording", value_name = "WORDING", value_parser = wording)]
    wordings: Vec<Wording>,
    #[command(flatten)]
    paging: Paging,
}

fn wording(text: &str) -> Result<Wording, String> {
    let name = format!("WORDING_{}", text.to_ascii_uppercase());
    let known = Wording::from_str_name(&name).filter(|it| *it != Wording::Unspecified);
    known.ok_or_else(|| "accepted: VERBATIM, TRANSLATED, RETRANSLATED, PARAPHRASED".to_owned())
}

/// A page of a list.
trait Listed: Message + Name {
    fn length(&self) -> u64;
    fn next_page_token(&self) -> &str;
    fn basis(&self) -> Option<&Basis>;
    fn draw(&self, sheet: &mut Sheet);
    /// Draws what must not be misunderstood about all pages.
    fn draw_caveat(_: &mut Sheet) {}
}

macro_rules! listed {
    ($($Response:ident $items:ident $draw:path $(, $caveat:path)?;)+) => {
        $(impl Listed for $Response {
            fn length(&self) -> u64 {
                self.$items.len() as u64
            }
            fn next_page_token(&self) -> &str {
                &self.next_page_token
            }
            fn basis(&self) -> Option<&Basis> {
                self.basis.as_ref()
            }
            fn draw(&self, sheet: &mut Sheet) {
                $draw(sheet, &self.$items);
            }
            $(fn draw_caveat(sheet: &mut Sheet) {
                $caveat(sheet);
            })?
        })+
    };
}

listed! {
    ListActorsResponse actors draw::actors;
    ListMandatesResponse mandates draw::mandates;
    ListTopicsResponse topics draw::topics;
    ListMilestonesResponse milestones draw::milestones;
    ListStatementsResponse statements draw::statements, draw::caveat;
    ListSourcesResponse sources draw::sources;
    ListVerifiersResponse verifiers draw::verifiers;
}

/// Shows a list, page after page: the pages of `$method` for a request with these fields.
macro_rules! show {
    ($paging:expr, $method:ident, $Request:ident { $($field:ident: $value:expr),* }) => {{
        let paging = $paging;
        let client = paging.asking.connect().await?;
        // What was acknowledged before is part of the list.
        let head = client.head().await?.head;
        let request = $Request {
            known_at: KnownAt::size(paging.known_at),
            known_at_time: KnownAt::time(paging.known_at),
            at_least_size: head.map_or(0, |head| head.size),
            order: paging.order().into(),
            $($field: $value,)*
            ..$Request::default()
        };
        let ask = async |page_size, page_token| {
            let page = $Request { page_size, page_token, ..request.clone() };
            client.answered(client.catalog().$method(page).await)
        };
        paging.show(ask).await
    }};
}

impl List {
    pub(super) async fn run(self) -> Result<ExitCode, CliError> {
        match self.what {
            What::Actors(paging) => show!(paging, list_actors, ListActorsRequest {}),
            What::Topics(paging) => show!(paging, list_topics, ListTopicsRequest {}),
            What::Milestones(paging) => show!(paging, list_milestones, ListMilestonesRequest {}),
            What::Sources(paging) => show!(paging, list_sources, ListSourcesRequest {}),
            What::Verifiers(paging) => show!(paging, list_verifiers, ListVerifiersRequest {}),
            What::Mandates(which) => show!(
                which.paging,
                list_mandates,
                ListMandatesRequest {
                    person: which.person.unwrap_or_default(),
                    organization: which.organization.unwrap_or_default()
                }
            ),
            What::Statements(which) => show!(
                which.paging,
                list_statements,
                ListStatementsRequest {
                    speaker: which.speaker.unwrap_or_default(),
                    said_for: which.said_for.unwrap_or_default(),
                    topic: which.topic.unwrap_or_default(),
                    source: which.source.unwrap_or_default(),
                    said_at: which.said_at.unwrap_or_default(),
                    recorded_at: which.recorded_at.unwrap_or_default(),
                    verifier: which.verifier.unwrap_or_default(),
                    wordings: which.wordings.into_iter().map(i32::from).collect()
                }
            ),
        }?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Paging {
    const fn order(&self) -> ReadOrder {
        if self.backwards {
            ReadOrder::Backwards
        } else {
            ReadOrder::Forwards
        }
    }

    /// Shows the pages that `ask` gets by size and token, up to the limit.
    async fn show<P: Listed>(
        &self,
        ask: impl AsyncFn(i32, String) -> Result<P, CliError>,
    ) -> Result<(), CliError> {
        let mut left = if self.limit == 0 {
            u64::MAX
        } else {
            self.limit
        };
        let (mut shown, mut token) = (0, String::new());
        loop {
            let size = i32::try_from(left.min(PAGE_SIZE)).unwrap_or(i32::MAX);
            let page = ask(size, token.clone()).await?;
            let length = page.length();
            (shown, left) = (shown + length, left.saturating_sub(length));
            page.next_page_token().clone_into(&mut token);
            let last = token.is_empty() || left == 0;
            if self.asking.json {
                output::print(&json::line(&page)?)?;
            } else {
                draw_page(&page, shown, last)?;
            }
            if last {
                break;
            }
        }
        if !token.is_empty() {
            eprintln!("the first {shown} are shown; --limit 0 shows all");
        }
        Ok(())
    }
}

/// Draws a page, and beneath the last on what the list rests.
fn draw_page<P: Listed>(page: &P, shown: u64, last: bool) -> Result<(), CliError> {
    let mut sheet = Sheet::new(Canvas::of_stdout());
    if page.length() > 0 {
        page.draw(&mut sheet);
    }
    if last {
        if shown == 0 {
            sheet.line("nothing such is on record");
        }
        sheet.gap();
        draw::basis(&mut sheet, page.basis());
        P::draw_caveat(&mut sheet);
    }
    let drawn = sheet.finish();
    if drawn.is_empty() {
        return Ok(());
    }
    output::print(&drawn)
}
