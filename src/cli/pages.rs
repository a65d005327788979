//! Lists that come in pages: they are asked for and shown page after page, up to a limit.

use prost::{Message, Name};

use super::draw::{self, Canvas, Sheet};
use super::error::CliError;
use super::{Asking, json, output};
use crate::rpc::proto::Basis;

/// How many a list shows if nothing else is said.
pub(super) const LIMIT_DEFAULT: u64 = 50;

/// How many are asked for at a time, and drawn into one table: its columns fit these.
const PAGE_SIZE: u64 = 200;

/// A page of a list.
pub(super) trait Listed: Message + Name {
    fn length(&self) -> u64;
    fn next_page_token(&self) -> &str;
    fn basis(&self) -> Option<&Basis>;
    /// Draws it; `asked` is the actor whose position it is about, if it is about one.
    fn draw(&self, sheet: &mut Sheet, asked: &str);
    /// Draws what must not be misunderstood about all pages.
    fn draw_caveat(_: &mut Sheet) {}
}

/// Shows the pages that `ask` gets by size and token, up to the limit; 0 for all.
pub(super) async fn show<P: Listed>(
    asking: &Asking,
    limit: u64,
    asked: &str,
    ask: impl AsyncFn(i32, String) -> Result<P, CliError>,
) -> Result<(), CliError> {
    let mut left = if limit == 0 { u64::MAX } else { limit };
    let (mut shown, mut token) = (0, String::new());
    loop {
        let size = i32::try_from(left.min(PAGE_SIZE)).unwrap_or(i32::MAX);
        let page = ask(size, token.clone()).await?;
        let length = page.length();
        (shown, left) = (shown + length, left.saturating_sub(length));
        page.next_page_token().clone_into(&mut token);
        let last = token.is_empty() || left == 0;
        if asking.json {
            output::print(&json::line(&page)?)?;
        } else {
            draw_page(&page, asked, shown, last)?;
        }
        if last {
            break;
        }
    }
    if !token.is_empty() {
        let are = if shown == 1 { "is" } else { "are" };
        eprintln!("the first {shown} {are} shown; --limit 0 shows all");
    }
    Ok(())
}

/// Draws a page, and beneath the last on what the list rests.
fn draw_page<P: Listed>(page: &P, asked: &str, shown: u64, last: bool) -> Result<(), CliError> {
    let mut sheet = Sheet::new(Canvas::of_stdout());
    if page.length() > 0 {
        page.draw(&mut sheet, asked);
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
