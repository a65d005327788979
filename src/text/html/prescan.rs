//! What encoding a page declares of itself: the WHATWG standard's prescan of the first 1,024
//! bytes (section 13.2.3.2) for a `meta` element.
//!
//! It runs on bytes, before anything is decoded, and knows comments and attributes but no
//! elements: a `meta` in a script counts, as it does in browsers. What the first 1,024 bytes
//! cut off does not.

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// How much of a page is looked at.
const PRESCAN_BYTES: usize = 1024;

/// The encoding that the page declares, if it declares a known one.
pub(super) fn declared_encoding(page: &[u8]) -> Option<&'static Encoding> {
    let start = page.get(..PRESCAN_BYTES).unwrap_or(page);
    let mut cursor = Cursor { rest: start };
    loop {
        if cursor.rest.starts_with(b"<!--") {
            // `<!-->` is a whole comment: its dashes may be those of its beginning.
            cursor.skip(2);
            cursor.skip_past(b"-->")?;
        } else if cursor.at_meta() {
            cursor.skip(b"<meta".len());
            if let Some(encoding) = Meta::read(&mut cursor)?.encoding() {
                return Some(encoding);
            }
        } else if cursor.at_tag() {
            cursor.skip_while(|byte| !is_blank(byte) && byte != b'>');
            while cursor.attribute()?.is_some() {}
        } else if [b"<!", b"</", b"<?"]
            .iter()
            .any(|it| cursor.rest.starts_with(*it))
        {
            cursor.skip_past(b">")?;
        } else {
            cursor.next()?;
        }
    }
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0C' | b'\r' | b' ')
}

/// The encoding of this label, for a page that could be read so far as ASCII.
fn labelled(label: &[u8]) -> Option<&'static Encoding> {
    let encoding = Encoding::for_label(label)?;
    Some(match encoding {
        _ if encoding == UTF_16BE || encoding == UTF_16LE => UTF_8,
        _ if encoding == X_USER_DEFINED => WINDOWS_1252,
        _ => encoding,
    })
}

/// What a `meta` element says about encodings.
#[derive(Default)]
struct Meta {
    charset: Option<&'static Encoding>,
    /// Whether `charset` counts only beside `http-equiv`; `None` if nothing was said.
    needs_pragma: Option<bool>,
    has_pragma: bool,
}

impl Meta {
    /// Reads the attributes of a `meta` element; `None` if they do not end.
    fn read(cursor: &mut Cursor<'_>) -> Option<Self> {
        let mut meta = Self::default();
        let mut names: Vec<Vec<u8>> = Vec::new();
        while let Some(attribute) = cursor.attribute()? {
            if !names.contains(&attribute.name) {
                meta.attribute(&attribute);
                names.push(attribute.name);
            }
        }
        Some(meta)
    }

    fn attribute(&mut self, attribute: &Attribute) {
        match &attribute.name[..] {
            b"http-equiv" => {
                self.has_pragma = attribute.value.eq_ignore_ascii_case(b"content-type");
            }
            b"content" if self.charset.is_none() => {
                if let Some(encoding) = charset_in(&attribute.value).and_then(labelled) {
                    self.charset = Some(encoding);
                    self.needs_pragma = Some(true);
                }
            }
            b"charset" => {
                self.charset = labelled(&attribute.value);
                self.needs_pragma = Some(false);
            }
            _ => {}
        }
    }

    fn encoding(&self) -> Option<&'static Encoding> {
        let counts = !self.needs_pragma? || self.has_pragma;
        self.charset.filter(|_| counts)
    }
}

/// The label in the `content` of a `meta` element ("text/html; charset=windows-1251").
fn charset_in(content: &[u8]) -> Option<&[u8]> {
    let mut cursor = Cursor { rest: content };
    loop {
        cursor.skip_to_charset()?;
        cursor.skip_while(is_blank);
        if cursor.rest.first() == Some(&b'=') {
            break;
        }
    }
    cursor.skip(1);
    cursor.skip_while(is_blank);
    match *cursor.rest.first()? {
        quote @ (b'"' | b'\'') => {
            cursor.skip(1);
            let end = memchr::memchr(quote, cursor.rest)?;
            cursor.rest.get(..end)
        }
        _ => Some(cursor.skip_while(|byte| !is_blank(byte) && byte != b';')),
    }
}

/// An attribute of a tag; its name in lower case.
#[derive(Default)]
struct Attribute {
    name: Vec<u8>,
    value: Vec<u8>,
}

/// What is left to be looked at.
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    /// The next byte; `None` at the end, which ends every search.
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// Passes over bytes, and gives them.
    fn skip_while(&mut self, is_skipped: impl Fn(u8) -> bool) -> &'a [u8] {
        let end = self.rest.iter().position(|byte| !is_skipped(*byte));
        let (skipped, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        skipped
    }

    fn skip_past(&mut self, needle: &[u8]) -> Option<()> {
        let found = memchr::memmem::find(self.rest, needle)?;
        self.skip(found + needle.len());
        Some(())
    }

    fn skip_to_charset(&mut self) -> Option<()> {
        const CHARSET: &[u8] = b"charset";
        let mut windows = self.rest.windows(CHARSET.len());
        let found = windows.position(|window| window.eq_ignore_ascii_case(CHARSET))?;
        self.skip(found + CHARSET.len());
        Some(())
    }

    fn at_meta(&self) -> bool {
        let (name, after) = self.rest.split_at_checked(5).unwrap_or_default();
        let ends = after
            .first()
            .is_some_and(|byte| is_blank(*byte) || *byte == b'/');
        name.eq_ignore_ascii_case(b"<meta") && ends
    }

    fn at_tag(&self) -> bool {
        match self.rest {
            [b'<', b'/', letter, ..] | [b'<', letter, ..] => letter.is_ascii_alphabetic(),
            _ => false,
        }
    }

    /// The next attribute of a tag; `Some(None)` at the tag's end, `None` at the end of all.
    #[allow(clippy::option_option)] // the tag ends, or everything does
    fn attribute(&mut self) -> Option<Option<Attribute>> {
        self.skip_while(|byte| is_blank(byte) || byte == b'/');
        if *self.rest.first()? == b'>' {
            return Some(None);
        }
        let mut attribute = Attribute::default();
        // An equals sign that comes first belongs to the name.
        attribute.name.push(self.next()?.to_ascii_lowercase());
        let name = self.skip_while(|byte| !is_blank(byte) && !b"=/>".contains(&byte));
        attribute.name.extend(name.to_ascii_lowercase());
        self.skip_while(is_blank);
        if *self.rest.first()? == b'=' {
            self.skip(1);
            self.skip_while(is_blank);
            attribute.value = self.value()?.to_vec();
        }
        Some(Some(attribute))
    }

    fn value(&mut self) -> Option<&'a [u8]> {
        match *self.rest.first()? {
            quote @ (b'"' | b'\'') => {
                self.skip(1);
                let value = self.skip_while(|byte| byte != quote);
                self.next()?;
                Some(value)
            }
            b'>' => Some(&[]),
            _ => {
                let value = self.skip_while(|byte| !is_blank(byte) && byte != b'>');
                self.rest.first()?;
                Some(value)
            }
        }
    }
}
