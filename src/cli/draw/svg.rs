//! Pictures as SVG 1.1: a sheet of shapes and texts, in whole pixels, the same for the same
//! answer.
//!
//! Fonts are generic families, so that a picture takes on the ones of the page that shows it; as
//! nothing here knows their measures, widths are estimated on the generous side. Whatever comes
//! out of an archive is escaped, and stripped of what XML cannot hold.

use std::fmt::Write as _;

use super::canvas::clean;
use crate::record::proto::{Engagement, Polarity};
use crate::rpc::proto::{Stance, Testimony};

/// How wide a picture is.
pub const WIDTH: i64 = 960;

/// What is left free at its sides.
pub const MARGIN: i64 = 32;

/// The ink of texts.
pub const INK: &str = "#1a1a1a";

/// The ink of what is said less loudly.
pub const GREY: &str = "#595959";

/// The ink of lines behind everything.
pub const FAINT: &str = "#d0d0d0";

/// How a text is set.
#[derive(Clone, Copy, Debug)]
pub struct Face {
    /// In pixels.
    pub size: i64,
    /// With serifs, as articles are.
    pub serif: bool,
    /// Heavier than the rest.
    pub bold: bool,
    /// Its ink.
    pub ink: &'static str,
}

/// A heading.
pub const HEADING: Face = Face {
    size: 24,
    serif: true,
    bold: true,
    ink: INK,
};

/// What is said in so many words.
pub const QUOTED: Face = Face {
    size: 15,
    serif: true,
    bold: false,
    ink: INK,
};

/// A label.
pub const LABEL: Face = Face {
    size: 13,
    serif: false,
    bold: false,
    ink: INK,
};

/// A label that stands out.
pub const STRONG: Face = Face {
    bold: true,
    ..LABEL
};

/// A label that does not.
pub const NOTE: Face = Face {
    size: 12,
    ink: GREY,
    ..LABEL
};

impl Face {
    /// From line to line.
    #[must_use]
    pub const fn line(self) -> i64 {
        self.size * 14 / 10
    }

    /// About how wide a text is.
    #[must_use]
    pub fn width(self, text: &str) -> i64 {
        let letter = |c: char| match c {
            // From Hangul on, letters are as wide as they are high.
            '\u{1100}'.. => 100,
            'A'..='Z' | '_' => 70,
            _ if self.bold => 60,
            _ => 54,
        };
        text.chars().map(letter).sum::<i64>() * self.size / 100
    }

    /// The text in lines of about this width; what is left after `most` of them is cut off.
    #[must_use]
    pub fn wrap(self, text: &str, width: i64, most: usize) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut line = String::new();
        for word in clean(text).split_whitespace() {
            let mut word = word;
            if !line.is_empty() {
                let longer = format!("{line} {word}");
                if self.width(&longer) <= width {
                    line = longer;
                    continue;
                }
                lines.push(std::mem::take(&mut line));
            }
            // A word that is too long for a line is broken.
            while self.width(word) > width && word.chars().count() > 1 {
                let mut end = 0;
                for (at, letter) in word.char_indices() {
                    let next = at + letter.len_utf8();
                    if at > 0 && self.width(word.get(..next).unwrap_or(word)) > width {
                        break;
                    }
                    end = next;
                }
                let (head, tail) = word.split_at_checked(end).unwrap_or((word, ""));
                if tail.is_empty() {
                    break;
                }
                lines.push(head.to_owned());
                word = tail;
            }
            line.push_str(word);
        }
        if !line.is_empty() {
            lines.push(line);
        }
        if lines.len() > most {
            lines.truncate(most);
            if let Some(last) = lines.last_mut() {
                last.push_str(" …");
            }
        }
        lines
    }
}

/// On which side of its place a text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// To the right of it.
    Start,
    /// Around it.
    Middle,
    /// To the left of it.
    End,
}

/// How a reading is marked: by shape as well as by ink, so that it can be told in grey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mark {
    /// For the proposition.
    Supports,
    /// Neither for nor against.
    Open,
    /// Both for and against.
    Mixed,
    /// Against it.
    Opposes,
    /// Says that there is no position.
    NoPosition,
    /// Coders disagree.
    Disputed,
    /// Declined to answer, or spoke of something else.
    Evaded,
}

impl Mark {
    /// All, in the order of the legend.
    pub const ALL: [Self; 7] = [
        Self::Supports,
        Self::Open,
        Self::Mixed,
        Self::Opposes,
        Self::NoPosition,
        Self::Disputed,
        Self::Evaded,
    ];

    /// Of a reading.
    #[must_use]
    pub fn of(said: &Testimony) -> Self {
        if !said.rivals.is_empty() {
            return Self::Disputed;
        }
        match said.engagement() {
            Engagement::Answered => Self::of_stance(said.stance.as_ref()),
            _ => Self::Evaded,
        }
    }

    /// Of a stance.
    #[must_use]
    pub fn of_stance(stance: Option<&Stance>) -> Self {
        match stance.map(Stance::polarity) {
            Some(Polarity::Supports) => Self::Supports,
            Some(Polarity::Open) => Self::Open,
            Some(Polarity::Mixed) => Self::Mixed,
            Some(Polarity::Opposes) => Self::Opposes,
            _ => Self::NoPosition,
        }
    }

    /// What the legend says.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Supports => "supports",
            Self::Open => "open",
            Self::Mixed => "mixed",
            Self::Opposes => "opposes",
            Self::NoPosition => "no position",
            Self::Disputed => "disputed",
            Self::Evaded => "evaded",
        }
    }

    /// Its ink: of different lightness, too.
    #[must_use]
    pub const fn ink(self) -> &'static str {
        match self {
            Self::Supports => "#1a5fb4",
            Self::Open => "#b58900",
            Self::Mixed => "#7a4fa3",
            Self::Opposes => "#9c1f10",
            Self::NoPosition | Self::Disputed | Self::Evaded => GREY,
        }
    }
}

/// A picture that grows.
#[derive(Debug, Default)]
pub struct Svg {
    body: String,
}

impl Svg {
    /// A text in one line, whose base line is at `y`.
    pub fn text(&mut self, (x, y): (i64, i64), face: Face, anchor: Anchor, text: &str) {
        let family = if face.serif { "serif" } else { "sans-serif" };
        let weight = if face.bold {
            " font-weight=\"bold\""
        } else {
            ""
        };
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let Face { size, ink, .. } = face;
        let text = escape(text);
        self.push(&format!(
            "<text x=\"{x}\" y=\"{y}\" font-family=\"{family}\" font-size=\"{size}\"{weight}{anchor} fill=\"{ink}\">{text}</text>"
        ));
    }

    /// A text in lines from `y` on. Gives where the next line would stand.
    pub fn lines(&mut self, (x, y): (i64, i64), face: Face, lines: &[String]) -> i64 {
        let mut y = y;
        for line in lines {
            self.text((x, y), face, Anchor::Start, line);
            y += face.line();
        }
        y
    }

    /// A straight line.
    pub fn line(&mut self, (x1, y1): (i64, i64), (x2, y2): (i64, i64), ink: &str, style: Stroke) {
        let Stroke { width, dashes } = style;
        let dashes = match dashes {
            0 => String::new(),
            length => format!(" stroke-dasharray=\"{length} {length}\""),
        };
        self.push(&format!(
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" stroke=\"{ink}\" stroke-width=\"{width}\"{dashes}/>"
        ));
    }

    /// A box with a thin border.
    pub fn frame(&mut self, (x, y): (i64, i64), (width, height): (i64, i64)) {
        self.push(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"{FAINT}\"/>"
        ));
    }

    /// A place where nothing shows through, for a text.
    pub fn blank(&mut self, (x, y): (i64, i64), (width, height): (i64, i64)) {
        self.push(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>"
        ));
    }

    /// A mark around a place, `r` from its middle to its edge.
    pub fn mark(&mut self, (x, y): (i64, i64), r: i64, mark: Mark) {
        let ink = mark.ink();
        let polygon = |points: &[(i64, i64)], fill: &str| {
            let points: Vec<String> = points
                .iter()
                .map(|(dx, dy)| format!("{},{}", x + dx, y + dy))
                .collect();
            format!(
                "<polygon points=\"{}\" fill=\"{fill}\" stroke=\"{ink}\" stroke-width=\"2\"/>",
                points.join(" ")
            )
        };
        let circle = |fill: &str| {
            format!(
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"{fill}\" stroke=\"{ink}\" stroke-width=\"2\"/>"
            )
        };
        let diamond = [(0, -r), (r, 0), (0, r), (-r, 0)];
        let shape = match mark {
            Mark::Supports => polygon(&[(0, -r), (r, r), (-r, r)], ink),
            Mark::Opposes => polygon(&[(0, r), (r, -r), (-r, -r)], ink),
            Mark::Open => circle(ink),
            Mark::Mixed => polygon(&diamond, ink),
            Mark::NoPosition => polygon(&[(-r, -r), (r, -r), (r, r), (-r, r)], "#ffffff"),
            Mark::Disputed => polygon(&diamond, "#ffffff"),
            Mark::Evaded => circle("#ffffff"),
        };
        self.push(&shape);
    }

    fn push(&mut self, element: &str) {
        self.body.push_str(element);
        self.body.push('\n');
    }

    /// The picture, `height` high, for those who see it and those who have it read to them.
    #[must_use]
    pub fn finish(self, height: i64, title: &str, description: &str) -> String {
        let mut svg = String::new();
        let (title, description) = (escape(title), escape(description));
        // Writing into a string does not fail.
        let _ = write!(
            svg,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-labelledby=\"title desc\">\n\
             <title id=\"title\">{title}</title>\n<desc id=\"desc\">{description}</desc>\n\
             <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>\n{}</svg>\n",
            self.body
        );
        svg
    }
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Stroke {
    /// How wide.
    pub width: i64,
    /// In dashes of this length, if it is not 0.
    pub dashes: i64,
}

impl Stroke {
    /// One pixel wide.
    pub const THIN: Self = Self {
        width: 1,
        dashes: 0,
    };
}

/// A text as it stands in XML: on one line, without what XML 1.0 cannot hold.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' => escaped.push(' '),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}
