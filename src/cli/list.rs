//! `onrecord list`: what is on record, kind by kind.

use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::Asking;
use super::draw::{self, Sheet};
use super::error::CliError;
use super::mentioned::Mentioned;
use super::numbers::limit;
use super::pages::{self, LIMIT_DEFAULT, Listed};
use super::terms::KnownAt;
use crate::record::proto::Wording;
use crate::rpc::proto::{
    Basis, ListActorsRequest, ListActorsResponse, ListMandatesRequest, ListMandatesResponse,
    ListMilestonesRequest, ListMilestonesResponse, ListSourcesRequest, ListSourcesResponse,
    ListStatementsRequest, ListStatementsResponse, ListTopicsRequest, ListTopicsResponse,
    ListVerifiersRequest, ListVerifiersResponse, ReadOrder,
};

/// What is on record? A list with nothing in it is an answer; a name that was given and is not on
/// record is none, and ends with exit code 1.
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
    #[arg(long, value_name = "N", default_value_t = LIMIT_DEFAULT, allow_negative_numbers = true, value_parser = limit)]
    limit: u64,
    /// As known when: only the first N entries of the ledger count, or those recorded by a time.
    /// All, if left out.
    #[arg(long, value_name = "N|TIME", allow_negative_numbers = true, value_parser = KnownAt::parse)]
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
            fn draw(&self, sheet: &mut Sheet, _: &str) {
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

/// What the options of lists are called where requests have fields.
const TYPED: &[(&str, &str)] = &[
    ("speaker", "--speaker"),
    ("person", "--person"),
    ("saidFor", "--for"),
    ("organization", "--for"),
    ("topic", "--topic"),
    ("source", "--source"),
    ("verifier", "--verifier"),
];

/// Shows a list, page after page: the pages of `$method` for a request with these fields. What
/// the request names must be on record, if nothing is found.
macro_rules! show {
    ($paging:expr, $method:ident, $Request:ident { $($field:ident: $value:expr),* }) => {
        show!($paging, $method, $Request { $($field: $value),* }, |_: &$Request| Mentioned::default())
    };
    (
        $paging:expr, $method:ident, $Request:ident { $($field:ident: $value:expr),* },
        $mentioned:expr
    ) => {{
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
            let first = page.page_token.is_empty();
            let answer = client.answered(client.catalog().$method(page).await);
            let answer = answer.map_err(|error| error.typed(TYPED))?;
            if first && answer.length() == 0 {
                let mentioned: Mentioned = $mentioned(&request);
                mentioned.must_be_on_record(&client).await?;
            }
            Ok(answer)
        };
        pages::show(&paging.asking, paging.limit, "", ask).await
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
                },
                Mentioned::from
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
                },
                Mentioned::from
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
}
