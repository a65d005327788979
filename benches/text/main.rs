//! How fast the text of a page is extracted, beside what the same tokenizer does with its own
//! emitter of callbacks, which builds every attribute and drops it, on the same bytes in the
//! same run.

// Figures are printed to three digits: that a double holds fewer than a count is no loss.
#![allow(clippy::cast_precision_loss)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{Span, Tokenizer};
use onrecord::text::Profile;

/// How large the pages are, together.
const PAGES_BYTES: usize = 8 << 20;
/// How often each figure is taken; the best one counts, as the others were disturbed.
const ROUNDS: usize = 5;

/// A page as news sites have them: more markup than text.
const PAGE: &str = include_str!("page.html");

fn main() {
    // `cargo test --benches` runs this too, and wants no figures.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let pages = PAGE.repeat(PAGES_BYTES / PAGE.len());
    let ours = fastest(|| {
        let extracted = Profile::HtmlText1.extract(black_box(pages.as_bytes()), "text/html");
        black_box(extracted.is_ok());
    });
    let floor = fastest(|| {
        let mut text_bytes = 0;
        let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: Span<()>| {
            if let CallbackEvent::String { value } = event {
                text_bytes += value.len();
            }
            None
        });
        let done = Tokenizer::new_with_emitter(black_box(&pages[..]), emitter).finish();
        black_box((done.is_ok(), text_bytes));
    });
    let rate = |time: Duration| pages.len() as f64 / 1e6 / time.as_secs_f64();
    println!(
        "{:<52} {:>9.0} MB/s {:<30} {:>9.0} MB/s {:>7.2}",
        "html-text/1, one core",
        rate(ours),
        "  html5gum's own callbacks",
        rate(floor),
        rate(ours) / rate(floor),
    );
}

fn fastest(mut work: impl FnMut()) -> Duration {
    let timed = |_| {
        let started = Instant::now();
        work();
        started.elapsed()
    };
    (0..ROUNDS).map(timed).min().unwrap_or_default()
}
