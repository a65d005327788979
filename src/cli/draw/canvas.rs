//! What is drawn on: a width, whether there is colour, and text that grows line by line.
//!
//! Everything that comes out of an archive was written by somebody else. Control characters
//! and marks that reorder text are replaced before they reach a terminal, so that no record
//! can repaint what stands beside it.

use std::io::IsTerminal as _;

use comfy_table::presets::{NOTHING, UTF8_FULL_CONDENSED};
use comfy_table::{
    Attribute, Cell, Color, ContentArrangement, ContentLineStyle, LineStyle, Table, TableStyle,
};

/// The widest that anything is drawn, in columns: longer lines of prose read badly.
const WIDTH_MAX: u16 = 96;

/// The narrowest, below which a terminal's own wrapping is left to do its work.
const WIDTH_MIN: u16 = 60;

/// The width of the labels at the left of a list of fields.
const LABEL_WIDTH: usize = 15;

/// Columns side by side under a header, and nothing between the rows.
const LISTED: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction(' '))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .content_lines(ContentLineStyle::none().junction(' '));

/// Where answers are drawn.
#[derive(Clone, Copy, Debug)]
pub struct Canvas {
    /// How many columns.
    pub width: u16,
    /// Whether there is colour.
    pub colour: bool,
}

/// How a piece of text stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tint {
    /// Not at all.
    Plain,
    /// As a heading.
    Strong,
    /// Less than the rest.
    Faint,
    /// As being for a proposition, or in good order.
    For,
    /// As being against a proposition, or out of order.
    Against,
    /// As being neither.
    Between,
}

impl Canvas {
    /// Standard output: colour only on a terminal, and never with `NO_COLOR` set
    /// (no-color.org).
    #[must_use]
    pub fn of_stdout() -> Self {
        let terminal = std::io::stdout().is_terminal();
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let width = terminal.then(|| Table::new().width()).flatten();
        // A terminal that does not know its width says 0.
        let width = width.filter(|width| *width != 0);
        Self {
            width: width.unwrap_or(WIDTH_MAX).clamp(WIDTH_MIN, WIDTH_MAX),
            colour: terminal && !no_colour,
        }
    }

    /// `text` as it stands out.
    #[must_use]
    pub fn paint(self, tint: Tint, text: &str) -> String {
        let text = clean(text);
        let code = match tint {
            Tint::Plain => return text,
            _ if !self.colour || text.is_empty() => return text,
            Tint::Strong => "1",
            Tint::Faint => "2",
            Tint::For => "32",
            Tint::Against => "31",
            Tint::Between => "33",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    /// `text` in lines of at most `width` columns.
    #[must_use]
    pub fn wrap(self, text: &str, width: usize) -> Vec<String> {
        let mut table = Table::new();
        table
            .load_style(NOTHING)
            .force_no_tty()
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(width).unwrap_or(WIDTH_MAX).max(1))
            .add_row([clean(text)]);
        if let Some(column) = table.column_mut(0) {
            column.set_padding((0, 0));
        }
        table
            .lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    /// A table with lines around it, as wide as the canvas at most.
    #[must_use]
    pub fn framed(self) -> Table {
        self.table(UTF8_FULL_CONDENSED)
    }

    /// A table with a line under its header.
    #[must_use]
    pub fn listed(self) -> Table {
        self.table(LISTED)
    }

    fn table(self, style: TableStyle) -> Table {
        let mut table = Table::new();
        table
            .load_style(style)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(self.width);
        if self.colour {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table
    }
}

/// A cell of a table.
#[must_use]
pub fn cell(tint: Tint, text: &str) -> Cell {
    let cell = Cell::new_owned(clean(text));
    match tint {
        Tint::Plain => cell,
        Tint::Strong => cell.add_attribute(Attribute::Bold),
        Tint::Faint => cell.add_attribute(Attribute::Dim),
        Tint::For => cell.fg(Color::DarkGreen),
        Tint::Against => cell.fg(Color::DarkRed),
        Tint::Between => cell.fg(Color::DarkYellow),
    }
}

/// `text` without what could act on a terminal: control characters other than line ends, and
/// marks that embed, override or isolate a direction of writing.
#[must_use]
pub fn clean(text: &str) -> String {
    let harmless = |c: char| match c {
        '\n' => '\n',
        '\t' => ' ',
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        c if c.is_control() => '\u{fffd}',
        c => c,
    };
    text.chars().map(harmless).collect()
}

/// A text that grows from the top down.
#[derive(Debug)]
pub struct Sheet {
    canvas: Canvas,
    text: String,
}

impl Sheet {
    /// An empty sheet.
    #[must_use]
    pub const fn new(canvas: Canvas) -> Self {
        Self {
            canvas,
            text: String::new(),
        }
    }

    /// Where it will be shown.
    #[must_use]
    pub const fn canvas(&self) -> Canvas {
        self.canvas
    }

    /// A line that is laid out already.
    pub fn line(&mut self, line: &str) {
        self.text.push_str(line.trim_end());
        self.text.push('\n');
    }

    /// An empty line, unless there is one above.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// A heading.
    pub fn heading(&mut self, text: &str) {
        self.paragraph(0, Tint::Strong, text);
    }

    /// A paragraph, every line of it `indent` columns from the left.
    pub fn paragraph(&mut self, indent: usize, tint: Tint, text: &str) {
        self.hanging(&" ".repeat(indent), indent, tint, text);
    }

    /// A paragraph that begins with `lead`, `width` columns wide, under which it hangs.
    pub fn hanging(&mut self, lead: &str, width: usize, tint: Tint, text: &str) {
        let room = usize::from(self.canvas.width).saturating_sub(width);
        let mut lead = lead.to_owned();
        for line in self.canvas.wrap(text, room) {
            let line = self.canvas.paint(tint, &line);
            self.line(&format!("{lead}{line}"));
            lead = " ".repeat(width);
        }
    }

    /// A labelled value.
    pub fn field(&mut self, label: &str, tint: Tint, value: &str) {
        let (label, width) = self.label(label);
        self.hanging(&label, width, tint, value);
    }

    /// A labelled value to be copied: in one line, however long it is.
    pub fn field_to_copy(&mut self, label: &str, tint: Tint, value: &str) {
        let (label, _) = self.label(label);
        let value = self.canvas.paint(tint, &clean(value));
        self.line(&format!("{label}{value}"));
    }

    /// A label, and how wide it is.
    fn label(&self, label: &str) -> (String, usize) {
        let label = format!("  {label:<LABEL_WIDTH$} ");
        let width = label.chars().count();
        (self.canvas.paint(Tint::Faint, &label), width)
    }

    /// A table.
    pub fn table(&mut self, table: &Table) {
        for line in table.lines() {
            self.line(&line);
        }
    }

    /// What was drawn.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Canvas = Canvas {
        width: 60,
        colour: false,
    };

    #[test]
    fn a_text_cannot_act_on_the_terminal() {
        let text = "a\u{1b}[2Jb\u{202e}c\u{7}\u{9b}d\ne\tf";
        assert_eq!(clean(text), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}\u{fffd}d\ne f");
        assert!(!PLAIN.wrap(text, 20).concat().contains('\u{1b}'));
        assert!(!cell(Tint::Plain, text).content().contains('\u{1b}'));
    }

    #[test]
    fn a_paragraph_hangs_under_its_lead_within_the_width() {
        let mut sheet = Sheet::new(Canvas {
            width: 24,
            colour: false,
        });
        sheet.hanging("* ", 2, Tint::Strong, "one two three four five six seven");
        assert_eq!(sheet.finish(), "* one two three four\n  five six seven\n");
    }

    #[test]
    fn colour_is_in_the_text_only_where_the_canvas_has_it() {
        let colour = Canvas {
            colour: true,
            ..PLAIN
        };
        assert_eq!(PLAIN.paint(Tint::For, "x"), "x");
        assert_eq!(colour.paint(Tint::For, "x"), "\u{1b}[32mx\u{1b}[0m");
    }
}
