//! The tokenizer's other half: takes its tokens as they come and lets through what is text.
//!
//! Attributes, comments and doctypes are not kept at all, of a tag's name only as much as a
//! name with a meaning has. So a tag of megabytes costs nothing but being read.

use html5gum::{Emitter, Error, State};

use super::super::normal::Spacing;
use super::elements::{content_state, is_break, is_dropped, is_foreign_root};

/// The longest name that means anything: "blockquote", "figcaption".
const NAME_BYTES_MAX: usize = 10;

/// The text of a page as it grows. Gives it, as its only token, at the end of the page.
pub(super) struct TextTokens {
    spacing: Spacing,
    /// The first bytes of a character whose last ones are still to come. Empty at every tag.
    partial: Vec<u8>,
    tag: Tag,
    last_start_tag: Name,
    dropped: Option<Dropped>,
    ended: bool,
}

/// The tag that is being read.
#[derive(Default)]
struct Tag {
    name: Name,
    is_end: bool,
    self_closing: bool,
}

/// The beginning of a tag's name, in lower case, and how long the whole is.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Name {
    start: [u8; NAME_BYTES_MAX],
    length: usize,
}

impl Name {
    fn push(&mut self, bytes: &[u8]) {
        let free = self.start.get_mut(self.length..).unwrap_or_default();
        for (place, byte) in free.iter_mut().zip(bytes) {
            *place = *byte;
        }
        self.length = self.length.saturating_add(bytes.len());
    }

    /// The name; empty if it is too long to mean anything.
    fn known(&self) -> &[u8] {
        self.start.get(..self.length).unwrap_or_default()
    }
}

/// An element of which nothing is text, from its start tag to its end tag.
struct Dropped {
    element: Open,
    /// The svg or math in it, within which other rules hold. It may be the element itself.
    foreign: Option<Open>,
}

/// An element with how often one of its name was begun and not ended.
struct Open {
    name: Name,
    depth: usize,
}

impl Open {
    const fn new(name: Name) -> Self {
        Self { name, depth: 1 }
    }

    fn begin(&mut self, name: Name) {
        if name == self.name {
            self.depth += 1;
        }
    }

    /// Whether `name`'s end tag ends the element.
    fn end(&mut self, name: Name) -> bool {
        if name == self.name {
            self.depth -= 1;
        }
        self.depth == 0
    }
}

impl Dropped {
    fn new(name: Name) -> Self {
        let foreign = is_foreign_root(name.known()).then(|| Open::new(name));
        Self {
            element: Open::new(name),
            foreign,
        }
    }

    fn begin(&mut self, name: Name) {
        self.element.begin(name);
        match &mut self.foreign {
            Some(foreign) => foreign.begin(name),
            None if is_foreign_root(name.known()) => self.foreign = Some(Open::new(name)),
            None => {}
        }
    }

    fn end(&mut self, name: Name) -> bool {
        if self.foreign.as_mut().is_some_and(|open| open.end(name)) {
            self.foreign = None;
        }
        self.element.end(name)
    }
}

impl TextTokens {
    /// For a page of this many bytes.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self {
            spacing: Spacing::with_capacity(bytes),
            partial: Vec::new(),
            tag: Tag::default(),
            last_start_tag: Name::default(),
            dropped: None,
            ended: false,
        }
    }

    fn is_foreign(&self) -> bool {
        let dropped = self.dropped.as_ref();
        dropped.is_some_and(|dropped| dropped.foreign.is_some())
    }

    fn start_tag(&mut self) -> Option<State> {
        let name = self.tag.name;
        self.last_start_tag = name;
        let foreign = self.is_foreign();
        let empty = self.tag.self_closing && (foreign || is_foreign_root(name.known()));
        if name.known() == b"body"
            && let Some(dropped) = &self.dropped
            && dropped.element.name.known() == b"head"
        {
            self.dropped = None;
        }
        match &mut self.dropped {
            _ if empty => {}
            Some(dropped) => dropped.begin(name),
            None if is_dropped(name.known()) => self.dropped = Some(Dropped::new(name)),
            None => self.break_at(name),
        }
        if foreign {
            None
        } else {
            content_state(name.known())
        }
    }

    fn end_tag(&mut self) {
        let name = self.tag.name;
        match &mut self.dropped {
            Some(dropped) => {
                if dropped.end(name) {
                    self.dropped = None;
                }
            }
            None => self.break_at(name),
        }
    }

    fn break_at(&mut self, name: Name) {
        if is_break(name.known()) {
            self.spacing.line_break();
        }
    }

    /// Takes text as the tokenizer cuts it, which may be within a character.
    fn push(&mut self, bytes: &[u8]) {
        let mut joined = std::mem::take(&mut self.partial);
        let bytes = if joined.is_empty() {
            bytes
        } else {
            joined.extend_from_slice(bytes);
            &joined
        };
        match str::from_utf8(bytes) {
            Ok(text) => self.spacing.push_str(text),
            Err(error) => {
                let (whole, rest) = bytes.split_at(error.valid_up_to());
                self.spacing.push_str(&String::from_utf8_lossy(whole));
                if error.error_len().is_none() {
                    self.partial = rest.to_vec();
                } else {
                    // Never so in a page that was decoded; and if so, not kept for later.
                    self.spacing.push_str(&String::from_utf8_lossy(rest));
                }
            }
        }
    }
}

impl Emitter for TextTokens {
    type Token = Spacing;

    fn emit_string(&mut self, bytes: &[u8]) {
        if self.dropped.is_none() {
            self.push(bytes);
        }
    }

    fn pop_token(&mut self) -> Option<Spacing> {
        self.ended.then(|| {
            self.ended = false;
            std::mem::take(&mut self.spacing)
        })
    }

    fn emit_eof(&mut self) {
        self.ended = true;
    }

    fn init_start_tag(&mut self) {
        self.tag = Tag::default();
    }

    fn init_end_tag(&mut self) {
        self.tag = Tag {
            is_end: true,
            ..Tag::default()
        };
    }

    fn push_tag_name(&mut self, name: &[u8]) {
        self.tag.name.push(name);
    }

    fn set_self_closing(&mut self) {
        self.tag.self_closing = true;
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        if self.tag.is_end {
            self.end_tag();
            None
        } else {
            self.start_tag()
        }
    }

    fn set_last_start_tag(&mut self, name: Option<&[u8]>) {
        self.last_start_tag = Name::default();
        self.last_start_tag.push(name.unwrap_or_default());
    }

    fn current_is_appropriate_end_tag_token(&mut self) -> bool {
        self.tag.is_end && self.tag.name == self.last_start_tag
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        self.is_foreign()
    }

    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn emit_error(&mut self, _: Error) {}
    fn init_comment(&mut self) {}
    fn push_comment(&mut self, _: &[u8]) {}
    fn emit_current_comment(&mut self) {}
    fn init_attribute(&mut self) {}
    fn push_attribute_name(&mut self, _: &[u8]) {}
    fn push_attribute_value(&mut self, _: &[u8]) {}
    fn init_doctype(&mut self) {}
    fn push_doctype_name(&mut self, _: &[u8]) {}
    fn set_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn set_doctype_system_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_public_identifier(&mut self, _: &[u8]) {}
    fn push_doctype_system_identifier(&mut self, _: &[u8]) {}
    fn set_force_quirks(&mut self) {}
    fn emit_current_doctype(&mut self) {}
}
