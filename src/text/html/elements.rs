//! What each element does to the text, by its name: the tables of `html-text/1`.

use html5gum::State;

/// Elements of which nothing is text.
pub(super) fn is_dropped(name: &[u8]) -> bool {
    matches!(
        name,
        b"head"
            | b"script"
            | b"style"
            | b"template"
            | b"noscript"
            | b"iframe"
            | b"object"
            | b"canvas"
            | b"audio"
            | b"video"
            | b"svg"
            | b"math"
            | b"select"
            | b"datalist"
            | b"textarea"
            | b"button"
            | b"map"
    )
}

/// Elements that begin and end on a line of their own; and br.
pub(super) fn is_break(name: &[u8]) -> bool {
    match name {
        b"address" | b"article" | b"aside" | b"blockquote" | b"body" | b"br" | b"center"
        | b"dd" | b"details" | b"dialog" | b"dir" | b"div" | b"dl" | b"dt" | b"fieldset"
        | b"figcaption" | b"figure" | b"footer" | b"form" | b"header" | b"hgroup" | b"hr"
        | b"html" | b"legend" | b"li" | b"main" | b"menu" | b"nav" | b"ol" | b"p" | b"pre"
        | b"search" | b"section" | b"summary" | b"ul" => true,
        [b'h', level] => (b'1'..=b'6').contains(level),
        name => is_table_part(name),
    }
}

fn is_table_part(name: &[u8]) -> bool {
    matches!(
        name,
        b"table"
            | b"caption"
            | b"colgroup"
            | b"col"
            | b"thead"
            | b"tbody"
            | b"tfoot"
            | b"tr"
            | b"td"
            | b"th"
    )
}

/// The roots of foreign content, whose elements are not those of HTML.
pub(super) fn is_foreign_root(name: &[u8]) -> bool {
    matches!(name, b"svg" | b"math")
}

/// How the content of an HTML element is to be tokenised, if not as markup (section 13.2.6 of
/// the standard, with scripting enabled).
pub(super) fn content_state(name: &[u8]) -> Option<State> {
    match name {
        b"title" | b"textarea" => Some(State::RcData),
        b"script" => Some(State::ScriptData),
        b"style" | b"xmp" | b"iframe" | b"noembed" | b"noframes" | b"noscript" => {
            Some(State::RawText)
        }
        b"plaintext" => Some(State::PlainText),
        _ => None,
    }
}
