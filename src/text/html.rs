//! `html-text/1`: the text of an HTML page as a reader of its source would have it, whatever
//! the page's tags do.
//!
//! It is defined on the tokens of the WHATWG HTML standard (section 13.2.5), by `html5gum`,
//! and not on a tree: a tree takes minutes to build where a page nests 200,000 elements, and
//! where tags are not closed it depends on rules that browsers change. What the tree builder
//! tells the tokenizer is told here by the names of tags alone:
//! - the content of title and textarea is character data; of script script data; of style,
//!   xmp, iframe, noembed, noframes and noscript raw text (as where scripts run); plaintext
//!   never ends;
//! - within svg and math none of these is special, `/>` closes an element, and `<![CDATA[`
//!   begins a section. Elsewhere `/>` means nothing, and such a section is a comment.
//!
//! XHTML is read by the same rules, as most of it is written to be.
//!
//! **Invariant**: one pass, in time linear in the page, with memory for the decoded page and
//! its text and a few bytes besides: no tag is remembered but the one that is being left out.
//!
//! Attributes and CSS are not evaluated: text that a style sheet hides is text, and `pre`
//! keeps no layout.

mod elements;
mod prescan;
#[cfg(test)]
mod tests;
mod tokens;

use html5gum::Tokenizer;

use super::charset;
use super::normal::Spacing;
use super::profile::{ExtractError, Extracted};
use tokens::TextTokens;

/// The text of `bytes`, of at most `bytes_max` bytes.
pub(super) fn extract(
    bytes: &[u8],
    media_type: &str,
    bytes_max: usize,
) -> Result<Extracted, ExtractError> {
    let decoded = charset::decode(bytes, media_type, prescan::declared_encoding);
    let tokens = TextTokens::with_capacity(decoded.text.len());
    let mut tokenizer = Tokenizer::new_with_emitter(&*decoded.text, tokens);
    // The whole text comes as the one token, at the end.
    let spacing = tokenizer
        .next()
        .map_or_else(Spacing::default, |Ok(all)| all);
    let text = spacing
        .finish(bytes_max)
        .ok_or(ExtractError::TooLarge { bytes_max })?;
    Ok(Extracted {
        text,
        malformed: decoded.malformed,
    })
}
