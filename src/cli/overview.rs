//! What overviews share: whom and what they are about, as of when, as known when, on whose
//! terms, and how much of them is shown.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;

use super::draw::{self, Sheet};
use super::numbers::limit;
use super::pages::{LIMIT_DEFAULT, Listed};
use super::terms::{KnownAt, Terms};
use super::{Asking, Parts};
use crate::rpc::proto::{
    Basis, ListComparisonsResponse, ListCoverageResponse, ListDivergencesResponse,
    ListPositionsResponse, ListReferencesResponse, ListReversalsResponse, ListTestimoniesResponse,
};

/// Everybody on a topic, an actor on all topics, or one actor on one topic.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = true)]
pub(super) struct About {
    /// The topic, by its slug: leaders-meeting. All of the actor's, if left out.
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub(super) topic: Option<String>,
    /// Only this actor, by its slug: kremlin.
    #[arg(long, value_name = "ACTOR", value_parser = NonEmptyStringValueParser::new())]
    pub(super) actor: Option<String>,
}

/// As of when, and as known when.
#[derive(Args, Clone, Debug)]
pub(super) struct When {
    /// As of when, by the time of speaking: 2025-08-15, 2025-08. Now, if left out.
    #[arg(long, value_name = "DATE", value_parser = NonEmptyStringValueParser::new())]
    pub(super) as_of: Option<String>,
    /// As known when: only the first N entries of the ledger count, or those recorded by a time.
    /// All, if left out.
    #[arg(long, value_name = "N|TIME", allow_negative_numbers = true, value_parser = KnownAt::parse)]
    pub(super) known_at: Option<KnownAt>,
}

/// On whose terms, and how much is shown.
#[derive(Args, Clone, Debug)]
pub(super) struct Showing {
    #[command(flatten)]
    pub(super) parts: Parts,
    #[command(flatten)]
    pub(super) terms: Terms,
    /// How many to show at most; 0: all.
    #[arg(long, value_name = "N", default_value_t = LIMIT_DEFAULT, allow_negative_numbers = true, value_parser = limit)]
    pub(super) limit: u64,
    #[command(flatten)]
    pub(super) asking: Asking,
}

/// Shows an overview of a scope, page after page: the pages of `$method`.
macro_rules! show {
    ($command:expr, $method:ident, $Request:ident) => {{
        let command = $command;
        let client = command.showing.asking.connect().await?;
        let request = $Request {
            topic: command.about.topic.unwrap_or_default(),
            actor: command.about.actor.unwrap_or_default(),
            as_of: command.when.as_of.unwrap_or_default(),
            known_at: KnownAt::size(command.when.known_at),
            known_at_time: KnownAt::time(command.when.known_at),
            with_parts: command.showing.parts.choice(),
            filter: command.showing.terms.filter(),
            at_least_size: client.size().await?,
            ..$Request::default()
        };
        let ask = async |page_size, page_token| {
            let page = $Request {
                page_size,
                page_token,
                ..request.clone()
            };
            let answer = client.answered(client.positions().$method(page).await);
            answer.map_err(|error| error.typed(&[("actor", "--actor")]))
        };
        pages::show(&command.showing.asking, command.showing.limit, "", ask).await?;
        Ok(ExitCode::SUCCESS)
    }};
}
pub(super) use show;

macro_rules! listed {
    ($($Response:ident $items:ident $basis:ident $draw:path;)+) => {
        $(impl Listed for $Response {
            fn length(&self) -> u64 {
                self.$items.len() as u64
            }
            fn next_page_token(&self) -> &str {
                &self.next_page_token
            }
            fn basis(&self) -> Option<&Basis> {
                self.$basis.as_ref()
            }
            fn draw(&self, sheet: &mut Sheet, _: &str) {
                $draw(sheet, &self.$items);
            }
            fn draw_caveat(sheet: &mut Sheet) {
                draw::caveat(sheet);
            }
        })+
    };
}

listed! {
    ListPositionsResponse positions basis draw::positions;
    ListComparisonsResponse comparisons to_basis draw::changes;
    ListReversalsResponse reversals basis draw::reversals;
    ListDivergencesResponse divergences basis draw::divergences;
    ListReferencesResponse references basis draw::references;
}

impl Listed for ListTestimoniesResponse {
    fn length(&self) -> u64 {
        self.testimonies.len() as u64
    }
    fn next_page_token(&self) -> &str {
        &self.next_page_token
    }
    fn basis(&self) -> Option<&Basis> {
        self.basis.as_ref()
    }
    fn draw(&self, sheet: &mut Sheet, asked: &str) {
        draw::testimonies(sheet, &self.testimonies, asked);
    }
    fn draw_caveat(sheet: &mut Sheet) {
        draw::caveat(sheet);
    }
}

impl Listed for ListCoverageResponse {
    fn length(&self) -> u64 {
        self.sources.len() as u64
    }
    fn next_page_token(&self) -> &str {
        &self.next_page_token
    }
    fn basis(&self) -> Option<&Basis> {
        self.basis.as_ref()
    }
    fn draw(&self, sheet: &mut Sheet, _: &str) {
        draw::coverage(sheet, self);
    }
}
